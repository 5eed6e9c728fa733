//! The journal from its beginning on, and what a disk may hold if the power fails on the way.
//!
//! ```text
//!   durable            not synced yet              the power fails
//!   ────────────────┬───────────────────────────┬──────────────────
//!   whole, always   │ each op: kept, torn, gone, │ what was never
//!                   │ in any order               │ asked
//! ```

use std::collections::BTreeMap;

use crate::content::Content;
use crate::journal::{FileId, Op};

/// What a disk moves at once: a write may end at any multiple of this.
const SECTOR: usize = 512;

/// What becomes of what was not durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// All of it is there.
    Whole,
    /// The last of it is torn, in the middle of a sector or at its end; what came before is there.
    Torn,
    /// The last of it is there; of what came before some is gone.
    Dropped,
    /// Some is gone, some is torn, some is there, and what came later came first.
    Reordered,
    /// Nothing of it is there.
    Gone,
}

/// The files of a disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image(BTreeMap<String, Content>);

/// A disk when its journal began.
#[derive(Clone, Default)]
pub(crate) struct Begun {
    pub(crate) files: BTreeMap<FileId, Content>,
    pub(crate) names: BTreeMap<String, FileId>,
}

/// A journal on the way from its beginning to its end.
pub struct Walk {
    ops: Vec<Op>,
    at: usize,
    files: BTreeMap<FileId, Half>,
    names: BTreeMap<String, FileId>,
    /// Changes of names that are not durable, by their place in the journal.
    open_names: Vec<usize>,
    dice: Dice,
}

/// A file of which a part is durable.
#[derive(Default)]
struct Half {
    durable: Content,
    /// What is not, by its place in the journal.
    open: Vec<usize>,
}

impl Cut {
    /// Every way in which a power cut treats an operation.
    pub const ALL: [Cut; 5] = [
        Cut::Whole,
        Cut::Torn,
        Cut::Dropped,
        Cut::Reordered,
        Cut::Gone,
    ];
}

impl Image {
    /// Returns a disk with these files.
    pub fn of(files: BTreeMap<String, Content>) -> Self {
        Self(files)
    }

    /// Returns the files by name.
    pub fn files(&self) -> impl Iterator<Item = (&str, &Content)> {
        self.0
            .iter()
            .map(|(name, content)| (name.as_str(), content))
    }

    /// Returns a file.
    pub fn file(&self, name: &str) -> Option<&Content> {
        self.0.get(name)
    }
}

impl Walk {
    pub(crate) fn new(begun: Begun, ops: Vec<Op>, seed: u64) -> Self {
        let half = |durable| Half {
            durable,
            open: Vec::new(),
        };
        let files = begun.files.into_iter();
        Self {
            ops,
            at: 0,
            files: files.map(|(file, content)| (file, half(content))).collect(),
            names: begun.names,
            open_names: Vec::new(),
            dice: Dice::new(seed),
        }
    }

    /// Returns how many operations lie behind.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Goes past the next operation and returns it; none at the end.
    pub fn step(&mut self) -> Option<&Op> {
        let index = self.at;
        let op = self.ops.get(index)?.clone();
        self.at += 1;
        match &op {
            Op::Create { file, .. } => {
                self.files.entry(*file).or_default();
                self.open_names.push(index);
            }
            Op::Delete { .. } => self.open_names.push(index),
            Op::Write { file, .. } | Op::Truncate { file, .. } => {
                self.files.entry(*file).or_default().open.push(index);
            }
            Op::Sync { file } => self.settle(*file),
            Op::SyncFailed { file } => self.lose(*file),
            Op::SyncNames => {
                let open = std::mem::take(&mut self.open_names);
                let ops = &self.ops;
                let names = &mut self.names;
                open.iter()
                    .filter_map(|it| ops.get(*it))
                    .for_each(|op| rename(names, op));
            }
        }
        self.ops.get(index)
    }

    /// Returns whether anything behind is not durable.
    pub fn is_open(&self) -> bool {
        !self.open_names.is_empty() || self.files.values().any(|file| !file.open.is_empty())
    }

