//! The fold: from the events of a ticket to its state.
//!
//! **An event is legal or not once and for ever**: it is judged in the state that its own past adds
//! up to, which no later arrival changes. What may change is whether it stands, when an event turns
//! up that its author did not know of.
//!
//! For a set of legal events (the whole ticket, or one event's past):
//! 1. settles that nobody disputes strike what they name as giving way;
//! 2. of the rest, by the table of pairs, an event stands unless a standing one overtakes it;
//! 3. standing pairs that exclude each other are contested; of those, and of two that say the same
//!    step, the smaller id is shown;
//! 4. the shown events, applied in causal order, give the progress.
//!
//! An event with one parent adds to what its parent's author saw; only where lines of history meet
//! is a past added up anew, in time that grows with the square of the events in it that did not
//! know of each other.

use std::collections::{BTreeMap, BTreeSet};

use super::event::{EventId, Handler, Kind, TicketEvent};
use super::history::{History, Places};
use super::judge::{Refusal, acting_for, judge};
use super::pairs::{self, Ruling, Unless};
use super::{Desk, Opened, Parked, Progress, Status, TicketState};

/// Returns the state of a ticket with these events.
pub fn fold(opened: &Opened, events: &BTreeMap<EventId, TicketEvent>) -> TicketState {
    let history = History::of(events);
    let mut fold = Fold {
        opened,
        facts: Vec::new(),
        seen: Vec::new(),
        history,
    };
    for place in 0..fold.history.events.len() {
        fold.take(place);
    }
    let all = Places::below(fold.history.events.len());
    let decided = fold.decide(&all);
    TicketState {
        first_asked_by: opened.first_asked_by,
        answer_owner: opened.answer_owner,
        history: fold.history.events.iter().map(|(id, _)| *id).collect(),
        heads: fold.history.heads(),
        parked: fold.parked(&decided),
        contested: fold.contested(&all),
        waiting: fold.history.waiting,
        progress: decided.progress,
    }
}

struct Fold<'a> {
    opened: &'a Opened,
    history: History<'a>,
    /// What is known of each event, in causal order.
    facts: Vec<Fact<'a>>,
    /// What each event's author saw with the event itself added.
    seen: Vec<Progress>,
}

/// What is known of one event for ever.
struct Fact<'a> {
    id: EventId,
    event: &'a TicketEvent,
    verdict: Result<Kind, Refusal>,
    /// The handler its author acted for, in what they saw.
    acted_for: Option<Handler>,
    /// Legal events it did not know of and that did not know of it, where the table says more
    /// than that both are shown.
    rivals: Vec<(usize, Meeting)>,
}

/// What a rival means to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meeting {
    /// It overtakes the event.
    OvertakesMe(&'static str),
    /// They exclude each other.
    Contested,
    /// They say the same step.
    SameStep,
}

/// What a set of events adds up to, and what became of those that do not stand.
#[derive(Default)]
struct Decided {
    progress: Progress,
    /// Loser and settle.
    struck: BTreeMap<usize, usize>,
    /// Overtaken and who stands, with the reason.
    overtaken: BTreeMap<usize, (usize, &'static str)>,
}

impl<'a> Fold<'a> {
    /// Judges the next event of the history and adds what follows from it.
    fn take(&mut self, place: usize) {
        let Some((id, event)) = self.history.events.get(place).copied() else {
            return;
        };
        let mut progress = self.progress_before(place);
        let verdict = judge(
            self.opened,
            &progress,
            &self.contested_before(place, event),
            event,
        )
        .and_then(|()| event.kind.known().ok_or(Refusal::UnknownKind));
        let acted_for = match verdict {
            Ok(Kind::HandledOnSpot) => Some(Handler::Person(event.by)),
            _ => acting_for(&progress, event),
        };
        let fact = Fact {
            id,
            event,
            verdict,
            acted_for,
            rivals: Vec::new(),
        };
        match verdict {
            // A settle changes what stands of its past, which therefore adds up anew.
            Ok(Kind::Settle) => {
                self.add(place, fact);
                let mut with_it = self.past(place).cloned().unwrap_or_default();
                with_it.insert(place);
                progress = self.decide(&with_it).progress;
            }
            Ok(kind) => {
                apply(&mut progress, kind, &fact, &[]);
                self.add(place, fact);
            }
            Err(_) => self.add(place, fact),
        }
        self.seen.push(progress);
    }

    /// Returns where the author of an event saw the ticket stand.
    fn progress_before(&self, place: usize) -> Progress {
        match self.history.parents.get(place).map(Vec::as_slice) {
            None | Some([]) => Progress::default(),
            Some([parent]) => self.seen.get(*parent).cloned().unwrap_or_default(),
            // Several lines of history meet here for the first time.
            Some(_) => self
                .past(place)
                .map_or_else(Progress::default, |past| self.decide(past).progress),
        }
    }

