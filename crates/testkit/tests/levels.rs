//! A village below a township below a county, three real relays: what is where, and who is told so.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use wangge_agent::Machine;
use wangge_agent::households::{HouseholdInput, MemberInput};
use wangge_agent::keys::Keys;
use wangge_agent::tickets::{Step, TicketInput};
use wangge_agent::{AgentError, Replica};
use wangge_relay::{LevelForm, Settings};
use wangge_testkit::district::{District, Yesterday, sync, wait};
use wangge_testkit::tree::{AREAS, Tree};
use wangge_testkit::work::{visit, visits};
use wangge_wire::{AreaCode, Role};

const GRID: &str = "511724103202001";

fn family(replica: &mut Replica, door: &str, head: &str) {
    let input = HouseholdInput {
        door: door.into(),
        members: vec![MemberInput {
            name: head.into(),
            ..MemberInput::default()
        }],
        ..HouseholdInput::default()
    };
    replica.add_household(input).unwrap();
}

/// Which levels have every change of a record, the lowest first.
fn reached(replica: &Replica, id: &str) -> Vec<&'static str> {
    let view = replica.receipts(id).unwrap();
    let levels = &view.changes[0].levels;
    let all = |at: usize| view.changes.iter().all(|change| change.levels[at].reached);
    (0..levels.len())
        .filter(|at| all(*at))
        .map(|at| levels[at].level)
        .collect()
}

fn all_safe(replica: &Replica) -> bool {
    replica.status().unwrap().all_safe
}

fn area(code: &str) -> AreaCode {
    AreaCode::parse(code).unwrap()
}

fn digest(replica: &mut Replica, code: &str) -> (bool, String) {
    let report = sync(replica).unwrap();
    let proof = &report.complete[&area(code)];
    (proof.equal, proof.digest.clone())
}

/// 李梅 at the village with one household, and the desks of township and county; all is everywhere.
fn cast(tree: &Tree) -> (Replica, Replica, Replica) {
    let mut li = tree.village.home("李梅", Role::Worker, &[GRID]);
    family(&mut li, "1", "龙国华");
    sync(&mut li).unwrap();
    tree.settle();
    sync(&mut li).unwrap();
    let mut town = tree.township.home("周文", Role::Township, &[AREAS[1]]);
    let mut county = tree.county.home("县台", Role::County, &[AREAS[0]]);
    tree.settle();
    for desk in [&mut town, &mut county] {
        let report = sync(desk).unwrap();
        assert_eq!(report.held, 0, "a desk knows whose signatures these are");
        assert_eq!(desk.store().counts().unwrap().households, 1);
    }
    (li, town, county)
}

#[test]
fn a_visit_climbs_level_by_level_and_is_safe_only_at_the_county() {
    let tree = Tree::new();
    let (mut li, mut town, mut county) = cast(&tree);
    assert!(all_safe(&li));

    let id = visit(&mut li, "龙国华");
    assert_eq!(reached(&li, &id), [""; 0]);
    sync(&mut li).unwrap();
    assert_eq!(reached(&li, &id), ["village"]);
    assert!(
        !all_safe(&li),
        "a receipt of the village is not the county's"
    );

    tree.village_meets().unwrap();
    assert_eq!(
        reached(&li, &id),
        ["village"],
        "nobody has told this device yet"
    );
    sync(&mut li).unwrap();
    assert_eq!(reached(&li, &id), ["village", "township"]);
    assert!(!all_safe(&li));
    assert!(!li.receipts(&id).unwrap().all_safe);

    tree.township_meets().unwrap();
    sync(&mut li).unwrap();
    assert_eq!(reached(&li, &id), ["village", "township"]);
    tree.village_meets().unwrap();
    sync(&mut li).unwrap();
    assert_eq!(reached(&li, &id), ["village", "township", "county"]);
    assert!(all_safe(&li));
    assert!(li.receipts(&id).unwrap().all_safe);

    for desk in [&mut town, &mut county] {
        let report = sync(desk).unwrap();
        assert_eq!((report.received, report.held), (1, 0));
        assert_eq!(desk.visit(&id).unwrap().by.name, "李梅");
    }
}

