//! `POST /v1/order`: a desk asks for a leave, a cover or a unit of its own areas.
//!
//! * 200: `OrderBytes`, the signed order; also when it stood already, for an answer that was lost.
//! * 400: `Malformed`: a value that cannot be; or not a request at all, in words.
//! * 401: not signed by a member; with `wangge-time` when only the clock is off.
//! * 403: `NotAllowed`: no desk, or an area outside what the desk works for.
//! * 404: `UnknownPerson`: not in the roster, or may not stand in for the other.
//! * 409: `Changed` meanwhile by somebody else, or `NameTaken`.
//! * 426: a protocol newer than this relay's.
//! * 500, 503, 507: nothing was written; a few words.
//!
//! The body is a head alone, as a sync's begins: all of it is signed.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use wangge_wire::enroll::OrderBytes;
use wangge_wire::limits::HEAD_BYTES_MAX;
use wangge_wire::{OrderAsk, OrderRefusal};

use super::{cbor, question, unwritten};
use crate::app::App;
use crate::writer::{Job, Unwritten};

pub(super) async fn order(State(app): State<Arc<App>>, request: Request) -> Response {
    match answered(&app, request).await {
        Ok(response) | Err(response) => response,
    }
}

async fn answered(app: &Arc<App>, request: Request) -> Result<Response, Response> {
    let version = |ask: &OrderAsk| ask.version;
    let (device, ask) = question::asked(app, request, HEAD_BYTES_MAX, version).await?;
    let answer = app.ask_writer(|reply| Job::Order(device, Box::new(ask.body), reply));
    match answer.await.unwrap_or(Err(Unwritten::Busy)) {
        Ok(Ok(order)) => {
            tracing::info!(%device, "ordered");
            Ok(cbor(StatusCode::OK, &OrderBytes(order.bytes())))
        }
        Ok(Err(why)) => {
            tracing::info!(%device, ?why, "not ordered");
            Err(cbor(status(why), &why))
        }
        Err(why) => Err(unwritten(why)),
    }
}

fn status(why: OrderRefusal) -> StatusCode {
    match why {
        OrderRefusal::Malformed => StatusCode::BAD_REQUEST,
        OrderRefusal::NotAllowed => StatusCode::FORBIDDEN,
        OrderRefusal::UnknownPerson => StatusCode::NOT_FOUND,
        OrderRefusal::Changed | OrderRefusal::NameTaken => StatusCode::CONFLICT,
    }
}
