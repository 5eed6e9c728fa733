//! What the people of a household need, and on what grounds what is kept about them is kept.
//!
//! A need that is met and a consent that is withdrawn keep their entry with the day. **Consent for a
//! child under 14 is a guardian's to give** (个人信息保护法 31).

use std::collections::BTreeMap;

use serde::Serialize;
use wangge_crdt::{Fields, Put, Scalar};

use super::Household;
use crate::limits::{LINE_CHARS_MAX, NOTE_CHARS_MAX, TooLong, at_most};

const NEEDS: &str = "needs";
const CONSENT: &str = "consent";

/// Below this age a guardian consents.
const GUARDIAN_UNDER_YEARS: u16 = 14;

/// Something the people of a household need.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Need {
    /// 16 hex digits.
    pub id: String,
    /// What, at most 2,000 characters.
    pub text: String,
    /// A word of the worker's own to sort it by; empty where none was said.
    pub kind: String,
    /// Since when, `2026-11-23`.
    pub since: Option<String>,
    /// The day it was met.
    pub done: Option<String>,
}

/// On what grounds something is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Basis {
    /// 同意: the person agreed.
    #[default]
    Consent,
    /// 法定职责: a duty the law gives.
    Duty,
    /// 紧急情况: to protect life or health.
    Emergency,
}

/// How somebody agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum How {
    /// 口头.
    #[default]
    Spoken,
    /// 书面.
    Written,
    /// 电话.
    Phone,
}

/// One ground, with the text it was given for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Consent {
    /// 16 hex digits.
    pub id: String,
    /// What for.
    pub purpose: String,
    /// `consent duty emergency`, as code.
    pub basis: String,
    /// Which version of the text was read out or signed.
    pub version: String,
    /// `spoken written phone`, as code.
    pub how: String,
    /// Whose it is, a member's id; the household's as a whole where it is not said.
    pub member: Option<String>,
    /// Who consented for a child: a member's id, or a name.
    pub guardian: Option<String>,
    /// The day, `2026-11-23`.
    pub at: String,
    /// The day it was withdrawn.
    pub withdrawn: Option<String>,
}

impl Basis {
    /// Every basis, with its code and its word.
    pub const ALL: [(Basis, &'static str, &'static str); 3] = [
        (Basis::Consent, "consent", "同意"),
        (Basis::Duty, "duty", "法定职责"),
        (Basis::Emergency, "emergency", "紧急情况"),
    ];

    /// Returns the basis as documents and JSON have it.
    pub fn code(self) -> &'static str {
        let known = Self::ALL.iter().find(|(basis, ..)| *basis == self);
        known.map_or("", |(_, code, _)| code)
    }

    /// Returns the basis with this code or word.
    pub fn of(word: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        all.find(|(_, code, han)| *code == word || *han == word)
            .map(|(basis, ..)| *basis)
    }
}

impl How {
    /// Every way, with its code and its word.
    pub const ALL: [(How, &'static str, &'static str); 3] = [
        (How::Spoken, "spoken", "口头"),
        (How::Written, "written", "书面"),
        (How::Phone, "phone", "电话"),
    ];

    /// Returns the way as documents and JSON have it.
    pub fn code(self) -> &'static str {
        let known = Self::ALL.iter().find(|(how, ..)| *how == self);
        known.map_or("", |(_, code, _)| code)
    }

    /// Returns the way with this code or word.
    pub fn of(word: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        all.find(|(_, code, han)| *code == word || *han == word)
            .map(|(how, ..)| *how)
    }
}

impl Need {
    /// Returns the writes that record it, or an error if something is past its limit.
    pub fn puts(&self) -> Result<Vec<Put>, TooLong> {
        at_most("text", &self.text, NOTE_CHARS_MAX)?;
        at_most("kind", &self.kind, LINE_CHARS_MAX)?;
        let since = self.since.as_deref().unwrap_or_default();
        let said = [
            ("text", &*self.text),
            ("kind", &*self.kind),
            ("since", since),
        ];
        Ok(entry(NEEDS, &self.id, &said))
    }

