//! Settings of a device's home: limits, care intervals, pauses, and the numbers people are told.
//!
//! **Every field has its usual value**, so a missing file and an empty one mean the same, and what a
//! newer program added is kept. Each setting has a key and a text, the same in the file's commands
//! and on the screen.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::care::{Care, Interval};
use crate::clock::{Limit, Span, day_start_ms};
use crate::phone::Phone;
use crate::report::Urgency;
use crate::text;

/// What a home is set to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Limits by urgency, `P0` to `P3`, where they are not the usual ones.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<String, LimitsSaid>,
    /// From how many percent of a limit a clock warns.
    pub warn_percent: u32,
    /// Intervals by care code, where they are not the usual ones.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub care: BTreeMap<String, Interval>,
    /// Above this age in years, somebody who lives alone is seen weekly.
    pub weekly_age: u16,
    /// Whether every household is visited once a quarter. Off: nobody is sent to locked houses.
    pub round_of_all: bool,
    /// Times in which the levels' clocks stand still, in an emergency.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<Pause>,
    /// The station's telephone, told to residents.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub station_phone: String,
    /// Where complaints about this service go.
    pub complaint_line: String,
    /// What a newer program wrote.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// The limits of an urgency, where they are not the usual ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LimitsSaid {
    /// Until a level accepts, or acts at P0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accept: Option<Limit>,
    /// Until it is done, or recorded at P0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done: Option<Limit>,
}

/// The limits of an urgency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Until a level accepts, or acts at P0.
    pub accept: Limit,
    /// Until it is done, or recorded at P0: the promise to the resident.
    pub done: Limit,
}

/// An emergency in which levels' clocks stand still; the promise to residents goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub until: NaiveDate,
    /// What happened.
    pub reason: String,
}

/// A setting as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettingRow {
    /// `limits.P1.accept`.
    pub name: String,
    /// What it is set to, as it is typed.
    pub value: String,
    /// Whether that is the usual value.
    pub usual: bool,
}

/// A setting was not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSetting {
    /// No setting has this key.
    #[error("there is no such setting")]
    UnknownKey,
    /// The value is not what the setting takes.
    #[error("{field} takes {expected}")]
    BadValue {
        /// What was to be set.
        field: &'static str,
        /// What it takes.
        expected: &'static str,
    },
}

/// Texts of a setting are a line.
const TEXT_CHARS_MAX: usize = 60;

const URGENCIES: [Urgency; 4] = [Urgency::P0, Urgency::P1, Urgency::P2, Urgency::P3];

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: BTreeMap::new(),
            warn_percent: 80,
            care: BTreeMap::new(),
            weekly_age: 80,
            round_of_all: false,
            pauses: Vec::new(),
            station_phone: String::new(),
            complaint_line: "12345".to_owned(),
            other: BTreeMap::new(),
        }
    }
}

impl Pause {
    /// Returns the time it lasts, both days whole.
    pub fn span(&self) -> Span {
        Span {
            from_ms: day_start_ms(self.from),
            until_ms: self.until.succ_opt().map_or(i64::MAX, day_start_ms),
        }
    }
}

impl std::fmt::Display for Pause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}..{} {}", self.from, self.until, self.reason)
    }
}

/// Returns the limits nobody changed: P0 act in 2 h and record in 24 h; P1 accept in 4 h and be done
/// in 1 working day; P2 1 and 5; P3 1 and 15 working days.
pub fn usual_limits(urgency: Urgency) -> Limits {
    let (accept, done) = match urgency {
        Urgency::P0 => (Limit::Hours(2), Limit::Hours(24)),
        Urgency::P1 => (Limit::Hours(4), Limit::WorkingDays(1)),
        Urgency::P2 => (Limit::WorkingDays(1), Limit::WorkingDays(5)),
        Urgency::P3 => (Limit::WorkingDays(1), Limit::WorkingDays(15)),
    };
    Limits { accept, done }
}

impl Settings {
    /// Returns the limits of an urgency.
    pub fn limits(&self, urgency: Urgency) -> Limits {
        let usual = usual_limits(urgency);
        let said = self.limits.get(urgency.code()).copied().unwrap_or_default();
        Limits {
            accept: said.accept.unwrap_or(usual.accept),
            done: said.done.unwrap_or(usual.done),
        }
    }

    /// Returns how often somebody with a tag is looked in on, where nothing else is agreed with them.
    pub fn interval(&self, care: Care, age: Option<u16>) -> Interval {
        let usual = || match care {
            Care::LivingAloneElder => match age.is_some_and(|age| age > self.weekly_age) {
                true => Interval::Weekly,
                false => Interval::Monthly,
            },
            other => other.default_interval(age),
        };
        self.care.get(care.code()).copied().unwrap_or_else(usual)
    }

