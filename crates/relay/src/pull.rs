//! What one device is sent: it reads on through the log, page by page, and ends with the digests.
//!
//! Every step is one short read transaction that ends before a byte is sent. **Each entry is judged by
//! where its document lives at that moment**, when it is found and again when it is packed.
//!
//! A device to whose scope a document is moved gets all its earlier entries together, in front of the
//! place that moved it in last; so a change never comes before what it rests on, wherever the device's
//! cursor stood. One that loses a document gets the place that took it away and nothing after.
//!
//! A device whose person begins to stand in for somebody reads from the beginning, with what the cover
//! adds; **the day is looked at once, when the answer begins**, so that one answer has one scope.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, params};
use wangge_wire::limits::{ABOVE_NAMES_MAX, LOST_BLOBS_MAX, PAGE_BYTES_GOAL};
use wangge_wire::message::PageEntry;
use wangge_wire::order::LevelForm;
use wangge_wire::sabotage::Sabotage;
use wangge_wire::{
    AreaCode, Audience, BlobHash, ChangeHash, Cover, CoversRead, Cursor, Day, DeviceId, Digest,
    DocId, End, EntryKind, Incarnation, Order, Page, RelayId, packing,
};

use crate::error::RelayError;
use crate::frames::{self, Fetched};
use crate::inbox::Desk;
use crate::log::{self, signed, unsigned};
use crate::orders::{self, Standing};
use crate::scope::{Light, Scope, light};
use crate::tail::{Reading, Tail};
use crate::{blobs, parked, places, risen, settlements};

/// Entries looked at in one step, visible or not.
const SCAN_MAX: usize = 4_096;
const SCAN_CHUNK: usize = 256;
/// Bytes of bodies tried as one page: a day of a worker's changes packs to about a third.
const BODIES_PER_PAGE: usize = 3 * PAGE_BYTES_GOAL;

/// One device's way through the log.
pub(crate) struct Pull {
    pub(crate) device: DeviceId,
    relay: RelayId,
    incarnation: Incarnation,
    /// Nothing is left out of a frame.
    full: bool,
    /// The day that says which covers run.
    day: Day,
    /// What the cursors of this answer say of covers.
    covers: Option<CoversRead>,
    /// The last order when the device began to read from the beginning.
    began: u64,
    /// Up to here only orders are sent: the device has a copy of the rest from another relay.
    orders_until: u64,
    /// The row of the audit chain that the device keeps a checkpoint of; 0 for none.
    pub(crate) witnessed: u64,
    /// The last position looked at.
    scanned: u64,
    /// Found and not sent.
    queue: VecDeque<Found>,
    /// Pushed in this very request: the device has them.
    skip: BTreeSet<u64>,
    /// Authors whose grants were sent although they work elsewhere.
    introduced: BTreeSet<DeviceId>,
    /// What is known of the last entries; shared by all readers.
    tail: Arc<Mutex<Tail>>,
}

/// What a step came to.
pub(crate) enum Step {
    /// A page, packed, and how many entries are in it.
    Page(Vec<u8>, usize),
    /// Nothing visible so far; there is more to look at.
    Moved,
    /// The log has ended.
    End(Box<End>),
    /// The device may not take part any more.
    NotAMember,
}

#[derive(Clone, Copy)]
struct Found {
    position: u64,
    /// Where the device stands once this was applied.
    cursor: u64,
    bytes: usize,
}

impl Pull {
    /// Returns a way that begins where the cursor stands; at the beginning without one.
    pub(crate) fn new(
        standing: &Standing,
        device: DeviceId,
        (relay, incarnation): (RelayId, Incarnation),
        cursor: Option<Cursor>,
        day: Day,
        full: bool,
    ) -> Self {
        let member = standing.roster().member(&device);
        let covers =
            member.is_some_and(|me| standing.roster().covering(me, day, 0).next().is_some());
        let read = CoversRead {
            day,
            orders: standing.at(),
        };
        Self {
            device,
            relay,
            incarnation,
            full,
            day,
            covers: covers.then(|| cursor.and_then(|cursor| cursor.covers).unwrap_or(read)),
            began: cursor.map_or(standing.at(), |cursor| cursor.granted.unwrap_or(0)),
            orders_until: 0,
            witnessed: 0,
            scanned: cursor.map_or(0, |cursor| cursor.position),
            queue: VecDeque::new(),
            skip: BTreeSet::new(),
            introduced: BTreeSet::new(),
            tail: Arc::default(),
        }
    }

