//! Rosters as villages keep them: the two of `fixtures/`, and small ones made on the fly.
//!
//! Each test is a promise to somebody who imports a sheet they cannot change. All people are made up.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test stops at the first surprise"
)]

use std::path::{Path, PathBuf};

use wangge_agent::roster::{self, Layout, Meaning, Reason, Residence, Roster, RosterError};
use wangge_model::care::Care;

#[path = "roster/layouts.rs"]
mod layouts;
#[path = "roster/values.rs"]
mod values;

/// Reads a table in text form.
fn csv(table: &str) -> Roster {
    bytes("名册.csv", table.as_bytes()).unwrap()
}

/// Reads a file of this name with these bytes.
fn bytes(name: &str, content: &[u8]) -> Result<Roster, RosterError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    roster::read(&path)
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures")
        .join(name)
}

/// An identity number of the made-up county 511799 that passes its check.
fn id(birth: &str, sequence: u16) -> String {
    let body = format!("511799{birth}{sequence:03}");
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = body
        .chars()
        .zip(weights)
        .map(|(c, weight)| c.to_digit(10).unwrap() * weight)
        .sum();
    format!(
        "{body}{}",
        "10X98765432".chars().nth((sum % 11) as usize).unwrap()
    )
}

type Door<'a> = (Option<&'a str>, Option<u16>, &'a str, Vec<&'a str>);

/// Number, group, door and the names of each household.
fn doors(roster: &Roster) -> Vec<Door<'_>> {
    roster
        .households
        .iter()
        .map(|household| {
            let names = household
                .members
                .iter()
                .map(|member| member.name.as_str())
                .collect();
            (
                household.number.as_deref(),
                household.group,
                household.door.as_str(),
                names,
            )
        })
        .collect()
}

fn refused(roster: &Roster) -> Vec<(&str, &str, Reason)> {
    roster
        .refused
        .iter()
        .map(|refused| {
            (
                refused.cell.as_str(),
                refused.value.as_str(),
                refused.reason,
            )
        })
        .collect()
}

#[test]
fn roster_a_gives_every_household_and_every_person() {
    let roster = roster::read(&fixture("roster-a.xlsx")).unwrap();
    assert_eq!(roster.households.len(), 320);
    let people: usize = roster
        .households
        .iter()
        .map(|household| household.members.len())
        .sum();
    assert_eq!(people, 1127, "as many as the sheet's own total");
    assert_eq!(refused(&roster), []);
    assert_eq!(roster.sheets[0].layout, Some(Layout::PersonRows));
    assert_eq!(
        (roster.sheets[0].header_row, roster.sheets[0].year),
        (Some(3), Some(2026))
    );
    assert!(
        roster
            .households
            .iter()
            .all(|household| household.members[0].relation.as_deref() == Some("02"))
    );
    let away = roster
        .households
        .iter()
        .flat_map(|household| &household.members)
        .filter(|member| member.away);
    assert_eq!(away.count(), 115);
    assert!(
        roster
            .households
            .iter()
            .flat_map(|h| &h.members)
            .all(|member| member.note.is_empty())
    );
}

#[test]
fn roster_a_households_without_a_number_get_no_neighbours_door() {
    let roster = roster::read(&fixture("roster-a.xlsx")).unwrap();
    let blank: Vec<_> = roster
        .households
        .iter()
        .filter(|household| household.number.is_none())
        .collect();
    let heads: Vec<_> = blank
        .iter()
        .map(|household| household.members[0].name.as_str())
        .collect();
    assert_eq!(heads, ["何正碧", "姚朝英", "钟大贵", "董建国", "姚光荣"]);
    assert!(
        blank
            .iter()
            .all(|household| household.group.is_none() && household.door.is_empty())
    );
    assert_eq!(
        blank[3].members.len(),
        5,
        "the row below the merged cell is theirs too"
    );
}

#[test]
fn roster_a_care_goes_to_those_it_means() {
    let roster = roster::read(&fixture("roster-a.xlsx")).unwrap();
    let tagged = |care| {
        roster
            .households
            .iter()
            .flat_map(|h| &h.members)
            .filter(move |member| member.care.contains(&care))
    };
    assert!(tagged(Care::LeftBehindChild).all(|child| child.birth.unwrap().0 >= 2010));
    assert!(
        tagged(Care::LeftBehindChild).count() >= 89,
        "one at least for each tagged household"
    );
    assert_eq!(tagged(Care::LivingAloneElder).count(), 9);
    assert_eq!(tagged(Care::ExtremeHardship).count(), 9);
}

