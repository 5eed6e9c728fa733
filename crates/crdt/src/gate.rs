//! The gate: no foreign change touches a document before a copy of it survived the change.
//!
//! Seven in a hundred damaged changes with a right checksum make the library panic, and as many of
//! those that apply make a document that never loads again (measured, `docs/performance.md`). So each
//! change is read by our own parser, applied to a clone under `catch_unwind`, saved, loaded and
//! compared; **the real document is replaced only by a copy that came back from its own bytes**.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use automerge::{Automerge, Change};
use wangge_wire::ChangeHash;
use wangge_wire::sabotage::Sabotage;

use crate::document::Document;
use crate::parse::{self, Checked};

/// What became of foreign changes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Applied {
    /// Part of the document now, or already.
    pub applied: Vec<ChangeHash>,
    /// They rest on changes that are not here yet; offer them again later.
    pub waiting: Vec<ChangeHash>,
    /// They must not be applied; they are kept, with the reason.
    pub held: Vec<(ChangeHash, Held)>,
}

/// Why a change must not be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Held {
    /// Our parser refuses the bytes.
    Malformed,
    /// It does more than set scalars, or numbers its operations past those it rests on.
    NotAWrite,
    /// The library refuses or panics, or what it saves does not load.
    Poison,
    /// It hides a container that the genesis made.
    HidesContainer,
    /// Another change of the same writer has this number.
    Equivocation,
}

impl Held {
    /// Returns the reason as the database and JSON name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Held::Malformed => "malformed",
            Held::NotAWrite => "not_a_write",
            Held::Poison => "poison",
            Held::HidesContainer => "hides_container",
            Held::Equivocation => "equivocation",
        }
    }
}

impl Document {
    /// Applies foreign changes, in any order, each at most once; never touches what it cannot prove.
    pub fn apply(&mut self, changes: &[Vec<u8>]) -> Applied {
        let mut result = Applied::default();
        if self.settle_heads().is_err() {
            let hashes = changes.iter().map(|raw| (wire_hash(raw), Held::Poison));
            result.held.extend(hashes);
            return result;
        }
        let mut open: Vec<(Checked, &Vec<u8>)> = Vec::new();
        for raw in changes {
            match parse::check(raw) {
                Ok(checked) if self.contains(&checked.hash) => result.applied.push(checked.hash),
                Ok(checked) => open.push((checked, raw)),
                Err(_) => result.held.push((wire_hash(raw), Held::Malformed)),
            }
        }
        // In causal order: all that rest on what is here or on one before them.
        let mut ready: Vec<(Checked, &Vec<u8>)> = Vec::new();
        let mut here: BTreeSet<ChangeHash> = BTreeSet::new();
        loop {
            let (now, later): (Vec<_>, Vec<_>) = open.into_iter().partition(|(checked, _)| {
                checked
                    .deps
                    .iter()
                    .all(|dep| here.contains(dep) || self.contains(dep))
            });
            open = later;
            if now.is_empty() {
                break;
            }
            for (checked, raw) in now {
                if here.insert(checked.hash) {
                    ready.push((checked, raw));
                }
            }
        }
        result
            .waiting
            .extend(open.iter().map(|(checked, _)| checked.hash));

        if self.try_all(&ready).is_ok() {
            result
                .applied
                .extend(ready.iter().map(|(checked, _)| checked.hash));
            return result;
        }
        // One of them is bad: find it by itself, and hold what rests on it.
        for (checked, raw) in ready {
            if !checked.deps.iter().all(|dep| self.contains(dep)) {
                result.waiting.push(checked.hash);
                continue;
            }
            let hash = checked.hash;
            match self.try_all(&[(checked, raw)]) {
                Ok(()) => result.applied.push(hash),
                Err(reason) => result.held.push((hash, reason)),
            }
        }
        result
    }

