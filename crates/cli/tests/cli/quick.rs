//! Thirty seconds in a terminal.

use crate::world::World;

fn day(text: &str) -> chrono::NaiveDate {
    text.parse().unwrap()
}

#[test]
fn the_short_forms_record_a_visit() {
    let world = World::new();
    world.home_with_households("d");
    let fine = world.at("d", &["走访", "zjg", "好", "--json"]).ok().json();
    assert_eq!(
        (&fine["head"], &fine["no_change"], &fine["met"]),
        (&"张建国".into(), &true.into(), &"person".into())
    );
    let nobody = world
        .at("d", &["走访", "３－１２", "无人", "--json"])
        .ok()
        .json();
    assert_eq!(nobody["met"], "nobody");
    let note = world
        .at("d", &["走访", "zjg", "血压高", "@周五", "--json"])
        .ok()
        .json();
    assert_eq!(note["note"], "血压高");
    let (on, next) = (
        note["happened_on"].as_str().unwrap(),
        note["follow_up_on"].as_str().unwrap(),
    );
    let ahead = (day(next) - day(on)).num_days();
    assert!((1..=7).contains(&ahead), "{on} {next}");
    assert_eq!(day(next).format("%a").to_string(), "Fri");
    let english = world
        .at(
            "d",
            &[
                "visit", "add", "zjg", "fine", "phone", "--lang", "en", "--json",
            ],
        )
        .ok()
        .json();
    assert_eq!(
        (&english["mode"], &english["no_change"]),
        (&"phone".into(), &true.into())
    );
    assert_eq!(
        world
            .at("d", &["visit", "list", "zjg", "--json"])
            .ok()
            .json()
            .as_array()
            .unwrap()
            .len(),
        4
    );
    assert_eq!(
        world
            .at("d", &["visit", "list", "--limit", "２", "--json"])
            .ok()
            .json()
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn a_plus_word_opens_a_ticket_in_the_same_go() {
    let world = World::new();
    world.home_with_households("d");
    let visit = world
        .at(
            "d",
            &["走访", "zjg", "代办养老认证", "@明天", "+代办", "--json"],
        )
        .ok()
        .json();
    let code = visit["ticket"]["code"].as_str().unwrap();
    let ticket = world
        .at("d", &["ticket", "show", code, "--json"])
        .ok()
        .json();
    assert_eq!(
        (&ticket["kind"], &ticket["subject"]),
        (&"errand".into(), &"代办养老认证".into())
    );
    assert_eq!(ticket["household"], visit["household"]);
    let human = world
        .at("d", &["走访", "zjg", "想修厕所", "＋求助"])
        .ok()
        .stdout;
    assert!(human.contains("工单"), "{human}");
    let tickets = world.at("d", &["ticket", "list", "--json"]).ok().json();
    assert!(
        tickets
            .as_array()
            .unwrap()
            .iter()
            .any(|ticket| ticket["kind"] == "help"),
        "{tickets}"
    );
}

#[test]
fn a_word_that_is_no_ticket_kind_records_no_half_of_it() {
    let world = World::new();
    world.home_with_households("d");
    world.at("d", &["走访", "zjg", "想修厕所", "+胡说"]).ends(2);
    assert_eq!(
        world.at("d", &["visit", "list", "--json"]).ok().json(),
        serde_json::json!([])
    );
}

#[test]
fn the_bare_loop_takes_answers_and_whole_lines_from_a_pipe() {
    let world = World::new();
    world.home_with_households("d");
    let typed = "zjg\n1\n3-13\n2\nzjg\n3\n血压高 @明天\n\n3-13 好\nzjg\n\nq\nzjg 好\n";
    let out = world.at_with("d", &["走访", "--json=lines"], typed).ok();
    let visits: Vec<serde_json::Value> = out
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(visits.len(), 4, "{}", out.stdout);
    assert_eq!(visits[0]["no_change"], true);
    assert_eq!(visits[1]["met"], "nobody");
    assert_eq!(visits[2]["note"], "血压高");
    assert!(visits[2]["follow_up_on"].is_string());
    assert_eq!(visits[3]["head"], "王小明");
}

#[test]
fn a_household_nobody_knows_costs_one_line_of_the_loop() {
    let world = World::new();
    world.home_with_households("d");
    let out = world
        .at_with("d", &["visit"], "nobody-there 好\nzjg 好\n")
        .ends(3);
    assert!(out.stderr.contains("nobody-there"), "{}", out.stderr);
    assert_eq!(
        world
            .at("d", &["visit", "list", "--json"])
            .ok()
            .json()
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_report_takes_free_words() {
    let world = World::new();
    world.home_with_households("d");
    let report = world
        .at(
            "d",
            &["上报", "zjg", "水管爆", "--source", "电话", "--json"],
        )
        .ok()
        .json();
    assert_eq!(
        (&report["text"], &report["source"]),
        (&"水管爆".into(), &"电话".into())
    );
    assert!(report["household"].is_string());
    let place = world
        .at(
            "d",
            &[
                "上报",
                "桥头路灯不亮",
                "--category",
                "路灯",
                "--urgency",
                "p1",
                "--json",
            ],
        )
        .ok()
        .json();
    assert_eq!(
        (&place["household"], &place["urgency"]),
        (&serde_json::Value::Null, &"P1".into())
    );
    assert_eq!(place["category"], "D01");
    world
        .at("d", &["上报", "zjg", "沟堵了", "--handled", "已疏通"])
        .ok();
    let reports = world.at("d", &["report", "list", "--json"]).ok().json();
    assert_eq!(reports.as_array().unwrap().len(), 3);
    let id = report["id"].as_str().unwrap();
    let shown = world.at("d", &["上报", "查看", id]).ok().stdout;
    assert!(
        shown.contains("水管爆") && shown.contains("龙台村001网格"),
        "{shown}"
    );
}

#[test]
fn bare_wangge_without_a_terminal_is_help_on_stderr() {
    let world = World::new();
    let out = world.run(&[]).ends(2);
    assert!(out.stdout.is_empty());
    assert!(out.stderr.contains("走访"), "{}", out.stderr);
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let world = World::new();
    let mut command = world.command();
    command
        .args(["area", "list", "--json=lines"])
        .stdout(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_household_alone_records_no_visit() {
    let world = World::new();
    world.home_with_households("d");
    let refused = world.at("d", &["走访", "zjg"]).ends(2);
    assert!(
        refused.stderr.contains("没有记下走访"),
        "{}",
        refused.stderr
    );
    let list = world.at("d", &["visit", "list", "--json"]).ok().json();
    assert_eq!(list.as_array().unwrap().len(), 0);
}

#[test]
fn a_visit_and_its_ticket_are_one_action_and_are_taken_back_together() {
    let world = World::new();
    world.home_with_households("d");
    let visit = world
        .at("d", &["走访", "zjg", "养老认证", "+代办", "--json"])
        .ok()
        .json();
    let id = visit["id"].as_str().unwrap();
    let shown = world.at("d", &["visit", "show", id, "--json"]).ok().json();
    assert_eq!(shown["ticket"]["code"], visit["ticket"]["code"]);
    world.at("d", &["undo"]).ok();
    let visits = world.at("d", &["visit", "list", "--json"]).ok().json();
    let tickets = world.at("d", &["ticket", "list", "--json"]).ok().json();
    assert_eq!(visits.as_array().unwrap().len(), 0);
    assert_eq!(tickets[0]["status"], "withdrawn");
}

#[test]
fn a_door_is_never_taken_for_a_longer_one() {
    let world = World::new();
    world.home("d");
    world
        .at("d", &["household", "add", "陈一", "--door", "3-124"])
        .ok();
    for door in ["3-12", "12"] {
        let out = world.at("d", &["走访", door, "无人"]).ends(1);
        assert!(out.stderr.contains("3-124"), "{}", out.stderr);
    }
    world.at("d", &["走访", "3-124", "无人"]).ok();
    let visits = world.at("d", &["visit", "list", "--json"]).ok().json();
    assert_eq!(visits.as_array().unwrap().len(), 1);
}

#[test]
fn nobody_is_well_where_nobody_was_met() {
    let world = World::new();
    world.home_with_households("d");
    world.at("d", &["走访", "zjg", "好", "无人"]).ends(2);
    world
        .at("d", &["走访", "zjg", "好", "--follow-up", "2020-01-01"])
        .ends(2);
    let visits = world.at("d", &["visit", "list", "--json"]).ok().json();
    assert_eq!(visits.as_array().unwrap().len(), 0);
}

#[test]
fn an_empty_variable_names_no_home_and_the_program_alone_shows_today() {
    let world = World::new();
    world.home_with_households("d");
    let home = world.path("d");
    let mut command = world.command();
    command.env("WANGGE_HOME", "").arg("--home").arg(&home);
    assert!(command.arg("status").status().unwrap().success());
    let mut bare = world.command();
    let out = bare.env("WANGGE_HOME", &home).output().unwrap();
    assert_eq!(out.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&out.stdout).contains("李梅"));
}
