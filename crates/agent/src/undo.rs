//! Taking back the last action of this device.
//!
//! **Nothing is deleted**: a visit or report is marked as taken back, a field gets its former value, a
//! ticket gets an event that says so; all of it travels like any other change. What somebody has
//! written over since is left to them and named. An undo is not undone: the next one goes further back.

use std::collections::BTreeMap;

use serde::Serialize;
use wangge_crdt::{Document, Edit, PastChange, Put, Scalar, VOID_KEY};
use wangge_model::kind;
use wangge_model::ticket::EventId;
use wangge_store::{Deed, Draft};
use wangge_wire::{ActionId, ChangeHash, DocId, DocKind};

use crate::error::AgentError;
use crate::history::{EditView, edit_view};
use crate::import::TakeBack;
use crate::replica::Replica;
use crate::tickets::{Step, event_put};

/// Why a ticket is withdrawn that should not have been opened.
const OPENED_BY_MISTAKE: &str = "误开，撤销";
/// What an undo took back, or would.
#[derive(Debug, Clone, Serialize)]
pub struct UndoView {
    /// When the action was done, milliseconds since 1970; none where nothing is left to take back.
    pub at_ms: Option<i64>,
    /// What was taken back.
    pub taken_back: Vec<TakenBack>,
    /// What was left as it is.
    pub left: Vec<Left>,
    /// Whether it was only looked at.
    pub dry_run: bool,
}

/// Something that was taken back.
#[derive(Debug, Clone, Serialize)]
pub struct TakenBack {
    /// The document.
    pub id: DocId,
    /// `household visit_book report ticket …`.
    pub kind: &'static str,
    /// What tells the document apart.
    pub title: String,
    /// `visit report household ticket step field`, or what a collection holds: `member care comment …`.
    pub what: &'static str,
    /// Of a field: its present value before, the former one after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edit: Option<EditView>,
}

/// Something that was not taken back.
#[derive(Debug, Clone, Serialize)]
pub struct Left {
    /// The document.
    pub id: DocId,
    /// `household visit_book report ticket …`.
    pub kind: &'static str,
    /// What tells the document apart.
    pub title: String,
    /// The field; empty for the document as a whole.
    pub field: String,
    /// `changed_since moved leaned_on settled` or why the ticket does not allow it.
    pub reason: &'static str,
}

/// One document's part of an undo.
struct Part<'a> {
    id: DocId,
    kind: DocKind,
    document: &'a Document,
    hash: ChangeHash,
    title: String,
    puts: Vec<Put>,
    view: &'a mut UndoView,
}

impl Replica {
    /// Takes back the last action of this device; a dry run shows what it would do.
    pub fn undo(&mut self, dry_run: bool) -> Result<UndoView, AgentError> {
        let deeds = self.home.store.last_deed()?;
        let mut view = UndoView {
            at_ms: deeds.first().map(|deed| deed.at_ms),
            taken_back: Vec::new(),
            left: Vec::new(),
            dry_run,
        };
        let drafts = self.undo_drafts(&deeds, &mut view)?;
        let Some(deed) = deeds.first() else {
            return Ok(view);
        };
        let (at_ms, actor) = (self.now_ms(), self.writing_as()?);
        let action = ActionId(self.machine.random()?);
        // A dry run writes too and takes it back: it promises nothing that the store would refuse.
        let done = self.home.store.write(actor, |writer| {
            writer.record(at_ms, action, &drafts)?;
            writer.taken_back(&deed.action, &action)?;
            if dry_run {
                Err(TakeBack::DryRun)
            } else {
                Ok(())
            }
        });
        match done {
            Ok(()) | Err(TakeBack::DryRun) => Ok(view),
            Err(TakeBack::Failed(error)) => Err(error),
        }
    }

