//! Changes that are small and claim to be large: each kind of them, of any size, made by a seed.
//!
//! Checksums are right and everything else is meant to hurt: what is packed unfolds to thousands of times
//! its size, what is counted in runs is millions, and what is long is longer than anything honest.
#![allow(
    clippy::cast_possible_truncation,
    reason = "sizes are drawn below what fits"
)]

use wangge_wire::chunk::{self, Parts, push_sleb, push_uleb};
use wangge_wire::{ActorId, ChangeHash};

use crate::working_days::Dice;

/// The smallest bomb and the largest, bytes, within what surrounds them.
pub const BYTES: (usize, usize) = (104, 300_000);

/// A packed change; our own are never packed.
const TYPE_PACKED: u8 = 2;
const ACTION: u64 = (4 << 4) | 2;
// Columns of the first kind have no number before what they hold.
const PARENT_ACTORS: u64 = 1;
const PARENTS: u64 = 3;
const KEY: u64 = (1 << 4) | 5;
const VALUE_LENGTHS: u64 = (5 << 4) | 6;
const VALUES: u64 = (5 << 4) | 7;
const PACKED: u64 = 8;

/// How a bomb hurts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bomb {
    /// A packed change.
    Packed,
    /// A packed column.
    PackedColumn,
    /// Millions of operations in one run.
    Runs,
    /// Millions of keys in one run.
    KeyRuns,
    /// As many runs as fit, each as long as may be.
    ManyRuns,
    /// Thousands of changes that it rests on.
    Dependencies,
    /// Thousands of actors.
    Actors,
    /// Thousands of columns.
    Columns,
    /// A message as long as a book.
    Message,
    /// Maps in maps in maps.
    Nesting,
    /// One value that claims a terabyte.
    Value,
    /// Numbers at their end.
    Numbers,
    /// As much as is allowed, all of it at one key.
    Heavy,
}

impl Bomb {
    /// Every kind.
    pub const ALL: [Bomb; 13] = [
        Bomb::Packed,
        Bomb::PackedColumn,
        Bomb::Runs,
        Bomb::KeyRuns,
        Bomb::ManyRuns,
        Bomb::Dependencies,
        Bomb::Actors,
        Bomb::Columns,
        Bomb::Message,
        Bomb::Nesting,
        Bomb::Value,
        Bomb::Numbers,
        Bomb::Heavy,
    ];

    /// Returns a bomb of this kind by this actor that rests on `deps`, of about so many bytes.
    pub fn make(
        self,
        actor: &ActorId,
        deps: &[ChangeHash],
        size: usize,
        dice: &mut Dice,
    ) -> Vec<u8> {
        let (low, high) = BYTES;
        let size = size.clamp(low, high);
        // What stands around it in any change.
        let inner = size.saturating_sub(80 + deps.len() * 32);
        let mut made = Change::by(actor, deps);
        match self {
            Bomb::Packed => {
                let (_, raw) = chunk::seal(TYPE_PACKED, &zeros(size.saturating_sub(12)));
                return raw;
            }
            Bomb::PackedColumn => made.columns.push((ACTION | PACKED, zeros(inner))),
            Bomb::Runs => {
                let ops = 10_001 + dice.below(1 << 40) as i64;
                made.columns.push((ACTION, run(ops, 1)));
                made.columns.push((VALUES, vec![b'a'; inner]));
            }
            Bomb::KeyRuns => {
                let mut keys = Vec::new();
                push_sleb(&mut keys, 10_001 + dice.below(1 << 40) as i64);
                push_uleb(&mut keys, inner as u64);
                keys.resize(keys.len() + inner, b'k');
                made.columns.push((KEY, keys));
                made.columns.push((ACTION, run(1, 1)));
            }
            Bomb::ManyRuns => {
                let runs = (0..inner / 4).flat_map(|n| run(9_000, n as u64 % 2));
                made.columns.push((ACTION, runs.collect()));
            }
            Bomb::Dependencies => {
                for _ in 0..inner / 32 {
                    let mut hash = [0; 32];
                    dice.fill(&mut hash);
                    made.deps.push(ChangeHash(hash));
                }
            }
            Bomb::Actors => {
                let actors = (0..inner as u64 / 9).map(|n| n.to_be_bytes().to_vec());
                made.actors = actors.collect();
            }
            Bomb::Columns => {
                let columns = (0..inner as u64 / 5).map(|n| ((n << 4) | 2, Vec::new()));
                made.columns = columns.collect();
            }
            Bomb::Message => made.message = vec![b'm'; inner],
            Bomb::Nesting => {
                let depth = 2 + dice.below(9_000) as i64;
                let mut parents = Vec::new();
                push_sleb(&mut parents, depth);
                push_sleb(&mut parents, 1);
                made.columns.push((PARENT_ACTORS, run(depth, 0)));
                made.columns.push((PARENTS, parents));
                made.columns.push((KEY, run(depth, 0)));
                made.columns.push((ACTION, run(depth, 0)));
            }
            Bomb::Value => {
                made.columns.push((KEY, vec![0x7f, 1, b'k']));
                made.columns.push((ACTION, run(1, 1)));
                let mut lengths = Vec::new();
                push_sleb(&mut lengths, 1);
                push_uleb(&mut lengths, (1 << 44) | 6);
                made.columns.push((VALUE_LENGTHS, lengths));
                made.columns.push((VALUES, vec![b'v'; inner]));
            }
            Bomb::Numbers => {
                made.seq = u64::MAX;
                made.start = if dice.below(2) == 0 {
                    u64::MAX
                } else {
                    1 << 30
                };
                made.columns.push((ACTION, run(1, 1)));
                made.columns.push((VALUES, vec![0; inner]));
            }
            Bomb::Heavy => {
                let ops = 10_000;
                made.columns.push((KEY, [run(ops, 1), vec![b'k']].concat()));
                made.columns.push((ACTION, run(ops, 1)));
                let each = (inner / ops as usize) as u64;
                made.columns
                    .push((VALUE_LENGTHS, run(ops, (each << 4) | 6)));
                made.columns
                    .push((VALUES, vec![b'v'; each as usize * ops as usize]));
            }
        }
        made.raw()
    }
}

