//! The documents of a pack's frame by columns: what is alike in all of them stands together, and is
//! packed to less than the documents one after the other.
//!
//! **A saved form loses its heads on the way and nothing else**: whoever opens it computes them. Keys of
//! operations travel without what they share with the key before. What cannot be cut apart and joined
//! again byte for byte travels whole.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};

use crate::chunk::{self, Reader, TYPE_DOCUMENT, push_sleb, push_uleb};
use crate::entry::DocKind;
use crate::id::{ActorId, ChangeHash, DeviceId, DocId};
use crate::limits::{DOCUMENT_BYTES_MAX, PACK_FRAME_UNFOLDED_BYTES_MAX};
use crate::pack::{Beside, PackFrame, PackedDoc, PackedPlace};
use crate::{Malformed, packing};

/// Bytes of a head.
const HEAD_BYTES: usize = 32;
/// The column of the keys of operations: id 1, strings.
const KEYS: u64 = (1 << 4) | 5;
/// The column of the values of operations: id 5, bytes.
const VALUES: u64 = (5 << 4) | 7;
/// Columns of a saved form have smaller numbers.
const SPEC_MAX: u64 = 0x1000;
/// Actors, heads and columns of one document; what has more is not cut apart.
const COUNT_MAX: usize = 4_096;
/// Bytes of an actor; what has a longer one is not cut apart. Each is named by a byte.
const ACTOR_BYTES_MAX: usize = 32;

/// Names of columns. Those of saved forms are these and the column's own number.
mod name {
    pub(super) const IDS: u64 = 0;
    pub(super) const KINDS: u64 = 1;
    pub(super) const OWNERS: u64 = 2;
    pub(super) const OWNER_IDS: u64 = 3;
    pub(super) const PLACES: u64 = 4;
    pub(super) const PLACE_BYTES: u64 = 5;
    pub(super) const POSITIONS: u64 = 6;
    pub(super) const BESIDE: u64 = 7;
    pub(super) const FORMS: u64 = 8;
    pub(super) const WHOLE: u64 = 9;
    pub(super) const COUNTS: u64 = 10;
    pub(super) const ACTORS: u64 = 11;
    pub(super) const ACTOR_BYTES: u64 = 12;
    pub(super) const SPECS: u64 = 13;
    pub(super) const SUFFIXES: u64 = 14;
    pub(super) const ID_AT: u64 = 15;
    pub(super) const KEY_RUNS: u64 = 16;
    pub(super) const KEY_SHARED: u64 = 17;
    pub(super) const KEY_LENGTHS: u64 = 18;
    pub(super) const KEY_BYTES: u64 = 19;
    pub(super) const CHANGE_LENGTHS: u64 = 0x1000;
    pub(super) const OPERATION_LENGTHS: u64 = 0x2000;
    pub(super) const CHANGES: u64 = 0x3000;
    pub(super) const OPERATIONS: u64 = 0x4000;
}

/// How a saved form travels.
mod form {
    pub(super) const NONE: u64 = 0;
    pub(super) const CUT: u64 = 1;
    pub(super) const WHOLE: u64 = 2;
}

