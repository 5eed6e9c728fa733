//! Households at a device: add, edit, list, find; what happens to their people is below.
//!
//! **One action of the person is one transaction**, whether it writes to one household or to two.

mod care;
mod contacts;
mod input;
mod members;
mod moves;
mod needs;
mod residence;
mod split;
mod view;

use serde::{Deserialize, Serialize};
use wangge_crdt::{Fields, Put};
use wangge_model::door::Door;
use wangge_model::find::Query;
use wangge_model::household::{self, Household, NewHousehold};
use wangge_model::limits::{LINE_CHARS_MAX, NOTE_CHARS_MAX, at_most};
use wangge_model::{door, kind, text};
pub use wangge_store::HouseholdFilter;
use wangge_store::{Draft, HouseholdRow};
use wangge_wire::{AreaCode, DocId};

use crate::bulk::{BulkReport, Line};
use crate::error::{AgentError, Sought};
use crate::replica::Replica;

pub use care::CareTerms;
pub use contacts::ContactDone;
pub use input::{ContactInput, MemberEdit, MemberInput};
pub use members::MemberDone;
pub use moves::Move;
pub use needs::{ConsentInput, NeedInput};
pub use split::{Split, SplitDone};
pub use view::{Elsewhere, Flag, HouseholdView};

use input::{bad, new_member};
pub(crate) use input::{birth, birth_text, phone, residence, sex};
pub(crate) use view::visit_flags;

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
    /// Further telephones.
    pub contacts: Vec<ContactInput>,
    /// The head first.
    pub members: Vec<MemberInput>,
}

