//! Households and whole grids go from one worker to another while the old one is without signal: what
//! the old one wrote meanwhile reaches the new one, the counts agree, and the old device lets go.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use wangge_agent::handover::HandOver;
use wangge_agent::households::{HouseholdEdit, HouseholdInput, MemberInput};
use wangge_agent::tickets::{TicketFilter, TicketInput};
use wangge_agent::visits::VisitInput;
use wangge_agent::{AgentError, Machine, Replica};
use wangge_testkit::device::card;
use wangge_testkit::district::{Yesterday, sync, wait};
use wangge_testkit::sealed::store_of;
use wangge_testkit::town::Town;
use wangge_testkit::wire_tap::WireTap;
use wangge_testkit::work::{visit, visits};
use wangge_wire::sabotage::{Sabotage, switch};
use wangge_wire::{DocId, Role};

const TOWNSHIP: &str = "511724103";
const GRID_1: &str = "511724103202001";
const GRID_2: &str = "511724103202002";

/// Li with a grid and five families, Wang with the grid beside it, the desk above; all synced.
struct Cast {
    town: Town,
    desk: Replica,
    li: Replica,
    wang: Replica,
    families: Vec<DocId>,
}

impl Cast {
    fn new() -> Self {
        let town = Town::new();
        let mut desk = town.home("陈站长", Role::Township, &[TOWNSHIP]);
        let mut li = town.home("李梅", Role::Worker, &[GRID_1]);
        let wang = town.home("王芳", Role::Worker, &[GRID_2]);
        let families = (1..=5).map(|n| family(&mut li, n)).collect();
        visit(&mut li, "1-1");
        sync(&mut li).unwrap();
        sync(&mut desk).unwrap();
        let mut cast = Self {
            town,
            desk,
            li,
            wang,
            families,
        };
        sync(&mut cast.wang).unwrap();
        cast
    }

    fn hand_over(&mut self) -> HandOver {
        wait(self.desk.hand_over("李梅", "王芳", &[], false)).unwrap()
    }

    /// Syncs everybody until nothing moves any more.
    fn settle(&mut self) {
        for _ in 0..2 {
            for replica in [&mut self.li, &mut self.wang, &mut self.desk] {
                sync(replica).unwrap();
            }
        }
    }
}

fn family(replica: &mut Replica, door: u32) -> DocId {
    let input = HouseholdInput {
        door: format!("1-{door}"),
        members: vec![MemberInput {
            name: format!("张建{}", ["国", "军", "民", "华", "平"][door as usize - 1]),
            ..MemberInput::default()
        }],
        ..HouseholdInput::default()
    };
    replica.add_household(input).unwrap().id
}

fn holds(replica: &Replica, family: &DocId) -> bool {
    replica.household(family).is_ok()
}

#[test]
fn a_household_that_moved_takes_along_what_the_old_worker_wrote_without_knowing() {
    let mut cast = Cast::new();
    let family = cast.families[0];
    cast.desk.move_household("1-1", GRID_2, false).unwrap();
    sync(&mut cast.desk).unwrap();
    for _ in 0..5 {
        visit(&mut cast.li, "1-1");
    }
    let report = sync(&mut cast.li).unwrap();
    assert_eq!((report.handed_over, report.unsent, report.inbox), (1, 0, 0));
    cast.settle();
    assert_eq!(visits(&cast.wang), 6);
    assert_eq!(visits(&cast.desk), 6);
    assert_eq!(visits(&cast.li), 0, "its visits went with it");
    assert!(holds(&cast.wang, &family) && !holds(&cast.li, &family));
    assert!(holds(&cast.li, &cast.families[1]), "the others stay");
    let gone = &cast.li.status().unwrap().handed_over[0];
    assert_eq!(
        (gone.area.as_str(), gone.households, gone.waiting),
        (GRID_2, 1, 0)
    );
    for replica in [&cast.li, &cast.wang, &cast.desk] {
        assert!(replica.status().unwrap().incomplete.is_empty());
    }
}

#[test]
fn a_grid_goes_over_while_its_worker_is_without_signal() {
    let mut cast = Cast::new();
    let done = cast.hand_over();
    assert_eq!((done.households, done.areas.len()), (5, 1));
    for door in 1..=5 {
        visit(&mut cast.li, &format!("1-{door}"));
    }
    let new = family(&mut cast.li, 5);
    assert_eq!(new, cast.families[4], "one door is one household");
    // The new worker begins before the old one has been heard of.
    sync(&mut cast.wang).unwrap();
    assert!(holds(&cast.wang, &cast.families[0]));
    visit(&mut cast.wang, "1-1");
    let report = sync(&mut cast.li).unwrap();
    assert_eq!((report.handed_over, report.unsent, report.inbox), (5, 0, 0));
    cast.settle();
    assert_eq!(
        (visits(&cast.wang), visits(&cast.desk), visits(&cast.li)),
        (7, 7, 0)
    );
    for family in &cast.families {
        assert!(holds(&cast.wang, family) && holds(&cast.desk, family));
        assert!(!holds(&cast.li, family));
    }
    assert!(cast.li.status().unwrap().all_safe);
}

