//! The gate on a relay: foreign changes are tried in a process of their own, or here where none is given.
//!
//! **What a change does to the process that tries it is its own misfortune**: a worker that dies, hangs
//! or wants too much is started again, the change it died of is held, and nothing behind it waits. The same
//! question never ends a second worker.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use minicbor::{Decode, Encode};
use wangge_crdt::{Document, Held};
use wangge_wire::limits::DOCUMENT_BYTES_MAX;
use wangge_wire::{ChangeHash, DocId, HoldReason, Shape};

use super::worker::{Gone, Worker};

/// How long one question may take, all its changes together.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// How long a worker works before a fresh one takes its place: its limit of time counts its whole life.
const LIFE: Duration = Duration::from_secs(60);

/// The program that tries changes: it is given stdin and stdout, and ends with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateProgram {
    /// The program.
    pub program: PathBuf,
    /// What it is called with.
    pub arguments: Vec<String>,
}

/// What is tried: changes, in the log's order, on a document as it was saved.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Trial {
    #[n(0)]
    pub(crate) shape: Shape,
    #[n(1)]
    pub(crate) doc: DocId,
    /// Empty for a document that begins.
    #[n(2)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) saved: Vec<u8>,
    #[n(3)]
    pub(crate) changes: Vec<Raw>,
}

/// A change as the log has it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Raw {
    #[n(0)]
    pub(crate) hash: ChangeHash,
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) bytes: Vec<u8>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(array)]
pub(crate) struct Outcome {
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub(crate) saved: Vec<u8>,
    /// They rest on what is held or not here.
    #[n(1)]
    pub(crate) waiting: Vec<ChangeHash>,
    #[n(2)]
    pub(crate) held: Vec<(ChangeHash, HoldReason)>,
    /// The saved form did not load: nothing was tried, and the document is to be built from its changes.
    #[n(3)]
    pub(crate) unread: bool,
}

/// Where changes are tried.
pub(crate) struct Gate {
    program: Option<GateProgram>,
    worker: Option<Worker>,
    worked: Duration,
    within: Duration,
}

impl Gate {
    pub(crate) fn new(program: Option<GateProgram>, within: Duration) -> Self {
        Self {
            program,
            worker: None,
            worked: Duration::ZERO,
            within,
        }
    }

    /// Tries changes; all at once first, one by one where that ended a worker.
    pub(crate) fn try_all(&mut self, trial: &Trial) -> Result<Outcome, Gone> {
        if self.program.is_none() {
            return Ok(run(trial));
        }
        if trial.changes.len() > 1 {
            match self.ask(trial) {
                Ok(outcome) => return Ok(outcome),
                Err(Gone::NotStarted) => return Err(Gone::NotStarted),
                Err(Gone::Died | Gone::Late) => {}
            }
        }
        let mut sum = Outcome {
            saved: trial.saved.clone(),
            ..Outcome::default()
        };
        for raw in &trial.changes {
            let one = Trial {
                saved: sum.saved.clone(),
                changes: vec![raw.clone()],
                shape: trial.shape.clone(),
                doc: trial.doc,
            };
            // A machine that slept takes the time of a good change too: only twice is its own fault. A worker
            // that ended by itself is not tried with a second one.
            let outcome = match self.ask(&one) {
                Err(Gone::Late) => self.ask(&one),
                outcome => outcome,
            };
            match outcome {
                Ok(outcome) if outcome.unread => return Ok(outcome),
                Ok(outcome) => {
                    sum.saved = outcome.saved;
                    sum.waiting.extend(outcome.waiting);
                    sum.held.extend(outcome.held);
                }
                Err(Gone::NotStarted) => return Err(Gone::NotStarted),
                Err(Gone::Died | Gone::Late) => sum.held.push((raw.hash, HoldReason::TooHeavy)),
            }
        }
        Ok(sum)
    }

    fn ask(&mut self, trial: &Trial) -> Result<Outcome, Gone> {
        if self.worked > LIFE {
            self.worker = None;
        }
        // What ended one while it had nothing to do is not the next change's fault.
        let awake = self.worker.take().and_then(Worker::awake);
        let mut worker = match awake {
            Some(worker) => worker,
            None => {
                self.worked = Duration::ZERO;
                Worker::start(self.program.as_ref().ok_or(Gone::NotStarted)?)?
            }
        };
        let begun = Instant::now();
        // A worker that failed is dropped here, which ends it.
        let outcome = worker.ask(trial, self.within)?;
        self.worked += begun.elapsed();
        self.worker = Some(worker);
        Ok(outcome)
    }
}

/// Tries changes in this process.
pub(crate) fn run(trial: &Trial) -> Outcome {
    let begun = if trial.saved.is_empty() {
        Document::begin(&trial.shape, &trial.doc)
    } else {
        Document::load(&trial.shape, &trial.saved)
    };
    let Ok(mut document) = begun else {
        // Nothing is known against these changes: they wait.
        let waiting = trial.changes.iter().map(|raw| raw.hash).collect();
        return Outcome {
            waiting,
            unread: !trial.saved.is_empty(),
            ..Outcome::default()
        };
    };
    let before = document.clone();
    let raws: Vec<Vec<u8>> = trial.changes.iter().map(|raw| raw.bytes.clone()).collect();
    let applied = document.apply(&raws);
    let mut outcome = Outcome {
        saved: document.save(),
        waiting: applied.waiting,
        ..Outcome::default()
    };
    outcome.held.extend(
        applied
            .held
            .iter()
            .map(|(hash, held)| (*hash, reason(*held))),
    );
    if outcome.saved.len() <= DOCUMENT_BYTES_MAX {
        return outcome;
    }
    if trial.changes.len() == 1 {
        // This one change takes the document past its size.
        outcome.saved = before.save();
        let heavy = applied.applied.into_iter();
        let heavy = heavy.map(|hash| (hash, HoldReason::TooHeavy));
        outcome.held.extend(heavy);
        return outcome;
    }
    one_by_one(trial, &before)
}

fn one_by_one(trial: &Trial, before: &Document) -> Outcome {
    let mut sum = Outcome {
        saved: before.save(),
        ..Outcome::default()
    };
    for raw in &trial.changes {
        let one = run(&Trial {
            saved: sum.saved.clone(),
            changes: vec![raw.clone()],
            shape: trial.shape.clone(),
            doc: trial.doc,
        });
        sum.saved = one.saved;
        sum.waiting.extend(one.waiting);
        sum.held.extend(one.held);
    }
    sum
}

fn reason(held: Held) -> HoldReason {
    match held {
        Held::Malformed => HoldReason::Malformed,
        Held::NotAWrite => HoldReason::NotAWrite,
        Held::Poison => HoldReason::Poison,
        Held::HidesContainer => HoldReason::HidesContainer,
        Held::Equivocation => HoldReason::Equivocation,
    }
}
