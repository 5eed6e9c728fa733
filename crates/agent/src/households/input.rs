//! What is typed of a household's people, made into what documents hold.
//!
//! **An id number is never repeated**, not even in the error that refuses it.

use chrono::NaiveDate;
use serde::Deserialize;
use wangge_crdt::Scalar;
use wangge_model::care::Care;
use wangge_model::household::{NewMember, Residence};
use wangge_model::id_number::IdNumber;
use wangge_model::limits::{LINE_CHARS_MAX, NOTE_CHARS_MAX, at_most};
use wangge_model::phone::Phone;
use wangge_model::{relation, text};

use crate::error::AgentError;
use crate::replica::Replica;

/// A member as typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MemberInput {
    /// As spoken.
    pub name: String,
    /// A word or code of GB/T 4761.
    pub relation: Option<String>,
    /// `1` or `男`, `2` or `女`.
    pub sex: Option<String>,
    /// `1967-09` or `1967`.
    pub birth: Option<String>,
    /// 18 digits; checked, hashed and forgotten.
    pub id_number: Option<String>,
    /// Eleven digits, or a landline.
    pub phone: Option<String>,
    /// Care tags, codes or Chinese words.
    pub care: Vec<String>,
    /// 外出务工.
    pub away: bool,
    /// Remarks.
    pub note: String,
}

/// A further telephone as typed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContactInput {
    /// Eleven digits, or a landline.
    pub phone: String,
    /// Whose it is.
    pub whose: String,
}

/// What is to change in a member; none leaves it, an empty text empties it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberEdit {
    /// As spoken.
    pub name: Option<String>,
    /// A word or code of GB/T 4761.
    pub relation: Option<String>,
    /// `1` or `男`, `2` or `女`.
    pub sex: Option<String>,
    /// `1967-09` or `1967`.
    pub birth: Option<String>,
    /// 18 digits; checked, hashed and forgotten. It decides sex and birth.
    pub id_number: Option<String>,
    /// Eleven digits, or a landline.
    pub phone: Option<String>,
    /// 外出务工.
    pub away: Option<bool>,
    /// Remarks.
    pub note: Option<String>,
}

/// Returns the normalised phone, none where the text means there is none.
pub(crate) fn phone(field: &'static str, typed: &str) -> Result<Option<String>, AgentError> {
    match Phone::parse(typed) {
        Ok(phone) => Ok(phone.map(|phone| phone.as_str().to_owned())),
        Err(_) => Err(AgentError::BadValue {
            field,
            value: typed.to_owned(),
            expected: "11 digits beginning with 1, or a landline with its area code",
        }),
    }
}

pub(super) fn residence(word: &str) -> Result<Residence, AgentError> {
    let known = match word.trim() {
        "常住" => Some(Residence::Resident),
        "整户外出" | "外出" => Some(Residence::Away),
        "空房" => Some(Residence::Empty),
        "迁出" => Some(Residence::MovedOut),
        code => Residence::of(code),
    };
    known.ok_or_else(|| AgentError::BadValue {
        field: "residence",
        value: word.to_owned(),
        expected: "resident, away, empty or moved_out",
    })
}

pub(super) fn new_member(input: MemberInput) -> Result<NewMember, AgentError> {
    let said = |typed: &Option<String>| {
        let typed = typed.as_deref().map(str::trim);
        typed.filter(|typed| !typed.is_empty()).map(str::to_owned)
    };
    let number = said(&input.id_number)
        .as_deref()
        .map(id_number)
        .transpose()?;
    let birth = said(&input.birth).as_deref().map(birth).transpose()?;
    let sex = said(&input.sex).as_deref().map(sex).transpose()?;
    let from_number = number
        .as_ref()
        .map(|number| (number.birth_year(), number.birth_month()));
    Ok(NewMember {
        name: text::person_name(&input.name),
        sex: sex.or(number.as_ref().map(IdNumber::sex)),
        birth: from_number.or(birth),
        relation: said(&input.relation).as_deref().map(relation).transpose()?,
        phone: match input.phone {
            Some(typed) => phone("phone", &typed)?,
            None => None,
        },
        id_number: number,
        care: input
            .care
            .iter()
            .map(|word| care(word))
            .collect::<Result<_, _>>()?,
        away: input.away,
        note: input.note,
    })
}

