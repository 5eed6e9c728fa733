//! Attaching a photo, a recording or a paper to a visit, a report or a ticket.
//!
//! **The file is durable in the home before the record names it**, and both before the screen says so.
//! What it tells beside its picture is taken out first; its own name is not kept: only what the worker
//! calls it.

mod clean;
mod sealed;
pub(crate) mod shelf;
mod thumb;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use wangge_model::attachment::{self, ATTACHMENTS_MAX, Attachment};
use wangge_model::limits::{LINE_CHARS_MAX, TooLong, at_most};
use wangge_model::text;
use wangge_store::{AttachmentRow, Blob, Draft};
use wangge_wire::limits::BLOB_BYTES_MAX;
use wangge_wire::{ActionId, BlobHash, DocId, Incarnation};

use crate::error::{AgentError, Sought};
use crate::naming::Named;
use crate::replica::Replica;
use crate::visits::{date, hex};
use shelf::Shelf;

/// The fewest digits that name an attachment.
const PREFIX_DIGITS_MIN: usize = 4;

/// A file that is to be attached.
#[derive(Debug, Clone, Default)]
pub struct AttachInput {
    /// The file; it stays as it is.
    pub file: PathBuf,
    /// A visit, report or ticket.
    pub to: String,
    /// What the worker calls it.
    pub name: String,
    /// The day it was taken, `2026-11-23`; today if it is not said.
    pub on: Option<String>,
}

/// An attachment as it is shown.
#[derive(Debug, Clone, Serialize)]
pub struct AttachmentView {
    /// The document it stands in.
    pub doc: DocId,
    /// `visit_book report ticket`.
    pub kind: &'static str,
    /// What the document says.
    #[serde(flatten)]
    pub attachment: Attachment,
    /// Who attached it, by name; empty where the roster does not say.
    pub by_name: String,
    /// Whether the file is on this device, sealed; a copy of it is looked at.
    pub here: bool,
    /// Whether the small picture is here; false where there is none, or it has not come.
    pub thumb_here: bool,
    /// Whether it was attached here and has not arrived at the relay.
    pub waiting: bool,
    /// Whether the file was there before it was attached now, so that nothing changed.
    #[serde(skip_serializing_if = "is_false")]
    pub again: bool,
    /// Whether it is a picture that was attached now and does not read to its end.
    #[serde(skip_serializing_if = "is_false")]
    pub damaged: bool,
}

fn is_false(said: &bool) -> bool {
    !said
}

/// Where an attachment goes: a document, and the visit of a book.
struct Target {
    doc: DocId,
    visit: String,
}

impl Replica {
    /// Attaches a file and returns what became of it; the same file again is the attachment there is.
    pub fn attach(&mut self, input: &AttachInput) -> Result<AttachmentView, AgentError> {
        let target = self.attachment_target(&input.to)?;
        let name = text::tidy(&input.name);
        at_most("name", &name, LINE_CHARS_MAX)?;
        let on = match input.on.as_deref() {
            Some(typed) => self.day_of_the_past("on", date("on", typed)?)?,
            None => self.today(),
        };
        let Clean { kind, bytes, cut } = read_clean(&input.file)?;
        let hash = BlobHash::of(&bytes);
        let there = self.home.store.attachments(&target.doc)?;
        let of_this: Vec<&AttachmentRow> = there
            .iter()
            .filter(|row| row.attachment.visit == target.visit)
            .collect();
        if let Some(same) = of_this.iter().find(|row| row.attachment.hash == hash) {
            // Its file may have been lost from this device; here it is again.
            self.shelf().keep(&bytes)?;
            let mut view = self.attachment_view((*same).clone())?;
            view.again = true;
            return Ok(view);
        }
        if of_this.len() >= ATTACHMENTS_MAX {
            return Err(AgentError::TooLong(TooLong {
                field: "attachments",
                limit: ATTACHMENTS_MAX,
            }));
        }
        self.look(&[("name", &name)])?;
        // A picture that does not read to its end is kept all the same: it may be the only one there is.
        let (small, reads) = thumb::thumb(kind, &bytes);
        self.shelf().keep(&bytes)?;
        let thumb = small
            .as_ref()
            .map(|small| self.shelf().keep(small))
            .transpose()?;
        let attachment = Attachment {
            id: hex(&self.machine.random::<8>()?),
            visit: target.visit,
            hash,
            bytes: bytes.len() as u64,
            file: kind.code().to_owned(),
            name,
            taken_on: on.to_string(),
            by: Some(self.person()),
            thumb,
            void: false,
        };
        let small_bytes = small.map_or(0, |small| small.len() as u64);
        self.record_attachment(target.doc, &attachment, small_bytes)?;
        let mut view = self.attachment_view(AttachmentRow {
            doc: target.doc,
            attachment,
        })?;
        view.damaged = cut || !reads;
        Ok(view)
    }

