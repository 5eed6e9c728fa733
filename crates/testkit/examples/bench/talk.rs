//! Requests of many devices at once over connections that stay open, and every frame of the answers.
//!
//! One task a connection on one thread: the clients have to be cheaper than what they measure. **A
//! receipt counts when its frame is here**, whole and with every item numbered.

use std::net::SocketAddr;
use std::time::Instant;

use tokio::net::TcpStream;
use wangge_wire::limits::ANSWER_FRAME_BYTES_MAX;
use wangge_wire::message::AnswerKind;
use wangge_wire::receipt::ItemState;
use wangge_wire::stream::Splitter;
use wangge_wire::{Cursor, End, Verdict, packing};

use super::measures::text;

/// A connection to a relay.
pub(super) struct Line {
    stream: TcpStream,
    buffer: Vec<u8>,
    pub(super) up: u64,
    pub(super) down: u64,
}

/// What one answer said.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) status: u16,
    /// Items with a number.
    pub(super) numbered: usize,
    pub(super) receipts: u32,
    /// Verdicts that are no receipt, and items without a number.
    pub(super) strange: usize,
    /// Entries that came in pages.
    pub(super) pages: usize,
    pub(super) cursor: Option<Cursor>,
    /// The relay's words when it broke off.
    pub(super) failed: Option<String>,
    /// When the last receipt came.
    pub(super) receipted: Option<Instant>,
}

impl Line {
    pub(super) async fn open(to: SocketAddr) -> Result<Self, String> {
        let stream = TcpStream::connect(to).await.map_err(text)?;
        stream.set_nodelay(true).map_err(text)?;
        Ok(Self {
            stream,
            buffer: Vec::new(),
            up: 0,
            down: 0,
        })
    }

    /// Sends a request and reads its answer to the end.
    pub(super) async fn exchange(&mut self, request: &[u8]) -> Result<Heard, String> {
        self.write(request).await?;
        self.up += request.len() as u64;
        let (status, chunked, length) = self.head().await?;
        let mut heard = Heard {
            status,
            ..Heard::default()
        };
        let mut splitter = Splitter::new(ANSWER_FRAME_BYTES_MAX);
        if !chunked {
            while self.buffer.len() < length {
                self.more().await?;
            }
            self.buffer.drain(..length);
            return Ok(heard);
        }
        while let Some(piece) = self.chunk().await? {
            if status == 200 {
                splitter.push(&piece);
                while let Some((kind, payload)) = splitter.next_frame().map_err(text)? {
                    heard.take(AnswerKind(kind), &payload)?;
                }
            }
        }
        Ok(heard)
    }

    async fn write(&self, mut bytes: &[u8]) -> Result<(), String> {
        while !bytes.is_empty() {
            self.stream.writable().await.map_err(text)?;
            match self.stream.try_write(bytes) {
                Ok(sent) => bytes = bytes.get(sent..).unwrap_or_default(),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(text(error)),
            }
        }
        Ok(())
    }

    async fn more(&mut self) -> Result<(), String> {
        let mut piece = [0; 16 * 1024];
        loop {
            self.stream.readable().await.map_err(text)?;
            match self.stream.try_read(&mut piece) {
                Ok(0) => return Err("the relay hung up".into()),
                Ok(read) => {
                    self.buffer.extend(piece.iter().take(read));
                    self.down += read as u64;
                    return Ok(());
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(text(error)),
            }
        }
    }

    /// Reads the status and what the body is: chunked, or so many bytes.
    async fn head(&mut self) -> Result<(u16, bool, usize), String> {
        let end = self.find(b"\r\n\r\n").await?;
        let head: Vec<u8> = self.buffer.drain(..end + 4).collect();
        let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .and_then(|value| value.trim().parse().ok());
        let chunked = head.contains("transfer-encoding: chunked");
        Ok((status.ok_or("no status")?, chunked, length.unwrap_or(0)))
    }

    async fn chunk(&mut self) -> Result<Option<Vec<u8>>, String> {
        let end = self.find(b"\r\n").await?;
        let line: Vec<u8> = self.buffer.drain(..end + 2).collect();
        let size = String::from_utf8_lossy(&line);
        let size = usize::from_str_radix(size.trim(), 16).map_err(text)?;
        while self.buffer.len() < size + 2 {
            self.more().await?;
        }
        let mut piece: Vec<u8> = self.buffer.drain(..size + 2).collect();
        piece.truncate(size);
        Ok((size > 0).then_some(piece))
    }

    async fn find(&mut self, mark: &[u8]) -> Result<usize, String> {
        loop {
            let at = self
                .buffer
                .windows(mark.len())
                .position(|part| part == mark);
            match at {
                Some(at) => return Ok(at),
                None => self.more().await?,
            }
        }
    }
}

impl Heard {
    fn take(&mut self, kind: AnswerKind, payload: &[u8]) -> Result<(), String> {
        match kind {
            AnswerKind::VERDICT => {
                match packing::decode::<Verdict>(payload, "verdict").map_err(text)? {
                    Verdict::Receipt(receipt) => {
                        let at = |state: &&ItemState| matches!(state, ItemState::At(_));
                        let numbered = receipt.items.iter().filter(at).count();
                        self.numbered += numbered;
                        self.strange += receipt.items.len() - numbered;
                        if numbered < receipt.items.len() {
                            self.failed
                                .get_or_insert_with(|| format!("{:?}", receipt.items));
                        }
                        self.receipts += 1;
                        self.receipted = Some(Instant::now());
                    }
                    other => {
                        self.strange += 1;
                        self.failed.get_or_insert_with(|| format!("{other:?}"));
                    }
                }
            }
            AnswerKind::PAGE => self.pages += 1,
            AnswerKind::END => {
                let end = packing::decode::<End>(payload, "end").map_err(text)?;
                self.cursor = Some(end.cursor);
            }
            AnswerKind::FAILED => {
                self.failed = Some(String::from_utf8_lossy(payload).into_owned());
            }
            _ => {}
        }
        Ok(())
    }
}