/// What is to change in a household; none leaves it, an empty text empties it.
#[derive(Debug, Clone, Default)]
pub struct HouseholdEdit {
    /// The household's telephone.
    pub phone: Option<String>,
    /// `resident away empty moved_out`.
    pub residence: Option<String>,
    /// 户主: a member who lives here, by id, name or place in the list.
    pub head: Option<String>,
    /// 组: `3`, `三组`.
    pub group: Option<String>,
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

impl Replica {
    /// Adds a household. One that is there already, by door and head, is brought up to what is said.
    pub fn add_household(&mut self, input: HouseholdInput) -> Result<Added, AgentError> {
        let new = self.new_household(input)?;
        household::check(&new)?;
        let nameless = new.members.first().is_none_or(|head| head.name.is_empty());
        if nameless && new.door.number.is_empty() {
            return Err(AgentError::BadValue {
                field: "name",
                value: String::new(),
                expected: "a head or a door: nobody could find it again",
            });
        }
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
        self.is_without_conflict(&id, &puts)?;
        let recorded = self.record(&[Draft {
            place,
            ..draft(id, puts)
        }])?;
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
        if let Some(typed) = edit.head {
            let (household, _) = self.read_household(id)?;
            let member = self.name_member(&household, &typed)?;
            if member.left.is_some() {
                return Err(bad("head", &typed, "a member who lives here"));
            }
            puts.push(Put::root("head", member.id.as_str()));
        }
        if let Some(typed) = edit.group {
            let group = door::group(&typed).ok_or_else(|| bad("group", &typed, "a number"))?;
            puts.push(Put::root("group", i64::from(group)));
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
        self.write_household(id, puts)
    }

    /// Returns households under an area, by group and door.
    pub fn households(
        &self,
        area: Option<&AreaCode>,
        limit: usize,
        offset: usize,
    ) -> Result<Vec<HouseholdRow>, AgentError> {
        let filter = HouseholdFilter {
            area: area.cloned(),
            ..HouseholdFilter::default()
        };
        self.households_where(&filter, limit, offset)
    }

    /// Returns how many households a filter lets through.
    pub fn count_households(&self, filter: &HouseholdFilter) -> Result<usize, AgentError> {
        Ok(self.home.store.count_households(filter)?)
    }

    /// Returns the households that a filter lets through, by group and door.
    pub fn households_where(
        &self,
        filter: &HouseholdFilter,
        limit: usize,
        offset: usize,
    ) -> Result<Vec<HouseholdRow>, AgentError> {
        Ok(self.home.store.households(filter, limit, offset)?)
    }

    /// Returns the filter that these words make; none and empty let everything through.
    pub fn household_filter(
        &self,
        area: Option<AreaCode>,
        group: Option<&str>,
        tag: Option<&str>,
        living: Option<&str>,
    ) -> Result<HouseholdFilter, AgentError> {
        let group =
            group.map(|typed| door::group(typed).ok_or_else(|| bad("group", typed, "a number")));
        Ok(HouseholdFilter {
            area,
            group: group.transpose()?,
            care: tag.map(input::care).transpose()?,
            residence: living.map(residence).transpose()?,
        })
    }

    /// Returns what a search finds, best first; a village group is listed whole, by door.
    pub fn find(&self, typed: &str, limit: usize) -> Result<Vec<HouseholdRow>, AgentError> {
        let query = Query::parse(typed);
        let mut found = match query.group() {
            Some(group) => {
                let filter = HouseholdFilter {
                    group: Some(group),
                    ..HouseholdFilter::default()
                };
                self.households_where(&filter, usize::MAX, 0)?
            }
            None => Vec::new(),
        };
        for row in self.search(&query, limit)? {
            if found.len() < limit && !found.contains(&row) {
                found.push(row);
            }
        }
        Ok(found)
    }

    /// Returns a household of this device and the registers it was read from: those of all documents
    /// of its family, and the id of the one that stands for them.
    pub(crate) fn read_household(&self, id: &DocId) -> Result<(Household, Fields), AgentError> {
        let store = &self.home.store;
        let family = store.family(id)?;
        let survivor = family.documents.keys().next();
        let survivor = *survivor.ok_or_else(|| AgentError::NotFound {
            what: Sought::Household,
            name: id.to_string(),
        })?;
        let fields = family.united.fields;
        let mut household = household::read(survivor, &fields);
        household.area = store.home(&survivor)?.or(household.area);
        Ok((household, fields))
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

    /// Returns an error where an edit would settle a conflict without a word: whoever changes a field
    /// sees one value of it, and the other would be gone.
    fn is_without_conflict(&self, id: &DocId, puts: &[Put]) -> Result<(), AgentError> {
        let document = self.home.store.document(id)?;
        let fields = document.map(|document| document.fields());
        let disputed = puts.iter().find(|put| {
            let register = fields
                .as_ref()
                .and_then(|fields| fields.get(put.container, &put.key));
            register.is_some_and(|register| !register.others.is_empty())
        });
        match disputed {
            Some(put) => Err(AgentError::InConflict {
                field: crate::conflicts::field_of(put.container, &put.key),
            }),
            None => Ok(()),
        }
    }

    /// Writes to one household; false if all of it stood already.
    fn write_household(&mut self, id: &DocId, puts: Vec<Put>) -> Result<bool, AgentError> {
        let id = self.home.store.survivor(id)?;
        self.is_without_conflict(&id, &puts)?;
        let recorded = self.record(&[draft(id, puts)])?;
        Ok(recorded.iter().any(|recorded| recorded.change.is_some()))
    }

    fn new_household(&self, input: HouseholdInput) -> Result<NewHousehold, AgentError> {
        let members = input
            .members
            .into_iter()
            .map(|member| {
                let new = new_member(member)?;
                self.born_by_now(new.birth)?;
                Ok(new)
            })
            .collect::<Result<Vec<_>, AgentError>>()?;
        let contact = |contact: ContactInput| {
            Ok::<_, AgentError>(phone("phone", &contact.phone)?.map(|phone| (phone, contact.whose)))
        };
        let contacts = input.contacts.into_iter().map(contact);
        let contacts: Vec<Option<(String, String)>> = contacts.collect::<Result<_, _>>()?;
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
            contacts: contacts.into_iter().flatten().collect(),
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

/// Returns the draft of writes to a household that is here.
pub(crate) fn draft(doc: DocId, puts: Vec<Put>) -> Draft {
    Draft {
        doc,
        kind: kind::HOUSEHOLD,
        owner: None,
        puts,
        place: None,
        urgent: false,
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
