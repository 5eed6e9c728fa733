//! One family registered twice: merge, take a merge back, tell apart.
//!
//! **A merge copies nothing and hides nothing**: each document keeps what it says, readers see them
//! together under the smallest id, and every value that is not the shown one is listed.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use wangge_crdt::{Fields, Put};
use wangge_model::household::{alias, united};
use wangge_model::kind;
use wangge_store::Draft;
use wangge_wire::DocId;

use crate::conflicts::{field_of, json};
use crate::error::{AgentError, Sought};
use crate::households::draft;
use crate::replica::Replica;

/// A value in an alias that is not the shown one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OtherValue {
    /// The alias it stands in.
    pub id: DocId,
    /// The field, as the survivor has it: `phone`, `members/…/name`.
    pub field: String,
    /// The value.
    pub value: serde_json::Value,
}

/// What a merge did, or would do.
#[derive(Debug, Clone, Serialize)]
pub struct Merged {
    /// The household that stands for all.
    pub id: DocId,
    /// Those it stands for.
    pub also: Vec<DocId>,
    /// What they say otherwise; nothing of it is lost.
    pub other_values: Vec<OtherValue>,
    /// Whether anything was written, or would be.
    pub changed: bool,
    /// Whether nothing was written.
    pub dry_run: bool,
}

/// What taking a merge back did.
#[derive(Debug, Clone, Serialize)]
pub struct Unmerged {
    /// The household that stands for itself again.
    pub id: DocId,
    /// The household it was merged with.
    pub from: DocId,
}

impl Replica {
    /// Makes households one family; a dry run shows what they say differently and writes nothing.
    pub fn merge_households(
        &mut self,
        names: &[String],
        dry_run: bool,
    ) -> Result<Merged, AgentError> {
        let mut named = BTreeSet::new();
        for name in names {
            named.insert(self.name_household(name)?);
        }
        let mut set: BTreeSet<DocId> = BTreeSet::new();
        for doc in &named {
            set.extend(alias::connected(&self.home.store.alias_edges(doc)?, *doc));
        }
        let mut puts = alias::merge(&set);
        let mut documents = Vec::new();
        for doc in &set {
            let Some(document) = self.home.store.document(doc)? else {
                // Another device holds it, and its edge stays as it is.
                puts.remove(doc);
                continue;
            };
            let fields = document.fields();
            let apart = alias::told_apart(&fields);
            let joined = apart.intersection(&set);
            let joined: Vec<Put> = joined.map(|other| alias::distinct(other, false)).collect();
            if !joined.is_empty() {
                puts.entry(*doc).or_default().extend(joined);
            }
            documents.push((*doc, fields));
        }
        if named.len() < 2 {
            puts.clear();
        }
        let changed = !puts.is_empty();
        if changed && !dry_run {
            self.record_puts(puts)?;
        }
        let mut present = documents.iter().map(|(doc, _)| *doc);
        let id = present.next().ok_or_else(|| AgentError::NotFound {
            what: Sought::Household,
            name: names.join(" "),
        })?;
        Ok(Merged {
            id,
            also: present.collect(),
            other_values: other_values(&documents),
            changed,
            dry_run,
        })
    }

    /// Takes a household out of its family: it stands for itself again with all it had.
    ///
    /// An alias is named by its id; a survivor's name is enough where it stands for one other.
    pub fn unmerge_household(&mut self, name: &str) -> Result<Unmerged, AgentError> {
        let out = self.name_alias(name)?;
        let edges = self.home.store.alias_edges(&out)?;
        let set = alias::connected(&edges, out);
        let from = set.iter().copied().find(|doc| *doc != out);
        let from = from.ok_or_else(|| AgentError::NotFound {
            what: Sought::Household,
            name: name.to_owned(),
        })?;
        let mut puts = alias::unmerge(&edges, &set, &out);
        for doc in &set {
            if self.home.store.kind_of(doc)?.is_none() {
                puts.remove(doc);
            }
        }
        self.record_puts(puts)?;
        Ok(Unmerged { id: out, from })
    }

