//! A home that a word locks, as its person meets it: words, unlocking, several people, recovery.

use std::process::Command;

use serde_json::Value;

use crate::world::{GRID, Out, TOWNSHIP, World};

const WORD: &str = "竹林里有四只鸟在唱歌";

/// Runs a command on a home with a word handed in.
fn with_word(world: &World, home: &str, word: &str, args: &[&str]) -> Out {
    let file = world.write("word", format!("{word}\n"));
    let args = [args, &["--pin-file", &file]].concat();
    world.at(home, &args)
}

/// Makes a home with two households that the word locks, and returns its recovery code.
fn locked(world: &World, home: &str) -> String {
    world.home_with_households(home);
    let file = world.write("new", WORD);
    let chosen = world.at(home, &["pin", "change", "--new-pin-file", &file, "--json"]);
    let chosen = chosen.ok().json();
    assert_eq!(chosen["changed"], false);
    chosen["recovery_code"].as_str().unwrap().to_owned()
}

#[test]
fn a_locked_home_opens_with_its_word_and_every_refusal_says_what_to_do() {
    let world = World::new();
    locked(&world, "d");
    let refused = world.at("d", &["visit", "zjg", "好", "--json"]).ends(4);
    assert_eq!(refused.error()["kind"], "locked");
    let told = world.at("d", &["status"]).ends(4).stderr;
    assert!(
        told.contains("什么也没有丢") && told.contains("wangge --home"),
        "{told}"
    );
    let wrong = with_word(&world, "d", "这不是那一句话呀对不对", &["status", "--json"]).ends(4);
    assert_eq!(wrong.error()["kind"], "wrong_word");
    assert!(
        !wrong.stderr.contains("这不是那一句话"),
        "a word is never said"
    );
    let visit = with_word(&world, "d", WORD, &["visit", "zjg", "好", "--json"]);
    assert_eq!(visit.ok().json()["household_head"], Value::Null);
    let mut by_variable = world.command();
    by_variable.arg("--home").arg(world.path("d"));
    by_variable
        .args(["status", "--json"])
        .env("WANGGE_PIN", WORD);
    let status = by_variable.output().unwrap();
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(
        (&status["word"], &status["counts"]["visits"]),
        (&"passphrase".into(), &1.into())
    );
}

#[test]
fn a_home_without_a_word_says_so_until_one_is_chosen_and_a_weak_one_is_refused() {
    let world = World::new();
    world.home("d");
    let before = world.at("d", &["status", "--lang", "en"]).ok().stdout;
    assert!(before.contains("No word was chosen"), "{before}");
    let weak = world.write("weak", "123456");
    let refused = world
        .at("d", &["pin", "change", "--new-pin-file", &weak])
        .ends(2);
    assert!(
        refused.stderr.contains("至少 10 个字"),
        "{}",
        refused.stderr
    );
    let nowhere = world.at("d", &["pin", "change", "--json"]).ends(2);
    assert_eq!(nowhere.error()["kind"], "no_terminal");
    let file = world.write("new", WORD);
    let chosen = world
        .at("d", &["pin", "change", "--new-pin-file", &file])
        .ok();
    assert!(chosen.stdout.contains("恢复码") && chosen.stdout.contains("抄在纸上"));
    let after = with_word(&world, "d", WORD, &["status", "--lang", "en"])
        .ok()
        .stdout;
    assert!(!after.contains("No word was chosen"), "{after}");
}

#[test]
fn an_unlocked_home_asks_for_no_word_until_it_is_locked() {
    let world = World::new();
    locked(&world, "d");
    for nonsense in ["nine", "0h", "25h", "4", "-1h", ""] {
        world.at("d", &["unlock", "--for", nonsense]).ends(2);
    }
    world.at("d", &["unlock"]).ends(4);
    let unlocked = with_word(&world, "d", WORD, &["unlock", "--for", "２小时", "--json"]);
    assert_eq!(unlocked.ok().json()["idle_minutes"], 30);
    world.at("d", &["visit", "zjg", "好"]).ok();
    world.at("d", &["visit", "3-13", "无人"]).ok();
    // Who sits before an unlocked home may not lock its person out.
    let file = world.write("new", "some other long word");
    let change = ["pin", "change", "--new-pin-file", &file];
    world.at("d", &change).ends(4);
    let locked = world.at("d", &["lock", "--json"]).ok().json();
    assert_eq!(locked["was_unlocked"], true);
    world.at("d", &["visit", "zjg", "好"]).ends(4);
    let again = world.at("d", &["lock", "--json"]).ok().json();
    assert_eq!(again["was_unlocked"], false);
}

