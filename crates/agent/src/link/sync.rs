//! One sync: the session decides, this sends, reads and keeps.

use std::collections::BTreeMap;
use std::time::Instant;

use chrono::Datelike as _;
use serde::Serialize;
use wangge_model::{kind, visit};
use wangge_store::{StoreError, relay::Completeness};
use wangge_sync::{Effect, Event, Form, Outcome, PageTaken, Parcel, Session};
use wangge_trust::key::verify_receipt;
use wangge_wire::frame::{self, Dependency, Elide, Surroundings};
use wangge_wire::limits::{
    ANSWER_FRAME_BYTES_MAX, PAGE_INFLATED_BYTES_MAX, REQUEST_BATCH_BYTES_GOAL,
};
use wangge_wire::message::{AnswerKind, CAN_TAKE_PACKS, Standing};
use wangge_wire::packing::{Packer, Unpacker};
use wangge_wire::sabotage::Sabotage;
use wangge_wire::stream::Splitter;
use wangge_wire::{
    AreaCode, Ask, Audience, BatchHash, BlobHash, ChangeHash, Digest, DocId, End, Manifest,
    PROTOCOL_VERSION, Page, PublicKey, RelayId, Verdict, group, packing,
};

use super::address::Address;
use super::blobs::BlobReport;
use super::http::Line;
use super::incoming::Judge;
use crate::error::AgentError;
use crate::machine::china_day;
use crate::replica::Replica;

/// Bytes of frames that are kept between knowing their size and sending them: four requests.
const READY_BYTES_MAX: usize = 4 * REQUEST_BATCH_BYTES_GOAL;

/// What a sync did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SyncReport {
    /// Entries the relay has now and had not before this sync.
    pub sent: usize,
    /// Entries that came and were new here.
    pub received: usize,
    /// Receipts kept.
    pub receipts: usize,
    /// Requests made.
    pub round_trips: u32,
    /// Bytes sent, HTTP headers included.
    pub bytes_up: u64,
    /// Bytes received, HTTP headers included, transfer framing not.
    pub bytes_down: u64,
    /// Milliseconds from the first byte to the end.
    pub ms: u64,
    /// Per area of this person: whether this device holds exactly what the relay holds.
    pub complete: BTreeMap<AreaCode, AreaReport>,
    /// Entries of this device in the relay's inbox.
    pub inbox: u32,
    /// How much of the relay's inbox waits for this desk.
    #[serde(skip_serializing_if = "is_none")]
    pub undecided: u32,
    /// Entries that have no receipt after this sync.
    pub unsent: u64,
    /// Changes the gate holds, and batches whose signature does not fit.
    pub held: usize,
    /// Whether the relay's log was in another life than this device knew it in: it had been restored.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub put_back: bool,
    /// What is wrong with the relay's audit chain, as far as this device saw it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit_doubt: Option<crate::witness::AuditDoubt>,
    /// What was repaired because digests differed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repair: Option<super::repair::RepairReport>,
    /// What came as packs where reading began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packs: Option<super::packs::PackReport>,
    /// What the lane of attachments did, after all text.
    pub attachments: BlobReport,
    /// Households that are somebody else's now and left this device.
    pub handed_over: usize,
    /// Households that are somebody else's now and stay until what was written of them is receipted.
    pub hand_over_waits: usize,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands a reference over"
)]
fn is_none(count: &u32) -> bool {
    *count == 0
}

/// The proof of one area.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AreaReport {
    /// Changes the relay has there.
    pub changes: u64,
    /// The relay's digest, 32 hex digits.
    pub digest: String,
    /// Whether this device's is the same.
    pub equal: bool,
}

