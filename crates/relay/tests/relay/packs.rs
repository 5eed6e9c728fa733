//! Packs and the gate behind them: what a first download is made of, who may have it, what is held.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use wangge_crdt::Document;
use wangge_relay::{GateProgram, HoldReason, Packs};
use wangge_testkit::device::{Device, shape};
use wangge_testkit::pack_line::documents;
use wangge_testkit::wire_client::Reply;
use wangge_trust::key::verify_ruling;
use wangge_wire::chunk::{join, split};
use wangge_wire::{
    Audience, Change, ChangeHash, DocId, EntryKind, FrameHash, Item, Manifest, PackFrame, PackKey,
    Ruling,
};

use crate::town::{ELSEWHERE, GRID_1, GRID_2, Town, doc};

fn push(town: &Town, device: &mut Device) {
    let items = device.take_items();
    for part in items.chunks(10) {
        let batch = device.batch_of(part.to_vec());
        let answer = device.sync(town.relay, town.now_ms(), std::slice::from_ref(&batch));
        device.note_receipt(&batch, answer.receipts()[0]);
    }
}

fn make(town: &Town) -> usize {
    town.open().make_packs(&Packs::default()).unwrap()
}

/// Li in grid 1 with households and their books, and Wang in grid 2 with some of his own.
fn villagers(town: &Town) -> (Device, Device) {
    let (mut li, mut wang) = (town.worker(1, &[GRID_1]), town.worker(2, &[GRID_2]));
    for (device, grid, from) in [(&mut li, GRID_1, 10), (&mut wang, GRID_2, 60)] {
        for n in from..from + 20 {
            device.begin(doc(n), grid);
            device.write(doc(n), "door", &format!("3-{n}"));
            device.begin_owned(doc(n + 100), Some(doc(n)));
            device.write(doc(n + 100), "note", "一切正常");
            device.write(doc(n + 100), "note", &format!("下周{n}再来"));
        }
        push(town, device);
    }
    (li, wang)
}

fn manifest(town: &Town, device: &mut Device) -> Option<Manifest> {
    let reply = device.get_packs(town.relay, town.now_ms(), "?");
    assert!([200, 404].contains(&reply.status), "{}", reply.text());
    (reply.status == 200).then(|| Manifest::read(&reply.body).unwrap())
}

fn get(town: &Town, device: &mut Device, frames: &[FrameHash], from: u64) -> Reply {
    device.get_frames(town.relay, town.now_ms(), frames, from)
}

fn names(manifest: &Manifest) -> Vec<FrameHash> {
    let frames = manifest.packs.iter().flat_map(|pack| &pack.frames);
    frames.map(|frame| frame.hash).collect()
}

fn heads(document: &Document) -> Vec<ChangeHash> {
    let mut heads = document.heads();
    heads.sort();
    heads
}

/// Makes the last change written one that numbers its operations far ahead: our reader reads it, the
/// gate does not let it in.
pub(crate) fn poisoned(device: &mut Device) -> (Item, ChangeHash) {
    let Some(Item::Change { change, action }) = device.take_items().pop() else {
        panic!("no change")
    };
    let (_, mut parts) = split(&change.raw).unwrap();
    // actor length, 8 bytes, seq, then the number of the first operation.
    parts.rest.splice(10..11, [0xff, 0xff, 0xff, 0x7f]);
    let (hash, raw) = join(&parts);
    let change = Change::read(change.doc, change.kind, change.schema, change.owner, raw).unwrap();
    (Item::Change { change, action }, hash)
}

#[test]
fn a_desk_that_takes_packs_and_the_tail_holds_what_the_log_holds() {
    let town = Town::new();
    let (mut li, wang) = villagers(&town);
    assert_eq!(make(&town), 2);
    li.write(doc(10), "door", "9-9");
    li.begin(doc(200), GRID_1);
    li.write(doc(200), "door", "neu");
    push(&town, &mut li);

    let mut zhao = town.desk(9);
    let (manifest, frames) = zhao.take_packs(town.relay, town.now_ms());
    assert_eq!(manifest.packs.len(), 2);
    let taken: usize = frames.iter().map(|frame| frame.documents.len()).sum();
    assert_eq!(taken, 80);
    let sum = manifest.packs.iter().map(|pack| pack.digest).sum();
    assert_eq!(zhao.digest_of(|_| true), sum);
    let writers: Vec<_> = frames.iter().flat_map(|frame| &frame.writers).collect();
    assert!(writers.contains(&&(li.actor(), li.id())));

    let answer = zhao.sync(town.relay, town.now_ms(), &[]);
    assert!(!answer.standing.as_ref().unwrap().stale_cursor);
    assert_eq!(
        answer.positions().len(),
        3 + 1,
        "two changes, a place, her own grant"
    );
    assert_eq!(answer.end.unwrap().digests[0].1, zhao.digest_of(|_| true));
    for (id, known) in li.docs.iter().chain(&wang.docs) {
        assert_eq!(heads(&zhao.docs[id].document), heads(&known.document));
    }
}

