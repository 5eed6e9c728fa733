//! Columns into documents; every step is bounded before it unfolds anything.

use std::collections::{BTreeMap, BTreeSet};

use super::parts::{KeysReader, Parts};
use super::{
    ACTOR_BYTES_MAX, COUNT_MAX, HEAD_BYTES, KEYS, SPEC_MAX, VALUES, form, name, owner, shape,
};
use crate::chunk::Reader;
use crate::entry::DocKind;
use crate::id::DocId;
use crate::limits::{DOCUMENT_BYTES_MAX, PACK_FRAME_UNFOLDED_BYTES_MAX};
use crate::pack::{Beside, PackedDoc, PackedPlace};
use crate::{Malformed, packing};

pub(super) struct Columns<'a> {
    columns: BTreeMap<u64, Reader<'a>>,
    actors: Vec<&'a [u8]>,
    last: Option<DocId>,
    unfolded: usize,
}

impl<'a> Columns<'a> {
    pub(super) fn new(columns: BTreeMap<u64, Reader<'a>>) -> Self {
        Self {
            columns,
            actors: Vec::new(),
            last: None,
            unfolded: 0,
        }
    }

    /// Returns whether everything was taken.
    pub(super) fn is_empty(&self) -> bool {
        self.columns.values().all(|left| left.bytes.is_empty())
    }

