//! Households at a device: add, edit, list, find, show.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wangge_crdt::Put;
use wangge_model::care::Care;
use wangge_model::door::Door;
use wangge_model::find::Query;
use wangge_model::household::{self, Household, NewHousehold, NewMember, Residence};
use wangge_model::id_number::IdNumber;
use wangge_model::limits::{LINE_CHARS_MAX, NOTE_CHARS_MAX, at_most};
use wangge_model::phone::Phone;
use wangge_model::{kind, relation, text};
use wangge_store::{Draft, HouseholdRow};
use wangge_wire::{AreaCode, DocId};

use crate::alias::{FamilyView, OtherValue};
use crate::bulk::{BulkReport, Line};
use crate::conflicts::ConflictView;
use crate::error::AgentError;
use crate::replica::Replica;
use crate::visits::VisitView;

/// Visits shown with a household.
const VISITS_SHOWN: usize = 10;

/// A household as it is typed or stands in a JSON line.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HouseholdInput {
    /// The grid; the home's only one if it has one.
    pub area: Option<String>,
    /// 组: `3`, `三组`.
    pub group: Option<String>,
    /// 门牌: `12`, `3组12号`.
    pub door: String,
    /// 户编号.
    pub number: Option<String>,
    /// Eleven digits, or a landline.
    pub phone: Option<String>,
    /// `resident away empty moved_out`.
    pub residence: Option<String>,
    /// Remarks.
    pub note: String,
    /// 上门约定.
    pub arrangement: String,
    /// The head first.
    pub members: Vec<MemberInput>,
}

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

/// What is to change in a household; none leaves it, an empty text empties it.
#[derive(Debug, Clone, Default)]
pub struct HouseholdEdit {
    /// The household's telephone.
    pub phone: Option<String>,
    /// `resident away empty moved_out`.
    pub residence: Option<String>,
    /// 门牌, also with the group.
    pub door: Option<String>,
    /// 户编号.
    pub number: Option<String>,
    /// Remarks.
    pub note: Option<String>,
    /// 上门约定.
    pub arrangement: Option<String>,
}

/// A household that was added, or was there.
#[derive(Debug, Clone, Serialize)]
pub struct Added {
    /// The document.
    pub id: DocId,
    /// Whether it is new on this device.
    pub created: bool,
    /// Whether anything was written.
    #[serde(skip)]
    pub changed: bool,
}

/// A household as it is shown.
#[derive(Debug, Clone, Serialize)]
pub struct HouseholdView {
    /// The household.
    #[serde(flatten)]
    pub household: Household,
    /// 3-12.
    pub door_short: String,
    /// The last day on which a visit found everything as it was (无变化); none for never.
    pub confirmed_on: Option<String>,
    /// The latest visits.
    pub visits: Vec<VisitView>,
    /// Fields with more than one value.
    pub conflicts: Vec<ConflictView>,
    /// Households this one stands for since they were merged.
    pub also: Vec<DocId>,
    /// What those say otherwise.
    pub other_values: Vec<OtherValue>,
    /// Members who are the same person in one of those, by the member that is shown.
    pub same_as: BTreeMap<String, Vec<String>>,
}

impl Replica {
    /// Adds a household. One that is there already, by door and head, is brought up to what is said.
    pub fn add_household(&mut self, input: HouseholdInput) -> Result<Added, AgentError> {
        let new = self.new_household(input)?;
        household::check(&new)?;
        let derived = match household::derived_id(&new, 0) {
            Some(id) => id,
            None => self.new_doc()?,
        };
        let id = self.home.store.survivor(&derived)?;
        let members = self.known_members(&id, &derived, &new)?;
        let mut puts = household::puts(&new, &members, &self.home.id_key);
        if id != derived {
            // The alias's address is how it was named, not where the family lives now.
            puts.retain(|put| !matches!(put.key.as_str(), "group" | "door" | "head"));
        }
        let place = self
            .home
            .store
            .kind_of(&id)?
            .is_none()
            .then(|| self.place(id, new.area.clone()));
        let draft = Draft {
            doc: id,
            kind: kind::HOUSEHOLD,
            owner: None,
            puts,
            place,
            urgent: false,
        };
        let recorded = self.record(&[draft])?;
        Ok(Added {
            id,
            created: recorded.iter().any(|recorded| recorded.begun),
            changed: recorded.iter().any(|recorded| recorded.change.is_some()),
        })
    }

