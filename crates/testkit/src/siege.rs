//! An attack on whoever keeps households: as letters to a device, and as batches to a relay.
//!
//! Mallory is a worker like any other, with households of her own; each hostile change is the first of a life
//! of its own, signed as it should be. **Whoever is attacked must be as before, but for what it holds back.**
#![allow(clippy::unwrap_used, reason = "a test's own machinery may fail loudly")]

use std::net::SocketAddr;

use wangge_crdt::{Document, Put};
use wangge_model::kind;
use wangge_trust::KeyPair;
use wangge_wire::batch::SUITE_PLAIN;
use wangge_wire::receipt::ItemState;
use wangge_wire::{
    AreaCode, Batch, BatchHash, BatchHead, Change, DocId, Item, LifeNonce, Place, Signature,
};

use crate::attack::{Attacker, Hostile};
use crate::device::{Device, read_answer};
use crate::scribe::Letter;
use crate::wire_client;

const GRID: &str = "511724103202001";
/// Batches in one request.
const BATCHES: usize = 25;

/// Households that are not attacked.
pub const QUIET: u8 = 20;

/// What is handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arm {
    /// What claims to be larger than it is.
    Bombs,
    /// Damaged changes.
    Mutants,
    /// What the library takes in and does not load again.
    Poison,
}

/// Somebody with households who attacks them.
pub struct Siege {
    /// Who attacks; public so that a test may ask how much was tried.
    pub attacker: Attacker,
    /// The households.
    pub targets: Vec<(DocId, Document)>,
    turn: usize,
}

/// What became of what was handed to a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// No envelope could be made of it: no relay and no device is ever given it.
    pub no_change: usize,
    /// In the log.
    pub numbered: usize,
    /// At the relay without a number.
    pub waiting: usize,
    /// Refused.
    pub refused: usize,
}

impl Siege {
    /// Returns an attacker by a seed, with so many households of her own.
    ///
    /// # Panics
    /// If a household cannot be begun.
    pub fn new(seed: u8, households: u8) -> Self {
        let shape = kind::shape(kind::HOUSEHOLD).unwrap();
        let targets = (0..households).map(|n| {
            let doc = DocId([n + 1; 16]);
            (doc, Document::begin(&shape, &doc).unwrap())
        });
        Self {
            attacker: Attacker::new(KeyPair::from_secret(&[seed; 32]), u64::from(seed)),
            targets: targets.collect(),
            turn: 0,
        }
    }

    /// Returns what Mallory honestly wrote: a household each, with its place.
    ///
    /// # Panics
    /// If nothing of it is new.
    pub fn households(&mut self) -> Vec<Batch> {
        let mut batches = Vec::new();
        for at in 0..self.targets.len() {
            let (doc, mut document) = self.targets.get(at).unwrap().clone();
            batches.push(self.begin(doc, &mut document));
            self.targets.get_mut(at).unwrap().1 = document;
        }
        batches
    }

    /// Returns as much honest work on other households, with notes of so many bytes: what it costs whoever
    /// takes it in is no harm done by an attack.
    ///
    /// # Panics
    /// If nothing of it is new.
    pub fn honest_work(&mut self, changes: usize, bytes: usize) -> Vec<Batch> {
        let shape = kind::shape(kind::HOUSEHOLD).unwrap();
        let mut others: Vec<(DocId, Document)> = (0..QUIET)
            .map(|n| DocId([0x80 + n; 16]))
            .map(|doc| (doc, Document::begin(&shape, &doc).unwrap()))
            .collect();
        let mut batches = Vec::new();
        for (doc, document) in &mut others {
            batches.push(self.begin(*doc, document));
        }
        for turn in 0..changes {
            let at = turn % others.len();
            let (doc, document) = others.get_mut(at).unwrap();
            let note = self.attacker.text(bytes);
            let puts = [Put::root("note", note.as_str())];
            batches.push(self.write(*doc, document, &puts, None));
        }
        batches
    }

    fn begin(&mut self, doc: DocId, document: &mut Document) -> Batch {
        let door = format!("3-{}", doc.0.first().unwrap());
        let puts = [
            Put::root("area", GRID),
            Put::root("door", door.as_str()),
            Put::entry("members", "0001", "name", "张建国"),
        ];
        let place = Place {
            doc,
            home: AreaCode::parse(GRID).unwrap(),
            audiences: Vec::new(),
            n: 0,
        };
        self.write(doc, document, &puts, Some(place))
    }

