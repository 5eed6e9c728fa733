//! The routes: one file each, whose first lines list every status it answers with.

mod answer;
mod blob;
mod body;
mod card;
mod cells;
mod device;
mod enroll;
mod frames;
mod inbox;
mod order;
mod pack;
mod purge;
mod question;
mod repair;
mod rise;
mod routes;
mod signed;
mod sync;

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::Response;

use crate::entrance::NotNow;
use crate::limits::BUSY_AGAIN_S;
use crate::writer::Unwritten;
pub use cells::{Cell, Cells, Row, Scope};
pub use routes::{ROUTES, Route, Who};
pub(crate) use routes::{answer, router};

/// Returns an answer of CBOR.
fn cbor<T: minicbor::Encode<()>>(status: StatusCode, value: &T) -> Response {
    bytes(
        status,
        "application/cbor",
        wangge_wire::packing::encode(value).into(),
    )
}

/// Returns an answer of a few words for a device's log.
fn words(status: StatusCode, text: &'static str) -> Response {
    bytes(status, "text/plain", text.into())
}

fn bytes(status: StatusCode, kind: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}

/// Returns the answer for what could not be written.
fn unwritten(why: Unwritten) -> Response {
    match why {
        Unwritten::Full => words(StatusCode::INSUFFICIENT_STORAGE, "full"),
        Unwritten::Busy => signed::not_now(NotNow::Busy(BUSY_AGAIN_S)),
        Unwritten::Damaged => words(StatusCode::SERVICE_UNAVAILABLE, "damaged"),
        Unwritten::Failed => words(StatusCode::INTERNAL_SERVER_ERROR, "internal"),
    }
}

/// Returns where a range begins: `bytes=N-`; 0 without one.
fn range_from(parts: &Parts) -> Option<u64> {
    let Some(range) = parts.headers.get(header::RANGE) else {
        return Some(0);
    };
    let range = range.to_str().ok()?.strip_prefix("bytes=")?;
    range.strip_suffix('-')?.parse().ok()
}
