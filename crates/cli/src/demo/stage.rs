//! Where the demo plays: a folder, a relay in its own process, and homes.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use wangge_agent::import::ImportReport;
use wangge_agent::{AgentError, Machine, Replica, SyncReport};
use wangge_relay::{AreaCode, LevelForm, NewInvitation, Role, Settings};

use crate::context::{Context, block_on};
use crate::failure::Failure;
use crate::text::demo as words;

/// The roster travels in the program: the demo runs from any folder.
const ROSTER: &[u8] = include_bytes!("../../../../fixtures/roster-a.xlsx");
const ROSTER_NAME: &str = "roster-a.xlsx";

/// The folder everything is in; one that nobody keeps is removed at the end.
pub(super) struct Folder {
    path: PathBuf,
    kept: bool,
}

impl Folder {
    /// Makes the folder: the one to keep, or one of this run only.
    pub(super) fn make(keep: Option<&Path>) -> Result<Self, Failure> {
        let own = || std::env::temp_dir().join(format!("wangge-demo-{}", std::process::id()));
        let path = keep.map_or_else(own, Path::to_owned);
        std::fs::create_dir_all(&path).map_err(|error| Failure::Unreadable {
            path: path.display().to_string(),
            reason: error.to_string(),
        })?;
        Ok(Self {
            path,
            kept: keep.is_some(),
        })
    }

    fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.kept {
            // What cannot be removed is the system's to clean: it lies among temporary files.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// A relay in a process of its own.
pub(super) struct Relay {
    /// `127.0.0.1:41234`, the same after a stop.
    pub(super) address: String,
    child: Option<Child>,
}

impl Relay {
    /// Starts a relay on a free port.
    pub(super) fn start(context: &Context, folder: &Folder) -> Result<Self, Failure> {
        let mut relay = Self {
            address: "127.0.0.1:0".to_owned(),
            child: None,
        };
        relay.start_again(context, folder)?;
        Ok(relay)
    }

    /// Starts it again, on the port it had.
    pub(super) fn start_again(
        &mut self,
        context: &Context,
        folder: &Folder,
    ) -> Result<(), Failure> {
        let cannot = |error: std::io::Error| Failure::CannotListen {
            address: self.address.clone(),
            reason: error.to_string(),
        };
        let lang = context.ui.lang.pick("zh", "en");
        let mut child = Command::new(std::env::current_exe().map_err(cannot)?)
            .args([
                "relay",
                "serve",
                "--json",
                "--until-stdin-ends",
                "--level",
                "township",
            ])
            .args([
                "--lang",
                lang,
                "--listen",
                &self.address,
                "--name",
                words::RELAY,
                "--home",
            ])
            .arg(folder.join("relay"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(cannot)?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout)
                .read_line(&mut line)
                .map_err(cannot)?;
        }
        self.child = Some(child);
        let said: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
        match said.get("listening").and_then(|address| address.as_str()) {
            Some(address) => {
                self.address = address.to_owned();
                Ok(())
            }
            None => Err(Failure::Demo {
                what: context.ui.lang.demo_no_relay().to_owned(),
            }),
        }
    }

    /// Tells it to stop and waits until it has.
    pub(super) fn stop(&mut self) -> Result<(), Failure> {
        if let Some(mut child) = self.child.take() {
            drop(child.stdin.take());
            child.wait().map_err(|error| Failure::Agent(error.into()))?;
        }
        Ok(())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // A demo that failed leaves no relay behind: the end of its stdin stops it.
        let _ = self.stop();
    }
}

/// A home with its person.
pub(super) struct Device {
    /// The person.
    pub(super) name: String,
    /// The home.
    pub(super) replica: Replica,
}

impl Device {
    /// Makes a home and enrols it by an invitation.
    pub(super) fn enroll(
        folder: &Folder,
        relay: &Relay,
        name: &str,
        role: Role,
        areas: &[&str],
    ) -> Result<Self, Failure> {
        let settings = Settings::new(words::RELAY, LevelForm::Township);
        let operator = wangge_relay::Relay::open(&folder.join("relay"), &settings)?;
        let areas = areas
            .iter()
            .map(|area| area_code(area))
            .collect::<Result<Vec<_>, _>>()?;
        let new = NewInvitation {
            name: name.to_owned(),
            role,
            areas,
        };
        let code = operator.invite(&new, settings.clock.now_ms())?.shown();
        let home = folder.join(name);
        let mut replica = Replica::init(&home, name, Vec::new(), Machine::default())?;
        let url = format!("http://{}", relay.address);
        block_on(replica.enroll(&code, &url, name, None))??;
        Ok(Self {
            name: name.to_owned(),
            replica,
        })
    }

    /// Syncs once.
    pub(super) fn sync(&mut self) -> Result<SyncReport, Failure> {
        Ok(block_on(self.replica.sync())??)
    }
}

/// Imports the roster at a device.
pub(super) fn import(
    folder: &Folder,
    device: &mut Device,
    grid: &str,
) -> Result<ImportReport, Failure> {
    let path = folder.join(ROSTER_NAME);
    std::fs::write(&path, ROSTER).map_err(|error| Failure::Agent(error.into()))?;
    Ok(device
        .replica
        .import_roster(&path, &area_code(grid)?, false)?)
}

/// Returns an area of the demo.
pub(super) fn area_code(code: &str) -> Result<AreaCode, Failure> {
    AreaCode::parse(code).map_err(|_| {
        Failure::Agent(AgentError::NotYourArea {
            area: code.to_owned(),
        })
    })
}
