//! What a document holds, without the library that keeps it: scalars under (container, key).
//!
//! **A register with two concurrent writes keeps both.** `shown` is the same on every device; equal
//! values are no conflict.

use std::collections::BTreeMap;

use wangge_wire::{ActorId, ChangeHash};

/// The key that says that a document, or an entry of a collection, was taken back by who made it.
pub const VOID_KEY: &str = "void";

/// Returns whether a key says that something was taken back.
pub fn is_void_key(key: &str) -> bool {
    key.rsplit('/').next() == Some(VOID_KEY)
}

/// A value of a register.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scalar {
    /// Nothing: the field was emptied.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A whole number: counts, years, milliseconds since 1970.
    Int(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// One write: the root when `container` is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// A container of the document's shape, or empty for the root.
    pub container: &'static str,
    /// The key in it; entries of a collection are keyed `id/field`.
    pub key: String,
    /// The value.
    pub value: Scalar,
}

/// A register as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Register {
    /// The value every device shows.
    pub shown: Scalar,
    /// The distinct values beside it, when concurrent writes meet.
    pub others: Vec<Scalar>,
}

/// One of the values of a register, and who wrote it when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The value.
    pub value: Scalar,
    /// The change that wrote it.
    pub change: ChangeHash,
    /// The writer.
    pub actor: ActorId,
    /// The writer's clock, milliseconds since 1970.
    pub at_ms: i64,
}

/// All registers of a document: container, then key; the root is the empty container.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fields {
    pub(crate) containers: BTreeMap<String, BTreeMap<String, Register>>,
}

impl Put {
    /// Returns the write of a root field.
    pub fn root(key: &str, value: impl Into<Scalar>) -> Self {
        Self {
            container: "",
            key: key.to_owned(),
            value: value.into(),
        }
    }

    /// Returns the write of one field of an entry in a collection.
    pub fn entry(container: &'static str, id: &str, field: &str, value: impl Into<Scalar>) -> Self {
        Self {
            container,
            key: format!("{id}/{field}"),
            value: value.into(),
        }
    }
}

impl Fields {
    /// Returns a register.
    pub fn get(&self, container: &str, key: &str) -> Option<&Register> {
        self.containers.get(container)?.get(key)
    }

    /// Returns the shown value of a root field.
    pub fn root(&self, key: &str) -> Option<&Scalar> {
        self.get("", key).map(|register| &register.shown)
    }

    /// Returns the shown text of a root field; empty if there is none.
    pub fn root_text(&self, key: &str) -> &str {
        self.root(key).and_then(Scalar::as_text).unwrap_or_default()
    }

    /// Returns every register, as (container, key).
    pub fn all(&self) -> impl Iterator<Item = (&str, &str, &Register)> {
        self.containers.iter().flat_map(|(container, keys)| {
            keys.iter()
                .map(move |(key, register)| (&**container, &**key, register))
        })
    }

    /// Sets a register, for a reader that puts several documents together.
    pub fn set(&mut self, container: &str, key: &str, register: Register) {
        self.containers
            .entry(container.to_owned())
            .or_default()
            .insert(key.to_owned(), register);
    }

    /// Returns the registers of a container, by key.
    pub fn container(&self, name: &str) -> impl Iterator<Item = (&str, &Register)> {
        self.containers
            .get(name)
            .into_iter()
            .flatten()
            .map(|(key, register)| (&**key, register))
    }

    /// Returns the entries of a collection: id, then field, then the shown value. One that was taken
    /// back is left out.
    pub fn entries(&self, container: &str) -> BTreeMap<&str, BTreeMap<&str, &Scalar>> {
        let mut entries = self.all_entries(container);
        entries.retain(|entry, fields| {
            // Most have never been taken back, and need no name put together.
            fields.get(VOID_KEY) != Some(&&Scalar::Bool(true))
                || !self.is_taken_back(container, &format!("{entry}/{VOID_KEY}"))
        });
        entries
    }

    /// Returns the entries of a collection, those taken back too.
    pub fn all_entries(&self, container: &str) -> BTreeMap<&str, BTreeMap<&str, &Scalar>> {
        let mut entries: BTreeMap<&str, BTreeMap<&str, &Scalar>> = BTreeMap::new();
        for (key, register) in self.container(container) {
            if let Some((id, field)) = key.split_once('/') {
                entries
                    .entry(id)
                    .or_default()
                    .insert(field, &register.shown);
            }
        }
        entries
    }

    /// Returns every register in conflict, as (container, key).
    pub fn conflicts(&self) -> impl Iterator<Item = (&str, &str, &Register)> {
        self.containers.iter().flat_map(|(container, keys)| {
            keys.iter()
                .filter(|(_, register)| !register.others.is_empty())
                .map(move |(key, register)| (&**container, &**key, register))
        })
    }
}

impl Fields {
    /// Returns whether the document was taken back by who made it.
    pub fn is_void(&self) -> bool {
        self.is_taken_back("", VOID_KEY)
    }

    /// Returns whether a register says that something was taken back. **Who adds it at the same time does
    /// not lose it**: of a yes and a no that never met the no stands.
    pub fn is_taken_back(&self, container: &str, key: &str) -> bool {
        self.get(container, key).is_some_and(|register| {
            register.shown == Scalar::Bool(true) && !register.others.contains(&Scalar::Bool(false))
        })
    }
}

impl Scalar {
    /// Returns the text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Scalar::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the number, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Scalar::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns yes or no, if it is either.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Scalar::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns the bytes, if it is bytes.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Scalar::Bytes(value) => Some(value),
            _ => None,
        }
    }
}

impl From<&str> for Scalar {
    fn from(text: &str) -> Self {
        Scalar::Text(text.to_owned())
    }
}

impl From<String> for Scalar {
    fn from(text: String) -> Self {
        Scalar::Text(text)
    }
}

impl From<i64> for Scalar {
    fn from(value: i64) -> Self {
        Scalar::Int(value)
    }
}

impl From<bool> for Scalar {
    fn from(value: bool) -> Self {
        Scalar::Bool(value)
    }
}

impl From<Vec<u8>> for Scalar {
    fn from(value: Vec<u8>) -> Self {
        Scalar::Bytes(value)
    }
}

impl<T: Into<Scalar>> From<Option<T>> for Scalar {
    fn from(value: Option<T>) -> Self {
        value.map_or(Scalar::Null, Into::into)
    }
}
