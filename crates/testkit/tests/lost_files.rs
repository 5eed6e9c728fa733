//! Files that a relay lost: keys are missed at once, attachments come again from who has them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail loudly"
)]

use wangge_relay::{LevelForm, Relay, RelayError, Settings};
use wangge_testkit::tree::Tree;

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
