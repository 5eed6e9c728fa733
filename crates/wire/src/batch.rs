//! A batch: at most ten changes of one actor and area, signed by the device that wrote them.
//!
//! **What is signed are the names, never the frame that carries them**, so that a relay can re-frame
//! and leave out what the receiver holds while the author's signature stays good for ever.

use minicbor::{Decode, Encode};

use crate::Malformed;
use crate::area::AreaCode;
use crate::entry::{Change, DocKind, EntryKind, Place, Shape};
use crate::id::{
    ActionId, ActorId, BatchHash, ChangeHash, DeviceId, DocId, LifeNonce, PublicKey, Signature,
};
use crate::limits::BATCH_ITEMS_MAX;
use crate::packing;

/// The document of entries that concern none, such as orders; no document has this id.
pub const NO_DOC: DocId = DocId([0; 16]);

/// The one suite there is: Ed25519 signatures, BLAKE3 names, bodies in the clear.
pub const SUITE_PLAIN: u8 = 1;

/// Who made a batch, when, and where in the actor's chain it stands.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct BatchHead {
    /// How names and signatures are made; see [`SUITE_PLAIN`].
    #[n(0)]
    pub suite: u8,
    /// The device that signs.
    #[n(1)]
    pub device: DeviceId,
    /// Makes the actor, with the device's key.
    #[n(2)]
    pub nonce: LifeNonce,
    /// 1, 2, 3 … within the actor; a gap is flagged, never refused.
    #[n(3)]
    pub number: u64,
    /// The batch before it in the actor's chain; zeros for the first.
    #[n(4)]
    pub previous: BatchHash,
    /// The roster the signer knew: the log position of its last order.
    #[n(5)]
    pub roster: u64,
    /// The device's clock at signing, milliseconds since 1970; a claim, never used for order.
    #[n(6)]
    pub claimed_at_ms: i64,
    /// The area all documents of the batch lived in.
    #[n(7)]
    pub area: AreaCode,
}

/// The name of one item: entry kind, document, hash and the action it was part of.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct ItemName {
    /// What kind of entry.
    #[n(0)]
    pub entry: u8,
    /// The document it concerns.
    #[n(1)]
    pub doc: DocId,
    /// The hash of its bytes.
    #[n(2)]
    pub hash: ChangeHash,
    /// Shared by items of different documents that one user action made.
    #[n(3)]
    pub action: Option<ActionId>,
    /// Of a change: what its document is.
    #[n(4)]
    pub about: Option<About>,
}

/// What a change says of its document beside its bytes. **Signed with the name**: the owner decides
/// where a document lives, so nobody who passes a change on may choose another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct About {
    /// The document's kind.
    #[n(0)]
    pub kind: DocKind,
    /// The version of the genesis its writer knows.
    #[n(1)]
    pub schema: u8,
    /// The document that this one belongs to.
    #[n(2)]
    pub owner: Option<DocId>,
}

/// One item of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A change with its body.
    Change {
        /// The change.
        change: Change,
        /// Shared by items of different documents that one user action made.
        action: Option<ActionId>,
    },
    /// A place.
    Place(Place),
    /// An item whose body is not here: out of the receiver's scope, or of an unknown kind elsewhere.
    Named(ItemName),
    /// An entry of a kind this program does not know; kept and forwarded.
    Unknown {
        /// Its name.
        name: ItemName,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

/// A batch as its author signed it, or as much of it as the receiver may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The signed head.
    pub head: BatchHead,
    /// The items, in the author's order.
    pub items: Vec<Item>,
    /// The author's device's signature over [`Batch::hash`].
    pub signature: Signature,
    /// The genesis of each kind that an item's document has.
    pub shapes: Vec<Shape>,
}

impl BatchHead {
    /// Returns the actor this batch's changes must have, given the device's key.
    pub fn actor(&self, key: &PublicKey) -> ActorId {
        key.actor(&self.nonce)
    }
}

