//! A round 巡查: a walk through a grid, and what was found on it.
//!
//! Rounds of a grid and month stand in one round book, whose id follows from both. **A round holds
//! findings, never steps**: no track, no place the worker was at, no time it took.

use std::collections::BTreeMap;

use serde::Serialize;
use wangge_crdt::{Fields, Put, Scalar};
use wangge_wire::{AreaCode, DocId, id};

use crate::limits::{LINE_CHARS_MAX, NOTE_CHARS_MAX, PURPOSES_MAX, TooLong, at_most};

const ROUNDS: &str = "rounds";

/// A round as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Round {
    /// 16 hex digits.
    pub id: String,
    /// The day the person says, `2026-11-23`.
    pub happened_on: String,
    /// Codes of `fixtures/duties.csv`.
    pub purposes: Vec<String>,
    /// What is worth remembering of all of it.
    pub note: String,
    /// Whether it is over.
    pub ended: bool,
    /// Where it comes from when it was not typed on the way: 纸质补录 …
    pub source: Option<String>,
    /// What was found, in the order it was written.
    pub marks: Vec<Mark>,
    /// The device's clock when it was begun, milliseconds since 1970.
    pub at_ms: i64,
}

/// Something found on a round.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Mark {
    /// 8 hex digits, unique within the round.
    pub id: String,
    /// What was found.
    pub text: String,
    /// Where, in words.
    pub place: String,
    /// The report made of it.
    pub report: Option<DocId>,
    /// The device's clock when it was written, milliseconds since 1970.
    pub at_ms: i64,
}

/// Returns the id of the book of a grid's rounds in a month, `2026-11`.
pub fn book_id(grid: &AreaCode, month: &str) -> DocId {
    let mut hasher = blake3::Hasher::new();
    for part in ["wangge rounds", grid.as_str(), month] {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    }
    DocId(id::truncate(hasher.finalize().as_bytes()))
}

/// Returns an error if something is past its limit.
pub fn check(round: &Round) -> Result<(), TooLong> {
    at_most("note", &round.note, NOTE_CHARS_MAX)?;
    if round.purposes.len() > PURPOSES_MAX {
        return Err(TooLong {
            field: "purposes",
            limit: PURPOSES_MAX,
        });
    }
    for mark in &round.marks {
        at_most("text", &mark.text, NOTE_CHARS_MAX)?;
        at_most("place", &mark.place, LINE_CHARS_MAX)?;
    }
    Ok(())
}

/// Returns the writes that record a round with its marks; what has its usual value is not written.
pub fn puts(grid: &AreaCode, round: &Round) -> Vec<Put> {
    let put = |field: &str, value: Scalar| Put::entry(ROUNDS, &round.id, field, value);
    let mut puts = vec![
        Put::root("area", grid.as_str()),
        put("on", round.happened_on.as_str().into()),
    ];
    if !round.purposes.is_empty() {
        puts.push(put("for", round.purposes.join(",").into()));
    }
    if !round.note.is_empty() {
        puts.push(put("note", round.note.as_str().into()));
    }
    if round.ended {
        puts.push(put("ended", true.into()));
    }
    if let Some(source) = &round.source {
        puts.push(put("source", source.as_str().into()));
    }
    puts.extend(
        round
            .marks
            .iter()
            .flat_map(|mark| mark_puts(&round.id, mark)),
    );
    puts
}

/// Returns the writes that add a mark to a round.
pub fn mark_puts(round: &str, mark: &Mark) -> Vec<Put> {
    let entry = format!("{round}.{}", mark.id);
    let mut puts = vec![Put::entry(ROUNDS, &entry, "text", mark.text.as_str())];
    if !mark.place.is_empty() {
        puts.push(Put::entry(ROUNDS, &entry, "place", mark.place.as_str()));
    }
    if let Some(report) = mark.report {
        puts.push(Put::entry(ROUNDS, &entry, "report", report.to_string()));
    }
    puts
}

/// Returns the writes that end a round.
pub fn end_puts(round: &str, note: &str) -> Vec<Put> {
    let mut puts = vec![Put::entry(ROUNDS, round, "ended", true)];
    if !note.is_empty() {
        puts.push(Put::entry(ROUNDS, round, "note", note));
    }
    puts
}

