//! Nonsense, damage, absence: each a clear error with its exit code, nothing lost, no panic.

use std::os::unix::fs::FileExt as _;

use wangge_agent::{Machine, Replica};
use wangge_relay::{AreaCode, LevelForm, NewInvitation, Role, Settings};

use crate::world::{GRID, World};

/// Where SQLite keeps `user_version` in the first page, four bytes, the greatest first.
const USER_VERSION_AT: u64 = 60;

#[test]
fn nonsense_values_end_with_2_and_record_nothing() {
    let world = World::new();
    world.home_with_households("d");
    for args in [
        &["visit", "zjg", "好", "@昨年"][..],
        &["visit", "zjg", "--met", "ghost"],
        &["visit", "zjg", "--on", "2026-13-40"],
        &["visit", "add"],
        &["report", "zjg", "水管爆", "--urgency", "P9"],
        &["report"],
        &["ticket", "open", "zjg", "修路灯", "--kind", "胡说"],
        &["ticket", "list", "--status", "gone"],
        &["household", "edit", "zjg", "--phone", "12ab"],
        &["household", "edit", "zjg"],
        &["household", "list", "--limit", "many"],
        &["household", "list", "--area", "12"],
        &["init", "--name", "x", "--area", "1234"],
        &["nothing"],
        &["visit", "--nothing"],
        &["relay", "serve", "--listen", "here"],
        &[
            "relay", "invite", "--name", "x", "--role", "chief", "--area", GRID,
        ],
        &["help", "nothing"],
    ] {
        let out = world.at("d", &[&["--json"], args].concat()).ends(2);
        let error = out.error();
        assert!(
            error["kind"].is_string() && error["message"].is_string() && error["hint"].is_string(),
            "{error}"
        );
        assert!(out.stdout.is_empty(), "{}", out.stdout);
    }
    let status = world.at("d", &["status", "--json"]).ok().json();
    assert_eq!(
        (&status["counts"]["visits"], &status["counts"]["reports"]),
        (&0.into(), &0.into())
    );
    assert_eq!(status["counts"]["tickets"], 0);
}

#[test]
fn what_is_not_there_ends_with_1() {
    let world = World::new();
    world.home_with_households("d");
    for args in [
        &["household", "show", "nobody"][..],
        &["visit", "nobody", "好"],
        &["ticket", "show", "0001-0001-1"],
        &["receipts", "ffffffffffff"],
        &["conflict", "show", "7"],
        &["report", "show", "ffff"],
        &["visit", "add", "--from", "/no/such/file"],
        &["household", "import", "/no/such/roster.xlsx"],
    ] {
        world.at("d", args).ends(1);
    }
    world.at("d", &["household", "find", "nobody"]).ends(1);
}

#[test]
fn a_file_that_is_no_spreadsheet_is_said_to_be_none() {
    let world = World::new();
    world.home("d");
    for (name, bytes) in [
        (
            "roster.xlsx",
            &b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n"[..],
        ),
        ("empty.xlsx", b""),
        ("noise.xls", b"\x00\x01\x02\x03\x04garbage"),
        ("cut.xlsx", b"PK\x03\x04\x14\x00\x06\x00"),
    ] {
        let file = world.write(name, bytes);
        let error = world
            .at("d", &["household", "import", &file, "--json"])
            .ends(1)
            .error();
        assert_eq!(error["kind"], "not_a_spreadsheet", "{name}: {error}");
    }
}

#[test]
fn a_home_that_is_missing_made_twice_or_in_use_says_so() {
    let world = World::new();
    assert_eq!(
        world.at("d", &["status", "--json"]).ends(2).error()["kind"],
        "no_home"
    );
    world.home("d");
    let twice = ["init", "--offline", "--name", "x", "--area", GRID, "--json"];
    assert_eq!(world.at("d", &twice).ends(1).error()["kind"], "home_exists");
    let held = Replica::open(&world.path("d"), Machine::default()).unwrap();
    assert_eq!(
        world.at("d", &["status", "--json"]).ends(4).error()["kind"],
        "in_use"
    );
    drop(held);
    world.at("d", &["status"]).ok();
}

#[test]
fn an_area_of_somebody_else_is_refused() {
    let world = World::new();
    world.home("d");
    let args = [
        "household",
        "add",
        "x",
        "--grid",
        "511724104201001",
        "--json",
    ];
    assert_eq!(
        world.at("d", &args).ends(4).error()["kind"],
        "not_your_area"
    );
}

