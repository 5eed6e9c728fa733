//! The table of routes, roles and scopes, asked of a relay that serves: every cell.

use std::collections::BTreeMap;

use wangge_relay::{Cell, LevelForm, Packs, ROUTES, Role, Route, Scope, Who};
use wangge_testkit::device::{Device, read_answer};
use wangge_testkit::wire_client::{self, Reply};
use wangge_wire::device::{DeviceAsk, DeviceWish};
use wangge_wire::inbox::{InboxAnswer, InboxAsk, InboxWish};
use wangge_wire::pack::FramesAsk;
use wangge_wire::packing::Unpacker;
use wangge_wire::purge::PURGE_CONTENT_TYPE;
use wangge_wire::receipt::{ItemState, Reason};
use wangge_wire::repair::{RepairAsk, Subject, SymbolsAnswer, Wish};
use wangge_wire::rise::RiseAsk;
use wangge_wire::{
    AreaCode, Audience, BlobAsk, BlobHash, Cover, CoverId, Day, FrameHash, Manifest, OrderAsk,
    OrderBody, PROTOCOL_VERSION, packing,
};

use crate::town::{TOWNSHIP, Town, doc};

/// What no other document says.
const MARK: &str = "only-here-3-12";
/// An attachment of the document.
const PHOTO: &[u8] = b"a small photo";

/// A document of a township with an attachment, a pack and something of a stranger's in the inbox, and Li, who
/// works there: what everybody asks for.
struct Asked {
    town: Town,
    li: Device,
    frame: FrameHash,
    asked: u64,
}

fn area(code: &str) -> AreaCode {
    AreaCode::parse(code).unwrap()
}

/// Returns where somebody works who is that far away.
fn works_in(role: Role, scope: Scope) -> &'static [&'static str] {
    match scope {
        Scope::Own | Scope::Revoked | Scope::Stranger => &[TOWNSHIP],
        // A relay below serves a township at the most: this one serves two.
        Scope::Above if role == Role::Relay => &[TOWNSHIP, "511724104"],
        Scope::Above => &["511724"],
        Scope::Below => &["511724103202"],
        Scope::Sibling => &["511724104"],
        Scope::Foreign => &["511725103"],
    }
}

fn with_length(head: &[u8]) -> Vec<u8> {
    let length = u32::try_from(head.len()).unwrap().to_be_bytes();
    [length.as_slice(), head].concat()
}

impl Asked {
    fn new() -> Self {
        let town = Town::with(|settings| settings.level = LevelForm::County);
        let now = town.now_ms();
        let mut li = town.worker(1, &[TOWNSHIP]);
        li.begin(doc(1), TOWNSHIP);
        li.write(doc(1), "door", MARK);
        let batch = li.batch();
        li.sync(town.relay, now, &[batch]);
        let ask = BlobAsk {
            version: PROTOCOL_VERSION,
            doc: doc(1),
            bytes: PHOTO.len() as u64,
            offset: 0,
            piece: BlobHash::of(PHOTO),
        };
        let reply = li.post_blob(town.relay, now, &BlobHash::of(PHOTO), &ask, PHOTO);
        assert_eq!(reply.status, 200);
        let mut deng = town.worker(2, works_in(Role::Worker, Scope::Foreign));
        deng.begin_owned(doc(1), None);
        deng.write(doc(1), "door", "of somebody else");
        let batch = deng.batch();
        let states = deng.sync(town.relay, now, &[batch]).items();
        assert_eq!(states, [ItemState::Inbox(Reason::OutOfScope)]);
        assert_eq!(town.open().make_packs(&Packs::default()).unwrap(), 1);
        let packs = li.get_packs(town.relay, now, "?");
        let manifest = Manifest::read(&packs.body).unwrap();
        let frame = manifest.packs[0].frames[0].hash;
        Self {
            town,
            li,
            frame,
            asked: 0,
        }
    }

