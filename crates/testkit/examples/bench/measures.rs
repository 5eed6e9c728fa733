//! The measurements themselves: each sets up what it needs, measures, and says what it saw.
//!
//! Bytes are counted on the socket, not believed; times are medians, beside the floor of the same
//! disk measured in the same run.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use chrono::{Datelike as _, Days};
use serde_json::Value;
use wangge_agent::households::{HouseholdEdit, HouseholdInput, MemberInput};
use wangge_agent::visits::VisitInput;
use wangge_agent::{Machine, Replica};
use wangge_model::kind;
use wangge_model::visit::{self, Met, Visit};
use wangge_store::Draft;
use wangge_testkit::district::{District, sync};
use wangge_testkit::wire_tap::WireTap;
use wangge_testkit::working_days::{Dice, note, phone};
use wangge_wire::{ActionId, AreaCode, DocId, Role};

use super::Outcome;

const GRID: &str = "511724103202001";
const TOWNSHIP: &str = "511724103";

/// Bytes and round trips of a worker's day, from the neutral workload.
pub(super) fn day() -> Result<Outcome, String> {
    let district = District::new();
    let tap = WireTap::to(district.address());
    let mut desk = district.home("desk", Role::Township, &[TOWNSHIP]);
    let mut worker = district.home_at("李梅", Role::Worker, &[GRID], &tap.url());
    desk.import_roster(&fixture("roster-b.xlsx"), &area(GRID)?, false)
        .map_err(text)?;
    sync(&mut desk).map_err(text)?;
    sync(&mut worker).map_err(text)?;
    let households: Vec<DocId> = worker
        .households(None, 100, 0)
        .map_err(text)?
        .iter()
        .map(|row| row.id)
        .collect();
    let day = std::fs::read_to_string(fixture("workload-day.jsonl")).map_err(text)?;
    let mut changes = 0;
    for (line, household) in day.lines().zip(&households) {
        live(
            &mut worker,
            *household,
            &serde_json::from_str(line).map_err(text)?,
        )?;
        changes += 1;
    }
    tap.take();
    let report = sync(&mut worker).map_err(text)?;
    let (up, down) = tap.take();
    if report.sent != changes || report.complete.values().any(|area| !area.equal) {
        return Err(format!("the day did not arrive whole: {report:?}"));
    }
    Ok(Outcome {
        value: up as f64,
        runs: 1,
        extra: BTreeMap::from([
            ("bytes_down", down as f64),
            ("round_trips", f64::from(report.round_trips)),
            ("changes", changes as f64),
        ]),
    })
}