/// A sync under way.
pub(super) struct Meeting<'a> {
    pub(super) replica: &'a mut Replica,
    pub(super) line: Line,
    pub(super) relay_key: PublicKey,
    pub(super) session: Session,
    packer: Packer,
    /// Frames made to know their size, with the batch before.
    ready: BTreeMap<BatchHash, (Option<BatchHash>, Vec<u8>)>,
    pub(super) unpacker: Unpacker,
    pub(super) judge: Judge,
    pub(super) report: SyncReport,
    pub(super) clock_offset_ms: i64,
    pub(super) reload_roster: bool,
    /// The last end that was told.
    told: Option<End>,
    /// Attachments that the relay lost, as it said last.
    lost: Vec<(DocId, BlobHash)>,
    /// The relay's clock.
    relay_ms: i64,
    /// Whether the log may be another one than was read before: of that one it is not known what it has.
    log_changed: bool,
    /// What the relay told in the place of pages: packs to take before reading on.
    pub(super) packs: Option<Manifest>,
    /// Bytes of packs that are here, and of all.
    pub(super) pack_bytes: (u64, u64),
    /// Whether packs are taken where the relay has some.
    pub(super) takes_packs: bool,
    /// Whether what is sent now is what the relay has lost.
    pub(super) gives_back: bool,
    /// This device's digests, of when the relay told its own.
    pub(super) here: Vec<(Audience, Digest)>,
}

impl Replica {
    /// Syncs with the relay this home is enrolled with.
    ///
    /// An error says that something could not be said; whatever was receipted or applied before it
    /// stays, and nothing on this device is lost by it.
    pub async fn sync(&mut self) -> Result<SyncReport, AgentError> {
        let link = self
            .home
            .profile
            .relay
            .clone()
            .ok_or(AgentError::NotEnrolled)?;
        // Where the roster went with a database that is gone, the relay still knows this device.
        if self.member().is_none() && self.roster_position > 0 {
            return Err(AgentError::NotEnrolled);
        }
        // The address was judged when it was enrolled with.
        let address = Address::kept(&link.url)?;
        let synced = self.sync_with(address.clone(), link.key).await;
        let synced = match synced {
            Err(AgentError::PurgeTold(told)) => Err(self.part(address, link.key, *told).await),
            other => other,
        };
        self.note_standing(&synced)?;
        synced
    }

    /// Syncs with the relay that has this key.
    pub(super) async fn sync_with(
        &mut self,
        address: Address,
        relay_key: PublicKey,
    ) -> Result<SyncReport, AgentError> {
        let started = Instant::now();
        let usual = self.home.profile.relay.as_ref();
        let usual = usual.is_some_and(|link| link.key == relay_key);
        self.home.store.begin_sync()?;
        self.make_batches()?;
        let last_batch = self.home.store.last_batch(&self.actor())?;
        let malformed = |error: wangge_wire::Malformed| AgentError::Internal(error.to_string());
        let mut meeting = Meeting {
            line: self.line(address, relay_key)?,
            relay_key,
            session: Session::new(Some(last_batch)),
            packer: Packer::new().map_err(malformed)?,
            ready: BTreeMap::new(),
            unpacker: Unpacker::new().map_err(malformed)?,
            judge: Judge {
                roster: self.roster.clone(),
            },
            report: SyncReport::default(),
            clock_offset_ms: 0,
            reload_roster: false,
            told: None,
            lost: Vec::new(),
            relay_ms: 0,
            log_changed: false,
            packs: None,
            pack_bytes: (0, 0),
            gives_back: false,
            here: Vec::new(),
            takes_packs: !self.home.store.prefers_pages(&relay_key.relay())?,
            replica: self,
        };
        let outcome = meeting.run_and_repair().await;
        let (mut report, lost) = (meeting.report, meeting.lost);
        report.round_trips = meeting.line.requests;
        report.bytes_up = meeting.line.bytes_up;
        report.bytes_down = meeting.line.bytes_down;
        let (relay_ms, log_changed) = (meeting.relay_ms, meeting.log_changed);
        if meeting.reload_roster {
            self.load_roster()?;
        }
        let outcome = outcome?;
        if outcome == Outcome::Complete && usual {
            self.let_go_after(&mut report, relay_ms, !log_changed)?;
        }
        report.ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.note_pace(&report)?;
        report.unsent = self.home.store.counts()?.unsent;
        match outcome {
            Outcome::Complete | Outcome::Stuck => {
                if usual {
                    report.attachments = self.carry_attachments(&lost).await;
                }
                Ok(report)
            }
            Outcome::Cut => Err(AgentError::NoLink {
                reason: "the connection was cut".into(),
                reached: false,
            }),
            Outcome::RelayFailed => Err(AgentError::NoLink {
                reason: "the relay could not go on".into(),
                reached: true,
            }),
        }
    }
}

