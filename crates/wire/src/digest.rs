//! The digest of a set of changes: equal digests prove that two sides hold the same.
//!
//! **Additive**: the digest of an area is the sum of the digests of what lies inside it, so one
//! number per area is kept and a township's is added up, never read through.

use minicbor::{Decode, Encode};

use crate::id::{ChangeHash, DocId, truncate};

/// How many changes, and the sum of their fingerprints modulo 2^128.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(array)]
pub struct Digest {
    /// Changes counted; a genesis is never counted.
    #[n(0)]
    pub changes: u64,
    #[n(1)]
    #[cbor(with = "sum_bytes")]
    sum: u128,
}

impl Digest {
    /// Returns the digest of one change by its name (document, hash).
    pub fn of(doc: &DocId, hash: &ChangeHash) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&doc.0);
        hasher.update(&hash.0);
        let sum = u128::from_le_bytes(truncate(hasher.finalize().as_bytes()));
        Self { changes: 1, sum }
    }

    /// Returns the digest of both sets; they must not overlap.
    pub fn plus(self, other: Digest) -> Self {
        Self {
            changes: self.changes.wrapping_add(other.changes),
            sum: self.sum.wrapping_add(other.sum),
        }
    }

    /// Returns the digest without `other`, which must be part of it.
    pub fn minus(self, other: Digest) -> Self {
        Self {
            changes: self.changes.wrapping_sub(other.changes),
            sum: self.sum.wrapping_sub(other.sum),
        }
    }

    /// Returns the sum as 16 bytes, little-endian.
    pub fn sum_bytes(&self) -> [u8; 16] {
        self.sum.to_le_bytes()
    }

    /// Returns the digest with this count and sum.
    pub fn from_parts(changes: u64, sum: [u8; 16]) -> Self {
        Self {
            changes,
            sum: u128::from_le_bytes(sum),
        }
    }

    /// Returns the sum as 32 hex digits, as people and scripts read it.
    pub fn hex(&self) -> String {
        format!("{:032x}", self.sum)
    }
}

/// Returns the hash that names bytes which are no change.
pub fn content_hash(bytes: &[u8]) -> ChangeHash {
    ChangeHash(*blake3::hash(bytes).as_bytes())
}

impl std::iter::Sum for Digest {
    fn sum<I: Iterator<Item = Digest>>(digests: I) -> Self {
        digests.fold(Digest::default(), Digest::plus)
    }
}

mod sum_bytes {
    use minicbor::{Decoder, Encoder};

    pub(super) fn encode<C, W: minicbor::encode::Write>(
        sum: &u128,
        to: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        to.bytes(&sum.to_le_bytes())?.ok()
    }

    pub(super) fn decode<C>(
        from: &mut Decoder<'_>,
        _: &mut C,
    ) -> Result<u128, minicbor::decode::Error> {
        let bytes = from.bytes()?.try_into();
        bytes
            .map(u128::from_le_bytes)
            .map_err(|_| minicbor::decode::Error::message("a sum has 16 bytes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_never_matters_and_taking_away_undoes_adding() {
        let a = Digest::of(&DocId([1; 16]), &ChangeHash([1; 32]));
        let b = Digest::of(&DocId([1; 16]), &ChangeHash([2; 32]));
        assert_eq!(a.plus(b), b.plus(a));
        assert_eq!(a.plus(b).minus(a), b);
        assert_ne!(a, b);
        assert_eq!([a, b].into_iter().sum::<Digest>().changes, 2);
    }

    #[test]
    fn the_document_is_part_of_a_changes_name() {
        let hash = ChangeHash([1; 32]);
        assert_ne!(
            Digest::of(&DocId([1; 16]), &hash),
            Digest::of(&DocId([2; 16]), &hash)
        );
    }
}
