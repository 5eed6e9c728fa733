//! The lane of attachments between relays: up to the one above what was brought here, down what somebody
//! here asked for.
//!
//! Small ones go first. **The relay above says where to go on**; what it does not take now is tried again
//! some minutes later and behind all others, so that one attachment whose document waits blocks none. The
//! lane ends as soon as there is text to tell, or after a while: text goes first in the next meeting.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use rusqlite::{Connection, params};
use wangge_wire::limits::{BLOB_ANSWER_BYTES_MAX, BLOB_BYTES_MAX, BLOB_PIECE_BYTES_MAX};
use wangge_wire::{
    BlobAsk, BlobHash, BlobState, DeviceId, DocId, Incarnation, PROTOCOL_VERSION, packing,
};

use super::UpstreamTrouble;
use super::line::{body, body_up_to};
use super::meeting::Meeting;
use crate::blobs::{self, Arrived, Shelf, Taken};
use crate::error::RelayError;
use crate::log::unsigned;
use crate::risen;

/// Attachments tried in one meeting, each way; the rest comes with the next.
const TRIED_MAX: i64 = 64;

/// How long the lane holds a meeting up; what is on its way then goes on in the next.
const LANE_AT_MOST: Duration = Duration::from_secs(20);
/// What was not taken above is not tried again within this time.
const AGAIN_AFTER_MS: i64 = 600_000;
/// Answers of one attachment beyond those that its size needs.
const ANSWERS_SPARE: u64 = 8;

/// What came of an attachment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carried {
    /// It is there, with so many bytes.
    Whole(u64),
    /// Not now.
    Not,
    /// The lane ends before it.
    Later,
}

/// An attachment of a document.
#[derive(Debug, Clone, Copy)]
struct Named {
    hash: BlobHash,
    doc: DocId,
    bytes: u64,
}

impl Meeting<'_> {
    /// Carries attachments both ways. Returns whether some are left that need not wait for news.
    pub(super) async fn attachments(&mut self) -> Result<bool, RelayError> {
        let until = Instant::now() + LANE_AT_MOST;
        let log = self.read(risen::upstream)?.and_then(|it| it.incarnation);
        let Some(log) = log else {
            return Ok(false);
        };
        let now_ms = self.relay.settings.clock.now_ms();
        for named in self.read(|connection| untold(connection, &log, now_ms))? {
            let told = match self.send(&named, until).await? {
                Carried::Whole(_) => Some(log),
                Carried::Not => None,
                Carried::Later => return Ok(true),
            };
            let lost = !self.shelf().has(&named.hash);
            self.write(|transaction, _| {
                if lost {
                    // Whoever brought it here is asked for it again.
                    blobs::want(transaction, (&named.hash, &named.doc), now_ms)?;
                }
                tried(transaction, &named, told.as_ref(), now_ms)
            })?;
        }
        for named in self.read(wanted)? {
            // One that is not there either is wanted again by whoever asks again; one that was here once is
            // still asked for below.
            let came = match self.bring(&named, until).await? {
                Carried::Whole(bytes) => Some(bytes),
                Carried::Not => None,
                Carried::Later => return Ok(true),
            };
            let me = self.relay.secrets.key.public().relay();
            self.write(|transaction, _| {
                if let Some(bytes) = came {
                    let arrived = Arrived {
                        hash: named.hash,
                        doc: named.doc,
                        bytes,
                        device: DeviceId(me.0),
                    };
                    blobs::note(transaction, &arrived, now_ms)?;
                    tried(transaction, &named, Some(&log), now_ms)?;
                }
                let mine = params![named.hash.0, named.doc.0];
                let sql = "UPDATE blob_wanted SET asked_ms = 0 WHERE hash = ?1 AND doc = ?2";
                transaction.prepare_cached(sql)?.execute(mine)?;
                let sql = "DELETE FROM blob_wanted WHERE hash = ?1 AND doc = ?2
                           AND NOT EXISTS (SELECT 1 FROM blob WHERE hash = ?1)";
                transaction.prepare_cached(sql)?.execute(mine)?;
                Ok(())
            })?;
        }
        Ok(false)
    }

    /// Says whether the lane makes room: for text that is to be told, or because it took long enough.
    fn makes_room(&self, until: Instant) -> Result<bool, RelayError> {
        Ok(Instant::now() >= until || self.read(risen::untold)? > self.met.waiting)
    }

    fn shelf(&self) -> Shelf {
        Shelf::beside(&self.relay.place.path)
    }

    /// Sends an attachment from where the relay above stands to its end.
    async fn send(&mut self, named: &Named, until: Instant) -> Result<Carried, RelayError> {
        let shelf = self.shelf();
        let proved = shelf.proves(&named.hash);
        if !proved.map_err(|source| RelayError::io(&shelf.whole(&named.hash), source))? {
            return Ok(Carried::Not);
        }
        // It may be there already, or in part: ask before a byte of it travels.
        let (mut at, mut most) = (0, 0);
        loop {
            if self.makes_room(until)? {
                return Ok(Carried::Later);
            }
            let Ok(piece) = shelf.read(&named.hash, at, most) else {
                return Ok(Carried::Not);
            };
            let sent = at + piece.len() as u64;
            let head = BlobAsk {
                version: PROTOCOL_VERSION,
                doc: named.doc,
                bytes: named.bytes,
                offset: at,
                piece: BlobHash::of(&piece),
            };
            let path = format!("/v1/blob/{}", named.hash);
            let answer = match self.post(&path, &head.encoded(), &piece).await {
                Ok(response) => body(response).await?,
                // Its document is not there, or waits: not now.
                Err(RelayError::Upstream(UpstreamTrouble::Strange { .. })) => {
                    return Ok(Carried::Not);
                }
                Err(error) => return Err(error),
            };
            let state: BlobState =
                packing::decode(&answer, "blob").map_err(|_| UpstreamTrouble::Strange {
                    what: "an attachment",
                })?;
            if state.whole {
                return Ok(Carried::Whole(named.bytes));
            }
            // After the question each piece is taken as it is, or it is not asked for ever.
            if state.durable >= named.bytes || (most > 0 && state.durable != sent) {
                return Ok(Carried::Not);
            }
            (at, most) = (state.durable, BLOB_PIECE_BYTES_MAX);
        }
    }

    /// Brings an attachment that is wanted here.
    async fn bring(&mut self, named: &Named, until: Instant) -> Result<Carried, RelayError> {
        let (shelf, me) = (self.shelf(), self.relay.secrets.key.public().relay());
        let (path, query) = (
            format!("/v1/blob/{}", named.hash),
            format!("?doc={}", named.doc),
        );
        let (mut held, mut answers) = (0, 0);
        loop {
            if self.makes_room(until)? {
                return Ok(Carried::Later);
            }
            let now_ms = self.relay.settings.clock.now_ms();
            let (key, dice) = (&self.relay.secrets.key, &self.relay.settings.dice);
            let asked = self.line.get((&path, &query), held, key, (dice, now_ms));
            let response = asked.await?;
            match response.status() {
                StatusCode::PARTIAL_CONTENT => {}
                StatusCode::NOT_FOUND | StatusCode::RANGE_NOT_SATISFIABLE => {
                    return Ok(Carried::Not);
                }
                status => {
                    let reason = status.to_string();
                    return Err(UpstreamTrouble::NoLink { reason }.into());
                }
            }
            let total = total(&response, held).filter(|total| (1..=BLOB_BYTES_MAX).contains(total));
            let Some(bytes) = total else {
                return Ok(Carried::Not);
            };
            answers += 1;
            if answers > bytes / BLOB_ANSWER_BYTES_MAX as u64 + ANSWERS_SPARE {
                return Ok(Carried::Not);
            }
            let piece = body_up_to(response, BLOB_ANSWER_BYTES_MAX).await?;
            let ask = BlobAsk {
                version: PROTOCOL_VERSION,
                doc: named.doc,
                bytes,
                offset: held,
                piece: BlobHash::of(&piece),
            };
            let taken = shelf.take(&DeviceId(me.0), &named.hash, &ask, &piece);
            let place = &self.relay.place;
            match taken.map_err(|source| RelayError::io(&place.path, source))? {
                Taken::Whole => return Ok(Carried::Whole(bytes)),
                Taken::Part(durable) if durable > held => held = durable,
                Taken::Part(_) | Taken::WrongHash => return Ok(Carried::Not),
            }
        }
    }
}

