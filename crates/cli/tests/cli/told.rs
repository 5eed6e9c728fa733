//! What a person is told when something did not go: the words fit what happened, and the next command
//! helps.

use std::io::{Read as _, Write as _};

use crate::world::{GRID, OTHER_GRID, TOWNSHIP, World};

/// Returns the hint of a command that ended so.
#[track_caller]
fn hint(world: &World, home: &str, args: &[&str], code: i32) -> String {
    let out = world.at(home, &[&["--json"], args].concat()).ends(code);
    out.error()["hint"].as_str().unwrap().to_owned()
}

#[test]
fn what_was_not_found_is_followed_by_the_list_of_its_kind() {
    let world = World::new();
    world.home_with_households("d");
    for (args, list) in [
        (
            &["household", "show", "nobody"][..],
            "wangge household list",
        ),
        (&["visit", "nobody", "好"], "wangge household list"),
        (&["visit", "show", "ffff"], "wangge visit list"),
        (&["report", "show", "ffff"], "wangge report list"),
        (&["ticket", "show", "0001-0001-1"], "wangge ticket list"),
        (&["round", "show", "ffff"], "wangge round list"),
        (&["receipts", "ffffffffffff"], "wangge visit list"),
        (&["receipts", "0001-0001-1"], "wangge ticket list"),
        (&["fetch", "ffff"], "wangge visit list"),
        (
            &["member", "edit", "zjg", "nobody", "--sex", "女"],
            "wangge household show zjg",
        ),
        (
            &["people", "hand-over", "无此人", "--to", "李梅"],
            "wangge people list",
        ),
        (&["unit", "close", "无此部门"], "wangge unit list"),
    ] {
        assert_eq!(hint(&world, "d", args, 1), list, "{args:?}");
    }
    let told = world.at("d", &["ticket", "show", "0001-0001-1"]).ends(1);
    assert!(
        world
            .bare("d", &told.stderr)
            .contains("下一步：wangge 工单 列表"),
        "{}",
        told.stderr
    );
}

#[test]
fn a_wrong_code_sends_nobody_to_make_one_and_makes_no_relay_in_a_home() {
    let world = World::new();
    let relay = world.relay();
    world.home("d");
    let wrong = ["enroll", "0123456789", "--relay", &relay.url()];
    let told = world.at("d", &wrong).ends(4).stderr;
    assert!(told.contains("向邀请您的人再要一个"), "{told}");
    assert!(!told.contains("邀请 --name"), "{told}");
    assert_eq!(
        hint(&world, "d", &wrong, 4),
        "wangge enroll CODE --relay URL"
    );

    let invite = ["relay", "invite", "--name", "x", "--area", GRID, "--json"];
    let refused = world.at("d", &invite).ends(2);
    assert_eq!(refused.error()["kind"], "device_home");
    assert_eq!(
        world.at("typo", &invite).ends(2).error()["kind"],
        "no_relay"
    );
    let serve = ["relay", "serve", "--listen", "127.0.0.1:0", "--json"];
    assert_eq!(world.at("d", &serve).ends(2).error()["kind"], "device_home");
    assert!(!world.path("d").join("relay.db").exists());
    assert!(!world.path("typo").exists());
}

#[test]
fn a_code_alone_is_on_stdout_and_its_words_are_for_who_gets_it() {
    let world = World::new();
    let _relay = world.relay();
    let out = world
        .at(
            "relay",
            &["relay", "invite", "--name", "李梅", "--area", GRID],
        )
        .ok();
    assert_eq!(out.stdout.trim().lines().count(), 1, "{}", out.stdout);
    assert!(
        out.stderr.contains("wangge 登记 登记码 --relay 地址"),
        "{}",
        out.stderr
    );
    let below = [
        "relay",
        "invite",
        "--name",
        "假镇",
        "--role",
        "relay",
        "--area",
        "511724103202",
    ];
    let out = world.at("relay", &below).ok();
    assert!(
        out.stderr.contains("wangge 中继 加入 登记码 --relay 地址"),
        "{}",
        out.stderr
    );
    assert!(!out.stderr.contains("登记 登记码"), "{}", out.stderr);
}

