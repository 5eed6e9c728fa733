//! What the library alone makes of a change: for whoever looks for changes that harm a document.
//!
//! **Nothing but a search may ask this**: it does what the gate is there to prevent, on a copy.

use automerge::{Automerge, Change};

use crate::document::Document;
use crate::gate::guarded;
use crate::parse;

/// What became of a change that no gate stood before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Our reader refuses it: the library never saw it.
    Unread,
    /// The library refuses it.
    Refused,
    /// The library panics.
    Panicked,
    /// The library takes it in, and what it saves from then on does not load, or loads as something else.
    Poisonous,
    /// The library takes it in, and what it saves loads again.
    Taken,
}

/// Returns what the library would make of a change to a copy of this document.
pub fn without_a_gate(document: &Document, raw: &[u8]) -> Fate {
    // What our reader refuses may cost gigabytes to find out.
    if parse::check(raw).is_err() {
        return Fate::Unread;
    }
    let taken = guarded(|| {
        let mut copy = document.inner.clone();
        let change = Change::from_bytes(raw.to_vec()).ok()?;
        let hash = change.hash();
        copy.apply_changes([change]).ok()?;
        // One that waits for another is not in the document.
        let is_in = copy.get_change_meta_by_hash(&hash).is_some();
        is_in.then_some(copy)
    });
    let copy = match taken {
        None => return Fate::Panicked,
        Some(None) => return Fate::Refused,
        Some(Some(copy)) => copy,
    };
    let same = guarded(|| {
        let loaded = Automerge::load(&copy.save_nocompress()).ok()?;
        let heads = |document: &Automerge| {
            let mut heads = document.get_heads();
            heads.sort();
            heads
        };
        Some(heads(&loaded) == heads(&copy))
    });
    match same {
        Some(Some(true)) => Fate::Taken,
        _ => Fate::Poisonous,
    }
}