impl Meeting<'_> {
    /// Says what is to be said, and takes packs where the relay tells of them in the place of pages.
    async fn run(&mut self) -> Result<Outcome, AgentError> {
        self.go_on_with_packs().await?;
        loop {
            let parcels = self.parcels()?;
            let effects = self.session.handle(Event::LinkUp(parcels));
            let outcome = self.drive(effects).await?;
            let Some(manifest) = self.packs.take() else {
                return Ok(outcome);
            };
            self.take_packs(&manifest).await?;
            let last_batch = self.replica.home.store.last_batch(&self.replica.actor())?;
            self.session = Session::new(Some(last_batch));
        }
    }

    /// Syncs, and repairs once what the digests say is different.
    async fn run_and_repair(&mut self) -> Result<Outcome, AgentError> {
        let outcome = self.run().await?;
        let (Outcome::Complete, Some(end)) = (outcome, self.told.take()) else {
            return Ok(outcome);
        };
        let outcome = self.repair(&end).await?.unwrap_or(outcome);
        self.prove_packs()?;
        if self.report.packs.is_some() {
            self.prove_tickets(&end).await?;
        }
        Ok(outcome)
    }

    /// Does what the session says until it is over.
    pub(super) async fn drive(&mut self, mut effects: Vec<Effect>) -> Result<Outcome, AgentError> {
        while let Some(effect) = effects.pop() {
            match effect {
                Effect::Ask {
                    batches,
                    full_pages,
                } => {
                    self.ask(&batches, full_pages).await?;
                    effects = self.session.handle(Event::Closed);
                }
                Effect::Over(outcome) => return Ok(outcome),
                other => self.act(other)?,
            }
        }
        Ok(Outcome::Cut)
    }

    /// Returns what waits to be sent, with its size.
    fn parcels(&mut self) -> Result<Vec<Parcel>, AgentError> {
        let pending = self.replica.home.store.pending_batches()?;
        let (mut previous, mut kept) = (None, 0);
        pending
            .into_iter()
            .map(|batch| {
                let frame = self.frame(&batch, Form::Short, previous)?;
                let bytes = frame.len();
                kept += bytes;
                // The first requests are kept; of a whole village's first import only these.
                if kept <= READY_BYTES_MAX {
                    self.ready.insert(batch, (previous, frame));
                }
                previous = Some(batch);
                Ok(Parcel { batch, bytes })
            })
            .collect()
    }

    /// Returns a batch's frame as it travels in a request behind `previous`.
    fn framed(
        &mut self,
        batch: &BatchHash,
        form: Form,
        previous: Option<BatchHash>,
    ) -> Result<Vec<u8>, AgentError> {
        match self.ready.remove(batch) {
            Some((before, frame)) if form == Form::Short && before == previous => Ok(frame),
            _ => self.frame(batch, form, previous),
        }
    }

    pub(super) fn frame(
        &mut self,
        hash: &BatchHash,
        form: Form,
        previous: Option<BatchHash>,
    ) -> Result<Vec<u8>, AgentError> {
        let store = &self.replica.home.store;
        let batch = store.batch(hash)?;
        let around = Surroundings {
            device: Some(self.replica.device()),
            previous,
        };
        let bytes = match form {
            Form::Short => {
                let known = Held {
                    store,
                    relay: self.relay_key.relay(),
                    batch: &batch,
                };
                frame::encode(&batch, &around, &known)
            }
            Form::Full => frame::encode_full(&batch),
        };
        bytes.map_err(|error| AgentError::Internal(error.to_string()))
    }

    /// Makes one request and handles its answer frame by frame.
    async fn ask(&mut self, batches: &[(BatchHash, Form)], full: bool) -> Result<(), AgentError> {
        let relay = self.relay_key.relay();
        let store = &self.replica.home.store;
        let cursor = store.relay(&relay)?.cursor;
        let usual = self.replica.home.profile.relay.as_ref();
        let elsewhere = usual.is_some_and(|link| link.key != self.relay_key);
        let head = Ask {
            version: PROTOCOL_VERSION,
            capabilities: if self.takes_packs { CAN_TAKE_PACKS } else { 0 },
            cursor,
            actor: self.replica.actor(),
            batches: u32::try_from(batches.len()).unwrap_or(u32::MAX),
            full,
            catch_up: (elsewhere
                && cursor.is_none()
                && store.has_met()?
                && !store.prefers_pages(&relay)?)
            .then_some(true),
            given_back: self.gives_back.then_some(true),
            origins: None,
            witnessed: self.replica.witnessed(&relay)?,
        }
        .bytes();
        let mut body = u32::try_from(head.len())
            .unwrap_or(u32::MAX)
            .to_be_bytes()
            .to_vec();
        body.extend_from_slice(&head);
        let (mut previous, mut frames) = (None, Vec::with_capacity(batches.len()));
        for (batch, form) in batches {
            frames.push(self.framed(batch, *form, previous)?);
            previous = Some(*batch);
        }
        let packed = group::frames(&mut self.packer, &frames);
        body.extend(packed.map_err(|error| AgentError::Internal(error.to_string()))?);
        let mut response = self.post(&head, &body).await?;
        let mut splitter = Splitter::new(ANSWER_FRAME_BYTES_MAX);
        loop {
            let chunk = match response.chunk().await {
                Ok(Some(chunk)) => chunk,
                // A cut line is told by the frame that is missing, not by how it broke.
                Ok(None) | Err(_) => return Ok(()),
            };
            self.line.bytes_down += chunk.len() as u64;
            splitter.push(&chunk);
            loop {
                let frame = splitter.next_frame().map_err(strange)?;
                let Some((kind, payload)) = frame else { break };
                if !self.answer(AnswerKind(kind), &payload)? {
                    // The few bytes that close the body are read too, so that the connection can carry
                    // the next request; what is not closed by then is left.
                    if AnswerKind(kind) == AnswerKind::END {
                        let _ = response.chunk().await;
                    }
                    return Ok(());
                }
            }
        }
    }

    /// Posts the request; a relay that finds the clock wrong tells its own, and it is tried once more.
    async fn post(&mut self, head: &[u8], body: &[u8]) -> Result<reqwest::Response, AgentError> {
        let (key, machine) = (&self.replica.home.key, &self.replica.machine);
        let offset_ms = &mut self.clock_offset_ms;
        let line = &mut self.line;
        line.post_in_time("/v1/sync", head, body, key, machine, offset_ms)
            .await
    }

    /// Handles one frame of an answer; false when no more should be read.
    fn answer(&mut self, kind: AnswerKind, payload: &[u8]) -> Result<bool, AgentError> {
        let event = match kind {
            AnswerKind::STANDING => {
                let standing: Standing = packing::decode(payload, "standing").map_err(strange)?;
                if standing.relay != self.relay_key.relay() {
                    return Err(AgentError::StrangeAnswer {
                        reason: "another relay answers".into(),
                    });
                }
                self.relay_ms = standing.at_ms;
                let known = self.replica.home.store.relay(&standing.relay)?.cursor;
                self.report.put_back |=
                    known.is_some_and(|c| c.incarnation != standing.incarnation);
                self.log_changed |= standing.stale_cursor;
                Event::Standing(standing)
            }
            AnswerKind::VERDICT => {
                Event::Verdict(packing::decode::<Verdict>(payload, "verdict").map_err(strange)?)
            }
            AnswerKind::PAGE => {
                let bytes = self
                    .unpacker
                    .unpack(payload, PAGE_INFLATED_BYTES_MAX)
                    .map_err(strange)?;
                let page: Page = packing::decode(&bytes, "page").map_err(strange)?;
                Event::Page(self.take_page(&page)?)
            }
            AnswerKind::MANIFEST => {
                self.packs = Some(Manifest::read(payload).map_err(strange)?);
                return Ok(false);
            }
            AnswerKind::PURGE => {
                let told = packing::decode(payload, "purge").map_err(strange)?;
                return Err(AgentError::PurgeTold(Box::new(told)));
            }
            AnswerKind::END => Event::End(packing::decode::<End>(payload, "end").map_err(strange)?),
            AnswerKind::FAILED => Event::RelayFailed,
            // A kind of a newer relay: it says nothing this device must know.
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

    fn take_page(&mut self, page: &Page) -> Result<PageTaken, AgentError> {
        let orders = |page: &Page| {
            page.entries
                .iter()
                .any(|entry| matches!(entry, wangge_wire::message::PageEntry::Single { .. }))
        };
        match self.replica.home.store.apply_page(page, &mut self.judge) {
            Ok(outcome) => {
                self.report.received += outcome.received;
                self.report.held += outcome.held + outcome.unsigned;
                self.reload_roster |= orders(page);
                Ok(PageTaken::Applied)
            }
            Err(StoreError::NeedFull) => Ok(PageTaken::NeedFull),
            Err(StoreError::Malformed(error)) => Err(strange(error)),
            Err(error) => Err(error.into()),
        }
    }

    fn act(&mut self, effect: Effect) -> Result<(), AgentError> {
        match effect {
            Effect::Keep(receipt) => {
                if !verify_receipt(&self.relay_key, &receipt) {
                    return Err(AgentError::StrangeAnswer {
                        reason: "a receipt's signature".into(),
                    });
                }
                self.report.sent += self.replica.home.store.keep_receipt(&receipt)?;
                self.report.receipts += 1;
            }
            Effect::ForgetCursor => {
                self.replica
                    .home
                    .store
                    .forget_cursor(&self.relay_key.relay())?;
            }
            Effect::NewLife if Sabotage::NewLifeIgnored.is_on() => {}
            Effect::NewLife => self.replica.home.new_life(&self.replica.machine)?,
            Effect::Resign(batch) => self.replica.home.store.unbatch(&batch)?,
            Effect::Compare(end) => self.end(&end)?,
            Effect::Ask { .. } | Effect::Over(_) => {}
        }
        Ok(())
    }

    fn end(&mut self, end: &End) -> Result<(), AgentError> {
        let now_ms = self.replica.now_ms();
        let ended = self.replica.home.store.end_sync(end, now_ms)?;
        self.report.inbox = end.inbox;
        self.report.undecided = end.undecided.unwrap_or_default();
        self.replica.keep_lease(&self.relay_key, end)?;
        self.report.audit_doubt = self.replica.witness(&self.relay_key, end)?;
        self.told = Some(end.clone());
        self.lost = end.lost.clone().unwrap_or_default();
        self.here = ended.here;
        self.report.complete = ended
            .areas
            .into_iter()
            .map(|area: Completeness| {
                let report = AreaReport {
                    changes: area.relay.changes,
                    digest: area.relay.hex(),
                    equal: area.is_equal(),
                };
                (area.area, report)
            })
            .collect();
        Ok(())
    }
}

/// What the relay is known to hold of a batch's dependencies.
struct Held<'a> {
    store: &'a wangge_store::Store,
    relay: RelayId,
    batch: &'a wangge_wire::Batch,
}

