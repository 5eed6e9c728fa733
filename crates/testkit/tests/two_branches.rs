//! Two branches of one tree of relays: who is told what of people and units of the other one.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use wangge_agent::households::{HouseholdInput, MemberInput};
use wangge_agent::tickets::{Step, TicketInput};
use wangge_agent::{AgentError, Machine, Replica};
use wangge_relay::{Clock, LevelForm, Settings};
use wangge_testkit::district::{District, sync, wait};
use wangge_testkit::work::visit;
use wangge_wire::{DocId, Role};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// 2026-12-01, nine in the morning in China, milliseconds since 1970.
const MORNING_MS: i64 = 1_796_086_800_000;

/// A relay, two below it, and the one clock that all of them and their devices read.
struct Fork {
    above: District,
    below: [District; 2],
    now_ms: Arc<AtomicI64>,
}

impl Fork {
    fn new(level: LevelForm, under: LevelForm, areas: [&str; 2]) -> Self {
        let fork = Self::apart(level, under);
        for (at, area) in areas.into_iter().enumerate() {
            fork.join(at, area);
        }
        fork
    }

    fn apart(level: LevelForm, under: LevelForm) -> Self {
        let now_ms = Arc::new(AtomicI64::new(MORNING_MS));
        let quiet = |name: &str, level| {
            let read = Arc::clone(&now_ms);
            District::with(Settings {
                upstream_every: None,
                clock: Clock::of(move || read.load(Ordering::SeqCst)),
                ..Settings::new(name, level)
            })
        };
        Self {
            above: quiet("上级", level),
            below: [quiet("甲", under), quiet("乙", under)],
            now_ms,
        }
    }

    fn villages() -> Self {
        let areas = [VILLAGE_1, VILLAGE_2];
        Self::new(LevelForm::Township, LevelForm::Village, areas)
    }

    fn join(&self, at: usize, area: &str) {
        let code = self.above.invite("下级", Role::Relay, &[area]);
        let url = format!("http://{}", self.above.address());
        wait(self.below[at].relay().join(&code, &url)).unwrap();
        self.meet(at);
    }

    fn meet(&self, at: usize) {
        wait(self.below[at].relay().meet_upstream()).unwrap();
    }

    fn settle(&self) {
        for at in [0, 1, 0, 1] {
            self.meet(at);
        }
    }

    fn days_pass(&self, days: i64) {
        self.now_ms.fetch_add(days * DAY_MS, Ordering::SeqCst);
    }

    fn home(&self, at: &District, name: &str, role: Role, areas: &[&str]) -> Replica {
        self.enrolled(at, name, &at.invite(name, role, areas))
    }

    fn enrolled(&self, at: &District, name: &str, code: &str) -> Replica {
        let read = Arc::clone(&self.now_ms);
        let machine = Machine {
            now_ms: Box::new(move || read.load(Ordering::SeqCst)),
            ..Machine::default()
        };
        let mut replica = Replica::init(&at.path().join(name), name, Vec::new(), machine).unwrap();
        let url = format!("http://{}", at.address());
        wait(replica.enroll(code, &url, name, None)).unwrap();
        replica
    }

    fn ms(&self) -> i64 {
        self.now_ms.load(Ordering::SeqCst)
    }
}

const COUNTY: &str = "511724";
const TOWNSHIP: &str = "511724103";
const TOWNSHIP_2: &str = "511724104";
const VILLAGE_1: &str = "511724103202";
const VILLAGE_2: &str = "511724103203";
const GRID_1: &str = "511724103202001";
const GRID_1B: &str = "511724103202002";
const GRID_2: &str = "511724103203001";

fn family(replica: &mut Replica, head: &str) -> DocId {
    let input = HouseholdInput {
        door: "1".into(),
        members: vec![MemberInput {
            name: head.into(),
            ..MemberInput::default()
        }],
        ..HouseholdInput::default()
    };
    replica.add_household(input).unwrap().id
}

fn ticket(replica: &mut Replica, subject: &str) -> String {
    let input = TicketInput {
        subject: subject.into(),
        ..TicketInput::default()
    };
    replica.open_ticket(input).unwrap().ticket.code
}

/// 李梅 and 王芳 with a grid each in the first village, and the township's desk; all is everywhere.
fn cast(fork: &Fork) -> (Replica, Replica, Replica) {
    let mut li = fork.home(&fork.below[0], "李梅", Role::Worker, &[GRID_1]);
    let mut wang = fork.home(&fork.below[0], "王芳", Role::Worker, &[GRID_1B]);
    family(&mut li, "龙国华");
    sync(&mut li).unwrap();
    sync(&mut wang).unwrap();
    fork.settle();
    let mut desk = fork.home(&fork.above, "周文", Role::Township, &[TOWNSHIP]);
    sync(&mut desk).unwrap();
    fork.settle();
    (li, wang, desk)
}

