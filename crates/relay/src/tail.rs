//! Whose home each of the last entries is, in memory, so that a reader passes over what is not for it.
//!
//! At the end of a day a thousand workers each read on through what all the others handed in. **What is
//! passed over is only what [`crate::scope::Scope`] would refuse**: a change or a first place of a
//! document with one home and no further audience, outside all areas of the reader. A document that is
//! moved later is brought along by the place that moves it, so that a home noted before stays good.

use std::collections::VecDeque;
use std::ops::Range;

use rusqlite::{Connection, params};
use wangge_wire::{AreaCode, EntryKind, packing};

use crate::log::signed;

/// Entries looked at when the first reader comes; a longer log is read as it is.
const FIRST_MAX: u64 = 1 << 18;
/// Entries kept at most: 8 bytes each.
const KEPT_MAX: usize = 1 << 20;
/// Digits of the smallest area.
const AREA_DIGITS: u32 = 15;
/// An entry that every reader looks at.
const LOOK: u64 = 0;

/// The homes of the last entries of the log.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    /// The position before the first home.
    before: u64,
    homes: VecDeque<u64>,
    /// The position of the last place that moved a document.
    moved: u64,
    begun: bool,
}

/// The areas of a reader, as ranges of homes.
#[derive(Debug)]
pub(crate) struct Reading {
    ranges: Vec<Range<u64>>,
}

impl Reading {
    pub(crate) fn of(areas: &[AreaCode]) -> Self {
        let range = |area: &AreaCode| {
            let (first, width) = number(area.as_str())?;
            Some(first..first + width)
        };
        Self {
            ranges: areas.iter().filter_map(range).collect(),
        }
    }

    fn looks_at(&self, home: u64) -> bool {
        home == LOOK || self.ranges.iter().any(|range| range.contains(&home))
    }
}

impl Tail {
    /// Reads on to the end of the log, which a read transaction sees.
    pub(crate) fn fill(&mut self, connection: &Connection, head: u64) -> rusqlite::Result<()> {
        if !self.begun {
            self.begun = true;
            self.before = head.saturating_sub(FIRST_MAX);
        }
        if head <= self.end() {
            return Ok(());
        }
        let mut rows = connection.prepare_cached(
            "SELECT e.kind, d.home, d.audiences, b.position IS NOT NULL
             FROM entry e
             LEFT JOIN document d ON d.doc = e.doc
             LEFT JOIN place_before b ON b.position = e.position
             WHERE e.position > ?1 AND e.position <= ?2 ORDER BY e.position",
        )?;
        let none = packing::encode::<Vec<wangge_wire::Audience>>(&Vec::new());
        let mut rows = rows.query(params![signed(self.end()), signed(head)])?;
        while let Some(row) = rows.next()? {
            let (kind, moves) = (EntryKind(row.get(0)?), row.get::<_, bool>(3)?);
            let home = row.get_ref(1)?.as_str_or_null()?.and_then(number);
            let alone = row.get_ref(2)?.as_blob_or_null()? == Some(none.as_slice());
            let plain = (kind == EntryKind::CHANGE || kind == EntryKind::PLACE) && alone && !moves;
            self.homes
                .push_back(home.filter(|_| plain).map_or(LOOK, |(first, _)| first));
            if moves {
                self.moved = self.end();
            }
        }
        while self.homes.len() > KEPT_MAX {
            self.homes.pop_front();
            self.before += 1;
        }
        Ok(())
    }

