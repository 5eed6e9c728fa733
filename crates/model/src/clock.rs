//! Clocks 时限: days and working days in China, when something is due, and how pressing it is.
//!
//! A working day counts from midnight to midnight, so n working days later is the same time of day n
//! working days later; what comes in on a day off counts from the next working day and is due at the
//! end of the nth. How far a clock has run is measured in the limit's own unit: a weekend brings no
//! ticket nearer to yellow.
//!
//! **Nothing here reads a clock**: now is always an argument, and no order ever follows from it.

mod flag;
mod ticket;

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::tables;

pub use flag::{BACK_MS, CLOCK_AHEAD_MS, ClockFlag, EARLIEST_MS, flag};
pub use ticket::{TicketClock, Warning, ticket_clock};

/// Milliseconds of a day.
pub const DAY_MS: i64 = 24 * HOUR_MS;
/// Milliseconds of an hour.
pub const HOUR_MS: i64 = 60 * 60 * 1000;
/// How far China is ahead of UTC; it has no other zone and no summer time.
const CHINA_MS: i64 = 8 * HOUR_MS;
/// 2200-01-01: no clock that runs is past it, and no sum over days is longer than to here.
const LATEST_MS: i64 = 7_258_118_400_000;

/// How long something may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Limit {
    /// So many hours, whatever day it is; written `2h`.
    Hours(u32),
    /// So many working days; written `5d`.
    WorkingDays(u32),
}

/// What a limit is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Every hour counts.
    Hours,
    /// Only hours of working days count.
    WorkingDays,
}

/// When something is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Milliseconds since 1970.
    pub at_ms: i64,
    /// The first year on the way whose holidays are not known: there it is Monday to Friday.
    pub missing_year: Option<i32>,
}

/// A time in which a clock stands still; the end does not belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Milliseconds since 1970.
    pub from_ms: i64,
    /// Milliseconds since 1970.
    pub until_ms: i64,
}

/// How pressing something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Light {
    /// There is time.
    Green,
    /// 预警: most of the time is gone.
    Warn,
    /// 黄: the time is over.
    Yellow,
    /// 红: twice the time is over.
    Red,
}

/// A clock that runs, read at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Lamp {
    /// How pressing it is.
    pub light: Light,
    /// When it began, milliseconds since 1970.
    pub from_ms: i64,
    /// When it is over, after all pauses so far.
    pub due_ms: i64,
    /// How much of the time is gone; 100 is due.
    pub percent: i64,
    /// What is left, in time of `unit`; below zero is overdue.
    pub remaining_ms: i64,
    /// What is counted.
    pub unit: Unit,
    /// Whether it stands still now.
    pub paused: bool,
    /// When it was stopped for good, because what it waits for happened.
    pub stopped_ms: Option<i64>,
}

/// A text that is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a limit is hours like 4h or working days like 5d")]
pub struct BadLimit;

impl Limit {
    /// Returns what it is counted in.
    pub fn unit(self) -> Unit {
        match self {
            Limit::Hours(_) => Unit::Hours,
            Limit::WorkingDays(_) => Unit::WorkingDays,
        }
    }

    /// Returns how long it is, in time of its unit.
    pub fn length_ms(self) -> i64 {
        match self {
            Limit::Hours(hours) => i64::from(hours) * HOUR_MS,
            Limit::WorkingDays(days) => i64::from(days) * DAY_MS,
        }
    }
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Limit::Hours(hours) => write!(f, "{hours}h"),
            Limit::WorkingDays(days) => write!(f, "{days}d"),
        }
    }
}

impl std::str::FromStr for Limit {
    type Err = BadLimit;

    fn from_str(typed: &str) -> Result<Self, BadLimit> {
        let typed = crate::text::compact(typed);
        let number = |end: &str| typed.strip_suffix(end)?.parse::<u32>().ok();
        let hours = ["h", "小时"].into_iter().find_map(number);
        let days = || ["d", "个工作日", "工作日"].into_iter().find_map(number);
        // Longer than a year is a slip of the hand.
        match (hours, days()) {
            (Some(hours @ 1..=8_760), _) => Ok(Limit::Hours(hours)),
            (None, Some(days @ 1..=250)) => Ok(Limit::WorkingDays(days)),
            _ => Err(BadLimit),
        }
    }
}

