//! Breaks one promise after the other and looks whether the simulator notices.
//!
//! **A check that no broken program fails checks nothing.**

use wangge_wire::sabotage::{Sabotage, switch};

use super::{Shape, Template, run};

/// The district in which broken variants are looked for.
const SHAPE: Shape = Shape {
    devices: 3,
    steps: 20,
};
/// Seeds that may pass before a variant counts as unseen.
const SEEDS_MAX: u64 = 400;

/// What became of one broken variant.
#[derive(Debug, Clone)]
pub struct Hunt {
    /// What was broken.
    pub variant: Sabotage,
    /// The first seed that noticed, and what it said.
    pub caught: Option<(u64, String)>,
}

/// Runs every broken variant until a seed notices it.
pub fn hunt() -> Vec<Hunt> {
    let template = Template::new(SHAPE);
    let hunts = Sabotage::ALL.into_iter().map(|variant| {
        switch(Some(variant));
        let caught = (0..SEEDS_MAX).find_map(|seed| {
            let failure = run(&template, seed, SHAPE.steps).err()?;
            Some((seed, failure.broken))
        });
        switch(None);
        Hunt { variant, caught }
    });
    hunts.collect()
}
