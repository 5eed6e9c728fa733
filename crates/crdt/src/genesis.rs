//! The first change of a document: a pure function of its shape and id, the same on every device.
//!
//! It makes the containers and writes the id, so that every later change commits to its document
//! through its dependencies. **Frozen per kind and schema**: another genesis of the same kind would
//! be another first change of the same actor, and the two could never merge. It is never sent.

use std::cell::RefCell;

use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ActorId as Writer, Automerge, ObjType, ROOT};
use wangge_wire::chunk::{self, Parts};
use wangge_wire::{ActorId, ChangeHash, DocId, Shape, id};

use crate::document::DocumentError;

/// The root key of the document's id.
pub const ID_KEY: &str = "id";

/// Returns a document that holds nothing but its genesis.
pub(crate) fn document(shape: &Shape, doc: &DocId) -> Result<Automerge, DocumentError> {
    let mut inner = Automerge::new().with_actor(Writer::from(actor(shape).0.as_slice()));
    inner
        .transact_with(
            |_| CommitOptions::default().with_time(0),
            |tx| {
                tx.put(ROOT, ID_KEY, doc.0.to_vec())?;
                for name in &shape.containers {
                    tx.put_object(ROOT, name.as_str(), ObjType::Map)?;
                }
                Ok::<_, automerge::AutomergeError>(())
            },
        )
        .map_err(|failure| DocumentError::library(&failure.error))?;
    Ok(inner)
}

/// Returns the name of the object that a genesis makes for the container with this number.
///
/// Its first operation writes the id; each following one makes a container, in the shape's order.
pub(crate) fn container(shape: &Shape, number: usize) -> String {
    format!("{}@{}", number + 2, Writer::from(actor(shape).0.as_slice()))
}

/// Returns the hash of the genesis of `doc` with this shape.
pub fn hash(shape: &Shape, doc: &DocId) -> Result<ChangeHash, DocumentError> {
    MOULDS.with_borrow_mut(|moulds| {
        let known = moulds.iter().find(|(of, _)| of == shape);
        if let Some((_, mould)) = known {
            return mould.hash(shape, doc);
        }
        let mould = Mould::of(shape);
        let hash = mould.hash(shape, doc);
        if moulds.len() >= MOULDS_MAX {
            moulds.clear();
        }
        moulds.push((shape.clone(), mould));
        hash
    })
}

/// Moulds that are kept; shapes come from outside too, ours are far fewer.
const MOULDS_MAX: usize = 32;

thread_local! {
    /// A relay asks for the genesis of every new document: the library would build a whole document for
    /// it each time, where hashing a few bytes anew will do.
    static MOULDS: RefCell<Vec<(Shape, Mould)>> = const { RefCell::new(Vec::new()) };
}

/// The genesis of a shape with a gap where the document's id goes.
enum Mould {
    /// What follows the dependencies of the chunk, and where in it the id begins.
    Gap(Vec<u8>, usize),
    /// The library writes this shape otherwise; it is asked each time.
    None,
}

impl Mould {
    fn of(shape: &Shape) -> Self {
        // Two ids that have no byte in common with each other or with anything a genesis says.
        let (one, other) = (DocId([0xd6; 16]), DocId([0xb9; 16]));
        Self::cut(shape, &one)
            .filter(|mould| mould.hash(shape, &other).ok() == by_library(shape, &other).ok())
            .unwrap_or(Mould::None)
    }

    fn cut(shape: &Shape, doc: &DocId) -> Option<Self> {
        let inner = document(shape, doc).ok()?;
        let changes = inner.get_changes(&[]);
        let [genesis] = changes.as_slice() else {
            return None;
        };
        let (_, parts) = chunk::split(genesis.raw_bytes()).ok()?;
        let windows = parts.rest.windows(doc.0.len()).enumerate();
        let mut found = windows.filter(|(_, window)| *window == doc.0.as_slice());
        match (found.next(), found.next()) {
            (Some((at, _)), None) if parts.deps.is_empty() => Some(Mould::Gap(parts.rest, at)),
            _ => None,
        }
    }

    fn hash(&self, shape: &Shape, doc: &DocId) -> Result<ChangeHash, DocumentError> {
        let Mould::Gap(rest, at) = self else {
            return by_library(shape, doc);
        };
        let mut rest = rest.clone();
        let gap = rest.iter_mut().skip(*at);
        gap.zip(doc.0).for_each(|(to, from)| *to = from);
        let deps = Vec::new();
        Ok(chunk::join(&Parts { deps, rest }).0)
    }
}

fn by_library(shape: &Shape, doc: &DocId) -> Result<ChangeHash, DocumentError> {
    let heads = document(shape, doc)?.get_heads();
    heads
        .first()
        .map(|head| ChangeHash(head.0))
        .ok_or(DocumentError::Damaged)
}

/// Returns the actor of a genesis: its kind and schema, so that a later schema is another actor.
fn actor(shape: &Shape) -> ActorId {
    let hash = blake3::hash(
        &[
            b"wangge genesis\0".as_slice(),
            &[shape.kind.0, shape.schema],
        ]
        .concat(),
    );
    ActorId(id::truncate(hash.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wangge_wire::DocKind;

    fn shape() -> Shape {
        Shape {
            kind: DocKind(1),
            schema: 0,
            containers: vec!["members".into(), "care".into()],
        }
    }

    #[test]
    fn two_devices_begin_a_document_with_the_same_bytes() {
        let doc = DocId([7; 16]);
        assert_eq!(hash(&shape(), &doc).unwrap(), hash(&shape(), &doc).unwrap());
        assert_ne!(
            hash(&shape(), &doc).unwrap(),
            hash(&shape(), &DocId([8; 16])).unwrap()
        );
    }

    #[test]
    fn a_genesis_from_the_mould_is_the_librarys_whatever_id_and_shape() {
        let mut shapes = vec![shape()];
        shapes.extend((0..40).map(|n| Shape {
            kind: DocKind(n),
            schema: n % 3,
            containers: (0..n % 16).map(|name| format!("c{name}")).collect(),
        }));
        for shape in &shapes {
            assert!(matches!(Mould::of(shape), Mould::Gap(..)), "{shape:?}");
            for byte in [0, 1, 0x7f, 0xb9, 0xd6, 0xff] {
                let mut doc = DocId([byte; 16]);
                doc.0[7] = 3;
                assert_eq!(hash(shape, &doc), by_library(shape, &doc), "{doc}");
            }
        }
    }

    #[test]
    fn a_container_has_the_name_that_the_library_gives_it() {
        let begun = crate::Document::begin(&shape(), &DocId([7; 16])).unwrap();
        for (number, name) in shape().containers.iter().enumerate() {
            let object = begun.container(name).unwrap().to_string();
            assert_eq!(container(&shape(), number), object);
        }
    }

    #[test]
    fn the_genesis_of_a_fixed_document_never_changes() {
        let golden = "3e8d157c7b45b412d35af2b2e1f7a3dd8014eb3c0fbfad2050080a555cc9c03e";
        let hash = hash(&shape(), &DocId([7; 16])).unwrap().to_string();
        assert_eq!(hash, golden, "the genesis is frozen");
    }
}
