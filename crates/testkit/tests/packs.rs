//! A first download as packs: the same documents as by pages, resumed at any byte, and nothing concluded
//! before it is proven.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::sync::{Arc, Mutex};

use wangge_agent::households::{HouseholdInput, MemberInput};
use wangge_agent::tickets::{Step, TicketInput};
use wangge_agent::visits::VisitInput;
use wangge_agent::{AgentError, Replica};
use wangge_relay::{LevelForm, Packs, Settings};
use wangge_testkit::district::{District, sync, wait};
use wangge_testkit::sealed::{connection, key_of};
use wangge_testkit::wire_tap::WireTap;
use wangge_testkit::work::is_whole;
use wangge_wire::{AreaCode, Role};

const VILLAGE: &str = "511724103202";
const GRID: &str = "511724103202001";
const OTHER: &str = "511724103202002";
/// Households of a grid: with their books as many documents as packs begin at, and more.
const HOUSEHOLDS: usize = 80;

fn family(replica: &mut Replica, door: &str) -> String {
    let input = HouseholdInput {
        door: door.into(),
        members: vec![MemberInput {
            name: "张建国".into(),
            ..MemberInput::default()
        }],
        ..HouseholdInput::default()
    };
    replica.add_household(input).unwrap().id.to_string()
}

fn visit(replica: &mut Replica, household: &str, note: &str) {
    let input = VisitInput {
        household: household.into(),
        note: note.into(),
        ..VisitInput::default()
    };
    replica.add_visit(input).unwrap();
}

fn village(district: &District) -> Replica {
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    for n in 0..HOUSEHOLDS {
        let door = format!("3-{}", n + 1);
        family(&mut li, &door);
        visit(&mut li, &door, &format!("第{n}次走访，一切正常"));
        visit(&mut li, &door, &format!("血压高，下周{n}再来"));
    }
    assert!(is_whole(&sync(&mut li).unwrap()));
    li
}

fn make(district: &District) {
    district.relay().make_packs(&Packs::default()).unwrap();
}

/// Both hold the same documents, and their screens say the same.
fn assert_same(one: &Replica, other: &Replica, area: &str) {
    let area = AreaCode::parse(area).unwrap();
    let heads = |replica: &Replica| replica.store().heads(&area).unwrap();
    assert_eq!(heads(one), heads(other));
    let visits = |replica: &Replica| replica.visits(None, usize::MAX).unwrap().len();
    assert_eq!(visits(one), visits(other));
    assert_eq!(
        one.store().counts().unwrap().households,
        other.store().counts().unwrap().households
    );
}

#[test]
fn a_desk_that_takes_packs_holds_what_one_that_read_pages_holds() {
    let district = District::new();
    let mut li = village(&district);
    let mut by_pages = district.home("王芳", Role::Station, &[VILLAGE]);
    assert!(is_whole(&sync(&mut by_pages).unwrap()));
    make(&district);
    // A tail behind the packs.
    visit(&mut li, "3-7", "packs 之后");
    family(&mut li, "3-999");
    sync(&mut li).unwrap();

    let mut desk = district.home("陈站长", Role::Station, &[VILLAGE]);
    let report = sync(&mut desk).unwrap();
    assert!(is_whole(&report), "{report:?}");
    let packs = report.packs.unwrap();
    assert_eq!(
        (packs.documents, packs.manifests),
        (2 * HOUSEHOLDS as u64, 1)
    );
    assert!(packs.frames > 0 && packs.bytes < report.bytes_down);
    assert_eq!(report.round_trips, 3, "what there is, the frames, the tail");
    assert_eq!(report.repair, None);
    sync(&mut by_pages).unwrap();
    assert_same(&desk, &by_pages, VILLAGE);
    assert_same(&desk, &li, GRID);

    // It goes on as if it had read pages: what others write fits, and what it writes fits elsewhere.
    visit(&mut li, "3-8", "还好");
    sync(&mut li).unwrap();
    visit(&mut desk, "3-8", "站里也去了");
    visit(&mut desk, "3-9", "站里去的");
    assert!(is_whole(&sync(&mut desk).unwrap()));
    assert!(is_whole(&sync(&mut li).unwrap()));
    assert_same(&desk, &li, GRID);
    let history = desk.history("3-8").unwrap();
    assert!(
        history
            .changes
            .iter()
            .all(|change| !change.by.name.is_empty())
    );
    let receipts = desk.receipts("3-8").unwrap();
    assert!(receipts.all_safe, "{receipts:?}");
}

