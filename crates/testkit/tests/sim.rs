//! Seeds of whole districts, in which everything goes wrong that can.

use wangge_testkit::sim::{Shape, sweep};

const SMALL: Shape = Shape {
    devices: 3,
    steps: 20,
};
const MIDDLE: Shape = Shape {
    devices: 5,
    steps: 40,
};

#[test]
fn seeds_0_to_100() {
    sweep(SMALL, 0..600);
}
#[test]
fn middle() {
    sweep(MIDDLE, 0..120);
}
