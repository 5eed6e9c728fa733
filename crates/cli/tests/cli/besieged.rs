//! A relay under attack: the program itself serves, and its gate tries what came in processes of its own.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use wangge_relay::{Code, GateProgram, HoldReason, LevelForm, Packs, Relay, Settings};
use wangge_testkit::device::Device;
use wangge_testkit::memory::Memory;
use wangge_testkit::siege::{Arm, QUIET, Siege, Tally};

use crate::world::{GRID, TOWNSHIP, World};

/// What a relay may need beyond what as much honest work needs at most, KiB.
const GROWS_KIB_MAX: u64 = 32 * 1024;
/// Hostile changes that are made before they are handed in.
const AT_ONCE: usize = 100;
const SEED: u8 = 9;

/// A relay that says when its gate has tried what came.
struct Serving {
    address: String,
    child: Child,
    rounds: Receiver<()>,
}

impl Serving {
    fn start(world: &World) -> Self {
        let mut command = world.command();
        command.env("WANGGE_LOG", "debug");
        command.arg("--home").arg(world.path("relay"));
        command.args(["relay", "serve", "--listen", "127.0.0.1:0", "--json"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let (says, rounds) = channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            let noted = stderr.lines().map_while(Result::ok);
            for _ in noted.filter(|line| line.contains("round.made")) {
                let _ = says.send(());
            }
        });
        Self {
            address: said["listening"].as_str().unwrap().to_owned(),
            child,
            rounds,
        }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until its gate has tried what came; after a write that followed another such wait, all of it.
    fn round(&mut self) {
        self.rounds.recv().unwrap();
        while self.rounds.try_recv().is_ok() {}
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lets a relay be handed so many hostile changes, lets its gate try them, and looks at it.
///
/// `honest` is as much honest work, in changes and bytes each: what that costs a relay at most is no harm.
fn besieged(arm: Arm, households: u8, count: usize, honest: (usize, usize)) -> (Tally, usize) {
    wangge_testkit::siege::silence();
    let world = World::new();
    let mut serving = Serving::start(&world);
    let address: SocketAddr = serving.address.parse().unwrap();
    let mut mallory = Device::new(SEED);
    let code = world.invite("马洛", "worker", &[GRID]);
    mallory.enroll(address, &Code::parse(&code).unwrap());
    let mut siege = Siege::new(SEED, households);
    let mut work = siege.households();
    work.extend(siege.honest_work(honest.0, honest.1));
    let told = siege.hand_in(&mut mallory, address, now_ms(), &work);
    assert_eq!(told.refused + told.waiting, 0);
    serving.round();
    let code = world.invite("李梅", "worker", &[GRID]);
    let enroll = ["enroll", &code, "--relay", &serving.url(), "--name", "李梅"];
    world.at("li", &enroll).ok();
    let add = ["household", "add", "王小明", "--door", "9-1"];
    world.at("li", &add).ok();
    world.at("li", &["sync"]).ok();
    serving.round();

    let memory = Memory::beyond(serving.child.id());
    let mut tally = Tally::default();
    let mut left = count;
    while left > 0 {
        let now = left.min(AT_ONCE);
        left -= now;
        let mut batches = Vec::new();
        for _ in 0..now {
            let (doc, hostile) = siege.next(arm);
            match siege.wrap(doc, hostile) {
                Some(batch) => batches.push(batch),
                None => tally.no_change += 1,
            }
        }
        tally.add(siege.hand_in(&mut mallory, address, now_ms(), &batches));
    }
    // Others go on meanwhile, and its own gate tries all that came.
    for note in ["血压高", "睡眠不好"] {
        serving.round();
        world.at("li", &["visit", "9-1", note]).ok();
        world.at("li", &["sync"]).ok();
    }
    serving.round();
    let grown = memory.grown_kib();
    assert!(grown < GROWS_KIB_MAX, "{grown} KiB: {tally:?}");
    assert!(serving.child.try_wait().unwrap().is_none(), "it is up");
    drop(serving);

    let held = tried(&world, &siege);
    // A desk that comes to it reads every household, and what Li did meanwhile.
    let serving = world.relay();
    world.enroll(&serving, "desk", "township", &[TOWNSHIP]);
    world.at("desk", &["sync"]).ends(0);
    let list = ["household", "list", "--json"];
    let listed = world.at("desk", &list).ok().json();
    let listed = listed.as_array().unwrap().len();
    assert_eq!(listed, usize::from(households + QUIET) + 1);
    let visits = world.at("desk", &["visit", "list", "--json"]).ok().json();
    assert_eq!(visits.as_array().map(Vec::len), Some(2));
    (tally, held)
}

/// Has everything in the log tried in processes of the gate's own; returns how many changes are held.
fn tried(world: &World, siege: &Siege) -> usize {
    let settings = Settings::new("", LevelForm::Township);
    let _ = std::fs::remove_file(world.path("relay").join("packs.db"));
    let relay = Relay::open(&world.path("relay"), &settings).unwrap();
    let log = world.write("starts", "");
    let program = env!("CARGO_BIN_EXE_wangge");
    let script = format!("echo x >> {log}; exec {program} relay gate-worker");
    let packs = Packs {
        gate: Some(GateProgram {
            program: "/bin/sh".into(),
            arguments: vec!["-c".to_owned(), script],
        }),
        ..Packs::default()
    };
    let starts = || std::fs::read_to_string(&log).unwrap().lines().count();
    relay.make_packs(&packs).unwrap();
    let held = relay.held().unwrap();
    let heavy = held
        .iter()
        .filter(|it| it.reason == HoldReason::TooHeavy)
        .count();
    // Each worker but the last ended of a change, in company and then alone, or had worked its time.
    let first = starts();
    assert!(
        first <= 1 + 2 * heavy + 5,
        "{first} workers, {heavy} too heavy"
    );
    drop(relay);
    // Started again, and all made anew: nothing that ended a worker ends a second one.
    std::fs::remove_file(world.path("relay").join("packs.db")).unwrap();
    let relay = Relay::open(&world.path("relay"), &settings).unwrap();
    relay.make_packs(&packs).unwrap();
    assert_eq!(relay.held().unwrap(), held);
    for (doc, honest) in &siege.targets {
        let held = held.iter().filter(|it| it.doc == *doc);
        assert!(held.into_iter().all(|it| !honest.contains(&it.change)));
    }
    held.len()
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

#[test]
fn a_relay_survives_a_thousand_bombs_of_a_hundred_to_three_hundred_thousand_bytes() {
    let (tally, held) = besieged(Arm::Bombs, 20, 1_000, (560, 30_000));
    assert!(
        tally.no_change > 100 && held > 100,
        "{tally:?}, {held} held"
    );
}

#[test]
fn a_relay_survives_ten_thousand_damaged_changes_with_right_checksums() {
    let (tally, held) = besieged(Arm::Mutants, 50, 10_000, (8_000, 100));
    let all = tally.no_change + tally.numbered + tally.waiting + tally.refused;
    assert_eq!(all, 10_000, "{tally:?}");
    assert!(held > 1_500, "{tally:?}, {held} held");
}

#[test]
fn a_relay_survives_a_thousand_changes_that_would_make_documents_unreadable() {
    let (tally, held) = besieged(Arm::Poison, 20, 1_000, (1_000, 100));
    assert_eq!((tally.numbered, held), (1_000, 1_000), "{tally:?}");
}
