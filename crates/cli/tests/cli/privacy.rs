//! What a desk and a worker elsewhere never read unasked, and what asking leaves behind.

use serde_json::Value;

use crate::world::{GRID, Out, TOWNSHIP, World};

/// A family nobody else is called, lives, was born or can be called like.
const FAMILY: &str = r#"{"door":"7-4471","phone":"13987650001","note":"女儿电话13987650004","keep":true,"members":[{"name":"冉龙凤","relation":"02","birth":"1941-03","phone":"13987650002","note":"备用13987650005"},{"name":"苟玉容","relation":"配偶","birth":"1944-07","phone":"0818-6250003"}]}"#;
const CANARIES: [&str; 13] = [
    "冉龙凤",
    "苟玉容",
    "雍世华",
    "4471",
    "4472",
    "13987650001",
    "13987650002",
    "6250003",
    "13987650004",
    "13987650005",
    "13987650006",
    "1941-03",
    "1944-07",
];

/// A worker's home and a township desk that holds the same.
fn desk() -> (World, crate::world::Relay) {
    let world = World::new();
    let relay = world.relay();
    world.enroll(&relay, "李梅", "worker", &[GRID]);
    world.enroll(&relay, "周文", "township", &[TOWNSHIP]);
    let file = world.write("family.jsonl", FAMILY);
    world
        .at("李梅", &["household", "add", "--from", &file])
        .ok();
    world
        .at("李梅", &["visit", "7-4471", "血压高", "@明天"])
        .ok();
    world
        .at(
            "李梅",
            &[
                "report",
                "水管爆",
                "--area",
                GRID,
                "--requester",
                "雍世华",
                "--contact",
                "13987650006",
            ],
        )
        .ok();
    world
        .at("李梅", &["ticket", "open", "7-4471", "修路灯"])
        .ok();
    world.at("李梅", &["sync"]).ok();
    world.at("周文", &["sync"]).ok();
    (world, relay)
}

fn first_id(out: Out) -> String {
    out.ok().json()[0]["id"].as_str().unwrap().to_owned()
}

/// Returns the text without ids and hashes: any four digits stand in one of them sooner or later.
fn without_hashes(text: &str) -> String {
    let is_hex = |sign: char| sign.is_ascii_digit() || ('a'..='f').contains(&sign);
    let mut kept = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let run = match is_hex(first) {
            true => rest.find(|sign| !is_hex(sign)).unwrap_or(rest.len()),
            false => rest.find(is_hex).unwrap_or(rest.len()),
        };
        let (word, behind) = rest.split_at(run);
        let is_hash = is_hex(first)
            && (run >= 16 || run >= 8 && word.chars().any(|sign| sign.is_ascii_lowercase()));
        kept.push_str(if is_hash { "#" } else { word });
        rest = behind;
    }
    kept
}

#[track_caller]
fn hides_all(out: &Out, what: &str) {
    let shown = without_hashes(&format!("{}{}", out.stdout, out.stderr));
    for canary in CANARIES {
        assert!(!shown.contains(canary), "{what} shows {canary}: {shown}");
    }
}

