//! Signed requests, on every route of the table that wants one: forged, changed, late, carried, sent again.
//!
//! Each test takes the routes from [`ROUTES`], so that a new one is tried as well.

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use wangge_relay::{ROUTES, Route, Who};
use wangge_testkit::device::Device;
use wangge_testkit::wire_client::{self, Reply};
use wangge_trust::request::{self, CREATED_WINDOW_S, HEAD_HEADER, Headers, Signed};
use wangge_wire::batch::SUITE_PLAIN;
use wangge_wire::message::Refusal;
use wangge_wire::{
    ActionId, AreaCode, Ask, Batch, BatchHash, BlobHash, DocId, DocKind, Item, LifeNonce,
    PROTOCOL_VERSION, RelayId, Signature, Verdict,
};

use crate::town::{GRID_1, GRID_2, Town, doc};

/// How often a recorded request comes again.
const AGAIN: usize = 100;

/// A request as somebody on the line has it before them.
#[derive(Debug, Clone)]
struct Recorded {
    method: &'static str,
    target: String,
    host: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Recorded {
    fn bytes(&self) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        text.push_str(&format!("host: {}\r\nconnection: close\r\n", self.host));
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("content-length: {}\r\n\r\n", self.body.len()));
        [text.as_bytes(), &self.body].concat()
    }

    fn value(&mut self, name: &str) -> &mut String {
        let mut headers = self.headers.iter_mut();
        &mut headers.find(|(it, _)| *it == name).unwrap().1
    }

    /// Returns it with a part of one header replaced, which must be there.
    fn with(&self, name: &str, from: &str, to: &str) -> Self {
        let mut changed = self.clone();
        let value = changed.value(name);
        assert!(value.contains(from), "{from} in {value}");
        *value = value.replacen(from, to, 1);
        changed
    }

    fn input(&self, from: &str, to: &str) -> Self {
        self.with("signature-input", from, to)
    }

    fn without(&self, name: &str) -> Self {
        let mut changed = self.clone();
        changed.headers.retain(|(it, _)| *it != name);
        changed
    }

    fn sent(&self, town: &Town) -> Reply {
        wire_client::send_raw(town.relay, &self.bytes())
    }
}

/// Returns the routes that want a member's signature.
fn signed_routes() -> impl Iterator<Item = &'static Route> {
    let routes = ROUTES.iter();
    routes.filter(|route| !matches!(route.who, Who::Anybody | Who::Invited))
}

fn path(route: &Route) -> String {
    let name = BlobHash([7; 32]).to_string();
    route.path.replace("{hash}", &name)
}

/// What is signed, where it is not what is sent.
#[derive(Default)]
struct Other<'a> {
    method: Option<&'a str>,
    path: Option<&'a str>,
    relay: Option<RelayId>,
    created_s: Option<i64>,
}

/// Returns a request on a route with a head of nothing, signed by a device.
fn signed(town: &Town, device: &Device, route: &Route, nonce: u8, other: &Other<'_>) -> Recorded {
    let head: &[u8] = if route.method == "POST" { &[0xa0] } else { &[] };
    let (host, path) = (town.relay.to_string(), path(route));
    let what = Signed {
        relay: other.relay.unwrap_or(town.open().card(0).key.relay()),
        method: other.method.unwrap_or(route.method),
        authority: &host,
        path: other.path.unwrap_or(&path),
        query: "?",
        head,
    };
    let created_s = other.created_s.unwrap_or(town.now_ms() / 1000);
    let Headers {
        head: digest,
        signature_input,
        signature,
    } = request::sign(&device.key, &what, created_s, &[nonce; 8]);
    Recorded {
        method: route.method,
        target: path,
        host,
        headers: vec![
            (HEAD_HEADER, digest),
            ("signature-input", signature_input),
            ("signature", signature),
        ],
        body: match route.method {
            "POST" => [&[0, 0, 0, 1], head].concat(),
            _ => Vec::new(),
        },
    }
}

fn honest(town: &Town, device: &Device, route: &Route, nonce: u8) -> Recorded {
    signed(town, device, route, nonce, &Other::default())
}

