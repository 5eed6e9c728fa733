//! A relay's power is cut after every operation on its disk: what it gave a receipt for is there.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use wangge_crashdisk::Weak;
use wangge_testkit::crash::relay::Morning;
use wangge_testkit::crash::{Outcome, cut_everywhere};
use wangge_wire::sabotage::Sabotage;

/// Images of each of the eight parts; with those of a device, whose sealed database opens more slowly, they
/// are 256,000.
const IMAGES_MIN: usize = 27_000;

fn cut(morning: Morning) -> Outcome {
    let village = morning.pass();
    assert!(village.tale.promises() > 10, "{morning:?}");
    cut_everywhere(
        &village.program(),
        &village.tale,
        village.dir(),
        morning.seed,
    )
}

fn nothing_is_lost(part: u64) {
    let mut all = Outcome::default();
    let mut morning = Morning::of(part * 1_000);
    while all.images < IMAGES_MIN {
        let outcome = cut(morning);
        assert!(outcome.is_sound(), "{morning:?}: {outcome:?}");
        assert!(outcome.states > morning.steps, "{morning:?}: {outcome:?}");
        all.add(outcome);
        morning.seed += 1;
    }
    assert!(all.again > IMAGES_MIN / 50, "{all:?}");
}

macro_rules! parts {
    ($($name:ident: $part:expr;)*) => {
        $(
            #[test]
            fn $name() {
                nothing_is_lost($part);
            }
        )*
    };
}

parts! {
    what_a_relay_gave_a_receipt_for_is_there_after_every_power_cut_0: 0;
    what_a_relay_gave_a_receipt_for_is_there_after_every_power_cut_1: 1;
    what_a_relay_gave_a_receipt_for_is_there_after_every_power_cut_2: 2;
    what_a_relay_gave_a_receipt_for_is_there_after_every_power_cut_3: 3;
    what_a_relay_gave_a_receipt_for_is_there_after_every_power_cut_4: 4;
    what_a_relay_gave_a_receipt_for_is_there_after_every_power_cut_5: 5;
    what_a_relay_gave_a_receipt_for_is_there_after_every_power_cut_6: 6;
    what_a_relay_gave_a_receipt_for_is_there_after_every_power_cut_7: 7;
}

#[test]
fn a_receipt_stands_across_the_writers_own_checkpoint() {
    let morning = Morning {
        idle: 60,
        steps: 6,
        restart_every: usize::MAX,
        ..Morning::of(7)
    };
    assert!(morning.pass().copied_back, "no checkpoint was met");
    let outcome = cut(morning);
    assert!(outcome.is_sound(), "{outcome:?}");
}

#[test]
fn a_relay_that_does_not_wait_for_its_disk_is_caught_losing_what_it_gave_a_receipt_for() {
    let weak = |weak| Morning {
        weak: Some(weak),
        ..Morning::of(1)
    };
    let normal = cut(weak(Weak::Normal));
    assert!(normal.lost > 0, "{normal:?}");
    assert_eq!((normal.damaged, normal.invented), (0, 0), "{normal:?}");
    let off = cut(weak(Weak::Off));
    assert!(off.lost > 0, "{off:?}");
}

#[test]
fn a_receipt_that_is_signed_before_its_commit_is_caught() {
    let outcome = cut(Morning {
        sabotage: Some(Sabotage::ReceiptBeforeCommit),
        restart_every: usize::MAX,
        ..Morning::of(1)
    });
    assert!(outcome.lost > 0, "{outcome:?}");
}
