//! Two hundred times `kill -9`, of a device that records or syncs and of a relay that gives receipts.
//!
//! Each time at the moment at which something was said: a visit is saved, a receipt was given. **The next
//! thing is under way then**, and what was said is there when the program is started again.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, Stdio};
use std::sync::mpsc::channel;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use wangge_relay::{ChangeHash, Code, DocId};
use wangge_testkit::device::Device;
use wangge_testkit::load::hand_in;

use crate::killed::Line;
use crate::world::{GRID, Relay, TOWNSHIP, World};

/// How often a device is killed while it records.
const RECORDING: usize = 80;
/// How often while it syncs.
const SYNCING: usize = 20;
/// How often a relay is killed.
const SERVING: u64 = 100;
/// Devices that hand in at once.
const DEVICES: u8 = 3;

fn kill(child: &mut Child) {
    // The system's own way to end a process at once, wherever it is.
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Returns the ids of the visits that a home lists.
fn visits(world: &World, home: &str) -> BTreeSet<String> {
    let listed = world.at(home, &["visit", "list", "--json"]).ok().json();
    let id = |visit: &Value| visit["id"].as_str().unwrap().to_owned();
    listed.as_array().unwrap().iter().map(id).collect()
}

#[test]
fn a_device_killed_eighty_times_while_it_records_has_every_visit_that_it_called_saved() {
    let world = World::new();
    world.home_with_households("d");
    let mut saved = BTreeSet::new();
    for round in 0..RECORDING {
        let mut command = world.command();
        command.arg("--home").arg(world.path("d"));
        command.args(["visit", "--json=lines"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().unwrap();
        let lines = format!("zjg 血压{round}\n3-13 好\n").repeat(40);
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(lines.as_bytes()).unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        for _ in 0..=round % 5 {
            let visit: Value = serde_json::from_str(&said.next().unwrap().unwrap()).unwrap();
            saved.insert(visit["id"].as_str().unwrap().to_owned());
        }
        kill(&mut child);
        // What it wrote before it was killed was said as well.
        let heard = said.map_while(Result::ok);
        let heard = heard.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        saved.extend(heard.filter_map(|visit| visit["id"].as_str().map(str::to_owned)));
        if round % 10 == 9 {
            let there = visits(&world, "d");
            let lost: Vec<_> = saved.difference(&there).collect();
            assert!(lost.is_empty(), "round {round}: {lost:?}");
        }
    }
    assert!(saved.len() > RECORDING * 2);
    let status = world.at("d", &["status", "--json"]).ok().json();
    assert_eq!(status["set_aside"].as_array().map_or(0, Vec::len), 0);
}

#[test]
fn a_device_killed_twenty_times_while_it_syncs_hands_in_all_it_recorded_once() {
    let world = World::new();
    let relay = world.relay();
    let (line, reached) = Line::to(&relay.address);
    let code = world.invite("李梅", "worker", &[GRID]);
    let enroll = ["enroll", &code, "--relay", &line.url(), "--name", "李梅"];
    world.at("li", &enroll).ok();
    let add = ["household", "add", "张建国", "--door", "3-12"];
    world.at("li", &add).ok();
    for round in 0..SYNCING {
        let typed = format!("zjg 血压{round}\n").repeat(8);
        world.at_with("li", &["visit", "--json=lines"], &typed).ok();
        line.left
            .store(40 + round * 90, std::sync::atomic::Ordering::SeqCst);
        let mut command = world.command();
        command.arg("--home").arg(world.path("li")).arg("sync");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        // So much of the relay's answer has come.
        reached.recv().unwrap();
        kill(&mut child);
    }
    line.left
        .store(usize::MAX, std::sync::atomic::Ordering::SeqCst);
    world.at("li", &["sync"]).ok();
    world.enroll(&relay, "desk", "township", &[TOWNSHIP]);
    world.at("desk", &["sync"]).ok();
    let (own, theirs) = (visits(&world, "li"), visits(&world, "desk"));
    assert_eq!(own.len(), SYNCING * 8);
    assert_eq!(own, theirs);
    let outbox = world.at("li", &["outbox", "--json"]).ok().json();
    assert_eq!(outbox.as_array().map(Vec::len), Some(0), "{outbox}");
}

#[test]
fn a_relay_killed_a_hundred_times_under_load_has_everything_that_it_gave_a_receipt_for() {
    let world = World::new();
    let mut relay = world.relay();
    let mut devices: Vec<Device> = (1..=DEVICES).map(Device::new).collect();
    for device in &mut devices {
        enroll(&world, &relay, device, "worker", GRID);
    }
    let mut reader = Device::new(100);
    enroll(&world, &relay, &mut reader, "township", TOWNSHIP);
    let mut told: BTreeMap<(DocId, ChangeHash), u64> = BTreeMap::new();
    for round in 0..SERVING {
        let address: SocketAddr = relay.address.parse().unwrap();
        let (says, hears) = channel();
        std::thread::scope(|scope| {
            for device in &mut devices {
                let says = says.clone();
                scope.spawn(move || hand_in(device, address, round, now_ms, &says));
            }
            drop(says);
            // At another receipt each time, while the other devices' are on their way.
            told.extend(hears.iter().take(1 + (round % 7) as usize));
            relay.end("-KILL");
            told.extend(hears.iter());
        });
        relay = world.relay();
        let address: SocketAddr = relay.address.parse().unwrap();
        reader.sync(address, now_ms(), &[]);
        for (name, position) in &told {
            assert_eq!(reader.held.get(name), Some(position), "round {round}");
        }
    }
    assert!(told.len() as u64 > SERVING * 2, "{}", told.len());
}

fn enroll(world: &World, relay: &Relay, device: &mut Device, role: &str, area: &str) {
    let code = world.invite("李梅", role, &[area]);
    device.enroll(relay.address.parse().unwrap(), &Code::parse(&code).unwrap());
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}
