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
