//! A batch as it travels: bodies with dependencies left out where the other side holds them.
//!
//! A dependency travels as nothing (the genesis, which the receiver computes), as six bytes of its
//! hash (the receiver holds it) or in full. **Leaving out never loses**: names follow from the rebuilt
//! bodies and the author's signature covers the names, so a wrong guess cannot pass; what cannot be
//! rebuilt is asked for again in full.

use minicbor::{Decode, Encode};

use crate::Malformed;
use crate::area::AreaCode;
use crate::batch::{About, Batch, BatchHead, Item, ItemName};
use crate::chunk::{self, Parts};
use crate::entry::{Change, DocKind, EntryKind, Place, Shape, owned_doc};
use crate::id::{ActionId, BatchHash, ChangeHash, DeviceId, DocId, LifeNonce, Signature, truncate};
use crate::packing;

/// What the sender may leave out.
pub trait Elide {
    /// Returns how a dependency of a change of `doc` may travel.
    fn dependency(&self, doc: &DocId, hash: &ChangeHash) -> Dependency;

    /// Returns the label from which, with the owner, a document's id follows (`entry::owned_doc`).
    fn label(&self, change: &Change) -> Option<String> {
        let _ = change;
        None
    }
}

/// How a dependency travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dependency {
    /// It is the document's genesis; the receiver computes it from the shape.
    Genesis,
    /// The receiver is known to hold it.
    Held,
    /// The receiver may not hold it.
    Full,
}

/// What the receiver holds, asked while a frame is rebuilt.
pub trait Known {
    /// Returns the hash of the genesis of `doc` with this shape.
    fn genesis(&self, doc: &DocId, shape: &Shape) -> Option<ChangeHash>;
    /// Returns the one change of `doc` whose hash begins with `prefix`; none if there are several.
    fn change(&self, doc: &DocId, prefix: &[u8; 6]) -> Option<ChangeHash>;
}

/// What both ends know from the request a frame stands in.
#[derive(Debug, Clone, Copy, Default)]
pub struct Surroundings {
    /// The device that sends; a head by the same device leaves it out.
    pub device: Option<DeviceId>,
    /// The batch in the frame before; a head that follows it leaves it out.
    pub previous: Option<BatchHash>,
}

/// A batch rebuilt from a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// The batch; a damaged body stands in it as a name.
    pub batch: Batch,
    /// The items whose body does not match the name the author signed.
    pub damaged: Vec<usize>,
}

/// Why a frame could not be rebuilt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// The bytes are not a frame.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Something left out is not held here; the sender repeats the frame in full.
    #[error("a dependency that was left out is not held here")]
    NeedFull,
}

/// What a change travels with: its dependencies, its name if it is said, its document's label.
type Left = (Vec<DepForm>, Option<ChangeHash>, Option<String>);

/// Returns `batch` with what `elide` allows left out.
pub fn encode(
    batch: &Batch,
    around: &Surroundings,
    elide: &impl Elide,
) -> Result<Vec<u8>, Malformed> {
    write(batch, around, |change, parts| {
        let label = elide.label(change).filter(|label| {
            change
                .owner
                .is_some_and(|owner| owned_doc(change.kind, &owner, label) == change.doc)
        });
        let deps = parts
            .deps
            .iter()
            .map(|dep| match elide.dependency(&change.doc, dep) {
                Dependency::Genesis => DepForm(Vec::new()),
                Dependency::Held => DepForm(truncate::<6>(&dep.0).to_vec()),
                Dependency::Full => DepForm(dep.0.to_vec()),
            });
        (deps.collect(), None, label)
    })
}

/// Returns `batch` with nothing left out and each name said.
pub fn encode_full(batch: &Batch) -> Result<Vec<u8>, Malformed> {
    write(batch, &Surroundings::default(), |change, parts| {
        let deps = parts
            .deps
            .iter()
            .map(|dep| DepForm(dep.0.to_vec()))
            .collect();
        (deps, Some(change.hash), None)
    })
}

fn write(
    batch: &Batch,
    around: &Surroundings,
    form: impl Fn(&Change, &Parts) -> Left,
) -> Result<Vec<u8>, Malformed> {
    let head = &batch.head;
    let items = batch
        .items
        .iter()
        .map(|item| item_form(item, &form))
        .collect::<Result<_, _>>()?;
    Ok(packing::encode(&FrameForm {
        suite: head.suite,
        device: (around.device != Some(head.device)).then_some(head.device),
        nonce: head.nonce,
        number: head.number,
        previous: (around.previous != Some(head.previous)).then_some(head.previous),
        roster: head.roster,
        claimed_at_ms: head.claimed_at_ms,
        area: head.area.clone(),
        signature: batch.signature,
        shapes: batch.shapes.clone(),
        items,
    }))
}

