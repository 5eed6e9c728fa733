//! Attachments at a relay: by the piece, durable when answered, for readers of a document only.

use std::path::PathBuf;

use wangge_testkit::device::Device;
use wangge_testkit::wire_client::{self, Reply};
use wangge_wire::limits::{BLOB_ANSWER_BYTES_MAX, BLOB_PARTS_MAX, BLOB_PIECE_BYTES_MAX};
use wangge_wire::{BlobAsk, BlobHash, BlobState, DocId, packing};

use crate::town::{ELSEWHERE, GRID_1, GRID_2, Town, doc};

/// A photo of three pieces, the last one short.
fn photo() -> Vec<u8> {
    let bytes = 2 * BLOB_PIECE_BYTES_MAX + 1_000;
    (0..bytes).map(|n| (n * 7 + n / 251) as u8).collect()
}

fn ask(doc: DocId, bytes: usize, offset: usize, piece: &[u8]) -> BlobAsk {
    BlobAsk {
        version: 0,
        doc,
        bytes: bytes as u64,
        offset: offset as u64,
        piece: BlobHash::of(piece),
    }
}

fn state(reply: &Reply) -> (u64, bool) {
    assert_eq!(reply.status, 200, "{}", reply.text());
    let state: BlobState = packing::decode(&reply.body, "state").unwrap();
    (state.durable, state.whole)
}

/// Sends the piece that begins here.
fn piece(town: &Town, device: &mut Device, doc: DocId, whole: &[u8], at: usize) -> Reply {
    let end = (at + BLOB_PIECE_BYTES_MAX).min(whole.len());
    let (hash, piece) = (BlobHash::of(whole), &whole[at..end]);
    let ask = ask(doc, whole.len(), at, piece);
    device.post_blob(town.relay, town.now_ms(), &hash, &ask, piece)
}

fn upload(town: &Town, device: &mut Device, doc: DocId, whole: &[u8]) {
    for at in (0..whole.len()).step_by(BLOB_PIECE_BYTES_MAX) {
        let (durable, is_whole) = state(&piece(town, device, doc, whole, at));
        assert_eq!(is_whole, durable as usize == whole.len());
    }
}

fn get(town: &Town, device: &mut Device, (hash, doc): (&BlobHash, &DocId), from: u64) -> Reply {
    device.get_blob(town.relay, town.now_ms(), "GET", (hash, doc), from)
}

/// Li in grid 1 with a document that lives there.
fn li(town: &Town) -> (Device, DocId) {
    let (mut li, id) = (town.worker(1, &[GRID_1]), doc(1));
    li.begin(id, GRID_1);
    let batch = li.batch();
    li.sync(town.relay, town.now_ms(), &[batch]);
    (li, id)
}

fn files(town: &Town) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![town.dir.path().join("blobs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => found.push(path),
            }
        }
    }
    found
}

#[test]
fn a_piece_that_was_answered_is_there_after_a_restart_and_the_next_goes_on_behind_it() {
    let mut town = Town::new();
    let (mut li, id) = li(&town);
    let (whole, step) = (photo(), BLOB_PIECE_BYTES_MAX);
    assert_eq!(
        state(&piece(&town, &mut li, id, &whole, 0)),
        (step as u64, false)
    );
    town.stop();
    town.start();
    // An empty piece asks; one sent again adds nothing; one too far ahead adds nothing.
    let hash = BlobHash::of(&whole);
    let asked = li.post_blob(
        town.relay,
        town.now_ms(),
        &hash,
        &ask(id, whole.len(), 0, b""),
        b"",
    );
    assert_eq!(state(&asked), (step as u64, false));
    for at in [0, 2 * step] {
        assert_eq!(
            state(&piece(&town, &mut li, id, &whole, at)),
            (step as u64, false)
        );
    }
    assert_eq!(
        get(&town, &mut li, (&hash, &id), 0).status,
        404,
        "a part is served to nobody"
    );
    assert!(!state(&piece(&town, &mut li, id, &whole, step)).1);
    assert_eq!(
        state(&piece(&town, &mut li, id, &whole, 2 * step)),
        (whole.len() as u64, true)
    );
    assert_eq!(
        state(&piece(&town, &mut li, id, &whole, 0)),
        (whole.len() as u64, true)
    );
    assert_eq!(files(&town).len(), 1);
}