    /// Says that two households are two families; false if it was said already.
    pub fn tell_apart(&mut self, one: &str, other: &str) -> Result<bool, AgentError> {
        let (one, other) = (self.name_household(one)?, self.name_household(other)?);
        if one == other {
            return Err(AgentError::BadValue {
                field: "households",
                value: one.to_string(),
                expected: "two households",
            });
        }
        self.record_puts(BTreeMap::from([
            (one, vec![alias::distinct(&other, true)]),
            (other, vec![alias::distinct(&one, true)]),
        ]))
    }

    /// Returns what the aliases of a household say otherwise, and which members are one person.
    pub(crate) fn family_of(&self, id: &DocId) -> Result<FamilyView, AgentError> {
        if self.home.store.aliases(id)?.is_empty() {
            return Ok(FamilyView::default());
        }
        let family = self.home.store.family(id)?;
        let late: Vec<OtherValue> = family
            .late()
            .iter()
            .map(|late| other_value(&late.other))
            .collect();
        let mut same_as: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (alias, shown) in &family.united.same {
            same_as
                .entry(shown.clone())
                .or_default()
                .push(alias.clone());
        }
        let mut others = shown_others(&family.united);
        // A late value is a conflict, and listed there.
        others.retain(|other| !late.contains(other));
        Ok(FamilyView {
            also: family.aliases().map(|(doc, _)| *doc).collect(),
            other_values: others,
            same_as,
        })
    }

    fn record_puts(&mut self, puts: BTreeMap<DocId, Vec<Put>>) -> Result<bool, AgentError> {
        let drafts: Vec<Draft> = puts
            .into_iter()
            .map(|(doc, puts)| draft(doc, puts))
            .collect();
        let recorded = self.record(&drafts)?;
        Ok(recorded.iter().any(|recorded| recorded.change.is_some()))
    }

    /// Returns the household that is to leave its family.
    fn name_alias(&self, name: &str) -> Result<DocId, AgentError> {
        let store = &self.home.store;
        let prefix = store.documents_with_prefix(name, Some(kind::HOUSEHOLD))?;
        if let [only] = prefix.as_slice()
            && store.survivor(only)? != *only
        {
            return Ok(*only);
        }
        let survivor = self.name_household(name)?;
        let aliases = store.aliases(&survivor)?;
        match aliases.as_slice() {
            [] => Err(AgentError::NotFound {
                what: Sought::Household,
                name: name.to_owned(),
            }),
            [only] => Ok(*only),
            several => Err(AgentError::Ambiguous {
                name: name.to_owned(),
                candidates: several
                    .iter()
                    .map(|alias| Ok((alias.to_string(), self.own_line(alias)?)))
                    .collect::<Result<_, AgentError>>()?,
            }),
        }
    }

    /// Returns the line that tells an alias apart, as its own document has it.
    fn own_line(&self, doc: &DocId) -> Result<String, AgentError> {
        let document = self.home.store.document(doc)?;
        let Some(document) = document else {
            return Ok(String::new());
        };
        let household = wangge_model::household::read(*doc, &document.fields());
        let head = household.head_member().map(|head| head.name.as_str());
        Ok(format!(
            "{} {}",
            household.door.short(),
            head.unwrap_or_default()
        ))
    }
}

/// What the documents of one family say together.
#[derive(Default)]
pub(crate) struct FamilyView {
    pub(crate) also: Vec<DocId>,
    pub(crate) other_values: Vec<OtherValue>,
    pub(crate) same_as: BTreeMap<String, Vec<String>>,
}

fn other_values(documents: &[(DocId, Fields)]) -> Vec<OtherValue> {
    shown_others(&united::unite(documents))
}

/// Returns the other values a person reads: an emptied field says nothing.
fn shown_others(united: &united::United) -> Vec<OtherValue> {
    let said = |other: &OtherValue| !other.value.is_null() && other.value != "";
    united.others.iter().map(other_value).filter(said).collect()
}

fn other_value(other: &united::Other) -> OtherValue {
    OtherValue {
        id: other.doc,
        field: field_of(&other.container, &other.key),
        value: json(&other.value),
    }
}
