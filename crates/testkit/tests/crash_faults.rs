//! Every operation on a disk fails, once and from then on: nobody is told that something is kept which is not.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use wangge_crashdisk::FaultKind;
use wangge_testkit::crash::sweep;

fn device(kind: FaultKind, lasts: bool) -> u64 {
    let dir = tempfile::tempdir().unwrap();
    sweep::device(dir.path(), kind, lasts)
}

#[test]
fn a_device_survives_a_disk_that_fails_once_at_any_operation() {
    let runs = device(FaultKind::Device, false);
    assert!(runs > 1_000, "{runs}");
}

#[test]
fn a_device_survives_a_disk_that_fails_from_any_operation_on() {
    let runs = device(FaultKind::Device, true);
    assert!(runs > 1_000, "{runs}");
}

#[test]
fn a_device_survives_a_disk_that_is_full_once_at_any_operation() {
    let runs = device(FaultKind::NoRoom, false);
    assert!(runs > 500, "{runs}");
}

#[test]
fn a_device_survives_a_disk_that_is_full_from_any_operation_on() {
    let runs = device(FaultKind::NoRoom, true);
    assert!(runs > 500, "{runs}");
}

#[test]
fn a_device_survives_any_read_that_falls_short() {
    let runs = device(FaultKind::ShortRead, false) + device(FaultKind::ShortRead, true);
    assert!(runs > 400, "{runs}");
}

#[test]
fn a_device_that_is_told_of_a_failed_sync_calls_nothing_saved_that_it_lost() {
    let runs = device(FaultKind::Sync, false) + device(FaultKind::Sync, true);
    assert!(runs > 60, "{runs}");
}

#[test]
fn a_relay_survives_a_disk_that_fails_at_any_operation() {
    let runs = sweep::relay(FaultKind::Device);
    assert!(runs > 400, "{runs}");
}

#[test]
fn a_relay_survives_a_disk_that_is_full_at_any_operation() {
    let runs = sweep::relay(FaultKind::NoRoom);
    assert!(runs > 150, "{runs}");
}

#[test]
fn a_relay_survives_any_read_that_falls_short() {
    let runs = sweep::relay(FaultKind::ShortRead);
    assert!(runs > 200, "{runs}");
}

#[test]
fn a_relay_that_is_told_of_a_failed_sync_gives_no_receipt_for_what_it_lost() {
    let runs = sweep::relay(FaultKind::Sync);
    assert!(runs > 8, "{runs}");
}
