//! Files that a relay lost: keys are missed at once, attachments come again from who has them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail loudly"
)]

use std::path::{Path, PathBuf};

use wangge_agent::reports::ReportInput;
use wangge_agent::{AttachInput, Replica};
use wangge_relay::{LevelForm, Relay, RelayError, Settings};
use wangge_testkit::district::{District, sync, wait};
use wangge_testkit::tree::{AREAS, Tree};
use wangge_testkit::work::family;
use wangge_wire::{BlobHash, Role};

const GRID: &str = "511724103202001";

/// A PDF of so many bytes, another one for each seed.
fn pdf(seed: u8, bytes: usize) -> Vec<u8> {
    let mut body = b"%PDF-1.4 ".to_vec();
    let noise = (0..bytes).map(|n| (n as u8).wrapping_mul(31).wrapping_add(seed));
    body.extend(noise);
    body
}

/// Writes a report with these attachments, and returns the report's id.
fn report(replica: &mut Replica, dir: &Path, files: &[Vec<u8>]) -> String {
    let report = ReportInput {
        household: Some("3-12".into()),
        category: Some("D05".into()),
        text: "水管漏水".into(),
        ..ReportInput::default()
    };
    let id = replica.add_report(report).unwrap().view.id.to_string();
    for (number, bytes) in files.iter().enumerate() {
        let file = dir.join(format!("{number}.pdf"));
        std::fs::write(&file, bytes).unwrap();
        let attached = AttachInput {
            file,
            to: id.clone(),
            ..AttachInput::default()
        };
        replica.attach(&attached).unwrap();
    }
    id
}

fn on_shelf(relay: &Path, bytes: &[u8]) -> PathBuf {
    let name = BlobHash::of(bytes).to_string();
    relay.join("blobs").join(&name[..2]).join(&name)
}

/// What came of each attachment, the missing ones left out.
fn fetched(replica: &mut Replica, id: &str) -> Vec<Vec<u8>> {
    let views = wait(replica.fetch(id)).unwrap();
    let here = views.iter().filter(|view| view.here);
    here.map(|view| replica.attachment_bytes(&view.attachment.hash).unwrap())
        .collect()
}

#[test]
fn a_joined_relay_without_the_key_of_its_tree_hands_out_no_other() {
    let tree = Tree::new();
    let key = tree.village.relay_dir().join("tree.key");
    let secret = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let settings = Settings::new("any", LevelForm::Village);
    let opened = Relay::open(&tree.village.relay_dir(), &settings);
    assert!(matches!(opened, Err(RelayError::Gone { path }) if path == key));
    std::fs::write(&key, secret).unwrap();
    assert!(Relay::open(&tree.village.relay_dir(), &settings).is_ok());
}

#[test]
fn a_damaged_attachment_keeps_none_of_the_others_away_and_no_backup_is_called_whole_with_it() {
    let district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    family(&mut li, "3-12");
    let files = [pdf(1, 900), pdf(2, 800), pdf(3, 700)];
    let id = report(&mut li, district.path(), &files);
    sync(&mut li).unwrap();
    let mut desk = district.home("周文", Role::Township, &[AREAS[1]]);
    sync(&mut desk).unwrap();
    let [cut, turned] = [0, 1].map(|at| on_shelf(&district.relay_dir(), &files[at]));
    std::fs::write(&cut, &files[0][..100]).unwrap();
    let mut bytes = files[1].clone();
    bytes[400] ^= 1;
    std::fs::write(&turned, bytes).unwrap();

    assert!(fetched(&mut desk, &id) == [files[2].clone()]);
    assert!(!cut.exists() && !turned.exists(), "they are put aside");

    std::fs::write(&cut, &files[0][..100]).unwrap();
    let backup = district.path().join("backup");
    let made = district.relay().backup(&backup, None).unwrap();
    assert_eq!(made.damaged, [BlobHash::of(&files[0])]);
    assert_eq!((made.attachments, made.missing), (1, 1));
    let settings = Settings::new("any", LevelForm::Township);
    let again = Relay::restore(&backup, None, &district.path().join("again"), &settings).unwrap();
    assert_eq!((again.attachments, again.damaged.len()), (1, 0));
}

#[test]
fn a_relay_that_starts_without_its_attachments_asks_the_devices_for_them() {
    let mut district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    family(&mut li, "3-12");
    let files = [pdf(1, 900), pdf(2, 300_000)];
    let id = report(&mut li, district.path(), &files);
    assert_eq!(sync(&mut li).unwrap().attachments.left, 0);
    district.stop();
    std::fs::remove_dir_all(district.relay_dir().join("blobs")).unwrap();
    district.start();
    let report = sync(&mut li).unwrap();
    assert_eq!(report.attachments.left, 0, "{report:?}");
    assert!(report.attachments.bytes_up > 300_000, "they went once more");
    let after = sync(&mut li).unwrap().attachments;
    assert!(after.bytes_up < 1_000, "and only once: {after:?}");
    let mut desk = district.home("周文", Role::Township, &[AREAS[1]]);
    sync(&mut desk).unwrap();
    let mut came = fetched(&mut desk, &id);
    came.sort_by_key(Vec::len);
    assert!(came == files);
}

#[test]
fn a_colleague_who_has_a_copy_gives_back_what_its_author_has_no_more() {
    let mut district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    family(&mut li, "3-12");
    let files = [pdf(1, 900)];
    let id = report(&mut li, district.path(), &files);
    sync(&mut li).unwrap();
    let mut colleague = district.home("陈强", Role::Worker, &[GRID]);
    sync(&mut colleague).unwrap();
    assert!(fetched(&mut colleague, &id) == files);
    drop(li);
    district.stop();
    std::fs::remove_dir_all(district.relay_dir().join("blobs")).unwrap();
    district.start();
    sync(&mut colleague).unwrap();
    assert!(on_shelf(&district.relay_dir(), &files[0]).exists());
}

#[test]
fn what_every_relay_lost_climbs_again_from_the_device_once_somebody_asks() {
    let tree = Tree::new();
    let mut li = tree.village.home("李梅", Role::Worker, &[GRID]);
    family(&mut li, "3-12");
    let files = [pdf(1, 200_000)];
    let id = report(&mut li, tree.village.path(), &files);
    sync(&mut li).unwrap();
    tree.settle();
    let mut county = tree.county.home("县台", Role::County, &[AREAS[0]]);
    sync(&mut county).unwrap();
    for relay in [&tree.village, &tree.township, &tree.county] {
        std::fs::remove_file(on_shelf(&relay.relay_dir(), &files[0])).unwrap();
    }
    assert!(fetched(&mut county, &id).is_empty());
    // The wish goes down in the answers to who asks, the file up.
    tree.township_meets().unwrap();
    tree.village_meets().unwrap();
    sync(&mut li).unwrap();
    tree.settle();
    assert!(fetched(&mut county, &id) == files);
}
