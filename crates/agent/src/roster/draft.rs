//! A household while its rows are still coming, and what is settled once they have all come.
//!
//! Who the head is, whether they live here and whom a care tag means can only be said of the whole
//! household, so they wait until [`Draft::settle`] and [`Draft::give_care`].

use wangge_model::care::Care;
use wangge_model::relation;

use super::caring;
use super::person::Person;
use super::reading::{Reason, Residence, RosterHousehold, RosterMember};
use super::refusals::Refusals;

/// A household and what is still to be decided about it.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) household: RosterHousehold,
    /// How many people the sheet says it has.
    pub(super) size: Option<u16>,
    /// The head as columns of its own name it, where the rows are of members.
    pub(super) named_head: RosterMember,
    /// What was said of living here, of one member or of the household.
    pub(super) living: Vec<(Option<usize>, Residence)>,
    tags: Vec<Tag>,
}

#[derive(Debug, Clone, Copy)]
struct Tag {
    care: Care,
    member: usize,
    row: u32,
    column: u32,
}

impl Draft {
    fn has_head(&self) -> bool {
        self.household.members.iter().any(is_head)
    }

    /// Says whether another head's row must be another household's.
    ///
    /// The first row's person counts as the head where the sheet gives no relation that can be read.
    pub(super) fn takes_no_head(&self) -> bool {
        let unsaid = |member: &RosterMember| member.relation.is_none();
        self.has_head() || self.household.members.first().is_some_and(unsaid)
    }

    /// Adds a row's person.
    pub(super) fn add(&mut self, person: Person, row: u32) {
        let member = self.household.members.len();
        self.household.members.push(person.member);
        self.tag(&person.tags, member, row);
    }

    /// Notes tags that stand on a member's row, or on a household's where nobody is listed.
    pub(super) fn tag(&mut self, tags: &[(Care, u32)], member: usize, row: u32) {
        self.tags.extend(tags.iter().map(|(care, column)| Tag {
            care: *care,
            member,
            row,
            column: *column,
        }));
    }

    /// Adds a member from a cell that lists them; the head listed again completes the head's row.
    pub(super) fn list(
        &mut self,
        mut listed: RosterMember,
        row: u32,
        column: u32,
        refusals: &mut Refusals<'_>,
    ) {
        let is_listed_head = listed.relation.as_deref().is_some_and(relation::is_head);
        if let Some(head) = self.household.members.first_mut()
            && is_head(head)
        {
            if listed.name == head.name && (is_listed_head || listed.relation.is_none()) {
                complete(head, listed);
                return;
            }
            if is_listed_head {
                refusals.add(row, column, "户主", Reason::Relation);
                listed.relation = None;
            }
        }
        self.household.members.push(listed);
    }

    /// Puts the head first and decides how the household lives, once all its rows are read.
    ///
    /// `first_is_head`: the sheet has no column that could name another.
    pub(super) fn settle(&mut self, first_is_head: bool) {
        self.settle_residence();
        self.settle_head(first_is_head);
        let household = &mut self.household;
        household.phone = self.named_head.phone.take().or_else(|| {
            let head = household.members.first().filter(|member| is_head(member))?;
            head.phone.clone()
        });
    }

    /// Gives each tag to those it means, judging ages by this year.
    pub(super) fn give_care(&mut self, year: u16, refusals: &mut Refusals<'_>) {
        for tag in std::mem::take(&mut self.tags) {
            let meant = caring::meant(tag.care, tag.member, &self.household.members, year);
            if meant.is_empty() {
                refusals.add(tag.row, tag.column, tag.care.name(), Reason::CareNobody);
            }
            for place in meant {
                if let Some(member) = self.household.members.get_mut(place)
                    && !member.care.contains(&tag.care)
                {
                    member.care.push(tag.care);
                }
            }
        }
    }

    fn settle_head(&mut self, first_is_head: bool) {
        let named = &self.named_head.name;
        let members = &mut self.household.members;
        if !members.iter().any(is_head) {
            let by_name = members
                .iter_mut()
                .find(|member| !named.is_empty() && member.name == *named);
            match by_name {
                Some(member) => member.relation = Some(relation::HEAD.to_owned()),
                None if !named.is_empty() => {
                    let mut head = self.named_head.clone();
                    head.relation = Some(relation::HEAD.to_owned());
                    self.move_to_front(head, None);
                    return;
                }
                None => {
                    if let Some(first) = members.first_mut().filter(|_| first_is_head) {
                        first.relation = Some(relation::HEAD.to_owned());
                    }
                }
            }
        }
        let Some(place) = self.household.members.iter().position(is_head) else {
            return;
        };
        let mut head = self.household.members.remove(place);
        if head.name == self.named_head.name {
            complete(&mut head, self.named_head.clone());
        }
        self.move_to_front(head, Some(place));
    }

