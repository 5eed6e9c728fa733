//! One meeting of a device with a relay: what to send, what to ask again, when it is over.
//!
//! Sans-IO: the driver tells what happened ([`Event`]) and does what it is told ([`Effect`]). The same
//! engine runs over HTTP, over a file and inside a simulation. **A sync is complete only when every
//! receipt is here and the digests are equal**, never because no error came.
//!
//! ```text
//!   LinkUp ──► Ask(batches, cursor) ──► Verdict* Page* End ──► more to send, or asked for in full?
//!                     ▲                                            │ yes                │ no
//!                     └────────────────────────────────────────────┘                  Over
//! ```

use std::collections::BTreeMap;

use wangge_wire::limits::{REQUEST_BATCH_BYTES_GOAL, REQUEST_BATCHES_MAX};
use wangge_wire::message::{Refusal, Standing};
use wangge_wire::{BatchHash, End, Receipt, Verdict};

/// Requests that bring nothing further are repeated at most this often.
const IDLE_ROUNDS_MAX: u32 = 2;

/// Batches repeated in full in one request: beside those that waited, the head must still say the origin of
/// each.
const AGAIN_MAX: usize = 128;

/// What the driver tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A link is there, and these batches wait to be sent, in this order.
    LinkUp(Vec<Parcel>),
    /// The first frame of an answer.
    Standing(Standing),
    /// What the relay says of one batch.
    Verdict(Verdict),
    /// A page, and whether the store could take it.
    Page(PageTaken),
    /// The last frame of an answer.
    End(End),
    /// The relay said it cannot go on.
    RelayFailed,
    /// The connection ended, whether or not the answer was whole.
    Closed,
}

/// A batch that waits to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parcel {
    /// The batch.
    pub batch: BatchHash,
    /// The size of its frame in bytes, dependencies left out, not packed.
    pub bytes: usize,
}

/// What became of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageTaken {
    /// It is in the store, with its cursor.
    Applied,
    /// It leaves out what is not held here.
    NeedFull,
}

/// How a batch travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// Dependencies the relay holds are left out.
    Short,
    /// Nothing is left out.
    Full,
}

/// What the driver is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Send one request with these batches, from the cursor as it stands in the store.
    Ask {
        /// The batches and how each travels.
        batches: Vec<(BatchHash, Form)>,
        /// Ask for pages with nothing left out.
        full_pages: bool,
    },
    /// Keep the receipt in the store.
    Keep(Receipt),
    /// The relay's log is another one: forget the cursor.
    ForgetCursor,
    /// The relay knows later batches of this actor than this device: another copy writes as it.
    NewLife,
    /// The relay does not take this batch as it is: take it apart, so that it is signed anew.
    Resign(BatchHash),
    /// Compare the digests and keep the end.
    Compare(End),
    /// It is over.
    Over(Outcome),
}

/// How a meeting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was said on both sides.
    Complete,
    /// The link was cut; all that was receipted or applied stays.
    Cut,
    /// The relay could not go on.
    RelayFailed,
    /// Something is refused again and again; it stays on this device, named.
    Stuck,
}

/// A meeting under way.
#[derive(Debug, Clone, Default)]
pub struct Session {
    waiting: Vec<Parcel>,
    asked: Vec<(BatchHash, Form)>,
    again: BTreeMap<BatchHash, Form>,
    full_pages: bool,
    ended: bool,
    failed: bool,
    idle_rounds: u32,
    last_batch: Option<(u64, BatchHash)>,
    refused: Vec<(BatchHash, Refusal)>,
    in_full: bool,
}

impl Session {
    /// Returns a session; `last_batch` is the actor's last batch here, to notice a second copy.
    pub fn new(last_batch: Option<(u64, BatchHash)>) -> Self {
        Self {
            last_batch,
            ..Self::default()
        }
    }

    /// Returns the session with every batch sent in full: the relay lost what it was known to hold.
    pub fn in_full(self) -> Self {
        Self {
            in_full: true,
            ..self
        }
    }

