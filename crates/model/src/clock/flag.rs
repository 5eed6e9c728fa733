//! Clocks that cannot be right: said beside the record, never used to move it.
//!
//! **A late record is honest**: a paper form typed a month later, or a week without signal, is no flag.

use serde::{Deserialize, Serialize};

/// 2020-01-01: this program did not exist before, so no clock of it was right then.
pub const EARLIEST_MS: i64 = 1_577_808_000_000;
/// How far a device may be ahead of a relay before its clock is called wrong: ten minutes.
pub const CLOCK_AHEAD_MS: i64 = 10 * 60 * 1000;
/// How far a writer may go back between two records before the clock is called wrong: two minutes.
pub const BACK_MS: i64 = 2 * 60 * 1000;

/// What is wrong with the clock of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockFlag {
    /// It was never set: before 2020.
    Unset,
    /// The record is later than its own arrival at a relay.
    Ahead,
    /// The record is earlier than the one its writer made before it.
    Back,
}

impl ClockFlag {
    /// Every flag.
    pub const ALL: [ClockFlag; 3] = [ClockFlag::Unset, ClockFlag::Ahead, ClockFlag::Back];

    /// Returns the flag with this code.
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|flag| flag.as_str() == code)
    }

    /// Returns the flag as commands and JSON name it.
    pub fn as_str(self) -> &'static str {
        match self {
            ClockFlag::Unset => "unset",
            ClockFlag::Ahead => "ahead",
            ClockFlag::Back => "back",
        }
    }
}

/// Returns what is wrong with a record's clock, if something is.
///
/// `at_ms` is what the clock said, `arrived_ms` when a relay received it by the relay's clock,
/// `before_ms` what the clock said at the same writer's record before.
pub fn flag(at_ms: i64, arrived_ms: Option<i64>, before_ms: Option<i64>) -> Option<ClockFlag> {
    let past = |earlier: i64, margin: i64| at_ms.saturating_add(margin) < earlier;
    if at_ms < EARLIEST_MS {
        Some(ClockFlag::Unset)
    } else if arrived_ms.is_some_and(|arrived| arrived.saturating_add(CLOCK_AHEAD_MS) < at_ms) {
        Some(ClockFlag::Ahead)
    } else if before_ms.is_some_and(|before| past(before, BACK_MS)) {
        Some(ClockFlag::Back)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{DAY_MS, HOUR_MS};

    const NOON: i64 = 1_795_406_400_000;

    #[test]
    fn clocks_that_cannot_be_right_are_flagged() {
        assert_eq!(flag(0, None, None), Some(ClockFlag::Unset));
        let ahead = flag(NOON + 730 * DAY_MS, Some(NOON), None);
        assert_eq!(ahead, Some(ClockFlag::Ahead));
        let back = flag(NOON - DAY_MS, None, Some(NOON));
        assert_eq!(back, Some(ClockFlag::Back));
        assert_eq!(flag(i64::MAX, Some(i64::MAX), None), None);
        assert_eq!(
            flag(i64::MIN, Some(0), Some(i64::MAX)),
            Some(ClockFlag::Unset)
        );
    }

    #[test]
    fn a_late_record_and_a_small_step_back_are_no_flag() {
        assert_eq!(flag(NOON - 30 * DAY_MS, Some(NOON), None), None);
        assert_eq!(flag(NOON + CLOCK_AHEAD_MS, Some(NOON), None), None);
        assert_eq!(flag(NOON - BACK_MS, None, Some(NOON)), None);
        assert_eq!(flag(NOON, Some(NOON + HOUR_MS), Some(NOON - DAY_MS)), None);
    }
}
