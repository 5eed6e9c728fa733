//! Power cuts after every operation on a disk, under the real programs: what was promised must be there.
//!
//! A [`Tale`] is a disk on which a program worked, with the moments at which each change began to be
//! written and at which somebody was told that it is kept. [`cut_everywhere`] makes images of that disk
//! and lets the real program open each, with its own settings, recovery and migrations. What it makes of
//! an image must be **page for page a state that was looked through**: every record there that had been
//! told of by then, each read back to its hash, none that was not yet begun, and no damaged page.

pub mod device;
pub mod relay;
pub mod sweep;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use wangge_crashdisk::{Content, Cut, Disk, Image, Walk};
use wangge_wire::{ChangeHash, DocId};

/// A change by its name.
pub type Name = (DocId, ChangeHash);

/// A program whose database lies on the disk.
pub trait Program {
    /// The database's name in the folder.
    const FILE: &'static str;

    /// Opens the folder as the program does at its start, and closes it.
    fn open(&self, dir: &Path) -> Result<(), String>;

    /// Looks through the folder: every page and every record; returns the changes in it.
    fn look(&self, dir: &Path) -> Result<BTreeSet<Name>, String>;

    /// Lets the folder look outside the disk as it did when the disk held this.
    fn stage(&self, _dir: &Path, _image: &Image) {}
}

/// A disk on which a program worked, and what it promised meanwhile.
#[derive(Default)]
pub struct Tale {
    /// The disk.
    pub disk: Disk,
    begun: BTreeMap<Name, usize>,
    told: BTreeMap<Name, usize>,
}

/// What became of all images of a tale.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Images that were opened.
    pub images: usize,
    /// Those of them in which the power was cut a second time.
    pub again: usize,
    /// States that were found in them, each looked through.
    pub states: usize,
    /// Images in which something promised was missing.
    pub lost: usize,
    /// Images that did not open, or did not read.
    pub damaged: usize,
    /// Images with something that nobody had begun to write.
    pub invented: usize,
    /// The first image of a broken promise.
    pub first: Option<String>,
}

/// What a program made of an image, looked through.
struct State {
    content: Content,
    /// When the first of what is missing was told of.
    lacks_from: usize,
    /// When the last of what is there was begun.
    begun_at: usize,
}

impl Tale {
    /// Returns the tale of an empty disk, written down from its beginning.
    pub fn begin() -> Self {
        Self::of(Disk::new())
    }

    /// Returns the tale of a disk, written down from now on.
    pub fn of(disk: Disk) -> Self {
        disk.record();
        Self {
            disk,
            ..Self::default()
        }
    }

    /// Returns the moment: how many operations the disk has seen.
    pub fn now(&self) -> usize {
        self.disk.recorded()
    }

    /// Notes what somebody set out to write at a moment.
    pub fn begun(&mut self, at: usize, names: &[Name]) {
        for name in names {
            self.begun.entry(*name).or_insert(at);
        }
    }

    /// Notes that somebody was told just now that these are kept.
    pub fn told(&mut self, names: &[Name]) {
        let now = self.now();
        for name in names {
            self.told.entry(*name).or_insert(now);
        }
    }

    /// Notes that somebody was told at a moment that this is kept.
    pub fn told_at(&mut self, at: usize, name: Name) {
        self.told.entry(name).or_insert(at);
    }

    /// Returns how much was promised.
    pub fn promises(&self) -> usize {
        self.told.len()
    }

    /// Returns what is wrong with what was found, if the power failed at `at`.
    pub fn judge(&self, found: &BTreeSet<Name>, at: usize) -> Result<(), String> {
        let (lacks_from, begun_at) = self.span(found)?;
        if lacks_from <= at {
            return Err(format!("told at {lacks_from}, gone at {at}"));
        }
        if begun_at > at {
            return Err(format!("begun at {begun_at}, there at {at}"));
        }
        Ok(())
    }

    fn span(&self, found: &BTreeSet<Name>) -> Result<(usize, usize), String> {
        let missing = self.told.iter().filter(|(name, _)| !found.contains(name));
        let lacks_from = missing.map(|(_, at)| *at).min().unwrap_or(usize::MAX);
        let mut begun_at = 0;
        for name in found {
            let begun = self.begun.get(name).ok_or("something that nobody wrote")?;
            begun_at = begun_at.max(*begun);
        }
        Ok((lacks_from, begun_at))
    }
}

