//! A request's body as it arrives: never more of it than the limit. How long it may take is the line's to
//! know (`crates/relay/src/listen.rs`).

use axum::body::{Body, BodyDataStream};
use tokio_stream::StreamExt;
use wangge_wire::group::{self, GROUP_FRAME};
use wangge_wire::limits::{HEAD_BYTES_MAX, REQUEST_BATCHES_MAX};
use wangge_wire::stream::Splitter;

/// Why a body is not whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// More bytes than the limit.
    TooLarge,
    /// It ends in the middle of something: the connection broke, or nothing came for too long.
    Cut,
    /// It is not what it should be.
    Garbage,
}

/// A body that is being read.
pub(super) struct Incoming {
    stream: BodyDataStream,
    buffer: Vec<u8>,
    taken: usize,
    limit: usize,
}

/// Groups of batches, still packed.
#[derive(Default)]
pub(super) struct Groups {
    /// In the request's order.
    pub(super) packed: Vec<Vec<u8>>,
    /// Batches that they say they have.
    pub(super) batches: usize,
}

impl Groups {
    /// Takes a group in; false for one that says no number, or with which there are too many batches.
    fn take(&mut self, group: Vec<u8>) -> bool {
        let batches = group::count(&group).map(|count| self.batches + count);
        let Some(batches) = batches.filter(|batches| *batches <= REQUEST_BATCHES_MAX) else {
            return false;
        };
        self.batches = batches;
        self.packed.push(group);
        true
    }
}

impl Incoming {
    /// Returns a reader that stops past `limit` bytes.
    pub(super) fn new(body: Body, limit: usize) -> Self {
        Self {
            stream: body.into_data_stream(),
            buffer: Vec::new(),
            taken: 0,
            limit,
        }
    }

    /// Returns the whole body.
    pub(super) async fn all(mut self) -> Result<Vec<u8>, Fault> {
        while self.more().await? {}
        Ok(self.buffer)
    }

    /// Returns the head in front: four bytes of length, then as many bytes.
    pub(super) async fn head(&mut self) -> Result<Vec<u8>, Fault> {
        self.head_up_to(HEAD_BYTES_MAX).await
    }

    /// Returns a head of at most so many bytes.
    pub(super) async fn head_up_to(&mut self, limit: usize) -> Result<Vec<u8>, Fault> {
        loop {
            if let Some((length, rest)) = self.buffer.split_first_chunk::<4>() {
                let length = u32::from_be_bytes(*length) as usize;
                if length > limit {
                    return Err(Fault::Garbage);
                }
                if let Some((head, rest)) = rest.split_at_checked(length) {
                    let head = head.to_vec();
                    self.buffer = rest.to_vec();
                    return Ok(head);
                }
            }
            if !self.more().await? {
                return Err(Fault::Cut);
            }
        }
    }

    /// Returns the groups of batches that came whole, and what was wrong after them.
    pub(super) async fn groups(mut self) -> (Groups, Option<Fault>) {
        let mut splitter = Splitter::new(self.limit);
        let mut came = Groups::default();
        loop {
            splitter.push(&std::mem::take(&mut self.buffer));
            loop {
                match splitter.next_frame() {
                    Ok(Some((GROUP_FRAME, group))) => {
                        if !came.take(group) {
                            return (came, Some(Fault::Garbage));
                        }
                    }
                    Ok(None) => break,
                    Ok(Some(_)) | Err(_) => return (came, Some(Fault::Garbage)),
                }
            }
            match self.more().await {
                Ok(true) => {}
                Ok(false) => return (came, splitter.has_rest().then_some(Fault::Cut)),
                Err(fault) => return (came, Some(fault)),
            }
        }
    }

    /// Waits for the next piece; false at the end.
    async fn more(&mut self) -> Result<bool, Fault> {
        match self.stream.next().await {
            Some(Ok(piece)) => {
                self.taken += piece.len();
                if self.taken > self.limit {
                    return Err(Fault::TooLarge);
                }
                self.buffer.extend_from_slice(&piece);
                Ok(true)
            }
            None => Ok(false),
            Some(Err(_)) => Err(Fault::Cut),
        }
    }
}
