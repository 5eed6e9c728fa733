//! One evening at another level: a sync with a relay of the tree that is not the usual one.
//!
//! The relay must be one that the roster knows, by its key. **What this device has, it is not sent
//! again**: at a relay never met it reads the orders, and the digests say what both sides lack.

use wangge_wire::enroll::RelayCard;
use wangge_wire::limits::ANSWER_BYTES_MAX;
use wangge_wire::packing;

use super::SyncReport;
use super::address::Address;
use super::http::{capped, refusal};
use super::peer::Peer;
use super::sync::strange;
use crate::error::AgentError;
use crate::replica::Replica;

impl Replica {
    /// Syncs once with the relay at `url`, which must be of the same tree as this home's.
    pub async fn sync_at(&mut self, url: &str) -> Result<SyncReport, AgentError> {
        if self.member().is_none() {
            return Err(AgentError::NotEnrolled);
        }
        let address = Address::parse(url)?;
        let known = self.roster.relays().map(|known| known.member.key);
        let mut line = self.line_to(address.clone(), Peer::one_of(known.collect()))?;
        let response = line.get("/v1/relay").await?;
        if !response.status().is_success() {
            return Err(refusal(response.status()));
        }
        let bytes = capped(response, ANSWER_BYTES_MAX).await?;
        let card: RelayCard = packing::decode(&bytes, "card").map_err(strange)?;
        line.must_be(&card.key)?;
        let known = self.roster.relay(&card.key.relay());
        if known.is_none_or(|known| known.member.key != card.key) {
            return Err(AgentError::UnknownRelay {
                url: url.to_owned(),
            });
        }
        match self.sync_with(address.clone(), card.key).await {
            Err(AgentError::PurgeTold(told)) => Err(self.part(address, card.key, *told).await),
            other => other,
        }
    }
}