/// Whose a document is.
mod owner {
    pub(super) const NOBODYS: u64 = 0;
    /// The last document before it that is nobody's.
    pub(super) const LAST: u64 = 1;
    pub(super) const OTHER: u64 = 2;
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct FrameForm {
    #[n(0)]
    documents: u64,
    #[n(1)]
    columns: Vec<ColumnForm>,
    #[n(2)]
    writers: Vec<(ActorId, DeviceId)>,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct ColumnForm {
    #[n(0)]
    name: u64,
    #[n(1)]
    #[cbor(with = "minicbor::bytes")]
    bytes: Vec<u8>,
}

/// A saved form cut apart.
struct Parts<'a> {
    actors: Vec<&'a [u8]>,
    heads: &'a [u8],
    changes: Vec<(u64, &'a [u8])>,
    operations: Vec<(u64, &'a [u8])>,
    suffix: &'a [u8],
}

/// Returns a frame's bytes, not packed.
pub fn encode(frame: &PackFrame) -> Vec<u8> {
    let mut writer = Writer::default();
    for document in &frame.documents {
        writer.document(document);
    }
    let columns = writer.columns.into_iter();
    packing::encode(&FrameForm {
        documents: frame.documents.len() as u64,
        columns: columns
            .map(|(name, bytes)| ColumnForm { name, bytes })
            .collect(),
        writers: frame.writers.clone(),
    })
}

/// Returns the frame in bytes; the heads of its saved forms are zeros.
pub fn decode(bytes: &[u8]) -> Result<PackFrame, Malformed> {
    let form: FrameForm = packing::decode(bytes, "frame of a pack")?;
    let mut columns = BTreeMap::new();
    for column in &form.columns {
        let reader = Reader {
            bytes: &column.bytes,
        };
        if columns.insert(column.name, reader).is_some() {
            return Err(shape());
        }
    }
    let mut reader = Columns {
        columns,
        actors: Vec::new(),
        last: None,
        unfolded: 0,
    };
    let mut documents = Vec::new();
    for _ in 0..form.documents {
        documents.push(reader.document()?);
    }
    if reader.columns.values().any(|left| !left.bytes.is_empty()) {
        return Err(shape());
    }
    Ok(PackFrame {
        documents,
        writers: form.writers,
    })
}

/// Returns a saved form with these heads in the place of those it has.
pub fn with_heads(saved: &[u8], heads: &[ChangeHash]) -> Result<Vec<u8>, Malformed> {
    let heads: Vec<u8> = heads.iter().flat_map(|head| head.0).collect();
    let parts = Parts::cut(saved)?;
    if parts.heads.len() != heads.len() {
        return Err(shape());
    }
    let parts = Parts {
        heads: &heads,
        ..parts
    };
    Ok(parts.join())
}

fn shape() -> Malformed {
    Malformed::shape("frame of a pack")
}

impl<'a> Parts<'a> {
    fn cut(saved: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader { bytes: saved };
        let data = chunk::data(&mut reader, TYPE_DOCUMENT)?;
        if !reader.bytes.is_empty() {
            return Err(shape());
        }
        let mut reader = Reader { bytes: data };
        let mut actors = Vec::new();
        for _ in 0..reader.length()? {
            let bytes = reader.length()?;
            actors.push(reader.take(bytes)?);
        }
        let heads = reader.length()?.checked_mul(HEAD_BYTES);
        let heads = reader.take(heads.ok_or_else(shape)?)?;
        let changes = specs(&mut reader)?;
        let operations = specs(&mut reader)?;
        let mut columns = |specs: Vec<(u64, usize)>| {
            let column = |(spec, bytes)| Ok::<_, Malformed>((spec, reader.take(bytes)?));
            specs.into_iter().map(column).collect::<Result<_, _>>()
        };
        Ok(Self {
            actors,
            heads,
            changes: columns(changes)?,
            operations: columns(operations)?,
            suffix: reader.bytes,
        })
    }

    fn join(&self) -> Vec<u8> {
        let mut data = Vec::new();
        push_uleb(&mut data, self.actors.len() as u64);
        for actor in &self.actors {
            push_uleb(&mut data, actor.len() as u64);
            data.extend_from_slice(actor);
        }
        push_uleb(&mut data, (self.heads.len() / HEAD_BYTES) as u64);
        data.extend_from_slice(self.heads);
        for columns in [&self.changes, &self.operations] {
            push_uleb(&mut data, columns.len() as u64);
            for (spec, bytes) in columns {
                push_uleb(&mut data, *spec);
                push_uleb(&mut data, bytes.len() as u64);
            }
        }
        for (_, bytes) in self.changes.iter().chain(&self.operations) {
            data.extend_from_slice(bytes);
        }
        data.extend_from_slice(self.suffix);
        chunk::seal(TYPE_DOCUMENT, &data).1
    }
}

fn specs(reader: &mut Reader<'_>) -> Result<Vec<(u64, usize)>, Malformed> {
    let mut specs = Vec::new();
    for _ in 0..reader.length()? {
        specs.push((reader.uleb()?, reader.length()?));
    }
    Ok(specs)
}

/// A column of strings in runs, as it travels.
#[derive(Default)]
struct Keys {
    /// The numbers that begin runs, as they are.
    runs: Vec<u8>,
    shared: Vec<u8>,
    lengths: Vec<u8>,
    bytes: Vec<u8>,
}

impl Keys {
    fn reader(&self) -> KeysReader<'_> {
        let reader = |bytes| Reader { bytes };
        KeysReader {
            runs: reader(&self.runs),
            shared: reader(&self.shared),
            lengths: reader(&self.lengths),
            bytes: reader(&self.bytes),
        }
    }

    fn of(column: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader { bytes: column };
        let (mut keys, mut last): (Self, &[u8]) = (Self::default(), &[]);
        while !reader.bytes.is_empty() {
            let run = reader.sleb()?;
            push_sleb(&mut keys.runs, run);
            if run == 0 {
                push_uleb(&mut keys.runs, reader.uleb()?);
            }
            for _ in 0..literals(run) {
                let bytes = reader.length()?;
                let key = reader.take(bytes)?;
                let alike = key.iter().zip(last).take_while(|(a, b)| a == b).count();
                push_uleb(&mut keys.shared, alike as u64);
                push_uleb(&mut keys.lengths, (key.len() - alike) as u64);
                keys.bytes
                    .extend_from_slice(key.get(alike..).unwrap_or_default());
                last = key;
            }
        }
        Ok(keys)
    }
}

/// Returns how many values a run says one by one.
fn literals(run: i64) -> u64 {
    match run {
        0 => 0,
        1.. => 1,
        _ => run.unsigned_abs(),
    }
}

#[derive(Default)]
struct Writer {
    columns: BTreeMap<u64, Vec<u8>>,
    actors: BTreeMap<Vec<u8>, u64>,
    last: Option<DocId>,
}

impl Writer {
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

    fn document(&mut self, document: &PackedDoc) {
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

impl Parts<'_> {
    /// Returns the keys of operations as they travel, if all of the form comes out again byte for byte but for
    /// its heads.
    fn keys(&self, saved: &[u8]) -> Result<Keys, Malformed> {
        let once = |columns: &[(u64, &[u8])]| {
            let specs: BTreeSet<u64> = columns.iter().map(|(spec, _)| *spec).collect();
            specs.len() == columns.len() && specs.iter().all(|spec| *spec < SPEC_MAX)
        };
        let counts = [self.actors.len(), self.changes.len(), self.operations.len()];
        let fits = counts.iter().all(|count| *count <= COUNT_MAX)
            && self.heads.len() <= COUNT_MAX * HEAD_BYTES
            && self
                .actors
                .iter()
                .all(|actor| actor.len() <= ACTOR_BYTES_MAX);
        let column = self.operations.iter().find(|(spec, _)| *spec == KEYS);
        let column = column.map_or(&[][..], |(_, bytes)| bytes);
        let keys = Keys::of(column)?;
        let same = self.join() == saved && keys.reader().column(column.len())? == column;
        if fits && same && once(&self.changes) && once(&self.operations) {
            return Ok(keys);
        }
        Err(shape())
    }
}

struct KeysReader<'a> {
    runs: Reader<'a>,
    shared: Reader<'a>,
    lengths: Reader<'a>,
    bytes: Reader<'a>,
}

impl KeysReader<'_> {
    /// Returns a column of so many bytes.
    fn column(&mut self, bytes: usize) -> Result<Vec<u8>, Malformed> {
        if bytes > DOCUMENT_BYTES_MAX {
            return Err(shape());
        }
        let (mut out, mut last) = (Vec::new(), Vec::new());
        while out.len() < bytes {
            let run = self.runs.sleb()?;
            push_sleb(&mut out, run);
            if run == 0 {
                push_uleb(&mut out, self.runs.uleb()?);
            }
            for _ in 0..literals(run) {
                let (shared, length) = (self.shared.length()?, self.lengths.length()?);
                if shared > last.len() {
                    return Err(shape());
                }
                last.truncate(shared);
                last.extend_from_slice(self.bytes.take(length)?);
                push_uleb(&mut out, last.len() as u64);
                out.extend_from_slice(&last);
                if out.len() > bytes {
                    return Err(shape());
                }
            }
        }
        Ok(out)
    }
}

struct Columns<'a> {
    columns: BTreeMap<u64, Reader<'a>>,
    actors: Vec<&'a [u8]>,
    last: Option<DocId>,
    unfolded: usize,
}

