//! A report 民情: what somebody told a worker, or what a worker saw.
//!
//! It carries its own contact and place, so whoever receives it needs no household. `handled_on_spot`
//! is the commonest case: told and done in one action, offline.

use serde::{Deserialize, Serialize};
use wangge_crdt::{Fields, Put, Scalar};
use wangge_wire::{AreaCode, DocId, PersonId};

use crate::limits::{LINE_CHARS_MAX, NOTE_CHARS_MAX, TooLong, at_most};

const COMMENTS: &str = "comments";

/// How urgent it is; the clocks follow from it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub enum Urgency {
    /// Life and limb: telephone first, record after.
    P0,
    /// 急.
    P1,
    /// 一般.
    #[default]
    P2,
    /// 疑难.
    P3,
}

/// How the person who told it wishes to be named.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// 实名.
    #[default]
    Named,
    /// 实名保密.
    Confidential,
    /// 匿名.
    Anonymous,
}

/// A report as the document has it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// The area it is about.
    pub area: Option<AreaCode>,
    /// The household it came from.
    pub household: Option<DocId>,
    /// Who told it, when they belong to no household here.
    pub requester: String,
    /// How to reach them.
    pub contact: String,
    /// Where it is.
    pub place: String,
    /// How the person wishes to be named.
    pub identity: Identity,
    /// A code of `fixtures/events.csv`.
    pub category: String,
    /// What was told.
    pub text: String,
    /// 群体性: it concerns more than one household.
    pub collective: bool,
    /// How urgent it is.
    pub urgency: Urgency,
    /// 走访 来访 电话 12345 上级交办 巡查 纸质补录.
    pub source: String,
    /// The day the person says, `2026-11-23`.
    pub happened_on: String,
    /// The device's clock when it was saved, milliseconds since 1970.
    pub at_ms: i64,
    /// What was done at once; none if it is open.
    pub handled_on_spot: Option<String>,
    /// Who was told by telephone before it was recorded.
    pub phoned: Option<Phoned>,
    /// How many people it concerns; 0 where nobody counted.
    pub affected: i64,
    /// It must not come to whom it is about: it lives in the township, with a named audience.
    pub restricted: bool,
    /// Whom it is about, where the roster knows them; they never receive it.
    pub about: Vec<PersonId>,
}

/// Who was told by telephone first, and when.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phoned {
    /// Who: a name or an office.
    pub to: String,
    /// When, milliseconds since 1970; 0 for when the report was saved.
    #[serde(default)]
    pub at_ms: i64,
}

/// A remark on a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comment {
    /// 16 hex digits.
    pub id: String,
    /// Who said it.
    pub by: Option<PersonId>,
    /// When it was written, milliseconds since 1970.
    pub at_ms: i64,
    /// What was said.
    pub text: String,
}

/// Returns an error if something is past its limit.
pub fn check(report: &Report) -> Result<(), TooLong> {
    at_most("text", &report.text, NOTE_CHARS_MAX)?;
    at_most(
        "handled_on_spot",
        report.handled_on_spot.as_deref().unwrap_or(""),
        NOTE_CHARS_MAX,
    )?;
    at_most("place", &report.place, LINE_CHARS_MAX)?;
    at_most("requester", &report.requester, LINE_CHARS_MAX)?;
    at_most("contact", &report.contact, LINE_CHARS_MAX)?;
    at_most(
        "phoned",
        report.phoned.as_ref().map_or("", |phoned| &phoned.to),
        LINE_CHARS_MAX,
    )?;
    Ok(())
}