    /// Passes over what the shared tail says is not for this device.
    pub(crate) fn pass_over(&mut self, tail: Arc<Mutex<Tail>>) {
        self.tail = tail;
    }

    /// Sends only the orders of what is in the log by now; the digests say what else the device lacks.
    pub(crate) fn only_orders_until(&mut self, head: u64) {
        self.orders_until = head;
    }

    /// Leaves out what the device has, since it has just sent it.
    pub(crate) fn skip(&mut self, positions: Vec<u64>) {
        self.skip.extend(positions);
    }

    /// Takes one step; the connection must be inside a transaction.
    pub(crate) fn step(
        &mut self,
        connection: &Connection,
        standing: &mut Standing,
    ) -> Result<Step, StepError> {
        standing.refresh(connection)?;
        let roster = standing.roster().clone();
        let Some(me) = roster.member(&self.device) else {
            return Ok(Step::NotAMember);
        };
        let head = log::head(connection)?;
        let scope = Scope {
            device: self.device,
            me,
            roster: &roster,
            standing,
            day: self.day,
        };

        let reading = Reading::of(&roster.areas_on(me, self.day));
        let mut looked = 0;
        while self.scanned < head.position && looked < SCAN_MAX && self.queued() < BODIES_PER_PAGE {
            let most = self.pass(connection, head.position, &reading)?;
            if most > 0 {
                looked += self.scan(connection, &scope, most)?;
            }
        }
        if let Some((packed, count)) = self.page(connection, &scope)? {
            return Ok(Step::Page(packed, count));
        }
        if self.scanned < head.position || !self.queue.is_empty() {
            return Ok(Step::Moved);
        }
        let end = self.end(connection, &scope)?;
        Ok(Step::End(Box::new(end)))
    }

    /// Moves on to the next entry that must be looked at; returns how many of them follow each other,
    /// 0 at the end of the log.
    fn pass(
        &mut self,
        connection: &Connection,
        head: u64,
        reading: &Reading,
    ) -> Result<usize, StepError> {
        if Sabotage::ScopeUncheckedOnPull.is_on() {
            return Ok(SCAN_CHUNK);
        }
        // What it holds is noted whole or not at all; a panic elsewhere leaves nothing half done.
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.fill(connection, head)?;
        let has = |position: u64| self.skip.contains(&position);
        let Some(run) = tail.next(self.scanned, head, reading, SCAN_CHUNK, has) else {
            return Ok(SCAN_CHUNK);
        };
        self.scanned = run.start;
        Ok(usize::try_from(run.end - run.start).unwrap_or(SCAN_CHUNK))
    }

    /// Looks at the next entries and queues those the device may have.
    fn scan(
        &mut self,
        connection: &Connection,
        scope: &Scope<'_>,
        most: usize,
    ) -> Result<usize, StepError> {
        let rows = light(connection, self.scanned, most)?;
        for row in &rows {
            let before = self.scanned;
            self.scanned = row.position;
            if row.position <= self.orders_until && row.kind != EntryKind::ORDER {
                continue;
            }
            if row.lived.as_ref().is_some_and(|lived| !scope.covers(lived)) {
                self.bring_along(connection, scope, row, before)?;
            }
            let comes_later =
                scope.has(row) && scope.moved_in(connection, &row.doc)? > row.position;
            if !comes_later && scope.sees(connection, row)? {
                let found = Found {
                    position: row.position,
                    cursor: row.position,
                    bytes: row.bytes,
                };
                self.queue.push_back(found);
            }
        }
        Ok(rows.len().max(1))
    }

