//! The worker process that tries changes, from both ends: a length, then CBOR, each way.
//!
//! **It has no file, no database and no line**: what it can do with a document that takes it over is
//! to answer wrongly, and a form it answers with is loaded again by whoever uses it.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use wangge_wire::packing;

use super::gate::{GateProgram, Outcome, Trial, run};

/// Bytes of one message either way; a day of one document's changes fits many times.
const MESSAGE_BYTES_MAX: u32 = 64 * 1024 * 1024;
/// Memory of a worker, bytes of addresses.
#[cfg(unix)]
const MEMORY_MAX: u64 = 1024 * 1024 * 1024;
/// Time of a worker, seconds of work in its whole life; a fresh one comes long before.
#[cfg(unix)]
const CPU_S_MAX: u64 = 120;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gone {
    /// The program could not be started: nothing is known of the change.
    NotStarted,
    /// It ended, or answered what is no answer.
    Died,
    /// It did not answer within the time, and was ended.
    Late,
}

/// A worker that runs; dropping it ends it.
pub(crate) struct Worker {
    child: Child,
    stdin: ChildStdin,
    answers: Receiver<Vec<u8>>,
}

impl Worker {
    pub(crate) fn start(program: &GateProgram) -> Result<Self, Gone> {
        let mut command = Command::new(&program.program);
        command.args(&program.arguments).env_clear();
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        // What a failing library says names nothing that whoever runs a relay may read.
        command.stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| {
            tracing::error!(kind = ?error.kind(), "the gate's worker does not start");
            Gone::NotStarted
        })?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let stdin = stdin.ok_or(Gone::NotStarted)?;
        let mut stdout = stdout.ok_or(Gone::NotStarted)?;
        let (sender, answers) = channel();
        std::thread::spawn(move || {
            while let Some(answer) = receive(&mut stdout) {
                if sender.send(answer).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            child,
            stdin,
            answers,
        })
    }

    /// Returns it, if it has not ended already.
    pub(crate) fn awake(mut self) -> Option<Self> {
        matches!(self.child.try_wait(), Ok(None)).then_some(self)
    }

    /// Asks; an answer that does not come within the time is none.
    pub(crate) fn ask(&mut self, trial: &Trial, within: Duration) -> Result<Outcome, Gone> {
        send(&mut self.stdin, &packing::encode(trial)).ok_or(Gone::Died)?;
        let answer = self.answers.recv_timeout(within);
        let answer = answer.map_err(|error| match error {
            RecvTimeoutError::Timeout => Gone::Late,
            RecvTimeoutError::Disconnected => Gone::Died,
        })?;
        packing::decode(&answer, "gate").map_err(|_| Gone::Died)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing of it stays.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Works as the gate of another process: answers on `output` what `input` asks, until that ends.
///
/// Bounds this very process first; the caller is a program that does nothing else.
pub fn work(mut input: impl Read, mut output: impl Write) {
    bound();
    wangge_crdt::gate::silence_caught_panics();
    while let Some(question) = receive(&mut input) {
        let Ok(trial) = packing::decode::<Trial>(&question, "gate") else {
            return;
        };
        if send(&mut output, &packing::encode(&run(&trial))).is_none() {
            return;
        }
    }
}

#[cfg(unix)]
fn bound() {
    use rlimit::{Resource, setrlimit};
    // A system that refuses a limit still has the time the asking side waits.
    let _ = setrlimit(Resource::AS, MEMORY_MAX, MEMORY_MAX);
    let _ = setrlimit(Resource::CPU, CPU_S_MAX, CPU_S_MAX);
    let _ = setrlimit(Resource::CORE, 0, 0);
}

#[cfg(not(unix))]
fn bound() {}

fn send(to: &mut impl Write, message: &[u8]) -> Option<()> {
    let length = u32::try_from(message.len()).ok()?;
    if length > MESSAGE_BYTES_MAX {
        return None;
    }
    to.write_all(&length.to_be_bytes()).ok()?;
    to.write_all(message).ok()?;
    to.flush().ok()
}

fn receive(from: &mut impl Read) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length).ok()?;
    let length = u32::from_be_bytes(length);
    if length > MESSAGE_BYTES_MAX {
        return None;
    }
    let mut message = Vec::new();
    let read = from
        .take(u64::from(length))
        .read_to_end(&mut message)
        .ok()?;
    (u32::try_from(read) == Ok(length)).then_some(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_longer_than_allowed_is_not_read() {
        let mut bytes = (MESSAGE_BYTES_MAX + 1).to_be_bytes().to_vec();
        bytes.extend([0; 64]);
        assert_eq!(receive(&mut bytes.as_slice()), None);
        let mut whole = Vec::new();
        send(&mut whole, b"abc").unwrap();
        assert_eq!(receive(&mut whole.as_slice()), Some(b"abc".to_vec()));
        whole.pop();
        assert_eq!(receive(&mut whole.as_slice()), None, "cut");
    }
}
