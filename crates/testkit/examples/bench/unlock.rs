//! How long somebody waits who types the word of a locked device.

use std::collections::BTreeMap;
use std::time::Instant;

use wangge_agent::keys::Opening;
use wangge_agent::safe::FileSafe;
use wangge_agent::word::as_typed;
use wangge_agent::{Machine, Replica};

use super::Outcome;
use super::measures::{middle, populated, text};

const WORD: &str = "a word for measuring";
const RUNS: u32 = 40;

/// From the word to the first list: Argon2id, the sealed keys, the database, twenty households. Beside it the
/// same home without a word.
pub(super) fn unlock() -> Result<Outcome, String> {
    let (dir, replica) = populated(3_000, 0)?;
    let home = replica.dir().to_owned();
    drop(replica);
    let safe = dir.path().join("safe");
    let machine = || Machine {
        safe: Box::new(FileSafe::of(safe.clone())),
        opener: Box::new(|_| Ok(Opening::Word(as_typed(WORD)))),
        ..Machine::alone()
    };
    let open = || -> Result<f64, String> {
        let started = Instant::now();
        let replica = Replica::open(&home, machine()).map_err(text)?;
        let rows = replica.households(None, 20, 0).map_err(text)?;
        let ms = started.elapsed().as_secs_f64() * 1000.0;
        match rows.len() {
            20 => Ok(ms),
            other => Err(format!("{other} of 20 households")),
        }
    };
    let open_often = || {
        (0..RUNS)
            .map(|_| open())
            .collect::<Result<Vec<f64>, String>>()
    };
    let (bare, _) = middle(&mut open_often()?);
    let mut replica = Replica::open(&home, machine()).map_err(text)?;
    replica.choose_word(WORD).map_err(text)?;
    drop(replica);
    let (median, p95) = middle(&mut open_often()?);
    Ok(Outcome {
        value: median,
        runs: RUNS,
        extra: BTreeMap::from([("p95", p95), ("without_a_word", bare)]),
    })
}
