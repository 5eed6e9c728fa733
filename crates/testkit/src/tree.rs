//! A county, a township and a village: three real relays on loopback, each below the one before.
//!
//! They meet when a test says so, and never by themselves, so that a test knows what has come how far.
#![allow(clippy::unwrap_used, reason = "a test's own machinery may fail loudly")]

use wangge_relay::{LevelForm, Met, Relay, RelayError, Settings};
use wangge_wire::Role;

use crate::district::{District, wait};
use crate::wire_tap::WireTap;

/// The areas of the tree: county, township, village.
pub const AREAS: [&str; 3] = ["511724", "511724103", "511724103202"];

/// Three relays.
pub struct Tree {
    /// The county's.
    pub county: District,
    /// The township's.
    pub township: District,
    /// The village's.
    pub village: District,
    /// The line from the township to the county.
    pub to_county: WireTap,
    /// The line from the village to the township.
    pub to_township: WireTap,
}

impl Tree {
    /// Returns a tree whose relays have joined.
    ///
    /// # Panics
    /// If one cannot be started or does not join.
    pub fn new() -> Self {
        let tree = Self::apart();
        tree.join();
        tree
    }

    /// Returns the three relays, none below another yet.
    ///
    /// # Panics
    /// If one cannot be started.
    pub fn apart() -> Self {
        let county = quiet("渠县", LevelForm::County);
        let township = quiet("杨家镇", LevelForm::Township);
        let village = quiet("民主村", LevelForm::Village);
        Self {
            to_county: WireTap::to(county.address()),
            to_township: WireTap::to(township.address()),
            county,
            township,
            village,
        }
    }

    /// Lets the township join the county, and the village the township.
    ///
    /// # Panics
    /// If one does not.
    pub fn join(&self) {
        let [_, town, village] = AREAS;
        let code = self.county.invite("杨家镇", Role::Relay, &[town]);
        let url = self.to_county.url();
        wait(self.township.relay().join(&code, &url)).unwrap();
        let code = self.township.invite("民主村", Role::Relay, &[village]);
        let url = self.to_township.url();
        wait(self.village.relay().join(&code, &url)).unwrap();
        self.settle();
    }

    /// Lets the village meet the township once.
    pub fn village_meets(&self) -> Result<Met, RelayError> {
        meet(&self.village.relay())
    }

    /// Lets the township meet the county once.
    pub fn township_meets(&self) -> Result<Met, RelayError> {
        meet(&self.township.relay())
    }

    /// Lets all meet until what was below is above, what was above is below, and everybody was told.
    ///
    /// # Panics
    /// If a line is cut.
    pub fn settle(&self) {
        for _ in 0..2 {
            self.village_meets().unwrap();
            self.township_meets().unwrap();
        }
        self.village_meets().unwrap();
    }
}

impl Default for Tree {
    fn default() -> Self {
        Self::new()
    }
}

fn meet(relay: &Relay) -> Result<Met, RelayError> {
    wait(relay.meet_upstream())
}

fn quiet(name: &str, level: LevelForm) -> District {
    District::with(Settings {
        upstream_every: None,
        ..Settings::new(name, level)
    })
}