impl Item {
    /// Returns the name that is signed.
    pub fn name(&self) -> ItemName {
        match self {
            Item::Change { change, action } => ItemName {
                entry: EntryKind::CHANGE.0,
                doc: change.doc,
                hash: change.hash,
                action: *action,
                about: Some(About {
                    kind: change.kind,
                    schema: change.schema,
                    owner: change.owner,
                }),
            },
            Item::Place(place) => ItemName {
                entry: EntryKind::PLACE.0,
                doc: place.doc,
                hash: place.hash(),
                action: None,
                about: None,
            },
            Item::Named(name) | Item::Unknown { name, .. } => name.clone(),
        }
    }
}

impl Batch {
    /// Returns the hash that the author signs and receipts name.
    pub fn hash(&self) -> BatchHash {
        let names: Vec<ItemName> = self.items.iter().map(Item::name).collect();
        hash(&self.head, &names)
    }

    /// Returns an error if the batch is past a limit.
    pub fn check(&self) -> Result<(), Malformed> {
        if self.items.is_empty() {
            return Err(Malformed::shape("an empty batch"));
        }
        if self.items.len() > BATCH_ITEMS_MAX {
            return Err(Malformed::TooLarge {
                what: "items of a batch",
                limit: BATCH_ITEMS_MAX,
            });
        }
        if self.items.iter().any(|item| item.name().doc == NO_DOC) {
            return Err(Malformed::shape("document"));
        }
        self.shapes.iter().try_for_each(Shape::check)
    }
}

/// Returns the hash of a batch with this head and these names.
pub fn hash(head: &BatchHead, names: &[ItemName]) -> BatchHash {
    BatchHash(*blake3::hash(&packing::encode(&(head, names))).as_bytes())
}

/// Returns the bytes a device signs for a batch.
pub fn signed_bytes(hash: &BatchHash) -> Vec<u8> {
    [b"wangge batch v0\0".as_slice(), &hash.0].concat()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::chunk::{self, Parts};

    /// A batch of `count` changes with made-up bodies.
    pub(crate) fn sample(count: usize) -> Batch {
        let items = (0..count)
            .map(|n| {
                let rest = vec![8, 1, 2, 3, 4, 5, 6, 7, 8, 1, n as u8, 0];
                let deps = vec![ChangeHash([n as u8; 32])];
                let (_, raw) = chunk::join(&Parts { deps, rest });
                let doc = DocId([n as u8 + 1; 16]);
                let change = Change::read(doc, DocKind(1), 0, None, raw).unwrap();
                Item::Change {
                    change,
                    action: None,
                }
            })
            .collect();
        let head = BatchHead {
            suite: SUITE_PLAIN,
            device: DeviceId([1; 16]),
            nonce: LifeNonce([2; 8]),
            number: 1,
            previous: BatchHash([0; 32]),
            roster: 3,
            claimed_at_ms: 1_795_000_000_000,
            area: AreaCode::parse("511724103202001").unwrap(),
        };
        Batch {
            head,
            items,
            signature: Signature([5; 64]),
            shapes: vec![],
        }
    }

    #[test]
    fn leaving_a_body_out_keeps_the_signed_hash() {
        let whole = sample(3);
        let mut part = whole.clone();
        part.items[1] = Item::Named(whole.items[1].name());
        assert_eq!(part.hash(), whole.hash());
        part.items.pop();
        assert_ne!(part.hash(), whole.hash());
    }

    #[test]
    fn the_owner_of_a_document_is_part_of_what_is_signed() {
        let whole = sample(1);
        let mut moved = whole.clone();
        if let Some(Item::Change { change, .. }) = moved.items.first_mut() {
            change.owner = Some(DocId([9; 16]));
        }
        assert_ne!(moved.hash(), whole.hash());
    }

    #[test]
    fn a_document_without_an_id_is_refused() {
        let mut batch = sample(1);
        if let Some(Item::Change { change, .. }) = batch.items.first_mut() {
            change.doc = NO_DOC;
        }
        assert!(batch.check().is_err());
    }

    #[test]
    fn ten_items_fit_and_eleven_do_not() {
        assert!(sample(BATCH_ITEMS_MAX).check().is_ok());
        assert!(sample(BATCH_ITEMS_MAX + 1).check().is_err());
        assert!(sample(0).check().is_err());
    }
}
