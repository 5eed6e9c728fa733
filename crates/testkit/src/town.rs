//! A district with one clock that its relay and its homes read: tests let days pass.
#![allow(clippy::unwrap_used, reason = "a test's own machinery may fail loudly")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use wangge_agent::{Machine, Replica};
use wangge_relay::{Clock, LevelForm, Relay, Settings};
use wangge_wire::Role;

use crate::district::{District, wait};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// 2026-12-01, nine in the morning in China, milliseconds since 1970.
pub const MORNING_MS: i64 = 1_796_086_800_000;

/// A district, and the one clock that its relay and its homes read.
pub struct Town {
    /// The district.
    pub district: District,
    settings: Settings,
    now_ms: Arc<AtomicI64>,
}

impl Town {
    /// Returns a town on the morning of [`MORNING_MS`], its relay running.
    pub fn new() -> Self {
        let now_ms = Arc::new(AtomicI64::new(MORNING_MS));
        let read = Arc::clone(&now_ms);
        let settings = Settings {
            clock: Clock::of(move || read.load(Ordering::SeqCst)),
            ..Settings::new("杨家镇", LevelForm::Township)
        };
        Self {
            district: District::with(settings.clone()),
            settings,
            now_ms,
        }
    }

    /// Lets days pass, for the relay and every home.
    pub fn days_pass(&self, days: i64) {
        self.now_ms.fetch_add(days * DAY_MS, Ordering::SeqCst);
    }

    /// Returns a new home that is enrolled with the relay.
    pub fn home(&self, name: &str, role: Role, areas: &[&str]) -> Replica {
        self.enrolled(name, &self.district.invite(name, role, areas))
    }

    /// Returns a new home that enrolled with this code.
    ///
    /// # Panics
    /// If it cannot be made or enrolled.
    pub fn enrolled(&self, name: &str, code: &str) -> Replica {
        let read = Arc::clone(&self.now_ms);
        let machine = Machine {
            now_ms: Box::new(move || read.load(Ordering::SeqCst)),
            ..Machine::default()
        };
        let folder = self.district.path().join(name);
        let mut replica = Replica::init(&folder, name, Vec::new(), machine).unwrap();
        let url = format!("http://{}", self.district.address());
        wait(replica.enroll(code, &url, name, None)).unwrap();
        replica
    }

    /// Returns a new home of somebody who works for a unit.
    ///
    /// # Panics
    /// If it cannot be made or enrolled.
    pub fn unit_home(&self, name: &str, unit: &str) -> Replica {
        let relay = Relay::open(&self.district.relay_dir(), &self.settings).unwrap();
        let unit = unit.parse().unwrap();
        let code = relay.invite_unit(name, &unit, self.settings.clock.now_ms());
        self.enrolled(name, &code.unwrap().shown())
    }
}

impl Default for Town {
    fn default() -> Self {
        Self::new()
    }
}
