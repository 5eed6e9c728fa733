//! Care of a member: which tag, since and until when, how often.
//!
//! **Ending writes a day, nothing is taken away**; setting it again empties the end.

use std::collections::BTreeMap;

use serde::Serialize;
use wangge_crdt::{Fields, Put, Scalar};

use super::CARE;
use crate::care::{Care, Interval};

/// One tag of a member with its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CarePeriod {
    /// The tag.
    pub tag: Care,
    /// The first day, `2026-11-23`; none where nobody said.
    pub since: Option<String>,
    /// The day it ended; none while it is in force.
    pub until: Option<String>,
    /// How often, where it differs from what is usual for the tag.
    pub every: Option<Interval>,
}

impl CarePeriod {
    /// Says whether it is in force on a day; on the day it ends it is not.
    pub fn is_active(&self, day: &str) -> bool {
        self.since.as_deref().is_none_or(|since| since <= day)
            && self.until.as_deref().is_none_or(|until| day < until)
    }
}

/// Returns the writes that set a tag; what is not said of its time and interval stays.
pub fn care_set_puts(
    member: &str,
    tag: Care,
    since: Option<&str>,
    every: Option<Interval>,
) -> Vec<Put> {
    let put = |field, value: Scalar| entry(member, tag, field, value);
    let mut puts = vec![put("tag", tag.code().into()), put("until", Scalar::Null)];
    puts.extend(since.map(|since| put("since", since.into())));
    puts.extend(every.map(|every| put("every", every.code().into())));
    puts
}

/// Returns the write that ends a tag on a day.
pub fn care_end_puts(member: &str, tag: Care, on: &str) -> Vec<Put> {
    vec![entry(member, tag, "until", on.into())]
}

/// Returns the care of every member, by member and tag.
pub(super) fn read(fields: &Fields) -> BTreeMap<String, Vec<CarePeriod>> {
    let mut care: BTreeMap<String, Vec<CarePeriod>> = BTreeMap::new();
    for (entry, fields) in fields.entries(CARE) {
        let text = |key: &str| {
            let text = fields.get(key).and_then(|value| value.as_text());
            text.filter(|text| !text.is_empty())
        };
        let tag = text("tag").and_then(|tag| tag.parse().ok());
        if let (Some((member, _)), Some(tag)) = (entry.split_once('.'), tag) {
            care.entry(member.to_owned()).or_default().push(CarePeriod {
                tag,
                since: text("since").map(str::to_owned),
                until: text("until").map(str::to_owned),
                every: text("every").and_then(Interval::of),
            });
        }
    }
    care
}

fn entry(member: &str, tag: Care, field: &str, value: Scalar) -> Put {
    Put::entry(CARE, &format!("{member}.{}", tag.code()), field, value)
}
