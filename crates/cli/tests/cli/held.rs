//! The gate of a relay as it runs: the program itself, apart, and what an operator sees of it.

use wangge_relay::{GateProgram, LevelForm, Packs, Relay, Settings};

use crate::world::{GRID, Relay as Serving, World};

/// A relay that has two households and is not served any more.
fn settled() -> (World, Relay) {
    let world = World::new();
    let serving = world.relay();
    world.enroll(&serving, "li", "worker", &[GRID]);
    for (name, door) in [("张建国", "3-12"), ("王小明", "3-13")] {
        world
            .at("li", &["household", "add", name, "--door", door])
            .ok();
    }
    world.at("li", &["sync"]).ok();
    assert_eq!(Serving::end(serving, "-TERM"), Some(0));
    let settings = Settings::new("", LevelForm::Township);
    let relay = Relay::open(&world.path("relay"), &settings).unwrap();
    // What the relay made by itself while it ran is made again here.
    let _ = std::fs::remove_file(world.path("relay").join("packs.db"));
    (world, relay)
}

fn through(program: &str, arguments: &[&str]) -> Packs {
    Packs {
        gate: Some(GateProgram {
            program: program.into(),
            arguments: arguments.iter().map(|it| (*it).to_owned()).collect(),
        }),
        ..Packs::default()
    }
}

#[test]
fn the_program_itself_tries_changes_within_its_limits() {
    let (world, relay) = settled();
    let packs = through(env!("CARGO_BIN_EXE_wangge"), &["relay", "gate-worker"]);
    assert!(relay.make_packs(&packs).unwrap() > 0);
    assert!(relay.held().unwrap().is_empty());
    let said = world.at("relay", &["relay", "held", "--json"]).ok();
    assert!(said.stdout.trim().is_empty() || said.json().as_array().is_some_and(Vec::is_empty));
}

/// The program as a gate that does this instead at its first start, and how often it was started.
#[cfg(unix)]
fn at_first(world: &World, instead: &str) -> (Packs, impl Fn() -> usize) {
    let log = world.write("starts", "");
    let program = env!("CARGO_BIN_EXE_wangge");
    let path = std::env::var("PATH").unwrap();
    let script = format!(
        "PATH={path}; echo x >> {log}; [ $(/usr/bin/env wc -l < {log}) -gt 1 ] || {instead}; exec {program} relay gate-worker"
    );
    let packs = through("/bin/sh", &["-c", &script]);
    let starts = move || std::fs::read_to_string(&log).unwrap().lines().count();
    (packs, starts)
}

/// A machine that slept is one: the time of a good change passed meanwhile.
#[cfg(unix)]
#[test]
fn a_change_whose_worker_was_late_once_is_tried_once_more_and_not_held() {
    let (world, relay) = settled();
    let (packs, starts) = at_first(&world, "exec sleep 1000");
    let packs = Packs {
        within: std::time::Duration::from_secs(10),
        ..packs
    };
    assert!(relay.make_packs(&packs).unwrap() > 0);
    assert!(relay.held().unwrap().is_empty());
    assert_eq!(starts(), 2);
}

#[cfg(unix)]
#[test]
fn a_change_that_ends_a_worker_is_held_at_once_the_next_are_tried_and_it_can_be_released() {
    let (world, relay) = settled();
    let program = env!("CARGO_BIN_EXE_wangge");
    let (packs, starts) = at_first(&world, "exit 1");
    assert!(relay.make_packs(&packs).unwrap() > 0);
    assert_eq!(starts(), 2, "one ended, and one tried the rest");
    let held = relay.held().unwrap();
    assert_eq!(held.len(), 1, "{held:?}");
    // A relay that is started again, and makes everything anew, does not try it with another worker.
    drop(relay);
    std::fs::remove_file(world.path("relay").join("packs.db")).unwrap();
    let settings = Settings::new("", LevelForm::Township);
    let relay = Relay::open(&world.path("relay"), &settings).unwrap();
    let (packs, starts) = at_first(&world, "true");
    assert!(relay.make_packs(&packs).unwrap() > 0);
    assert_eq!((starts(), relay.held().unwrap()), (1, held.clone()));
    let said = world.at("relay", &["relay", "held"]).ok();
    let change = held[0].change.to_string();
    let shown: String = change.chars().take(8).collect();
    let short: String = change.chars().take(7).collect();
    assert!(said.stdout.contains(&shown), "{}", said.stdout);
    assert!(said.stdout.contains("太重"), "{}", said.stdout);

    world.at("relay", &["relay", "release", &short]).ends(2);
    world.at("relay", &["relay", "release", &shown]).ok();
    assert!(relay.held().unwrap().is_empty());
    let packs = through(program, &["relay", "gate-worker"]);
    assert!(relay.make_packs(&packs).unwrap() > 0);
    assert!(relay.held().unwrap().is_empty());
}
