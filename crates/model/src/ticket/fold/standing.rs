//! Of the legal events of a ticket: which are struck, which stand, which are shown.
//!
//! **What gives way is never lost, it is named with whatever it gave way to**, and an event that gave
//! way makes nothing give way itself.

use std::collections::{BTreeMap, BTreeSet};

use super::super::event::{EventId, Kind, TicketEvent};
use super::super::history::{History, Places};
use super::super::pairs::{self, Ruling, Unless};
use super::super::progress::{is_bad, is_of_round};
use super::Fact;

/// Legal events by their place in the history.
pub(super) type Legal<'f, 'a> = BTreeMap<usize, (Kind, &'f Fact<'a>)>;

/// What a rival means to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meeting {
    /// It overtakes the event.
    OvertakesMe(&'static str),
    /// They exclude each other.
    Contested,
    /// They say the same step.
    SameStep,
}

/// What a first event is to a second, and the other way round.
type Meetings = (Option<Meeting>, Option<Meeting>);

const BUILT_ON: &str = "somebody had built on the step meanwhile";

/// Returns how two concurrent events meet: what the second is to the first, and the other way round.
pub(super) fn meet(
    history: &History<'_>,
    (place, one): (usize, &Fact<'_>),
    (rival, other): (usize, &Fact<'_>),
) -> Meetings {
    let (Ok(first), Ok(second)) = (one.verdict, other.verdict) else {
        return (None, None);
    };
    if first == Kind::Retract || second == Kind::Retract {
        let kept = |retract: &Fact<'_>, by: usize, kind: Kind| {
            let builds = !matches!(kind, Kind::Retract | Kind::Comment);
            (builds && built_on(history, retract, by)).then_some(Meeting::OvertakesMe(BUILT_ON))
        };
        return (
            (first == Kind::Retract)
                .then(|| kept(one, rival, second))
                .flatten(),
            (second == Kind::Retract)
                .then(|| kept(other, place, first))
                .flatten(),
        );
    }
    // Steps of different rounds have nothing to do with each other: the later round counts.
    let in_round = |kind, fact: &Fact<'_>| is_of_round(kind, fact.event);
    if in_round(first, one) && in_round(second, other) && one.outlook.round != other.outlook.round {
        return (None, None);
    }
    let row = pairs::pair(acts_as(first, one), acts_as(second, other));
    let same_step = pairs::same_step(first, second).then_some(Meeting::SameStep);
    let ruling = if says_the_same(row.unless, one, other) {
        Ruling::BothStand
    } else {
        row.ruling
    };
    match ruling {
        Ruling::FirstStands => (None, Some(Meeting::OvertakesMe(row.reason))),
        Ruling::SecondStands => (Some(Meeting::OvertakesMe(row.reason)), None),
        Ruling::BothStand => (same_step, same_step),
        Ruling::Contested => (Some(Meeting::Contested), Some(Meeting::Contested)),
    }
}

/// Returns the kind whose rows an event falls under: a bad follow-up takes the ticket up again.
fn acts_as(kind: Kind, fact: &Fact<'_>) -> Kind {
    match kind {
        Kind::FollowUp if is_bad(fact.event) => Kind::Reopen,
        _ => kind,
    }
}

/// Returns whether an event builds on the step that a retract takes back.
fn built_on(history: &History<'_>, retract: &Fact<'_>, by: usize) -> bool {
    let past = history.past.get(by).into_iter().flat_map(Places::iter);
    let mut seen = past.filter_map(|place| history.events.get(place));
    seen.any(|(id, _)| retract.event.names.contains(id))
}

fn says_the_same(unless: Unless, one: &Fact<'_>, other: &Fact<'_>) -> bool {
    // Who an assign gives it to, or for whom a handler acted.
    let handler = |fact: &Fact<'_>| match fact.verdict {
        Ok(Kind::Assign) => fact.event.to.clone(),
        _ => fact.outlook.acted_for.clone(),
    };
    let wins_and_loses = |winner: &Fact<'_>, loser: &Fact<'_>| {
        winner
            .event
            .names
            .first()
            .is_some_and(|id| losers(loser.event).any(|lost| lost == id))
    };
    match unless {
        Unless::Never => false,
        Unless::SameArea => one.event.area == other.event.area,
        Unless::SameHandler => handler(one) == handler(other),
        Unless::SameInto => one.event.into == other.event.into,
        Unless::SameWinner => !wins_and_loses(one, other) && !wins_and_loses(other, one),
    }
}