#[test]
fn roster_b_gives_every_household_with_its_members_from_the_cell() {
    let roster = roster::read(&fixture("roster-b.xlsx")).unwrap();
    assert_eq!(roster.households.len(), 150);
    assert_eq!(refused(&roster), []);
    let [notes, list] = &roster.sheets[..] else {
        panic!("two sheets")
    };
    assert_eq!((notes.sheet.as_str(), notes.layout), ("填表说明", None));
    assert_eq!(list.layout, Some(Layout::HouseholdRows));
    assert!(
        list.size_differs.is_empty(),
        "everybody the sheet counts was found"
    );
    assert_eq!(list.columns[0].meaning, Meaning::Number);

    let first = &roster.households[0];
    assert_eq!(
        (first.row, first.group, first.door.as_str()),
        (3, Some(4), "24")
    );
    assert_eq!(first.phone.as_deref(), Some("13907895267"));
    assert_eq!(first.residence, Some(Residence::Away));
    let people: Vec<_> = first
        .members
        .iter()
        .map(|m| (m.name.as_str(), m.relation.as_deref(), m.birth, m.sex))
        .collect();
    assert_eq!(
        people,
        [
            ("龙国华", Some("02"), Some((1971, 8)), Some(1)),
            ("薛碧珍", Some("10"), Some((1971, 10)), Some(2)),
            ("龙子轩", Some("40"), Some((2012, 7)), Some(1)),
        ]
    );
    assert_eq!(first.members[0].care, [Care::SubsistenceAllowance]);
    assert_eq!(first.members[2].care, [Care::LeftBehindChild]);
    let second = &roster.households[1];
    assert_eq!(
        second.phone.as_deref(),
        Some("13853756709"),
        "typed in full width"
    );
}

#[test]
fn no_identity_number_leaves_a_roster() {
    for name in ["roster-a.xlsx", "roster-b.xlsx"] {
        let roster = roster::read(&fixture(name)).unwrap();
        let written = format!("{} {roster:?}", serde_json::to_string(&roster).unwrap());
        let mut run = 0;
        let longest = written
            .chars()
            .map(|c| {
                run = if c.is_ascii_digit() { run + 1 } else { 0 };
                run
            })
            .max();
        assert_eq!(longest, Some(11), "nothing longer than a phone in {name}");
        let ids = roster
            .households
            .iter()
            .flat_map(|h| &h.members)
            .filter(|m| m.id_number.is_some());
        assert_eq!(
            ids.count(),
            roster
                .sheets
                .iter()
                .map(|sheet| sheet.people as usize)
                .sum::<usize>()
        );
    }
}

#[test]
fn a_file_that_is_no_spreadsheet_is_said_to_be_none() {
    let nothing: [(&str, &[u8]); 7] = [
        ("照片.xlsx", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
        ("信.xlsx", "各位村民：请于周五前交表。".as_bytes()),
        ("信.txt", "各位村民：请于周五前交表。".as_bytes()),
        ("空.xlsx", b""),
        ("空.csv", b"  \n"),
        (
            "压缩.xlsx",
            b"PK\x03\x04 and nothing that could be unpacked",
        ),
        (
            "网页.xls",
            b"<html><table><tr><td>1</td></tr></table></html>",
        ),
    ];
    for (name, content) in nothing {
        let error = bytes(name, content).unwrap_err();
        assert!(
            matches!(error, RosterError::NotASpreadsheet),
            "{name}: {error:?}"
        );
    }
    let missing = roster::read(Path::new("没有这个文件.xlsx")).unwrap_err();
    assert!(matches!(missing, RosterError::Unreadable { .. }));
}

#[test]
fn a_table_is_read_whatever_its_encoding_and_name() {
    let table = "姓名,与户主关系,联系电话\n张三,户主,13812345678\n李四,配偶,\n";
    let expected = csv(table).households;
    assert_eq!(expected.len(), 1);
    let (gbk, _, unmappable) = encoding_rs::GB18030.encode(table);
    assert!(!unmappable);
    let with_mark = [b"\xEF\xBB\xBF", table.as_bytes()].concat();
    let tabs = table.replace(',', "\t");
    for (name, content) in [
        ("名册.csv", gbk.as_ref()),
        ("名册.csv", &with_mark),
        ("名册.xls", table.as_bytes()),
        ("名册.tsv", tabs.as_bytes()),
        ("名册.csv", table.replace('\n', "\r\n").as_bytes()),
    ] {
        assert_eq!(bytes(name, content).unwrap().households, expected, "{name}");
    }
}

#[test]
fn a_sheet_without_a_header_is_named_and_skipped() {
    let roster = csv("今天走了三户\n明天再走五户\n");
    assert_eq!(roster.households.len(), 0);
    assert_eq!(
        (roster.sheets[0].sheet.as_str(), roster.sheets[0].layout),
        ("名册", None)
    );
}
