//! Homes, relays and processes for the tests; nothing of the machine's own settings reaches them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const GRID: &str = "511724103202001";
pub(crate) const OTHER_GRID: &str = "511724103202002";
pub(crate) const TOWNSHIP: &str = "511724103";

/// What a process left.
#[derive(Debug)]
pub(crate) struct Out {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Out {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }

    pub(crate) fn error(&self) -> Value {
        let value: Value = serde_json::from_str(&self.stderr)
            .unwrap_or_else(|error| panic!("{error}: {}", self.stderr));
        value["error"].clone()
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{}{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}{}", self.stdout, self.stderr);
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        self
    }
}

/// A folder of homes.
pub(crate) struct World {
    dir: TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wangge"));
        command
            .env_clear()
            .env("HOME", self.dir.path())
            .env("PATH", std::env::var_os("PATH").unwrap());
        command.stdin(Stdio::null());
        command
    }

    /// Runs a command that was put together elsewhere, and nothing of the machine's own settings reaches it.
    #[cfg(unix)]
    pub(crate) fn finish(&self, command: &mut Command) -> Out {
        command.env_clear().env("HOME", self.dir.path());
        finish(command)
    }

    pub(crate) fn run(&self, args: &[&str]) -> Out {
        finish(self.command().args(args))
    }

    /// Runs a command on a home.
    pub(crate) fn at(&self, home: &str, args: &[&str]) -> Out {
        finish(self.command().arg("--home").arg(self.path(home)).args(args))
    }

    /// Returns what was said at a home without the home in each command that was told.
    pub(crate) fn bare(&self, home: &str, said: &str) -> String {
        let home = self.path(home).display().to_string();
        said.replace(&format!(" --home {home}"), "")
    }

    /// Runs a command on a home with something on stdin.
    pub(crate) fn at_with(&self, home: &str, args: &[&str], stdin: &str) -> Out {
        let mut command = self.command();
        command.arg("--home").arg(self.path(home)).args(args);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(stdin.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        out(output)
    }

    /// Makes a home of a worker with one grid.
    pub(crate) fn home(&self, name: &str) {
        self.at(
            name,
            &["init", "--offline", "--name", "李梅", "--area", GRID],
        )
        .ok();
    }

    /// Makes a home with two households: 张建国 at 3-12 and 王小明 at 3-13.
    pub(crate) fn home_with_households(&self, name: &str) {
        self.home(name);
        self.at(
            name,
            &[
                "household",
                "add",
                "张建国",
                "--door",
                "3-12",
                "--phone",
                "13812345678",
            ],
        )
        .ok();
        self.at(name, &["household", "add", "王小明", "--door", "3-13"])
            .ok();
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    pub(crate) fn relay(&self) -> Relay {
        Relay::start(self, "127.0.0.1:0")
    }

    /// Makes a code for somebody.
    pub(crate) fn invite(&self, name: &str, role: &str, areas: &[&str]) -> String {
        let mut args = vec!["relay", "invite", "--name", name, "--role", role, "--json"];
        for area in areas {
            args.extend(["--area", area]);
        }
        self.at("relay", &args).ok().json()["code"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Enrols a home of this name.
    pub(crate) fn enroll(&self, relay: &Relay, name: &str, role: &str, areas: &[&str]) {
        let code = self.invite(name, role, areas);
        self.at(
            name,
            &["enroll", &code, "--relay", &relay.url(), "--name", name],
        )
        .ok();
    }
}

fn finish(command: &mut Command) -> Out {
    out(command.output().unwrap())
}

fn out(output: std::process::Output) -> Out {
    Out {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A relay process; it is killed when a test ends early.
pub(crate) struct Relay {
    pub(crate) address: String,
    /// Where it says that it is reached.
    pub(crate) said_url: String,
    child: Child,
}

impl Relay {
    pub(crate) fn start(world: &World, listen: &str) -> Self {
        let serve = ["relay", "serve", "--listen", listen, "--json"];
        Self::start_with(world, "relay", &serve)
    }

    /// Starts a relay in a folder of this name.
    pub(crate) fn start_with(world: &World, home: &str, serve: &[&str]) -> Self {
        let mut command = world.command();
        command.arg("--home").arg(world.path(home));
        command.args(serve).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        Self {
            address: said["listening"].as_str().unwrap().to_owned(),
            said_url: said["url"].as_str().unwrap().to_owned(),
            child,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sends a signal and returns how the process ended.
    pub(crate) fn end(mut self, signal: &str) -> Option<i32> {
        let id = self.child.id().to_string();
        Command::new("kill").args([signal, &id]).status().unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns a file of the project's fixtures.
pub(crate) fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures")
        .join(name);
    path.display().to_string()
}