/// Returns the size of the whole, if the answer begins where it was asked to.
fn total(response: &reqwest::Response, from: u64) -> Option<u64> {
    let range = response.headers().get(reqwest::header::CONTENT_RANGE)?;
    let (span, total) = range
        .to_str()
        .ok()?
        .strip_prefix("bytes ")?
        .split_once('/')?;
    let (begins, _) = span.split_once('-')?;
    (begins.parse::<u64>().ok()? == from).then_some(())?;
    total.parse().ok()
}

/// Returns what the relay above was not told of, in this life of its log: what was not tried for longest
/// first, small ones before large ones.
fn untold(connection: &Connection, log: &Incarnation, now_ms: i64) -> rusqlite::Result<Vec<Named>> {
    let sql = "SELECT r.hash, r.doc, b.bytes FROM blob_ref r JOIN blob b ON b.hash = r.hash
               LEFT JOIN blob_told t ON t.hash = r.hash AND t.doc = r.doc
               WHERE t.hash IS NULL OR (t.incarnation <> ?1 AND t.asked_ms <= ?3)
               ORDER BY ifnull(t.asked_ms, 0), b.bytes, r.hash, r.doc LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let before = now_ms.saturating_sub(AGAIN_AFTER_MS);
    let rows = statement.query_map(params![log.0, TRIED_MAX, before], named)?;
    rows.collect()
}

/// Returns what somebody here asked for and is not here, the newest first, without what the relay above was
/// found not to have.
fn wanted(connection: &Connection) -> rusqlite::Result<Vec<Named>> {
    let sql = "SELECT hash, doc, 0 FROM blob_wanted WHERE asked_ms > 0
               ORDER BY asked_ms DESC, hash, doc LIMIT ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([TRIED_MAX], named)?;
    rows.collect()
}

fn named(row: &rusqlite::Row<'_>) -> rusqlite::Result<Named> {
    Ok(Named {
        hash: BlobHash(row.get(0)?),
        doc: DocId(row.get(1)?),
        bytes: unsigned(row.get(2)?),
    })
}

/// Notes that an attachment was tried, and in which life of its log the relay above has it.
fn tried(
    connection: &Connection,
    named: &Named,
    log: Option<&Incarnation>,
    now_ms: i64,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO blob_told (hash, doc, incarnation, asked_ms) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (hash, doc) DO UPDATE SET
                 incarnation = excluded.incarnation, asked_ms = excluded.asked_ms";
    let log: &[u8] = log.map_or(&[], |log| &log.0);
    connection
        .prepare_cached(sql)?
        .execute(params![named.hash.0, named.doc.0, log, now_ms])?;
    Ok(())
}
