//! Causal order: which events knew of which, and one order that respects it.
//!
//! **Clocks have no say.** The order is the edges `after`; between events that are free to go next
//! the smaller id goes first, so that the order of a part of the history is that part of the order
//! of the whole. An event that names one that is not here waits, and so does a ring of events.

use std::collections::{BTreeMap, BTreeSet};

use super::event::{EventId, TicketEvent};

/// The events whose past is complete, in causal order.
pub(super) struct History<'a> {
    /// In order; the place here is how the rest of the fold names an event.
    pub events: Vec<(EventId, &'a TicketEvent)>,
    /// For each event, the places of all events its author had seen.
    pub past: Vec<Places>,
    /// For each event, the newest of those: none lies in the past of another.
    pub parents: Vec<Vec<usize>>,
    /// The rest, with those they name that are missing or wait too.
    pub waiting: BTreeMap<EventId, Vec<EventId>>,
}

/// A set of places in a history, as bits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Places {
    words: Vec<u64>,
}

impl<'a> History<'a> {
    /// Returns the history of these events.
    pub(super) fn of(events: &'a BTreeMap<EventId, TicketEvent>) -> Self {
        let mut history = Self {
            events: Vec::new(),
            past: Vec::new(),
            parents: Vec::new(),
            waiting: BTreeMap::new(),
        };
        let mut places: BTreeMap<EventId, usize> = BTreeMap::new();
        for (id, event) in order(events) {
            let named: BTreeSet<usize> = event
                .after
                .iter()
                .filter_map(|id| places.get(id))
                .copied()
                .collect();
            places.insert(id, history.events.len());
            history.push(id, event, &named);
        }
        for (id, event) in events.iter().filter(|(id, _)| !places.contains_key(id)) {
            let lacking: BTreeSet<EventId> = event
                .after
                .iter()
                .filter(|id| !places.contains_key(id))
                .copied()
                .collect();
            history.waiting.insert(*id, lacking.into_iter().collect());
        }
        history
    }

    /// Returns the events that no other event had seen.
    pub(super) fn heads(&self) -> Vec<EventId> {
        let seen: BTreeSet<usize> = self.parents.iter().flatten().copied().collect();
        let newest = self
            .events
            .iter()
            .enumerate()
            .filter(|(place, _)| !seen.contains(place));
        newest.map(|(_, (id, _))| *id).collect()
    }

    /// Returns whether neither of two events had seen the other.
    pub(super) fn are_concurrent(&self, one: usize, other: usize) -> bool {
        let saw = |later: usize, earlier: usize| {
            self.past
                .get(later)
                .is_some_and(|past| past.contains(earlier))
        };
        one != other && !saw(one, other) && !saw(other, one)
    }

    fn push(&mut self, id: EventId, event: &'a TicketEvent, named: &BTreeSet<usize>) {
        let mut before = Places::default();
        for past in named.iter().filter_map(|place| self.past.get(*place)) {
            before.join(past);
        }
        let parents: Vec<usize> = named
            .iter()
            .copied()
            .filter(|place| !before.contains(*place))
            .collect();
        for parent in &parents {
            before.insert(*parent);
        }
        self.events.push((id, event));
        self.past.push(before);
        self.parents.push(parents);
    }
}

impl Places {
    /// Returns all places below `count`.
    pub(super) fn below(count: usize) -> Self {
        let mut places = Self::default();
        for place in 0..count {
            places.insert(place);
        }
        places
    }

    /// Adds a place.
    pub(super) fn insert(&mut self, place: usize) {
        let word = place / 64;
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        if let Some(bits) = self.words.get_mut(word) {
            *bits |= 1 << (place % 64);
        }
    }

    /// Returns whether the place is in the set.
    pub(super) fn contains(&self, place: usize) -> bool {
        self.words
            .get(place / 64)
            .is_some_and(|bits| bits >> (place % 64) & 1 == 1)
    }

    /// Returns the places, in order.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = usize> + '_ {
        let all = 0..self.words.len() * 64;
        all.filter(|place| self.contains(*place))
    }

    /// Takes a place out.
    pub(super) fn remove(&mut self, place: usize) {
        if let Some(bits) = self.words.get_mut(place / 64) {
            *bits &= !(1 << (place % 64));
        }
    }

    /// Adds all places of another set.
    pub(super) fn join(&mut self, other: &Places) {
        if self.words.len() < other.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        for (bits, more) in self.words.iter_mut().zip(&other.words) {
            *bits |= more;
        }
    }
}

/// Returns the events whose past is complete, each after those it names.
fn order(events: &BTreeMap<EventId, TicketEvent>) -> Vec<(EventId, &TicketEvent)> {
    let mut lacking: BTreeMap<EventId, usize> = BTreeMap::new();
    let mut followers: BTreeMap<EventId, Vec<EventId>> = BTreeMap::new();
    let mut ready: BTreeSet<EventId> = BTreeSet::new();
    for (id, event) in events {
        let named: BTreeSet<EventId> = event.after.iter().copied().collect();
        if named.is_empty() {
            ready.insert(*id);
        }
        lacking.insert(*id, named.len());
        for earlier in named {
            followers.entry(earlier).or_default().push(*id);
        }
    }
    let mut ordered = Vec::with_capacity(events.len());
    while let Some(next) = ready.pop_first() {
        ordered.extend(events.get_key_value(&next).map(|(id, event)| (*id, event)));
        for follower in followers.get(&next).into_iter().flatten() {
            if let Some(count) = lacking.get_mut(follower) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    ready.insert(*follower);
                }
            }
        }
    }
    ordered
}