    /// Applies all or none, on a clone that must come back from its own bytes.
    fn try_all(&mut self, changes: &[(Checked, &Vec<u8>)]) -> Result<(), Held> {
        if changes.is_empty() {
            return Ok(());
        }
        let genesis: Vec<_> = self
            .shape
            .containers
            .iter()
            .map(|name| self.container(name))
            .collect();
        let mut parsed = Vec::with_capacity(changes.len());
        for (checked, raw) in changes {
            if !checked.only_sets {
                return Err(Held::NotAWrite);
            }
            let change = guarded(|| Change::from_bytes((*raw).clone()));
            parsed.push(change.and_then(Result::ok).ok_or(Held::Poison)?);
        }
        let max_op = |hash: &ChangeHash| {
            let hash = automerge::ChangeHash(hash.0);
            let own = self
                .inner
                .get_change_meta_by_hash(&hash)
                .map(|meta| meta.max_op);
            own.or_else(|| parsed.iter().find(|c| c.hash() == hash).map(Change::max_op))
                .unwrap_or(0)
        };
        for (checked, _) in changes {
            if checked.start_op > checked.deps.iter().map(&max_op).max().unwrap_or(0) + 1 {
                return Err(Held::NotAWrite);
            }
        }
        let next = guarded(AssertUnwindSafe(|| proven(&self.inner, parsed)));
        let next = next.ok_or(Held::Poison)??;
        let next = Document::of(next, &self.shape);
        let after: Vec<_> = next
            .shape
            .containers
            .iter()
            .map(|name| next.container(name))
            .collect();
        if (after != genesis || next.hides_container()) && !Sabotage::NoGate.is_on() {
            return Err(Held::HidesContainer);
        }
        *self = next;
        Ok(())
    }

    pub(crate) fn hides_container(&self) -> bool {
        use automerge::{ROOT, ReadDoc};
        self.shape.containers.iter().any(|name| {
            self.inner
                .get_all(ROOT, name.as_str())
                .map_or(true, |values| values.len() != 1)
        })
    }
}

/// Returns the document with the changes, if it survives being saved and loaded.
fn proven(inner: &Automerge, changes: Vec<Change>) -> Result<Automerge, Held> {
    let mut next = inner.clone();
    let expected: Vec<_> = changes.iter().map(Change::hash).collect();
    next.apply_changes(changes).map_err(|error| match error {
        automerge::AutomergeError::DuplicateSeqNumber(..) => Held::Equivocation,
        _ => Held::Poison,
    })?;
    if !expected
        .iter()
        .all(|hash| next.get_change_meta_by_hash(hash).is_some())
    {
        return Err(Held::Poison);
    }
    let loaded = Automerge::load(&next.save_nocompress()).map_err(|_| Held::Poison)?;
    let (mut before, mut after) = (next.get_heads(), loaded.get_heads());
    before.sort();
    after.sort();
    if before == after {
        Ok(next)
    } else {
        Err(Held::Poison)
    }
}

/// Returns a name for bytes that have none: the hash they claim, or that of the bytes.
fn wire_hash(raw: &[u8]) -> ChangeHash {
    match wangge_wire::chunk::split(raw) {
        Ok((hash, _)) => hash,
        Err(_) => ChangeHash(*blake3::hash(raw).as_bytes()),
    }
}

thread_local! {
    static GUARDING: Cell<bool> = const { Cell::new(false) };
}

/// Returns what `work` returns, none if it panics: for libraries that read what strangers wrote.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    let before = GUARDING.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDING.set(before);
    result.ok()
}

