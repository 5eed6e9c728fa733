//! One round: read the log on, apply through the gate, hold what fails, make anew the packs that need it.
//!
//! **What fails is held before the position moves past it**, so that a round which is cut off tries it
//! again and never forgets it. A round may be cut off anywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Instant;

use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::oneshot;
use wangge_wire::{AreaCode, ChangeHash, Digest, DocId, EntryKind, PackKey, Shape, packing};

use super::Packs;
use super::build::{self, Living};
use super::gate::{Gate, Raw, Trial};
use super::shelf::{self, Made, Shelf, Shelved};
use crate::db;
use crate::error::RelayError;
use crate::holds::{self, NewRuling};
use crate::log::{self, Head, signed, unsigned};
use crate::orders::Standing;
use crate::pull::StepError;
use crate::relay::Relay;
use crate::writer::Job;

/// Entries taken onto the shelf in one step.
const STEP: u64 = 2_048;
/// A pack is made anew when what came since is more than this share of it …
const TAIL_SHARE: u64 = 8;
/// … or when it stands further back than this share of the log.
const BACK_SHARE: u64 = 8;
/// Entries that a pack may always stand back.
const BACK_MIN: u64 = 1_000;
/// A busy relay is left alone for so many times its quiet.
const QUIETS_MAX: u32 = 15;

/// Where rulings are written; returns whether they are durable.
pub(crate) type Rule<'a> = dyn FnMut(Vec<NewRuling>) -> bool + 'a;

/// What a round came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Round {
    /// Packs made anew.
    pub(crate) made: usize,
    /// Changes held, or released ones held again.
    pub(crate) held: usize,
}

/// The maker of packs.
pub(crate) struct Maker {
    log: Connection,
    shelf: Shelf,
    gate: Gate,
    standing: Standing,
    stop: Arc<AtomicBool>,
}

/// What packs are made of, at one moment of the log.
struct Snapshot {
    head: Head,
    documents: Vec<Living>,
    moves: BTreeMap<PackKey, u64>,
    /// The documents of which a change was held or released, and when.
    ruled: BTreeMap<DocId, u64>,
    /// The areas that somebody was granted later than at first, and when.
    widened: Vec<(AreaCode, u64)>,
}

impl Maker {
    pub(crate) fn open(relay: &Relay, packs: &Packs) -> Result<Self, RelayError> {
        let log = db::connect_reader(&relay.place)?;
        let path = super::path(&relay.place.path);
        let fits = |head: Head| log::chain_at(&log, head.position).ok() == Some(Some(head.chain));
        let shelf = Shelf::open(&path, &relay.identity.incarnation, fits)?;
        Ok(Self {
            gate: Gate::new(packs.gate.clone(), packs.within),
            log,
            shelf,
            standing: Standing::default(),
            stop: Arc::default(),
        })
    }

    /// Makes one round; what a stop cut off is done by the next.
    pub(crate) fn round(&mut self, rule: &mut Rule<'_>) -> Result<Round, StepError> {
        let mut round = Round::default();
        let (mut snapshot, mut sent) = (None, 0);
        while snapshot.is_none() {
            if self.stop.load(Ordering::Acquire) || !self.step(rule, &mut sent)? {
                round.held = sent;
                return Ok(round);
            }
            snapshot = self.snapshot()?;
        }
        round.held = sent;
        if let Some(snapshot) = snapshot {
            round.made = self.make(&snapshot)?;
        }
        Ok(round)
    }