#[test]
fn a_request_cut_inside_a_piece_adds_nothing() {
    let town = Town::new();
    let (mut li, id) = li(&town);
    let whole = photo();
    let (hash, first) = (BlobHash::of(&whole), &whole[..BLOB_PIECE_BYTES_MAX]);
    let ask = ask(id, whole.len(), 0, first);
    let request = li.blob_request(town.relay, town.now_ms(), &hash, &ask, first);
    for end in [10, 500, 800, request.len() / 2, request.len() - 1] {
        wire_client::send_cut(town.relay, &request[..end]);
        assert_eq!(files(&town), Vec::<PathBuf>::new(), "cut at {end}");
    }
    upload(&town, &mut li, id, &whole);
}

#[test]
fn it_comes_back_by_the_range_and_a_head_says_how_large_it_is() {
    let town = Town::new();
    let (mut li, id) = li(&town);
    let whole = photo();
    upload(&town, &mut li, id, &whole);
    let hash = BlobHash::of(&whole);
    let mut zhao = town.desk(2);
    let mut came = Vec::new();
    while came.len() < whole.len() {
        let from = came.len();
        let reply = get(&town, &mut zhao, (&hash, &id), from as u64);
        assert_eq!(reply.status, 206, "{}", reply.text());
        let last = (from + BLOB_ANSWER_BYTES_MAX).min(whole.len()) - 1;
        let range = format!("bytes {from}-{last}/{}", whole.len());
        assert_eq!(reply.header("content-range"), Some(range.as_str()));
        came.extend(reply.body);
    }
    assert!(came == whole);
    assert_eq!(
        get(&town, &mut zhao, (&hash, &id), whole.len() as u64).status,
        416
    );
    let head = zhao.get_blob(town.relay, town.now_ms(), "HEAD", (&hash, &id), 5);
    assert_eq!((head.status, head.body.len()), (206, 0));
    assert!(
        head.header("content-range")
            .unwrap()
            .ends_with(&format!("/{}", whole.len()))
    );
}

#[test]
fn who_does_not_read_the_document_gets_no_byte_even_knowing_the_name() {
    let town = Town::new();
    let (mut li, id) = li(&town);
    let whole = photo();
    upload(&town, &mut li, id, &whole);
    let hash = BlobHash::of(&whole);
    let (mut wang, mut deng) = (town.worker(2, &[GRID_2]), town.worker(3, &[ELSEWHERE]));
    let own = doc(9);
    wang.begin(own, GRID_2);
    let batch = wang.batch();
    wang.sync(town.relay, town.now_ms(), &[batch]);
    for reader in [&mut wang, &mut deng] {
        assert_eq!(get(&town, reader, (&hash, &id), 0).status, 404);
        assert_eq!(get(&town, reader, (&hash, &own), 0).status, 404);
        assert_eq!(
            piece(&town, reader, id, &whole, 0).status,
            404,
            "no document of theirs"
        );
    }
    // Naming it in a document of one's own opens nothing: who has it sends all of it.
    let asked = ask(own, whole.len(), 0, b"");
    let told = wang.post_blob(town.relay, town.now_ms(), &hash, &asked, b"");
    assert_eq!(state(&told), (0, false), "nor does it say that it is here");
    assert_eq!(get(&town, &mut wang, (&hash, &own), 0).status, 404);
    upload(&town, &mut wang, own, &whole);
    assert_eq!(get(&town, &mut wang, (&hash, &own), 0).status, 206);
    assert_eq!(files(&town).len(), 1, "the same bytes are one file");
    let nobody = wire_client::send(
        town.relay,
        "GET",
        &format!("/v1/blob/{hash}?doc={id}"),
        &[],
        b"",
    );
    assert_eq!(nobody.status, 401);
}

#[test]
fn a_second_document_costs_no_byte_where_the_first_is_read() {
    let town = Town::new();
    let (mut li, id) = li(&town);
    let (whole, second) = (photo(), doc(2));
    upload(&town, &mut li, id, &whole);
    li.begin(second, GRID_1);
    let batch = li.batch();
    li.sync(town.relay, town.now_ms(), &[batch]);
    let hash = BlobHash::of(&whole);
    assert_eq!(get(&town, &mut li, (&hash, &second), 0).status, 404);
    let told = li.post_blob(
        town.relay,
        town.now_ms(),
        &hash,
        &ask(second, whole.len(), 0, b""),
        b"",
    );
    assert_eq!(state(&told), (whole.len() as u64, true));
    assert_eq!(get(&town, &mut li, (&hash, &second), 0).status, 206);
}

