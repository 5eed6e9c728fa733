//! Measures one thing and prints one number; `scripts/bench` runs it on a release build.
//!
//! A measurement that has no code yet says so and fails: it never prints a number nobody measured.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measurement talks to whoever started it"
)]

mod attack;
mod crowd;
mod fold;
mod ingest;
mod lines;
mod measures;
mod packs;
mod pushes;
mod repair;
mod server;
mod talk;
mod town;
mod unlock;
mod village;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The allocator of the program that is given to people.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What a measurement may be told.
#[derive(Debug, Clone, Default)]
struct Options {
    json: bool,
    /// A folder of the neutral workload; none makes data of the same shape.
    workload: Option<PathBuf>,
    /// How long `ingest` goes on.
    seconds: Option<f64>,
    /// Fewer devices or households than the measurement is about: to try it out.
    devices: Option<usize>,
    households: Option<usize>,
}

/// Which direction is an improvement.
#[derive(Clone, Copy)]
enum Better {
    Lower,
    Higher,
}

/// One thing that can be measured.
struct Measurement {
    name: &'static str,
    /// What happens while the clock runs, for `--list`.
    what: &'static str,
    unit: &'static str,
    /// The value to reach, in `unit`; `None` until somebody has set one.
    goal: Option<f64>,
    better: Better,
    /// Measures, or tells in a sentence why it cannot.
    run: fn(&Options) -> Result<Outcome, String>,
}

/// What came out.
struct Outcome {
    /// In the measurement's unit; of several runs the median.
    value: f64,
    runs: u32,
    /// Whatever helps to read the value: counts, sizes, other percentiles.
    extra: BTreeMap<&'static str, f64>,
}

const MEASUREMENTS: [Measurement; 20] = [
    Measurement {
        name: "ingest",
        what: "a minute of devices handing in their days, clients on the same processors, every commit on the disk",
        unit: "changes/s",
        goal: Some(5_000.0),
        better: Better::Higher,
        run: ingest::ingest,
    },
    Measurement {
        name: "rush",
        what: "1,000 devices with 90 changed documents each at once, until the last receipt",
        unit: "s",
        goal: Some(30.0),
        better: Better::Lower,
        run: ingest::rush,
    },
    Measurement {
        name: "signed-push",
        what: "pushes of 5 changes each at 64 connections, signed, each on the disk before its answer, clients on the same processors",
        unit: "pushes/s",
        goal: Some(1_200.0),
        better: Better::Higher,
        run: pushes::signed_push,
    },
    Measurement {
        name: "attack",
        what: "the slowest hundredth of honest pushes under 2,432 connections that mean no good, against the same in quiet",
        unit: "ratio",
        goal: Some(2.0),
        better: Better::Lower,
        run: attack::attack,
    },
    Measurement {
        name: "first",
        what: "first download of 3,000 households with their visits: bytes against one zstd stream of the same",
        unit: "ratio",
        goal: Some(1.3),
        better: Better::Lower,
        run: village::first,
    },
    Measurement {
        name: "fleet",
        what: "10 devices at once take their 1,850 documents each, the relay on the same processors",
        unit: "s",
        goal: Some(6.0),
        better: Better::Lower,
        run: village::fleet,
    },
    Measurement {
        name: "slow",
        what: "a day of a device with 3,000 households over 150 ms each way and 256 kbit/s",
        unit: "s",
        goal: Some(2.0),
        better: Better::Lower,
        run: lines::slow,
    },
    Measurement {
        name: "step",
        what: "one change among 100,000 documents, on loopback: median",
        unit: "ms",
        goal: Some(100.0),
        better: Better::Lower,
        run: lines::step,
    },
    Measurement {
        name: "flaky",
        what: "first download and a day over a line that breaks about every 64 KiB: bytes against an unbroken one",
        unit: "ratio",
        goal: Some(1.15),
        better: Better::Lower,
        run: lines::flaky,
    },
    Measurement {
        name: "packs",
        what: "3,000 households with their visits as packs: bytes a household, frames and manifest",
        unit: "bytes",
        goal: Some(750.0),
        better: Better::Lower,
        run: packs::packs,
    },
    Measurement {
        name: "repair",
        what: "100 scattered differences among 350,000 changes: bytes of symbols until both sides know",
        unit: "bytes",
        goal: Some(4_096.0),
        better: Better::Lower,
        run: |_| repair::repair(),
    },
    Measurement {
        name: "day",
        what: "a worker's day, 100 changes of 100 households: bytes up with HTTP headers",
        unit: "bytes",
        goal: Some(12_288.0),
        better: Better::Lower,
        run: |_| measures::day(),
    },
    Measurement {
        name: "noop",
        what: "a sync with nothing new in 5 areas: bytes both ways with HTTP headers",
        unit: "bytes",
        goal: Some(2_000.0),
        better: Better::Lower,
        run: |_| measures::noop(),
    },
    Measurement {
        name: "record",
        what: "a visit on a device with 3,000 households, until it is durable: median",
        unit: "ms",
        goal: Some(10.0),
        better: Better::Lower,
        run: |_| measures::record(),
    },
    Measurement {
        name: "unlock",
        what: "a locked device with 3,000 households, from its word to the first list: median",
        unit: "ms",
        goal: Some(1_000.0),
        better: Better::Lower,
        run: |_| unlock::unlock(),
    },
    Measurement {
        name: "find",
        what: "household find by initials among 5,000: the whole process, median",
        unit: "ms",
        goal: Some(30.0),
        better: Better::Lower,
        run: |_| measures::find(),
    },
    Measurement {
        name: "list",
        what: "the first 50 households of 5,000, then a page in the middle: the whole process, median",
        unit: "ms",
        goal: Some(50.0),
        better: Better::Lower,
        run: |_| measures::list(),
    },
    Measurement {
        name: "due",
        what: "visit due over 5,000 households and 38,000 visits: the whole process, median",
        unit: "ms",
        goal: Some(100.0),
        better: Better::Lower,
        run: |_| measures::due(),
    },
    Measurement {
        name: "import",
        what: "a roster of 320 households and 1,127 people is imported",
        unit: "households/s",
        goal: None,
        better: Better::Higher,
        run: |_| measures::import(),
    },
    Measurement {
        name: "fold",
        what: "the state of a ticket with 60 events, some made apart: median",
        unit: "µs",
        goal: Some(100.0),
        better: Better::Lower,
        run: |_| fold::fold_ticket(),
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["--list"] => list(),
        [server::SERVE, dir] => match server::run(Path::new(dir)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(reason) => misused(&reason),
        },
        rest => match read(rest) {
            Some((name, options)) => measure(name, &options),
            None => misused(USAGE),
        },
    }
}

