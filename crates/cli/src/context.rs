//! What every command is given: how to show, and which home.

use std::ffi::OsString;
use std::future::Future;
use std::path::PathBuf;

use wangge_agent::{AgentError, Machine, Replica, WordKind};
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::ui::Ui;
use crate::words::Words;

/// How many rows a list shows when nobody limits it: all.
pub(crate) const ALL: usize = i32::MAX as usize;

/// What every command is given.
pub(crate) struct Context {
    /// Where results go.
    pub(crate) ui: Ui,
    /// The folder that was named; none for the usual one.
    named_home: Option<PathBuf>,
    /// The command line, to name the command when it fails.
    args: Vec<OsString>,
    /// Whether notes are saved although something in them was pointed out.
    pub(crate) keep_note: bool,
    /// The file that hands in the word of the home.
    pub(crate) pin_file: Option<String>,
    /// Whose home of this device.
    pub(crate) profile: Option<String>,
}

impl Context {
    /// Returns the context of this run.
    pub(crate) fn new(ui: Ui, named_home: Option<PathBuf>, args: &[OsString]) -> Self {
        Self {
            ui,
            named_home,
            args: args.to_owned(),
            keep_note: false,
            pin_file: None,
            profile: None,
        }
    }

    /// Returns the command that shows the help of the one that was typed.
    pub(crate) fn help_command(&self) -> String {
        format!(
            "wangge help {}",
            crate::localize::path_in(&self.args).join(" ")
        )
        .trim_end()
        .to_owned()
    }

    /// Says whether the command of this name is the one that was typed.
    pub(crate) fn is_typed(&self, name: &[&str]) -> bool {
        crate::localize::path_in(&self.args) == name
    }

    /// Returns the command of this name if it is the one that was typed, else the usual one.
    pub(crate) fn command_or(&self, usual: &str, name: &[&str]) -> String {
        match self.is_typed(name) {
            true => format!("wangge {}", name.join(" ")),
            false => usual.to_owned(),
        }
    }

    /// Returns a command with what was typed filled in for `ID` and the like, or the list to choose from:
    /// a command that is told runs as it is told.
    pub(crate) fn filled(&self, command: &str) -> String {
        let mut words: Vec<String> = command.split(' ').map(str::to_owned).collect();
        let group = words.get(1).cloned().unwrap_or_default();
        for word in &mut words {
            let known = match word.as_str() {
                "ID" | "HOUSEHOLD" => self.named(&group),
                "MEMBER" => crate::localize::value_in(&self.args, "member"),
                _ => continue,
            };
            match known {
                Some(known) => *word = crate::ui::quoted(&known),
                None => return format!("wangge {group} list"),
            }
        }
        words.join(" ")
    }

    /// Returns what names a household, a ticket or an item of the inbox in the command that was typed.
    fn named(&self, group: &str) -> Option<String> {
        let value = |id| crate::localize::value_in(&self.args, id);
        let path = crate::localize::path_in(&self.args);
        let of_group = path.first().is_some_and(|first| first == group);
        match path.first().map(String::as_str) {
            Some("call") => value("name"),
            _ => value("household").or_else(|| of_group.then(|| value("id")).flatten()),
        }
    }

    /// Returns the command as it was typed, to be typed again with more.
    pub(crate) fn typed_command(&self) -> String {
        let words: Vec<String> = self
            .args
            .iter()
            .skip(1)
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        format!("wangge {}", words.join(" "))
    }