/// Returns the writes that record a report; what has its usual value is not written.
pub fn puts(report: &Report) -> Vec<Put> {
    let mut puts = vec![
        Put::root("on", report.happened_on.as_str()),
        Put::root("at", report.at_ms),
        Put::root("category", report.category.as_str()),
        Put::root("text", report.text.as_str()),
    ];
    let mut text = |key: &str, value: &str| {
        if !value.is_empty() {
            puts.push(Put::root(key, value));
        }
    };
    text("area", report.area.as_ref().map_or("", AreaCode::as_str));
    text(
        "household",
        &report
            .household
            .map(|doc| doc.to_string())
            .unwrap_or_default(),
    );
    text("requester", &report.requester);
    text("contact", &report.contact);
    text("place", &report.place);
    text("source", &report.source);
    text(
        "identity",
        if report.identity == Identity::Named {
            ""
        } else {
            report.identity.code()
        },
    );
    text(
        "urgency",
        if report.urgency == Urgency::P2 {
            ""
        } else {
            report.urgency.code()
        },
    );
    text(
        "handled",
        report.handled_on_spot.as_deref().unwrap_or_default(),
    );
    puts.extend(restricted_puts(report.restricted, &report.about));
    if report.collective {
        puts.push(Put::root("collective", true));
    }
    if let Some(phoned) = &report.phoned {
        puts.push(Put::root("phoned", phoned.to.as_str()));
        puts.push(Put::root("phoned_at", phoned.at_ms));
    }
    if report.affected > 0 {
        puts.push(Put::root("affected", report.affected));
    }
    puts
}

/// Returns the writes that add a remark; its moment is its change's own.
pub fn comment_puts(id: &str, by: PersonId, text: &str) -> Vec<Put> {
    vec![
        Put::entry(COMMENTS, id, "text", text),
        Put::entry(COMMENTS, id, "by", by.to_string()),
    ]
}

/// Returns the remarks of a report, oldest first; `at_ms` tells when a key of them was written.
pub fn comments(fields: &Fields, at_ms: impl Fn(&str) -> i64) -> Vec<Comment> {
    let mut comments: Vec<Comment> = fields
        .entries(COMMENTS)
        .into_iter()
        .map(|(id, entry)| {
            let text = |key: &str| entry.get(key).and_then(|value| value.as_text());
            Comment {
                id: id.to_owned(),
                by: text("by").and_then(|by| by.parse().ok()),
                at_ms: at_ms(&format!("{id}/text")),
                text: text("text").unwrap_or_default().to_owned(),
            }
        })
        .collect();
    comments.sort_by(|a, b| (a.at_ms, &a.id).cmp(&(b.at_ms, &b.id)));
    comments
}

/// Returns the writes by which a report or ticket says that it is restricted, and about whom.
pub fn restricted_puts(restricted: bool, about: &[PersonId]) -> Vec<Put> {
    let mut puts = Vec::new();
    if restricted {
        puts.push(Put::root("restricted", true));
    }
    if !about.is_empty() {
        let ids: Vec<String> = about.iter().map(PersonId::to_string).collect();
        puts.push(Put::root("about", ids.join(",")));
    }
    puts
}

/// Returns whether a report or ticket is restricted, and about whom it is.
pub fn restricted(fields: &Fields) -> (bool, Vec<PersonId>) {
    let about = fields.root_text("about").split(',');
    (
        fields
            .root("restricted")
            .and_then(Scalar::as_bool)
            .unwrap_or(false),
        about.filter_map(|id| id.parse().ok()).collect(),
    )
}

/// Returns a report as its document has it.
pub fn read(fields: &Fields) -> Report {
    let text = |key: &str| fields.root_text(key).to_owned();
    let int = |key: &str| {
        let number = fields.root(key).and_then(Scalar::as_int);
        number.unwrap_or_default()
    };
    let (restricted, about) = restricted(fields);
    Report {
        restricted,
        about,
        area: AreaCode::parse(fields.root_text("area")).ok(),
        household: fields.root_text("household").parse().ok(),
        requester: text("requester"),
        contact: text("contact"),
        place: text("place"),
        identity: Identity::of(fields.root_text("identity")).unwrap_or_default(),
        category: text("category"),
        text: text("text"),
        collective: fields
            .root("collective")
            .and_then(Scalar::as_bool)
            .unwrap_or(false),
        urgency: Urgency::of(fields.root_text("urgency")).unwrap_or_default(),
        source: text("source"),
        happened_on: text("on"),
        at_ms: int("at"),
        handled_on_spot: Some(text("handled")).filter(|text| !text.is_empty()),
        phoned: Some(text("phoned"))
            .filter(|to| !to.is_empty())
            .map(|to| Phoned {
                to,
                at_ms: int("phoned_at"),
            }),
        affected: int("affected"),
    }
}

