//! The loop that takes connections: each with TLS where that is shown, its own times, and a place at the
//! entrance.
//!
//! **Every time and every size is bounded here, before anybody is known**: hands, heads, pieces that are
//! not taken, connections at once. An orderly end lets what is asked be answered.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Request, Response};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Sleep, sleep_until};
use tokio_rustls::TlsAcceptor;

use crate::entrance::{Arrival, Entrance, Guest, Peer};
use crate::limits::{AHEAD_BYTES_MAX, BUSY_AGAIN_S, HEADER_BYTES_MAX, HEADERS_MAX, Limits};
use crate::patient::Patient;

/// How long nobody is let in after the system had no room for one more connection.
const NO_ROOM_PAUSE: Duration = Duration::from_millis(50);

/// What every connection is served with.
#[derive(Clone)]
pub(crate) struct Hall {
    pub(crate) routes: Router,
    pub(crate) entrance: Arc<Entrance>,
    /// What is shown; none for plain HTTP.
    pub(crate) tls: Option<TlsAcceptor>,
    /// Whether a program on this machine speaks for others, and says for whom.
    pub(crate) behind_proxy: bool,
}

/// Takes connections until `stop`, then lets what was begun end, for as long as `within`.
pub(crate) async fn listen(
    listener: TcpListener,
    hall: Hall,
    stop: impl Future<Output = ()>,
    within: Duration,
) {
    let (stopping, told) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, from)) => {
                    let (hall, told) = (hall.clone(), told.clone());
                    tasks.spawn(take(stream, from, hall, told));
                }
                Err(error) => {
                    // One that hung up before it was taken, or no room for one more: neither ends a relay.
                    tracing::warn!(kind = ?error.kind(), "a connection could not be taken");
                    tokio::time::sleep(NO_ROOM_PAUSE).await;
                }
            },
            Some(_) = tasks.join_next() => {}
            () = &mut stop => break,
        }
    }
    drop(listener);
    let _ = stopping.send(true);
    let ended = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(within, ended).await.is_err() {
        tracing::warn!("what still was answered is cut off");
    }
}

async fn take(stream: TcpStream, from: SocketAddr, hall: Hall, stopping: watch::Receiver<bool>) {
    // Small frames follow each other: none may wait for the acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let limits = hall.entrance.limits;
    let mut stream = Patient::new(stream, limits.piece_within);
    let peer = Peer::of(from.ip());
    let arrival = hall
        .entrance
        .enter(peer, hall.tls.is_some(), Instant::now());
    let Some(mut arrival) = arrival else {
        if hall.tls.is_none() {
            refuse(&mut stream, limits.handshake_within).await;
        }
        return;
    };
    let closed = &mut arrival.closed;
    let Some(tls) = hall.tls.clone() else {
        // Boxed: a line without TLS has no room for what one with it needs.
        return Box::pin(serve(stream, peer, arrival, hall, stopping)).await;
    };
    let shaking = Box::pin(tls.accept(stream));
    let shaking = tokio::time::timeout(limits.handshake_within, shaking);
    let shaken = tokio::select! {
        shaken = shaking => shaken,
        _ = closed => return,
    };
    match shaken {
        Ok(Ok(stream)) => {
            arrival.shook_hands();
            Box::pin(serve(stream, peer, arrival, hall, stopping)).await;
        }
        Ok(Err(error)) => tracing::debug!(kind = ?error.kind(), "no TLS"),
        Err(_) => tracing::debug!("TLS took too long"),
    }
}

