//! A device with a village's households and its relay: the first download, a day, nothing new, one change.
//!
//! Devices are whole homes that sync as the program does; bytes are counted on the line, not believed.
//! **A first download is taken over whatever way a home takes by itself**, and the relay's packs are made
//! before the clock starts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Barrier;
use std::time::Instant;

use wangge_agent::link::SyncReport;
use wangge_agent::{Machine, Replica};
use wangge_relay::Role;
use wangge_testkit::slow_line::{SlowLine, Traffic, Weather};
use wangge_testkit::workload::{GRID_HOUSEHOLDS, Op, TOWNSHIP, Workload, grid};
use wangge_wire::{ActionId, AreaCode, DocId};

use super::measures::{area, middle, text};
use super::server::{RelayProcess, invite};
use super::town::fill;
use super::{Options, Outcome};

/// Households of the village.
pub(super) const HOUSEHOLDS: usize = 3_000;
/// Devices of a fleet, and households of each: two documents a household.
const FLEET: usize = 10;
const FLEET_HOUSEHOLDS: usize = 925;
/// Grids of one device of a fleet: enough for its households.
const FLEET_GRIDS: usize = 16;
/// The window of the floor: all of it.
const WINDOW_LOG: u32 = 27;

/// Bytes of a first download against the floor.
pub(super) fn first(options: &Options) -> Result<Outcome, String> {
    let village = Village::filled(options)?;
    let packs = village.relay.make_packs()?;
    let line = SlowLine::to(village.relay.address(), Weather::default()).map_err(text)?;
    let mut counted = village.home("counted", &line.url())?;
    line.take();
    let report = synced(&mut counted)?;
    let traffic = line.take();

    let mut seconds = Vec::new();
    let before = village.relay.work()?;
    village.relay.forget_peak();
    for number in 0..3 {
        let mut direct = village.home(&format!("direct-{number}"), &village.relay.url())?;
        let began = Instant::now();
        synced(&mut direct)?;
        seconds.push(began.elapsed().as_secs_f64());
    }
    let work = village.relay.work()?.since(before);
    let (median, _) = middle(&mut seconds);
    let (floor, inflated) = floor(&counted, &village.documents)?;
    let households = village.households as f64;
    Ok(Outcome {
        value: traffic.down as f64 / floor as f64,
        runs: 1,
        extra: BTreeMap::from([
            ("bytes_down", traffic.down as f64),
            ("bytes_up", traffic.up as f64),
            ("bytes_a_household", traffic.down as f64 / households),
            ("floor", floor as f64),
            ("floor_a_household", floor as f64 / households),
            ("inflated", inflated as f64),
            ("requests", f64::from(report.round_trips)),
            ("seconds_on_loopback", median),
            ("relay_cpu_ms", work.cpu_ms / 3.0),
            ("relay_peak_mb", village.relay.peak_mb()?),
            ("households", households),
            ("changes", village.changes as f64),
            ("documents", village.documents.len() as f64),
            ("packs", packs as f64),
        ]),
    })
}

/// Seconds until ten devices that begin at once have everything.
pub(super) fn fleet(options: &Options) -> Result<Outcome, String> {
    let dir = tempfile::tempdir().map_err(text)?;
    let relay = RelayProcess::start(&dir.path().join("relay"))?;
    let all = FLEET_GRIDS * GRID_HOUSEHOLDS;
    let (mut ops, mut documents) = (Vec::new(), BTreeSet::new());
    Workload::open(options.workload.as_deref(), FLEET * all).each_household(
        &mut |number, of| {
            if number < FLEET * all && number % all < FLEET_HOUSEHOLDS {
                documents.extend(
                    of.iter()
                        .flat_map(|op| op.drafts.iter().map(|draft| draft.doc)),
                );
                ops.extend(of);
            }
            Ok(())
        },
    )?;
    let changes = fill(&relay, ops)?;
    relay.make_packs()?;
    let mut homes = Vec::new();
    for device in 0..FLEET {
        let grids = (0..FLEET_GRIDS).map(|n| grid(device * all + n * GRID_HOUSEHOLDS));
        let folder = dir.path().join(device.to_string());
        homes.push(home(
            &relay,
            &folder,
            Role::Worker,
            grids.collect(),
            &relay.url(),
        )?);
    }
    let before = relay.work()?;
    relay.forget_peak();
    let start = Barrier::new(FLEET + 1);
    let (seconds, mut each) = std::thread::scope(|scope| {
        let threads: Vec<_> = homes
            .iter_mut()
            .map(|home| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    let began = Instant::now();
                    synced(home).map(|report| (began.elapsed().as_secs_f64(), report))
                })
            })
            .collect();
        start.wait();
        let began = Instant::now();
        let each: Result<Vec<_>, String> = threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| Err("a device panicked".into()))
            })
            .collect();
        each.map(|each| (began.elapsed().as_secs_f64(), each))
    })?;
    let work = relay.work()?.since(before);
    let bytes: u64 = each.iter().map(|(_, report)| report.bytes_down).sum();
    let requests: u32 = each.iter().map(|(_, report)| report.round_trips).sum();
    let mut alone: Vec<f64> = each.drain(..).map(|(seconds, _)| seconds).collect();
    let (median, _) = middle(&mut alone);
    Ok(Outcome {
        value: seconds,
        runs: 1,
        extra: BTreeMap::from([
            ("devices", FLEET as f64),
            ("documents_a_device", documents.len() as f64 / FLEET as f64),
            ("changes", changes as f64),
            ("device_s_median", median),
            ("bytes_down", bytes as f64),
            ("requests", f64::from(requests)),
            ("relay_cpu_ms", work.cpu_ms),
            ("relay_peak_mb", relay.peak_mb()?),
        ]),
    })
}

