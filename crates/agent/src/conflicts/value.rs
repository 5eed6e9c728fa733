//! A new value that settles a conflict: each field takes what it takes when it is typed elsewhere.
//!
//! A field of a newer program is judged by the values it has: a day stays a day, a number a number.

use chrono::NaiveDate;
use wangge_crdt::Scalar;
use wangge_model::care::Care;
use wangge_model::household::Left;
use wangge_model::limits::{LINE_CHARS_MAX, NOTE_CHARS_MAX, TooLong, at_most};
use wangge_model::report::{Identity, Urgency};
use wangge_model::ticket::document::ticket_kind;
use wangge_model::visit::{Met, Mode};
use wangge_model::{household, relation, text};
use wangge_wire::{AreaCode, Level};

use super::{ConflictView, is_id_hash};
use crate::error::AgentError;
use crate::households::{birth, birth_text, phone, residence, sex};
use crate::replica::Replica;
use crate::reports::category;
use crate::visits::{date, purposes};

impl Replica {
    /// Returns a typed value as the field takes it, or why it does not.
    pub(super) fn typed(&self, conflict: &ConflictView, typed: &str) -> Result<Scalar, AgentError> {
        let field = conflict.field.rsplit('/').next().unwrap_or_default();
        if is_id_hash(&conflict.field) {
            return Err(AgentError::BadValue {
                field: "value",
                value: typed.to_owned(),
                expected: "the number of one of the values: a hash is never typed",
            });
        }
        let is_root = !conflict.field.contains('/');
        if conflict.kind == "household" && is_root && field == "head" {
            return self.member_typed(conflict, typed);
        }
        if typed.trim().is_empty() {
            return match MUST_SAY.iter().find(|known| **known == field) {
                None => Ok(emptied(conflict)),
                Some(field) => Err(AgentError::BadValue {
                    field,
                    value: String::new(),
                    expected: "something: this field is never empty",
                }),
            };
        }
        let half = text::half_width(typed.trim());
        let bad = |field, expected| AgentError::BadValue {
            field,
            value: typed.to_owned(),
            expected,
        };
        let code = |known: Option<&str>, field, expected| {
            known.map(Scalar::from).ok_or_else(|| bad(field, expected))
        };
        match field {
            "phone" => Ok(phone("phone", typed)?.unwrap_or_default().into()),
            "area" => area(&half, conflict.kind == "household"),
            "residence" => Ok(residence(typed)?.code().into()),
            "sex" => Ok(i64::from(sex(&half)?).into()),
            "birth" => Ok(birth_text(birth(&half)?).into()),
            "relation" => relation::code_of(typed)
                .map(Scalar::from)
                .map_err(|_| bad("relation", "a relation of GB/T 4761")),
            "left" => {
                let left = Left::of(typed.trim()).map(Left::code);
                let expected = "died, moved_out, married, split or mistake";
                code(left, "left", expected)
            }
            "tag" => {
                let care = Care::named(typed.trim()).or_else(|| half.parse().ok());
                code(care.map(Care::code), "care", "a care tag")
            }
            "mode" => {
                let known = Mode::of(half.as_str()).map(Mode::code);
                code(known, "mode", "door, phone, video or deputy")
            }
            "met" => {
                let known = Met::of(half.as_str()).map(Met::code);
                code(known, "met", "person, family, nobody or declined")
            }
            "for" => {
                let words: Vec<String> = half
                    .split([',', '、'])
                    .map(|word| word.trim().to_owned())
                    .collect();
                Ok(purposes(&words)?.join(",").into())
            }
            "identity" => {
                let known = Identity::of(&half).map(Identity::code);
                code(known, "identity", "named, confidential or anonymous")
            }
            "urgency" => {
                let known = Urgency::of(&half).map(Urgency::code);
                code(known, "urgency", "P0, P1, P2 or P3")
            }
            "category" => Ok(category(Some(&half))?.into()),
            "kind" if conflict.kind == "ticket" => code(
                ticket_kind(typed.trim()),
                "kind",
                "inquiry, help, complaint, suggestion, praise or errand",
            ),
            "name" => Ok(limited("name", &text::person_name(typed), LINE_CHARS_MAX)?),
            "subject" => Ok(limited("value", &text::line(typed), LINE_CHARS_MAX)?),
            "door" | "number" | "place" | "requester" | "contact" | "source" => {
                Ok(limited("value", &text::tidy(typed), LINE_CHARS_MAX)?)
            }
            _ => like(conflict, typed, &half),
        }
    }

    /// Returns the member of the household with this name or id.
    fn member_typed(&self, conflict: &ConflictView, typed: &str) -> Result<Scalar, AgentError> {
        let document = self.home.store.document(&conflict.id)?;
        let fields = document
            .map(|document| document.fields())
            .unwrap_or_default();
        let read = household::read(conflict.id, &fields);
        let fits = |member: &&household::Member| member.name == typed.trim() || member.id == typed;
        let mut fitting = read.members.iter().filter(fits);
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => Ok(only.id.as_str().into()),
            _ => Err(AgentError::BadValue {
                field: "head",
                value: typed.to_owned(),
                expected: "the name of a member",
            }),
        }
    }
}

/// Fields that are never empty.
const MUST_SAY: [&str; 9] = [
    "area",
    "residence",
    "tag",
    "on",
    "at",
    "text",
    "subject",
    "kind",
    "category",
];

/// Returns what an emptied field holds: an empty text where it holds text, else nothing.
fn emptied(conflict: &ConflictView) -> Scalar {
    let is_text = |value: &serde_json::Value| value.is_string();
    if conflict
        .versions
        .iter()
        .any(|version| is_text(&version.value))
    {
        Scalar::from("")
    } else {
        Scalar::Null
    }
}

