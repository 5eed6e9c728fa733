//! `POST /v1/sync`: one request up, one streamed answer down.
//!
//! * 200: frames (`wire::message::AnswerKind`); a failure after the first byte is a `FAILED` frame.
//! * 400: not a request, or cut off. Of one that was cut off, or has another number of batches than it says,
//!   those that came whole are stored all the same; of any other nothing is.
//! * 401: not signed by a member; with `wangge-time` when only the clock is off.
//! * 403: from a revoked device, after its batches were taken: `PurgeAnswer`.
//! * 413: past the limits, declared or sent; nothing was stored.
//! * 426: a protocol newer than this relay's.
//! * 500: an error of this program; its log says which.
//! * 503: too many requests, or the disk can no longer be believed; nothing was stored.
//! * 507: the disk is full and the first batch was not stored; a request without batches is answered.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use tokio::sync::oneshot;
use wangge_wire::limits::REQUEST_BYTES_MAX;
use wangge_wire::message::{CAN_TAKE_PACKS, Standing as StandingFrame};
use wangge_wire::receipt::ItemState;
use wangge_wire::{Ask, Day, DeviceId, Item, Manifest, PROTOCOL_VERSION, Receipt, Verdict};

use super::body::{Fault, Incoming};
use super::rise::is_relay;
use super::signed::Sender;
use super::{answer, purge, signed, unwritten, words};
use crate::app::App;
use crate::frames::last_batch;
use crate::log;
use crate::packs::{self, Served};
use crate::pull::{Pull, StepError, is_current};
use crate::push::{self, Read, Unproven};
use crate::writer::{Receipted, Unwritten};

/// A batch of the request: answered, or with the writer.
pub(super) enum Pending {
    /// Answered without the writer.
    Verdict(Verdict),
    /// The writer answers; which items came with a body.
    Writing(oneshot::Receiver<Receipted>, Vec<bool>),
}

pub(super) async fn sync(State(app): State<Arc<App>>, request: Request) -> Response {
    match answered(&app, request).await {
        Ok(response) | Err(response) => response,
    }
}

async fn answered(app: &Arc<App>, request: Request) -> Result<Response, Response> {
    let (parts, body) = request.into_parts();
    let too_large = || words(StatusCode::PAYLOAD_TOO_LARGE, "too large");
    let declared = parts
        .headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    if declared
        .and_then(|text| text.parse().ok())
        .is_some_and(|n: usize| n > REQUEST_BYTES_MAX)
    {
        return Err(too_large());
    }
    let garbage = || words(StatusCode::BAD_REQUEST, "malformed");
    let mut incoming = Incoming::new(body, REQUEST_BYTES_MAX);
    let head = incoming.head().await.map_err(|_| garbage())?;
    let device = match signed::sender(app, &parts, &head).await? {
        Sender::Member(device) => device,
        Sender::Revoked(device) => return Err(parting(app, device, incoming).await),
    };
    let ask = Ask::read(&head).map_err(|_| garbage())?;
    if ask.version > PROTOCOL_VERSION {
        return Err(words(StatusCode::UPGRADE_REQUIRED, "a newer protocol"));
    }
    let (groups, fault) = incoming.groups().await;
    match fault {
        Some(Fault::TooLarge) => return Err(too_large()),
        Some(Fault::Garbage) => return Err(garbage()),
        Some(Fault::Cut) | None => {}
    }
    let whole = fault.is_none() && u32::try_from(groups.batches) == Ok(ask.batches);
    let (standing, pull, packs) = begin(app, device, &ask)
        .await
        .map_err(|error| internal(&error))?;
    app.note_seen(device);
    let origins = origins(app, device, &ask).await?;
    let given_back = ask.given_back == Some(true);
    if given_back {
        tracing::warn!(%device, batches = ask.batches, "a device gives back what this log had no more");
    }
    let mut pending = submit(app, device, groups.packed, (origins, given_back)).await?;
    let first = first_word(&mut pending).await?;
    if !whole {
        // What came whole is with the writer; nobody may be left to hear more than this.
        return Err(garbage());
    }
    tracing::debug!(%device, batches = ask.batches, "sync");
    let verdicts = answer::Verdicts { first, pending };
    Ok(answer::stream(app, standing, verdicts, pull, packs))
}

/// Takes what a revoked device brings and answers with what became of it and the purge order: its holder, or
/// who found it, loses nothing of what was written on it.
///
/// What is past its last good batch goes to the inbox; nothing of the log is told.
async fn parting(app: &Arc<App>, device: DeviceId, incoming: Incoming) -> Response {
    let (groups, fault) = incoming.groups().await;
    let groups = match fault {
        Some(Fault::TooLarge | Fault::Garbage) => Vec::new(),
        Some(Fault::Cut) | None => groups.packed,
    };
    // Whatever it says it gives back is judged as what it is now.
    let pending = submit(app, device, groups, (Vec::new(), false)).await;
    let mut verdicts = Vec::new();
    for pending in pending.unwrap_or_default() {
        verdicts.push(match pending {
            Pending::Verdict(verdict) => verdict,
            Pending::Writing(reply, _) => match reply.await.unwrap_or(Err(Unwritten::Busy)) {
                Ok(receipt) => Verdict::Receipt(receipt),
                // Nothing is said of this one and those behind it: the device has them, and brings them again.
                Err(_) => break,
            },
        });
    }
    let verdicts = Some(verdicts).filter(|verdicts| !verdicts.is_empty());
    purge::answer(app, device, verdicts, None).await
}

