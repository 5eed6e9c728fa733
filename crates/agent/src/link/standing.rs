//! Whether the relay still knows this device: what "all safe" rests on beside receipts.

use super::sync::SyncReport;
use crate::error::AgentError;
use crate::replica::Replica;

/// When the relay refused this device.
const REFUSED_META: &str = "refused";

impl Replica {
    /// Keeps what a sync told of this device's standing: until one succeeds, nothing is called safe at a
    /// relay that does not know this device.
    pub(super) fn note_standing(
        &mut self,
        synced: &Result<SyncReport, AgentError>,
    ) -> Result<(), AgentError> {
        match synced {
            Ok(_) => self.home.store.set_meta(REFUSED_META, &[])?,
            Err(AgentError::Refused { .. } | AgentError::Purged(_)) => {
                let now_ms = self.now_ms().to_be_bytes();
                self.home.store.set_meta(REFUSED_META, &now_ms)?;
            }
            Err(_) => {}
        }
        Ok(())
    }

    /// Returns when the relay refused this device, milliseconds since 1970; none once it syncs again.
    pub(crate) fn refused_ms(&self) -> Result<Option<i64>, AgentError> {
        let bytes = self.home.store.meta(REFUSED_META)?.unwrap_or_default();
        Ok(bytes.try_into().ok().map(i64::from_be_bytes))
    }
}