#[test]
fn a_first_download_tells_how_far_it_is_until_all_is_here() {
    let district = District::new();
    village(&district);
    make(&district);
    let mut desk = district.home("陈站长", Role::Station, &[VILLAGE]);
    let told = Arc::new(Mutex::new(Vec::new()));
    let tells = Arc::clone(&told);
    desk.watch(Box::new(move |here, all| {
        tells.lock().unwrap().push((here, all))
    }));
    let report = sync(&mut desk).unwrap();
    let told = told.lock().unwrap();
    assert!(told.is_sorted(), "{told:?}");
    let bytes = report.packs.unwrap().bytes;
    assert_eq!(told.last(), Some(&(bytes, bytes)));
}

#[test]
fn a_small_village_is_read_by_pages_in_one_round_trip() {
    let district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    family(&mut li, "3-1");
    sync(&mut li).unwrap();
    make(&district);
    let mut desk = district.home("陈站长", Role::Station, &[VILLAGE]);
    let report = sync(&mut desk).unwrap();
    assert_eq!((report.packs, report.round_trips), (None, 1));
    assert!(is_whole(&report));
}

#[test]
fn a_line_cut_at_any_byte_fetches_nothing_twice_and_ends_the_same() {
    let district = District::new();
    let li = village(&district);
    make(&district);
    let tap = WireTap::to(district.address());
    let mut desk = district.home_at("陈站长", Role::Station, &[VILLAGE], &tap.url());
    tap.take();
    let mut whole = district.home_at("王芳", Role::Station, &[VILLAGE], &tap.url());
    tap.take();
    sync(&mut whole).unwrap();
    let (_, uncut) = tap.take();

    let mut down = 0;
    let mut cuts = 0;
    let report = loop {
        // Each time as far as a tenth further: head, frames, tail.
        tap.cut_after(u64::MAX, uncut / 10 + 700);
        let outcome = sync(&mut desk);
        down += tap.take().1;
        match outcome {
            Ok(report) => break report,
            Err(AgentError::NoLink { .. }) => cuts += 1,
            Err(error) => panic!("{error:?}"),
        }
        assert!(cuts < 40, "it goes on");
    };
    assert!(cuts > 3, "{cuts}");
    assert!(is_whole(&report));
    // What is said again at each attempt is a few headers; the manifest is told once.
    assert!(down < uncut + cuts * 900, "{down} of {uncut} in {cuts}");
    assert_same(&desk, &li, GRID);
}

#[test]
fn what_came_of_a_frame_and_was_damaged_here_costs_one_sync() {
    let district = District::new();
    let li = village(&district);
    make(&district);
    let tap = WireTap::to(district.address());
    let mut desk = district.home_at("陈站长", Role::Station, &[VILLAGE], &tap.url());
    tap.cut_after(u64::MAX, 9_000);
    sync(&mut desk).unwrap_err();
    tap.cut_after(u64::MAX, u64::MAX);
    let damaged = connection(desk.store().path(), &key_of(desk.dir()))
        .execute(
            "UPDATE pack_frame SET part = zeroblob(length(part)) WHERE part <> x''",
            [],
        )
        .unwrap();
    assert_eq!(damaged, 1);
    let strange = sync(&mut desk).unwrap_err();
    assert!(
        matches!(strange, AgentError::StrangeAnswer { .. }),
        "{strange:?}"
    );
    assert!(is_whole(&sync(&mut desk).unwrap()));
    assert_same(&desk, &li, GRID);
}

#[test]
fn nothing_is_due_before_an_area_is_proven_complete() {
    let district = District::new();
    village(&district);
    make(&district);
    let tap = WireTap::to(district.address());
    let mut desk = district.home_at("陈站长", Role::Station, &[VILLAGE], &tap.url());
    let mut whole = district.home_at("王芳", Role::Station, &[VILLAGE], &tap.url());
    tap.take();
    sync(&mut whole).unwrap();
    let (_, uncut) = tap.take();
    // Everything but the end has come.
    tap.cut_after(u64::MAX, uncut - 40);
    sync(&mut desk).unwrap_err();
    assert_eq!(desk.store().counts().unwrap().households, HOUSEHOLDS as u64);
    let due = desk.due(desk.today(), None).unwrap();
    assert!(due.rows.is_empty() && !due.incomplete.is_empty(), "{due:?}");
    tap.cut_after(u64::MAX, u64::MAX);
    assert!(is_whole(&sync(&mut desk).unwrap()));
    assert!(desk.due(desk.today(), None).unwrap().incomplete.is_empty());
}

#[test]
fn what_was_recorded_before_the_packs_came_stays_and_joins_them() {
    let district = District::new();
    let mut li = village(&district);
    make(&district);
    // Before it ever synced this device registers a family that is in the packs, and another one.
    let mut sun = district.home("孙丽", Role::Worker, &[GRID]);
    family(&mut sun, "3-1");
    visit(&mut sun, "3-1", "孙丽先记的");
    family(&mut sun, "5-5");
    let report = sync(&mut sun).unwrap();
    assert!(report.packs.is_some() && is_whole(&report), "{report:?}");
    sync(&mut li).unwrap();
    assert_same(&sun, &li, GRID);
    assert_eq!(sun.visits(None, 1_000).unwrap().len(), 2 * HOUSEHOLDS + 1);
    assert!(sun.receipts("5-5").unwrap().all_safe);
}