#[test]
fn after_thirty_days_it_is_for_the_inbox_and_nothing_leaves_the_device() {
    let mut cast = Cast::new();
    cast.hand_over();
    cast.town.days_pass(31);
    visit(&mut cast.li, "1-1");
    let report = sync(&mut cast.li).unwrap();
    assert_eq!(
        (report.inbox, report.handed_over, report.hand_over_waits),
        (1, 4, 1)
    );
    cast.settle();
    assert!(holds(&cast.li, &cast.families[0]), "the only copy stays");
    assert!(!holds(&cast.li, &cast.families[1]));
    assert_eq!(visits(&cast.wang), 1);
    assert!(!cast.li.status().unwrap().all_safe);
}

#[test]
fn what_is_handed_over_can_be_read_and_not_written() {
    let mut cast = Cast::new();
    cast.hand_over();
    cast.town.days_pass(31);
    visit(&mut cast.li, "1-1");
    sync(&mut cast.li).unwrap();
    let before = visits(&cast.li);
    let input = VisitInput {
        household: cast.families[0].to_string(),
        no_change: true,
        ..VisitInput::default()
    };
    let refused = cast.li.add_visit(input);
    assert!(matches!(refused, Err(AgentError::HandedOver { .. })));
    for dry_run in [true, false] {
        let refused = cast.li.undo(dry_run);
        assert!(matches!(refused, Err(AgentError::HandedOver { .. })));
    }
    assert_eq!(visits(&cast.li), before);
}

#[test]
fn what_comes_back_is_whole_and_is_written_on() {
    let mut cast = Cast::new();
    cast.hand_over();
    visit(&mut cast.li, "1-1");
    cast.settle();
    assert!(!holds(&cast.li, &cast.families[0]));
    visit(&mut cast.wang, "1-1");
    sync(&mut cast.wang).unwrap();
    let areas = [GRID_1.to_owned()];
    sync(&mut cast.desk).unwrap();
    wait(cast.desk.hand_over("王芳", "李梅", &areas, false)).unwrap();
    cast.settle();
    assert!(holds(&cast.li, &cast.families[0]) && !holds(&cast.wang, &cast.families[0]));
    visit(&mut cast.li, "1-1");
    cast.settle();
    assert_eq!(
        (visits(&cast.li), visits(&cast.desk), visits(&cast.wang)),
        (4, 4, 0)
    );
    assert!(cast.li.status().unwrap().handed_over.is_empty());
    assert_eq!(cast.li.status().unwrap().held, 0);
    let gone = &cast.wang.status().unwrap().handed_over[0];
    assert_eq!((gone.area.as_str(), gone.households), (GRID_1, 5));
}

#[test]
fn only_a_desk_of_both_grids_hands_over_and_a_dry_run_changes_nothing() {
    let mut cast = Cast::new();
    let mut other = cast.town.home("周站长", Role::Township, &["511724104"]);
    sync(&mut other).unwrap();
    let refused = wait(cast.li.hand_over("李梅", "王芳", &[], false));
    assert!(matches!(
        refused,
        Err(AgentError::Order(_) | AgentError::NotFound { .. })
    ));
    let areas = ["511724103202009".to_owned()];
    let refused = wait(cast.desk.hand_over("李梅", "王芳", &areas, false));
    assert!(matches!(refused, Err(AgentError::BadValue { .. })));
    let shown = wait(cast.desk.hand_over("李梅", "王芳", &[], true)).unwrap();
    assert!(shown.dry_run && shown.households == 5);
    cast.settle();
    assert!(holds(&cast.li, &cast.families[0]) && !holds(&cast.wang, &cast.families[0]));
}

#[test]
fn what_came_back_is_written_on_after_the_sync_that_brought_it() {
    let mut cast = Cast::new();
    cast.hand_over();
    cast.settle();
    assert!(!holds(&cast.li, &cast.families[0]));
    let areas = [GRID_1.to_owned()];
    wait(cast.desk.hand_over("王芳", "李梅", &areas, false)).unwrap();
    sync(&mut cast.li).unwrap();
    visit(&mut cast.li, "1-1");
}

#[test]
fn what_its_worker_had_taken_back_is_not_counted_as_handed_over() {
    let mut cast = Cast::new();
    family(&mut cast.li, 5);
    let input = HouseholdInput {
        door: "1-9".into(),
        members: vec![MemberInput {
            name: "张建业".into(),
            ..MemberInput::default()
        }],
        ..HouseholdInput::default()
    };
    cast.li.add_household(input).unwrap();
    cast.li.undo(false).unwrap();
    sync(&mut cast.li).unwrap();
    sync(&mut cast.desk).unwrap();
    assert_eq!(cast.hand_over().households, 5);
    assert_eq!(sync(&mut cast.li).unwrap().handed_over, 5);
    assert_eq!(cast.li.status().unwrap().handed_over[0].households, 5);
}