fn item_form(item: &Item, form: &impl Fn(&Change, &Parts) -> Left) -> Result<ItemForm, Malformed> {
    Ok(match item {
        Item::Change { change, action } => {
            let (_, parts) = chunk::split(&change.raw)?;
            let (deps, hash, label) = form(change, &parts);
            ItemForm::Change(ChangeForm {
                doc: label.is_none().then_some(change.doc),
                kind: change.kind,
                schema: change.schema,
                owner: change.owner,
                action: *action,
                deps,
                rest: parts.rest,
                hash,
                label,
            })
        }
        Item::Place(place) => ItemForm::Place(place.clone()),
        Item::Named(name) => ItemForm::Named(name.clone()),
        Item::Unknown { name, bytes } => ItemForm::Unknown(UnknownForm {
            name: name.clone(),
            bytes: bytes.clone(),
        }),
    })
}

/// Returns the batch in `bytes`, rebuilt from what the receiver holds.
pub fn decode(bytes: &[u8], around: &Surroundings, known: &impl Known) -> Result<Rebuilt, Unread> {
    let form: FrameForm = packing::decode(bytes, "batch frame")?;
    let head = BatchHead {
        suite: form.suite,
        device: form
            .device
            .or(around.device)
            .ok_or(Malformed::shape("batch device"))?,
        nonce: form.nonce,
        number: form.number,
        previous: form.previous.or(around.previous).ok_or(Unread::NeedFull)?,
        roster: form.roster,
        claimed_at_ms: form.claimed_at_ms,
        area: form.area,
    };
    let mut batch = Batch {
        head,
        items: Vec::new(),
        signature: form.signature,
        shapes: form.shapes,
    };
    let mut damaged = Vec::new();
    for (index, item) in form.items.into_iter().enumerate() {
        let item = match item {
            ItemForm::Change(change) => match rebuild(change, &batch, known)? {
                Body::Whole(item) => *item,
                Body::Damaged(name) => {
                    damaged.push(index);
                    Item::Named(name)
                }
            },
            ItemForm::Place(place) => Item::Place(Place::read(&place.bytes())?),
            ItemForm::Named(name) => Item::Named(name),
            ItemForm::Unknown(unknown) => Item::Unknown {
                name: unknown.name,
                bytes: unknown.bytes,
            },
        };
        batch.items.push(item);
    }
    batch.check()?;
    Ok(Rebuilt { batch, damaged })
}

enum Body {
    Whole(Box<Item>),
    Damaged(ItemName),
}

fn rebuild(form: ChangeForm, so_far: &Batch, known: &impl Known) -> Result<Body, Unread> {
    let by_label = form.owner.zip(form.label.as_deref());
    let by_label = by_label.map(|(owner, label)| owned_doc(form.kind, &owner, label));
    let doc = form.doc.or(by_label).ok_or(Malformed::shape("document"))?;
    let shape = so_far
        .shapes
        .iter()
        .find(|s| s.kind == form.kind && s.schema == form.schema);
    let deps = form
        .deps
        .iter()
        .map(|dep| resolve(dep, &doc, shape, so_far, known))
        .collect::<Result<Vec<_>, _>>()?;
    let (hash, raw) = chunk::join(&Parts {
        deps,
        rest: form.rest,
    });
    let action = form.action;
    let about = About {
        kind: form.kind,
        schema: form.schema,
        owner: form.owner,
    };
    let damaged = |hash| {
        Body::Damaged(ItemName {
            entry: EntryKind::CHANGE.0,
            doc,
            hash,
            action,
            about: Some(about),
        })
    };
    match form.hash {
        Some(said) if said != hash => return Ok(damaged(said)),
        _ => {}
    }
    match Change::read(doc, form.kind, form.schema, form.owner, raw) {
        Ok(change) => Ok(Body::Whole(Box::new(Item::Change { change, action }))),
        Err(_) => Ok(damaged(hash)),
    }
}

