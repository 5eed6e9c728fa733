//! The forms that scripts rely on, from a home without a relay to a desk that settles.

use serde_json::Value;

use crate::world::{GRID, OTHER_GRID, TOWNSHIP, World, fixture};

#[test]
fn a_home_without_a_relay_imports_a_roster_once() {
    let world = World::new();
    world.home("d");
    let args = [
        "household",
        "import",
        &fixture("roster-a.xlsx"),
        "--grid",
        GRID,
        "--json",
    ];
    let dry = [&args[..], &["--dry-run"]].concat();
    let seen = world.at("d", &dry).ends(10).json();
    assert_eq!(seen["dry_run"], true);
    assert_eq!(
        world.at("d", &["household", "list", "--json"]).ok().json(),
        serde_json::json!([])
    );

    let first = world.at("d", &args).json();
    let households = first["households"]["added"].as_u64().unwrap();
    assert!(households > 100, "{first}");
    assert!(first["people"].as_u64().unwrap() > households);
    assert!(first["refused"].is_array());
    let again = world.at("d", &args).json();
    assert_eq!(again["households"]["added"], 0);
    assert_eq!(
        again["households"]["unchanged"],
        first["households"]["added"]
    );
    let listed = world.at("d", &["household", "list", "--json"]).ok().json();
    assert_eq!(listed.as_array().unwrap().len() as u64, households);
    let lines = world
        .at("d", &["household", "list", "--json=lines"])
        .ok()
        .stdout;
    assert_eq!(lines.lines().count() as u64, households);
}

#[test]
fn a_refused_cell_is_named_and_the_import_is_partly_done() {
    let world = World::new();
    world.home("d");
    let roster =
        "户主,门牌号,联系电话,与户主关系\n张建国,三组12号,138,户主\n李芳,三组12号,,某某关系\n";
    let file = world.write("r.csv", roster);
    let report = world
        .at("d", &["household", "import", &file, "--json"])
        .ends(3)
        .json();
    assert_eq!(report["households"]["added"], 1);
    let refused = &report["refused"][0];
    for key in ["sheet", "cell", "value", "reason"] {
        assert!(refused[key].is_string(), "{report}");
    }
    let human = world.at("d", &["住户", "导入", &file]).ends(3);
    assert!(human.stdout.contains("不是电话号码"), "{}", human.stdout);
}

#[test]
fn what_was_recorded_offline_reaches_the_desk_with_receipts() {
    let world = World::new();
    let relay = world.relay();
    world.enroll(&relay, "李梅", "worker", &[GRID, OTHER_GRID]);
    world.enroll(&relay, "周文", "township", &[TOWNSHIP]);
    world
        .at(
            "李梅",
            &[
                "household",
                "add",
                "张建国",
                "--grid",
                GRID,
                "--door",
                "3-12",
            ],
        )
        .ok();
    let visit = world
        .at("李梅", &["走访", "3-12", "好", "--json"])
        .ok()
        .json();
    let id = visit["id"].as_str().unwrap();
    let before = world.at("李梅", &["receipts", id, "--json"]).ok().json();
    assert_eq!(before["all_safe"], false);

    let report = world.at("李梅", &["sync", "--json"]).ok().json();
    for key in [
        "sent",
        "received",
        "receipts",
        "round_trips",
        "bytes_up",
        "bytes_down",
        "inbox",
    ] {
        assert!(report[key].is_u64(), "{key} in {report}");
    }
    assert_eq!(report["complete"][GRID]["equal"], true, "{report}");
    assert!(report["complete"][GRID]["changes"].as_u64().unwrap() > 0);
    assert!(report["complete"][GRID]["digest"].is_string());
    let after = world.at("李梅", &["回执", id, "--json"]).ok().json();
    assert_eq!(after["all_safe"], true);
    assert!(
        after["changes"][0]["relays"][0]["position"]
            .as_u64()
            .unwrap()
            > 0
    );

    world.at("周文", &["sync"]).ok();
    assert_eq!(
        world
            .at("周文", &["visit", "show", id, "--json"])
            .ok()
            .json()["no_change"],
        true
    );
    assert_eq!(relay.end("-TERM"), Some(0));
}

