//! A device that was revoked: it hands in everything, then holds nothing; what is only there is never removed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use wangge_agent::link::{Carried, Carrier};
use wangge_agent::purge::Purged;
use wangge_agent::visits::VisitInput;
use wangge_agent::{AgentError, AttachInput, Machine, Replica};
use wangge_relay::UpstreamTrouble;
use wangge_testkit::district::{District, Yesterday, sync, wait};
use wangge_testkit::tree::Tree;
use wangge_testkit::wire_tap::WireTap;
use wangge_testkit::work::{family, visit, visits};
use wangge_trust::KeyPair;
use wangge_wire::device::DeviceWish;
use wangge_wire::purge::PURGE_CONTENT_TYPE;
use wangge_wire::{
    BatchHash, DurableLife, Incarnation, LifeNonce, PurgeAnswer, PurgeOrder, Role, Signature,
    packing,
};

const VILLAGE: &str = "511724103202";
const GRID: &str = "511724103202001";

fn now_ms() -> i64 {
    (Machine::default().now_ms)()
}

fn revoke(district: &District, replica: &Replica, last_good: Option<u64>) {
    let relay = district.relay();
    relay
        .revoke_device(&replica.device(), last_good, now_ms())
        .unwrap();
}

fn purged(replica: &mut Replica) -> Purged {
    match sync(replica) {
        Err(AgentError::Purged(purged)) => *purged,
        other => panic!("{other:?}"),
    }
}

fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn attach(district: &District, replica: &mut Replica, to: &str) {
    let path = district.path().join("paper.pdf");
    let mut bytes = b"%PDF-1.4\n".to_vec();
    bytes.extend((0..300_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8));
    std::fs::write(&path, &bytes).unwrap();
    let input = AttachInput {
        file: path,
        to: to.to_owned(),
        name: String::new(),
        on: None,
    };
    replica.attach(&input).unwrap();
}

#[test]
fn a_revoked_device_hands_everything_in_and_then_holds_nothing() {
    let district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    let desk = district.home("陈站长", Role::Station, &[VILLAGE]);
    family(&mut li, "3-12");
    sync(&mut li).unwrap();
    // More than one request takes, and a paper with it.
    for n in 0..120 {
        let input = VisitInput {
            household: "3-12".to_owned(),
            note: format!("第{n}次：{}", "一切正常".repeat(225)),
            ..VisitInput::default()
        };
        li.add_visit(input).unwrap();
    }
    let id = visit(&mut li, "3-12");
    attach(&district, &mut li, &id);
    revoke(&district, &li, None);
    let (dir, device) = (li.dir().to_owned(), li.device());
    let marked = purged(&mut li);
    assert!(marked.is_clear(), "{marked:?}");
    assert_eq!((marked.device, &*marked.relay_name), (device, "杨家镇"));
    // What would be recorded now would be removed with the rest.
    let late = VisitInput {
        household: "3-12".to_owned(),
        note: "来不及".to_owned(),
        ..VisitInput::default()
    };
    assert!(matches!(li.add_visit(late), Err(AgentError::Purged(_))));
    drop(li);

    // A power cut here: whoever opens the home next goes on.
    assert!(dir.join("wangge.db").exists());
    match Replica::open(&dir, Machine::default()) {
        Err(AgentError::Purged(again)) => assert_eq!(*again, marked),
        other => panic!("{:?}", other.err()),
    }
    assert_eq!(names(&dir), ["purged.json"]);
    assert!(matches!(
        Replica::open(&dir, Machine::default()),
        Err(AgentError::Purged(_))
    ));

    // All of it is at the relay, past the last good batch in the inbox, and a desk takes it.
    let rows = wait(desk.inbox(false)).unwrap();
    assert!(rows.len() > 120, "{}", rows.len());
    let asked = district
        .relay()
        .ask_devices(&DeviceWish::Incident(device), now_ms());
    let answer = asked.unwrap().unwrap();
    assert!(answer.rows[0].revoked.unwrap().told_ms.is_some());
    let items: u64 = answer
        .incident
        .unwrap()
        .inbox
        .iter()
        .map(|it| it.items)
        .sum();
    assert_eq!(items, rows.len() as u64);
    let blobs = district.relay_dir().join("blobs");
    assert_eq!(
        names(&blobs).iter().filter(|name| name.len() == 2).count(),
        1
    );
}

