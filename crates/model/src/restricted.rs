//! Where a record lives that the person it is about must not receive: harm to a child, family
//! violence.
//!
//! It lives in the township, with the people named as its audience; in the county where the person it
//! is about works for the township. **Where both would reach that person there is no place for it
//! here**, and the caller says so before anything is written.

use wangge_wire::{AreaCode, Level, PersonId};

/// A device of the roster: a person may hold several, in several roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Who holds it.
    pub person: PersonId,
    /// What it receives: areas of its own and of those its person stands in for.
    pub areas: Vec<AreaCode>,
}

/// Where a restricted record lives and who receives it beside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// The township, or the county.
    pub area: AreaCode,
    /// The author and those who were named.
    pub audiences: Vec<PersonId>,
}

/// Why there is no place for it here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPlace {
    /// It is about whoever records it.
    #[error("it is about its author")]
    AboutAuthor,
    /// Somebody named to receive it is whom it is about.
    #[error("it is about somebody named to receive it")]
    AboutNamed,
    /// Whom it is about receives all of the county.
    #[error("whom it is about receives every area it could live in")]
    ReachesAll,
}

/// Returns where a record about `subjects` lives; `matter` is the area it happened in.
///
/// Several subjects are one person whose name fits several: it is kept from all of them.
pub fn place(
    roster: &[Holder],
    subjects: &[PersonId],
    author: PersonId,
    named: &[PersonId],
    matter: &AreaCode,
) -> Result<Home, NoPlace> {
    if subjects.contains(&author) {
        return Err(NoPlace::AboutAuthor);
    }
    if named.iter().any(|person| subjects.contains(person)) {
        return Err(NoPlace::AboutNamed);
    }
    let area = [Level::Township, Level::County]
        .into_iter()
        .filter_map(|level| matter.at(level))
        .find(|area| !reaches(roster, subjects, area))
        .ok_or(NoPlace::ReachesAll)?;
    let mut audiences = vec![author];
    audiences.extend(named);
    audiences.sort();
    audiences.dedup();
    Ok(Home { area, audiences })
}

/// Says whether a document that lives in an area, or has it as audience, comes to one of the subjects.
pub fn reaches(roster: &[Holder], subjects: &[PersonId], area: &AreaCode) -> bool {
    let receives = |holder: &&Holder| holder.areas.iter().any(|own| own.covers(area));
    roster
        .iter()
        .filter(|holder| subjects.contains(&holder.person))
        .any(|holder| receives(&holder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(code: &str) -> AreaCode {
        AreaCode::parse(code).unwrap()
    }

    fn holder(person: u8, areas: &[&str]) -> Holder {
        Holder {
            person: PersonId([person; 16]),
            areas: areas.iter().map(|code| area(code)).collect(),
        }
    }

    #[test]
    fn it_lives_in_the_township_and_above_whoever_works_for_that() {
        let matter = area("511724103202001");
        let author = PersonId([1; 16]);
        let subject = [PersonId([2; 16])];
        let home = |areas: &[&str]| place(&[holder(2, areas)], &subject, author, &[], &matter);
        assert_eq!(home(&["511724103202"]).unwrap().area, area("511724103"));
        assert_eq!(home(&["511724103"]).unwrap().area, area("511724"));
        assert_eq!(home(&["511724"]), Err(NoPlace::ReachesAll));
        // A second device counts, whatever the first receives.
        let two = [holder(2, &["511724103202001"]), holder(2, &["511724103"])];
        let found = place(&two, &subject, author, &[], &matter).unwrap();
        assert_eq!(found.area, area("511724"));
        assert_eq!(found.audiences, [author]);
    }

    #[test]
    fn nobody_it_is_about_records_it_or_is_named() {
        let matter = area("511724103202001");
        let (one, two) = (PersonId([1; 16]), PersonId([2; 16]));
        assert_eq!(
            place(&[], &[one], one, &[], &matter),
            Err(NoPlace::AboutAuthor)
        );
        assert_eq!(
            place(&[], &[two], one, &[two], &matter),
            Err(NoPlace::AboutNamed)
        );
    }
}
