//! The members of a household: who they are, who lives there, who left and where to.
//!
//! **Nobody is deleted**: whoever left stays, with the reason and the day.

use std::collections::BTreeMap;

use serde::Serialize;
use wangge_crdt::{Fields, Put, Scalar};
use wangge_wire::DocId;

use super::care::{self, CarePeriod};
use crate::care::Care;

pub(super) const MEMBERS: &str = "members";

/// Why a member no longer lives in a household.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Left {
    /// 去世.
    Died,
    /// 迁出.
    MovedOut,
    /// 婚嫁.
    Married,
    /// 分户: into a household of their own.
    Split,
    /// 误录: never belonged here.
    Mistake,
}

/// A member as the document has them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Member {
    /// 32 hex digits.
    pub id: String,
    /// As spoken; empty for a newborn without a name (未取名).
    pub name: String,
    /// GB/T 2261.1: 1 male, 2 female, 0 unknown, 9 not said.
    pub sex: Option<i64>,
    /// `1967-09`, or `1967` where the month is not known.
    pub birth: Option<String>,
    /// GB/T 4761-2008, two digits.
    pub relation: Option<String>,
    /// The member's own telephone.
    pub phone: Option<String>,
    /// 外出务工.
    pub away: bool,
    /// Since when they work away, `2026-11-23`, where it was said.
    pub away_since: Option<String>,
    /// 去世 迁出 婚嫁 分户 误录, as code; none while the member lives here.
    pub left: Option<String>,
    /// The day they left, `2026-11-23`.
    pub left_on: Option<String>,
    /// The household they went to, 32 hex digits; their life goes on there.
    pub moved_to: Option<String>,
    /// The household they came from, 32 hex digits.
    pub moved_from: Option<String>,
    /// The member's own remark.
    pub note: String,
    /// Whether an id number was checked (证件已核); the number itself is nowhere.
    pub id_checked: bool,
    /// Care tags in force.
    pub care: Vec<Care>,
    /// Every time of care, those ended included.
    pub care_periods: Vec<CarePeriod>,
}

impl Left {
    /// Every reason, with its code and its word.
    pub const ALL: [(Left, &'static str, &'static str); 5] = [
        (Left::Died, "died", "去世"),
        (Left::MovedOut, "moved_out", "迁出"),
        (Left::Married, "married", "婚嫁"),
        (Left::Split, "split", "分户"),
        (Left::Mistake, "mistake", "误录"),
    ];

    /// Returns the reason as documents and JSON have it.
    pub fn code(self) -> &'static str {
        let known = Self::ALL.iter().find(|(left, ..)| *left == self);
        known.map_or("", |(_, code, _)| code)
    }

    /// Returns the reason with this code or word.
    pub fn of(word: &str) -> Option<Self> {
        let known = Self::ALL
            .iter()
            .find(|(_, code, han)| *code == word || *han == word);
        known.map(|(left, ..)| *left)
    }
}

impl Member {
    /// Says whether the member is younger than `years` on a day; none where the birth is not known.
    ///
    /// The day of birth is never kept, so in the month (or, where only that is known, the year) of the
    /// birthday the member still counts as younger: a child is protected too long rather than too
    /// short.
    pub fn is_under(&self, years: u16, day: &str) -> Option<bool> {
        let birth = self.birth.as_deref()?;
        let (year, month) = birth.split_once('-').unwrap_or((birth, "12"));
        let turns = year.parse::<u16>().ok()?.checked_add(years)?;
        let until = format!("{turns:04}-{month}");
        let (on, _) = day.rsplit_once('-')?;
        Some(on <= until.as_str())
    }
}

/// Returns the writes that say that a member left; `to` is the household they went to.
pub fn leave_puts(member: &str, why: Left, on: &str, to: Option<&DocId>) -> Vec<Put> {
    let put = |field, value: Scalar| Put::entry(MEMBERS, member, field, value);
    let mut puts = vec![put("left", why.code().into()), put("left_on", on.into())];
    puts.extend(to.map(|to| put("moved_to", to.to_string().into())));
    puts
}

/// Returns the writes that say that a member lives here again.
///
/// Where they had gone to stays written: should they live there as well, both places show it.
pub fn return_puts(member: &str) -> Vec<Put> {
    ["left", "left_on"]
        .map(|field| Put::entry(MEMBERS, member, field, Scalar::Null))
        .into()
}

/// Returns every member ever: the head, those who live here, those who left.
pub(super) fn read(fields: &Fields) -> Vec<Member> {
    let mut care: BTreeMap<String, Vec<CarePeriod>> = care::read(fields);
    let head = fields.root_text("head");
    let mut members: Vec<Member> = fields
        .entries(MEMBERS)
        .into_iter()
        .map(|(id, fields)| {
            let text = |key: &str| fields.get(key).and_then(|value| value.as_text());
            let owned = |key: &str| text(key).map(str::to_owned).filter(|text| !text.is_empty());
            let care_periods = care.remove(id).unwrap_or_default();
            Member {
                id: id.to_owned(),
                name: owned("name").unwrap_or_default(),
                sex: fields.get("sex").and_then(|value| value.as_int()),
                birth: owned("birth"),
                relation: owned("relation"),
                phone: owned("phone"),
                away: fields
                    .get("away")
                    .and_then(|value| value.as_bool())
                    .unwrap_or(false),
                away_since: owned("away_since"),
                left: owned("left"),
                left_on: owned("left_on"),
                moved_to: owned("moved_to"),
                moved_from: owned("moved_from"),
                note: owned("note").unwrap_or_default(),
                id_checked: fields.keys().any(|key| key.starts_with("id_hash.")),
                care: care_periods
                    .iter()
                    .filter(|period| period.until.is_none())
                    .map(|period| period.tag)
                    .collect(),
                care_periods,
            }
        })
        .collect();
    members.sort_by(|a, b| {
        let order = |m: &Member| {
            (
                m.id != head,
                m.left.is_some(),
                m.relation.clone(),
                m.birth.clone(),
                m.id.clone(),
            )
        };
        order(a).cmp(&order(b))
    });
    members
}