#[test]
fn frames_that_were_taken_are_not_fetched_again_when_the_log_is_another_one() {
    let mut district = District::new();
    let mut li = village(&district);
    make(&district);
    let mut desk = district.home("陈站长", Role::Station, &[VILLAGE]);
    sync(&mut desk).unwrap();
    district.stop();
    let kept = district.path().join("kept.db");
    std::fs::copy(district.relay_dir().join("relay.db"), &kept).unwrap();
    district.start();
    visit(&mut li, "3-3", "回退前");
    sync(&mut li).unwrap();
    sync(&mut desk).unwrap();
    district.stop();
    for name in ["relay.db-wal", "relay.db-shm"] {
        let _ = std::fs::remove_file(district.relay_dir().join(name));
    }
    std::fs::copy(&kept, district.relay_dir().join("relay.db")).unwrap();
    district.start();
    make(&district);
    visit(&mut li, "3-4", "回退后");
    sync(&mut li).unwrap();
    let report = sync(&mut desk).unwrap();
    let packs = report.packs.unwrap();
    assert_eq!((packs.frames, packs.bytes), (0, 0), "all of them are here");
    assert!(is_whole(&report), "{report:?}");
    assert!(is_whole(&sync(&mut li).unwrap()));
    assert_same(&desk, &li, GRID);
}

#[test]
fn what_only_a_desk_has_as_packs_is_said_to_be_only_there_until_its_author_comes() {
    let mut district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[GRID]);
    family(&mut li, "3-900");
    sync(&mut li).unwrap();
    district.stop();
    let kept = district.path().join("kept.db");
    std::fs::copy(district.relay_dir().join("relay.db"), &kept).unwrap();
    district.start();
    for n in 0..HOUSEHOLDS {
        family(&mut li, &format!("3-{}", n + 1));
    }
    sync(&mut li).unwrap();
    make(&district);
    let mut desk = district.home("陈站长", Role::Station, &["511724103202"]);
    assert!(sync(&mut desk).unwrap().packs.is_some());
    let households = desk.store().counts().unwrap().households;
    // The relay is put back to before almost everything, and to before the desk was enrolled.
    district.stop();
    for name in [
        "relay.db-wal",
        "relay.db-shm",
        "packs.db",
        "packs.db-wal",
        "packs.db-shm",
    ] {
        let _ = std::fs::remove_file(district.relay_dir().join(name));
    }
    std::fs::copy(&kept, district.relay_dir().join("relay.db")).unwrap();
    district.start();
    assert!(sync(&mut desk).is_err(), "it is not known there any more");
    assert_eq!(
        desk.store().counts().unwrap().households,
        households,
        "and loses nothing"
    );
    let report = sync(&mut li).unwrap();
    assert!(is_whole(&report), "{report:?}");
    assert_eq!(report.repair.unwrap().given_back, HOUSEHOLDS);
}

#[test]
fn a_ticket_in_a_pack_brings_when_it_came_and_its_authors_word() {
    let district = District::new();
    let mut li = village(&district);
    let ticket = TicketInput {
        subject: "办理高龄补贴".into(),
        household: Some("3-2".into()),
        ..TicketInput::default()
    };
    let code = li.open_ticket(ticket).unwrap().ticket.code;
    sync(&mut li).unwrap();
    let mut by_pages = district.home("王芳", Role::Township, &["511724103"]);
    sync(&mut by_pages).unwrap();
    make(&district);
    let mut desk = district.home("陈站长", Role::Station, &[VILLAGE]);
    let report = sync(&mut desk).unwrap();
    assert!(report.packs.is_some() && is_whole(&report));
    let shown = desk.ticket(&code).unwrap();
    let arrivals = desk.store().first_arrivals(&shown.id).unwrap();
    assert_eq!(
        arrivals,
        by_pages.store().first_arrivals(&shown.id).unwrap()
    );
    assert!(!arrivals.is_empty());
    let due = |replica: &Replica| {
        let level = replica.ticket(&code).unwrap().clock.unwrap().level.unwrap();
        (level.from_ms, level.due_ms)
    };
    assert_eq!(due(&desk), due(&by_pages));
    let accept = Step {
        kind: "accept".into(),
        ..Step::default()
    };
    desk.ticket_step(&code, &accept).unwrap();
    sync(&mut desk).unwrap();
    sync(&mut by_pages).unwrap();
    let status = |replica: &Replica| replica.ticket(&code).unwrap().status;
    assert_eq!(status(&by_pages), status(&desk));
}

