//! The proof at the end: equal heads in every shared area, receipts for everything.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wangge_agent::AgentError;

use super::stage::area_code;
use super::{Cast, SyncCost};
use crate::failure::Failure;
use crate::text::demo as words;

/// How much the desk holds.
pub(super) struct Counts {
    pub(super) households: u64,
    pub(super) visits: u64,
    pub(super) reports: u64,
    pub(super) tickets: u64,
}

/// What the replicas say when the day is over.
pub(super) struct Proof {
    /// Whether the replicas hold equal heads of every document in each area they share.
    pub(super) replicas_equal: bool,
    /// Whether receipts cover everything any of them made.
    pub(super) all_safe: bool,
    /// Documents compared.
    pub(super) documents: usize,
    /// How much the desk holds.
    pub(super) counts: Counts,
    found: usize,
    left: usize,
}

/// Reads the proof from the replicas.
pub(super) fn take(cast: &Cast, found: usize) -> Result<Proof, Failure> {
    let devices = [&cast.desk, &cast.first, &cast.second];
    let (mut equal, mut documents) = (true, 0);
    for grid in words::GRIDS {
        let area = area_code(grid)?;
        // The areas a replica has decide what it must hold, not what it happens to hold.
        let sharing = devices
            .iter()
            .filter(|device| device.replica.areas().iter().any(|own| own.covers(&area)));
        let heads = sharing
            .map(|device| {
                device
                    .replica
                    .store()
                    .heads(&area)
                    .map_err(AgentError::from)
            })
            .collect::<Result<Vec<BTreeMap<_, _>>, _>>()?;
        documents += heads.first().map_or(0, BTreeMap::len);
        equal &= heads.windows(2).all(|pair| pair.first() == pair.last());
    }
    let mut safe = true;
    let mut left = 0;
    for device in devices {
        let status = device.replica.status()?;
        safe &= status.all_safe;
        left = left.max(device.replica.conflicts()?.len());
    }
    let counts = cast.desk.replica.status()?.counts;
    let counts = Counts {
        households: counts.households,
        visits: counts.visits,
        reports: counts.reports,
        tickets: counts.tickets,
    };
    Ok(Proof {
        replicas_equal: equal && documents > 0,
        all_safe: safe,
        documents,
        counts,
        found,
        left,
    })
}

impl Proof {
    /// Returns the last line for machines.
    pub(super) fn summary(&self, syncs: &[SyncCost]) -> Value {
        let syncs: Vec<Value> = syncs
            .iter()
            .map(|sync| {
                json!({
                    "device": sync.device,
                    "round_trips": sync.report.round_trips,
                    "bytes_up": sync.report.bytes_up,
                    "bytes_down": sync.report.bytes_down,
                    "ms": sync.report.ms,
                })
            })
            .collect();
        json!({
            "type": "summary",
            "replicas_equal": self.replicas_equal,
            "all_safe": self.all_safe,
            "households": self.counts.households,
            "visits": self.counts.visits,
            "reports": self.counts.reports,
            "tickets": self.counts.tickets,
            "conflicts_found": self.found,
            "conflicts_settled": self.found.saturating_sub(self.left),
            "syncs": syncs,
        })
    }
}