impl TryFrom<String> for Limit {
    type Error = BadLimit;

    fn try_from(text: String) -> Result<Self, BadLimit> {
        text.parse()
    }
}

impl From<Limit> for String {
    fn from(limit: Limit) -> Self {
        limit.to_string()
    }
}

impl Unit {
    /// Returns how much time of this unit lies between two moments; none if they are the wrong way
    /// round.
    pub fn between(self, from_ms: i64, to_ms: i64) -> i64 {
        let (from, to) = (sane(from_ms), sane(to_ms));
        match self {
            Unit::Hours => (to - from).max(0),
            Unit::WorkingDays => days(from)
                .take_while(|(_, start)| *start < to)
                .filter(|(day, _)| tables::is_working_day(*day))
                .map(|(_, start)| (to.min(start + DAY_MS) - from.max(start)).max(0))
                .sum(),
        }
    }

    /// Returns the moment that lies so much time of this unit after another.
    pub fn after(self, from_ms: i64, length_ms: i64) -> i64 {
        let from = sane(from_ms);
        match self {
            Unit::Hours => sane(from.saturating_add(length_ms)),
            Unit::WorkingDays => {
                let mut left = length_ms;
                for (_, start) in days(from).filter(|(day, _)| tables::is_working_day(*day)) {
                    let begin = from.max(start);
                    let room = start + DAY_MS - begin;
                    if left <= room {
                        return begin + left;
                    }
                    left -= room;
                }
                LATEST_MS
            }
        }
    }
}

/// Returns the day in China at a moment.
pub fn china_day(ms: i64) -> NaiveDate {
    let zone = FixedOffset::east_opt((CHINA_MS / 1000) as i32);
    let moment = DateTime::from_timestamp_millis(ms).unwrap_or_default();
    zone.map_or(moment.date_naive(), |zone| {
        moment.with_timezone(&zone).date_naive()
    })
}

/// Returns the moment a day begins in China, milliseconds since 1970.
pub fn day_start_ms(day: NaiveDate) -> i64 {
    day.and_time(chrono::NaiveTime::MIN)
        .and_utc()
        .timestamp_millis()
        - CHINA_MS
}

/// Returns the day that lies so many working days after another.
pub fn working_day_after(day: NaiveDate, count: u32) -> NaiveDate {
    let working = day
        .iter_days()
        .skip(1)
        .filter(|day| tables::is_working_day(*day));
    working.take(count as usize).last().unwrap_or(day)
}

/// Returns the first year between two days whose holidays are not in the table.
pub fn missing_year(from: NaiveDate, to: NaiveDate) -> Option<i32> {
    (from.year()..=to.year()).find(|year| !tables::has_year(*year))
}

/// Returns when something that began at a moment is due.
pub fn due(limit: Limit, from_ms: i64) -> Due {
    let mut at_ms = limit.unit().after(from_ms, limit.length_ms());
    let missing_year = match limit.unit() {
        Unit::Hours => None,
        Unit::WorkingDays => {
            // The last moment of a day, not the first of the next: people read the day.
            if (at_ms + CHINA_MS) % DAY_MS == 0 {
                at_ms -= 1;
            }
            missing_year(china_day(from_ms), china_day(at_ms))
        }
    };
    Due {
        at_ms,
        missing_year,
    }
}

/// Returns a clock as it stands at a moment.
///
/// It began at `from_ms` and is due at `due_ms` if nothing pauses it; in the `pauses` it stands still.
/// From `warn_percent` on it warns.
pub fn lamp(
    unit: Unit,
    (from_ms, due_ms): (i64, i64),
    pauses: &[Span],
    now_ms: i64,
    warn_percent: u32,
) -> Lamp {
    let pauses = united(pauses);
    let paused_in = |from: i64, to: i64| -> i64 {
        pauses
            .iter()
            .map(|span| unit.between(span.from_ms.max(from), span.until_ms.min(to)))
            .sum()
    };
    // A pause that begins after the time was over no longer moves it.
    let mut moved = due_ms;
    for span in pauses.iter().filter(|span| span.until_ms > from_ms) {
        if span.from_ms >= moved {
            break;
        }
        let so_far = span.until_ms.min(now_ms.max(span.from_ms));
        moved = unit.after(moved, unit.between(span.from_ms.max(from_ms), so_far));
    }
    let total = unit.between(from_ms, due_ms).max(1);
    let gone = unit.between(from_ms, now_ms) - paused_in(from_ms, now_ms);
    let percent = i64::try_from(i128::from(gone) * 100 / i128::from(total)).unwrap_or(i64::MAX);
    Lamp {
        light: light(percent, warn_percent),
        from_ms,
        due_ms: moved,
        percent,
        remaining_ms: total - gone,
        unit,
        paused: pauses
            .iter()
            .any(|span| span.from_ms <= now_ms && now_ms < span.until_ms),
        stopped_ms: None,
    }
}

