//! A device's database at work: families, visits, pages of others, batches, receipts, and a new start now
//! and then.
//!
//! All of it through the real store, opened as the program opens it.
#![allow(clippy::unwrap_used, reason = "a test's own machinery may fail loudly")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use wangge_model::door::Door;
use wangge_model::household::{self, IdKey, NewHousehold, NewMember};
use wangge_model::kind;
use wangge_model::visit::{self, Visit};
use wangge_store::outbox::Heading;
use wangge_store::{Draft, Health, Store, StoreError};
use wangge_trust::KeyPair;
use wangge_wire::batch::SUITE_PLAIN;
use wangge_wire::receipt::ItemState;
use wangge_wire::{
    ActionId, ActorId, AreaCode, BatchHash, BatchHead, ChangeHash, DocId, Incarnation, LifeNonce,
    Place, Receipt, Signature, chunk,
};

use super::{Name, Program, Tale};
use crate::scribe::{self, Letter, Scribe};
use crate::sealed;
use crate::working_days::{Dice, note, phone};

const GRID: &str = "511724103202001";
const DATABASE: &str = "wangge.db";
/// The key of its database, as a vault would hand it over.
const DATABASE_KEY: [u8; 32] = [24; 32];
const LIFE: LifeNonce = LifeNonce([3; 8]);

/// Opens a device's database as the program does that has it to itself.
///
/// **The one place where these tests open one**, as the program does.
pub fn open(dir: &Path) -> Result<Store, StoreError> {
    Store::open_alone(&dir.join(DATABASE), &DATABASE_KEY)
}

/// Returns a connection that looks into a database from outside.
fn peek(dir: &Path) -> rusqlite::Result<Connection> {
    Ok(sealed::connection(&dir.join(DATABASE), &DATABASE_KEY))
}

/// A worker's device that records.
pub struct Worker {
    dir: PathBuf,
    store: Option<Store>,
    key: KeyPair,
    relay: KeyPair,
    dice: Dice,
    steps: u64,
    households: Vec<DocId>,
    scribe: Scribe,
    neighbour: DocId,
    begun: bool,
}

impl Worker {
    /// Returns a worker whose database lies in a folder; it is not open yet.
    pub fn new(dir: &Path, seed: u64) -> Self {
        let neighbour = DocId([0xee; 16]);
        Self {
            dir: dir.to_owned(),
            store: None,
            key: KeyPair::from_secret(&[21; 32]),
            relay: KeyPair::from_secret(&[22; 32]),
            dice: Dice::new(seed),
            steps: 0,
            households: Vec::new(),
            scribe: Scribe::new(23, kind::HOUSEHOLD, neighbour, None, GRID),
            neighbour,
            begun: false,
        }
    }

    /// Ends the program that has the database, and starts it again.
    pub fn restart(&mut self) -> Result<(), StoreError> {
        self.store = None;
        self.store = Some(open(&self.dir)?);
        Ok(())
    }

    /// Ends the program that has the database.
    pub fn stop(&mut self) {
        self.store = None;
    }

    /// Does one thing; what it was is decided by the dice.
    pub fn step(&mut self, tale: &mut Tale) -> Result<(), StoreError> {
        if self.store.is_none() {
            self.restart()?;
        }
        self.steps += 1;
        match (self.households.is_empty(), self.dice.below(16)) {
            (true, _) | (_, 0..3) => self.family(tale),
            (_, 3..9) => self.visit(tale),
            (_, 9..11) => self.phone(tale),
            (_, 11) => self.page(tale),
            (_, 12..14) => self.receipts(),
            _ => self.restart(),
        }
    }

