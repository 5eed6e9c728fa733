//! Limits of questions and answers: at each the answer is the usual one, past it another, never a crash.

use wangge_testkit::device::{Device, read_answer};
use wangge_testkit::wire_client::{Reply, send_raw};
use wangge_wire::inbox::{InboxAsk, InboxWish};
use wangge_wire::limits::{
    ABOVE_NAMES_MAX, FRAMES_ASK_BYTES_MAX, HEAD_BYTES_MAX, REPAIR_ASK_BYTES_MAX,
    REPAIR_SYMBOLS_MAX, REPAIR_WANTED_MAX, RISE_BYTES_MAX,
};
use wangge_wire::message::End;
use wangge_wire::pack::FramesAsk;
use wangge_wire::repair::{RepairAsk, Subject, SymbolsAnswer, Wish};
use wangge_wire::rise::RiseAsk;
use wangge_wire::{
    AreaCode, Audience, FrameHash, OrderAsk, OrderBody, PROTOCOL_VERSION, Unit, packing,
};

use crate::town::{GRID_1, TOWNSHIP, Town, doc};

/// Bytes of a symbol.
const SYMBOL_BYTES: usize = 16;

fn post(town: &Town, device: &mut Device, path: &str, head: &[u8]) -> Reply {
    let length = u32::try_from(head.len()).unwrap().to_be_bytes();
    let body = [length.as_slice(), head].concat();
    let what = ("POST", path, "?");
    let request = device.signed_request(town.relay, town.now_ms(), what, head, &[], &body);
    send_raw(town.relay, &request)
}

/// Returns a head as long as that, by a field of a later version, which every reader skips.
fn padded(head: &[u8], size: usize) -> Vec<u8> {
    let (first, rest) = head.split_first().unwrap();
    // Key 23 and a byte string with its length in four bytes.
    let padding = size - head.len() - 6;
    let length = u32::try_from(padding).unwrap().to_be_bytes();
    let field = [&[0x17, 0x5a], length.as_slice(), &vec![0; padding]].concat();
    [&[first + 1], rest, &field].concat()
}

fn repair(wish: Wish) -> Vec<u8> {
    packing::encode(&RepairAsk {
        version: PROTOCOL_VERSION,
        about: Subject::Changes(Audience::Area(AreaCode::parse(GRID_1).unwrap())),
        key: 7,
        wish,
    })
}

#[test]
fn a_question_of_the_largest_size_is_read_and_one_byte_more_is_not() {
    let town = Town::new();
    let mut zhao = town.desk(4);
    let version = PROTOCOL_VERSION;
    let rise = RiseAsk {
        version,
        orders: Vec::new(),
    };
    let frames = FramesAsk {
        version,
        frames: vec![FrameHash([9; 32])],
        from: 0,
    };
    let inbox = InboxAsk {
        version,
        wish: InboxWish::Open { after: 0 },
    };
    let unit = Unit {
        id: doc(0),
        n: 0,
        name: "水务站".into(),
        area: AreaCode::parse(TOWNSHIP).unwrap(),
        phone: String::new(),
        closed: false,
    };
    let order = OrderAsk {
        version,
        body: OrderBody::Unit(unit),
    };
    // What is read has the answer of a desk: it is no relay, and that frame is in no pack.
    for (path, head, limit, read) in [
        ("/v1/rise", packing::encode(&rise), RISE_BYTES_MAX, 403),
        (
            "/v1/frames",
            packing::encode(&frames),
            FRAMES_ASK_BYTES_MAX,
            404,
        ),
        (
            "/v1/repair",
            repair(Wish::Entries(Vec::new())),
            REPAIR_ASK_BYTES_MAX,
            200,
        ),
        ("/v1/inbox", packing::encode(&inbox), HEAD_BYTES_MAX, 200),
        ("/v1/order", packing::encode(&order), HEAD_BYTES_MAX, 200),
    ] {
        let status = |zhao: &mut Device, size| post(&town, zhao, path, &padded(&head, size)).status;
        assert_eq!(status(&mut zhao, limit), read, "{path}");
        assert_eq!(status(&mut zhao, limit + 1), 400, "{path}");
    }
}

#[test]
fn symbols_end_at_their_limit_and_a_question_with_all_its_fingerprints_is_read() {
    let town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    li.begin(doc(0), GRID_1);
    li.write(doc(0), "note", "一切正常");
    let batch = li.batch();
    li.sync(town.relay, town.now_ms(), &[batch]);
    let last = u32::try_from(REPAIR_SYMBOLS_MAX).unwrap();
    for (from, until, symbols) in [
        (last - 1, last, 1),
        (last - 1, last + 1, 1),
        (last, last + 1, 0),
        (0, u32::MAX, REPAIR_SYMBOLS_MAX),
        // The wrong way round is no symbols.
        (last, 5, 0),
    ] {
        let head = repair(Wish::Symbols { from, until });
        let reply = post(&town, &mut li, "/v1/repair", &head);
        let answer: SymbolsAnswer = packing::decode(&reply.body, "symbols").unwrap();
        assert_eq!(
            answer.symbols.len(),
            symbols * SYMBOL_BYTES,
            "{from} {until}"
        );
        assert_eq!(answer.changes, 1);
    }
    let wanted = repair(Wish::Entries(vec![u64::MAX; REPAIR_WANTED_MAX]));
    assert!(wanted.len() <= REPAIR_ASK_BYTES_MAX);
    assert_eq!(post(&town, &mut li, "/v1/repair", &wanted).status, 200);
}

/// Puts so many names of one document into a relay's file, as one above would have told them.
fn name_above(town: &Town, count: usize) {
    let file = rusqlite::Connection::open(town.dir.path().join("relay.db")).unwrap();
    let upstream = "INSERT OR IGNORE INTO upstream (id, url, relay_key, level, through)
                    VALUES (1, 'http://127.0.0.1:1', zeroblob(32), 0, 5)";
    file.execute(upstream, []).unwrap();
    file.execute("DELETE FROM above_name", []).unwrap();
    let sql = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?2)
               INSERT INTO above_name (doc, hash) SELECT ?1, unhex(printf('%064x', n)) FROM n";
    file.execute(sql, (doc(0).0, i64::try_from(count).unwrap()))
        .unwrap();
}

#[test]
fn as_many_names_as_the_limit_are_told_and_past_it_nothing_of_the_levels_above() {
    let town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    li.begin(doc(0), GRID_1);
    let batch = li.batch();
    li.sync(town.relay, town.now_ms(), &[batch]);
    let mut end = |count| -> End {
        name_above(&town, count);
        let head = li.ask(0, false).bytes();
        let request = li.request(town.relay, town.now_ms(), &head, &[]);
        read_answer(&send_raw(town.relay, &request)).end.unwrap()
    };
    let most = end(ABOVE_NAMES_MAX);
    assert_eq!(most.watermarks.len(), 1);
    assert_eq!(most.above.map(|names| names.len()), Some(ABOVE_NAMES_MAX));
    let more = end(ABOVE_NAMES_MAX + 1);
    assert_eq!((more.watermarks, more.above), (Vec::new(), None));
}
