//! Attachments between levels: up by themselves, down when somebody asks, and never before text.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail loudly"
)]

use wangge_agent::{AttachInput, Replica};

use wangge_agent::households::{HouseholdInput, MemberInput};
use wangge_agent::reports::ReportInput;
use wangge_relay::LevelForm;
use wangge_testkit::district::{sync, wait};
use wangge_testkit::tree::{AREAS, Tree};
use wangge_wire::Role;

const GRID: &str = "511724103202001";

/// A PDF of so many bytes, another one for each seed.
fn pdf(seed: u8, bytes: usize) -> Vec<u8> {
    let mut state = u32::from(seed) + 1;
    let mut body = b"%PDF-1.4 ".to_vec();
    body.resize_with(bytes, || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    body
}

/// Writes a report with an attachment, and returns the report's id.
fn report(tree: &Tree, replica: &mut Replica, seed: u8, bytes: usize) -> String {
    let report = ReportInput {
        household: Some("3-12".into()),
        category: Some("D05".into()),
        text: format!("水管漏水{seed}"),
        ..ReportInput::default()
    };
    let id = replica.add_report(report).unwrap().view.id.to_string();
    let file = tree.village.path().join(format!("{seed}.pdf"));
    std::fs::write(&file, pdf(seed, bytes)).unwrap();
    let attached = AttachInput {
        file,
        to: id.clone(),
        ..AttachInput::default()
    };
    replica.attach(&attached).unwrap();
    id
}

fn fetched(replica: &mut Replica, id: &str) -> Option<Vec<u8>> {
    let views = wait(replica.fetch(id)).unwrap();
    let here = views.first().filter(|view| view.here)?;
    Some(replica.attachment_bytes(&here.attachment.hash).unwrap())
}

fn cast(tree: &Tree) -> (Replica, Replica) {
    let mut li = tree.village.home("李梅", Role::Worker, &[GRID]);
    let input = HouseholdInput {
        door: "3-12".into(),
        members: vec![MemberInput {
            name: "龙国华".into(),
            ..MemberInput::default()
        }],
        ..HouseholdInput::default()
    };
    li.add_household(input).unwrap();
    sync(&mut li).unwrap();
    tree.settle();
    let mut town = tree.township.home("周文", Role::Township, &[AREAS[1]]);
    sync(&mut town).unwrap();
    (li, town)
}

#[test]
fn what_was_attached_in_a_village_is_fetched_at_the_township_and_the_county() {
    let tree = Tree::new();
    let (mut li, mut town) = cast(&tree);
    let mut county = tree.county.home("县台", Role::County, &[AREAS[0]]);
    // More than one piece, and more than one.
    let ids = [
        report(&tree, &mut li, 1, 300_000),
        report(&tree, &mut li, 2, 700),
    ];
    sync(&mut li).unwrap();
    tree.settle();
    for desk in [&mut town, &mut county] {
        sync(desk).unwrap();
        assert_eq!(fetched(desk, &ids[0]).unwrap(), pdf(1, 300_000));
        assert_eq!(fetched(desk, &ids[1]).unwrap(), pdf(2, 700));
    }
}

#[test]
fn what_was_attached_at_the_township_comes_to_the_village_once_somebody_there_asks() {
    let tree = Tree::new();
    let (mut li, mut town) = cast(&tree);
    let id = report(&tree, &mut town, 3, 300_000);
    sync(&mut town).unwrap();
    tree.settle();
    sync(&mut li).unwrap();
    assert_eq!(
        fetched(&mut li, &id),
        None,
        "the village does not have it yet"
    );
    tree.settle();
    assert_eq!(fetched(&mut li, &id).unwrap(), pdf(3, 300_000));
}

#[test]
fn an_attachment_that_is_not_taken_above_blocks_neither_text_nor_the_others() {
    let tree = Tree::new();
    let (mut li, mut town) = cast(&tree);
    let small = report(&tree, &mut li, 4, 700);
    let large = report(&tree, &mut li, 5, 200_000);
    sync(&mut li).unwrap();
    // What a relay has lost of its files cannot be told above.
    let shelf = tree.village.relay_dir().join("blobs");
    let lost = wangge_wire::BlobHash::of(&pdf(4, 700)).to_string();
    std::fs::remove_file(shelf.join(&lost[..2]).join(&lost)).unwrap();
    tree.settle();
    sync(&mut town).unwrap();
    assert_eq!(town.reports(10).unwrap().len(), 2);
    assert_eq!(fetched(&mut town, &large).unwrap(), pdf(5, 200_000));
    assert_eq!(fetched(&mut town, &small), None);
    assert_eq!(
        tree.village.relay().upstream().unwrap().unwrap().level,
        LevelForm::Township
    );
}
