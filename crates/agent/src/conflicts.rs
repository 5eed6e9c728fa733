//! Conflicts at a device: two people wrote the same field, both values are kept, a person settles.
//!
//! Settling is a write like any other: it rests on all the values it saw, travels, and is itself kept
//! beside a settlement somebody else made at the same time.

use serde::Serialize;
use wangge_crdt::{Put, Scalar, Version};
use wangge_model::household::united::{self, Late};
use wangge_model::{household, kind, mask};
use wangge_store::{ConflictRow, Draft};
use wangge_wire::DocId;

use crate::error::{AgentError, Sought};
use crate::history::tells_who;
use crate::households::draft;
use crate::replica::{Replica, WrittenBy};

mod value;

/// What stands for the hash of a number: that one was checked.
const ID_CHECKED: &str = "id_checked";

/// So many digits are a number of the list before they are the tail of a telephone.
const NUMBER_DIGITS_MAX: usize = 3;

/// A field with more than one value.
#[derive(Debug, Clone, Serialize)]
pub struct ConflictView {
    /// Its number in the list, from 1; it changes when others are settled.
    pub number: usize,
    /// The document.
    pub id: DocId,
    /// `household visit_book report ticket`.
    pub kind: &'static str,
    /// What tells the document apart: door and head, a ticket's number.
    pub title: String,
    /// The field: `phone`, `members/…/name`.
    pub field: String,
    /// Whose it is where it belongs to an entry: a member's name, a visit's day.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub of: String,
    /// The values, the shown one first.
    pub versions: Vec<VersionView>,
    /// Those of them that were written to an alias by somebody who could not know of the merge.
    #[serde(skip)]
    pub late: Vec<Late>,
}

/// One value of a field in conflict.
#[derive(Debug, Clone, Serialize)]
pub struct VersionView {
    /// The value; `id_checked` for the hash of an id's number.
    pub value: serde_json::Value,
    /// Who wrote it.
    pub by: WrittenBy,
    /// The writer's clock, milliseconds since 1970.
    pub at_ms: i64,
    /// Whether it is the value that is shown until someone settles.
    pub shown: bool,
}

/// How a conflict is settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// By one of the values, counted from 1 as they are listed.
    Number(usize),
    /// By a new value.
    Value(String),
}

impl Replica {
    /// Returns every conflict on this device.
    pub fn conflicts(&self) -> Result<Vec<ConflictView>, AgentError> {
        self.conflict_views(None)
    }

    /// Returns the conflicts of a document and of what belongs to it, numbered as among all.
    pub fn conflicts_of(&self, id: &DocId) -> Result<Vec<ConflictView>, AgentError> {
        self.conflict_views(Some(id))
    }

    fn conflict_views(&self, of: Option<&DocId>) -> Result<Vec<ConflictView>, AgentError> {
        let rows = self.home.store.conflicts(of)?;
        let mut views = Vec::with_capacity(rows.len());
        for row in rows {
            // Who told is settled by those who may read it.
            if row.container.is_empty() && tells_who(&row.key) {
                let document = self.home.store.document(&row.doc)?;
                if let Some(document) = document
                    && self.hides_who_told(&row.doc, &document.fields())?
                {
                    continue;
                }
            }
            views.push(self.conflict_view(row)?);
        }
        Ok(views)
    }

    /// Settles one field of a document. `name` is a number of the list, an id, or what finds the
    /// household; a field may be left out where the document has one conflict.
    pub fn settle(
        &mut self,
        name: &str,
        field: Option<&str>,
        choice: &Choice,
    ) -> Result<ConflictView, AgentError> {
        let conflict = self.name_conflict(name, field)?;
        let value = match choice {
            Choice::Number(number) => self.chosen(&conflict, *number)?,
            Choice::Value(text) => self.typed(&conflict, text)?,
        };
        let (container, key) = split(&conflict.field);
        let container = container_name(&conflict, container)?;
        let (kind, owner) =
            self.home
                .store
                .kind_of(&conflict.id)?
                .ok_or_else(|| AgentError::NotFound {
                    what: Sought::Conflict,
                    name: name.to_owned(),
                })?;
        let puts = vec![Put {
            container,
            key: key.to_owned(),
            value,
        }];
        let looked_at = conflict
            .late
            .iter()
            .map(|late| draft(late.other.doc, vec![united::seen(late)]));
        let looked_at: Vec<Draft> = looked_at.collect();
        let draft = Draft {
            doc: conflict.id,
            kind,
            owner,
            puts,
            place: None,
            urgent: false,
        };
        self.record(&[vec![draft], looked_at].concat())?;
        Ok(conflict)
    }

    fn conflict_view(&self, row: ConflictRow) -> Result<ConflictView, AgentError> {
        let field = field_of(&row.container, &row.key);
        let document = self.home.store.document(&row.doc)?;
        let fields = document
            .map(|document| document.fields())
            .unwrap_or_default();
        let of = crate::history::whose(&row.container, &row.key, &fields);
        // A value that stands in an alias alone is not shown.
        let own = row.versions.len() > row.late.len();
        let shown = row.versions.first().filter(|_| own);
        let shown = shown.map(|version| version.value.clone());
        let mut versions: Vec<VersionView> = Vec::new();
        for version in distinct(row.versions) {
            versions.push(VersionView {
                shown: Some(&version.value) == shown.as_ref(),
                by: self.written_by(&version.actor)?,
                at_ms: version.at_ms,
                value: if is_id_hash(&field) && version.value != Scalar::Null {
                    ID_CHECKED.into()
                } else {
                    json(&version.value)
                },
            });
        }
        Ok(ConflictView {
            number: row.number,
            title: self.title(&row.doc)?,
            id: row.doc,
            kind: kind::name(row.kind),
            of,
            field,
            versions,
            late: row.late,
        })
    }

