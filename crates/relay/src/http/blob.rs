//! `/v1/blob/HASH`: attachments, up by the piece and down by the range. Signed; each request is short.
//!
//! `POST`: body = length, head (`BlobAsk`), the piece.
//! * 200: `BlobState`, how much is durable; also for a piece that begins elsewhere, which adds nothing.
//! * 400: not a request, or a piece that is not the one that was signed for.
//! * 401: as for a sync. 426: a protocol newer than this relay's.
//! * 403: from a revoked device: `PurgeAnswer`, with how much is durable of what it wrote before.
//! * 404: the device may not write to the document and never did, or it is not here: not said which.
//! * 413: past the size of an attachment or a piece, or of all that one device may bring.
//! * 422: all of it came and does not fit its name; it was thrown away.
//! * 500, 503, 507: the piece was not kept.
//!
//! `GET` and `HEAD` with `?doc=ID`, the head is empty:
//! * 206: bytes from where `range: bytes=N-` says, at most 256 KiB, with `content-range`.
//! * 400, 401, 500, 503. 404: no such attachment of a document that this device reads.
//! * 416: the range begins at the end or past it.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use wangge_trust::Action;
use wangge_wire::limits::{BLOB_ANSWER_BYTES_MAX, BLOB_PIECE_BYTES_MAX, HEAD_BYTES_MAX};
use wangge_wire::{
    BlobAsk, BlobHash, BlobState, Day, DeviceId, DocId, Malformed, PROTOCOL_VERSION, packing,
};

use super::body::{Fault, Incoming};
use super::signed::Sender;
use super::{bytes, cbor, purge, range_from, signed, unwritten, words};
use crate::app::App;
use crate::blobs::{self, Arrived, Shelf, Standing, Taken};
use crate::writer::{Job, Unwritten};

/// The length in front of the head.
const LENGTH_BYTES: usize = 4;

pub(super) async fn write(State(app): State<Arc<App>>, request: Request) -> Response {
    match written(&app, request).await {
        Ok(response) | Err(response) => response,
    }
}

pub(super) async fn read(State(app): State<Arc<App>>, request: Request) -> Response {
    match served(&app, request).await {
        Ok(response) | Err(response) => response,
    }
}

async fn written(app: &Arc<App>, request: Request) -> Result<Response, Response> {
    let garbage = || words(StatusCode::BAD_REQUEST, "malformed");
    let too_large = || words(StatusCode::PAYLOAD_TOO_LARGE, "too large");
    let cut = |fault| match fault {
        Fault::TooLarge => too_large(),
        Fault::Cut | Fault::Garbage => garbage(),
    };
    let (parts, body) = request.into_parts();
    let mut incoming = Incoming::new(body, LENGTH_BYTES + HEAD_BYTES_MAX + BLOB_PIECE_BYTES_MAX);
    let head = incoming.head().await.map_err(cut)?;
    let sender = signed::sender(app, &parts, &head).await?;
    let (Sender::Member(device) | Sender::Revoked(device)) = sender;
    let kept = keep(app, (&parts, device), &head, incoming).await;
    match (sender, kept) {
        (Sender::Member(_), kept) => Ok(cbor(StatusCode::OK, &kept?)),
        // What could not be kept, for whatever reason, is the device's to keep.
        (Sender::Revoked(_), kept) => Err(purge::answer(app, device, None, kept.ok()).await),
    }
}

/// Takes a piece and returns how much is durable.
async fn keep(
    app: &Arc<App>,
    (parts, device): (&Parts, DeviceId),
    head: &[u8],
    incoming: Incoming,
) -> Result<BlobState, Response> {
    let garbage = || words(StatusCode::BAD_REQUEST, "malformed");
    let too_large = || words(StatusCode::PAYLOAD_TOO_LARGE, "too large");
    let cut = |fault| match fault {
        Fault::TooLarge => too_large(),
        Fault::Cut | Fault::Garbage => garbage(),
    };
    let ask: BlobAsk = packing::decode(head, "blob").map_err(|_| garbage())?;
    if ask.version > PROTOCOL_VERSION {
        return Err(words(StatusCode::UPGRADE_REQUIRED, "a newer protocol"));
    }
    let hash = name(parts).ok_or_else(garbage)?;
    let piece = incoming.all().await.map_err(cut)?;
    ask.check(&piece).map_err(|error| match error {
        Malformed::TooLarge { .. } => too_large(),
        _ => garbage(),
    })?;
    let known = look(app, device, (hash, ask.doc), Action::Write).await?;
    if !known.allowed {
        return Err(words(StatusCode::NOT_FOUND, "no such document"));
    }
    let shelf = Shelf::beside(&app.relay.place.path);
    // Whoever could not read it shows by sending all of it that they have it.
    let here = known.bytes == Some(ask.bytes) && known.readable && shelf.has_all(&hash, ask.bytes);
    let room = app
        .relay
        .settings
        .blob_bytes_max
        .saturating_mul(known.measures)
        .saturating_sub(known.brought);
    if known.bytes.is_none() && ask.bytes > room {
        return Err(words(StatusCode::PAYLOAD_TOO_LARGE, "quota"));
    }
    let taken = if here {
        Taken::Whole
    } else {
        let asked = ask.clone();
        let take = move || shelf.take(&device, &hash, &asked, &piece);
        let taken = tokio::task::spawn_blocking(take).await;
        let failed = || unwritten(Unwritten::Failed);
        taken.map_err(|_| failed())?.map_err(|error| {
            tracing::error!(kind = ?error.kind(), "a piece was not kept");
            match error.kind() {
                std::io::ErrorKind::StorageFull => unwritten(Unwritten::Full),
                _ => failed(),
            }
        })?
    };
    let (durable, whole) = match taken {
        Taken::Part(durable) => (durable, false),
        Taken::Whole => (ask.bytes, true),
        Taken::WrongHash => {
            tracing::info!(%device, "an attachment does not fit its name");
            return Err(words(StatusCode::UNPROCESSABLE_ENTITY, "wrong hash"));
        }
    };
    if whole && !(here && known.named) {
        let (doc, bytes) = (ask.doc, ask.bytes);
        let arrived = Box::new(Arrived {
            hash,
            doc,
            bytes,
            device,
        });
        let noted = app.ask_writer(|reply| Job::Blob(arrived, reply)).await;
        noted.unwrap_or(Err(Unwritten::Busy)).map_err(unwritten)?;
        tracing::info!(%device, bytes, "an attachment arrived");
    }
    Ok(BlobState { durable, whole })
}

