//! The people of a household: in, changed, out, back.
//!
//! **A change to somebody who moved lands where they live now**, when that household is here.

use serde::Serialize;
use wangge_crdt::{Put, Scalar};
use wangge_model::find::Query;
use wangge_model::household::{self, Household, Left, Member, leave_puts, return_puts};
use wangge_model::id_number::IdNumber;
use wangge_model::limits::{LINE_CHARS_MAX, MEMBERS_MAX, NOTE_CHARS_MAX, TooLong, at_most};
use wangge_wire::DocId;

use super::input::{
    MemberEdit, MemberInput, bad, birth, birth_text, id_number, new_member, place_in_list, sex,
};
use super::moves::Move;
use crate::error::{AgentError, Sought};
use crate::replica::Replica;

const MEMBERS: &str = "members";
/// The fewest digits of a member's id that name them.
const PREFIX_DIGITS_MIN: usize = 4;

/// What became of a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MemberDone {
    /// The household the person lives in, or lived in last.
    pub household: DocId,
    /// The member, 32 hex digits.
    pub member: String,
    /// Whether anything was written.
    pub changed: bool,
}

impl Replica {
    /// Adds a member. Who is there already, by name, birth and relation, is brought up to what is
    /// said; who left comes back; `another` is a second person of whom the same is said: twins.
    pub fn add_member(
        &mut self,
        id: &DocId,
        input: MemberInput,
        another: bool,
    ) -> Result<MemberDone, AgentError> {
        let new = new_member(input)?;
        self.born_by_now(new.birth)?;
        at_most("name", &new.name, LINE_CHARS_MAX)?;
        at_most("note", &new.note, NOTE_CHARS_MAX)?;
        let (household, _) = self.read_household(id)?;
        let is_free = |member: &String| match household.member(member) {
            None => true,
            // Who has died does not come back: it is somebody of the same name.
            Some(known) => !another && known.left.as_deref() != Some(Left::Died.code()),
        };
        let fresh = (0..=household.members.len()).map(|twin| household::member_id(id, &new, twin));
        let member = fresh.into_iter().find(is_free).unwrap_or_default();
        let known = household.member(&member);
        if known.is_none() && household.members.len() >= MEMBERS_MAX {
            return Err(AgentError::TooLong(TooLong {
                field: "members",
                limit: MEMBERS_MAX,
            }));
        }
        let mut puts = household::member_puts(&new, &member, &self.home.id_key);
        if known.is_some_and(|known| known.left.is_some()) {
            puts.extend(return_puts(&member));
        }
        if household.members.is_empty() {
            puts.push(Put::root("head", member.as_str()));
        }
        let changed = self.write_household(id, puts)?;
        Ok(done(*id, member, changed))
    }

    /// Changes fields of a member.
    pub fn edit_member(
        &mut self,
        id: &DocId,
        name: &str,
        mut edit: MemberEdit,
    ) -> Result<MemberDone, AgentError> {
        let (household, member) = self.where_they_live(id, name)?;
        let number = edit
            .id_number
            .take()
            .filter(|typed| !typed.trim().is_empty());
        let known = household.member(&member);
        let confirmed = edit.clone();
        let mut fields = edit.fields()?;
        if let Some(typed) = confirmed
            .birth
            .as_deref()
            .map(str::trim)
            .filter(|it| !it.is_empty())
        {
            self.born_by_now(Some(birth(typed)?))?;
        }
        let mut hash = None;
        if let Some(typed) = number {
            let number = id_number(&typed)?;
            says_otherwise(&number, known, &confirmed)?;
            fields.retain(|(field, _)| !matches!(*field, "sex" | "birth"));
            fields.push(("sex", i64::from(number.sex()).into()));
            let birth = (number.birth_year(), number.birth_month());
            fields.push(("birth", birth_text(birth).into()));
            let key = &self.home.id_key;
            hash = Some((format!("id_hash.{}", key.name()), key.hash(&number)));
        }
        let put = |field: &str, value: Scalar| Put::entry(MEMBERS, &member, field, value);
        let mut puts: Vec<Put> = fields
            .into_iter()
            // Being at home is not written of somebody who never was away.
            .filter(|(field, value)| {
                *field != "away"
                    || *value != Scalar::Bool(false)
                    || known.is_some_and(|known| known.away)
            })
            .map(|(field, value)| put(field, value))
            .collect();
        puts.extend(hash.map(|(field, hash)| put(&field, hash.into())));
        let changed = self.write_household(&household.id, puts)?;
        Ok(done(household.id, member, changed))
    }

    /// Says that a member left: 去世 迁出 婚嫁 分户 误录, on a day that has been.
    pub fn member_leaves(
        &mut self,
        id: &DocId,
        name: &str,
        reason: &str,
        on: Option<&str>,
    ) -> Result<MemberDone, AgentError> {
        let why = reason_of(reason)?;
        let on = self.past_day("on", on)?;
        let (household, member) = self.where_they_live(id, name)?;
        let puts = leave_puts(&member, why, &on, None);
        let changed = self.write_household(&household.id, puts)?;
        Ok(done(household.id, member, changed))
    }

