//! The inbox as people use it: what lies there, who decides, what the author is told, and what no
//! decision ever does.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use wangge_agent::households::{HouseholdEdit, HouseholdInput, MemberInput};
use wangge_agent::inbox::{InboxItem, InboxRefusal, Settle};
use wangge_agent::visits::VisitInput;
use wangge_agent::{AgentError, Replica};
use wangge_testkit::district::{Yesterday, sync, wait};
use wangge_testkit::town::Town;
use wangge_testkit::work::visits;
use wangge_wire::{DocId, Role};

const TOWNSHIP: &str = "511724103";
const GRID_1: &str = "511724103202001";
const GRID_2: &str = "511724103202002";

/// Li, whose grid went to Wang a month ago without her knowing, and the desk above; a visit of hers
/// lies in the inbox.
struct Cast {
    town: Town,
    desk: Replica,
    li: Replica,
    wang: Replica,
    family: DocId,
}

impl Cast {
    fn new() -> Self {
        Self::with(|li, _| drop(visit(li)))
    }

    /// What Li does without knowing lies in the inbox.
    fn with(deed: impl FnOnce(&mut Replica, &DocId)) -> Self {
        let mut cast = Self::before();
        deed(&mut cast.li, &cast.family);
        assert_eq!(sync(&mut cast.li).unwrap().inbox, 1);
        for replica in [&mut cast.desk, &mut cast.wang] {
            sync(replica).unwrap();
        }
        cast
    }

    /// Nothing lies there yet, and Li knows of nothing.
    fn before() -> Self {
        let town = Town::new();
        let mut desk = town.home("陈站长", Role::Township, &[TOWNSHIP]);
        let mut li = town.home("李梅", Role::Worker, &[GRID_1]);
        let mut wang = town.home("王芳", Role::Worker, &[GRID_2]);
        let family = family(&mut li);
        for replica in [&mut li, &mut desk, &mut wang] {
            sync(replica).unwrap();
        }
        wait(desk.hand_over("李梅", "王芳", &[], false)).unwrap();
        town.days_pass(31);
        Self {
            town,
            desk,
            li,
            wang,
            family,
        }
    }

    fn only_item(&self) -> InboxItem {
        let mut items = wait(self.desk.inbox(false)).unwrap();
        assert_eq!(items.len(), 1);
        items.remove(0)
    }

    fn settle(&mut self, id: &str, settle: &Settle) -> Result<InboxItem, AgentError> {
        let done = wait(self.desk.inbox_settle(id, settle, false))?;
        assert!(!done.unsent && !done.dry_run);
        Ok(done.item)
    }
}

fn family(replica: &mut Replica) -> DocId {
    let input = HouseholdInput {
        door: "1-1".into(),
        members: vec![MemberInput {
            name: "张建国".into(),
            ..MemberInput::default()
        }],
        ..HouseholdInput::default()
    };
    replica.add_household(input).unwrap().id
}

fn visit(replica: &mut Replica) -> String {
    let input = VisitInput {
        household: "1-1".into(),
        note: "血压高".into(),
        ..VisitInput::default()
    };
    replica.add_visit(input).unwrap().id
}

fn notes_a_move(li: &mut Replica, family: &DocId) {
    let edit = HouseholdEdit {
        note: Some("搬家了".into()),
        ..HouseholdEdit::default()
    };
    li.edit_household(family, edit).unwrap();
}

fn decisions(cast: &Cast) -> usize {
    cast.town.district.relay().settled().unwrap().len()
}

fn discard() -> Settle {
    Settle::Discard {
        reason: "重复登记".into(),
    }
}

#[test]
fn a_desk_reads_what_lies_there_and_accepts_it_and_everybody_has_it() {
    let mut cast = Cast::new();
    let item = cast.only_item();
    assert_eq!(
        (item.kind, item.entry, item.state),
        ("visit_book", "change", "open")
    );
    assert_eq!(
        (item.by.name.as_str(), item.reason.as_str()),
        ("李梅", "out_of_scope")
    );
    assert_eq!(item.area, GRID_1);
    let shown = wait(cast.desk.inbox_show(&item.id)).unwrap();
    assert_eq!(shown.unread, "");
    assert!(shown.edits.iter().any(|edit| edit.after == "血压高"));
    assert_eq!(visits(&cast.desk), 0, "looking takes nothing in");
    let waits = &cast.li.outbox().unwrap()[0];
    assert_eq!((waits.state, waits.relay.as_str()), ("inbox", "杨家镇"));

    let accepted = cast.settle(&item.id, &Settle::Accept).unwrap();
    assert_eq!(accepted.state, "accepted");
    let number = accepted.number.unwrap();
    assert!(wait(cast.desk.inbox(false)).unwrap().is_empty());
    let again = wait(cast.desk.inbox_settle(&item.id, &Settle::Accept, false)).unwrap();
    assert!(!again.changed, "accepting twice is once");
    assert_eq!(again.item.number, Some(number));

    for replica in [&mut cast.desk, &mut cast.wang] {
        sync(replica).unwrap();
        assert_eq!(visits(replica), 1);
    }
    sync(&mut cast.li).unwrap();
    sync(&mut cast.li).unwrap();
    assert!(cast.li.outbox().unwrap().is_empty());
    let status = cast.li.status().unwrap();
    assert!(status.all_safe && status.counts.unsent == 0);
    assert!(
        cast.li.household(&cast.family).is_err(),
        "nothing is owed any more"
    );
    let refused = cast.settle(&item.id, &discard());
    assert!(matches!(
        refused,
        Err(AgentError::Inbox(InboxRefusal::Numbered))
    ));
}

