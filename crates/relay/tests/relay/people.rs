//! Leaves, covers and units: who may ask for them, whom they reach, what they open and close.

use wangge_relay::{LevelForm, Role};
use wangge_testkit::device::Device;
use wangge_testkit::wire_client::{self, Reply};
use wangge_trust::KeyPair;
use wangge_wire::enroll::OrderBytes;
use wangge_wire::limits::HEAD_BYTES_MAX;
use wangge_wire::receipt::ItemState;
use wangge_wire::{
    AreaCode, Audience, ChangeHash, Cover, CoverId, Day, DocId, Order, OrderBody, OrderRefusal,
    PersonId, PurgeAnswer, Unit, Verdict, packing,
};

use crate::town::{ELSEWHERE, GRID_1, GRID_2, TOWNSHIP, Town, doc};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn today(town: &Town) -> Day {
    Day::of_ms(town.now_ms())
}

fn cover(town: &Town, absent: PersonId, by: Option<PersonId>, areas: &[&str]) -> Cover {
    Cover {
        id: CoverId([1; 8]),
        n: 0,
        absent,
        substitute: by,
        areas: areas
            .iter()
            .map(|code| AreaCode::parse(code).unwrap())
            .collect(),
        from: today(town),
        until: Day(today(town).0 + 2),
        note: String::new(),
    }
}

fn unit(n: u64, name: &str) -> Unit {
    Unit {
        id: DocId([7; 16]),
        n,
        name: name.into(),
        area: AreaCode::parse(TOWNSHIP).unwrap(),
        phone: String::new(),
        closed: false,
    }
}

fn refusal(reply: &Reply) -> (u16, OrderRefusal) {
    let why = packing::decode(&reply.body, "refusal").unwrap();
    (reply.status, why)
}

fn order(reply: &Reply) -> Order {
    assert_eq!(reply.status, 200, "{}", reply.text());
    let bytes: OrderBytes = packing::decode(&reply.body, "order").unwrap();
    Order::read(&bytes.0).unwrap()
}

/// Li with a household in grid 1, Wang in grid 2, Zhao at the desk; everything is synced.
struct Cast {
    town: Town,
    li: Device,
    wang: Device,
    zhao: Device,
}

impl Cast {
    fn new() -> Self {
        let town = Town::new();
        let mut li = town.worker(1, &[GRID_1]);
        let (wang, zhao) = (town.worker(2, &[GRID_2]), town.desk(3));
        li.begin(doc(1), GRID_1);
        li.write(doc(1), "name", "zhang");
        let mut cast = Self {
            town,
            li,
            wang,
            zhao,
        };
        push(&cast.town, &mut cast.li);
        cast.sync_all();
        cast
    }

    fn sync_all(&mut self) {
        for device in [&mut self.li, &mut self.wang, &mut self.zhao] {
            device.sync(self.town.relay, self.town.now_ms(), &[]);
        }
    }

    fn ask(&mut self, body: OrderBody) -> Reply {
        self.zhao
            .ask_order(self.town.relay, self.town.now_ms(), body)
    }

    fn covered(&mut self) -> Cover {
        let (li, wang) = (self.li.person(), self.wang.person());
        let cover = cover(&self.town, li, Some(wang), &[GRID_1]);
        order(&self.ask(OrderBody::Cover(cover.clone())));
        cover
    }
}

/// Sends what a device wrote; returns how the last item stands.
fn push(town: &Town, device: &mut Device) -> ItemState {
    let batch = device.batch();
    let answer = device.sync(town.relay, town.now_ms(), std::slice::from_ref(&batch));
    let [Verdict::Receipt(receipt)] = answer.verdicts.as_slice() else {
        panic!("{:?}", answer.verdicts);
    };
    device.note_receipt(&batch, receipt);
    *receipt.items.last().unwrap()
}

fn holds(device: &Device, hash: &ChangeHash) -> bool {
    device.held.keys().any(|(_, held)| held == hash)
}

fn households(device: &Device) -> usize {
    device.docs.len()
}