    /// Takes some entries onto the shelf; returns whether it went as it should.
    fn step(&mut self, rule: &mut Rule<'_>, held: &mut usize) -> Result<bool, StepError> {
        let from = self.shelf.head()?;
        let end = log::head(&self.log)?.position.min(from.position + STEP);
        let chain = log::chain_at(&self.log, end)?;
        let chain = chain.ok_or(RelayError::Internal {
            what: "a shelf past the log",
        })?;
        let mut news = Vec::new();
        let mut rulings = Vec::new();
        for (doc, position) in touched(&self.log, from.position, end)? {
            if self.stop.load(Ordering::Acquire) {
                return Ok(false);
            }
            let before = shelf::shelved(&self.shelf.connection, &doc)?.unwrap_or_default();
            let range = (from.position, end);
            match apply(&self.log, &mut self.gate, &doc, before, range, &mut rulings)? {
                Some(after) => news.push((doc, position, after)),
                None => return Ok(false),
            }
        }
        let count = rulings.len();
        if count > 0 && !rule(rulings) {
            return Ok(false);
        }
        *held += count;
        let transaction = self.shelf.change()?;
        for (doc, position, document) in &news {
            shelf::put(&transaction, doc, *position, document)?;
        }
        let head = Head {
            position: end,
            chain,
        };
        shelf::stand_at(&transaction, head)?;
        transaction.commit()?;
        Ok(true)
    }

    /// Looks at the log in one transaction; none if it has gone on past the shelf.
    fn snapshot(&mut self) -> Result<Option<Snapshot>, StepError> {
        let at = self.shelf.head()?;
        let packs = shelf::packs(&self.shelf.connection)?;
        let first = packs.iter().map(|pack| pack.position).min();
        let transaction = self.log.transaction()?;
        let head = log::head(&transaction)?;
        if head.position != at.position {
            return Ok(None);
        }
        self.standing.refresh(&transaction)?;
        let mut moves = BTreeMap::new();
        for it in build::moves(&transaction, first.unwrap_or(head.position))? {
            for key in it.out.into_iter().chain(it.into) {
                let last: &mut u64 = moves.entry(key).or_default();
                *last = it.position.max(*last);
            }
        }
        let ruled = ruled(&transaction, first.unwrap_or(head.position))?;
        let roster = self.standing.roster();
        let mut widened = Vec::new();
        for (device, granted) in self.standing.grants().filter(|(_, it)| it.widened > 0) {
            let areas = roster.member(device).map(|member| member.areas.clone());
            let areas = areas.unwrap_or_default().into_iter();
            widened.extend(areas.map(|area| (area, granted.widened)));
        }
        Ok(Some(Snapshot {
            head,
            documents: build::living(&transaction)?,
            moves,
            ruled,
            widened,
        }))
    }

    fn make(&mut self, snapshot: &Snapshot) -> Result<usize, StepError> {
        let mut by_key: BTreeMap<PackKey, Vec<&Living>> = BTreeMap::new();
        for living in &snapshot.documents {
            for key in living.keys() {
                by_key.entry(key).or_default().push(living);
            }
        }
        let positions = self.shelf.positions()?;
        let packs = shelf::packs(&self.shelf.connection)?;
        for pack in packs.iter().filter(|pack| !by_key.contains_key(&pack.key)) {
            self.shelf.drop_pack(&pack.key)?;
        }
        let packs: BTreeMap<&PackKey, &Made> = packs.iter().map(|made| (&made.key, made)).collect();
        // A pack that is not there yet would be stepped over by the position of those that are.
        if by_key.keys().any(|key| !packs.contains_key(key)) {
            self.shelf.set_whole(false)?;
        }
        let mut count = 0;
        for (key, documents) in by_key {
            let until = snapshot.head.position;
            let sum = documents
                .iter()
                .fold(Digest::default(), |sum, living| sum.plus(living.digest));
            if let Some(pack) = packs.get(&key) {
                let last = documents
                    .iter()
                    .filter_map(|it| positions.get(&it.doc))
                    .max();
                // What it shows is another thing now, however little came.
                let ruled = documents
                    .iter()
                    .filter_map(|it| snapshot.ruled.get(&it.doc));
                let mut turns = ruled.chain(snapshot.moves.get(&key));
                let moved = turns.any(|at| *at > pack.position);
                if !moved && last.is_none_or(|last| *last <= pack.position) {
                    self.shelf.advance(&key, until)?;
                    continue;
                }
                if !moved && !worth(pack, sum, snapshot, &key) {
                    continue;
                }
            }
            let stop = Arc::clone(&self.stop);
            let go_on = move || !stop.load(Ordering::Acquire);
            let made = Made {
                key,
                position: until,
                documents: documents.len() as u64,
                digest: sum,
            };
            let frames = build::frames(&self.log, &self.shelf, until, documents, &go_on)?;
            if !go_on() {
                return Ok(count);
            }
            // Without frames it says that this cannot be had as a pack.
            self.shelf.replace(&made, &frames.unwrap_or_default())?;
            count += 1;
        }
        self.shelf.set_whole(true)?;
        Ok(count)
    }
}