    fn family(&mut self, tale: &mut Tale) -> Result<(), StoreError> {
        let mut id = [0; 16];
        self.dice.fill(&mut id);
        let doc = DocId(id);
        let area = AreaCode::parse(GRID).unwrap();
        let members = ["张建国", "李秀英", "王芳"]
            .into_iter()
            .take(1 + self.dice.below(3));
        let members: Vec<NewMember> = members
            .map(|name| NewMember {
                name: name.to_owned(),
                ..NewMember::default()
            })
            .collect();
        let new = NewHousehold {
            area: area.clone(),
            door: Door::parse(&format!("3-{}", self.steps), ""),
            number: None,
            phone: Some(phone(&mut self.dice)),
            residence: None,
            note: note(&mut self.dice),
            arrangement: String::new(),
            contacts: Vec::new(),
            members,
        };
        let ids = (0..).zip(&new.members);
        let ids: Vec<String> = ids
            .map(|(twin, it)| household::member_id(&doc, it, twin))
            .collect();
        let family = Draft {
            doc,
            kind: kind::HOUSEHOLD,
            owner: None,
            puts: household::puts(&new, &ids, &IdKey::new([5; 32])),
            place: Some(Place {
                doc,
                home: area,
                audiences: Vec::new(),
                n: 0,
            }),
            urgent: false,
        };
        // Recorded with a first look in, as one action: both or neither.
        let visit = self.visit_of(doc);
        self.record(tale, &[family, visit])?;
        self.households.push(doc);
        Ok(())
    }

    fn visit(&mut self, tale: &mut Tale) -> Result<(), StoreError> {
        let at = self.dice.below(self.households.len());
        let visit = self.visit_of(*self.households.get(at).unwrap());
        self.record(tale, &[visit])
    }

    fn visit_of(&mut self, household: DocId) -> Draft {
        let mut id = [0; 8];
        self.dice.fill(&mut id);
        let visit = Visit {
            id: id.iter().map(|byte| format!("{byte:02x}")).collect(),
            happened_on: "2026-11-23".to_owned(),
            at_ms: self.now_ms(),
            note: note(&mut self.dice),
            ..Visit::default()
        };
        Draft {
            doc: visit::book_id(&household, 2026),
            kind: kind::VISIT_BOOK,
            owner: Some(household),
            puts: visit::puts(&visit),
            place: None,
            urgent: false,
        }
    }

    fn phone(&mut self, tale: &mut Tale) -> Result<(), StoreError> {
        let at = self.dice.below(self.households.len());
        let number = phone(&mut self.dice);
        let draft = Draft {
            doc: *self.households.get(at).unwrap(),
            kind: kind::HOUSEHOLD,
            owner: None,
            puts: vec![wangge_crdt::Put::root("phone", number.as_str())],
            place: None,
            urgent: false,
        };
        self.record(tale, &[draft])
    }

    fn record(&mut self, tale: &mut Tale, drafts: &[Draft]) -> Result<(), StoreError> {
        let (actor, at_ms, before) = (self.actor(), self.now_ms(), tale.now());
        let action = ActionId(self.steps.to_be_bytes());
        let mut names: Vec<Name> = Vec::new();
        let recorded = self.store.as_mut().unwrap().write(actor, |writer| {
            let done = writer.record(at_ms, action, drafts)?;
            let made = done.iter().filter_map(|it| Some((it.doc, it.change?)));
            names.extend(made);
            Ok::<_, StoreError>(())
        });
        tale.begun(before, &names);
        recorded?;
        // What the person reads now is that it is saved.
        tale.told(&names);
        Ok(())
    }

    fn page(&mut self, tale: &mut Tale) -> Result<(), StoreError> {
        let mut letters: Vec<Letter> = Vec::new();
        for _ in 0..=self.dice.below(3) {
            let puts = match std::mem::replace(&mut self.begun, true) {
                false => vec![wangge_crdt::Put::root("area", GRID)],
                true => vec![wangge_crdt::Put::root(
                    "note",
                    note(&mut self.dice).as_str(),
                )],
            };
            // The same note twice would be no change.
            let at = i64::try_from(letters.len()).unwrap() + self.now_ms();
            let stamp = wangge_crdt::Put::root("arrangement", format!("{at}").as_str());
            letters.push(self.scribe.write(at, &[puts, vec![stamp]].concat()));
        }
        let names: Vec<Name> = letters
            .iter()
            .map(|it| (self.neighbour, it.hash()))
            .collect();
        tale.begun(tale.now(), &names);
        let letters: Vec<&Letter> = letters.iter().collect();
        scribe::hand(self.store.as_mut().unwrap(), &letters)?;
        // The cursor stands behind them: no relay sends them again.
        tale.told(&names);
        Ok(())
    }

