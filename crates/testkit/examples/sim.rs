//! Simulated districts outside the test run: soaking until stopped, one seed again, broken variants.
//!
//! `scripts/soak` and `scripts/sabotage` start it.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it talks to whoever started it"
)]

use std::process::ExitCode;

use wangge_testkit::sim::{Shape, Template, run_and_shrink, sabotage};

const USAGE: &str =
    "sim soak [SEED [DEVICES STEPS]] | sim seed SEED [DEVICES STEPS] | sim sabotage [--json]";
/// The last seed of the test run; soaking begins behind it.
const FIRST_SEED: u64 = 1_000_000;

fn main() -> ExitCode {
    // What a broken promise says is printed by whoever found it.
    std::panic::set_hook(Box::new(|_| {}));
    let mut words = std::env::args().skip(1);
    let what = words.next().unwrap_or_default();
    let rest: Vec<String> = words.collect();
    let number = |at: usize| rest.get(at).and_then(|word| word.parse::<u64>().ok());
    let size = |at: usize, usual: usize| {
        let said = number(at).and_then(|n| usize::try_from(n).ok());
        said.unwrap_or(usual)
    };
    let shape = Shape {
        devices: size(1, 3),
        steps: size(2, 20),
    };
    match (what.as_str(), number(0)) {
        ("soak", from) => soak(shape, from.unwrap_or(FIRST_SEED)),
        ("seed", Some(seed)) => one(shape, seed),
        ("sabotage", _) => variants(rest.iter().any(|word| word == "--json")),
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// Runs seed after seed until one fails or somebody stops it.
fn soak(shape: Shape, from: u64) -> ExitCode {
    let template = Template::new(shape);
    for seed in from.. {
        if let Err(failure) = run_and_shrink(&template, seed) {
            println!("{failure}");
            println!(
                "keep it: a line of fixtures/seeds/ with {seed} {} {}",
                shape.devices, shape.steps
            );
            return ExitCode::FAILURE;
        }
        if seed % 100 == 99 {
            eprintln!("{} seeds, up to {seed}", seed - from + 1);
        }
    }
    ExitCode::SUCCESS
}

fn one(shape: Shape, seed: u64) -> ExitCode {
    match run_and_shrink(&Template::new(shape), seed) {
        Ok(trace) => {
            trace.iter().for_each(|line| println!("{line}"));
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn variants(json: bool) -> ExitCode {
    let found = sabotage::hunt();
    let caught = found.iter().filter(|hunt| hunt.caught.is_some()).count();
    if json {
        println!("{{\"variants\":{},\"caught\":{caught}}}", found.len());
    } else {
        for hunt in &found {
            match &hunt.caught {
                Some((seed, promise)) => println!("{:?}: seed {seed}: {promise}", hunt.variant),
                None => println!("{:?}: NOT CAUGHT", hunt.variant),
            }
        }
        println!("{caught} of {} caught", found.len());
    }
    if caught == found.len() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