/// Tells who came when there was no place to come again; whoever does not take it is left.
async fn refuse(stream: &mut (impl AsyncWrite + Unpin), within: Duration) {
    let text = format!(
        "HTTP/1.1 503 Service Unavailable\r\nretry-after: {BUSY_AGAIN_S}\r\ncontent-length: 0\r\n\
         connection: close\r\n\r\n"
    );
    let told = async {
        stream.write_all(text.as_bytes()).await?;
        stream.shutdown().await
    };
    let _ = tokio::time::timeout(within, told).await;
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    peer: Peer,
    mut arrival: Arrival,
    hall: Hall,
    mut stopping: watch::Receiver<bool>,
) {
    let (_, nobody) = tokio::sync::oneshot::channel();
    let mut closed = std::mem::replace(&mut arrival.closed, nobody);
    let routes = TowerToHyperService::new(hall.routes);
    let (behind_proxy, own) = (hall.behind_proxy, Arc::new(arrival));
    let limits = hall.entrance.limits;
    let service = service_fn(move |request: Request<Incoming>| {
        let peer = match behind_proxy {
            true => spoken_for(&request).map_or(peer, Peer::of),
            false => peer,
        };
        let guest = Arc::new(own.guest(peer));
        let mut request = request.map(|body| Body::new(InTime::new(body, &limits)));
        request.extensions_mut().insert(Arc::clone(&guest));
        let answer = routes.call(request);
        async move {
            let answer = answer.await?;
            let until_end = |body| UntilEnd {
                body,
                _guest: guest,
            };
            Ok::<Response<UntilEnd>, Infallible>(answer.map(until_end))
        }
    });
    let connection = builder(&hall.entrance.limits).serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(timeout = error.is_timeout(), parse = error.is_parse(), "a line ended");
                }
                return;
            }
            // Only who is not at work is closed for another one.
            _ = &mut closed => return,
            Ok(()) = stopping.changed() => connection.as_mut().graceful_shutdown(),
        }
    }
}

fn builder(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_within)
        .max_headers(HEADERS_MAX)
        .max_header_size(HEADER_BYTES_MAX)
        .max_buf_size(AHEAD_BYTES_MAX);
    builder
}

/// Returns who a program on this machine says it speaks for: the last address, which it put there itself.
fn spoken_for<B>(request: &Request<B>) -> Option<IpAddr> {
    let all = request.headers().get_all("x-forwarded-for");
    let last = all.iter().next_back()?.to_str().ok()?;
    let last = last.rsplit(',').next()?.trim();
    let bare = last.trim_start_matches('[').trim_end_matches(']');
    bare.parse().ok()
}

/// A request's body, which may neither be silent nor go on for ever.
struct InTime {
    body: Incoming,
    piece_within: Duration,
    until: tokio::time::Instant,
    /// Ends when the next piece should have been here.
    late: Pin<Box<Sleep>>,
}

impl InTime {
    fn new(body: Incoming, limits: &Limits) -> Self {
        let now = tokio::time::Instant::now();
        let until = now + limits.body_within;
        let late = Box::pin(sleep_until(until.min(now + limits.piece_within)));
        Self {
            body,
            piece_within: limits.piece_within,
            until,
            late,
        }
    }
}

impl HttpBody for InTime {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            let next = tokio::time::Instant::now() + self.piece_within;
            let until = self.until.min(next);
            self.late.as_mut().reset(until);
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let late = self.late.as_mut().poll(context);
        late.map(|()| Some(Err(io::Error::from(io::ErrorKind::TimedOut).into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer's body; its request counts as at work until it has ended.
struct UntilEnd {
    body: Body,
    _guest: Arc<Guest>,
}

impl HttpBody for UntilEnd {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_a_proxy_speaks_for_is_the_last_it_names() {
        let of = |values: &[&str]| {
            let mut request = Request::new(());
            for value in values {
                let headers = request.headers_mut();
                headers.append("x-forwarded-for", value.parse().unwrap());
            }
            spoken_for(&request).map(|address| address.to_string())
        };
        assert_eq!(of(&["10.0.0.1"]).as_deref(), Some("10.0.0.1"));
        // What stands before it may be anybody's word.
        assert_eq!(of(&["1.2.3.4, 10.0.0.1"]).as_deref(), Some("10.0.0.1"));
        assert_eq!(of(&["1.2.3.4", "10.0.0.1"]).as_deref(), Some("10.0.0.1"));
        assert_eq!(of(&["[2001:db8::1]"]).as_deref(), Some("2001:db8::1"));
        assert_eq!(of(&["somebody"]), None);
        assert_eq!(of(&[]), None);
    }
}
