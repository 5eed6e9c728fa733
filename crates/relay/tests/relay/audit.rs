//! What a relay writes down of what is done with it: who did it to what, and no word of anybody.

use rusqlite::Connection;
use rusqlite::types::Value;
use wangge_relay::{About, AuditWho, Fault, Relay, Role, What};
use wangge_testkit::device::{Device, shape};
use wangge_wire::device::DeviceWish;
use wangge_wire::receipt::ItemState;
use wangge_wire::{Decision, OrderBody};

use crate::town::{GRID_1, GRID_2, TOWNSHIP, Town, doc};

type Row = (What, AuditWho, About);

fn rows(relay: &Relay) -> Vec<Row> {
    let rows = relay.audit(i64::MIN).unwrap().into_iter();
    rows.map(|row| (row.what.unwrap(), row.who.unwrap(), row.about.unwrap()))
        .collect()
}

fn revocation(device: &Device) -> OrderBody {
    OrderBody::Revoke {
        device: device.id(),
        last_good_batch: u64::MAX,
        lives: None,
    }
}

/// A day at a relay: everything of which a row is written, once. Returns what the rows must say.
fn day(town: &Town) -> Vec<Row> {
    use AuditWho::{Operator, Relay as ByRelay};
    let me = town.open().card(0).key.relay();
    let (relay, now) = (town.relay, town.now_ms());
    let mut expected = vec![(What::Began, Operator, About::Relay(me))];
    let mut joined = |device: &Device| {
        let (by, person) = (
            AuditWho::Device(device.id()),
            About::Person(device.person()),
        );
        expected.extend([
            (What::Invited, Operator, person),
            (What::InvitationUsed, by, person),
            (What::Granted, by, About::Device(device.id())),
        ]);
    };
    let mut li = town.worker(1, &[GRID_1]);
    joined(&li);
    let mut zhao = town.device(2, Role::Township, &[TOWNSHIP]);
    joined(&zhao);
    let desk = AuditWho::Device(zhao.id());

    // A document of a kind that says who asked to see something; here all are of that kind.
    zhao.begin(doc(2), GRID_2);
    zhao.write(doc(2), "note", "张建国 13800001111");
    let batch = zhao.batch();
    zhao.sync(relay, now, &[batch]);
    let looked = (What::Looked, desk, About::Document(doc(2)));
    expected.push(looked);

    li.begin_owned(doc(2), None);
    let item = li.write(doc(2), "phone", "13800001111");
    let batch = li.batch();
    let answer = li.sync(relay, now, &[batch]);
    assert!(matches!(answer.items()[..], [ItemState::Inbox(_)]));
    let parked = (doc(2), item, li.id());
    let discard = zhao.settle(parked, Decision::Discard, &[]);
    let over = discard.items[0].name().hash;
    zhao.sync(relay, now, &[discard]);
    expected.push((What::Discarded, desk, About::Entry(item)));
    let accept = zhao.settle(parked, Decision::Accept, &[over]);
    zhao.sync(relay, now, &[accept]);
    expected.push((What::Accepted, desk, About::Entry(item)));
    // It is numbered now, by the hand that wrote it.
    expected.push((
        What::Looked,
        AuditWho::Device(li.id()),
        About::Document(doc(2)),
    ));

    let device = li.id();
    for (wish, what) in [
        (DeviceWish::Incident(device), What::IncidentReported),
        (DeviceWish::Lease { device, days: None }, What::LeaseCode),
    ] {
        let about = About::Device(device);
        zhao.ask_devices(relay, now, wish.clone());
        town.open().ask_devices(&wish, now).unwrap().unwrap();
        expected.extend([(what, desk, about), (what, Operator, about)]);
    }
    let all = DeviceWish::All { after: None };
    zhao.ask_devices(relay, now, all);
    let reply = zhao.ask_order(relay, now, revocation(&li));
    assert_eq!(reply.status, 200);
    expected.push((What::Revoked, desk, About::Device(device)));
    for _ in 0..2 {
        assert_eq!(li.exchange(relay, now, 0, &[], false).status, 403);
    }
    expected.push((What::PurgeTold, ByRelay(me), About::Device(device)));
    let file = town.dir.path().with_extension("backup");
    town.open().backup(&file, None).unwrap();
    expected.push((What::BackupBegun, Operator, About::Nothing));
    expected
}

