//! One document: begin it, write to it, read it, save it.
//!
//! **A save is a cache**: the changes behind it are the truth, and a save counts only after it was
//! loaded back and its heads were compared (`gate`).

use std::collections::{BTreeMap, BTreeSet};

use automerge::transaction::{CommitOptions, Transactable};
use automerge::{
    ActorId as Writer, Automerge, ObjId, ROOT, ReadDoc, ScalarValue, ScalarValueRef, Value,
    ValueRef,
};
use wangge_wire::limits::DOCUMENT_BYTES_MAX;
use wangge_wire::{ActorId, ChangeHash, DocId, Shape};

use crate::genesis;
use crate::parse;
use crate::register::{Fields, Put, Register, Scalar, Version};

/// A document that cannot be made, read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// The bytes are no document, or not the one they should be; its changes rebuild it.
    #[error("the saved document is damaged")]
    Damaged,
    /// The write would take the document past its size.
    #[error("the document would be larger than {limit} bytes")]
    Full {
        /// The limit in bytes.
        limit: usize,
    },
    /// A write names a container the document's shape does not have.
    #[error("no container {container}")]
    NoContainer {
        /// The container.
        container: &'static str,
    },
    /// The library refused; the text is its own and names no data.
    #[error("the document library refused: {reason}")]
    Library {
        /// The library's words.
        reason: String,
    },
}

impl DocumentError {
    pub(crate) fn library(error: &automerge::AutomergeError) -> Self {
        DocumentError::Library {
            reason: error.to_string(),
        }
    }
}

/// A document in memory.
#[derive(Debug, Clone)]
pub struct Document {
    pub(crate) inner: Automerge,
    pub(crate) shape: Shape,
    /// Its heads, and its form with them, where the library was told others, by a form that came without
    /// them: for reading that is the same, and before it is written to it is loaded anew.
    pub(crate) came: Option<(Vec<ChangeHash>, Vec<u8>)>,
}

/// A change just made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its hash.
    pub hash: ChangeHash,
    /// Its bytes.
    pub raw: Vec<u8>,
}

impl Document {
    /// Returns a new document: its genesis and nothing else.
    pub fn begin(shape: &Shape, doc: &DocId) -> Result<Self, DocumentError> {
        let inner = genesis::document(shape, doc)?;
        Ok(Self::of(inner, shape))
    }

    /// Returns the document in `bytes`, which [`Document::save`] made.
    pub fn load(shape: &Shape, bytes: &[u8]) -> Result<Self, DocumentError> {
        let loaded = crate::gate::guarded(|| Automerge::load(bytes));
        match loaded {
            Some(Ok(inner)) => Ok(Self::of(inner, shape)),
            _ => Err(DocumentError::Damaged),
        }
    }

    pub(crate) fn of(inner: Automerge, shape: &Shape) -> Self {
        Self {
            inner,
            shape: shape.clone(),
            came: None,
        }
    }

    /// Loads it anew where the library was told other heads than it has.
    pub(crate) fn settle_heads(&mut self) -> Result<(), DocumentError> {
        if let Some((_, form)) = &self.came {
            *self = Self::load(&self.shape, form)?;
        }
        Ok(())
    }

    /// Returns its saved form, where it came in one that said other heads.
    pub fn form(&self) -> Option<&[u8]> {
        self.came.as_ref().map(|(_, form)| form.as_slice())
    }

    /// Returns the document as bytes; not compressed, not canonical.
    pub fn save(&self) -> Vec<u8> {
        match &self.came {
            Some((_, form)) => form.clone(),
            None => self.inner.save_nocompress(),
        }
    }

    /// Returns the heads: equal heads are equal documents.
    pub fn heads(&self) -> Vec<ChangeHash> {
        if let Some((heads, _)) = &self.came {
            return heads.clone();
        }
        self.inner
            .get_heads()
            .iter()
            .map(|head| ChangeHash(head.0))
            .collect()
    }