#[test]
fn a_relays_code_enrols_no_device_and_a_persons_code_joins_no_relay() {
    let world = World::new();
    let county = [
        "relay",
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--level",
        "county",
        "--json",
    ];
    let above = crate::world::Relay::start_with(&world, "county", &county);
    let invite = |role: &str| {
        let args = [
            "relay", "invite", "--name", "x", "--role", role, "--area", TOWNSHIP, "--json",
        ];
        let code = world.at("county", &args).ok().json()["code"].clone();
        code.as_str().unwrap().to_owned()
    };
    let code = invite("relay");
    let enroll = ["enroll", &code, "--relay", &above.url(), "--json"];
    assert_eq!(world.at("d", &enroll).ends(4).error()["kind"], "for_relay");
    assert!(!world.path("d").exists(), "nothing was begun with it");

    drop(world.relay());
    let code = invite("township");
    let join = ["relay", "join", &code, "--relay", &above.url(), "--json"];
    assert_eq!(
        world.at("relay", &join).ends(4).error()["kind"],
        "for_device"
    );
}

#[test]
fn enrolling_without_a_link_is_done_again_and_not_synced() {
    let world = World::new();
    world.home("d");
    let enroll = ["enroll", "0123456789", "--relay", "http://127.0.0.1:9"];
    let told = world.at("d", &enroll).ends(5).stderr;
    assert!(
        told.contains("没有登记") && !told.contains("同步"),
        "{told}"
    );
    assert_eq!(
        hint(&world, "d", &enroll, 5),
        "wangge enroll CODE --relay http://127.0.0.1:9"
    );
}

#[test]
fn who_is_not_enrolled_is_told_to_enrol_by_each_command() {
    let world = World::new();
    world.home_with_households("d");
    let told = world.at("d", &["verify"]).ends(4).stderr;
    assert!(
        told.contains("还没有登记") && !told.contains("不能同步"),
        "{told}"
    );
    let shown = world.at("d", &["receipts", "zjg"]).ok().stdout;
    let shown = world.bare("d", &shown);
    assert!(shown.contains("下一步：wangge 登记"), "{shown}");
    assert!(!shown.contains("wangge 同步"), "{shown}");
}

#[test]
fn a_relay_that_takes_nothing_in_is_not_called_unreachable() {
    let world = World::new();
    let relay = world.relay();
    world.enroll(&relay, "李梅", "worker", &[GRID]);
    assert_eq!(
        hint(&world, "李梅", &["sync", "--relay", "foo"], 2),
        "wangge sync --relay https://192.168.1.5:8720"
    );
    let address = relay.address.clone();
    relay.end("-KILL");
    let listener = std::net::TcpListener::bind(&address).unwrap();
    let full = std::thread::spawn(move || {
        let (mut line, _) = listener.accept().unwrap();
        let mut asked = [0; 16 * 1024];
        assert!(line.read(&mut asked).unwrap() > 0);
        let answer =
            b"HTTP/1.1 507 Insufficient Storage\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        line.write_all(answer).unwrap();
    });
    let out = world.at("李梅", &["sync"]).ends(5);
    full.join().unwrap();
    assert!(
        out.stderr.contains("收不下") && out.stderr.contains("没有丢"),
        "{}",
        out.stderr
    );
    assert!(!out.stderr.contains("连不上"), "{}", out.stderr);
}