/// Returns every row of every table of the relay, and nothing of what only its process knows.
fn state(town: &Town) -> Vec<String> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = Connection::open_with_flags(town.dir.path().join("relay.db"), flags).unwrap();
    let names = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let mut names = connection.prepare(names).unwrap();
    let names: Result<Vec<String>, _> = names.query_map([], |row| row.get(0)).unwrap().collect();
    let mut state = Vec::new();
    for name in names.unwrap() {
        let mut rows = connection
            .prepare(&format!("SELECT * FROM {name}"))
            .unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values = (0..columns).map(|at| row.get::<_, Value>(at).unwrap());
            state.push(format!("{name} {:?}", values.collect::<Vec<_>>()));
        }
    }
    state.sort();
    state
}

/// Li with a document, and Wang; both were seen, so that a later request of theirs need not note it.
fn cast() -> (Town, Device, Device) {
    let town = Town::new();
    let (mut li, mut wang) = (town.worker(1, &[GRID_1]), town.worker(2, &[GRID_2]));
    wang.sync(town.relay, town.now_ms(), &[]);
    li.begin(doc(1), GRID_1);
    for door in ["1", "2"] {
        li.write(doc(1), "door", door);
        let batch = li.batch();
        li.sync(town.relay, town.now_ms(), &[batch]);
    }
    // The second receipt comes after whatever the first sync had noted.
    (town, li, wang)
}

fn refused(reply: &Reply) -> (u16, String) {
    (reply.status, reply.text())
}

fn nobody(why: &str) -> (u16, String) {
    (401, why.to_owned())
}

/// Returns whether the signature was taken: what came behind it says nothing here.
fn let_in(reply: &Reply) -> bool {
    assert_ne!(reply.status, 0);
    !matches!(reply.status, 401 | 405 | 429 | 500..)
}

#[test]
fn a_request_of_which_any_covered_part_was_changed_is_nobodys_on_every_route() {
    let (town, li, wang) = cast();
    let stranger = Device::new(77);
    let before = state(&town);
    for (nonce, route) in (1..).zip(signed_routes()) {
        let good = honest(&town, &li, route, nonce);
        let own = |of: &Device| format!("keyid=\"{}\"", of.id());
        let relay = town.open().card(0).key.relay();
        let created = format!("created={}", town.now_ms() / 1000);
        let later = format!("created={}", town.now_ms() / 1000 + 1);
        let digits = format!("nonce=\"{nonce:02x}");
        let as_signed = |other: &Other<'_>| signed(&town, &li, route, nonce, other);
        let other_path = format!("{}x", path(route));
        let mut cases = vec![
            (
                "method",
                as_signed(&Other {
                    method: Some("PUT"),
                    ..Other::default()
                }),
            ),
            (
                "path",
                as_signed(&Other {
                    path: Some(&other_path),
                    ..Other::default()
                }),
            ),
            (
                "relay",
                as_signed(&Other {
                    relay: Some(RelayId([9; 16])),
                    ..Other::default()
                }),
            ),
            ("created", good.input(&created, &later)),
            ("nonce", good.input(&digits, "nonce=\"ee")),
            ("keyid", good.input(&own(&li), &own(&wang))),
            (
                "tag",
                good.input(&relay.to_string(), &RelayId([9; 16]).to_string()),
            ),
        ];
        let mut elsewhere = good.clone();
        elsewhere.host = "elsewhere:8720".into();
        cases.push(("authority", elsewhere));
        let mut asked = good.clone();
        asked.target.push_str("?all=1");
        cases.push(("query", asked));
        let mut headless = good.clone();
        *headless.value(HEAD_HEADER) = format!(":{}=:", "A".repeat(43));
        cases.push(("digest", headless));
        if route.method == "POST" {
            let mut changed = good.clone();
            *changed.body.last_mut().unwrap() = 0xa1;
            cases.push(("head", changed.clone()));
            // Whoever changes the head can say its digest, and not sign it.
            let digest = signed(&town, &wang, route, nonce, &Other::default());
            let other = Signed {
                relay,
                method: route.method,
                authority: &good.host,
                path: &good.target,
                query: "?",
                head: &[0xa1],
            };
            let other = request::sign(&wang.key, &other, 0, &[0; 8]);
            assert_ne!(other.head, digest.headers[0].1);
            *changed.value(HEAD_HEADER) = other.head;
            cases.push(("head and digest", changed));
        }
        // A key that is not the device's.
        let mut forged = honest(&town, &stranger, route, nonce);
        forged = forged.input(&own(&stranger), &own(&li));
        cases.push(("forged key", forged));
        for (what, case) in cases {
            let got = refused(&case.sent(&town));
            assert_eq!(got, nobody("signature"), "{what} of {}", route.path);
        }
        let unknown = honest(&town, &stranger, route, nonce);
        assert_eq!(refused(&unknown.sent(&town)), nobody("unknown device"));
        // None of it spent the nonce.
        let reply = good.sent(&town);
        assert!(let_in(&reply), "{} {}", route.path, reply.status);
    }
    assert_eq!(state(&town), before);
}

