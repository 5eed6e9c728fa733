//! What was recorded since the last sync, signed once, before a byte of it travels.

use wangge_store::outbox::Heading;
use wangge_wire::batch::SUITE_PLAIN;
use wangge_wire::{BatchHash, BatchHead};

use crate::error::AgentError;
use crate::replica::Replica;

impl Replica {
    /// Puts what was recorded since the last sync into signed batches.
    pub(super) fn make_batches(&mut self) -> Result<(), AgentError> {
        // Each batch says its own area; this one is for those of none. Who has been relieved of every
        // area still hands in what they wrote.
        let past = self.member().and_then(|me| me.past.first());
        let first_area = self.own_areas().first().or(past.map(|(area, _)| area));
        let Some(first_area) = first_area.cloned() else {
            return Ok(());
        };
        for life in self.home.lives()? {
            let heading = Heading {
                actor: self.home.key.public().actor(&life),
                takes_places: life == self.life(),
                head: BatchHead {
                    suite: SUITE_PLAIN,
                    device: self.device(),
                    nonce: life,
                    number: 0,
                    previous: BatchHash([0; 32]),
                    roster: self.roster_position,
                    claimed_at_ms: self.now_ms(),
                    area: first_area.clone(),
                },
            };
            let key = &self.home.key;
            let sign = |batch: &mut wangge_wire::Batch| key.sign_batch(batch);
            self.home.store.make_batches(&heading, &sign)?;
        }
        self.home.mark_life()?;
        Ok(())
    }
}