    /// Returns whether the document rests on this change.
    pub fn contains(&self, hash: &ChangeHash) -> bool {
        self.inner
            .get_change_meta_by_hash(&automerge::ChangeHash(hash.0))
            .is_some()
    }

    /// Returns the changes that none of these rests on: what was written beside or after all of them.
    pub fn beyond(&self, seen: &[ChangeHash]) -> BTreeSet<ChangeHash> {
        let seen: Vec<_> = seen
            .iter()
            .map(|hash| automerge::ChangeHash(hash.0))
            .collect();
        let changes = self.inner.get_changes_meta(&seen);
        changes
            .iter()
            .map(|change| ChangeHash(change.hash.0))
            .collect()
    }

    /// Returns the id its genesis wrote.
    pub fn id(&self) -> Option<DocId> {
        match self.inner.get(ROOT, genesis::ID_KEY) {
            Ok(Some((Value::Scalar(value), _))) => match value.as_ref() {
                ScalarValue::Bytes(bytes) => DocId::from_slice(bytes),
                _ => None,
            },
            _ => None,
        }
    }

    /// Writes `puts` as one change by `actor`; none if every value already stands alone.
    ///
    /// A put on a register in conflict settles it: the change rests on all the values it replaces.
    pub fn write(
        &mut self,
        actor: &ActorId,
        at_ms: i64,
        puts: &[Put],
    ) -> Result<Option<Written>, DocumentError> {
        self.settle_heads()?;
        let mut containers = BTreeMap::new();
        for put in puts {
            let object = self.container(put.container);
            containers.insert(
                put.container,
                object.ok_or(DocumentError::NoContainer {
                    container: put.container,
                })?,
            );
        }
        let news: Vec<&Put> = puts
            .iter()
            .filter(|put| !self.stands(&containers, put))
            .collect();
        if news.is_empty() {
            return Ok(None);
        }
        let mut next = self.inner.clone();
        next.set_actor(Writer::from(actor.0.as_slice()));
        let done = next
            .transact_with(
                |()| CommitOptions::default().with_time(at_ms),
                |tx| {
                    for put in &news {
                        let Some(object) = containers.get(put.container) else {
                            continue;
                        };
                        if tx.get_all(object, put.key.as_str())?.len() > 1 {
                            tx.put(object, put.key.as_str(), interim(&put.value))?;
                        }
                        tx.put(object, put.key.as_str(), scalar_value(&put.value))?;
                    }
                    Ok::<_, automerge::AutomergeError>(())
                },
            )
            .map_err(|failure| DocumentError::library(&failure.error))?;
        let change = done.hash.and_then(|hash| next.get_change_by_hash(&hash));
        let change = change.ok_or(DocumentError::Damaged)?;
        let written = Written {
            hash: ChangeHash(change.hash().0),
            raw: change.raw_bytes().to_vec(),
        };
        parse::check(&written.raw).map_err(|_| DocumentError::Full {
            limit: DOCUMENT_BYTES_MAX,
        })?;
        if next.save_nocompress().len() > DOCUMENT_BYTES_MAX {
            return Err(DocumentError::Full {
                limit: DOCUMENT_BYTES_MAX,
            });
        }
        self.inner = next;
        Ok(Some(written))
    }

    /// Returns all registers.
    pub fn fields(&self) -> Fields {
        self.fields_of(None)
    }

    /// Returns all registers as one change left them: what its author saw, and what it wrote.
    ///
    /// None where the change is not here.
    pub fn fields_at(&self, change: &ChangeHash) -> Option<Fields> {
        let heads = [automerge::ChangeHash(change.0)];
        self.contains(change).then(|| self.fields_of(Some(&heads)))
    }

    fn fields_of(&self, heads: Option<&[automerge::ChangeHash]>) -> Fields {
        let names = std::iter::once("").chain(self.shape.containers.iter().map(String::as_str));
        let containers = names
            .filter_map(|name| {
                let registers = self.registers(&self.container(name)?, heads);
                Some((name.to_owned(), registers))
            })
            .collect();
        Fields { containers }
    }

