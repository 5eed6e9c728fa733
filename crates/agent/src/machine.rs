//! The clock and the dice, in one place, so that a test can hold both still.

use std::time::{SystemTime, UNIX_EPOCH};

pub use wangge_model::clock::china_day;

use crate::error::AgentError;

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
