//! The last meeting of a device that was revoked: everything it wrote is handed in, then it may be purged.
//!
//! **An order is believed only from a relay whose word counts here, and only for this very device.** A sync
//! in the place of an answer brought it; from then on each request is a part of what was not sent, in full.

use wangge_store::outbox::Pending;
use wangge_trust::Reach;
use wangge_trust::key::{verify_purge, verify_receipt};
use wangge_wire::limits::{REQUEST_BATCH_BYTES_GOAL, REQUEST_BATCHES_MAX};
use wangge_wire::packing::Packer;
use wangge_wire::{
    Ask, BatchHash, PROTOCOL_VERSION, PublicKey, PurgeAnswer, PurgeOrder, Verdict, frame, group,
};

use super::address::Address;
use super::http::Line;
use crate::error::AgentError;
use crate::purge::{self, Purged};
use crate::replica::Replica;

impl Replica {
    /// Takes a relay's word that this device was revoked: hands in what was not sent, and marks the home.
    /// Returns what is to be told; nothing was done where the word is not good.
    pub(super) async fn part(
        &mut self,
        address: Address,
        relay_key: PublicKey,
        told: PurgeAnswer,
    ) -> AgentError {
        match self.hand_all_in(address, &relay_key, told).await {
            Ok(purged) => AgentError::Purged(Box::new(purged)),
            Err(error) => error,
        }
    }

    async fn hand_all_in(
        &mut self,
        address: Address,
        relay_key: &PublicKey,
        told: PurgeAnswer,
    ) -> Result<Purged, AgentError> {
        let mut order = self.believe(relay_key, told)?;
        self.make_batches()?;
        let mut line = self.line(address.clone(), *relay_key)?;
        let mut offset_ms = 0;
        loop {
            let waiting = self.home.store.pending_batches()?;
            if waiting.is_empty() {
                break;
            }
            let told = self.hand_in(&mut line, &waiting, &mut offset_ms).await?;
            order = self.believe(relay_key, told)?;
            // What is refused again and again stays, and is named.
            if self.home.store.pending_batches()?.len() >= waiting.len() {
                break;
            }
        }
        // A line that breaks here leaves the home as it is: the next sync begins here.
        self.part_with_attachments(address, relay_key).await?;
        let purged = self.purged(relay_key, &order)?;
        purge::mark(&self.home.dir, &purged)?;
        self.purged = Some(purged.clone());
        Ok(purged)
    }

    /// Returns the order of an answer, if it is for this device and of a relay whose word counts everywhere
    /// here, and keeps the receipts that came with it.
    fn believe(
        &mut self,
        relay_key: &PublicKey,
        told: PurgeAnswer,
    ) -> Result<PurgeOrder, AgentError> {
        let order = told.order;
        let bad = || AgentError::StrangeAnswer {
            reason: "a purge order that is not for this device, or not of its relay".into(),
        };
        self.believes(relay_key, &order).ok_or_else(bad)?;
        for verdict in told.verdicts.unwrap_or_default() {
            if let Verdict::Receipt(receipt) = verdict
                && verify_receipt(relay_key, &receipt)
            {
                self.home.store.keep_receipt(&receipt)?;
            }
        }
        Ok(order)
    }

    /// Returns something if an order is for this device, and of a relay whose word counts everywhere here.
    pub(super) fn believes(&self, relay_key: &PublicKey, order: &PurgeOrder) -> Option<()> {
        let pinned = self.home.profile.relay.as_ref();
        let is_pinned = pinned.is_some_and(|link| link.key == *relay_key);
        // One below counts within its areas, and no device is of those alone.
        let known = self.roster.relay(&relay_key.relay());
        let counts = known.is_some_and(|known| {
            known.reach == Reach::Everywhere && known.member.key == *relay_key
        });
        let good = order.device == self.device() && verify_purge(relay_key, order);
        (good && (is_pinned || counts)).then_some(())
    }

    /// Posts as many of the batches as a request takes, with nothing left out.
    async fn hand_in(
        &self,
        line: &mut Line,
        waiting: &[BatchHash],
        offset_ms: &mut i64,
    ) -> Result<PurgeAnswer, AgentError> {
        let internal = |error: wangge_wire::Malformed| AgentError::Internal(error.to_string());
        let (mut frames, mut bytes) = (Vec::new(), 0);
        for batch in waiting.iter().take(REQUEST_BATCHES_MAX) {
            let batch = self.home.store.batch(batch)?;
            let frame = frame::encode_full(&batch).map_err(internal)?;
            bytes += frame.len();
            if bytes > REQUEST_BATCH_BYTES_GOAL && !frames.is_empty() {
                break;
            }
            frames.push(frame);
        }
        let head = Ask {
            version: PROTOCOL_VERSION,
            capabilities: 0,
            cursor: None,
            actor: self.actor(),
            batches: u32::try_from(frames.len()).unwrap_or(u32::MAX),
            full: true,
            catch_up: None,
            given_back: None,
            origins: None,
            witnessed: None,
        }
        .bytes();
        let mut packer = Packer::new().map_err(internal)?;
        let packed = group::frames(&mut packer, &frames).map_err(internal)?;
        let length = u32::try_from(head.len()).unwrap_or(u32::MAX).to_be_bytes();
        let body = [length.as_slice(), &head, &packed].concat();
        let (key, machine) = (&self.home.key, &self.machine);
        let posted = line.post_told("/v1/sync", &head, &body, key, machine, offset_ms);
        match posted.await {
            Err(AgentError::PurgeTold(told)) => Ok(*told),
            Err(error) => Err(error),
            Ok(_) => Err(AgentError::StrangeAnswer {
                reason: "a relay that takes the device in again".into(),
            }),
        }
    }

    /// Returns what an order and this device's own books say of what may be removed.
    fn purged(&self, relay_key: &PublicKey, order: &PurgeOrder) -> Result<Purged, AgentError> {
        let rows = self.home.store.outbox()?;
        // What lies in an inbox, or waits there, is kept there.
        let here_only = |state| matches!(state, Pending::Unsent | Pending::Refused);
        let unsent = rows.iter().filter(|row| here_only(row.state)).count();
        let mut proven = true;
        for life in self.home.lives()? {
            let actor = self.home.key.public().actor(&life);
            let (number, batch) = self.home.store.last_batch(&actor)?;
            let there = order.lives.iter().find(|there| there.nonce == life);
            proven &= number == 0
                || there.is_some_and(|there| {
                    let last =
                        there.number > number || (there.number == number && there.batch == batch);
                    // A gap is a batch that was lost after its receipt: it may be here alone.
                    last && there.count == there.number
                });
        }
        // What a database held that is gone, and was never sent, may be in such a copy alone.
        proven &= self.home.lost_ms()?.is_none() || purge::copies(&self.home.dir)?.is_empty();
        let known = self.roster.relay(&relay_key.relay());
        let pinned = self.home.profile.relay.as_ref();
        let pinned = pinned.filter(|link| link.key == *relay_key);
        let name = known.map(|known| known.member.name.clone());
        Ok(Purged {
            at_ms: order.at_ms,
            relay: order.relay,
            relay_name: pinned
                .map(|link| link.name.clone())
                .or(name)
                .unwrap_or_default(),
            device: order.device,
            unsent,
            attachments: self.attachments_waiting()?,
            proven,
            set_aside: purge::set_aside(&self.home.dir)?,
        })
    }
}