    /// Says that a member lives here again; from where they had moved to they move back.
    pub fn member_returns(&mut self, id: &DocId, name: &str) -> Result<MemberDone, AgentError> {
        let (household, _) = self.read_household(id)?;
        let member = self.name_member(&household, name)?.id.clone();
        let (there, _) = self.where_they_live(id, &member)?;
        let lives_there = there.member(&member).is_some_and(|m| m.left.is_none());
        if there.id != *id && lives_there {
            return self.move_member(&there.id, &member, id, Move::default());
        }
        let changed = self.write_household(id, return_puts(&member))?;
        Ok(done(*id, member, changed))
    }

    /// Returns the member that a name means: an id or its beginning, the place in the list from 1, a
    /// name, initials. Those who live here go before those who left.
    pub fn name_member<'a>(
        &self,
        household: &'a Household,
        typed: &str,
    ) -> Result<&'a Member, AgentError> {
        let typed = typed.trim();
        if let Some(member) = place_in_list(typed).and_then(|at| household.members.get(at)) {
            return Ok(member);
        }
        let is_id = typed.len() >= PREFIX_DIGITS_MIN
            && typed.bytes().all(|digit| digit.is_ascii_hexdigit());
        let lower = typed.to_ascii_lowercase();
        let fits =
            |member: &&Member| member.name == typed || (is_id && member.id.starts_with(&lower));
        let mut found: Vec<&Member> = household.members.iter().filter(fits).collect();
        if found.is_empty() {
            let query = Query::parse(typed);
            found = household
                .members
                .iter()
                .filter(|m| sounds(&query, m))
                .collect();
        }
        if found.iter().any(|member| member.left.is_none()) {
            found.retain(|member| member.left.is_none());
        }
        match found.as_slice() {
            [only] => Ok(only),
            [] => Err(AgentError::NotFound {
                what: Sought::Member,
                name: typed.to_owned(),
            }),
            several => Err(AgentError::Ambiguous {
                name: typed.to_owned(),
                candidates: several.iter().map(|member| candidate(member)).collect(),
            }),
        }
    }

    /// Returns the household in which the member that a name means lives, and the member's id:
    /// follows moves as far as the households are here.
    pub(super) fn where_they_live(
        &self,
        id: &DocId,
        name: &str,
    ) -> Result<(Household, String), AgentError> {
        let (mut household, _) = self.read_household(id)?;
        let member = self.name_member(&household, name)?.id.clone();
        let mut passed = vec![*id];
        while let Some(next) = moved_to(&household, &member).filter(|next| !passed.contains(next)) {
            passed.push(next);
            match self.read_household(&next) {
                Ok((there, _)) if there.member(&member).is_some() => household = there,
                Ok(_) | Err(AgentError::NotFound { .. }) => break,
                Err(error) => return Err(error),
            }
        }
        Ok((household, member))
    }
}

pub(super) fn done(household: DocId, member: String, changed: bool) -> MemberDone {
    MemberDone {
        household,
        member,
        changed,
    }
}

pub(super) fn reason_of(typed: &str) -> Result<Left, AgentError> {
    let expected = "died, moved_out, married, split or mistake";
    Left::of(typed.trim()).ok_or_else(|| bad("left", typed, expected))
}

fn moved_to(household: &Household, member: &str) -> Option<DocId> {
    let member = household.member(member)?;
    member.left.as_ref()?;
    member.moved_to.as_deref()?.parse().ok()
}

fn candidate(member: &Member) -> (String, String) {
    let birth = member.birth.as_deref().unwrap_or_default();
    (member.id.clone(), format!("{} {birth}", member.name))
}

/// Says whether a query finds the member by the sound or a part of the name.
fn sounds(query: &Query, member: &Member) -> bool {
    let mut keys = wangge_model::find::SearchKeys::new();
    keys.add_person(&member.name);
    keys.rows()
        .any(|row| wangge_model::find::rank(query, &row).is_some())
}

/// Returns an error where an id number says another sex or birth than is known of a member, and whoever
/// typed it did not say the same: it may be somebody else's number.
fn says_otherwise(
    number: &IdNumber,
    known: Option<&Member>,
    said: &MemberEdit,
) -> Result<(), AgentError> {
    let birth_said = birth_text((number.birth_year(), number.birth_month()));
    let is_birth =
        |known: &str| known == birth_said || birth_said.starts_with(&format!("{known}-"));
    let is_sex = |known: i64| known == i64::from(number.sex()) || !matches!(known, 1 | 2);
    let confirms_birth = said
        .birth
        .as_deref()
        .is_some_and(|typed| is_birth(typed.trim()));
    let typed_sex = said.sex.as_deref().and_then(|typed| sex(typed.trim()).ok());
    let confirms_sex = typed_sex == Some(number.sex());
    let known_birth = known.and_then(|known| known.birth.as_deref());
    let known_sex = known.and_then(|known| known.sex);
    let birth = known_birth.is_some_and(|known| !is_birth(known)) && !confirms_birth;
    let sex = known_sex.is_some_and(|known| !is_sex(known)) && !confirms_sex;
    if !birth && !sex {
        return Ok(());
    }
    Err(AgentError::IdNumberDiffers {
        birth: birth.then_some(birth_said),
        sex: sex.then_some(number.sex()),
    })
}
