//! What a worker of a test does again and again: a family, a visit, and a look at what is here.
#![allow(clippy::unwrap_used, reason = "a test's own machinery may fail loudly")]

use wangge_agent::Replica;
use wangge_agent::households::{HouseholdInput, MemberInput};
use wangge_agent::link::SyncReport;
use wangge_agent::visits::VisitInput;

/// Adds a family of one behind a door.
///
/// # Panics
/// If the device refuses it.
pub fn family(replica: &mut Replica, door: &str) {
    let input = HouseholdInput {
        door: door.into(),
        members: vec![MemberInput {
            name: "张建国".into(),
            ..MemberInput::default()
        }],
        ..HouseholdInput::default()
    };
    replica.add_household(input).unwrap();
}

/// Visits a household where nothing has changed, and returns the visit's id.
///
/// # Panics
/// If the device refuses it.
pub fn visit(replica: &mut Replica, household: &str) -> String {
    let input = VisitInput {
        household: household.into(),
        no_change: true,
        ..VisitInput::default()
    };
    replica.add_visit(input).unwrap().id
}

/// Counts the visits that are here.
///
/// # Panics
/// If they cannot be read.
pub fn visits(replica: &Replica) -> usize {
    replica.visits(None, usize::MAX).unwrap().len()
}

/// Says whether a sync left nothing unsent and every area proven complete.
pub fn is_whole(report: &SyncReport) -> bool {
    report.unsent == 0 && !report.complete.is_empty() && report.complete.values().all(|a| a.equal)
}