/// Returns the answer's first frame, where the device reads on, and the packs it is to take before.
async fn begin(
    app: &Arc<App>,
    device: DeviceId,
    ask: &Ask,
) -> Result<(StandingFrame, Pull, Option<Manifest>), StepError> {
    let (relay, incarnation) = (app.id(), app.relay.identity.incarnation);
    let takes_packs = ask.capabilities & CAN_TAKE_PACKS != 0;
    let (cursor, actor, full) = (ask.cursor, ask.actor, ask.full);
    let catch_up = ask.catch_up == Some(true) && cursor.is_none();
    let witnessed = ask.witnessed.unwrap_or(0);
    let at_ms = app.now_ms();
    let day = Day::of_ms(at_ms);
    let own = Arc::clone(app);
    let tail = Arc::clone(&app.tail);
    app.read(move |connection, standing| {
        let current = match &cursor {
            Some(c) => {
                let log = (&relay, &incarnation);
                is_current(connection, standing, &device, log, c, day)?
            }
            None => false,
        };
        let frame = StandingFrame {
            version: PROTOCOL_VERSION,
            relay,
            incarnation,
            at_ms,
            last_batch: last_batch(connection, &device, &actor)?,
            stale_cursor: cursor.is_some() && !current,
        };
        let cursor = cursor.filter(|_| current);
        let mut packs = None;
        if cursor.is_none() && takes_packs && !catch_up {
            packs = own.with_packs(|packs| {
                let served = Served {
                    log: connection,
                    packs,
                    standing,
                    device,
                    day,
                };
                packs::manifest(&served, &own.relay, None, at_ms)
            })?;
        }
        let packs = packs.filter(|packs| packs.documents() >= own.relay.settings.packs_from);
        let mut pull = Pull::new(standing, device, (relay, incarnation), cursor, day, full);
        pull.pass_over(tail);
        pull.witnessed = witnessed;
        if catch_up {
            pull.only_orders_until(log::head(connection)?.position);
        }
        Ok((frame, pull, packs))
    })
    .await
}

/// Returns when each batch was first received; only a relay below knows better than now.
async fn origins(app: &Arc<App>, sender: DeviceId, ask: &Ask) -> Result<Vec<i64>, Response> {
    match &ask.origins {
        Some(origins) if is_relay(app, sender).await? => Ok(origins.clone()),
        _ => Ok(Vec::new()),
    }
}

/// Reads the batches and hands the proven ones to the writer.
async fn submit(
    app: &Arc<App>,
    device: DeviceId,
    groups: Vec<Vec<u8>>,
    (origins, given_back): (Vec<i64>, bool),
) -> Result<Vec<Pending>, Response> {
    if groups.is_empty() {
        return Ok(Vec::new());
    }
    let permit = app.unpacking.acquire().await;
    let read = app.read(move |connection, standing| {
        push::read(connection, standing.roster(), device, &groups)
    });
    let batches = match read.await {
        Ok(Read::Batches(batches)) => batches,
        Ok(Read::TooLarge) => return Err(words(StatusCode::PAYLOAD_TOO_LARGE, "too large")),
        Err(error) => return Err(internal(&error)),
    };
    let mut pending = Vec::with_capacity(batches.len());
    for (index, batch) in (0..).zip(batches) {
        pending.push(match batch {
            Ok(mut pushed) => {
                pushed.first_received_ms = origins.get(index as usize).copied();
                pushed.given_back = given_back;
                // The same decision may have been another's first: whoever sent it has not got that one.
                let whole = |item: &Item| matches!(item, Item::Change { .. } | Item::Place(_));
                let bodies = pushed.batch.items.iter().map(whole).collect();
                Pending::Writing(app.hand_in(pushed).await, bodies)
            }
            Err(Unproven::NeedFull) => Pending::Verdict(Verdict::NeedFull { index }),
            Err(Unproven::Refused(reason)) => Pending::Verdict(Verdict::Refused { index, reason }),
        });
    }
    drop(permit);
    Ok(pending)
}

/// Waits for the writer's first answer, so that a full disk is a status and not a broken stream.
async fn first_word(
    pending: &mut Vec<Pending>,
) -> Result<Option<(usize, Receipt, Vec<bool>)>, Response> {
    let writing = pending
        .iter()
        .position(|pending| matches!(pending, Pending::Writing(..)));
    let Some(index) = writing else {
        return Ok(None);
    };
    match pending.remove(index) {
        Pending::Writing(reply, bodies) => match reply.await.unwrap_or(Err(Unwritten::Busy)) {
            Ok(receipt) => Ok(Some((index, receipt, bodies))),
            Err(why) => Err(unwritten(why)),
        },
        Pending::Verdict(_) => Ok(None),
    }
}

/// Returns the positions of those items the device has, since it has just sent them.
pub(super) fn pushed_positions(receipt: &Receipt, bodies: &[bool]) -> Vec<u64> {
    let states = receipt.items.iter().zip(bodies);
    let position = |(state, has_body): (&ItemState, &bool)| match state {
        ItemState::At(position) if *has_body => Some(*position),
        _ => None,
    };
    states.filter_map(position).collect()
}

fn internal(error: &StepError) -> Response {
    tracing::error!(%error, "a sync failed");
    words(StatusCode::INTERNAL_SERVER_ERROR, "internal")
}