#[test]
fn a_request_signed_for_less_or_in_another_way_is_unsigned_on_every_route() {
    let (town, li, _) = cast();
    let before = state(&town);
    for (nonce, route) in (1..).zip(signed_routes()) {
        let good = honest(&town, &li, route, nonce);
        let relay = town.open().card(0).key.relay();
        let created = format!(";created={}", town.now_ms() / 1000);
        let digits = format!(";nonce=\"{}\"", format!("{nonce:02x}").repeat(8));
        let alg = ";alg=\"ed25519\"";
        let mut cases: Vec<Recorded> = [HEAD_HEADER, "signature-input", "signature"]
            .iter()
            .map(|name| good.without(name))
            .collect();
        cases.extend([
            good.input(&format!(";tag=\"{relay}\""), ""),
            good.input(alg, ""),
            good.input(alg, ";alg=\"hmac-sha256\""),
            good.input(alg, ";alg=\"none\""),
            good.input(&created, ""),
            good.input(&digits, ""),
            good.input(&digits, ";nonce=\"\""),
            good.input(&format!(";keyid=\"{}\"", li.id()), ""),
            good.input("\"@method\" ", ""),
            good.input("\"@authority\" ", ""),
            good.input("\"@path\" ", ""),
            good.input("\"@query\" ", ""),
            good.input(" \"wangge-head\"", ""),
            good.input("\"@method\" \"@authority\"", "\"@authority\" \"@method\""),
            good.input("(\"@method\"", "(\"@method\" \"@method\""),
            good.input("w=(", "sig1=("),
            good.with("signature", "w=:", "w="),
            good.with("signature", "w=:", "w=:AAAA"),
        ]);
        for case in cases {
            let got = refused(&case.sent(&town));
            assert_eq!(got, nobody("unsigned"), "{:?}", case.headers);
        }
        assert!(let_in(&good.sent(&town)), "{}", route.path);
    }
    assert_eq!(state(&town), before);
}

#[test]
fn a_recorded_request_is_taken_once_and_never_again_on_every_route() {
    let (town, li, _) = cast();
    for (nonce, route) in (1..).zip(signed_routes()) {
        let recorded = honest(&town, &li, route, nonce);
        assert!(let_in(&recorded.sent(&town)), "{}", route.path);
        let before = state(&town);
        for _ in 0..AGAIN {
            assert_eq!(refused(&recorded.sent(&town)), nobody("replayed"));
        }
        assert_eq!(state(&town), before, "{}", route.path);
        // Until its time is past, and then for that.
        town.wait_ms(CREATED_WINDOW_S * 1000 + 1000);
        assert_eq!(refused(&recorded.sent(&town)), nobody("time"));
    }
}

#[test]
fn a_recorded_request_is_not_taken_again_after_the_relay_was_started_anew() {
    let (mut town, mut li, _) = cast();
    let recorded: Vec<Recorded> = (1..)
        .zip(signed_routes())
        .map(|(nonce, route)| honest(&town, &li, route, nonce))
        .collect();
    for recorded in &recorded {
        assert!(let_in(&recorded.sent(&town)), "{}", recorded.target);
    }
    town.wait_ms(1000);
    town.stop();
    town.start();
    let before = state(&town);
    for recorded in &recorded {
        // By the name that it was signed for, as whoever is in between can say it.
        let reply = recorded.sent(&town);
        assert_eq!(refused(&reply), nobody("time"), "{}", recorded.target);
        let told = reply.header("wangge-time").unwrap();
        assert_eq!(told, town.now_ms().to_string());
    }
    assert_eq!(state(&town), before);
    // Whoever has the key signs again by that time, and is let in.
    li.sync(town.relay, town.now_ms(), &[]);
    // A clock that was set back since keeps nobody out.
    town.wait_ms(-60_000);
    li.sync(town.relay, town.now_ms() - 1000, &[]);
}

