//! A saved form cut apart and joined again.

use std::collections::BTreeSet;

use super::{ACTOR_BYTES_MAX, COUNT_MAX, HEAD_BYTES, KEYS, SPEC_MAX, shape};
use crate::Malformed;
use crate::chunk::{self, Reader, TYPE_DOCUMENT, push_sleb, push_uleb};

/// A saved form cut apart.
pub(super) struct Parts<'a> {
    pub(super) actors: Vec<&'a [u8]>,
    pub(super) heads: &'a [u8],
    pub(super) changes: Vec<(u64, &'a [u8])>,
    pub(super) operations: Vec<(u64, &'a [u8])>,
    pub(super) suffix: &'a [u8],
}

impl<'a> Parts<'a> {
    pub(super) fn cut(saved: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader { bytes: saved };
        let data = chunk::data(&mut reader, TYPE_DOCUMENT)?;
        if !reader.bytes.is_empty() {
            return Err(shape());
        }
        let mut reader = Reader { bytes: data };
        let mut actors = Vec::new();
        for _ in 0..reader.length()? {
            let bytes = reader.length()?;
            actors.push(reader.take(bytes)?);
        }
        let heads = reader.length()?.checked_mul(HEAD_BYTES);
        let heads = reader.take(heads.ok_or_else(shape)?)?;
        let changes = specs(&mut reader)?;
        let operations = specs(&mut reader)?;
        let mut columns = |specs: Vec<(u64, usize)>| {
            let column = |(spec, bytes)| Ok::<_, Malformed>((spec, reader.take(bytes)?));
            specs.into_iter().map(column).collect::<Result<_, _>>()
        };
        Ok(Self {
            actors,
            heads,
            changes: columns(changes)?,
            operations: columns(operations)?,
            suffix: reader.bytes,
        })
    }

    pub(super) fn join(&self) -> Vec<u8> {
        let mut data = Vec::new();
        push_uleb(&mut data, self.actors.len() as u64);
        for actor in &self.actors {
            push_uleb(&mut data, actor.len() as u64);
            data.extend_from_slice(actor);
        }
        push_uleb(&mut data, (self.heads.len() / HEAD_BYTES) as u64);
        data.extend_from_slice(self.heads);
        for columns in [&self.changes, &self.operations] {
            push_uleb(&mut data, columns.len() as u64);
            for (spec, bytes) in columns {
                push_uleb(&mut data, *spec);
                push_uleb(&mut data, bytes.len() as u64);
            }
        }
        for (_, bytes) in self.changes.iter().chain(&self.operations) {
            data.extend_from_slice(bytes);
        }
        data.extend_from_slice(self.suffix);
        chunk::seal(TYPE_DOCUMENT, &data).1
    }

    /// Returns the keys of operations as they travel, if the form comes out of its parts again byte for byte.
    pub(super) fn keys(&self, saved: &[u8]) -> Result<Keys, Malformed> {
        let once = |columns: &[(u64, &[u8])]| {
            let specs: BTreeSet<u64> = columns.iter().map(|(spec, _)| *spec).collect();
            specs.len() == columns.len() && specs.iter().all(|spec| *spec < SPEC_MAX)
        };
        let counts = [self.actors.len(), self.changes.len(), self.operations.len()];
        let fits = counts.iter().all(|count| *count <= COUNT_MAX)
            && self.heads.len() <= COUNT_MAX * HEAD_BYTES
            && self
                .actors
                .iter()
                .all(|actor| actor.len() <= ACTOR_BYTES_MAX);
        let column = self.operations.iter().find(|(spec, _)| *spec == KEYS);
        let column = column.map_or(&[][..], |(_, bytes)| bytes);
        let keys = Keys::of(column)?;
        let same = self.join() == saved && keys.reader().column(column.len())? == column;
        if fits && same && once(&self.changes) && once(&self.operations) {
            return Ok(keys);
        }
        Err(shape())
    }
}

fn specs(reader: &mut Reader<'_>) -> Result<Vec<(u64, usize)>, Malformed> {
    let mut specs = Vec::new();
    for _ in 0..reader.length()? {
        specs.push((reader.uleb()?, reader.length()?));
    }
    Ok(specs)
}

/// A column of strings in runs, as it travels.
#[derive(Default)]
pub(super) struct Keys {
    /// The numbers that begin runs, as they are.
    pub(super) runs: Vec<u8>,
    pub(super) shared: Vec<u8>,
    pub(super) lengths: Vec<u8>,
    pub(super) bytes: Vec<u8>,
}

impl Keys {
    fn reader(&self) -> KeysReader<'_> {
        let reader = |bytes| Reader { bytes };
        KeysReader {
            runs: reader(&self.runs),
            shared: reader(&self.shared),
            lengths: reader(&self.lengths),
            bytes: reader(&self.bytes),
        }
    }

    fn of(column: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader { bytes: column };
        let (mut keys, mut last): (Self, &[u8]) = (Self::default(), &[]);
        while !reader.bytes.is_empty() {
            let run = reader.sleb()?;
            push_sleb(&mut keys.runs, run);
            if run == 0 {
                push_uleb(&mut keys.runs, reader.uleb()?);
            }
            for _ in 0..literals(run) {
                let bytes = reader.length()?;
                let key = reader.take(bytes)?;
                let alike = key.iter().zip(last).take_while(|(a, b)| a == b).count();
                push_uleb(&mut keys.shared, alike as u64);
                push_uleb(&mut keys.lengths, (key.len() - alike) as u64);
                keys.bytes
                    .extend_from_slice(key.get(alike..).unwrap_or_default());
                last = key;
            }
        }
        Ok(keys)
    }
}

/// Returns how many values a run says one by one.
fn literals(run: i64) -> u64 {
    match run {
        0 => 0,
        1.. => 1,
        _ => run.unsigned_abs(),
    }
}

/// The streams of keys, read from their fronts.
pub(super) struct KeysReader<'a> {
    pub(super) runs: Reader<'a>,
    pub(super) shared: Reader<'a>,
    pub(super) lengths: Reader<'a>,
    pub(super) bytes: Reader<'a>,
}

impl KeysReader<'_> {
    /// Returns a column of so many bytes.
    pub(super) fn column(&mut self, bytes: usize) -> Result<Vec<u8>, Malformed> {
        let (mut out, mut last) = (Vec::new(), Vec::new());
        while out.len() < bytes {
            let run = self.runs.sleb()?;
            push_sleb(&mut out, run);
            if run == 0 {
                push_uleb(&mut out, self.runs.uleb()?);
            }
            for _ in 0..literals(run) {
                let (shared, length) = (self.shared.length()?, self.lengths.length()?);
                if shared > last.len() {
                    return Err(shape());
                }
                last.truncate(shared);
                last.extend_from_slice(self.bytes.take(length)?);
                push_uleb(&mut out, last.len() as u64);
                out.extend_from_slice(&last);
                if out.len() > bytes {
                    return Err(shape());
                }
            }
        }
        Ok(out)
    }
}
