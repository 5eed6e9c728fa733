//! Seeds of whole districts, in which everything goes wrong that can.
//!
//! Each test runs a range of seeds and every tenth of them twice; `scripts/soak` goes on where they end.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::collections::BTreeMap;
use std::path::Path;

use wangge_testkit::sim::{Shape, Template, run_and_shrink, sabotage, sweep};
use wangge_wire::sabotage::Sabotage;

const SMALL: Shape = Shape {
    devices: 3,
    steps: 20,
};
const MIDDLE: Shape = Shape {
    devices: 5,
    steps: 40,
};
/// More than five devices: two villages below a township below a county.
const TREE: Shape = Shape {
    devices: 9,
    steps: 20,
};
const LARGE_TREE: Shape = Shape {
    devices: 20,
    steps: 40,
};

macro_rules! seeds {
    ($($name:ident: $shape:ident, $range:expr;)*) => {
        $(
            #[test]
            fn $name() {
                sweep($shape, $range);
            }
        )*
    };
}

seeds! {
    three_devices_keep_every_promise_00: SMALL, 0..120;
    three_devices_keep_every_promise_01: SMALL, 120..240;
    three_devices_keep_every_promise_02: SMALL, 240..360;
    three_devices_keep_every_promise_03: SMALL, 360..480;
    three_devices_keep_every_promise_04: SMALL, 480..600;
    three_devices_keep_every_promise_05: SMALL, 600..720;
    three_devices_keep_every_promise_06: SMALL, 720..840;
    three_devices_keep_every_promise_07: SMALL, 840..960;
    three_devices_keep_every_promise_08: SMALL, 960..1_080;
    three_devices_keep_every_promise_09: SMALL, 1_080..1_200;
    three_devices_keep_every_promise_10: SMALL, 1_200..1_320;
    three_devices_keep_every_promise_11: SMALL, 1_320..1_440;
    three_devices_keep_every_promise_12: SMALL, 1_440..1_560;
    three_devices_keep_every_promise_13: SMALL, 1_560..1_680;
    three_devices_keep_every_promise_14: SMALL, 1_680..1_800;
    three_devices_keep_every_promise_15: SMALL, 1_800..1_920;
    five_devices_keep_every_promise_0: MIDDLE, 0..30;
    five_devices_keep_every_promise_1: MIDDLE, 30..60;
    five_devices_keep_every_promise_2: MIDDLE, 60..90;
    trees_of_nine_devices_keep_every_promise_0: TREE, 0..12;
    trees_of_nine_devices_keep_every_promise_1: TREE, 12..24;
    trees_of_twenty_devices_keep_every_promise_0: LARGE_TREE, 0..5;
    trees_of_twenty_devices_keep_every_promise_1: LARGE_TREE, 5..10;
}

#[test]
fn what_failed_once_is_kept_and_passes() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/seeds/kept.csv");
    let text = std::fs::read_to_string(kept).unwrap();
    let mut templates = BTreeMap::new();
    for line in text.lines().skip(1) {
        let numbers: Vec<u64> = line
            .split(',')
            .take(3)
            .map(|word| word.parse().unwrap())
            .collect();
        let [seed, devices, steps] = numbers.try_into().unwrap();
        let shape = Shape {
            devices: devices.try_into().unwrap(),
            steps: steps.try_into().unwrap(),
        };
        let template = templates
            .entry((devices, steps))
            .or_insert_with(|| Template::new(shape));
        if let Err(failure) = run_and_shrink(template, seed) {
            panic!("{failure}");
        }
    }
}

/// Breaks one promise after the other, of every eighth of them.
fn each_is_caught(eighth: usize) {
    let grounds = sabotage::Grounds::new();
    let unseen: Vec<_> = Sabotage::ALL
        .into_iter()
        .skip(eighth)
        .step_by(8)
        .map(|variant| grounds.hunt(variant))
        .filter(|hunt| hunt.caught.is_none())
        .collect();
    assert!(unseen.is_empty(), "{unseen:?}");
}

macro_rules! hunts {
    ($($name:ident: $eighth:expr;)*) => {
        $(
            #[test]
            fn $name() {
                each_is_caught($eighth);
            }
        )*
    };
}

hunts! {
    every_broken_variant_is_caught_0: 0;
    every_broken_variant_is_caught_1: 1;
    every_broken_variant_is_caught_2: 2;
    every_broken_variant_is_caught_3: 3;
    every_broken_variant_is_caught_4: 4;
    every_broken_variant_is_caught_5: 5;
    every_broken_variant_is_caught_6: 6;
    every_broken_variant_is_caught_7: 7;
}

#[test]
fn a_variant_that_there_is_not_is_named_and_no_name_is_all() {
    let names = |words: &[&str]| -> Vec<String> { words.iter().map(ToString::to_string).collect() };
    let two = [Sabotage::NoGate, Sabotage::ReceiptBeforeCommit];
    let known = sabotage::named(&names(&["NoGate", "ReceiptBeforeCommit"]));
    assert_eq!(known, Ok(two.to_vec()));
    assert_eq!(sabotage::named(&[]), Ok(Sabotage::ALL.to_vec()));
    let unknown = sabotage::named(&names(&["NoGate", "NoSuchName"]));
    assert_eq!(unknown, Err("NoSuchName".to_owned()));
}