    /// Returns every value of a register with its writer, the shown one first.
    pub fn versions(&self, container: &str, key: &str) -> Vec<Version> {
        let Some(object) = self.container(container) else {
            return Vec::new();
        };
        let values = self.inner.get_all(&object, key).unwrap_or_default();
        let mut versions: Vec<Version> = values
            .into_iter()
            .rev()
            .filter_map(|(value, op)| {
                let hash = self.inner.hash_for_opid(&op)?;
                let meta = self.inner.get_change_meta_by_hash(&hash)?;
                Some(Version {
                    value: scalar_of_value(&value)?,
                    change: ChangeHash(hash.0),
                    actor: ActorId::from_slice(meta.actor.to_bytes())?,
                    at_ms: meta.timestamp,
                })
            })
            .collect();
        if let Ok(Some((shown, _))) = self.inner.get(&object, key) {
            let shown = scalar_of_value(&shown);
            versions.sort_by_key(|version| Some(&version.value) != shown.as_ref());
        }
        versions
    }

    /// Returns who wrote the shown value of each of these registers of a container, and when by their
    /// clock, milliseconds since 1970. One walk: a question for each register would cost as much as all.
    pub fn writers(
        &self,
        container: &str,
        wanted: impl Fn(&str) -> bool,
    ) -> BTreeMap<String, (ActorId, i64)> {
        let Some(object) = self.container(container) else {
            return BTreeMap::new();
        };
        let items = self.inner.map_range(&object, ..);
        let wanted = items.filter(|item| wanted(&item.key));
        wanted
            .filter_map(|item| {
                scalar_of_ref(&item.value)?;
                let hash = self.inner.hash_for_opid(&item.id())?;
                let meta = self.inner.get_change_meta_by_hash(&hash)?;
                let actor = ActorId::from_slice(meta.actor.to_bytes())?;
                Some((item.key.into_owned(), (actor, meta.timestamp)))
            })
            .collect()
    }

    /// Returns the map object of a container, as the genesis made it.
    pub(crate) fn container(&self, name: &str) -> Option<ObjId> {
        if name.is_empty() {
            return Some(ROOT);
        }
        self.inner
            .get_all(ROOT, name)
            .ok()?
            .into_iter()
            .find(|(value, _)| matches!(value, Value::Object(automerge::ObjType::Map)))
            .map(|(_, object)| object)
    }

    fn registers(
        &self,
        object: &ObjId,
        heads: Option<&[automerge::ChangeHash]>,
    ) -> BTreeMap<String, Register> {
        let items = match heads {
            None => self.inner.map_range(object, ..),
            Some(heads) => self.inner.map_range_at(object, .., heads),
        };
        items
            .filter_map(|item| {
                let shown = scalar_of_ref(&item.value)?;
                let mut others = Vec::new();
                if item.conflict {
                    let values = match heads {
                        None => self.inner.get_all(object, &*item.key),
                        Some(heads) => self.inner.get_all_at(object, &*item.key, heads),
                    };
                    for (value, _) in values.unwrap_or_default() {
                        if let Some(value) = scalar_of_value(&value)
                            && value != shown
                            && !others.contains(&value)
                        {
                            others.push(value);
                        }
                    }
                    others.sort();
                }
                Some((item.key.into_owned(), Register { shown, others }))
            })
            .collect()
    }

    /// Returns whether the put's value already stands in its register, alone.
    fn stands(&self, containers: &BTreeMap<&str, ObjId>, put: &Put) -> bool {
        let Some(object) = containers.get(put.container) else {
            return false;
        };
        let values = self
            .inner
            .get_all(object, put.key.as_str())
            .unwrap_or_default();
        match values.as_slice() {
            [] => put.value == Scalar::Null,
            values => values
                .iter()
                .all(|(value, _)| scalar_of_value(value).as_ref() == Some(&put.value)),
        }
    }
}

