//! Packs: documents applied and saved in the background, so that a first download is a few frames.
//!
//! **Everything here is derived**: the file `packs.db` may be deleted at any time and is made again from
//! the log; it is in no backup. A thread of its own reads the log past where it stands, never in the way
//! of the writer.

mod build;
mod gate;
mod maker;
mod serve;
mod shelf;
mod worker;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use gate::GateProgram;
pub(crate) use maker::{Background, Bell, Maker};
pub(crate) use serve::{Served, frame, manifest};
pub(crate) use shelf::connect_reader;
pub use worker::work;

/// The file's name in the data folder.
const FILE: &str = "packs.db";

/// How a relay makes packs.
#[derive(Clone)]
pub struct Packs {
    /// The program that tries foreign changes; none tries them in this process.
    pub gate: Option<GateProgram>,
    /// How long nothing must have been written before a round begins.
    pub quiet: Duration,
    /// How long a document's changes may take to be tried.
    pub within: Duration,
    /// Told after each round of the background thread.
    pub told: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl Default for Packs {
    fn default() -> Self {
        Self {
            gate: None,
            quiet: Duration::from_secs(2),
            within: gate::ANSWER_WITHIN,
            told: None,
        }
    }
}

impl std::fmt::Debug for Packs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Packs({:?}, {:?})", self.gate, self.quiet)
    }
}

/// Returns where the packs of a relay are.
pub(crate) fn path(database: &std::path::Path) -> PathBuf {
    database.with_file_name(FILE)
}
