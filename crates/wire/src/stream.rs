//! Frames in a stream of bytes: one byte of kind, four of length, the payload.
//!
//! A splitter takes whatever pieces a connection delivers and gives whole frames; **a length past the
//! limit is refused before a byte of it is kept**.

use crate::Malformed;

/// Returns a frame's bytes.
pub fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 5);
    out.push(kind);
    out.extend_from_slice(
        &u32::try_from(payload.len())
            .unwrap_or(u32::MAX)
            .to_be_bytes(),
    );
    out.extend_from_slice(payload);
    out
}

/// Cuts arriving bytes into frames.
#[derive(Debug)]
pub struct Splitter {
    buffer: Vec<u8>,
    limit: usize,
}

impl Splitter {
    /// Returns a splitter that refuses payloads of more than `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            buffer: Vec::new(),
            limit,
        }
    }

    /// Takes the bytes that arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Returns the next whole frame (kind, payload), none until more bytes arrive.
    pub fn next_frame(&mut self) -> Result<Option<(u8, Vec<u8>)>, Malformed> {
        let Some((head, _)) = self.buffer.split_first_chunk::<5>() else {
            return Ok(None);
        };
        let [kind, length @ ..] = *head;
        let length = u32::from_be_bytes(length) as usize;
        if length > self.limit {
            return Err(Malformed::TooLarge {
                what: "a frame",
                limit: self.limit,
            });
        }
        let Some(payload) = self.buffer.get(5..5 + length).map(<[u8]>::to_vec) else {
            return Ok(None);
        };
        self.buffer.drain(..5 + length);
        Ok(Some((kind, payload)))
    }

    /// Returns whether bytes of an unfinished frame are left.
    pub fn has_rest(&self) -> bool {
        !self.buffer.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_whole_from_any_pieces() {
        let bytes = [frame(1, b"ab"), frame(2, b""), frame(3, &[9; 300])].concat();
        for piece in [1, 2, 7, 1000] {
            let mut splitter = Splitter::new(300);
            let mut frames = Vec::new();
            for part in bytes.chunks(piece) {
                splitter.push(part);
                while let Some(found) = splitter.next_frame().unwrap() {
                    frames.push(found);
                }
            }
            assert_eq!(
                frames,
                [(1, b"ab".to_vec()), (2, vec![]), (3, vec![9; 300])]
            );
            assert!(!splitter.has_rest());
        }
    }

    #[test]
    fn a_payload_of_the_limit_passes_and_one_byte_more_does_not() {
        let mut splitter = Splitter::new(10);
        splitter.push(&frame(1, &[0; 10]));
        assert!(splitter.next_frame().unwrap().is_some());
        splitter.push(&frame(1, &[0; 11]));
        assert!(splitter.next_frame().is_err());
    }
}