/// Returns a value other than `value`, written first when a conflict is settled.
///
/// The library turns "put what is shown already" into a delete of the other values; a concurrent
/// settlement by somebody else would then win without a trace. Two writes make ours a real one.
fn interim(value: &Scalar) -> ScalarValue {
    if *value == Scalar::Null {
        ScalarValue::Boolean(false)
    } else {
        ScalarValue::Null
    }
}

fn scalar_value(value: &Scalar) -> ScalarValue {
    match value {
        Scalar::Null => ScalarValue::Null,
        Scalar::Bool(value) => ScalarValue::Boolean(*value),
        Scalar::Int(value) => ScalarValue::Int(*value),
        Scalar::Text(text) => ScalarValue::Str(text.as_str().into()),
        Scalar::Bytes(bytes) => ScalarValue::Bytes(bytes.clone()),
    }
}

pub(crate) fn scalar_of_value(value: &Value<'_>) -> Option<Scalar> {
    match value {
        Value::Object(_) => None,
        Value::Scalar(scalar) => scalar_of(scalar),
    }
}

pub(crate) fn scalar_of(value: &ScalarValue) -> Option<Scalar> {
    match value {
        ScalarValue::Null => Some(Scalar::Null),
        ScalarValue::Boolean(value) => Some(Scalar::Bool(*value)),
        ScalarValue::Int(value) | ScalarValue::Timestamp(value) => Some(Scalar::Int(*value)),
        ScalarValue::Str(text) => Some(Scalar::Text(text.to_string())),
        ScalarValue::Bytes(bytes) => Some(Scalar::Bytes(bytes.clone())),
        _ => None,
    }
}