#[test]
fn a_copy_beside_a_database_that_was_gone_is_kept_until_somebody_has_seen_that() {
    let district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    family(&mut li, "3-12");
    sync(&mut li).unwrap();
    let dir = li.dir().to_owned();
    drop(li);
    // As a change of form leaves one.
    let copy = dir.join("wangge.before-12.db");
    std::fs::rename(dir.join("wangge.db"), &copy).unwrap();
    let mut li = Replica::open(&dir, Machine::default()).unwrap();
    assert!(li.is_lost());
    revoke(&district, &li, None);
    let marked = purged(&mut li);
    assert!(!marked.is_clear() && marked.unsent == 0, "{marked:?}");
    drop(li);
    let mut li = Replica::open(&dir, Machine::default()).unwrap();
    assert!(copy.exists());
    li.loss_seen().unwrap();
    assert!(purged(&mut li).is_clear());
    drop(li);
    assert!(Replica::open(&dir, Machine::default()).is_err());
    assert_eq!(names(&dir), ["purged.json"]);
}

#[test]
fn a_home_of_a_purged_device_takes_a_new_code_and_is_another_device() {
    let district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    family(&mut li, "3-12");
    sync(&mut li).unwrap();
    revoke(&district, &li, None);
    let (dir, device) = (li.dir().to_owned(), li.device());
    assert!(purged(&mut li).is_clear());
    drop(li);
    let mut anew = Replica::init(&dir, "李梅", Vec::new(), Machine::default()).unwrap();
    assert_ne!(anew.device(), device);
    let code = district.invite("李梅", Role::Worker, &[GRID]);
    let url = format!("http://{}", district.address());
    wait(anew.enroll(&code, &url, "李梅", None)).unwrap();
    sync(&mut anew).unwrap();
    assert_eq!(anew.store().counts().unwrap().households, 1);
    drop(anew);
    assert!(Replica::open(&dir, Machine::default()).is_ok());
}

#[test]
fn what_no_relay_is_known_to_have_stays_and_only_reading_is_locked() {
    let mut district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    family(&mut li, "3-12");
    sync(&mut li).unwrap();
    let yesterday = Yesterday::keep(&mut district);
    visit(&mut li, "3-12");
    sync(&mut li).unwrap();
    // The relay lost the batch that it gave a receipt for: nobody else has it.
    yesterday.return_to(&mut district);
    revoke(&district, &li, Some(9));
    let marked = purged(&mut li);
    assert!(!marked.proven && !marked.is_clear());
    let dir = li.dir().to_owned();
    drop(li);
    let mut li = Replica::open(&dir, Machine::default()).unwrap();
    assert!(matches!(li.may_read(), Err(AgentError::Purged(_))));
    assert_eq!(visits(&li), 1, "it is all there");
    visit(&mut li, "3-12");
    assert!(!purged(&mut li).proven);
    assert_eq!(visits(&li), 2);
}

#[test]
fn a_line_that_breaks_while_a_device_parts_removes_nothing() {
    let mut district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    family(&mut li, "3-12");
    sync(&mut li).unwrap();
    visit(&mut li, "3-12");
    revoke(&district, &li, None);
    district.stop();
    assert!(matches!(sync(&mut li), Err(AgentError::NoLink { .. })));
    assert!(
        li.may_read().is_ok(),
        "a device that hears nothing is not purged"
    );
    assert!(!li.dir().join("purged.json").exists());
    district.start();
    assert!(purged(&mut li).is_clear());
}

/// Answers every request with what a thief of the line made up.
struct Forger {
    answer: Mutex<PurgeAnswer>,
}

impl Carrier for Forger {
    fn carry(&self, _: reqwest::Request) -> Carried {
        let body = packing::encode(&*self.answer.lock().unwrap());
        let answer = http::Response::builder()
            .status(403)
            .header("content-type", PURGE_CONTENT_TYPE)
            .body(body)
            .unwrap();
        Box::pin(async move { Ok(reqwest::Response::from(answer)) })
    }
}