impl<'a> Columns<'a> {
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

    fn document(&mut self) -> Result<PackedDoc, Malformed> {
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
        let actors = (0..actors)
            .map(|_| self.actor())
            .collect::<Result<Vec<_>, _>>()?;
        let changes = (0..changes)
            .map(|_| {
                let spec = self.spec()?;
                let bytes = self.length(name::CHANGE_LENGTHS + spec)?;
                Ok((spec, self.bytes(name::CHANGES + spec, bytes)?))
            })
            .collect::<Result<Vec<_>, Malformed>>()?;
        let operations = (0..operations)
            .map(|_| {
                let spec = self.spec()?;
                let bytes = self.length(name::OPERATION_LENGTHS + spec)?;
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

    fn spec(&mut self) -> Result<u64, Malformed> {
        let spec = self.number(name::SPECS)?;
        (spec < SPEC_MAX).then_some(spec).ok_or_else(shape)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ChangeHash;
    use proptest::prelude::*;

    /// Keys as the library writes them: a run, literals, nulls.
    fn keys() -> Vec<u8> {
        let mut column = Vec::new();
        let string = |column: &mut Vec<u8>, text: &str| {
            push_uleb(column, text.len() as u64);
            column.extend_from_slice(text.as_bytes());
        };
        push_sleb(&mut column, 2);
        string(&mut column, "a7d67d3f/on");
        push_sleb(&mut column, -3);
        for text in ["a7d67d3f/for", "a7d67d3f/note", ""] {
            string(&mut column, text);
        }
        push_sleb(&mut column, 0);
        push_uleb(&mut column, 300);
        column
    }

    fn saved(doc: DocId, heads: &[u8], actors: &[&[u8]]) -> Vec<u8> {
        let keys = keys();
        let values = [b"before".as_slice(), doc.as_bytes(), b"behind"].concat();
        Parts {
            actors: actors.to_vec(),
            heads,
            changes: vec![(1, &[3, 1]), (35, &[])],
            operations: vec![(KEYS, &keys), (VALUES, &values), (128, &[7; 20])],
            suffix: &[0],
        }
        .join()
    }

    fn document(n: u8, owner: Option<DocId>, saved: Vec<u8>) -> PackedDoc {
        let doc = DocId([n; 16]);
        PackedDoc {
            doc,
            kind: DocKind(n),
            schema: 1,
            owner,
            place: owner.is_none().then(|| PackedPlace {
                position: 9,
                bytes: [b"place ".as_slice(), doc.as_bytes(), b"511724"].concat(),
            }),
            position: 400 + u64::from(n),
            saved,
            beside: vec![Beside {
                kind: 1,
                position: 6,
                bytes: vec![8; usize::from(n)],
            }],
        }
    }

    fn frame(heads: u8) -> PackFrame {
        let heads = [heads; 2 * HEAD_BYTES];
        let actors: [&[u8]; 2] = [&[1; 8], &[2; 8]];
        let of = |n: u8| saved(DocId([n; 16]), &heads, &actors);
        PackFrame {
            documents: vec![
                document(1, None, of(1)),
                document(2, Some(DocId([1; 16])), of(2)),
                document(3, Some(DocId([9; 16])), Vec::new()),
                document(4, None, b"no chunk at all".to_vec()),
            ],
            writers: vec![(ActorId([1; 8]), DeviceId([3; 16]))],
        }
    }

    #[test]
    fn a_frame_comes_out_as_it_went_in_but_for_its_heads() {
        let read = decode(&encode(&frame(7))).unwrap();
        assert_eq!(read, frame(0));
        let heads = [ChangeHash([7; 32]); 2];
        let own = &frame(7).documents[0].saved;
        assert_eq!(
            with_heads(&read.documents[0].saved, &heads).as_ref(),
            Ok(own)
        );
        assert!(with_heads(own, &heads[..1]).is_err());
    }

    #[test]
    fn what_is_alike_costs_once() {
        let mut packer = packing::Packer::new().unwrap();
        let mut weigh = |count: u8| {
            let documents = (1..=count).map(|n| {
                let doc = DocId([n; 16]);
                document(n, None, saved(doc, &[n; HEAD_BYTES], &[&[1; 8]]))
            });
            let frame = PackFrame {
                documents: documents.collect(),
                writers: Vec::new(),
            };
            packer.pack(&encode(&frame)).unwrap().len()
        };
        let (few, many) = (weigh(10), weigh(110));
        // Its id and its head are 48 bytes of each.
        assert!(many < few + 100 * 12, "{few} and {many}");
    }

    #[test]
    fn what_cannot_be_joined_again_travels_whole() {
        let long: &[u8] = &[1; ACTOR_BYTES_MAX + 1];
        let many = vec![&[1_u8; 8][..]; COUNT_MAX + 1];
        for actors in [vec![long], many] {
            let whole = saved(DocId([1; 16]), &[7; HEAD_BYTES], &actors);
            let frame = PackFrame {
                documents: vec![document(1, None, whole)],
                writers: Vec::new(),
            };
            assert_eq!(decode(&encode(&frame)), Ok(frame));
        }
    }

    #[test]
    fn what_is_cut_or_claims_more_than_is_there_is_refused() {
        let bytes = encode(&frame(7));
        for cut in 0..bytes.len() {
            assert!(decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        let mut form: FrameForm = packing::decode(&bytes, "a frame").unwrap();
        form.documents += 1;
        assert!(decode(&packing::encode(&form)).is_err());
        form.documents -= 2;
        assert!(decode(&packing::encode(&form)).is_err(), "bytes are left");
    }

    #[test]
    fn documents_past_the_limit_are_not_unfolded() {
        let heads = vec![0; COUNT_MAX * HEAD_BYTES];
        let one = saved(DocId([1; 16]), &heads, &[&[1; 8]]);
        let fit = PACK_FRAME_UNFOLDED_BYTES_MAX / one.len();
        let of = |count: usize| {
            encode(&PackFrame {
                documents: vec![document(1, None, one.clone()); count],
                writers: Vec::new(),
            })
        };
        assert!(decode(&of(fit)).is_ok());
        assert!(matches!(
            decode(&of(fit + 1)),
            Err(Malformed::TooLarge { .. })
        ));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(
            at in 0..400_usize,
            new in any::<[u8; 3]>(),
            noise in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let mut bytes = encode(&frame(7));
            for (byte, new) in bytes.iter_mut().skip(at).zip(new) {
                *byte = new;
            }
            let _ = decode(&bytes);
            let _ = decode(&noise);
            let _ = with_heads(&noise, &[]);
        }
    }
}
