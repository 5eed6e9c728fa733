//! The fold: from the events of a ticket to its state.
//!
//! **An event is legal or not once and for ever**: it is judged in the state that its own past adds
//! up to, which no later arrival changes. What may change is whether it stands, when an event turns
//! up that its author did not know of.
//!
//! For a set of legal events (the whole ticket, or one event's past):
//! 1. what its author took back, with nobody building on it, is struck, and settles that nobody
//!    disputes strike what they name as giving way;
//! 2. of the rest, by the table of pairs, an event stands unless a standing one overtakes it;
//! 3. standing pairs that exclude each other are contested; of those, and of two that say the same
//!    step, the smaller id is shown;
//! 4. the shown events, applied in causal order, each in its own round, give the progress; a step of
//!    a round that was over, or that never began, gives way to whatever ended or prevented it.
//!
//! An event with one parent adds to what its parent's author saw; only where lines of history meet
//! is a past added up anew, in time that grows with the square of the events in it that did not
//! know of each other.

mod standing;

use std::collections::BTreeMap;

use wangge_wire::PersonId;

use self::standing::{Legal, Meeting, beside, contested, meet, show, stand, strike};
use super::event::{EventId, Handler, Kind, TicketEvent};
use super::history::{History, Places};
use super::judge::{Refusal, Seen, acting_for, is_neutral, judge};
use super::progress::{Outlook, Progress, begins_round, is_of_round};
use super::{Opened, Parked, TicketState};

