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
use wangge_crdt::Document;
use wangge_model::kind;
use wangge_relay::{Code, LevelForm, Packs, Relay, Settings};
use wangge_testkit::device::{Device, Doc};
use wangge_testkit::district::{District, Yesterday, sync, wait};
use wangge_testkit::town::Town;
use wangge_testkit::tree::{AREAS, Tree};
use wangge_testkit::work::visits;
use wangge_wire::receipt::{ItemState, Reason};
use wangge_wire::{Batch, ChangeHash, Decision, DeviceId, DocId, Role};

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
    let mut cast = Cast::with(|li, family| {
        let edit = HouseholdEdit {
            note: Some("搬家了".into()),
            ..HouseholdEdit::default()
        };
        li.edit_household(family, edit).unwrap();
    });
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
    let mut cast = Cast::with(|li, family| {
        let edit = HouseholdEdit {
            note: Some("搬家了".into()),
            ..HouseholdEdit::default()
        };
        li.edit_household(family, edit).unwrap();
    });
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
fn what_a_colleague_took_back_stays_where_somebody_else_added_it() {
    let town = Town::new();
    let mut desk = town.home("陈站长", Role::Township, &[TOWNSHIP]);
    let mut li = town.home("李梅", Role::Worker, &[GRID_1]);
    let mut wang = town.home("王芳", Role::Worker, &[GRID_1]);
    let theirs = family(&mut li);
    li.undo(false).unwrap();
    assert_eq!(li.store().counts().unwrap().households, 0);
    let added = family(&mut wang);
    assert_eq!(added, theirs, "one door is one household");
    for _ in 0..2 {
        for replica in [&mut li, &mut wang, &mut desk] {
            sync(replica).unwrap();
        }
    }
    for replica in [&li, &wang, &desk] {
        assert_eq!(replica.store().counts().unwrap().households, 1);
        assert!(replica.conflicts().unwrap().is_empty(), "adding is heard");
    }
}