fn scalar_of_ref(value: &ValueRef<'_>) -> Option<Scalar> {
    match value {
        ValueRef::Object(_) => None,
        ValueRef::Scalar(scalar) => match scalar {
            ScalarValueRef::Null => Some(Scalar::Null),
            ScalarValueRef::Boolean(value) => Some(Scalar::Bool(*value)),
            ScalarValueRef::Int(value) | ScalarValueRef::Timestamp(value) => {
                Some(Scalar::Int(*value))
            }
            ScalarValueRef::Str(text) => Some(Scalar::Text(text.to_string())),
            ScalarValueRef::Bytes(bytes) => Some(Scalar::Bytes(bytes.to_vec())),
            _ => None,
        },
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use wangge_wire::DocKind;

    pub(crate) const LI: ActorId = ActorId(*b"li-mei--");
    pub(crate) const WANG: ActorId = ActorId(*b"wang-fan");

    pub(crate) fn shape() -> Shape {
        Shape {
            kind: DocKind(1),
            schema: 0,
            containers: vec!["members".into()],
        }
    }

    pub(crate) fn begun() -> Document {
        Document::begin(&shape(), &DocId([7; 16])).unwrap()
    }

    fn phone(value: &str) -> Vec<Put> {
        vec![Put::root("phone", value)]
    }

    #[test]
    fn one_action_is_one_change_and_saying_it_again_is_none() {
        let mut document = begun();
        let puts = [
            Put::root("door", "3-12"),
            Put::entry("members", "a", "name", "曾小红"),
        ];
        let written = document.write(&LI, 1_000, &puts).unwrap().unwrap();
        assert_eq!(document.heads(), vec![written.hash]);
        assert_eq!(document.write(&LI, 2_000, &puts).unwrap(), None);
        assert_eq!(document.fields().root_text("door"), "3-12");
        assert_eq!(document.id(), Some(DocId([7; 16])));
    }

    #[test]
    fn a_saved_document_loads_with_equal_heads() {
        let mut document = begun();
        document.write(&LI, 1_000, &phone("1")).unwrap();
        let loaded = Document::load(&shape(), &document.save()).unwrap();
        assert_eq!(loaded.heads(), document.heads());
        assert_eq!(loaded.fields(), document.fields());
        assert!(Document::load(&shape(), b"garbage").is_err());
    }

    #[test]
    fn two_concurrent_writes_to_one_field_are_both_kept_until_one_settles_them() {
        let (mut li, mut wang) = (begun(), begun());
        let a = li
            .write(&LI, 1_000, &phone("13800000001"))
            .unwrap()
            .unwrap();
        let b = wang
            .write(&WANG, 2_000, &phone("13800000002"))
            .unwrap()
            .unwrap();
        li.apply(&[b.raw]);
        wang.apply(&[a.raw]);
        assert_eq!(li.fields(), wang.fields());
        let fields = li.fields();
        assert_eq!(fields.conflicts().count(), 1);
        let versions = li.versions("", "phone");
        assert_eq!(versions.len(), 2);
        assert_eq!(Some(&versions[0].value), fields.root("phone"));
        assert!(versions.iter().any(|v| v.actor == LI && v.at_ms == 1_000));

        let shown = fields.root_text("phone").to_owned();
        let settled = li.write(&LI, 3_000, &phone(&shown)).unwrap().unwrap();
        wang.apply(&[settled.raw]);
        assert_eq!(wang.fields().conflicts().count(), 0);
        assert_eq!(wang.heads(), li.heads());
    }

    #[test]
    fn two_settlements_that_meet_are_a_conflict_again_until_they_agree() {
        let (mut li, mut wang) = (begun(), begun());
        let a = li.write(&LI, 1, &phone("1")).unwrap().unwrap();
        let b = wang.write(&WANG, 2, &phone("2")).unwrap().unwrap();
        li.apply(&[b.raw]);
        wang.apply(&[a.raw]);
        let a = li.write(&LI, 3, &phone("1")).unwrap().unwrap();
        let b = wang.write(&WANG, 4, &phone("2")).unwrap().unwrap();
        li.apply(&[b.raw]);
        wang.apply(&[a.raw]);
        assert_eq!(li.fields(), wang.fields());
        assert_eq!(li.fields().conflicts().count(), 1);
    }

    #[test]
    fn equal_concurrent_values_are_no_conflict() {
        let (mut li, mut wang) = (begun(), begun());
        li.write(&LI, 1, &phone("1")).unwrap();
        let b = wang.write(&WANG, 2, &phone("1")).unwrap().unwrap();
        li.apply(&[b.raw]);
        assert_eq!(li.fields().conflicts().count(), 0);
    }

    #[test]
    fn the_same_member_added_on_two_devices_is_one_member_with_both_their_fields() {
        let (mut li, mut wang) = (begun(), begun());
        li.write(&LI, 1, &[Put::entry("members", "m", "name", "曾小红")])
            .unwrap();
        let puts = [
            Put::entry("members", "m", "name", "曾小红"),
            Put::entry("members", "m", "sex", 2_i64),
        ];
        let b = wang.write(&WANG, 2, &puts).unwrap().unwrap();
        li.apply(&[b.raw]);
        let fields = li.fields();
        assert_eq!(fields.entries("members").len(), 1);
        assert_eq!(fields.entries("members")["m"]["sex"], &Scalar::Int(2));
        assert_eq!(fields.conflicts().count(), 0);
    }

    #[test]
    fn a_document_past_its_size_is_refused_and_unchanged() {
        let mut document = begun();
        for n in 0.. {
            let note = Put::root(&format!("note-{n}"), "字".repeat(20_000));
            match document.write(&LI, 1, &[note]) {
                Ok(_) => assert!(n < 20, "a megabyte is about 18 such notes"),
                Err(error) => {
                    assert_eq!(
                        error,
                        DocumentError::Full {
                            limit: DOCUMENT_BYTES_MAX
                        }
                    );
                    assert!(document.fields().root(&format!("note-{n}")).is_none());
                    break;
                }
            }
        }
    }
}