#[test]
fn a_discarded_record_stays_with_its_author_and_the_relay_and_waits_for_nobody() {
    let mut cast = Cast::new();
    let item = cast.only_item();
    let discarded = cast.settle(&item.id, &discard()).unwrap();
    assert_eq!((discarded.state, discarded.number), ("discarded", None));
    sync(&mut cast.li).unwrap();
    let rows = cast.li.outbox().unwrap();
    assert_eq!((rows.len(), rows[0].state), (1, "discarded"));
    let decision = rows[0].decision.as_ref().unwrap();
    assert_eq!(
        (decision.decision, decision.reason.as_str()),
        ("discarded", "重复登记")
    );
    assert_eq!(decision.by.name, "陈站长");
    let status = cast.li.status().unwrap();
    assert_eq!((status.unsent.discarded, status.unsent.inbox), (1, 0));
    assert_eq!(status.counts.unsent, 0);
    let book = rows[0].id.to_string();
    let receipts = cast.li.receipts(&book).unwrap();
    let last = receipts.changes.last().unwrap();
    assert_eq!(last.state, "discarded");
    assert!(!receipts.all_safe, "what was discarded is never safe");
    for _ in 0..2 {
        let report = sync(&mut cast.li).unwrap();
        assert_eq!(
            (report.receipts, report.inbox),
            (0, 0),
            "nothing is sent again"
        );
    }
    assert_eq!(cast.town.district.relay().inbox().unwrap().len(), 0);
    assert!(
        cast.li.household(&cast.family).is_ok(),
        "the author keeps it"
    );

    let settled = wait(cast.desk.inbox(true)).unwrap();
    assert_eq!((settled.len(), settled[0].state), (1, "discarded"));
    let shown = wait(cast.desk.inbox_show(&item.id)).unwrap();
    assert!(
        shown.edits.iter().any(|edit| edit.after == "血压高"),
        "it can still be read"
    );
    let undone = cast.settle(&item.id, &Settle::Accept).unwrap();
    assert!(undone.number.is_some());
    sync(&mut cast.li).unwrap();
    sync(&mut cast.li).unwrap();
    assert!(cast.li.outbox().unwrap().is_empty());
    sync(&mut cast.wang).unwrap();
    assert_eq!(visits(&cast.wang), 1);
    assert_eq!(
        wait(cast.desk.inbox(true)).unwrap().len(),
        2,
        "both decisions are kept"
    );
}

#[test]
fn what_rests_on_a_discarded_record_is_seen_by_the_desk_and_follows_it() {
    let mut cast = Cast::new();
    let item = cast.only_item();
    cast.settle(&item.id, &discard()).unwrap();
    // Li gets her families back; what she writes now rests on what was discarded.
    let back = [GRID_1.to_owned()];
    wait(cast.desk.hand_over("王芳", "李梅", &back, false)).unwrap();
    for _ in 0..2 {
        sync(&mut cast.li).unwrap();
    }
    visit(&mut cast.li);
    sync(&mut cast.li).unwrap();
    let states: Vec<_> = cast.li.outbox().unwrap();
    let states: Vec<_> = states.iter().map(|row| row.state).collect();
    assert_eq!(states, ["discarded", "inbox"]);
    let resting = cast.only_item();
    assert_eq!(resting.reason, "rests_on_discarded");
    let refused = cast.settle(&resting.id, &Settle::Accept).unwrap_err();
    let why = InboxRefusal::RestsOnDiscarded;
    assert!(matches!(refused, AgentError::Inbox(found) if found == why));

    cast.settle(&item.id, &Settle::Accept).unwrap();
    for _ in 0..2 {
        sync(&mut cast.li).unwrap();
    }
    assert!(
        cast.li.outbox().unwrap().is_empty(),
        "both have their numbers"
    );
    sync(&mut cast.desk).unwrap();
    assert_eq!(visits(&cast.desk), 2);
}

#[test]
fn a_decision_that_a_relay_lost_comes_back_from_the_desk_or_the_author() {
    for from_the_desk in [true, false] {
        let mut cast = Cast::new();
        let yesterday = Yesterday::keep(&mut cast.town.district);
        let item = cast.only_item();
        cast.settle(&item.id, &discard()).unwrap();
        sync(&mut cast.li).unwrap();
        assert_eq!(decisions(&cast), 1);
        yesterday.return_to(&mut cast.town.district);
        assert_eq!(decisions(&cast), 0);
        sync(if from_the_desk {
            &mut cast.desk
        } else {
            &mut cast.li
        })
        .unwrap();
        assert_eq!(decisions(&cast), 1);
        assert_eq!(cast.town.district.relay().inbox().unwrap().len(), 0);
    }
}