#[test]
fn what_the_county_assigns_is_on_the_village_device() {
    let tree = Tree::new();
    let (mut li, _, mut county) = cast(&tree);
    let input = TicketInput {
        subject: "路灯不亮".into(),
        ..TicketInput::default()
    };
    let code = li.open_ticket(input).unwrap().ticket.code;
    sync(&mut li).unwrap();
    tree.settle();
    sync(&mut county).unwrap();
    for kind in ["accept", "assign"] {
        let step = Step {
            kind: kind.into(),
            to: (kind == "assign").then(|| "李梅".into()),
            ..Step::default()
        };
        county.ticket_step(&code, &step).unwrap();
    }
    sync(&mut county).unwrap();
    tree.settle();
    let report = sync(&mut li).unwrap();
    assert_eq!(report.held, 0);
    let mine = li.tickets(&[], 100).unwrap();
    assert!(
        mine.iter()
            .any(|ticket| ticket.code == code && ticket.status == "assigned")
    );
}

#[test]
fn a_line_cut_anywhere_shows_honest_levels_and_the_next_meeting_ends_the_same() {
    let tree = Tree::new();
    let (mut li, mut town, _) = cast(&tree);
    visit(&mut li, "龙国华");
    sync(&mut li).unwrap();
    tree.to_township.take();
    tree.village_meets().unwrap();
    let (all_up, all_down) = tree.to_township.take();
    tree.settle();
    let never = u64::MAX;
    let cuts = (0..6).flat_map(|at| [(all_up * at / 6, never), (never, all_down * at / 6)]);
    for (up, down) in cuts {
        let id = visit(&mut li, "龙国华");
        sync(&mut li).unwrap();
        tree.to_township.cut_after(up, down);
        assert!(
            tree.village_meets().is_err(),
            "cut after {up} up, {down} down"
        );
        let view = tree.village.relay().upstream().unwrap().unwrap();
        assert!(!view.failure.is_empty());
        tree.to_township.cut_after(u64::MAX, u64::MAX);

        sync(&mut li).unwrap();
        let there = sync(&mut town).is_ok() && town.visit(&id).is_ok();
        let told = reached(&li, &id).contains(&"township");
        assert!(there || !told, "told to be there and is not: {up} {down}");
        assert!(!all_safe(&li));

        tree.settle();
        assert!(all_safe_after(&mut li));
        let counts = town_counts(&tree);
        tree.settle();
        assert_eq!(town_counts(&tree), counts, "nothing is numbered twice");
    }
    assert_eq!(digest(&mut li, GRID).1, digest(&mut town, AREAS[1]).1);
}

fn all_safe_after(replica: &mut Replica) -> bool {
    sync(replica).unwrap();
    all_safe(replica)
}

fn town_counts(tree: &Tree) -> (u64, u64) {
    let counts = tree.township.relay().counts().unwrap();
    (counts.entries, counts.changes)
}

#[test]
fn one_evening_at_the_county_sends_and_fetches_exactly_what_is_missing() {
    let tree = Tree::new();
    let (mut li, _, mut county) = cast(&tree);
    for door in 2..120 {
        family(&mut li, &door.to_string(), &format!("王小{door}"));
    }
    sync(&mut li).unwrap();
    tree.settle();
    sync(&mut li).unwrap();
    sync(&mut county).unwrap();

    // The village has no link up: one visit is there and no further, another on the device only.
    let at_village = visit(&mut li, "龙国华");
    sync(&mut li).unwrap();
    let on_device = visit(&mut li, "王小3");
    let from_county = visit(&mut county, "王小4");
    sync(&mut county).unwrap();

    let url = format!("http://{}", tree.county.address());
    let report = wait(li.sync_at(&url)).unwrap();
    assert!(report.complete[&area(GRID)].equal);
    assert_eq!(report.received, 1);
    let mut fresh = tree.county.home("新来", Role::Worker, &[GRID]);
    let whole = sync(&mut fresh).unwrap().bytes_down;
    assert!(
        report.bytes_down * 3 < whole * 2,
        "what it had is not sent again: {} of {whole} bytes",
        report.bytes_down
    );
    assert!(li.visit(&from_county).is_ok());
    sync(&mut county).unwrap();
    for id in [&at_village, &on_device] {
        assert!(county.visit(id).is_ok());
        assert!(reached(&li, id).contains(&"county"));
    }
    assert!(all_safe(&li), "all of it is at the county");

    let at_county = tree.county.relay().counts().unwrap().changes;
    tree.settle();
    assert_eq!(tree.county.relay().counts().unwrap().changes, at_county);
    let report = sync(&mut li).unwrap();
    assert_eq!((report.sent, report.held), (0, 0));
    assert!(report.complete[&area(GRID)].equal);
    let changes = |district: &District| district.relay().counts().unwrap().changes;
    assert_eq!(changes(&tree.village), changes(&tree.township));
    assert_eq!(changes(&tree.township), changes(&tree.county));
    for id in [&at_village, &on_device, &from_county] {
        assert_eq!(reached(&li, id), ["village", "township", "county"]);
    }

    // The second evening goes by the cursor.
    visit(&mut county, "王小5");
    sync(&mut county).unwrap();
    let report = wait(li.sync_at(&url)).unwrap();
    assert_eq!(report.received, 1);
    assert!(report.repair.is_none());
}

