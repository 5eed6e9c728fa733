//! A village's line: a day over a slow one, one that breaks all the time, and one change among many.
//!
//! The line is the testkit's own (`slow_line`): a delay each way, a rate, a handshake for each
//! connection. **A sync counts only if it says of itself that everything is the same on both sides.**

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use wangge_agent::visits::VisitInput;
use wangge_agent::{Machine, Replica};
use wangge_crdt::Put;
use wangge_model::kind;
use wangge_model::visit::{self, Visit};
use wangge_relay::Role;
use wangge_store::Draft;
use wangge_testkit::slow_line::{SlowLine, Weather};
use wangge_testkit::workload::{Op, grid, household_id};
use wangge_wire::{DocId, DocKind, Place};

use super::measures::{area, middle, text};
use super::server::RelayProcess;
use super::village::{Village, bytes, home, live, synced, village, wait, whole};
use super::{Options, Outcome};

/// A village's link: 150 ms each way, 256 kbit/s.
const SLOW: Weather = Weather {
    delay: Duration::from_millis(150),
    bytes_a_second: 256_000 / 8,
    cut_every: 0,
};
/// A link that breaks about every 64 KiB.
const FLAKY: Weather = Weather {
    delay: Duration::ZERO,
    bytes_a_second: 0,
    cut_every: 64 * 1024,
};
const RUNS: usize = 3;
/// Syncs after which somebody with such a line has given up.
const TRIES_MAX: usize = 10_000;
/// Documents of a device with very many: a household and its books of four years.
const MANY_HOUSEHOLDS: usize = 20_000;
const MANY_YEARS: std::ops::Range<i32> = 2022..2026;

/// Seconds of a day over a slow line.
pub(super) fn slow(options: &Options) -> Result<Outcome, String> {
    let village = Village::filled(options)?;
    village.relay.make_packs()?;
    let line = SlowLine::to(village.relay.address(), Weather::default()).map_err(text)?;
    let mut replica = village.home("slow", &line.url())?;
    synced(&mut replica)?;
    let folder = replica.dir().to_owned();
    drop(replica);
    line.set(SLOW, 1);
    let (mut days, mut nothing) = (Vec::new(), Vec::new());
    let (mut up, mut down, mut trips, mut nothing_bytes) = (Vec::new(), Vec::new(), 0, Vec::new());
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().map_err(text)?;
    for day in 1..=RUNS {
        // Opened anew: the day begins with a connection that has to be made.
        let mut replica = Replica::open(&folder, Machine::default()).map_err(text)?;
        live(&replica, &village.workload.day(day)?)?;
        line.take();
        let began = Instant::now();
        let report = runtime.block_on(replica.sync()).map_err(text)?;
        days.push(began.elapsed().as_secs_f64());
        whole(&report)?;
        let traffic = line.take();
        trips = trips.max(report.round_trips);
        up.push(traffic.up as f64);
        down.push(traffic.down as f64);
        let began = Instant::now();
        let report = runtime.block_on(replica.sync()).map_err(text)?;
        nothing.push(began.elapsed().as_secs_f64());
        whole(&report)?;
        let traffic = line.take();
        nothing_bytes.push(bytes(&traffic) as f64);
        if traffic.connections > 0 {
            return Err("the connection was not kept open".into());
        }
    }
    let most = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    let (median, _) = middle(&mut days);
    Ok(Outcome {
        value: median,
        runs: u32::try_from(RUNS).unwrap_or(u32::MAX),
        extra: BTreeMap::from([
            ("slowest_s", most(&days)),
            ("bytes_up", most(&up)),
            ("bytes_down", most(&down)),
            ("round_trips", f64::from(trips)),
            ("nothing_new_s", middle(&mut nothing).0),
            ("nothing_new_bytes", middle(&mut nothing_bytes).0),
            ("households", village.households as f64),
        ]),
    })
}

/// Bytes over a line that breaks all the time, against those over one that does not.
pub(super) fn flaky(options: &Options) -> Result<Outcome, String> {
    let village = Village::filled(options)?;
    village.relay.make_packs()?;
    let line = SlowLine::to(village.relay.address(), Weather::default()).map_err(text)?;
    let (mut first, mut day) = (Vec::new(), Vec::new());
    let (mut whole_first, mut whole_day, mut tries, mut cuts) = (0, 0, 0, 0);
    for run in 0..=RUNS {
        // The first one's line holds: that is what the others are compared with.
        line.set(Weather::default(), 1);
        let mut replica = village.home(&format!("flaky-{run}"), &line.url())?;
        line.take();
        if run > 0 {
            line.set(FLAKY, run as u64);
        }
        tries += until_whole(&mut replica)?;
        let traffic = line.take();
        cuts += traffic.cuts;
        live(&replica, &village.workload.day(run + 1)?)?;
        tries += until_whole(&mut replica)?;
        let evening = line.take();
        cuts += evening.cuts;
        if run == 0 {
            (whole_first, whole_day) = (bytes(&traffic), bytes(&evening));
        } else {
            first.push(bytes(&traffic) as f64 / whole_first as f64);
            day.push(bytes(&evening) as f64 / whole_day as f64);
        }
    }
    let most = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    let both = whole_first + whole_day;
    let together = |(first, day): (&f64, &f64)| {
        (first * whole_first as f64 + day * whole_day as f64) / both as f64
    };
    let ratios: Vec<f64> = first.iter().zip(&day).map(together).collect();
    Ok(Outcome {
        value: most(&ratios),
        runs: u32::try_from(RUNS).unwrap_or(u32::MAX),
        extra: BTreeMap::from([
            ("finished", ratios.len() as f64),
            ("first_ratio", most(&first)),
            ("day_ratio", most(&day)),
            ("first_bytes_uncut", whole_first as f64),
            ("day_bytes_uncut", whole_day as f64),
            ("cuts", cuts as f64),
            ("syncs", tries as f64),
        ]),
    })
}

