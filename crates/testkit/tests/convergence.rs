//! Random actions on three devices that sync when they like: in the end all hold the same.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use proptest::prelude::*;
use wangge_agent::households::{HouseholdEdit, HouseholdInput, MemberInput};
use wangge_agent::reports::ReportInput;
use wangge_agent::tickets::{Step, TicketInput};
use wangge_agent::visits::VisitInput;
use wangge_agent::{AgentError, Replica};
use wangge_testkit::district::{District, sync};
use wangge_wire::{AreaCode, Role};

const TOWNSHIP: &str = "511724103";
const GRID: &str = "511724103202001";
const HEADS: [&str; 3] = ["曾小红", "王建国", "单秀英"];

#[derive(Debug, Clone)]
enum Action {
    Phone(usize, u8),
    Note(usize, u8),
    Visit(usize, u8),
    Report(usize, u8),
    Open(usize),
    Move(usize, usize),
    Household(usize),
    Sync,
}

fn action() -> impl Strategy<Value = Action> {
    let household = 0..HEADS.len();
    prop_oneof![
        (household.clone(), any::<u8>()).prop_map(|(h, n)| Action::Phone(h, n)),
        (household.clone(), any::<u8>()).prop_map(|(h, n)| Action::Note(h, n)),
        (household.clone(), any::<u8>()).prop_map(|(h, n)| Action::Visit(h, n)),
        (household.clone(), any::<u8>()).prop_map(|(h, n)| Action::Report(h, n)),
        household.clone().prop_map(Action::Open),
        (0..3usize, 0..6usize).prop_map(|(t, s)| Action::Move(t, s)),
        household.prop_map(Action::Household),
        Just(Action::Sync),
    ]
}

fn family(index: usize) -> HouseholdInput {
    HouseholdInput {
        area: Some(GRID.into()),
        door: format!("3组{}号", index + 1),
        members: vec![MemberInput {
            name: HEADS[index].into(),
            relation: Some("户主".into()),
            ..MemberInput::default()
        }],
        ..HouseholdInput::default()
    }
}

/// Edits a household; a field that is in conflict somebody settles first, and nothing is written.
fn change(replica: &mut Replica, head: &str, edit: HouseholdEdit) {
    if let Ok(id) = replica.name_household(head) {
        match replica.edit_household(&id, edit) {
            Err(AgentError::InConflict { .. }) => {}
            written => _ = written.unwrap(),
        }
    }
}

/// Does the action; what a ticket or a missing household refuses is no fault of the action.
fn act(replica: &mut Replica, action: &Action) {
    match action {
        Action::Household(h) => {
            replica.add_household(family(*h)).unwrap();
        }
        Action::Phone(h, n) => {
            let phone = format!("138000000{n:02}").chars().take(11).collect();
            let edit = HouseholdEdit {
                phone: Some(phone),
                ..HouseholdEdit::default()
            };
            change(replica, HEADS[*h], edit);
        }
        Action::Note(h, n) => {
            let edit = HouseholdEdit {
                note: Some(format!("备注{n}")),
                ..HouseholdEdit::default()
            };
            change(replica, HEADS[*h], edit);
        }
        Action::Visit(h, n) => {
            let note = format!("走访{n}");
            let input = VisitInput {
                household: HEADS[*h].into(),
                note,
                ..VisitInput::default()
            };
            let _ = replica.add_visit(input);
        }
        Action::Report(h, n) => {
            let household = replica
                .name_household(HEADS[*h])
                .ok()
                .map(|id| id.to_string());
            let area = Some(GRID.to_owned());
            let text = format!("反映{n}");
            replica
                .add_report(ReportInput {
                    household,
                    area,
                    text,
                    ..ReportInput::default()
                })
                .unwrap();
        }
        Action::Open(h) => {
            let household = replica
                .name_household(HEADS[*h])
                .ok()
                .map(|id| id.to_string());
            let area = Some(GRID.to_owned());
            let subject = "修路灯".to_owned();
            replica
                .open_ticket(TicketInput {
                    household,
                    area,
                    subject,
                    ..TicketInput::default()
                })
                .unwrap();
        }
        Action::Move(ticket, step) => {
            let tickets = replica.tickets(&[], 100).unwrap();
            let kinds = ["accept", "assign", "start", "done", "verify", "close"];
            if let Some(row) = tickets.get(*ticket) {
                let step = Step {
                    kind: kinds[*step].into(),
                    to: Some(GRID.into()),
                    done_kind: Some("substantive".into()),
                    text: Some("好".into()),
                    ..Step::default()
                };
                let _ = replica.ticket_step(&row.id.to_string(), &step);
            }
        }
        Action::Sync => {
            sync(replica).unwrap();
        }
    }
}

/// What a device's screens would show.
fn shown(replica: &Replica) -> Vec<String> {
    let mut all = Vec::new();
    for row in replica.households(None, 100, 0).unwrap() {
        let view = replica.household(&row.id).unwrap();
        all.push(format!("{row:?} {:?}", view.household));
    }
    all.extend(
        replica
            .visits(None, 1000)
            .unwrap()
            .iter()
            .map(|v| format!("{} {:?}", v.id, v.content)),
    );
    all.extend(
        replica
            .reports(1000)
            .unwrap()
            .iter()
            .map(|r| format!("{} {:?}", r.id, r.content)),
    );
    for row in replica.tickets(&[], 1000).unwrap() {
        let ticket = replica.ticket(&row.id.to_string()).unwrap();
        all.push(format!(
            "{} {} {:?} {:?}",
            ticket.id, ticket.status, ticket.events, ticket.contested
        ));
    }
    let conflicts = replica.conflicts().unwrap();
    all.extend(conflicts.iter().map(|c| {
        let mut values: Vec<String> = c
            .versions
            .iter()
            .map(|v| format!("{} {}", v.value, v.by.name))
            .collect();
        values.sort();
        format!("{} {} {values:?}", c.id, c.field)
    }));
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 60, ..ProptestConfig::default() })]

    #[test]
    fn three_devices_end_with_the_same_documents_and_the_same_screens(
        actions in prop::collection::vec((0..3usize, action()), 10..60),
    ) {
        let district = District::new();
        let mut replicas = [
            district.home("desk", Role::Township, &[TOWNSHIP]),
            district.home("李梅", Role::Worker, &[GRID]),
            district.home("王芳", Role::Worker, &[GRID, "511724103202002"]),
        ];
        for (who, action) in &actions {
            act(&mut replicas[*who], action);
        }
        for _ in 0..2 {
            for replica in &mut replicas {
                let report = sync(replica).unwrap();
                prop_assert_eq!((report.held, report.inbox, report.unsent), (0, 0, 0));
            }
        }
        let grid = AreaCode::parse(GRID).unwrap();
        let heads = replicas[0].store().heads(&grid).unwrap();
        let screens = shown(&replicas[0]);
        for replica in &mut replicas[1..] {
            let report = sync(replica).unwrap();
            prop_assert!(report.complete.values().all(|area| area.equal));
            prop_assert_eq!(&replica.store().heads(&grid).unwrap(), &heads);
            prop_assert_eq!(&shown(replica), &screens);
            prop_assert!(replica.status().unwrap().all_safe);
        }
    }
}
