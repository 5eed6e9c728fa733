//! The clock and the dice, in one place, so that a test can hold both still.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, FixedOffset, NaiveDate};

use crate::error::AgentError;

/// Seconds that China's time is ahead of UTC; it has no other zone and no summer time.
pub(crate) const CHINA_OFFSET_S: i32 = 8 * 60 * 60;

/// Fills a slice with random bytes, or says that the system has none.
pub type Dice = Box<dyn Fn(&mut [u8]) -> Result<(), AgentError> + Send + Sync>;

/// Where a replica takes time and chance from.
pub struct Machine {
    /// Milliseconds since 1970.
    pub now_ms: Box<dyn Fn() -> i64 + Send + Sync>,
    /// Fills the slice with random bytes.
    pub fill: Dice,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            now_ms: Box::new(|| {
                let since = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default();
                i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
            }),
            fill: Box::new(|bytes| {
                getrandom::fill(bytes).map_err(|error| AgentError::Internal(error.to_string()))
            }),
        }
    }
}

impl Machine {
    /// Returns fresh random bytes.
    pub fn random<const N: usize>(&self) -> Result<[u8; N], AgentError> {
        let mut bytes = [0; N];
        (self.fill)(&mut bytes)?;
        Ok(bytes)
    }
}

/// Returns the day in China at a moment.
pub fn china_day(ms: i64) -> NaiveDate {
    let zone = FixedOffset::east_opt(CHINA_OFFSET_S);
    let moment = DateTime::from_timestamp_millis(ms).unwrap_or_default();
    zone.map_or(moment.date_naive(), |zone| {
        moment.with_timezone(&zone).date_naive()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_china() {
        let before = DateTime::parse_from_rfc3339("2026-12-31T15:59:59Z").unwrap();
        assert_eq!(
            china_day(before.timestamp_millis()).to_string(),
            "2026-12-31"
        );
        assert_eq!(
            china_day(before.timestamp_millis() + 1000).to_string(),
            "2027-01-01"
        );
    }
}
