//! What judges a page: the roster, which grows with the orders the page brings.

use wangge_store::{Incoming, Signer};
use wangge_trust::Roster;
use wangge_trust::key::verify_batch;
use wangge_wire::{Batch, Order};

/// The roster while pages come in.
pub(super) struct Judge {
    pub(super) roster: Roster,
}

impl Incoming for Judge {
    fn signer(&self, batch: &Batch) -> Signer {
        match self.roster.known(&batch.head.device) {
            Some(member) if verify_batch(&member.key, batch) => {
                Signer::Good(batch.head.actor(&member.key))
            }
            _ => Signer::Bad,
        }
    }

    fn order(&mut self, order: &Order) -> bool {
        match self.roster.take_some(order) {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, "an order was not taken");
                false
            }
        }
    }
}