#[test]
fn a_decision_that_comes_back_before_its_item_waits_for_it() {
    let mut cast = Cast::before();
    let yesterday = Yesterday::keep(&mut cast.town.district);
    visit(&mut cast.li);
    sync(&mut cast.li).unwrap();
    let item = cast.only_item();
    cast.settle(&item.id, &discard()).unwrap();
    yesterday.return_to(&mut cast.town.district);
    sync(&mut cast.desk).unwrap();
    assert_eq!(decisions(&cast), 0, "its item is not there");
    // The first sync tells her that the relay has it no more.
    sync(&mut cast.li).unwrap();
    sync(&mut cast.li).unwrap();
    assert_eq!(decisions(&cast), 1);
    assert_eq!(cast.town.district.relay().inbox().unwrap().len(), 0);
    sync(&mut cast.li).unwrap();
    assert_eq!(cast.li.outbox().unwrap()[0].state, "discarded");
}

#[test]
fn a_decision_needs_a_desk_and_a_reason_and_looking_at_it_first_changes_nothing() {
    let mut cast = Cast::new();
    let item = cast.only_item();
    let refused = wait(cast.li.inbox(false));
    assert!(matches!(refused, Err(AgentError::NotYourRole)));
    let empty = Settle::Discard { reason: " ".into() };
    let refused = cast.settle(&item.id, &empty);
    assert!(matches!(
        refused,
        Err(AgentError::BadValue {
            field: "settle_reason",
            ..
        })
    ));
    let shown = wait(cast.desk.inbox_settle(&item.id, &discard(), true)).unwrap();
    assert!(shown.dry_run && !shown.changed);
    assert_eq!(cast.only_item().state, "open");
    let missing = wait(cast.desk.inbox_show("0123456789"));
    assert!(matches!(missing, Err(AgentError::NotInInbox { .. })));
    assert!(cast.desk.outbox().unwrap().is_empty());
}

#[test]
fn a_decision_without_a_link_is_not_begun_and_one_that_is_cut_off_goes_with_the_next_sync() {
    let mut cast = Cast::new();
    let item = cast.only_item();
    cast.town.district.stop();
    let refused = cast.settle(&item.id, &Settle::Accept);
    assert!(matches!(refused, Err(AgentError::NoLink { .. })));
    cast.town.district.start();
    assert_eq!(cast.only_item().state, "open");
    cast.settle(&item.id, &Settle::Accept).unwrap();
}

#[test]
fn a_rehomed_household_lives_where_the_desk_says_and_takes_its_place_there() {
    let mut cast = Cast::with(notes_a_move);
    let item = cast.only_item();
    assert_eq!(item.kind, "household");
    let to = Settle::Rehome { to: GRID_2.into() };
    let shown = wait(cast.desk.inbox_settle(&item.id, &to, true)).unwrap();
    assert_eq!(shown.to.unwrap().as_str(), GRID_2);
    assert_eq!(cast.only_item().state, "open", "nothing was done");
    let done = cast.settle(&item.id, &to).unwrap();
    assert_eq!(done.state, "rehomed");
    assert!(done.number.is_some());
    sync(&mut cast.wang).unwrap();
    let household = cast.wang.household(&cast.family).unwrap().household;
    assert_eq!(household.area.as_ref().unwrap().as_str(), GRID_2);
    assert_eq!(household.note, "搬家了");
    sync(&mut cast.li).unwrap();
    sync(&mut cast.li).unwrap();
    assert!(cast.li.outbox().unwrap().is_empty());
    let areas = cast.town.district.relay().settled().unwrap();
    assert_eq!(areas[0].to.as_ref().unwrap().as_str(), GRID_2);
}

#[test]
fn a_household_is_rehomed_to_a_grid_of_the_desks_own_and_nowhere_else() {
    let mut cast = Cast::with(notes_a_move);
    let item = cast.only_item();
    for (to, is_grid) in [
        ("511724103202", false),
        ("511724104", false),
        ("511724104201001", true),
    ] {
        for dry_run in [true, false] {
            let to = Settle::Rehome { to: to.into() };
            let refused = wait(cast.desk.inbox_settle(&item.id, &to, dry_run)).unwrap_err();
            let not_theirs = matches!(refused, AgentError::NotYourArea { .. });
            assert_eq!(not_theirs, is_grid, "{refused:?}");
        }
    }
    assert_eq!(cast.only_item().state, "open");
    assert_eq!(decisions(&cast), 0);
}

#[test]
fn a_visit_book_goes_where_its_household_goes() {
    let mut cast = Cast::new();
    let item = cast.only_item();
    let to = Settle::Rehome { to: GRID_2.into() };
    let refused = cast.settle(&item.id, &to);
    let not_here = matches!(refused, Err(AgentError::Inbox(InboxRefusal::NotHere)));
    assert!(not_here, "{refused:?}");
    assert_eq!(cast.only_item().state, "open");
}