#[test]
fn a_frame_equals_its_name_and_goes_on_at_any_byte() {
    let town = Town::new();
    let (mut li, _) = villagers(&town);
    make(&town);
    let manifest = manifest(&town, &mut li).unwrap();
    for frame in manifest.packs.iter().flat_map(|pack| &pack.frames) {
        let whole = get(&town, &mut li, &[frame.hash], 0);
        assert_eq!(FrameHash::of(&whole.body), frame.hash);
        for from in [1, whole.body.len() / 2, whole.body.len() - 1] {
            let rest = get(&town, &mut li, &[frame.hash], from as u64);
            assert_eq!(
                (rest.status, rest.body.as_slice()),
                (200, &whole.body[from..])
            );
        }
        let past = get(&town, &mut li, &[frame.hash], whole.body.len() as u64);
        assert_eq!(past.status, 416);
    }
}

#[test]
fn frames_come_one_after_the_other_and_end_where_one_is_no_more() {
    let town = Town::new();
    let (mut li, mut wang) = villagers(&town);
    make(&town);
    let mut zhao = town.desk(9);
    let all = names(&manifest(&town, &mut zhao).unwrap());
    assert_eq!(all.len(), 2);
    let each: Vec<Vec<u8>> = all
        .iter()
        .map(|name| get(&town, &mut zhao, &[*name], 0).body)
        .collect();
    let both = get(&town, &mut zhao, &all, 7);
    assert_eq!(both.body, [&each[0][7..], &each[1]].concat());
    let unknown = FrameHash([9; 32]);
    let cut = get(&town, &mut zhao, &[all[1], unknown, all[0]], 0);
    assert_eq!((cut.status, &cut.body), (200, &each[1]));
    assert_eq!(get(&town, &mut zhao, &[unknown], 0).status, 404);
    assert_eq!(get(&town, &mut zhao, &[], 0).status, 400);
    // Somebody else's frame ends the answer like one that is not there.
    let of_li = names(&manifest(&town, &mut li).unwrap())[0];
    let of_wang = names(&manifest(&town, &mut wang).unwrap())[0];
    let cut = get(&town, &mut li, &[of_li, of_wang], 0);
    assert_eq!(FrameHash::of(&cut.body), of_li);
}

#[test]
fn nobody_gets_a_pack_or_a_frame_of_what_they_do_not_read() {
    let town = Town::new();
    let (mut li, mut wang) = villagers(&town);
    let mut deng = town.worker(3, &[ELSEWHERE]);
    make(&town);
    let (of_li, of_wang) = (
        manifest(&town, &mut li).unwrap(),
        manifest(&town, &mut wang).unwrap(),
    );
    assert_eq!(of_li.packs.len(), 1);
    assert_eq!(of_li.packs[0].key, PackKey::Home(GRID_1.parse().unwrap()));
    assert_eq!(manifest(&town, &mut deng), None);
    let query = format!("?audience={GRID_2}");
    assert_eq!(li.get_packs(town.relay, town.now_ms(), &query).status, 404);
    for hash in names(&of_wang) {
        for device in [&mut li, &mut deng] {
            assert_eq!(get(&town, device, &[hash], 0).status, 404);
        }
        assert_eq!(get(&town, &mut wang, &[hash], 0).status, 200);
    }
    town.open()
        .revoke(&wang.id(), 1_000, town.now_ms())
        .unwrap();
    let revoked = get(&town, &mut wang, &names(&of_wang)[..1], 0);
    assert_eq!(revoked.status, 403);
}

