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
    let paths = views.iter().filter_map(|view| view.path.as_ref());
    paths.map(|path| std::fs::read(path).unwrap()).collect()
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

    assert_eq!(fetched(&mut desk, &id), [files[2].clone()]);
    assert!(!cut.exists() && !turned.exists(), "they are put aside");

    std::fs::write(&cut, &files[0][..100]).unwrap();
    let backup = district.path().join("backup");
    let made = district.relay().backup(&backup).unwrap();
    assert_eq!(made.damaged, [BlobHash::of(&files[0])]);
    assert_eq!((made.attachments, made.missing), (1, 1));
    let settings = Settings::new("any", LevelForm::Township);
    let again = Relay::restore(&backup, &district.path().join("again"), &settings).unwrap();
    assert_eq!((again.attachments, again.damaged.len()), (1, 0));
}
