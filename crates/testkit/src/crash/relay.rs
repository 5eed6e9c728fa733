//! A relay's database at work: people are let in, devices push and pull, and now and then it is started
//! anew.
//!
//! The whole relay answers, its handlers and its writer, on the caller's own thread; the devices are real
//! replicas, on another disk that never fails. **A receipt is noted at the moment the answer with it leaves.**
#![allow(clippy::unwrap_used, reason = "a test's own machinery may fail loudly")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use wangge_agent::households::{HouseholdInput, MemberInput};
use wangge_agent::link::{Carried, Carrier};
use wangge_agent::visits::VisitInput;
use wangge_agent::{AgentError, Machine, Replica};
use wangge_crashdisk::{Disk, Image, Mounted, Weak};
use wangge_relay::{
    Clock, Dice as RelayDice, Inline, LevelForm, NewInvitation, Relay, RelayError, Settings,
};
use wangge_wire::digest::content_hash;
use wangge_wire::limits::ANSWER_FRAME_BYTES_MAX;
use wangge_wire::message::AnswerKind;
use wangge_wire::receipt::ItemState;
use wangge_wire::sabotage::{Sabotage, switch};
use wangge_wire::stream::Splitter;
use wangge_wire::{
    AreaCode, BatchHash, ChangeHash, DocId, EntryKind, Place, Receipt, Role, Verdict, chunk,
    packing,
};

mod morning;

pub use morning::{Morning, Run, Script};

use super::{Name, Program, Tale};
use crate::sim::link::{again, copy};
use crate::sim::template::{folder, runtime};
use crate::town::MORNING_MS;
use crate::working_days::{Dice, note};

const GRIDS: [&str; 2] = ["511724103202001", "511724103202002"];
const DATABASE: &str = "relay.db";
const KEY: &str = "relay.key";
const KEYS: &str = "keys.db";
const URL: &str = "http://127.0.0.1:8720";

/// Returns the settings of a relay whose clock stands where `now` says, and whose dice are the same at
/// each start.
fn settings(now: &Arc<AtomicI64>) -> Settings {
    let (now, dice) = (Arc::clone(now), Mutex::new(Dice::new(77)));
    Settings {
        clock: Clock::of(move || now.load(Ordering::SeqCst)),
        dice: RelayDice::of(move |bytes| {
            dice.lock().unwrap().fill(bytes);
            Ok(())
        }),
        upstream_every: None,
        ..Settings::new("光明村", LevelForm::Village)
    }
}

/// What the line between the devices and the relay saw.
#[derive(Default)]
struct Line {
    inline: Mutex<Option<Arc<Inline>>>,
    /// Receipts that left, with the moment.
    receipts: Mutex<Vec<(Receipt, usize)>>,
    /// What was asked.
    requests: Mutex<Vec<Request<Vec<u8>>>>,
    disk: Disk,
}

struct Link(Arc<Line>);

impl Carrier for Link {
    fn carry(&self, request: reqwest::Request) -> Carried {
        let line = Arc::clone(&self.0);
        Box::pin(async move {
            let inline = line.inline.lock().unwrap().clone();
            let no_link = || AgentError::NoLink {
                reason: "off".to_owned(),
                reached: false,
            };
            let inline = inline.ok_or_else(no_link)?;
            line.requests.lock().unwrap().push(copy(&request));
            let answer = inline.answer(copy(&request), usize::MAX).await;
            line.hear(answer.body());
            let (parts, body) = answer.into_parts();
            Ok(reqwest::Response::from(Response::from_parts(parts, body)))
        })
    }
}

impl Line {
    /// Notes the receipts in an answer that leaves now.
    fn hear(&self, body: &[u8]) {
        let mut splitter = Splitter::new(ANSWER_FRAME_BYTES_MAX);
        splitter.push(body);
        while let Ok(Some((kind, payload))) = splitter.next_frame() {
            if AnswerKind(kind) == AnswerKind::VERDICT
                && let Ok(Verdict::Receipt(receipt)) = packing::decode(&payload, "verdict")
            {
                let told = (receipt, self.disk.recorded());
                self.receipts.lock().unwrap().push(told);
            }
        }
    }
}

/// A village: a relay on the disk, and two workers who sync with it.
pub struct Village {
    /// The relay's disk, and what was receipted.
    pub tale: Tale,
    dir: TempDir,
    homes: TempDir,
    runtime: Runtime,
    line: Arc<Line>,
    workers: Vec<Replica>,
    doors: [Vec<String>; 2],
    dice: Dice,
    now: Arc<AtomicI64>,
    positions: BTreeMap<Name, u64>,
    batches: BTreeMap<BatchHash, Vec<Name>>,
    /// Whether the log was copied back into the database while the relay ran, before it was stopped.
    pub copied_back: bool,
}

