//! The simulator: one seed makes a district and everything that goes wrong in it.
//!
//! Real replicas and real relays over SQLite, on one thread; the links between them, the clocks, the
//! dice, the disks and the power are the seed's. A small district has one relay, a larger one a tree of
//! four. **The same seed gives the same trace**, so that what failed once fails again, and is kept in
//! `fixtures/seeds/`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test's own machinery may fail loudly"
)]

mod check;
mod climb;
mod deeds;
mod device;
mod intruder;
mod levels;
pub(crate) mod link;
mod look;
pub mod sabotage;
mod seats;
mod settle;
mod station;
mod step;
pub(crate) mod template;
mod weather;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use template::Template;
pub use weather::Weather;
use world::World;

/// How large a district is and how long it is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Devices, desks among them.
    pub devices: usize,
    /// Steps before the links are up for good.
    pub steps: usize,
}

/// A district with more devices than this has a tree of relays.
const ONE_RELAY_MAX: usize = 5;

impl Shape {
    /// Returns whether the district has a tree of relays: two villages below a township below a county.
    pub fn is_tree(self) -> bool {
        self.devices > ONE_RELAY_MAX
    }
}

/// A seed that broke a promise.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// The fewest steps of it that break a promise.
    pub steps: usize,
    /// Which promise, and who broke it.
    pub broken: String,
    /// What happened until then, a line an event.
    pub trace: Vec<String>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "seed {}, {} steps: {}",
            self.seed, self.steps, self.broken
        )?;
        self.trace
            .iter()
            .try_for_each(|line| writeln!(f, "  {line}"))
    }
}

/// Runs a seed to its end; returns its trace.
///
/// # Errors
/// The promise that was broken, with the trace of as many steps as there were.
pub fn run(template: &Template, seed: u64, steps: usize) -> Result<Vec<String>, Failure> {
    let mut world = World::new(template, seed);
    let lived = catch_unwind(AssertUnwindSafe(|| world.live(steps)));
    let broken = match lived {
        Ok(Ok(())) => return Ok(world.trace),
        Ok(Err(broken)) => broken,
        Err(panic) => match panic.downcast::<String>() {
            Ok(text) => format!("panicked: {text}"),
            Err(panic) => format!("panicked: {:?}", panic.downcast_ref::<&str>()),
        },
    };
    Err(Failure {
        seed,
        steps,
        broken,
        trace: world.trace,
    })
}

/// Runs a seed and, if it fails, finds the shortest beginning of it that fails.
///
/// # Errors
/// The shortest failure.
pub fn run_and_shrink(template: &Template, seed: u64) -> Result<Vec<String>, Failure> {
    let failure = match run(template, seed, template.shape().steps) {
        Ok(trace) => return Ok(trace),
        Err(failure) => failure,
    };
    // Any beginning may fail, also a shorter one than where it was noticed.
    let shorter = (0..failure.steps).find_map(|steps| run(template, seed, steps).err());
    Err(shorter.unwrap_or(failure))
}

/// Runs every seed of a range, every tenth twice.
///
/// # Panics
/// With the shortest trace of each seed that broke a promise, or had two traces.
pub fn sweep(shape: Shape, seeds: std::ops::Range<u64>) {
    let template = Template::new(shape);
    let mut failures = Vec::new();
    for seed in seeds {
        match run_and_shrink(&template, seed) {
            Ok(trace) if seed % 10 == 0 => {
                let again = run(&template, seed, shape.steps).expect("it did not fail before");
                let apart = trace.iter().zip(&again).find(|(a, b)| a != b);
                assert!(trace == again, "seed {seed} has two traces: {apart:?}");
            }
            Ok(_) => {}
            Err(failure) => failures.push(failure.to_string()),
        }
    }
    assert!(
        failures.is_empty(),
        "{} seeds fail\n{}",
        failures.len(),
        failures.join("\n")
    );
}
