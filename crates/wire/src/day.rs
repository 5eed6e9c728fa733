//! Days in China: what leaves and covers begin and end by.
//!
//! A day is counted, not written: **it has no zone to be mistaken**, and begins at midnight, UTC+8.

use minicbor::{Decode, Encode};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const CHINA_MS: i64 = 8 * 60 * 60 * 1000;

/// A day, as days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
#[cbor(transparent)]
pub struct Day(#[n(0)] pub u32);

impl Day {
    /// Returns the day in China at a moment, milliseconds since 1970.
    pub fn of_ms(ms: i64) -> Self {
        let days = ms.saturating_add(CHINA_MS).div_euclid(DAY_MS);
        Self(u32::try_from(days.max(0)).unwrap_or(u32::MAX))
    }

    /// Returns the day before.
    pub fn before(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_china() {
        // 2026-12-31T16:00:00Z is 2027-01-01 there.
        let midnight = 1_798_732_800_000;
        assert_eq!(Day::of_ms(midnight), Day(20_819));
        assert_eq!(Day::of_ms(midnight - 1), Day(20_818));
        assert_eq!(Day::of_ms(i64::MIN), Day(0));
    }
}
