//! People and units at a home without a relay: nothing is promised that nobody signed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use tempfile::TempDir;
use wangge_agent::people::LeaveInput;
use wangge_agent::{AgentError, Machine, Replica};
use wangge_wire::AreaCode;

fn home() -> (TempDir, Replica) {
    let dir = tempfile::tempdir().unwrap();
    let grid = AreaCode::parse("511724103202001").unwrap();
    let at = dir.path().join("home");
    let replica = Replica::init(&at, "李梅", vec![grid], Machine::default());
    (dir, replica.unwrap())
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread();
    { runtime }.enable_all().build().unwrap().block_on(future)
}

#[test]
fn a_home_without_a_relay_has_no_colleagues_and_orders_nothing() {
    let (_dir, mut replica) = home();
    assert!(replica.people_list().is_empty() && replica.units().is_empty());
    assert!(replica.covering().is_empty());
    assert_eq!(replica.areas().to_vec(), replica.own_areas());
    let unit = wait(replica.add_unit("水务站", "511724103", ""));
    assert!(matches!(unit, Err(AgentError::NotEnrolled)));
    assert!(replica.units().is_empty());
}

#[test]
fn what_cannot_be_is_said_before_anybody_is_asked() {
    let (_dir, mut replica) = home();
    let field = |error: AgentError| match error {
        AgentError::BadValue { field, .. } => field,
        other => panic!("{other}"),
    };
    let village = wait(replica.add_unit("水务站", "511724103202", "")).unwrap_err();
    assert_eq!(field(village), "unit_area");
    let nameless = wait(replica.add_unit("  ", "511724103", "")).unwrap_err();
    assert_eq!(field(nameless), "unit_name");
    let nobody = wait(replica.cover(LeaveInput::default())).unwrap_err();
    assert_eq!(field(nobody), "by");
    let stranger = wait(replica.leave(LeaveInput {
        absent: "谁".into(),
        ..LeaveInput::default()
    }));
    assert!(matches!(stranger, Err(AgentError::NotFound { .. })));
}
