//! The only answer to a revoked device: remove what you hold, and up to where it is kept here.
//!
//! * 403: `PurgeAnswer`, `application/wangge-purge` (CBOR), on every route that wants a member's signature. A sync's batches, and a piece
//!   of an attachment, are taken first.
//!
//! It names no resident, and what it says of batches their own author asks for.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use wangge_wire::purge::PURGE_CONTENT_TYPE;
use wangge_wire::{BlobState, DeviceId, PurgeAnswer, PurgeOrder, Signature, Verdict, packing};

use super::{bytes, words};
use crate::app::App;
use crate::lost;
use crate::pull::StepError;
use crate::writer::{Job, Unwritten};

/// Returns the answer to a revoked device.
pub(super) async fn answer(
    app: &Arc<App>,
    device: DeviceId,
    verdicts: Option<Vec<Verdict>>,
    blob: Option<BlobState>,
) -> Response {
    match order(app, device).await {
        Ok(order) => {
            let answer = PurgeAnswer {
                order,
                verdicts,
                blob,
            };
            let body = packing::encode(&answer);
            bytes(StatusCode::FORBIDDEN, PURGE_CONTENT_TYPE, body.into())
        }
        Err(error) => {
            tracing::error!(%error, "a purge order cannot be made");
            words(StatusCode::INTERNAL_SERVER_ERROR, "internal")
        }
    }
}

/// Returns a signed order to a revoked device, and notes that it was told.
///
/// **What it says is durable was read after the commit of what the request brought.**
pub(super) async fn order(app: &Arc<App>, device: DeviceId) -> Result<PurgeOrder, StepError> {
    let lives = app.read(move |connection, _| Ok(lost::lives(connection, &device)?));
    let lives = lives.await?.iter().map(|life| life.durable).collect();
    let mut order = PurgeOrder {
        device,
        relay: app.id(),
        incarnation: app.relay.identity.incarnation,
        at_ms: app.now_ms(),
        lives,
        signature: Signature([0; 64]),
    };
    app.relay.secrets.key.sign_purge(&mut order);
    // Before it leaves, so that what is reported of a lost device is not less than was done. On a full disk it
    // is told all the same.
    let noted = app.ask_writer(|reply| Job::Purged(device, order.at_ms, reply));
    if let Err(why) = noted.await.unwrap_or(Err(Unwritten::Busy)) {
        tracing::warn!(?why, "a purge order is not noted");
    }
    tracing::info!(%device, "told to purge");
    Ok(order)
}