/// Returns the rounds of a book, the latest first; `at_ms` tells when a key was written.
pub fn read(fields: &Fields, at_ms: impl Fn(&str) -> i64) -> Vec<Round> {
    let mut rounds: BTreeMap<&str, Round> = BTreeMap::new();
    let mut marks: BTreeMap<&str, Vec<Mark>> = BTreeMap::new();
    for (entry, fields) in fields.entries(ROUNDS) {
        let text = |key: &str| fields.get(key).and_then(|value| value.as_text());
        let owned = |key: &str| text(key).unwrap_or_default().to_owned();
        match entry.split_once('.') {
            Some((round, mark)) => marks.entry(round).or_default().push(Mark {
                id: mark.to_owned(),
                text: owned("text"),
                place: owned("place"),
                report: text("report").and_then(|id| id.parse().ok()),
                at_ms: at_ms(&format!("{entry}/text")),
            }),
            None => {
                let round = Round {
                    id: entry.to_owned(),
                    happened_on: owned("on"),
                    purposes: text("for")
                        .into_iter()
                        .flat_map(|codes| codes.split(','))
                        .map(str::to_owned)
                        .collect(),
                    note: owned("note"),
                    ended: fields
                        .get("ended")
                        .and_then(|value| value.as_bool())
                        .unwrap_or(false),
                    source: text("source").map(str::to_owned),
                    marks: Vec::new(),
                    at_ms: at_ms(&format!("{entry}/on")),
                };
                rounds.insert(entry, round);
            }
        }
    }
    for (id, mut marks) in marks {
        marks.sort_by(|a, b| (a.at_ms, &a.id).cmp(&(b.at_ms, &b.id)));
        if let Some(round) = rounds.get_mut(id) {
            round.marks = marks;
        }
    }
    let mut rounds: Vec<Round> = rounds.into_values().collect();
    rounds.sort_by(|a, b| (&b.happened_on, b.at_ms, &b.id).cmp(&(&a.happened_on, a.at_ms, &a.id)));
    rounds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind;
    use wangge_crdt::Document;
    use wangge_wire::ActorId;

    fn grid() -> AreaCode {
        AreaCode::parse("511724103202001").unwrap()
    }

    fn round(id: &str) -> Round {
        Round {
            id: id.into(),
            happened_on: "2026-11-23".into(),
            purposes: vec!["safety".into()],
            marks: vec![Mark {
                id: "0a0a0a0a".into(),
                text: "路灯不亮".into(),
                place: "村口".into(),
                report: Some(DocId([4; 16])),
                at_ms: 7,
            }],
            at_ms: 7,
            ..Round::default()
        }
    }

    fn book() -> Document {
        let shape = kind::shape(kind::ROUND_BOOK).unwrap();
        Document::begin(&shape, &book_id(&grid(), "2026-11")).unwrap()
    }

    #[test]
    fn a_round_reads_back_as_it_was_written() {
        let mut book = book();
        let written = round("1111111111111111");
        book.write(&ActorId([1; 8]), 7, &puts(&grid(), &written))
            .unwrap();
        assert_eq!(read(&book.fields(), |_| 7), vec![written]);
    }

    #[test]
    fn two_workers_who_walk_at_the_same_time_have_two_rounds_in_one_book() {
        let (mut li, mut wang) = (book(), book());
        li.write(
            &ActorId([1; 8]),
            7,
            &puts(&grid(), &round("1111111111111111")),
        )
        .unwrap();
        let other = wang
            .write(
                &ActorId([2; 8]),
                7,
                &puts(&grid(), &round("2222222222222222")),
            )
            .unwrap()
            .unwrap();
        li.apply(&[other.raw]);
        assert_eq!(read(&li.fields(), |_| 7).len(), 2);
        assert_eq!(li.fields().conflicts().count(), 0);
    }

    #[test]
    fn an_ended_round_keeps_its_marks() {
        let mut book = book();
        let writer = ActorId([1; 8]);
        book.write(&writer, 7, &puts(&grid(), &round("1111111111111111")))
            .unwrap();
        book.write(&writer, 9, &end_puts("1111111111111111", "都看过了"))
            .unwrap();
        let rounds = read(&book.fields(), |_| 7);
        assert!(rounds[0].ended);
        assert_eq!(
            (rounds[0].marks.len(), rounds[0].note.as_str()),
            (1, "都看过了")
        );
    }
}