impl Village {
    /// Returns a village whose relay was never started.
    pub fn new(seed: u64) -> Self {
        let tale = Tale::begin();
        let line = Line {
            disk: tale.disk.clone(),
            ..Line::default()
        };
        Self {
            tale,
            dir: folder(),
            homes: folder(),
            runtime: runtime(),
            line: Arc::new(line),
            workers: Vec::new(),
            doors: Default::default(),
            dice: Dice::new(seed),
            now: Arc::new(AtomicI64::new(MORNING_MS)),
            positions: BTreeMap::new(),
            batches: BTreeMap::new(),
            copied_back: false,
        }
    }

    /// Returns the relay's folder, over which its disk is mounted.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Starts the relay, and lets the workers in at its first start.
    pub fn start(&mut self) -> Result<(), RelayError> {
        let _on = self.runtime.enter();
        for name in [DATABASE, KEYS] {
            let there = self.tale.disk.content(name);
            mark(
                self.dir.path(),
                name,
                there.is_some_and(|it| !it.is_empty()),
            )
            .unwrap();
        }
        let relay = Relay::open(self.dir.path(), &settings(&self.now))?;
        let inline = Arc::new(Inline::open(relay)?);
        *self.line.inline.lock().unwrap() = Some(inline);
        Ok(())
    }

    /// Stops the relay as an operator does.
    pub fn stop(&mut self) {
        self.line.inline.lock().unwrap().take();
        self.settle();
    }

    /// Lets the writer do what nobody waits for, and end where its relay is off.
    fn settle(&self) {
        for _ in 0..2 {
            self.runtime.block_on(tokio::task::yield_now());
        }
    }

    /// Lets the workers in.
    pub fn enroll(&mut self) {
        for (at, grid) in GRIDS.into_iter().enumerate() {
            let name = ["李梅", "王强"].get(at).copied().unwrap_or_default();
            let new = NewInvitation {
                name: name.to_owned(),
                role: Role::Worker,
                areas: vec![AreaCode::parse(grid).unwrap()],
            };
            let inline = self.line.inline.lock().unwrap().clone().unwrap();
            let code = inline.relay().invite(&new, MORNING_MS).unwrap().shown();
            let machine = machine(&self.now, at as u64);
            let home = self.homes.path().join(name);
            let mut replica = Replica::init(&home, name, Vec::new(), machine).unwrap();
            replica.carry_by(Arc::new(Link(Arc::clone(&self.line))));
            let enrolled = replica.enroll(&code, URL, name, None);
            self.runtime.block_on(enrolled).unwrap();
            self.workers.push(replica);
        }
    }

    /// Has one worker record something and sync.
    pub fn work(&mut self) -> Result<(), AgentError> {
        self.now.fetch_add(61_000, Ordering::SeqCst);
        let who = self.dice.below(self.workers.len());
        let many = 1 + self.dice.below(3);
        for _ in 0..many {
            self.write(who);
        }
        self.sync(who)
    }

    /// Has one worker sync.
    pub fn sync(&mut self, who: usize) -> Result<(), AgentError> {
        let before = self.tale.now();
        let worker = self.workers.get_mut(who).unwrap();
        let outbox = worker.store().outbox().unwrap();
        let names: Vec<Name> = outbox.iter().map(|row| (row.doc, row.hash)).collect();
        self.tale.begun(before, &names);
        let synced = self.runtime.block_on(worker.sync());
        self.settle();
        self.note(who);
        synced.map(drop)
    }

    fn write(&mut self, who: usize) {
        let grid = GRIDS.get(who).copied().unwrap();
        let worker = self.workers.get_mut(who).unwrap();
        let doors = self.doors.get_mut(who).unwrap();
        if doors.is_empty() || self.dice.below(3) == 0 {
            let door = format!("{}-{}", who + 1, doors.len() + 1);
            let input = HouseholdInput {
                area: Some(grid.to_owned()),
                door: door.clone(),
                members: vec![MemberInput {
                    name: "张建国".to_owned(),
                    ..MemberInput::default()
                }],
                ..HouseholdInput::default()
            };
            worker.add_household(input).unwrap();
            doors.push(door);
            return;
        }
        let input = VisitInput {
            household: doors.get(self.dice.below(doors.len())).unwrap().clone(),
            note: note(&mut self.dice),
            ..VisitInput::default()
        };
        worker.add_visit(input).unwrap();
    }

    /// Writes down what receipts told.
    fn note(&mut self, who: usize) {
        let worker = self.workers.get(who).unwrap();
        for (receipt, at) in std::mem::take(&mut *self.line.receipts.lock().unwrap()) {
            let batch = worker.store().batch(&receipt.batch).unwrap();
            let names = batch.items.iter().map(|item| item.name());
            let names = names.map(|name| (name.doc, name.hash)).collect();
            self.batches.insert(receipt.batch, names);
            for (item, state) in batch.items.iter().zip(&receipt.items) {
                let name = item.name();
                if let ItemState::At(position) = state {
                    self.tale.told_at(at, (name.doc, name.hash));
                    self.positions.insert((name.doc, name.hash), *position);
                }
            }
        }
    }

    /// Returns the program that opens images of this relay's disk.
    pub fn program(&self) -> OnRelay {
        OnRelay {
            now: Arc::clone(&self.now),
            key: std::fs::read(self.dir.path().join(KEY)).unwrap_or_default(),
            positions: self.positions.clone(),
        }
    }
}