    /// Returns the key as [`Settings::rows`] has it: `care.独居老人` is `care.living_alone_elder`,
    /// `limits.p1.done` is `limits.P1.done`.
    pub fn canonical(key: &str) -> String {
        match key.split('.').collect::<Vec<_>>().as_slice() {
            ["care", tag] => match Care::named(tag) {
                Some(care) => format!("care.{}", care.code()),
                None => key.to_owned(),
            },
            ["limits", urgency, which] => match Urgency::of(urgency) {
                Some(urgency) => format!("limits.{}.{which}", urgency.code()),
                None => key.to_owned(),
            },
            _ => key.to_owned(),
        }
    }

    /// Sets what a key names to what was typed; an empty text brings the usual value back.
    pub fn set(&mut self, key: &str, typed: &str) -> Result<(), BadSetting> {
        let typed = text::tidy(typed);
        let usual = Settings::default();
        match key.split('.').collect::<Vec<_>>().as_slice() {
            ["limits", urgency, which] => self.set_limit(urgency, which, &typed)?,
            ["care", tag] => self.set_care(tag, &typed)?,
            ["warn_percent"] => {
                let expected = ("warn_percent", "a number from 1 to 99");
                self.warn_percent = number(&typed, usual.warn_percent, 1..=99, expected)?;
            }
            ["weekly_age"] => {
                let expected = ("weekly_age", "an age from 50 to 120");
                let age = number(&typed, u32::from(usual.weekly_age), 50..=120, expected)?;
                self.weekly_age = age.try_into().unwrap_or(usual.weekly_age);
            }
            ["round_of_all"] => {
                self.round_of_all = switch(&typed).ok_or(BadSetting::BadValue {
                    field: "round_of_all",
                    expected: "on or off",
                })?;
            }
            ["pauses"] if typed.is_empty() => self.pauses.clear(),
            ["pauses"] => self.pauses.push(pause(&typed).ok_or(BadSetting::BadValue {
                field: "pauses",
                expected: "two days and a reason, like 2026-08-01..2026-08-05 flood",
            })?),
            ["station_phone"] if typed.is_empty() => self.station_phone.clear(),
            // It is printed on residents' slips: a number nobody can dial is worse than none.
            ["station_phone"] => match Phone::parse(&typed) {
                Ok(Some(_)) => self.station_phone = typed,
                _ => {
                    return Err(BadSetting::BadValue {
                        field: "phone",
                        expected: "11 digits beginning with 1, or a landline with its area code",
                    });
                }
            },
            ["complaint_line"] if typed.is_empty() => self.complaint_line = usual.complaint_line,
            ["complaint_line"] => self.complaint_line = line("complaint_line", &typed)?,
            _ => return Err(BadSetting::UnknownKey),
        }
        Ok(())
    }

    /// Returns every setting, in the order of the screen.
    pub fn rows(&self) -> Vec<SettingRow> {
        let usual = Settings::default();
        let mut rows: Vec<SettingRow> = Vec::new();
        let mut add = |name: String, value: String, usual: String| {
            let usual = value == usual;
            rows.push(SettingRow { name, value, usual });
        };
        for urgency in URGENCIES {
            let (limits, usual) = (self.limits(urgency), usual_limits(urgency));
            let code = urgency.code();
            for (which, limit, usual) in [
                ("accept", limits.accept, usual.accept),
                ("done", limits.done, usual.done),
            ] {
                let name = format!("limits.{code}.{which}");
                add(name, limit.to_string(), usual.to_string());
            }
        }
        let percent = (
            self.warn_percent.to_string(),
            usual.warn_percent.to_string(),
        );
        add("warn_percent".to_owned(), percent.0, percent.1);
        for care in Care::all() {
            let said = self.care.get(care.code());
            let value = said.map_or_else(String::new, |every| every.code().to_owned());
            add(format!("care.{}", care.code()), value, String::new());
        }
        let age = (self.weekly_age.to_string(), usual.weekly_age.to_string());
        add("weekly_age".to_owned(), age.0, age.1);
        let round = if self.round_of_all { "on" } else { "off" };
        add(
            "round_of_all".to_owned(),
            round.to_owned(),
            "off".to_owned(),
        );
        let pauses: Vec<String> = self.pauses.iter().map(Pause::to_string).collect();
        add("pauses".to_owned(), pauses.join("; "), String::new());
        add(
            "station_phone".to_owned(),
            self.station_phone.clone(),
            String::new(),
        );
        let line = self.complaint_line.clone();
        add("complaint_line".to_owned(), line, usual.complaint_line);
        rows
    }

    fn set_limit(&mut self, urgency: &str, which: &str, typed: &str) -> Result<(), BadSetting> {
        let urgency = Urgency::of(urgency).ok_or(BadSetting::UnknownKey)?;
        let limit = match typed {
            "" => None,
            typed => Some(typed.parse().map_err(|_| BadSetting::BadValue {
                field: "limit",
                expected: "hours like 4h or working days like 5d",
            })?),
        };
        let said = self.limits.entry(urgency.code().to_owned()).or_default();
        match which {
            "accept" => said.accept = limit,
            "done" => said.done = limit,
            _ => return Err(BadSetting::UnknownKey),
        }
        Ok(())
    }

