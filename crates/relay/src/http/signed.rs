//! Whose request this is: the signature, the time and the nonce, before anything else is read.

use std::sync::Arc;
use std::time::Instant;

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use wangge_trust::Roster;
use wangge_trust::request::{Claim, HEAD_HEADER, Headers, Signed, check, claim};
use wangge_wire::limits::REQUEST_BYTES_MAX;
use wangge_wire::{DeviceId, Role};

use super::{purge, words};
use crate::app::{App, Fresh};
use crate::entrance::{Guest, NotNow};
use crate::limits::BUSY_AGAIN_S;

/// The relay's time in an answer to a request whose time is off: milliseconds since 1970.
const TIME_HEADER: HeaderName = HeaderName::from_static("wangge-time");

/// Why a request is nobody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nobody {
    Unsigned,
    UnknownDevice,
    RevokedRelay,
    Signature,
}

/// Whose request it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sender {
    /// A device, or a relay below, that may take part.
    Member(DeviceId),
    /// A device that may not any more.
    Revoked(DeviceId),
}

/// Returns the member whose request this is, or the answer to whoever it is: to a revoked device the purge
/// order.
pub(super) async fn member(
    app: &Arc<App>,
    parts: &Parts,
    head: &[u8],
) -> Result<DeviceId, Response> {
    match sender(app, parts, head).await? {
        Sender::Member(device) => Ok(device),
        Sender::Revoked(device) => Err(purge::answer(app, device, None, None).await),
    }
}

/// Returns whose request this is, also a revoked device's, or the answer to whoever else it is.
pub(super) async fn sender(app: &Arc<App>, parts: &Parts, head: &[u8]) -> Result<Sender, Response> {
    let guest = parts.extensions.get::<Arc<Guest>>();
    if let Some(guest) = guest {
        guest.may_try(Instant::now()).map_err(not_now)?;
    }
    let unauthorized = |text| {
        if let Some(guest) = guest {
            guest.was_wrong(Instant::now());
        }
        words(StatusCode::UNAUTHORIZED, text)
    };
    let Some((headers, claim)) = claimed(&parts.headers) else {
        return Err(unauthorized("unsigned"));
    };
    let roster = app.read(|_, standing| Ok(standing.roster().clone())).await;
    let roster = roster.map_err(|error| {
        tracing::error!(%error, "the roster cannot be read");
        words(StatusCode::INTERNAL_SERVER_ERROR, "internal")
    })?;
    let proven = prove(app, &roster, parts, head, &headers, &claim);
    let sender = proven.map_err(|why| {
        tracing::info!(device = %claim.device, ?why, "not let in");
        unauthorized(match why {
            Nobody::Unsigned => "unsigned",
            Nobody::UnknownDevice => "unknown device",
            Nobody::RevokedRelay => "revoked",
            Nobody::Signature => "signature",
        })
    })?;
    if !app.is_timely(claim.created_s) {
        // Nobody's data is refused for a clock: the device signs again with this time.
        let mut answer = words(StatusCode::UNAUTHORIZED, "time");
        answer
            .headers_mut()
            .insert(TIME_HEADER, HeaderValue::from(app.now_ms()));
        return Err(answer);
    }
    if let Some(guest) = guest {
        // One that comes again takes nothing of the share of whose it was.
        if app.is_replayed(claim.created_s, claim.device, &claim.nonce) {
            return Err(unauthorized("replayed"));
        }
        let member = roster.member(&claim.device);
        let is_relay = member.is_some_and(|member| member.role == Role::Relay);
        let let_in = guest.proven(claim.device, is_relay, declared(parts), Instant::now());
        if let Err(why) = let_in {
            if let NotNow::Share(_) = why {
                // Whoever does not wait is kept waiting.
                tracing::info!(device = %claim.device, "past its share");
                tokio::time::sleep(guest.told_to_wait_after()).await;
            }
            return Err(not_now(why));
        }
    }
    match app.take_nonce(claim.created_s, claim.device, &claim.nonce) {
        Fresh::Yes => Ok(sender),
        Fresh::Replayed => Err(unauthorized("replayed")),
        Fresh::Busy => Err(not_now(NotNow::Busy(BUSY_AGAIN_S))),
    }
}

/// Returns the answer to who is to come again.
pub(super) fn not_now(why: NotNow) -> Response {
    let (status, text, seconds) = match why {
        NotNow::Busy(seconds) => (StatusCode::SERVICE_UNAVAILABLE, "busy", seconds),
        NotNow::Share(seconds) => (StatusCode::TOO_MANY_REQUESTS, "too much", seconds),
    };
    again_in(words(status, text), seconds)
}

/// Says in an answer when to come again, seconds.
pub(super) fn again_in(mut answer: Response, seconds: u64) -> Response {
    let headers = answer.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    answer
}

/// Returns how many bytes a request is going to have; one that does not say may have as many as any.
fn declared(parts: &Parts) -> u64 {
    let length = parts.headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|value| value.to_str().ok());
    match length.map(str::parse) {
        Some(Ok(bytes)) => bytes,
        _ if parts.method == Method::GET => 0,
        _ => REQUEST_BYTES_MAX as u64,
    }
}

fn claimed(headers: &HeaderMap) -> Option<(Headers, Claim)> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
    let headers = Headers {
        head: text(HEAD_HEADER)?,
        signature_input: text("signature-input")?,
        signature: text("signature")?,
    };
    let claim = claim(&headers).ok()?;
    Some((headers, claim))
}

fn prove(
    app: &App,
    roster: &Roster,
    parts: &Parts,
    head: &[u8],
    headers: &Headers,
    claim: &Claim,
) -> Result<Sender, Nobody> {
    let known = roster.known(&claim.device).ok_or(Nobody::UnknownDevice)?;
    let authority = parts
        .headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let authority = authority.ok_or(Nobody::Unsigned)?.to_ascii_lowercase();
    let signed = Signed {
        relay: app.id(),
        method: parts.method.as_str(),
        authority: &authority,
        path: parts.uri.path(),
        query: &format!("?{}", parts.uri.query().unwrap_or_default()),
        head,
    };
    check(claim, &known.key, &signed, &headers.head).map_err(|_| Nobody::Signature)?;
    // Said to the device itself only: its signature was right.
    match (roster.member(&claim.device), known.role) {
        (Some(_), _) => Ok(Sender::Member(claim.device)),
        // A relay is no device: what it holds is its operator's to remove.
        (None, Role::Relay) => Err(Nobody::RevokedRelay),
        (None, _) => Ok(Sender::Revoked(claim.device)),
    }
}
