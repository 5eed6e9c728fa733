//! Who holds the key of an unlocked home: a process that hands it to this person's commands, until the lock.
//!
//! The key lies in its memory alone. It answers on a socket that only its owner opens, and ends after a time
//! without questions, at the latest when it was told to, or at once when somebody locks.

use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant, SystemTime};

use wangge_trust::vault::MasterKey;
use zeroize::Zeroizing;

use crate::error::AgentError;

/// How long a question or an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes of the longest path that a socket can have.
const PATH_BYTES_MAX: usize = 100;
/// What is asked.
const KEY: u8 = b'k';
const LOCK: u8 = b'l';

/// How long a home stays unlocked.
#[derive(Debug, Clone, Copy)]
pub struct Unlocked {
    /// At most.
    pub most: Duration,
    /// Without a question.
    pub idle: Duration,
}

/// A length of time that ends by whichever clock says so first: the one that runs stands still while the machine
/// sleeps, and the one of the wall may be set.
struct Span {
    length: Duration,
    begun: Instant,
    begun_wall: SystemTime,
}

impl Span {
    fn of(length: Duration) -> Self {
        Self {
            length,
            begun: Instant::now(),
            begun_wall: SystemTime::now(),
        }
    }

    fn left(&self) -> Duration {
        self.left_at(Instant::now(), SystemTime::now())
    }

    fn left_at(&self, now: Instant, wall: SystemTime) -> Duration {
        let ran = now.saturating_duration_since(self.begun);
        // A clock that was set back says nothing; the other one goes on.
        let passed = wall.duration_since(self.begun_wall).unwrap_or_default();
        self.length.saturating_sub(ran.max(passed))
    }
}

/// What a holder was asked for.
enum Asked {
    Key,
    Lock,
}

/// Returns the socket of a home's holder.
fn socket_of(dir: &Path) -> Result<PathBuf, AgentError> {
    let whole = dir.canonicalize()?;
    let name = blake3::hash(whole.as_os_str().as_encoded_bytes()).to_hex();
    let env = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let folder = env("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .filter(|folder| folder.is_absolute())
        .map_or(whole, |folder| folder.join("wangge"));
    let socket = folder.join(format!("{}.sock", name.get(..16).unwrap_or_default()));
    match socket.as_os_str().len() <= PATH_BYTES_MAX {
        true => Ok(socket),
        false => Err(AgentError::HomeUnwritable {
            at: folder,
            reason: "the folder's name is too long for a socket".to_owned(),
        }),
    }
}

/// Returns the key of an unlocked home; none where nobody holds it.
pub fn ask(dir: &Path) -> Option<MasterKey> {
    let mut answer = Zeroizing::new([0; 32]);
    let mut line = say(dir, KEY)?;
    line.read_exact(&mut *answer).ok()?;
    Some(MasterKey::new(*answer))
}

/// Has the holder of a home forget its key; false where nobody held it.
pub fn lock(dir: &Path) -> bool {
    let Some(mut line) = say(dir, LOCK) else {
        return false;
    };
    // Its end is the answer: nobody holds the key any more.
    line.read_to_end(&mut Vec::new()).is_ok()
}

fn say(dir: &Path, what: u8) -> Option<UnixStream> {
    let mut line = UnixStream::connect(socket_of(dir).ok()?).ok()?;
    line.set_read_timeout(Some(PATIENCE)).ok()?;
    line.set_write_timeout(Some(PATIENCE)).ok()?;
    line.write_all(&[what]).ok()?;
    Some(line)
}

/// A socket that was taken and answers nobody yet.
pub struct Holder {
    listener: UnixListener,
    socket: PathBuf,
}

impl Holder {
    /// Takes the socket of a home; a holder that was there before is locked.
    pub fn take(dir: &Path) -> Result<Self, AgentError> {
        lock(dir);
        let socket = socket_of(dir)?;
        if let Some(folder) = socket.parent().filter(|folder| !folder.exists()) {
            let mut builder = std::fs::DirBuilder::new();
            builder.recursive(true).mode(0o700).create(folder)?;
        }
        // Left by one that was killed.
        let _ = std::fs::remove_file(&socket);
        let listener = UnixListener::bind(&socket)?;
        std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, socket })
    }

    /// Hands the key to whoever asks, until it is time to lock.
    pub fn hold(self, key: MasterKey, unlocked: Unlocked) -> io::Result<()> {
        let Self { listener, socket } = self;
        let (arrived, lines) = channel();
        std::thread::spawn(move || {
            for line in listener.incoming().flatten() {
                if arrived.send(line).is_err() {
                    return;
                }
            }
        });
        let most = Span::of(unlocked.most);
        let mut idle = Span::of(unlocked.idle);
        loop {
            let line = lines.recv_timeout(most.left().min(idle.left()));
            // A question may be what wakes a machine that slept past the end.
            let line = line
                .ok()
                .filter(|_| !most.left().min(idle.left()).is_zero());
            let Some(line) = line else {
                return std::fs::remove_file(&socket);
            };
            match answer(&line, &key) {
                Ok(Asked::Key) => idle = Span::of(unlocked.idle),
                Ok(Asked::Lock) => {
                    std::fs::remove_file(&socket)?;
                    // Its end is the answer.
                    drop(line);
                    return Ok(());
                }
                // Who asks for nothing keeps nothing open.
                Err(_) => {}
            }
        }
    }
}

