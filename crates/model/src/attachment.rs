//! Attachments 附件: what a document says of a photo, a recording or a paper that travels apart.
//!
//! **A document has an attachment's name (its hash), never its bytes and never a path.** A visit's
//! attachments stand in its book, each with the visit it belongs to.

use serde::{Deserialize, Serialize};
use wangge_crdt::{Fields, Put, Scalar, VOID_KEY};
use wangge_wire::{BlobHash, DocKind, PersonId};

use crate::kind;

/// The container they stand in.
pub const ATTACHMENTS: &str = "attachments";
/// Attachments of one report, ticket or visit.
pub const ATTACHMENTS_MAX: usize = 12;
/// Bytes of the small picture that travels first.
pub const THUMB_BYTES_MAX: usize = 16 * 1024;

/// What may be attached; everything else is refused by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// A photo.
    Jpeg,
    /// A picture of a screen.
    Png,
    /// A picture sent by a messenger.
    Webp,
    /// A paper.
    Pdf,
    /// A recording: MPEG-4 audio.
    M4a,
    /// A recording: AMR.
    Amr,
    /// A recording: WAV.
    Wav,
}

/// An attachment as its document has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// 16 hex digits.
    pub id: String,
    /// The visit it belongs to; empty for the document's own.
    pub visit: String,
    /// What it is called by: the BLAKE3 of its bytes.
    pub hash: BlobHash,
    /// How large it is.
    pub bytes: u64,
    /// What it is: `jpeg png webp pdf m4a amr wav`; a newer program's word is kept.
    #[serde(rename = "type")]
    pub file: String,
    /// What the worker calls it; empty where nothing was said.
    pub name: String,
    /// The day it was taken, `2026-11-23`.
    pub taken_on: String,
    /// Who attached it.
    pub by: Option<PersonId>,
    /// The small picture; none of papers and recordings.
    pub thumb: Option<BlobHash>,
    /// Taken back.
    pub void: bool,
}

impl FileKind {
    const ALL: [FileKind; 7] = [
        FileKind::Jpeg,
        FileKind::Png,
        FileKind::Webp,
        FileKind::Pdf,
        FileKind::M4a,
        FileKind::Amr,
        FileKind::Wav,
    ];

    /// Returns the word documents and JSON have.
    pub fn code(self) -> &'static str {
        match self {
            FileKind::Jpeg => "jpeg",
            FileKind::Png => "png",
            FileKind::Webp => "webp",
            FileKind::Pdf => "pdf",
            FileKind::M4a => "m4a",
            FileKind::Amr => "amr",
            FileKind::Wav => "wav",
        }
    }

    /// Returns the kind of this word.
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// Returns whether documents of this kind have attachments.
pub fn has_container(kind: DocKind) -> bool {
    kind::container(kind, ATTACHMENTS).is_some()
}

/// Returns the writes that record an attachment.
pub fn puts(attachment: &Attachment) -> Vec<Put> {
    let put = |field: &str, value: Scalar| Put::entry(ATTACHMENTS, &attachment.id, field, value);
    let bytes = i64::try_from(attachment.bytes).unwrap_or(i64::MAX);
    let mut puts = vec![
        put("hash", attachment.hash.to_string().as_str().into()),
        put("bytes", bytes.into()),
        put("type", attachment.file.as_str().into()),
    ];
    let by = attachment.by.map(|by| by.to_string()).unwrap_or_default();
    let thumb = attachment.thumb.map(|thumb| thumb.to_string());
    for (field, text) in [
        ("visit", attachment.visit.as_str()),
        ("name", attachment.name.as_str()),
        ("on", attachment.taken_on.as_str()),
        ("by", by.as_str()),
        ("thumb", thumb.as_deref().unwrap_or_default()),
    ] {
        if !text.is_empty() {
            puts.push(put(field, text.into()));
        }
    }
    puts
}

/// Returns the attachments of a document by id, those taken back included.
///
/// One whose name or size does not read is left out: there is nothing to ask for.
pub fn read(fields: &Fields) -> Vec<Attachment> {
    let entries = fields.all_entries(ATTACHMENTS).into_iter();
    let read = entries.filter_map(|(id, entry)| {
        let text = |key: &str| entry.get(key).and_then(|value| value.as_text());
        let owned = |key: &str| text(key).unwrap_or_default().to_owned();
        let bytes = entry.get("bytes").and_then(|bytes| bytes.as_int())?;
        Some(Attachment {
            id: id.to_owned(),
            visit: owned("visit"),
            hash: text("hash")?.parse().ok()?,
            bytes: u64::try_from(bytes).ok()?,
            file: owned("type"),
            name: owned("name"),
            taken_on: owned("on"),
            by: text("by").and_then(|by| by.parse().ok()),
            thumb: text("thumb").and_then(|thumb| thumb.parse().ok()),
            void: entry.get(VOID_KEY).and_then(|void| void.as_bool()) == Some(true),
        })
    });
    read.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wangge_crdt::Document;
    use wangge_wire::{ActorId, DocId};

    #[test]
    fn an_attachment_reads_back_as_it_was_recorded() {
        let attachment = Attachment {
            id: "00112233aabbccdd".into(),
            visit: "0011223344556677".into(),
            hash: BlobHash([3; 32]),
            bytes: 4_000_000,
            file: FileKind::Jpeg.code().into(),
            name: "门口台阶".into(),
            taken_on: "2026-11-23".into(),
            by: Some(PersonId([9; 16])),
            thumb: Some(BlobHash([4; 32])),
            void: false,
        };
        let shape = kind::shape(kind::VISIT_BOOK).unwrap();
        let mut document = Document::begin(&shape, &DocId([1; 16])).unwrap();
        let actor = ActorId([2; 8]);
        document.write(&actor, 0, &puts(&attachment)).unwrap();
        assert_eq!(read(&document.fields()), std::slice::from_ref(&attachment));
        let void = Put::entry(ATTACHMENTS, &attachment.id, VOID_KEY, true);
        document.write(&actor, 1, &[void]).unwrap();
        assert!(read(&document.fields())[0].void);
    }

    #[test]
    fn households_have_no_attachments_and_every_type_has_its_word() {
        assert!(!has_container(kind::HOUSEHOLD));
        assert!(has_container(kind::TICKET));
        for file in FileKind::ALL {
            assert_eq!(FileKind::of(file.code()), Some(file));
        }
    }
}