#[test]
fn a_purge_order_that_is_forged_for_another_device_or_of_another_relay_changes_nothing() {
    let district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    let mut wang = district.home("王芳", Role::Worker, &[GRID]);
    family(&mut li, "3-12");
    sync(&mut li).unwrap();
    let dir = li.dir().to_owned();
    let before = names(&dir);
    let secret = std::fs::read(district.relay_dir().join("relay.key")).unwrap();
    let relay = KeyPair::from_secret(&secret.try_into().unwrap());
    let other = KeyPair::from_secret(&[66; 32]);
    let order = |key: &KeyPair, replica: &Replica| {
        let mut order = PurgeOrder {
            device: replica.device(),
            relay: key.public().relay(),
            incarnation: Incarnation([1; 16]),
            at_ms: now_ms(),
            lives: vec![DurableLife {
                nonce: replica.life(),
                number: 99,
                batch: BatchHash([9; 32]),
                count: 99,
            }],
            signature: Signature([0; 64]),
        };
        key.sign_purge(&mut order);
        order
    };
    let mut changed = order(&relay, &li);
    changed.lives = vec![DurableLife {
        nonce: LifeNonce([0; 8]),
        number: 1,
        batch: BatchHash([9; 32]),
        count: 1,
    }];
    let mut claimed = order(&other, &li);
    claimed.relay = relay.public().relay();
    let forged = [
        order(&other, &li),
        order(&relay, &wang),
        changed,
        claimed,
        PurgeOrder {
            signature: Signature([7; 64]),
            ..order(&relay, &li)
        },
    ];
    for order in forged {
        let answer = PurgeAnswer {
            order,
            verdicts: None,
            blob: None,
        };
        li.carry_by(Arc::new(Forger {
            answer: Mutex::new(answer),
        }));
        let said = sync(&mut li);
        assert!(
            matches!(said, Err(AgentError::StrangeAnswer { .. })),
            "{said:?}"
        );
        assert!(li.may_read().is_ok());
        assert_eq!(names(&dir), before);
    }
    // The same words of the own relay about this very device are believed.
    let answer = PurgeAnswer {
        order: order(&relay, &li),
        verdicts: None,
        blob: None,
    };
    li.carry_by(Arc::new(Forger {
        answer: Mutex::new(answer),
    }));
    assert!(purged(&mut li).is_clear());
    // What is sent over the line of another relay's word is none of this one's.
    sync(&mut wang).unwrap();
}

#[test]
fn colleagues_see_what_was_good_and_what_a_thief_wrote_waits_whatever_the_clock_says() {
    let district = District::new();
    let now = Arc::new(AtomicI64::new(now_ms()));
    let read = Arc::clone(&now);
    let machine = Machine {
        now_ms: Box::new(move || read.load(Ordering::SeqCst)),
        ..Machine::default()
    };
    let folder = district.path().join("李梅");
    let mut li = Replica::init(&folder, "李梅", Vec::new(), machine).unwrap();
    let code = district.invite("李梅", Role::Worker, &[GRID]);
    let url = format!("http://{}", district.address());
    wait(li.enroll(&code, &url, "李梅", None)).unwrap();
    let mut wang = district.home("王芳", Role::Worker, &[GRID]);
    let mut desk = district.home("陈站长", Role::Station, &[VILLAGE]);
    family(&mut li, "3-12");
    sync(&mut li).unwrap();
    let day_ms = 24 * 60 * 60 * 1000;
    // Written by its holder before it was lost, by a clock that was a month ahead, and never sent: one batch.
    now.fetch_add(30 * day_ms, Ordering::SeqCst);
    let honest = visit(&mut li, "3-12");
    // The second batch is good by the owner's word; the relay has only the first.
    revoke(&district, &li, Some(2));
    let marked = purged(&mut li);
    assert!(marked.is_clear(), "{marked:?}");
    // A thief with the key, another program, and a clock two months back: before all of it.
    std::fs::remove_file(folder.join("purged.json")).unwrap();
    drop(li);
    now.fetch_sub(90 * day_ms, Ordering::SeqCst);
    let read = Arc::clone(&now);
    let machine = Machine {
        now_ms: Box::new(move || read.load(Ordering::SeqCst)),
        ..Machine::default()
    };
    let mut thief = Replica::open(&folder, machine).unwrap();
    let late = visit(&mut thief, "3-12");
    assert!(purged(&mut thief).is_clear());

    for colleague in [&mut wang, &mut desk] {
        sync(colleague).unwrap();
        assert!(colleague.visit(&honest).is_ok());
        assert!(colleague.visit(&late).is_err());
    }
    let rows = wait(desk.inbox(false)).unwrap();
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0].by.name, "李梅");
}

#[test]
fn a_desk_takes_a_device_out_from_its_own_and_hears_what_it_held() {
    let district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    let mut wang = district.home("王芳", Role::Worker, &[GRID]);
    let mut desk = district.home("陈站长", Role::Station, &[VILLAGE]);
    family(&mut li, "3-12");
    visit(&mut li, "3-12");
    sync(&mut li).unwrap();
    sync(&mut desk).unwrap();
    assert!(matches!(wait(wang.devices()), Err(AgentError::NotYourRole)));
    let listed = wait(desk.devices()).unwrap();
    assert_eq!(
        listed.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(),
        ["李梅", "王芳"],
        "not its own"
    );
    let would = wait(desk.revoking("李梅", None)).unwrap();
    assert_eq!(
        (would.device.device, would.numbered_after),
        (li.device(), 0)
    );
    wait(desk.revoke(&li.device(), None)).unwrap();
    assert!(matches!(
        wait(wang.revoke(&desk.device(), None)),
        Err(AgentError::Order(_))
    ));
    assert!(purged(&mut li).is_clear());

    let report = wait(desk.incident("#1", None)).unwrap();
    assert!(report.device.revoked && report.device.purge_told_ms.is_some());
    assert_eq!((report.families.len(), report.grants.len()), (1, 1));
    assert!(!report.unmasked);
    let shown = serde_json::to_string(&report.families).unwrap();
    let held = desk.households(None, 9, 0).unwrap();
    assert!(!shown.contains(&held[0].head), "{shown}");
    let before = desk.accesses(&report.families[0].id).unwrap().len();
    let report = wait(desk.incident("#1", Some("设备丢失报告"))).unwrap();
    let shown = serde_json::to_string(&report.families).unwrap();
    assert!(shown.contains(&held[0].head), "{shown}");
    let written = desk.accesses(&report.families[0].id).unwrap();
    assert_eq!(written.len(), before + 1);
    assert_eq!(written[0].why, "设备丢失报告");
}