    /// Returns the head of a whole request on a route, and what follows it.
    fn head(&mut self, route: &Route, device: &Device) -> Vec<u8> {
        let version = PROTOCOL_VERSION;
        self.asked += 1;
        let today = Day::of_ms(self.town.now_ms());
        match (route.method, route.path) {
            ("GET", _) => Vec::new(),
            (_, "/v1/sync") => device.ask(0, false).bytes(),
            (_, "/v1/order") => {
                let leave = Cover {
                    id: CoverId(self.asked.to_be_bytes()),
                    n: 0,
                    absent: self.li.person(),
                    substitute: None,
                    areas: vec![area(TOWNSHIP)],
                    from: today,
                    until: Day(today.0 + 2),
                    note: String::new(),
                };
                let body = OrderBody::Cover(leave);
                packing::encode(&OrderAsk { version, body })
            }
            (_, "/v1/device") => {
                let wish = DeviceWish::Incident(self.li.id());
                packing::encode(&DeviceAsk { version, wish })
            }
            (_, "/v1/inbox") => {
                let wish = InboxWish::Open { after: 0 };
                packing::encode(&InboxAsk { version, wish })
            }
            (_, "/v1/rise") => packing::encode(&RiseAsk {
                version,
                orders: Vec::new(),
            }),
            (_, "/v1/repair") => packing::encode(&RepairAsk {
                version,
                about: Subject::Changes(Audience::Area(area(TOWNSHIP))),
                key: 7,
                wish: Wish::Symbols { from: 0, until: 8 },
            }),
            (_, "/v1/blob/{hash}") => BlobAsk {
                version,
                doc: doc(1),
                bytes: 10,
                offset: 0,
                piece: BlobHash::of(&[]),
            }
            .encoded(),
            (_, "/v1/frames") => packing::encode(&FramesAsk {
                version,
                frames: vec![self.frame],
                from: 0,
            }),
            other => panic!("{other:?} is asked by nobody: add it here"),
        }
    }

    fn ask(&mut self, route: &Route, device: &mut Device) -> Reply {
        if route.path == "/v1/enroll" {
            return wire_client::send(self.town.relay, "POST", route.path, &[], b"nothing");
        }
        let head = self.head(route, device);
        self.ask_with(route, device, &head)
    }

    /// Asks on a route with this head, signed.
    fn ask_with(&self, route: &Route, device: &mut Device, head: &[u8]) -> Reply {
        let (name, query) = match (route.method, route.path) {
            ("GET", "/v1/blob/{hash}") => (PHOTO, format!("?doc={}", doc(1))),
            (_, "/v1/packs") => (PHOTO, format!("?audience={TOWNSHIP}")),
            _ => (&b"another!!!"[..], "?".to_owned()),
        };
        let path = route
            .path
            .replace("{hash}", &BlobHash::of(name).to_string());
        let body = match route.method {
            "GET" => Vec::new(),
            _ => with_length(head),
        };
        let what = (route.method, path.as_str(), query.as_str());
        let (relay, now) = (self.town.relay, self.town.now_ms());
        let request = device.signed_request(relay, now, what, head, &[], &body);
        wire_client::send_raw(relay, &request)
    }
}

/// Returns which cell a reply is.
fn cell(route: &Route, reply: &Reply) -> Cell {
    let shown = || format!("{} {} {}", route.path, reply.status, reply.text());
    let purged = reply.header("content-type") == Some(PURGE_CONTENT_TYPE);
    match (route.path, reply.status) {
        ("/v1/relay", 200) | ("/v1/enroll", 400) => return Cell::Open,
        (_, 401) => return Cell::Nobody,
        (_, 403) if purged => return Cell::Purged,
        (_, 403) => return Cell::Refused,
        (_, 404) => return Cell::Nothing,
        (_, 200 | 206) => {}
        _ => panic!("{}", shown()),
    }
    let told = match (route.method, route.path) {
        (_, "/v1/sync") => {
            let answer = read_answer(reply);
            assert!(answer.end.is_some(), "{}", shown());
            answer.contains(MARK.as_bytes())
        }
        (_, "/v1/inbox") => {
            let mut unpacker = Unpacker::new().unwrap();
            let bytes = unpacker.unpack(&reply.body, 1_000_000).unwrap();
            let answer: InboxAnswer = packing::decode(&bytes, "inbox").unwrap();
            !answer.rows.is_empty()
        }
        (_, "/v1/repair") => {
            let answer: SymbolsAnswer = packing::decode(&reply.body, "symbols").unwrap();
            answer.changes > 0
        }
        ("GET", "/v1/blob/{hash}") => {
            assert_eq!(reply.body, PHOTO);
            true
        }
        (_, "/v1/packs") => {
            let manifest = Manifest::read(&reply.body).unwrap();
            !manifest.packs.is_empty()
        }
        _ => true,
    };
    if told { Cell::Done } else { Cell::Nothing }
}