#[test]
fn a_village_is_told_that_its_worker_was_relieved_and_then_revoked_above() {
    let fork = Fork::villages();
    let (mut li, _, mut desk) = cast(&fork);
    wait(desk.hand_over("李梅", "王芳", &[], false)).unwrap();
    fork.settle();
    let rows = fork.below[0].relay().devices().unwrap();
    let row = rows.iter().find(|row| row.device == li.device()).unwrap();
    assert!(row.areas.is_empty(), "the village knows it too");
    fork.above
        .relay()
        .revoke(&li.device(), 9, fork.ms())
        .unwrap();
    fork.settle();
    assert!(matches!(sync(&mut li), Err(AgentError::Purged(_))));
    let others = fork.below[1].relay().devices().unwrap();
    assert!(
        others.iter().all(|row| row.device != li.device()),
        "and nobody else is told of somebody who never worked there"
    );
}

#[test]
fn what_a_village_took_of_a_relieved_worker_in_time_takes_its_place_above_later() {
    let fork = Fork::villages();
    let (mut li, _, mut desk) = cast(&fork);
    wait(desk.hand_over("李梅", "王芳", &[], false)).unwrap();
    let id = visit(&mut li, "龙国华");
    fork.settle();
    fork.days_pass(29);
    assert_eq!(sync(&mut li).unwrap().inbox, 0);
    fork.days_pass(2);
    fork.settle();
    assert!(fork.above.relay().inbox().unwrap().is_empty());
    sync(&mut desk).unwrap();
    assert!(desk.visit(&id).is_ok());
}

#[test]
fn two_villages_give_out_other_device_numbers_and_one_that_was_alone_keeps_its_own() {
    let fork = Fork::apart(LevelForm::Township, LevelForm::Village);
    let old = fork.home(&fork.below[0], "李梅", Role::Worker, &[GRID_1]);
    fork.join(0, VILLAGE_1);
    fork.join(1, VILLAGE_2);
    let desk = fork.home(&fork.above, "周文", Role::Township, &[TOWNSHIP]);
    // None of them has met the relay above since.
    let mut homes = vec![old, desk];
    for n in 0..4 {
        homes.push(fork.home(&fork.below[0], &format!("甲{n}"), Role::Worker, &[GRID_1]));
        homes.push(fork.home(&fork.below[1], &format!("乙{n}"), Role::Worker, &[GRID_2]));
    }
    let numbers = homes.iter().map(|it| it.status().unwrap().device_number);
    let mut numbers: Vec<u32> = numbers.flatten().collect();
    assert_eq!(numbers[0], 1);
    assert!(numbers.iter().all(|number| *number < 10_000));
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), homes.len());

    let codes = [ticket(&mut homes[2], "路灯"), ticket(&mut homes[3], "水管")];
    for home in &mut homes[2..4] {
        sync(home).unwrap();
    }
    fork.settle();
    sync(&mut homes[1]).unwrap();
    for code in &codes {
        assert!(homes[1].name_ticket(code).is_ok());
    }
}

#[test]
fn a_village_that_needs_more_numbers_is_given_more() {
    let fork = Fork::villages();
    let mut numbers = Vec::new();
    for n in 0..14 {
        let name = format!("甲{n}");
        let home = fork.home(&fork.below[0], &name, Role::Worker, &[GRID_1]);
        numbers.extend(home.status().unwrap().device_number);
        fork.meet(0);
    }
    assert!(numbers.iter().all(|number| *number < 10_000), "{numbers:?}");
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 14);
}

