//! A device that was lost: what it is answered, what becomes of what it brings, what a desk may ask and order.

use axum::http::Request;
use tokio::runtime::Builder;
use wangge_relay::{Inline, ROUTES, Role, Who};
use wangge_testkit::device::{Device, read_answer};
use wangge_testkit::wire_client::{self, Reply};
use wangge_trust::key::verify_purge;
use wangge_wire::device::{DeviceRefusal, DeviceWish};
use wangge_wire::enroll::OrderBytes;
use wangge_wire::receipt::{ItemState, Reason};
use wangge_wire::{
    BatchHash, BlobHash, Day, LifeNonce, Order, OrderBody, OrderRefusal, PurgeAnswer, Verdict,
    packing,
};

use crate::town::{ELSEWHERE, GRID_1, GRID_2, Town, doc};

fn revoke(town: &Town, device: &Device, last_good: Option<u64>) {
    let relay = town.open();
    relay
        .revoke_device(&device.id(), last_good, town.now_ms())
        .unwrap();
}

fn purge(reply: &Reply) -> PurgeAnswer {
    assert_eq!(reply.status, 403, "{}", reply.text());
    packing::decode(&reply.body, "purge").unwrap()
}

/// Asks on a route as a member would, with a head of nothing.
fn ask(town: &Town, device: &mut Device, method: &str, path: &str) -> Reply {
    let path = path.replace("{hash}", &BlobHash([7; 32]).to_string());
    let head: &[u8] = if method == "POST" { &[0xa0] } else { &[] };
    let body = match method {
        "POST" => [&[0, 0, 0, 1], head].concat(),
        _ => Vec::new(),
    };
    let what = (method, path.as_str(), "?");
    let request = device.signed_request(town.relay, town.now_ms(), what, head, &[], &body);
    wire_client::send_raw(town.relay, &request)
}

#[test]
fn a_revoked_device_is_answered_by_the_purge_order_alone_on_every_route() {
    let town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    revoke(&town, &li, None);
    let key = town.open().card(0).key;
    for route in ROUTES {
        let reply = ask(&town, &mut li, route.method, route.path);
        match route.who {
            // Not asked as a device, and nothing of anybody's is in the answer.
            Who::Anybody => assert_eq!(reply.status, 200, "{}", route.path),
            Who::Invited => assert_eq!(reply.status, 400, "{}", route.path),
            Who::Member | Who::Desk | Who::RelayBelow => {
                let answer = purge(&reply);
                assert_eq!(answer.order.device, li.id(), "{}", route.path);
                assert!(verify_purge(&key, &answer.order));
                let bare = PurgeAnswer {
                    order: answer.order,
                    verdicts: None,
                    blob: None,
                };
                assert_eq!(packing::encode(&bare), reply.body, "{}", route.path);
            }
        }
    }
    let row = town.open().devices().unwrap();
    assert!(row[0].revoked);
    let told = town
        .open()
        .ask_devices(&DeviceWish::Incident(li.id()), town.now_ms())
        .unwrap()
        .unwrap();
    assert!(told.rows[0].revoked.unwrap().told_ms.is_some());
}

#[test]
fn a_stranger_and_an_unsigned_request_are_told_nothing_on_every_route_of_members() {
    let town = Town::new();
    let mut stranger = Device::new(77);
    let of_members = ROUTES
        .iter()
        .filter(|route| !matches!(route.who, Who::Anybody | Who::Invited));
    for route in of_members {
        let reply = ask(&town, &mut stranger, route.method, route.path);
        assert_eq!(
            (reply.status, reply.text().as_str()),
            (401, "unknown device"),
            "{}",
            route.path
        );
        let path = route.path.replace("{hash}", &BlobHash([7; 32]).to_string());
        let body = if route.method == "POST" {
            &[0, 0, 0, 1, 0xa0][..]
        } else {
            &[]
        };
        let reply = wire_client::send(town.relay, route.method, &path, &[], body);
        assert_eq!((reply.status, reply.text().as_str()), (401, "unsigned"));
    }
}

#[test]
fn a_revoked_device_may_enrol_with_a_new_key_and_never_with_the_old_one() {
    let town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    revoke(&town, &li, None);
    let anew = town.worker(2, &[GRID_1]);
    assert!(anew.roster.member(&anew.id()).is_some());
    let code = town.invite(Role::Worker, &[GRID_1]);
    let card = wangge_testkit::device::card(town.relay);
    li.ask_in(town.relay, &code, &card);
    let answer = li.exchange(town.relay, town.now_ms(), 0, &[], false);
    assert_eq!(answer.status, 403, "revocation beats a grant");
}

