//! The clock, the dice and who is asked for a word, in one place, so that a test can hold them still.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

pub use wangge_model::clock::china_day;

use crate::error::AgentError;
use crate::keys::Opener;
use crate::safe::{FileSafe, Safe};

/// Fills a slice with random bytes, or says that the system has none.
pub type Dice = Box<dyn Fn(&mut [u8]) -> Result<(), AgentError> + Send + Sync>;

/// Says when a file was made.
pub type Birth = Box<dyn Fn(&Path) -> Option<i64> + Send + Sync>;

/// Where a replica takes time and chance from.
pub struct Machine {
    /// Milliseconds since 1970.
    pub now_ms: Box<dyn Fn() -> i64 + Send + Sync>,
    /// Fills the slice with random bytes.
    pub fill: Dice,
    /// Returns when a file was made, milliseconds since 1970; none where its folder does not say. A copy was
    /// made when it was copied.
    pub born_ms: Birth,
    /// Whether nobody else looks into the database while a home is open, as its lock says.
    pub alone: bool,
    /// Asks for what opens a home that a word locks.
    pub opener: Opener,
    /// Where the device's secret lies.
    pub safe: Box<dyn Safe>,
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
            born_ms: Box::new(|path| {
                let made = std::fs::metadata(path)
                    .and_then(|file| file.created())
                    .ok()?;
                let since = made.duration_since(UNIX_EPOCH).ok()?;
                i64::try_from(since.as_millis()).ok()
            }),
            alone: false,
            opener: Box::new(|home| {
                Err(AgentError::Locked {
                    at: home.dir.to_owned(),
                })
            }),
            safe: Box::new(FileSafe::usual()),
        }
    }
}

impl Machine {
    /// Returns the machine of a program that has its homes to itself.
    pub fn alone() -> Self {
        Self {
            alone: true,
            ..Self::default()
        }
    }

    /// Returns fresh random bytes.
    pub fn random<const N: usize>(&self) -> Result<[u8; N], AgentError> {
        let mut bytes = [0; N];
        (self.fill)(&mut bytes)?;
        Ok(bytes)
    }
}
