//! A relay that is killed while its receipts are on the way: the program itself, and `kill -9`.
//!
//! What a device was told is durable is in the relay's log when it comes back, before anybody sends it
//! again; **and nothing is lost of what nobody was told about**.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use serde_json::Value;
use wangge_relay::{LevelForm, Settings};

use crate::world::{GRID, Relay, TOWNSHIP, World};

/// Documents of the day.
const DOCUMENTS: u64 = 90;

#[test]
fn a_relay_killed_at_the_first_receipt_has_lost_nothing_of_ninety() {
    nothing_is_lost(1);
}

#[test]
fn a_relay_killed_among_the_receipts_has_lost_nothing_of_ninety() {
    nothing_is_lost(1_500);
}

/// Lets a device hand in its day and kills the relay once so many bytes of the answer came.
fn nothing_is_lost(bytes: usize) {
    let world = World::new();
    let relay = world.relay();
    let address = relay.address.clone();
    let (line, reached) = Line::to(&address);
    let code = world.invite("李梅", "worker", &[GRID]);
    let enroll = ["enroll", &code, "--relay", &line.url(), "--name", "李梅"];
    world.at("li", &enroll).ok();
    record(&world);

    line.left.store(bytes, Ordering::SeqCst);
    let ended = std::thread::scope(|scope| {
        let sync = scope.spawn(|| world.at("li", &["sync", "--json"]).code);
        reached.recv().unwrap();
        relay.end("-KILL");
        // The rest of the answer never comes.
        sync.join().unwrap()
    });
    assert_ne!(ended, 0, "the sync was cut");

    let unsent = world.at("li", &["outbox", "--json"]).ok().json();
    let unsent = unsent.as_array().unwrap();
    let of_changes = |row: &&Value| row["entry"] == "change";
    let unsent = unsent.iter().filter(of_changes).count() as u64;
    let settings = Settings::new("", LevelForm::Township);
    let opened = wangge_relay::Relay::open(&world.path("relay"), &settings).unwrap();
    let held = opened.counts().unwrap().changes;
    assert!(
        held >= DOCUMENTS - unsent,
        "{held} of {DOCUMENTS}, {unsent} unsent"
    );
    assert!(held > 0, "the writer had begun");
    drop(opened);

    let again = Relay::start(&world, &address);
    line.left.store(usize::MAX, Ordering::SeqCst);
    world.at("li", &["sync"]).ok();
    world.enroll(&again, "desk", "township", &[TOWNSHIP]);
    world.at("desk", &["sync"]).ok();
    let status = world.at("desk", &["status", "--json"]).ok().json();
    assert_eq!(status["counts"]["households"], DOCUMENTS, "{status}");
    let outbox = world.at("li", &["outbox", "--json"]).ok().json();
    assert_eq!(outbox.as_array().map(Vec::len), Some(0), "{outbox}");
}

fn record(world: &World) {
    let rows = (1..=DOCUMENTS).map(|n| format!("王小{n},户主,{n}号\n"));
    let roster = format!("姓名,与户主关系,门牌号\n{}", rows.collect::<String>());
    let file = world.write("r.csv", roster);
    world.at("li", &["household", "import", &file]).ok();
}

/// A line that breaks once so many bytes of answers came, and says so; those are still handed on.
pub(crate) struct Line {
    at: SocketAddr,
    pub(crate) left: Arc<AtomicUsize>,
}

impl Line {
    pub(crate) fn to(relay: &str) -> (Self, Receiver<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let left = Arc::new(AtomicUsize::new(usize::MAX));
        let (shared, relay) = (Arc::clone(&left), relay.to_owned());
        let (broke, reached) = channel();
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let far = TcpStream::connect(&relay).unwrap();
                let (left, broke) = (Arc::clone(&shared), broke.clone());
                std::thread::spawn(move || pass(near, far, &left, &broke));
            }
        });
        (Self { at, left }, reached)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.at)
    }
}

fn pass(mut near: TcpStream, mut far: TcpStream, left: &AtomicUsize, broke: &Sender<()>) {
    let (mut from, mut to) = (near.try_clone().unwrap(), far.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    let mut buffer = [0; 512];
    loop {
        let read = far.read(&mut buffer).unwrap_or(0);
        if read == 0 || near.write_all(&buffer[..read]).is_err() {
            break;
        }
        let had = left.load(Ordering::SeqCst);
        let rest = if had == usize::MAX {
            had
        } else {
            had.saturating_sub(read)
        };
        left.store(rest, Ordering::SeqCst);
        if rest == 0 {
            let _ = broke.send(());
            break;
        }
    }
    let _ = near.shutdown(Shutdown::Both);
}
