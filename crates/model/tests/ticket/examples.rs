//! Worked examples of events that met, told from what the fold really makes of them.
//!
//! **No sentence about a state is written by hand**: who did what is read from the events, what
//! stands from the state they add up to.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

use wangge_model::ticket::{
    Card, EventId, EventKind, Handler, Kind, Parked, TicketEvent, TicketState,
};
use wangge_wire::PersonId;

use crate::cast::{AI, BO, CAST, CLERK, Device, STATION, TOWNSHIP, accepted, village, with_bo};

const NAMES: [&str; 8] = [
    "Ai",
    "Bo",
    "the station",
    "its clerk",
    "the township",
    "the county",
    "the waterworks",
    "a stranger",
];

/// Returns the examples as Markdown.
pub(super) fn markdown() -> String {
    let submitted = Device::new(AI).after(&[(AI, Kind::Submit)]);
    let done = with_bo().after(&[(BO, Kind::Done)]);
    let verified = done.clone().after(&[(AI, Kind::Verify)]);
    let started = with_bo().after(&[(BO, Kind::Start)]);
    let mut out = String::from(
        "Ai and Bo are workers; whatever Ai was asked, Ai is first-asked. What stands is the fold's own word.\n",
    );
    let mut tell = |title: &str, start: &Device, one: &[Act], other: &[Act]| {
        out.push('\n');
        out.push_str(&story(title, start, one, other));
    };
    let act = |who, kind| Act::Step(who, kind);
    tell(
        "Two centres accept",
        &submitted,
        &[act(STATION, Kind::Accept)],
        &[act(TOWNSHIP, Kind::Accept)],
    );
    tell(
        "Closed here, escalated there",
        &started,
        &[
            act(BO, Kind::Done),
            act(AI, Kind::Verify),
            act(STATION, Kind::Close),
        ],
        &[act(BO, Kind::Escalate)],
    );
    tell(
        "Done while it was given to somebody else",
        &with_bo(),
        &[act(BO, Kind::Done)],
        &[Act::Assign(STATION, AI.by_name())],
    );
    tell(
        "Found done while the resident says it is not",
        &done,
        &[act(AI, Kind::Verify)],
        &[Act::Grade(TOWNSHIP, 1)],
    );
    tell(
        "Withdrawn while it was done",
        &with_bo(),
        &[act(AI, Kind::Withdraw)],
        &[act(BO, Kind::Done)],
    );
    tell(
        "Withdrawn while it was closed",
        &verified,
        &[act(AI, Kind::Withdraw)],
        &[act(STATION, Kind::Close)],
    );
    tell(
        "Closed twice, and taken up again by who had seen one of them",
        &verified,
        &[act(STATION, Kind::Close), act(STATION, Kind::Reopen)],
        &[act(CLERK, Kind::Close)],
    );
    tell(
        "Asked back twice, and the supplement came to one of them",
        &submitted,
        &[act(STATION, Kind::AskBack), act(AI, Kind::Submit)],
        &[act(CLERK, Kind::AskBack)],
    );
    tell(
        "Taken here, not taken there",
        &submitted,
        &[act(STATION, Kind::Accept)],
        &[act(TOWNSHIP, Kind::Decline)],
    );
    tell(
        "Merged while it was done",
        &started,
        &[act(STATION, Kind::Merge)],
        &[act(BO, Kind::Done)],
    );
    tell(
        "Suspended by one colleague, done by the other",
        &accepted().after(&[(STATION, Kind::Assign)]),
        &[act(AI, Kind::Suspend)],
        &[act(BO, Kind::Done)],
    );
    tell(
        "Taken back while somebody built on it",
        &accepted(),
        &[Act::Assign(STATION, village()), Act::TakeBack(STATION)],
        &[],
    );
    tell(
        "Two levels watch it",
        &started,
        &[Act::Card(STATION, Card::Red)],
        &[Act::Card(TOWNSHIP, Card::Yellow)],
    );
    out
}

/// What somebody does in an example.
enum Act {
    Step(crate::cast::Who, Kind),
    Assign(crate::cast::Who, Handler),
    Grade(crate::cast::Who, u8),
    Card(crate::cast::Who, Card),
    /// The last step is taken back; somebody who had heard of it had built on it.
    TakeBack(crate::cast::Who),
}

