//! What an operator is told when a relay's folder or disk is not as it should be.

use serde_json::Value;

use crate::world::{GRID, Out, World};

/// A relay's folder that nobody serves, with one household in it.
fn stopped() -> World {
    let world = World::new();
    let relay = world.relay();
    world.enroll(&relay, "li", "worker", &[GRID]);
    let add = ["household", "add", "张建国", "--door", "3-12"];
    world.at("li", &add).ok();
    world.at("li", &["sync"]).ok();
    assert_eq!(relay.end("-TERM"), Some(0));
    world
}

/// Runs a command on the relay's folder where no file can grow beyond so many blocks: a write there fails
/// for want of room, as it does on a full disk.
#[cfg(unix)]
fn without_room(world: &World, blocks: u32, args: &[&str]) -> Out {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
    let mut command = std::process::Command::new("/bin/sh");
    command.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_wangge"), "--home"]);
    command.arg(world.path("relay")).args(args);
    command.stdin(std::process::Stdio::null());
    world.finish(&mut command)
}

const STATUS: &[&str] = &["relay", "status", "--json"];

fn status(world: &World) -> Value {
    world.at("relay", STATUS).ok().json()
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_called_full_and_not_a_damaged_database() {
    let world = stopped();
    let before = status(&world);
    let file = world.path("b").display().to_string();
    let serve = "relay serve --listen 127.0.0.1:0 --until-stdin-ends --json";
    let invite = format!("relay invite --name 陈强 --area {GRID} --json");
    for line in [
        "relay status --json",
        "relay devices --json",
        "relay inbox --json",
        &invite,
        &format!("relay backup {file} --json"),
        serve,
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let said = without_room(&world, 0, &words).ends(1);
        assert_eq!(said.error()["kind"], "disk_full", "{line}: {}", said.stderr);
    }
    assert_eq!(status(&world), before, "with room again nothing is changed");
}

#[cfg(unix)]
#[test]
fn a_relay_is_not_served_where_the_disk_is_nearly_full() {
    let world = stopped();
    let serve = "relay serve --listen 127.0.0.1:0 --until-stdin-ends --json";
    let words: Vec<&str> = serve.split(' ').collect();
    // Room to open a database, and none for what devices bring.
    let said = without_room(&world, 400, &words).ends(1);
    assert_eq!(said.error()["kind"], "disk_full", "{}", said.stderr);
    assert!(said.stdout.is_empty(), "nobody is told that it listens");
}

#[test]
fn a_relay_whose_database_is_gone_is_missed_by_every_command_and_not_begun_anew() {
    let world = stopped();
    for name in ["relay.db", "relay.db-wal", "relay.db-shm"] {
        let _ = std::fs::remove_file(world.path("relay").join(name));
    }
    let serve = "relay serve --listen 127.0.0.1:0 --until-stdin-ends --json";
    for line in ["relay status --json", "relay devices --json", serve] {
        let words: Vec<&str> = line.split(' ').collect();
        let said = world.at("relay", &words).ends(7).error();
        assert_eq!(said["kind"], "gone", "{line}: {said}");
        assert!(said["hint"].as_str().unwrap().contains("restore"), "{said}");
    }
    assert!(!world.path("relay").join("relay.db").exists());
}