    /// Returns the next entries after `after` that a reader must look at, at most so many in a row; an
    /// empty range at the end of the log where there are none. What the reader `has` is passed over too,
    /// unless it moved a document. None: nothing is known of them.
    pub(crate) fn next(
        &self,
        after: u64,
        head: u64,
        reading: &Reading,
        most: usize,
        has: impl Fn(u64) -> bool,
    ) -> Option<Range<u64>> {
        // A reader that began before a document was moved must not believe the newer home.
        let known = self.before <= after && head <= self.end() && self.moved <= head;
        if !known {
            return None;
        }
        let skip = usize::try_from(after - self.before).ok()?;
        let left = usize::try_from(head.saturating_sub(after)).ok()?;
        let rest = self.homes.iter().skip(skip).take(left);
        let mut rest = rest.zip(after + 1..);
        let looks_at =
            |home: u64, position: u64| home == LOOK || reading.looks_at(home) && !has(position);
        let Some((_, first)) = rest.find(|(home, position)| looks_at(**home, *position)) else {
            return Some(head..head);
        };
        let more = rest
            .take(most.saturating_sub(1))
            .take_while(|(home, position)| looks_at(**home, *position))
            .count();
        Some(first - 1..first + more as u64)
    }

    fn end(&self) -> u64 {
        self.before + self.homes.len() as u64
    }
}

/// Returns an area as the first of the smallest ones in it, and how many those are.
fn number(area: &str) -> Option<(u64, u64)> {
    let digits = u32::try_from(area.len()).ok()?;
    let width = 10_u64.checked_pow(AREA_DIGITS.checked_sub(digits)?)?;
    let first = area.parse::<u64>().ok()?.checked_mul(width)?;
    (first != LOOK).then_some((first, width))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(homes: &[&str]) -> Tail {
        let home = |home: &&str| number(home).map_or(LOOK, |(first, _)| first);
        Tail {
            before: 10,
            homes: homes.iter().map(home).collect(),
            moved: 0,
            begun: true,
        }
    }

    fn reading(areas: &[&str]) -> Reading {
        let areas: Vec<AreaCode> = areas
            .iter()
            .map(|code| AreaCode::parse(code).unwrap())
            .collect();
        Reading::of(&areas)
    }

    /// The reader has nothing yet.
    fn none(_: u64) -> bool {
        false
    }

    const ONE: &str = "511724103201001";
    const OTHER: &str = "511724103201002";

    #[test]
    fn a_reader_passes_over_other_areas_and_over_nothing_else() {
        let tail = tail(&[ONE, OTHER, OTHER, "", ONE, ONE, OTHER]);
        let one = reading(&[ONE]);
        assert_eq!(tail.next(10, 17, &one, 9, none), Some(10..11));
        assert_eq!(
            tail.next(11, 17, &one, 9, none),
            Some(13..16),
            "what has no home is looked at"
        );
        assert_eq!(
            tail.next(13, 17, &one, 2, none),
            Some(13..15),
            "no more than asked"
        );
        assert_eq!(tail.next(16, 17, &one, 9, none), Some(17..17));
        assert_eq!(
            tail.next(10, 17, &reading(&["511724103"]), 9, none),
            Some(10..17)
        );
        assert_eq!(tail.next(10, 17, &reading(&[]), 9, none), Some(13..14));
    }

    #[test]
    fn a_reader_passes_over_what_it_has_just_sent() {
        let tail = tail(&[ONE, ONE, "", ONE, OTHER]);
        let one = reading(&[ONE]);
        let sent = |position: u64| [11, 12, 13].contains(&position);
        assert_eq!(
            tail.next(10, 15, &one, 9, sent),
            Some(12..14),
            "what has no home is looked at"
        );
        assert_eq!(tail.next(14, 15, &one, 9, sent), Some(15..15));
    }

    #[test]
    fn what_is_not_known_is_not_passed_over() {
        let mut tail = tail(&[ONE, OTHER, OTHER]);
        let one = reading(&[ONE]);
        assert_eq!(tail.next(9, 13, &one, 9, none), None, "before the first");
        assert_eq!(tail.next(10, 14, &one, 9, none), None, "past the last");
        tail.moved = 13;
        assert_eq!(
            tail.next(10, 12, &one, 9, none),
            None,
            "moved after this reader began"
        );
        assert_eq!(tail.next(10, 13, &one, 9, none), Some(10..11));
    }
}