    /// Adds households from JSON lines.
    pub fn bulk_households(&mut self, text: &str) -> Result<BulkReport, AgentError> {
        self.bulk(text, |replica, input: HouseholdInput| {
            let added = replica.add_household(input)?;
            Ok(Line {
                id: added.id.to_string(),
                changed: added.changed,
            })
        })
    }

    /// Changes fields of a household; false if all of it stood already.
    pub fn edit_household(&mut self, id: &DocId, edit: HouseholdEdit) -> Result<bool, AgentError> {
        let id = &self.home.store.survivor(id)?;
        let mut puts = Vec::new();
        let text = |puts: &mut Vec<Put>, key: &'static str, value: Option<String>, limit| {
            if let Some(value) = value {
                at_most(key, &value, limit)?;
                puts.push(Put::root(key, value));
            }
            Ok::<_, AgentError>(())
        };
        if let Some(typed) = edit.phone {
            puts.push(Put::root(
                "phone",
                phone("phone", &typed)?.unwrap_or_default(),
            ));
        }
        if let Some(word) = edit.residence {
            puts.push(Put::root("residence", residence(&word)?.code()));
        }
        if let Some(typed) = edit.door {
            let door = Door::parse(&typed, "");
            at_most("door", &door.number, LINE_CHARS_MAX)?;
            puts.extend(door.group.map(|group| Put::root("group", i64::from(group))));
            puts.push(Put::root("door", door.number));
        }
        text(&mut puts, "number", edit.number, LINE_CHARS_MAX)?;
        text(&mut puts, "note", edit.note, NOTE_CHARS_MAX)?;
        text(&mut puts, "arrangement", edit.arrangement, NOTE_CHARS_MAX)?;
        let draft = Draft {
            doc: *id,
            kind: kind::HOUSEHOLD,
            owner: None,
            puts,
            place: None,
            urgent: false,
        };
        let recorded = self.record(&[draft])?;
        Ok(recorded.iter().any(|recorded| recorded.change.is_some()))
    }

    /// Returns households under an area, by group and door.
    pub fn households(
        &self,
        area: Option<&AreaCode>,
        limit: usize,
        offset: usize,
    ) -> Result<Vec<HouseholdRow>, AgentError> {
        Ok(self.home.store.households(area, limit, offset)?)
    }

    /// Returns what a search finds, best first; a village group is listed whole, by door.
    pub fn find(&self, typed: &str, limit: usize) -> Result<Vec<HouseholdRow>, AgentError> {
        let query = Query::parse(typed);
        let mut found = match query.group() {
            Some(group) => self.home.store.households_of_group(group)?,
            None => Vec::new(),
        };
        for row in self.search(&query, limit)? {
            if found.len() < limit && !found.contains(&row) {
                found.push(row);
            }
        }
        Ok(found)
    }

    /// Returns a household with its latest visits and its conflicts.
    pub fn household(&self, id: &DocId) -> Result<HouseholdView, AgentError> {
        let missing = || AgentError::NotFound {
            name: id.to_string(),
        };
        let id = &self.home.store.survivor(id)?;
        let document = self.home.store.document(id)?.ok_or_else(missing)?;
        let family = if self.home.store.aliases(id)?.is_empty() {
            FamilyView::of(document.fields())
        } else {
            self.family_of(id)?
        };
        let mut household = household::read(*id, &family.fields);
        household.area = self.home.store.home(id)?.or(household.area);
        let conflicts = self
            .conflicts()?
            .into_iter()
            .filter(|conflict| conflict.id == *id || family.also.contains(&conflict.id))
            .collect();
        Ok(HouseholdView {
            door_short: household.door.short(),
            confirmed_on: self.home.store.confirmed_on(id)?,
            visits: self.visits(Some(id), VISITS_SHOWN)?,
            conflicts,
            household,
            also: family.also,
            other_values: family.other_values,
            same_as: family.same_as,
        })
    }

    /// Returns an id for each member: what is derived, or in a merged family the member that is shown.
    fn known_members(
        &self,
        id: &DocId,
        derived: &DocId,
        new: &NewHousehold,
    ) -> Result<Vec<String>, AgentError> {
        let mut members = member_ids(derived, new);
        if id != derived {
            let same = self.home.store.family(id)?.united.same;
            for member in &mut members {
                if let Some(shown) = same.get(member) {
                    member.clone_from(shown);
                }
            }
        }
        Ok(members)
    }

    fn new_household(&self, input: HouseholdInput) -> Result<NewHousehold, AgentError> {
        let members = input
            .members
            .into_iter()
            .map(new_member)
            .collect::<Result<Vec<_>, _>>()?;
        Ok(NewHousehold {
            area: self.grid(input.area.as_deref())?,
            door: Door::parse(&input.door, input.group.as_deref().unwrap_or_default()),
            number: input.number,
            phone: input
                .phone
                .as_deref()
                .map(|typed| phone("phone", typed))
                .transpose()?
                .flatten(),
            residence: input.residence.as_deref().map(residence).transpose()?,
            note: input.note,
            arrangement: input.arrangement,
            members,
        })
    }

    /// Returns the grid that was named, or the only one of this home; it must be one of this home's.
    pub(crate) fn grid(&self, typed: Option<&str>) -> Result<AreaCode, AgentError> {
        let bad = |value: &str, expected| AgentError::BadValue {
            field: "area",
            value: value.to_owned(),
            expected,
        };
        let code = match typed {
            Some(typed) => AreaCode::parse(&text::half_width(typed.trim()))
                .map_err(|_| bad(typed, "a code of 15 digits"))?,
            None => self
                .usual_area()
                .ok_or_else(|| bad("", "the code of a grid"))?,
        };
        if code.level() != wangge_wire::Level::Grid {
            return Err(bad(code.as_str(), "the code of a grid, 15 digits"));
        }
        if !self.areas().iter().any(|area| area.covers(&code)) {
            return Err(AgentError::NotYourArea {
                area: code.to_string(),
            });
        }
        Ok(code)
    }
}

