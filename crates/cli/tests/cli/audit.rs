//! What an operator is told of what was done at a relay.

use serde_json::Value;

use crate::world::{GRID, World};

fn list(world: &World, more: &[&str]) -> Vec<Value> {
    let args = [&["relay", "audit", "list", "--json"], more].concat();
    let rows = world.at("relay", &args).ok().json();
    rows.as_array().unwrap().clone()
}

#[test]
fn an_operator_sees_who_did_what_and_a_look_at_what_is_hidden_among_it() {
    let world = World::new();
    let relay = world.relay();
    world.enroll(&relay, "li", "worker", &[GRID]);
    let add = ["household", "add", "张建国", "--door", "3-12"];
    world.at("li", &add).ok();
    let look = ["household", "show", "3-12", "--reveal", "--reason", "visit"];
    world.at("li", &look).ok();
    world.at("li", &["sync"]).ok();
    let rows = list(&world, &[]);
    let did: Vec<(&str, &str)> = rows
        .iter()
        .map(|row| {
            (
                row["what"].as_str().unwrap(),
                row["who_kind"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        did,
        [
            ("began", "operator"),
            ("invited", "operator"),
            ("invitation_used", "device"),
            ("granted", "device"),
            ("looked", "device"),
        ]
    );
    assert_eq!(rows[4]["who"], rows[3]["who"], "it is Li who looked");
    assert_eq!(rows[4]["about_kind"], "document");
    let shown = world.at("relay", &["relay", "audit", "list"]).ok().stdout;
    assert!(
        shown.contains("查看隐藏内容") && !shown.contains("张建国"),
        "{shown}"
    );

    assert_eq!(list(&world, &["--since", "今天"]).len(), rows.len());
    assert!(list(&world, &["--since", "2099-01-01"]).is_empty());
    let args = ["relay", "audit", "list", "--since", "甲"];
    world.at("relay", &args).ends(2);
    let whole = world.at("relay", &["relay", "audit", "verify", "--json"]);
    let whole = whole.ok().json();
    assert_eq!((&whole["rows"], &whole["fault"]), (&5.into(), &Value::Null));
}

#[test]
fn a_list_leaves_as_a_file_only_with_a_reason_that_its_residents_can_be_told() {
    let world = World::new();
    let relay = world.relay();
    world.enroll(&relay, "li", "worker", &[GRID]);
    for (name, door) in [("张建国", "3-12"), ("王秀英", "3-13")] {
        let add = ["household", "add", name, "--door", door];
        world.at("li", &add).ok();
    }
    world.at("li", &["visit", "3-12", "ok"]).ok();
    let file = world.path("x.csv");
    let out = file.display().to_string();
    let lists = [["household", "list"], ["visit", "list"], ["visit", "due"]];
    for list in lists {
        let args = [&list[..], &["--out", &out]].concat();
        let said = world.at("li", &args).ends(2);
        assert!(said.stderr.contains("--reason"), "{}", said.stderr);
        let short = [&args[..], &["--reason", "x"]].concat();
        world.at("li", &short).ends(2);
        assert!(!file.exists(), "{list:?}");
    }
    let list = ["visit", "list", "--out", &out, "--reason", "errand"];
    world.at("li", &list).ok();
    assert!(file.exists());
    let all = [
        "household",
        "list",
        "--out",
        &out,
        "--force",
        "--reason",
        "check",
    ];
    world.at("li", &all).ok();
    let told = |door: &str| {
        let args = ["household", "show", door, "--access", "--json"];
        let told = world.at("li", &args).ok().json();
        let told = told["access"].as_array().unwrap().clone();
        let one = |it: &Value| format!("{} {}", it["what"], it["why"]).replace('"', "");
        told.iter().map(one).collect::<Vec<_>>()
    };
    assert_eq!(told("3-12"), ["export check", "export errand"]);
    assert_eq!(told("3-13"), ["export check"], "it had no visit");
    world.at("li", &["sync"]).ok();
    let rows = list_of(&world, "looked");
    assert_eq!(rows.len(), 3, "the relay's operator sees that lists left");
}

#[test]
fn more_than_five_hundred_rows_leave_only_when_that_is_said() {
    let world = World::new();
    let mut text = "户主,门牌号,联系电话,与户主关系\n".to_owned();
    for n in 1..=501 {
        text.push_str(&format!("张建国,3组{n}号,,户主\n"));
    }
    world.home("d");
    let roster = world.write("roster.csv", text);
    world.at("d", &["household", "import", &roster]).ok();
    let file = world.path("x.csv");
    let out = file.display().to_string();
    let most = [
        "household",
        "list",
        "--limit",
        "500",
        "--out",
        &out,
        "--reason",
        "check",
    ];
    world.at("d", &most).ok();
    std::fs::remove_file(&file).unwrap();
    let all = ["household", "list", "--out", &out, "--reason", "check"];
    let said = world.at("d", &all).ends(2);
    assert!(
        said.stderr.contains("501") && !file.exists(),
        "{}",
        said.stderr
    );
    let all = [&all[..], &["--yes"]].concat();
    world.at("d", &all).ok();
    let lines = std::fs::read_to_string(&file).unwrap().lines().count();
    assert_eq!(lines, 502);
}

fn list_of(world: &World, what: &str) -> Vec<Value> {
    let rows = list(world, &[]).into_iter();
    rows.filter(|row| row["what"] == what).collect()
}
