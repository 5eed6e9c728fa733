//! Who is due, settings, and clocks, as typed and as read.

use crate::world::{GRID, OTHER_GRID, World};

/// Two households: one with a care tag, one without.
fn home(world: &World) {
    world.home("li");
    let families = format!(
        "{}\n{}\n",
        r#"{"door":"3-12","members":[{"name":"张建国","birth":"1950-01","care":["独居老人"]}]}"#,
        r#"{"door":"3-13","members":[{"name":"王小明","birth":"1980-01"}]}"#
    );
    world
        .at_with("li", &["household", "add", "--from", "-"], &families)
        .ok();
}

#[test]
fn who_is_due_is_listed_with_the_reason_in_both_languages() {
    let world = World::new();
    home(&world);
    let out = world.at("li", &["走访", "到期"]).ok().stdout;
    for part in [
        "3-12",
        "张建国",
        "独居老人",
        "每月",
        "从未",
        "今天",
        "共 1 户",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let out = world
        .at("li", &["--lang", "en", "visit", "due"])
        .ok()
        .stdout;
    assert!(out.contains("monthly") && out.contains("never"), "{out}");
    let json = world.at("li", &["visit", "due", "--json"]).ok().json();
    assert_eq!(json["total"], 1);
    assert_eq!(json["incomplete"], serde_json::json!([]));
    assert_eq!(json["rows"][0]["reasons"][0]["tag"], "living_alone_elder");
    world.at("li", &["走访", "zjg", "好"]).ok();
    let json = world.at("li", &["visit", "due", "--json"]).ok().json();
    assert_eq!(json["total"], 0);
    let shown = world.at("li", &["household", "show", "zjg"]).ok().stdout;
    assert!(shown.contains("上次无变化"), "{shown}");
}

#[test]
fn a_later_day_shows_who_will_be_due_and_a_limit_shortens_the_list() {
    let world = World::new();
    home(&world);
    world
        .at("li", &["走访", "zjg", "电话", "都好", "@明天"])
        .ok();
    let on = |day: &str| {
        world
            .at("li", &["visit", "due", "--on", day, "--json"])
            .ok()
            .json()
    };
    assert_eq!(on("today")["total"], 0);
    assert_eq!(
        on("tomorrow")["rows"][0]["reasons"][0]["reason"],
        "follow_up"
    );
    world
        .at("li", &["config", "set", "round_of_all", "on"])
        .ok();
    assert_eq!(on("today")["total"], 1, "王小明 was never met");
    let one = world.at(
        "li",
        &["visit", "due", "--on", "tomorrow", "--limit", "1", "--json"],
    );
    let one = one.ok().json();
    assert_eq!(
        (one["rows"].as_array().unwrap().len(), &one["total"]),
        (1, &2.into())
    );
    let lines = world
        .at("li", &["visit", "due", "--json=lines"])
        .ok()
        .stdout;
    assert_eq!(lines.lines().count(), 1);
}

#[test]
fn an_area_that_is_not_complete_is_named_and_nothing_is_said_of_it() {
    let world = World::new();
    let relay = world.relay();
    home(&world);
    world.enroll(&relay, "li", "worker", &[GRID]);
    let out = world.at("li", &["visit", "due"]).ok().stdout;
    assert!(
        out.contains("还没有取全，先不算") && !out.contains("张建国"),
        "{out}"
    );
    let json = world.at("li", &["visit", "due", "--json"]).ok().json();
    assert_eq!(
        (&json["total"], &json["incomplete"][0]["code"]),
        (&0.into(), &GRID.into())
    );
    world.at("li", &["sync"]).ok();
    let json = world.at("li", &["visit", "due", "--json"]).ok().json();
    assert_eq!(
        (&json["total"], &json["incomplete"]),
        (&1.into(), &serde_json::json!([]))
    );
    let other = world.at("li", &["visit", "due", "--area", OTHER_GRID, "--json"]);
    assert_eq!(other.ends(4).error()["kind"], "not_your_area");
}

#[test]
fn a_setting_is_shown_with_its_origin_and_a_wrong_one_changes_nothing() {
    let world = World::new();
    world.home("li");
    let shown = |name: &str| {
        let rows = world.at("li", &["config", "show", "--json"]).ok().json();
        let rows = rows.as_array().unwrap().clone();
        let row = rows.into_iter().find(|row| row["name"] == name).unwrap();
        (row["value"].clone(), row["origin"].clone())
    };
    assert_eq!(shown("limits.P1.accept"), ("4h".into(), "default".into()));
    world
        .at("li", &["设置", "修改", "limits.P1.accept", "8", "小时"])
        .ok();
    assert_eq!(shown("limits.P1.accept"), ("8h".into(), "home".into()));
    let out = world
        .at("li", &["config", "set", "limits.P1.accept", "soon"])
        .ends(2);
    assert!(
        out.stderr.contains("时限") && out.stderr.contains("4h"),
        "{}",
        out.stderr
    );
    let out = world
        .at("li", &["--lang", "en", "config", "set", "moon", "full"])
        .ends(2);
    assert!(out.stderr.contains("config show"), "{}", out.stderr);
    assert_eq!(shown("limits.P1.accept"), ("8h".into(), "home".into()));
    world.at("li", &["config", "set", "limits.P1.accept"]).ok();
    assert_eq!(shown("limits.P1.accept"), ("4h".into(), "default".into()));
}

#[test]
fn settings_that_do_not_read_stop_what_needs_them_and_nothing_else() {
    let world = World::new();
    home(&world);
    let file = world.path("li").join("settings.json");
    std::fs::write(&file, "nonsense").unwrap();
    let out = world.at("li", &["visit", "due", "--json"]).ends(2);
    assert_eq!(out.error()["kind"], "bad_settings");
    world.at("li", &["走访", "zjg", "好"]).ok();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "nonsense");
}