    /// Returns what the disk may hold if the power fails here.
    pub fn image(&mut self, cut: Cut) -> Image {
        let mut names = self.names.clone();
        for index in &self.open_names {
            let kept = match cut {
                Cut::Whole | Cut::Torn => true,
                Cut::Gone => false,
                Cut::Dropped | Cut::Reordered => self.dice.below(2) == 0,
            };
            if let Some(op) = self.ops.get(*index).filter(|_| kept) {
                rename(&mut names, op);
            }
        }
        let last = self.at.checked_sub(1);
        let mut files = BTreeMap::new();
        for (name, file) in names {
            let Some(half) = self.files.get(&file) else {
                continue;
            };
            let mut content = half.durable.clone();
            let mut open = half.open.clone();
            if cut == Cut::Reordered {
                self.dice.shuffle(&mut open);
            }
            for index in open {
                let fate = match (cut, Some(index) == last) {
                    (Cut::Whole, _) | (Cut::Torn, false) | (Cut::Dropped, true) => Fate::Kept,
                    (Cut::Gone, _) => Fate::Gone,
                    (Cut::Torn, true) => Fate::Torn,
                    (Cut::Dropped, false) => self.dice.fate(false),
                    (Cut::Reordered, _) => self.dice.fate(true),
                };
                if let Some(op) = self.ops.get(index) {
                    keep(&mut content, op, fate, &mut self.dice);
                }
            }
            files.insert(name, content);
        }
        Image(files)
    }

    fn settle(&mut self, file: FileId) {
        let Some(half) = self.files.get_mut(&file) else {
            return;
        };
        for index in std::mem::take(&mut half.open) {
            if let Some(op) = self.ops.get(index) {
                keep(&mut half.durable, op, Fate::Kept, &mut self.dice);
            }
        }
    }

    /// A sync failed: some of what was open may be durable all the same, and the rest never will be.
    fn lose(&mut self, file: FileId) {
        let Some(half) = self.files.get_mut(&file) else {
            return;
        };
        let all = self.dice.below(2) == 0;
        for index in std::mem::take(&mut half.open) {
            let fate = match all {
                true => Fate::Gone,
                false => self.dice.fate(true),
            };
            if let Some(op) = self.ops.get(index) {
                keep(&mut half.durable, op, fate, &mut self.dice);
            }
        }
    }
}

impl std::fmt::Debug for Walk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Walk({} of {})", self.at, self.ops.len())
    }
}

fn rename(names: &mut BTreeMap<String, FileId>, op: &Op) {
    match op {
        Op::Create { file, name } => drop(names.insert(name.clone(), *file)),
        Op::Delete { name } => drop(names.remove(name)),
        _ => {}
    }
}

fn keep(content: &mut Content, op: &Op, fate: Fate, dice: &mut Dice) {
    match (op, fate) {
        (Op::Truncate { length, .. }, Fate::Kept) => content.set_len(*length),
        (Op::Write { at, bytes, .. }, Fate::Kept) => content.write(*at, bytes),
        (Op::Write { at, bytes, .. }, Fate::Torn) => tear(content, *at, bytes, dice),
        _ => {}
    }
}

/// Writes a part of `bytes`: up to somewhere, or from there on, or only the file's new length.
fn tear(content: &mut Content, at: usize, bytes: &[u8], dice: &mut Dice) {
    let mut point = dice.below(bytes.len() + 1);
    if dice.below(2) == 0 {
        point = ((at + point) / SECTOR * SECTOR).clamp(at, at + bytes.len()) - at;
    }
    let (begin, end) = bytes.split_at(point);
    match dice.below(4) {
        0 => content.write(at + point, end),
        1 => content.set_len(content.len().max(at + bytes.len())),
        _ => content.write(at, begin),
    }
}

/// What becomes of one operation.
#[derive(Clone, Copy)]
enum Fate {
    Kept,
    Torn,
    Gone,
}

/// A sequence of numbers that is the same on every machine.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16;
        usize::try_from(high).unwrap_or(0) % end.max(1)
    }

    fn fate(&mut self, tears: bool) -> Fate {
        match self.below(if tears { 4 } else { 2 }) {
            0 => Fate::Gone,
            2 => Fate::Torn,
            _ => Fate::Kept,
        }
    }

    fn shuffle(&mut self, places: &mut [usize]) {
        for end in (1..places.len()).rev() {
            let other = self.below(end + 1);
            places.swap(end, other);
        }
    }
}