#[test]
#[cfg(target_os = "linux")]
fn who_holds_a_key_leaves_no_core_and_its_key_stands_in_no_list() {
    let world = World::new();
    locked(&world, "d");
    with_word(&world, "d", WORD, &["unlock"]).ok();
    let home = world.path("d").display().to_string();
    let holders: Vec<std::path::PathBuf> = std::fs::read_dir("/proc")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|process| {
            let args = std::fs::read(process.join("cmdline")).unwrap_or_default();
            let args = String::from_utf8_lossy(&args).into_owned();
            args.contains("hold-key") && args.contains(&home)
        })
        .collect();
    let [holder] = holders.as_slice() else {
        panic!("{holders:?}");
    };
    let limits = std::fs::read_to_string(holder.join("limits")).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let words: Vec<&str> = core.unwrap().split_whitespace().collect();
    assert_eq!(words[4..6], ["0", "0"], "{core:?}");
    for list in ["cmdline", "environ"] {
        let said = std::fs::read(holder.join(list)).unwrap();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(!said.contains(WORD), "{list}");
    }
    world.at("d", &["lock"]).ok();
}

#[test]
fn a_killed_holder_leaves_the_home_locked_and_it_unlocks_again() {
    let world = World::new();
    locked(&world, "d");
    with_word(&world, "d", WORD, &["unlock"]).ok();
    let home = world.path("d").display().to_string();
    let mut kill = Command::new("pkill");
    kill.args(["-KILL", "-f", &format!("hold-key.*{home}")]);
    assert!(kill.status().unwrap().success());
    // The signal is sent; that it was delivered shows in the socket.
    while world.at("d", &["status"]).code == 0 {}
    with_word(&world, "d", WORD, &["unlock"]).ok();
    world.at("d", &["status"]).ok();
    world.at("d", &["lock"]).ok();
}

#[test]
fn several_people_of_one_device_each_have_a_home_by_name() {
    let world = World::new();
    let as_li = [
        "--as",
        "李梅",
        "init",
        "--offline",
        "--name",
        "李梅",
        "--area",
        GRID,
    ];
    world.run(&as_li).ok();
    let as_wang = [
        "--as",
        "王芳",
        "init",
        "--offline",
        "--name",
        "王芳",
        "--area",
        GRID,
    ];
    world.run(&as_wang).ok();
    world
        .run(&[
            "--as",
            "王芳",
            "household",
            "add",
            "张建国",
            "--door",
            "3-12",
        ])
        .ok();
    let counts = |name: &str| {
        let status = world.run(&["--as", name, "status", "--json"]).ok().json();
        status["counts"]["households"].as_u64().unwrap()
    };
    assert_eq!((counts("李梅"), counts("王芳")), (0, 1));
    let file = world.write("new", WORD);
    world
        .run(&["--as", "王芳", "pin", "change", "--new-pin-file", &file])
        .ok();
    let rows = world.run(&["profile", "list", "--json"]).ok().json();
    let told: Vec<(&str, bool)> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["name"].as_str().unwrap(), row["word"].is_string()))
        .collect();
    assert_eq!(told, [("李梅", false), ("王芳", true)]);
    world.run(&["--as", "王芳", "status"]).ends(4);
    world.run(&["--as", "../王芳", "status"]).ends(2);
    world
        .run(&["--as", "王芳", "--home", "d", "status"])
        .ends(2);
    let nobody = world.run(&["--as", "谁", "status", "--json"]).ends(2);
    assert_eq!(nobody.error()["kind"], "no_home");
}

