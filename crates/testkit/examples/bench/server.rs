//! A relay as a process of its own, so that what it costs is told apart from what its clients cost.
//!
//! The process is this program started again: **it serves with the code that `wangge relay serve` serves
//! with, on one thread of the runtime like it, with its allocator**, and without the background gate. Its
//! work and memory are read from `/proc`.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use wangge_relay::{LevelForm, NewInvitation, Packs, Relay, Role, Settings, serve};
use wangge_wire::{AreaCode, RelayId};

use super::measures::text;

/// The word by which this program is started as a relay.
pub(super) const SERVE: &str = "--serve-relay";
/// Ticks of a processor's clock in a second, as `/proc` counts them.
const TICKS_A_SECOND: f64 = 100.0;

/// A relay that runs until it is dropped.
pub(super) struct RelayProcess {
    dir: PathBuf,
    child: Child,
    address: SocketAddr,
    id: RelayId,
}

/// What a relay did since another moment.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Work {
    /// Milliseconds of work, of all its threads.
    pub(super) cpu_ms: f64,
    /// Bytes it had the disk write.
    pub(super) written: f64,
}

impl RelayProcess {
    /// Starts a relay over a folder; it takes the port that is free.
    pub(super) fn start(dir: &Path) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(text)?;
        let mut command = Command::new(program);
        command.arg(SERVE).arg(dir);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(text)?;
        let out = child.stdout.take().ok_or("a relay without an output")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).map_err(text)?;
        let address = line.trim().parse().map_err(text)?;
        Ok(Self {
            dir: dir.to_owned(),
            child,
            address,
            id: wangge_testkit::device::card(address).key.relay(),
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns whom requests are signed for.
    pub(super) fn id(&self) -> RelayId {
        self.id
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns its folder opened once more, as an operator's command does.
    pub(super) fn opened(&self) -> Result<Relay, String> {
        Relay::open(&self.dir, &settings()).map_err(text)
    }

    /// Makes its packs in this process, as its background does.
    pub(super) fn make_packs(&self) -> Result<usize, String> {
        let relay = self.opened()?;
        let made = relay.make_packs(&Packs::default()).map_err(text)?;
        if !relay.held().map_err(text)?.is_empty() {
            return Err("changes were held".into());
        }
        Ok(made)
    }

    /// Returns what it has done since it started.
    pub(super) fn work(&self) -> Result<Work, String> {
        let stat = self.proc("stat")?;
        // The name in parentheses may hold blanks; the fields are counted behind it.
        let fields = stat.rsplit_once(')').map(|(_, fields)| fields);
        let fields: Vec<&str> = fields.unwrap_or_default().split_whitespace().collect();
        let ticks = |at: usize| -> f64 {
            let field = fields.get(at).and_then(|field| field.parse().ok());
            field.unwrap_or(0.0)
        };
        let written = value(&self.proc("io")?, "write_bytes:");
        Ok(Work {
            cpu_ms: (ticks(11) + ticks(12)) * 1000.0 / TICKS_A_SECOND,
            written,
        })
    }

    /// Returns the most memory it ever held, MB.
    pub(super) fn peak_mb(&self) -> Result<f64, String> {
        Ok(value(&self.proc("status")?, "VmHWM:") / 1024.0)
    }

    /// Returns how many files it has open, connections among them.
    pub(super) fn open_files(&self) -> Result<usize, String> {
        let files = std::fs::read_dir(format!("/proc/{}/fd", self.child.id()));
        Ok(files.map_err(text)?.count())
    }

    /// Forgets the peak: what came before the clock is not what is measured.
    pub(super) fn forget_peak(&self) {
        // A system that does not let it tells a peak that is too high, never too low.
        let _ = std::fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5");
    }

    fn proc(&self, file: &str) -> Result<String, String> {
        let path = format!("/proc/{}/{file}", self.child.id());
        std::fs::read_to_string(path).map_err(text)
    }
}

impl Work {
    pub(super) fn since(self, before: Work) -> Work {
        Work {
            cpu_ms: self.cpu_ms - before.cpu_ms,
            written: self.written - before.written,
        }
    }
}

impl Drop for RelayProcess {
    fn drop(&mut self) {
        // Its input ends with this, and it with its input.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Makes an invitation and returns its code.
pub(super) fn invite(
    relay: &Relay,
    name: &str,
    role: Role,
    areas: Vec<AreaCode>,
) -> Result<wangge_relay::Code, String> {
    let new = NewInvitation {
        name: name.to_owned(),
        role,
        areas,
    };
    relay.invite(&new, settings().clock.now_ms()).map_err(text)
}

pub(super) fn settings() -> Settings {
    Settings::new("杨家镇", LevelForm::Township)
}

/// Serves until the input ends; says on the output which port it took.
pub(super) fn run(dir: &Path) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(text)?;
    runtime.block_on(async {
        let relay = Relay::open(dir, &settings()).map_err(text)?;
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.map_err(text)?;
        println!("{}", listener.local_addr().map_err(text)?);
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        std::thread::spawn(move || {
            let _ = std::io::stdin().read_to_end(&mut Vec::new());
            let _ = stop.send(());
        });
        let stopped = async {
            let _ = stopped.await;
        };
        serve(relay, listener, stopped).await.map_err(text)
    })
}

fn value(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let word = line.and_then(|rest| rest.split_whitespace().next());
    word.and_then(|word| word.parse().ok()).unwrap_or(0.0)
}
