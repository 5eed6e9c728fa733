//! A desk's decision on an item that lies in an inbox: a signed entry of the log like any other.
//!
//! It travels in a batch of the desk's device, so that relays which do not know its kind keep it and
//! hand it on. **A decision deletes nothing**: a discarded item stays where it is, and a later accept
//! undoes the discard.

use minicbor::{Decode, Encode};

use crate::Malformed;
use crate::area::AreaCode;
use crate::entry::EntryKind;
use crate::id::{ChangeHash, DeviceId, DocId};
use crate::limits::{SETTLE_OVER_MAX, SETTLE_REASON_BYTES_MAX};
use crate::packing;

/// What a desk decides.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, serde::Serialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The item takes its place as if the desk had written it.
    #[n(1)]
    Accept,
    /// The item is kept and counts for nothing.
    #[n(2)]
    Discard,
}

/// A decision on one item.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Settlement {
    /// The document of the item.
    #[n(0)]
    pub doc: DocId,
    /// The hash that names the item, with the document.
    #[n(1)]
    pub item: ChangeHash,
    /// The device that wrote the item; of another's item it says nothing.
    #[n(2)]
    pub author: DeviceId,
    /// What was decided.
    #[n(3)]
    pub decision: Decision,
    /// The area that the document is placed in with it; absent where it stays.
    #[n(4)]
    pub to: Option<AreaCode>,
    /// Why, in the desk's words; may be empty for an accept.
    #[n(5)]
    pub reason: String,
    /// The decisions on the same item that this one knows and goes over.
    #[n(6)]
    pub over: Vec<ChangeHash>,
    /// The desk's clock, milliseconds since 1970; a claim, never used for order.
    #[n(7)]
    pub at_ms: i64,
    /// The desk's device, so that two desks which decide alike at one moment sign two decisions; absent in
    /// those of the first form.
    #[n(8)]
    pub by: Option<DeviceId>,
}

/// A decision, and who made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The hash of the decision's entry.
    pub hash: ChangeHash,
    /// The device that signed it.
    pub by: DeviceId,
    /// The decision.
    pub settlement: Settlement,
}

impl Settlement {
    /// Returns the hash that names the entry.
    pub fn hash(&self) -> ChangeHash {
        ChangeHash(*blake3::hash(&self.bytes()).as_bytes())
    }

    /// Returns the bytes that are hashed, stored and sent.
    pub fn bytes(&self) -> Vec<u8> {
        packing::encode(self)
    }

    /// Returns the decision in `bytes`.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let read: Settlement = packing::decode(bytes, "settlement")?;
        let limit = |what, limit| Err(Malformed::TooLarge { what, limit });
        if read.reason.len() > SETTLE_REASON_BYTES_MAX {
            return limit("the reason of a settlement", SETTLE_REASON_BYTES_MAX);
        }
        if read.over.len() > SETTLE_OVER_MAX {
            return limit("decisions that one goes over", SETTLE_OVER_MAX);
        }
        Ok(read)
    }

    /// Returns the name of the entry in a batch.
    pub fn name(&self) -> crate::ItemName {
        crate::ItemName {
            entry: EntryKind::SETTLEMENT.0,
            doc: self.doc,
            hash: self.hash(),
            action: None,
            about: None,
        }
    }
}

/// Returns the decision that stands among all on one item, whatever order they came in.
///
/// It is one that no other goes over. Of several, made without knowing of each other, an accept
/// stands before a discard, since a number that was given is never taken back; then the smallest hash.
pub fn standing(all: &[Settled]) -> Option<&Settled> {
    let gone_over = |one: &Settled| {
        all.iter()
            .any(|other| other.settlement.over.contains(&one.hash))
    };
    all.iter()
        .filter(|one| !gone_over(one))
        .min_by_key(|one| (one.settlement.decision, one.hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settlement(decision: Decision, over: Vec<ChangeHash>) -> Settlement {
        Settlement {
            doc: DocId([1; 16]),
            item: ChangeHash([2; 32]),
            author: DeviceId([3; 16]),
            decision,
            to: None,
            reason: "重复登记".into(),
            over,
            at_ms: 5,
            by: None,
        }
    }

    fn by(device: u8, settlement: Settlement) -> Settled {
        Settled {
            hash: settlement.hash(),
            by: DeviceId([device; 16]),
            settlement,
        }
    }

    #[test]
    fn a_settlement_reads_back_and_its_hash_names_its_content() {
        let one = settlement(Decision::Discard, Vec::new());
        assert_eq!(Settlement::read(&one.bytes()), Ok(one.clone()));
        let other = settlement(Decision::Accept, Vec::new());
        assert_ne!(one.hash(), other.hash());
        assert_eq!(one.name().entry, 8);
    }

    #[test]
    fn a_reason_of_the_limit_is_read_and_one_byte_more_is_not() {
        let with = |bytes: usize, over: usize| Settlement {
            reason: "x".repeat(bytes),
            ..settlement(Decision::Discard, vec![ChangeHash([9; 32]); over])
        };
        let reads = |one: Settlement| Settlement::read(&one.bytes()).is_ok();
        assert!(reads(with(SETTLE_REASON_BYTES_MAX, SETTLE_OVER_MAX)));
        assert!(!reads(with(SETTLE_REASON_BYTES_MAX + 1, 0)));
        assert!(!reads(with(1, SETTLE_OVER_MAX + 1)));
    }

    #[test]
    fn what_stands_does_not_depend_on_the_order_of_arrival() {
        let discard = by(1, settlement(Decision::Discard, Vec::new()));
        let accept = by(2, settlement(Decision::Accept, Vec::new()));
        let undone = by(3, settlement(Decision::Accept, vec![discard.hash]));
        let again = by(4, settlement(Decision::Discard, vec![undone.hash]));
        assert_eq!(standing(&[]), None);
        for pair in [[&discard, &accept], [&accept, &discard]] {
            let pair = pair.map(Clone::clone);
            assert_eq!(standing(&pair), Some(&accept), "made at once: the accept");
        }
        let chain = [again.clone(), discard.clone(), undone.clone()];
        assert_eq!(standing(&chain), Some(&again), "the last of a chain");
        assert_eq!(standing(&[undone.clone(), discard]), Some(&undone));
    }
}
