//! What several documents of one family say together.
//!
//! **No value is hidden by a merge**: the survivor's value is shown, what only an alias says is filled
//! in, what they say differently is listed, and what was written beside or after the merge, by somebody
//! who could not know of it, is a conflict until a person settles it.

use std::collections::{BTreeMap, BTreeSet};

use wangge_crdt::{Document, Fields, Put, Register, Scalar, Version};
use wangge_wire::{ChangeHash, DocId};

use super::CARE;
use super::alias::ALIAS_OF;
use super::members::MEMBERS;
use crate::relation;

/// Root keys that say "this late value was looked at".
const SEEN: &str = "seen.";
/// Member fields that end something: the silence of one document must not let another one say them.
const ENDINGS: [&str; 3] = ["away", "left", "moved"];

/// What several documents say of one family.
#[derive(Debug, Clone, Default)]
pub struct United {
    /// The survivor's registers, with what only an alias says filled in, in the survivor's terms.
    pub fields: Fields,
    /// What an alias says otherwise.
    pub others: Vec<Other>,
    /// A member of an alias who is the same person as a member that is shown.
    pub same: BTreeMap<String, String>,
    /// Registers of aliases that are shown because nobody else says them: alias, container, key there.
    pub filled: BTreeSet<(DocId, String, String)>,
}

/// A value in an alias that is not the shown one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// The alias.
    pub doc: DocId,
    /// The container.
    pub container: String,
    /// The key in the alias.
    pub own_key: String,
    /// The key as the survivor has it.
    pub key: String,
    /// The value as the alias has it.
    pub own_value: Scalar,
    /// The value in the survivor's terms: the head is the survivor's member.
    pub value: Scalar,
}

/// A value in an alias by somebody who could not know of the merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Late {
    /// What it says, and where.
    pub other: Other,
    /// Who wrote it.
    pub version: Version,
}

/// Returns what the documents of one family say together; the first is the survivor.
pub fn unite(docs: &[(DocId, Fields)]) -> United {
    let mut united = United::default();
    let Some(((_, own), aliases)) = docs.split_first() else {
        return united;
    };
    united.fields = own.clone();
    for (doc, fields) in aliases {
        let same = same_people(&united.fields, fields);
        let before = united.fields.clone();
        let registers = fields.all();
        let said =
            registers.filter(|(container, key, _)| !container.is_empty() || !is_bookkeeping(key));
        for (container, own_key, register) in said {
            let place = Place {
                doc,
                container,
                own_key,
                key: in_terms(container, own_key, &same),
            };
            if fills(&before, container, &place.key) {
                let own = (*doc, container.to_owned(), own_key.to_owned());
                united.filled.insert(own);
                united.fields.set(container, &place.key, register.clone());
            } else {
                united
                    .others
                    .extend(otherwise(&before, &place, register, &same));
            }
        }
        united.same.extend(same);
    }
    united
}

/// Returns the values of aliases whose writer could not know of the merge, not yet looked at.
pub fn late(united: &United, documents: &BTreeMap<DocId, Document>) -> Vec<Late> {
    let mut late = Vec::new();
    let mut beyond: BTreeMap<DocId, BTreeSet<ChangeHash>> = BTreeMap::new();
    for other in &united.others {
        let Some(document) = documents.get(&other.doc) else {
            continue;
        };
        let after = beyond
            .entry(other.doc)
            .or_insert_with(|| document.beyond(&merges(document)));
        for version in document.versions(&other.container, &other.own_key) {
            let is_late = version.value == other.own_value && after.contains(&version.change);
            let found = Late {
                other: other.clone(),
                version: Version {
                    value: other.value.clone(),
                    ..version
                },
            };
            if is_late && document.versions("", &seen(&found).key).is_empty() {
                late.push(found);
            }
        }
    }
    late
}

/// Returns the write, in the alias, that says that a late value was looked at.
///
/// It names the change, so that two people may say it at once, and a later edit is looked at again.
pub fn seen(late: &Late) -> Put {
    let change: String = late.version.change.to_string().chars().take(16).collect();
    let dot = if late.other.container.is_empty() {
        ""
    } else {
        "."
    };
    let field = format!("{}{dot}{}", late.other.container, late.other.own_key).replace('/', ".");
    Put::root(&format!("{SEEN}{change}.{field}"), true)
}

/// Where a register of an alias belongs.
struct Place<'a> {
    doc: &'a DocId,
    container: &'a str,
    own_key: &'a str,
    key: String,
}

/// Returns the values of an alias's register that are not the shown one.
fn otherwise(
    before: &Fields,
    place: &Place<'_>,
    register: &Register,
    same: &BTreeMap<String, String>,
) -> Vec<Other> {
    let (container, key) = (place.container, &*place.key);
    let is_head = container.is_empty() && key == "head";
    let shown = before.get(container, key).map(|register| &register.shown);
    let usual = usual(container, key);
    let mut others = Vec::new();
    for own_value in std::iter::once(&register.shown).chain(&register.others) {
        let value = match own_value {
            Scalar::Text(member) if is_head => {
                Scalar::Text(same.get(member).unwrap_or(member).clone())
            }
            value => value.clone(),
        };
        let is_shown = match shown {
            Some(shown) => *shown == value || (is_empty(shown) && is_empty(&value)),
            None => is_empty(&value) || usual.as_ref() == Some(&value),
        };
        if !is_shown {
            others.push(Other {
                doc: *place.doc,
                container: container.to_owned(),
                own_key: place.own_key.to_owned(),
                key: key.to_owned(),
                own_value: own_value.clone(),
                value,
            });
        }
    }
    others
}