    /// Queues all entries before a place of those documents that it was the last to move in.
    fn bring_along(
        &mut self,
        connection: &Connection,
        scope: &Scope<'_>,
        place: &Light,
        cursor: u64,
    ) -> Result<(), StepError> {
        let mut found = Vec::new();
        if Sabotage::MovedInIgnored.is_on() {
            return Ok(());
        }
        for doc in places::with_owned(connection, &place.doc)? {
            let document = places::document(connection, &doc)?;
            let lives = document.map(|document| (document.placed.home, document.placed.audiences));
            if !lives.is_some_and(|lives| scope.covers(&lives))
                || scope.moved_in(connection, &doc)? != place.position
            {
                continue;
            }
            let mut rows = connection.prepare_cached(
                "SELECT position, length(body) FROM entry WHERE doc = ?1 AND position < ?2",
            )?;
            let rows = rows.query_map(params![doc.0, signed(place.position)], |row| {
                Ok((unsigned(row.get(0)?), row.get::<_, i64>(1)?))
            })?;
            for row in rows {
                let (position, bytes) = row?;
                let bytes = usize::try_from(bytes).unwrap_or(0);
                found.push(Found {
                    position,
                    cursor,
                    bytes,
                });
            }
        }
        found.sort_by_key(|found| found.position);
        self.queue.extend(found);
        Ok(())
    }

    fn queued(&self) -> usize {
        self.queue.iter().map(|found| found.bytes).sum()
    }

    /// Returns the next page, packed; none if nothing is queued.
    fn page(
        &mut self,
        connection: &Connection,
        scope: &Scope<'_>,
    ) -> Result<Option<(Vec<u8>, usize)>, StepError> {
        let mut take = 0;
        let mut bytes = 0;
        for found in &self.queue {
            if take > 0 && bytes + found.bytes > BODIES_PER_PAGE {
                break;
            }
            bytes += found.bytes;
            take += 1;
        }
        let mut packer = packing::Packer::new()?;
        while take > 0 {
            let mut fetched: Vec<Fetched> = Vec::new();
            for found in self.queue.iter().take(take) {
                let row = light(connection, found.position - 1, 1)?.pop();
                let row = row.filter(|row| row.position == found.position);
                if let Some(row) = row.filter(|row| !self.skip.contains(&row.position))
                    && scope.sees(connection, &row)?
                {
                    let entry = frames::fetch(connection, row.position)?;
                    if Sabotage::OwnNotReturned.is_on()
                        && frames::signers(connection, std::slice::from_ref(&entry))?
                            .contains(&self.device)
                    {
                        continue;
                    }
                    fetched.push(entry);
                }
            }
            let count = fetched.len();
            let (strangers, introductions) = self.introduce(connection, scope, &fetched)?;
            // Orders first: whose word an introduction is may be among them.
            let is_order = |entry: &Fetched| entry.kind == EntryKind::ORDER;
            let (orders, rest): (Vec<_>, Vec<_>) = fetched.into_iter().partition(is_order);
            let mut entries = frames::entries(connection, &orders, self.full)?;
            entries.extend(introductions);
            entries.extend(frames::entries(connection, &rest, self.full)?);
            let page = Page {
                cursor: self.cursor(connection, scope, take)?,
                entries,
            };
            let packed = packer.pack(&packing::encode(&page))?;
            if packed.len() > PAGE_BYTES_GOAL && take > 1 {
                // Aim a little below, so that the next try is the last.
                take = (take * PAGE_BYTES_GOAL * 15 / 16 / packed.len()).clamp(1, take - 1);
                continue;
            }
            self.queue.drain(..take);
            self.introduced.extend(strangers);
            return Ok((count > 0).then_some((packed, count)));
        }
        Ok(None)
    }

    /// Returns the authors of these entries whom the device may not know, and their grants: without
    /// the key of one who works elsewhere it could not tell the signature of what it is sent.
    fn introduce(
        &self,
        connection: &Connection,
        scope: &Scope<'_>,
        fetched: &[Fetched],
    ) -> Result<(Vec<DeviceId>, Vec<PageEntry>), StepError> {
        let (mut strangers, mut entries) = (Vec::new(), Vec::new());
        let signers = frames::signers(connection, fetched)?;
        let mut paired = BTreeSet::new();
        for entry in fetched
            .iter()
            .filter(|entry| entry.kind == EntryKind::ORDER)
        {
            paired.extend(orders::named_in(scope.roster, &Order::read(&entry.body)?));
        }
        for author in signers.union(&paired).copied() {
            let Some(granted) = scope.standing.granted(&author) else {
                continue;
            };
            // The grants of a pair may have been passed before the cover brought them together.
            let comes_anyway =
                !paired.contains(&author) && scope.reads_order(connection, granted.first)?;
            if self.introduced.contains(&author) || author == self.device || comes_anyway {
                continue;
            }
            strangers.push(author);
            entries.extend(orders::introduction(connection, scope.standing, &author)?);
        }
        Ok((strangers, entries))
    }

