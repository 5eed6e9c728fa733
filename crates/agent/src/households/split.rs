//! Splitting a household 分户: some of its people become a household of their own.
//!
//! **The new household is written before the old one says that they left**; visits, reports and
//! tickets stay with the old one, which is where they happened.

use serde::Serialize;
use wangge_crdt::Put;
use wangge_model::door::Door;
use wangge_model::household::alias;
use wangge_model::household::{self, Left, Member, NewHousehold, NewMember, copy_puts, leave_puts};
use wangge_model::limits::{LINE_CHARS_MAX, MEMBERS_MAX, TooLong, at_most};
use wangge_store::Draft;
use wangge_wire::DocId;

use super::draft;
use super::input::{bad, phone};
use crate::error::AgentError;
use crate::replica::Replica;

/// How a household is split.
#[derive(Debug, Clone, Default)]
pub struct Split {
    /// Who goes: ids, names or places in the list.
    pub members: Vec<String>,
    /// The new household's head, one of them; the first if it is not said.
    pub head: Option<String>,
    /// Its door, also with the group.
    pub door: Option<String>,
    /// Its telephone.
    pub phone: Option<String>,
    /// The day; today if it is not said.
    pub on: Option<String>,
}

/// What a split made.
#[derive(Debug, Clone, Serialize)]
pub struct SplitDone {
    /// The new household.
    pub id: DocId,
    /// Whether it was not on this device before.
    pub created: bool,
    /// The household they came from.
    pub from: DocId,
    /// Who went, by member id, the head first.
    pub members: Vec<String>,
}

impl Replica {
    /// Splits some members off into a household of their own, in the same grid; one action.
    pub fn split_household(&mut self, id: &DocId, how: Split) -> Result<SplitDone, AgentError> {
        let on = self.past_day("on", how.on.as_deref())?;
        let (old, fields) = self.read_household(id)?;
        let area = old
            .area
            .clone()
            .ok_or_else(|| bad("area", "", "a code of 15 digits"))?;
        let mut going: Vec<Member> = Vec::new();
        for typed in &how.members {
            let member = self.name_member(&old, typed)?;
            if !going.iter().any(|known| known.id == member.id) {
                going.push(member.clone());
            }
        }
        let stays = |member: &&Member| !going.iter().any(|gone| gone.id == member.id);
        let somebody_stays = old.present().any(|member| stays(&member));
        if going.is_empty() || going.iter().any(|m| m.left.is_some()) || !somebody_stays {
            let expected = "some of those who live here, not all of them";
            return Err(bad("members", &how.members.join(","), expected));
        }
        if let Some(typed) = &how.head {
            let head = self.name_member(&old, typed)?.id.clone();
            let at = going.iter().position(|member| member.id == head);
            let at = at.ok_or_else(|| bad("head", typed, "one of those who go"))?;
            going.swap(0, at);
        }
        let mut door = Door::parse(how.door.as_deref().unwrap_or_default(), "");
        at_most("door", &door.number, LINE_CHARS_MAX)?;
        door.group = door.group.or(old.door.group);
        let number = phone("phone", how.phone.as_deref().unwrap_or_default())?;
        let new = NewHousehold {
            area,
            door,
            number: None,
            phone: number,
            residence: None,
            note: String::new(),
            arrangement: String::new(),
            contacts: Vec::new(),
            members: going.iter().map(NewMember::like).collect(),
        };
        let derived = household::derived_id(&new, 0).filter(|derived| derived != id);
        let to = derived.map_or_else(|| self.new_doc(), Ok)?;
        self.write_split(&old.id, &fields, &to, new, &going, &on)
    }

    fn write_split(
        &mut self,
        from: &DocId,
        fields: &wangge_crdt::Fields,
        to: &DocId,
        new: NewHousehold,
        going: &[Member],
        on: &str,
    ) -> Result<SplitDone, AgentError> {
        // A household at that door with that head may be here: then they move in.
        let known = match self.home.store.kind_of(to)? {
            Some(_) => Some(self.read_household(to)?.0),
            None => None,
        };
        let there = known.as_ref().map_or(0, |known| known.members.len());
        if there + going.len() > MEMBERS_MAX {
            return Err(AgentError::TooLong(TooLong {
                field: "members",
                limit: MEMBERS_MAX,
            }));
        }
        let place = known.is_none().then(|| self.place(*to, new.area.clone()));
        let nobody = NewHousehold {
            members: Vec::new(),
            ..new
        };
        let mut puts = household::puts(&nobody, &[], &self.home.id_key);
        let mut leave = Vec::new();
        for (at, member) in going.iter().enumerate() {
            let is_head = at == 0 && there == 0;
            if is_head {
                puts.push(Put::root("head", member.id.as_str()));
            }
            let relation = is_head.then_some(wangge_model::relation::HEAD);
            puts.extend(copy_puts(&member.id, fields, from, relation));
            leave.extend(leave_puts(&member.id, Left::Split, on, Some(to)));
        }
        // Whoever divides a family says that these are two: what they share offers no merge of them.
        puts.push(alias::distinct(from, true));
        leave.push(alias::distinct(to, true));
        let added = Draft {
            place,
            ..draft(*to, puts)
        };
        self.record(&[added, draft(*from, leave)])?;
        Ok(SplitDone {
            id: *to,
            created: known.is_none(),
            from: *from,
            members: going.iter().map(|member| member.id.clone()).collect(),
        })
    }
}
