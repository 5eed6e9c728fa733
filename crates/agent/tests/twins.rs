//! One device: families registered twice, merged, taken apart, told apart, imported again.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::path::PathBuf;

use tempfile::TempDir;
use wangge_agent::households::{HouseholdEdit, HouseholdInput, MemberInput};
use wangge_agent::import::ImportCounts;
use wangge_agent::reports::ReportInput;
use wangge_agent::visits::VisitInput;
use wangge_agent::{AgentError, Machine, Replica};
use wangge_wire::{AreaCode, DocId};

const GRID: &str = "511724103202001";

struct Home {
    dir: TempDir,
    replica: Replica,
}

fn home() -> Home {
    let dir = tempfile::tempdir().unwrap();
    let grid = AreaCode::parse(GRID).unwrap();
    let folder = dir.path().join("home");
    let replica = Replica::init(&folder, "李梅", vec![grid], Machine::default()).unwrap();
    Home { dir, replica }
}

impl Home {
    fn family(&mut self, door: &str, people: &[&str], phone: &str) -> DocId {
        let members = people.iter().enumerate().map(|(nth, name)| MemberInput {
            name: (*name).into(),
            relation: Some(if nth == 0 { "户主" } else { "儿子" }.into()),
            ..MemberInput::default()
        });
        let input = HouseholdInput {
            door: door.into(),
            phone: Some(phone.into()),
            members: members.collect(),
            ..HouseholdInput::default()
        };
        self.replica.add_household(input).unwrap().id
    }

    /// The same family behind two doors: the survivor first.
    fn twins(&mut self) -> (DocId, DocId) {
        let one = self.family("3-12", &["曾小红", "曾明"], "13800000001");
        let two = self.family("3-14", &["曾小红", "曾亮"], "13800000002");
        (one.min(two), one.max(two))
    }

    fn merged(&mut self) -> (DocId, DocId) {
        let (survivor, alias) = self.twins();
        let names = [survivor.to_string(), alias.to_string()];
        let done = self.replica.merge_households(&names, false).unwrap();
        assert_eq!((done.id, done.also), (survivor, vec![alias]));
        (survivor, alias)
    }

    fn visit(&mut self, household: &str) -> String {
        let input = VisitInput {
            household: household.into(),
            ..VisitInput::default()
        };
        self.replica.add_visit(input).unwrap().id
    }

    fn sheet(&self, rows: &str) -> PathBuf {
        let path = self.dir.path().join("花名册.csv");
        std::fs::write(&path, format!("组,门牌号,姓名,与户主关系,联系电话\n{rows}")).unwrap();
        path
    }

    fn import(&mut self, rows: &str) -> ImportCounts {
        let path = self.sheet(rows);
        let grid = AreaCode::parse(GRID).unwrap();
        self.replica
            .import_roster(&path, &grid, false)
            .unwrap()
            .households
    }

    fn count(&self) -> usize {
        self.replica.households(None, 100, 0).unwrap().len()
    }
}

fn names(replica: &Replica, id: &DocId) -> Vec<String> {
    let members = replica.household(id).unwrap().household.members;
    let mut names: Vec<String> = members.into_iter().map(|member| member.name).collect();
    names.sort();
    names
}

#[test]
fn a_merged_family_is_one_row_with_everybody_and_every_value() {
    let mut home = home();
    let (survivor, alias) = home.merged();
    assert_eq!(home.count(), 1);
    let row = &home.replica.households(None, 10, 0).unwrap()[0];
    assert_eq!(
        (row.id, row.people, &*row.also),
        (survivor, 3, &[alias][..])
    );
    let view = home.replica.household(&alias).unwrap();
    assert_eq!(view.household.id, survivor);
    assert_eq!(names(&home.replica, &survivor), ["曾亮", "曾小红", "曾明"]);
    let others: Vec<&str> = view
        .other_values
        .iter()
        .map(|other| &*other.field)
        .collect();
    assert_eq!(others, ["door", "phone"], "the group is the same");
    assert_eq!(view.same_as.values().map(Vec::len).sum::<usize>(), 1);
    assert!(view.conflicts.is_empty(), "who merged has seen them");
    for typed in ["0001", "0002", "3-12", "3-14", "曾亮", "曾明", "zxh"] {
        let found = home.replica.find(typed, 10).unwrap();
        assert_eq!(found.len(), 1, "{typed}");
        assert_eq!(home.replica.name_household(typed).unwrap(), survivor);
    }
}

