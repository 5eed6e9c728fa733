//! Until when a ticket is to be done, as the event that says so stores it.

use wangge_model::report::Urgency;
use wangge_model::ticket::Kind;

use crate::replica::Replica;

impl Replica {
    /// Returns until when a ticket is to be done, counted from a moment; none where no clock runs.
    pub(super) fn due_for(&self, _kind: Kind, _urgency: Urgency, _at_ms: i64) -> Option<i64> {
        None
    }
}