#[test]
fn nothing_leaves_while_an_area_is_not_complete() {
    let mut cast = Cast::new();
    let edit = HouseholdEdit {
        note: Some("换了锁".into()),
        ..HouseholdEdit::default()
    };
    cast.desk.edit_household(&cast.families[1], edit).unwrap();
    sync(&mut cast.desk).unwrap();
    // As if the page with it had been passed over.
    let folder = cast.li.dir().to_owned();
    let open = || Replica::open(&folder, Machine::default()).unwrap();
    // The home is closed for what is done to its file.
    drop(std::mem::replace(&mut cast.li, cast.wang));
    let before = std::fs::read(folder.join("wangge.db")).unwrap();
    let mut li = open();
    sync(&mut li).unwrap();
    let relay = card(cast.town.district.address()).key.relay();
    let cursor = li.store().relay(&relay).unwrap().cursor.unwrap();
    drop(li);
    std::fs::write(folder.join("wangge.db"), before).unwrap();
    let mut store = store_of(&folder);
    store.move_cursor(&cursor).unwrap();
    drop(store);
    let mut li = open();
    cast.desk.move_household("1-1", GRID_2, false).unwrap();
    sync(&mut cast.desk).unwrap();
    switch(Some(Sabotage::DigestIgnored));
    let report = sync(&mut li).unwrap();
    assert_eq!((report.handed_over, report.hand_over_waits), (0, 1));
    switch(None);
    let report = sync(&mut li).unwrap();
    assert_eq!((report.handed_over, report.hand_over_waits), (1, 0));
}

#[test]
fn a_relay_put_back_to_between_the_receipts_and_the_end_of_a_cut_sync_is_told_again() {
    let mut cast = Cast::new();
    let tap = WireTap::to(cast.town.district.address());
    let url = tap.url();
    let before = Yesterday::keep(&mut cast.town.district);
    for cut in 1.. {
        visit(&mut cast.li, "1-1");
        let unsent = cast.li.status().unwrap().counts.unsent;
        assert!(unsent > 0);
        tap.cut_after(u64::MAX, cut * 8);
        let through = wait(cast.li.sync_at(&url));
        if cast.li.status().unwrap().counts.unsent == 0 && through.is_err() {
            break;
        }
        assert!(
            through.is_err(),
            "no cut fell between the receipts and the end"
        );
    }
    before.return_to(&mut cast.town.district);
    cast.hand_over();
    cast.settle();
    let written = visits(&cast.wang);
    assert!(written > 1, "{written}");
    assert_eq!(visits(&cast.li), 0);
}

#[test]
fn nothing_is_called_safe_while_the_relay_says_that_something_of_this_device_lies_in_its_inbox() {
    let mut cast = Cast::new();
    cast.hand_over();
    cast.town.days_pass(31);
    visit(&mut cast.li, "1-1");
    assert_eq!(sync(&mut cast.li).unwrap().inbox, 1);
    // The database is lost, and with it what the device knew of it.
    let folder = cast.li.dir().to_owned();
    drop(cast.li);
    std::fs::remove_file(folder.join("wangge.db")).unwrap();
    let mut li = Replica::open(&folder, Machine::default()).unwrap();
    for _ in 0..2 {
        sync(&mut li).unwrap();
    }
    li.loss_seen().unwrap();
    let status = li.status().unwrap();
    assert_eq!((status.counts.unsent, status.in_inbox), (0, 1));
    assert!(!status.all_safe);
}

#[test]
fn who_gets_a_grid_owes_its_residents_the_answers_that_were_open() {
    let mut cast = Cast::new();
    let input = TicketInput {
        household: Some("1-1".into()),
        subject: "修路灯".into(),
        ..TicketInput::default()
    };
    let code = cast.li.open_ticket(input).unwrap().ticket.code;
    sync(&mut cast.li).unwrap();
    sync(&mut cast.desk).unwrap();
    let planned = wait(cast.desk.hand_over("李梅", "王芳", &[], true)).unwrap();
    assert_eq!(planned.answers.join(" "), code);
    assert_eq!(cast.hand_over().answers.join(" "), code);
    sync(&mut cast.desk).unwrap();
    cast.settle();
    let owed = TicketFilter {
        owed: true,
        ..TicketFilter::default()
    };
    let codes = |replica: &Replica| -> Vec<String> {
        let list = replica.ticket_list(&owed, 9).unwrap();
        list.into_iter().map(|ticket| ticket.code).collect()
    };
    assert_eq!(codes(&cast.wang), [code]);
    assert!(codes(&cast.li).is_empty());
}