#[test]
fn a_request_of_one_route_is_nobodys_on_another() {
    let (town, li, _) = cast();
    let before = state(&town);
    for (nonce, route) in (1..).zip(signed_routes()) {
        let recorded = honest(&town, &li, route, nonce);
        for other in signed_routes().filter(|other| *other != route) {
            let carried = Recorded {
                method: other.method,
                target: path(other),
                body: honest(&town, &li, other, nonce).body,
                ..recorded.clone()
            };
            let got = refused(&carried.sent(&town));
            assert_eq!(got, nobody("signature"), "{} {}", route.path, other.path);
        }
    }
    assert_eq!(state(&town), before);
}

#[test]
fn a_request_for_one_relay_is_nobodys_at_another_where_its_device_is_a_member_too() {
    let (town, li, _) = cast();
    let other = Town::new();
    let mut there = other.worker(1, &[GRID_1]);
    assert_eq!(there.id(), li.id());
    there.sync(other.relay, other.now_ms(), &[]);
    there.begin(doc(2), GRID_1);
    let batch = there.batch();
    there.sync(other.relay, other.now_ms(), &[batch]);
    let before = state(&other);
    for (nonce, route) in (1..).zip(signed_routes()) {
        let recorded = honest(&town, &li, route, nonce);
        for _ in 0..AGAIN {
            // Byte for byte, by the name of the relay that it was for, and by the own name.
            assert_eq!(refused(&recorded.sent(&other)), nobody("signature"));
        }
        let mut renamed = recorded.clone();
        renamed.host = other.relay.to_string();
        assert_eq!(refused(&renamed.sent(&other)), nobody("signature"));
        assert!(let_in(&recorded.sent(&town)), "{}", route.path);
        assert!(let_in(&honest(&other, &there, route, nonce).sent(&other)));
    }
    assert_eq!(state(&other), before);
}

#[test]
fn a_request_outside_its_time_is_answered_with_the_relays_on_every_route() {
    let (town, li, _) = cast();
    town.wait_ms(CREATED_WINDOW_S * 1000);
    let (before, now_s) = (state(&town), town.now_ms() / 1000);
    for (nonce, route) in (1..).zip(signed_routes()) {
        let at = |created_s| {
            let other = Other {
                created_s: Some(created_s),
                ..Other::default()
            };
            signed(&town, &li, route, nonce, &other).sent(&town)
        };
        for late in [1, 100_000, i64::MAX - now_s - CREATED_WINDOW_S] {
            for created_s in [
                now_s - CREATED_WINDOW_S - late,
                now_s + CREATED_WINDOW_S + late,
            ] {
                let reply = at(created_s);
                assert_eq!(refused(&reply), nobody("time"), "{}", route.path);
                let told = reply.header("wangge-time").unwrap();
                assert_eq!(told, town.now_ms().to_string());
            }
        }
        for created_s in [now_s - CREATED_WINDOW_S, now_s + CREATED_WINDOW_S, now_s] {
            assert!(let_in(&at(created_s)), "{} {created_s}", route.path);
        }
    }
    assert_eq!(state(&town), before);
}

/// Sends a batch as it is and returns what is said of it.
fn pushed(town: &Town, device: &mut Device, batch: &Batch) -> Verdict {
    let frames = Device::full(std::slice::from_ref(batch));
    let mut answer = device.exchange(town.relay, town.now_ms(), 1, &frames, false);
    assert_eq!((answer.status, answer.verdicts.len()), (200, 1));
    answer.verdicts.remove(0)
}

