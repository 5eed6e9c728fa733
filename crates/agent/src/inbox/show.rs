//! What an item of the inbox says, or why it cannot be read.
//!
//! **The real document is not touched**: the item and what it rests on pass the gate on a copy.

use std::collections::BTreeMap;

use serde::Serialize;
use wangge_crdt::Document;
use wangge_model::kind;
use wangge_wire::inbox::InboxRow;
use wangge_wire::{AreaCode, EntryKind, Place, Settlement};

use super::{DecisionView, InboxItem};
use crate::error::AgentError;
use crate::history::{EditView, edit_view, veiled};
use crate::replica::Replica;

/// An item with what it says.
#[derive(Debug, Clone, Serialize)]
pub struct InboxShown {
    /// The item.
    #[serde(flatten)]
    pub item: InboxItem,
    /// When it was written, by its writer's clock, milliseconds since 1970; 0 where it does not say.
    pub written_ms: i64,
    /// What a change writes.
    pub edits: Vec<EditView>,
    /// Where a place puts the document.
    pub home: Option<AreaCode>,
    /// What a decision says.
    pub says: Option<DecisionView>,
    /// Why it cannot be read: `too_large waits malformed not_a_write poison hides_container
    /// equivocation not_this_program`; empty where it is.
    pub unread: &'static str,
}

impl Replica {
    /// Returns an item of the inbox with what it says.
    pub async fn inbox_show(&self, id: &str) -> Result<InboxShown, AgentError> {
        let row = self.inbox_row(id).await?;
        let all = self.ask_document(row.doc).await?;
        let body = all.iter().find(|other| other.hash == row.hash);
        let body = body.and_then(|row| row.body.clone());
        let mut shown = InboxShown {
            item: self.inbox_item(&row)?,
            written_ms: 0,
            edits: Vec::new(),
            home: None,
            says: None,
            unread: "",
        };
        match EntryKind(row.entry) {
            EntryKind::CHANGE => self.read_change(&mut shown, &row, &all)?,
            EntryKind::PLACE => match body.map(|body| Place::read(&body)) {
                Some(Ok(place)) => shown.home = Some(place.home),
                Some(Err(_)) => shown.unread = "malformed",
                None => {}
            },
            EntryKind::SETTLEMENT => match body.map(|body| Settlement::read(&body)) {
                Some(Ok(of)) => {
                    let name = row.author_name.clone();
                    shown.says = Some(super::decision_view(&of, row.author, name, of.at_ms));
                }
                Some(Err(_)) => shown.unread = "malformed",
                None => {}
            },
            _ => shown.unread = "not_this_program",
        }
        Ok(shown)
    }

    fn read_change(
        &self,
        shown: &mut InboxShown,
        row: &InboxRow,
        all: &[InboxRow],
    ) -> Result<(), AgentError> {
        let Some(mut document) = self.copy_of(row)? else {
            shown.unread = "not_this_program";
            return Ok(());
        };
        let changes = all
            .iter()
            .filter(|row| EntryKind(row.entry) == EntryKind::CHANGE);
        let raws: Vec<Vec<u8>> = changes.filter_map(|row| row.body.clone()).collect();
        let applied = document.apply(&raws);
        if let Some((_, held)) = applied.held.iter().find(|(hash, _)| *hash == row.hash) {
            shown.unread = if shown.item.reason == "over_limit" {
                "too_large"
            } else {
                held.as_str()
            };
            return Ok(());
        }
        let Some(past) = document.past_change(&row.hash) else {
            shown.unread = "waits";
            return Ok(());
        };
        let fields = document.fields();
        // Whose event it is shows with the ticket; here the words of the field are enough.
        let edits = past.edits.iter();
        let edits = edits.map(|edit| edit_view(edit, &fields, &BTreeMap::new()));
        let hides = self.hides_who_told(&row.doc, &fields)?;
        shown.edits = edits
            .map(|edit| if hides { veiled(edit) } else { edit })
            .collect();
        shown.written_ms = past.at_ms;
        Ok(())
    }

    /// Returns a copy of the document as it stands here, or its beginning.
    fn copy_of(&self, row: &InboxRow) -> Result<Option<Document>, AgentError> {
        if let Some(document) = self.home.store.document(&row.doc)? {
            return Ok(Some(document));
        }
        let Some(shape) = kind::shape(row.kind) else {
            return Ok(None);
        };
        Ok(Document::begin(&shape, &row.doc).ok())
    }
}
