//! Invitations, enrolment and revocation.

use wangge_relay::{Code, NewInvitation, RelayError, Role};
use wangge_testkit::device::{Device, card};
use wangge_testkit::wire_client::{self, Reply};
use wangge_wire::enroll::{EnrollAnswer, EnrollRefusal};
use wangge_wire::limits::NAME_BYTES_MAX;
use wangge_wire::receipt::{ItemState, Reason};
use wangge_wire::{AreaCode, packing};

use crate::town::{GRID_1, GRID_2, Town, doc};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn refusal(reply: &Reply) -> (u16, EnrollRefusal) {
    (
        reply.status,
        packing::decode(&reply.body, "refusal").unwrap(),
    )
}

/// A code with the same public part and another secret.
fn wrong(code: &Code) -> Code {
    let shown = code.shown();
    let last = if shown.ends_with('0') { '1' } else { '0' };
    let typed: String = shown.chars().take(9).chain([last]).collect();
    Code::parse(&typed).unwrap()
}

#[test]
fn devices_are_numbered_as_they_come_and_listed_without_secrets() {
    let town = Town::new();
    let (li, mut wang) = (town.worker(1, &[GRID_1]), town.worker(2, &[GRID_2]));
    let rows = town.open().devices().unwrap();
    let numbers: Vec<_> = rows
        .iter()
        .map(|row| (row.device, row.device_number))
        .collect();
    assert_eq!(numbers, [(li.id(), 1), (wang.id(), 2)]);
    assert_eq!(rows[0].areas, [AreaCode::parse(GRID_1).unwrap()]);
    assert_ne!(rows[0].person, rows[1].person);
    assert_eq!(
        (rows[0].enrolled_ms, rows[0].last_seen_ms),
        (town.now_ms(), None)
    );
    wang.begin(doc(1), GRID_2);
    let batch = wang.batch();
    wang.sync(town.relay, town.now_ms(), &[batch]);
    assert_eq!(
        town.open().devices().unwrap()[1].last_seen_ms,
        Some(town.now_ms())
    );
}

#[test]
fn a_lost_answer_does_not_spend_the_invitation() {
    let town = Town::new();
    let (code, card) = (town.invite(Role::Worker, &[GRID_1]), card(town.relay));
    let mut li = Device::new(1);
    let first = li.ask_in(town.relay, &code, &card).0;
    let again = li.ask_in(town.relay, &code, &card).0;
    let read = |reply: &Reply| packing::decode::<EnrollAnswer>(&reply.body, "answer").unwrap();
    assert_eq!((first.status, again.status), (200, 200));
    assert_eq!(read(&first).orders, read(&again).orders);
    assert_eq!(read(&first).id_key, read(&again).id_key);
    assert_eq!(town.open().devices().unwrap().len(), 1);
    let mut wang = Device::new(2);
    let other = wang.ask_in(town.relay, &code, &card).0;
    assert_eq!(refusal(&other), (409, EnrollRefusal::Spent));
    let id_key = read(&first).id_key;
    wang.enroll(town.relay, &town.invite(Role::Worker, &[GRID_1]));
    let own = wang
        .ask_in(town.relay, &town.invite(Role::Worker, &[GRID_1]), &card)
        .0;
    assert_eq!(read(&own).id_key, id_key, "one key for the whole town");
}

#[test]
fn five_wrong_tries_kill_an_invitation_and_four_do_not() {
    let mut town = Town::new();
    let card = card(town.relay);
    let (code, other) = (
        town.invite(Role::Worker, &[GRID_1]),
        town.invite(Role::Worker, &[GRID_1]),
    );
    let mut li = Device::new(1);
    for _ in 0..4 {
        let reply = li.ask_in(town.relay, &wrong(&code), &card).0;
        assert_eq!(refusal(&reply), (403, EnrollRefusal::WrongCode));
        li.ask_in(town.relay, &wrong(&other), &card);
    }
    // The count is on disk, not in the process.
    town.stop();
    town.start();
    li.ask_in(town.relay, &wrong(&code), &card);
    let reply = li.ask_in(town.relay, &code, &card).0;
    assert_eq!(refusal(&reply), (410, EnrollRefusal::TooManyTries));
    assert_eq!(li.ask_in(town.relay, &other, &card).0.status, 200);
}