#[test]
fn the_zone_of_the_machine_moves_no_day() {
    let world = World::new();
    home(&world);
    let mut days = std::collections::BTreeSet::new();
    for zone in [
        "Asia/Shanghai",
        "America/New_York",
        "Pacific/Kiritimati",
        "nonsense",
    ] {
        let mut command = world.command();
        command.env("TZ", zone).arg("--home").arg(world.path("li"));
        let out = command
            .args(["visit", "add", "zjg", "好", "--json"])
            .output()
            .unwrap();
        let visit: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        assert_eq!(visit["clock"], serde_json::Value::Null, "{visit}");
        days.insert(visit["happened_on"].to_string());
        assert_eq!(String::from_utf8_lossy(&out.stderr), "");
    }
    // Midnight may pass between two of them, hours may not.
    assert!(days.len() <= 2, "{days:?}");
}

#[test]
fn the_day_of_a_visit_is_one_that_has_been() {
    let world = World::new();
    home(&world);
    let visit = world.at(
        "li",
        &["visit", "add", "zjg", "好", "--on", "昨天", "--json"],
    );
    let yesterday = visit.ok().json()["happened_on"]
        .as_str()
        .unwrap()
        .to_owned();
    let month_day = yesterday.split_once('-').unwrap().1.to_owned();
    let visit = world.at(
        "li",
        &["visit", "add", "zjg", "好", "--on", &month_day, "--json"],
    );
    assert_eq!(visit.ok().json()["happened_on"], yesterday.as_str());
    let out = world
        .at("li", &["visit", "add", "zjg", "好", "--on", "2199-01-01"])
        .ends(2);
    assert!(out.stderr.contains("日期"), "{}", out.stderr);
}

#[test]
fn a_record_under_an_impossible_clock_is_saved_and_says_how_to_say_the_day() {
    use wangge_agent::visits::VisitInput;
    use wangge_agent::{Machine, Replica};

    let world = World::new();
    home(&world);
    let right = Machine::default().now_ms;
    let machine = Machine {
        now_ms: Box::new(move || right() + 2 * 366 * 24 * 60 * 60 * 1000),
        ..Machine::default()
    };
    let mut ahead = Replica::open(&world.path("li"), machine).unwrap();
    ahead
        .add_visit(VisitInput {
            household: "zjg".into(),
            no_change: true,
            ..VisitInput::default()
        })
        .unwrap();
    drop(ahead);
    let out = world.at("li", &["走访", "zjg", "好"]).ok();
    assert!(
        out.stdout.contains("已保存到本机") && out.stdout.contains("时钟倒退过"),
        "{}",
        out.stdout
    );
    assert!(
        out.stderr.contains("--on") && out.stderr.contains("校准"),
        "{}",
        out.stderr
    );
    let out = world.at("li", &["走访", "zjg", "好"]).ok();
    assert_eq!(out.stderr, "", "it is said once");
}

#[test]
fn the_days_summary_and_the_printed_sheet_hold_who_is_due_with_the_reason() {
    let world = World::new();
    home(&world);
    for args in [["今天"].as_slice(), ["today", "print"].as_slice()] {
        let out = world.at("li", args).ok().stdout;
        assert!(out.contains("独居老人 每月"), "{args:?}: {out}");
    }
    let paper = world.at("li", &["today", "print"]).ok().stdout;
    assert!(!paper.contains("张建国"), "paper is masked: {paper}");
}