#[test]
fn the_villages_of_a_township_that_goes_below_a_county_get_numbers_of_its_own() {
    let fork = Fork::villages();
    let county = District::with(Settings::new("渠县", LevelForm::County));
    let url = format!("http://{}", county.address());
    let other = District::with(Settings {
        upstream_every: None,
        ..Settings::new("别的镇", LevelForm::Township)
    });
    for (district, area) in [(&other, TOWNSHIP_2), (&fork.above, TOWNSHIP)] {
        let code = county.invite("镇", Role::Relay, &[area]);
        wait(district.relay().join(&code, &url)).unwrap();
    }
    let code = other.invite("村", Role::Relay, &["511724104202"]);
    let theirs = District::with(Settings {
        upstream_every: None,
        ..Settings::new("别的村", LevelForm::Village)
    });
    let above = format!("http://{}", other.address());
    wait(theirs.relay().join(&code, &above)).unwrap();
    fork.settle();
    let mut numbers = Vec::new();
    for (at, district) in [&fork.below[0], &fork.below[1], &theirs].iter().enumerate() {
        let grid = ["511724103202001", "511724103203001", "511724104202001"][at];
        for n in 0..3 {
            let name = format!("{at}-{n}");
            let home = fork.home(district, &name, Role::Worker, &[grid]);
            numbers.extend(home.status().unwrap().device_number);
        }
    }
    let mut distinct = numbers.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), 9, "{numbers:?}");
}

#[test]
fn two_tickets_with_one_number_are_listed_for_the_person_to_choose() {
    let fork = Fork::apart(LevelForm::Township, LevelForm::Village);
    // Both took people in before they came below one relay.
    let mut li = fork.home(&fork.below[0], "李梅", Role::Worker, &[GRID_1]);
    let mut wang = fork.home(&fork.below[1], "王芳", Role::Worker, &[GRID_2]);
    let codes = [ticket(&mut li, "路灯不亮"), ticket(&mut wang, "水管漏水")];
    assert_eq!(codes[0], codes[1]);
    sync(&mut li).unwrap();
    sync(&mut wang).unwrap();
    fork.join(0, VILLAGE_1);
    fork.join(1, VILLAGE_2);
    let mut desk = fork.home(&fork.above, "周文", Role::Township, &[TOWNSHIP]);
    sync(&mut desk).unwrap();
    let Err(AgentError::Ambiguous { candidates, .. }) = desk.name_ticket(&codes[0]) else {
        panic!("neither may be taken for the other");
    };
    assert_eq!(candidates.len(), 2);
    for (id, line) in &candidates {
        assert_eq!(desk.name_ticket(id).unwrap().to_string(), *id);
        assert!(line.contains("路灯") || line.contains("水管"), "{line}");
    }
}

#[test]
fn what_a_unit_of_the_other_township_writes_reaches_the_township_that_asked() {
    let areas = [TOWNSHIP, TOWNSHIP_2];
    let fork = Fork::new(LevelForm::County, LevelForm::Township, areas);
    let mut li = fork.home(&fork.below[0], "李梅", Role::Worker, &[GRID_1]);
    let mut desk = fork.home(&fork.below[1], "周文", Role::Township, &[TOWNSHIP_2]);
    let unit = wait(desk.add_unit("水务站", TOWNSHIP_2, "")).unwrap().id;
    let invited = fork.below[1]
        .relay()
        .invite_unit("刘站长", &unit, fork.ms());
    let mut liu = fork.enrolled(&fork.below[1], "刘站长", &invited.unwrap().shown());
    let code = ticket(&mut li, "水管漏水");
    sync(&mut li).unwrap();
    fork.settle();
    let mut county = fork.home(&fork.above, "县台", Role::County, &[COUNTY]);
    sync(&mut county).unwrap();
    for kind in ["accept", "assign"] {
        let step = Step {
            kind: kind.into(),
            to: (kind == "assign").then(|| format!("unit:{unit}")),
            ..Step::default()
        };
        county.ticket_step(&code, &step).unwrap();
    }
    sync(&mut county).unwrap();
    fork.settle();
    sync(&mut liu).unwrap();
    let step = Step {
        kind: "start".into(),
        ..Step::default()
    };
    liu.ticket_step(&code, &step).unwrap();
    sync(&mut liu).unwrap();
    fork.meet(1);
    fork.meet(0);
    assert_eq!(
        fork.below[0].relay().counts().unwrap().changes,
        fork.above.relay().counts().unwrap().changes
    );
    let report = sync(&mut li).unwrap();
    assert_eq!(report.held, 0, "the device knows whose signature this is");
    let mine = li.tickets(&[], 100).unwrap();
    assert_eq!(mine[0].status, "in_progress");

    // Here the name means the office of here, whoever else is known by now.
    let mut desk = fork.home(&fork.below[0], "吴丹", Role::Township, &[TOWNSHIP]);
    sync(&mut desk).unwrap();
    assert_eq!(desk.unit_named("水务站").unwrap(), unit);
    let own = wait(desk.add_unit("水务站", TOWNSHIP, "")).unwrap().id;
    assert_eq!(desk.unit_named("水务站").unwrap(), own);
}
