//! The first change of a document: a pure function of its shape and id, the same on every device.
//!
//! It makes the containers and writes the id, so that every later change commits to its document
//! through its dependencies. **Frozen per kind and schema**: another genesis of the same kind would
//! be another first change of the same actor, and the two could never merge. It is never sent.

use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ActorId as Writer, Automerge, ObjType, ROOT};
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

/// Returns the hash of the genesis of `doc` with this shape.
pub fn hash(shape: &Shape, doc: &DocId) -> Result<ChangeHash, DocumentError> {
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
    fn the_genesis_of_a_fixed_document_never_changes() {
        let golden = "3e8d157c7b45b412d35af2b2e1f7a3dd8014eb3c0fbfad2050080a555cc9c03e";
        let hash = hash(&shape(), &DocId([7; 16])).unwrap().to_string();
        assert_eq!(hash, golden, "the genesis is frozen");
    }
}
