//! Walking the chain: the first row that is not as it was written, and whether the end that somebody saw is
//! still there.

use rusqlite::Connection;

use super::{COLUMNS, NOTHING_BEFORE, Stored};
use crate::error::RelayError;
use crate::relay::Relay;

/// What is wrong with a chain, first of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The row of this number is not as it was written.
    Changed(u64),
    /// The row of this number is gone.
    Missing(u64),
    /// The row of this number was put in later.
    Inserted(u64),
}

/// How a chain was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Walked {
    /// The number of the last row.
    pub last: u64,
    /// The last row's hash; zeros without one.
    pub hash: [u8; 32],
    /// What is wrong first of all; none for a whole chain.
    pub fault: Option<Fault>,
}

/// Walks the chain from its first row.
pub(crate) fn walk(connection: &Connection) -> rusqlite::Result<Walked> {
    let mut rows = connection.prepare(&format!("SELECT {COLUMNS} FROM audit ORDER BY n"))?;
    let mut rows = rows.query([])?;
    let mut walked = Walked {
        last: 0,
        hash: NOTHING_BEFORE,
        fault: None,
    };
    while let Some(row) = rows.next()? {
        let row = Stored::read(row)?;
        if walked.fault.is_none() {
            walked.fault = fault(&walked, &row);
        }
        (walked.last, walked.hash) = (row.n, row.hash);
    }
    Ok(walked)
}

/// Returns what is wrong with a row behind those that were walked.
fn fault(before: &Walked, row: &Stored) -> Option<Fault> {
    let next = before.last + 1;
    if row.n != next {
        return Some(Fault::Missing(next));
    }
    if row.made() == row.hash {
        // Who wrote a row anew with a right hash of its own left the one behind it pointing elsewhere.
        let follows = row.prev == before.hash;
        return (!follows).then_some(Fault::Changed(before.last.max(1)));
    }
    // One that is right under another number was moved, to make room or to close a gap.
    let under = |n: u64| {
        let moved = Stored { n, ..row.clone() };
        moved.made() == row.hash
    };
    if row.n > 1 && under(row.n - 1) {
        return Some(Fault::Inserted(row.n - 1));
    }
    if under(row.n + 1) {
        return Some(Fault::Missing(row.n));
    }
    Some(Fault::Changed(row.n))
}

impl Relay {
    /// Walks the audit chain.
    pub fn audit_walk(&self) -> Result<Walked, RelayError> {
        self.read(walk)
    }
}