/// Syncs again and again until a sync says that everything is there; returns how often.
fn until_whole(replica: &mut Replica) -> Result<usize, String> {
    for tries in 1..=TRIES_MAX {
        match wait(replica.sync())? {
            Ok(report) if whole(&report).is_ok() => return Ok(tries),
            Ok(_) | Err(wangge_agent::AgentError::NoLink { .. }) => {}
            Err(error) => return Err(text(error)),
        }
    }
    Err("it never got through".into())
}

/// Milliseconds until one change among very many documents is receipted.
pub(super) fn step(options: &Options) -> Result<Outcome, String> {
    const CHANGES: usize = 11;
    let dir = tempfile::tempdir().map_err(text)?;
    let relay = RelayProcess::start(&dir.path().join("relay"))?;
    let line = SlowLine::to(relay.address(), Weather::default()).map_err(text)?;
    let folder = dir.path().join("home");
    let mut replica = home(
        &relay,
        &folder,
        Role::Worker,
        vec![area(&village())?],
        &line.url(),
    )?;
    let households = options.households.unwrap_or(MANY_HOUSEHOLDS);
    for part in (0..households).collect::<Vec<_>>().chunks(500) {
        let ops = part
            .iter()
            .map(|number| many(*number))
            .collect::<Result<Vec<_>, String>>()?;
        live(&replica, &ops)?;
    }
    synced(&mut replica)?;
    let documents = households * (1 + MANY_YEARS.count());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(text)?;
    let (mut times, mut up, mut down, mut trips) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for change in 0..CHANGES {
        let input = VisitInput {
            household: household_id(&format!("many-{change}")).to_string(),
            note: "今天身体好，家里没有困难".into(),
            ..VisitInput::default()
        };
        replica.add_visit(input).map_err(text)?;
        line.take();
        let began = Instant::now();
        let report = runtime.block_on(replica.sync()).map_err(text)?;
        times.push(began.elapsed().as_secs_f64() * 1000.0);
        let traffic = line.take();
        whole(&report)?;
        trips = trips.max(report.round_trips);
        up.push(traffic.up as f64);
        down.push(traffic.down as f64);
    }
    let (median, p95) = middle(&mut times);
    let most = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    Ok(Outcome {
        value: median,
        runs: u32::try_from(CHANGES).unwrap_or(u32::MAX),
        extra: BTreeMap::from([
            ("documents", documents as f64),
            ("p95_ms", p95),
            ("round_trips", f64::from(trips)),
            ("bytes_up", most(&up)),
            ("bytes_down", most(&down)),
            ("bytes", most(&up) + most(&down)),
        ]),
    })
}

/// A household with a visit in each of four years.
fn many(number: usize) -> Result<Op, String> {
    let doc = household_id(&format!("many-{number}"));
    let home = grid(number % 3_000);
    let puts = vec![
        Put::root("area", home.as_str()),
        Put::root("door", format!("{number}号")),
    ];
    let place = Place {
        doc,
        home,
        audiences: Vec::new(),
        n: 0,
    };
    let mut drafts = vec![draft(doc, kind::HOUSEHOLD, None, puts, Some(place))];
    for year in MANY_YEARS {
        let visited = Visit {
            id: format!("{number:012}{year:04}"),
            happened_on: format!("{year}-05-06"),
            at_ms: 1_766_000_000_000,
            note: "都好".into(),
            ..Visit::default()
        };
        let book = visit::book_id(&doc, year);
        let puts = visit::puts(&visited);
        drafts.push(draft(book, kind::VISIT_BOOK, Some(doc), puts, None));
    }
    Ok(Op {
        by: String::new(),
        at_ms: 1_766_000_000_000,
        drafts,
    })
}

fn draft(
    doc: DocId,
    kind: DocKind,
    owner: Option<DocId>,
    puts: Vec<Put>,
    place: Option<Place>,
) -> Draft {
    Draft {
        doc,
        kind,
        owner,
        puts,
        place,
        urgent: false,
    }
}