/// Returns the ids of a new household's members; people of one name and month are told apart by order.
pub(crate) fn member_ids(household: &DocId, new: &NewHousehold) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for member in &new.members {
        let fresh = (0..).map(|twin| household::member_id(household, member, twin));
        ids.extend(fresh.into_iter().find(|id| !ids.contains(id)));
    }
    ids
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

fn residence(word: &str) -> Result<Residence, AgentError> {
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

fn new_member(input: MemberInput) -> Result<NewMember, AgentError> {
    let bad = |field, value: &str, expected| AgentError::BadValue {
        field,
        value: value.to_owned(),
        expected,
    };
    let number = match input
        .id_number
        .as_deref()
        .filter(|typed| !typed.trim().is_empty())
    {
        // The number itself is not repeated: an error may be printed or kept.
        Some(typed) => Some(
            IdNumber::parse(typed)
                .map_err(|_| bad("id_number", "", "18 digits with a right check digit"))?,
        ),
        None => None,
    };
    let relation = match input
        .relation
        .as_deref()
        .filter(|typed| !typed.trim().is_empty())
    {
        Some(typed) => Some(
            relation::code_of(typed)
                .map_err(|_| bad("relation", typed, "a relation of GB/T 4761"))?
                .to_owned(),
        ),
        None => None,
    };
    let sex = match input.sex.as_deref().map(str::trim) {
        None | Some("") => None,
        Some("男" | "1") => Some(1),
        Some("女" | "2") => Some(2),
        Some("0" | "未知") => Some(0),
        Some("9") => Some(9),
        Some(other) => return Err(bad("sex", other, "1, 2, 男 or 女")),
    };
    let birth = match input
        .birth
        .as_deref()
        .map(str::trim)
        .filter(|typed| !typed.is_empty())
    {
        Some(typed) => Some(birth(typed).ok_or_else(|| bad("birth", typed, "1967-09 or 1967"))?),
        None => None,
    };
    let care = input
        .care
        .iter()
        .map(|word| {
            let known = Care::named(word).or_else(|| word.parse().ok());
            known.ok_or_else(|| bad("care", word, "a care tag"))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let from_number = number
        .as_ref()
        .map(|number| (number.birth_year(), number.birth_month()));
    Ok(NewMember {
        name: text::person_name(&input.name),
        sex: sex.or(number.as_ref().map(IdNumber::sex)),
        birth: from_number.or(birth),
        relation,
        phone: input
            .phone
            .as_deref()
            .map(|typed| phone("phone", typed))
            .transpose()?
            .flatten(),
        id_number: number,
        care,
        away: input.away,
        note: input.note,
    })
}

/// Returns the year and month of `1967-09`; the month is 0 in `1967`.
fn birth(typed: &str) -> Option<(u16, u8)> {
    let (year, month) = typed.split_once('-').unwrap_or((typed, "0"));
    let (year, month): (u16, u8) = (year.parse().ok()?, month.parse().ok()?);
    let fits = (1880..=2200).contains(&year) && month <= 12;
    fits.then_some((year, month))
}
