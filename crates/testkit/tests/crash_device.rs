//! A device's power is cut after every operation on its disk: what it called saved is there.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use wangge_crashdisk::Weak;
use wangge_testkit::crash::device::{OnDevice, tale};
use wangge_testkit::crash::{Outcome, cut_everywhere};

/// Images of each of the eight parts; with those of a relay they are 256,000.
const IMAGES_MIN: usize = 5_000;
/// What a worker does in one tale: short, so that each image is read quickly.
const STEPS: usize = 18;

/// What it does on a disk that lies: there nearly every image is a state of its own.
const WEAK_STEPS: usize = 6;

fn cut(seed: u64, steps: usize, weak: Option<Weak>) -> Outcome {
    let dir = tempfile::tempdir().unwrap();
    let tale = tale(dir.path(), seed, steps, weak);
    assert!(tale.promises() > steps / 3, "seed {seed}");
    cut_everywhere(&OnDevice, &tale, dir.path(), seed)
}

fn nothing_is_lost(part: u64) {
    let mut all = Outcome::default();
    let mut seed = part * 1_000;
    while all.images < IMAGES_MIN {
        let outcome = cut(seed, STEPS, None);
        assert!(outcome.is_sound(), "seed {seed}: {outcome:?}");
        assert!(outcome.states > STEPS / 2, "seed {seed}: {outcome:?}");
        all.add(outcome);
        seed += 1;
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
    what_a_device_called_saved_is_there_after_every_power_cut_0: 0;
    what_a_device_called_saved_is_there_after_every_power_cut_1: 1;
    what_a_device_called_saved_is_there_after_every_power_cut_2: 2;
    what_a_device_called_saved_is_there_after_every_power_cut_3: 3;
    what_a_device_called_saved_is_there_after_every_power_cut_4: 4;
    what_a_device_called_saved_is_there_after_every_power_cut_5: 5;
    what_a_device_called_saved_is_there_after_every_power_cut_6: 6;
    what_a_device_called_saved_is_there_after_every_power_cut_7: 7;
}

#[test]
fn a_device_that_does_not_wait_for_its_disk_is_caught_losing_what_it_called_saved() {
    let normal = cut(1, WEAK_STEPS, Some(Weak::Normal));
    assert!(normal.lost > 0, "{normal:?}");
    assert_eq!((normal.damaged, normal.invented), (0, 0), "{normal:?}");
    let off = cut(1, WEAK_STEPS, Some(Weak::Off));
    assert!(off.lost > 0, "{off:?}");
}
