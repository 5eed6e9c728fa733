//! Households that may be one family, for a person to look at.
//!
//! **Nothing is merged by itself**: a pair is offered until somebody merges it or says that it is two.

use serde::Serialize;
use wangge_model::duplicates::{self, Reason};
use wangge_store::HouseholdRow;
use wangge_wire::AreaCode;

use crate::error::AgentError;
use crate::replica::Replica;

/// Two households that may be one family.
#[derive(Debug, Clone, Serialize)]
pub struct Duplicate {
    /// The one that would stand for both.
    pub a: HouseholdRow,
    /// The other.
    pub b: HouseholdRow,
    /// How much speaks for it, 1 to 100.
    pub score: u8,
    /// `id_number phone same_name similar_name name_without_door door`, the weightiest first.
    pub reasons: Vec<Reason>,
}

impl Replica {
    /// Returns the pairs under an area, the likeliest first.
    pub fn duplicates(
        &self,
        area: Option<&AreaCode>,
        limit: usize,
    ) -> Result<Vec<Duplicate>, AgentError> {
        let store = &self.home.store;
        let mut found = Vec::new();
        for pair in duplicates::pairs(&store.traits(area)?)
            .into_iter()
            .take(limit)
        {
            if let (Some(a), Some(b)) = (store.household(&pair.a)?, store.household(&pair.b)?) {
                found.push(Duplicate {
                    a,
                    b,
                    score: pair.score,
                    reasons: pair.reasons,
                });
            }
        }
        Ok(found)
    }
}