#[test]
fn books_of_a_merged_family_are_read_as_one() {
    let mut home = home();
    let (survivor, alias) = home.twins();
    let before = home.visit(&alias.to_string());
    home.visit(&survivor.to_string());
    let both = [survivor.to_string(), alias.to_string()];
    home.replica.merge_households(&both, false).unwrap();
    let after = home.visit(&alias.to_string());
    assert_eq!(home.replica.visits(Some(&survivor), 10).unwrap().len(), 3);
    assert_eq!(home.replica.visits(Some(&alias), 10).unwrap().len(), 3);
    assert_eq!(home.replica.visit(&before).unwrap().household, survivor);
    home.replica.unmerge_household(&alias.to_string()).unwrap();
    assert_eq!(home.replica.visit(&before).unwrap().household, alias);
    assert_eq!(
        home.replica.visit(&after).unwrap().household,
        survivor,
        "what was recorded for the survivor meanwhile stays there"
    );
}

#[test]
fn what_is_done_to_an_alias_is_done_to_the_survivor() {
    let mut home = home();
    let (survivor, alias) = home.merged();
    let id = home.replica.name_household(&alias.to_string()).unwrap();
    assert_eq!(id, survivor);
    let report = ReportInput {
        household: Some(alias.to_string()),
        text: "水管爆了".into(),
        ..ReportInput::default()
    };
    let report = home.replica.add_report(report).unwrap();
    assert_eq!(report.view.content["household"], survivor.to_string());
    let edit = HouseholdEdit {
        phone: Some("13900000009".into()),
        ..HouseholdEdit::default()
    };
    assert!(home.replica.edit_household(&alias, edit).unwrap());
    let view = home.replica.household(&survivor).unwrap();
    assert_eq!(view.household.phone.as_deref(), Some("13900000009"));
    assert!(view.conflicts.is_empty());
}

#[test]
fn a_merge_taken_back_brings_all_back_and_is_not_offered_again() {
    let mut home = home();
    let (survivor, alias) = home.twins();
    let before = [survivor, alias].map(|id| home.replica.household(&id).unwrap().household);
    let both = [survivor.to_string(), alias.to_string()];
    home.replica.merge_households(&both, false).unwrap();
    let done = home.replica.unmerge_household("zxh").unwrap();
    assert_eq!((done.id, done.from), (alias, survivor));
    let after = [survivor, alias].map(|id| home.replica.household(&id).unwrap().household);
    assert_eq!(before, after);
    assert_eq!(home.count(), 2);
    assert!(home.replica.duplicates(None, 10).unwrap().is_empty());
    let again = home.replica.merge_households(&both, false).unwrap();
    assert!(again.changed);
    assert_eq!(home.count(), 1);
    assert!(home.replica.conflicts().unwrap().is_empty());
}

#[test]
fn of_three_the_one_that_leaves_must_be_named() {
    let mut home = home();
    let (a, b) = home.merged();
    let c = home.family("3-16", &["曾小红"], "13800000003");
    let names = [a.to_string(), c.to_string()];
    let survivor = home.replica.merge_households(&names, false).unwrap().id;
    assert_eq!(survivor, a.min(b).min(c));
    let several = home.replica.unmerge_household(&survivor.to_string());
    let Err(AgentError::Ambiguous { candidates, .. }) = several else {
        panic!("{several:?}");
    };
    assert_eq!(candidates.len(), 2);
    home.replica.unmerge_household(&candidates[0].0).unwrap();
    assert_eq!(home.count(), 2);
}

#[test]
fn merging_again_or_dry_writes_nothing() {
    let mut home = home();
    let (survivor, alias) = home.twins();
    let both = [survivor.to_string(), alias.to_string()];
    let dry = home.replica.merge_households(&both, true).unwrap();
    assert!(dry.changed && dry.dry_run);
    assert_eq!(dry.other_values.len(), 2);
    assert_eq!(home.count(), 2);
    home.replica.merge_households(&both, false).unwrap();
    let unsent = home.replica.store().counts().unwrap().unsent;
    let again = home.replica.merge_households(&both, false).unwrap();
    assert!(!again.changed);
    assert_eq!(home.replica.store().counts().unwrap().unsent, unsent);
}

