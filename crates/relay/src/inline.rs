//! A whole relay without threads, sockets or listener, for whoever must decide what happens when.
//!
//! The handlers, the writer and the reads are those of [`crate::serve`]; only who runs them differs:
//! **everything happens on the caller's own runtime, while it waits for an answer**, so that one seed
//! makes one order of events. Dropping it is a power cut: what was not committed is gone.

use std::sync::Arc;

use axum::body::Body;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::app::App;
use crate::error::RelayError;
use crate::relay::Relay;
use crate::writer::{self, Desk};
use crate::{db, http};

/// A request as a listener would hand it on.
pub type Request = axum::extract::Request;

/// An answer; its body is made while it is read.
pub type Response = axum::response::Response;

/// A relay that answers on the caller's runtime.
pub struct Inline {
    app: Arc<App>,
    writer: JoinHandle<()>,
}

impl Inline {
    /// Begins to answer for `relay`; must be called on a runtime of one thread.
    pub fn open(relay: Relay) -> Result<Self, RelayError> {
        let connection = db::connect(&relay.place)?;
        let (jobs, inbox) = writer::mailbox();
        let mut desk = Desk::new(
            connection,
            relay.secrets.clone(),
            relay.identity.incarnation,
            relay.settings.clock.clone(),
        );
        let wake = Arc::new(Notify::new());
        let woken = Arc::clone(&wake);
        let writer = tokio::spawn(async move {
            loop {
                woken.notified().await;
                desk.drain(&inbox);
            }
        });
        let app = Arc::new(App::new(relay, jobs, Some(wake)));
        Ok(Self { app, writer })
    }

    /// Returns the relay, for what an operator asks.
    pub fn relay(&self) -> &Relay {
        &self.app.relay
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request) -> Response {
        http::answer(&self.app, request).await
    }

    /// Returns the bytes of an answer's body; what was made before it broke off.
    pub async fn collect(body: Body) -> Vec<u8> {
        use tokio_stream::StreamExt as _;
        let mut pieces = body.into_data_stream();
        let mut bytes = Vec::new();
        while let Some(Ok(piece)) = pieces.next().await {
            bytes.extend_from_slice(&piece);
        }
        bytes
    }
}

impl Drop for Inline {
    fn drop(&mut self) {
        self.writer.abort();
    }
}

impl std::fmt::Debug for Inline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Inline({:?})", self.app.relay)
    }
}