    fn undo_drafts(&self, deeds: &[Deed], view: &mut UndoView) -> Result<Vec<Draft>, AgentError> {
        let mut drafts: BTreeMap<DocId, Draft> = BTreeMap::new();
        for deed in deeds.iter().rev() {
            let known = self.home.store.kind_of(&deed.doc)?;
            let document = self.home.store.document(&deed.doc)?;
            let (Some((kind, owner)), Some(document)) = (known, document) else {
                continue;
            };
            let part = Part {
                id: deed.doc,
                kind,
                document: &document,
                hash: deed.hash,
                title: self.title(&deed.doc)?,
                puts: Vec::new(),
                view,
            };
            let puts = self.undo_part(part)?;
            let draft = drafts.entry(deed.doc).or_insert_with(|| Draft {
                doc: deed.doc,
                kind,
                owner,
                puts: Vec::new(),
                place: None,
                urgent: false,
            });
            draft.puts.extend(puts);
        }
        let drafts = drafts.into_values();
        Ok(drafts.filter(|draft| !draft.puts.is_empty()).collect())
    }

    /// Returns the writes that take back one change of one document.
    fn undo_part(&self, mut part: Part<'_>) -> Result<Vec<Put>, AgentError> {
        let Some(past) = part.document.past_change(&part.hash) else {
            return Ok(Vec::new());
        };
        let begun = |key: &str| {
            let made = |edit: &&Edit| edit.container.is_empty() && edit.key == key;
            past.edits
                .iter()
                .find(made)
                .is_some_and(|edit| edit.before.is_none())
        };
        match part.kind {
            kind::REPORT if begun("at") => self.undo_whole(&mut part, "report")?,
            kind::HOUSEHOLD if begun("area") => self.undo_whole(&mut part, "household")?,
            kind::TICKET if begun("code") => {
                if self.home.store.is_leaned_on(&part.id)? {
                    part.leave("", "leaned_on");
                } else {
                    self.undo_opening(&mut part)?;
                }
            }
            _ => {
                for (entry, edits) in by_entry(&past.edits) {
                    if part.kind == kind::TICKET && entry.0 == "events" {
                        self.undo_step(&mut part, &edits)?;
                    } else {
                        part.undo_entry(&past, entry, &edits);
                    }
                }
            }
        }
        Ok(part.puts)
    }

    /// A document is taken back as a whole where nobody else built on it.
    fn undo_whole(&self, part: &mut Part<'_>, what: &'static str) -> Result<(), AgentError> {
        if self.home.store.is_leaned_on(&part.id)? {
            part.leave("", "leaned_on");
        } else {
            part.void(what);
        }
        Ok(())
    }

    /// A ticket just opened is withdrawn; where that is not allowed, what submitted it is retracted.
    fn undo_opening(&self, part: &mut Part<'_>) -> Result<(), AgentError> {
        let folded = self.folded(&part.id)?;
        let withdraw = Step {
            kind: "withdraw".to_owned(),
            reason: Some(OPENED_BY_MISTAKE.to_owned()),
            ..Step::default()
        };
        let first = folded.state.history.first();
        let retract = first.map(retract);
        let mut refused = "wrong_status";
        for step in std::iter::once(withdraw).chain(retract) {
            match self.step_event(&part.id, &step, &folded) {
                Ok(event) => {
                    part.puts.push(event_put(&event)?);
                    part.took("ticket", None);
                    return Ok(());
                }
                Err(AgentError::Ticket(refusal)) => refused = refusal.code(),
                Err(error) => return Err(error),
            }
        }
        part.leave("", refused);
        Ok(())
    }