fn machine(now: &Arc<AtomicI64>, seed: u64) -> Machine {
    let (now, dice) = (Arc::clone(now), Mutex::new(Dice::new(seed + 500)));
    Machine {
        now_ms: Box::new(move || now.load(Ordering::SeqCst)),
        fill: Box::new(move |bytes| {
            dice.lock().unwrap().fill(bytes);
            Ok(())
        }),
        born_ms: Box::new(|_| None),
        alone: true,
        ..Machine::default()
    }
}

/// Lets the folder of the system have a database, or none: a relay looks there before it asks SQLite.
fn mark(dir: &Path, name: &str, there: bool) -> std::io::Result<()> {
    let marker = dir.join(name);
    match (there, marker.exists()) {
        (true, false) => std::fs::write(marker, [0]),
        (false, true) => std::fs::remove_file(marker),
        _ => Ok(()),
    }
}

/// The program on a relay.
pub struct OnRelay {
    now: Arc<AtomicI64>,
    key: Vec<u8>,
    positions: BTreeMap<Name, u64>,
}

impl Program for OnRelay {
    const FILE: &'static str = DATABASE;

    fn open(&self, dir: &Path) -> Result<(), String> {
        // The dice of each start are the same, so that one state of the disk makes one of the database.
        let opened = Relay::open(dir, &settings(&self.now));
        opened.map(drop).map_err(|error| format!("{error:?}"))
    }

    fn look(&self, dir: &Path) -> Result<BTreeSet<Name>, String> {
        let connection = Connection::open(dir.join(DATABASE)).and_then(|mut connection| {
            wangge_relay::open_bodies(&mut connection, dir)?;
            Ok(connection)
        });
        let connection = connection.map_err(|error| error.to_string())?;
        self.log(&connection).map_err(|error| error.to_string())?
    }

    fn stage(&self, dir: &Path, image: &Image) {
        let there = image.file(DATABASE).is_some_and(|file| !file.is_empty());
        mark(dir, DATABASE, there).unwrap();
        let keys = image.file(KEYS).is_some_and(|file| !file.is_empty());
        mark(dir, KEYS, keys).unwrap();
        let key = dir.join(KEY);
        match (there, key.exists()) {
            // A key without a log would be that of a relay whose log is lost.
            (false, true) => std::fs::remove_file(key).unwrap(),
            (true, _) if std::fs::read(&key).unwrap_or_default() != self.key => {
                std::fs::write(key, &self.key).unwrap();
            }
            _ => {}
        }
    }
}

impl OnRelay {
    /// Looks through the log; returns what devices wrote in it.
    fn log(&self, connection: &Connection) -> rusqlite::Result<Result<BTreeSet<Name>, String>> {
        let whole: String = connection.query_row("PRAGMA quick_check", [], |row| row.get(0))?;
        if whole != "ok" {
            return Ok(Err(whole));
        }
        let wrong = |what: &str| Ok(Err(what.to_owned()));
        let sql = "SELECT count(*) FROM document d WHERE d.changes <>
                   (SELECT count(*) FROM entry e WHERE e.doc = d.doc AND e.kind = 1)";
        if connection.query_row(sql, [], |row| row.get::<_, i64>(0))? > 0 {
            return wrong("the digest of a document is not of its changes");
        }
        let sql = "SELECT position, kind, doc, hash, chain,
                     CASE WHEN sealed THEN opened(doc, hash, body) ELSE body END
                   FROM entry ORDER BY position";
        let mut rows = connection.prepare(sql)?;
        let mut rows = rows.query([])?;
        let (mut names, mut before) = (BTreeSet::new(), (0, [0; 8]));
        while let Some(row) = rows.next()? {
            let (position, kind): (i64, u8) = (row.get(0)?, row.get(1)?);
            let position = position.unsigned_abs();
            let (doc, hash) = (DocId(row.get(2)?), ChangeHash(row.get(3)?));
            let (chain, body): ([u8; 8], Vec<u8>) = (row.get(4)?, row.get(5)?);
            let link = [before.1.as_slice(), &[kind], &doc.0, &hash.0].concat();
            if position != before.0 + 1 || !content_hash(&link).0.starts_with(&chain) {
                return wrong("the log does not hang together");
            }
            before = (position, chain);
            let named = match EntryKind(kind) {
                EntryKind::CHANGE => chunk::split(&body).is_ok_and(|(it, _)| it == hash),
                EntryKind::PLACE => Place::read(&body).is_ok_and(|it| it.hash() == hash),
                // The relay's own orders; their signatures are looked at when it opens.
                _ => continue,
            };
            if !named {
                return wrong("an entry is not what its hash says");
            }
            if self
                .positions
                .get(&(doc, hash))
                .is_some_and(|it| *it != position)
            {
                return wrong("an entry is not where its receipt says");
            }
            names.insert((doc, hash));
        }
        Ok(Ok(names))
    }
}
