//! Somebody who means to break whoever reads: bombs, damaged changes with right checksums, and poison.
//!
//! Each change is by an actor of its own, so that none is set aside for having the number of another. All
//! of it follows from a seed. **Poison is searched for, not written down**: it is what the library takes in
//! and cannot load again, and another version of it may have another.
#![allow(clippy::unwrap_used, reason = "a test's own machinery may fail loudly")]

use std::collections::BTreeMap;

use wangge_crdt::fate::{Fate, without_a_gate};
use wangge_crdt::{Document, Put};
use wangge_trust::KeyPair;
use wangge_wire::chunk::{self, Parts};
use wangge_wire::{ActorId, ChangeHash, LifeNonce};

use crate::bombs::{BYTES, Bomb};
use crate::working_days::{Dice, note};

/// Honest changes of a document that are damaged in turn.
const HONEST: usize = 16;

/// A hostile change, and the life under which its author signs it.
#[derive(Debug, Clone)]
pub struct Hostile {
    /// The life.
    pub life: LifeNonce,
    /// The change.
    pub raw: Vec<u8>,
}

/// Somebody who means harm.
pub struct Attacker {
    /// Whose key signs it.
    pub key: KeyPair,
    dice: Dice,
    lives: u64,
    /// Changes that are damaged, by the heads of the document they are the next of.
    honest: BTreeMap<Vec<ChangeHash>, Vec<Parts>>,
    /// Mutants that were tried in the search for poison.
    pub tried: u64,
}

impl Attacker {
    /// Returns an attacker with this key, by a seed.
    pub fn new(key: KeyPair, seed: u64) -> Self {
        Self {
            key,
            dice: Dice::new(seed),
            lives: 0,
            honest: BTreeMap::new(),
            tried: 0,
        }
    }

    /// Returns the next bomb against a document: each kind in turn, of all sizes.
    pub fn bomb(&mut self, document: &Document) -> (Bomb, Hostile) {
        let (life, actor) = self.next_life();
        let turn = usize::try_from(self.lives).unwrap();
        let kind = *Bomb::ALL.get(turn % Bomb::ALL.len()).unwrap();
        // As many of a hundred bytes as of a hundred thousand.
        let (low, high) = BYTES;
        let doubled = self.dice.below(12);
        let size = (low << doubled) + self.dice.below(low << doubled);
        let raw = kind.make(&actor, &document.heads(), size.min(high), &mut self.dice);
        (kind, Hostile { life, raw })
    }

    /// Returns an honest change to a document with a few bytes of it changed, and a right checksum.
    pub fn mutant(&mut self, document: &Document) -> Hostile {
        let (life, actor) = self.next_life();
        let honest = match self.honest.get(&document.heads()) {
            Some(honest) => honest,
            None => {
                let honest = self.honest_changes(document);
                self.honest.entry(document.heads()).or_insert(honest)
            }
        };
        let which = self.dice.below(honest.len());
        let mut parts = honest.get(which).unwrap().clone();
        // The length of an actor, and its 8 bytes.
        parts.rest.splice(1..9, actor.0);
        for _ in 0..=self.dice.below(3) {
            self.damage(&mut parts.rest);
        }
        let (_, raw) = chunk::join(&parts);
        Hostile { life, raw }
    }

    /// Returns honest changes to a document, each as if it were the next.
    fn honest_changes(&mut self, document: &Document) -> Vec<Parts> {
        let change = |turn: usize, dice: &mut Dice| {
            let mut puts = vec![Put::root("note", note(dice).as_str())];
            for at in 0..turn % 4 {
                let id = format!("{at:04}");
                puts.push(Put::entry("members", &id, "name", note(dice).as_str()));
                puts.push(Put::entry("members", &id, "sex", at as i64));
            }
            let actor = ActorId([7; 8]);
            let written = document.clone().write(&actor, 1_000, &puts);
            chunk::split(&written.unwrap().unwrap().raw).unwrap().1
        };
        (0..HONEST)
            .map(|turn| change(turn, &mut self.dice))
            .collect()
    }

    /// Returns a change that the library takes into this document, after which what it saves does not load.
    pub fn poison(&mut self, document: &Document) -> Hostile {
        loop {
            self.tried += 1;
            let mutant = self.mutant(document);
            if without_a_gate(document, &mutant.raw) == Fate::Poisonous {
                return mutant;
            }
        }
    }

    /// Changes, takes away, adds or repeats bytes behind the author's name.
    fn damage(&mut self, rest: &mut Vec<u8>) {
        let begin = 9;
        let at = begin + self.dice.below(rest.len() - begin);
        match self.dice.below(5) {
            0 => drop(rest.remove(at)),
            1 => rest.insert(at, self.byte()),
            2 => {
                let end = (at + 1 + self.dice.below(8)).min(rest.len());
                let again: Vec<u8> = rest.get(at..end).unwrap().to_vec();
                rest.splice(at..at, again);
            }
            3 => *rest.get_mut(at).unwrap() ^= 1 << self.dice.below(8),
            _ => *rest.get_mut(at).unwrap() = self.byte(),
        }
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.dice.below(256)).unwrap()
    }

    /// Returns a text of so many bytes that does not pack well.
    pub fn text(&mut self, bytes: usize) -> String {
        (0..bytes)
            .map(|_| char::from(b'a' + self.byte() % 26))
            .collect()
    }

    /// Returns a life that was never used, and its actor.
    pub fn next_life(&mut self) -> (LifeNonce, ActorId) {
        self.lives += 1;
        let life = LifeNonce(self.lives.to_be_bytes());
        (life, self.key.public().actor(&life))
    }
}
