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

#[test]
fn a_first_start_on_a_port_that_is_taken_leaves_name_and_level_open() {
    let world = World::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().to_string();
    let serve = ["relay", "serve", "--until-stdin-ends", "--listen"];
    world.at("relay", &[&serve[..], &[&port]].concat()).ends(1);
    assert!(!world.path("relay").join("relay.db").exists());
    let named = ["127.0.0.1:0", "--level", "village", "--name", "新村"];
    let first = world.at("relay", &[&serve[..], &named].concat()).ok();
    assert!(!first.stderr.contains("不能改"), "{}", first.stderr);
    let is = status(&world);
    assert_eq!(
        (&is["name"], &is["level"]),
        (&"新村".into(), &"village".into())
    );
    let other = ["127.0.0.1:0", "--level", "county"];
    let again = world.at("relay", &[&serve[..], &other].concat()).ok();
    let said = again.stderr;
    assert!(said.contains("新村") && said.contains("不能改"), "{said}");
}

/// A village's relay of this name, joined below the township's, which serves.
fn village(world: &World, township: &crate::world::Relay) -> crate::world::Relay {
    let code = world.invite("民主村", "relay", &["511724103202"]);
    let url = township.url();
    let serve = [
        "relay",
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--json",
        "--level",
        "village",
        "--name",
        "民主村",
        "--upstream",
        &url,
        "--code",
        &code,
    ];
    crate::world::Relay::start_with(world, "village", &serve)
}

#[test]
fn a_village_serves_below_a_township_meets_it_and_says_who_is_above() {
    let world = World::new();
    let township = world.relay();
    let relay = village(&world, &township);
    assert_eq!(relay.end("-TERM"), Some(0));
    let met = world
        .at("village", &["relay", "meet", "--json"])
        .ok()
        .json();
    assert_eq!(met["complete"], true, "{met}");
    let below = status(&world)["below"].clone();
    assert_eq!(below[0]["name"], "民主村", "{below}");
    assert!(below[0]["met_ms"].is_i64(), "{below}");
    let said = world.at("relay", &["relay", "status"]).ok().stdout;
    assert!(said.contains("下级：民主村"), "{said}");
    let other = [
        "relay",
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--json",
        "--upstream",
    ];
    let refused = world.at("village", &[&other[..], &["http://127.0.0.1:1"]].concat());
    let error = refused.ends(2).error();
    assert_eq!(error["kind"], "below_another");
    assert!(
        error["message"].as_str().unwrap().contains(&township.url()),
        "{error}"
    );
    // The same words as the first time need no code any more.
    let url = township.url();
    let again = crate::world::Relay::start_with(&world, "village", &[&other[..], &[&url]].concat());
    assert_eq!(again.end("-TERM"), Some(0));

    let file = world.path("b").display().to_string();
    world.at("village", &["relay", "backup", &file]).ok();
    let said = world
        .at("restored", &["relay", "restore", &file])
        .ok()
        .stdout;
    assert!(said.contains("--listen"), "{said}");
    let said = world.at("restored", &["relay", "status"]).ok().stdout;
    assert!(
        said.contains("还没有和上级对接过") && !said.contains("完全一致"),
        "{said}"
    );
}

#[test]
fn a_join_without_a_link_joined_nothing_and_the_same_command_does_it_later() {
    let world = World::new();
    let township = world.relay();
    let code = world.invite("民主村", "relay", &["511724103202"]);
    let begin = "relay serve --listen 127.0.0.1:0 --until-stdin-ends --level village";
    let words: Vec<&str> = begin.split(' ').collect();
    world.at("village", &words).ok();
    let join = ["relay", "join", &code, "--json", "--relay"];
    let error = world.at("village", &[&join[..], &["http://127.0.0.1:1"]].concat());
    let error = error.ends(5).error();
    assert!(
        error["message"].as_str().unwrap().contains("没有加入"),
        "{error}"
    );
    assert!(
        error["hint"].as_str().unwrap().contains("relay join"),
        "{error}"
    );
    let joined = world.at("village", &[&join[..], &[&township.url()]].concat());
    assert_eq!(joined.ok().json()["url"], township.url());
}

#[test]
fn a_backup_that_cannot_be_written_and_one_that_is_not_there_are_told_apart() {
    let world = stopped();
    let nowhere = world.path("nowhere").join("x.bak").display().to_string();
    let error = world.at("relay", &["relay", "backup", &nowhere, "--json"]);
    let error = error.ends(1).error();
    assert_eq!(error["kind"], "unwritable");
    assert!(
        error["message"].as_str().unwrap().contains("写不了"),
        "{error}"
    );
    assert!(
        error["hint"].as_str().unwrap().contains("backup"),
        "{error}"
    );
    let error = world.at("other", &["relay", "restore", &nowhere, "--json"]);
    let error = error.ends(1).error();
    assert_eq!(error["kind"], "unreadable");
    assert!(
        error["hint"].as_str().unwrap().contains("restore"),
        "{error}"
    );
}

#[test]
fn a_device_says_that_its_relay_was_put_back_and_how_much_it_gave_back() {
    let world = World::new();
    let relay = world.relay();
    world.enroll(&relay, "li", "worker", &[GRID]);
    let add = |door: &str| {
        let args = ["household", "add", "张建国", "--door", door];
        world.at("li", &args).ok();
        world.at("li", &["sync"]).ok()
    };
    assert!(!add("3-12").stdout.contains("恢复"));
    let file = world.path("b").display().to_string();
    world.at("relay", &["relay", "backup", &file]).ok();
    add("3-13");
    let address = relay.address.clone();
    assert_eq!(relay.end("-TERM"), Some(0));
    std::fs::rename(world.path("relay"), world.path("lost")).unwrap();
    world.at("relay", &["relay", "restore", &file]).ok();
    let relay = crate::world::Relay::start(&world, &address);
    let said = world.at("li", &["sync"]).ok().stdout;
    assert!(
        said.contains("恢复到了以前的状态") && said.contains("1 条已由本机补回去"),
        "{said}"
    );
    assert!(!said.contains("首次下载"), "{said}");
    let again = world.at("li", &["sync", "--json"]).ok().json();
    assert_eq!(again["put_back"], Value::Null, "{again}");
    assert_eq!(relay.end("-TERM"), Some(0));
}