#[test]
fn a_substitute_has_the_covered_grid_and_what_is_written_there_reaches_the_absent() {
    let mut cast = Cast::new();
    assert_eq!(households(&cast.wang), 0);
    cast.covered();
    let answer = cast.wang.sync(cast.town.relay, cast.town.now_ms(), &[]);
    assert!(
        answer.standing.unwrap().stale_cursor,
        "a wider scope begins again"
    );
    assert_eq!(households(&cast.wang), 1);
    let digest = cast.wang.digest_of(|_| true);
    let grid = Audience::Area(AreaCode::parse(GRID_1).unwrap());
    let told = answer.end.unwrap().digests;
    assert!(told.contains(&(grid, digest)), "{told:?}");

    let again = cast.wang.sync(cast.town.relay, cast.town.now_ms(), &[]);
    assert!(
        !again.standing.unwrap().stale_cursor,
        "once, not at each sync"
    );
    assert!(again.pages.is_empty());

    let written = cast.wang.write(doc(1), "note", "well");
    assert!(matches!(push(&cast.town, &mut cast.wang), ItemState::At(_)));
    cast.sync_all();
    assert!(holds(&cast.li, &written) && holds(&cast.zhao, &written));
}

#[test]
fn after_the_last_day_nothing_more_of_the_grid_comes_and_what_was_made_still_arrives() {
    let mut cast = Cast::new();
    cast.covered();
    cast.sync_all();
    let late = cast
        .wang
        .write(doc(1), "note", "made on the last day, without signal");
    cast.town.wait_ms(3 * DAY_MS);
    assert!(matches!(push(&cast.town, &mut cast.wang), ItemState::At(_)));

    let new = cast.li.write(doc(1), "phone", "138");
    push(&cast.town, &mut cast.li);
    let answer = cast.wang.sync(cast.town.relay, cast.town.now_ms(), &[]);
    assert!(
        !answer.standing.unwrap().stale_cursor,
        "an end costs nothing"
    );
    assert!(!holds(&cast.wang, &new), "after the end it stays away");
    assert!(holds(&cast.li, &late), "what was made in time is not lost");
    assert_eq!(households(&cast.wang), 1, "and nothing is taken away");

    cast.town.wait_ms(31 * DAY_MS);
    cast.wang.write(doc(1), "note", "a month later");
    assert!(matches!(
        push(&cast.town, &mut cast.wang),
        ItemState::Inbox(_)
    ));
}

#[test]
fn a_cover_made_ahead_begins_on_its_day() {
    let mut cast = Cast::new();
    let (li, wang) = (cast.li.person(), cast.wang.person());
    let mut ahead = cover(&cast.town, li, Some(wang), &[GRID_1]);
    (ahead.from, ahead.until) = (Day(ahead.from.0 + 1), Day(ahead.from.0 + 1));
    order(&cast.ask(OrderBody::Cover(ahead)));
    let answer = cast.wang.sync(cast.town.relay, cast.town.now_ms(), &[]);
    assert!(!answer.standing.unwrap().stale_cursor);
    assert_eq!(households(&cast.wang), 0);
    assert!(
        cast.wang.roster.devices_of(&li).next().is_some(),
        "she knows for whom"
    );

    cast.town.wait_ms(DAY_MS);
    cast.wang.sync(cast.town.relay, cast.town.now_ms(), &[]);
    assert_eq!(households(&cast.wang), 1);
}

#[test]
fn a_cover_ended_early_or_of_a_revoked_person_opens_nothing() {
    let mut cast = Cast::new();
    let cover = cast.covered();
    let ended = Cover {
        n: 1,
        until: cover.from.before(),
        ..cover
    };
    order(&cast.ask(OrderBody::Cover(ended)));
    cast.wang.sync(cast.town.relay, cast.town.now_ms(), &[]);
    assert_eq!(households(&cast.wang), 0);

    let mut cast = Cast::new();
    cast.covered();
    cast.town
        .open()
        .revoke(&cast.li.id(), 0, cast.town.now_ms())
        .unwrap();
    cast.wang.sync(cast.town.relay, cast.town.now_ms(), &[]);
    assert_eq!(households(&cast.wang), 0);
    assert!(
        cast.wang.roster.is_revoked(&cast.li.id()),
        "and she is told why"
    );
}

