//! An access record 查看记录: who asked to see hidden fields, when and why.
//!
//! It stands in the access book of whom it is about and of its year, so that a resident can be told
//! who looked. **It holds no value of the resident's**: what was asked for and why, nothing seen.
//! Who and when are the change's own.

use serde::Serialize;
use wangge_crdt::{Fields, Put};
use wangge_wire::DocId;
use wangge_wire::entry::owned_doc;

use crate::kind;
use crate::text;

const RECORDS: &str = "records";
/// The fewest characters of a reason in one's own words.
const WHY_CHARS_MIN: usize = 4;

/// The ready reasons: code and Chinese word.
pub const REASONS: [(&str, &str); 5] = [
    ("visit", "上门服务"),
    ("check", "核对信息"),
    ("errand", "办理业务"),
    ("request", "居民要求"),
    ("emergency", "应急"),
];

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Names, doors, births and numbers in full.
    Reveal,
    /// A number to call.
    Call,
    /// A row in a list that left as a file.
    Export,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// 16 hex digits, unique.
    pub id: String,
    /// What was asked for: `reveal`, `call`, `export`, or a word of a newer program.
    pub what: String,
    /// A code of [`REASONS`], or the person's own words.
    pub why: String,
}

/// Returns the id of the book of a household's, or a report's or ticket's, accesses in a year.
pub fn book_id(owner: &DocId, year: i32) -> DocId {
    owned_doc(kind::ACCESS_BOOK, owner, &year.to_string())
}

/// Returns a typed reason: the code of a ready one, or one's own words; none if it says too little.
pub fn reason(typed: &str) -> Option<String> {
    let typed = text::tidy(typed);
    let ready = REASONS
        .iter()
        .find(|(code, han)| *code == typed || *han == typed);
    match ready {
        Some((code, _)) => Some((*code).to_owned()),
        None => (typed.chars().count() >= WHY_CHARS_MIN).then_some(typed),
    }
}

/// Returns the writes of one record.
pub fn puts(id: &str, what: What, why: &str) -> Vec<Put> {
    [("what", what.code()), ("why", why)]
        .into_iter()
        .map(|(field, value)| Put {
            container: RECORDS,
            key: format!("{id}/{field}"),
            value: value.into(),
        })
        .collect()
}

/// Returns the records of a book, by id.
pub fn read(fields: &Fields) -> Vec<Access> {
    let text = |value: Option<&wangge_crdt::Scalar>| {
        value
            .and_then(wangge_crdt::Scalar::as_text)
            .unwrap_or_default()
            .to_owned()
    };
    fields
        .entries(RECORDS)
        .into_iter()
        .map(|(id, entry)| Access {
            id: id.to_owned(),
            what: text(entry.get("what").copied()),
            why: text(entry.get("why").copied()),
        })
        .collect()
}

impl What {
    /// Returns the word documents and JSON have.
    pub fn code(self) -> &'static str {
        match self {
            What::Reveal => "reveal",
            What::Call => "call",
            What::Export => "export",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wangge_crdt::Document;
    use wangge_wire::ActorId;

    #[test]
    fn a_record_reads_back_and_two_desks_have_one_book() {
        let shape = kind::shape(kind::ACCESS_BOOK).unwrap();
        let book = book_id(&DocId([3; 16]), 2026);
        assert_eq!(book, book_id(&DocId([3; 16]), 2026));
        let mut doc = Document::begin(&shape, &book).unwrap();
        doc.write(&ActorId([1; 8]), 5, &puts("00", What::Call, "visit"))
            .unwrap();
        let read = read(&doc.fields());
        assert_eq!(
            (read[0].what.as_str(), read[0].why.as_str()),
            ("call", "visit")
        );
    }

    #[test]
    fn a_reason_is_a_ready_one_or_says_something() {
        assert_eq!(reason("上门服务").as_deref(), Some("visit"));
        assert_eq!(reason("emergency").as_deref(), Some("emergency"));
        assert_eq!(reason("核对低保名单").as_deref(), Some("核对低保名单"));
        assert_eq!(reason("看看"), None);
        assert_eq!(reason("  "), None);
    }
}