    /// Returns the write that says that it was met.
    pub fn done_puts(id: &str, on: &str) -> Vec<Put> {
        vec![Put::entry(NEEDS, id, "done", on)]
    }
}

impl Consent {
    /// Returns the writes that record it, or an error if something is past its limit.
    pub fn puts(&self) -> Result<Vec<Put>, TooLong> {
        at_most("purpose", &self.purpose, LINE_CHARS_MAX)?;
        at_most("version", &self.version, LINE_CHARS_MAX)?;
        let (member, guardian) = (self.member.as_deref(), self.guardian.as_deref());
        at_most("guardian", guardian.unwrap_or_default(), LINE_CHARS_MAX)?;
        let said = [
            ("purpose", &*self.purpose),
            ("basis", &*self.basis),
            ("version", &*self.version),
            ("how", &*self.how),
            ("member", member.unwrap_or_default()),
            ("guardian", guardian.unwrap_or_default()),
            ("at", &*self.at),
        ];
        Ok(entry(CONSENT, &self.id, &said))
    }

    /// Returns the write that says that it was withdrawn.
    pub fn withdraw_puts(id: &str, on: &str) -> Vec<Put> {
        vec![Put::entry(CONSENT, id, "withdrawn", on)]
    }

    /// Says whether it needs a guardian whom it does not name, or names one who is a child.
    pub fn lacks_guardian(&self, household: &Household) -> bool {
        let child = self.member.as_deref().and_then(|id| household.member(id));
        let is_child = child.and_then(|child| child.is_under(GUARDIAN_UNDER_YEARS, &self.at));
        if self.basis != Basis::Consent.code() || is_child != Some(true) {
            return false;
        }
        let Some(guardian) = self.guardian.as_deref().filter(|name| !name.is_empty()) else {
            return true;
        };
        let known = household.member(guardian);
        known.and_then(|known| known.is_under(18, &self.at)) == Some(true)
    }
}

/// Returns the needs, oldest first.
pub(super) fn needs(fields: &Fields) -> Vec<Need> {
    let read = |(id, fields): (&str, BTreeMap<&str, &Scalar>)| Need {
        id: id.to_owned(),
        text: text(&fields, "text").unwrap_or_default(),
        kind: text(&fields, "kind").unwrap_or_default(),
        since: text(&fields, "since"),
        done: text(&fields, "done"),
    };
    let mut needs: Vec<Need> = fields.entries(NEEDS).into_iter().map(read).collect();
    needs.sort_by(|a, b| (&a.since, &a.id).cmp(&(&b.since, &b.id)));
    needs
}

/// Returns the grounds, oldest first.
pub(super) fn consent(fields: &Fields) -> Vec<Consent> {
    let read = |(id, fields): (&str, BTreeMap<&str, &Scalar>)| Consent {
        id: id.to_owned(),
        purpose: text(&fields, "purpose").unwrap_or_default(),
        basis: text(&fields, "basis").unwrap_or_default(),
        version: text(&fields, "version").unwrap_or_default(),
        how: text(&fields, "how").unwrap_or_default(),
        member: text(&fields, "member"),
        guardian: text(&fields, "guardian"),
        at: text(&fields, "at").unwrap_or_default(),
        withdrawn: text(&fields, "withdrawn"),
    };
    let mut consent: Vec<Consent> = fields.entries(CONSENT).into_iter().map(read).collect();
    consent.sort_by(|a, b| (&a.at, &a.id).cmp(&(&b.at, &b.id)));
    consent
}

fn entry(container: &'static str, id: &str, said: &[(&str, &str)]) -> Vec<Put> {
    let said = said.iter().filter(|(_, text)| !text.is_empty());
    said.map(|(field, text)| Put::entry(container, id, field, *text))
        .collect()
}

fn text(fields: &BTreeMap<&str, &Scalar>, key: &str) -> Option<String> {
    let text = fields.get(key).and_then(|value| value.as_text());
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}
