//! A saved form that somebody else made: what a pack carries instead of changes.
//!
//! A relay's signature says where it comes from, not that it loads. **Its run lengths are summed before
//! the library sees a byte, and it is a document only if it comes back from the library with the genesis
//! that its id and shape make, and with every container in its place.**

use std::collections::BTreeSet;

use automerge::{Automerge, LoadOptions, ROOT, ReadDoc, VerificationMode};
use wangge_wire::chunk::{self, Reader, TYPE_DOCUMENT};
use wangge_wire::limits::{CHANGE_ACTORS_MAX, DOCUMENT_BYTES_MAX, DOCUMENT_OPS_MAX};
use wangge_wire::{ActorId, ChangeHash, DocId, Malformed, Shape, columns};

use crate::document::Document;
use crate::gate::{Held, guarded};
use crate::{genesis, parse};

/// Writers of one document; a book of years has a few, this is past any of them.
const WRITERS_MAX: usize = 16 * CHANGE_ACTORS_MAX;
/// Changes nothing rests on yet.
const HEADS_MAX: usize = 4_096;

/// What a document says of one of its changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeFacts {
    /// Its hash.
    pub hash: ChangeHash,
    /// Its writer.
    pub actor: ActorId,
    /// Its number among the writer's changes of this document.
    pub seq: u64,
    /// The writer's clock, milliseconds since 1970.
    pub at_ms: i64,
}

impl Document {
    /// Returns the document in bytes that are not this program's own, whatever heads they say: it has those
    /// that it really has.
    pub fn open(shape: &Shape, doc: &DocId, saved: &[u8]) -> Result<Self, Held> {
        let (inner, heads) = load(saved)?;
        let mut document = Document::of(inner, shape);
        let said = said(&document.inner);
        if said != heads {
            let form = with_heads(saved, &heads)?;
            if said.iter().any(|head| head.0 != [0; 32]) {
                // With a change that is not the last one for its head, the library would read the past as
                // the present.
                document = Self::load(shape, &form).map_err(|_| Held::Poison)?;
            }
            document.came = Some((heads, form));
        }
        let begun = genesis::hash(shape, doc).map_err(|_| Held::Poison)?;
        let first = document.inner.get_changes_meta(&[]);
        let roots = first.iter().filter(|change| change.deps.is_empty());
        let roots: Vec<_> = roots.map(|root| ChangeHash(root.hash.0)).collect();
        if roots != [begun] {
            return Err(Held::NotAWrite);
        }
        if !document.has_its_containers() {
            return Err(Held::HidesContainer);
        }
        Ok(document)
    }

    /// Returns whether each container is the object that the genesis made, and nothing stands beside it.
    fn has_its_containers(&self) -> bool {
        let names = || self.shape.containers.iter().enumerate();
        let mut found = 0;
        for item in self.inner.map_range(ROOT, ..) {
            let Some((at, _)) = names().find(|(_, name)| **name == item.key) else {
                continue;
            };
            let made = genesis::container(&self.shape, at);
            if item.conflict || item.id().to_string() != made {
                return false;
            }
            found += 1;
        }
        found == self.shape.containers.len()
    }

    /// Returns what is known of every change but the genesis, in the order the document has them.
    pub fn facts(&self) -> Vec<ChangeFacts> {
        facts_of(&self.inner)
    }

    /// Returns the bytes of every change but the genesis.
    pub fn raw_changes(&self) -> Vec<(ChangeHash, Vec<u8>)> {
        let changes = self.inner.get_changes(&[]);
        let changes = changes.iter().filter(|change| !change.deps().is_empty());
        changes
            .map(|change| (ChangeHash(change.hash().0), change.raw_bytes().to_vec()))
            .collect()
    }
}

/// Returns what is known of every change but the genesis of a saved form of any kind of document, and its
/// heads, whatever it says they are.
pub fn facts(saved: &[u8]) -> Result<(Vec<ChangeFacts>, Vec<ChangeHash>), Held> {
    let (inner, heads) = load(saved)?;
    Ok((facts_of(&inner), heads))
}