fn resolve(
    dep: &DepForm,
    doc: &DocId,
    shape: Option<&Shape>,
    so_far: &Batch,
    known: &impl Known,
) -> Result<ChangeHash, Unread> {
    let found = match dep.0.len() {
        32 => ChangeHash::from_slice(&dep.0),
        0 => shape.and_then(|shape| known.genesis(doc, shape)),
        6 => {
            let mut prefix = [0; 6];
            prefix.copy_from_slice(&dep.0);
            let here = so_far.items.iter().find_map(|item| match item {
                Item::Change { change, .. }
                    if change.doc == *doc && change.hash.0.starts_with(&prefix) =>
                {
                    Some(change.hash)
                }
                _ => None,
            });
            here.or_else(|| known.change(doc, &prefix))
        }
        _ => return Err(Malformed::shape("dependency").into()),
    };
    found.ok_or(Unread::NeedFull)
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct FrameForm {
    #[n(0)]
    suite: u8,
    #[n(1)]
    device: Option<DeviceId>,
    #[n(2)]
    nonce: LifeNonce,
    #[n(3)]
    number: u64,
    #[n(4)]
    previous: Option<BatchHash>,
    #[n(5)]
    roster: u64,
    #[n(6)]
    claimed_at_ms: i64,
    #[n(7)]
    area: AreaCode,
    #[n(8)]
    signature: Signature,
    #[n(9)]
    shapes: Vec<Shape>,
    #[n(10)]
    items: Vec<ItemForm>,
}

#[derive(Encode, Decode)]
enum ItemForm {
    #[n(0)]
    Named(#[n(0)] ItemName),
    #[n(1)]
    Change(#[n(0)] ChangeForm),
    #[n(2)]
    Place(#[n(0)] Place),
    #[n(3)]
    Unknown(#[n(0)] UnknownForm),
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct ChangeForm {
    #[n(0)]
    doc: Option<DocId>,
    #[n(1)]
    kind: DocKind,
    #[n(2)]
    schema: u8,
    #[n(3)]
    owner: Option<DocId>,
    #[n(4)]
    action: Option<ActionId>,
    #[n(5)]
    deps: Vec<DepForm>,
    #[n(6)]
    #[cbor(with = "minicbor::bytes")]
    rest: Vec<u8>,
    #[n(7)]
    hash: Option<ChangeHash>,
    #[n(8)]
    label: Option<String>,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct UnknownForm {
    #[n(0)]
    name: ItemName,
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    bytes: Vec<u8>,
}

#[derive(Encode, Decode)]
#[cbor(transparent)]
struct DepForm(
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    Vec<u8>,
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::tests::sample;

    struct Peer {
        holds: Vec<ChangeHash>,
    }

    impl Elide for Peer {
        fn dependency(&self, _: &DocId, hash: &ChangeHash) -> Dependency {
            if self.holds.contains(hash) {
                Dependency::Held
            } else {
                Dependency::Full
            }
        }
    }

    impl Known for Peer {
        fn genesis(&self, _: &DocId, _: &Shape) -> Option<ChangeHash> {
            None
        }

        fn change(&self, _: &DocId, prefix: &[u8; 6]) -> Option<ChangeHash> {
            self.holds
                .iter()
                .copied()
                .find(|hash| hash.0.starts_with(prefix))
        }
    }

    fn around() -> Surroundings {
        Surroundings {
            device: Some(DeviceId([1; 16])),
            previous: Some(BatchHash([0; 32])),
        }
    }

    #[test]
    fn a_batch_is_rebuilt_to_the_byte_when_its_dependencies_are_held() {
        let batch = sample(3);
        let peer = Peer {
            holds: (0..3).map(|n| ChangeHash([n; 32])).collect(),
        };
        let short = encode(&batch, &around(), &peer).unwrap();
        let full = encode_full(&batch).unwrap();
        assert!(
            short.len() + 3 * (26 + 32) < full.len() + 60,
            "{} {}",
            short.len(),
            full.len()
        );
        let rebuilt = decode(&short, &around(), &peer).unwrap();
        assert_eq!(
            rebuilt,
            Rebuilt {
                batch: batch.clone(),
                damaged: vec![]
            }
        );
        assert_eq!(
            decode(&full, &Surroundings::default(), &peer)
                .unwrap()
                .batch,
            batch
        );
    }

    #[test]
    fn a_dependency_that_is_not_held_after_all_is_asked_for_in_full() {
        let batch = sample(1);
        let sender = Peer {
            holds: vec![ChangeHash([0; 32])],
        };
        let frame = encode(&batch, &around(), &sender).unwrap();
        let receiver = Peer { holds: vec![] };
        assert_eq!(decode(&frame, &around(), &receiver), Err(Unread::NeedFull));
    }

    #[test]
    fn a_body_that_does_not_match_its_name_is_damaged_and_the_others_stand() {
        let mut batch = sample(3);
        if let Item::Change { change, .. } = &mut batch.items[1] {
            change.hash = ChangeHash([0xee; 32]);
        }
        let frame = encode_full(&batch).unwrap();
        let rebuilt = decode(&frame, &Surroundings::default(), &Peer { holds: vec![] }).unwrap();
        assert_eq!(rebuilt.damaged, vec![1]);
        assert!(matches!(&rebuilt.batch.items[2], Item::Change { .. }));
        assert_eq!(rebuilt.batch.hash(), batch.hash());
    }

    #[test]
    fn an_entry_of_a_later_kind_comes_through_byte_for_byte() {
        let mut batch = sample(1);
        let name = ItemName {
            entry: 99,
            doc: DocId([9; 16]),
            hash: ChangeHash([9; 32]),
            action: Some(ActionId([1; 8])),
            about: None,
        };
        batch.items.push(Item::Unknown {
            name,
            bytes: vec![1, 2, 3],
        });
        let frame = encode_full(&batch).unwrap();
        let peer = Peer { holds: vec![] };
        assert_eq!(
            decode(&frame, &Surroundings::default(), &peer)
                .unwrap()
                .batch,
            batch
        );
    }

    #[test]
    fn a_truncated_frame_is_malformed_at_every_byte() {
        let frame = encode_full(&sample(2)).unwrap();
        let peer = Peer { holds: vec![] };
        for cut in 0..frame.len() {
            let read = decode(&frame[..cut], &Surroundings::default(), &peer);
            assert!(matches!(read, Err(Unread::Malformed(_))), "cut at {cut}");
        }
    }
}
