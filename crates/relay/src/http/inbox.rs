//! `POST /v1/inbox`: a desk asks what lies in the inbox, and lets a held change be tried again.
//!
//! * 200: `InboxAnswer`, packed with the dictionary. What the desk may not settle has no row.
//! * 400: not a request.
//! * 401: not signed by a member; with `wangge-time` when only the clock is off.
//! * 403: a change to be tried again that the desk may not settle, or that is not held.
//! * 426: a protocol newer than this relay's.
//! * 500, 503, 507: a few words; nothing was written.
//!
//! The body is a head alone, as a sync's begins: all of it is signed. Decisions come by a sync.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use wangge_wire::inbox::{InboxAnswer, InboxAsk, InboxWish};
use wangge_wire::limits::HEAD_BYTES_MAX;
use wangge_wire::{ChangeHash, Day, DeviceId, DocId, packing};

use super::{bytes, question, unwritten, words};
use crate::app::App;
use crate::audit::Who;
use crate::holds::{self, NewRuling};
use crate::inbox::Desk;
use crate::pull::StepError;
use crate::writer::{Job, Unwritten};

pub(super) async fn inbox(State(app): State<Arc<App>>, request: Request) -> Response {
    match answered(&app, request).await {
        Ok(response) | Err(response) => response,
    }
}

async fn answered(app: &Arc<App>, request: Request) -> Result<Response, Response> {
    let version = |ask: &InboxAsk| ask.version;
    let (device, ask) = question::asked(app, request, HEAD_BYTES_MAX, version).await?;
    if let InboxWish::Retry { doc, change } = &ask.wish {
        retry(app, device, *doc, *change).await?;
        tracing::info!(%device, "a held change is tried again");
    }
    let packed = asked(app, device, move |desk| match &ask.wish {
        InboxWish::Open { after } => desk.open(*after),
        InboxWish::Settled { after } => desk.settled(*after),
        InboxWish::Document(doc) => desk.document(doc),
        InboxWish::Retry { .. } => Ok(InboxAnswer {
            rows: Vec::new(),
            next: None,
        }),
    })
    .await?;
    Ok(bytes(
        StatusCode::OK,
        "application/octet-stream",
        packed.into(),
    ))
}

async fn asked(
    app: &Arc<App>,
    device: DeviceId,
    ask: impl FnOnce(&Desk<'_>) -> Result<InboxAnswer, StepError> + Send + 'static,
) -> Result<Vec<u8>, Response> {
    let day = Day::of_ms(app.now_ms());
    let answer = app.read(move |connection, standing| {
        let roster = standing.roster().clone();
        let desk = Desk {
            connection,
            roster: &roster,
            device,
            day,
        };
        let answer = packing::encode(&ask(&desk)?);
        Ok(packing::Packer::new()?.pack(&answer)?)
    });
    answer.await.map_err(|error| internal(&error))
}

async fn retry(
    app: &Arc<App>,
    device: DeviceId,
    doc: DocId,
    change: ChangeHash,
) -> Result<(), Response> {
    let day = Day::of_ms(app.now_ms());
    let may = app.read(move |connection, standing| {
        let roster = standing.roster().clone();
        let desk = Desk {
            connection,
            roster: &roster,
            device,
            day,
        };
        let last = holds::of_document(connection, &doc)?.remove(&change);
        let held = last.is_some_and(|ruling| ruling.reason.is_some());
        let home = desk.home(&doc, None)?;
        Ok(held && home.is_some_and(|home| desk.may(Some(home), &device)))
    });
    if !may.await.map_err(|error| internal(&error))? {
        return Err(words(StatusCode::FORBIDDEN, "not allowed"));
    }
    let new = NewRuling {
        doc,
        change,
        reason: None,
        who: Some(Who::Device(device)),
    };
    let written = app.ask_writer(|reply| Job::Rule(vec![new], reply));
    let written = written.await.unwrap_or(Err(Unwritten::Busy));
    written.map_err(unwritten)
}

fn internal(error: &StepError) -> Response {
    tracing::error!(%error, "an inbox could not be read");
    words(StatusCode::INTERNAL_SERVER_ERROR, "internal")
}