#[test]
fn a_relay_of_another_tree_gets_nothing() {
    let tree = Tree::new();
    let (mut li, ..) = cast(&tree);
    let other = District::new();
    visit(&mut li, "龙国华");
    let url = format!("http://{}", other.address());
    let refused = wait(li.sync_at(&url));
    assert!(matches!(refused, Err(AgentError::UnknownRelay { .. })));
    assert_eq!(other.relay().counts().unwrap().changes, 0);
}

#[test]
fn what_stands_in_an_inbox_above_is_never_safe_and_blocks_nothing_behind_it() {
    let tree = Tree::new();
    let (mut li, _, _) = cast(&tree);
    let mut desk = tree.village.home("陈站长", Role::Station, &[AREAS[2]]);
    sync(&mut desk).unwrap();
    tree.settle();
    // The township has taken the device out, and the village does not know yet.
    let now_ms = Settings::new("", LevelForm::County).clock.now_ms();
    tree.township
        .relay()
        .revoke(&li.device(), 0, now_ms)
        .unwrap();
    let late = visit(&mut li, "龙国华");
    sync(&mut li).unwrap();
    let behind = visit(&mut desk, "龙国华");
    sync(&mut desk).unwrap();
    tree.settle();
    sync(&mut desk).unwrap();

    let view = desk.receipts(&late).unwrap();
    assert_eq!(view.changes[0].state, "inbox_above");
    assert!(!view.all_safe);
    assert_eq!(reached(&desk, &late), ["village"]);
    assert_eq!(tree.township.relay().inbox().unwrap().len(), 1);
    assert_eq!(reached(&desk, &behind), ["village", "township", "county"]);
    assert!(matches!(sync(&mut li), Err(AgentError::Purged(_))));
}

