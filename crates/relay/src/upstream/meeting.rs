//! One meeting with the relay above: orders first, then batches up and pages down.
//!
//! What a device's sync decides by, `wangge_sync::Session`, decides here too; this sends what it says
//! and keeps what comes. **Every act is one short transaction, and none is open while a byte travels**:
//! a meeting may be cut anywhere and be held twice at once.

use std::collections::BTreeMap;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use wangge_sync::{Effect, Event, Form, Outcome, PageTaken, Parcel, Session};
use wangge_trust::key::verify_receipt;
use wangge_wire::enroll::OrderBytes;
use wangge_wire::group;
use wangge_wire::limits::{ANSWER_FRAME_BYTES_MAX, PAGE_INFLATED_BYTES_MAX, RISE_BYTES_MAX};
use wangge_wire::message::{AnswerKind, PageEntry, Standing as StandingFrame};
use wangge_wire::packing::{Packer, Unpacker};
use wangge_wire::rise::{RiseAnswer, RiseAsk};
use wangge_wire::sabotage::Sabotage;
use wangge_wire::stream::Splitter;
use wangge_wire::{
    ActorId, Ask, Audience, BatchHash, Day, DeviceId, End, EntryKind, PROTOCOL_VERSION, Page,
    Receipt, Verdict, packing,
};

use super::UpstreamTrouble;
use super::entries::{note_item, note_receipt, take_batch, take_order};
use super::line::{Address, Line, body};
use crate::error::RelayError;
use crate::frames;
use crate::orders::Standing;
use crate::pull::StepError;
use crate::relay::Relay;
use crate::risen::{self, Above, Again, Rising, Upstream};
use crate::{blobs, db, doubt, log, numbers, places, settlements};

/// Batches handed to one session.
const BATCHES_PER_ROUND: u32 = 2_000;
/// A batch counts as at least this many bytes: the head of a request says one time for each.
const BATCH_BYTES_MIN: usize = 1_024;
/// Rounds of one meeting; the rest goes up in the next.
const ROUNDS_MAX: usize = 200;

/// What a meeting did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Met {
    /// Orders the relay above counts and did not have from here.
    pub orders: u64,
    /// Batches it gave a receipt for.
    pub batches: u64,
    /// Entries that came from above and were new here.
    pub received: u64,
    /// Whether the digests of this relay's areas are equal.
    pub complete: bool,
    /// Entries and parked items it was not told yet.
    pub waiting: u64,
    /// Whether attachments made room for text, and the next meeting need not wait for news.
    pub more: bool,
}

pub(super) struct Meeting<'a> {
    pub(super) relay: &'a Relay,
    connection: Connection,
    standing: Standing,
    pub(super) upstream: Upstream,
    pub(super) line: Line,
    session: Session,
    packer: Packer,
    unpacker: Unpacker,
    rising: BTreeMap<BatchHash, Rising>,
    /// Receipts whose answer has not ended.
    receipts: Vec<Receipt>,
    /// Own orders and what became of them above, until an answer has ended.
    orders: Vec<(u64, Above)>,
    /// Whether this meeting told all decisions once more.
    retold: bool,
    pub(super) met: Met,
}

impl Relay {
    /// Meets the relay above once; what it cannot be told now stays and is told later.
    pub async fn meet_upstream(&self) -> Result<Met, RelayError> {
        let mut connection = db::connect(&self.place)?;
        let met = self.meet(&mut connection).await;
        let failure = match &met {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        };
        let now_ms = self.settings.clock.now_ms();
        let noted = risen::tried(&connection, now_ms, &failure);
        noted.map_err(|source| RelayError::sqlite(&self.place.path, source))?;
        met
    }

