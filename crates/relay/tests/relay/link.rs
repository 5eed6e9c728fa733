//! Bad links and bad guests: what is not a member's whole request changes nothing.

use wangge_testkit::device::{self, Answer, Device, pack, read_answer};
use wangge_testkit::wire_client::{send, send_cut, send_raw};
use wangge_trust::request::{self, CREATED_WINDOW_S, Signed};
use wangge_wire::limits::{
    FRAME_INFLATED_BYTES_MAX, REQUEST_BATCHES_MAX, REQUEST_BYTES_MAX, REQUEST_INFLATED_BYTES_MAX,
};
use wangge_wire::message::Refusal;
use wangge_wire::packing::Packer;
use wangge_wire::receipt::ItemState;
use wangge_wire::{Ask, PROTOCOL_VERSION, Verdict, frame, stream};

use crate::town::{GRID_1, Town, doc};

fn status(town: &Town, device: &mut Device, ask: &Ask, frames: &[Vec<u8>]) -> Answer {
    let request = device.request(town.relay, town.now_ms(), &ask.bytes(), frames);
    read_answer(&send_raw(town.relay, &request))
}

#[test]
fn anybody_may_read_the_card_and_nothing_else() {
    let town = Town::new();
    let card = device::card(town.relay);
    assert_eq!(
        (card.version, card.name.as_str()),
        (PROTOCOL_VERSION, "杨家镇")
    );
    assert_eq!(card.key, town.open().card(0).key);
    assert_eq!(send(town.relay, "GET", "/v1/sync", &[], b"").status, 405);
    assert_eq!(send(town.relay, "GET", "/", &[], b"").status, 404);
    let ask = Device::new(1).ask(0, false).bytes();
    let body = [&u32::try_from(ask.len()).unwrap().to_be_bytes()[..], &ask].concat();
    let reply = send(town.relay, "POST", "/v1/sync", &[], &body);
    assert_eq!((reply.status, reply.text().as_str()), (401, "unsigned"));
}

#[test]
fn a_request_of_a_stranger_or_with_a_wrong_signature_is_nobodys() {
    let town = Town::new();
    let (mut li, mut stranger) = (town.worker(1, &[GRID_1]), Device::new(77));
    let ask = stranger.ask(0, false);
    let answer = status(&town, &mut stranger, &ask, &[]);
    assert_eq!(
        (answer.status, answer.bytes.as_slice()),
        (401, &b"unknown device"[..])
    );

    let request = li.request(town.relay, town.now_ms(), &li.ask(0, false).bytes(), &[]);
    let text = String::from_utf8_lossy(&request).into_owned();
    let at = text.find("signature: w=:").unwrap() + "signature: w=:".len();
    let mut forged = request.clone();
    forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
    let reply = send_raw(town.relay, &forged);
    assert_eq!((reply.status, reply.text().as_str()), (401, "signature"));
    // Another head under the same signature.
    let mut changed = request.clone();
    *changed.last_mut().unwrap() ^= 1;
    assert_eq!(send_raw(town.relay, &changed).status, 401);
    assert_eq!(send_raw(town.relay, &request).status, 200);
}

#[test]
fn a_request_is_taken_once() {
    let town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    let request = li.request(town.relay, town.now_ms(), &li.ask(0, false).bytes(), &[]);
    assert_eq!(send_raw(town.relay, &request).status, 200);
    let reply = send_raw(town.relay, &request);
    assert_eq!((reply.status, reply.text().as_str()), (401, "replayed"));
}

#[test]
fn a_wrong_clock_is_told_the_time_and_tried_again() {
    let town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    let window_ms = CREATED_WINDOW_S * 1000;
    // Of before its beginning a relay remembers nothing.
    town.wait_ms(window_ms);
    for (apart_ms, good) in [
        (window_ms, true),
        (-window_ms, true),
        (window_ms + 1000, false),
        (-window_ms - 1000, false),
    ] {
        let head = li.ask(0, false).bytes();
        let request = li.request(town.relay, town.now_ms() + apart_ms, &head, &[]);
        let reply = send_raw(town.relay, &request);
        assert_eq!(reply.status == 200, good, "{apart_ms}");
        let told = reply.header("wangge-time").map(|ms| ms.parse().unwrap());
        assert_eq!(told, (!good).then(|| town.now_ms()));
    }
}

#[test]
fn a_newer_protocol_is_told_so() {
    let town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    let ask = Ask {
        version: PROTOCOL_VERSION + 1,
        ..li.ask(0, false)
    };
    assert_eq!(status(&town, &mut li, &ask, &[]).status, 426);
}

