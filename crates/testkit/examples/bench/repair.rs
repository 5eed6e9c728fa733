//! What it costs to find a hundred differences among 350,000 changes: symbols and questions.
//!
//! Both sides are made of names alone, by the functions that device and relay use, and asked as they
//! ask. **Bytes and questions are exact**; the time is that of making one side's symbols.

use std::collections::BTreeMap;
use std::time::Instant;

use wangge_sync::riblt;
use wangge_wire::repair::fingerprint;
use wangge_wire::{ChangeHash, DocId};

use super::Outcome;

const CHANGES: u64 = 350_000;
const DIFFERENCES: u64 = 100;
const RUNS: u32 = 21;

pub(super) fn repair() -> Result<Outcome, String> {
    let mut bytes = Vec::new();
    let (mut questions, mut most, mut ms) = (0_u32, 0, Vec::new());
    for run in 0..RUNS {
        let key = u64::from(run) + 1;
        let all: Vec<u64> = (0..CHANGES).map(|n| named(key, n)).collect();
        // Every third difference is the device's, the others are the relay's.
        let scattered = |n: u64| n % (CHANGES / DIFFERENCES) == 17;
        let side = |device: bool| {
            let has = move |n: &u64| !scattered(*n) || n.is_multiple_of(3) == device;
            (0..CHANGES)
                .filter(has)
                .filter_map(|n| all.get(usize::try_from(n).unwrap_or(usize::MAX)).copied())
                .collect::<Vec<u64>>()
        };
        let (device, relay) = (side(true), side(false));
        let mut count = riblt::enough(device.len().abs_diff(relay.len()));
        let mut sent;
        let mut asked = 0;
        loop {
            asked += 1;
            let began = Instant::now();
            let theirs = riblt::symbols(relay.iter().copied(), count);
            ms.push(began.elapsed().as_secs_f64() * 1000.0);
            // A further question brings only what is new.
            sent = riblt::to_bytes(&theirs).len();
            let ours = riblt::symbols(device.iter().copied(), count);
            match riblt::difference(&theirs, &ours) {
                Some(found) => {
                    let told = found.ours.len() + found.theirs.len();
                    if told as u64 != DIFFERENCES {
                        return Err(format!("{told} differences were found"));
                    }
                    break;
                }
                None => count = riblt::more(count),
            }
        }
        bytes.push(sent);
        most = most.max(sent);
        questions = questions.max(asked);
    }
    bytes.sort_unstable();
    ms.sort_by(f64::total_cmp);
    let median = bytes.get(bytes.len() / 2).copied().unwrap_or_default();
    Ok(Outcome {
        value: median as f64,
        runs: RUNS,
        extra: BTreeMap::from([
            ("changes", CHANGES as f64),
            ("differences", DIFFERENCES as f64),
            ("most_bytes", most as f64),
            ("most_questions", f64::from(questions)),
            (
                "symbols_ms",
                ms.get(ms.len() / 2).copied().unwrap_or_default(),
            ),
        ]),
    })
}

fn named(key: u64, n: u64) -> u64 {
    let mut doc = [0; 16];
    doc.iter_mut()
        .zip((n / 13).to_le_bytes())
        .for_each(|(to, from)| *to = from);
    let mut hash = [0; 32];
    hash.iter_mut()
        .zip(n.to_le_bytes())
        .for_each(|(to, from)| *to = from);
    fingerprint(key, &DocId(doc), &ChangeHash(hash))
}