#[test]
fn a_damaged_database_is_kept_and_the_next_command_works() {
    let world = World::new();
    world.home_with_households("d");
    let file = world.path("d").join("wangge.db");
    std::fs::write(&file, b"this is not a database, whatever its name says").unwrap();
    let out = world.at("d", &["status", "--json"]).ends(7);
    assert_eq!(out.error()["kind"], "damaged");
    let kept = std::fs::read_dir(world.path("d"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.display().to_string().contains("damaged"))
        .unwrap();
    assert!(std::fs::read(&kept).unwrap().starts_with(b"this is not"));
    assert!(
        out.error()["message"]
            .as_str()
            .unwrap()
            .contains(&kept.display().to_string())
    );
    // It is not forgotten after the first word: it may be the only copy of unsent work.
    let kept = kept.display().to_string();
    for command in ["status", "today"] {
        let shown = world.at("d", &[command]).ok().stdout;
        assert!(shown.contains(&kept), "{shown}");
    }
    let status = world.at("d", &["status", "--check", "--json"]).ends(10);
    assert_eq!(status.json()["all_safe"], false);
    assert_eq!(status.json()["set_aside"][0], kept.as_str());
    std::fs::remove_file(&kept).unwrap();
    let status = world.at("d", &["status", "--json"]).ok().json();
    assert_eq!(status["set_aside"].as_array().unwrap().len(), 0);
}

#[test]
fn a_database_that_is_damaged_further_in_is_set_aside_where_the_message_says() {
    let world = World::new();
    world.home_with_households("d");
    let file = world.path("d").join("wangge.db");
    let mut bytes = std::fs::read(&file).unwrap();
    // The first page and the schema read; what they point to does not.
    let tail = bytes.split_off(bytes.len() / 3);
    bytes.extend(tail.iter().map(|byte| byte ^ 0x5a));
    std::fs::write(&file, bytes).unwrap();
    let out = world.at("d", &["household", "list", "--json"]).ends(7);
    assert_eq!(out.error()["kind"], "damaged");
    let shown = world.at("d", &["status", "--json"]).ok().json();
    let kept = shown["set_aside"][0].as_str().unwrap();
    assert!(std::path::Path::new(kept).exists());
    assert!(out.error()["message"].as_str().unwrap().contains(kept));
}

#[test]
fn a_database_that_is_gone_is_missed() {
    let world = World::new();
    world.home_with_households("d");
    for name in ["wangge.db", "wangge.db-wal", "wangge.db-shm"] {
        let _ = std::fs::remove_file(world.path("d").join(name));
    }
    let out = world.at("d", &["status", "--json"]).ends(7);
    assert_eq!(out.error()["kind"], "lost");
    let status = world.at("d", &["status", "--check", "--json"]).ends(10);
    assert_eq!(status.json()["all_safe"], false);
    let words = world.at("d", &["status"]).ok().stdout;
    assert!(words.contains("不见了"), "{words}");
}

#[test]
fn a_database_of_a_newer_program_is_not_touched() {
    let world = World::new();
    world.home_with_households("d");
    let file = world.path("d").join("wangge.db");
    let replica = wangge_agent::Replica::open(&world.path("d"), wangge_agent::Machine::alone());
    replica.unwrap().store().claim_version(9_999).unwrap();
    let before = std::fs::read(&file).unwrap();
    assert_eq!(
        world
            .at("d", &["visit", "zjg", "好", "--json"])
            .ends(7)
            .error()["kind"],
        "too_new"
    );
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

#[test]
fn a_relay_that_was_killed_is_no_link_and_the_work_is_safe() {
    let world = World::new();
    let relay = world.relay();
    world.enroll(&relay, "李梅", "worker", &[GRID]);
    world
        .at("李梅", &["household", "add", "张建国", "--door", "3-12"])
        .ok();
    let address = relay.address.clone();
    relay.end("-KILL");
    let out = world.at("李梅", &["sync"]).ends(5);
    assert!(
        out.stderr.contains("没有丢") && world.bare("李梅", &out.stderr).contains("wangge 同步"),
        "{}",
        out.stderr
    );
    assert_eq!(
        world
            .at("李梅", &["outbox", "--json"])
            .ok()
            .json()
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let again = crate::world::Relay::start(&world, &address);
    let report = world.at("李梅", &["sync", "--json"]).ok().json();
    assert_eq!((&report["sent"], &report["unsent"]), (&2.into(), &0.into()));
    drop(again);
}

#[test]
fn a_code_that_is_wrong_spent_or_expired_is_refused() {
    let world = World::new();
    let relay = world.relay();
    let kind = |home: &str, code: &str| {
        let out = world
            .at(home, &["enroll", code, "--relay", &relay.url(), "--json"])
            .ends(4);
        out.error()["kind"].as_str().unwrap().to_owned()
    };
    assert_eq!(kind("a", "no"), "wrong_code");
    assert_eq!(kind("a", "0123456789"), "wrong_code");
    let code = world.invite("李梅", "worker", &[GRID]);
    world
        .at("a", &["enroll", &code, "--relay", &relay.url()])
        .ok();
    assert_eq!(kind("b", &code), "spent");

    let settings = Settings::new("x", LevelForm::Township);
    let operator = wangge_relay::Relay::open(&world.path("relay"), &settings).unwrap();
    let new = NewInvitation {
        name: "x".into(),
        role: Role::Worker,
        areas: vec![AreaCode::parse(GRID).unwrap()],
    };
    let long_ago = settings.clock.now_ms() - 25 * 60 * 60 * 1000;
    let old = operator.invite(&new, long_ago).unwrap().shown();
    assert_eq!(kind("c", &old), "expired");
}

#[test]
fn a_sync_without_a_relay_is_refused_and_an_address_elsewhere_is_a_mistake() {
    let world = World::new();
    world.home("d");
    assert_eq!(
        world.at("d", &["sync", "--json"]).ends(4).error()["kind"],
        "not_enrolled"
    );
    let far = [
        "enroll",
        "0123456789",
        "--relay",
        "http://192.0.2.1:8720",
        "--json",
    ];
    assert_eq!(
        world.at("d", &far).ends(2).error()["kind"],
        "unsafe_address"
    );
    let hint = world.at("d", &far).ends(2).error()["hint"].clone();
    assert_eq!(hint, "wangge enroll CODE --relay https://192.0.2.1:8720");
    let open = [
        "relay",
        "serve",
        "--listen",
        "0.0.0.0:0",
        "--behind-proxy",
        "--json",
    ];
    assert_eq!(world.at("r", &open).ends(2).error()["kind"], "not_loopback");
    assert!(!world.path("r").exists());
}

#[test]
fn looking_for_a_relay_where_none_is_makes_none() {
    let world = World::new();
    for look in ["devices", "inbox"] {
        let error = world.at("typo", &["relay", look, "--json"]).ends(2).error();
        assert_eq!(error["kind"], "no_relay");
    }
    assert!(!world.path("typo").exists());
    let invite = ["relay", "invite", "--name", "x", "--area", GRID, "--json"];
    let error = world.at("typo", &invite).ends(2).error();
    assert_eq!(error["kind"], "no_relay");
    assert!(!world.path("typo").exists());
}

#[test]
fn a_damaged_or_newer_relay_is_not_opened() {
    let world = World::new();
    drop(world.relay());
    world.at("relay", &["relay", "devices"]).ok();
    let file = world.path("relay").join("relay.db");
    let sound = std::fs::read(&file).unwrap();
    let handle = std::fs::OpenOptions::new().write(true).open(&file).unwrap();
    handle
        .write_at(&9_999_u32.to_be_bytes(), USER_VERSION_AT)
        .unwrap();
    assert_eq!(
        world
            .at("relay", &["relay", "devices", "--json"])
            .ends(7)
            .error()["kind"],
        "too_new"
    );
    std::fs::write(&file, &b"no database"[..]).unwrap();
    assert_eq!(
        world
            .at("relay", &["relay", "devices", "--json"])
            .ends(7)
            .error()["kind"],
        "damaged"
    );
    assert_eq!(std::fs::read(&file).unwrap(), b"no database");
    assert!(sound.starts_with(b"SQLite"));
}

#[test]
fn a_port_in_use_and_a_full_disk_under_the_output_are_told() {
    let world = World::new();
    let relay = world.relay();
    let other = world
        .at(
            "other",
            &["relay", "serve", "--listen", &relay.address, "--json"],
        )
        .ends(1);
    assert_eq!(other.error()["kind"], "cannot_listen");
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let mut command = world.command();
    let output = command
        .args(["area", "list"])
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
}