    /// Returns what the author of an event saw contested, for the two kinds that ask.
    fn contested_before(&self, place: usize, event: &TicketEvent) -> Vec<(EventId, EventId)> {
        match (event.kind.known(), self.past(place)) {
            (Some(Kind::Close | Kind::Settle), Some(past)) => self.contested(past),
            _ => Vec::new(),
        }
    }

    fn past(&self, place: usize) -> Option<&Places> {
        self.history.past.get(place)
    }

    /// Adds an event, and how it meets each earlier one it did not know of.
    fn add(&mut self, place: usize, mut fact: Fact<'a>) {
        for (other, earlier) in self.facts.iter_mut().enumerate() {
            if self.history.are_concurrent(place, other)
                && let Some((mine, theirs)) = meet(&fact, earlier)
            {
                fact.rivals.extend(mine.map(|meeting| (other, meeting)));
                earlier
                    .rivals
                    .extend(theirs.map(|meeting| (place, meeting)));
            }
        }
        self.facts.push(fact);
    }

    /// Returns what a set of events that holds its own past adds up to.
    fn decide(&self, set: &Places) -> Decided {
        let legal = self.legal(set);
        let (struck, _) = strike(&legal);
        let (standing, overtaken) = stand(&legal, &struck);
        let shown = show(&legal, &standing);
        let mut progress = Progress::default();
        for (place, (kind, fact)) in &legal {
            if shown.contains(*place) {
                let beside = beside(*kind, fact, &legal, &standing);
                apply(&mut progress, *kind, fact, &beside);
            }
        }
        Decided {
            progress,
            struck,
            overtaken,
        }
    }

    /// Returns the contested pairs of a set of events that holds its own past.
    fn contested(&self, set: &Places) -> Vec<(EventId, EventId)> {
        let legal = self.legal(set);
        let (struck, disputed) = strike(&legal);
        let (standing, _) = stand(&legal, &struck);
        contested(&legal, &standing, &disputed)
    }

    fn legal(&self, set: &Places) -> Legal<'_, 'a> {
        let facts = set
            .iter()
            .filter_map(|place| self.facts.get(place).map(|fact| (place, fact)));
        facts
            .filter_map(|(place, fact)| fact.verdict.ok().map(|kind| (place, (kind, fact))))
            .collect()
    }

