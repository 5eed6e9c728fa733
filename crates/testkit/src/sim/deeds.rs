//! What people do at a device without a link, drawn by the dice.

use wangge_agent::households::{HouseholdEdit, HouseholdInput, MemberInput};
use wangge_agent::reports::ReportInput;
use wangge_agent::tickets::{Step, TicketInput};
use wangge_agent::visits::VisitInput;
use wangge_agent::{AgentError, Replica};

use super::look;
use crate::working_days::Dice;

const HEADS: [&str; 6] = ["曾小红", "王建国", "单秀英", "李桂芳", "张大勇", "陈素珍"];
const STEPS: [&str; 6] = ["accept", "assign", "start", "done", "verify", "close"];

/// Does one thing and says what; the error is what the program told whoever tried.
pub(super) fn something(
    replica: &mut Replica,
    dice: &mut Dice,
) -> (String, Result<(), AgentError>) {
    let areas: Vec<String> = replica
        .own_areas()
        .iter()
        .map(ToString::to_string)
        .collect();
    let household = pick(look::households(replica), dice);
    let number = dice.below(100);
    match (dice.below(10), household) {
        (0..=3, Some(id)) => {
            let input = VisitInput {
                household: id,
                note: format!("走访{number}"),
                ..VisitInput::default()
            };
            ("visit".into(), replica.add_visit(input).map(drop))
        }
        (4, Some(id)) => {
            let edit = HouseholdEdit {
                phone: Some(format!("138000000{number:02}")),
                ..HouseholdEdit::default()
            };
            edited(replica, &id, edit)
        }
        (5, Some(id)) => {
            let edit = HouseholdEdit {
                note: Some(format!("备注{number}")),
                ..HouseholdEdit::default()
            };
            edited(replica, &id, edit)
        }
        (6, Some(id)) => {
            let input = ReportInput {
                household: Some(id),
                text: format!("反映{number}"),
                ..ReportInput::default()
            };
            ("report".into(), replica.add_report(input).map(drop))
        }
        (7, Some(id)) => {
            let input = TicketInput {
                household: Some(id),
                subject: "修路灯".into(),
                ..TicketInput::default()
            };
            ("ticket".into(), replica.open_ticket(input).map(drop))
        }
        (8, _) => step(replica, dice, &areas),
        _ => added(replica, dice, &areas),
    }
}

fn edited(
    replica: &mut Replica,
    id: &str,
    edit: HouseholdEdit,
) -> (String, Result<(), AgentError>) {
    let id = id.parse().unwrap();
    ("edit".into(), replica.edit_household(&id, edit).map(drop))
}

fn step(
    replica: &mut Replica,
    dice: &mut Dice,
    areas: &[String],
) -> (String, Result<(), AgentError>) {
    let Some(ticket) = pick(look::tickets(replica), dice) else {
        return added(replica, dice, areas);
    };
    let kind = dice.pick(&STEPS).to_owned();
    let step = Step {
        kind: kind.clone(),
        to: areas.first().cloned(),
        done_kind: Some("substantive".into()),
        text: Some("好".into()),
        ..Step::default()
    };
    (kind, replica.ticket_step(&ticket, &step).map(drop))
}

fn added(
    replica: &mut Replica,
    dice: &mut Dice,
    areas: &[String],
) -> (String, Result<(), AgentError>) {
    // A desk has no grid of its own: it chooses one below it.
    let area = areas.get(dice.below(areas.len())).cloned();
    let area = area.map(|area| {
        if area.len() < 15 {
            look::grid_below(&area)
        } else {
            area
        }
    });
    let input = HouseholdInput {
        area,
        door: format!("{}组{}号", dice.below(3) + 1, dice.below(30) + 1),
        members: vec![MemberInput {
            name: dice.pick(&HEADS).into(),
            relation: Some("户主".into()),
            ..MemberInput::default()
        }],
        ..HouseholdInput::default()
    };
    ("household".into(), replica.add_household(input).map(drop))
}

fn pick(from: Vec<String>, dice: &mut Dice) -> Option<String> {
    let index = dice.below(from.len());
    from.into_iter().nth(index)
}