#[test]
fn what_does_not_fit_its_name_is_thrown_away_and_does_not_spoil_what_does() {
    let town = Town::new();
    let (mut li, id) = li(&town);
    let (whole, mut zhao) = (b"a paper".to_vec(), town.desk(2));
    let hash = BlobHash::of(&whole);
    let wrong = b"a papxr";
    let sent = zhao.post_blob(
        town.relay,
        town.now_ms(),
        &hash,
        &ask(id, 7, 0, wrong),
        wrong,
    );
    assert_eq!(sent.status, 422);
    assert_eq!(files(&town), Vec::<PathBuf>::new());
    // Half of a wrong one from one device does not stand in another's way.
    zhao.post_blob(
        town.relay,
        town.now_ms(),
        &hash,
        &ask(id, 7, 0, b"a pax"),
        b"a pax",
    );
    upload(&town, &mut li, id, &whole);
    assert_eq!(get(&town, &mut zhao, (&hash, &id), 0).body, whole);
    // A piece that is not the one that was signed for.
    let other = ask(id, 7, 0, b"a paper");
    let forged = li.post_blob(
        town.relay,
        town.now_ms(),
        &BlobHash::of(wrong),
        &other,
        wrong,
    );
    assert_eq!(forged.status, 400);
}

#[test]
fn limits_are_answers_and_a_full_disk_keeps_nothing_of_a_piece() {
    let town = Town::with(|settings| settings.blob_bytes_max = 10);
    let (mut li, id) = li(&town);
    upload(&town, &mut li, id, b"123456");
    let more = piece(&town, &mut li, id, b"1234567", 0);
    assert_eq!((more.status, more.text().as_str()), (413, "quota"));
    let long = vec![1; BLOB_PIECE_BYTES_MAX + 1];
    let hash = BlobHash::of(&long);
    let sent = li.post_blob(
        town.relay,
        town.now_ms(),
        &hash,
        &ask(id, long.len(), 0, &long),
        &long,
    );
    assert_eq!(sent.status, 413);
    let unknown = piece(&town, &mut li, doc(77), b"1234", 0);
    assert_eq!(unknown.status, 404);
    // A device that writes there always finds the disk full.
    let part = format!("{}-{}", li.id(), BlobHash::of(b"1234"));
    let part = town.dir.path().join("blobs/part").join(part);
    std::os::unix::fs::symlink("/dev/full", &part).unwrap();
    assert_eq!(piece(&town, &mut li, id, b"1234", 0).status, 507);
    std::fs::remove_file(&part).unwrap();
    upload(&town, &mut li, id, b"1234");
}

#[test]
fn unfinished_ones_of_a_device_make_room_for_new_ones() {
    let town = Town::new();
    let (mut li, id) = li(&town);
    for n in 0..=BLOB_PARTS_MAX + 2 {
        let whole = vec![n as u8; BLOB_PIECE_BYTES_MAX + 1];
        assert!(!state(&piece(&town, &mut li, id, &whole, 0)).1);
    }
    assert_eq!(files(&town).len(), BLOB_PARTS_MAX);
}

#[test]
fn who_wrote_to_a_document_still_brings_its_photo_after_it_moved_away() {
    let town = Town::new();
    let (mut li, id) = li(&town);
    let (mut zhao, mut deng) = (town.desk(2), town.worker(3, &[GRID_2]));
    zhao.place(id, GRID_2, &[], 1);
    let batch = zhao.batch();
    zhao.sync(town.relay, town.now_ms(), &[batch]);
    let (whole, hash) = (photo(), BlobHash::of(&photo()));
    upload(&town, &mut li, id, &whole);
    assert_eq!(
        get(&town, &mut li, (&hash, &id), 0).status,
        404,
        "it is read where the document lives now"
    );
    assert_eq!(get(&town, &mut deng, (&hash, &id), 0).status, 206);
}
