//! A device that does not meet its relay shows other people's data for so long, and records for ever.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use wangge_agent::lease::CodeRefused;
use wangge_agent::reports::ReportInput;
use wangge_agent::tickets::TicketInput;
use wangge_agent::visits::VisitInput;
use wangge_agent::{AgentError, Machine, Replica};
use wangge_testkit::district::{sync, wait};
use wangge_testkit::town::Town;
use wangge_testkit::work::{family, visit};
use wangge_wire::Role;

const VILLAGE: &str = "511724103202";
const GRID: &str = "511724103202001";
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn ended(replica: &Replica) -> bool {
    match replica.may_read() {
        Ok(()) => false,
        Err(AgentError::LeaseEnded { .. }) => true,
        Err(error) => panic!("{error:?}"),
    }
}

/// Opens a home again, with a clock of its own.
fn with_clock(replica: Replica, now_ms: i64) -> (Replica, Arc<AtomicI64>) {
    let dir = replica.dir().to_owned();
    drop(replica);
    let clock = Arc::new(AtomicI64::new(now_ms));
    let read = Arc::clone(&clock);
    let machine = Machine {
        now_ms: Box::new(move || read.load(Ordering::SeqCst)),
        ..Machine::default()
    };
    (Replica::open(&dir, machine).unwrap(), clock)
}

#[test]
fn a_lease_ends_reading_and_never_adding_and_a_sync_renews_it() {
    let town = Town::new();
    let mut li = town.home("李梅", Role::Worker, &[GRID]);
    let mut desk = town.home("陈站长", Role::Station, &[VILLAGE]);
    family(&mut li, "3-12");
    assert!(
        li.lease().unwrap().is_none(),
        "before the first sync nothing ends"
    );
    sync(&mut li).unwrap();
    sync(&mut desk).unwrap();
    town.days_pass(14);
    let lease = li.lease().unwrap().unwrap();
    assert_eq!((lease.days_left, lease.soon, lease.over), (1, true, false));
    assert!(!ended(&li), "its last day is a day of it");
    town.days_pass(1);
    assert!(ended(&li) && !ended(&desk), "a desk has thirty days");
    assert!(li.status().unwrap().lease.unwrap().over);

    // Floods last longer than leases.
    let head = desk.households(None, 9, 0).unwrap()[0].head.clone();
    for household in ["3-12", head.as_str()] {
        let input = VisitInput {
            household: household.to_owned(),
            note: "水退了".to_owned(),
            ..VisitInput::default()
        };
        li.add_visit(input).unwrap();
    }
    li.add_report(ReportInput {
        household: Some("3-12".to_owned()),
        text: "水管破了".to_owned(),
        ..ReportInput::default()
    })
    .unwrap();
    li.open_ticket(TicketInput {
        household: Some("3-12".to_owned()),
        subject: "修水管".to_owned(),
        ..TicketInput::default()
    })
    .unwrap();
    family(&mut li, "3-13");
    for row in li.outbox().unwrap() {
        assert!(row.title.is_empty(), "{row:?}");
    }
    // What was typed fits two: neither is offered.
    match li.name_household("3-1") {
        Err(AgentError::Ambiguous { candidates, .. }) => assert!(candidates.is_empty()),
        Err(AgentError::NotFound { .. }) => {}
        other => panic!("{other:?}"),
    }

    sync(&mut li).unwrap();
    assert!(!ended(&li));
    assert!(matches!(
        li.name_household("3-1"),
        Err(AgentError::Ambiguous { candidates, .. } | AgentError::NoSuchDoor { candidates, .. })
            if candidates.len() == 2
    ));
    town.days_pass(15);
    assert!(ended(&li));
    assert!(!ended(&desk), "thirty days from its sync");
    town.days_pass(1);
    assert!(ended(&desk));
}

#[test]
fn a_clock_that_is_set_back_prolongs_nothing_and_one_that_was_ahead_is_forgiven_by_a_sync() {
    let town = Town::new();
    let mut li = town.home("李梅", Role::Worker, &[GRID]);
    family(&mut li, "3-12");
    sync(&mut li).unwrap();
    let begun = li.now_ms();
    let (li, clock) = with_clock(li, begun);
    clock.fetch_add(15 * DAY_MS, Ordering::SeqCst);
    assert!(ended(&li));
    clock.store(begun, Ordering::SeqCst);
    assert!(ended(&li), "the greatest time it knew counts");
    // Also in another run of the program.
    let (mut li, clock) = with_clock(li, begun - 400 * DAY_MS);
    assert!(ended(&li));
    visit(&mut li, "3-12");
    // It was the clock that was wrong: the relay's own time is the greatest known from then on.
    sync(&mut li).unwrap();
    assert!(!ended(&li));
    clock.store(begun + 13 * DAY_MS, Ordering::SeqCst);
    assert!(!ended(&li));
    clock.store(begun + 15 * DAY_MS, Ordering::SeqCst);
    assert!(ended(&li));
}

