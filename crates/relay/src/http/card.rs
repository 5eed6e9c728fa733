//! `GET /v1/relay`: what the relay says of itself to anybody.
//!
//! * 200: `RelayCard`, CBOR.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use crate::app::App;

pub(super) async fn card(State(app): State<Arc<App>>, _: Request) -> Response {
    super::cbor(StatusCode::OK, &app.relay.card(app.now_ms()))
}