#[test]
fn a_document_that_moved_away_leaves_in_no_frame_of_its_old_home() {
    let town = Town::new();
    let (mut li, mut wang) = villagers(&town);
    make(&town);
    let before = names(&manifest(&town, &mut li).unwrap());
    let mut zhao = town.desk(9);
    zhao.sync(town.relay, town.now_ms(), &[]);
    zhao.place(doc(10), GRID_2, &[], 1);
    push(&town, &mut zhao);
    assert_eq!(manifest(&town, &mut li), None, "until it is made anew");
    for hash in &before {
        assert_eq!(get(&town, &mut li, &[*hash], 0).status, 404);
    }
    make(&town);
    let has = |frames: &[PackFrame], id: DocId| {
        let mut all = frames.iter().flat_map(|frame| &frame.documents);
        all.any(|one| one.doc == id)
    };
    // The household and its book, which lives where it lives.
    for id in [doc(10), doc(110)] {
        assert!(!has(&li.take_packs(town.relay, town.now_ms()).1, id));
        assert!(has(&wang.take_packs(town.relay, town.now_ms()).1, id));
    }
}

#[test]
fn a_document_that_names_somebody_is_in_a_pack_for_them() {
    let town = Town::new();
    let (mut li, mut deng) = (town.worker(1, &[GRID_1]), town.worker(3, &[ELSEWHERE]));
    li.begin_owned(doc(1), None);
    li.place(doc(1), GRID_1, &[Audience::Person(deng.person())], 0);
    li.write(doc(1), "door", "3-12");
    li.begin(doc(2), GRID_1);
    li.write(doc(2), "door", "3-13");
    push(&town, &mut li);
    make(&town);
    let (manifest, _) = deng.take_packs(town.relay, town.now_ms());
    assert_eq!(manifest.packs.len(), 1);
    assert_eq!(deng.docs.keys().collect::<Vec<_>>(), [&doc(1)]);
    let end = deng.sync(town.relay, town.now_ms(), &[]).end.unwrap();
    let named = Audience::Person(deng.person());
    let digest = end.digests.iter().find(|(audience, _)| *audience == named);
    assert_eq!(digest.unwrap().1, deng.digest_of(|_| true));
}

#[test]
fn a_poisoned_change_is_held_by_the_log_and_blocks_nothing_behind_it() {
    let town = Town::new();
    let (mut li, mut wang) = (town.worker(1, &[GRID_1]), town.worker(2, &[GRID_1]));
    li.begin(doc(1), GRID_1);
    li.write(doc(1), "door", "3-12");
    push(&town, &mut li);
    wang.sync(town.relay, town.now_ms(), &[]);
    li.write(doc(1), "door", "3-13");
    let (item, poison) = poisoned(&mut li);
    let batch = li.batch_of(vec![item]);
    li.sync(town.relay, town.now_ms(), &[batch]);
    wang.write(doc(1), "note", "好");
    wang.begin(doc(2), GRID_1);
    wang.write(doc(2), "door", "4-1");
    // He does not look at the answer: the device in memory has no gate of its own.
    let batch = wang.batch();
    let answer = wang.exchange(town.relay, town.now_ms(), 1, &Device::full(&[batch]), false);
    assert_eq!(answer.receipts().len(), 1);

    make(&town);
    let held = town.open().held().unwrap();
    assert_eq!(held.len(), 1);
    assert_eq!((held[0].doc, held[0].change), (doc(1), poison));
    assert_eq!(held[0].reason, HoldReason::NotAWrite);
    let mut zhao = town.desk(9);
    let (manifest, frames) = zhao.take_packs(town.relay, town.now_ms());
    let fields = zhao.docs[&doc(1)].document.fields();
    assert_eq!(
        (fields.root_text("door"), fields.root_text("note")),
        ("3-12", "好")
    );
    assert_eq!(
        zhao.docs[&doc(2)].document.fields().root_text("door"),
        "4-1"
    );
    // The change itself and the hold travel beside, so that the digest is right.
    let packed = &frames[0]
        .documents
        .iter()
        .find(|one| one.doc == doc(1))
        .unwrap()
        .beside;
    let kinds: Vec<_> = packed.iter().map(|beside| EntryKind(beside.kind)).collect();
    assert_eq!(kinds, [EntryKind::CHANGE, EntryKind::HOLD]);
    assert_eq!(split(&packed[0].bytes).unwrap().0, poison);
    let ruling = Ruling::read(&packed[1].bytes).unwrap();
    assert!(verify_ruling(li.roster.root().unwrap().0, &ruling));
    let all = zhao.digest_of(|_| true).changes + 1;
    assert_eq!(manifest.packs[0].digest.changes, all);

    // Who reads by pages is told by the same entry, and a second round says nothing twice.
    let answer = town
        .desk(8)
        .exchange(town.relay, town.now_ms(), 0, &[], false);
    assert!(answer.contains(&ruling.bytes()));
    assert_eq!(make(&town), 0);
    assert_eq!(town.open().held().unwrap(), held);
}