const USAGE: &str = "usage: scripts/bench --list | NAME [--json] [--workload DIR] [--seconds N] \
                     [--devices N] [--households N]";

/// Returns what is to be measured, and how; none if it does not read.
fn read<'a>(arguments: &[&'a str]) -> Option<(&'a str, Options)> {
    let (mut name, mut options) = (None, Options::default());
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        match *word {
            "--json" => options.json = true,
            "--workload" => options.workload = Some(PathBuf::from(rest.next()?)),
            "--seconds" => options.seconds = Some(rest.next()?.parse().ok()?),
            "--devices" => options.devices = Some(rest.next()?.parse().ok()?),
            "--households" => options.households = Some(rest.next()?.parse().ok()?),
            word if name.is_none() && !word.starts_with('-') => name = Some(word),
            _ => return None,
        }
    }
    Some((name?, options))
}

fn list() -> ExitCode {
    for measurement in &MEASUREMENTS {
        println!(
            "{:11} {} ({})",
            measurement.name, measurement.what, measurement.unit
        );
    }
    ExitCode::SUCCESS
}

fn measure(name: &str, options: &Options) -> ExitCode {
    let Some(measurement) = MEASUREMENTS.iter().find(|other| other.name == name) else {
        return misused(&format!(
            "unknown measurement: {name}; see: scripts/bench --list"
        ));
    };
    match (measurement.run)(options) {
        Ok(outcome) => {
            let show = if options.json { show_json } else { show };
            show(measurement, &outcome);
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("{name}: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn show(measurement: &Measurement, outcome: &Outcome) {
    let goal = measurement
        .goal
        .map_or_else(|| "none set".to_owned(), |goal| goal.to_string());
    println!(
        "{}: {} {} (goal: {goal}; runs: {}; commit: {})",
        measurement.name,
        outcome.value,
        measurement.unit,
        outcome.runs,
        commit()
    );
    for (name, value) in &outcome.extra {
        println!("  {name}: {value}");
    }
}

fn show_json(measurement: &Measurement, outcome: &Outcome) {
    let goal = measurement
        .goal
        .map_or_else(|| "null".to_owned(), |goal| goal.to_string());
    let better = match measurement.better {
        Better::Lower => "lower",
        Better::Higher => "higher",
    };
    let extra: Vec<String> = outcome
        .extra
        .iter()
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    // Numbers and names of our own need no escapes.
    println!(
        r#"{{"name":"{}","value":{},"unit":"{}","goal":{goal},"better":"{better}","runs":{},"commit":"{}","extra":{{{}}}}}"#,
        measurement.name,
        outcome.value,
        measurement.unit,
        outcome.runs,
        commit(),
        extra.join(",")
    );
}

/// Returns what `scripts/bench` found out about the tree it built.
fn commit() -> String {
    std::env::var("WANGGE_BENCH_COMMIT").unwrap_or_else(|_| "unknown".to_owned())
}

fn misused(hint: &str) -> ExitCode {
    eprintln!("{hint}");
    ExitCode::from(2)
}
