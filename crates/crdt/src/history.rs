//! What each change of a document said: which register, from what, to what.
//!
//! **`before` is what its author saw**: the value shown by the changes it rests on, not by those that
//! came in meanwhile from elsewhere. Order is causal, ties go to the smaller hash; clocks have no say.

use std::collections::{BTreeMap, BTreeSet};

use automerge::legacy::{Key, OpType};
use automerge::{Change, ReadDoc};
use wangge_wire::{ActorId, ChangeHash};

use crate::document::{Document, scalar_of, scalar_of_value};
use crate::register::Scalar;

/// One change of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastChange {
    /// Its name.
    pub hash: ChangeHash,
    /// The changes it rests on; the genesis is left out.
    pub deps: Vec<ChangeHash>,
    /// Its writer.
    pub actor: ActorId,
    /// The writer's clock, milliseconds since 1970; a claim.
    pub at_ms: i64,
    /// What it wrote, by container and key.
    pub edits: Vec<Edit>,
}

/// One register as a change found and left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The container; empty for the root.
    pub container: String,
    /// The key in it.
    pub key: String,
    /// What was shown to the author; none where nothing was written yet.
    pub before: Option<Scalar>,
    /// What the author wrote.
    pub after: Scalar,
}

impl Document {
    /// Returns every change but the genesis, each after those it rests on.
    pub fn history(&self) -> Vec<PastChange> {
        let names = self.container_names();
        let changes = self.inner.get_changes(&[]);
        let by_hash: BTreeMap<ChangeHash, &Change> = changes
            .iter()
            .filter(|change| !change.deps().is_empty())
            .map(|change| (ChangeHash(change.hash().0), change))
            .collect();
        causal(&by_hash)
            .into_iter()
            .filter_map(|hash| self.past(by_hash.get(&hash)?, &names))
            .collect()
    }

    /// Returns who began the document: the writer of the change that rests on the genesis alone, of
    /// several the one with the smallest hash. None while nothing was written.
    ///
    /// Whoever writes a field over later did not begin it.
    pub fn author(&self) -> Option<ActorId> {
        let changes = self.inner.get_changes(&[]);
        let genesis: Vec<_> = changes
            .iter()
            .filter(|change| change.deps().is_empty())
            .map(|change| change.hash())
            .collect();
        let first = changes
            .iter()
            .filter(|change| !change.deps().is_empty())
            .filter(|change| change.deps().iter().all(|dep| genesis.contains(dep)))
            .min_by_key(|change| change.hash());
        first.and_then(|change| ActorId::from_slice(change.actor_id().to_bytes()))
    }

    /// Returns one change; none where it is not part of the document or is its genesis.
    pub fn past_change(&self, hash: &ChangeHash) -> Option<PastChange> {
        let change = self
            .inner
            .get_change_by_hash(&automerge::ChangeHash(hash.0))?;
        (!change.deps().is_empty())
            .then(|| self.past(&change, &self.container_names()))
            .flatten()
    }

    /// Returns whether a change began an entry of a collection: its author saw nothing of it before.
    pub fn begins(&self, past: &PastChange, container: &str, entry: &str) -> bool {
        let hash = automerge::ChangeHash(past.hash.0);
        let (Some(change), Some(object)) = (
            self.inner.get_change_by_hash(&hash),
            self.container(container),
        ) else {
            return false;
        };
        // '0' follows '/': the range holds the entry's fields and nothing else.
        let fields = format!("{entry}/")..format!("{entry}0");
        let mut seen = self.inner.map_range_at(&object, fields, change.deps());
        seen.next().is_none()
    }

    /// Returns whether a change settled a register: its author saw more than one value of it.
    pub fn settles(&self, past: &PastChange, edit: &Edit) -> bool {
        let hash = automerge::ChangeHash(past.hash.0);
        let (Some(change), Some(object)) = (
            self.inner.get_change_by_hash(&hash),
            self.container(&edit.container),
        ) else {
            return false;
        };
        let seen = self
            .inner
            .get_all_at(&object, edit.key.as_str(), change.deps());
        let seen: BTreeSet<Scalar> = seen
            .unwrap_or_default()
            .iter()
            .filter_map(|(value, _)| scalar_of_value(value))
            .collect();
        seen.len() > 1
    }

    fn past(&self, change: &Change, names: &BTreeMap<String, String>) -> Option<PastChange> {
        let expanded = crate::gate::guarded(|| change.decode())?;
        // The last write to a register is what the change says: settling writes twice.
        let mut edits: BTreeMap<(String, String), Scalar> = BTreeMap::new();
        for op in expanded.operations {
            let (Some(container), Key::Map(key), OpType::Put(value)) =
                (names.get(&op.obj.to_string()), op.key, op.action)
            else {
                continue;
            };
            if let Some(value) = scalar_of(&value) {
                edits.insert((container.clone(), key.to_string()), value);
            }
        }
        let edits = edits
            .into_iter()
            .map(|((container, key), after)| {
                let object = self.container(&container);
                let before = object.and_then(|object| {
                    let found = self.inner.get_at(&object, key.as_str(), change.deps());
                    scalar_of_value(&found.ok()??.0)
                });
                Edit {
                    container,
                    key,
                    before,
                    after,
                }
            })
            .collect();
        let is_genesis = |dep: &&automerge::ChangeHash| {
            let meta = self.inner.get_change_meta_by_hash(dep);
            meta.is_none_or(|meta| meta.deps.is_empty())
        };
        let deps = change.deps().iter().filter(|dep| !is_genesis(dep));
        Some(PastChange {
            hash: ChangeHash(change.hash().0),
            deps: deps.map(|dep| ChangeHash(dep.0)).collect(),
            actor: ActorId::from_slice(change.actor_id().to_bytes())?,
            at_ms: change.timestamp(),
            edits,
        })
    }

