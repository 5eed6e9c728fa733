//! Documents into columns.

use std::collections::BTreeMap;

use super::parts::Parts;
use super::{HEAD_BYTES, KEYS, VALUES, form, name, owner};
use crate::chunk::push_uleb;
use crate::id::DocId;
use crate::pack::PackedDoc;
use crate::packing;

#[derive(Default)]
pub(super) struct Writer {
    columns: BTreeMap<u64, Vec<u8>>,
    actors: BTreeMap<Vec<u8>, u64>,
    last: Option<DocId>,
}

impl Writer {
    pub(super) fn into_columns(self) -> BTreeMap<u64, Vec<u8>> {
        self.columns
    }

    fn column(&mut self, name: u64) -> &mut Vec<u8> {
        self.columns.entry(name).or_default()
    }

    fn bytes(&mut self, name: u64, bytes: &[u8]) {
        self.column(name).extend_from_slice(bytes);
    }

    fn number(&mut self, name: u64, number: u64) {
        push_uleb(self.column(name), number);
    }

    /// Writes bytes behind their length.
    fn sized(&mut self, name: u64, bytes: &[u8]) {
        self.number(name, bytes.len() as u64);
        self.bytes(name, bytes);
    }

    pub(super) fn document(&mut self, document: &PackedDoc) {
        self.bytes(name::IDS, document.doc.as_bytes());
        self.bytes(name::KINDS, &[document.kind.0, document.schema]);
        match document.owner {
            None => {
                self.number(name::OWNERS, owner::NOBODYS);
                self.last = Some(document.doc);
            }
            Some(other) if Some(other) == self.last => self.number(name::OWNERS, owner::LAST),
            Some(other) => {
                self.number(name::OWNERS, owner::OTHER);
                self.bytes(name::OWNER_IDS, other.as_bytes());
            }
        }
        self.number(name::POSITIONS, document.position);
        match &document.place {
            None => self.number(name::PLACES, 0),
            Some(place) => {
                self.number(name::PLACES, place.bytes.len() as u64 + 1);
                self.number(name::POSITIONS, place.position);
                let rest = self.without_id(&document.doc, &place.bytes);
                self.bytes(name::PLACE_BYTES, &rest);
            }
        }
        let beside = (!document.beside.is_empty()).then(|| packing::encode(&document.beside));
        self.sized(name::BESIDE, &beside.unwrap_or_default());
        self.saved(document);
    }

    fn saved(&mut self, document: &PackedDoc) {
        if document.saved.is_empty() {
            return self.number(name::FORMS, form::NONE);
        }
        let cut = Parts::cut(&document.saved).and_then(|parts| {
            let keys = parts.keys(&document.saved)?;
            Ok((parts, keys))
        });
        let Ok((parts, keys)) = cut else {
            self.number(name::FORMS, form::WHOLE);
            return self.sized(name::WHOLE, &document.saved);
        };
        self.number(name::FORMS, form::CUT);
        for count in [
            parts.actors.len(),
            parts.heads.len() / HEAD_BYTES,
            parts.changes.len(),
            parts.operations.len(),
        ] {
            self.number(name::COUNTS, count as u64);
        }
        for actor in &parts.actors {
            let next = self.actors.len() as u64;
            let known = *self.actors.entry(actor.to_vec()).or_insert(next);
            self.number(name::ACTORS, known);
            if known == next {
                self.sized(name::ACTOR_BYTES, actor);
            }
        }
        for (spec, bytes) in &parts.changes {
            self.number(name::SPECS, *spec);
            self.number(name::CHANGE_LENGTHS + spec, bytes.len() as u64);
            self.bytes(name::CHANGES + spec, bytes);
        }
        for (spec, bytes) in &parts.operations {
            self.number(name::SPECS, *spec);
            self.number(name::OPERATION_LENGTHS + spec, bytes.len() as u64);
            match *spec {
                KEYS => {
                    self.bytes(name::KEY_RUNS, &keys.runs);
                    self.bytes(name::KEY_SHARED, &keys.shared);
                    self.bytes(name::KEY_LENGTHS, &keys.lengths);
                    self.bytes(name::KEY_BYTES, &keys.bytes);
                }
                VALUES => {
                    let rest = self.without_id(&document.doc, bytes);
                    self.bytes(name::OPERATIONS + spec, &rest);
                }
                _ => self.bytes(name::OPERATIONS + spec, bytes),
            }
        }
        self.sized(name::SUFFIXES, parts.suffix);
    }

    /// Notes where the document's id is in these bytes, and returns them without it.
    fn without_id(&mut self, doc: &DocId, bytes: &[u8]) -> Vec<u8> {
        let id = doc.as_bytes();
        let at = bytes.windows(id.len()).position(|window| window == id);
        self.number(name::ID_AT, at.map_or(0, |at| at as u64 + 1));
        let (before, behind) = bytes.split_at(at.unwrap_or_default());
        let skip = if at.is_some() { id.len() } else { 0 };
        [before, behind.get(skip..).unwrap_or_default()].concat()
    }
}