#[test]
fn a_forgotten_word_costs_no_record_and_a_recovery_brings_home_what_was_never_sent() {
    let world = World::new();
    let relay = world.relay();
    world.enroll(&relay, "李梅", "worker", &[GRID]);
    let household = ["household", "add", "张建国", "--door", "3-12"];
    world.at("李梅", &household).ok();
    let file = world.write("new", WORD);
    let change = ["pin", "change", "--new-pin-file", &file, "--json"];
    let chosen = world.at("李梅", &change).ok().json();
    let code = world.write("code", chosen["recovery_code"].as_str().unwrap());
    // The device's own secret is gone too: the disk was put into another one.
    std::fs::remove_dir_all(world.path(".config")).unwrap();
    let gone = with_word(&world, "李梅", WORD, &["status", "--json"]).ends(4);
    assert_eq!(gone.error()["kind"], "no_device_secret");
    let wrong = world.write("wrong", "00000-00000");
    let recover = ["device", "recover", "--code-file", &wrong, "--json"];
    let refused = world.at("李梅", &recover).ends(4);
    assert_eq!(refused.error()["kind"], "not_this_code");
    let next = world.write("next", "another long word");
    let recovered = world
        .at(
            "李梅",
            &[
                "device",
                "recover",
                "--code-file",
                &code,
                "--new-pin-file",
                &next,
                "--json",
            ],
        )
        .ok()
        .json();
    assert!(recovered["unsent_before"].as_u64().unwrap() > 0);
    assert_eq!(recovered["unsent"], 0);
    let status = with_word(&world, "李梅", "another long word", &["status", "--json"]);
    assert_eq!(status.ok().json()["all_safe"], true);
    world.enroll(&relay, "周文", "township", &[TOWNSHIP]);
    world.at("周文", &["sync"]).ok();
    let status = world.at("周文", &["status", "--json"]).ok().json();
    assert_eq!(status["counts"]["households"], 1);
}

#[test]
fn a_recovery_beside_a_damaged_database_says_where_it_is_and_does_not_call_it_empty() {
    let world = World::new();
    let code = locked(&world, "d");
    let code = world.write("code", code);
    let database = world.path("d").join("wangge.db");
    std::fs::write(&database, b"this is not a database, whatever its name says").unwrap();
    let recover = ["device", "recover", "--code-file", &code, "--json"];
    let told = world.at("d", &recover).ends(7);
    assert_eq!(told.error()["kind"], "damaged");
    // What was said once is no reason to stop the second time.
    let next = world.write("next", "another long word");
    let again = [&recover[..], &["--new-pin-file", &next]].concat();
    world.at("d", &again).ok();
    let status = with_word(&world, "d", "another long word", &["status", "--json"]);
    assert_eq!(status.ok().json()["all_safe"], false);
}

#[test]
fn a_countys_recovery_key_opens_every_home_that_has_synced_since_and_the_relay_keeps_none_of_it() {
    let world = World::new();
    let relay = world.relay();
    world.enroll(&relay, "李梅", "worker", &[GRID]);
    world.enroll(&relay, "王芳", "worker", &[GRID]);
    let file = world.write("new", WORD);
    let chosen = world.at(
        "李梅",
        &["pin", "change", "--new-pin-file", &file, "--json"],
    );
    let own = chosen.ok().json()["recovery_code"].clone();
    assert!(own.is_string(), "there was no other way in yet");
    let stick = world.path("stick").display().to_string();
    let made = world.at("relay", &["relay", "recovery", "new", &stick, "--json"]);
    made.ok();
    let again = world.at("relay", &["relay", "recovery", "new", &stick, "--json"]);
    assert_eq!(again.ends(4).error()["kind"], "file_exists");
    let code = std::fs::read_to_string(world.path("stick")).unwrap();
    for entry in std::fs::read_dir(world.path("relay")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        let code = code.trim().as_bytes();
        assert!(
            !bytes.windows(code.len()).any(|part| part == code),
            "{path:?}"
        );
    }
    let recover = [
        "device",
        "recover",
        "--offline",
        "--code-file",
        &stick,
        "--json",
    ];
    // It has not heard of the key.
    let refused = world.at("李梅", &recover).ends(4);
    assert_eq!(refused.error()["kind"], "not_this_code");
    with_word(&world, "李梅", WORD, &["sync"]).ok();
    world.at("李梅", &recover).ok();
    // Who chooses a word afterwards needs no code of their own.
    world.at("王芳", &["sync"]).ok();
    let chosen = world.at(
        "王芳",
        &["pin", "change", "--new-pin-file", &file, "--json"],
    );
    assert!(chosen.ok().json()["recovery_code"].is_null());
    world.at("王芳", &recover).ok();
}