#[test]
fn what_a_revoked_device_brings_is_receipted_and_past_the_last_good_batch_in_the_inbox() {
    let town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    li.begin(doc(1), GRID_1);
    li.write(doc(1), "door", "1");
    let first = li.batch();
    li.sync(town.relay, town.now_ms(), std::slice::from_ref(&first));
    li.write(doc(1), "door", "2");
    let honest = li.batch();
    li.write(doc(1), "door", "3");
    let late = li.batch();
    // The owner says that one more visit was written before the telephone was gone.
    revoke(&town, &li, Some(2));
    let frames = Device::full(&[honest.clone(), late.clone()]);
    let answer = li.exchange(town.relay, town.now_ms(), 2, &frames, false);
    let answer = answer.purge.unwrap();
    let states: Vec<_> = answer
        .verdicts
        .unwrap()
        .into_iter()
        .map(|verdict| match verdict {
            Verdict::Receipt(receipt) => receipt.items,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(matches!(states[0][..], [ItemState::At(_)]), "{states:?}");
    assert_eq!(states[1], [ItemState::Inbox(Reason::OutOfScope)]);
    let durable = answer.order.lives;
    assert_eq!(
        durable
            .iter()
            .map(|it| (it.nonce, it.number, it.batch))
            .collect::<Vec<_>>(),
        [(li.nonce, 3, late.hash())]
    );
    let incident = town
        .open()
        .ask_devices(&DeviceWish::Incident(li.id()), town.now_ms())
        .unwrap()
        .unwrap();
    let inbox = incident.incident.unwrap().inbox;
    assert_eq!(
        inbox
            .iter()
            .map(|it| (it.batch, it.number, it.items))
            .collect::<Vec<_>>(),
        [(late.hash(), 3, 1)]
    );
}

#[test]
fn a_thief_with_the_key_gets_nothing_numbered_by_a_new_life_or_by_a_number_that_is_taken() {
    let town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    li.begin(doc(1), GRID_1);
    li.write(doc(1), "door", "1");
    let first = li.batch();
    li.sync(town.relay, town.now_ms(), std::slice::from_ref(&first));
    li.write(doc(1), "door", "2");
    let second = li.batch();
    li.sync(town.relay, town.now_ms(), std::slice::from_ref(&second));
    revoke(&town, &li, None);
    let entries = town.open().counts().unwrap().entries;

    // The same life, and the number of a batch that is good.
    let (number, previous) = (li.number, li.previous);
    (li.number, li.previous) = (0, BatchHash([0; 32]));
    li.begin(doc(2), GRID_1);
    li.write(doc(2), "door", "9");
    let taken = li.batch();
    assert!(taken.head.number <= 2);
    // Another life, whose numbers begin anew.
    (li.number, li.previous, li.nonce) = (0, BatchHash([0; 32]), LifeNonce([99; 8]));
    li.begin(doc(3), GRID_1);
    li.write(doc(3), "door", "9");
    let other = li.batch();
    (li.number, li.previous) = (number, previous);
    let frames = Device::full(&[taken, other]);
    let answer = li.exchange(town.relay, town.now_ms(), 2, &frames, false);
    let verdicts = answer.purge.unwrap().verdicts.unwrap();
    for verdict in verdicts {
        let Verdict::Receipt(receipt) = verdict else {
            panic!("{verdict:?}");
        };
        let in_inbox = |item: &ItemState| matches!(item, ItemState::Inbox(_));
        assert!(receipt.items.iter().all(in_inbox), "{:?}", receipt.items);
    }
    assert_eq!(town.open().counts().unwrap().entries, entries);
}

#[test]
fn what_has_its_number_when_a_device_is_revoked_keeps_it_and_is_told_to_who_asks() {
    let town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    li.begin(doc(1), GRID_1);
    for door in ["1", "2", "3"] {
        li.write(doc(1), "door", door);
        let batch = li.batch();
        li.sync(town.relay, town.now_ms(), &[batch]);
    }
    let relay = town.open();
    let told = relay.revoking(&li.id(), None).unwrap();
    assert_eq!(
        (told.last_good, told.last, told.numbered_after),
        (3, Some((3, town.now_ms())), 0)
    );
    let told = relay.revoking(&li.id(), Some(1)).unwrap();
    assert_eq!(
        (told.last_good, told.numbered_after, told.again),
        (1, 2, false)
    );
    let entries = relay.counts().unwrap().entries;
    let done = relay
        .revoke_device(&li.id(), Some(1), town.now_ms())
        .unwrap();
    assert_eq!(done, told);
    assert_eq!(relay.counts().unwrap().entries, entries + 1, "the order");
    let asked = relay.ask_devices(&DeviceWish::Incident(li.id()), town.now_ms());
    let incident = asked.unwrap().unwrap().incident.unwrap();
    let numbers = incident.numbered_after.iter().map(|it| it.number);
    assert_eq!(numbers.collect::<Vec<_>>(), [2, 3]);
    assert!(relay.revoking(&li.id(), None).unwrap().again);
}

/// Returns a request as the inline relay takes it.
fn inline(bytes: &[u8]) -> Request<Vec<u8>> {
    let end = bytes.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let path = lines.next().unwrap().split(' ').nth(1).unwrap();
    let mut request = Request::builder().method("POST").uri(path);
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        request = request.header(name, value);
    }
    request.body(bytes[end + 4..].to_vec()).unwrap()
}

#[test]
fn an_answer_that_runs_when_its_device_is_revoked_ends_with_the_purge_order() {
    let mut town = Town::new();
    let (mut li, mut wang) = (town.worker(1, &[GRID_1]), town.worker(2, &[GRID_1]));
    for n in 0..20 {
        li.begin(doc(n), GRID_1);
        for field in ["a", "b", "c"] {
            // Nothing that packs well: one page is not to hold it all.
            let name = format!("{n}{field}");
            let mut text = String::new();
            while text.len() < 8_000 {
                let hash = BlobHash::of(format!("{name}{}", text.len()).as_bytes());
                text.push_str(&hash.to_string());
            }
            li.write(doc(n), field, &text);
        }
        let batch = li.batch();
        li.sync(town.relay, town.now_ms(), &[batch]);
    }
    let whole = wang.exchange(town.relay, town.now_ms(), 0, &[], false);
    assert!(whole.pages.len() > 8, "{}", whole.pages.len());
    let request = wang.request(town.relay, town.now_ms(), &wang.ask(0, false).bytes(), &[]);
    town.stop();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let body = runtime.block_on(async {
        let relay = Inline::open(town.open()).unwrap();
        let beside = town.open();
        let request = inline(&request);
        let answer = relay.answer_watched(request, usize::MAX, |count| {
            if count == 1 {
                beside
                    .revoke_device(&wang.id(), None, town.now_ms())
                    .unwrap();
            }
        });
        answer.await.into_body()
    });
    town.start();
    let answer = read_answer(&Reply {
        status: 200,
        headers: Vec::new(),
        body,
    });
    // What was made ahead of the line may still come.
    assert!(
        answer.pages.len() < whole.pages.len() / 2,
        "{}",
        answer.pages.len()
    );
    assert!(answer.end.is_none() && answer.failed.is_none());
    assert_eq!(answer.purge.unwrap().order.device, wang.id());
}

fn order(reply: &Reply) -> Order {
    assert_eq!(reply.status, 200, "{}", reply.text());
    let bytes: OrderBytes = packing::decode(&reply.body, "order").unwrap();
    Order::read(&bytes.0).unwrap()
}

fn asked(device: &Device, last_good_batch: u64) -> OrderBody {
    OrderBody::Revoke {
        device: device.id(),
        last_good_batch,
        lives: None,
    }
}

#[test]
fn a_desk_takes_out_devices_of_its_own_areas_and_no_others() {
    let town = Town::new();
    let (relay, now) = (town.relay, town.now_ms());
    let (mut li, deng) = (town.worker(1, &[GRID_1]), town.worker(2, &[ELSEWHERE]));
    let mut station = town.device(3, Role::Station, &["511724103202"]);
    let (mut zhao, county) = (town.desk(4), town.device(5, Role::County, &["511724"]));
    let refused = |asker: &mut Device, device: &Device| {
        let reply = asker.ask_order(relay, now, asked(device, u64::MAX));
        let why: OrderRefusal = packing::decode(&reply.body, "refusal").unwrap();
        assert_eq!((reply.status, why), (403, OrderRefusal::NotAllowed));
    };
    refused(&mut station, &deng);
    refused(&mut station, &county);
    refused(&mut zhao, &county);
    refused(&mut li, &deng);
    li.begin(doc(1), GRID_1);
    let batch = li.batch();
    li.sync(relay, now, &[batch]);
    let first = order(&station.ask_order(relay, now, asked(&li, u64::MAX)));
    let OrderBody::Revoke {
        last_good_batch,
        lives,
        ..
    } = &first.body
    else {
        panic!("{first:?}");
    };
    assert_eq!(*last_good_batch, 1, "the last batch that was received");
    assert_eq!(lives.as_ref().unwrap()[0].nonce, li.nonce);
    // A lost answer: the same order again. A stricter one is another.
    let again = order(&station.ask_order(relay, now, asked(&li, u64::MAX)));
    assert_eq!(again, first);
    let stricter = order(&station.ask_order(relay, now, asked(&li, 0)));
    assert_ne!(stricter, first);
    let unknown = station.ask_order(relay, now, asked(&Device::new(99), u64::MAX));
    assert_eq!(unknown.status, 404);
}

#[test]
fn a_desk_is_told_of_devices_of_its_own_areas_and_a_worker_of_none() {
    let town = Town::new();
    let (relay, now) = (town.relay, town.now_ms());
    let (mut li, wang) = (town.worker(1, &[GRID_1]), town.worker(2, &[GRID_2]));
    let deng = town.worker(3, &[ELSEWHERE]);
    let mut zhao = town.desk(4);
    li.begin(doc(1), GRID_1);
    li.write(doc(1), "door", "1");
    let batch = li.batch();
    let synced = li.sync(relay, now, std::slice::from_ref(&batch));
    // Whoever writes has written the lease down once the next batch has its receipt.
    li.write(doc(1), "door", "2");
    let batch = li.batch();
    li.sync(relay, now, &[batch]);
    let all = zhao.ask_devices(relay, now, DeviceWish::All { after: None });
    let mut ids = vec![li.id(), wang.id()];
    ids.sort();
    assert_eq!(
        all.rows.iter().map(|row| row.device).collect::<Vec<_>>(),
        ids
    );
    assert!(!all.more);
    let row = all.rows.iter().find(|row| row.device == li.id()).unwrap();
    assert_eq!(
        row.last.map(|last| (last.number, last.received_ms)),
        Some((2, now))
    );
    let until = synced.end.unwrap().lease.unwrap().until;
    assert_eq!(
        (row.lease, until),
        (Some(until), Day(Day::of_ms(now).0 + 14))
    );

    let incident = zhao.ask_devices(relay, now, DeviceWish::Incident(li.id()));
    let incident = incident.incident.unwrap();
    let areas = incident
        .areas
        .iter()
        .map(|it| (it.area.as_str(), it.documents[0].count));
    assert_eq!(areas.collect::<Vec<_>>(), [(GRID_1, 1)]);
    assert_eq!(incident.grants.len(), 1);
    let refused = |asker: &mut Device, device, expected| {
        for wish in [
            DeviceWish::Incident(device),
            DeviceWish::Lease { device, days: None },
        ] {
            let reply = asker.post_devices(relay, now, wish);
            let why: DeviceRefusal = packing::decode(&reply.body, "refusal").unwrap();
            assert_eq!((reply.status, why), expected);
        }
    };
    refused(&mut zhao, deng.id(), (403, DeviceRefusal::NotAllowed));
    refused(
        &mut zhao,
        Device::new(99).id(),
        (404, DeviceRefusal::Unknown),
    );
    refused(&mut li, wang.id(), (403, DeviceRefusal::NotAllowed));
    let none = li.ask_devices(relay, now, DeviceWish::All { after: None });
    assert!(none.rows.is_empty());
}

#[test]
fn a_lease_lasts_as_the_role_says_and_none_is_given_to_who_was_revoked() {
    let town = Town::new();
    let (relay, now) = (town.relay, town.now_ms());
    let mut zhao = town.desk(2);
    let mut li = town.worker(1, &[GRID_1]);
    for (device, days) in [(&mut li, 14), (&mut zhao, 30)] {
        let end = device.sync(relay, now, &[]).end.unwrap();
        let lease = end.lease.unwrap();
        assert_eq!(lease.until, Day(Day::of_ms(now).0 + days));
        let key = town.open().card(0).key;
        assert!(wangge_trust::key::verify_lease(&key, &lease));
        assert_eq!(lease.device, device.id());
    }
    let device = li.id();
    let given = |days| DeviceWish::Lease { device, days };
    let code = zhao.ask_devices(relay, now, given(None)).code.unwrap();
    assert_eq!(code.until, Day(Day::of_ms(now).0 + 14));
    let lease_key = li.sync(relay, now, &[]).end.unwrap().lease_key.unwrap();
    assert_eq!(
        code.code,
        wangge_trust::lease::code(&lease_key, &li.id(), code.until)
    );
    for days in [0, 61] {
        let reply = zhao.post_devices(relay, now, given(Some(days)));
        let why: DeviceRefusal = packing::decode(&reply.body, "refusal").unwrap();
        assert_eq!((reply.status, why), (400, DeviceRefusal::BadDays));
    }
    revoke(&town, &li, None);
    let reply = zhao.post_devices(relay, now, given(None));
    let why: DeviceRefusal = packing::decode(&reply.body, "refusal").unwrap();
    assert_eq!((reply.status, why), (403, DeviceRefusal::Revoked));
}