    fn write(
        &mut self,
        doc: DocId,
        document: &mut Document,
        puts: &[Put],
        place: Option<Place>,
    ) -> Batch {
        let (life, actor) = self.attacker.next_life();
        let raw = document.write(&actor, 1_000, puts).unwrap().unwrap().raw;
        let change = change(doc, raw).unwrap();
        let items = std::iter::once(change).chain(place.map(Item::Place));
        self.batch(life, items.collect())
    }

    /// Returns the next hostile change, and the household it is for.
    pub fn next(&mut self, arm: Arm) -> (DocId, Hostile) {
        let at = self.turn % self.targets.len();
        self.turn += 1;
        let (doc, document) = self.targets.get(at).unwrap();
        let hostile = match arm {
            Arm::Bombs => self.attacker.bomb(document).1,
            Arm::Mutants => self.attacker.mutant(document),
            Arm::Poison => self.attacker.poison(document),
        };
        (*doc, hostile)
    }

    /// Returns a batch with a hostile change; none where no envelope can be made of it.
    pub fn wrap(&self, doc: DocId, hostile: Hostile) -> Option<Batch> {
        let item = change(doc, hostile.raw)?;
        Some(self.batch(hostile.life, vec![item]))
    }

    /// Returns the batch as it comes in a page.
    pub fn letter(&self, batch: &Batch) -> Letter {
        Letter::of(batch, self.attacker.key.public())
    }

    /// Hands batches to a relay as the device of this attacker, and says what became of the items.
    ///
    /// # Panics
    /// If the relay does not answer each of them.
    pub fn hand_in(
        &self,
        device: &mut Device,
        relay: SocketAddr,
        now_ms: i64,
        batches: &[Batch],
    ) -> Tally {
        let mut tally = Tally::default();
        for part in batches.chunks(BATCHES) {
            let frames = Device::full(part);
            let ask = device.ask(part.len(), true);
            let request = device.request(relay, now_ms, &ask.bytes(), &frames);
            let answer = read_answer(&wire_client::send_raw(relay, &request));
            assert_eq!(answer.status, 200);
            assert_eq!(answer.verdicts.len(), part.len(), "{:?}", answer.failed);
            // She goes on where this answer ended: what she wrote is of no use to her.
            device.cursor = answer.end.as_ref().map(|end| end.cursor).or(device.cursor);
            let receipts = answer.receipts();
            tally.refused += part.len() - receipts.len();
            for state in receipts.iter().flat_map(|receipt| &receipt.items) {
                match state {
                    ItemState::At(_) => tally.numbered += 1,
                    ItemState::Refused(_) => tally.refused += 1,
                    _ => tally.waiting += 1,
                }
            }
        }
        tally
    }

    fn batch(&self, life: LifeNonce, items: Vec<Item>) -> Batch {
        let mut batch = Batch {
            head: BatchHead {
                suite: SUITE_PLAIN,
                device: self.attacker.key.public().device(),
                nonce: life,
                number: 1,
                previous: BatchHash([0; 32]),
                roster: 0,
                claimed_at_ms: 1_000,
                area: AreaCode::parse(GRID).unwrap(),
            },
            items,
            signature: Signature([0; 64]),
            shapes: vec![kind::shape(kind::HOUSEHOLD).unwrap()],
        };
        self.attacker.key.sign_batch(&mut batch);
        batch
    }
}

impl Tally {
    /// Adds what became of further ones.
    pub fn add(&mut self, other: Tally) {
        self.no_change += other.no_change;
        self.numbered += other.numbered;
        self.waiting += other.waiting;
        self.refused += other.refused;
    }
}

/// Has panics that are caught say nothing: the search for poison meets many.
pub fn silence() {
    wangge_crdt::gate::silence_caught_panics();
}

fn change(doc: DocId, raw: Vec<u8>) -> Option<Item> {
    let change = Change::read(doc, kind::HOUSEHOLD, kind::SCHEMA, None, raw);
    Some(Item::Change {
        change: change.ok()?,
        action: None,
    })
}
