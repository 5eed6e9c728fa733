//! A receipt: a relay's signed word that a batch is durable with it.
//!
//! **It is made after the commit reached the disk, never before.** It says for each item where it
//! stands, so that no item can be taken for safe because its neighbour is.

use minicbor::{Decode, Encode};

use crate::id::{BatchHash, Incarnation, RelayId, Signature};
use crate::packing;

/// Where one item of a batch stands at the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum ItemState {
    /// Numbered and served, at this position of the log.
    #[n(0)]
    At(#[n(0)] u64),
    /// Durable; it waits for changes it rests on.
    #[n(1)]
    Waiting,
    /// Durable in the relay's inbox; a person decides.
    #[n(2)]
    Inbox(#[n(0)] Reason),
    /// Not stored; the device still has it.
    #[n(3)]
    Refused(#[n(0)] Reason),
}

/// Why an item did not take its place.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, serde::Serialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The document lives outside the signer's areas.
    #[n(1)]
    OutOfScope,
    /// A size or count is past its limit.
    #[n(2)]
    OverLimit,
    /// The change's actor is not the signer's.
    #[n(3)]
    ForgedActor,
    /// The body does not hash to the name that was signed.
    #[n(4)]
    WrongHash,
    /// The body does not read as a change.
    #[n(5)]
    Malformed,
    /// No place is known for the document.
    #[n(6)]
    Unplaced,
    /// The signer may not place this document.
    #[n(7)]
    PlaceNotAllowed,
    /// Another change of the same actor has this sequence number.
    #[n(8)]
    Equivocation,
    /// Of a decision: another one stands that it did not know.
    #[n(9)]
    Settled,
    /// It rests on a change that a desk discarded: without that one it cannot take its place.
    #[n(10)]
    RestsOnDiscarded,
}

/// A relay's signed word about one batch.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Receipt {
    /// The relay that has it.
    #[n(0)]
    pub relay: RelayId,
    /// The life of the relay's log.
    #[n(1)]
    pub incarnation: Incarnation,
    /// The batch.
    #[n(2)]
    pub batch: BatchHash,
    /// The relay's clock at the commit, milliseconds since 1970.
    #[n(3)]
    pub at_ms: i64,
    /// Where each item stands, in the batch's order.
    #[n(4)]
    pub items: Vec<ItemState>,
    /// Over [`Receipt::signed_bytes`].
    #[n(5)]
    pub signature: Signature,
}

impl Receipt {
    /// Returns the bytes the relay signs.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let content = packing::encode(&(
            self.relay,
            self.incarnation,
            self.batch,
            self.at_ms,
            &self.items,
        ));
        [b"wangge receipt v0\0".as_slice(), &content].concat()
    }
}

impl ItemState {
    /// Returns whether the relay keeps the item, wherever it stands.
    pub fn is_durable(self) -> bool {
        !matches!(self, ItemState::Refused(_))
    }
}
