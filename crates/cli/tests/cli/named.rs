//! What names a household: a door, the beginning of an id; and what is said where nothing is there.

use crate::world::World;

#[test]
fn a_door_with_nobody_is_said_so_and_what_begins_so_is_offered() {
    let world = World::new();
    world.home("d");
    let add = |name: &str, door: &str| {
        world
            .at("d", &["household", "add", name, "--door", door])
            .ok();
    };
    add("周文", "8-185");
    let said = world.at("d", &["走访", "8-18", "好"]).ends(1).stderr;
    assert!(
        said.contains("没有门牌是「8-18」") && said.contains("周文"),
        "{said}"
    );
    assert!(!said.contains("对应多个"), "{said}");
    for door in 11..19 {
        add("王芳", &format!("8-{door}1"));
    }
    let said = world.at("d", &["household", "show", "--", "-1"]);
    let said = said.ends(1).stderr;
    assert!(said.contains("没有门牌是「-1」"), "{said}");
    assert!(said.lines().count() < 10 && said.contains("还有"), "{said}");
}

#[test]
fn the_beginning_of_an_id_names_a_family_where_a_door_names_two() {
    let world = World::new();
    world.home("d");
    for name in ["周文", "王芳"] {
        world
            .at("d", &["household", "add", name, "--door", "7-1"])
            .ok();
    }
    world.at("d", &["走访", "7-1", "好"]).ends(1);
    let list = world.at("d", &["household", "list", "--json"]).ok().json();
    for row in list.as_array().unwrap() {
        let id = row["id"].as_str().unwrap();
        let said = world
            .at("d", &["走访", id.get(..6).unwrap(), "好", "--json"])
            .ok()
            .json();
        assert_eq!(said["household"], row["id"]);
        // Fewer digits are a door or the tail of a telephone.
        world.at("d", &["走访", id.get(..5).unwrap(), "好"]).ends(1);
    }
}

#[test]
fn a_family_that_somebody_divided_is_not_offered_to_be_merged() {
    let world = World::new();
    world.home("d");
    let family = r#"{"door":"7-1","phone":"13812345678","members":[{"name":"万建国"},{"name":"万小明","phone":"13812345678"}]}"#;
    let file = world.write("h.jsonl", family);
    world.at("d", &["household", "add", "--from", &file]).ok();
    let split = [
        "household",
        "split",
        "7-1",
        "--members",
        "万小明",
        "--door",
        "7-2",
    ];
    world
        .at("d", &[&split[..], &["--phone", "13812345678"]].concat())
        .ok();
    let found = world.at("d", &["household", "duplicates", "--json"]).ok();
    assert_eq!(found.stdout.trim(), "[]");
    // Somebody who finds that they are one family merges them all the same.
    world.at("d", &["household", "merge", "7-1", "7-2"]).ok();
}