    /// Returns where the language of this run comes from.
    pub(crate) fn lang_origin(&self) -> &'static str {
        crate::text::Lang::origin(&self.args, |name| std::env::var(name).ok())
    }

    /// Returns the device's home: the named one, or the platform's data folder.
    pub(crate) fn home(&self) -> Result<PathBuf, Failure> {
        match (&self.named_home, &self.profile) {
            // Who says a name means it, whatever the environment says.
            (_, Some(name)) => {
                let data = data_folder().ok_or(Failure::NoFolder)?;
                Ok(wangge_agent::profiles::home_of(&data, name)?)
            }
            (Some(dir), None) => Ok(dir.clone()),
            (None, None) => data_folder().ok_or(Failure::NoFolder),
        }
    }

    /// Returns a relay's folder: the named one, or one beside the device's.
    pub(crate) fn relay_home(&self) -> Result<PathBuf, Failure> {
        match &self.named_home {
            Some(dir) => Ok(dir.clone()),
            None => data_folder()
                .map(|dir| dir.join("relay"))
                .ok_or(Failure::NoFolder),
        }
    }

    /// Says whether there is a home to work in, or was one until its device was revoked.
    pub(crate) fn has_home(&self) -> bool {
        let marks = ["profile.json", wangge_agent::purge::MARK];
        self.home()
            .is_ok_and(|dir| marks.iter().any(|mark| dir.join(mark).exists()))
    }

    /// Says whether a home was named on the command line or in the environment.
    pub(crate) fn is_home_named(&self) -> bool {
        self.named_home.is_some()
    }

    /// Opens the device's home for a command that shows what is in it; refused where the lease ended, or the
    /// device was revoked.
    pub(crate) fn open(&self) -> Result<Replica, Failure> {
        let replica = self.open_unread()?;
        replica.may_read()?;
        Ok(replica)
    }

    /// Opens the device's home for a command that shows nothing of anybody but what was typed, or asks
    /// [`Replica::reads`] before it does: recording never stops.
    ///
    /// A database that was found damaged ends the command: what it holds now is not what the person expects.
    pub(crate) fn open_unread(&self) -> Result<Replica, Failure> {
        self.open_by(self.machine())
    }

    /// Opens the device's home as [`Context::open`] does, for who knows its word: an unlocked home does not
    /// tell who sits before it.
    pub(crate) fn open_asking(&self) -> Result<Replica, Failure> {
        self.open_by(self.machine_asking())
    }

    /// Returns the machine of this run, which asks for words where a home needs one.
    pub(crate) fn machine(&self) -> Machine {
        Machine {
            opener: self.words().opener(true),
            ..Machine::alone()
        }
    }

    /// Returns a machine that asks for the word though somebody holds the key.
    pub(crate) fn machine_asking(&self) -> Machine {
        Machine {
            opener: self.words().opener(false),
            ..Machine::alone()
        }
    }

    fn words(&self) -> Words {
        Words {
            lang: self.ui.lang,
            file: self.pin_file.clone(),
        }
    }

    /// Returns the word that was handed in by a file or the environment.
    pub(crate) fn handed_word(&self) -> Result<Option<Zeroizing<String>>, Failure> {
        Ok(self.words().handed()?)
    }

    /// Returns the word in a file.
    pub(crate) fn word_in(&self, file: &str) -> Result<Zeroizing<String>, Failure> {
        Ok(Words::read(file)?)
    }

    /// Asks for a new word at the terminal; none where there is none, or nothing was typed.
    pub(crate) fn new_word(&self, kind: WordKind) -> Result<Option<Zeroizing<String>>, Failure> {
        Ok(self.words().new_word(kind)?)
    }

    /// Asks for a secret at the terminal; none where there is none.
    pub(crate) fn secret(&self, prompt: &str) -> Result<Option<Zeroizing<String>>, Failure> {
        Ok(self.words().asked(prompt)?)
    }

    fn open_by(&self, machine: Machine) -> Result<Replica, Failure> {
        self.found(Replica::open(&self.home()?, machine)?)
    }

    /// Tells what was found as a home was opened: where its database is another one than the person left, the
    /// command ends.
    pub(crate) fn found(&self, mut replica: Replica) -> Result<Replica, Failure> {
        replica.keep_notes(self.keep_note);
        if let Some(aside) = replica.set_aside() {
            let aside = aside.to_owned();
            return Err(AgentError::Damaged { aside }.into());
        }
        if replica.is_lost() {
            let at = replica.dir().to_owned();
            return Err(AgentError::Lost { at }.into());
        }
        if replica.is_copied() {
            self.ui.talk(self.ui.lang.home_copied());
        }
        Ok(replica)
    }

    /// Tells the person that the clock is wrong under which something was just saved.
    pub(crate) fn warn_clock(&self, replica: &Replica) {
        if let Some(flag) = replica.wrong_clock() {
            let now = crate::moment::exact(replica.now_ms());
            let what = self.ui.lang.code("clock", flag.as_str());
            self.ui.talk(&self.ui.lang.clock_wrong(what, &now));
        }
    }
}

/// Runs a future on a runtime of this thread, made only by commands that need one.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Agent(error.into()))?;
    Ok(runtime.block_on(work))
}

/// Returns the platform's data folder for this program.
pub(crate) fn data_folder() -> Option<PathBuf> {
    let env = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    env("XDG_DATA_HOME")
        .filter(|dir| dir.is_absolute())
        .or_else(|| env("LOCALAPPDATA"))
        .or_else(|| Some(env("HOME")?.join(".local").join("share")))
        .map(|dir| dir.join("wangge"))
}