fn town() -> Town {
    Town::with(|settings| settings.access_kinds = vec![shape().kind])
}

#[test]
fn what_is_done_at_a_relay_has_a_row_each_that_says_who_and_to_what() {
    let town = town();
    let expected = day(&town);
    let relay = town.open();
    assert_eq!(rows(&relay), expected);
    let walked = relay.audit_walk().unwrap();
    assert_eq!((walked.last, walked.fault), (expected.len() as u64, None));
}

#[test]
fn no_row_holds_a_name_a_telephone_or_a_note() {
    let town = town();
    day(&town);
    let relay = Connection::open(town.dir.path().join("relay.db")).unwrap();
    let mut rows = relay.prepare("SELECT * FROM audit").unwrap();
    let columns = rows.column_count();
    let mut rows = rows.query([]).unwrap();
    let mut bytes = 0;
    while let Some(row) = rows.next().unwrap() {
        for column in 0..columns {
            match row.get::<_, Value>(column).unwrap() {
                Value::Integer(_) => {}
                // An id or a hash, and of no other length.
                Value::Blob(blob) => {
                    assert!(matches!(blob.len(), 0 | 16 | 32));
                    bytes += blob.len();
                    for secret in ["李梅", "张建国", "13800001111", "杨家镇"] {
                        let there = blob.windows(secret.len()).any(|it| it == secret.as_bytes());
                        assert!(!there, "{secret}");
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(bytes > 1_000, "{bytes}");
}

#[test]
fn nothing_is_done_and_nothing_is_told_whose_row_cannot_be_written() {
    let town = Town::new();
    let (relay, now) = (town.relay, town.now_ms());
    let (mut li, mut zhao) = (town.worker(1, &[GRID_1]), town.desk(2));
    let late = town.invite(Role::Worker, &[GRID_1]);
    let entries = town.open().counts().unwrap().entries;
    let beside = Connection::open(town.dir.path().join("relay.db")).unwrap();
    beside
        .execute_batch("ALTER TABLE audit RENAME TO elsewhere")
        .unwrap();

    let device = li.id();
    for wish in [
        DeviceWish::Incident(device),
        DeviceWish::Lease { device, days: None },
    ] {
        let reply = zhao.post_devices(relay, now, wish);
        assert_eq!((reply.status, reply.text().as_str()), (500, "internal"));
    }
    assert_eq!(zhao.ask_order(relay, now, revocation(&li)).status, 500);
    assert!(town.open().revoke_device(&device, None, now).is_err());
    let card = wangge_testkit::device::card(relay);
    let (reply, _) = Device::new(3).ask_in(relay, &late, &card);
    assert_eq!(reply.status, 500);
    assert_eq!(town.open().counts().unwrap().entries, entries);

    beside
        .execute_batch("ALTER TABLE elsewhere RENAME TO audit")
        .unwrap();
    let answer = li.exchange(relay, now, 0, &[], false);
    assert_eq!(answer.status, 200, "nobody was revoked");
    assert_eq!(town.open().audit_walk().unwrap().fault, None);
}

#[test]
fn a_row_that_was_changed_behind_the_relay_is_named() {
    let town = town();
    day(&town);
    let beside = Connection::open(town.dir.path().join("relay.db")).unwrap();
    let sql = "UPDATE audit SET at_ms = at_ms + 1 WHERE n = 7";
    assert_eq!(beside.execute(sql, []).unwrap(), 1);
    let fault = town.open().audit_walk().unwrap().fault;
    assert_eq!(fault, Some(Fault::Changed(7)));
}
