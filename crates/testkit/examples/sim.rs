//! Simulated districts outside the test run: soaking until stopped, one seed again, broken variants.
//!
//! `scripts/soak` and `scripts/sabotage` start it.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it talks to whoever started it"
)]

use std::process::ExitCode;

use wangge_testkit::sim::{Shape, Template, run, run_and_shrink, sabotage};
use wangge_wire::sabotage::{Sabotage, switch};

const USAGE: &str = "sim soak [SEED [DEVICES STEPS]] | sim seed SEED [DEVICES STEPS] | \
     sim range SEED [DEVICES STEPS SEEDS] | sim hunt SEED DEVICES STEPS SEEDS VARIANT | \
     sim sabotage [--json] [VARIANT …]";
/// The last seed of the test run; soaking begins behind it.
const FIRST_SEED: u64 = 1_000_000;

fn main() -> ExitCode {
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
        ("range", Some(from)) => range(shape, from..from + number(3).unwrap_or(100)),
        ("hunt", Some(from)) if rest.len() == 5 => {
            match sabotage::named(rest.get(4..).unwrap_or_default()) {
                Ok(variants) => switch(variants.first().copied()),
                Err(name) => return no_variant(&name),
            }
            range(shape, from..from + number(3).unwrap_or(100))
        }
        ("sabotage", _) => {
            let (flags, names) = rest
                .iter()
                .cloned()
                .partition::<Vec<_>, _>(|it| it == "--json");
            variants(!flags.is_empty(), &names)
        }
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// Makes a district; from then on what a broken promise says is printed by whoever found it.
fn template(shape: Shape) -> Template {
    let template = Template::new(shape);
    std::panic::set_hook(Box::new(|_| {}));
    template
}

/// Runs seed after seed until one fails or somebody stops it.
fn soak(shape: Shape, from: u64) -> ExitCode {
    let template = template(shape);
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

/// Runs so many seeds, says in a line what each that fails says, and how fast it went.
fn range(shape: Shape, seeds: std::ops::Range<u64>) -> ExitCode {
    let template = template(shape);
    let started = std::time::Instant::now();
    let (mut ran, mut failed) = (0, 0);
    for seed in seeds {
        ran += 1;
        if let Err(failure) = run(&template, seed, shape.steps) {
            failed += 1;
            println!("{seed}: {}", failure.broken);
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("{failed} of {ran} seeds fail, {seconds:.0} s");
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn one(shape: Shape, seed: u64) -> ExitCode {
    match run(&template(shape), seed, shape.steps) {
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

/// Says which variants there are.
fn no_variant(name: &str) -> ExitCode {
    eprintln!("no variant is called {name}; there are:");
    for variant in Sabotage::ALL {
        eprintln!("  {variant:?}");
    }
    ExitCode::from(2)
}

/// Breaks the promises that are named, all without a name.
fn variants(json: bool, words: &[String]) -> ExitCode {
    let named = match sabotage::named(words) {
        Ok(named) => named,
        Err(name) => return no_variant(&name),
    };
    let grounds = sabotage::Grounds::new();
    std::panic::set_hook(Box::new(|_| {}));
    let mut found = Vec::new();
    for variant in named {
        found.push(grounds.hunt(variant));
        if let Some(hunt) = found.last().filter(|_| !json) {
            match &hunt.caught {
                Some((seed, promise)) => println!("{:?}: seed {seed}: {promise}", hunt.variant),
                None => println!("{:?}: NOT CAUGHT", hunt.variant),
            }
        }
    }
    let caught = found.iter().filter(|hunt| hunt.caught.is_some()).count();
    if json {
        println!("{{\"variants\":{},\"caught\":{caught}}}", found.len());
    } else {
        println!("{caught} of {} caught", found.len());
    }
    if caught == found.len() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