#[test]
fn a_worker_that_dies_holds_the_change_and_a_release_brings_it_back() {
    let town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    li.begin(doc(1), GRID_1);
    let change = li.write(doc(1), "door", "3-12");
    push(&town, &mut li);
    let dies = GateProgram {
        program: "false".into(),
        arguments: Vec::new(),
    };
    let packs = Packs {
        gate: Some(dies),
        ..Packs::default()
    };
    town.open().make_packs(&packs).unwrap();
    let held = town.open().held().unwrap();
    assert_eq!(held[0].reason, HoldReason::TooHeavy);
    assert!(
        li.take_packs(town.relay, town.now_ms()).1[0].documents[0]
            .saved
            .is_empty()
    );
    // It stays held, whoever tries, until somebody lets go of it.
    make(&town);
    assert_eq!(town.open().held().unwrap(), held);
    assert!(
        town.open()
            .release(&doc(1), &change, town.now_ms())
            .unwrap()
    );
    assert!(
        !town
            .open()
            .release(&doc(1), &change, town.now_ms())
            .unwrap()
    );
    assert_eq!(make(&town), 1);
    assert!(town.open().held().unwrap().is_empty());
    let frames = li.take_packs(town.relay, town.now_ms()).1;
    let document = &documents(&frames[0])[&doc(1)].document;
    assert_eq!(document.fields().root_text("door"), "3-12");
}

#[test]
fn a_saved_form_that_does_not_load_is_built_again_from_all_changes() {
    let town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    li.begin(doc(1), GRID_1);
    li.write(doc(1), "door", "3-12");
    push(&town, &mut li);
    assert_eq!(make(&town), 1);
    // As a disk gives it back that turned bits of it; the row itself reads.
    let shelf = rusqlite::Connection::open(town.dir.path().join("packs.db")).unwrap();
    let damaged = shelf.execute("UPDATE shelf SET saved = x'85'", []).unwrap();
    assert_eq!(damaged, 1);
    drop(shelf);
    li.write(doc(1), "note", "一切正常");
    push(&town, &mut li);
    make(&town);
    assert!(town.open().held().unwrap().is_empty());
    let frames = li.take_packs(town.relay, town.now_ms()).1;
    let document = &documents(&frames[0])[&doc(1)].document;
    assert_eq!(document.fields().root_text("door"), "3-12");
    assert_eq!(document.fields().root_text("note"), "一切正常");
}

#[test]
fn a_gate_that_does_not_start_holds_nothing_and_goes_on_later() {
    let town = Town::new();
    let (mut li, _) = villagers(&town);
    let missing = GateProgram {
        program: town.dir.path().join("nobody"),
        arguments: Vec::new(),
    };
    let packs = Packs {
        gate: Some(missing),
        ..Packs::default()
    };
    assert_eq!(town.open().make_packs(&packs).unwrap(), 0);
    assert!(town.open().held().unwrap().is_empty());
    assert_eq!(manifest(&town, &mut li), None);
    assert_eq!(make(&town), 2);
}

#[test]
fn what_did_not_change_keeps_its_frames() {
    let town = Town::new();
    let mut li = town.worker(1, &[GRID_1]);
    let mut noise = 7_u32;
    for n in 0..40 {
        li.begin(doc(n), GRID_1);
        let text: String = (0..50_000)
            .map(|_| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                char::from(b'a' + (noise >> 24) as u8 % 26)
            })
            .collect();
        li.write(doc(n), "note", &text);
        push(&town, &mut li);
    }
    make(&town);
    let before = names(&manifest(&town, &mut li).unwrap());
    assert!(before.len() >= 2, "{}", before.len());
    for n in 0..6 {
        li.write(doc(39), "door", &n.to_string());
    }
    push(&town, &mut li);
    assert_eq!(make(&town), 1);
    let after = names(&manifest(&town, &mut li).unwrap());
    let same = after.iter().filter(|name| before.contains(name)).count();
    assert_eq!((same, after.len()), (before.len() - 1, before.len()));
    let gone = before.iter().find(|name| !after.contains(name)).unwrap();
    assert_eq!(get(&town, &mut li, &[*gone], 0).status, 404);
}

