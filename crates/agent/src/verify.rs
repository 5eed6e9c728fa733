//! Verify 核对: whether this device holds exactly what the relay has, area by area, and what was done
//! about it.
//!
//! **Proven by digests told at one position of the relay's log**, after everything was sent, fetched
//! and repaired; never by the absence of an error.

use serde::Serialize;
use wangge_store::HouseholdFilter;
use wangge_wire::AreaCode;

use crate::error::AgentError;
use crate::link::RepairReport;
use crate::replica::Replica;

/// What a verification found.
#[derive(Debug, Clone, Serialize)]
pub struct Verified {
    /// The areas of this person.
    pub areas: Vec<VerifiedArea>,
    /// Up to which position of the relay's log.
    pub position: u64,
    /// What had to be repaired.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repair: Option<RepairReport>,
    /// Entries that have no receipt.
    pub unsent: u64,
    /// Entries in the relay's inbox.
    pub inbox: u32,
    /// Changes that are here and not shown: they wait for others, or the gate holds them.
    pub not_shown: u64,
}

/// One area.
#[derive(Debug, Clone, Serialize)]
pub struct VerifiedArea {
    /// The area.
    pub area: AreaCode,
    /// Households there, on this device.
    pub households: usize,
    /// Changes there, at the relay.
    pub changes: u64,
    /// Whether this device's digest is the relay's.
    pub complete: bool,
}

impl Verified {
    /// Returns whether every area is complete and everything has a receipt with a position.
    pub fn is_whole(&self) -> bool {
        self.areas.iter().all(|area| area.complete)
            && self.unsent == 0
            && self.inbox == 0
            && self.not_shown == 0
    }
}

impl Replica {
    /// Syncs, repairs what differs, and says what is proven.
    pub async fn verify(&mut self) -> Result<Verified, AgentError> {
        let report = self.sync().await?;
        let mut areas = Vec::with_capacity(report.complete.len());
        for (area, proof) in &report.complete {
            let filter = HouseholdFilter {
                area: Some(area.clone()),
                ..HouseholdFilter::default()
            };
            areas.push(VerifiedArea {
                area: area.clone(),
                households: self.count_households(&filter)?,
                changes: proof.changes,
                complete: proof.equal,
            });
        }
        let link = self.home.profile.relay.as_ref();
        let link = link.ok_or(AgentError::NotEnrolled)?;
        let cursor = self.home.store.relay(&link.key.relay())?.cursor;
        let (waiting, held) = self.home.store.unapplied()?;
        Ok(Verified {
            not_shown: waiting + held,
            areas,
            position: cursor.map_or(0, |cursor| cursor.position),
            repair: report.repair,
            unsent: report.unsent,
            inbox: report.inbox,
        })
    }
}