#[test]
fn a_home_that_does_not_open_says_which_file_and_that_nothing_is_to_be_deleted() {
    let world = World::new();
    world.home_with_households("d");
    let home = world.path("d");
    for (file, broken, kind, code) in [
        ("profile.json", Some("{\"name\":"), "home_damaged", 7),
        ("profile.json", None, "home_damaged", 7),
        ("secrets", Some("short"), "home_damaged", 7),
        ("secrets", None, "home_damaged", 7),
        ("vault.json", Some("{}"), "home_damaged", 7),
        ("vault.json", None, "home_damaged", 7),
    ] {
        let path = home.join(file);
        let sound = std::fs::read(&path).unwrap();
        match broken {
            Some(text) => std::fs::write(&path, text).unwrap(),
            None => std::fs::remove_file(&path).unwrap(),
        }
        let out = world.at("d", &["status", "--json"]).ends(code);
        assert_eq!(out.error()["kind"], kind, "{file}");
        let told = world.at("d", &["visit", "zjg", "好"]).ends(code).stderr;
        assert!(told.contains(&path.display().to_string()), "{told}");
        assert!(told.contains("不要删") && told.contains("管理员"), "{told}");
        assert!(
            !told.contains("os error") && !told.contains("EOF"),
            "{told}"
        );
        world.at("d", &["config", "show"]).ok();
        assert_eq!(
            path.exists(),
            broken.is_some(),
            "no other is made in its place"
        );
        std::fs::write(&path, sound).unwrap();
    }
    // Who may do everything is kept out by no permission: a folder stands where the lock would.
    std::fs::remove_file(home.join("lock")).unwrap();
    std::fs::create_dir(home.join("lock")).unwrap();
    let out = world.at("d", &["status", "--json"]).ends(1);
    assert_eq!(out.error()["kind"], "home_unwritable");
    let told = world.at("d", &["status"]).ends(1).stderr;
    assert!(told.contains(&home.display().to_string()), "{told}");
    assert!(!told.contains("os error"), "{told}");
    std::fs::remove_dir(home.join("lock")).unwrap();
    world.at("d", &["status"]).ok();
}

#[test]
fn a_reason_in_chinese_says_what_is_wrong_and_quotes_no_nothing() {
    let world = World::new();
    world.home_with_households("d");
    let line = r#"{"household":"zjg","met":"本人","on":"2026-11-30","follow_up_on":"2026-11-23"}"#;
    let told = world
        .at_with("d", &["visit", "add", "--from", "-"], line)
        .ends(3);
    assert!(told.stdout.contains("走访当天或以后"), "{}", told.stdout);
    let lines = "{\"household\":\"zjg\",\"x\":1}\n[1]\n{\"household\"";
    let told = world
        .at_with("d", &["visit", "add", "--from", "-"], lines)
        .ends(3);
    for (wanted, unwanted) in [
        ("没有「x」这一项", "unknown field"),
        ("每行应为一个", "a line is"),
        ("个字符处", "column"),
    ] {
        assert!(told.stdout.contains(wanted), "{}", told.stdout);
        assert!(!told.stdout.contains(unwanted), "{}", told.stdout);
    }
    let anonymous = [
        "report",
        "zjg",
        "路灯",
        "--identity",
        "匿名",
        "--contact",
        "13900000000",
    ];
    let told = world.at("d", &anonymous).ends(2).stderr;
    assert!(told.contains("请留空") && !told.contains("「」"), "{told}");
    let told = world
        .at("d", &["visit", "zjg", "好", "--on", "2031-01-01"])
        .ends(2)
        .stderr;
    assert!(told.contains("最晚明天"), "{told}");
    assert_eq!(
        hint(&world, "d", &["visit", "due", "--on", "不对"], 2),
        "wangge help visit due"
    );
    let told = world
        .at("d", &["visit", "add", "--from", "/no/such/file"])
        .ends(1)
        .stderr;
    assert!(
        told.contains("没有这个文件") && !told.contains("os error"),
        "{told}"
    );
}

