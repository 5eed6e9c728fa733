//! What happened, taken back, and taken away as a file.

use std::collections::BTreeMap;

use crate::world::{GRID, World};

fn visit(world: &World, words: &[&str]) -> String {
    let args = [&["visit"], words, &["--json"]].concat();
    world.at("d", &args).ok().json()["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn undo_takes_back_the_last_visit_and_says_so_in_both_languages() {
    let world = World::new();
    world.home_with_households("d");
    let id = visit(&world, &["zjg", "血压高"]);
    let looked = world.at("d", &["undo", "--dry-run"]).ends(10).stdout;
    assert!(looked.contains("将撤销"), "{looked}");
    let done = world.at("d", &["撤销"]).ok().stdout;
    assert!(done.contains("已撤销") && done.contains("张建国"), "{done}");
    assert!(
        world
            .at("d", &["visit", "list"])
            .ok()
            .stdout
            .contains("没有走访")
    );
    let shown = world
        .at("d", &["visit", "show", &id, "--lang", "en"])
        .ok()
        .stdout;
    assert!(shown.contains("taken back"), "{shown}");
    let counts = &world.at("d", &["status", "--json"]).ok().json()["counts"];
    assert_eq!(counts["visits"], 0);
}

#[test]
fn undo_with_nothing_left_says_so_and_is_no_failure() {
    let world = World::new();
    world.home("d");
    let said = world.at("d", &["undo", "--lang", "en"]).ok().stdout;
    assert!(said.contains("nothing to take back"), "{said}");
    let json = world.at("d", &["undo", "--json"]).ok().json();
    assert_eq!(json["taken_back"], serde_json::json!([]));
}

#[test]
fn every_record_shows_its_history() {
    let world = World::new();
    world.home_with_households("d");
    world
        .at(
            "d",
            &["household", "edit", "3-12", "--phone", "13800000009"],
        )
        .ok();
    let told = world
        .at("d", &["household", "show", "3-12", "--history"])
        .ok();
    assert!(
        told.stdout.contains("138****5678 → 138****0009"),
        "{}",
        told.stdout
    );
    assert!(
        told.stdout.contains("李梅（本机） · 在本机"),
        "{}",
        told.stdout
    );
    let json = world
        .at("d", &["household", "show", "3-12", "--history", "--json"])
        .ok()
        .json();
    assert_eq!(json["changes"][1]["edits"][0]["before"], "13812345678");
    assert_eq!(json["kind"], "household");

    let id = visit(&world, &["zjg", "血压高"]);
    let told = world
        .at("d", &["走访", "查看", &id, "--history"])
        .ok()
        .stdout;
    assert!(told.contains("血压高"), "{told}");
    let ticket = world
        .at("d", &["ticket", "open", "zjg", "修路灯", "--json"])
        .ok()
        .json();
    let code = ticket["code"].as_str().unwrap();
    let told = world
        .at("d", &["ticket", "show", code, "--history"])
        .ok()
        .stdout;
    assert!(told.contains("提交 · 李梅"), "{told}");
    let report = world
        .at("d", &["report", "zjg", "水管爆", "--json"])
        .ok()
        .json();
    let id = report["id"].as_str().unwrap();
    let told = world
        .at("d", &["report", "show", id, "--history"])
        .ok()
        .stdout;
    assert!(told.contains("水管爆"), "{told}");
}

#[test]
fn every_list_leaves_as_a_file_without_a_name_a_number_or_a_door() {
    let world = World::new();
    world.home_with_households("d");
    visit(&world, &["zjg", "血压高，女儿13911112222", "--keep-note"]);
    world.at("d", &["report", "zjg", "=1+1"]).ok();
    world.at("d", &["ticket", "open", "zjg", "修路灯"]).ok();
    let lists: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("h.csv", ["household", "list"].as_slice()),
        ("v.csv", &["visit", "list"]),
        ("r.csv", &["report", "list"]),
        ("t.csv", &["ticket", "list"]),
        ("d.csv", &["visit", "due"]),
    ]);
    for (name, list) in lists {
        let path = world.path(name).display().to_string();
        let args = [list, &["--out", &path, "--reason", "check", "--json"]].concat();
        let told = world.at("d", &args).ok().json();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with('\u{feff}'), "{name}");
        assert_eq!(
            text.lines().count() as u64,
            1 + told["rows"].as_u64().unwrap()
        );
        for hidden in ["张建国", "13812345678", "13911112222", "3-12"] {
            assert!(!text.contains(hidden), "{name} {hidden}: {text}");
        }
    }
    let text = std::fs::read_to_string(world.path("h.csv")).unwrap();
    assert!(
        text.contains("3组,张**,") && text.contains("138****5678"),
        "{text}"
    );
    let text = std::fs::read_to_string(world.path("r.csv")).unwrap();
    assert!(text.contains(",'=1+1,"), "{text}");
}

#[test]
fn a_workbook_opens_and_a_file_that_is_there_stays() {
    let world = World::new();
    world.home_with_households("d");
    let path = world.path("名单.xlsx").display().to_string();
    let list = ["住户", "列表", "--out", &path, "--reason", "核对信息"];
    world.at("d", &list).ok();
    let bytes = std::fs::read(&path).unwrap();
    assert!(bytes.starts_with(b"PK"));
    let error = world
        .at("d", &["household", "list", "--out", &path, "--json"])
        .ends(1)
        .error();
    assert_eq!(error["kind"], "file_exists");
    world
        .at(
            "d",
            &[
                "household",
                "list",
                "--area",
                GRID,
                "--out",
                &path,
                "--force",
                "--reason",
                "check",
            ],
        )
        .ok();
    let error = world
        .at("d", &["household", "list", "--out", "list.pdf", "--json"])
        .ends(2)
        .error();
    assert_eq!(error["kind"], "bad_value");
}