/// A change as it is put together.
struct Change {
    deps: Vec<ChangeHash>,
    actor: ActorId,
    seq: u64,
    start: u64,
    message: Vec<u8>,
    actors: Vec<Vec<u8>>,
    columns: Vec<(u64, Vec<u8>)>,
}

impl Change {
    fn by(actor: &ActorId, deps: &[ChangeHash]) -> Self {
        Self {
            deps: deps.to_vec(),
            actor: *actor,
            seq: 1,
            // Behind the operations of any young document, and not far ahead.
            start: 2,
            message: Vec::new(),
            actors: Vec::new(),
            columns: Vec::new(),
        }
    }

    fn raw(self) -> Vec<u8> {
        let mut rest = Vec::new();
        let mut named = |bytes: &[u8]| {
            push_uleb(&mut rest, bytes.len() as u64);
            rest.extend_from_slice(bytes);
        };
        named(self.actor.as_bytes());
        push_uleb(&mut rest, self.seq);
        push_uleb(&mut rest, self.start);
        push_sleb(&mut rest, 0);
        push_uleb(&mut rest, self.message.len() as u64);
        rest.extend_from_slice(&self.message);
        push_uleb(&mut rest, self.actors.len() as u64);
        for actor in &self.actors {
            push_uleb(&mut rest, actor.len() as u64);
            rest.extend_from_slice(actor);
        }
        push_uleb(&mut rest, self.columns.len() as u64);
        for (spec, bytes) in &self.columns {
            push_uleb(&mut rest, *spec);
            push_uleb(&mut rest, bytes.len() as u64);
        }
        self.columns
            .iter()
            .for_each(|(_, bytes)| rest.extend_from_slice(bytes));
        chunk::join(&Parts {
            deps: self.deps,
            rest,
        })
        .1
    }
}

/// Returns a run of so many equal values.
fn run(count: i64, value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    push_sleb(&mut bytes, count);
    push_uleb(&mut bytes, value);
    bytes
}

/// Returns about so many bytes that unfold to 158 times as many zeros: one zero, and then again and again
/// "258 times what stood before".
fn zeros(bytes: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    // The last block, with the codes that everybody knows.
    bits.push(0b1, 1);
    bits.push(0b01, 2);
    // The literal 0 is 0011_0000, first bit first.
    bits.push(0b0000_1100, 8);
    for _ in 0..bytes.saturating_mul(8) / 13 {
        // Length 258 is 1100_0101, distance 1 is 0_0000.
        bits.push(0b1010_0011, 8);
        bits.push(0, 5);
    }
    // The end is 000_0000.
    bits.push(0, 7);
    bits.bytes
}

/// Bits that are pushed behind each other, the low ones first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    fn push(&mut self, value: u8, count: u32) {
        for at in 0..count {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> at) & 1) << (self.used % 8);
            }
            self.used += 1;
        }
    }
}
