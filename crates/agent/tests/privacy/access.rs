//! Who looked is written down before anything is shown, and says nothing of what was seen.

use wangge_agent::AgentError;
use wangge_agent::export::Table;
use wangge_agent::households::{ContactInput, HouseholdInput};

use crate::{family, home};

#[test]
fn without_room_for_the_record_nothing_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let mut replica = home(&dir.path().join("home"));
    let id = replica.add_household(family("龙国华", "3-12")).unwrap().id;
    let pages = replica.store().pages().unwrap();
    replica.store().limit_pages(pages).unwrap();
    // What is left of the last page is used up.
    let full = loop {
        let note = "长".repeat(1900);
        let more = HouseholdInput {
            note,
            ..family("殷某", "")
        };
        if let Err(error) = replica.add_household(more) {
            break error;
        }
    };
    assert!(matches!(full, AgentError::DiskFull), "{full:?}");
    let called = (0..50).find_map(|_| replica.call("lgh", "visit").err());
    assert!(matches!(called, Some(AgentError::DiskFull)), "{called:?}");
    let revealed = replica.reveal(&id, "visit");
    assert!(
        matches!(revealed, Err(AgentError::DiskFull)),
        "{revealed:?}"
    );
    let before = replica.accesses(&id).unwrap().len();
    replica.store().limit_pages(pages + 10_000).unwrap();
    replica.call("lgh", "visit").unwrap();
    assert_eq!(replica.accesses(&id).unwrap().len(), before + 1);
}

#[test]
fn without_room_for_the_record_no_list_leaves_as_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut replica = home(&dir.path().join("home"));
    let id = replica.add_household(family("龙国华", "3-12")).unwrap().id;
    let mut table = Table::new("住户", &["户主"]);
    table.rows.push(vec!["龙**".into()]);
    let path = dir.path().join("list.csv");
    let pages = replica.store().pages().unwrap();
    replica.store().limit_pages(pages).unwrap();
    // What is left of the last page is used up.
    while replica.call("lgh", "visit").is_ok() {}
    let before = replica.accesses(&id).unwrap().len();
    let refused = replica.export(&table, &[id], "errand", (&path, false));
    assert!(matches!(refused, Err(AgentError::DiskFull)), "{refused:?}");
    assert_eq!(
        std::fs::read_dir(dir.path()).unwrap().count(),
        1,
        "the home"
    );
    replica.store().limit_pages(pages + 10_000).unwrap();
    assert_eq!(replica.accesses(&id).unwrap().len(), before);

    for why in ["", "看看", "核对511799196709039075"] {
        let refused = replica.export(&table, &[id], why, (&path, false));
        assert!(refused.is_err() && !path.exists(), "{why}");
    }
    replica
        .export(&table, &[id, id], "errand", (&path, false))
        .unwrap();
    assert!(path.exists());
    let said = replica.accesses(&id).unwrap();
    assert_eq!(said.len(), before + 1, "one a household");
    assert!(
        said.iter()
            .any(|it| (&*it.what, &*it.why) == ("export", "errand"))
    );
    let again = replica.export(&table, &[id], "errand", (&path, false));
    assert!(matches!(again, Err(AgentError::FileExists { .. })));
    assert_eq!(replica.accesses(&id).unwrap().len(), before + 1);
}

#[test]
fn a_record_names_who_and_why_and_no_value() {
    let dir = tempfile::tempdir().unwrap();
    let mut replica = home(&dir.path().join("home"));
    let id = replica.add_household(family("龙国华", "3-12")).unwrap().id;
    for why in ["", "看看", "   "] {
        let refused = replica.call("lgh", why).unwrap_err();
        assert!(matches!(refused, AgentError::BadValue { .. }), "{refused}");
    }
    // A reason is a text like any other.
    let refused = replica.reveal(&id, "核对511799196709039075").unwrap_err();
    assert!(matches!(refused, AgentError::LookedAt { .. }), "{refused}");
    assert!(replica.accesses(&id).unwrap().is_empty());

    replica.call("lgh", "应急").unwrap();
    replica.reveal(&id, "核对低保名单").unwrap();
    let accesses = replica.accesses(&id).unwrap();
    let said: Vec<(&str, &str)> = accesses
        .iter()
        .map(|access| (access.what.as_str(), access.why.as_str()))
        .collect();
    assert_eq!(said.len(), 2);
    assert!(said.contains(&("call", "emergency")), "{said:?}");
    assert!(said.contains(&("reveal", "核对低保名单")), "{said:?}");
    assert!(accesses.iter().all(|access| access.by.name == "李梅"));
    let json = serde_json::to_string(&accesses).unwrap();
    for value in ["13812345678", "龙国华", "1948-03"] {
        assert!(!json.contains(value), "{json}");
    }
}

#[test]
fn a_household_without_a_number_has_nothing_to_call_and_no_record() {
    let dir = tempfile::tempdir().unwrap();
    let mut replica = home(&dir.path().join("home"));
    let silent = HouseholdInput {
        phone: None,
        ..family("龙国华", "3-12")
    };
    let id = replica.add_household(silent).unwrap().id;
    let none = replica.call("lgh", "visit").unwrap_err();
    assert!(matches!(none, AgentError::NoNumber), "{none}");
    assert!(replica.accesses(&id).unwrap().is_empty());
}

#[test]
fn further_telephones_are_offered_with_whose_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let mut replica = home(&dir.path().join("home"));
    let id = replica.add_household(family("龙国华", "3-12")).unwrap().id;
    let daughter = ContactInput {
        phone: "13987654321".into(),
        whose: "龙小凤".into(),
    };
    replica.add_contact(&id, &daughter).unwrap();
    let called = replica.call("lgh", "visit").unwrap();
    let last = called.numbers.last().unwrap();
    assert_eq!(
        (last.name.as_str(), last.phone.as_str()),
        ("龙小凤", "13987654321")
    );
    assert_eq!(called.numbers[0].phone, "13812345678");
}
