//! A visit 走访, kept in the visit book 走访簿 of its household and year.
//!
//! A book's id follows from both, so two workers who begin it offline have the same book. **No track,
//! no check-in, no time on line**: a visit says who was met and how they are, nothing about the
//! worker.

use serde::{Deserialize, Serialize};
use wangge_crdt::{Fields, Put, Scalar};
use wangge_wire::DocId;
use wangge_wire::entry::owned_doc;

use crate::clock::ClockFlag;
use crate::kind;
use crate::limits::{LINE_CHARS_MAX, NOTE_CHARS_MAX, PURPOSES_MAX, TooLong, at_most};

/// The container of a visit book.
pub const VISITS: &str = "visits";

/// How the household was reached; a call counts.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// 上门.
    #[default]
    Door,
    /// 电话.
    Phone,
    /// 视频.
    Video,
    /// 代访: somebody else looked in.
    Deputy,
}

/// Who was met.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Met {
    /// 本人.
    #[default]
    Person,
    /// 家属.
    Family,
    /// 无人在家.
    Nobody,
    /// 拒访.
    Declined,
}

/// A visit as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Visit {
    /// 16 hex digits, unique.
    pub id: String,
    /// The day the person says, `2026-11-23`.
    pub happened_on: String,
    /// The device's clock when it was saved, milliseconds since 1970.
    pub at_ms: i64,
    /// How the household was reached.
    pub mode: Mode,
    /// Who was met.
    pub met: Met,
    /// Codes of `fixtures/duties.csv`.
    pub purposes: Vec<String>,
    /// What is worth remembering.
    pub note: String,
    /// 无变化: what is known of the household was confirmed.
    pub no_change: bool,
    /// When to come back, `2026-11-30`.
    pub follow_up_on: Option<String>,
    /// Who visited, 32 hex digits, when somebody else typed it.
    pub by: Option<String>,
    /// Where it comes from when it was not typed at the door: 纸质补录 …
    pub source: Option<String>,
    /// 已撤销: taken back by who recorded it; kept, counted nowhere.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub void: bool,
    /// What was wrong with the device's clock when it was saved, as far as that device knew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockFlag>,
    /// What names that source: a form's number, a hotline's ticket.
    pub reference: Option<String>,
    /// The ticket it led to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<DocId>,
}

/// Returns the id of the book of a household's visits in a year.
pub fn book_id(household: &DocId, year: i32) -> DocId {
    owned_doc(kind::VISIT_BOOK, household, &year.to_string())
}

/// Returns an error if something is past its limit.
pub fn check(visit: &Visit) -> Result<(), TooLong> {
    at_most("note", &visit.note, NOTE_CHARS_MAX)?;
    for (field, text) in [("source", &visit.source), ("reference", &visit.reference)] {
        at_most(field, text.as_deref().unwrap_or_default(), LINE_CHARS_MAX)?;
    }
    if visit.purposes.len() > PURPOSES_MAX {
        return Err(TooLong {
            field: "purposes",
            limit: PURPOSES_MAX,
        });
    }
    Ok(())
}

/// Returns the writes that record a visit; what has its usual value is not written.
pub fn puts(visit: &Visit) -> Vec<Put> {
    let put = |field: &str, value: Scalar| Put::entry(VISITS, &visit.id, field, value);
    let mut puts = vec![put("on", visit.happened_on.as_str().into())];
    if visit.mode != Mode::default() {
        puts.push(put("mode", visit.mode.code().into()));
    }
    if visit.met != Met::default() {
        puts.push(put("met", visit.met.code().into()));
    }
    if !visit.purposes.is_empty() {
        puts.push(put("for", visit.purposes.join(",").into()));
    }
    if !visit.note.is_empty() {
        puts.push(put("note", visit.note.as_str().into()));
    }
    if visit.no_change {
        puts.push(put("same", true.into()));
    }
    for (field, value) in [
        ("next", &visit.follow_up_on),
        ("by", &visit.by),
        ("source", &visit.source),
        ("ref", &visit.reference),
    ] {
        if let Some(value) = value {
            puts.push(put(field, value.as_str().into()));
        }
    }
    if let Some(clock) = visit.clock {
        puts.push(put("clock", clock.as_str().into()));
    }
    if let Some(ticket) = visit.ticket {
        puts.push(put("ticket", ticket.to_string().into()));
    }
    puts
}