    /// Returns where the device stands after the first `taken` of the queue.
    fn cursor(
        &self,
        connection: &Connection,
        scope: &Scope<'_>,
        taken: usize,
    ) -> Result<Cursor, StepError> {
        let last = self
            .queue
            .get(taken.saturating_sub(1))
            .filter(|_| taken < self.queue.len());
        self.cursor_at(
            connection,
            scope,
            last.map_or(self.scanned, |found| found.cursor),
        )
    }

    fn cursor_at(
        &self,
        connection: &Connection,
        scope: &Scope<'_>,
        position: u64,
    ) -> Result<Cursor, StepError> {
        let chain = log::chain_at(connection, position)?;
        let chain = chain.ok_or(RelayError::Internal {
            what: "a cursor past the log",
        })?;
        Ok(Cursor {
            relay: self.relay,
            incarnation: self.incarnation,
            position,
            chain,
            covers: self.covers,
            granted: (position < widened(scope.standing, &self.device)).then_some(self.began),
        })
    }

    /// Returns the end: cursor and digests of one moment.
    fn end(&self, connection: &Connection, scope: &Scope<'_>) -> Result<End, StepError> {
        let mut digests = Vec::new();
        // Units and auditors have areas they do not read; the scope knows which.
        for area in scope.roster.areas_on(scope.me, self.day) {
            let digest = places::area_digest(connection, &area)?;
            digests.push((Audience::Area(area.clone()), digest, (area, Vec::new())));
        }
        let unit = scope.me.unit.map(|unit| (Audience::Unit(unit), unit.0));
        let person = scope.me.person;
        let by_name = [Some((Audience::Person(person), person.0)), unit];
        for (audience, id) in by_name.into_iter().flatten() {
            if let Some(home) = scope.me.areas.first()
                && let Some(digest) = places::named_digest(connection, &id)?
            {
                let place = (home.clone(), vec![audience.clone()]);
                digests.push((audience, digest, place));
            }
        }
        let reads = |place: &(AreaCode, Vec<Audience>)| scope.covers(place);
        let digests: Vec<(Audience, Digest)> = digests
            .into_iter()
            .filter(|(_, _, place)| reads(place))
            .map(|(audience, digest, _)| (audience, digest))
            .collect();
        let (watermarks, above) = levels(connection, scope)?;
        let waiting = parked::count(connection, &self.device, parked::WAITING)?;
        Ok(End {
            cursor: self.cursor_at(connection, scope, self.scanned)?,
            digests,
            watermarks,
            inbox: parked::count(connection, &self.device, parked::INBOX)?,
            above: Some(above).filter(|names| !names.is_empty()),
            decisions: settlements::digest(connection, scope.roster, &self.device)?,
            waiting: Some(waiting).filter(|count| *count > 0),
            undecided: self.undecided(connection, scope)?,
            lost: self.lost(connection, scope)?,
            lease: None,
            lease_key: None,
            audit: None,
        })
    }

    /// Returns attachments that this relay lost and the asker may have, those it brought itself first; none
    /// for nothing.
    fn lost(
        &self,
        connection: &Connection,
        scope: &Scope<'_>,
    ) -> Result<Option<Vec<(DocId, BlobHash)>>, StepError> {
        let mut lost = Vec::new();
        for (doc, hash) in blobs::lost(connection, &self.device)? {
            if lost.len() >= LOST_BLOBS_MAX {
                break;
            }
            let Some(document) = places::document(connection, &doc)? else {
                continue;
            };
            if scope.covers(&(document.placed.home, document.placed.audiences)) {
                lost.push((doc, hash));
            }
        }
        Ok(Some(lost).filter(|lost| !lost.is_empty()))
    }

