//! What is hidden, who looked, and what is never saved.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "privacy/access.rs"]
mod access;
#[path = "privacy/look.rs"]
mod look;

use std::path::Path;
use std::sync::Mutex;

use wangge_agent::households::{HouseholdInput, MemberInput};
use wangge_agent::{Machine, Replica};
use wangge_wire::AreaCode;

const GRID: &str = "511724103202001";
/// Made up: no such region.
const ID: &str = "511799196709039075";

fn area(code: &str) -> AreaCode {
    AreaCode::parse(code).unwrap()
}

fn home(dir: &Path) -> Replica {
    Replica::init(dir, "李梅", vec![area(GRID)], machine()).unwrap()
}

/// Returns a clock that stands and dice that always fall alike: ids are hex, and hex of chance may
/// hold any six digits.
fn machine() -> Machine {
    let state = Mutex::new(7_u64);
    Machine {
        now_ms: Box::new(|| 1_795_000_000_000),
        fill: Box::new(move |bytes| {
            let mut state = state.lock().unwrap();
            for byte in bytes {
                *state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                *byte = (*state >> 56) as u8;
            }
            Ok(())
        }),
        ..Machine::default()
    }
}

fn family(name: &str, door: &str) -> HouseholdInput {
    HouseholdInput {
        door: door.into(),
        phone: Some("13812345678".into()),
        members: vec![MemberInput {
            name: name.into(),
            relation: Some("02".into()),
            birth: Some("1948-03".into()),
            ..MemberInput::default()
        }],
        ..HouseholdInput::default()
    }
}