/// Returns the state of a ticket with these events.
pub fn fold(opened: &Opened, events: &BTreeMap<EventId, TicketEvent>) -> TicketState {
    let history = History::of(events);
    let mut fold = Fold {
        opened,
        facts: Vec::with_capacity(history.events.len()),
        seen: Vec::with_capacity(history.events.len()),
        history,
    };
    for place in 0..fold.history.events.len() {
        fold.take(place);
    }
    let all = Places::below(fold.history.events.len());
    let decided = fold.decide(&all);
    TicketState {
        first_asked_by: opened.first_asked_by,
        answer_owner: decided.progress.answer_owner.unwrap_or(opened.answer_owner),
        history: fold.history.events.iter().map(|(id, _)| *id).collect(),
        heads: fold.history.heads(),
        parked: fold.parked(&decided),
        contested: fold.contested(&decided, &all),
        loose: fold.loose(&all),
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
    /// What was true for its author.
    outlook: Outlook,
    /// Legal events it did not know of and that did not know of it, where the table says more
    /// than that both are shown.
    rivals: Vec<(usize, Meeting)>,
}

/// What a set of events adds up to, and what became of those that do not stand.
#[derive(Default)]
struct Decided {
    progress: Progress,
    /// What was struck, and the settle or retract that says so.
    struck: BTreeMap<usize, usize>,
    /// Overtaken and who stands, with the reason.
    overtaken: BTreeMap<usize, (usize, &'static str)>,
    /// Settles without effect for being disputed.
    disputed: Vec<usize>,
    standing: Places,
}

const ROUND_OVER: &str = "it speaks of the round before: the ticket was begun anew";
const ROUND_UNDONE: &str = "it follows a step that does not stand";

impl<'a> Fold<'a> {
    /// Judges the next event of the history and adds what follows from it.
    fn take(&mut self, place: usize) {
        let Some((id, event)) = self.history.events.get(place).copied() else {
            return;
        };
        let (mut progress, contested, loose) = self.before(place, event);
        let seen = Seen {
            progress: &progress,
            contested: &contested,
            loose: &loose,
        };
        let verdict = judge(self.opened, &seen, event)
            .and_then(|()| event.kind.known().ok_or(Refusal::UnknownKind));
        let outlook = Outlook {
            round: progress.round,
            acted_for: match verdict {
                Ok(Kind::HandledOnSpot) => Some(Handler::Person(event.by)),
                _ => acting_for(&progress, event),
            },
            self_recorded: verdict == Ok(Kind::FollowUp)
                && !is_neutral(self.opened, &progress, event),
        };
        let fact = Fact {
            id,
            event,
            verdict,
            outlook,
            rivals: Vec::new(),
        };
        match verdict {
            // These change what stands of their past, which therefore adds up anew.
            Ok(Kind::Settle | Kind::Retract) => {
                self.add(place, fact);
                let mut with_it = self.past(place).cloned().unwrap_or_default();
                with_it.insert(place);
                progress = self.decide(&with_it).progress;
            }
            Ok(kind) => {
                progress.apply(id, kind, event, &fact.outlook, &[]);
                self.add(place, fact);
            }
            Err(_) => self.add(place, fact),
        }
        self.seen.push(progress);
    }

    /// Returns what the author of an event saw: the progress, and for the kinds that ask what was
    /// contested and which steps nobody had built on.
    fn before(
        &self,
        place: usize,
        event: &TicketEvent,
    ) -> (
        Progress,
        Vec<(EventId, EventId)>,
        BTreeMap<EventId, PersonId>,
    ) {
        let nothing = Places::default();
        let past = self.past(place).unwrap_or(&nothing);
        let progress = match self.history.parents.get(place).map(Vec::as_slice) {
            None | Some([]) => Progress::default(),
            Some([parent]) => self.seen.get(*parent).cloned().unwrap_or_default(),
            // Several lines of history meet here for the first time.
            Some(_) => self.decide(past).progress,
        };
        let contested = match event.kind.known() {
            Some(Kind::Close | Kind::Archive | Kind::Settle) => {
                self.contested(&self.decide(past), past)
            }
            _ => Vec::new(),
        };
        let loose = match event.kind.known() {
            Some(Kind::Retract) => self.loose(past),
            _ => BTreeMap::new(),
        };
        (progress, contested, loose)
    }

    fn past(&self, place: usize) -> Option<&Places> {
        self.history.past.get(place)
    }

    fn saw(&self, later: usize, earlier: usize) -> bool {
        self.past(later).is_some_and(|past| past.contains(earlier))
    }

    /// Adds an event, and how it meets each earlier one it did not know of.
    fn add(&mut self, place: usize, mut fact: Fact<'a>) {
        for (other, earlier) in self.facts.iter_mut().enumerate() {
            if !self.history.are_concurrent(place, other) {
                continue;
            }
            let (mine, theirs) = meet(&self.history, (place, &fact), (other, earlier));
            fact.rivals.extend(mine.map(|meeting| (other, meeting)));
            earlier
                .rivals
                .extend(theirs.map(|meeting| (place, meeting)));
        }
        self.facts.push(fact);
    }

    /// Returns what a set of events that holds its own past adds up to.
    fn decide(&self, set: &Places) -> Decided {
        let legal = self.legal(set);
        let (struck, disputed) = strike(&legal);
        let (standing, overtaken) = stand(&legal, &struck);
        let shown = show(&legal, &standing);
        let mut decided = Decided {
            progress: Progress::default(),
            struck,
            overtaken,
            disputed,
            standing,
        };
        // The step that began each round, by the round it ended.
        let mut begun: Vec<usize> = Vec::new();
        for (place, (kind, fact)) in &legal {
            if !shown.contains(*place) {
                continue;
            }
            let beside = beside(*kind, fact, &legal, &decided.standing);
            let round = decided.progress.round;
            decided
                .progress
                .apply(fact.id, *kind, fact.event, &fact.outlook, &beside);
            if decided.progress.round > round {
                begun.push(*place);
            }
        }
        self.leave_rounds(&legal, &begun, &mut decided);
        decided
    }

    /// Takes from what stands the steps of rounds that were over, or that never began.
    fn leave_rounds(&self, legal: &Legal<'_, 'a>, begun: &[usize], decided: &mut Decided) {
        for (place, (kind, fact)) in legal {
            if !decided.standing.contains(*place) || !is_of_round(*kind, fact.event) {
                continue;
            }
            let round = usize::try_from(fact.outlook.round).unwrap_or(usize::MAX);
            let ended = begun.get(round).copied();
            let begins = begins_round(*kind, fact.event);
            let gives_way = match ended {
                Some(next) if !begins && next != *place && !self.saw(next, *place) => {
                    Some((next, ROUND_OVER))
                }
                None if round > begun.len() => self
                    .prevented(legal, *place, begun.len(), decided)
                    .map(|by| (by, ROUND_UNDONE)),
                _ => None,
            };
            if let Some(way) = gives_way {
                decided.overtaken.insert(*place, way);
            }
        }
        for place in decided.overtaken.keys() {
            decided.standing.remove(*place);
        }
    }

    /// Returns what keeps the round of a step from having begun: whatever stands in the place of the
    /// step that would have begun it.
    fn prevented(
        &self,
        legal: &Legal<'_, 'a>,
        place: usize,
        round: usize,
        decided: &Decided,
    ) -> Option<usize> {
        let missing = legal.iter().filter(|(earlier, (kind, fact))| {
            usize::try_from(fact.outlook.round) == Ok(round)
                && begins_round(*kind, fact.event)
                && self.saw(place, **earlier)
        });
        missing
            .filter_map(|(earlier, (_, fact))| {
                let struck = decided.struck.get(earlier).copied();
                let overtaken = || decided.overtaken.get(earlier).map(|(by, _)| *by);
                let hidden = || {
                    let mut rivals = fact.rivals.iter().map(|(rival, _)| *rival);
                    rivals.find(|rival| decided.standing.contains(*rival))
                };
                struck.or_else(overtaken).or_else(hidden)
            })
            .next()
    }

    /// Returns the contested pairs of a set of events that holds its own past.
    fn contested(&self, decided: &Decided, set: &Places) -> Vec<(EventId, EventId)> {
        contested(&self.legal(set), &decided.standing, &decided.disputed)
    }

    /// Returns the steps of a set that nobody in it built on, and who made them.
    fn loose(&self, set: &Places) -> BTreeMap<EventId, PersonId> {
        let legal = self.legal(set);
        let mut built_on = Places::default();
        for (place, (kind, _)) in &legal {
            if let (true, Some(past)) = (*kind != Kind::Comment, self.past(*place)) {
                built_on.join(past);
            }
        }
        legal
            .iter()
            .filter(|(place, (kind, _))| {
                !built_on.contains(**place) && !matches!(kind, Kind::Settle | Kind::Retract)
            })
            .map(|(_, (_, fact))| (fact.id, fact.event.by))
            .collect()
    }

    fn legal(&self, set: &Places) -> Legal<'_, 'a> {
        let facts = self.facts.iter().enumerate();
        facts
            .filter(|(place, _)| set.contains(*place))
            .filter_map(|(place, fact)| fact.verdict.ok().map(|kind| (place, (kind, fact))))
            .collect()
    }

    fn parked(&self, decided: &Decided) -> BTreeMap<EventId, Parked> {
        let fact = |place: &usize| self.facts.get(*place);
        let refused = self.facts.iter().filter_map(|fact| {
            let refusal = fact.verdict.err()?;
            Some((fact.id, Parked::Refused(refusal)))
        });
        let struck = decided.struck.iter().filter_map(|(loser, striking)| {
            let striking = fact(striking)?;
            let by = striking.id;
            Some((
                fact(loser)?.id,
                match striking.verdict {
                    Ok(Kind::Retract) => Parked::Retracted { by },
                    _ => Parked::Settled { by },
                },
            ))
        });
        let overtaken = decided
            .overtaken
            .iter()
            .filter_map(|(loser, (winner, because))| {
                let by = fact(winner)?.id;
                Some((fact(loser)?.id, Parked::Overtaken { by, because }))
            });
        refused.chain(struck).chain(overtaken).collect()
    }
}