#[test]
fn a_request_past_its_size_is_not_read() {
    let town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    let counts = town.open().counts().unwrap();
    let declared = REQUEST_BYTES_MAX + 1;
    let length = [("content-length", &*declared.to_string())];
    assert_eq!(
        send(town.relay, "POST", "/v1/sync", &length, b"").status,
        413
    );

    // Sent in chunks, so that nothing is declared.
    let ask = li.ask(1, false);
    let whole = li.request(
        town.relay,
        town.now_ms(),
        &ask.bytes(),
        &[vec![0; REQUEST_BYTES_MAX]],
    );
    let text = String::from_utf8_lossy(&whole).into_owned();
    let body = text.find("\r\n\r\n").unwrap() + 4;
    let head: String = text[..body]
        .lines()
        .filter(|line| !line.starts_with("content-length"))
        .map(|line| format!("{line}\r\n"))
        .collect();
    let head = head.replacen("\r\n\r\n", "\r\ntransfer-encoding: chunked\r\n\r\n", 1);
    let mut chunked = head.into_bytes();
    let bytes = whole
        .iter()
        .skip(whole.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4);
    let bytes: Vec<u8> = bytes.copied().collect();
    for chunk in bytes.chunks(60_000) {
        chunked.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        chunked.extend_from_slice(chunk);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    let reply = send_raw(town.relay, &chunked);
    assert!(matches!(reply.status, 413), "{}", reply.status);
    assert_eq!(town.open().counts().unwrap(), counts);
}

#[test]
fn a_bomb_is_not_inflated() {
    let town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    let bomb = pack(&vec![0; FRAME_INFLATED_BYTES_MAX + 1]);
    let ask = li.ask(1, false);
    let answer = status(&town, &mut li, &ask, &[bomb]);
    assert_eq!(
        answer.verdicts,
        [Verdict::Refused {
            index: 0,
            reason: Refusal::OverLimit
        }]
    );

    let large = pack(&vec![0; FRAME_INFLATED_BYTES_MAX]);
    let fit = REQUEST_INFLATED_BYTES_MAX / FRAME_INFLATED_BYTES_MAX;
    let ask = li.ask(fit, false);
    assert_eq!(
        status(&town, &mut li, &ask, &vec![large.clone(); fit])
            .verdicts
            .len(),
        fit
    );
    let ask = li.ask(fit + 1, false);
    assert_eq!(
        status(&town, &mut li, &ask, &vec![large; fit + 1]).status,
        413
    );
}

#[test]
fn as_many_batches_as_the_limit_are_read_and_no_more() {
    let town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    // Each says that it is one, and is nothing.
    let frames = vec![vec![0, 1]; REQUEST_BATCHES_MAX + 1];
    let ask = li.ask(REQUEST_BATCHES_MAX, false);
    let answer = status(&town, &mut li, &ask, &frames[..REQUEST_BATCHES_MAX]);
    assert_eq!(answer.verdicts.len(), REQUEST_BATCHES_MAX);
    let ask = li.ask(REQUEST_BATCHES_MAX + 1, false);
    assert_eq!(status(&town, &mut li, &ask, &frames).status, 400);
}

#[test]
fn garbage_is_refused_where_it_stands() {
    let town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    for head in [&b""[..], b"garbage", &[0xff; 300]] {
        let request = li.request(town.relay, town.now_ms(), head, &[]);
        assert_eq!(
            send_raw(town.relay, &request).status,
            400,
            "a head that reads as nothing"
        );
    }
    let long = vec![0; 5_000];
    let request = li.request(town.relay, town.now_ms(), &long, &[]);
    assert_eq!(send_raw(town.relay, &request).status, 400);

    li.begin(doc(1), GRID_1);
    let batch = li.batch();
    let good = li.short(&[batch]).remove(0);
    // It says that it is one batch.
    let frames = [b"\0\x01<html>login</html>".to_vec(), good];
    let ask = li.ask(2, false);
    let answer = status(&town, &mut li, &ask, &frames);
    let refused = Verdict::Refused {
        index: 0,
        reason: Refusal::Malformed,
    };
    assert_eq!(answer.verdicts[0], refused);
    // The one behind followed it and says so by leaving its predecessor out.
    assert!(matches!(
        &answer.verdicts[1],
        Verdict::Receipt(_) | Verdict::NeedFull { index: 1 }
    ));

    // A frame of an unknown kind, or fewer batches than said.
    let request = li.request(town.relay, town.now_ms(), &li.ask(0, false).bytes(), &[]);
    let mut with_kind = request.clone();
    with_kind.extend_from_slice(&stream::frame(9, b"x"));
    let text = String::from_utf8_lossy(&with_kind).into_owned();
    let length = text
        .split("content-length: ")
        .nth(1)
        .unwrap()
        .split('\r')
        .next()
        .unwrap();
    let longer = (length.parse::<usize>().unwrap() + 6).to_string();
    let with_kind = replace(&with_kind, &format!("content-length: {length}"), &longer);
    assert_eq!(send_raw(town.relay, &with_kind).status, 400);
    let ask = li.ask(3, false);
    assert_eq!(status(&town, &mut li, &ask, &[]).status, 400);
}

/// Until 0.3.0 each batch was packed alone; its first bytes read as a group of more batches than the limit.
#[test]
fn a_batch_as_0_2_sent_it_is_refused_whole_and_taken_once_it_comes_in_a_group() {
    let town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    li.begin(doc(1), GRID_1);
    let batch = li.batch();
    let counts = town.open().counts().unwrap();
    let mut packer = Packer::new().unwrap();
    let alone = packer.pack(&frame::encode_full(&batch).unwrap()).unwrap();
    let ask = li.ask(1, false);
    let answer = status(&town, &mut li, &ask, &[alone]);
    assert_eq!(
        (answer.status, answer.bytes.as_slice()),
        (400, &b"malformed"[..])
    );
    assert_eq!(town.open().counts().unwrap(), counts);
    let taken = li.sync(town.relay, town.now_ms(), &[batch]);
    assert!(matches!(taken.items().as_slice(), [ItemState::At(_)]));
}

fn replace(bytes: &[u8], header: &str, value: &str) -> Vec<u8> {
    let at = bytes
        .windows(header.len())
        .position(|window| window == header.as_bytes())
        .unwrap();
    let new = format!("content-length: {value}");
    [&bytes[..at], new.as_bytes(), &bytes[at + header.len()..]].concat()
}

#[test]
fn a_request_cut_at_any_byte_is_refused_and_what_came_whole_is_kept() {
    let town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    li.begin(doc(1), GRID_1);
    let first = li.batch();
    li.write(doc(1), "door", "1");
    let second = li.batch();
    let batches = [first, second];
    let frames = li.short(&batches);
    let ask = li.ask(2, false);
    let whole = li.request(town.relay, town.now_ms(), &ask.bytes(), &frames);
    for cut in (0..whole.len()).rev() {
        let request = li.request(town.relay, town.now_ms(), &ask.bytes(), &frames);
        let reply = send_cut(town.relay, &request[..cut]);
        assert!(
            matches!(reply.status, 0 | 400 | 401),
            "{} at {cut}",
            reply.status
        );
    }
    let answer = li.sync(town.relay, town.now_ms(), &batches);
    assert_eq!(answer.receipts().len(), 2);
    assert!(matches!(answer.receipts()[1].items[0], ItemState::At(_)));
}

#[test]
fn a_request_that_ends_too_early_but_says_so_keeps_its_whole_batches() {
    let town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    li.begin(doc(1), GRID_1);
    let first = li.batch();
    li.write(doc(1), "door", "1");
    let second = li.batch();
    let frames = li.short(&[first, second]);
    let ask = li.ask(2, false);
    let before = town.open().counts().unwrap().entries;
    // One batch and half of the next, with a length that fits.
    let mut body = u32::try_from(ask.bytes().len())
        .unwrap()
        .to_be_bytes()
        .to_vec();
    body.extend_from_slice(&ask.bytes());
    body.extend_from_slice(&stream::frame(1, &frames[0]));
    let half = stream::frame(1, &frames[1]);
    body.extend_from_slice(&half[..half.len() / 2]);
    let authority = town.relay.to_string();
    let head = ask.bytes();
    let signed = Signed {
        relay: li.relay_at(town.relay),
        method: "POST",
        authority: &authority,
        path: "/v1/sync",
        query: "?",
        head: &head,
    };
    let headers = request::sign(&li.key, &signed, town.now_ms() / 1000, &[0xaa; 8]);
    let headers = [
        (request::HEAD_HEADER, headers.head.as_str()),
        ("signature-input", headers.signature_input.as_str()),
        ("signature", headers.signature.as_str()),
    ];
    assert_eq!(
        send(town.relay, "POST", "/v1/sync", &headers, &body).status,
        400
    );
    assert_eq!(town.open().counts().unwrap().entries, before + 1);
}
