//! Reads a change without expanding it, and refuses what would hurt to expand.
//!
//! A change of 113 bytes can claim ten million operations by run lengths; the library would build
//! them all. **Run lengths are summed here before the library sees a byte**, and every count has a cap
//! from `wire::limits`. Reading costs microseconds and no memory beyond the counts.

use wangge_wire::chunk::{self, Reader};
use wangge_wire::limits::{CHANGE_ACTORS_MAX, CHANGE_COLUMNS_MAX, CHANGE_OPS_MAX};
use wangge_wire::{ActorId, ChangeHash, Malformed};

/// Bytes of an actor that is not the writer; the library allows any, our own are 8.
const ACTOR_BYTES_MAX: usize = 32;
/// Bytes of a change's message; ours have none.
const MESSAGE_BYTES_MAX: usize = 1_024;
/// The highest operation number a change may start at; the library counts in 32 bits.
const START_OP_MAX: u64 = 1 << 30;
/// The action number of "set a scalar".
const ACTION_SET: u64 = 1;
/// The column of actions: id 4, integers.
const ACTION_COLUMN: u64 = (4 << 4) | INTEGER;

const GROUP: u64 = 0;
const ACTOR: u64 = 1;
const INTEGER: u64 = 2;
const DELTA: u64 = 3;
const BOOLEAN: u64 = 4;
const STRING: u64 = 5;
const VALUE_METADATA: u64 = 6;
const DEFLATE_BIT: u64 = 8;

/// What a change says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Its hash.
    pub hash: ChangeHash,
    /// The changes it rests on.
    pub deps: Vec<ChangeHash>,
    /// Its writer.
    pub actor: ActorId,
    /// Its number among the writer's changes of this document.
    pub seq: u64,
    /// The number of its first operation.
    pub start_op: u64,
    /// The writer's clock, milliseconds since 1970.
    pub at_ms: i64,
    /// How many operations it has.
    pub ops: u64,
    /// Whether every operation sets a scalar: nothing nested, nothing deleted.
    pub only_sets: bool,
}

/// Returns what a change says of itself, or why it must not reach the library.
pub fn check(raw: &[u8]) -> Result<Checked, Malformed> {
    let (hash, parts) = chunk::split(raw)?;
    let mut reader = Reader { bytes: &parts.rest };
    let actor_bytes = length(reader.uleb()?);
    let actor = ActorId::from_slice(reader.take(actor_bytes)?);
    let actor = actor.ok_or(Malformed::Shape { what: "actor" })?;
    let seq = reader.uleb()?;
    let start_op = reader.uleb()?;
    if seq == 0 || start_op == 0 || start_op > START_OP_MAX {
        return Err(Malformed::Shape {
            what: "operation numbers",
        });
    }
    let at_ms = reader.sleb()?;
    let message_bytes = length(reader.uleb()?);
    if message_bytes > MESSAGE_BYTES_MAX {
        return Err(Malformed::TooLarge {
            what: "a message",
            limit: MESSAGE_BYTES_MAX,
        });
    }
    reader.take(message_bytes)?;
    other_actors(&mut reader)?;
    let (ops, only_sets) = columns(&mut reader)?;
    Ok(Checked {
        hash,
        deps: parts.deps,
        actor,
        seq,
        start_op,
        at_ms,
        ops,
        only_sets,
    })
}

fn other_actors(reader: &mut Reader<'_>) -> Result<(), Malformed> {
    let count = length(reader.uleb()?);
    // The writer is one of the actors the limit counts.
    if count >= CHANGE_ACTORS_MAX {
        return Err(Malformed::TooLarge {
            what: "actors",
            limit: CHANGE_ACTORS_MAX,
        });
    }
    for _ in 0..count {
        let bytes = length(reader.uleb()?);
        if bytes > ACTOR_BYTES_MAX {
            return Err(Malformed::TooLarge {
                what: "an actor",
                limit: ACTOR_BYTES_MAX,
            });
        }
        reader.take(bytes)?;
    }
    Ok(())
}

/// Returns how many operations the columns have, and whether all set scalars.
fn columns(reader: &mut Reader<'_>) -> Result<(u64, bool), Malformed> {
    let specs = specs(reader)?;
    rows(reader, &specs, CHANGE_OPS_MAX)
}

/// Returns which columns follow, and how many bytes each has.
pub(crate) fn specs(reader: &mut Reader<'_>) -> Result<Vec<(u64, usize)>, Malformed> {
    let count = length(reader.uleb()?);
    if count > CHANGE_COLUMNS_MAX {
        return Err(Malformed::TooLarge {
            what: "columns",
            limit: CHANGE_COLUMNS_MAX,
        });
    }
    let mut specs = Vec::with_capacity(count);
    for _ in 0..count {
        let spec = reader.uleb()?;
        if spec & DEFLATE_BIT != 0 {
            return Err(Malformed::Shape {
                what: "a deflated column",
            });
        }
        specs.push((spec, length(reader.uleb()?)));
    }
    Ok(specs)
}

/// Returns how many operations these columns have, none with more than so many rows, and whether all
/// operations set scalars.
pub(crate) fn rows(
    reader: &mut Reader<'_>,
    specs: &[(u64, usize)],
    limit: u64,
) -> Result<(u64, bool), Malformed> {
    let (mut ops, mut only_sets) = (0, true);
    for (spec, bytes) in specs {
        let mut column = Reader {
            bytes: reader.take(*bytes)?,
        };
        let mut visit = |value: u64| only_sets &= *spec != ACTION_COLUMN || value == ACTION_SET;
        let rows = match spec & 7 {
            GROUP | ACTOR | INTEGER | VALUE_METADATA => {
                runs(&mut column, limit, |r| r.uleb().map(&mut visit))?
            }
            DELTA => runs(&mut column, limit, |r| r.sleb().map(|_| ()))?,
            STRING => runs(&mut column, limit, |r| {
                let bytes = length(r.uleb()?);
                r.take(bytes).map(|_| ())
            })?,
            BOOLEAN => booleans(&mut column, limit)?,
            _ => 0,
        };
        if *spec == ACTION_COLUMN {
            ops = rows;
        }
    }
    Ok((ops, only_sets))
}