    async fn meet(&self, connection: &mut Connection) -> Result<Met, RelayError> {
        let fail = |source| RelayError::sqlite(&self.place.path, source);
        let upstream = risen::upstream(connection).map_err(fail)?;
        let upstream = upstream.ok_or(UpstreamTrouble::None)?;
        // The address was judged when this relay joined.
        let address = Address::kept(&upstream.url)?;
        let mut meeting = Meeting {
            relay: self,
            connection: db::connect(&self.place)?,
            standing: Standing::default(),
            line: Line::to(
                address,
                self.settings.upstream_carrier.clone(),
                upstream.key,
            )?,
            upstream,
            session: Session::new(None),
            packer: Packer::new().map_err(strange)?,
            unpacker: Unpacker::new().map_err(strange)?,
            rising: BTreeMap::new(),
            receipts: Vec::new(),
            orders: Vec::new(),
            retold: false,
            met: Met::default(),
        };
        meeting.hold().await?;
        // After all text, and never a reason for a meeting to fail.
        match meeting.attachments().await {
            Ok(more) => meeting.met.more = more,
            Err(error) => tracing::info!(%error, "attachments are left for the next meeting"),
        }
        Ok(meeting.met)
    }
}

impl Meeting<'_> {
    /// Tells and hears until nothing waits, or nothing moves.
    async fn hold(&mut self) -> Result<(), RelayError> {
        let mut again = Again {
            refused: true,
            unnumbered: self.is_new_day(),
        };
        for _ in 0..ROUNDS_MAX {
            self.write(|transaction, standing| {
                standing.refresh(transaction)?;
                doubt::reread(transaction, standing.at())
            })?;
            self.orders_up().await?;
            let outcome = self.batches_up(again).await?;
            again = Again {
                refused: false,
                unnumbered: false,
            };
            let waiting = self.read(risen::untold)?;
            let moved = waiting != self.met.waiting;
            self.met.waiting = waiting;
            match outcome {
                Outcome::Complete | Outcome::Stuck if waiting == 0 || !moved => return Ok(()),
                Outcome::Complete | Outcome::Stuck => {}
                Outcome::Cut => return Err(no_answer("the connection was cut")),
                Outcome::RelayFailed => return Err(no_answer("the relay could not go on")),
            }
        }
        Ok(())
    }

    /// Hands up the orders that are not told, in the log's order.
    async fn orders_up(&mut self) -> Result<(), RelayError> {
        let mut waiting = self.write(|transaction, _| risen::orders(transaction))?;
        while !waiting.is_empty() {
            let mut bytes = 0;
            let fitting = waiting
                .iter()
                .take_while(|(_, order)| {
                    bytes += order.len() + 8;
                    bytes < RISE_BYTES_MAX - 64 || bytes == order.len() + 8
                })
                .count();
            let told: Vec<(u64, Vec<u8>)> = waiting.drain(..fitting).collect();
            let ask = RiseAsk {
                version: PROTOCOL_VERSION,
                orders: told
                    .iter()
                    .map(|(_, order)| OrderBytes(order.clone()))
                    .collect(),
            };
            let head = packing::encode(&ask);
            let answer = body(self.post("/v1/rise", &head, &[]).await?).await?;
            let answer: RiseAnswer = packing::decode(&answer, "orders").map_err(strange)?;
            for ((position, _), above) in told.iter().zip(&answer.positions) {
                // One that does not count there is not work of anybody's that could be lost.
                let above = if *above > 0 {
                    Above::At(*above)
                } else {
                    Above::Stays
                };
                self.orders.push((*position, above));
            }
        }
        Ok(())
    }

    /// Returns whether no meeting of today has ended whole.
    fn is_new_day(&self) -> bool {
        let now_ms = self.relay.settings.clock.now_ms();
        Day::of_ms(self.upstream.met_ms) != Day::of_ms(now_ms)
    }

    async fn batches_up(&mut self, again: Again) -> Result<Outcome, RelayError> {
        let rising =
            self.read(|connection| risen::batches(connection, BATCHES_PER_ROUND, again))?;
        let parcel = |rising: &Rising| Parcel {
            batch: rising.batch,
            bytes: rising.bytes.max(BATCH_BYTES_MIN),
        };
        let parcels = rising.iter().map(parcel).collect();
        self.rising = rising.into_iter().map(|it| (it.batch, it)).collect();
        self.session = Session::new(None);
        let mut effects = self.session.handle(Event::LinkUp(parcels));
        while let Some(effect) = effects.pop() {
            match effect {
                Effect::Ask {
                    batches,
                    full_pages,
                } => {
                    self.ask(&batches, full_pages).await?;
                    effects = self.session.handle(Event::Closed);
                }
                Effect::Over(outcome) => {
                    self.note_refused()?;
                    return Ok(outcome);
                }
                other => self.act(other)?,
            }
        }
        Ok(Outcome::Cut)
    }

    async fn ask(&mut self, batches: &[(BatchHash, Form)], full: bool) -> Result<(), RelayError> {
        let cursor = self.read(risen::upstream)?.and_then(|it| it.cursor);
        let origin =
            |batch: &BatchHash| self.rising.get(batch).map_or(0, |it| it.first_received_ms);
        let head = Ask {
            version: PROTOCOL_VERSION,
            capabilities: 0,
            cursor,
            // It writes nothing itself.
            actor: ActorId([0; 8]),
            batches: u32::try_from(batches.len()).unwrap_or(u32::MAX),
            full,
            catch_up: None,
            given_back: None,
            origins: (!Sabotage::OriginLost.is_on())
                .then(|| batches.iter().map(|(batch, _)| origin(batch)).collect()),
            witnessed: None,
        }
        .bytes();
        let mut rest = Vec::with_capacity(batches.len());
        for (batch, form) in batches {
            let whole = *form == Form::Full;
            let frame = frames::rising(&self.connection, batch, whole);
            rest.push(frame.map_err(|error| internal(&self.relay.place, error))?);
        }
        let rest = group::frames(&mut self.packer, &rest).map_err(strange)?;
        let mut response = self.post("/v1/sync", &head, &rest).await?;
        let mut splitter = Splitter::new(ANSWER_FRAME_BYTES_MAX);
        loop {
            let chunk = match response.chunk().await {
                Ok(Some(chunk)) => chunk,
                // A cut line is told by the frame that is missing, not by how it broke.
                Ok(None) | Err(_) => return Ok(()),
            };
            splitter.push(&chunk);
            while let Some((kind, payload)) = splitter.next_frame().map_err(strange)? {
                if !self.answer(AnswerKind(kind), &payload)? {
                    return Ok(());
                }
            }
        }
    }

    pub(super) async fn post(
        &mut self,
        path: &str,
        head: &[u8],
        rest: &[u8],
    ) -> Result<reqwest::Response, RelayError> {
        let now_ms = self.relay.settings.clock.now_ms();
        let key = &self.relay.secrets.key;
        let dice = &self.relay.settings.dice;
        self.line.post(path, head, rest, key, (dice, now_ms)).await
    }

    /// Handles one frame of an answer; false when no more should be read.
    fn answer(&mut self, kind: AnswerKind, payload: &[u8]) -> Result<bool, RelayError> {
        let event = match kind {
            AnswerKind::STANDING => {
                let frame: StandingFrame = packing::decode(payload, "standing").map_err(strange)?;
                if frame.relay != self.upstream.key.relay() {
                    return Err(UpstreamTrouble::WrongRelay.into());
                }
                let known = self.read(risen::upstream)?.and_then(|it| it.incarnation);
                if frame.stale_cursor || known.is_some_and(|known| known != frame.incarnation) {
                    // What was told before is of a log that is another one.
                    self.receipts.clear();
                    self.orders.clear();
                }
                self.write(|transaction, _| {
                    risen::meet(transaction, &frame.incarnation)?;
                    if frame.stale_cursor {
                        // Its log may have been put back, and what it gave numbers to be gone. The
                        // pages from the beginning say what is there; the rest is told again, and
                        // until the digests agree, through any cut, nothing counts as being there.
                        risen::forget(transaction)?;
                        doubt::begin(transaction)?;
                    }
                    Ok(())
                })?;
                Event::Standing(frame)
            }
            AnswerKind::VERDICT => {
                Event::Verdict(packing::decode::<Verdict>(payload, "verdict").map_err(strange)?)
            }
            AnswerKind::PAGE => {
                let bytes = self.unpacker.unpack(payload, PAGE_INFLATED_BYTES_MAX);
                let page = packing::decode(&bytes.map_err(strange)?, "page").map_err(strange)?;
                Event::Page(self.take_page(&page)?)
            }
            AnswerKind::END => Event::End(packing::decode::<End>(payload, "end").map_err(strange)?),
            AnswerKind::FAILED => Event::RelayFailed,
            // A kind of a newer relay: it says nothing this one must know.
            _ => return Ok(true),
        };
        let more = !matches!(
            event,
            Event::End(_) | Event::RelayFailed | Event::Page(PageTaken::NeedFull)
        );
        for effect in self.session.handle(event) {
            self.act(effect)?;
        }
        Ok(more)
    }

    fn act(&mut self, effect: Effect) -> Result<(), RelayError> {
        match effect {
            Effect::Keep(receipt) => self.keep(&receipt),
            Effect::ForgetCursor => self.write(|transaction, _| risen::forget_cursor(transaction)),
            Effect::Compare(end) => self.end(&end),
            // A relay signs no batch: nothing to sign anew, and no life to begin.
            Effect::Resign(_) | Effect::NewLife | Effect::Ask { .. } | Effect::Over(_) => Ok(()),
        }
    }

    /// Keeps a receipt until the answer has ended.
    fn keep(&mut self, receipt: &Receipt) -> Result<(), RelayError> {
        let key = &self.upstream.key;
        if receipt.relay != key.relay() || !verify_receipt(key, receipt) {
            return Err(UpstreamTrouble::Strange { what: "a receipt" }.into());
        }
        if Sabotage::NotedBeforeTheEnd.is_on() {
            self.write(|transaction, _| {
                note_receipt(transaction, receipt, u64::MAX)?;
                risen::advance(transaction)
            })?;
        }
        self.receipts.push(receipt.clone());
        self.met.batches += 1;
        Ok(())
    }

    /// Notes the batches that were refused as a whole: they must not stand in the way of the others.
    fn note_refused(&mut self) -> Result<(), RelayError> {
        let refused: Vec<BatchHash> = self.session.refused().iter().map(|it| it.0).collect();
        if refused.is_empty() {
            return Ok(());
        }
        tracing::warn!(batches = refused.len(), "refused by the relay above");
        self.write(|transaction, _| {
            for batch in &refused {
                for name in frames::names(transaction, batch)? {
                    note_item(transaction, &name.doc, &name.hash, Above::Refused)?;
                }
            }
            risen::advance(transaction)
        })
    }

    /// Takes a page in, with its cursor, or does neither.
    fn take_page(&mut self, page: &Page) -> Result<PageTaken, RelayError> {
        let now_ms = self.relay.settings.clock.now_ms();
        let fail = |source| RelayError::sqlite(&self.relay.place.path, source);
        let mut standing = self.standing.clone();
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(fail)?;
        standing.refresh(&transaction).map_err(fail)?;
        let before = log::head(&transaction).map_err(fail)?.position;
        for entry in &page.entries {
            let taken = match entry {
                PageEntry::Batch(batch) => {
                    let through = page.cursor.position;
                    let kinds = &self.relay.settings.access_kinds;
                    take_batch(&transaction, &standing, batch, kinds, (through, now_ms))
                }
                PageEntry::Single {
                    kind,
                    position,
                    bytes,
                } if EntryKind(*kind) == EntryKind::ORDER => {
                    let key = &self.relay.secrets.key;
                    take_order(&transaction, &mut standing, key, bytes, *position, now_ms)
                }
                // Of a newer kind, or the relay above's own business.
                PageEntry::Single { .. } => Ok(PageTaken::Applied),
            };
            // The transaction rolls back when it is dropped.
            let taken = taken.map_err(|error| internal(&self.relay.place, error))?;
            if taken == PageTaken::NeedFull {
                return Ok(PageTaken::NeedFull);
            }
        }
        let after = log::head(&transaction).map_err(fail)?.position;
        if standing.at() > before {
            // The one above may have given this relay other numbers.
            let key = &self.relay.secrets.key;
            numbers::top_up(&transaction, &mut standing, key, now_ms).map_err(fail)?;
        }
        risen::move_cursor(&transaction, &page.cursor).map_err(fail)?;
        risen::advance(&transaction).map_err(fail)?;
        transaction.commit().map_err(fail)?;
        self.standing = standing;
        self.met.received += after.saturating_sub(before);
        Ok(PageTaken::Applied)
    }

    /// Keeps what the answer came to: what the receipts and the answers to orders say, and where this relay
    /// stands now, in one transaction. **So the cursor's chain stands for every number that is noted**: a
    /// log above that was put back to before one of them cannot go unnoticed.
    fn end(&mut self, end: &End) -> Result<(), RelayError> {
        let me = self.relay.secrets.key.public().relay();
        let receipts = std::mem::take(&mut self.receipts);
        let orders = std::mem::take(&mut self.orders);
        // Once a day: the two may count otherwise for good, where somebody old is new in an area.
        let (retold, new_day) = (self.retold, self.is_new_day());
        let today = Day::of_ms(self.relay.settings.clock.now_ms());
        let (complete, lacks) = self.write(|transaction, standing| {
            for receipt in &receipts {
                note_receipt(transaction, receipt, end.cursor.position)?;
            }
            for (position, above) in &orders {
                if above.is_read(end.cursor.position) {
                    risen::note(transaction, *position, *above)?;
                }
            }
            let mut complete = true;
            for (audience, theirs) in &end.digests {
                if let Audience::Area(area) = audience {
                    complete &= places::area_digest(transaction, area)? == *theirs;
                }
            }
            risen::move_cursor(transaction, &end.cursor)?;
            let names = end.above.as_deref().unwrap_or_default();
            risen::keep_end(transaction, &end.watermarks, names, complete)?;
            for (doc, hash) in end.lost.iter().flatten() {
                blobs::lost_above(transaction, (hash, doc))?;
            }
            standing.refresh(transaction)?;
            // What a cover lends was not read for as long as it did not run; its own areas were.
            let own = standing.roster().relay(&me).map(|own| &own.member.areas);
            let is_own = |it: &&(Audience, _)| match &it.0 {
                Audience::Area(area) => own.is_none_or(|own| own.contains(area)),
                _ => false,
            };
            let theirs: Vec<_> = end.digests.iter().filter(is_own).cloned().collect();
            doubt::judge(transaction, &theirs, today)?;
            // It may have lost a decision after its receipt was read and before this relay's cursor passed it.
            let decisions = settlements::digest(transaction, standing.roster(), &DeviceId(me.0))?;
            let lacks = decisions != end.decisions && risen::untold(transaction)? == 0;
            if lacks && !retold && new_day {
                risen::forget_decisions(transaction)?;
            }
            Ok((complete, lacks))
        })?;
        let told = |(_, above): &&(u64, Above)| matches!(above, Above::At(_));
        self.met.orders += orders.iter().filter(told).count() as u64;
        self.met.complete = complete;
        self.retold |= lacks;
        Ok(())
    }

    pub(super) fn read<T>(
        &self,
        ask: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, RelayError> {
        ask(&self.connection).map_err(|source| RelayError::sqlite(&self.relay.place.path, source))
    }

    pub(super) fn write<T>(
        &mut self,
        act: impl FnOnce(&Transaction<'_>, &mut Standing) -> rusqlite::Result<T>,
    ) -> Result<T, RelayError> {
        let fail = |source| RelayError::sqlite(&self.relay.place.path, source);
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(fail)?;
        let done = act(&transaction, &mut self.standing).map_err(fail)?;
        transaction.commit().map_err(fail)?;
        Ok(done)
    }
}

fn no_answer(reason: &str) -> RelayError {
    let reason = reason.to_owned();
    UpstreamTrouble::NoLink { reason }.into()
}

fn strange(error: wangge_wire::Malformed) -> RelayError {
    tracing::warn!(%error, "the relay above");
    UpstreamTrouble::Strange { what: "a frame" }.into()
}

fn internal(place: &db::Place, error: StepError) -> RelayError {
    match error {
        StepError::Relay(error) => error,
        StepError::Sqlite(source) => RelayError::sqlite(&place.path, source),
        StepError::Malformed(error) => strange(error),
    }
}
