//! One family in several documents: which of them stands for it, and who is told apart.
//!
//! A merge writes `alias_of` in a document; nothing is copied and nothing moved. **The edges have no
//! direction**: whichever way merges at several devices were written, the smallest id of all that are
//! connected is the survivor, on every device that holds them.

use std::collections::{BTreeMap, BTreeSet};

use wangge_crdt::{Fields, Put, Register, Scalar};
use wangge_wire::DocId;

/// The root key that names the household this one is an alias of.
pub const ALIAS_OF: &str = "alias_of";
/// Root keys that say "not the same family as": followed by the other one's id.
pub(super) const DISTINCT: &str = "distinct.";

/// Who named whom: the alias, and what it says it is an alias of.
pub type Edges = BTreeSet<(DocId, DocId)>;

/// Returns the households that a document says it is the same family as.
///
/// Two merges at once are two values of one register, and both are true.
pub fn edges(doc: &DocId, fields: &Fields) -> BTreeSet<DocId> {
    let register = fields.get("", ALIAS_OF);
    let values = register.map(|register| std::iter::once(&register.shown).chain(&register.others));
    values
        .into_iter()
        .flatten()
        .filter_map(|value| value.as_text()?.parse().ok())
        .filter(|other| other != doc)
        .collect()
}

/// Returns whether somebody took a merge back while somebody else made one: a person decides.
pub fn is_disputed(register: &Register) -> bool {
    let mut values = std::iter::once(&register.shown).chain(&register.others);
    values.any(|value| value.as_text().is_none_or(str::is_empty))
}

/// Returns the survivor of every household that is an alias, among those that are here.
///
/// One that is not here still connects those that are.
pub fn survivors(edges: &Edges, here: impl Fn(&DocId) -> bool) -> BTreeMap<DocId, DocId> {
    let mut survivors = BTreeMap::new();
    let mut open: BTreeSet<DocId> = edges.iter().flat_map(|(a, b)| [*a, *b]).collect();
    while let Some(first) = open.first().copied() {
        let set = connected(edges, first);
        open.retain(|doc| !set.contains(doc));
        let mut present = set.into_iter().filter(|doc| here(doc));
        if let Some(survivor) = present.next() {
            survivors.extend(present.map(|alias| (alias, survivor)));
        }
    }
    survivors
}

/// Returns all that one household is connected with, itself included.
pub fn connected(edges: &Edges, first: DocId) -> BTreeSet<DocId> {
    let mut set = BTreeSet::from([first]);
    loop {
        let before = set.len();
        for (a, b) in edges {
            if set.contains(a) || set.contains(b) {
                set.extend([*a, *b]);
            }
        }
        if set.len() == before {
            return set;
        }
    }
}

/// Returns the writes that make these one family, by document.
pub fn merge(set: &BTreeSet<DocId>) -> BTreeMap<DocId, Vec<Put>> {
    let Some(survivor) = set.first() else {
        return BTreeMap::new();
    };
    let aliases = set.iter().skip(1);
    aliases
        .map(|doc| (*doc, vec![Put::root(ALIAS_OF, survivor.to_string())]))
        .collect()
}

/// Returns the writes that take one household out of its set, by document; the others stay one family.
///
/// They are told apart as well: who took a merge back does not want it offered again.
pub fn unmerge(edges: &Edges, set: &BTreeSet<DocId>, out: &DocId) -> BTreeMap<DocId, Vec<Put>> {
    let rest: BTreeSet<DocId> = set.iter().copied().filter(|doc| doc != out).collect();
    let Some(survivor) = rest.first() else {
        return BTreeMap::new();
    };
    // Those that stay are tied to their survivor anew: a chain may have led through the one that leaves.
    let mut puts = merge(&rest);
    let mut first = vec![distinct(out, true)];
    first.extend(
        edges
            .contains(&(*survivor, *out))
            .then(|| Put::root(ALIAS_OF, "")),
    );
    puts.insert(*survivor, first);
    let own = vec![Put::root(ALIAS_OF, ""), distinct(survivor, true)];
    puts.insert(*out, own);
    puts
}

/// Returns the write that says whether a household is another family than `other`.
pub fn distinct(other: &DocId, is: bool) -> Put {
    Put::root(&format!("{DISTINCT}{other}"), is)
}