#[test]
fn a_refused_step_names_the_state_and_what_can_be_done_instead() {
    let world = World::new();
    world.home_with_households("d");
    let opened = world
        .at("d", &["ticket", "open", "zjg", "修路灯", "--json"])
        .ok()
        .json();
    let code = opened["code"].as_str().unwrap();
    let told = world.at("d", &["ticket", "start", code]).ends(4).stderr;
    for wanted in [code, "「已提交」", "您现在能做：", "答复"] {
        assert!(told.contains(wanted), "{wanted} in {told}");
    }
    assert_eq!(
        hint(&world, "d", &["ticket", "start", code], 4),
        format!("wangge ticket show {code}")
    );
    let shown = world.at("d", &["ticket", "show", code]).ok().stdout;
    assert!(shown.contains("3-12 张建国"), "{shown}");
    let report = world
        .at("d", &["report", "zjg", "水管爆", "--json"])
        .ok()
        .json();
    let shown = world
        .at("d", &["report", "show", report["id"].as_str().unwrap()])
        .ok()
        .stdout;
    assert!(shown.contains("3-12 张建国"), "{shown}");
    assert_eq!(report["household"].as_str().unwrap().len(), 32);
}

#[test]
fn a_number_that_no_conflict_has_is_not_looked_for_among_families() {
    let world = World::new();
    world.home_with_households("d");
    for number in ["19", "29"] {
        world
            .at(
                "d",
                &["household", "add", "周文", "--door", &format!("9-{number}")],
            )
            .ok();
    }
    let settle = ["conflict", "settle", "9", "--use", "1"];
    let told = world.bare("d", &world.at("d", &settle).ends(1).stderr);
    assert!(told.contains("wangge 冲突 列表"), "{told}");
    assert!(!told.contains("周文"), "{told}");
}

#[test]
fn a_relay_is_not_announced_before_it_is_its_folders_only_one() {
    let world = World::new();
    let _relay = world.relay();
    let out = world
        .at("relay", &["relay", "serve", "--listen", "127.0.0.1:0"])
        .ends(4);
    assert!(out.stdout.is_empty(), "{}", out.stdout);
}

#[test]
fn who_handed_everything_over_is_told_so_and_where_nothing_can_be_done() {
    let world = World::new();
    let relay = world.relay();
    world.enroll(&relay, "李梅", "worker", &[GRID]);
    world.enroll(&relay, "王芳", "worker", &[OTHER_GRID]);
    world.enroll(&relay, "周敏", "township", &[TOWNSHIP]);
    world
        .at("李梅", &["household", "add", "张建国", "--door", "3-12"])
        .ok();
    let planned = world.at("李梅", &["sync", "--dry-run"]).ends(10).stdout;
    assert!(!planned.contains("连不上"), "{planned}");
    for home in ["李梅", "王芳", "周敏"] {
        world.at(home, &["sync"]).ok();
    }
    let same = ["people", "hand-over", "李梅", "--to", "李梅"];
    let told = world.at("周敏", &same).ends(2).stderr;
    assert!(
        told.contains("「李梅」") && told.contains("网格员"),
        "{told}"
    );
    let past = ["people", "leave", "李梅", "--until", "2020-01-01"];
    let told = world.at("周敏", &past).ends(2).stderr;
    assert!(told.contains("不早于第一天"), "{told}");
    let hand_over = ["people", "hand-over", "李梅", "--to", "王芳"];
    let planned = world
        .at("周敏", &[&hand_over[..], &["--dry-run"]].concat())
        .ends(10);
    assert_eq!(
        planned.stdout.matches("没有改动").count(),
        1,
        "{}",
        planned.stdout
    );
    world.at("周敏", &hand_over).ok();
    // A second time there is nothing left to hand over, and that is no fault.
    for again in [&hand_over[..], &[&hand_over[..], &["--dry-run"]].concat()] {
        let said = world.at("周敏", again).ok().stdout;
        assert!(said.contains("没有要移交的"), "{said}");
    }
    world.at("李梅", &["sync"]).ok();
    let found = world.at("李梅", &["verify"]).ok().stdout;
    assert!(found.contains("没有负责的网格"), "{found:?}");
    let status = world.at("李梅", &["status"]).ok().stdout;
    assert!(status.contains("已移交给接手的人"), "{status}");
    let file = world.write("roster.csv", "户主姓名,电话\n张建国,13812345678\n");
    let told = world
        .at("李梅", &["household", "import", &file])
        .ends(2)
        .stderr;
    assert!(told.contains("没有负责的网格"), "{told}");
}