fn losers(settle: &TicketEvent) -> impl Iterator<Item = &EventId> {
    settle.names.iter().skip(1)
}

/// Returns the rivals of an event that are contested with it and stand.
fn contenders(fact: &Fact<'_>, standing: &Places) -> impl Iterator<Item = usize> {
    let contested = fact
        .rivals
        .iter()
        .filter(|(_, meeting)| *meeting == Meeting::Contested);
    contested
        .map(|(rival, _)| *rival)
        .filter(|rival| standing.contains(*rival))
}

/// Returns what stands beside a shown event and is not shown itself: for a centre or a handler
/// those it is contested with, for a finish the other finishes.
pub(super) fn beside<'a>(
    kind: Kind,
    fact: &Fact<'_>,
    legal: &Legal<'_, 'a>,
    standing: &Places,
) -> Vec<&'a TicketEvent> {
    let wanted = match kind {
        Kind::Accept | Kind::Assign => Meeting::Contested,
        Kind::Done | Kind::HandledOnSpot => Meeting::SameStep,
        _ => return Vec::new(),
    };
    let meetings = fact
        .rivals
        .iter()
        .filter(|(rival, meeting)| *meeting == wanted && standing.contains(*rival));
    meetings
        .filter_map(|(rival, _)| legal.get(rival).map(|(_, fact)| fact.event))
        .collect()
}

/// Returns the events that settles and retracts strike, and the settles that have no effect for being
/// disputed.
///
/// A disputed settle takes effect once all that dispute it are struck; the later settles that
/// strike them are looked at first, again and again until nothing changes.
pub(super) fn strike(legal: &Legal<'_, '_>) -> (BTreeMap<usize, usize>, Vec<usize>) {
    let strikes = |kind: &Kind| matches!(kind, Kind::Settle | Kind::Retract);
    let mut idle: Vec<usize> = legal
        .iter()
        .rev()
        .filter(|(_, (kind, _))| strikes(kind))
        .map(|(place, _)| *place)
        .collect();
    let mut struck: BTreeMap<usize, usize> = BTreeMap::new();
    if idle.is_empty() {
        return (struck, idle);
    }
    let place_of: BTreeMap<EventId, usize> = legal
        .iter()
        .map(|(place, (_, fact))| (fact.id, *place))
        .collect();
    loop {
        let before = idle.len();
        idle.retain(|striking| {
            let Some((kind, fact)) = legal.get(striking) else {
                return true;
            };
            if struck.contains_key(striking) || is_kept_back(*kind, fact, legal, &struck) {
                return true;
            }
            let given_up = match kind {
                Kind::Retract => fact.event.names.iter().collect(),
                _ => losers(fact.event).collect::<Vec<_>>(),
            };
            for loser in given_up.into_iter().filter_map(|id| place_of.get(id)) {
                struck.entry(*loser).or_insert(*striking);
            }
            false
        });
        if idle.len() == before {
            let is_settle = |place: &usize| {
                legal
                    .get(place)
                    .is_some_and(|(kind, _)| *kind == Kind::Settle)
            };
            idle.retain(|place| is_settle(place) && !struck.contains_key(place));
            return (struck, idle);
        }
    }
}

