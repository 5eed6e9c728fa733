//! The outside of a change: its chunk header, its hash and its dependencies.
//!
//! Layout of a change chunk (Automerge storage format): magic, 4-byte checksum, type, length, then
//! the data, which begins with the dependencies. The checksum is the start of the hash, the hash is
//! SHA-256 over type, length and data. **Nothing here expands anything**: a chunk is cut apart so
//! that dependencies the other side holds can be left out, and joined again byte for byte.

use sha2::{Digest as _, Sha256};

use crate::Malformed;
use crate::id::{ActorId, ChangeHash};
use crate::limits::{CHANGE_BYTES_MAX, CHANGE_DEPS_MAX};

/// The four bytes every chunk begins with.
pub const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
/// The chunk type of a document.
pub const TYPE_DOCUMENT: u8 = 0;
/// The chunk type of an uncompressed change, the only one that is ever sent.
pub const TYPE_CHANGE: u8 = 1;

/// A change cut into what can be left out and what cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// The changes this one rests on, in the order its bytes have them.
    pub deps: Vec<ChangeHash>,
    /// All that follows the dependencies: actor, sequence, time, operations.
    pub rest: Vec<u8>,
}

/// Returns the dependencies and the rest of a change, after checking size, type and hash.
///
/// The checksum is compared too: a change whose header lies would read differently elsewhere.
pub fn split(raw: &[u8]) -> Result<(ChangeHash, Parts), Malformed> {
    if raw.len() > CHANGE_BYTES_MAX {
        return Err(Malformed::TooLarge {
            what: "a change",
            limit: CHANGE_BYTES_MAX,
        });
    }
    let mut reader = Reader { bytes: raw };
    if reader.array::<4>()? != MAGIC {
        return Err(Malformed::shape("change magic"));
    }
    let checksum = reader.array::<4>()?;
    let hashed = reader.bytes;
    if reader.array::<1>()? != [TYPE_CHANGE] {
        return Err(Malformed::shape("chunk type"));
    }
    let length = reader.uleb()?;
    if usize::try_from(length).ok() != Some(reader.bytes.len()) {
        return Err(Malformed::shape("chunk length"));
    }
    let hash = ChangeHash(Sha256::digest(hashed).into());
    if hash.0.get(..4) != Some(checksum.as_slice()) {
        return Err(Malformed::shape("change checksum"));
    }
    let count = usize::try_from(reader.uleb()?).unwrap_or(usize::MAX);
    if count > CHANGE_DEPS_MAX {
        return Err(Malformed::TooLarge {
            what: "dependencies",
            limit: CHANGE_DEPS_MAX,
        });
    }
    let deps = (0..count)
        .map(|_| reader.array::<32>().map(ChangeHash))
        .collect::<Result<Vec<_>, _>>()?;
    Ok((
        hash,
        Parts {
            deps,
            rest: reader.bytes.to_vec(),
        },
    ))
}

/// Returns the change that `parts` were cut from, and its hash.
pub fn join(parts: &Parts) -> (ChangeHash, Vec<u8>) {
    let mut data = Vec::with_capacity(parts.rest.len() + parts.deps.len() * 32 + 4);
    push_uleb(&mut data, parts.deps.len() as u64);
    for dep in &parts.deps {
        data.extend_from_slice(&dep.0);
    }
    data.extend_from_slice(&parts.rest);
    seal(TYPE_CHANGE, &data)
}

/// Returns data as a chunk of this type, and its hash.
pub fn seal(kind: u8, data: &[u8]) -> (ChangeHash, Vec<u8>) {
    let mut hashed = vec![kind];
    push_uleb(&mut hashed, data.len() as u64);
    hashed.extend_from_slice(data);
    let hash = ChangeHash(Sha256::digest(&hashed).into());

    let mut raw = Vec::with_capacity(hashed.len() + 8);
    raw.extend_from_slice(&MAGIC);
    raw.extend_from_slice(hash.0.get(..4).unwrap_or_default());
    raw.extend_from_slice(&hashed);
    (hash, raw)
}

/// Returns the data of the chunk of this type that a reader stands at; its checksum is not looked at.
pub fn data<'a>(reader: &mut Reader<'a>, kind: u8) -> Result<&'a [u8], Malformed> {
    let (magic, _checksum) = (reader.array::<4>()?, reader.array::<4>()?);
    if magic != MAGIC || reader.array::<1>()? != [kind] {
        return Err(Malformed::shape("chunk"));
    }
    let length = reader.length()?;
    reader.take(length)
}

/// Returns the author and the sequence number at the start of a change's rest.
pub fn author(rest: &[u8]) -> Result<(ActorId, u64), Malformed> {
    let mut reader = Reader { bytes: rest };
    let length = usize::try_from(reader.uleb()?).unwrap_or(usize::MAX);
    let actor = ActorId::from_slice(reader.take(length)?);
    Ok((actor.ok_or(Malformed::shape("actor"))?, reader.uleb()?))
}

