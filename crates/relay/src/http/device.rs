//! `POST /v1/device`: a desk asks about devices of its own areas: who came when, what a lost one held, a
//! lease's code.
//!
//! * 200: `DeviceAnswer`. What the desk may not revoke has no row.
//! * 400: `BadDays`; or not a request, in words.
//! * 401: not signed by a member; with `wangge-time` when only the clock is off.
//! * 403: `NotAllowed`, or `Revoked` where a lease is asked for; from a revoked device `PurgeAnswer`.
//! * 404: `Unknown`.
//! * 426: a protocol newer than this relay's.
//! * 500, 503, 507: a few words; nothing was told.
//!
//! The body is a head alone, as a sync's begins: all of it is signed.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use wangge_wire::Day;
use wangge_wire::device::{DeviceAsk, DeviceRefusal};
use wangge_wire::limits::HEAD_BYTES_MAX;

use super::{cbor, question, unwritten, words};
use crate::app::App;
use crate::audit::Who;
use crate::device::{self, Asker};
use crate::writer::{Job, Unwritten};

pub(super) async fn device(State(app): State<Arc<App>>, request: Request) -> Response {
    match answered(&app, request).await {
        Ok(response) | Err(response) => response,
    }
}

async fn answered(app: &Arc<App>, request: Request) -> Result<Response, Response> {
    let version = |ask: &DeviceAsk| ask.version;
    let (asker, ask) = question::asked(app, request, HEAD_BYTES_MAX, version).await?;
    let (own, day) = (Arc::clone(app), Day::of_ms(app.now_ms()));
    let noted = device::noted(&ask.wish);
    let answer = app.read(move |connection, standing| {
        let desk = Asker::Desk(asker, day);
        let answered = device::answer(connection, standing, &own.relay, desk, &ask.wish)?;
        Ok(answered)
    });
    let answer = answer.await.map_err(|error| {
        tracing::error!(%error, "devices could not be looked up");
        words(StatusCode::INTERNAL_SERVER_ERROR, "internal")
    })?;
    if answer.is_ok()
        && let Some((what, about)) = noted
    {
        // Before it leaves: nobody is told anything of which there is no row.
        let written = app.ask_writer(|reply| Job::Note(what, Who::Device(asker), about, reply));
        let written = written.await.unwrap_or(Err(Unwritten::Busy));
        written.map_err(unwritten)?;
    }
    match answer {
        Ok(answer) => Ok(cbor(StatusCode::OK, &answer)),
        Err(why) => Err(cbor(status(why), &why)),
    }
}

fn status(why: DeviceRefusal) -> StatusCode {
    match why {
        DeviceRefusal::NotAllowed | DeviceRefusal::Revoked => StatusCode::FORBIDDEN,
        DeviceRefusal::Unknown => StatusCode::NOT_FOUND,
        DeviceRefusal::BadDays => StatusCode::BAD_REQUEST,
    }
}
