//! `POST /v1/enroll`: a device with an invitation becomes a member.
//!
//! * 200: `EnrollAnswer`; the same again for the device that has spent the invitation.
//! * 400: `Malformed`, also for a body past 4 KiB.
//! * 403: `WrongCode`.
//! * 409: `Spent`, by another device.
//! * 410: `Expired` or `TooManyTries`.
//! * 500, 503, 507: nothing was written; a few words. 503 with `retry-after` also for an address that was
//!   wrong too often.
//!
//! All but the last are CBOR.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use wangge_wire::enroll::{EnrollAsk, EnrollRefusal};
use wangge_wire::limits::HEAD_BYTES_MAX;
use wangge_wire::packing;

use super::body::Incoming;
use super::signed::not_now;
use crate::app::App;
use crate::entrance::Guest;
use crate::writer::{Job, Unwritten};

pub(super) async fn enroll(State(app): State<Arc<App>>, request: Request) -> Response {
    let guest = request.extensions().get::<Arc<Guest>>().cloned();
    if let Some(guest) = &guest
        && let Err(why) = guest.may_try(Instant::now())
    {
        return not_now(why);
    }
    let answer = answered(&app, request).await;
    if let Some(guest) = guest.filter(|_| answer.status().is_client_error()) {
        guest.was_wrong(Instant::now());
    }
    answer
}

async fn answered(app: &Arc<App>, request: Request) -> Response {
    let body = Incoming::new(request.into_body(), HEAD_BYTES_MAX)
        .all()
        .await;
    let ask = body
        .ok()
        .and_then(|bytes| packing::decode::<EnrollAsk>(&bytes, "enrolment").ok());
    let Some(ask) = ask else {
        return refusal(EnrollRefusal::Malformed);
    };
    let device = ask.device_key.device();
    let answer = app.ask_writer(|reply| Job::Enroll(ask, reply)).await;
    match answer.unwrap_or(Err(Unwritten::Busy)) {
        Ok(Ok(answer)) => {
            tracing::info!(%device, "enrolled");
            super::cbor(StatusCode::OK, &answer)
        }
        Ok(Err(why)) => {
            tracing::info!(%device, ?why, "not enrolled");
            refusal(why)
        }
        Err(why) => super::unwritten(why),
    }
}

fn refusal(why: EnrollRefusal) -> Response {
    let status = match why {
        EnrollRefusal::WrongCode => StatusCode::FORBIDDEN,
        EnrollRefusal::Spent => StatusCode::CONFLICT,
        EnrollRefusal::TooManyTries | EnrollRefusal::Expired => StatusCode::GONE,
        EnrollRefusal::Malformed => StatusCode::BAD_REQUEST,
    };
    super::cbor(status, &why)
}