#[test]
fn a_township_put_back_from_a_backup_gets_everything_again() {
    let mut tree = Tree::new();
    let (mut li, mut town, _) = cast(&tree);
    let backup = tree.township.path().join("backup");
    tree.township.stop();
    copy(&tree.township.relay_dir(), &backup);
    tree.township.start();
    let ids: Vec<String> = (0..3).map(|_| visit(&mut li, "龙国华")).collect();
    sync(&mut li).unwrap();
    tree.village_meets().unwrap();
    let before = town_counts(&tree).1;
    tree.township.stop();
    copy(&backup, &tree.township.relay_dir());
    tree.township.start();
    assert_eq!(town_counts(&tree).1, before - 3);

    let met = tree.village_meets().unwrap();
    let met = if met.complete {
        met
    } else {
        tree.village_meets().unwrap()
    };
    assert!(met.complete);
    assert_eq!(town_counts(&tree).1, before);
    sync(&mut town).unwrap();
    for id in &ids {
        assert!(town.visit(id).is_ok());
    }
    tree.settle();
    assert!(all_safe_after(&mut li));
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    let _ = std::fs::remove_dir_all(to);
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        if file.file_type().unwrap().is_file() {
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
}

#[test]
fn a_village_that_joins_late_hands_up_all_it_has_and_its_devices_go_on() {
    let tree = Tree::apart();
    let mut li = tree.village.home("李梅", Role::Worker, &[GRID]);
    family(&mut li, "1", "龙国华");
    let id = visit(&mut li, "龙国华");
    sync(&mut li).unwrap();
    assert!(all_safe(&li), "there is one level");
    tree.join();
    sync(&mut li).unwrap();
    assert_eq!(reached(&li, &id), ["village", "township", "county"]);
    assert!(all_safe(&li));
    let mut county = tree.county.home("县台", Role::County, &[AREAS[0]]);
    sync(&mut county).unwrap();
    assert!(county.visit(&id).is_ok());
}

#[test]
fn a_relay_invites_nobody_past_its_areas_and_goes_below_no_equal() {
    let tree = Tree::new();
    let new = |areas: &str, role| wangge_relay::NewInvitation {
        name: "李梅".into(),
        role,
        areas: vec![area(areas)],
    };
    let village = tree.village.relay();
    assert!(village.invite(&new(GRID, Role::Worker), 0).is_ok());
    assert!(
        village
            .invite(&new("511724104201", Role::Worker), 0)
            .is_err()
    );
    assert!(village.invite(&new(AREAS[2], Role::Relay), 0).is_err());
    let other = District::new();
    let code = other.invite("镇", Role::Relay, &["511724104201"]);
    let url = format!("http://{}", other.address());
    assert!(wait(tree.county.relay().join(&code, &url)).is_err());
}

/// The village's own link, with nobody to call it: news goes up, and comes down again.
#[test]
fn a_relay_that_serves_meets_the_one_above_by_itself_when_there_is_news() {
    let township = District::with(Settings::new("杨家镇", LevelForm::Township));
    let code = township.invite("民主村", Role::Relay, &[AREAS[2]]);
    let url = format!("http://{}", township.address());
    let mut village = District::with(Settings::new("民主村", LevelForm::Village));
    // Joined while it does not serve: when it starts it has somebody to meet.
    village.stop();
    wait(village.relay().join(&code, &url)).unwrap();
    village.start();
    let mut li = village.home("李梅", Role::Worker, &[GRID]);
    family(&mut li, "1", "龙国华");
    let id = visit(&mut li, "龙国华");
    // Each sync is a chance to be told; without the link no number of them would be enough.
    let told = (0..2_000).any(|_| {
        sync(&mut li).unwrap();
        reached(&li, &id).contains(&"township")
    });
    assert!(told);
    assert!(all_safe(&li));
}

#[test]
fn an_entry_keeps_the_time_at_which_the_first_relay_received_it() {
    let tree = Tree::new();
    let (mut li, mut town, mut county) = cast(&tree);
    let up = visit(&mut li, "龙国华");
    sync(&mut li).unwrap();
    tree.settle();
    let down = visit(&mut county, "龙国华");
    sync(&mut county).unwrap();
    tree.settle();
    sync(&mut li).unwrap();
    sync(&mut town).unwrap();
    sync(&mut county).unwrap();
    let first = |district: &District, replica: &Replica, id: &str| {
        let change = replica.receipts(id).unwrap().changes[0].hash.clone();
        let entry = district.relay().entry_times(&change.parse().unwrap());
        entry.unwrap().unwrap().0
    };
    for (id, writer) in [(&up, &li), (&down, &county)] {
        let times = [
            first(&tree.village, writer, id),
            first(&tree.township, writer, id),
            first(&tree.county, writer, id),
        ];
        assert_eq!(times[0], times[1]);
        assert_eq!(times[1], times[2]);
    }
}

#[test]
fn people_who_are_met_in_two_villages_are_hashed_with_one_key() {
    let tree = Tree::apart();
    let before = tree.village.home("李梅", Role::Worker, &[GRID]);
    tree.join();
    let after = tree.village.home("王芳", Role::Worker, &[GRID]);
    let desk = tree.township.home("周文", Role::Township, &[AREAS[1]]);
    let county = tree.county.home("县台", Role::County, &[AREAS[0]]);
    let key = |replica: &Replica| {
        let keys = Keys::open(replica.dir(), &Machine::default());
        keys.unwrap().id().name()
    };
    assert_ne!(key(&before), key(&after));
    assert_eq!(key(&after), key(&desk));
    assert_eq!(key(&desk), key(&county));
}

#[test]
fn what_was_handed_over_leaves_only_once_the_highest_level_has_what_was_made_of_it() {
    let mut tree = Tree::new();
    let [_, town, _] = AREAS;
    let mut li = tree.village.home("李梅", Role::Worker, &[GRID]);
    let mut wang = tree
        .village
        .home("王芳", Role::Worker, &["511724103202002"]);
    let mut desk = tree.township.home("周敏", Role::Township, &[town]);
    wangge_testkit::work::family(&mut li, "3-12");
    sync(&mut li).unwrap();
    tree.settle();
    sync(&mut li).unwrap();
    sync(&mut desk).unwrap();
    wait(desk.hand_over("李梅", "王芳", &[], false)).unwrap();
    tree.settle();
    let yesterday = Yesterday::keep(&mut tree.village);
    visit(&mut li, "3-12");
    let report = sync(&mut li).unwrap();
    assert_eq!((report.handed_over, report.hand_over_waits), (0, 1));
    assert!(!li.status().unwrap().all_safe, "only the village has it");
    // The village is lost, and what was there yesterday is put back: the device still has it.
    yesterday.return_to(&mut tree.village);
    for _ in 0..4 {
        sync(&mut li).unwrap();
        tree.settle();
        sync(&mut wang).unwrap();
    }
    assert_eq!((visits(&wang), visits(&li)), (1, 0));
    assert!(li.status().unwrap().all_safe);
}