#[test]
fn a_ticket_walks_from_the_worker_to_the_desk_and_back() {
    let world = World::new();
    let relay = world.relay();
    world.enroll(&relay, "李梅", "worker", &[GRID]);
    world.enroll(&relay, "陈强", "worker", &[GRID]);
    world.enroll(&relay, "周文", "township", &[TOWNSHIP]);
    world
        .at("李梅", &["household", "add", "张建国", "--door", "3-12"])
        .ok();
    let ticket = world
        .at("李梅", &["工单", "新建", "3-12", "修路灯", "--json"])
        .ok()
        .json();
    let code = ticket["code"].as_str().unwrap();
    for home in ["李梅", "陈强", "周文"] {
        world.at(home, &["sync"]).ok();
    }
    world.at("周文", &["ticket", "accept", code]).ok();
    world
        .at("周文", &["ticket", "assign", code, "--to", "陈强"])
        .ok();
    for home in ["周文", "陈强", "李梅"] {
        world.at(home, &["sync"]).ok();
    }
    // Another worker's ticket is not theirs to finish.
    assert_eq!(
        world
            .at("李梅", &["ticket", "done", code, "换了灯", "--json"])
            .ends(4)
            .error()["kind"],
        "ticket_step"
    );
    world.at("陈强", &["ticket", "start", code]).ok();
    world
        .at(
            "陈强",
            &["ticket", "done", code, "换了灯泡", "--kind", "实质"],
        )
        .ok();
    for home in ["陈强", "李梅"] {
        world.at(home, &["sync"]).ok();
    }
    world.at("李梅", &["ticket", "verify", code]).ok();
    world
        .at(
            "李梅",
            &["ticket", "answer", code, "已修好", "--how", "当面"],
        )
        .ok();
    world
        .at("李梅", &["ticket", "comment", code, "居民满意"])
        .ok();
    for home in ["李梅", "周文"] {
        world.at(home, &["sync"]).ok();
    }
    let closed = world
        .at("周文", &["ticket", "close", code, "--json"])
        .ok()
        .json();
    assert_eq!(closed["status"], "closed");
    assert_eq!(closed["answered"], true);
    let kinds: Vec<&str> = closed["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds[..5], ["submit", "accept", "assign", "start", "done"]);
    let rows = world
        .at("周文", &["ticket", "list", "--status", "closed", "--json"])
        .ok()
        .json();
    assert_eq!(rows.as_array().unwrap().len(), 1);
    let shown = world.at("周文", &["工单", "查看", code]).ok().stdout;
    assert!(
        shown.contains("已结案") && shown.contains("陈强"),
        "{shown}"
    );
}

#[test]
fn a_conflict_is_listed_with_both_values_and_settled_once() {
    let world = World::new();
    let relay = world.relay();
    for name in ["李梅", "陈强"] {
        world.enroll(&relay, name, "worker", &[GRID]);
    }
    world
        .at("李梅", &["household", "add", "张建国", "--door", "3-12"])
        .ok();
    for home in ["李梅", "陈强"] {
        world.at(home, &["sync"]).ok();
    }
    world
        .at(
            "李梅",
            &["household", "edit", "3-12", "--phone", "13800000001"],
        )
        .ok();
    world
        .at(
            "陈强",
            &["household", "edit", "3-12", "--phone", "13900000002"],
        )
        .ok();
    world.at("李梅", &["sync"]).ok();
    let synced = world.at("陈强", &["sync"]).ok();
    assert!(synced.stderr.contains("冲突"), "{}", synced.stderr);
    let conflicts = world
        .at("陈强", &["conflict", "list", "--json"])
        .ok()
        .json();
    let values: Vec<&Value> = conflicts[0]["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| &version["value"])
        .collect();
    assert_eq!(values.len(), 2, "{conflicts}");
    assert_eq!(world.at("陈强", &["status", "--check"]).ends(10).code, 10);
    world.at("陈强", &["conflict", "settle", "1"]).ends(2);
    let by_value = [
        "conflict",
        "settle",
        "3-12",
        "--field",
        "phone",
        "--value",
        "13900000002",
        "--json",
    ];
    assert_eq!(world.at("陈强", &by_value).ok().json()["conflicts_left"], 0);
    for home in ["陈强", "李梅"] {
        world.at(home, &["sync"]).ok();
    }
    assert_eq!(
        world
            .at("李梅", &["conflict", "list", "--json"])
            .ok()
            .json(),
        serde_json::json!([])
    );
    let shown = world
        .at("李梅", &["household", "show", "3-12", "--json"])
        .ok()
        .json();
    assert_eq!(shown["phone"], "13900000002");
}

#[test]
fn a_desk_reads_masked_names_and_a_worker_their_own_grid_clear() {
    let world = World::new();
    let relay = world.relay();
    world.enroll(&relay, "李梅", "worker", &[GRID]);
    world.enroll(&relay, "周文", "township", &[TOWNSHIP]);
    world
        .at(
            "李梅",
            &[
                "household",
                "add",
                "张建国",
                "--door",
                "3-12",
                "--phone",
                "13812345678",
            ],
        )
        .ok();
    world.at("李梅", &["sync"]).ok();
    world.at("周文", &["sync"]).ok();
    let own = world
        .at("李梅", &["household", "show", "zjg", "--json"])
        .ok()
        .json();
    assert_eq!(
        (&own["phone"], &own["phone_masked"]),
        (&"13812345678".into(), &"138****5678".into())
    );
    for args in [
        &["household", "list", "--json"][..],
        &["household", "show", "3-12", "--json"],
        &["household", "show", "3-12"],
        &["household", "find", "zjg"],
        &["outbox", "--json"],
    ] {
        let seen = world.at("周文", args).stdout;
        assert!(
            !seen.contains("张建国") && !seen.contains("13812345678"),
            "{seen}"
        );
        assert!(!world.at("李梅", args).stdout.contains("13812345678") || args.contains(&"show"));
    }
    // An ambiguous name lists candidates; they are masked at a desk like everything else.
    world
        .at("李梅", &["household", "add", "张建军", "--door", "3-14"])
        .ok();
    world.at("李梅", &["sync"]).ok();
    world.at("周文", &["sync"]).ok();
    let worker = world
        .at("李梅", &["household", "show", "zj"])
        .ends(1)
        .stderr;
    assert!(
        worker.contains("张建国") && worker.contains("张建军"),
        "{worker}"
    );
    let desk = world
        .at("周文", &["household", "show", "zj"])
        .ends(1)
        .stderr;
    assert!(!desk.contains("建国") && desk.contains("张**"), "{desk}");
}

#[test]
fn a_relay_lists_its_devices_and_stops_on_both_signals() {
    let world = World::new();
    let relay = world.relay();
    world.enroll(&relay, "李梅", "worker", &[GRID]);
    let devices = world
        .at("relay", &["relay", "devices", "--json"])
        .ok()
        .json();
    assert_eq!(devices[0]["name"], "李梅");
    assert_eq!(devices[0]["areas"][0], GRID);
    assert_eq!(
        world.at("relay", &["relay", "inbox", "--json"]).ok().json(),
        serde_json::json!([])
    );
    assert_eq!(relay.end("-INT"), Some(0));
}

#[test]
fn a_relay_folder_is_served_by_one_program() {
    let world = World::new();
    let relay = world.relay();
    let second = world
        .at("relay", &["relay", "serve", "--listen", "127.0.0.1:0"])
        .ends(4);
    assert!(second.stderr.contains("另一个程序"), "{}", second.stderr);
    world.enroll(&relay, "李梅", "worker", &[GRID]);
    assert_eq!(relay.end("-TERM"), Some(0));
    drop(world.relay());
}

#[test]
fn areas_are_shown_with_their_real_names_the_own_first() {
    let world = World::new();
    let all = world.run(&["area", "list", "--json"]).ok().json();
    assert_eq!(all.as_array().unwrap().len(), 356);
    let villages = world
        .run(&[
            "area",
            "list",
            "--under",
            "５１１７２４１０３",
            "--json=lines",
        ])
        .ok()
        .stdout;
    assert!(
        villages.lines().next().unwrap().contains("杨家镇"),
        "{villages}"
    );
    world.home("d");
    let own = world.at("d", &["区域", "列表", "--json"]).ok().json();
    assert_eq!(
        (&own[0]["code"], &own[0]["own"]),
        (&GRID.into(), &true.into())
    );
    assert!(own[0]["name"].as_str().unwrap().ends_with("001网格"));
}

#[test]
fn the_status_names_the_next_command() {
    let world = World::new();
    world.home("d");
    let status = world.at("d", &["status", "--json"]).ok().json();
    assert_eq!(
        status["next"],
        "wangge household import FILE.xlsx --grid CODE"
    );
    assert_eq!(status["all_safe"], false);
    let settings = world.at("d", &["config", "show", "--json"]).ok().json();
    assert_eq!(settings[0]["name"], "home");
}
