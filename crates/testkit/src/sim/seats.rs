//! Who sits where: the relays of a district, and the people and devices below each.

use wangge_relay::LevelForm;
use wangge_wire::Role;

use super::Shape;

/// Grids that devices work in; two of each village.
pub(super) const GRIDS: [&str; 4] = [
    "511724103202001",
    "511724103202002",
    "511724103203001",
    "511724103203002",
];
/// A grid that nobody works in.
pub(super) const NOBODYS: &str = "511724103204001";
/// The villages, and what is above them.
const VILLAGES: [&str; 2] = ["511724103202", "511724103203"];
const TOWNSHIP: &str = "511724103";
const COUNTY: &str = "511724";
/// The port of the first relay; those behind it have the next ones. Nothing listens there.
const FIRST_PORT: u16 = 9;

/// A relay of a district.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seat {
    /// Its folder.
    pub(super) folder: &'static str,
    /// What people call it.
    pub(super) name: &'static str,
    pub(super) level: LevelForm,
    pub(super) area: &'static str,
    /// Which relay is above it.
    pub(super) above: Option<usize>,
}

/// The one relay of a small district.
const ALONE: [Seat; 1] = [Seat {
    folder: "relay",
    name: "杨家镇",
    level: LevelForm::Township,
    area: TOWNSHIP,
    above: None,
}];

/// Two villages below a township below a county; who is below somebody comes before them.
const TREE: [Seat; 4] = [
    Seat {
        folder: "relay",
        name: "民主村",
        level: LevelForm::Village,
        area: VILLAGES[0],
        above: Some(2),
    },
    Seat {
        folder: "relay1",
        name: "光明村",
        level: LevelForm::Village,
        area: VILLAGES[1],
        above: Some(2),
    },
    Seat {
        folder: "relay2",
        name: "杨家镇",
        level: LevelForm::Township,
        area: TOWNSHIP,
        above: Some(3),
    },
    Seat {
        folder: "relay3",
        name: "大竹县",
        level: LevelForm::County,
        area: COUNTY,
        above: None,
    },
];

/// Returns the relays of a district.
pub(super) fn seats(shape: Shape) -> &'static [Seat] {
    if shape.is_tree() { &TREE } else { &ALONE }
}

/// Returns where a relay is said to be.
pub(super) fn url(relay: usize) -> String {
    format!("http://127.0.0.1:{}", usize::from(FIRST_PORT) + relay)
}

/// Returns which relay is said to be at a port.
pub(super) fn at_port(port: Option<u16>) -> usize {
    usize::from(port.unwrap_or(FIRST_PORT) - FIRST_PORT)
}

/// A member of a district.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) areas: Vec<&'static str>,
    /// The relay that the member usually syncs with.
    pub(super) home: usize,
}

/// Returns who has a device.
pub(super) fn member(shape: Shape, index: usize) -> Member {
    let (role, areas) = match index {
        0 => (Role::Station, vec![VILLAGES[0]]),
        1 => (Role::Worker, vec![GRIDS[0]]),
        2 => (Role::Worker, vec![GRIDS[0], GRIDS[1]]),
        3 => (Role::Township, vec![TOWNSHIP]),
        5 => (Role::Station, vec![VILLAGES[1]]),
        6 => (Role::County, vec![COUNTY]),
        n => {
            let shift = if shape.is_tree() { 2 } else { 0 };
            (Role::Worker, vec![GRIDS[(n + shift) % GRIDS.len()]])
        }
    };
    let village = usize::from(areas[0].starts_with(VILLAGES[1]));
    let home = match role {
        _ if !shape.is_tree() => 0,
        Role::Township => 2,
        Role::County => 3,
        // Some work in a village and sync with the township.
        _ if index > 8 && index % 5 == 4 => 2,
        _ => village,
    };
    Member {
        name: format!("网格员{index}"),
        role,
        areas,
        home,
    }
}
