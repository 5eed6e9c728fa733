//! What the words of a step mean: finishes, grades, cards, days.

use wangge_model::clock::day_start_ms;
use wangge_model::limits::{LINE_CHARS_MAX, NOTE_CHARS_MAX, TooLong, at_most};
use wangge_model::text;
use wangge_model::ticket::document as ticket;
use wangge_model::ticket::{Card, DoneKind, EventKind, Kind};

use crate::error::AgentError;
use crate::visits::date;

/// Returns a kind of ticket; help where nothing was typed.
pub(super) fn ticket_kind(typed: Option<&str>) -> Result<&'static str, AgentError> {
    match typed.map(str::trim).filter(|typed| !typed.is_empty()) {
        None => Ok("help"),
        Some(typed) => ticket::ticket_kind(typed).ok_or_else(|| AgentError::BadValue {
            field: "kind",
            value: typed.to_owned(),
            expected: "inquiry, help, complaint, suggestion, praise or errand",
        }),
    }
}

/// Returns the kind of step a word names.
pub(super) fn step_kind(word: &str) -> Result<Kind, AgentError> {
    match EventKind::from(word.to_owned()) {
        EventKind::Known(kind) => Ok(kind),
        EventKind::Unknown(word) => Err(AgentError::BadValue {
            field: "step",
            value: word,
            expected: "a step of a ticket",
        }),
    }
}

/// Returns the finish a word names.
pub(super) fn done_kind(word: &str) -> Result<DoneKind, AgentError> {
    match word.trim() {
        "实质" | "实质性" | "实质性办结" | "substantive" => Ok(DoneKind::Substantive),
        "阶段" | "阶段性" | "阶段性办结" | "interim" => Ok(DoneKind::Interim),
        "程序" | "程序性" | "程序性办结" | "procedural" => Ok(DoneKind::Procedural),
        other => Err(AgentError::BadValue {
            field: "done_kind",
            value: other.to_owned(),
            expected: "substantive, interim or procedural",
        }),
    }
}

/// Returns the grade of a follow-up: 5 very content to 1 not at all.
pub(super) fn grade(word: &str) -> Result<u8, AgentError> {
    match text::half_width(word.trim()).as_str() {
        "5" | "很满意" | "非常满意" | "very_content" => Ok(5),
        "4" | "满意" | "content" => Ok(4),
        "3" | "基本满意" | "well_enough" => Ok(3),
        "2" | "不满意" | "not_content" => Ok(2),
        "1" | "很不满意" | "非常不满意" | "not_at_all" => Ok(1),
        _ => Err(AgentError::BadValue {
            field: "grade",
            value: word.to_owned(),
            expected: "5 very content, 4 content, 3 well enough, 2 not content or 1 not at all",
        }),
    }
}

/// Returns how strongly a level above watches.
pub(super) fn card(word: &str) -> Result<Card, AgentError> {
    match word.trim() {
        "普通" | "普通督办" | "ordinary" => Ok(Card::Ordinary),
        "黄" | "黄牌" | "黄牌督办" | "yellow" => Ok(Card::Yellow),
        "红" | "红牌" | "红牌督办" | "red" => Ok(Card::Red),
        other => Err(AgentError::BadValue {
            field: "card",
            value: other.to_owned(),
            expected: "ordinary, yellow or red",
        }),
    }
}

/// Returns the last moment of a day in China, milliseconds since 1970.
pub(super) fn end_of_day(field: &'static str, typed: &str) -> Result<i64, AgentError> {
    let next = date(field, typed)?.succ_opt();
    let midnight = next.map(day_start_ms).ok_or_else(|| AgentError::BadValue {
        field,
        value: typed.to_owned(),
        expected: "a day like 2026-11-23",
    })?;
    Ok(midnight - 1)
}

/// Returns a text that is not empty, as it was typed; none where nothing was said.
pub(super) fn said(typed: Option<&String>) -> Option<String> {
    typed
        .map(|text| text::note(text))
        .filter(|text| !text.is_empty())
}

/// Returns an error if a text is longer than a note.
pub(super) fn in_note(field: &'static str, text: &str) -> Result<(), TooLong> {
    at_most(field, text, NOTE_CHARS_MAX).map(|_| ())
}

/// Returns an error if a text is longer than a line.
pub(super) fn in_line(field: &'static str, text: &str) -> Result<(), TooLong> {
    at_most(field, text, LINE_CHARS_MAX).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::china_day;

    #[test]
    fn five_grades_and_three_cards_are_understood_in_words() {
        for (word, wanted) in [
            ("很满意", 5),
            ("４", 4),
            ("基本满意", 3),
            ("不满意", 2),
            ("非常不满意", 1),
        ] {
            assert_eq!(grade(word).unwrap(), wanted, "{word}");
        }
        assert!(grade("6").is_err());
        assert_eq!(card("黄牌").unwrap(), Card::Yellow);
        assert!(card("绿牌").is_err());
    }

    #[test]
    fn a_day_ends_a_millisecond_before_the_next() {
        let end = end_of_day("due", "2026-12-01").unwrap();
        assert_eq!(china_day(end).to_string(), "2026-12-01");
        assert_eq!(china_day(end + 1).to_string(), "2026-12-02");
        assert!(end_of_day("due", "someday").is_err());
    }
}