/// Makes panics that the gate catches silent; others are reported as before.
///
/// A program installs this once at its start: a held change is told to the user in words, not by a
/// stack trace on the terminal.
pub fn silence_caught_panics() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !GUARDING.get() {
            report(info);
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::tests::{LI, WANG, begun};
    use crate::register::Put;
    use automerge::ReadDoc;
    use automerge::transaction::Transactable;
    use proptest::prelude::*;
    use wangge_wire::chunk::{join, split};

    fn three_changes() -> Vec<Vec<u8>> {
        let mut li = begun();
        (0..3)
            .map(|n| {
                li.write(&LI, n, &[Put::root("door", n)])
                    .unwrap()
                    .unwrap()
                    .raw
            })
            .collect()
    }

    fn foreign(work: impl Fn(&mut automerge::transaction::Transaction<'_>)) -> Vec<u8> {
        let mut inner = begun().inner;
        inner.set_actor(automerge::ActorId::from(WANG.0.as_slice()));
        let mut tx = inner.transaction();
        work(&mut tx);
        let (hash, _) = tx.commit();
        inner
            .get_change_by_hash(&hash.unwrap())
            .unwrap()
            .raw_bytes()
            .to_vec()
    }

    #[test]
    fn changes_apply_in_any_order_and_twice_is_once() {
        let changes = three_changes();
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let mut document = begun();
            let shuffled: Vec<_> = order.iter().map(|n| changes[*n].clone()).collect();
            assert_eq!(document.apply(&shuffled).applied.len(), 3);
            assert_eq!(document.apply(&shuffled).applied.len(), 3);
            assert_eq!(document.fields().root("door"), Some(&2i64.into()));
        }
    }

    #[test]
    fn a_change_whose_dependency_has_not_come_waits_and_is_taken_later() {
        let changes = three_changes();
        let mut document = begun();
        let first = document.apply(&changes[1..]);
        assert_eq!((first.applied.len(), first.waiting.len()), (0, 2));
        assert_eq!(document.apply(&changes).applied.len(), 3);
    }

    #[test]
    fn a_second_change_with_the_same_number_is_held_and_the_first_stands() {
        let mut other = begun();
        let twin = other
            .write(&LI, 9, &[Put::root("door", "twin")])
            .unwrap()
            .unwrap()
            .raw;
        let mut document = begun();
        document.apply(&three_changes());
        let heads = document.heads();
        let result = document.apply(&[twin]);
        assert_eq!(
            result.held.first().map(|(_, reason)| *reason),
            Some(Held::Equivocation)
        );
        assert_eq!(document.heads(), heads);
    }

    #[test]
    fn a_change_that_deletes_or_nests_is_held_and_nothing_is_hidden() {
        let deletes = foreign(|tx| tx.delete(automerge::ROOT, "members").unwrap());
        let nests = foreign(|tx| {
            tx.put_object(automerge::ROOT, "members", automerge::ObjType::Map)
                .unwrap();
        });
        let hides = foreign(|tx| tx.put(automerge::ROOT, "members", "gone").unwrap());
        for (raw, reason) in [
            (deletes, Held::NotAWrite),
            (nests, Held::NotAWrite),
            (hides, Held::HidesContainer),
        ] {
            let mut document = begun();
            document
                .write(&LI, 1, &[Put::entry("members", "m", "name", "曾小红")])
                .unwrap();
            let result = document.apply(&[raw]);
            assert_eq!(result.held.first().map(|(_, held)| *held), Some(reason));
            assert_eq!(document.fields().entries("members").len(), 1);
        }
    }

    #[test]
    fn one_bad_change_holds_back_only_what_rests_on_it() {
        let mut changes = three_changes();
        let bad = foreign(|tx| tx.delete(automerge::ROOT, "members").unwrap());
        changes.insert(1, bad);
        changes.push(vec![1, 2, 3]);
        let mut document = begun();
        let result = document.apply(&changes);
        assert_eq!((result.applied.len(), result.held.len()), (3, 2));
    }

    #[test]
    fn a_change_that_numbers_its_operations_far_ahead_is_held() {
        let raw = foreign(|tx| tx.put(automerge::ROOT, "door", 1).unwrap());
        let (_, mut parts) = split(&raw).unwrap();
        // actor length, 8 bytes, seq, then start_op: one byte for a young document.
        parts.rest.splice(10..11, [0xff, 0xff, 0xff, 0x7f]);
        let mut document = begun();
        let result = document.apply(&[join(&parts).1]);
        assert_eq!(
            result.held.first().map(|(_, reason)| *reason),
            Some(Held::NotAWrite)
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

        /// Any mutant with a right checksum is applied, waits or is held, and a good edit still works.
        #[test]
        fn no_mutant_of_a_change_panics_or_poisons(
            at in 0usize..400, byte in any::<u8>(), cut in any::<bool>(),
        ) {
            silence_caught_panics();
            let raw = three_changes().remove(0);
            let (_, mut parts) = split(&raw).unwrap();
            let at = at % parts.rest.len();
            if cut { parts.rest.remove(at); } else { parts.rest[at] = byte; }
            let mut document = begun();
            document.apply(&[join(&parts).1]);
            document.write(&WANG, 5, &[Put::root("note", "好")]).unwrap();
            let loaded = Document::load(&document.shape, &document.save()).unwrap();
            prop_assert_eq!(loaded.heads(), document.heads());
            let fields = loaded.fields();
            prop_assert_eq!(fields.root_text("note"), "好");
        }
    }
}