/// Returns the rows of a run-length column, reading each value once however often it repeats.
fn runs(
    column: &mut Reader<'_>,
    limit: u64,
    mut value: impl FnMut(&mut Reader<'_>) -> Result<(), Malformed>,
) -> Result<u64, Malformed> {
    let mut rows = 0u64;
    while !column.bytes.is_empty() {
        let run = column.sleb()?;
        let (more, literals) = match run {
            0 => (column.uleb()?, 0),
            1.. => (run.unsigned_abs(), 1),
            _ => (run.unsigned_abs(), run.unsigned_abs()),
        };
        rows = capped(rows, more, limit)?;
        for _ in 0..literals {
            value(column)?;
        }
    }
    Ok(rows)
}

fn booleans(column: &mut Reader<'_>, limit: u64) -> Result<u64, Malformed> {
    let mut rows = 0;
    while !column.bytes.is_empty() {
        rows = capped(rows, column.uleb()?, limit)?;
    }
    Ok(rows)
}

fn capped(rows: u64, more: u64, limit: u64) -> Result<u64, Malformed> {
    let sum = rows.saturating_add(more);
    if sum > limit {
        return Err(Malformed::TooLarge {
            what: "operations",
            limit: length(limit),
        });
    }
    Ok(sum)
}

pub(crate) fn length(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::tests::{LI, begun};
    use crate::register::Put;
    use proptest::prelude::*;
    use wangge_wire::chunk::{Parts, join, push_uleb};

    /// A change whose action column claims `ops` operations in one run.
    fn claiming(ops: i64) -> Vec<u8> {
        let mut column = Vec::new();
        let mut value = ops;
        loop {
            let byte = (value & 0x7f) as u8;
            value >>= 7;
            let last = value == 0 && byte & 0x40 == 0;
            column.push(if last { byte } else { byte | 0x80 });
            if last {
                break;
            }
        }
        push_uleb(&mut column, ACTION_SET);
        let mut rest = vec![8];
        rest.extend_from_slice(&LI.0);
        rest.extend_from_slice(&[1, 1, 0, 0, 0, 1]);
        push_uleb(&mut rest, ACTION_COLUMN);
        push_uleb(&mut rest, column.len() as u64);
        rest.extend_from_slice(&column);
        join(&Parts { deps: vec![], rest }).1
    }

    #[test]
    fn a_change_of_a_hundred_bytes_that_claims_ten_million_operations_is_refused() {
        assert_eq!(
            check(&claiming(CHANGE_OPS_MAX as i64)).unwrap().ops,
            CHANGE_OPS_MAX
        );
        for ops in [CHANGE_OPS_MAX as i64 + 1, 10_000_000, i64::MAX] {
            assert!(
                matches!(check(&claiming(ops)), Err(Malformed::TooLarge { .. })),
                "{ops}"
            );
        }
    }

    #[test]
    fn as_many_actors_as_the_limit_are_read_and_no_more() {
        let with = |count: u8| {
            let mut rest = vec![8];
            rest.extend_from_slice(&LI.0);
            rest.extend_from_slice(&[1, 1, 0, 0, count]);
            rest.extend((0..count).flat_map(|n| [1, n]));
            rest.push(0);
            join(&Parts { deps: vec![], rest }).1
        };
        assert!(check(&with(CHANGE_ACTORS_MAX as u8 - 1)).is_ok());
        assert!(check(&with(CHANGE_ACTORS_MAX as u8)).is_err());
    }

    #[test]
    fn a_deflated_column_is_refused() {
        let mut rest = vec![8];
        rest.extend_from_slice(&LI.0);
        rest.extend_from_slice(&[1, 1, 0, 0, 0, 1]);
        push_uleb(&mut rest, ACTION_COLUMN | DEFLATE_BIT);
        rest.push(0);
        assert!(check(&join(&Parts { deps: vec![], rest }).1).is_err());
    }

    proptest! {
        #[test]
        fn an_honest_change_is_read_as_the_library_reads_it(
            notes in prop::collection::vec(("[a-z]{1,8}", ".{0,40}"), 1..20),
            at in 0i64..4_000_000_000_000,
        ) {
            let mut document = begun();
            let puts: Vec<Put> =
                notes.iter().map(|(key, note)| Put::entry("members", key, "note", note.as_str())).collect();
            if let Some(written) = document.write(&LI, at, &puts).unwrap() {
                let checked = check(&written.raw).unwrap();
                let change = automerge::Change::from_bytes(written.raw).unwrap();
                prop_assert_eq!(checked.hash, written.hash);
                prop_assert_eq!(checked.ops, change.len() as u64);
                prop_assert_eq!(checked.start_op, change.start_op().get());
                prop_assert_eq!(checked.at_ms, at);
                prop_assert_eq!(checked.actor, LI);
                prop_assert!(checked.only_sets);
            }
        }

        #[test]
        fn any_bytes_behind_a_right_checksum_are_read_without_a_panic(
            rest in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let _ = check(&join(&Parts { deps: vec![], rest }).1);
        }
    }
}
