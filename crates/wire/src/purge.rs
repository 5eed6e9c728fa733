//! What a relay says to a device that was revoked, and nothing else: what to remove, and what is durable.
//!
//! **The order says up to where everything of the device is kept**, so that a device removes nothing of
//! which it has the only copy.

use minicbor::{Decode, Encode};

use crate::blob::BlobState;
use crate::id::{BatchHash, DeviceId, Incarnation, LifeNonce, RelayId, Signature};
use crate::message::Verdict;
use crate::packing;

/// The content type of a [`PurgeAnswer`], by which it is told from other answers of status 403.
pub const PURGE_CONTENT_TYPE: &str = "application/wangge-purge";

/// A relay's signed order to one device: remove what you hold.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct PurgeOrder {
    /// The device.
    #[n(0)]
    pub device: DeviceId,
    /// The relay.
    #[n(1)]
    pub relay: RelayId,
    /// The life of its log.
    #[n(2)]
    pub incarnation: Incarnation,
    /// By its clock, milliseconds since 1970.
    #[n(3)]
    pub at_ms: i64,
    /// Per life of the device's database, its last batch that is durable there; those that wrote last.
    #[n(4)]
    pub lives: Vec<DurableLife>,
    /// Over [`PurgeOrder::signed_bytes`].
    #[n(5)]
    pub signature: Signature,
}

/// The last batch of a life that a relay has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct DurableLife {
    /// The life.
    #[n(0)]
    pub nonce: LifeNonce,
    /// The batch's number.
    #[n(1)]
    pub number: u64,
    /// The batch.
    #[n(2)]
    pub batch: BatchHash,
    /// How many different numbers up to it are there: fewer than its number where some were lost, or never
    /// came.
    #[n(3)]
    pub count: u64,
}

/// The only answer to a revoked device, on every route, and the last frame of an answer that it breaks off.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PurgeAnswer {
    /// The order.
    #[n(0)]
    pub order: PurgeOrder,
    /// To a sync that brought batches: what became of each.
    #[n(1)]
    pub verdicts: Option<Vec<Verdict>>,
    /// To a piece of an attachment: how much of it is durable.
    #[n(2)]
    pub blob: Option<BlobState>,
}

impl PurgeOrder {
    /// Returns the bytes the relay signs.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let content = packing::encode(&(
            self.device,
            self.relay,
            self.incarnation,
            self.at_ms,
            &self.lives,
        ));
        [b"wangge purge v0\0".as_slice(), &content].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> PurgeOrder {
        PurgeOrder {
            device: DeviceId([1; 16]),
            relay: RelayId([2; 16]),
            incarnation: Incarnation([3; 16]),
            at_ms: 4,
            lives: vec![DurableLife {
                nonce: LifeNonce([5; 8]),
                number: 6,
                batch: BatchHash([7; 32]),
                count: 6,
            }],
            signature: Signature([8; 64]),
        }
    }

    #[test]
    fn a_purge_order_reads_back_and_every_field_of_it_is_signed() {
        let answer = PurgeAnswer {
            order: order(),
            verdicts: None,
            blob: None,
        };
        let bytes = packing::encode(&answer);
        assert_eq!(packing::decode(&bytes, "purge"), Ok(answer));
        let changes: [fn(&mut PurgeOrder); 5] = [
            |order| order.device = DeviceId([9; 16]),
            |order| order.relay = RelayId([9; 16]),
            |order| order.incarnation = Incarnation([9; 16]),
            |order| order.at_ms = 9,
            |order| order.lives.clear(),
        ];
        for change in changes {
            let mut other = order();
            change(&mut other);
            assert_ne!(other.signed_bytes(), order().signed_bytes());
        }
    }
}
