//! The history of a record: who changed which field, from what to what, when, on which device.
//!
//! What is told of a clock is a doubt, never a correction: order is causal and needs no clock. **A hash
//! of an id number is never told**, only that one was checked.

use std::collections::BTreeMap;

use serde::Serialize;
use wangge_crdt::{Edit, Fields, Scalar, is_void_key};
use wangge_model::clock::{ClockFlag, flag};
use wangge_model::kind;
use wangge_model::ticket::EventId;
use wangge_store::ReceiptRow;
use wangge_wire::{ChangeHash, DocId, DocKind};

use crate::conflicts::json;
use crate::error::{AgentError, Sought};
use crate::naming::Named;
use crate::replica::{Replica, WrittenBy};
use crate::status::state_of;
use crate::tickets::EventView;

/// The history of a record.
#[derive(Debug, Clone, Serialize)]
pub struct HistoryView {
    /// The document.
    pub id: DocId,
    /// `household visit_book report ticket …`.
    pub kind: &'static str,
    /// What tells the document apart.
    pub title: String,
    /// Its changes, each after those it rests on; of a visit only those that touch it.
    pub changes: Vec<PastView>,
}

/// One change of a record.
#[derive(Debug, Clone, Serialize)]
pub struct PastView {
    /// Its hash.
    pub hash: ChangeHash,
    /// Who wrote it.
    pub by: WrittenBy,
    /// The writer's clock, milliseconds since 1970.
    pub at_ms: i64,
    /// `on_device at_relay waiting inbox refused`.
    pub state: &'static str,
    /// What is wrong with the clock it was written by, where something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockFlag>,
    /// What it wrote.
    pub edits: Vec<EditView>,
}

/// One field as a change found and left it.
#[derive(Debug, Clone, Serialize)]
pub struct EditView {
    /// The field: `phone`, `members/…/name`.
    pub field: String,
    /// Whose it is where it belongs to an entry: a member's name, a visit's day.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub of: String,
    /// What was there before; null where nothing was.
    pub before: serde_json::Value,
    /// What was written.
    pub after: serde_json::Value,
    /// The step, where the field is an event of a ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<EventView>,
}

impl Replica {
    /// Returns the history of whatever has this name; of a visit only what touches it.
    pub fn history(&self, name: &str) -> Result<HistoryView, AgentError> {
        let (id, entry) = match self.name_any(name)? {
            Named::Document(id) => (id, None),
            Named::Visit(visit) => (visit.book, Some(format!("{}/", visit.id))),
        };
        let missing = || AgentError::NotFound {
            what: Sought::Record,
            name: name.to_owned(),
        };
        let (doc_kind, _) = self.home.store.kind_of(&id)?.ok_or_else(missing)?;
        let document = self.home.store.document(&id)?.ok_or_else(missing)?;
        let fields = document.fields();
        let receipts: BTreeMap<ChangeHash, ReceiptRow> = self
            .home
            .store
            .receipts(&id)?
            .into_iter()
            .map(|row| (row.hash, row))
            .collect();
        let events = self.events_by_id(&id, doc_kind)?;
        let is_veiled = self.hides_who_told(&id, &fields)?;
        let mut changes = Vec::new();
        for change in document.history() {
            let edits: Vec<EditView> = change
                .edits
                .iter()
                .filter(|edit| {
                    let of_entry = |entry: &String| edit.key.starts_with(entry.as_str());
                    entry.as_ref().is_none_or(of_entry) && !says_it_is_there(edit)
                })
                .map(|edit| edit_view(edit, &fields, &events))
                .map(|edit| if is_veiled { veiled(edit) } else { edit })
                .collect();
            if edits.is_empty() {
                continue;
            }
            let receipt = receipts.get(&change.hash);
            let arrived = receipt.and_then(|row| row.relays.iter().map(|(.., at)| *at).min());
            let clocks = self.home.store.clock_of_change(&id, &change.hash)?;
            let before = clocks.and_then(|(_, before)| before);
            changes.push(PastView {
                hash: change.hash,
                by: self.written_by(&change.actor)?,
                at_ms: change.at_ms,
                state: receipt.map_or("on_device", state_of),
                clock: flag(change.at_ms, arrived, before),
                edits,
            });
        }
        Ok(HistoryView {
            id,
            kind: kind::name(doc_kind),
            title: self.title(&id)?,
            changes,
        })
    }

    /// Returns the events of a ticket as they are shown; of another document none.
    pub(crate) fn events_by_id(
        &self,
        id: &DocId,
        doc_kind: DocKind,
    ) -> Result<BTreeMap<String, EventView>, AgentError> {
        if doc_kind != kind::TICKET {
            return Ok(BTreeMap::new());
        }
        let folded = self.folded(id)?;
        let views = self.event_views(&folded.events, &folded.state);
        let named = |view: EventView| (EventId::to_string(&view.id), view);
        Ok(views.into_iter().map(named).collect())
    }
}

/// Says whether a field tells who told a report or asked for a ticket.
pub(crate) fn tells_who(field: &str) -> bool {
    ["household", "requester", "contact"].contains(&field)
}

/// Returns the edit without who told.
pub(crate) fn veiled(edit: EditView) -> EditView {
    if !tells_who(&edit.field) {
        return edit;
    }
    EditView {
        before: serde_json::Value::Null,
        after: serde_json::Value::Null,
        ..edit
    }
}

/// Says whether an edit only says that what is added is there, which the adding itself shows.
fn says_it_is_there(edit: &Edit) -> bool {
    is_void_key(&edit.key) && edit.before.is_none() && edit.after == Scalar::Bool(false)
}

/// Returns an edit in the words of the field.
pub(crate) fn edit_view(
    edit: &Edit,
    fields: &Fields,
    events: &BTreeMap<String, EventView>,
) -> EditView {
    let (mut key, mut values) = (edit.key.clone(), (edit.before.clone(), edit.after.clone()));
    if let Some((entry, _)) = edit.key.split_once("/id_hash.") {
        key = format!("{entry}/id_checked");
        values = (
            edit.before.as_ref().map(|_| Scalar::Bool(true)),
            Scalar::Bool(edit.after != Scalar::Null),
        );
    }
    let (before, after) = values;
    let field = match edit.container.as_str() {
        "" => key,
        container => format!("{container}/{key}"),
    };
    // A head is a member's id; people know a name.
    let named = |value: Option<&Scalar>| match value.and_then(Scalar::as_text) {
        Some(id) if edit.container.is_empty() && edit.key == "head" => {
            let name = whose("members", &format!("{id}/name"), fields);
            serde_json::Value::String(if name.is_empty() { id.to_owned() } else { name })
        }
        _ => value.map(json).unwrap_or_default(),
    };
    let event = (edit.container == "events").then(|| events.get(&edit.key).cloned());
    EditView {
        field,
        of: whose(&edit.container, &edit.key, fields),
        before: named(before.as_ref()),
        after: named(Some(&after)),
        event: event.flatten(),
    }
}

/// Returns what tells an entry apart: a member's name, a visit's day.
pub(crate) fn whose(container: &str, key: &str, fields: &Fields) -> String {
    let Some((entry, _)) = key.split_once('/') else {
        return String::new();
    };
    let (container, entry, field) = match container {
        "care" | "needs" => ("members", entry.split('.').next().unwrap_or(entry), "name"),
        "members" => ("members", entry, "name"),
        container => (container, entry, "on"),
    };
    let register = fields.get(container, &format!("{entry}/{field}"));
    register
        .and_then(|register| register.shown.as_text())
        .unwrap_or_default()
        .to_owned()
}