/// Appends an unsigned LEB128 number.
pub fn push_uleb(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed LEB128 number.
pub fn push_sleb(out: &mut Vec<u8>, mut value: i64) {
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        let sign = if byte & 0x40 == 0 { 0 } else { -1 };
        let last = value == sign;
        out.push(if last { byte } else { byte | 0x80 });
        if last {
            break;
        }
    }
}

/// Reads a chunk from its front; every step is bounded by what is left.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// What has not been read yet.
    pub bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Returns the next `count` bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, left) = self
            .bytes
            .split_at_checked(count)
            .ok_or(Malformed::shape("truncated bytes"))?;
        self.bytes = left;
        Ok(taken)
    }

    /// Returns the next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.take(N)?
            .try_into()
            .map_err(|_| Malformed::shape("truncated bytes"))
    }

    /// Returns the next unsigned LEB128 number, refusing forms longer than they need be.
    pub fn uleb(&mut self) -> Result<u64, Malformed> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array::<1>()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(Malformed::shape("number"));
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                let padded = byte == 0 && shift > 0;
                return if padded {
                    Err(Malformed::shape("number"))
                } else {
                    Ok(value)
                };
            }
        }
        Err(Malformed::shape("number"))
    }

    /// Returns the next unsigned LEB128 number as a length; one that no memory has is past any bytes.
    pub fn length(&mut self) -> Result<usize, Malformed> {
        Ok(usize::try_from(self.uleb()?).unwrap_or(usize::MAX))
    }

    /// Returns the next signed LEB128 number.
    pub fn sleb(&mut self) -> Result<i64, Malformed> {
        let mut value = 0i64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array::<1>()?;
            value |= i64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let negative = byte & 0x40 != 0 && shift + 7 < 64;
                return Ok(if negative {
                    value | (-1i64 << (shift + 7))
                } else {
                    value
                });
            }
        }
        Err(Malformed::shape("number"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> Parts {
        Parts {
            deps: vec![ChangeHash([3; 32])],
            rest: vec![8, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1, 0],
        }
    }

    #[test]
    fn a_change_is_cut_and_joined_byte_for_byte() {
        let (hash, raw) = join(&sample());
        assert_eq!(split(&raw), Ok((hash, sample())));
        assert_eq!(
            author(&sample().rest),
            Ok((ActorId([1, 2, 3, 4, 5, 6, 7, 8]), 1))
        );
    }

    #[test]
    fn a_flipped_bit_anywhere_is_noticed() {
        let (hash, raw) = join(&sample());
        for at in 0..raw.len() * 8 {
            let mut bad = raw.clone();
            bad[at / 8] ^= 1 << (at % 8);
            assert!(
                split(&bad).is_err() || split(&bad).unwrap().0 != hash,
                "bit {at}"
            );
        }
    }

    #[test]
    fn a_change_of_the_limit_is_read_and_one_byte_more_is_not() {
        let overhead = join(&Parts {
            deps: vec![],
            rest: vec![0; 60_000],
        })
        .1
        .len()
            - 60_000;
        let full = Parts {
            deps: vec![],
            rest: vec![0; CHANGE_BYTES_MAX - overhead],
        };
        assert!(split(&join(&full).1).is_ok());
        let over = Parts {
            deps: vec![],
            rest: vec![0; CHANGE_BYTES_MAX - overhead + 1],
        };
        assert!(matches!(
            split(&join(&over).1),
            Err(Malformed::TooLarge { .. })
        ));
    }

    #[test]
    fn as_many_dependencies_as_the_limit_are_read_and_no_more() {
        let with = |count| Parts {
            deps: vec![ChangeHash([9; 32]); count],
            rest: vec![],
        };
        assert!(split(&join(&with(CHANGE_DEPS_MAX)).1).is_ok());
        assert!(split(&join(&with(CHANGE_DEPS_MAX + 1)).1).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(raw in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = split(&raw);
            let _ = author(&raw);
            let _ = Reader { bytes: &raw }.sleb();
        }

        #[test]
        fn numbers_read_back(value in any::<u64>(), signed in any::<i64>(), shift in 0..63_u32) {
            let (mut out, signed) = (Vec::new(), signed >> shift);
            push_uleb(&mut out, value);
            push_sleb(&mut out, signed);
            let mut reader = Reader { bytes: &out };
            prop_assert_eq!(reader.uleb(), Ok(value));
            prop_assert_eq!(reader.sleb(), Ok(signed));
            prop_assert!(reader.bytes.is_empty());
        }
    }
}