#[test]
fn no_command_at_a_desk_shows_a_resident_in_either_language_or_form() {
    let (world, _relay) = desk();
    let household = first_id(world.at("周文", &["household", "list", "--json"]));
    let visit = first_id(world.at("周文", &["visit", "list", "--json"]));
    let report = first_id(world.at("周文", &["report", "list", "--json"]));
    let ticket = first_id(world.at("周文", &["ticket", "list", "--json"]));
    let twin = world
        .at(
            "周文",
            &[
                "household",
                "add",
                "冉龙凤",
                "--door",
                "7-4472",
                "--grid",
                GRID,
                "--phone",
                "13987650001",
                "--json",
            ],
        )
        .ok()
        .json();
    let twin = twin["id"].as_str().unwrap().to_owned();
    // A change of the desk's own, and a conflict with the worker's.
    world
        .at(
            "周文",
            &["household", "edit", &household, "--phone", "13987650002"],
        )
        .ok();
    world
        .at(
            "李梅",
            &["household", "edit", "7-4471", "--phone", "13987650005"],
        )
        .ok();
    let roster = "户主,门牌号,联系电话,与户主关系\n冉龙凤,七组4471号,1398765000,户主\n苟玉容,七组4471号,13987650002/13987650005,某某关系\n";
    let file = world.write("r.csv", roster);
    let commands: Vec<Vec<&str>> = vec![
        vec!["household", "list"],
        vec!["household", "find", "rlf"],
        vec!["household", "show", &household],
        vec!["household", "show", &household, "--access"],
        vec!["visit", "list"],
        vec!["visit", "show", &visit],
        vec!["visit", &household, "好"],
        vec!["report", "list"],
        vec!["report", "show", &report],
        vec!["ticket", "list"],
        vec!["ticket", "show", &ticket],
        vec!["ticket", "accept", &ticket],
        vec!["outbox"],
        vec!["receipts", &household],
        vec!["receipts", &visit],
        vec!["status"],
        vec!["today"],
        vec!["today", "print", &household],
        vec!["round", "list"],
        vec!["household", "show", &household, "--history"],
        vec!["visit", "show", &visit, "--history"],
        vec!["report", "show", &report, "--history"],
        vec!["ticket", "show", &ticket, "--history"],
        vec!["ticket", "slip", &ticket],
        vec!["ticket", "slip", &ticket, "--for", "resident"],
        vec!["visit", "due"],
        vec!["household", "duplicates"],
        vec!["household", "merge", &household, &twin, "--dry-run"],
        vec!["household", "need", "add", &household, "要轮椅"],
        vec!["household", "contact", "remove", &household, "9"],
        vec!["member", "edit", &household, "2", "--away"],
        vec!["member", "leave", &household, "9", "--reason", "迁出"],
        vec!["care", "set", &household, "1", "独居老人"],
        vec!["undo", "--dry-run"],
        vec!["undo"],
        vec!["people", "list"],
        vec!["unit", "list"],
        vec!["household", "import", &file, "--grid", GRID, "--dry-run"],
    ];
    let conflicts: Vec<Vec<&str>> = vec![
        vec!["conflict", "list"],
        vec!["conflict", "show", "1"],
        vec!["household", "show", &household],
        vec!["conflict", "settle", "1", "--use", "1"],
    ];
    let forms = [
        &["--lang", "zh"][..],
        &["--lang", "en"],
        &["--json"],
        &["--json=lines"],
    ];
    for form in forms {
        for command in &commands {
            let out = world.at("周文", &[&command[..], form].concat());
            assert!(!out.stderr.contains("panicked"), "{}", out.stderr);
            hides_all(&out, &format!("{command:?} {form:?}"));
        }
    }
    for list in ["household", "visit", "report", "ticket"] {
        for form in ["csv", "xlsx"] {
            let to = world.path(&format!("{list}.{form}"));
            let to = to.to_str().unwrap();
            let args = [list, "list", "--out", to, "--reason", "核对信息"];
            hides_all(&world.at("周文", &args).ok(), to);
            if form == "csv" {
                let file = Out {
                    code: 0,
                    stdout: std::fs::read_to_string(to).unwrap(),
                    stderr: String::new(),
                };
                hides_all(&file, to);
            }
        }
    }
    world.at("李梅", &["sync"]).ok();
    let synced = world.at("周文", &["sync"]);
    hides_all(&synced, "sync");
    let listed = world
        .at("周文", &["conflict", "list", "--json"])
        .ok()
        .json();
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    for form in forms {
        for command in &conflicts {
            let out = world.at("周文", &[&command[..], form].concat());
            hides_all(&out, &format!("{command:?} {form:?}"));
        }
    }
}

#[test]
fn the_own_grid_reads_names_and_doors_and_a_number_by_call_only() {
    let (world, _relay) = desk();
    let shown = world
        .at("李梅", &["household", "show", "7-4471"])
        .ok()
        .stdout;
    assert!(
        shown.contains("冉龙凤") && shown.contains("7-4471"),
        "{shown}"
    );
    assert!(!shown.contains("13987650001"), "{shown}");
    // Paper is read by whoever finds it.
    for form in ["--json", "--lang=zh"] {
        let paper = world.at("李梅", &["today", "print", "7-4471", form]).ok();
        hides_all(&paper, "the sheet of the day");
    }
    let refused = world.at("李梅", &["致电", "7-4471"]).ends(2);
    assert!(refused.stderr.contains("上门服务"), "{}", refused.stderr);
    assert!(!refused.stderr.contains("13987650001"));
    world
        .at("李梅", &["call", "7-4471", "--reason", "看看"])
        .ends(2);
    let none = ["household", "show", "7-4471", "--access", "--json"];
    let before = world.at("李梅", &none).ok().json();
    assert_eq!(before["access"], Value::Array(Vec::new()));

    let called = ["call", "7-4471", "--reason", "上门服务", "--json"];
    let numbers = world.at("李梅", &called).ok().json();
    assert_eq!(numbers["numbers"][0]["phone"], "13987650001");
    let after = world.at("李梅", &none).ok().json();
    assert_eq!(after["access"][0]["what"], "call");
    assert_eq!(after["access"][0]["why"], "visit");
    assert!(!after.to_string().contains("13987650001"));
}

