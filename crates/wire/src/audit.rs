//! A checkpoint of a relay's audit chain: its signed word for where the chain ends.
//!
//! It travels with the end of a sync, so that devices are witnesses: **a chain whose end was cut off, or that
//! was written anew, does not fit what somebody keeps**.

use minicbor::{Decode, Encode};

use crate::id::{AuditHash, Incarnation, RelayId, Signature};
use crate::packing;

/// A relay's signed word for the end of its audit chain, and for the row that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct AuditCheckpoint {
    /// The relay.
    #[n(0)]
    pub relay: RelayId,
    /// The life of its log.
    #[n(1)]
    pub incarnation: Incarnation,
    /// The number of the last row; 0 without one.
    #[n(2)]
    pub n: u64,
    /// The hash of the last row; zeros without one.
    #[n(3)]
    pub hash: AuditHash,
    /// By the relay's clock, milliseconds since 1970.
    #[n(4)]
    pub at_ms: i64,
    /// The number of the last row that says that the log was restored; 0 for none.
    #[n(5)]
    pub restored: u64,
    /// The row that was asked for, which the asker keeps a checkpoint of; 0 for none.
    #[n(6)]
    pub asked: u64,
    /// That row's hash; absent where there is no such row.
    #[n(7)]
    pub asked_hash: Option<AuditHash>,
    /// The number of the last row up to that one that says that the log was restored; 0 for none.
    #[n(8)]
    pub asked_restored: u64,
    /// Over [`AuditCheckpoint::signed_bytes`].
    #[n(9)]
    pub signature: Signature,
}

impl AuditCheckpoint {
    /// Returns the bytes the relay signs.
    pub fn signed_bytes(&self) -> Vec<u8> {
        let content = packing::encode(&(
            self.relay,
            self.incarnation,
            self.n,
            self.hash,
            self.at_ms,
            self.restored,
            self.asked,
            self.asked_hash,
            self.asked_restored,
        ));
        [b"wangge audit checkpoint v0\0".as_slice(), &content].concat()
    }
}