#[test]
fn what_waits_is_named_also_where_it_is_an_access_record() {
    let world = World::new();
    let relay = world.relay();
    world.enroll(&relay, "李梅", "worker", &[GRID]);
    let add = [
        "household",
        "add",
        "张建国",
        "--door",
        "3-12",
        "--phone",
        "13812345678",
    ];
    world.at("李梅", &add).ok();
    let synced = world.at("李梅", &["sync"]).ok().stdout;
    assert!(synced.contains("一批一份"), "{synced}");
    world.at("李梅", &["call", "zjg", "--reason", "visit"]).ok();
    let status = world.at("李梅", &["status"]).ok().stdout;
    assert!(status.contains("查看记录 1"), "{status}");
    let status = world.at("李梅", &["status", "--json"]).ok().json();
    assert_eq!(status["unsent"]["access_book"], 1);
}

#[test]
fn the_language_says_where_it_comes_from() {
    let world = World::new();
    world.home("d");
    let row = |args: &[&str]| {
        let rows = world.at("d", args).ok().json();
        let rows = rows.as_array().unwrap().clone();
        rows.into_iter().find(|row| row["name"] == "lang").unwrap()["origin"].clone()
    };
    assert_eq!(row(&["config", "show", "--json", "--lang", "en"]), "flag");
    assert_eq!(row(&["config", "show", "--json"]), "default");
}

#[test]
fn english_pages_hold_no_chinese_but_names() {
    let world = World::new();
    world.home_with_households("d");
    let add = [
        "member",
        "add",
        "zjg",
        "--name",
        "Ann",
        "--relation",
        "配偶",
        "--birth",
        "2015",
    ];
    world.at("d", &add).ok();
    world
        .at(
            "d",
            &["care", "set", "zjg", "Ann", "留守儿童", "--every", "每月"],
        )
        .ok();
    let shown = world
        .at("d", &["--lang", "en", "household", "show", "zjg"])
        .ok()
        .stdout;
    for (wanted, unwanted) in [
        ("spouse", "配偶"),
        ("head", "户主"),
        ("left-behind child", "left_behind_child"),
    ] {
        assert!(shown.contains(wanted), "{shown}");
        assert!(!shown.contains(unwanted), "{shown}");
    }
    let report = world
        .at("d", &["report", "zjg", "pipe", "--json"])
        .ok()
        .json();
    let id = report["id"].as_str().unwrap();
    let shown = world
        .at("d", &["--lang", "en", "report", "show", id])
        .ok()
        .stdout;
    assert!(!shown.contains("其他"), "{shown}");
}

#[test]
fn a_history_in_chinese_has_no_codes() {
    let world = World::new();
    world.home_with_households("d");
    let consent = [
        "household",
        "consent",
        "add",
        "zjg",
        "--purpose",
        "走访",
        "--basis",
        "consent",
        "--how",
        "spoken",
    ];
    world.at("d", &consent).ok();
    world
        .at(
            "d",
            &[
                "household",
                "contact",
                "add",
                "zjg",
                "13912345678",
                "--whose",
                "儿子",
            ],
        )
        .ok();
    world.at("d", &["household", "depart", "zjg"]).ok();
    let shown = world
        .at("d", &["household", "show", "zjg", "--history"])
        .ok()
        .stdout;
    for code in ["consent", "spoken", "whose", "residence_since", "phone."] {
        assert!(!shown.contains(code), "{code} in {shown}");
    }
}