impl MemberEdit {
    /// Returns the fields to write, with their values.
    pub(super) fn fields(self) -> Result<Vec<(&'static str, Scalar)>, AgentError> {
        let text = |text: String| match text.trim() {
            "" => Scalar::Null,
            _ => Scalar::Text(text),
        };
        let mut fields = Vec::new();
        if let Some(name) = self.name {
            at_most("name", &name, LINE_CHARS_MAX)?;
            fields.push(("name", text(text::person_name(&name))));
        }
        if let Some(typed) = self.relation {
            let code = match typed.trim() {
                "" => Scalar::Null,
                typed => relation(typed)?.into(),
            };
            fields.push(("relation", code));
        }
        if let Some(typed) = self.sex {
            let code = match typed.trim() {
                "" => Scalar::Null,
                typed => i64::from(sex(typed)?).into(),
            };
            fields.push(("sex", code));
        }
        if let Some(typed) = self.birth {
            let month = match typed.trim() {
                "" => Scalar::Null,
                typed => birth_text(birth(typed)?).into(),
            };
            fields.push(("birth", month));
        }
        if let Some(typed) = self.phone {
            let number = phone("phone", &typed)?;
            fields.push(("phone", number.map_or(Scalar::Null, Scalar::Text)));
        }
        if let Some(away) = self.away {
            fields.push(("away", away.into()));
            if !away {
                fields.push(("away_since", Scalar::Null));
            }
        }
        if let Some(note) = self.note {
            at_most("note", &note, NOTE_CHARS_MAX)?;
            fields.push(("note", text(note)));
        }
        Ok(fields)
    }
}

impl Replica {
    /// Returns a day that has been; today if none was typed.
    pub(super) fn past_day(
        &self,
        field: &'static str,
        typed: Option<&str>,
    ) -> Result<String, AgentError> {
        let today = self.today();
        let day: NaiveDate = match typed {
            Some(typed) => crate::visits::date(field, typed)?,
            None => today,
        };
        if day > today {
            return Err(AgentError::BadValue {
                field,
                value: day.to_string(),
                expected: "a day like 2026-11-23",
            });
        }
        Ok(day.to_string())
    }
}

/// Returns the place in a list, from 0, that a number from 1 names; longer numbers name something else.
pub(super) fn place_in_list(typed: &str) -> Option<usize> {
    let short = (1..=2).contains(&typed.len());
    short.then(|| typed.parse::<usize>().ok()?.checked_sub(1))?
}

pub(super) fn id_number(typed: &str) -> Result<IdNumber, AgentError> {
    // The number itself is not repeated: an error may be printed or kept.
    IdNumber::parse(typed).map_err(|_| bad("id_number", "", "18 digits with a right check digit"))
}

pub(super) fn relation(typed: &str) -> Result<String, AgentError> {
    let code = relation::code_of(typed);
    code.map(str::to_owned)
        .map_err(|_| bad("relation", typed, "a relation of GB/T 4761"))
}

pub(super) fn care(word: &str) -> Result<Care, AgentError> {
    let known = Care::named(word).or_else(|| word.parse().ok());
    known.ok_or_else(|| bad("care", word, "a care tag"))
}

fn sex(typed: &str) -> Result<u8, AgentError> {
    match typed {
        "男" | "1" => Ok(1),
        "女" | "2" => Ok(2),
        "0" | "未知" => Ok(0),
        "9" => Ok(9),
        other => Err(bad("sex", other, "1, 2, 男 or 女")),
    }
}

/// Returns the year and month of `1967-09`; the month is 0 in `1967`.
fn birth(typed: &str) -> Result<(u16, u8), AgentError> {
    let read = || {
        let (year, month) = typed.split_once('-').unwrap_or((typed, "0"));
        let (year, month): (u16, u8) = (year.parse().ok()?, month.parse().ok()?);
        let fits = (1880..=2200).contains(&year) && month <= 12;
        fits.then_some((year, month))
    };
    read().ok_or_else(|| bad("birth", typed, "1967-09 or 1967"))
}

pub(super) fn birth_text((year, month): (u16, u8)) -> String {
    match month {
        0 => format!("{year:04}"),
        month => format!("{year:04}-{month:02}"),
    }
}

pub(super) fn bad(field: &'static str, value: &str, expected: &'static str) -> AgentError {
    AgentError::BadValue {
        field,
        value: value.to_owned(),
        expected,
    }
}