fn area(typed: &str, is_grid: bool) -> Result<Scalar, AgentError> {
    let code = AreaCode::parse(typed).ok();
    let code = code.filter(|code| !is_grid || code.level() == Level::Grid);
    let expected = if is_grid {
        "the code of a grid, 15 digits"
    } else {
        "an area's code of 6, 9, 12 or 15 digits"
    };
    code.map(|code| code.as_str().into())
        .ok_or_else(|| AgentError::BadValue {
            field: "area",
            value: typed.to_owned(),
            expected,
        })
}

fn limited(field: &'static str, text: &str, limit: usize) -> Result<Scalar, TooLong> {
    at_most(field, text, limit).map(Scalar::from)
}

/// Returns a value of the kind that the field's values have.
fn like(conflict: &ConflictView, typed: &str, half: &str) -> Result<Scalar, AgentError> {
    let bad = |expected| AgentError::BadValue {
        field: "value",
        value: typed.to_owned(),
        expected,
    };
    let values = || conflict.versions.iter().map(|version| &version.value);
    let is_day = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok();
    if values().any(serde_json::Value::is_number) {
        let number = half.parse::<i64>().map_err(|_| bad("a whole number"))?;
        return Ok(Scalar::Int(number));
    }
    if values().any(serde_json::Value::is_boolean) {
        return match half {
            "true" | "yes" | "是" => Ok(Scalar::Bool(true)),
            "false" | "no" | "否" => Ok(Scalar::Bool(false)),
            _ => Err(bad("true or false")),
        };
    }
    if values().any(|value| value.as_str().is_some_and(is_day)) {
        return Ok(date("on", typed)?.to_string().into());
    }
    Ok(limited("value", typed, NOTE_CHARS_MAX)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

    use super::*;
    use crate::Machine;
    use crate::conflicts::VersionView;
    use crate::replica::WrittenBy;
    use serde_json::{Value, json};
    use wangge_wire::DocId;

    fn conflict(kind: &'static str, field: &str, shown: Value) -> ConflictView {
        let by = WrittenBy {
            name: String::new(),
            device: None,
            here: true,
        };
        let version = VersionView {
            value: shown,
            by,
            at_ms: 0,
            shown: true,
        };
        ConflictView {
            number: 1,
            id: DocId([1; 16]),
            kind,
            title: String::new(),
            field: field.to_owned(),
            of: String::new(),
            versions: vec![version],
            late: Vec::new(),
        }
    }

    #[test]
    fn every_field_takes_what_it_takes_elsewhere_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let replica = Replica::init(dir.path(), "李梅", Vec::new(), Machine::default()).unwrap();
        let (long, grid) = ("长".repeat(2_001), "511724103202001");
        let cases: [(&str, &str, Value, &str, Scalar, &str); 19] = [
            (
                "household",
                "phone",
                json!("1"),
                "１３８０００００００１",
                "13800000001".into(),
                "12",
            ),
            (
                "household",
                "area",
                json!(grid),
                grid,
                grid.into(),
                "511724103",
            ),
            (
                "household",
                "residence",
                json!("away"),
                "空房",
                "empty".into(),
                "村口",
            ),
            ("household", "group", json!(3), "4", 4i64.into(), "四组"),
            ("household", "note", json!("a"), "b", "b".into(), &long),
            (
                "household",
                "members/a/sex",
                json!(1),
                "女",
                2i64.into(),
                "x",
            ),
            (
                "household",
                "members/a/birth",
                json!("1960"),
                "1967-09",
                "1967-09".into(),
                "1967-13",
            ),
            (
                "household",
                "members/a/relation",
                json!("02"),
                "配偶",
                "10".into(),
                "邻居家的",
            ),
            (
                "household",
                "members/a/away",
                json!(true),
                "否",
                false.into(),
                "也许",
            ),
            (
                "household",
                "care/a.b/since",
                json!("2026-01-01"),
                "2026-02-01",
                "2026-02-01".into(),
                "去年",
            ),
            (
                "visit_book",
                "visits/a/on",
                json!("2026-01-01"),
                "2026-02-28",
                "2026-02-28".into(),
                "2026-02-30",
            ),
            (
                "visit_book",
                "visits/a/mode",
                json!("door"),
                "电话",
                "phone".into(),
                "托梦",
            ),
            (
                "visit_book",
                "visits/a/met",
                json!("person"),
                "家属",
                "family".into(),
                "鬼",
            ),
            (
                "visit_book",
                "visits/a/same",
                json!(false),
                "是",
                true.into(),
                "2",
            ),
            ("report", "urgency", json!("P2"), "p0", "P0".into(), "P9"),
            (
                "report",
                "identity",
                json!("named"),
                "匿名",
                "anonymous".into(),
                "x",
            ),
            (
                "report",
                "category",
                json!("Z99"),
                "d05",
                "D05".into(),
                "没有这类",
            ),
            (
                "ticket",
                "kind",
                json!("help"),
                "咨询",
                "inquiry".into(),
                "x",
            ),
            (
                "ticket",
                "subject",
                json!("a"),
                "修路灯",
                "修路灯".into(),
                " ",
            ),
        ];
        for (kind, field, shown, good, stored, wrong) in cases {
            let conflict = conflict(kind, field, shown);
            assert_eq!(replica.typed(&conflict, good).unwrap(), stored, "{field}");
            assert!(replica.typed(&conflict, wrong).is_err(), "{field} {wrong}");
        }
        let note = conflict("household", "note", json!("a"));
        assert_eq!(replica.typed(&note, "").unwrap(), "".into());
    }
}