#[test]
fn a_desk_that_says_why_reads_all_and_the_worker_sees_who_looked() {
    let (world, _relay) = desk();
    let household = first_id(world.at("周文", &["household", "list", "--json"]));
    let reveal = ["household", "show", &household, "--reveal"];
    let refused = world.at("周文", &reveal).ends(2);
    assert!(refused.stderr.contains("核对信息"), "{}", refused.stderr);
    hides_all(&refused, "a reveal without a reason");
    let with_id = [&reveal[..], &["--reason", "核对511799196709039075这个号"]].concat();
    let refused = world.at("周文", &with_id).ends(4);
    hides_all(&refused, "a reveal with a number as reason");

    let because = [&reveal[..], &["--reason", "核对低保名单"]].concat();
    for form in [&["--json"][..], &["--lang", "en"]] {
        let shown = world.at("周文", &[&because[..], form].concat()).ok().stdout;
        for canary in ["冉龙凤", "4471", "13987650001", "1941-03", "13987650004"] {
            assert!(shown.contains(canary), "{canary}: {shown}");
        }
    }
    world.at("周文", &["sync"]).ok();
    world.at("李梅", &["sync"]).ok();
    let seen = world
        .at("李梅", &["household", "show", "7-4471", "--access"])
        .ok()
        .stdout;
    assert!(
        seen.contains("周文") && seen.contains("核对低保名单"),
        "{seen}"
    );

    let report = first_id(world.at("周文", &["report", "list", "--json"]));
    let shown = world
        .at(
            "周文",
            &["report", "show", &report, "--reveal", "--reason", "errand"],
        )
        .ok()
        .stdout;
    assert!(
        shown.contains("雍世华") && shown.contains("13987650006"),
        "{shown}"
    );
    world.at("周文", &["sync"]).ok();
}

#[test]
fn who_told_in_confidence_is_read_by_the_author_and_a_desk_that_says_why() {
    let (world, _relay) = desk();
    world
        .at(
            "李梅",
            &[
                "report",
                "7-4471",
                "邻居占道",
                "--identity",
                "实名保密",
                "--requester",
                "雍世华",
                "--contact",
                "13987650006",
            ],
        )
        .ok();
    let report = first_id(world.at("李梅", &["report", "list", "--json"]));
    let opened = world
        .at(
            "李梅",
            &[
                "ticket",
                "open",
                "占道",
                "--area",
                GRID,
                "--report",
                &report,
                "--requester",
                "雍世华",
                "--json",
            ],
        )
        .ok()
        .json();
    assert_eq!(opened["identity"], "confidential");
    assert_eq!(opened["requester"], "雍世华");
    world.at("李梅", &["sync"]).ok();
    // A colleague of the same grid, and the desk, see what happened and not who told.
    world.enroll(&_relay, "陈强", "worker", &[GRID]);
    let ticket = opened["id"].as_str().unwrap();
    for home in ["陈强", "周文"] {
        world.at(home, &["sync"]).ok();
        for command in [
            vec!["report", "list"],
            vec!["report", "show", &report],
            vec!["ticket", "list"],
            vec!["ticket", "show", ticket],
        ] {
            for form in [&["--json"][..], &["--lang", "zh"]] {
                let shown = world.at(home, &[&command[..], form].concat()).ok().stdout;
                // Another report of the list names him openly; a desk reads it masked.
                if command[1] == "show" || home == "周文" {
                    assert!(!shown.contains("雍世华"), "{home} {command:?}: {shown}");
                    assert!(!shown.contains("13987650006"), "{home}: {shown}");
                }
            }
        }
        let row = world
            .at(home, &["report", "show", &report, "--json"])
            .ok()
            .json();
        assert_eq!(row["household"], Value::Null, "{row}");
    }
    let reveal = ["--reveal", "--reason", "办理业务", "--json"];
    let show = ["report", "show", &report];
    let desk = world.at("周文", &[&show[..], &reveal].concat()).ok().json();
    assert_eq!(desk["requester"], "雍世华");
    let colleague = world.at("陈强", &[&show[..], &reveal].concat()).ok().json();
    assert_eq!(colleague["requester"], "");
    let called = world
        .at("陈强", &["call", &report, "--reason", "visit"])
        .ends(1);
    assert!(!called.stderr.contains("13987650006"));
}

#[test]
fn nobody_is_named_in_an_anonymous_report_and_no_link_is_kept() {
    let (world, _relay) = desk();
    let anonymous = ["report", "7-4471", "占道", "--identity", "匿名"];
    let named = [&anonymous[..], &["--requester", "雍世华"]].concat();
    let refused = world.at("李梅", &named).ends(2);
    assert!(!refused.stderr.contains("雍世华"), "{}", refused.stderr);
    let made = world
        .at("李梅", &[&anonymous[..], &["--json"]].concat())
        .ok()
        .json();
    assert_eq!(made["identity"], "anonymous");
    assert_eq!(made["household"], Value::Null);
    assert_eq!(made["area"], GRID);
}