    fn receipts(&mut self) -> Result<(), StoreError> {
        let heading = Heading {
            head: BatchHead {
                suite: SUITE_PLAIN,
                device: self.key.public().device(),
                nonce: LIFE,
                number: 0,
                previous: BatchHash([0; 32]),
                roster: 0,
                claimed_at_ms: self.now_ms(),
                area: AreaCode::parse(GRID).unwrap(),
            },
            actor: self.actor(),
            takes_places: true,
        };
        let store = self.store.as_mut().unwrap();
        store.make_batches(&heading, &|batch| self.key.sign_batch(batch))?;
        for hash in store.pending_batches()? {
            let items = store.batch(&hash)?.items.len() as u64;
            let mut receipt = Receipt {
                relay: self.relay.public().relay(),
                incarnation: Incarnation([4; 16]),
                batch: hash,
                at_ms: 1_000,
                items: (1..=items).map(ItemState::At).collect(),
                signature: Signature([0; 64]),
            };
            self.relay.sign_receipt(&mut receipt);
            store.keep_receipt(&receipt)?;
        }
        Ok(())
    }

    fn actor(&self) -> ActorId {
        self.key.public().actor(&LIFE)
    }

    fn now_ms(&self) -> i64 {
        1_764_000_000_000 + i64::try_from(self.steps).unwrap() * 60_000
    }
}

/// Makes the tale of a worker's first steps.
///
/// # Panics
/// If a step fails, or the folder is none.
pub fn tale(dir: &Path, seed: u64, steps: usize, weak: Option<wangge_crashdisk::Weak>) -> Tale {
    let mut tale = Tale::begin();
    if weak.is_some() {
        // Made on a disk that is waited for: else nearly every image is another half-made database.
        let mounted = tale.disk.mount(dir).unwrap();
        open(dir).unwrap();
        drop(mounted);
        tale = Tale::of(tale.disk.clone());
    }
    tale.disk.weaken(weak);
    let mounted = tale.disk.mount(dir).unwrap();
    let mut worker = Worker::new(dir, seed);
    for _ in 0..steps {
        worker.step(&mut tale).unwrap();
    }
    worker.stop();
    drop(mounted);
    tale
}

/// The program on a device.
pub struct OnDevice;

impl Program for OnDevice {
    const FILE: &'static str = DATABASE;

    fn open(&self, dir: &Path) -> Result<(), String> {
        open(dir).map(drop).map_err(|error| format!("{error:?}"))
    }

    fn look(&self, dir: &Path) -> Result<BTreeSet<Name>, String> {
        let store = open(dir).map_err(|error| format!("{error:?}"))?;
        if !matches!(store.check(), Ok(Health::Sound)) {
            return Err("a page is damaged".to_owned());
        }
        drop(store);
        let rows = rows(&peek(dir).map_err(|error| error.to_string())?);
        let rows = rows.map_err(|error| error.to_string())?;
        let store = open(dir).map_err(|error| format!("{error:?}"))?;
        let mut names = BTreeSet::new();
        for row in rows {
            let named = chunk::split(&row.raw).is_ok_and(|(hash, _)| hash == row.name.1);
            if !named {
                return Err("a change is not what its hash says".to_owned());
            }
            if row.own && !row.kept_track_of {
                return Err("an own change is neither in the outbox nor anywhere else".to_owned());
            }
            let document = store.document(&row.name.0);
            let document = document.map_err(|error| format!("{error:?}"))?;
            if !document.is_some_and(|document| document.contains(&row.name.1)) {
                return Err("a document lacks a change".to_owned());
            }
            names.insert(row.name);
        }
        Ok(names)
    }
}

struct Row {
    name: Name,
    raw: Vec<u8>,
    own: bool,
    kept_track_of: bool,
}

fn rows(connection: &Connection) -> rusqlite::Result<Vec<Row>> {
    let mut rows = connection.prepare(
        "SELECT c.doc, c.hash, c.raw, c.own,
                EXISTS (SELECT 1 FROM outbox o WHERE o.doc = c.doc AND o.hash = c.hash)
                OR EXISTS (SELECT 1 FROM arrival a WHERE a.doc = c.doc AND a.hash = c.hash)
         FROM change c",
    )?;
    let rows = rows.query_map([], |row| {
        Ok(Row {
            name: (DocId(row.get(0)?), ChangeHash(row.get(1)?)),
            raw: row.get(2)?,
            own: row.get(3)?,
            kept_track_of: row.get(4)?,
        })
    })?;
    rows.collect()
}