impl Elide for Held<'_> {
    fn label(&self, change: &wangge_wire::Change) -> Option<String> {
        // A book is of the year it was written in, or of one beside it.
        let year = china_day(self.batch.head.claimed_at_ms).year();
        let owner = (change.kind == kind::VISIT_BOOK)
            .then_some(change.owner)
            .flatten()?;
        (year - 1..=year + 1)
            .find(|year| visit::book_id(&owner, *year) == change.doc)
            .map(|year| year.to_string())
    }

    fn dependency(&self, doc: &DocId, hash: &ChangeHash) -> Dependency {
        if self.store.is_genesis(doc, hash) {
            return Dependency::Genesis;
        }
        let here = self.batch.items.iter().any(|item| {
            let name = item.name();
            name.doc == *doc && name.hash == *hash
        });
        // What was made here and is not known to have arrived travels in an earlier batch of this
        // request or in one before; if it did not get there the relay asks for the full form.
        let arrived = self
            .store
            .is_held(self.relay.as_bytes(), doc, hash)
            .unwrap_or(false);
        if here || arrived || self.store.is_own(doc, hash).unwrap_or(false) {
            Dependency::Held
        } else {
            Dependency::Full
        }
    }
}

pub(super) fn strange(error: wangge_wire::Malformed) -> AgentError {
    AgentError::StrangeAnswer {
        reason: error.to_string(),
    }
}