/// Returns the light of a clock that has run so many percent of its time.
pub fn light(percent: i64, warn_percent: u32) -> Light {
    match percent {
        200.. => Light::Red,
        100.. => Light::Yellow,
        percent if percent >= i64::from(warn_percent) => Light::Warn,
        _ => Light::Green,
    }
}

impl Light {
    /// Returns the light as commands and JSON name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Light::Green => "green",
            Light::Warn => "warn",
            Light::Yellow => "yellow",
            Light::Red => "red",
        }
    }
}

/// Returns the spans in order, with those that touch made one.
fn united(spans: &[Span]) -> Vec<Span> {
    let mut sorted: Vec<Span> = spans.to_vec();
    sorted.sort_unstable();
    let mut united: Vec<Span> = Vec::new();
    for span in sorted {
        match united.last_mut() {
            Some(last) if span.from_ms <= last.until_ms => {
                last.until_ms = last.until_ms.max(span.until_ms);
            }
            _ => united.push(span),
        }
    }
    united
}

/// Returns the days from a moment on, each with its first millisecond, to the end of sane time.
fn days(from_ms: i64) -> impl Iterator<Item = (NaiveDate, i64)> {
    china_day(from_ms)
        .iter_days()
        .map(|day| (day, day_start_ms(day)))
        .take_while(|(_, start)| *start < LATEST_MS)
}