    /// Returns the batches the relay refused as a whole, and why.
    pub fn refused(&self) -> &[(BatchHash, Refusal)] {
        &self.refused
    }

    /// Takes what happened and says what to do, in order.
    pub fn handle(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::LinkUp(parcels) => {
                self.waiting = parcels;
                vec![self.ask()]
            }
            Event::Standing(standing) => self.standing(&standing),
            Event::Verdict(verdict) => self.verdict(verdict),
            Event::Page(PageTaken::Applied) => {
                self.idle_rounds = 0;
                Vec::new()
            }
            Event::Page(PageTaken::NeedFull) => {
                self.full_pages = true;
                self.idle_rounds += 1;
                Vec::new()
            }
            Event::End(end) => {
                self.ended = true;
                self.idle_rounds = 0;
                vec![Effect::Compare(end)]
            }
            Event::RelayFailed => {
                self.failed = true;
                Vec::new()
            }
            Event::Closed => vec![self.closed()],
        }
    }

    /// Composes the next request: what must be repeated in full, then what waits, up to the goal.
    fn ask(&mut self) -> Effect {
        let mut batches = Vec::new();
        while batches.len() < AGAIN_MAX
            && let Some(again) = self.again.pop_first()
        {
            batches.push(again);
        }
        let mut bytes = 0;
        let fitting = self
            .waiting
            .iter()
            .take(REQUEST_BATCHES_MAX.saturating_sub(batches.len()))
            .take_while(|parcel| {
                bytes += parcel.bytes;
                // One batch always goes, however large it is.
                bytes <= REQUEST_BATCH_BYTES_GOAL || bytes == parcel.bytes
            })
            .count();
        let form = if self.in_full {
            Form::Full
        } else {
            Form::Short
        };
        batches.extend(
            self.waiting
                .drain(..fitting)
                .map(|parcel| (parcel.batch, form)),
        );
        self.asked.clone_from(&batches);
        self.ended = false;
        Effect::Ask {
            batches,
            full_pages: self.full_pages,
        }
    }

    fn standing(&mut self, standing: &Standing) -> Vec<Effect> {
        let mut effects = Vec::new();
        if standing.stale_cursor {
            effects.push(Effect::ForgetCursor);
        }
        if let Some((number, batch)) = standing.last_batch {
            let own = self.last_batch;
            if own.is_none_or(|(last, hash)| number > last || (number == last && batch != hash)) {
                effects.push(Effect::NewLife);
            }
        }
        effects
    }

    fn verdict(&mut self, verdict: Verdict) -> Vec<Effect> {
        let asked = |index: u32| self.asked.get(index as usize).copied();
        match verdict {
            Verdict::Receipt(receipt) => {
                self.idle_rounds = 0;
                vec![Effect::Keep(receipt)]
            }
            Verdict::NeedFull { index } => {
                match asked(index) {
                    Some((batch, Form::Short)) => {
                        self.again.insert(batch, Form::Full);
                    }
                    Some((batch, Form::Full)) => self.refused.push((batch, Refusal::Malformed)),
                    None => {}
                }
                Vec::new()
            }
            Verdict::Refused { index, reason } => {
                let Some((batch, form)) = asked(index) else {
                    return Vec::new();
                };
                // A wrong guess at what the relay holds makes names, and so the signature, wrong: once
                // in full tells the two apart.
                if form == Form::Short && reason == Refusal::Signature {
                    self.again.insert(batch, Form::Full);
                    return Vec::new();
                }
                self.refused.push((batch, reason));
                if reason == Refusal::Signature {
                    vec![Effect::Resign(batch)]
                } else {
                    Vec::new()
                }
            }
        }
    }

    fn closed(&mut self) -> Effect {
        if self.failed {
            return Effect::Over(Outcome::RelayFailed);
        }
        let pages_again = self.full_pages && self.idle_rounds > 0;
        if !self.ended && !pages_again {
            return Effect::Over(Outcome::Cut);
        }
        if self.idle_rounds > IDLE_ROUNDS_MAX {
            return Effect::Over(Outcome::Stuck);
        }
        if !self.again.is_empty() || !self.waiting.is_empty() || pages_again {
            return self.ask();
        }
        Effect::Over(if self.refused.is_empty() {
            Outcome::Complete
        } else {
            Outcome::Stuck
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wangge_wire::{Cursor, Incarnation, RelayId, Signature};

    fn batch(n: u8) -> BatchHash {
        BatchHash([n; 32])
    }

    fn parcels(sizes: &[usize]) -> Vec<Parcel> {
        (0..)
            .zip(sizes)
            .map(|(n, bytes)| Parcel {
                batch: batch(n),
                bytes: *bytes,
            })
            .collect()
    }

    fn end() -> End {
        let cursor = Cursor {
            relay: RelayId([1; 16]),
            incarnation: Incarnation([2; 16]),
            position: 7,
            chain: 9,
            covers: None,
            granted: None,
        };
        End {
            cursor,
            digests: vec![],
            watermarks: vec![],
            inbox: 0,
            above: None,
            decisions: None,
            waiting: None,
            undecided: None,
            lost: None,
            lease: None,
            lease_key: None,
            audit: None,
        }
    }

    fn receipt(n: u8) -> Receipt {
        Receipt {
            relay: RelayId([1; 16]),
            incarnation: Incarnation([2; 16]),
            batch: batch(n),
            at_ms: 1,
            items: vec![],
            signature: Signature([0; 64]),
        }
    }

    fn asked(effect: &Effect) -> Vec<(BatchHash, Form)> {
        match effect {
            Effect::Ask { batches, .. } => batches.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_days_work_is_one_request() {
        let mut session = Session::new(None);
        let effects = session.handle(Event::LinkUp(parcels(&[900; 10])));
        assert_eq!(asked(&effects[0]).len(), 10);
        session.handle(Event::Verdict(Verdict::Receipt(receipt(0))));
        session.handle(Event::End(end()));
        assert_eq!(
            session.handle(Event::Closed),
            vec![Effect::Over(Outcome::Complete)]
        );
    }

    #[test]
    fn more_than_the_goal_takes_further_requests_and_one_batch_always_goes() {
        let mut session = Session::new(None);
        let effects = session.handle(Event::LinkUp(parcels(&[300_000, 160_000, 80_000, 40_000])));
        assert_eq!(asked(&effects[0]), vec![(batch(0), Form::Short)]);
        session.handle(Event::End(end()));
        let effects = session.handle(Event::Closed);
        assert_eq!(
            asked(&effects[0]),
            vec![(batch(1), Form::Short), (batch(2), Form::Short)]
        );
        session.handle(Event::End(end()));
        assert_eq!(
            asked(&session.handle(Event::Closed)[0]),
            vec![(batch(3), Form::Short)]
        );
        session.handle(Event::End(end()));
        assert_eq!(
            session.handle(Event::Closed),
            vec![Effect::Over(Outcome::Complete)]
        );
    }

    #[test]
    fn many_that_are_asked_for_in_full_take_several_requests() {
        let mut session = Session::new(None);
        let effects = session.handle(Event::LinkUp(parcels(&[900; 200])));
        assert_eq!(asked(&effects[0]).len(), 200);
        for index in 0..200 {
            session.handle(Event::Verdict(Verdict::NeedFull { index }));
        }
        let mut full = BTreeMap::new();
        for count in [AGAIN_MAX, 200 - AGAIN_MAX] {
            session.handle(Event::End(end()));
            let again = asked(&session.handle(Event::Closed)[0]);
            assert_eq!(again.len(), count);
            full.extend(again);
        }
        assert_eq!(full.len(), 200);
        assert!(full.values().all(|form| *form == Form::Full));
        session.handle(Event::End(end()));
        assert_eq!(
            session.handle(Event::Closed),
            vec![Effect::Over(Outcome::Complete)]
        );
    }

    #[test]
    fn a_batch_asked_for_in_full_is_sent_in_full_once() {
        let mut session = Session::new(None);
        session.handle(Event::LinkUp(parcels(&[900, 900])));
        session.handle(Event::Verdict(Verdict::NeedFull { index: 1 }));
        session.handle(Event::End(end()));
        assert_eq!(
            asked(&session.handle(Event::Closed)[0]),
            vec![(batch(1), Form::Full)]
        );
        session.handle(Event::Verdict(Verdict::NeedFull { index: 0 }));
        session.handle(Event::End(end()));
        assert_eq!(
            session.handle(Event::Closed),
            vec![Effect::Over(Outcome::Stuck)]
        );
    }

    #[test]
    fn a_refused_signature_is_tried_in_full_and_then_signed_anew() {
        let mut session = Session::new(None);
        let refused = Verdict::Refused {
            index: 0,
            reason: Refusal::Signature,
        };
        session.handle(Event::LinkUp(parcels(&[900])));
        assert!(session.handle(Event::Verdict(refused.clone())).is_empty());
        session.handle(Event::End(end()));
        assert_eq!(
            asked(&session.handle(Event::Closed)[0]),
            vec![(batch(0), Form::Full)]
        );
        assert_eq!(
            session.handle(Event::Verdict(refused)),
            vec![Effect::Resign(batch(0))]
        );
    }

    #[test]
    fn a_cut_link_ends_the_meeting_without_a_claim() {
        let mut session = Session::new(None);
        session.handle(Event::LinkUp(parcels(&[900])));
        session.handle(Event::Verdict(Verdict::Receipt(receipt(0))));
        assert_eq!(
            session.handle(Event::Closed),
            vec![Effect::Over(Outcome::Cut)]
        );
    }

    #[test]
    fn a_page_that_cannot_be_rebuilt_is_asked_for_in_full_and_not_for_ever() {
        let mut session = Session::new(None);
        session.handle(Event::LinkUp(vec![]));
        let mut asks = 0;
        let over = loop {
            session.handle(Event::Page(PageTaken::NeedFull));
            match session.handle(Event::Closed).remove(0) {
                Effect::Ask { full_pages, .. } => {
                    assert!(full_pages);
                    asks += 1;
                }
                other => break other,
            }
        };
        assert_eq!(
            (asks, over),
            (IDLE_ROUNDS_MAX, Effect::Over(Outcome::Stuck))
        );
    }

    #[test]
    fn a_page_in_full_that_turns_out_empty_ends_the_meeting() {
        let mut session = Session::new(None);
        session.handle(Event::LinkUp(vec![]));
        session.handle(Event::Page(PageTaken::NeedFull));
        assert!(matches!(
            session.handle(Event::Closed).remove(0),
            Effect::Ask { .. }
        ));
        session.handle(Event::End(end()));
        assert_eq!(
            session.handle(Event::Closed),
            vec![Effect::Over(Outcome::Complete)]
        );
    }

    #[test]
    fn a_relay_that_knows_later_batches_of_this_actor_tells_of_a_second_copy() {
        let standing = |last_batch, stale_cursor| Standing {
            version: 0,
            relay: RelayId([1; 16]),
            incarnation: Incarnation([2; 16]),
            at_ms: 1,
            last_batch,
            stale_cursor,
        };
        let mut session = Session::new(Some((3, batch(3))));
        let same = session.handle(Event::Standing(standing(Some((3, batch(3))), false)));
        assert!(same.is_empty());
        let later = session.handle(Event::Standing(standing(Some((4, batch(4))), false)));
        assert_eq!(later, vec![Effect::NewLife]);
        let other = session.handle(Event::Standing(standing(Some((3, batch(9))), true)));
        assert_eq!(other, vec![Effect::ForgetCursor, Effect::NewLife]);
    }
}
