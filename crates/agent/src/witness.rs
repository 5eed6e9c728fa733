//! This device as a witness of its relays' audit chains.
//!
//! It keeps the last checkpoint of each relay, and asks for that row at the next sync. **A chain that does not
//! fit is told of, and what was seen of it stays**, so that somebody can compare.

use serde::{Serialize, Serializer};
pub use wangge_trust::witness::read;
use wangge_trust::witness::{self, ChainDoubt, verify_checkpoint};
use wangge_wire::{AuditCheckpoint, End, PublicKey, RelayId};

use crate::error::AgentError;
use crate::replica::Replica;

/// What is wrong with a relay's audit chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditDoubt {
    /// It ends before a row that was there.
    Cut,
    /// A row is another one than was there.
    Changed,
}

impl AuditDoubt {
    /// Returns its word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            AuditDoubt::Cut => "cut",
            AuditDoubt::Changed => "changed",
        }
    }

    fn of(word: &str) -> Option<Self> {
        [AuditDoubt::Cut, AuditDoubt::Changed]
            .into_iter()
            .find(|doubt| doubt.as_str() == word)
    }
}

impl Serialize for AuditDoubt {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

/// What this device saw of a relay's audit chain.
#[derive(Debug, Clone, Serialize)]
pub struct WitnessView {
    /// The relay.
    pub relay: RelayId,
    /// The last row.
    pub n: u64,
    /// By the relay's clock, milliseconds since 1970.
    pub at_ms: i64,
    /// The checkpoint, as the relay's operator compares it.
    pub checkpoint: String,
    /// What was wrong with the chain at the last sync.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubt: Option<AuditDoubt>,
}

impl Replica {
    /// Returns the row of a relay's chain that the next sync asks for; none before the first.
    pub(crate) fn witnessed(&self, relay: &RelayId) -> Result<Option<u64>, AgentError> {
        let (kept, _) = self.home.store.witnessed(relay)?;
        Ok(kept.map(|kept| kept.n))
    }

    /// Compares the checkpoint that the end of a sync brought with the one that is kept, and keeps it where it
    /// fits. Returns what is wrong.
    pub(crate) fn witness(
        &mut self,
        relay_key: &PublicKey,
        end: &End,
    ) -> Result<Option<AuditDoubt>, AgentError> {
        let relay = relay_key.relay();
        let (kept, _) = self.home.store.witnessed(&relay)?;
        let new = end.audit.as_deref();
        let new = new.filter(|new| verify_checkpoint(relay_key, new));
        let doubt = match (&kept, new) {
            (None, None) => return Ok(None),
            (None, Some(_)) => None,
            // It had a chain, and shows none.
            (Some(kept), None) => (kept.n > 0).then_some(ChainDoubt::Cut),
            (Some(kept), Some(new)) => witness::doubt(kept, new),
        };
        let doubt = doubt.map(|doubt| match doubt {
            ChainDoubt::Cut => AuditDoubt::Cut,
            ChainDoubt::Changed => AuditDoubt::Changed,
        });
        let store = &mut self.home.store;
        match (doubt, new) {
            (None, Some(new)) => store.keep_witnessed(new)?,
            (None, None) => {}
            (Some(doubt), _) => {
                tracing::warn!(
                    ?doubt,
                    "the relay's audit chain does not fit what was seen of it"
                );
                store.doubt_witnessed(&relay, doubt.as_str())?;
            }
        }
        Ok(doubt)
    }

    /// Returns what was wrong with the own relay's audit chain at the last sync.
    pub(crate) fn audit_doubt(&self) -> Result<Option<AuditDoubt>, AgentError> {
        let Some(link) = &self.home.profile.relay else {
            return Ok(None);
        };
        let (_, doubt) = self.home.store.witnessed(&link.key.relay())?;
        Ok(AuditDoubt::of(&doubt))
    }

    /// Returns what this device saw of the audit chains of relays.
    pub fn audit_checkpoints(&self) -> Result<Vec<WitnessView>, AgentError> {
        let all = self.home.store.all_witnessed()?;
        let view = |kept: AuditCheckpoint| {
            let (_, doubt) = self.home.store.witnessed(&kept.relay)?;
            Ok(WitnessView {
                relay: kept.relay,
                n: kept.n,
                at_ms: kept.at_ms,
                checkpoint: witness::text(&kept),
                doubt: AuditDoubt::of(&doubt),
            })
        };
        all.into_iter().map(view).collect()
    }
}