    fn parked(&self, decided: &Decided) -> BTreeMap<EventId, Parked> {
        let id = |place: &usize| self.facts.get(*place).map(|fact| fact.id);
        let refused = self.facts.iter().filter_map(|fact| {
            let refusal = fact.verdict.err()?;
            Some((fact.id, Parked::Refused(refusal)))
        });
        let settled = decided
            .struck
            .iter()
            .filter_map(|(loser, settle)| Some((id(loser)?, Parked::Settled { by: id(settle)? })));
        let overtaken = decided
            .overtaken
            .iter()
            .filter_map(|(loser, (winner, because))| {
                Some((
                    id(loser)?,
                    Parked::Overtaken {
                        by: id(winner)?,
                        because,
                    },
                ))
            });
        refused.chain(settled).chain(overtaken).collect()
    }
}

type Legal<'f, 'a> = BTreeMap<usize, (Kind, &'f Fact<'a>)>;

/// Returns how two concurrent events meet: what the second is to the first, and the other way round.
fn meet(one: &Fact<'_>, other: &Fact<'_>) -> Option<(Option<Meeting>, Option<Meeting>)> {
    let (first, second) = (one.verdict.ok()?, other.verdict.ok()?);
    let row = pairs::pair(first, second);
    let same_step = pairs::same_step(first, second).then_some(Meeting::SameStep);
    let ruling = if says_the_same(row.unless, one, other) {
        Ruling::BothStand
    } else {
        row.ruling
    };
    Some(match ruling {
        Ruling::FirstStands => (None, Some(Meeting::OvertakesMe(row.reason))),
        Ruling::SecondStands => (Some(Meeting::OvertakesMe(row.reason)), None),
        Ruling::BothStand => (same_step, same_step),
        Ruling::Contested => (Some(Meeting::Contested), Some(Meeting::Contested)),
    })
}

fn says_the_same(unless: Unless, one: &Fact<'_>, other: &Fact<'_>) -> bool {
    // Who an assign gives it to, or for whom a handler acted.
    let handler = |fact: &Fact<'_>| match fact.verdict {
        Ok(Kind::Assign) => fact.event.to.clone(),
        _ => fact.acted_for.clone(),
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
fn beside<'a>(
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

/// Returns the events that settles strike, and the settles that have no effect for being disputed.
///
/// A disputed settle takes effect once all that dispute it are struck; the later settles that
/// strike them are looked at first, again and again until nothing changes.
fn strike(legal: &Legal<'_, '_>) -> (BTreeMap<usize, usize>, Vec<usize>) {
    let place_of: BTreeMap<EventId, usize> = legal
        .iter()
        .map(|(place, (_, fact))| (fact.id, *place))
        .collect();
    let settles = legal
        .iter()
        .rev()
        .filter(|(_, (kind, _))| *kind == Kind::Settle);
    let mut idle: Vec<usize> = settles.map(|(place, _)| *place).collect();
    let mut struck: BTreeMap<usize, usize> = BTreeMap::new();
    loop {
        let before = idle.len();
        idle.retain(|settle| {
            let Some((_, fact)) = legal.get(settle) else {
                return true;
            };
            let live = |rival: &usize| legal.contains_key(rival) && !struck.contains_key(rival);
            let mut disputes = fact.rivals.iter().filter(|(rival, _)| live(rival));
            if struck.contains_key(settle)
                || disputes.any(|(_, meeting)| *meeting == Meeting::Contested)
            {
                return true;
            }
            for loser in losers(fact.event).filter_map(|id| place_of.get(id)) {
                struck.entry(*loser).or_insert(*settle);
            }
            false
        });
        if idle.len() == before {
            idle.retain(|settle| !struck.contains_key(settle));
            return (struck, idle);
        }
    }
}

/// Returns the events that stand, and those a standing event overtakes.
fn stand(
    legal: &Legal<'_, '_>,
    struck: &BTreeMap<usize, usize>,
) -> (Places, BTreeMap<usize, (usize, &'static str)>) {
    let mut by_rank: Vec<(u8, usize, &Fact<'_>)> = legal
        .iter()
        .map(|(place, (kind, fact))| (pairs::rank(*kind), *place, *fact))
        .collect();
    by_rank.sort_unstable_by_key(|(rank, place, _)| (*rank, *place));
    let mut standing = Places::default();
    let mut overtaken = BTreeMap::new();
    for (_, place, fact) in by_rank
        .into_iter()
        .filter(|(_, place, _)| !struck.contains_key(place))
    {
        let overtaking = fact
            .rivals
            .iter()
            .filter_map(|(rival, meeting)| match meeting {
                Meeting::OvertakesMe(because) if standing.contains(*rival) => {
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
fn contested(
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
fn show(legal: &Legal<'_, '_>, standing: &Places) -> Places {
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

/// Adds one shown event to the progress, with those that stand beside it.
///
/// Steps forward only ever raise the status: of two that are both true the later stage is shown,
/// whichever comes first. A step back never meets a later stage that it did not know of: the table
/// of pairs lets only one of them be shown.
fn apply(progress: &mut Progress, kind: Kind, fact: &Fact<'_>, beside: &[&TicketEvent]) {
    let event = fact.event;
    let together = || std::iter::once(event).chain(beside.iter().copied());
    match kind {
        Kind::Submit => raise(progress, Status::Submitted),
        Kind::Accept => {
            raise(progress, Status::Accepted);
            progress.desks = together()
                .map(|event| Desk {
                    role: event.role,
                    area: event.area.clone(),
                })
                .collect();
        }
        Kind::Assign => {
            let handlers: Vec<Handler> = together().filter_map(|event| event.to.clone()).collect();
            // Given to the same handler again, with another date, it goes on.
            if progress.status != Status::InProgress || progress.handlers != handlers {
                progress.status = Status::Assigned;
            }
            progress.handlers = handlers;
        }
        Kind::Start => raise(progress, Status::InProgress),
        Kind::Done | Kind::HandledOnSpot => {
            raise(progress, Status::Done);
            progress.handlers = fact.acted_for.iter().cloned().collect();
            progress.done_kind = event.done_kind.clone();
            progress.done_by.extend(together().map(|event| event.by));
        }
        Kind::Return => {
            step_back(progress, Status::Returned);
            progress.handlers.clear();
        }
        Kind::SendBack => step_back(progress, Status::InProgress),
        Kind::Verify => raise(progress, Status::Verified),
        Kind::Close => raise(progress, Status::Closed),
        Kind::Answer => _ = progress.answered_by.get_or_insert(event.by),
        _ => {}
    }
    if matches!(kind, Kind::Submit | Kind::Accept | Kind::Assign) {
        progress.due = event.due.or(progress.due);
    }
}

fn raise(progress: &mut Progress, status: Status) {
    progress.status = progress.status.max(status);
}

fn step_back(progress: &mut Progress, status: Status) {
    progress.status = status;
    progress.done_kind = None;
    progress.done_by.clear();
}