#[test]
fn a_short_tail_makes_no_pack_anew_and_a_quiet_one_moves_on_for_nothing() {
    let town = Town::new();
    let (mut li, mut wang) = villagers(&town);
    make(&town);
    let first = manifest(&town, &mut wang).unwrap();
    li.write(doc(10), "door", "9-9");
    push(&town, &mut li);
    assert_eq!(make(&town), 0);
    assert_eq!(names(&manifest(&town, &mut wang).unwrap()), names(&first));
    assert!(manifest(&town, &mut wang).unwrap().cursor.position > first.cursor.position);
    assert_eq!(
        manifest(&town, &mut li).unwrap().cursor.position,
        first.cursor.position
    );
}

#[test]
fn packs_that_are_lost_damaged_or_of_another_log_are_made_again() {
    let mut town = Town::new();
    let (mut li, _) = villagers(&town);
    make(&town);
    let first = names(&manifest(&town, &mut li).unwrap());
    town.stop();
    let backup = tempfile::tempdir().unwrap();
    town.copy_to(backup.path());
    let file = town.dir.path().join("packs.db");
    std::fs::write(&file, b"no database").unwrap();
    assert_eq!(make(&town), 2);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(make(&town), 2);
    town.start();
    assert_eq!(names(&manifest(&town, &mut li).unwrap()), first);
    // The log is put back to a moment before what the packs have; it goes on differently.
    li.write(doc(10), "door", "lost");
    push(&town, &mut li);
    make(&town);
    town.stop();
    for name in ["relay.db", "relay.db-wal"] {
        let _ = std::fs::remove_file(town.dir.path().join(name));
        let _ = std::fs::copy(backup.path().join(name), town.dir.path().join(name));
    }
    assert_eq!(make(&town), 2);
    town.start();
    assert_eq!(names(&manifest(&town, &mut li).unwrap()), first);
}

#[test]
fn packs_that_are_not_all_made_yet_are_told_to_nobody() {
    let town = Town::new();
    villagers(&town);
    make(&town);
    let mut zhao = town.desk(9);
    assert_eq!(manifest(&town, &mut zhao).unwrap().packs.len(), 2);
    // As a stop between two packs leaves it: one of them is not there.
    let file = rusqlite::Connection::open(town.dir.path().join("packs.db")).unwrap();
    file.execute_batch("DELETE FROM pack WHERE rowid = 2; UPDATE meta SET whole = 0;")
        .unwrap();
    drop(file);
    assert_eq!(
        manifest(&town, &mut zhao),
        None,
        "its documents would be stepped over"
    );
    assert_eq!(make(&town), 1);
    assert_eq!(manifest(&town, &mut zhao).unwrap().packs.len(), 2);
}

#[test]
fn a_relay_that_serves_makes_packs_by_itself() {
    let (sender, told) = channel();
    let sender = Mutex::new(sender);
    let town = Town::with(|settings| {
        settings.packs = Some(Packs {
            quiet: Duration::ZERO,
            told: Some(Arc::new(move || {
                let _ = sender.lock().unwrap().send(());
            })),
            ..Packs::default()
        });
    });
    let (mut li, _) = villagers(&town);
    // Each round is told; one of them has seen all that was pushed.
    let packed = loop {
        told.recv_timeout(Duration::from_secs(60)).unwrap();
        let found = manifest(&town, &mut li);
        if let Some(found) = found.filter(|found| found.packs[0].documents == 40) {
            break found;
        }
    };
    assert_eq!(packed.packs.len(), 1);
    assert_eq!(
        li.take_packs(town.relay, town.now_ms()).1[0]
            .documents
            .len(),
        40
    );
    assert_eq!(
        shape().kind,
        li.take_packs(town.relay, town.now_ms()).1[0].documents[0].kind
    );
}