#[test]
fn only_a_desk_orders_and_only_over_its_own_areas() {
    let mut cast = Cast::new();
    let (li, wang) = (cast.li.person(), cast.wang.person());
    let (relay, now) = (cast.town.relay, cast.town.now_ms());
    let good = cover(&cast.town, li, Some(wang), &[GRID_1]);
    let ask = OrderBody::Cover(good.clone());
    let by_worker = cast.wang.ask_order(relay, now, ask.clone());
    assert_eq!(refusal(&by_worker), (403, OrderRefusal::NotAllowed));
    let mut far = cast.town.device(4, Role::Township, &["511724104"]);
    let by_stranger = far.ask_order(relay, now, ask.clone());
    assert_eq!(refusal(&by_stranger), (403, OrderRefusal::NotAllowed));

    let wrong = |change: &dyn Fn(&mut Cover)| {
        let mut cover = good.clone();
        change(&mut cover);
        OrderBody::Cover(cover)
    };
    let (grid_2, elsewhere) = (AreaCode::parse(GRID_2), AreaCode::parse(ELSEWHERE));
    for (body, expected) in [
        (
            wrong(&|c| c.areas = vec![elsewhere.clone().unwrap()]),
            (403, OrderRefusal::NotAllowed),
        ),
        (
            wrong(&|c| c.areas = vec![grid_2.clone().unwrap()]),
            (404, OrderRefusal::UnknownPerson),
        ),
        (wrong(&|c| c.areas.clear()), (400, OrderRefusal::Malformed)),
        (
            wrong(&|c| c.until = Day(c.from.0 + 366)),
            (400, OrderRefusal::Malformed),
        ),
        (
            wrong(&|c| c.substitute = Some(PersonId([9; 16]))),
            (404, OrderRefusal::UnknownPerson),
        ),
        (
            wrong(&|c| c.substitute = Some(c.absent)),
            (400, OrderRefusal::Malformed),
        ),
        (wrong(&|c| c.n = 1), (409, OrderRefusal::Changed)),
        (
            OrderBody::Revoke {
                // Nobody takes the own device out, nor one that no desk of theirs took in.
                device: cast.zhao.id(),
                last_good_batch: 0,
                lives: None,
            },
            (403, OrderRefusal::NotAllowed),
        ),
        (
            OrderBody::Root {
                key: KeyPair::from_secret(&[8; 32]).public(),
                name: String::new(),
                level: LevelForm::County,
            },
            (403, OrderRefusal::NotAllowed),
        ),
    ] {
        assert_eq!(refusal(&cast.ask(body.clone())), expected, "{body:?}");
    }
    let longest = wrong(&|c| c.until = Day(c.from.0 + 365));
    let first = order(&cast.ask(longest.clone()));
    assert_eq!(
        order(&cast.ask(longest)),
        first,
        "a lost answer is given again"
    );
    assert_eq!(refusal(&cast.ask(ask)), (409, OrderRefusal::Changed));
}

#[test]
fn a_substitute_prolongs_no_cover_and_lends_no_area_on() {
    let mut cast = Cast::new();
    let (relay, now) = (cast.town.relay, cast.town.now_ms());
    let mut station = cast.town.device(4, Role::Station, &["511724103203"]);
    let (li, wang) = (cast.li.person(), cast.wang.person());
    let cover = cover(&cast.town, li, Some(station.person()), &[GRID_1]);
    order(&cast.ask(OrderBody::Cover(cover.clone())));
    let longer = Cover {
        n: 1,
        until: Day(cover.until.0 + 30),
        ..cover.clone()
    };
    let reply = station.ask_order(relay, now, OrderBody::Cover(longer));
    assert_eq!(refusal(&reply), (403, OrderRefusal::NotAllowed));
    let chained = Cover {
        id: CoverId([2; 8]),
        absent: station.person(),
        substitute: Some(wang),
        ..cover
    };
    let reply = cast.ask(OrderBody::Cover(chained));
    assert_eq!(refusal(&reply), (404, OrderRefusal::UnknownPerson));
}