#[test]
fn a_family_of_another_grid_that_was_taken_back_there_is_not_hidden_once_a_desk_accepts_it() {
    let town = Town::new();
    let mut desk = town.home("陈站长", Role::Township, &[TOWNSHIP]);
    let mut li = town.home("李梅", Role::Worker, &[GRID_1]);
    let mut wang = town.home("王芳", Role::Worker, &[GRID_2]);
    let family_of_li = family(&mut li);
    li.undo(false).unwrap();
    sync(&mut li).unwrap();
    assert_eq!(family(&mut wang), family_of_li);
    sync(&mut wang).unwrap();
    sync(&mut desk).unwrap();
    let items = wait(desk.inbox(false)).unwrap();
    assert!(!items.is_empty());
    for item in items {
        // What follows one that was accepted is in already.
        wait(desk.inbox_settle(&item.id, &Settle::Accept, false)).unwrap();
    }
    for _ in 0..2 {
        for replica in [&mut li, &mut wang, &mut desk] {
            sync(replica).unwrap();
        }
    }
    for replica in [&wang, &desk] {
        assert_eq!(replica.store().counts().unwrap().households, 1);
        let fields = replica.conflicts().unwrap();
        let fields: Vec<_> = fields.iter().map(|one| one.field.as_str()).collect();
        assert_eq!(
            fields,
            ["area"],
            "which grid it is in is for somebody to say"
        );
    }
    assert!(li.status().unwrap().handed_over.is_empty(), "she had none");
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

/// A station's and a worker's device, at a relay of the tree.
fn device(district: &District, seed: u8, role: Role, areas: &[&str]) -> Device {
    let mut device = Device::new(seed);
    let code = district.invite(&format!("人{seed}"), role, areas);
    device.enroll(district.address(), &Code::parse(&code).unwrap());
    device
}

fn now_ms() -> i64 {
    Settings::new("", LevelForm::County).clock.now_ms()
}

fn push(district: &District, device: &mut Device, batch: &Batch) -> Vec<ItemState> {
    let batch = std::slice::from_ref(batch);
    device.sync(district.address(), now_ms(), batch).items()
}

/// A worker of the village writes where they may not, and it has gone up; returns the item.
fn parked(tree: &Tree, li: &mut Device, n: u8) -> (DocId, ChangeHash, DeviceId) {
    let mut wang = device(&tree.village, 100 + n, Role::Worker, &[GRID_2]);
    let doc = DocId([n; 16]);
    wang.begin(doc, GRID_2);
    wang.write(doc, "door", "1");
    let batch = wang.batch();
    push(&tree.village, &mut wang, &batch);
    li.begin_owned(doc, None);
    let item = li.write(doc, "phone", "2");
    let batch = li.batch();
    let state = push(&tree.village, li, &batch);
    assert!(matches!(state[0], ItemState::Inbox(_)));
    tree.settle();
    for relay in relays(tree) {
        assert_eq!(relay.inbox().unwrap().len(), 1, "it lies at every level");
    }
    (doc, item, li.id())
}

fn relays(tree: &Tree) -> [Relay; 3] {
    [
        tree.village.relay(),
        tree.township.relay(),
        tree.county.relay(),
    ]
}

fn numbered(tree: &Tree, item: &(DocId, ChangeHash, DeviceId)) -> [bool; 3] {
    relays(tree).map(|relay| relay.entry_times(&item.1).unwrap().is_some())
}

#[test]
fn what_lay_in_an_inbox_keeps_the_time_at_which_the_first_relay_received_it() {
    let tree = Tree::new();
    let mut li = device(&tree.village, 1, Role::Worker, &[GRID_1]);
    let mut county = device(&tree.county, 3, Role::County, &[AREAS[0]]);
    tree.settle();
    let item = parked(&tree, &mut li, 11);
    let accept = county.settle(item, Decision::Accept, &[]);
    push(&tree.county, &mut county, &accept);
    tree.settle();
    let first = |relay: Relay| relay.entry_times(&item.1).unwrap().unwrap().0;
    let [village, township, above] = relays(&tree).map(first);
    assert_eq!([township, above], [village; 2]);
}

#[test]
fn two_desks_that_decide_alike_sign_two_decisions_and_nobody_signs_anothers() {
    let tree = Tree::new();
    let mut li = device(&tree.village, 1, Role::Worker, &[GRID_1]);
    let mut station = device(&tree.village, 2, Role::Station, &[AREAS[2]]);
    let mut county = device(&tree.county, 3, Role::County, &[AREAS[0]]);
    tree.settle();
    let item = parked(&tree, &mut li, 11);
    let desks = [&mut station, &mut county];
    let [one, other] = desks.map(|desk| desk.settle(item, Decision::Discard, &[]).items[0].name());
    assert_ne!(one.hash, other.hash);

    let mut copier = device(&tree.village, 4, Role::Station, &[AREAS[2]]);
    let copied = county.settle(item, Decision::Discard, &[]).items.remove(0);
    copier.push_item(copied);
    let batch = copier.batch();
    let state = push(&tree.village, &mut copier, &batch);
    assert_eq!(state, [ItemState::Refused(Reason::ForgedActor)]);
}

#[test]
fn a_decision_at_any_level_reaches_the_others() {
    let tree = Tree::new();
    let mut li = device(&tree.village, 1, Role::Worker, &[GRID_1]);
    let mut station = device(&tree.village, 2, Role::Station, &[AREAS[2]]);
    let mut county = device(&tree.county, 3, Role::County, &[AREAS[0]]);
    tree.settle();

    let accepted_below = parked(&tree, &mut li, 11);
    let accept = station.settle(accepted_below, Decision::Accept, &[]);
    push(&tree.village, &mut station, &accept);
    tree.settle();
    assert_eq!(numbered(&tree, &accepted_below), [true; 3]);

    let accepted_above = parked(&tree, &mut li, 12);
    let accept = county.settle(accepted_above, Decision::Accept, &[]);
    push(&tree.county, &mut county, &accept);
    tree.settle();
    assert_eq!(numbered(&tree, &accepted_above), [true; 3]);

    let discarded_below = parked(&tree, &mut li, 13);
    let discard = station.settle(discarded_below, Decision::Discard, &[]);
    push(&tree.village, &mut station, &discard);
    tree.settle();
    let discarded_above = parked(&tree, &mut li, 14);
    let discard = county.settle(discarded_above, Decision::Discard, &[]);
    push(&tree.county, &mut county, &discard);
    tree.settle();
    for relay in relays(&tree) {
        assert!(relay.inbox().unwrap().is_empty());
        assert_eq!(relay.settled().unwrap().len(), 4, "the audit is everywhere");
    }
    for item in [discarded_below, discarded_above] {
        assert_eq!(numbered(&tree, &item), [false; 3]);
    }
}

#[test]
fn two_levels_that_decide_differently_at_once_end_the_same() {
    let tree = Tree::new();
    let mut li = device(&tree.village, 1, Role::Worker, &[GRID_1]);
    let mut station = device(&tree.village, 2, Role::Station, &[AREAS[2]]);
    let mut county = device(&tree.county, 3, Role::County, &[AREAS[0]]);
    tree.settle();
    for (n, below) in [(11, Decision::Accept), (12, Decision::Discard)] {
        let above = match below {
            Decision::Accept => Decision::Discard,
            Decision::Discard => Decision::Accept,
        };
        let item = parked(&tree, &mut li, n);
        let one = station.settle(item, below, &[]);
        let other = county.settle(item, above, &[]);
        push(&tree.village, &mut station, &one);
        push(&tree.county, &mut county, &other);
        tree.settle();
        tree.settle();
        assert_eq!(
            numbered(&tree, &item),
            [true; 3],
            "a number is never taken back"
        );
        for relay in relays(&tree) {
            assert!(relay.inbox().unwrap().is_empty());
        }
    }
}

#[test]
fn poison_among_fifty_good_records_blocks_none_of_them_and_is_told_to_the_desk() {
    let town = Town::new();
    let mut desk = town.home("陈站长", Role::Township, &[TOWNSHIP]);
    let mut li = Device::new(1);
    let code = town.district.invite("李梅", Role::Worker, &[GRID_1]);
    li.enroll(town.district.address(), &Code::parse(&code).unwrap());
    let shape = kind::shape(kind::HOUSEHOLD).unwrap();
    let mut batches = Vec::new();
    for n in 1..=50 {
        let doc = DocId([n; 16]);
        li.begin(doc, GRID_1);
        let document = Document::begin(&shape, &doc).unwrap();
        li.docs.insert(
            doc,
            Doc {
                document,
                owner: None,
            },
        );
        // A record made of nothing else, and a change of a record that is good before and after.
        if n == 20 {
            li.write(doc, "members", "x");
        } else {
            li.write(doc, "note", &format!("记{n}"));
        }
        if n == 30 {
            li.write(doc, "members", "x");
        }
        let mut batch = li.batch();
        batch.shapes = vec![shape.clone()];
        batches.push(batch);
    }
    let frames = Device::full(&batches);
    let now = wangge_testkit::town::MORNING_MS;
    let answer = li.exchange(town.district.address(), now, batches.len(), &frames, false);
    let receipts = answer.receipts();
    let items: Vec<&ItemState> = receipts.iter().flat_map(|it| &it.items).collect();
    assert_eq!(items.len(), 101);
    let numbered = |item: &&ItemState| matches!(item, ItemState::At(_));
    assert!(items.iter().all(numbered), "all are receipted");

    let report = sync(&mut desk).unwrap();
    assert_eq!(report.held, 2);
    for n in (1..=50).filter(|n| *n != 20) {
        let document = desk.store().document(&DocId([n; 16])).unwrap().unwrap();
        assert_eq!(document.fields().root_text("note"), format!("记{n}"));
    }
    town.district.relay().make_packs(&Packs::default()).unwrap();
    let held = wait(desk.inbox(false)).unwrap();
    assert_eq!(held.len(), 2);
    assert!(
        held.iter()
            .all(|item| item.state == "held" && item.held == "hides_container")
    );
    let shown = wait(desk.inbox_show(&held[0].id)).unwrap();
    assert_eq!(shown.unread, "hides_container");
    let refused = wait(desk.inbox_settle(&held[0].id, &Settle::Accept, false));
    assert!(matches!(
        refused,
        Err(AgentError::Inbox(InboxRefusal::Held))
    ));
    wait(desk.inbox_retry(&held[0].id)).unwrap();
    town.district.relay().make_packs(&Packs::default()).unwrap();
    assert_eq!(
        wait(desk.inbox(false)).unwrap().len(),
        2,
        "what fails again is held again"
    );
}
