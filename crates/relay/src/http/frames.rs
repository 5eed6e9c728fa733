//! `POST /v1/frames`: frames of packs, one after the other, in one answer.
//!
//! * 200: their bytes, the first from where the device says. An answer that ends at the end of a frame
//!   says that the next one is of no pack any more: the device asks for the manifest anew.
//! * 400: not a request. 401: as for a sync. 426: a newer protocol. 500, 503: a few words.
//! * 404: the first is no frame of a pack that this device reads: not said which.
//! * 416: the device has all of the first, or more.
//!
//! **Each frame is asked about when its turn comes**: what moved away since the answer began is not in it.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use wangge_wire::limits::FRAMES_ASK_BYTES_MAX;
use wangge_wire::pack::FramesAsk;
use wangge_wire::{Day, DeviceId, FrameHash, PROTOCOL_VERSION, packing};

use super::body::Incoming;
use super::pack::garbage;
use super::{bytes, signed, words};
use crate::app::App;
use crate::packs::{self, Served};
use crate::pull::StepError;

/// The length in front of the head.
const LENGTH_BYTES: usize = 4;
/// Frames read ahead of the link.
const FRAMES_AHEAD: usize = 1;

pub(super) async fn frames(State(app): State<Arc<App>>, request: Request) -> Response {
    match answered(&app, request).await {
        Ok(response) | Err(response) => response,
    }
}

async fn answered(app: &Arc<App>, request: Request) -> Result<Response, Response> {
    let (parts, body) = request.into_parts();
    let mut incoming = Incoming::new(body, FRAMES_ASK_BYTES_MAX + LENGTH_BYTES);
    let head = incoming.head_up_to(FRAMES_ASK_BYTES_MAX).await;
    let head = head.map_err(|_| garbage())?;
    let device = signed::member(app, &parts, &head).await?;
    let ask: FramesAsk = packing::decode(&head, "frames").map_err(|_| garbage())?;
    if ask.version > PROTOCOL_VERSION {
        return Err(words(StatusCode::UPGRADE_REQUIRED, "a newer protocol"));
    }
    let mut wanted = ask.frames.into_iter();
    let first = wanted.next().ok_or_else(garbage)?;
    let first = read(app, device, first).await.map_err(|error| {
        tracing::error!(%error, "a frame cannot be read");
        words(StatusCode::INTERNAL_SERVER_ERROR, "internal")
    })?;
    let mut first = first.ok_or_else(|| words(StatusCode::NOT_FOUND, "no such frame"))?;
    let from = usize::try_from(ask.from).unwrap_or(usize::MAX);
    if from >= first.len() {
        return Err(words(StatusCode::RANGE_NOT_SATISFIABLE, "past the end"));
    }
    first.drain(..from);
    let (pieces, body) = mpsc::channel::<Result<Vec<u8>, Infallible>>(FRAMES_AHEAD);
    let app = Arc::clone(app);
    tokio::spawn(async move {
        let mut next = Some(first);
        while let Some(frame) = next.take() {
            if pieces.send(Ok(frame)).await.is_err() {
                break;
            }
            let Some(hash) = wanted.next() else { break };
            next = read(&app, device, hash).await.unwrap_or_else(|error| {
                tracing::error!(%error, "a frame cannot be read");
                None
            });
        }
    });
    let body = Body::from_stream(ReceiverStream::new(body));
    Ok(bytes(StatusCode::OK, "application/octet-stream", body))
}

/// Returns a frame's bytes; none for any that this device does not read, there or not.
async fn read(
    app: &Arc<App>,
    device: DeviceId,
    hash: FrameHash,
) -> Result<Option<Vec<u8>>, StepError> {
    let (own, day) = (Arc::clone(app), Day::of_ms(app.now_ms()));
    let asked = app.read(move |log, standing| {
        own.with_packs(|packs| {
            let served = Served {
                log,
                packs,
                standing,
                device,
                day,
            };
            packs::frame(&served, &hash)
        })
    });
    asked.await
}