    fn set_care(&mut self, tag: &str, typed: &str) -> Result<(), BadSetting> {
        let care = Care::named(tag).ok_or(BadSetting::UnknownKey)?;
        if typed.is_empty() {
            self.care.remove(care.code());
            return Ok(());
        }
        let every = Interval::of(typed).ok_or(BadSetting::BadValue {
            field: "interval",
            expected: "weekly, monthly, quarterly or off",
        })?;
        self.care.insert(care.code().to_owned(), every);
        Ok(())
    }
}

fn number(
    typed: &str,
    usual: u32,
    range: std::ops::RangeInclusive<u32>,
    (field, expected): (&'static str, &'static str),
) -> Result<u32, BadSetting> {
    match typed {
        "" => Ok(usual),
        typed => text::half_width(typed)
            .trim_end_matches('%')
            .parse()
            .ok()
            .filter(|number| range.contains(number))
            .ok_or(BadSetting::BadValue { field, expected }),
    }
}

fn switch(typed: &str) -> Option<bool> {
    match typed {
        "on" | "true" | "开" | "是" => Some(true),
        "" | "off" | "false" | "关" | "否" => Some(false),
        _ => None,
    }
}

fn line(field: &'static str, typed: &str) -> Result<String, BadSetting> {
    if typed.chars().count() > TEXT_CHARS_MAX {
        let expected = "at most 60 characters";
        return Err(BadSetting::BadValue { field, expected });
    }
    Ok(typed.to_owned())
}

fn pause(typed: &str) -> Option<Pause> {
    let (days, reason) = typed.split_once(' ')?;
    let days = text::half_width(days);
    let (from, until) = days.split_once("..")?;
    let pause = Pause {
        from: from.parse().ok()?,
        until: until.parse().ok()?,
        reason: reason.trim().to_owned(),
    };
    let fits = pause.from <= pause.until && !pause.reason.is_empty();
    fits.then_some(pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_the_usual_settings_and_what_is_unknown_survives() {
        let empty: Settings = serde_json::from_str("{}").unwrap();
        assert_eq!(empty, Settings::default());
        let newer = r#"{"limits":{"P1":{"accept":"8h","sleep":3}},"moon":{"phase":2}}"#;
        let mut settings: Settings = serde_json::from_str(newer).unwrap();
        assert_eq!(settings.limits(Urgency::P1).accept, Limit::Hours(8));
        assert_eq!(settings.limits(Urgency::P1).done, Limit::WorkingDays(1));
        settings.set("warn_percent", "70").unwrap();
        let text = serde_json::to_string(&settings).unwrap();
        assert!(text.contains(r#""moon":{"phase":2}"#), "{text}");
        let again: Settings = serde_json::from_str(&text).unwrap();
        assert_eq!(again, settings);
    }

    #[test]
    fn every_setting_shown_can_be_set_to_what_it_shows_and_back_to_its_usual_value() {
        let mut settings = Settings::default();
        for (key, typed) in [
            ("limits.P1.accept", "6小时"),
            ("limits.P3.done", "20d"),
            ("warn_percent", "75%"),
            ("care.独居老人", "每周"),
            ("care.grave_illness", "off"),
            ("weekly_age", "75"),
            ("round_of_all", "开"),
            ("pauses", "2026-08-01..2026-08-05 防汛应急响应"),
            ("station_phone", "0818-6123456"),
            ("complaint_line", "0818-12345"),
        ] {
            settings.set(key, typed).unwrap();
        }
        let mut copy = Settings::default();
        for row in settings.rows() {
            copy.set(&row.name, &row.value).unwrap();
        }
        assert_eq!(copy.rows(), settings.rows());
        for row in settings.rows() {
            settings.set(&row.name, "").unwrap();
        }
        assert!(settings.rows().iter().all(|row| row.usual));
    }

    #[test]
    fn what_a_setting_does_not_take_changes_nothing() {
        let mut settings = Settings::default();
        for (key, typed) in [
            ("moon", "full"),
            ("limits.P9.accept", "4h"),
            ("limits.P1.accept", "soon"),
            ("limits.P1.middle", "4h"),
            ("warn_percent", "100"),
            ("care.重点人员", "weekly"),
            ("care.低保", "yearly"),
            ("pauses", "2026-08-05..2026-08-01 洪水"),
            ("pauses", "2026-08-01..2026-08-05"),
        ] {
            assert!(settings.set(key, typed).is_err(), "{key} {typed}");
        }
        assert!(settings.rows().iter().all(|row| row.usual));
    }

    #[test]
    fn an_interval_follows_the_setting_then_the_age() {
        let mut settings = Settings::default();
        let alone = Care::LivingAloneElder;
        assert_eq!(settings.interval(alone, Some(81)), Interval::Weekly);
        assert_eq!(settings.interval(alone, Some(80)), Interval::Monthly);
        settings.set("weekly_age", "75").unwrap();
        assert_eq!(settings.interval(alone, Some(80)), Interval::Weekly);
        settings
            .set("care.living_alone_elder", "quarterly")
            .unwrap();
        assert_eq!(settings.interval(alone, Some(99)), Interval::Quarterly);
        assert_eq!(
            settings.interval(Care::GraveIllness, None),
            Interval::Weekly
        );
    }
}