    /// The tags' places move along.
    fn move_to_front(&mut self, head: RosterMember, from: Option<usize>) {
        self.household.members.insert(0, head);
        for tag in &mut self.tags {
            tag.member = match from {
                Some(place) if tag.member == place => 0,
                Some(place) if tag.member > place => tag.member,
                _ => tag.member + 1,
            };
        }
    }

    /// One word for the household, or the head's; members who live elsewhere are away.
    fn settle_residence(&mut self) {
        let of_household = self.living.iter().find(|(member, _)| member.is_none());
        if let Some((_, residence)) = of_household {
            self.household.residence = Some(*residence);
            return;
        }
        let head = self.household.members.iter().position(is_head).unwrap_or(0);
        let of_head = self.living.iter().find(|(member, _)| *member == Some(head));
        let any_resident = self
            .living
            .iter()
            .any(|(_, residence)| *residence == Residence::Resident);
        self.household.residence = of_head.map(|(_, residence)| {
            if any_resident {
                Residence::Resident
            } else {
                *residence
            }
        });
        if self.household.residence == Some(Residence::Away) {
            return;
        }
        for (member, residence) in &self.living {
            let elsewhere =
                *residence != Residence::Resident && Some(*residence) != self.household.residence;
            if let Some(member) = member.and_then(|place| self.household.members.get_mut(place)) {
                member.away |= elsewhere;
            }
        }
    }
}

/// Joins two remarks.
pub(super) fn append(note: &mut String, more: &str) {
    if !more.is_empty() && !note.is_empty() {
        note.push('；');
    }
    note.push_str(more);
}

fn is_head(member: &RosterMember) -> bool {
    member.relation.as_deref() == Some(relation::HEAD)
}

/// Fills what one reading of a person lacks from another.
fn complete(member: &mut RosterMember, other: RosterMember) {
    if member.id_number.is_none() && other.id_number.is_some() {
        member.id_number = other.id_number;
        (member.sex, member.birth) = (other.sex, other.birth);
    }
    member.sex = member.sex.or(other.sex);
    member.birth = member.birth.or(other.birth);
    if member.phone.is_none() {
        member.phone = other.phone;
    }
    append(&mut member.note, &other.note);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str, relation: &str) -> Person {
        let relation = (!relation.is_empty()).then(|| relation.to_owned());
        let member = RosterMember {
            name: name.to_owned(),
            relation,
            ..RosterMember::default()
        };
        Person {
            member,
            tags: Vec::new(),
        }
    }

    fn family(rows: &[(&str, &str)]) -> Draft {
        let mut draft = Draft::default();
        for (row, (name, relation)) in (3..).zip(rows) {
            draft.add(person(name, relation), row);
        }
        draft
    }

    fn names(draft: &Draft) -> Vec<&str> {
        draft
            .household
            .members
            .iter()
            .map(|member| member.name.as_str())
            .collect()
    }

    #[test]
    fn the_head_comes_first_and_tags_stay_with_their_people() {
        let mut draft = family(&[("妻", "10"), ("主", "02"), ("子", "20")]);
        for member in 0..3 {
            draft.tag(&[(Care::GraveIllness, 8)], member, 3);
            draft.tags.truncate(member + 1);
        }
        draft.tags = draft.tags.split_off(2);
        draft.settle(false);
        assert_eq!(names(&draft), ["主", "妻", "子"]);
        let mut refusals = Refusals::of("s");
        draft.give_care(2026, &mut refusals);
        let ill: Vec<bool> = draft
            .household
            .members
            .iter()
            .map(|m| !m.care.is_empty())
            .collect();
        assert_eq!(ill, [false, false, true]);
    }

    #[test]
    fn a_head_named_only_in_a_column_of_its_own_becomes_a_member() {
        let mut draft = family(&[("妻", "10")]);
        draft.named_head.name = "主".to_owned();
        draft.tag(&[(Care::GraveIllness, 8)], 0, 3);
        draft.settle(false);
        draft.give_care(2026, &mut Refusals::of("s"));
        assert_eq!(names(&draft), ["主", "妻"]);
        assert_eq!(draft.household.members[1].care, [Care::GraveIllness]);
    }

    #[test]
    fn members_elsewhere_are_away_from_a_household_that_lives_here() {
        let mut draft = family(&[("主", "02"), ("子", "20")]);
        draft.living = vec![(Some(0), Residence::Resident), (Some(1), Residence::Away)];
        draft.settle(false);
        assert_eq!(draft.household.residence, Some(Residence::Resident));
        assert_eq!(
            draft
                .household
                .members
                .iter()
                .map(|m| m.away)
                .collect::<Vec<_>>(),
            [false, true]
        );

        let mut gone = family(&[("主", "02"), ("子", "20")]);
        gone.living = vec![(Some(0), Residence::Away), (Some(1), Residence::Away)];
        gone.settle(false);
        assert_eq!(gone.household.residence, Some(Residence::Away));
    }
}