/// Returns a saved form with these heads in the place of what a pack brought.
pub fn with_heads(saved: &[u8], heads: &[ChangeHash]) -> Result<Vec<u8>, Held> {
    columns::with_heads(saved, heads).map_err(|_| Held::Malformed)
}

/// Loads a saved form, and returns the heads it really has. The library computes the hash of every change
/// and believes what it is told of the heads.
fn load(saved: &[u8]) -> Result<(Automerge, Vec<ChangeHash>), Held> {
    check(saved).map_err(|_| Held::Malformed)?;
    let options = || LoadOptions::new().verification_mode(VerificationMode::DontCheck);
    let inner = guarded(|| Automerge::load_with_options(saved, options()));
    let inner = inner.and_then(Result::ok).ok_or(Held::Poison)?;
    let changes = inner.get_changes_meta(&[]);
    let mut heads: BTreeSet<ChangeHash> = changes.iter().map(|it| ChangeHash(it.hash.0)).collect();
    for dep in changes.iter().flat_map(|change| change.deps.iter()) {
        heads.remove(&ChangeHash(dep.0));
    }
    Ok((inner, heads.into_iter().collect()))
}

/// Returns the heads the library was told, in order.
fn said(inner: &Automerge) -> Vec<ChangeHash> {
    let heads = inner.get_heads();
    let mut heads: Vec<_> = heads.iter().map(|head| ChangeHash(head.0)).collect();
    heads.sort_unstable();
    heads
}

/// Returns the bytes of one change of a saved form that was proven before.
pub fn raw_change(saved: &[u8], hash: &ChangeHash) -> Option<Vec<u8>> {
    let inner = guarded(|| Automerge::load(saved))?.ok()?;
    let change = inner.get_change_by_hash(&automerge::ChangeHash(hash.0))?;
    Some(change.raw_bytes().to_vec())
}

fn facts_of(inner: &Automerge) -> Vec<ChangeFacts> {
    let changes = inner.get_changes_meta(&[]);
    let facts = changes.iter().filter(|change| !change.deps.is_empty());
    facts
        .filter_map(|change| {
            Some(ChangeFacts {
                hash: ChangeHash(change.hash.0),
                actor: ActorId::from_slice(change.actor.to_bytes())?,
                seq: change.seq,
                at_ms: change.timestamp,
            })
        })
        .collect()
}

/// Returns an error if a saved form must not reach the library.
pub fn check(saved: &[u8]) -> Result<(), Malformed> {
    let shape = |what| Malformed::Shape { what };
    if saved.len() > DOCUMENT_BYTES_MAX {
        return Err(Malformed::TooLarge {
            what: "a saved document",
            limit: DOCUMENT_BYTES_MAX,
        });
    }
    let mut reader = Reader { bytes: saved };
    let data = chunk::data(&mut reader, TYPE_DOCUMENT)?;
    // One chunk and nothing behind it: the library would take further ones in without a word.
    if !reader.bytes.is_empty() {
        return Err(shape("length of a saved document"));
    }
    let mut reader = Reader { bytes: data };
    for _ in 0..counted(&mut reader, WRITERS_MAX, "writers")? {
        let bytes = parse::length(reader.uleb()?);
        reader.take(bytes)?;
    }
    let heads = counted(&mut reader, HEADS_MAX, "heads")?;
    reader.take(heads * 32)?;
    let changes = parse::specs(&mut reader)?;
    let operations = parse::specs(&mut reader)?;
    parse::rows(&mut reader, &changes, DOCUMENT_OPS_MAX)?;
    parse::rows(&mut reader, &operations, DOCUMENT_OPS_MAX)?;
    Ok(())
}