    /// Returns the attachments of a visit, report or ticket.
    pub fn attachments(&self, name: &str) -> Result<Vec<AttachmentView>, AgentError> {
        let target = self.attachment_target(name)?;
        let rows = self.home.store.attachments(&target.doc)?.into_iter();
        rows.filter(|row| row.attachment.visit == target.visit)
            .map(|row| self.attachment_view(row))
            .collect()
    }

    /// Returns the attachment with this id or beginning of one, or those of what is named.
    pub(crate) fn name_attachments(&self, name: &str) -> Result<Vec<AttachmentView>, AgentError> {
        let fits =
            name.len() >= PREFIX_DIGITS_MIN && name.bytes().all(|digit| digit.is_ascii_hexdigit());
        let rows = if fits {
            self.home
                .store
                .attachments_with_prefix(&name.to_ascii_lowercase())?
        } else {
            Vec::new()
        };
        match rows.as_slice() {
            [] => self.attachments(name).map_err(|error| match error {
                AgentError::NotFound { name, .. } => AgentError::NotFound {
                    what: Sought::Attachment,
                    name,
                },
                other => other,
            }),
            [only] => Ok(vec![self.attachment_view(only.clone())?]),
            several => {
                let line = |row: &AttachmentRow| {
                    let said = &row.attachment;
                    let words = [said.taken_on.as_str(), &said.file, &said.name];
                    (said.id.clone(), words.join(" ").trim().to_owned())
                };
                Err(AgentError::Ambiguous {
                    name: name.to_owned(),
                    candidates: several.iter().map(line).collect(),
                })
            }
        }
    }

    /// Returns the bytes of an attachment that is here.
    pub fn attachment_bytes(&self, hash: &BlobHash) -> Result<Vec<u8>, AgentError> {
        Ok(self.shelf().piece(hash, 0, usize::MAX)?)
    }