#[test]
fn every_route_role_and_scope_is_answered_as_its_cell_says() {
    let mut asked = Asked::new();
    let roles = ROUTES[0].cells.rows().map(|(role, _)| role);
    let scopes = ROUTES[0].cells.of(Role::Worker).cells();
    let mut seeds = 10..;
    let (mut wrong, mut met) = (Vec::new(), BTreeMap::new());
    for role in roles {
        for (scope, _) in scopes {
            let seed = seeds.next().unwrap();
            let mut device = match scope {
                Scope::Stranger => Device::new(seed),
                _ => asked.town.device(seed, role, works_in(role, scope)),
            };
            if scope == Scope::Revoked {
                let relay = asked.town.open();
                relay.revoke(&device.id(), 0, asked.town.now_ms()).unwrap();
            }
            for route in ROUTES {
                let reply = asked.ask(route, &mut device);
                let (got, cell) = (cell(route, &reply), route.cells.of(role).of(scope));
                *met.entry(got.letter()).or_insert(0) += 1;
                if got != cell {
                    let what = format!("{} {}", route.method, route.path);
                    wrong.push(format!("{what} {role:?} {scope:?}: {got:?}, not {cell:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let cells: u32 = met.values().sum();
    assert_eq!(cells as usize, ROUTES.len() * roles.len() * scopes.len());
    assert_eq!(met.keys().collect::<String>(), "-nopry", "all are met");
}

#[test]
fn a_question_in_another_version_is_not_talked_down_to_this_one_on_any_route() {
    let mut asked = Asked::new();
    let mut desk = asked
        .town
        .device(9, Role::County, works_in(Role::County, Scope::Above));
    let mut below = asked
        .town
        .device(8, Role::Relay, works_in(Role::Relay, Scope::Own));
    let with_heads = ROUTES.iter().filter(|route| {
        route.method == "POST" && !matches!(route.who, Who::Anybody | Who::Invited)
    });
    for route in with_heads {
        let device = match route.who {
            Who::RelayBelow => &mut below,
            _ => &mut desk,
        };
        let head = asked.head(route, device);
        assert_eq!(head[1..3], [0, 0], "version 0 under the key 0");
        let entries = asked.town.open().counts().unwrap().entries;
        for (version, status) in [(1, 426), (0x17, 426), (0x20, 400)] {
            let mut other = head.clone();
            // One above, another, and one below the first, which no version is.
            other[2] = version;
            let reply = asked.ask_with(route, device, &other);
            assert_eq!(reply.status, status, "{} {}", route.path, reply.text());
        }
        assert_eq!(asked.town.open().counts().unwrap().entries, entries);
        let reply = asked.ask_with(route, device, &head);
        assert_eq!(cell(route, &reply), Cell::Done, "{}", route.path);
    }
}

#[test]
fn the_table_of_the_protocol_is_the_one_that_routes_are_made_of() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/protocol.md");
    let protocol = std::fs::read_to_string(path).unwrap();
    for route in ROUTES {
        let mut line = format!("| `{} {}` | {} |", route.method, route.path, route.action);
        for (_, row) in route.cells.rows() {
            let letters: String = row.cells().iter().map(|(_, cell)| cell.letter()).collect();
            line.push_str(&format!(" `{letters}` |"));
        }
        assert!(protocol.contains(&line), "missing in {path}:\n{line}");
    }
}