#[test]
fn a_relay_below_that_was_revoked_is_let_in_no_more_and_what_it_handed_up_stays() {
    let tree = Tree::new();
    let mut li = tree.village.home("李梅", Role::Worker, &[GRID]);
    family(&mut li, "3-12");
    sync(&mut li).unwrap();
    tree.settle();
    let township = tree.township.relay();
    let changes = township.counts().unwrap().changes;
    let below = township.below().unwrap();
    assert_eq!(below[0].name, "民主村");
    township
        .revoke_device(&below[0].device, Some(0), now_ms())
        .unwrap();
    let met = tree.village_meets();
    assert!(
        matches!(
            met,
            Err(wangge_relay::RelayError::Upstream(UpstreamTrouble::Refused))
        ),
        "{met:?}"
    );
    assert_eq!(township.counts().unwrap().changes, changes);
    // Its own devices go on with it: they pinned it, and nobody took them out.
    visit(&mut li, "3-12");
    assert!(sync(&mut li).is_ok());
}

#[test]
fn a_line_cut_anywhere_while_a_device_parts_loses_nothing_and_the_next_sync_purges_it() {
    let district = District::new();
    let line = WireTap::to(district.address());
    let mut desk = district.home("陈站长", Role::Station, &[VILLAGE]);
    let (mut expected, mut cut) = (None, 0);
    // Up and down, a few hundred bytes apart: within the request, its batches, the papers, the answers.
    let cuts = (0..9).map(|n| (n * 5_000, u64::MAX));
    let cuts = cuts.chain((0..6).map(|n| (u64::MAX, n * 500)));
    for (n, (up, down)) in cuts.enumerate() {
        let name = format!("李梅{n}");
        let mut li = district.home_at(&name, Role::Worker, &[GRID], &line.url());
        let household = format!("{}-1", n + 1);
        family(&mut li, &household);
        sync(&mut li).unwrap();
        let id = visit(&mut li, &household);
        attach(&district, &mut li, &id);
        revoke(&district, &li, None);
        line.cut_after(up, down);
        let first = sync(&mut li);
        line.cut_after(u64::MAX, u64::MAX);
        if let Err(AgentError::Purged(purged)) = &first {
            assert!(purged.is_clear(), "{n}: {purged:?}");
        } else {
            assert!(
                matches!(first, Err(AgentError::NoLink { .. })),
                "{n}: {first:?}"
            );
            assert!(li.may_read().is_ok() && visits(&li) == 1, "{n}");
            cut += 1;
            assert!(purged(&mut li).is_clear(), "{n}");
        }
        let device = li.device();
        let asked = district
            .relay()
            .ask_devices(&DeviceWish::Incident(device), now_ms());
        let incident = asked.unwrap().unwrap().incident.unwrap();
        let items: u64 = incident.inbox.iter().map(|it| it.items).sum();
        assert_eq!(
            *expected.get_or_insert(items),
            items,
            "{n}: the same arrived"
        );
    }
    assert!((8..15).contains(&cut), "{cut} of them were cut");
    sync(&mut desk).unwrap();
}

#[test]
fn a_relay_below_purges_no_desk_of_a_relay_above() {
    let tree = Tree::new();
    let mut desk = tree.township.home("周文", Role::Township, &["511724103"]);
    sync(&mut desk).unwrap();
    tree.settle();
    // Whoever has the village's relay has its key, and may write into its log what it likes.
    let village = tree.village.relay();
    village
        .revoke_device(&desk.device(), None, now_ms())
        .unwrap();
    let url = format!("http://{}", tree.village.address());
    let said = wait(desk.sync_at(&url));
    assert!(
        matches!(said, Err(AgentError::StrangeAnswer { .. })),
        "{said:?}"
    );
    assert!(desk.may_read().is_ok());
    assert!(!desk.dir().join("purged.json").exists());
    assert!(sync(&mut desk).is_ok(), "its own relay knows better");
}
