//! What peers were measured to lose, on the same workload: here it is a promise.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeSet;

use wangge_agent::Replica;
use wangge_crdt::{Put, Scalar};
use wangge_model::kind;
use wangge_store::Draft;
use wangge_testkit::district::{District, sync};
use wangge_testkit::sealed::store_of;
use wangge_testkit::workload::{Op, Workload};
use wangge_wire::{ActionId, DocId, Role};

/// The village of the workload's first households.
const VILLAGE: &str = "511724103201";
/// The households that both edit.
const BOTH: std::ops::Range<usize> = 100..160;

#[test]
fn of_360_fields_edited_apart_none_is_hidden_and_every_field_edited_by_both_is_a_conflict() {
    let district = District::new();
    let mut li = district.home("李梅", Role::Worker, &[VILLAGE]);
    let mut wang = district.home("王芳", Role::Worker, &[VILLAGE]);
    let workload = Workload::open(None, BOTH.end);
    let mut begun = Vec::new();
    workload
        .each_household(&mut |number, ops| {
            begun.extend(ops.into_iter().take(usize::from(BOTH.contains(&number))));
            Ok(())
        })
        .unwrap();
    live(&li, &begun);
    sync(&mut li).unwrap();
    sync(&mut wang).unwrap();

    let (ours, theirs) = workload.conflict().unwrap();
    live(&li, &ours);
    live(&wang, &theirs);
    let households: BTreeSet<DocId> = begun.iter().flat_map(docs).collect();
    live(&li, &housing(&households, "单位宿舍"));
    live(&wang, &housing(&households, "租赁给亲戚"));
    sync(&mut li).unwrap();
    sync(&mut wang).unwrap();
    sync(&mut li).unwrap();

    let mut fields = 0;
    for op in ours.iter().chain(&theirs) {
        for replica in [&li, &wang] {
            fields += shown(replica, op);
        }
    }
    // A visit has several registers; it counts as the one thing that was entered.
    assert_eq!(fields, 2 * 360, "each on both devices");
    for replica in [&li, &wang] {
        let conflicts = replica.conflicts().unwrap();
        assert_eq!(conflicts.len(), households.len());
        assert!(
            conflicts
                .iter()
                .all(|one| one.field == "housing" && one.versions.len() == 2)
        );
    }
}

fn docs(op: &Op) -> Vec<DocId> {
    op.drafts.iter().map(|draft| draft.doc).collect()
}

/// Returns how many of an action's fields are shown with the value it wrote, a visit as one.
fn shown(replica: &Replica, op: &Op) -> usize {
    let mut count = 0;
    for draft in &op.drafts {
        let document = replica.store().document(&draft.doc).unwrap().unwrap();
        let fields = document.fields();
        let stands = |put: &Put| {
            let register = fields.get(put.container, &put.key);
            register
                .is_some_and(|register| register.shown == put.value && register.others.is_empty())
        };
        count += match draft.kind {
            kind::VISIT_BOOK => usize::from(draft.puts.iter().all(stands)),
            _ => draft.puts.iter().filter(|put| stands(put)).count(),
        };
    }
    count
}

fn housing(households: &BTreeSet<DocId>, value: &str) -> Vec<Op> {
    let edit = |doc: &DocId| Op {
        by: String::new(),
        at_ms: 1_766_000_000_000,
        drafts: vec![Draft {
            doc: *doc,
            kind: kind::HOUSEHOLD,
            owner: None,
            puts: vec![Put::root("housing", Scalar::Text(value.into()))],
            place: None,
            urgent: false,
        }],
    };
    households.iter().map(edit).collect()
}

/// Writes what people did into a home and leaves it unsent.
fn live(replica: &Replica, ops: &[Op]) {
    let mut store = store_of(replica.dir());
    store
        .write(replica.actor(), |writer| {
            for (mark, op) in (0_u64..).zip(ops) {
                writer.record(op.at_ms, ActionId(mark.to_be_bytes()), &op.drafts)?;
            }
            Ok::<_, wangge_store::StoreError>(())
        })
        .unwrap();
}