    /// Returns the container of each object, by the name operations give the object.
    fn container_names(&self) -> BTreeMap<String, String> {
        std::iter::once("")
            .chain(self.shape.containers.iter().map(String::as_str))
            .filter_map(|name| Some((self.container(name)?.to_string(), name.to_owned())))
            .collect()
    }
}

/// Returns the hashes so that each comes after those it rests on; of several ready the smallest.
fn causal(changes: &BTreeMap<ChangeHash, &Change>) -> Vec<ChangeHash> {
    let mut rest_on: BTreeMap<ChangeHash, Vec<ChangeHash>> = BTreeMap::new();
    let mut open: BTreeMap<ChangeHash, usize> = BTreeMap::new();
    for (hash, change) in changes {
        let deps = change.deps().iter().map(|dep| ChangeHash(dep.0));
        let deps: Vec<ChangeHash> = deps.filter(|dep| changes.contains_key(dep)).collect();
        open.insert(*hash, deps.len());
        for dep in deps {
            rest_on.entry(dep).or_default().push(*hash);
        }
    }
    let mut ready: BTreeSet<ChangeHash> = open
        .iter()
        .filter(|(_, deps)| **deps == 0)
        .map(|(hash, _)| *hash)
        .collect();
    let mut order = Vec::with_capacity(changes.len());
    while let Some(hash) = ready.pop_first() {
        order.push(hash);
        for later in rest_on.get(&hash).into_iter().flatten() {
            if let Some(deps) = open.get_mut(later) {
                *deps -= 1;
                if *deps == 0 {
                    ready.insert(*later);
                }
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::tests::{LI, WANG, begun};
    use crate::register::Put;

    fn phone(value: &str) -> Vec<Put> {
        vec![Put::root("phone", value)]
    }

    fn edit(before: Option<&str>, after: &str) -> Edit {
        Edit {
            container: String::new(),
            key: "phone".into(),
            before: before.map(Scalar::from),
            after: after.into(),
        }
    }

    #[test]
    fn a_history_says_who_wrote_what_over_what_in_causal_order() {
        let mut document = begun();
        let puts = [
            Put::root("phone", "1"),
            Put::entry("members", "a", "name", "曾小红"),
        ];
        let first = document.write(&LI, 2_000, &puts).unwrap().unwrap();
        let second = document.write(&WANG, 1_000, &phone("2")).unwrap().unwrap();
        let history = document.history();
        assert_eq!(history.len(), 2, "the genesis is nobody's doing");
        assert_eq!((history[0].hash, history[0].actor), (first.hash, LI));
        assert_eq!(history[0].edits[0], edit(None, "1"));
        assert_eq!(history[0].edits[1].container, "members");
        assert!(document.begins(&history[0], "members", "a"));
        assert!(!document.begins(&history[1], "members", "a"));
        assert_eq!(history[0].edits[1].key, "a/name");
        assert!(history[0].deps.is_empty());
        assert_eq!((history[1].at_ms, history[1].actor), (1_000, WANG));
        assert_eq!(history[1].edits, [edit(Some("1"), "2")]);
        assert_eq!(history[1].deps, [first.hash]);
        assert_eq!(document.past_change(&second.hash), history.get(1).cloned());
    }

    #[test]
    fn before_is_what_the_author_saw_not_what_came_in_meanwhile() {
        let (mut li, mut wang) = (begun(), begun());
        let first = li.write(&LI, 1, &phone("1")).unwrap().unwrap();
        wang.apply(&[first.raw]);
        let a = li.write(&LI, 2, &phone("2")).unwrap().unwrap();
        let b = wang.write(&WANG, 3, &phone("3")).unwrap().unwrap();
        li.apply(&[b.raw]);
        wang.apply(&[a.raw]);
        assert_eq!(li.history(), wang.history(), "the same on every device");
        let mut after: Vec<_> = li.history().split_off(1);
        after.sort_by_key(|change| change.at_ms);
        assert_eq!(after[0].edits, [edit(Some("1"), "2")]);
        assert_eq!(after[1].edits, [edit(Some("1"), "3")]);

        li.write(&LI, 4, &phone("3")).unwrap();
        let settled = li.history().pop().unwrap();
        assert_eq!(settled.edits.len(), 1);
        assert_eq!(settled.edits[0].after, "3".into());
        assert_eq!(settled.deps.len(), 2);
        assert!(li.settles(&settled, &settled.edits[0]));
        assert!(!li.settles(&after[1], &after[1].edits[0]));
    }

    #[test]
    fn a_change_that_is_not_here_has_no_history() {
        let document = begun();
        assert_eq!(document.past_change(&ChangeHash([1; 32])), None);
        assert_eq!(document.past_change(&document.heads()[0]), None);
        assert!(document.history().is_empty());
    }
}
