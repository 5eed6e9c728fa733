//! `GET /v1/packs`: the packs that a first download is made of. Signed; the head is empty.
//!
//! With `?audience=AREA`, `?person=ID`, `?unit=ID`: those of one audience.
//!
//! * 200: `Manifest`.
//! * 400: not a request. 401: as for a sync. 500, 503: a few words.
//! * 404: no packs of what the device reads; pages bring it.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use wangge_wire::limits::MANIFEST_BYTES_MAX;
use wangge_wire::{AreaCode, Audience, Day, packing};

use super::{bytes, signed, words};
use crate::app::App;
use crate::packs::{self, Served};
use crate::pull::StepError;

pub(super) async fn list(State(app): State<Arc<App>>, request: Request) -> Response {
    match listed(&app, request).await {
        Ok(response) | Err(response) => response,
    }
}

async fn listed(app: &Arc<App>, request: Request) -> Result<Response, Response> {
    let (parts, _) = request.into_parts();
    let device = signed::member(app, &parts, &[]).await?;
    let audience = audience(&parts).ok_or_else(garbage)?;
    let (own, now_ms) = (Arc::clone(app), app.now_ms());
    let asked = app.read(move |log, standing| {
        own.with_packs(|packs| {
            let day = Day::of_ms(now_ms);
            let served = Served {
                log,
                packs,
                standing,
                device,
                day,
            };
            packs::manifest(&served, &own.relay, audience.as_ref(), now_ms)
        })
    });
    let manifest = asked.await.map_err(failed)?;
    let none = || words(StatusCode::NOT_FOUND, "no packs");
    let manifest = packing::encode(&manifest.ok_or_else(none)?);
    if manifest.len() > MANIFEST_BYTES_MAX {
        return Err(none());
    }
    Ok(bytes(StatusCode::OK, "application/cbor", manifest.into()))
}

/// Returns whose packs are asked for; all without a query.
fn audience(parts: &Parts) -> Option<Option<Audience>> {
    let Some(query) = parts.uri.query().filter(|query| !query.is_empty()) else {
        return Some(None);
    };
    let (name, value) = query.split_once('=')?;
    match name {
        "audience" => AreaCode::parse(value).ok().map(Audience::Area),
        "person" => value.parse().ok().map(Audience::Person),
        "unit" => value.parse().ok().map(Audience::Unit),
        _ => None,
    }
    .map(Some)
}

pub(super) fn garbage() -> Response {
    words(StatusCode::BAD_REQUEST, "malformed")
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "map_err hands the error over"
)]
fn failed(error: StepError) -> Response {
    tracing::error!(%error, "packs cannot be looked up");
    words(StatusCode::INTERNAL_SERVER_ERROR, "internal")
}
