//! `POST /v1/rise`: a relay below hands up the orders it signed, and those of relays below it.
//!
//! * 200: `RiseAnswer`, where each order stands now; 0 for one that does not count here.
//! * 400: not a request.
//! * 401: not signed by a member; with `wangge-time` when only the clock is off.
//! * 403: signed by a device, which hands up no orders.
//! * 426: a protocol newer than this relay's.
//! * 500, 503, 507: nothing was written; a few words.
//!
//! The body is a head alone, as a sync's begins: all of it is signed.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use wangge_wire::limits::RISE_BYTES_MAX;
use wangge_wire::rise::{RiseAnswer, RiseAsk};
use wangge_wire::{DeviceId, Order, Role};

use super::{cbor, question, unwritten, words};
use crate::app::App;
use crate::writer::{Job, Unwritten};

pub(super) async fn rise(State(app): State<Arc<App>>, request: Request) -> Response {
    match answered(&app, request).await {
        Ok(response) | Err(response) => response,
    }
}

async fn answered(app: &Arc<App>, request: Request) -> Result<Response, Response> {
    let garbage = || words(StatusCode::BAD_REQUEST, "malformed");
    let version = |ask: &RiseAsk| ask.version;
    let (sender, ask) = question::asked(app, request, RISE_BYTES_MAX, version).await?;
    if !is_relay(app, sender).await? {
        return Err(words(StatusCode::FORBIDDEN, "not a relay"));
    }
    let orders: Result<Vec<Order>, _> = ask.orders.iter().map(|it| Order::read(&it.0)).collect();
    let orders = orders.map_err(|_| garbage())?;
    let answer = app.ask_writer(|reply| Job::Rise(orders, reply));
    match answer.await.unwrap_or(Err(Unwritten::Busy)) {
        Ok(positions) => {
            app.note_seen(sender);
            Ok(cbor(StatusCode::OK, &RiseAnswer { positions }))
        }
        Err(why) => Err(unwritten(why)),
    }
}

/// Returns whether a member is a relay below.
pub(super) async fn is_relay(app: &Arc<App>, member: DeviceId) -> Result<bool, Response> {
    let is_relay = app.read(move |_, standing| {
        let member = standing.roster().member(&member);
        Ok(member.is_some_and(|member| member.role == Role::Relay))
    });
    is_relay.await.map_err(|error| {
        tracing::error!(%error, "the roster cannot be read");
        words(StatusCode::INTERNAL_SERVER_ERROR, "internal")
    })
}