    fn column(&mut self, name: u64) -> Result<&mut Reader<'a>, Malformed> {
        self.columns.get_mut(&name).ok_or_else(shape)
    }

    fn number(&mut self, name: u64) -> Result<u64, Malformed> {
        self.column(name)?.uleb()
    }

    fn length(&mut self, name: u64) -> Result<usize, Malformed> {
        self.column(name)?.length()
    }

    fn bytes(&mut self, name: u64, count: usize) -> Result<&'a [u8], Malformed> {
        match self.columns.get_mut(&name) {
            Some(column) => column.take(count),
            None if count == 0 => Ok(&[]),
            None => Err(shape()),
        }
    }

    fn sized(&mut self, name: u64) -> Result<&'a [u8], Malformed> {
        let count = self.length(name)?;
        self.bytes(name, count)
    }

    fn id(&mut self, name: u64) -> Result<DocId, Malformed> {
        Ok(DocId(self.column(name)?.array()?))
    }

    pub(super) fn document(&mut self) -> Result<PackedDoc, Malformed> {
        let doc = self.id(name::IDS)?;
        let [kind, schema] = self.column(name::KINDS)?.array()?;
        let owner = match self.number(name::OWNERS)? {
            owner::NOBODYS => {
                self.last = Some(doc);
                None
            }
            owner::LAST => Some(self.last.ok_or_else(shape)?),
            owner::OTHER => Some(self.id(name::OWNER_IDS)?),
            _ => return Err(shape()),
        };
        let position = self.number(name::POSITIONS)?;
        let place = match self.length(name::PLACES)? {
            0 => None,
            more => Some(PackedPlace {
                position: self.number(name::POSITIONS)?,
                bytes: self.with_id(&doc, name::PLACE_BYTES, more - 1)?,
            }),
        };
        let beside = self.sized(name::BESIDE)?;
        let beside: Vec<Beside> = match beside {
            [] => Vec::new(),
            bytes => packing::decode(bytes, "frame of a pack")?,
        };
        let saved = self.saved(&doc)?;
        self.unfolded += saved.len();
        if self.unfolded > PACK_FRAME_UNFOLDED_BYTES_MAX {
            return Err(Malformed::TooLarge {
                what: "documents of a frame",
                limit: PACK_FRAME_UNFOLDED_BYTES_MAX,
            });
        }
        Ok(PackedDoc {
            doc,
            kind: DocKind(kind),
            schema,
            owner,
            place,
            position,
            saved,
            beside,
        })
    }

    fn saved(&mut self, doc: &DocId) -> Result<Vec<u8>, Malformed> {
        match self.number(name::FORMS)? {
            form::NONE => return Ok(Vec::new()),
            form::CUT => {}
            form::WHOLE => return Ok(self.sized(name::WHOLE)?.to_vec()),
            _ => return Err(shape()),
        }
        let [actors, heads, changes, operations] = self.counts()?;
        let mut room = DOCUMENT_BYTES_MAX;
        let mut take_room = |bytes: usize| {
            let left = room.checked_sub(bytes).ok_or(Malformed::TooLarge {
                what: "a saved document",
                limit: DOCUMENT_BYTES_MAX,
            })?;
            room = left;
            Ok::<_, Malformed>(())
        };
        take_room(heads * HEAD_BYTES)?;
        let actors = (0..actors)
            .map(|_| {
                let actor = self.actor()?;
                take_room(actor.len()).map(|()| actor)
            })
            .collect::<Result<Vec<_>, _>>()?;
        // Before a column is unfolded: a few bytes of keys may say a lot.
        let mut seen = BTreeSet::new();
        let changes = (0..changes)
            .map(|_| {
                let spec = self.spec(&mut seen)?;
                let bytes = self.length(name::CHANGE_LENGTHS + spec)?;
                take_room(bytes)?;
                Ok((spec, self.bytes(name::CHANGES + spec, bytes)?))
            })
            .collect::<Result<Vec<_>, Malformed>>()?;
        seen.clear();
        let operations = (0..operations)
            .map(|_| {
                let spec = self.spec(&mut seen)?;
                let bytes = self.length(name::OPERATION_LENGTHS + spec)?;
                take_room(bytes)?;
                let column = match spec {
                    KEYS => self.keys(bytes)?,
                    VALUES => self.with_id(doc, name::OPERATIONS + spec, bytes)?,
                    _ => self.bytes(name::OPERATIONS + spec, bytes)?.to_vec(),
                };
                Ok((spec, column))
            })
            .collect::<Result<Vec<_>, Malformed>>()?;
        let heads = vec![0; heads * HEAD_BYTES];
        let parts = Parts {
            actors,
            heads: &heads,
            changes,
            operations: operations
                .iter()
                .map(|(spec, it)| (*spec, &it[..]))
                .collect(),
            suffix: self.sized(name::SUFFIXES)?,
        };
        Ok(parts.join())
    }

    /// Returns how many actors, heads, columns of changes and columns of operations follow.
    fn counts(&mut self) -> Result<[usize; 4], Malformed> {
        let mut counts = [0; 4];
        for count in &mut counts {
            *count = self.length(name::COUNTS)?;
        }
        let fits = counts.iter().all(|count| *count <= COUNT_MAX);
        fits.then_some(counts).ok_or_else(shape)
    }

    fn actor(&mut self) -> Result<&'a [u8], Malformed> {
        let number = self.length(name::ACTORS)?;
        if number == self.actors.len() {
            let bytes = self.sized(name::ACTOR_BYTES)?;
            if bytes.len() > ACTOR_BYTES_MAX {
                return Err(shape());
            }
            self.actors.push(bytes);
        }
        self.actors.get(number).copied().ok_or_else(shape)
    }

    /// Returns the next specification, which must not have been there before.
    fn spec(&mut self, seen: &mut BTreeSet<u64>) -> Result<u64, Malformed> {
        let spec = self.number(name::SPECS)?;
        let new = spec < SPEC_MAX && seen.insert(spec);
        new.then_some(spec).ok_or_else(shape)
    }

    fn keys(&mut self, bytes: usize) -> Result<Vec<u8>, Malformed> {
        let mut take = |name| self.columns.remove(&name).unwrap_or(Reader { bytes: &[] });
        let mut reader = KeysReader {
            runs: take(name::KEY_RUNS),
            shared: take(name::KEY_SHARED),
            lengths: take(name::KEY_LENGTHS),
            bytes: take(name::KEY_BYTES),
        };
        let column = reader.column(bytes)?;
        self.columns.insert(name::KEY_RUNS, reader.runs);
        self.columns.insert(name::KEY_SHARED, reader.shared);
        self.columns.insert(name::KEY_LENGTHS, reader.lengths);
        self.columns.insert(name::KEY_BYTES, reader.bytes);
        Ok(column)
    }

    /// Returns so many bytes, with the document's id in its place.
    fn with_id(&mut self, doc: &DocId, name: u64, count: usize) -> Result<Vec<u8>, Malformed> {
        let id = doc.as_bytes();
        let Some(at) = self.length(name::ID_AT)?.checked_sub(1) else {
            return Ok(self.bytes(name, count)?.to_vec());
        };
        let rest = self.bytes(name, count.checked_sub(id.len()).ok_or_else(shape)?)?;
        let (before, behind) = rest.split_at_checked(at).ok_or_else(shape)?;
        Ok([before, id, behind].concat())
    }
}