    /// Returns how much of the inbox waits for the asker, where that is a desk; none for nothing.
    fn undecided(
        &self,
        connection: &Connection,
        scope: &Scope<'_>,
    ) -> Result<Option<u32>, StepError> {
        if !scope.me.role.is_desk() {
            return Ok(None);
        }
        let desk = Desk {
            connection,
            roster: scope.roster,
            device: self.device,
            day: self.day,
        };
        let waits = desk.undecided()?;
        Ok(u32::try_from(waits).ok().filter(|count| *count > 0))
    }
}

/// Watermarks, and names of what they do not cover.
type Levels = (Vec<(LevelForm, u64)>, Vec<(DocId, ChangeHash)>);

/// Returns the watermarks of the levels above, and the names of what they do not cover although they
/// passed it, as far as they concern the device.
fn levels(connection: &Connection, scope: &Scope<'_>) -> Result<Levels, StepError> {
    let names = risen::exceptions(connection)?;
    if names.len() > ABOVE_NAMES_MAX {
        // More than can be named: then nothing is said of the levels above at all.
        return Ok((Vec::new(), Vec::new()));
    }
    let mut above = Vec::new();
    for (doc, hash) in names {
        if may_be_named(connection, scope, &doc, &hash)? {
            above.push((doc, hash));
        }
    }
    Ok((risen::watermarks(connection)?, above))
}

/// Returns whether a name may be told: the device reads the document, or read it where it once lived,
/// or wrote the change. **Who has the change must hear of it**, or the watermark that passed it would call
/// it safe; who never had it learns nothing.
fn may_be_named(
    connection: &Connection,
    scope: &Scope<'_>,
    doc: &DocId,
    hash: &ChangeHash,
) -> Result<bool, StepError> {
    let document = places::document(connection, doc)?;
    let lives = document.map(|document| (document.placed.home, document.placed.audiences));
    if lives.is_some_and(|lives| scope.covers(&lives)) {
        return Ok(true);
    }
    for doc in places::with_owners(connection, doc)? {
        let moves = places::before(connection, &doc)?;
        let had = |before: places::Before| scope.covers(&(before.home, before.audiences));
        if moves.into_iter().any(had) {
            return Ok(true);
        }
    }
    let sql = "SELECT 1 FROM entry e JOIN batch b ON b.id = e.batch
               WHERE e.doc = ?1 AND e.hash = ?2 AND b.device = ?3
               UNION ALL SELECT 1 FROM parked WHERE doc = ?1 AND hash = ?2 AND device = ?3";
    let mut wrote = connection.prepare_cached(sql)?;
    Ok(wrote.exists(params![doc.0, hash.0, scope.device.0])?)
}

/// Why a step was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StepError {
    #[error("the database refused")]
    Sqlite(#[from] rusqlite::Error),
    #[error("an entry does not read")]
    Malformed(#[from] wangge_wire::Malformed),
    #[error(transparent)]
    Relay(#[from] RelayError),
}

/// Returns the last order that widened what a device reads; 0 for none.
pub(crate) fn widened(standing: &Standing, device: &DeviceId) -> u64 {
    standing
        .granted(device)
        .map_or(0, |granted| granted.widened)
}

/// Returns whether a device's cursor is of this log, and no grant or cover since has widened its
/// scope. A cover that ended does not make it stale: what it brought was read.
pub(crate) fn is_current(
    connection: &Connection,
    standing: &Standing,
    device: &DeviceId,
    (relay, incarnation): (&RelayId, &Incarnation),
    cursor: &Cursor,
    day: Day,
) -> rusqlite::Result<bool> {
    if cursor.relay != *relay || cursor.incarnation != *incarnation {
        return Ok(false);
    }
    // A further grant may open areas whose entries the cursor has passed: begin again.
    let widened = widened(standing, device);
    let regranted = widened > cursor.position
        && widened > cursor.granted.unwrap_or(0)
        && !Sabotage::WidenedIgnored.is_on();
    let roster = standing.roster();
    let member = roster.member(device);
    let is_read = |cover: &Cover| {
        cursor.covers.is_some_and(|read| {
            cover.runs(read.day, 0) && standing.cover_at(&cover.id) <= read.orders
        })
    };
    let covers_read = member.is_none_or(|me| roster.covering(me, day, 0).all(is_read));
    let same_log = Sabotage::CursorWithoutChain.is_on()
        || log::chain_at(connection, cursor.position)? == Some(cursor.chain);
    Ok(same_log && covers_read && !regranted)
}