#[test]
fn what_a_pack_brought_is_handed_over_like_everything_else() {
    let district = District::new();
    village(&district);
    make(&district);
    let mut desk = district.home("陈站长", Role::Station, &[VILLAGE]);
    sync(&mut desk).unwrap();
    let mut zhou = district.home("周强", Role::Worker, &[OTHER]);
    sync(&mut zhou).unwrap();
    sync(&mut desk).unwrap();
    wait(desk.hand_over("李梅", "周强", &[GRID.to_owned()], false)).unwrap();
    make(&district);
    let report = sync(&mut zhou).unwrap();
    assert!(is_whole(&report), "{report:?}");
    assert!(report.packs.is_some());
    assert_same(&zhou, &desk, GRID);
    // And back: the device lets go of documents that only a pack brought, and takes them again.
    wait(desk.hand_over("周强", "李梅", &[GRID.to_owned()], false)).unwrap();
    let report = sync(&mut zhou).unwrap();
    assert_eq!(zhou.store().counts().unwrap().households, 0, "{report:?}");
    wait(desk.hand_over("李梅", "周强", &[GRID.to_owned()], false)).unwrap();
    make(&district);
    assert!(is_whole(&sync(&mut zhou).unwrap()));
    assert_same(&zhou, &desk, GRID);
}

#[test]
fn a_relay_without_packs_is_read_by_pages() {
    let settings = Settings::new("杨家镇", LevelForm::Township);
    assert!(settings.packs.is_none());
    let district = District::with(settings);
    let li = village(&district);
    let mut desk = district.home("陈站长", Role::Station, &[VILLAGE]);
    let report = sync(&mut desk).unwrap();
    assert_eq!((report.packs, report.round_trips), (None, 1));
    assert!(is_whole(&report));
    assert_same(&desk, &li, GRID);
}

#[test]
fn a_device_that_gained_a_grid_goes_on_where_its_line_was_cut() {
    let district = District::new();
    let mut li = village(&district);
    for n in 0..6 * HOUSEHOLDS {
        // Texts that do not repeat: some pages of them.
        let mark = n.wrapping_mul(2_654_435_761) % 1_000_000_007;
        visit(
            &mut li,
            &format!("3-{}", n % HOUSEHOLDS + 1),
            &format!("编号{mark}"),
        );
    }
    sync(&mut li).unwrap();
    let tap = WireTap::to(district.address());
    let mut desk = district.home("陈站长", Role::Station, &[VILLAGE]);
    let mut zhou = district.home_at("周强", Role::Worker, &[OTHER], &tap.url());
    sync(&mut zhou).unwrap();
    sync(&mut desk).unwrap();
    wait(desk.hand_over("李梅", "周强", &[GRID.to_owned()], false)).unwrap();
    tap.take();
    let (mut cuts, mut down) = (0, 0);
    loop {
        // Two pages at the most, of a log without packs.
        tap.cut_after(u64::MAX, 24_000);
        let outcome = sync(&mut zhou);
        down += tap.take().1;
        match outcome {
            Ok(report) if is_whole(&report) => break,
            Ok(_) | Err(AgentError::NoLink { .. }) => cuts += 1,
            Err(error) => panic!("{error:?}"),
        }
        assert!(cuts < 30, "it goes on: {down} bytes so far");
    }
    assert!(cuts > 1, "{down}");
    assert_same(&zhou, &desk, GRID);
}

#[test]
fn what_a_download_will_cost_is_said_before_it_begins_and_changes_nothing() {
    let district = District::new();
    village(&district);
    let mut desk = district.home("陈站长", Role::Station, &[VILLAGE]);
    let before = wait(desk.plan_sync()).unwrap();
    assert!(before.first && before.download.is_none(), "no packs yet");
    make(&district);
    let plan = wait(desk.plan_sync()).unwrap();
    let cost = plan.download.unwrap();
    assert_eq!(desk.store().counts().unwrap().households, 0);
    assert_eq!(cost.seconds, None, "no line was seen yet");
    let packs = sync(&mut desk).unwrap().packs.unwrap();
    assert_eq!((cost.documents, cost.bytes), (packs.documents, packs.bytes));
    let after = wait(desk.plan_sync()).unwrap();
    assert!(!after.first && after.download.is_none());

    district.home("周强", Role::Worker, &[OTHER]);
    sync(&mut desk).unwrap();
    let areas = [GRID.to_owned()];
    let shown = wait(desk.hand_over("李梅", "周强", &areas, true)).unwrap();
    assert_eq!(shown.download.unwrap().documents, 2 * HOUSEHOLDS as u64);
    let done = wait(desk.hand_over("李梅", "周强", &areas, false)).unwrap();
    assert_eq!((done.dry_run, done.download), (false, None));
}
