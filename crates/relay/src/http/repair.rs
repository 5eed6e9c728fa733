//! `POST /v1/repair`: a device whose digest differs asks what, and fetches what it lacks.
//!
//! * 200: `SymbolsAnswer`, or `EntriesAnswer` packed with the dictionary.
//! * 400: not a request.
//! * 401: not signed by a member; with `wangge-time` when only the clock is off.
//! * 426: a protocol newer than this relay's.
//! * 500, 503: a few words.
//!
//! The body is a head alone, as a sync's begins: all of it is signed.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use wangge_wire::Day;
use wangge_wire::limits::{REPAIR_ASK_BYTES_MAX, REPAIR_SYMBOLS_MAX};
use wangge_wire::repair::{RepairAsk, Wish};

use super::{bytes, cbor, question, words};
use crate::app::App;
use crate::repair;

pub(super) async fn repair(State(app): State<Arc<App>>, request: Request) -> Response {
    match answered(&app, request).await {
        Ok(response) | Err(response) => response,
    }
}

async fn answered(app: &Arc<App>, request: Request) -> Result<Response, Response> {
    let version = |ask: &RepairAsk| ask.version;
    let (device, ask) = question::asked(app, request, REPAIR_ASK_BYTES_MAX, version).await?;
    let day = Day::of_ms(app.now_ms());
    let answer = app.read(move |connection, standing| match &ask.wish {
        Wish::Symbols { from, until } => {
            let at_most = |count: &u32| {
                usize::try_from(*count).map_or(REPAIR_SYMBOLS_MAX, |n| n.min(REPAIR_SYMBOLS_MAX))
            };
            let range = (at_most(from), at_most(until));
            let answer = repair::symbols(connection, standing, &device, day, &ask, range)?;
            Ok(cbor(StatusCode::OK, &answer))
        }
        Wish::Entries(wanted) => {
            let answer = repair::entries(connection, standing, &device, day, &ask, wanted)?;
            let packed = repair::packed(&answer)?;
            Ok(bytes(
                StatusCode::OK,
                "application/octet-stream",
                packed.into(),
            ))
        }
    });
    answer.await.map_err(|error| {
        tracing::error!(%error, "a repair failed");
        words(StatusCode::INTERNAL_SERVER_ERROR, "internal")
    })
}
