//! Lets devices in: listener, routes, writer, and an orderly end.

use std::fs::{File, OpenOptions, TryLockError};
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;
use wangge_trust::tls;

use crate::app::App;
use crate::blobs::{self, Shelf};
use crate::entrance::Entrance;
use crate::error::RelayError;
use crate::link::Link;
use crate::listen::{Hall, listen};
use crate::packs::{Background, Bell, Maker};
use crate::relay::Relay;
use crate::settings::Tls;
use crate::writer::Writer;
use crate::{db, http};

/// Held while a relay is served.
pub(crate) const LOCK: &str = "serving";
/// Files a process may have open, connections included, where the system allows more than it gives.
const CONNECTIONS_MAX: u64 = 16_384;
/// Files that a process wants beside its connections: databases, their logs, attachments.
const OTHER_FILES: u64 = 256;
/// How long open answers may go on after the order to stop.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// The right to serve a folder: one process has it at a time, because each remembers for itself which
/// requests it has seen. It ends when it is dropped.
#[derive(Debug)]
pub struct Claim(#[expect(dead_code, reason = "the lock is held while it lives")] File);

impl Relay {
    /// Takes the right to serve this folder, before anybody is told that it is served.
    pub fn claim(&self) -> Result<Claim, RelayError> {
        lock(&self.place.path.with_file_name(LOCK)).map(Claim)
    }
}

/// Serves devices on `listener` until `stop`; then finishes what was begun.
pub async fn serve(
    relay: Relay,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), RelayError> {
    let claim = relay.claim()?;
    serve_claimed(relay, claim, listener, stop).await
}

/// Serves as [`serve`] does, by a right that was taken before.
///
/// A receipt that was sent is of a batch that is durable, however this ends.
pub async fn serve_claimed(
    relay: Relay,
    _serving: Claim,
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), RelayError> {
    let mut limits = relay.settings.limits;
    if let Some(most) = open_many() {
        // One more than the system allows would be waited for by all of them.
        limits.connections = limits.connections.min(most);
    }
    // Before anything is begun: plain HTTP for another machine is served to nobody.
    let tls = shown(&relay, &listener)?;
    let mut connection = db::connect_writer(&relay.place)?;
    let fail = |source| RelayError::sqlite(&relay.place.path, source);
    let (shelf, now_ms) = (
        Shelf::beside(&relay.place.path),
        relay.settings.clock.now_ms(),
    );
    let lost = blobs::want_lost(&mut connection, &shelf, now_ms).map_err(fail)?;
    if lost > 0 {
        tracing::warn!(
            lost,
            "attachments have no file here; whoever has one is asked for it"
        );
    }
    let packs = match relay.settings.packs.clone() {
        // Opened before devices come: a file of another log is gone by then.
        Some(packs) => Some((Maker::open(&relay, &packs)?, packs, Bell::new())),
        None => None,
    };
    let wake = packs.as_ref().map(|(_, _, bell)| bell.wake.clone());
    let news = Arc::new(Notify::new());
    let writer = Writer::start(
        connection,
        relay.place.keys.clone(),
        relay.secrets.clone(),
        relay.identity.incarnation,
        &relay.settings,
        wake,
        Arc::clone(&news),
    )?;
    let background = match packs {
        Some((maker, packs, bell)) => Some(Background::start(maker, packs, bell, writer.jobs())?),
        None => None,
    };
    let app = Arc::new(App::new(relay, writer.jobs(), None));
    let link = Link::start(&app, news)?;
    tracing::info!(relay = %app.id(), "serving");

    let hall = Hall {
        routes: http::router(Arc::clone(&app)),
        entrance: Entrance::new(limits),
        tls,
        behind_proxy: matches!(app.relay.settings.tls, Tls::BehindProxy),
    };
    listen(listener, hall, stop, STOP_WITHIN).await;
    let stop = move || {
        link.stop();
        if let Some(background) = background {
            background.stop();
        }
        writer.stop();
    };
    let stopped = tokio::task::spawn_blocking(stop).await;
    if stopped.is_err() {
        tracing::error!("the writer could not be stopped");
    }
    tracing::info!("stopped");
    Ok(())
}

/// Returns what is shown to whoever connects; none for plain HTTP, which is for this machine alone.
fn shown(relay: &Relay, listener: &TcpListener) -> Result<Option<TlsAcceptor>, RelayError> {
    let address = listener.local_addr();
    let address = address.map_err(|source| RelayError::io(Path::new(""), source))?;
    let here = address.ip().to_canonical().is_loopback();
    let certified = match &relay.settings.tls {
        Tls::ByAddress | Tls::BehindProxy if here => return Ok(None),
        Tls::BehindProxy => return Err(RelayError::PlainElsewhere),
        Tls::ByAddress | Tls::OwnKey => tls::own(&relay.secrets.key)?,
        Tls::Certificate(certificate) => certificate.shown(),
    };
    Ok(Some(TlsAcceptor::from(Arc::new(tls::server(certified)?))))
}

/// Lets as many devices be connected as the system allows this process; returns how many connections it
/// allows, where it says.
pub fn open_many() -> Option<usize> {
    #[cfg(unix)]
    {
        let limit = || rlimit::getrlimit(rlimit::Resource::NOFILE).ok();
        let (soft, hard) = limit()?;
        if soft < hard {
            // A system that refuses leaves what there was: fewer devices at once.
            let wanted = soft.max(hard.min(CONNECTIONS_MAX));
            let _ = rlimit::setrlimit(rlimit::Resource::NOFILE, wanted, hard);
        }
        let (soft, _) = limit()?;
        usize::try_from(soft.saturating_sub(OTHER_FILES).max(OTHER_FILES)).ok()
    }
    #[cfg(not(unix))]
    None
}

pub(crate) fn lock(path: &Path) -> Result<File, RelayError> {
    let fail = |source| RelayError::io(path, source);
    let mut options = OpenOptions::new();
    let options = options.create(true).truncate(false).write(true);
    let file = options.open(path).map_err(fail)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(RelayError::Served),
        Err(TryLockError::Error(source)) => Err(fail(source)),
    }
}