/// Of so many images one has its power cut again while the program opens it.
const AGAIN_EVERY: usize = 997;

/// Cuts the power after every operation of a tale, in every way, and opens what is left; of some the power
/// is cut again meanwhile, after every operation of that.
///
/// # Panics
/// If the machine gives no folder.
pub fn cut_everywhere<P: Program>(program: &P, tale: &Tale, dir: &Path, seed: u64) -> Outcome {
    let mut cutting = Cutting {
        program,
        tale,
        dir,
        states: Vec::new(),
        outcome: Outcome::default(),
    };
    let mut walk = tale.disk.walk(seed);
    while walk.step().is_some() {
        for cut in ways(&walk) {
            let image = walk.image(*cut);
            cutting.open(&image, walk.at(), *cut);
            if cutting.outcome.images.is_multiple_of(AGAIN_EVERY) {
                cutting.again(&image, walk.at());
            }
        }
    }
    cutting.outcome.states = cutting.states.len();
    cutting.outcome
}

/// Returns the ways in which a cut makes a difference here: where all is durable every one leaves the same.
fn ways(walk: &Walk) -> &'static [Cut] {
    match walk.is_open() {
        true => Cut::ALL.as_slice(),
        false => &[Cut::Whole],
    }
}

struct Cutting<'a, P> {
    program: &'a P,
    tale: &'a Tale,
    dir: &'a Path,
    states: Vec<State>,
    outcome: Outcome,
}

impl<P: Program> Cutting<'_, P> {
    fn open(&mut self, image: &Image, at: usize, cut: Cut) {
        let judged = self.one(&Disk::of(image), image, at);
        let outcome = &mut self.outcome;
        outcome.images += 1;
        if let Err(broken) = judged {
            match broken {
                Broken::Damaged(_) => outcome.damaged += 1,
                Broken::Lost(_) => outcome.lost += 1,
                Broken::Invented(_) => outcome.invented += 1,
            }
            let told = || format!("{broken:?} after operation {at}, {cut:?}");
            outcome.first.get_or_insert_with(told);
        }
    }

    /// Cuts the power again after each operation with which the program opens what a cut left.
    fn again(&mut self, image: &Image, at: usize) {
        let disk = Disk::of(image);
        disk.record();
        if self.one(&disk, image, at).is_err() {
            // That is counted already.
            return;
        }
        let mut walk = disk.walk(at as u64);
        while walk.step().is_some() {
            for cut in ways(&walk) {
                let image = walk.image(*cut);
                self.open(&image, at, *cut);
                self.outcome.again += 1;
            }
        }
    }

    fn one(&mut self, disk: &Disk, image: &Image, at: usize) -> Result<(), Broken> {
        let damaged = Broken::Damaged;
        let mounted = disk.mount(self.dir);
        let mounted = mounted.map_err(|error| damaged(error.to_string()))?;
        self.program.stage(self.dir, image);
        self.program.open(self.dir).map_err(damaged)?;
        // Closed by its last connection, a database is one file again.
        let content = disk.content(P::FILE).unwrap_or_default();
        let mut known = self.states.iter().rev();
        let (lacks_from, begun_at) = match known.find(|state| state.content == content) {
            Some(state) => (state.lacks_from, state.begun_at),
            None => {
                let found = self.program.look(self.dir).map_err(damaged)?;
                let (lacks_from, begun_at) = self.tale.span(&found).map_err(damaged)?;
                self.states.push(State {
                    content,
                    lacks_from,
                    begun_at,
                });
                (lacks_from, begun_at)
            }
        };
        drop(mounted);
        match (lacks_from <= at, begun_at > at) {
            (true, _) => Err(Broken::Lost(lacks_from)),
            (_, true) => Err(Broken::Invented(begun_at)),
            _ => Ok(()),
        }
    }
}

/// What is wrong with an image.
#[derive(Debug, PartialEq, Eq)]
enum Broken {
    Damaged(String),
    Lost(usize),
    Invented(usize),
}

impl Outcome {
    /// Adds what became of further images.
    pub fn add(&mut self, other: Outcome) {
        self.images += other.images;
        self.again += other.again;
        self.states += other.states;
        self.lost += other.lost;
        self.damaged += other.damaged;
        self.invented += other.invented;
        self.first = self.first.take().or(other.first);
    }

    /// Returns whether every promise was kept in every image.
    pub fn is_sound(&self) -> bool {
        (self.lost, self.damaged, self.invented) == (0, 0, 0)
    }
}