/// Returns whether a pack is to be made anew.
fn worth(pack: &Made, now: Digest, snapshot: &Snapshot, key: &PackKey) -> bool {
    let tail = now.changes.saturating_sub(pack.digest.changes);
    let back = snapshot.head.position.saturating_sub(pack.position);
    let granted = snapshot.widened.iter().any(|(area, at)| {
        // Who gets an area reads on from after the grant, or from the beginning.
        *at > pack.position
            && match key {
                PackKey::Home(home) => area.covers(home),
                PackKey::Named(_) => true,
            }
    });
    granted
        || tail.saturating_mul(TAIL_SHARE) > pack.digest.changes
        || back > BACK_MIN.max(snapshot.head.position / BACK_SHARE)
}

/// Returns the documents that entries of a range concern, each with the last such entry.
fn touched(log: &Connection, after: u64, until: u64) -> Result<BTreeMap<DocId, u64>, StepError> {
    let mut rows = log.prepare_cached(
        "SELECT e.doc, max(e.position) FROM entry e JOIN document d ON d.doc = e.doc
         WHERE e.position > ?1 AND e.position <= ?2 GROUP BY e.doc",
    )?;
    let rows = rows.query_map(params![signed(after), signed(until)], |row| {
        Ok((DocId(row.get(0)?), unsigned(row.get(1)?)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Returns the documents with a ruling after a position, each with the last one's.
fn ruled(log: &Connection, after: u64) -> Result<BTreeMap<DocId, u64>, StepError> {
    let sql = "SELECT doc, max(position) FROM entry
               WHERE position > ?1 AND kind IN (?2, ?3) GROUP BY doc";
    let mut rows = log.prepare_cached(sql)?;
    let kinds = (EntryKind::HOLD.0, EntryKind::RELEASE.0);
    let rows = rows.query_map(params![signed(after), kinds.0, kinds.1], |row| {
        Ok((DocId(row.get(0)?), unsigned(row.get(1)?)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Returns the document with what came, as far as the gate lets it; none where there is no gate.
fn apply(
    log: &Connection,
    gate: &mut Gate,
    doc: &DocId,
    mut document: Shelved,
    (after, until): (u64, u64),
    rulings: &mut Vec<NewRuling>,
) -> Result<Option<Shelved>, StepError> {
    let rulings_before = holds::of_document(log, doc)?;
    let is_held = |hash: &ChangeHash| {
        let ruling = rulings_before.get(hash);
        ruling.is_some_and(|ruling| ruling.reason.is_some())
    };
    let sql = "SELECT hash, CASE WHEN sealed THEN opened(doc, hash, body) ELSE body END, position
               FROM entry
               WHERE doc = ?1 AND kind = ?2 AND position <= ?3 ORDER BY position";
    let mut rows = log.prepare_cached(sql)?;
    let mut rows = rows.query(params![doc.0, EntryKind::CHANGE.0, signed(until)])?;
    let (mut changes, mut held) = (Vec::new(), BTreeSet::new());
    while let Some(row) = rows.next()? {
        let hash = ChangeHash(row.get(0)?);
        if unsigned(row.get(2)?) <= after && !document.open.contains(&hash) {
            continue;
        }
        if is_held(&hash) {
            held.insert(hash);
            continue;
        }
        let bytes = row.get(1)?;
        changes.push(Raw { hash, bytes });
    }
    let shape = shape(log, doc)?;
    let mut open = held;
    match shape {
        Some(shape) if !changes.is_empty() => {
            let trial = Trial {
                shape,
                doc: *doc,
                saved: std::mem::take(&mut document.saved),
                changes,
            };
            let Ok(outcome) = gate.try_all(&trial) else {
                return Ok(None);
            };
            if outcome.unread {
                // What was applied already is in the log, and nowhere else now.
                tracing::warn!(%doc, "a saved form does not load: it is built anew");
                let begun = Shelved::default();
                return apply(log, gate, doc, begun, (0, until), rulings);
            }
            for (change, reason) in outcome.held {
                open.insert(change);
                rulings.push(NewRuling {
                    doc: *doc,
                    change,
                    reason: Some(reason),
                    who: None,
                });
            }
            open.extend(outcome.waiting);
            document.saved = outcome.saved;
        }
        // Without its first change nothing can be built; it travels as it came.
        _ => open.extend(changes.iter().map(|raw| raw.hash)),
    }
    document.open = open.into_iter().collect();
    Ok(Some(document))
}

fn shape(log: &Connection, doc: &DocId) -> Result<Option<Shape>, StepError> {
    let sql = "SELECT s.bytes FROM genesis g JOIN shape s ON s.id = g.shape
               WHERE g.doc = ?1 ORDER BY s.id LIMIT 1";
    let mut statement = log.prepare_cached(sql)?;
    let found = statement.query_row([doc.0], |row| row.get::<_, Vec<u8>>(0));
    let bytes = found.optional()?;
    Ok(bytes.and_then(|bytes| packing::decode(&bytes, "shape").ok()))
}

/// The thread that makes rounds while a relay serves.
pub(crate) struct Background {
    wake: SyncSender<()>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// What wakes it, before there is a thread.
pub(crate) struct Bell {
    pub(crate) wake: SyncSender<()>,
    rung: Receiver<()>,
}

impl Bell {
    pub(crate) fn new() -> Self {
        let (wake, rung) = sync_channel(1);
        Self { wake, rung }
    }
}

impl Background {
    /// Starts the thread; its first round begins at once.
    pub(crate) fn start(
        mut maker: Maker,
        packs: Packs,
        bell: Bell,
        jobs: SyncSender<Job>,
    ) -> Result<Self, RelayError> {
        let stop = Arc::clone(&maker.stop);
        let wake = bell.wake.clone();
        let _ = wake.try_send(());
        let thread = std::thread::Builder::new().name("relay-packs".into());
        let thread = thread.spawn(move || {
            let mut rule = |rulings| {
                let (reply, answer) = oneshot::channel();
                let sent = jobs.try_send(Job::Rule(rulings, reply)).is_ok();
                sent && matches!(answer.blocking_recv(), Ok(Ok(())))
            };
            while !maker.stop.load(Ordering::Acquire) && quiet(&bell.rung, &packs) {
                match maker.round(&mut rule) {
                    Ok(round) => tracing::debug!(round.made, round.held, "packs"),
                    Err(error) => tracing::error!(%error, "no packs are made"),
                }
                if let Some(told) = &packs.told {
                    told();
                }
            }
        });
        let thread = thread.map_err(|source| RelayError::io(std::path::Path::new(""), source))?;
        Ok(Self { wake, stop, thread })
    }

    /// Ends the thread; what it was at is done by the next.
    pub(crate) fn stop(self) {
        self.stop.store(true, Ordering::Release);
        let _ = self.wake.try_send(());
        if self.thread.join().is_err() {
            tracing::error!("the maker of packs panicked");
        }
    }
}

/// Waits until something was written and then nothing for a while; false at the end.
fn quiet(rung: &Receiver<()>, packs: &Packs) -> bool {
    if rung.recv().is_err() {
        return false;
    }
    let begun = Instant::now();
    while begun.elapsed() < packs.quiet * QUIETS_MAX {
        match rung.recv_timeout(packs.quiet) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => break,
            Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
    true
}
