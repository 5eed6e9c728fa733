//! Attachments on the line: named by what they are, sent by the piece.
//!
//! **A piece is answered when it is durable**, with how much of the whole is; so whoever was cut off
//! asks where it stands and goes on there.

use minicbor::{Decode, Encode};

use crate::id::{BlobHash, DocId};
use crate::limits::{BLOB_BYTES_MAX, BLOB_PIECE_BYTES_MAX};
use crate::{Malformed, packing};

/// A device sends a piece of an attachment. The head of `POST /v1/blob/HASH`; the piece follows it.
///
/// An empty piece asks how much is there.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BlobAsk {
    /// The protocol the device speaks.
    #[n(0)]
    pub version: u16,
    /// A document that names the attachment: who may read it may read the attachment.
    #[n(1)]
    pub doc: DocId,
    /// Bytes of the whole attachment.
    #[n(2)]
    pub bytes: u64,
    /// Where the piece begins.
    #[n(3)]
    pub offset: u64,
    /// The BLAKE3 of the piece, so that the request's signature covers it.
    #[n(4)]
    pub piece: BlobHash,
}

/// How much of an attachment is durable at the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BlobState {
    /// Bytes from its beginning.
    #[n(0)]
    pub durable: u64,
    /// Whether it is all there, fits its name and belongs to the document.
    #[n(1)]
    pub whole: bool,
}

impl BlobHash {
    /// Returns the name of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

impl BlobAsk {
    /// Returns the bytes of the head.
    pub fn encoded(&self) -> Vec<u8> {
        packing::encode(self)
    }

    /// Returns an error if the piece is past a limit or is not the one that was signed for.
    pub fn check(&self, piece: &[u8]) -> Result<(), Malformed> {
        let too_large = |what, limit| Err(Malformed::TooLarge { what, limit });
        if self.bytes > BLOB_BYTES_MAX {
            return too_large("attachment", usize::try_from(BLOB_BYTES_MAX).unwrap_or(0));
        }
        if piece.len() > BLOB_PIECE_BYTES_MAX {
            return too_large("piece", BLOB_PIECE_BYTES_MAX);
        }
        let ends = self.offset.checked_add(piece.len() as u64);
        let lies_inside = ends.is_some_and(|ends| ends <= self.bytes);
        if self.bytes == 0 || !lies_inside || BlobHash::of(piece) != self.piece {
            return Err(Malformed::shape("piece"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(bytes: u64, offset: u64, piece: &[u8]) -> BlobAsk {
        BlobAsk {
            version: 0,
            doc: DocId([7; 16]),
            bytes,
            offset,
            piece: BlobHash::of(piece),
        }
    }

    #[test]
    fn the_bytes_of_a_head_and_its_answer_are_these() {
        let head = ask(5, 2, b"abc").encoded();
        let hash = "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85";
        assert_eq!(BlobHash::of(b"abc").to_string(), hash);
        let hex: String = head.iter().map(|byte| format!("{byte:02x}")).collect();
        let expected = format!("a500000150{}02050302045820{hash}", "07".repeat(16));
        assert_eq!(hex, expected);
        let read: BlobAsk = packing::decode(&head, "head").unwrap();
        assert_eq!(read, ask(5, 2, b"abc"));
        let state = BlobState {
            durable: 300,
            whole: false,
        };
        assert_eq!(packing::encode(&state), [0xa2, 0, 0x19, 1, 0x2c, 1, 0xf4]);
    }

    #[test]
    fn a_piece_is_taken_at_each_limit_and_not_one_past_it() {
        let piece = vec![1; BLOB_PIECE_BYTES_MAX];
        let full = piece.len() as u64;
        assert_eq!(ask(full, 0, &piece).check(&piece), Ok(()));
        assert_eq!(ask(BLOB_BYTES_MAX, 0, b"").check(b""), Ok(()));
        let longer = vec![1; BLOB_PIECE_BYTES_MAX + 1];
        for (ask, piece) in [
            (ask(full + 1, 0, &longer), longer.as_slice()),
            (ask(BLOB_BYTES_MAX + 1, 0, b""), b"".as_slice()),
            (ask(full - 1, 0, &piece), &piece),
            (ask(full, 1, &piece), &piece),
            (ask(full, u64::MAX, &piece), &piece),
            (ask(0, 0, b""), b""),
            (ask(5, 0, b"abc"), b"abd"),
        ] {
            assert!(ask.check(piece).is_err(), "{ask:?}");
        }
    }
}