    /// Returns the one conflict that a name and a field mean.
    pub fn name_conflict(
        &self,
        name: &str,
        field: Option<&str>,
    ) -> Result<ConflictView, AgentError> {
        let mut all = self.conflicts()?;
        let missing = || AgentError::NotFound {
            what: Sought::Conflict,
            name: name.to_owned(),
        };
        if let Ok(number) = name.parse::<usize>()
            && let Some(at) = all.iter().position(|conflict| conflict.number == number)
        {
            return Ok(all.swap_remove(at));
        }
        // A number of the list that is none any more is a door to nobody who is asked about conflicts.
        let is_number =
            name.len() <= NUMBER_DIGITS_MAX && name.bytes().all(|digit| digit.is_ascii_digit());
        let named = match self.name_any(name) {
            Err(_) if is_number => return Err(missing()),
            named => named?,
        };
        let id = match named {
            crate::naming::Named::Document(id) => id,
            crate::naming::Named::Visit(visit) => visit.book,
        };
        let aliases = self.home.store.aliases(&id)?;
        all.retain(|conflict| {
            (conflict.id == id || aliases.contains(&conflict.id))
                && field.is_none_or(|field| conflict.field == field)
        });
        match all.len() {
            0 => Err(missing()),
            1 => Ok(all.swap_remove(0)),
            _ => Err(AgentError::Ambiguous {
                name: name.to_owned(),
                candidates: all
                    .into_iter()
                    .map(|c| (c.number.to_string(), c.field))
                    .collect(),
            }),
        }
    }

    /// Returns what tells a document apart in a line.
    pub fn title(&self, doc: &DocId) -> Result<String, AgentError> {
        let Some((kind, owner)) = self.home.store.kind_of(doc)? else {
            return Ok(String::new());
        };
        let household = match kind {
            kind::HOUSEHOLD => Some(*doc),
            kind::VISIT_BOOK | kind::ACCESS_BOOK => owner,
            _ => None,
        };
        if let Some(household) = household {
            if let Some(row) = self.home.store.household(&household)? {
                return Ok(self.household_line(&row));
            }
            // One that was taken back has no row any more.
            let Some(document) = self.home.store.document(&household)? else {
                return Ok(String::new());
            };
            let read = household::read(household, &document.fields());
            let head = read.head_member().map(|head| head.name.as_str());
            let head = head.unwrap_or_default();
            let area = read.area.as_ref().map(|area| area.as_str());
            if self.sight(area.unwrap_or_default()).is_masked() {
                return Ok(mask::household_line(
                    read.door.group.unwrap_or_default(),
                    head,
                ));
            }
            return Ok(format!("{} {head}", read.door.short()));
        }
        let document = self.home.store.document(doc)?;
        let fields = document
            .map(|document| document.fields())
            .unwrap_or_default();
        Ok(match kind {
            kind::TICKET => format!(
                "{} {}",
                fields.root_text("code"),
                fields.root_text("subject")
            ),
            _ => fields.root_text("text").chars().take(20).collect(),
        })
    }

    fn chosen(&self, conflict: &ConflictView, number: usize) -> Result<Scalar, AgentError> {
        let (container, key) = split(&conflict.field);
        let document = self.home.store.document(&conflict.id)?;
        let mut versions = document
            .map(|document| document.versions(container, key))
            .unwrap_or_default();
        versions.extend(conflict.late.iter().map(|late| late.version.clone()));
        number
            .checked_sub(1)
            .and_then(|index| distinct(versions).into_iter().nth(index))
            .map(|version| version.value)
            .ok_or_else(|| AgentError::BadValue {
                field: "choice",
                value: number.to_string(),
                expected: "the number of one of the values",
            })
    }
}

/// Returns the versions with different values: equal ones are one, whoever wrote them.
fn distinct(versions: Vec<Version>) -> Vec<Version> {
    let mut kept: Vec<Version> = Vec::with_capacity(versions.len());
    for version in versions {
        if kept.iter().all(|known| known.value != version.value) {
            kept.push(version);
        }
    }
    kept
}

/// Says whether a field holds the hash of a number of an id, which is never told.
fn is_id_hash(field: &str) -> bool {
    let name = field.rsplit('/').next().unwrap_or(field);
    name.starts_with("id_hash.")
}

pub(crate) fn split(field: &str) -> (&str, &str) {
    match field.split_once('/') {
        // Only collections have a slash: a root field is its own name.
        Some((container, key)) => (container, key),
        None => ("", field),
    }
}

fn container_name(conflict: &ConflictView, name: &str) -> Result<&'static str, AgentError> {
    if name.is_empty() {
        return Ok("");
    }
    let known = kind::named(conflict.kind).and_then(|kind| kind::container(kind, name));
    known.ok_or_else(|| AgentError::NotFound {
        what: Sought::Conflict,
        name: conflict.field.clone(),
    })
}

/// Returns a register's name as JSON has it.
pub(crate) fn field_of(container: &str, key: &str) -> String {
    match container {
        "" => key.to_owned(),
        container => format!("{container}/{key}"),
    }
}

pub(crate) fn json(value: &Scalar) -> serde_json::Value {
    match value {
        Scalar::Null => serde_json::Value::Null,
        Scalar::Bool(value) => (*value).into(),
        Scalar::Int(value) => (*value).into(),
        Scalar::Text(text) => text.clone().into(),
        Scalar::Bytes(bytes) => bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
            .into(),
    }
}