impl Act {
    fn done_on(&self, device: &mut Device) -> Option<Device> {
        let mut there = None;
        match self {
            Act::Step(who, kind) => _ = device.act(*who, *kind),
            Act::Assign(who, to) => _ = device.assign(*who, to.clone()),
            Act::Grade(who, grade) => {
                let event = device.draft(*who, Kind::FollowUp);
                device.add(TicketEvent {
                    grade: Some(*grade),
                    ..event
                });
            }
            Act::Card(who, card) => {
                let event = device.draft(*who, Kind::Supervise);
                device.add(TicketEvent {
                    card: Some(card.clone()),
                    ..event
                });
            }
            Act::TakeBack(who) => {
                let mut other = device.clone();
                other.act(BO, Kind::Start);
                there = Some(other);
                let event = device.draft(*who, Kind::Retract);
                let names = device.state().heads;
                device.add(TicketEvent { names, ..event });
            }
        }
        there
    }
}

fn story(title: &str, start: &Device, one: &[Act], other: &[Act]) -> String {
    let (mut here, mut there) = (start.clone(), start.clone());
    for act in one {
        if let Some(heard) = act.done_on(&mut here) {
            there = heard;
        }
    }
    for act in other {
        act.done_on(&mut there);
    }
    let mut both = here.clone();
    both.hear(&there);
    let state = both.state();
    assert!(
        [&here, &there].iter().all(|device| legal(&device.state())),
        "an example is made of legal steps: {title}"
    );
    format!(
        "**{title}**\n\n* Both had seen: {}.\n* One device: {}. Another: {}.\n* Together: {}.\n",
        told(&Device::new(AI), start),
        told(start, &here),
        told(start, &there),
        stands(&both, &state)
    )
}

fn legal(state: &TicketState) -> bool {
    let refused = |parked: &Parked| matches!(parked, Parked::Refused(_));
    !state.parked.values().any(refused)
}

fn told(before: &Device, after: &Device) -> String {
    let state = after.state();
    let news = state
        .history
        .iter()
        .filter(|id| !before.events.contains_key(*id));
    news.map(|id| event(after, id))
        .collect::<Vec<_>>()
        .join(", ")
}

fn event(device: &Device, id: &EventId) -> String {
    let event = device.events.get(id).unwrap();
    let kind = match &event.kind {
        EventKind::Known(kind) => kind.as_str(),
        EventKind::Unknown(name) => name,
    };
    let to = event
        .to
        .iter()
        .filter(|_| kind == "assign")
        .map(|to| format!(" to {}", handler(to)));
    let grade = event.grade.iter().map(|grade| format!(" {grade}"));
    let detail: String = to.chain(grade).collect();
    format!("{} `{kind}`{detail}", name(event.by))
}

fn name(person: PersonId) -> &'static str {
    let place = CAST.iter().position(|who| who.id() == person);
    place.and_then(|place| NAMES.get(place).copied()).unwrap()
}

fn handler(handler: &Handler) -> String {
    match handler {
        Handler::Person(person) => name(*person).to_owned(),
        Handler::Area(_) => "the village".to_owned(),
        Handler::Unit(_) | Handler::Other(_) => "a unit".to_owned(),
    }
}

fn stands(device: &Device, state: &TicketState) -> String {
    let mut parts = vec![format!("`{}`", state.progress.status.as_str())];
    if let Some(who) = state.progress.handler() {
        parts.push(format!("with {}", handler(who)));
    }
    if let Some(card) = &state.progress.card {
        parts.push(format!("card `{}`", String::from(card.clone())));
    }
    for (a, b) in &state.contested {
        parts.push(format!(
            "contested: {} and {}",
            event(device, a),
            event(device, b)
        ));
    }
    for (id, parked) in &state.parked {
        let why = match parked {
            Parked::Overtaken { by, because } => {
                format!("overtaken by {}: {because}", event(device, by))
            }
            other => other.code().to_owned(),
        };
        parts.push(format!("parked: {} ({why})", event(device, id)));
    }
    parts.join("; ")
}
