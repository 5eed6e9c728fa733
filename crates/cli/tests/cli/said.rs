//! What is typed is kept as it was typed, and what cannot be meant is said, not taken in silence.

use crate::world::{GRID, World};

const NOTE: &str = "血压高，头晕；已劝就医。（全角）ＡＢＣ１２３";

#[test]
fn a_note_is_kept_as_it_was_typed_wherever_it_is_typed() {
    let world = World::new();
    world.home_with_households("d");
    let kept = |args: &[&str], field: &str| {
        let said = world.at("d", &[args, &["--json"]].concat()).ok().json();
        assert_eq!(said[field], NOTE, "{args:?}");
        said
    };
    kept(&["走访", "zjg", NOTE], "note");
    kept(&["走访", "zjg", "--note", NOTE], "note");
    let report = kept(&["上报", "zjg", NOTE], "text");
    let id = report["id"].as_str().unwrap();
    let commented = world
        .at("d", &["report", "comment", id, NOTE, "--json"])
        .ok()
        .json();
    assert_eq!(commented["comments"][0]["text"], NOTE);
    let open = ["ticket", "open", "zjg", NOTE];
    kept(&open, "subject");
    kept(&[&open[..], &["--detail", NOTE]].concat(), "detail");
    let lines = format!("{{\"household\":\"zjg\",\"note\":\"{NOTE}\"}}\n");
    let file = world.write("v.jsonl", lines);
    world.at("d", &["visit", "add", "--from", &file]).ok();
    let list = world.at("d", &["visit", "list", "--json"]).ok().json();
    for visit in list.as_array().unwrap() {
        assert_eq!(visit["note"], NOTE);
    }
    // What must never be saved is found in wide digits too.
    let number = "身份证５１１７９９１９６７０９０３９０７５";
    world.at("d", &["走访", "zjg", number]).ends(4);
}

#[test]
fn a_note_of_several_lines_is_kept_and_shown_in_one() {
    let world = World::new();
    world.home_with_households("d");
    let typed = ["走访", "zjg", "--note", "血压高 \r\n已劝就医", "--json"];
    let said = world.at("d", &typed).ok().json();
    assert_eq!(said["note"], "血压高\n已劝就医");
    let list = world.at("d", &["visit", "list"]).ok().stdout;
    assert!(list.contains("血压高 已劝就医"), "{list}");
}

#[test]
fn a_roster_without_headings_is_refused_and_the_headings_are_named() {
    let world = World::new();
    world.home("d");
    let file = world.write("r.csv", "1,张三丰,3-1\n2,李四,3-2\n");
    let refused = world.at("d", &["household", "import", &file]).ends(1);
    for told in ["户主", "门牌号", "与户主关系"] {
        assert!(refused.stderr.contains(told), "{told}: {}", refused.stderr);
    }
    assert!(!refused.stdout.contains('✓'), "{}", refused.stdout);
    let refused = world
        .at(
            "d",
            &["household", "import", &file, "--json", "--lang", "en"],
        )
        .ends(1);
    assert_eq!(refused.error()["kind"], "no_headings");
}
