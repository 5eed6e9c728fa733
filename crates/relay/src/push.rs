//! Reads the batches of a request: unpacks, rebuilds and proves each before the writer sees it.
//!
//! Batches are read in the request's order, since one may rest on those before it. **What is not
//! proven goes no further**: a batch that cannot be rebuilt is asked for in full, one that proves
//! nothing is refused, and the others go on.

use std::collections::BTreeMap;

use rusqlite::Connection;
use wangge_sync::admit::Holdings;
use wangge_trust::key::verify_batch;
use wangge_trust::{Member, Roster};
use wangge_wire::batch::SUITE_PLAIN;
use wangge_wire::frame::{self, Known, Surroundings, Unread};
use wangge_wire::group;
use wangge_wire::limits::REQUEST_INFLATED_BYTES_MAX;
use wangge_wire::message::Refusal;
use wangge_wire::packing::Unpacker;
use wangge_wire::{AreaCode, ChangeHash, DeviceId, DocId, Item, Malformed, Role, Shape};

use crate::accept::Pushed;
use crate::holdings::SqlHoldings;
use crate::pull::StepError;

/// The batches of a request, each proven or answered; or more than a relay keeps at once.
pub(crate) enum Read {
    /// In the request's order.
    Batches(Vec<Result<Pushed, Unproven>>),
    /// Inflated they are more than the limit.
    TooLarge,
}

/// Why a batch goes no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unproven {
    /// Something left out is not held here.
    NeedFull,
    /// It proves nothing.
    Refused(Refusal),
}

/// Returns the batches in these groups.
pub(crate) fn read(
    connection: &Connection,
    roster: &Roster,
    sender: DeviceId,
    groups: &[Vec<u8>],
) -> Result<Read, StepError> {
    let held = SqlHoldings::new(connection);
    let mut reader = Reader {
        roster,
        sender: roster.member(&sender),
        known: InRequest {
            held: &held,
            changes: BTreeMap::new(),
        },
        around: Surroundings {
            device: Some(sender),
            previous: None,
        },
    };
    let mut unpacker = Unpacker::new()?;
    let (mut batches, mut inflated) = (Vec::new(), 0);
    for group in groups {
        // Counted before anything is looked at: what turns out to be nothing costs as much to inflate.
        inflated += group::inflated(group);
        if inflated > REQUEST_INFLATED_BYTES_MAX {
            return Ok(Read::TooLarge);
        }
        match group::unpack(&mut unpacker, group) {
            Ok(frames) => batches.extend(frames.iter().map(|frame| reader.batch(frame))),
            // Nobody knows what was in it: the sender is told so of each.
            Err(error) => {
                reader.around.previous = None;
                let refused = || Err(Unproven::Refused(refusal(&error)));
                let count = group::count(group).unwrap_or_default();
                batches.extend(std::iter::repeat_with(refused).take(count));
            }
        }
    }
    held.finish()?;
    Ok(Read::Batches(batches))
}

struct Reader<'a> {
    roster: &'a Roster,
    sender: Option<&'a Member>,
    known: InRequest<'a>,
    around: Surroundings,
}

impl Reader<'_> {
    fn batch(&mut self, frame: &[u8]) -> Result<Pushed, Unproven> {
        let refused = Unproven::Refused;
        let around = self.around;
        // Known again only once this one is read: a gap must not be bridged.
        self.around.previous = None;
        let rebuilt = match frame::decode(frame, &around, &self.known) {
            Ok(rebuilt) => rebuilt,
            Err(Unread::NeedFull) => return Err(Unproven::NeedFull),
            Err(Unread::Malformed(error)) => return Err(refused(refusal(&error))),
        };
        let (batch, damaged) = (rebuilt.batch, rebuilt.damaged);
        if batch.head.suite != SUITE_PLAIN {
            return Err(refused(Refusal::Malformed));
        }
        let signer = self.roster.known(&batch.head.device);
        let signer = signer.ok_or(refused(Refusal::UnknownDevice))?;
        if !verify_batch(&signer.key, &batch) {
            return Err(refused(Refusal::Signature));
        }
        let works_below = |relay: &Member| {
            let inside = |area: &AreaCode| relay.areas.iter().any(|own| own.covers(area));
            relay.role == Role::Relay && signer.been.iter().any(inside)
        };
        // What a relay says of people of other areas is not its own to know.
        let of_sender = self.sender.is_some_and(works_below);
        self.around.previous = Some(batch.hash());
        self.known.learn(&batch.items);
        Ok(Pushed {
            batch,
            damaged,
            first_received_ms: None,
            of_sender,
            given_back: false,
            from_above: false,
        })
    }
}

fn refusal(error: &Malformed) -> Refusal {
    match error {
        Malformed::TooLarge { .. } => Refusal::OverLimit,
        Malformed::Shape { .. } | Malformed::UnknownDictionary { .. } => Refusal::Malformed,
    }
}

/// What is held here or came earlier in the request.
struct InRequest<'a> {
    held: &'a SqlHoldings<'a>,
    changes: BTreeMap<DocId, Vec<ChangeHash>>,
}

impl InRequest<'_> {
    fn learn(&mut self, items: &[Item]) {
        for item in items {
            if let Item::Change { change, .. } = item {
                self.changes
                    .entry(change.doc)
                    .or_default()
                    .push(change.hash);
            }
        }
    }
}

impl Known for InRequest<'_> {
    fn genesis(&self, doc: &DocId, shape: &Shape) -> Option<ChangeHash> {
        Holdings::genesis(self.held, doc, shape)
    }

    fn change(&self, doc: &DocId, prefix: &[u8; 6]) -> Option<ChangeHash> {
        let here = self.changes.get(doc).into_iter().flatten();
        let mut here = here.copied().filter(|hash| hash.0.starts_with(prefix));
        match (here.next(), self.held.change(doc, prefix)) {
            (Some(new), Some(old)) if new != old => None,
            (new, old) => new.or(old),
        }
    }
}
