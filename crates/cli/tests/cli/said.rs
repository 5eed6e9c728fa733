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
fn a_day_without_a_year_is_told_with_the_year_it_was_taken_for() {
    let world = World::new();
    world.home_with_households("d");
    let said = world.at("d", &["走访", "zjg", "头晕", "@1-2"]).ok().stdout;
    let list = world.at("d", &["visit", "list", "--json"]).ok().json();
    let day = list[0]["follow_up_on"].as_str().unwrap();
    assert!(day.ends_with("-01-02") && said.contains(day), "{said}");
}

#[test]
fn the_third_answer_of_the_loop_needs_words() {
    let world = World::new();
    world.home_with_households("d");
    let asked = world
        .at_with("d", &["visit"], "zjg\n3\n\nzjg\n3\n血压高\n")
        .ends(3);
    assert!(asked.stderr.contains("走访"), "{}", asked.stderr);
    let list = world.at("d", &["visit", "list", "--json"]).ok().json();
    let notes: Vec<&str> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v["note"].as_str().unwrap())
        .collect();
    assert_eq!(notes, ["血压高"]);
}

#[test]
fn a_visit_with_options_and_no_household_is_not_taken_for_the_loop() {
    let world = World::new();
    world.home_with_households("d");
    for args in [&["visit", "--note", "头晕"][..], &["visit", "--no-change"]] {
        assert!(
            world
                .at_with("d", args, "")
                .ends(2)
                .stderr
                .contains("哪一户")
        );
    }
    world.at_with("d", &["visit"], "").ok();
}

#[test]
fn a_month_of_birth_to_come_is_refused() {
    let world = World::new();
    world.home_with_households("d");
    let add = ["member", "add", "zjg", "--name", "张小宝", "--birth"];
    let refused = world.at("d", &[&add[..], &["2190-01"]].concat()).ends(2);
    assert!(refused.stderr.contains("2190-01"), "{}", refused.stderr);
    world.at("d", &[&add[..], &["2024-01"]].concat()).ok();
    let edit = ["member", "edit", "zjg", "张小宝", "--birth", "2190"];
    world.at("d", &edit).ends(2);
    let line = r#"{"door":"9","members":[{"name":"李四","birth":"2190-01"}]}"#;
    let file = world.write("h.jsonl", line);
    world
        .at("d", &["household", "add", "--from", &file])
        .ends(3);
}

#[test]
fn an_id_number_that_says_another_sex_or_birth_is_asked_about_first() {
    let world = World::new();
    world.home("d");
    let family = r#"{"door":"1-1","members":[{"name":"万建国","sex":"男","birth":"1939-07"}]}"#;
    let file = world.write("h.jsonl", family);
    world.at("d", &["household", "add", "--from", &file]).ok();
    let number = world.write("id", "11010519491231002X");
    let edit = ["member", "edit", "1-1", "1", "--id-number", &number];
    let refused = world.at("d", &edit).ends(2);
    for told in ["1949-12", "女", "--birth 1949-12 --sex 2"] {
        assert!(refused.stderr.contains(told), "{told}: {}", refused.stderr);
    }
    assert!(!refused.stderr.contains("11010519"), "{}", refused.stderr);
    let show = |field: &str| {
        let shown = world.at("d", &["household", "show", "1-1", "--json"]).ok();
        shown.json()["members"][0][field].clone()
    };
    assert_eq!((show("birth"), show("sex")), ("1939-07".into(), 1.into()));
    let half = [&edit[..], &["--birth", "1949-12"]].concat();
    world.at("d", &half).ends(2);
    world.at("d", &[&half[..], &["--sex", "女"]].concat()).ok();
    assert_eq!((show("birth"), show("sex")), ("1949-12".into(), 2.into()));
    assert_eq!(show("id_checked"), true);
}

#[test]
fn what_is_no_area_and_no_telephone_is_refused() {
    let world = World::new();
    world.home("d");
    world.at("d", &["area", "list", "--under", "王芳"]).ends(2);
    world.at("d", &["area", "list", "--under", "999"]).ends(2);
    world
        .at("d", &["area", "list", "--under", "511724103"])
        .ok();
    for typed in ["123", "王芳"] {
        let set = world.at("d", &["config", "set", "station_phone", typed]);
        assert!(set.ends(2).stderr.contains("电话"));
    }
    world
        .at("d", &["config", "set", "station_phone", "0818-6123456"])
        .ok();
    world
        .at("d", &["config", "set", "complaint_line", "12345"])
        .ok();
    world.at("d", &["config", "set", "station_phone", ""]).ok();
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

#[test]
fn a_day_due_before_today_is_refused() {
    let world = World::new();
    let relay = world.relay();
    world.enroll(&relay, "周文", "township", &["511724103"]);
    world.enroll(&relay, "陈强", "worker", &[GRID]);
    world.at("周文", &["sync"]).ok();
    let open = ["ticket", "open", "修路灯", "--area", GRID, "--json"];
    let ticket = world.at("周文", &open).ok().json();
    let ticket = ticket["id"].as_str().unwrap();
    world.at("周文", &["ticket", "accept", ticket]).ok();
    let assign = ["ticket", "assign", ticket, "--to", "陈强", "--due"];
    let refused = world
        .at("周文", &[&assign[..], &["2020-01-01"]].concat())
        .ends(2);
    assert!(
        refused.stderr.contains("2020-01-01") && refused.stderr.contains("今天"),
        "{}",
        refused.stderr
    );
    world
        .at("周文", &[&assign[..], &["2100-01-01"]].concat())
        .ok();
}