/// A clock may say anything; sums stay within what a sane one says.
fn sane(ms: i64) -> i64 {
    ms.clamp(0, LATEST_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(&format!("{text}:00+08:00"))
            .unwrap()
            .timestamp_millis()
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_begins_at_midnight_in_china() {
        let before = DateTime::parse_from_rfc3339("2026-12-31T15:59:59Z").unwrap();
        let before = before.timestamp_millis();
        assert_eq!(china_day(before), day("2026-12-31"));
        assert_eq!(china_day(before + 1000), day("2027-01-01"));
        assert_eq!(day_start_ms(day("2027-01-01")), before + 1000);
    }

    #[test]
    fn working_days_skip_weekends_and_holidays_and_take_the_worked_saturday() {
        for (from, days, until) in [
            ("2026-11-23T15:00", 1, "2026-11-24T15:00"),
            ("2026-11-20T15:00", 1, "2026-11-23T15:00"),
            // National day: 1 to 7 October are off, Saturday the 10th is worked.
            ("2026-09-30T09:00", 1, "2026-10-08T09:00"),
            ("2026-09-30T09:00", 3, "2026-10-10T09:00"),
            ("2026-09-30T09:00", 4, "2026-10-12T09:00"),
        ] {
            let due = due(Limit::WorkingDays(days), at(from));
            assert_eq!(due.at_ms, at(until), "{from} {days}");
            assert_eq!(due.missing_year, None);
        }
    }

    #[test]
    fn what_comes_in_on_a_day_off_is_due_at_the_end_of_the_nth_working_day() {
        let due = due(Limit::WorkingDays(1), at("2026-11-21T10:00"));
        assert_eq!(due.at_ms, at("2026-11-24T00:00") - 1);
        assert_eq!(china_day(due.at_ms), day("2026-11-23"));
    }

    #[test]
    fn hours_run_through_the_night_and_the_weekend() {
        let due = due(Limit::Hours(24), at("2026-11-20T20:00"));
        assert_eq!(due.at_ms, at("2026-11-21T20:00"));
    }

    #[test]
    fn a_year_without_a_table_is_monday_to_friday_and_says_so() {
        let due = due(Limit::WorkingDays(3), at("2026-12-30T09:00"));
        assert_eq!(due.missing_year, Some(2027));
        assert_eq!(
            due.at_ms,
            at("2027-01-04T09:00"),
            "Friday 1 January 2027 is a Friday to this program"
        );
        assert_eq!(
            missing_year(day("2023-12-31"), day("2024-01-02")),
            Some(2023)
        );
        assert_eq!(missing_year(day("2024-01-02"), day("2026-01-02")), None);
    }

    #[test]
    fn the_light_warns_at_80_is_yellow_at_100_and_red_at_200_percent_of_working_time() {
        let from = at("2026-11-16T09:00");
        let until = due(Limit::WorkingDays(5), from).at_ms;
        assert_eq!(until, at("2026-11-23T09:00"));
        let light = |now: &str| {
            let clock = (from, until);
            lamp(Unit::WorkingDays, clock, &[], at(now), 80).light
        };
        assert_eq!(light("2026-11-20T08:59"), Light::Green);
        assert_eq!(light("2026-11-20T09:00"), Light::Warn);
        assert_eq!(
            light("2026-11-22T23:00"),
            Light::Warn,
            "a Sunday moves nothing"
        );
        assert_eq!(light("2026-11-23T08:59"), Light::Warn);
        assert_eq!(light("2026-11-23T09:00"), Light::Yellow);
        assert_eq!(light("2026-11-30T08:59"), Light::Yellow);
        assert_eq!(light("2026-11-30T09:00"), Light::Red);
    }

    #[test]
    fn a_pause_moves_the_time_by_as_much_as_it_lasted() {
        let clock = (at("2026-11-16T09:00"), at("2026-11-18T09:00"));
        let pause = Span {
            from_ms: at("2026-11-17T09:00"),
            until_ms: at("2026-11-19T09:00"),
        };
        let read = |now: &str| lamp(Unit::WorkingDays, clock, &[pause, pause], at(now), 80);
        let inside = read("2026-11-18T09:00");
        assert!(inside.paused);
        assert_eq!((inside.percent, inside.light), (50, Light::Green));
        assert_eq!(inside.due_ms, at("2026-11-19T09:00"), "as far as it lasted");
        let after = read("2026-11-20T08:00");
        assert_eq!(
            (after.due_ms, after.paused),
            (at("2026-11-20T09:00"), false)
        );
        assert_eq!(after.remaining_ms, HOUR_MS);
        assert_eq!(read("2026-11-20T09:00").light, Light::Yellow);
    }

    #[test]
    fn a_pause_after_the_time_was_over_rescues_nothing() {
        let clock = (at("2026-11-16T09:00"), at("2026-11-17T09:00"));
        let pause = Span {
            from_ms: at("2026-11-18T09:00"),
            until_ms: at("2026-11-30T09:00"),
        };
        let read = lamp(
            Unit::WorkingDays,
            clock,
            &[pause],
            at("2026-11-20T09:00"),
            80,
        );
        assert_eq!((read.due_ms, read.light), (clock.1, Light::Red));
    }

    #[test]
    fn a_limit_is_typed_in_either_language_and_reads_back() {
        for (typed, limit) in [
            ("4h", Limit::Hours(4)),
            ("２４小时", Limit::Hours(24)),
            ("5d", Limit::WorkingDays(5)),
            ("5 个工作日", Limit::WorkingDays(5)),
        ] {
            assert_eq!(typed.parse(), Ok(limit), "{typed}");
            assert_eq!(limit.to_string().parse(), Ok(limit));
        }
        for typed in ["", "0d", "5", "-1h", "9999d", "五天"] {
            assert_eq!(typed.parse::<Limit>(), Err(BadLimit), "{typed}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn no_clock_however_wrong_breaks_a_sum(from in any::<i64>(), to in any::<i64>(), days in 1u32..250) {
            for unit in [Unit::Hours, Unit::WorkingDays] {
                prop_assert!(unit.between(from, to) >= 0);
            }
            let due = due(Limit::WorkingDays(days), from);
            prop_assert!(due.at_ms >= 0 && due.at_ms <= LATEST_MS);
            lamp(Unit::WorkingDays, (from, to), &[], to, 80);
        }

        #[test]
        fn what_was_added_lies_between(start in 1_700_000_000_000i64..1_900_000_000_000, days in 1u32..100) {
            let length = Limit::WorkingDays(days).length_ms();
            let end = Unit::WorkingDays.after(start, length);
            prop_assert_eq!(Unit::WorkingDays.between(start, end), length);
        }
    }
}