/// Returns whether an alias may fill this register: nobody before it wrote it, and its absence says
/// nothing. Group and door are one address, and an entry of care is one sentence.
fn fills(before: &Fields, container: &str, key: &str) -> bool {
    if before.get(container, key).is_some() {
        return false;
    }
    match (container, key.split_once('/')) {
        ("", _) if key == "group" || key == "door" => {
            before.root("group").is_none() && before.root("door").is_none()
        }
        ("", _) => !key.starts_with("residence") && key != "head",
        (CARE, Some((id, _))) => !says(before, CARE, id, "tag"),
        (MEMBERS, Some((id, field))) => {
            let ends = ENDINGS.iter().any(|ending| field.starts_with(ending));
            !ends || !says(before, MEMBERS, id, "name")
        }
        _ => true,
    }
}

/// Returns whether an entry was made here, and not only written to.
fn says(fields: &Fields, container: &str, id: &str, field: &str) -> bool {
    fields.get(container, &format!("{id}/{field}")).is_some()
}

/// Returns what a register says that is not written.
fn usual(container: &str, key: &str) -> Option<Scalar> {
    match container {
        MEMBERS if key.ends_with("/away") => Some(Scalar::Bool(false)),
        "" if key == "residence" => Some("resident".into()),
        _ => None,
    }
}

fn is_empty(value: &Scalar) -> bool {
    *value == Scalar::Null || value.as_text().is_some_and(str::is_empty)
}

/// Returns whether a root key is about documents, not about the family.
fn is_bookkeeping(key: &str) -> bool {
    key == "id" || key == ALIAS_OF || key.starts_with(SEEN)
}

/// Returns the key of an alias's register as the survivor has it.
fn in_terms(container: &str, key: &str, same: &BTreeMap<String, String>) -> String {
    let id_end = match container {
        MEMBERS => key.find('/'),
        CARE => key.find('.'),
        _ => None,
    };
    let parts = id_end.and_then(|end| key.split_at_checked(end));
    match parts.and_then(|(id, rest)| Some((same.get(id)?, rest))) {
        Some((shown, rest)) => format!("{shown}{rest}"),
        None => key.to_owned(),
    }
}

/// A member's id and fields.
type Person<'a> = (&'a str, &'a BTreeMap<&'a str, &'a Scalar>);

/// Returns the members of an alias who are members of the household: the same id number, or name and
/// birth, or name and relation where a birth is not known.
fn same_people(shown: &Fields, alias: &Fields) -> BTreeMap<String, String> {
    let (shown, alias) = (shown.entries(MEMBERS), alias.entries(MEMBERS));
    let mut same: BTreeMap<String, String> = BTreeMap::new();
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    for is_same in [is_same_id, is_same_number, is_same_birth, is_same_relation] {
        for (id, person) in &alias {
            if same.contains_key(*id) {
                continue;
            }
            let found = shown.iter().find(|(known, member)| {
                !taken.contains(**known) && is_same((known, member), (id, person))
            });
            if let Some((known, _)) = found {
                taken.insert(known);
                same.insert((*id).to_owned(), (*known).to_owned());
            }
        }
    }
    // One id is one person without saying so.
    same.retain(|own, known| own != known);
    same
}

fn said<'a>(person: Person<'a>, field: &str) -> Option<&'a str> {
    let value = person.1.get(field)?.as_text()?;
    (!value.is_empty()).then_some(value)
}

fn is_same_id(a: Person<'_>, b: Person<'_>) -> bool {
    a.0 == b.0
}

fn is_same_number(a: Person<'_>, b: Person<'_>) -> bool {
    let mut hashes =
        a.1.iter()
            .filter(|(field, _)| field.starts_with("id_hash."));
    hashes.any(|(field, hash)| b.1.get(field) == Some(hash))
}

fn is_same_birth(a: Person<'_>, b: Person<'_>) -> bool {
    let (name, birth) = (said(a, "name"), said(a, "birth"));
    name.is_some() && birth.is_some() && (name, birth) == (said(b, "name"), said(b, "birth"))
}

fn is_same_relation(a: Person<'_>, b: Person<'_>) -> bool {
    let name = said(a, "name");
    let birth_open = said(a, "birth").is_none() || said(b, "birth").is_none();
    name.is_some() && birth_open && name == said(b, "name") && relation_of(a) == relation_of(b)
}

fn relation_of(person: Person<'_>) -> Option<&str> {
    match said(person, "relation") {
        Some(code) if relation::is_head(code) => Some("02"),
        other => other,
    }
}

/// Returns the changes that made the document an alias.
fn merges(document: &Document) -> Vec<ChangeHash> {
    let versions = document.versions("", ALIAS_OF);
    let merged = |version: &Version| !is_empty(&version.value);
    versions
        .into_iter()
        .filter(merged)
        .map(|version| version.change)
        .collect()
}