async fn served(app: &Arc<App>, request: Request) -> Result<Response, Response> {
    let garbage = || words(StatusCode::BAD_REQUEST, "malformed");
    let (parts, _) = request.into_parts();
    let device = signed::member(app, &parts, &[]).await?;
    let hash = name(&parts).ok_or_else(garbage)?;
    let doc = parts
        .uri
        .query()
        .and_then(|query| query.strip_prefix("doc="));
    let doc: DocId = doc.and_then(|doc| doc.parse().ok()).ok_or_else(garbage)?;
    let from = range_from(&parts).ok_or_else(garbage)?;
    let known = look(app, device, (hash, doc), Action::Read).await?;
    let shelf = Shelf::beside(&app.relay.place.path);
    // Proved where it begins: whoever goes on behind that finds out at the end and begins anew.
    let prove = shelf.clone();
    let proved = move || match from {
        0 => prove.proves(&hash),
        _ => Ok(prove.has(&hash)),
    };
    let failed = || unwritten(Unwritten::Failed);
    let here = match known.allowed {
        true => tokio::task::spawn_blocking(proved).await,
        false => Ok(Ok(false)),
    };
    let here = here.map_err(|_| failed())?.map_err(|error| {
        tracing::error!(kind = ?error.kind(), "an attachment cannot be read");
        failed()
    })?;
    let readable = known.named && here;
    if known.allowed && !here {
        want(app, hash, doc).await;
    }
    let total = known.bytes.filter(|_| readable);
    let total = total.ok_or_else(|| words(StatusCode::NOT_FOUND, "no such attachment"))?;
    if from >= total {
        return Err(words(StatusCode::RANGE_NOT_SATISFIABLE, "past the end"));
    }
    let read = move || shelf.read(&hash, from, BLOB_ANSWER_BYTES_MAX);
    let read = tokio::task::spawn_blocking(read).await;
    let piece = read
        .ok()
        .and_then(Result::ok)
        .filter(|piece| !piece.is_empty());
    let piece = piece.ok_or_else(|| unwritten(Unwritten::Failed))?;
    let last = from + piece.len() as u64 - 1;
    let range = HeaderValue::try_from(format!("bytes {from}-{last}/{total}"));
    let mut response = bytes(
        StatusCode::PARTIAL_CONTENT,
        "application/octet-stream",
        piece.into(),
    );
    let range = range.map_err(|_| unwritten(Unwritten::Failed))?;
    response.headers_mut().insert(header::CONTENT_RANGE, range);
    Ok(response)
}

/// Notes that an attachment is wanted here: the relay above may have it. Who wants it asks again where this
/// was not noted.
async fn want(app: &Arc<App>, hash: BlobHash, doc: DocId) {
    let now_ms = app.now_ms();
    let worth = app
        .read(move |connection, _| Ok(blobs::is_worth_wanting(connection, (&hash, &doc), now_ms)?));
    if worth.await.unwrap_or(false) {
        let _ = app.ask_writer(|reply| Job::Want(hash, doc, reply)).await;
    }
}

/// Asks what is known of an attachment, in one read.
async fn look(
    app: &Arc<App>,
    device: DeviceId,
    (hash, doc): (BlobHash, DocId),
    action: Action,
) -> Result<Standing, Response> {
    let day = Day::of_ms(app.now_ms());
    let asked = app.read(move |connection, standing| {
        let (who, what) = ((&device, day), (&hash, &doc));
        Ok(blobs::standing(
            connection,
            standing.roster(),
            who,
            what,
            action,
        )?)
    });
    asked.await.map_err(|error| {
        tracing::error!(%error, "an attachment cannot be looked up");
        unwritten(Unwritten::Failed)
    })
}

/// Returns the attachment that the path names.
fn name(parts: &Parts) -> Option<BlobHash> {
    parts.uri.path().strip_prefix("/v1/blob/")?.parse().ok()
}
