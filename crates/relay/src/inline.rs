//! A whole relay without threads, sockets or listener, for whoever must decide what happens when.
//!
//! The handlers, the writer and the reads are those of [`crate::serve`]; only who runs them differs:
//! **everything happens on the caller's own runtime, while it waits for an answer**, so that one seed
//! makes one order of events. Dropping it is a power cut: what was not committed is gone.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, Response};
use rusqlite::TransactionBehavior;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_stream::StreamExt as _;

use crate::app::App;
use crate::error::RelayError;
use crate::holds::{self, NewRuling};
use crate::packs::{Maker, Packs};
use crate::pull::StepError;
use crate::relay::Relay;
use crate::writer::{self, Desk};
use crate::{db, http};

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
            relay.place.keys.clone(),
            relay.secrets.clone(),
            relay.identity.incarnation,
            &relay.settings,
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

    /// Makes one round of packs, as the background thread of a relay that serves does; foreign changes
    /// are tried in this process. Returns how many packs were made, and how many changes were held.
    pub fn make_packs(&self) -> Result<(usize, usize), RelayError> {
        let relay = self.relay();
        let mut maker = Maker::open(relay, &Packs::default())?;
        let mut failed = None;
        let round = maker.round(&mut |rulings| {
            let written = self.rule(&rulings);
            failed = written.err();
            failed.is_none()
        });
        match (failed, round) {
            (Some(error), _) => Err(error),
            (None, Ok(round)) => Ok((round.made, round.held)),
            (None, Err(StepError::Relay(error))) => Err(error),
            (None, Err(StepError::Sqlite(source))) => {
                Err(RelayError::sqlite(&relay.place.path, source))
            }
            (None, Err(StepError::Malformed(_))) => Err(RelayError::Internal {
                what: "a pack that does not read",
            }),
        }
    }

    /// Writes rulings down; the writer's mailbox would be answered only once nobody waits for it.
    fn rule(&self, rulings: &[NewRuling]) -> Result<(), RelayError> {
        let relay = self.relay();
        let fail = |source| RelayError::sqlite(&relay.place.path, source);
        let mut connection = db::connect(&relay.place)?;
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(fail)?;
        let now_ms = relay.settings.clock.now_ms();
        holds::append(&transaction, &relay.secrets.key, rulings, now_ms).map_err(fail)?;
        transaction.commit().map_err(fail)
    }

    /// Answers one request, of whose body only `arrives` bytes come before the line breaks.
    pub async fn answer(&self, request: Request<Vec<u8>>, arrives: usize) -> Response<Vec<u8>> {
        self.answer_watched(request, arrives, |_| ()).await
    }

    /// Answers like [`Inline::answer`], and tells after each piece of the answer how many have come: what
    /// happens meanwhile happens before the next one.
    pub async fn answer_watched(
        &self,
        request: Request<Vec<u8>>,
        arrives: usize,
        mut came: impl FnMut(usize),
    ) -> Response<Vec<u8>> {
        let (parts, body) = request.into_parts();
        let whole = arrives >= body.len();
        let body = body.get(..arrives).map_or(body.clone(), <[u8]>::to_vec);
        let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        let pieces = [Ok(body)]
            .into_iter()
            .chain((!whole).then_some(Err(broken)));
        let body = Body::from_stream(tokio_stream::iter(pieces));
        let answer = http::answer(&self.app, Request::from_parts(parts, body)).await;
        let (parts, body) = answer.into_parts();
        let mut pieces = body.into_data_stream();
        let (mut bytes, mut count) = (Vec::new(), 0);
        while let Some(Ok(piece)) = pieces.next().await {
            bytes.extend_from_slice(&piece);
            count += 1;
            came(count);
        }
        Response::from_parts(parts, bytes)
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
