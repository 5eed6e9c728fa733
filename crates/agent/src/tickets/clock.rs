//! Until when a ticket is to be done, as the event that says so stores it, and its light in a list.
//!
//! A submit holds the promise to the resident, an accept the time of the level that took it, an
//! extension the time asked for. **What was promised once is promised**: a supplement sets no other.

use wangge_model::clock::{due, lamp};
use wangge_model::report::Urgency;
use wangge_model::settings::Settings;
use wangge_model::ticket::{Kind, Progress};

use crate::error::AgentError;
use crate::replica::Replica;

impl Replica {
    /// Returns until when a ticket is to be done after a step at a moment; none where the step sets
    /// nothing.
    pub(super) fn due_for(
        &self,
        kind: Kind,
        urgency: Urgency,
        at_ms: i64,
        progress: Option<&Progress>,
    ) -> Result<Option<i64>, AgentError> {
        let limit = self.settings()?.limits(urgency).done;
        let so_far = progress.and_then(|progress| progress.due);
        Ok(match (kind, so_far) {
            (Kind::Submit, Some(_)) => None,
            (Kind::Submit | Kind::Accept | Kind::Reopen | Kind::FollowUp, _) => {
                Some(due(limit, at_ms).at_ms)
            }
            // As long again as the first time, at most.
            (Kind::Extend, first) => {
                let from = first.unwrap_or(at_ms);
                Some(limit.unit().after(from, limit.length_ms()))
            }
            _ => None,
        })
    }

    /// Returns the light of a ticket that was saved and is due at these moments.
    pub(super) fn light_of(
        &self,
        settings: &Settings,
        urgency: Urgency,
        (saved_ms, due_ms): (i64, i64),
    ) -> &'static str {
        let unit = settings.limits(urgency).done.unit();
        let pauses: Vec<_> = settings.pauses.iter().map(|pause| pause.span()).collect();
        let clock = (saved_ms, due_ms);
        let lamp = lamp(unit, clock, &pauses, self.now_ms(), settings.warn_percent);
        lamp.light.as_str()
    }
}
