//! What is read is what the lines say: nothing invented, nothing dropped.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use super::*;

fn made() -> Workload {
    Workload::open(None, 3_000)
}

#[test]
fn a_day_is_ninety_actions_and_a_visit_goes_with_its_edit() {
    let day = made().day(1).unwrap();
    assert_eq!(day.len(), 90);
    let drafts: Vec<usize> = day.iter().map(|op| op.drafts.len()).collect();
    assert!(drafts[..60].iter().all(|drafts| *drafts == 2));
    assert!(drafts[60..].iter().all(|drafts| *drafts == 1));
    let changed: BTreeSet<DocId> = day
        .iter()
        .flat_map(|op| op.drafts.iter().map(|draft| draft.doc))
        .collect();
    assert_eq!(changed.len(), 150, "no document twice");
}

#[test]
fn a_household_comes_with_every_visit_of_it() {
    let lines: Vec<Value> = (0..20).map(|number| made::household(number, 5)).collect();
    let visits: usize = lines
        .iter()
        .map(|line| line["doc"]["visits"].as_array().unwrap().len())
        .sum();
    let mut ops = Vec::new();
    for line in &lines {
        ops.extend(household(line["id"].as_str().unwrap(), &line["doc"]).unwrap());
    }
    assert_eq!(ops.len(), 20 + visits);
    assert!(ops.iter().all(|op| op.drafts.len() == 1));
}

#[test]
fn two_devices_never_write_the_same_field() {
    let (one, other) = made().conflict().unwrap();
    let fields = |ops: &[Op]| -> BTreeSet<(DocId, String)> {
        let drafts = ops.iter().flat_map(|op| &op.drafts);
        drafts
            .flat_map(|draft| draft.puts.iter().map(|put| (draft.doc, put.key.clone())))
            .collect()
    };
    assert_eq!((one.len(), other.len()), (60, 60));
    assert!(fields(&one).is_disjoint(&fields(&other)));
}

#[test]
fn devices_of_a_rush_have_households_of_their_own() {
    let docs = |device| -> BTreeSet<DocId> {
        let ops = made().rush(device).unwrap();
        ops.iter()
            .flat_map(|op| op.drafts.iter().map(|draft| draft.doc))
            .collect()
    };
    assert!(docs(0).is_disjoint(&docs(1)));
}

#[test]
fn a_report_of_a_rush_lives_in_its_authors_own_grid() {
    let ops = made().rush(3).unwrap();
    let places = ops.iter().flat_map(|op| &op.drafts);
    let homes: BTreeSet<AreaCode> = places
        .filter_map(|draft| draft.place.as_ref().map(|place| place.home.clone()))
        .collect();
    assert_eq!(homes, BTreeSet::from([grid(3 * GRID_HOUSEHOLDS)]));
}