    /// Copies an attachment that is here to a file that is not there yet.
    pub fn save_attachment(&self, view: &AttachmentView, to: &Path) -> Result<(), AgentError> {
        let unwritable = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::StorageFull => AgentError::DiskFull,
            std::io::ErrorKind::AlreadyExists => AgentError::FileExists {
                path: to.to_owned(),
            },
            _ => AgentError::Unwritable {
                path: to.to_owned(),
                reason: error.to_string(),
            },
        };
        let whole = self.attachment_bytes(&view.attachment.hash)?;
        let mut file = File::create_new(to).map_err(unwritable)?;
        std::io::Write::write_all(&mut file, &whole).map_err(unwritable)?;
        file.sync_all().map_err(unwritable)
    }

    /// Returns how many attachments were made here and have not arrived at the relay.
    pub(crate) fn attachments_waiting(&self) -> Result<usize, AgentError> {
        let waiting = self.home.store.pending_blobs(self.relay_log()?.as_ref())?;
        // A small picture and its photo are one attachment, whichever of them has gone.
        let small = waiting.iter().filter(|blob| blob.thumb).count();
        Ok(small.max(waiting.len() - small))
    }

    pub(crate) fn shelf(&self) -> Shelf {
        Shelf::of(&self.home.dir, self.home.keys.blobs())
    }

    /// Returns the life of the log of this home's relay, once it was met.
    pub(crate) fn relay_log(&self) -> Result<Option<Incarnation>, AgentError> {
        let Some(link) = &self.home.profile.relay else {
            return Ok(None);
        };
        let cursor = self.home.store.relay(&link.key.relay())?.cursor;
        Ok(cursor.map(|cursor| cursor.incarnation))
    }

    /// Records the attachment and what is to be carried for it, in one transaction.
    fn record_attachment(
        &mut self,
        doc: DocId,
        attachment: &Attachment,
        small_bytes: u64,
    ) -> Result<(), AgentError> {
        let missing = AgentError::NotFound {
            what: Sought::Record,
            name: doc.to_string(),
        };
        let (kind, owner) = self.home.store.kind_of(&doc)?.ok_or(missing)?;
        let draft = Draft {
            doc,
            kind,
            owner,
            puts: attachment::puts(attachment),
            place: None,
            urgent: false,
        };
        self.look_at_drafts(std::slice::from_ref(&draft))?;
        let (at_ms, action) = (self.now_ms(), ActionId(self.machine.random()?));
        self.wrong_clock = self.clock_now()?;
        let blob = |hash, bytes, thumb| Blob {
            hash,
            doc,
            bytes,
            thumb,
        };
        let actor = self.writing_as()?;
        self.home.store.write(actor, |writer| {
            writer.record(at_ms, action, &[draft])?;
            writer.carry(&blob(attachment.hash, attachment.bytes, false))?;
            if let Some(thumb) = attachment.thumb {
                writer.carry(&blob(thumb, small_bytes, true))?;
            }
            Ok::<_, AgentError>(())
        })
    }

    fn attachment_target(&self, name: &str) -> Result<Target, AgentError> {
        let named = self.name_any(name).map_err(|error| match error {
            // A household has no attachments: its list is no help.
            AgentError::NotFound {
                what: Sought::Household,
                name,
            } => AgentError::NotFound {
                what: Sought::Attachment,
                name,
            },
            other => other,
        })?;
        let (doc, visit) = match named {
            Named::Visit(visit) => (visit.book, visit.id),
            Named::Document(doc) => (doc, String::new()),
        };
        let kind = self.home.store.kind_of(&doc)?.map(|(kind, _)| kind);
        let whose = kind.is_some_and(attachment::has_container);
        // A book is no record of its own: each of its visits is.
        if !whose || (visit.is_empty() && kind == Some(wangge_model::kind::VISIT_BOOK)) {
            return Err(AgentError::BadValue {
                field: "attach_to",
                value: name.to_owned(),
                expected: "a visit, a report or a ticket",
            });
        }
        Ok(Target { doc, visit })
    }

    pub(crate) fn attachment_view(&self, row: AttachmentRow) -> Result<AttachmentView, AgentError> {
        let AttachmentRow { doc, attachment } = row;
        let (shelf, store) = (self.shelf(), &self.home.store);
        let kind = store.kind_of(&doc)?.map(|(kind, _)| kind);
        let here = |hash: &BlobHash| shelf.has(hash);
        let log = self.relay_log()?;
        Ok(AttachmentView {
            doc,
            kind: kind.map_or("unknown", wangge_model::kind::name),
            by_name: attachment
                .by
                .map(|by| self.name_of(&by))
                .unwrap_or_default(),
            here: here(&attachment.hash),
            thumb_here: attachment.thumb.as_ref().is_some_and(here),
            waiting: store.is_blob_pending(&attachment.hash, &doc, log.as_ref())?,
            again: false,
            damaged: false,
            attachment,
        })
    }
}

/// A file that was read to be attached.
struct Clean {
    kind: attachment::FileKind,
    /// Without what it tells beside its picture or sound.
    bytes: Vec<u8>,
    /// Whether its end is missing.
    cut: bool,
}

/// Returns what a file is, and its bytes without what it tells beside its picture or sound.
fn read_clean(path: &Path) -> Result<Clean, AgentError> {
    let unreadable = |error: std::io::Error| AgentError::Unreadable {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let refused = |field, expected| AgentError::BadValue {
        field,
        value: path.display().to_string(),
        expected,
    };
    let file = File::open(path).map_err(unreadable)?;
    if !file.metadata().map_err(unreadable)?.is_file() {
        return Err(refused("attach_type", "a file"));
    }
    let mut bytes = Vec::new();
    let mut within = file.take(BLOB_BYTES_MAX + 1);
    within.read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > BLOB_BYTES_MAX {
        return Err(refused("attach_size", "at most 20 MB"));
    }
    let kind = clean::sniff(&bytes).ok_or_else(|| {
        refused(
            "attach_type",
            "a photo (JPEG, PNG, WebP), a PDF or a recording (M4A, AMR, WAV)",
        )
    })?;
    let clean = clean::cleaned(kind, &bytes)
        .ok_or_else(|| refused("attach_broken", "a file that is whole"))?;
    Ok(Clean {
        kind,
        cut: clean::is_cut(kind, &bytes),
        bytes: clean,
    })
}
