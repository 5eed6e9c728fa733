//! Who in a household a care tag is meant for.
//!
//! A roster writes 留守儿童 on the grandmother's row. **A tag is given to the people it can be true
//! of**, and refused where there is nobody; age is judged by the year the roster says it is of.

use wangge_model::care::Care;
use wangge_model::relation;

use super::reading::RosterMember;

/// A child is under 16; by year alone, somebody of 16 may still be 15.
const CHILD_AGE_MAX: u16 = 16;
/// Where nobody is so young, somebody under 18.
const MINOR_AGE_MAX: u16 = 18;
/// Ages at which a woman may be meant by 孕产妇.
const MATERNITY_AGES: std::ops::RangeInclusive<u16> = 15..=50;

/// Returns the places of the members a tag on one member's row is meant for; empty: nobody.
pub(super) fn meant(tag: Care, row_of: usize, members: &[RosterMember], year: u16) -> Vec<usize> {
    if tag.is_for_children() {
        return children(row_of, members, year);
    }
    if tag == Care::Maternity {
        return mother(row_of, members, year);
    }
    members
        .get(row_of)
        .map(|_| vec![row_of])
        .unwrap_or_default()
}

fn children(row_of: usize, members: &[RosterMember], year: u16) -> Vec<usize> {
    let is_child =
        |member: &RosterMember| age(member, year).is_some_and(|age| age <= CHILD_AGE_MAX);
    if members.get(row_of).is_some_and(is_child) {
        return vec![row_of];
    }
    let all = |fits: &dyn Fn(&RosterMember) -> bool| -> Vec<usize> {
        members
            .iter()
            .enumerate()
            .filter(|(_, member)| fits(member))
            .map(|(place, _)| place)
            .collect()
    };
    let undated_descendant = |member: &RosterMember| {
        member.birth.is_none()
            && member
                .relation
                .as_deref()
                .is_some_and(relation::is_descendant)
    };
    let minor = |member: &RosterMember| age(member, year).is_some_and(|age| age <= MINOR_AGE_MAX);
    [all(&is_child), all(&minor), all(&undated_descendant)]
        .into_iter()
        .find(|found| !found.is_empty())
        .unwrap_or_default()
}

fn mother(row_of: usize, members: &[RosterMember], year: u16) -> Vec<usize> {
    let can_be = |member: &RosterMember| {
        member.sex != Some(1) && age(member, year).is_none_or(|age| MATERNITY_AGES.contains(&age))
    };
    if members.get(row_of).is_some_and(can_be) {
        return vec![row_of];
    }
    let women: Vec<usize> = members
        .iter()
        .enumerate()
        .filter(|(_, member)| member.sex == Some(2) && can_be(member))
        .map(|(place, _)| place)
        .collect();
    if women.len() == 1 { women } else { Vec::new() }
}

fn age(member: &RosterMember, year: u16) -> Option<u16> {
    member.birth.map(|(born, _)| year.saturating_sub(born))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(relation: &str, born: Option<u16>, sex: u8) -> RosterMember {
        RosterMember {
            relation: Some(relation.to_owned()),
            birth: born.map(|year| (year, 5)),
            sex: Some(sex),
            ..RosterMember::default()
        }
    }

    #[test]
    fn a_childs_tag_on_the_heads_row_goes_to_every_child_of_the_household() {
        let family = [
            person("02", Some(1960), 1),
            person("20", Some(1988), 1),
            person("41", Some(2012), 1),
            person("42", Some(2018), 2),
        ];
        assert_eq!(meant(Care::LeftBehindChild, 0, &family, 2026), [2, 3]);
        assert_eq!(
            meant(Care::LeftBehindChild, 3, &family, 2026),
            [3],
            "a child's own row means the child"
        );
        assert_eq!(meant(Care::SubsistenceAllowance, 0, &family, 2026), [0]);
        assert_eq!(meant(Care::LivingAloneElder, 1, &family, 2026), [1]);
    }

    #[test]
    fn the_nearest_to_a_child_is_meant_where_no_child_is_dated() {
        let grown = [
            person("02", Some(1960), 1),
            person("41", Some(2008), 1),
            person("20", Some(1988), 1),
        ];
        assert_eq!(meant(Care::LeftBehindChild, 0, &grown, 2026), [1]);
        let undated = [
            person("02", Some(1960), 1),
            person("40", None, 1),
            person("38", None, 2),
        ];
        assert_eq!(meant(Care::LeftBehindChild, 0, &undated, 2026), [1]);
    }

    #[test]
    fn a_tag_that_fits_nobody_is_nobodys() {
        let old = [person("02", Some(1950), 1), person("10", Some(1952), 2)];
        assert!(meant(Care::LeftBehindChild, 0, &old, 2026).is_empty());
        assert!(meant(Care::Maternity, 0, &old, 2026).is_empty());
        assert!(meant(Care::SubsistenceAllowance, 0, &[], 2026).is_empty());
    }

    #[test]
    fn a_mother_to_be_is_a_woman_of_the_household() {
        let family = [
            person("02", Some(1990), 1),
            person("10", Some(1995), 2),
            person("52", Some(1965), 2),
        ];
        assert_eq!(meant(Care::Maternity, 0, &family, 2026), [1]);
        assert_eq!(meant(Care::Maternity, 1, &family, 2026), [1]);
    }
}