/// Returns the households that this one was told apart from.
pub fn told_apart(fields: &Fields) -> BTreeSet<DocId> {
    fields
        .container("")
        .filter(|(_, register)| register.shown == Scalar::Bool(true))
        .filter_map(|(key, _)| key.strip_prefix(DISTINCT)?.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn doc(n: u8) -> DocId {
        DocId([n; 16])
    }

    /// Documents as the puts leave them, without a library: the last word of each.
    fn apply(edges: &mut Edges, puts: &BTreeMap<DocId, Vec<Put>>) {
        for (from, puts) in puts {
            for put in puts.iter().filter(|put| put.key == ALIAS_OF) {
                edges.retain(|(known, _)| known != from);
                let to = put.value.as_text().unwrap_or_default().parse::<DocId>();
                edges.extend(to.ok().map(|to| (*from, to)));
            }
        }
    }

    fn all() -> impl Fn(&DocId) -> bool {
        |_| true
    }

    #[test]
    fn merges_at_two_devices_meet_in_one_family() {
        let edges = Edges::from([(doc(2), doc(1)), (doc(3), doc(2)), (doc(9), doc(8))]);
        let found = survivors(&edges, all());
        let expected = [(2, 1), (3, 1), (9, 8)].map(|(a, b)| (doc(a), doc(b)));
        assert_eq!(found, BTreeMap::from(expected));
    }

    #[test]
    fn a_ring_has_one_survivor() {
        let edges = Edges::from([(doc(1), doc(3)), (doc(3), doc(2)), (doc(2), doc(1))]);
        assert_eq!(survivors(&edges, all()).len(), 2);
        assert!(survivors(&edges, all()).values().all(|s| *s == doc(1)));
    }

    #[test]
    fn a_survivor_that_is_not_here_hides_nobody() {
        let edges = Edges::from([(doc(2), doc(1)), (doc(3), doc(1))]);
        let found = survivors(&edges, |id| *id != doc(1));
        assert_eq!(found, BTreeMap::from([(doc(3), doc(2))]));
        assert!(survivors(&edges, |id| *id == doc(3)).is_empty());
    }

    #[test]
    fn the_middle_of_a_chain_leaves_and_the_ends_stay_together() {
        let mut edges = Edges::from([(doc(2), doc(1)), (doc(3), doc(2))]);
        let set = connected(&edges, doc(1));
        let puts = unmerge(&edges, &set, &doc(2));
        apply(&mut edges, &puts);
        assert_eq!(survivors(&edges, all()), BTreeMap::from([(doc(3), doc(1))]));
    }

    #[test]
    fn the_survivor_may_leave_too() {
        let mut edges = Edges::from([(doc(2), doc(1)), (doc(3), doc(1))]);
        let puts = unmerge(&edges, &connected(&edges, doc(2)), &doc(1));
        apply(&mut edges, &puts);
        assert_eq!(survivors(&edges, all()), BTreeMap::from([(doc(3), doc(2))]));
    }

    proptest! {
        #[test]
        fn a_merge_joins_all_and_an_unmerge_takes_out_one(
            edges in prop::collection::btree_set((0u8..8, 0u8..8), 0..8),
            sets in prop::collection::vec(prop::collection::btree_set(0u8..8, 2..4), 0..4),
            out in 0u8..8,
        ) {
            let mut edges: Edges = edges.into_iter().filter(|(a, b)| a != b).map(|(a, b)| (doc(a), doc(b))).collect();
            for set in sets {
                let closure: BTreeSet<DocId> = set.iter().flat_map(|n| connected(&edges, doc(*n))).collect();
                apply(&mut edges, &merge(&closure));
                prop_assert_eq!(connected(&edges, *closure.first().unwrap()), closure.clone());
                let again = edges.clone();
                apply(&mut edges, &merge(&closure));
                prop_assert_eq!(&edges, &again, "saying it again is nothing new");
            }
            let turned: Edges = edges.iter().map(|(a, b)| (*b, *a)).collect();
            prop_assert_eq!(survivors(&turned, all()), survivors(&edges, all()));
            let set = connected(&edges, doc(out));
            let puts = unmerge(&edges, &set, &doc(out));
            let before = survivors(&edges, all());
            apply(&mut edges, &puts);
            prop_assert_eq!(connected(&edges, doc(out)), BTreeSet::from([doc(out)]));
            let rest: BTreeSet<DocId> = set.iter().copied().filter(|id| *id != doc(out)).collect();
            if let Some(first) = rest.first() {
                prop_assert_eq!(connected(&edges, *first), rest);
            }
            apply(&mut edges, &merge(&set));
            prop_assert_eq!(survivors(&edges, all()), before, "merging again restores it");
        }
    }
}
