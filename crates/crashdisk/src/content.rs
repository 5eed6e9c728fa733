//! The bytes of a file, in pieces that many images share: a copy costs a few pointers.

use std::sync::Arc;

/// Bytes of a piece; SQLite's usual page, so that an unchanged page is the same piece in every image.
const PIECE: usize = 4096;

/// The bytes of a file.
#[derive(Clone, Debug, Default)]
pub struct Content {
    pieces: Vec<Arc<[u8; PIECE]>>,
    length: usize,
}

impl Content {
    /// Returns these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut content = Self::default();
        content.write(0, bytes);
        content
    }

    /// Returns how many bytes there are.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Writes `bytes` at `at`; what lies between the end and there becomes zero.
    pub fn write(&mut self, at: usize, bytes: &[u8]) {
        self.reach(at.saturating_add(bytes.len()));
        let (mut at, mut rest) = (at, bytes);
        while !rest.is_empty() {
            let within = at % PIECE;
            let (now, later) = rest.split_at(rest.len().min(PIECE - within));
            if let Some(piece) = self.pieces.get_mut(at / PIECE)
                && let Some(there) = Arc::make_mut(piece).get_mut(within..within + now.len())
            {
                there.copy_from_slice(now);
            }
            at += now.len();
            rest = later;
        }
    }

    /// Fills `into` from `at` on; returns how many bytes there were, and the rest of `into` is zero.
    pub fn read(&self, at: usize, into: &mut [u8]) -> usize {
        let there = self.length.saturating_sub(at).min(into.len());
        let (found, beyond) = into.split_at_mut(there);
        beyond.fill(0);
        let (mut at, mut rest) = (at, found);
        while !rest.is_empty() {
            let within = at % PIECE;
            let size = rest.len().min(PIECE - within);
            let (now, later) = rest.split_at_mut(size);
            match self
                .pieces
                .get(at / PIECE)
                .and_then(|piece| piece.get(within..within + size))
            {
                Some(bytes) => now.copy_from_slice(bytes),
                None => now.fill(0),
            }
            at += size;
            rest = later;
        }
        there
    }

    /// Makes it this long: cuts it, or adds zeros.
    pub fn set_len(&mut self, length: usize) {
        if length >= self.length {
            self.reach(length);
            return;
        }
        self.length = length;
        self.pieces.truncate(length.div_ceil(PIECE));
        let within = length % PIECE;
        if within > 0
            && let Some(last) = self.pieces.last_mut()
            && let Some(beyond) = Arc::make_mut(last).get_mut(within..)
        {
            // What was cut off must not come back when the file grows again.
            beyond.fill(0);
        }
    }

    /// Returns all bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.length];
        self.read(0, &mut bytes);
        bytes
    }

    fn reach(&mut self, length: usize) {
        if length > self.length {
            self.length = length;
            self.pieces
                .resize_with(length.div_ceil(PIECE), || Arc::new([0; PIECE]));
        }
    }
}

impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        let mut both = self.pieces.iter().zip(&other.pieces);
        // Bytes beyond the end are zero in both.
        self.length == other.length && both.all(|(a, b)| Arc::ptr_eq(a, b) || a == b)
    }
}

impl Eq for Content {}
