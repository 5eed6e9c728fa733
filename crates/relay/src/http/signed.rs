//! Whose request this is: the signature, the time and the nonce, before anything else is read.

use std::sync::Arc;

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use wangge_trust::Roster;
use wangge_trust::request::{CREATED_WINDOW_S, Claim, HEAD_HEADER, Headers, Signed, check, claim};
use wangge_wire::DeviceId;

use super::words;
use crate::app::{App, Fresh};

/// The relay's time in an answer to a request whose time is off: milliseconds since 1970.
const TIME_HEADER: HeaderName = HeaderName::from_static("wangge-time");

/// Why a request is nobody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nobody {
    Unsigned,
    UnknownDevice,
    Revoked,
    Signature,
}

/// Returns the member whose request this is, or the answer to whoever it is.
pub(super) async fn member(
    app: &Arc<App>,
    parts: &Parts,
    head: &[u8],
) -> Result<DeviceId, Response> {
    let unauthorized = |text| words(StatusCode::UNAUTHORIZED, text);
    let Some((headers, claim)) = claimed(&parts.headers) else {
        return Err(unauthorized("unsigned"));
    };
    let roster = app.read(|_, standing| Ok(standing.roster().clone())).await;
    let roster = roster.map_err(|error| {
        tracing::error!(%error, "the roster cannot be read");
        words(StatusCode::INTERNAL_SERVER_ERROR, "internal")
    })?;
    if let Err(why) = prove(&roster, parts, head, &headers, &claim) {
        tracing::info!(device = %claim.device, ?why, "not let in");
        return Err(unauthorized(match why {
            Nobody::Unsigned => "unsigned",
            Nobody::UnknownDevice => "unknown device",
            Nobody::Revoked => "revoked",
            Nobody::Signature => "signature",
        }));
    }
    let now_ms = app.now_ms();
    let apart = claim.created_s.saturating_sub(now_ms / 1000);
    if !(-CREATED_WINDOW_S..=CREATED_WINDOW_S).contains(&apart) {
        // Nobody's data is refused for a clock: the device signs again with this time.
        let mut answer = unauthorized("time");
        answer
            .headers_mut()
            .insert(TIME_HEADER, HeaderValue::from(now_ms));
        return Err(answer);
    }
    match app.take_nonce(claim.created_s, claim.device, &claim.nonce) {
        Fresh::Yes => Ok(claim.device),
        Fresh::Replayed => Err(unauthorized("replayed")),
        Fresh::Busy => Err(words(StatusCode::SERVICE_UNAVAILABLE, "busy")),
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
    roster: &Roster,
    parts: &Parts,
    head: &[u8],
    headers: &Headers,
    claim: &Claim,
) -> Result<(), Nobody> {
    let known = roster.known(&claim.device).ok_or(Nobody::UnknownDevice)?;
    let authority = parts
        .headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let authority = authority.ok_or(Nobody::Unsigned)?.to_ascii_lowercase();
    let signed = Signed {
        method: parts.method.as_str(),
        authority: &authority,
        path: parts.uri.path(),
        query: &format!("?{}", parts.uri.query().unwrap_or_default()),
        head,
    };
    check(claim, &known.key, &signed, &headers.head).map_err(|_| Nobody::Signature)?;
    // Said to the device itself only: its signature was right.
    roster
        .member(&claim.device)
        .map(|_| ())
        .ok_or(Nobody::Revoked)
}
