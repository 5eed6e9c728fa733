//! Settings of this home: `settings.json` beside the database.
//!
//! **Reading writes nothing**, and a file that does not read is left as it is: the command says where
//! it is and what is wrong, and nothing runs on guessed limits.

use std::io::ErrorKind;

use wangge_model::settings::BadSetting;
pub use wangge_model::settings::{SettingRow, Settings};

use crate::error::AgentError;
use crate::home::write_whole;
use crate::replica::Replica;

pub(crate) const FILE: &str = "settings.json";

impl Replica {
    /// Returns the settings; the usual ones where nothing was set.
    pub fn settings(&self) -> Result<Settings, AgentError> {
        let at = self.home.dir.join(FILE);
        match std::fs::read_to_string(&at) {
            Ok(text) => serde_json::from_str(&text).map_err(|error| AgentError::BadSettings {
                at,
                line: error.line(),
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Settings::default()),
            Err(_) => Err(AgentError::BadSettings { at, line: 0 }),
        }
    }

    /// Sets a setting to what was typed, whole or not at all, and returns it as it is now.
    pub fn set_setting(&mut self, key: &str, typed: &str) -> Result<SettingRow, AgentError> {
        let key = key.trim();
        let mut settings = self.settings()?;
        settings.set(key, typed).map_err(|bad| match bad {
            BadSetting::UnknownKey => AgentError::BadValue {
                field: "setting",
                value: key.to_owned(),
                expected: "a name that config show lists",
            },
            BadSetting::BadValue { field, expected } => AgentError::BadValue {
                field,
                value: typed.to_owned(),
                expected,
            },
        })?;
        let text = serde_json::to_string_pretty(&settings)
            .map_err(|error| AgentError::Internal(error.to_string()))?;
        write_whole(&self.home.dir.join(FILE), text.as_bytes())?;
        let named = Settings::canonical(key);
        let row = settings.rows().into_iter().find(|row| row.name == named);
        row.ok_or_else(|| AgentError::Internal("a setting without a row".into()))
    }
}