#[test]
fn a_batch_of_which_any_signed_field_was_changed_is_refused_and_leaves_nothing() {
    let (town, mut li, wang) = cast();
    li.begin(doc(3), GRID_1);
    li.write(doc(3), "door", "3-12");
    let good = li.batch();
    let mut another = Device::new(1);
    another.begin(doc(3), GRID_1);
    another.write(doc(3), "door", "9-9");
    let others = another.take_items();
    type Change<'a> = (&'static str, Box<dyn Fn(&mut Batch) + 'a>);
    let change = |edit: fn(&mut wangge_wire::Change)| {
        move |batch: &mut Batch| match &mut batch.items[1] {
            Item::Change { change, .. } => edit(change),
            other => panic!("{other:?}"),
        }
    };
    let place = |edit: fn(&mut wangge_wire::Place)| {
        move |batch: &mut Batch| match &mut batch.items[0] {
            Item::Place(place) => edit(place),
            other => panic!("{other:?}"),
        }
    };
    let cases: Vec<Change<'_>> = vec![
        ("device", Box::new(|it| it.head.device = wang.id())),
        ("life", Box::new(|it| it.head.nonce = LifeNonce([9; 8]))),
        ("number", Box::new(|it| it.head.number += 1)),
        (
            "previous",
            Box::new(|it| it.head.previous = BatchHash([9; 32])),
        ),
        ("roster", Box::new(|it| it.head.roster += 1)),
        ("time", Box::new(|it| it.head.claimed_at_ms += 1)),
        (
            "area",
            Box::new(|it| it.head.area = AreaCode::parse(GRID_2).unwrap()),
        ),
        ("signature", Box::new(|it| it.signature.0[0] ^= 1)),
        (
            "no signature",
            Box::new(|it| it.signature = Signature([0; 64])),
        ),
        ("one less", Box::new(|it| drop(it.items.pop()))),
        (
            "one more",
            Box::new(|it| it.items.push(it.items[1].clone())),
        ),
        ("order", Box::new(|it| it.items.swap(0, 1))),
        (
            "another's change",
            Box::new(|it| it.items[1] = others[1].clone()),
        ),
        ("kind", Box::new(change(|it| it.kind = DocKind(2)))),
        ("owner", Box::new(change(|it| it.owner = Some(doc(1))))),
        (
            "action",
            Box::new(|it| match &mut it.items[1] {
                Item::Change { action, .. } => *action = Some(ActionId([9; 8])),
                other => panic!("{other:?}"),
            }),
        ),
        (
            "home",
            Box::new(place(|it| it.home = AreaCode::parse(GRID_2).unwrap())),
        ),
        (
            "place's document",
            Box::new(place(|it| it.doc = DocId([9; 16]))),
        ),
        ("place's number", Box::new(place(|it| it.n += 1))),
    ];
    let before = state(&town);
    for (what, alter) in &cases {
        let mut batch = good.clone();
        alter(&mut batch);
        assert_ne!(batch, good, "{what}");
        let refused = Verdict::Refused {
            index: 0,
            reason: Refusal::Signature,
        };
        assert_eq!(pushed(&town, &mut li, &batch), refused, "{what}");
        assert_eq!(state(&town), before, "{what}");
    }
    assert!(matches!(pushed(&town, &mut li, &good), Verdict::Receipt(_)));
}

#[test]
fn a_batch_of_another_suite_is_refused_also_where_its_device_signed_it() {
    let (town, mut li, _) = cast();
    li.begin(doc(3), GRID_1);
    let good = li.batch();
    let before = state(&town);
    for suite in (0..=u8::MAX).filter(|suite| *suite != SUITE_PLAIN) {
        let mut batch = good.clone();
        batch.head.suite = suite;
        for resigned in [false, true] {
            if resigned {
                li.key.sign_batch(&mut batch);
            }
            let refused = Verdict::Refused {
                index: 0,
                reason: Refusal::Malformed,
            };
            assert_eq!(pushed(&town, &mut li, &batch), refused, "{suite}");
        }
    }
    assert_eq!(state(&town), before);
}

#[test]
fn a_sync_in_another_version_is_not_talked_down_to_this_one() {
    let (town, mut li, _) = cast();
    let before = state(&town);
    for version in [PROTOCOL_VERSION + 1, u16::MAX] {
        let ask = Ask {
            version,
            ..li.ask(0, false)
        };
        let request = li.request(town.relay, town.now_ms(), &ask.bytes(), &[]);
        assert_eq!(wire_client::send_raw(town.relay, &request).status, 426);
    }
    // There is none below the first: what says so is no request.
    let mut head = li.ask(0, false).bytes();
    assert_eq!(head[1..3], [0, 0], "version 0 under the key 0");
    head[2] = 0x20;
    let request = li.request(town.relay, town.now_ms(), &head, &[]);
    let reply = wire_client::send_raw(town.relay, &request);
    assert_eq!(refused(&reply), (400, "malformed".into()));
    assert_eq!(state(&town), before);
}