/// Returns whether a settle is disputed, or the step a retract takes back was built on.
fn is_kept_back(
    kind: Kind,
    fact: &Fact<'_>,
    legal: &Legal<'_, '_>,
    struck: &BTreeMap<usize, usize>,
) -> bool {
    fact.rivals.iter().any(|(rival, meeting)| match kind {
        Kind::Retract => legal.contains_key(rival),
        _ => {
            *meeting == Meeting::Contested
                && legal.contains_key(rival)
                && !struck.contains_key(rival)
        }
    })
}

/// Returns the events that stand, and those a standing event overtakes.
pub(super) fn stand(
    legal: &Legal<'_, '_>,
    struck: &BTreeMap<usize, usize>,
) -> (Places, BTreeMap<usize, (usize, &'static str)>) {
    let mut by_rank: Vec<(u8, usize, Kind, &Fact<'_>)> = legal
        .iter()
        .map(|(place, (kind, fact))| (pairs::rank(acts_as(*kind, fact)), *place, *kind, *fact))
        .collect();
    by_rank.sort_unstable_by_key(|(rank, place, ..)| (*rank, *place));
    let mut standing = Places::default();
    let mut overtaken = BTreeMap::new();
    for (_, place, kind, fact) in by_rank
        .into_iter()
        .filter(|(_, place, ..)| !struck.contains_key(place))
    {
        let overtaking = fact
            .rivals
            .iter()
            .filter_map(|(rival, meeting)| match meeting {
                // A step that was built on is kept, whatever became of what was built.
                Meeting::OvertakesMe(because)
                    if standing.contains(*rival)
                        || (kind == Kind::Retract && legal.contains_key(rival)) =>
                {
                    Some((*rival, *because))
                }
                _ => None,
            });
        match overtaking.min_by_key(|(rival, _)| *rival) {
            Some(winner) => _ = overtaken.insert(place, winner),
            None => standing.insert(place),
        }
    }
    (standing, overtaken)
}

/// Returns the contested pairs, the smaller id first.
///
/// Where two settles of a pair are themselves contested, they are what is left to settle.
pub(super) fn contested(
    legal: &Legal<'_, '_>,
    standing: &Places,
    disputed: &[usize],
) -> Vec<(EventId, EventId)> {
    let ordered = |one: EventId, other: EventId| (one.min(other), one.max(other));
    let named: BTreeSet<(EventId, EventId)> = disputed
        .iter()
        .filter_map(|settle| legal.get(settle))
        .filter_map(|(_, fact)| fact.event.names.first().map(|winner| (fact.event, *winner)))
        .flat_map(|(event, winner)| losers(event).map(move |loser| ordered(winner, *loser)))
        .collect();
    let pairs: BTreeSet<(EventId, EventId)> = legal
        .iter()
        .filter(|(place, _)| standing.contains(**place))
        .flat_map(|(_, (_, fact))| contenders(fact, standing).map(move |rival| (fact.id, rival)))
        .filter_map(|(id, rival)| legal.get(&rival).map(|(_, fact)| ordered(id, fact.id)))
        .collect();
    pairs.difference(&named).copied().collect()
}

/// Returns the standing events that are shown: the smallest id of each contest and of each step.
pub(super) fn show(legal: &Legal<'_, '_>, standing: &Places) -> Places {
    let mut by_id: Vec<(EventId, usize, &Fact<'_>)> = legal
        .iter()
        .filter(|(place, _)| standing.contains(**place))
        .map(|(place, (_, fact))| (fact.id, *place, *fact))
        .collect();
    by_id.sort_unstable_by_key(|(id, ..)| *id);
    let mut shown = Places::default();
    for (_, place, fact) in by_id {
        let hides = |meeting: &Meeting| matches!(meeting, Meeting::Contested | Meeting::SameStep);
        if !fact
            .rivals
            .iter()
            .any(|(rival, meeting)| hides(meeting) && shown.contains(*rival))
        {
            shown.insert(place);
        }
    }
    shown
}