/// One line of the workload: a visit or an edit.
fn live(worker: &mut Replica, household: DocId, line: &Value) -> Result<(), String> {
    let field = |part: &str, name: &str| {
        line.get(part)
            .and_then(|part| part.get(name))
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    if line.get("visit").is_some() {
        let purposes = line.pointer("/visit/purposes/0").and_then(Value::as_str);
        let input = VisitInput {
            household: household.to_string(),
            met: field("visit", "met"),
            purposes: purposes.map(str::to_owned).into_iter().collect(),
            note: field("visit", "note").unwrap_or_default(),
            ..VisitInput::default()
        };
        return worker.add_visit(input).map(|_| ()).map_err(text);
    }
    let edit = HouseholdEdit {
        note: field("edit", "note"),
        arrangement: field("edit", "arrangement"),
        ..HouseholdEdit::default()
    };
    worker
        .edit_household(&household, edit)
        .map(|_| ())
        .map_err(text)
}

/// Bytes and round trips of a sync with nothing new in five areas.
pub(super) fn noop() -> Result<Outcome, String> {
    let district = District::new();
    let tap = WireTap::to(district.address());
    let grids: Vec<String> = (1..=5).map(|n| format!("51172410320200{n}")).collect();
    let grids: Vec<&str> = grids.iter().map(String::as_str).collect();
    let mut worker = district.home_at("李梅", Role::Worker, &grids, &tap.url());
    worker
        .import_roster(&fixture("roster-b.xlsx"), &area(GRID)?, false)
        .map_err(text)?;
    sync(&mut worker).map_err(text)?;
    tap.take();
    let report = sync(&mut worker).map_err(text)?;
    let (up, down) = tap.take();
    let equal = report.complete.values().filter(|area| area.equal).count();
    Ok(Outcome {
        value: (up + down) as f64,
        runs: 1,
        extra: BTreeMap::from([
            ("bytes_up", up as f64),
            ("bytes_down", down as f64),
            ("round_trips", f64::from(report.round_trips)),
            ("areas_equal", equal as f64),
        ]),
    })
}

/// How long a visit takes until it is on the disk.
pub(super) fn record() -> Result<Outcome, String> {
    const RUNS: usize = 300;
    let (dir, mut replica) = populated(3_000, 0)?;
    let rows = replica.households(None, 3_000, 0).map_err(text)?;
    let mut dice = Dice::new(3);
    let mut times = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let row = rows.get(dice.below(rows.len())).ok_or("no household")?;
        let input = VisitInput {
            household: row.id.to_string(),
            note: note(&mut dice),
            ..VisitInput::default()
        };
        let started = Instant::now();
        replica.add_visit(input).map_err(text)?;
        times.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    let (median, p95) = middle(&mut times);
    Ok(Outcome {
        value: median,
        runs: u32::try_from(RUNS).unwrap_or(u32::MAX),
        extra: BTreeMap::from([("p95", p95), ("floor_write_and_fsync", floor(dir.path())?)]),
    })
}

/// How long the whole command takes that finds a household among 5,000.
pub(super) fn find() -> Result<Outcome, String> {
    let (dir, replica) = populated(5_000, 0)?;
    let home = replica.dir().to_owned();
    drop(replica);
    let queries =
        ["zjg", "wxh", "lgh", "cx"].map(|query| vec!["household", "find", query, "--json"]);
    let outcome = process(&home, &queries);
    drop(dir);
    outcome
}

/// How long the whole command takes that lists who is due: 3 of 10 households have a care tag, one
/// visit in nine met nobody, one in ten said when to come back.
pub(super) fn due() -> Result<Outcome, String> {
    const VISITS: u64 = 38_000;
    let (dir, replica) = populated(5_000, 3)?;
    let rows = replica.households(None, 5_000, 0).map_err(text)?;
    let (home, actor, today) = (replica.dir().to_owned(), replica.actor(), replica.today());
    drop(replica);
    let mut store = wangge_testkit::sealed::store_of(&home);
    let mut dice = Dice::new(11);
    for turn in (0..VISITS).step_by(1_000) {
        let mut drafts = Vec::new();
        for number in turn..turn + 1_000 {
            let row = rows.get(dice.below(rows.len())).ok_or("no household")?;
            // Half a year back, the latest turn last.
            let ago = Days::new((VISITS - number) * 180 / VISITS);
            let on = today.checked_sub_days(ago).unwrap_or(today);
            let back = Days::new(1 + number % 14);
            let visit = Visit {
                id: format!("{number:016x}"),
                happened_on: on.to_string(),
                met: if number % 9 == 0 {
                    Met::Nobody
                } else {
                    Met::Person
                },
                note: note(&mut dice),
                follow_up_on: (number % 10 == 0)
                    .then(|| on.checked_add_days(back).unwrap_or(on).to_string()),
                ..Visit::default()
            };
            drafts.push(Draft {
                doc: visit::book_id(&row.id, on.year()),
                kind: kind::VISIT_BOOK,
                owner: Some(row.id),
                puts: visit::puts(&visit),
                place: None,
                urgent: false,
            });
        }
        let action = ActionId([0; 8]);
        store
            .write(actor, |writer| writer.record(1, action, &drafts))
            .map_err(text)?;
    }
    drop(store);
    let outcome = process(&home, &[vec!["visit", "due", "--json"]]);
    drop(dir);
    outcome
}

/// Runs commands in turn as whole processes, beside the floor of one that does nothing.
fn process(home: &Path, commands: &[Vec<&str>]) -> Result<Outcome, String> {
    const RUNS: usize = 40;
    let program = program()?;
    let run = |arguments: &[&str]| -> Result<(f64, usize), String> {
        let started = Instant::now();
        let output = Command::new(&program)
            .args(["--home", &home.display().to_string()])
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .map_err(text)?;
        let took = started.elapsed().as_secs_f64() * 1000.0;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        Ok((took, output.stdout.len()))
    };
    let mut times = Vec::new();
    let mut bytes = 0;
    for arguments in commands.iter().cycle().take(RUNS) {
        let (took, printed) = run(arguments)?;
        bytes += printed;
        times.push(took);
    }
    let mut floor_times = Vec::new();
    for _ in 0..RUNS {
        floor_times.push(run(&["--version"])?.0);
    }
    let (median, p95) = middle(&mut times);
    let (start, _) = middle(&mut floor_times);
    Ok(Outcome {
        value: median,
        runs: u32::try_from(RUNS).unwrap_or(u32::MAX),
        extra: BTreeMap::from([
            ("p95", p95),
            ("floor_process_start", start),
            ("bytes_printed_mean", (bytes / RUNS) as f64),
        ]),
    })
}

/// How long the whole command takes that lists a page of households among 5,000.
pub(super) fn list() -> Result<Outcome, String> {
    let (dir, replica) = populated(5_000, 3)?;
    let home = replica.dir().to_owned();
    drop(replica);
    let page = |which| vec!["household", "list", "--page", which, "--json"];
    let mut outcome = process(&home, &[page("1")])?;
    let care = vec![
        "household",
        "list",
        "--care",
        "低保",
        "--page",
        "1",
        "--json",
    ];
    outcome
        .extra
        .insert("page_50", process(&home, &[page("50")])?.value);
    outcome
        .extra
        .insert("by_care", process(&home, &[care])?.value);
    drop(dir);
    Ok(outcome)
}

/// How many households of a roster are imported in a second.
pub(super) fn import() -> Result<Outcome, String> {
    const RUNS: usize = 5;
    let mut times = Vec::new();
    let mut households = 0;
    for _ in 0..RUNS {
        let (_dir, mut replica) = home()?;
        let started = Instant::now();
        let report = replica
            .import_roster(&fixture("roster-a.xlsx"), &area(GRID)?, false)
            .map_err(text)?;
        times.push(started.elapsed().as_secs_f64());
        households = report.households.added;
    }
    let (median, _) = middle(&mut times);
    Ok(Outcome {
        value: households as f64 / median,
        runs: u32::try_from(RUNS).unwrap_or(u32::MAX),
        extra: BTreeMap::from([("seconds", median), ("households", households as f64)]),
    })
}

fn home() -> Result<(tempfile::TempDir, Replica), String> {
    let dir = tempfile::tempdir().map_err(text)?;
    let areas = vec![area(GRID)?];
    let replica = Replica::init(&dir.path().join("home"), "李梅", areas, Machine::default());
    Ok((dir, replica.map_err(text)?))
}

/// Returns a home with so many households of made-up people; so many of ten have a care tag.
pub(super) fn populated(
    households: usize,
    cared_of_ten: usize,
) -> Result<(tempfile::TempDir, Replica), String> {
    let (dir, mut replica) = home()?;
    let mut dice = Dice::new(7);
    for number in 0..households {
        let member = |dice: &mut Dice, relation: &str| MemberInput {
            name: name(dice),
            relation: Some(relation.into()),
            birth: Some(format!(
                "{}-{:02}",
                1940 + dice.below(60),
                1 + dice.below(12)
            )),
            phone: Some(phone(dice)),
            ..MemberInput::default()
        };
        let mut members = ["户主", "配偶", "子"].map(|relation| member(&mut dice, relation));
        if number % 10 < cared_of_ten {
            let tag = dice.pick(&["独居老人", "低保", "残疾人", "重病", "留守儿童"]);
            members
                .iter_mut()
                .take(1)
                .for_each(|head| head.care = vec![tag.to_owned()]);
        }
        let input = HouseholdInput {
            group: Some((1 + number % 9).to_string()),
            door: format!("{}号", 1 + number / 9),
            phone: Some(phone(&mut dice)),
            members: members.into(),
            ..HouseholdInput::default()
        };
        replica.add_household(input).map_err(text)?;
    }
    Ok((dir, replica))
}

fn name(dice: &mut Dice) -> String {
    const SURNAMES: &[&str] = &[
        "王", "李", "张", "刘", "陈", "杨", "曾", "单", "周", "吴", "罗", "唐",
    ];
    const GIVEN: &[&str] = &[
        "建", "国", "小", "红", "明", "秀", "英", "军", "华", "平", "玉", "兰", "桂", "芳",
    ];
    format!(
        "{}{}{}",
        dice.pick(SURNAMES),
        dice.pick(GIVEN),
        dice.pick(GIVEN)
    )
}

/// Returns the median time of writing and syncing one page beside the database, in ms.
fn floor(dir: &Path) -> Result<f64, String> {
    let mut file = File::create(dir.join("floor")).map_err(text)?;
    let mut times = Vec::new();
    for _ in 0..100 {
        let started = Instant::now();
        file.write_all(&[7; 4096]).map_err(text)?;
        file.sync_data().map_err(text)?;
        times.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(middle(&mut times).0)
}

/// Returns the time that so many of a hundred are not above.
pub(super) fn at_percent(times: &mut [f64], percent: f64) -> f64 {
    times.sort_by(f64::total_cmp);
    let at = (times.len() as f64 * percent / 100.0).ceil() as usize;
    let last = times.len().saturating_sub(1);
    let found = times.get(at.saturating_sub(1).min(last));
    found.copied().unwrap_or_default()
}

/// Returns the median and the 95th percentile.
pub(super) fn middle(times: &mut [f64]) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    let at = |share: usize| {
        times
            .get(times.len() * share / 100)
            .copied()
            .unwrap_or_default()
    };
    (at(50), at(95))
}

/// Returns the program built beside this one.
fn program() -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(text)?;
    let beside = own
        .parent()
        .and_then(Path::parent)
        .map(|dir| dir.join("wangge"));
    beside
        .filter(|path| path.exists())
        .ok_or_else(|| "build wangge in release first".to_owned())
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures")
        .join(name)
}

pub(super) fn area(code: &str) -> Result<AreaCode, String> {
    AreaCode::parse(code).map_err(text)
}

pub(super) fn text(error: impl Display) -> String {
    error.to_string()
}