/// Returns the visits of a book, the latest first.
///
/// `at_ms` tells when a key of the book's visits was written: a visit's moment is its change's own,
/// so it is not written twice.
pub fn read(fields: &Fields, at_ms: impl Fn(&str) -> i64) -> Vec<Visit> {
    let mut visits: Vec<Visit> = fields
        .all_entries(VISITS)
        .into_iter()
        .map(|(id, fields)| {
            let text = |key: &str| fields.get(key).and_then(|value| value.as_text());
            Visit {
                id: id.to_owned(),
                happened_on: text("on").unwrap_or_default().to_owned(),
                at_ms: at_ms(&format!("{id}/on")),
                mode: text("mode").and_then(Mode::of).unwrap_or_default(),
                met: text("met").and_then(Met::of).unwrap_or_default(),
                purposes: text("for")
                    .into_iter()
                    .flat_map(|t| t.split(','))
                    .map(str::to_owned)
                    .collect(),
                note: text("note").unwrap_or_default().to_owned(),
                no_change: fields
                    .get("same")
                    .and_then(|value| value.as_bool())
                    .unwrap_or(false),
                follow_up_on: text("next").map(str::to_owned),
                by: text("by").map(str::to_owned),
                source: text("source").map(str::to_owned),
                void: fields
                    .get("void")
                    .and_then(|value| value.as_bool())
                    .unwrap_or(false),
                clock: text("clock").and_then(ClockFlag::of),
                reference: text("ref").map(str::to_owned),
                ticket: text("ticket").and_then(|id| id.parse().ok()),
            }
        })
        .collect();
    visits.sort_by(|a, b| (&b.happened_on, b.at_ms, &b.id).cmp(&(&a.happened_on, a.at_ms, &a.id)));
    visits
}

impl Mode {
    /// Every mode.
    pub const ALL: [Mode; 4] = [Mode::Door, Mode::Phone, Mode::Video, Mode::Deputy];

    /// Returns the mode as documents and JSON have it.
    pub fn code(self) -> &'static str {
        match self {
            Mode::Door => "door",
            Mode::Phone => "phone",
            Mode::Video => "video",
            Mode::Deputy => "deputy",
        }
    }

    /// Returns the mode with this code or Chinese word.
    pub fn of(word: &str) -> Option<Self> {
        let han = match word {
            "上门" | "入户" => Some(Mode::Door),
            "电话" => Some(Mode::Phone),
            "视频" => Some(Mode::Video),
            "代访" => Some(Mode::Deputy),
            _ => None,
        };
        han.or_else(|| Self::ALL.into_iter().find(|mode| mode.code() == word))
    }
}

impl Met {
    /// Every answer.
    pub const ALL: [Met; 4] = [Met::Person, Met::Family, Met::Nobody, Met::Declined];

    /// Returns who was met as documents and JSON have it.
    pub fn code(self) -> &'static str {
        match self {
            Met::Person => "person",
            Met::Family => "family",
            Met::Nobody => "nobody",
            Met::Declined => "declined",
        }
    }

    /// Returns who was met by this code or Chinese word.
    pub fn of(word: &str) -> Option<Self> {
        let han = match word {
            "本人" => Some(Met::Person),
            "家属" => Some(Met::Family),
            "无人" | "无人在家" | "不在家" => Some(Met::Nobody),
            "拒访" => Some(Met::Declined),
            _ => None,
        };
        han.or_else(|| Self::ALL.into_iter().find(|met| met.code() == word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wangge_crdt::Document;
    use wangge_wire::ActorId;

    fn visit(id: &str, on: &str) -> Visit {
        Visit {
            id: id.into(),
            happened_on: on.into(),
            at_ms: 5,
            no_change: true,
            ..Visit::default()
        }
    }

    fn book() -> Document {
        let id = book_id(&DocId([1; 16]), 2026);
        Document::begin(&kind::shape(kind::VISIT_BOOK).unwrap(), &id).unwrap()
    }

    #[test]
    fn a_visit_reads_back_as_it_was_recorded() {
        let full = Visit {
            mode: Mode::Phone,
            met: Met::Family,
            purposes: vec!["care".into(), "hazard".into()],
            note: "血压高".into(),
            follow_up_on: Some("2026-11-30".into()),
            ..visit("a", "2026-11-23")
        };
        let mut book = book();
        book.write(&ActorId([1; 8]), 5, &puts(&full)).unwrap();
        book.write(&ActorId([1; 8]), 6, &puts(&visit("b", "2026-11-24")))
            .unwrap();
        let read = read(&book.fields(), |_| 5);
        assert_eq!(read, vec![visit("b", "2026-11-24"), full]);
    }

    #[test]
    fn two_workers_who_begin_the_book_offline_have_one_book_with_both_visits() {
        let (mut li, mut wang) = (book(), book());
        li.write(&ActorId([1; 8]), 5, &puts(&visit("a", "2026-11-23")))
            .unwrap();
        let b = wang
            .write(&ActorId([2; 8]), 6, &puts(&visit("b", "2026-11-23")))
            .unwrap()
            .unwrap();
        li.apply(&[b.raw]);
        assert_eq!(read(&li.fields(), |_| 5).len(), 2);
        assert_ne!(
            book_id(&DocId([1; 16]), 2025),
            book_id(&DocId([1; 16]), 2026)
        );
    }

    #[test]
    fn a_note_of_the_limit_is_taken_and_one_character_more_is_not() {
        let mut long = visit("a", "2026-11-23");
        long.note = "长".repeat(NOTE_CHARS_MAX);
        assert!(check(&long).is_ok());
        long.note.push('了');
        assert!(check(&long).is_err());
    }
}
