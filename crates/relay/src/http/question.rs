//! A question that is a head alone, all of it signed: how orders, inboxes, devices and repairs are asked for.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use minicbor::Decode;
use wangge_wire::{DeviceId, PROTOCOL_VERSION, packing};

use super::body::Incoming;
use super::{signed, words};
use crate::app::App;

/// The length in front of the head.
const LENGTH_BYTES: usize = 4;

/// Returns which member asks, and what; or the answer to who is none, asks in another protocol, or nothing that
/// reads. `version` says which protocol a question is of.
pub(super) async fn asked<T: for<'b> Decode<'b, ()>>(
    app: &Arc<App>,
    request: Request,
    bytes_max: usize,
    version: impl Fn(&T) -> u16,
) -> Result<(DeviceId, T), Response> {
    let garbage = || words(StatusCode::BAD_REQUEST, "malformed");
    let (parts, body) = request.into_parts();
    let mut incoming = Incoming::new(body, bytes_max + LENGTH_BYTES);
    let head = incoming.head_up_to(bytes_max).await;
    let head = head.map_err(|_| garbage())?;
    let asker = signed::member(app, &parts, &head).await?;
    let ask: T = packing::decode(&head, "question").map_err(|_| garbage())?;
    match version(&ask) > PROTOCOL_VERSION {
        true => Err(words(StatusCode::UPGRADE_REQUIRED, "a newer protocol")),
        false => Ok((asker, ask)),
    }
}
