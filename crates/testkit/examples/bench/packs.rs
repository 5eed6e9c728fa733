//! What a first download weighs: 3,000 households with their visits as packs, against the floor.
//!
//! **The floor is what the same documents weigh as one stream**, at the highest level with a window over
//! all of them: no frame, no name, no place. Sizes are exact; the time is that of making the packs.

use std::collections::BTreeMap;
use std::time::Instant;

use wangge_relay::{LevelForm, Packs, Relay, Role, Settings};
use wangge_store::{Store, outbox::Heading};
use wangge_testkit::device::Device;
use wangge_testkit::district::District;
use wangge_testkit::workload::{Op, TOWNSHIP, Workload};
use wangge_wire::batch::SUITE_PLAIN;
use wangge_wire::{ActionId, Batch, BatchHash, BatchHead};

use super::measures::{area, text};
use super::village::{HOUSEHOLDS, packed};
use super::{Options, Outcome};

/// Batches in one request.
const BATCHES: usize = 60;

pub(super) fn packs(options: &Options) -> Result<Outcome, String> {
    let households = options.households.unwrap_or(HOUSEHOLDS);
    let ops = Workload::open(options.workload.as_deref(), households).households()?;
    let mut district = District::with(Settings::new("杨家镇", LevelForm::Township));
    let changes = fill(&district, &ops)?;
    let address = district.address();
    let settings = Settings::new("", LevelForm::Township);
    let relay = Relay::open(&district.relay_dir(), &settings).map_err(text)?;
    let began = Instant::now();
    let made = relay.make_packs(&Packs::default()).map_err(text)?;
    let seconds = began.elapsed().as_secs_f64();
    if !relay.held().map_err(text)?.is_empty() {
        return Err("changes were held".into());
    }

    let mut desk = Device::new(250);
    enroll(&district, &mut desk)?;
    let began = Instant::now();
    let (manifest, frames) = desk.take_packs(address, settings.clock.now_ms());
    let fetched = began.elapsed().as_secs_f64();
    let infos = manifest.packs.iter().flat_map(|pack| &pack.frames);
    let (count, bytes) = infos.fold((0_u64, 0_u64), |(n, sum), it| (n + 1, sum + it.bytes));
    let bytes = bytes + wangge_wire::packing::encode(&manifest).len() as u64;
    let documents = frames.iter().flat_map(|frame| &frame.documents);
    let all: Vec<u8> = documents
        .clone()
        .flat_map(|one| one.saved.clone())
        .collect();
    let floor = packed(&all)?;
    district.stop();
    Ok(Outcome {
        value: bytes as f64 / households as f64,
        runs: 1,
        extra: BTreeMap::from([
            ("floor_per_household", floor as f64 / households as f64),
            ("ratio", bytes as f64 / floor as f64),
            ("households", households as f64),
            ("documents", documents.count() as f64),
            ("changes", changes as f64),
            ("packs", made as f64),
            ("frames", count as f64),
            ("inflated", all.len() as f64),
            ("make_s", seconds),
            ("fetch_and_load_s", fetched),
        ]),
    })
}

fn enroll(district: &District, device: &mut Device) -> Result<(), String> {
    let code = district.invite("desk", Role::Township, &[TOWNSHIP]);
    let code = wangge_relay::Code::parse(&code).map_err(text)?;
    device.enroll(district.address(), &code);
    Ok(())
}

/// Writes the workload as its people would and pushes it; returns how many changes there are.
fn fill(district: &District, ops: &[Op]) -> Result<usize, String> {
    let dir = tempfile::tempdir().map_err(text)?;
    let mut store = Store::open(&dir.path().join("wangge.db"), &[7; 32]).map_err(text)?;
    let mut people: BTreeMap<&str, Device> = BTreeMap::new();
    for op in ops {
        let seed = u8::try_from(people.len() % 200 + 1).unwrap_or(1);
        people.entry(&op.by).or_insert_with(|| Device::new(seed));
    }
    let mut changes = 0;
    for run in ops.chunk_by(|a, b| a.by == b.by) {
        let Some(device) = run.first().and_then(|op| people.get(op.by.as_str())) else {
            continue;
        };
        store
            .write(device.actor(), |writer| {
                for (n, op) in run.iter().enumerate() {
                    let mut action = [0; 8];
                    action.clone_from_slice(&(op.at_ms + n as i64).to_be_bytes());
                    let written = writer.record(op.at_ms, ActionId(action), &op.drafts)?;
                    changes += written.iter().filter(|it| it.change.is_some()).count();
                }
                Ok::<_, wangge_store::StoreError>(())
            })
            .map_err(text)?;
    }
    let mut first = true;
    let mut sent = std::collections::BTreeSet::<BatchHash>::new();
    for device in people.values_mut() {
        enroll(district, device)?;
        push(district, &mut store, device, first, &mut sent)?;
        first = false;
    }
    Ok(changes)
}

fn push(
    district: &District,
    store: &mut Store,
    device: &mut Device,
    takes_places: bool,
    sent: &mut std::collections::BTreeSet<BatchHash>,
) -> Result<(), String> {
    let heading = Heading {
        head: BatchHead {
            suite: SUITE_PLAIN,
            device: device.id(),
            nonce: device.nonce,
            number: 0,
            previous: BatchHash([0; 32]),
            roster: 0,
            claimed_at_ms: 0,
            area: area(TOWNSHIP)?,
        },
        actor: device.actor(),
        takes_places,
    };
    let key = wangge_trust::KeyPair::from_secret(&[device.nonce.0[0]; 32]);
    store
        .make_batches(&heading, &|batch: &mut Batch| key.sign_batch(batch))
        .map_err(text)?;
    let mut open = Vec::new();
    for hash in store.pending_batches().map_err(text)? {
        if sent.insert(hash) {
            open.push(store.batch(&hash).map_err(text)?);
        }
    }
    let now_ms = Settings::new("", LevelForm::Township).clock.now_ms();
    for part in open.chunks(BATCHES) {
        let frames = Device::full(part);
        let answer = device.exchange(district.address(), now_ms, part.len(), &frames, false);
        if answer.receipts().len() != part.len() {
            return Err(format!(
                "{} of {} batches",
                answer.receipts().len(),
                part.len()
            ));
        }
    }
    Ok(())
}