fn counted(reader: &mut Reader<'_>, limit: usize, what: &'static str) -> Result<usize, Malformed> {
    let count = parse::length(reader.uleb()?);
    if count > limit {
        return Err(Malformed::TooLarge { what, limit });
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::tests::{LI, WANG, begun, shape};
    use crate::register::Put;
    use automerge::ObjType;
    use automerge::transaction::Transactable;

    use wangge_wire::PackFrame;
    use wangge_wire::pack::PackedDoc;

    const DOC: DocId = DocId([7; 16]);

    fn written() -> Document {
        let mut document = begun();
        for n in 0..20_i64 {
            let puts = [Put::root("door", n), Put::root("note", format!("第{n}次"))];
            document.write(&LI, n, &puts).unwrap();
            document.write(&WANG, n, &[Put::root("phone", n)]).unwrap();
        }
        document
    }

    #[test]
    fn a_saved_form_opens_with_all_its_changes() {
        let document = written();
        let opened = Document::open(&shape(), &DOC, &document.save()).unwrap();
        assert_eq!(opened.heads(), document.heads());
        let facts = opened.facts();
        assert_eq!(facts.len(), 40);
        assert_eq!((facts[1].actor, facts[1].seq, facts[2].at_ms), (WANG, 1, 1));
        let raw: Vec<Vec<u8>> = opened
            .raw_changes()
            .into_iter()
            .map(|(_, raw)| raw)
            .collect();
        let mut again = begun();
        assert_eq!(again.apply(&raw).applied.len(), 40);
        assert_eq!(again.heads(), document.heads());
        let one = opened.facts()[7].hash;
        assert_eq!(raw_change(&document.save(), &one).as_ref(), Some(&raw[7]));
        assert_eq!(raw_change(&document.save(), &ChangeHash([1; 32])), None);
    }

    #[test]
    fn a_form_that_travelled_by_columns_has_its_heads_again() {
        let mut document = written();
        document.write(&LI, 100, &[Put::root("door", 7)]).unwrap();
        let saved = document.save();
        let frame = PackFrame {
            documents: vec![PackedDoc {
                doc: DOC,
                kind: shape().kind,
                schema: shape().schema,
                owner: None,
                place: None,
                position: 1,
                saved: saved.clone(),
                beside: Vec::new(),
            }],
            writers: Vec::new(),
        };
        let came = columns::decode(&columns::encode(&frame)).unwrap();
        let came = &came.documents[0].saved;
        assert_ne!(*came, saved, "it was cut apart");
        let opened = Document::open(&shape(), &DOC, came).unwrap();
        assert_eq!(with_heads(came, &opened.heads()).as_ref(), Ok(&saved));
        for said in [document.facts()[3].hash, ChangeHash([9; 32])] {
            let lying = with_heads(came, &[said]).unwrap();
            let opened = Document::open(&shape(), &DOC, &lying).unwrap();
            assert_eq!(opened.heads(), document.heads());
            assert_eq!(opened.form(), Some(saved.as_slice()), "what is kept loads");
            let past = document.facts()[3].hash;
            assert_eq!(opened.fields_at(&past), document.fields_at(&past));
        }
        let past = document.facts()[3].hash;
        assert_eq!(opened.fields_at(&past), document.fields_at(&past));
        let (facts, heads) = facts(came).unwrap();
        assert_eq!((facts, heads), (document.facts(), document.heads()));
        assert_eq!(opened.save(), document.save());
        // What is written or applied to it rests on its heads.
        let (mut one, mut other) = (opened.clone(), opened);
        let put = [Put::root("door", 8)];
        let written = one.write(&LI, 101, &put).unwrap().unwrap();
        assert_eq!(
            document.write(&LI, 101, &put).unwrap().as_ref(),
            Some(&written)
        );
        assert_eq!(other.apply(&[written.raw]).applied, [written.hash]);
        assert_eq!(
            (one.heads(), other.heads()),
            (document.heads(), document.heads())
        );
    }

    #[test]
    fn a_form_with_several_heads_has_them_again() {
        let (mut one, mut other) = (written(), written());
        let mut both = written();
        for (at, (document, writer)) in [(&mut one, LI), (&mut other, WANG)].into_iter().enumerate()
        {
            let put = [Put::root("door", at as i64 + 50)];
            let written = document.write(&writer, 200, &put).unwrap().unwrap();
            both.apply(&[written.raw]);
        }
        assert_eq!(both.heads().len(), 2);
        let saved = both.save();
        let came = with_heads(&saved, &[ChangeHash([0; 32]); 2]).unwrap();
        let opened = Document::open(&shape(), &DOC, &came).unwrap();
        assert_eq!(opened.form(), Some(saved.as_slice()));
        assert!(Document::load(&shape(), &saved).is_ok());
    }

    #[test]
    fn another_document_and_one_of_another_shape_are_refused() {
        let saved = written().save();
        let other = DocId([8; 16]);
        assert_eq!(
            Document::open(&shape(), &other, &saved).err(),
            Some(Held::NotAWrite)
        );
        let mut wide = shape();
        wide.containers.push("care".into());
        assert_eq!(
            Document::open(&wide, &DOC, &saved).err(),
            Some(Held::NotAWrite)
        );
        let mut empty = Automerge::new();
        empty
            .transact::<_, _, automerge::AutomergeError>(|tx| tx.put(ROOT, "door", 1))
            .unwrap();
        let strange = empty.save_nocompress();
        assert_eq!(
            Document::open(&shape(), &DOC, &strange).err(),
            Some(Held::NotAWrite)
        );
    }

    #[test]
    fn a_form_in_which_a_container_is_hidden_is_refused() {
        let hide = |document: &mut Document, actor: ActorId| {
            document.inner.set_actor(actor.0.as_slice().into());
            document
                .inner
                .transact::<_, _, automerge::AutomergeError>(|tx| {
                    tx.put_object(ROOT, "members", ObjType::Map).map(|_| ())
                })
                .unwrap();
        };
        let mut replaced = written();
        hide(&mut replaced, LI);
        let (mut one, mut other) = (begun(), begun());
        hide(&mut one, LI);
        hide(&mut other, WANG);
        one.inner.merge(&mut other.inner).unwrap();
        for hidden in [replaced, one] {
            let saved = hidden.inner.save_nocompress();
            let found = Document::open(&shape(), &DOC, &saved);
            assert_eq!(found.err(), Some(Held::HidesContainer));
        }
    }

    #[test]
    fn what_is_cut_changed_or_has_something_behind_it_is_refused_without_a_panic() {
        let saved = written().save();
        for cut in 0..saved.len() {
            assert!(
                Document::open(&shape(), &DOC, &saved[..cut]).is_err(),
                "{cut}"
            );
        }
        for at in 0..saved.len() {
            let mut changed = saved.clone();
            changed[at] ^= 0x55;
            assert!(Document::open(&shape(), &DOC, &changed).is_err(), "{at}");
        }
        let behind = [saved.as_slice(), saved.as_slice()].concat();
        assert_eq!(
            Document::open(&shape(), &DOC, &behind).err(),
            Some(Held::Malformed)
        );
    }

    #[test]
    fn a_column_that_claims_more_rows_than_the_limit_does_not_reach_the_library() {
        use wangge_wire::chunk::push_uleb;
        let of = |rows: i64| {
            let mut column = Vec::new();
            let mut value = rows;
            loop {
                let byte = (value & 0x7f) as u8;
                value >>= 7;
                let last = value == 0 && byte & 0x40 == 0;
                column.push(if last { byte } else { byte | 0x80 });
                if last {
                    break;
                }
            }
            column.push(1);
            // No actors, no heads, no columns of changes, one of operations: actions.
            let mut body = vec![0, 0, 0, 1];
            push_uleb(&mut body, (4 << 4) | 2);
            push_uleb(&mut body, column.len() as u64);
            body.extend(column);
            let mut saved = [chunk::MAGIC.as_slice(), &[0; 4], &[TYPE_DOCUMENT]].concat();
            push_uleb(&mut saved, body.len() as u64);
            [saved, body].concat()
        };
        assert_eq!(check(&of(DOCUMENT_OPS_MAX as i64)), Ok(()));
        for rows in [DOCUMENT_OPS_MAX as i64 + 1, i64::MAX] {
            assert!(matches!(check(&of(rows)), Err(Malformed::TooLarge { .. })));
        }
    }
}
