//! Bulk writes: JSON lines from a file or stdin, all or nothing per line.

use crate::world::World;

#[test]
fn each_kind_is_recorded_from_lines() {
    let world = World::new();
    world.home("d");
    let households = world.write(
        "h.jsonl",
        "{\"door\":\"3组12号\",\"members\":[{\"name\":\"张建国\",\"relation\":\"户主\"}]}\n\n{\"door\":\"3-13\",\"members\":[{\"name\":\"王小明\"}]}\n",
    );
    let report = world
        .at("d", &["household", "add", "--from", &households, "--json"])
        .ok()
        .json();
    assert_eq!(
        (&report["recorded"], &report["unchanged"]),
        (&2.into(), &0.into())
    );
    assert_eq!(report["ids"].as_array().unwrap().len(), 2);
    let again = world
        .at("d", &["household", "add", "--from", &households, "--json"])
        .ok()
        .json();
    assert_eq!(
        (&again["recorded"], &again["unchanged"]),
        (&0.into(), &2.into())
    );
    let visits = "{\"household\":\"zjg\",\"no_change\":true}\n{\"household\":\"3-13\",\"met\":\"无人在家\",\"on\":\"2026-11-01\"}\n";
    let report = world
        .at_with("d", &["visit", "add", "--from", "-", "--json"], visits)
        .ok()
        .json();
    assert_eq!(report["recorded"], 2);
    let reports = "{\"household\":\"zjg\",\"text\":\"水管爆\",\"category\":\"D05\"}\n";
    assert_eq!(
        world
            .at_with("d", &["report", "add", "--from", "-", "--json"], reports)
            .ok()
            .json()["recorded"],
        1
    );
    let tickets = "{\"household\":\"zjg\",\"subject\":\"修路灯\",\"kind\":\"求助\"}\n";
    assert_eq!(
        world
            .at_with("d", &["ticket", "open", "--from", "-", "--json"], tickets)
            .ok()
            .json()["recorded"],
        1
    );
    let counts = &world.at("d", &["status", "--json"]).ok().json()["counts"];
    assert_eq!(
        [
            &counts["households"],
            &counts["visits"],
            &counts["reports"],
            &counts["tickets"]
        ],
        [2, 2, 1, 1].map(serde_json::Value::from).each_ref(),
    );
}

#[test]
fn a_bad_line_is_named_and_costs_no_other() {
    let world = World::new();
    world.home_with_households("d");
    let lines = "{\"household\":\"zjg\",\"no_change\":true}\nnot json\n{\"household\":\"zjg\",\"met\":\"ghost\"}\n{\"household\":\"nobody\"}\n{\"household\":\"zjg\",\"colour\":1}\n{\"household\":\"3-13\"}\n";
    let file = world.write("v.jsonl", lines);
    let report = world
        .at("d", &["visit", "add", "--from", &file, "--json"])
        .ends(3)
        .json();
    assert_eq!(report["recorded"], 2);
    let refused: Vec<(u64, &str)> = report["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            (
                line["line"].as_u64().unwrap(),
                line["reason"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        refused,
        [(2, "json"), (3, "value"), (4, "not_found"), (5, "json")]
    );
    let human = world
        .at("d", &["走访", "新增", "--from", &file])
        .ends(3)
        .stdout;
    assert!(human.contains("第 3 行"), "{human}");
}

#[test]
fn a_line_that_is_no_object_and_a_household_nobody_could_find_are_refused() {
    let world = World::new();
    world.home("d");
    let lines = "[]\n{\"members\":[]}\n{\"door\":\"3-13\"}\n";
    let report = world
        .at_with("d", &["household", "add", "--from", "-", "--json"], lines)
        .ends(3)
        .json();
    assert_eq!(report["recorded"], 1);
    assert_eq!(report["refused"].as_array().unwrap().len(), 2);
}

#[test]
fn a_line_in_another_encoding_costs_no_other() {
    let world = World::new();
    world.home("d");
    let file = world.path("lines.jsonl");
    let lines = b"{\"door\":\"3-13\"}\n{\"door\":\"\xff\"}\n{\"door\":\"3-15\"}\n";
    std::fs::write(&file, lines).unwrap();
    let file = file.to_str().unwrap();
    let report = world
        .at("d", &["household", "add", "--from", file, "--json"])
        .ends(3)
        .json();
    assert_eq!(
        (&report["recorded"], &report["refused"][0]["line"]),
        (&2.into(), &2.into())
    );
}

#[test]
fn why_a_line_was_refused_is_said_in_the_language() {
    let world = World::new();
    world.home("d");
    let line = "{\"door\":\"3-13\",\"phone\":\"12\"}\n";
    let add = ["household", "add", "--from", "-"];
    let zh = world.at_with("d", &add, line).ends(3).stdout;
    assert!(
        zh.contains("电话") && zh.contains("应为") && !zh.contains("digits"),
        "{zh}"
    );
    let en = [&add[..], &["--lang", "en"]].concat();
    assert!(
        world
            .at_with("d", &en, line)
            .ends(3)
            .stdout
            .contains("11 digits")
    );
}
