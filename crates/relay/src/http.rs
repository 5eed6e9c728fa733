//! The routes: one file each, whose first lines list every status it answers with.

mod answer;
mod blob;
mod body;
mod card;
mod enroll;
mod frames;
mod inbox;
mod order;
mod pack;
mod repair;
mod rise;
mod signed;
mod sync;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};

use crate::app::App;
use crate::entrance::NotNow;
use crate::limits::BUSY_AGAIN_S;
use crate::writer::Unwritten;

/// Returns the routes.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/v1/relay", get(card::card))
        .route("/v1/enroll", post(enroll::enroll))
        .route("/v1/sync", post(sync::sync))
        .route("/v1/order", post(order::order))
        .route("/v1/inbox", post(inbox::inbox))
        .route("/v1/rise", post(rise::rise))
        .route("/v1/repair", post(repair::repair))
        .route("/v1/blob/{hash}", get(blob::read).post(blob::write))
        .route("/v1/packs", get(pack::list))
        .route("/v1/frames", post(frames::frames))
        .with_state(app)
}

/// Answers one request without a listener; 404 for what nobody asks in a simulation.
pub(crate) async fn answer(app: &Arc<App>, request: Request) -> Response {
    let (path, state) = (request.uri().path().to_owned(), State(Arc::clone(app)));
    match path.as_str() {
        "/v1/relay" => card::card(state).await,
        "/v1/enroll" => enroll::enroll(state, request).await,
        "/v1/sync" => sync::sync(state, request).await,
        "/v1/order" => order::order(state, request).await,
        "/v1/rise" => rise::rise(state, request).await,
        "/v1/inbox" => inbox::inbox(state, request).await,
        "/v1/repair" => repair::repair(state, request).await,
        "/v1/packs" => pack::list(state, request).await,
        "/v1/frames" => frames::frames(state, request).await,
        _ => words(StatusCode::NOT_FOUND, "not found"),
    }
}

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