#[test]
fn a_restricted_report_reaches_the_township_and_never_whom_it_is_about() {
    let (world, relay) = desk();
    world.enroll(&relay, "陈强", "worker", &[GRID]);
    world.enroll(&relay, "吴主任", "station", &["511724103202"]);
    let words = ["report", "7-4471", "听到打孩子", "--json"];
    let hint = world.at("李梅", &words).ends(4);
    assert!(hint.stderr.contains("restricted"), "{}", hint.stderr);
    world.at("李梅", &["sync"]).ok();
    let restricted = [&words[..], &["--restricted", "--about", "陈强"]].concat();
    let made = world.at("李梅", &restricted).ok().json();
    assert_eq!(made["household"], Value::Null);
    let id = made["id"].as_str().unwrap();
    world.at("李梅", &["sync"]).ok();
    for (home, code) in [("周文", 0), ("陈强", 1), ("吴主任", 1)] {
        world.at(home, &["sync"]).ok();
        world.at(home, &["report", "show", id]).ends(code);
    }
    // A ticket from it stays as near, and is not given to whom it is about.
    let opened = world
        .at(
            "周文",
            &[
                "ticket", "open", "核实", "--area", GRID, "--report", id, "--json",
            ],
        )
        .ok()
        .json();
    let ticket = opened["id"].as_str().unwrap();
    world.at("周文", &["ticket", "accept", ticket]).ok();
    for to in ["陈强", GRID] {
        let refused = world
            .at("周文", &["ticket", "assign", ticket, "--to", to])
            .ends(4);
        assert!(refused.stderr.contains("12345"), "{}", refused.stderr);
    }
    world
        .at("周文", &["ticket", "assign", ticket, "--to", "吴主任"])
        .ok();
    world.at("周文", &["sync"]).ok();
    for (home, code) in [("吴主任", 0), ("陈强", 1)] {
        world.at(home, &["sync"]).ok();
        world.at(home, &["ticket", "show", ticket]).ends(code);
    }
    world
        .at(
            "李梅",
            &[
                "report",
                "x",
                "听到打孩子",
                "--restricted",
                "--about",
                "李梅",
                "--area",
                GRID,
            ],
        )
        .ends(4);
}

#[test]
fn a_complaint_about_a_colleague_is_not_taken_and_the_numbers_are_shown() {
    let (world, _relay) = desk();
    for subject in ["反映网格员态度差", "周文不给办"] {
        let refused = world
            .at(
                "李梅",
                &["ticket", "open", subject, "--area", GRID, "--kind", "投诉"],
            )
            .ends(4);
        assert!(refused.stderr.contains("12345"), "{}", refused.stderr);
    }
    let crime = world
        .at("李梅", &["report", "有人贩毒", "--area", GRID])
        .ends(4);
    assert!(crime.stderr.contains("110"), "{}", crime.stderr);
    let listed = world.at("李梅", &["ticket", "list", "--json"]).ok().json();
    assert_eq!(listed.as_array().unwrap().len(), 1);
}

#[test]
fn a_restricted_ticket_is_not_given_to_the_unit_of_whom_it_is_about() {
    let (world, relay) = desk();
    for unit in ["水务站", "供电所"] {
        world
            .at("周文", &["unit", "add", unit, "--area", TOWNSHIP])
            .ok();
    }
    let invite = [
        "relay",
        "invite",
        "--name",
        "刘站长",
        "--role",
        "unit",
        "--unit",
        "水务站",
        "--json",
    ];
    let invited = world.at("relay", &invite).ok().json();
    let code = invited["code"].as_str().unwrap();
    world
        .at("刘站长", &["enroll", code, "--relay", &relay.url()])
        .ok();
    world.at("周文", &["sync"]).ok();
    let report = [
        "report",
        "x",
        "听到打孩子",
        "--restricted",
        "--about",
        "刘站长",
        "--area",
        GRID,
        "--json",
    ];
    let made = world.at("周文", &report).ok().json();
    let id = made["id"].as_str().unwrap();
    let open = [
        "ticket", "open", "核实", "--area", GRID, "--report", id, "--json",
    ];
    let opened = world.at("周文", &open).ok().json();
    let ticket = opened["id"].as_str().unwrap();
    world.at("周文", &["ticket", "accept", ticket]).ok();
    let assign = ["ticket", "assign", ticket];
    for given in [
        vec!["--to", "水务站"],
        vec!["--to", "供电所", "--with", "水务站"],
        vec!["--to", "供电所", "--copy", "水务站"],
    ] {
        let refused = world
            .at("周文", &[&assign[..], &given[..]].concat())
            .ends(4);
        assert!(refused.stderr.contains("12345"), "{}", refused.stderr);
    }
    let other = [&assign[..], &["--to", "供电所"]].concat();
    world.at("周文", &other).ok();
}
