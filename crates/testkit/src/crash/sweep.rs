//! Every operation on a disk fails once, and from then on: the n-th for every n until the work is done
//! without meeting it.
//!
//! Whatever fails, nobody is told that something is kept which is not: not by the program that goes on, not
//! by one that is started again, and **not if the power fails after it**, when what a failed sync left out
//! of the disk is gone although a later sync said that all is well.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a broken promise panics: that is how a test hears of it"
)]

use std::path::Path;

use wangge_crashdisk::{Cut, Disk, Fault, FaultKind, Image};
use wangge_relay::RelayError;
use wangge_store::StoreError;

use super::device::{OnDevice, Worker};
use super::relay::{Morning, Script};
use super::{Program, Tale};

/// What a worker does in one run.
const STEPS: usize = 4;

/// Runs `work` with a fault at its first, second, third … operation until it is not met any more; returns
/// how many runs met it.
fn every_operation(kind: FaultKind, lasts: bool, mut work: impl FnMut(Fault) -> u64) -> u64 {
    let mut at = 0;
    while work(Fault { kind, at, lasts }) > 0 {
        at += 1;
    }
    at
}

/// Lets every operation of a device's disk fail in one way; returns how many runs met the fault.
///
/// # Panics
/// If a promise is broken.
pub fn device(dir: &Path, kind: FaultKind, lasts: bool) -> u64 {
    let none = Begun {
        disk: Image::default(),
        goes_on: false,
    };
    let runs = every_operation(kind, lasts, |fault| on_device(dir, fault, &none));
    // How a database is made has been seen by now.
    let tale = Tale::begin();
    let mounted = tale.disk.mount(dir).unwrap();
    super::device::open(dir).unwrap();
    drop(mounted);
    let made = Begun {
        disk: tale.disk.image(),
        goes_on: true,
    };
    runs + every_operation(kind, lasts, |fault| on_device(dir, fault, &made))
}

/// What a worker's run begins with.
struct Begun {
    disk: Image,
    /// Whether the program stays open, also after an error; another one is started for each thing otherwise.
    goes_on: bool,
}

/// A worker works while an operation fails.
fn on_device(dir: &Path, fault: Fault, begun: &Begun) -> u64 {
    let goes_on = begun.goes_on;
    let mut tale = Tale::of(Disk::of(&begun.disk));
    let mounted = tale.disk.mount(dir).unwrap();
    let mut worker = Worker::new(dir, 5);
    tale.disk.fail(Some(fault));
    for _ in 0..STEPS {
        if let Err(error) = worker.step(&mut tale) {
            assert!(is_told(&error, fault.kind), "{fault:?}: {error:?}");
        }
        if !goes_on {
            worker.stop();
        }
    }
    let met = tale.disk.met();
    tale.disk.fail(None);
    worker.stop();
    let what = format!("{fault:?}, goes on: {goes_on}");
    // What another program finds now, and what is there once the power has failed.
    drop(mounted);
    kept(&OnDevice, &tale, dir, &what);
    // The next command works.
    let mounted = tale.disk.mount(dir).unwrap();
    for _ in 0..2 {
        worker
            .step(&mut tale)
            .unwrap_or_else(|error| panic!("{what}: {error:?}"));
    }
    worker.stop();
    drop(mounted);
    met
}

/// Returns whether a person is told what is wrong in words of its own: a disk that is full, or one that does
/// not do what it was asked. **A sound file is never called damaged when it is opened.** Of a statement in the
/// middle SQLCipher says so where a page did not come; whoever hears that opens the file again before they
/// believe it.
fn is_told(error: &StoreError, kind: FaultKind) -> bool {
    match error {
        StoreError::Full => kind == FaultKind::NoRoom,
        StoreError::Disk { .. } => true,
        StoreError::Damaged { at } => at.as_os_str().is_empty() && kind != FaultKind::NoRoom,
        _ => false,
    }
}

/// Looks whether everything promised is there: for a program that starts now, and after a power cut.
fn kept<P: Program>(program: &P, tale: &Tale, dir: &Path, what: &str) {
    let mut walk = tale.disk.walk(tale.now() as u64);
    while walk.step().is_some() {}
    let running = tale.disk.image();
    let after = [Cut::Gone, Cut::Whole, Cut::Reordered];
    let after = after.map(|cut| (format!("after a cut, {cut:?}"), walk.image(cut)));
    for (when, image) in [("while it runs".to_owned(), running)]
        .into_iter()
        .chain(after)
    {
        let disk = Disk::of(&image);
        let _mounted = disk.mount(dir).unwrap();
        program.stage(dir, &image);
        let found = program.open(dir).and_then(|()| program.look(dir));
        let judged = found.and_then(|found| tale.judge(&found, tale.now()));
        assert_eq!(judged, Ok(()), "{what}, {when}");
    }
}

/// Lets every operation of a relay's disk fail in one way, while devices hand in what they have; returns how
/// many runs met the fault.
///
/// # Panics
/// If a promise is broken.
pub fn relay(kind: FaultKind) -> u64 {
    let script = Morning::of(3).script();
    let mut runs = 0;
    for lasts in [false, true] {
        runs += every_operation(kind, lasts, |fault| on_relay(&script, fault));
    }
    runs
}

fn on_relay(script: &Script, fault: Fault) -> u64 {
    let mut run = script.run();
    run.tale.disk.fail(Some(fault));
    for number in 0..script.requests() {
        if !run.is_on()
            && let Err(error) = run.start()
        {
            assert!(is_said(&error, fault.kind), "{fault:?}: {error:?}");
            continue;
        }
        let status = run.ask(number);
        // A read that fails is answered 500; what is told before it stands.
        assert!(
            matches!(status, 200 | 500 | 503 | 507),
            "{fault:?}: {status}"
        );
    }
    let met = run.tale.disk.met();
    run.tale.disk.fail(None);
    run.stop();
    let what = format!("{fault:?}");
    kept(&script.program(), &run.tale, script.dir(), &what);
    // The fault is gone and the relay is started again: the devices hand in what has no receipt.
    run.start()
        .unwrap_or_else(|error| panic!("{what}: {error:?}"));
    for number in 0..script.requests() {
        assert_eq!(run.ask(number), 200, "{what}");
    }
    assert_eq!(run.tale.promises(), script.promises(), "{what}");
    run.stop();
    kept(&script.program(), &run.tale, script.dir(), &what);
    met
}

fn is_said(error: &RelayError, kind: FaultKind) -> bool {
    match error {
        RelayError::Full => kind == FaultKind::NoRoom,
        RelayError::Io { .. } => true,
        _ => false,
    }
}