#[test]
fn candidates_are_offered_until_somebody_says_that_they_are_two() {
    let mut home = home();
    let one = home.family("3-12", &["曾小红"], "13800000001");
    let two = home.family("3-12", &["曾晓红"], "13800000001");
    home.family("3-13", &["王建国"], "13800000003");
    let found = home.replica.duplicates(None, 10).unwrap();
    assert_eq!(found.len(), 1);
    let ids = [found[0].a.id, found[0].b.id];
    assert_eq!(ids, [one.min(two), one.max(two)]);
    assert_eq!(found[0].score, 50);
    let elsewhere = AreaCode::parse("511724103203").unwrap();
    assert!(
        home.replica
            .duplicates(Some(&elsewhere), 10)
            .unwrap()
            .is_empty()
    );
    let names = ids.map(|id| id.to_string());
    assert!(home.replica.tell_apart(&names[0], &names[1]).unwrap());
    assert!(!home.replica.tell_apart(&names[1], &names[0]).unwrap());
    assert!(home.replica.duplicates(None, 10).unwrap().is_empty());
}

#[test]
fn the_next_sheet_does_not_bring_an_alias_back() {
    let mut home = home();
    let two_rows = "3组,12号,曾小红,户主,13800000001\n3组,14号,曾小红,户主,13800000002\n";
    assert_eq!(home.import(two_rows).added, 2);
    let ids: Vec<DocId> = home
        .replica
        .households(None, 10, 0)
        .unwrap()
        .iter()
        .map(|row| row.id)
        .collect();
    let names: Vec<String> = ids.iter().map(DocId::to_string).collect();
    home.replica.merge_households(&names, false).unwrap();
    let before = home.replica.household(&ids[0]).unwrap();
    let unchanged = |rows| ImportCounts {
        unchanged: rows,
        ..ImportCounts::default()
    };
    assert_eq!(home.import(two_rows), unchanged(2));
    for row in two_rows.lines() {
        assert_eq!(home.import(&format!("{row}\n")), unchanged(1), "{row}");
    }
    assert_eq!(home.count(), 1);
    let after = home.replica.household(&ids[0]).unwrap();
    assert_eq!(after.household, before.household);
    assert_eq!(after.other_values, before.other_values);
    assert!(after.conflicts.is_empty());
}

#[test]
fn news_of_a_sheet_under_the_old_door_lands_on_the_survivor() {
    let mut home = home();
    let (survivor, alias) = home.merged();
    let own = home.replica.household(&survivor).unwrap().household;
    let document = home.replica.store().document(&alias).unwrap().unwrap();
    let door = document.fields().root_text("door").to_owned();
    let counts = home.import(&format!("3组,{door}号,曾小红,户主,13811112222\n"));
    assert_eq!((counts.added, counts.updated), (0, 1));
    let view = home.replica.household(&survivor).unwrap();
    assert_eq!(view.household.phone.as_deref(), Some("13811112222"));
    assert_eq!(view.household.door, own.door);
    assert_eq!(view.household.head, own.head);
    assert_eq!(names(&home.replica, &survivor).len(), 3);
}

#[test]
fn adding_under_the_old_door_is_adding_to_the_survivor() {
    let mut home = home();
    let (survivor, _) = home.merged();
    for door in ["3-12", "3-14"] {
        let added = home.family(door, &["曾小红"], "13800000001");
        assert_eq!(added, survivor, "{door}");
    }
    assert_eq!(home.count(), 1);
}

#[test]
fn a_worker_asks_the_desk_to_move_a_household() {
    let mut home = home();
    home.family("3-12", &["曾小红"], "13800000001");
    let moved = home.replica.move_household("zxh", GRID, false).unwrap();
    assert!(!moved.changed, "it lives there");
    let elsewhere = home.replica.move_household("zxh", "511724103202002", false);
    assert!(matches!(elsewhere, Err(AgentError::NotYourArea { .. })));
}

#[test]
fn a_village_group_is_listed_whole_by_door() {
    let mut home = home();
    for door in ["3-21", "3-9", "4-1", "3-100"] {
        home.family(door, &["王建国"], "");
    }
    let found = home.replica.find("3组", 2).unwrap();
    let doors: Vec<&str> = found.iter().map(|row| &*row.door).collect();
    assert_eq!(doors, ["9", "21", "100"]);
}

#[test]
fn a_name_inside_names_a_household_only_where_nothing_closer_does() {
    let mut home = home();
    let whole = home.family("3-1", &["徐华"], "");
    home.family("3-2", &["曾小红"], "");
    assert_eq!(home.replica.name_household("xh").unwrap(), whole);
    assert_eq!(home.replica.find("xh", 10).unwrap().len(), 2);
}
