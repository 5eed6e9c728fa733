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
/// The district for those that only a tree of relays can show.
const TREE: Shape = Shape {
    devices: 12,
    steps: 40,
};
/// A larger one, for what needs many devices at one relay.
const LARGE_TREE: Shape = Shape {
    devices: 20,
    steps: 40,
};
/// Seeds that may pass before a variant counts as unseen.
const SEEDS_MAX: u64 = 400;
/// The same in a tree, whose seeds are slower.
const TREE_SEEDS_MAX: u64 = 40;

/// What became of one broken variant.
#[derive(Debug, Clone)]
pub struct Hunt {
    /// What was broken.
    pub variant: Sabotage,
    /// The first seed that noticed and passes unbroken, and what it said.
    pub caught: Option<(u64, String)>,
}

/// Returns the variants of these names, all of them for none; else the first name that no variant has:
/// **a hunt for nothing must not end like one that caught everything.**
pub fn named(names: &[String]) -> Result<Vec<Sabotage>, String> {
    if names.is_empty() {
        return Ok(Sabotage::ALL.to_vec());
    }
    let of_name = |name: &String| {
        let mut all = Sabotage::ALL.into_iter();
        let found = all.find(|variant| format!("{variant:?}") == *name);
        found.ok_or_else(|| name.clone())
    };
    names.iter().map(of_name).collect()
}

/// Returns where to begin in a tree; none for what one relay can show. A rare variant begins at a seed
/// that is known to meet it: the hunt shows that it is noticed, not how often.
fn first_in_a_tree(variant: Sabotage) -> Option<u64> {
    let first = match variant {
        Sabotage::WatermarkAhead
        | Sabotage::InboxStaysBelow
        | Sabotage::OrdersStayBelow
        | Sabotage::OriginLost
        | Sabotage::ScopeUncheckedBelow => 0,
        // In the larger tree.
        Sabotage::OldWatermarksKept => 2,
        Sabotage::NamedCalledSafe => 17,
        Sabotage::NotedBeforeTheEnd => 1000,
        Sabotage::LostAboveIgnored => 2,
        Sabotage::RefusedForGood => 66,
        Sabotage::TakenAwayUnread => 1007,
        _ => return None,
    };
    Some(first)
}

/// The districts in which broken variants are looked for.
pub struct Grounds {
    alone: Template,
    tree: Template,
    large: Template,
}

impl Grounds {
    /// Makes them.
    pub fn new() -> Self {
        Self {
            alone: Template::new(SHAPE),
            tree: Template::new(TREE),
            large: Template::new(LARGE_TREE),
        }
    }

    /// Runs a broken variant until a seed notices it.
    pub fn hunt(&self, variant: Sabotage) -> Hunt {
        let (template, seeds) = match first_in_a_tree(variant) {
            Some(first)
                if matches!(
                    variant,
                    Sabotage::OldWatermarksKept | Sabotage::NamedCalledSafe
                ) =>
            {
                (&self.large, first..first + TREE_SEEDS_MAX)
            }
            Some(first) => (&self.tree, first..first + TREE_SEEDS_MAX),
            None => (&self.alone, 0..SEEDS_MAX),
        };
        let broken = |seed: u64| {
            switch(Some(variant));
            let failure = run(template, seed, template.shape().steps).err();
            switch(None);
            failure.map(|failure| failure.broken)
        };
        let passes = |seed: u64| run(template, seed, template.shape().steps).is_ok();
        let mut caught = seeds
            .into_iter()
            .filter_map(|seed| Some((seed, broken(seed)?)));
        let caught = caught.find(|(seed, _)| passes(*seed));
        Hunt { variant, caught }
    }
}

impl Default for Grounds {
    fn default() -> Self {
        Self::new()
    }
}