#[test]
fn a_units_device_receives_what_names_the_unit_and_not_a_byte_more() {
    let mut cast = Cast::new();
    let ordered = order(&cast.ask(OrderBody::Unit(unit(0, "水务站"))));
    assert_eq!(
        refusal(&cast.ask(OrderBody::Unit(Unit {
            id: DocId([8; 16]),
            ..unit(0, "水务站")
        }))),
        (409, OrderRefusal::NameTaken)
    );
    cast.sync_all();
    for device in [&cast.li, &cast.wang, &cast.zhao] {
        assert_eq!(
            device.roster.units().count(),
            1,
            "every desk and worker below it knows it"
        );
    }

    let id = DocId([7; 16]);
    let code = cast
        .town
        .open()
        .invite_unit("刘站长", &id, cast.town.now_ms())
        .unwrap();
    let mut liu = Device::new(5);
    liu.enroll(cast.town.relay, &code);
    let empty = liu.sync(cast.town.relay, cast.town.now_ms(), &[]);
    assert_eq!(households(&liu), 0);
    assert!(empty.end.unwrap().digests.is_empty());
    assert!(
        liu.roster.known(&cast.li.id()).is_none(),
        "it learns of no colleague"
    );

    // A ticket that belongs to the household, given a place of its own with the unit.
    cast.zhao.begin_owned(doc(2), Some(doc(1)));
    cast.zhao.write(doc(2), "subject", "pipe");
    cast.zhao.place(doc(2), GRID_1, &[Audience::Unit(id)], 1);
    push(&cast.town, &mut cast.zhao);
    let answer = liu.sync(cast.town.relay, cast.town.now_ms(), &[]);
    assert_eq!(liu.docs.keys().collect::<Vec<_>>(), [&doc(2)]);
    let digest = liu.digest_of(|_| true);
    assert_eq!(answer.end.unwrap().digests, [(Audience::Unit(id), digest)]);
    let done = liu.write(doc(2), "done", "mended");
    assert!(matches!(push(&cast.town, &mut liu), ItemState::At(_)));
    cast.sync_all();
    assert!(holds(&cast.li, &done) && holds(&cast.zhao, &done));
    assert!(!holds(&cast.wang, &done));

    let closed = Unit {
        closed: true,
        ..unit(1, "水务站")
    };
    order(&cast.ask(OrderBody::Unit(closed)));
    let after = cast.zhao.write(doc(2), "note", "after it closed");
    push(&cast.town, &mut cast.zhao);
    liu.sync(cast.town.relay, cast.town.now_ms(), &[]);
    assert!(!holds(&liu, &after));
    assert!(
        cast.town
            .open()
            .invite_unit("x", &id, cast.town.now_ms())
            .is_err()
    );
    assert_eq!(ordered.body, OrderBody::Unit(unit(0, "水务站")));
}

#[test]
fn an_order_is_asked_for_in_a_small_signed_request() {
    let mut cast = Cast::new();
    let (relay, now) = (cast.town.relay, cast.town.now_ms());
    let unsigned = wire_client::send(relay, "POST", "/v1/order", &[], &[0, 0, 0, 1, 0]);
    assert_eq!(
        (unsigned.status, unsigned.text().as_str()),
        (401, "unsigned")
    );
    let long = u32::try_from(HEAD_BYTES_MAX + 1).unwrap().to_be_bytes();
    let large = wire_client::send(relay, "POST", "/v1/order", &[], &long);
    assert_eq!(large.status, 400);
    let got = wire_client::send(relay, "GET", "/v1/order", &[], b"");
    assert_eq!(got.status, 405);

    let ask = OrderBody::Unit(unit(0, "水务站"));
    let late = cast.zhao.ask_order(relay, now - 301_000, ask.clone());
    assert_eq!((late.status, late.text().as_str()), (401, "time"));
    assert!(late.header("wangge-time").is_some());
    cast.town.open().revoke(&cast.zhao.id(), 0, now).unwrap();
    let revoked = cast.zhao.ask_order(relay, now, ask);
    assert_eq!(revoked.status, 403);
    assert!(packing::decode::<PurgeAnswer>(&revoked.body, "purge").is_ok());
}
