//! Device numbers: which this relay gives out itself, and which it leaves to the relays below it.
//!
//! A ticket's number begins with its device's, so two relays that take people in without a link must not
//! give out the same one. **Each relay below has ranges of its own, cut from those of the relay above it**;
//! what somebody was given before stays theirs. Where a range runs out the next order brings another,
//! and until then a device gets a number past four digits and writes provisional ticket numbers.

use rusqlite::Connection;
use wangge_trust::{KeyPair, KnownRelay, Roster};
use wangge_wire::limits::{DEVICE_NUMBER_MAX, NUMBER_RANGES_MAX};
use wangge_wire::order::{LevelForm, NumberRange};
use wangge_wire::{Level, OrderBody, RelayBelow, RelayId};

use crate::audit::Who;
use crate::orders::{self, Standing};

/// Numbers that a township is given at once: its own people's, and those of its villages.
const OF_A_TOWNSHIP: u32 = 200;
/// Numbers that a village is given at once.
const OF_A_VILLAGE: u32 = 10;
/// More are given when fewer than this share of a range is left.
const LEFT_SHARE: u32 = 4;

/// Returns the number of the next device that this relay takes in.
pub(crate) fn next(roster: &Roster, me: &RelayId) -> u32 {
    let past_all = || {
        let taken = roster.members().map(|(_, member)| member.device_number);
        taken.fold(DEVICE_NUMBER_MAX, u32::max).saturating_add(1)
    };
    own(roster, me).next().unwrap_or_else(past_all)
}

/// Returns the numbers that a new relay below is given, or the ones that it has.
pub(crate) fn for_below(
    roster: &Roster,
    me: &RelayId,
    below: &RelayId,
    level: LevelForm,
) -> Option<Vec<NumberRange>> {
    let known = roster.relay(below).map(|known| known.numbers.clone());
    let known = known.filter(|numbers| !numbers.is_empty());
    known.or_else(|| block(own(roster, me), size(level.into())).map(|block| vec![block]))
}

/// Gives further numbers to the relays directly below this one that need them, and others to those whose
/// numbers are not this relay's to give any more, since it went below another itself.
pub(crate) fn top_up(
    connection: &Connection,
    standing: &mut Standing,
    key: &KeyPair,
    now_ms: i64,
) -> rusqlite::Result<()> {
    let me = key.public().relay();
    let roster = standing.roster().clone();
    for (id, known) in roster.relays_below() {
        if known.above != Some(me) || roster.relay(id).is_none() {
            continue;
        }
        let mut numbers = given(&roster, &me, known);
        let left = free(&roster, id, numbers.clone()).count();
        let enough = left > (size(known.level) / LEFT_SHARE) as usize;
        if (enough && numbers == known.numbers) || numbers.len() >= NUMBER_RANGES_MAX {
            continue;
        }
        // Those given in this very loop are not free any more.
        let Some(block) = block(own(standing.roster(), &me), size(known.level)) else {
            continue;
        };
        numbers.push(block);
        let body = OrderBody::Below(RelayBelow {
            key: known.member.key,
            name: known.member.name.clone(),
            level: form(known.level),
            areas: known.member.areas.clone(),
            numbers: Some(numbers),
        });
        orders::append(connection, standing, key, body, Who::Relay(me), now_ms)?;
    }
    Ok(())
}

/// Returns those ranges of a relay below that are still this relay's to give.
fn given(roster: &Roster, me: &RelayId, below: &KnownRelay) -> Vec<NumberRange> {
    let own = ranges(roster, me);
    let inside = |one: &NumberRange| {
        let mut own = own.iter();
        own.any(|own| own.first <= one.first && one.last <= own.last)
    };
    below.numbers.iter().copied().filter(inside).collect()
}

/// Returns the numbers that this relay may give out or leave to others, in order.
fn own<'a>(roster: &'a Roster, me: &RelayId) -> impl Iterator<Item = u32> + 'a {
    free(roster, me, ranges(roster, me))
}

/// Returns the ranges of a relay: all numbers where nobody above has said.
fn ranges(roster: &Roster, relay: &RelayId) -> Vec<NumberRange> {
    let known = roster.relay(relay).map(|known| known.numbers.clone());
    let all = NumberRange {
        first: 1,
        last: DEVICE_NUMBER_MAX,
    };
    known
        .filter(|numbers| !numbers.is_empty())
        .unwrap_or_else(|| vec![all])
}

/// Returns what of these ranges of a relay no device has and no relay directly below it was given.
fn free<'a>(
    roster: &'a Roster,
    relay: &RelayId,
    mut ranges: Vec<NumberRange>,
) -> impl Iterator<Item = u32> + 'a {
    let below = roster.relays_below().map(|(_, known)| known);
    let below = below.filter(|known| known.above == Some(*relay));
    let given: Vec<NumberRange> = below.flat_map(|known| known.numbers.clone()).collect();
    let is_given = move |number: u32| {
        let mut given = given.iter();
        given.any(|range| (range.first..=range.last).contains(&number))
    };
    ranges.sort_unstable();
    let numbers = ranges
        .into_iter()
        .flat_map(|range| range.first.max(1)..=range.last.min(DEVICE_NUMBER_MAX));
    numbers.filter(move |number| !roster.is_number_used(*number) && !is_given(*number))
}

/// Returns the highest run of so many free numbers, which come in order: a relay's own people get the
/// low ones.
fn block(free: impl Iterator<Item = u32>, size: u32) -> Option<NumberRange> {
    let (mut last, mut run): (_, Option<NumberRange>) = (None, None);
    for number in free {
        let first = match run {
            Some(run) if run.last.checked_add(1) == Some(number) => run.first,
            _ => number,
        };
        run = Some(NumberRange {
            first,
            last: number,
        });
        if number - first + 1 >= size {
            last = Some(number);
        }
    }
    last.map(|last| NumberRange {
        first: last - size + 1,
        last,
    })
}

fn size(level: Level) -> u32 {
    match level {
        Level::County | Level::Township => OF_A_TOWNSHIP,
        Level::Village | Level::Grid => OF_A_VILLAGE,
    }
}

fn form(level: Level) -> LevelForm {
    match level {
        Level::County => LevelForm::County,
        Level::Township => LevelForm::Township,
        Level::Village | Level::Grid => LevelForm::Village,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_the_highest_run_without_a_gap() {
        let range = |first, last| Some(NumberRange { first, last });
        assert_eq!(block(1..=30, 10), range(21, 30));
        assert_eq!(block((1..=24).chain(27..=30), 10), range(15, 24));
        assert_eq!(block(1..=9, 10), None);
        assert_eq!(block((1..=5).chain(7..=11), 10), None);
    }
}