fn answer(mut line: &UnixStream, key: &MasterKey) -> io::Result<Asked> {
    line.set_read_timeout(Some(PATIENCE))?;
    line.set_write_timeout(Some(PATIENCE))?;
    let mut what = [0];
    line.read_exact(&mut what)?;
    match what {
        [KEY] => {
            line.write_all(key.as_bytes())?;
            Ok(Asked::Key)
        }
        [LOCK] => Ok(Asked::Lock),
        _ => Err(io::Error::from(io::ErrorKind::InvalidData)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3_600);

    fn held(dir: &Path, unlocked: Unlocked) -> std::thread::JoinHandle<io::Result<()>> {
        let holder = Holder::take(dir).unwrap();
        std::thread::spawn(move || holder.hold(MasterKey::new([5; 32]), unlocked))
    }

    #[test]
    fn the_key_is_handed_out_until_somebody_locks_and_to_nobody_after() {
        let dir = tempfile::tempdir().unwrap();
        assert!(ask(dir.path()).is_none() && !lock(dir.path()));
        let unlocked = Unlocked {
            most: LONG,
            idle: LONG,
        };
        let holder = held(dir.path(), unlocked);
        for _ in 0..2 {
            assert_eq!(ask(dir.path()).unwrap().as_bytes(), &[5; 32]);
        }
        assert!(lock(dir.path()));
        holder.join().unwrap().unwrap();
        assert!(ask(dir.path()).is_none());
        assert!(!socket_of(dir.path()).unwrap().exists());
    }

    #[test]
    fn a_home_locks_by_itself_when_its_time_is_over_and_when_nobody_asks() {
        let none = Duration::ZERO;
        for (most, idle) in [(none, LONG), (LONG, none)] {
            let dir = tempfile::tempdir().unwrap();
            let holder = held(dir.path(), Unlocked { most, idle });
            holder.join().unwrap().unwrap();
            assert!(ask(dir.path()).is_none());
        }
    }

    #[test]
    fn time_asleep_counts_and_a_clock_that_is_set_back_wins_none() {
        let span = Span::of(LONG);
        let (begun, wall) = (span.begun, span.begun_wall);
        let minute = Duration::from_secs(60);
        assert_eq!(span.left_at(begun, wall), LONG);
        // The lid was closed: only the clock on the wall went on.
        assert_eq!(span.left_at(begun, wall + LONG), Duration::ZERO);
        assert_eq!(span.left_at(begun + minute, wall - LONG), LONG - minute);
    }

    #[test]
    fn a_socket_is_for_its_owner_alone_and_one_of_a_killed_holder_is_taken_over() {
        let dir = tempfile::tempdir().unwrap();
        drop(Holder::take(dir.path()).unwrap());
        let socket = socket_of(dir.path()).unwrap();
        let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(ask(dir.path()).is_none());
        let again = Holder::take(dir.path()).unwrap();
        assert!(again.socket.exists());
    }
}