impl Urgency {
    /// Returns the urgency as documents and JSON have it.
    pub fn code(self) -> &'static str {
        match self {
            Urgency::P0 => "P0",
            Urgency::P1 => "P1",
            Urgency::P2 => "P2",
            Urgency::P3 => "P3",
        }
    }

    /// Returns the urgency with this code, in either case.
    pub fn of(code: &str) -> Option<Self> {
        [Urgency::P0, Urgency::P1, Urgency::P2, Urgency::P3]
            .into_iter()
            .find(|urgency| urgency.code().eq_ignore_ascii_case(code))
    }
}

impl Identity {
    /// Returns the identity as documents and JSON have it.
    pub fn code(self) -> &'static str {
        match self {
            Identity::Named => "named",
            Identity::Confidential => "confidential",
            Identity::Anonymous => "anonymous",
        }
    }

    /// Returns the identity with this code or Chinese word.
    pub fn of(word: &str) -> Option<Self> {
        match word {
            "named" | "实名" => Some(Identity::Named),
            "confidential" | "实名保密" => Some(Identity::Confidential),
            "anonymous" | "匿名" => Some(Identity::Anonymous),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind;
    use wangge_crdt::Document;
    use wangge_wire::ActorId;

    #[test]
    fn a_report_reads_back_as_it_was_recorded() {
        let report = Report {
            area: AreaCode::parse("511724103202001").ok(),
            household: Some(DocId([1; 16])),
            category: "D05".into(),
            text: "水管爆了".into(),
            place: "三组路口".into(),
            urgency: Urgency::P1,
            identity: Identity::Confidential,
            source: "电话".into(),
            happened_on: "2026-11-23".into(),
            at_ms: 7,
            collective: true,
            handled_on_spot: Some("已关阀".into()),
            phoned: Some(Phoned {
                to: "值班室".into(),
                at_ms: 3,
            }),
            affected: 40,
            restricted: true,
            about: vec![PersonId([9; 16])],
            ..Report::default()
        };
        let shape = kind::shape(kind::REPORT).unwrap();
        let mut doc = Document::begin(&shape, &DocId([2; 16])).unwrap();
        doc.write(&ActorId([1; 8]), 5, &puts(&report)).unwrap();
        assert_eq!(read(&doc.fields()), report);
    }

    #[test]
    fn remarks_stand_in_the_order_they_were_written() {
        let shape = kind::shape(kind::REPORT).unwrap();
        let mut doc = Document::begin(&shape, &DocId([2; 16])).unwrap();
        let (who, actor) = (PersonId([7; 16]), ActorId([1; 8]));
        for (id, at_ms, text) in [("bb", 5, "已转水务站"), ("aa", 6, "已修好")] {
            doc.write(&actor, at_ms, &comment_puts(id, who, text))
                .unwrap();
        }
        let at_ms = |key: &str| {
            doc.versions(COMMENTS, key)
                .first()
                .map_or(0, |version| version.at_ms)
        };
        let told: Vec<_> = comments(&doc.fields(), at_ms)
            .into_iter()
            .map(|comment| (comment.text, comment.by, comment.at_ms))
            .collect();
        assert_eq!(
            told,
            [
                ("已转水务站".to_owned(), Some(who), 5),
                ("已修好".to_owned(), Some(who), 6)
            ]
        );
    }

    #[test]
    fn a_text_of_the_limit_is_taken_and_one_character_more_is_not() {
        let mut report = Report {
            text: "长".repeat(NOTE_CHARS_MAX),
            ..Report::default()
        };
        assert!(check(&report).is_ok());
        report.text.push('了');
        assert!(check(&report).is_err());
    }
}