#[test]
fn a_code_by_telephone_opens_it_again_once_and_for_this_device_only() {
    let town = Town::new();
    let mut li = town.home("李梅", Role::Worker, &[GRID]);
    let mut wang = town.home("王芳", Role::Worker, &[GRID]);
    let mut desk = town.home("陈站长", Role::Station, &[VILLAGE]);
    for home in [&mut li, &mut wang, &mut desk] {
        sync(home).unwrap();
    }
    let none = li.renew_lease("00000 00000");
    assert!(matches!(
        none,
        Err(AgentError::LeaseCode(CodeRefused::Wrong))
    ));
    town.days_pass(20);
    assert!(ended(&li) && ended(&wang));
    let code = wait(desk.lease_code("李梅", None)).unwrap();
    let other = wang.renew_lease(&code.code);
    assert!(matches!(
        other,
        Err(AgentError::LeaseCode(CodeRefused::Wrong))
    ));
    assert!(ended(&wang));
    let (first, second) = code.code.split_at(5);
    let typed = format!("{}-{second}", first.to_lowercase());
    let lease = li.renew_lease(&typed).unwrap();
    assert_eq!(lease.until, code.until);
    assert_eq!(lease.days_left, 15);
    assert!(!ended(&li));
    let again = li.renew_lease(&code.code);
    assert!(matches!(
        again,
        Err(AgentError::LeaseCode(CodeRefused::Wrong))
    ));
    town.days_pass(15);
    assert!(ended(&li));
    let again = li.renew_lease(&code.code);
    assert!(matches!(
        again,
        Err(AgentError::LeaseCode(CodeRefused::Wrong))
    ));
    assert!(ended(&li));
    // A longer one, as the desk says it.
    sync(&mut desk).unwrap();
    let code = wait(desk.lease_code("李梅", Some(60))).unwrap();
    assert_eq!(li.renew_lease(&code.code).unwrap().days_left, 61);
}

#[test]
fn wrong_codes_wait_longer_and_longer_and_destroy_nothing() {
    let town = Town::new();
    let mut li = town.home("李梅", Role::Worker, &[GRID]);
    let mut desk = town.home("陈站长", Role::Station, &[VILLAGE]);
    family(&mut li, "3-12");
    sync(&mut li).unwrap();
    sync(&mut desk).unwrap();
    town.days_pass(15);
    let wrong = |li: &mut Replica| match li.renew_lease("0123456789") {
        Err(AgentError::LeaseCode(why)) => why,
        other => panic!("{other:?}"),
    };
    // No code at all is no guess.
    for _ in 0..9 {
        assert!(li.renew_lease("12").is_err());
    }
    for _ in 0..5 {
        assert_eq!(wrong(&mut li), CodeRefused::Wrong);
    }
    assert_eq!(wrong(&mut li), CodeRefused::Wait { seconds: 30 });
    let code = wait(desk.lease_code("李梅", None)).unwrap();
    // The right one waits too: else the wait would tell which one that is.
    assert!(li.renew_lease(&code.code).is_err());
    assert!(ended(&li));
    visit(&mut li, "3-12");
    town.days_pass(1);
    assert_eq!(wrong(&mut li), CodeRefused::Wrong);
    assert_eq!(wrong(&mut li), CodeRefused::Wait { seconds: 60 });
    town.days_pass(1);
    li.renew_lease(&code.code).unwrap();
    assert!(!ended(&li));
    assert_eq!(
        wrong(&mut li),
        CodeRefused::Wrong,
        "counted from none again"
    );
}

#[test]
fn a_device_that_was_never_enrolled_has_no_lease_and_is_never_locked() {
    let town = Town::new();
    let folder = town.district.path().join("自己");
    let areas = vec![wangge_wire::AreaCode::parse(GRID).unwrap()];
    let li = Replica::init(&folder, "李梅", areas, Machine::default()).unwrap();
    let now = li.now_ms();
    let (mut li, clock) = with_clock(li, now);
    family(&mut li, "3-12");
    clock.fetch_add(4_000 * DAY_MS, Ordering::SeqCst);
    assert!(!ended(&li) && li.lease().unwrap().is_none());
    let code = li.renew_lease("0123456789");
    assert!(matches!(
        code,
        Err(AgentError::LeaseCode(CodeRefused::NoLease))
    ));
}