    /// A step of a ticket is retracted, if nobody built on it.
    fn undo_step(&self, part: &mut Part<'_>, edits: &[&Edit]) -> Result<(), AgentError> {
        let folded = self.folded(&part.id)?;
        let events = self.events_by_id(&part.id, part.kind)?;
        let fields = part.document.fields();
        for edit in edits {
            let Ok(id) = edit.key.parse::<EventId>() else {
                continue;
            };
            match self.step_event(&part.id, &retract(&id), &folded) {
                Ok(event) => {
                    part.puts.push(event_put(&event)?);
                    part.took("step", Some(edit_view(edit, &fields, &events)));
                }
                Err(AgentError::Ticket(refusal)) => {
                    part.leave(&format!("events/{}", edit.key), refusal.code());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn retract(id: &EventId) -> Step {
    Step {
        kind: "retract".to_owned(),
        names: vec![id.to_string()],
        ..Step::default()
    }
}

impl Part<'_> {
    /// Marks the whole document as taken back.
    fn void(&mut self, what: &'static str) {
        self.puts.push(Put::root(VOID_KEY, true));
        self.took(what, None);
    }

    /// Takes back what a change wrote to one entry of a collection, or to the root.
    fn undo_entry(&mut self, past: &PastChange, entry: (&str, &str), edits: &[&Edit]) {
        let (container, entry) = entry;
        let known = kind::container(self.kind, container).filter(|_| !entry.is_empty());
        if let Some(container) = known
            && self.document.begins(past, container, entry)
        {
            self.puts.push(Put::entry(container, entry, VOID_KEY, true));
            return self.took(what(container), None);
        }
        for edit in edits {
            self.undo_field(past, edit);
        }
    }

    /// Gives a field its former value, if it still has the one this change wrote.
    fn undo_field(&mut self, past: &PastChange, edit: &Edit) {
        let field = edit_view(edit, &self.document.fields(), &BTreeMap::new()).field;
        if self.kind == kind::HOUSEHOLD && field == "area" {
            // The place moved with it, and a former place does not come back by itself.
            return self.leave(&field, "moved");
        }
        let versions = self.document.versions(&edit.container, &edit.key);
        let stands = versions
            .iter()
            .all(|version| version.change == self.hash && version.value == edit.after);
        if versions.is_empty() || !stands {
            return self.leave(&field, "changed_since");
        }
        let container = if edit.container.is_empty() {
            Some("")
        } else {
            kind::container(self.kind, &edit.container)
        };
        let Some(container) = container else {
            return self.leave(&field, "changed_since");
        };
        if self.document.settles(past, edit) {
            // One of the two former values would settle it again, unseen.
            return self.leave(&field, "settled");
        }
        let former = edit.before.clone().unwrap_or(Scalar::Null);
        let turned = Edit {
            before: Some(edit.after.clone()),
            after: former.clone(),
            ..edit.clone()
        };
        let shown = edit_view(&turned, &self.document.fields(), &BTreeMap::new());
        self.took("field", Some(shown));
        self.puts.push(Put {
            container,
            key: edit.key.clone(),
            value: former,
        });
    }

    fn took(&mut self, what: &'static str, edit: Option<EditView>) {
        self.view.taken_back.push(TakenBack {
            id: self.id,
            kind: kind::name(self.kind),
            title: self.title.clone(),
            what,
            edit,
        });
    }

    fn leave(&mut self, field: &str, reason: &'static str) {
        self.view.left.push(Left {
            id: self.id,
            kind: kind::name(self.kind),
            title: self.title.clone(),
            field: field.to_owned(),
            reason,
        });
    }
}

/// Returns what an entry of a collection is.
fn what(container: &str) -> &'static str {
    match container {
        "visits" => "visit",
        "rounds" => "round",
        "members" => "member",
        "care" => "care",
        "needs" => "need",
        "comments" => "comment",
        "consent" => "consent",
        "custody" => "custody",
        "attachments" => "attachment",
        _ => "entry",
    }
}

/// Returns edits by container and entry; the root and keys without an entry are one.
fn by_entry(edits: &[Edit]) -> BTreeMap<(&str, &str), Vec<&Edit>> {
    let mut entries: BTreeMap<(&str, &str), Vec<&Edit>> = BTreeMap::new();
    for edit in edits {
        let entry = edit.key.split_once('/').map_or("", |(entry, _)| entry);
        entries
            .entry((edit.container.as_str(), entry))
            .or_default()
            .push(edit);
    }
    entries
}