/// A relay with a village, and where its devices live.
pub(super) struct Village {
    pub(super) dir: tempfile::TempDir,
    pub(super) relay: RelayProcess,
    pub(super) households: usize,
    pub(super) workload: Workload,
    documents: BTreeSet<DocId>,
    changes: usize,
}

impl Village {
    /// Returns a relay that has all households with their visits.
    pub(super) fn filled(options: &Options) -> Result<Self, String> {
        let households = options.households.unwrap_or(HOUSEHOLDS);
        let workload = Workload::open(options.workload.as_deref(), households);
        let dir = tempfile::tempdir().map_err(text)?;
        let relay = RelayProcess::start(&dir.path().join("relay"))?;
        let (mut ops, mut count) = (Vec::new(), 0);
        workload.each_household(&mut |number, of| {
            if number < households {
                count += 1;
                ops.extend(of);
            }
            Ok(())
        })?;
        let drafts = ops.iter().flat_map(|op| &op.drafts);
        let documents = drafts.map(|draft| draft.doc).collect();
        let changes = fill(&relay, ops)?;
        Ok(Self {
            dir,
            relay,
            households: count,
            workload,
            documents,
            changes,
        })
    }

    /// Returns a home of this village's worker.
    pub(super) fn home(&self, name: &str, url: &str) -> Result<Replica, String> {
        let folder = self.dir.path().join(name);
        home(
            &self.relay,
            &folder,
            Role::Worker,
            vec![area(&village())?],
            url,
        )
    }
}

/// The village that the workload's first 3,000 households live in.
pub(super) fn village() -> String {
    format!("{TOWNSHIP}201")
}

/// Returns a new home that is enrolled.
pub(super) fn home(
    relay: &RelayProcess,
    folder: &Path,
    role: Role,
    areas: Vec<AreaCode>,
    url: &str,
) -> Result<Replica, String> {
    let mut replica =
        Replica::init(folder, "李梅", Vec::new(), Machine::default()).map_err(text)?;
    let code = invite(&relay.opened()?, "李梅", role, areas)?.shown();
    wait(replica.enroll(&code, url, "李梅", None))?.map_err(text)?;
    Ok(replica)
}

/// Syncs until everything is said, and proves that nothing is missing.
pub(super) fn synced(replica: &mut Replica) -> Result<SyncReport, String> {
    let report = wait(replica.sync())?.map_err(text)?;
    whole(&report).map(|()| report)
}

/// An error unless all that was made is receipted and all areas are equal.
pub(super) fn whole(report: &SyncReport) -> Result<(), String> {
    let equal = !report.complete.is_empty() && report.complete.values().all(|area| area.equal);
    if equal && report.unsent == 0 && report.held == 0 && report.inbox == 0 {
        Ok(())
    } else {
        Err(format!("not whole: {report:?}"))
    }
}

/// Writes what people did into a home, as its screens do, and leaves it unsent.
pub(super) fn live(replica: &Replica, ops: &[Op]) -> Result<(), String> {
    let mut store = wangge_testkit::sealed::store_of(replica.dir());
    let mut marks = 0_u32;
    store
        .write(replica.actor(), |writer| {
            for op in ops {
                marks += 1;
                let mut action = [0xac; 8];
                action
                    .iter_mut()
                    .zip(marks.to_be_bytes())
                    .for_each(|(to, from)| *to = from);
                writer.record(op.at_ms, ActionId(action), &op.drafts)?;
            }
            Ok::<_, wangge_store::StoreError>(())
        })
        .map_err(text)
}

/// Runs a future to its end on a runtime of its own.
pub(super) fn wait<T>(future: impl Future<Output = T>) -> Result<T, String> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().map_err(text)?;
    Ok(runtime.block_on(future))
}

pub(super) fn bytes(traffic: &Traffic) -> u64 {
    traffic.up + traffic.down
}

/// Returns what the documents weigh as one stream at the highest level, and what they weigh unpacked.
fn floor(replica: &Replica, documents: &BTreeSet<DocId>) -> Result<(usize, usize), String> {
    let mut all = Vec::new();
    for doc in documents {
        let document = replica.store().document(doc).map_err(text)?;
        all.extend(document.ok_or("a document did not come")?.save());
    }
    Ok((packed(&all)?, all.len()))
}

/// Returns the size of one zstd stream with a window over all of it.
pub(super) fn packed(all: &[u8]) -> Result<usize, String> {
    use zstd::zstd_safe::CParameter;
    let mut packer = zstd::bulk::Compressor::new(19).map_err(text)?;
    let long = [
        CParameter::WindowLog(WINDOW_LOG),
        CParameter::EnableLongDistanceMatching(true),
    ];
    for parameter in long {
        packer.set_parameter(parameter).map_err(text)?;
    }
    Ok(packer.compress(all).map_err(text)?.len())
}
