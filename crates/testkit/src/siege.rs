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
const BATCHES: usize = 100;

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
    seed: u8,
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
            seed,
        }
    }

    /// Returns what Mallory honestly wrote: a household each, with its place.
    ///
    /// # Panics
    /// If nothing of it is new.
    pub fn households(&mut self) -> Vec<Batch> {
        let mut batches = Vec::new();
        for at in 0..self.targets.len() {
            let life = LifeNonce([0xff, self.seed, u8::try_from(at).unwrap(), 0, 0, 0, 0, 0]);
            let actor = self.attacker.key.public().actor(&life);
            let (doc, document) = self.targets.get_mut(at).unwrap();
            let puts = [
                Put::root("area", GRID),
                Put::root("door", format!("3-{at}").as_str()),
                Put::entry("members", "0001", "name", "张建国"),
            ];
            let raw = document.write(&actor, 1_000, &puts).unwrap().unwrap().raw;
            let place = Place {
                doc: *doc,
                home: AreaCode::parse(GRID).unwrap(),
                audiences: Vec::new(),
                n: 0,
            };
            let change = change(*doc, raw).unwrap();
            batches.push(self.batch(life, vec![change, Item::Place(place)]));
        }
        batches
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

fn change(doc: DocId, raw: Vec<u8>) -> Option<Item> {
    let change = Change::read(doc, kind::HOUSEHOLD, kind::SCHEMA, None, raw);
    Some(Item::Change {
        change: change.ok()?,
        action: None,
    })
}