#[test]
fn an_invitation_dies_after_a_day() {
    let town = Town::new();
    let card = card(town.relay);
    let (early, late) = (
        town.invite(Role::Worker, &[GRID_1]),
        town.invite(Role::Worker, &[GRID_1]),
    );
    town.wait_ms(DAY_MS - 1);
    let mut li = Device::new(1);
    assert_eq!(li.ask_in(town.relay, &early, &card).0.status, 200);
    town.wait_ms(1);
    let mut wang = Device::new(2);
    let reply = wang.ask_in(town.relay, &late, &card).0;
    assert_eq!(refusal(&reply), (410, EnrollRefusal::Expired));
    assert_eq!(
        li.ask_in(town.relay, &early, &card).0.status,
        200,
        "it had spent it in time"
    );
}

#[test]
fn what_is_no_invitation_is_refused_without_a_trace() {
    let town = Town::new();
    let card = card(town.relay);
    let unknown = Code::from_random(&[7; 10]);
    let reply = Device::new(1).ask_in(town.relay, &unknown, &card).0;
    assert_eq!(refusal(&reply), (403, EnrollRefusal::WrongCode));
    for body in [&b""[..], b"garbage", &[0; 5_000]] {
        let reply = wire_client::send(town.relay, "POST", "/v1/enroll", &[], body);
        assert_eq!(refusal(&reply), (400, EnrollRefusal::Malformed));
    }
    let ask = wire_client::send(town.relay, "GET", "/v1/enroll", &[], b"");
    assert_eq!(ask.status, 405);
}

#[test]
fn an_invitation_without_a_name_or_area_is_not_made() {
    let town = Town::new();
    let areas = vec![AreaCode::parse(GRID_1).unwrap()];
    let named = |name: &str, areas: &[AreaCode]| NewInvitation {
        name: name.to_owned(),
        role: Role::Worker,
        areas: areas.to_vec(),
    };
    let bad = [
        named(" ", &areas),
        named(&"x".repeat(NAME_BYTES_MAX + 1), &areas),
        named("李梅", &[]),
        named("李梅", &vec![areas[0].clone(); 65]),
    ];
    for new in bad {
        let made = town.open().invite(&new, town.now_ms());
        assert!(
            matches!(made, Err(RelayError::BadInvitation { .. })),
            "{new:?}"
        );
    }
    assert!(
        town.open()
            .invite(&named(&"x".repeat(NAME_BYTES_MAX), &areas), 0)
            .is_ok()
    );
}

#[test]
fn a_revoked_device_gets_only_the_purge_order_and_what_it_wrote_waits_for_a_person() {
    let town = Town::new();
    let (mut li, mut wang) = (town.worker(1, &[GRID_1]), town.worker(2, &[GRID_1]));
    li.begin(doc(1), GRID_1);
    li.write(doc(1), "door", "1");
    let late = li.batch();
    let bystander = town.open();
    bystander.revoke(&li.id(), 0, town.now_ms()).unwrap();
    let answer = li.exchange(town.relay, town.now_ms(), 0, &[], false);
    assert_eq!(answer.status, 403);
    assert_eq!(answer.purge.unwrap().order.device, li.id());

    let frames = Device::full(&[late]);
    let answer = wang.exchange(town.relay, town.now_ms(), 1, &frames, false);
    let inbox = answer.items();
    assert!(
        inbox.iter().all(|item| matches!(item, ItemState::Inbox(_))),
        "{inbox:?}"
    );
    assert_eq!(inbox[0], ItemState::Inbox(Reason::OutOfScope));
    wang.take(&answer);
    assert!(wang.roster.is_revoked(&li.id()));
    assert!(town.open().devices().unwrap()[0].revoked);
    let unknown = bystander.revoke(&Device::new(99).id(), 0, 0);
    assert!(matches!(unknown, Err(RelayError::UnknownDevice)));
}
