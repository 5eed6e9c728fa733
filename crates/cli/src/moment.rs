//! Moments and days as people say them, in China's time wherever the machine thinks it is.

use chrono::{DateTime, FixedOffset, NaiveDate};

use crate::text::Lang;

const CHINA_OFFSET_S: i32 = 8 * 60 * 60;

/// Returns the moment in China's time.
pub(crate) fn china(at_ms: i64) -> Option<DateTime<FixedOffset>> {
    let offset = FixedOffset::east_opt(CHINA_OFFSET_S)?;
    Some(DateTime::from_timestamp_millis(at_ms)?.with_timezone(&offset))
}

/// Returns the day and minute; today's is named so. What has no moment has no words.
pub(crate) fn minute(lang: Lang, at_ms: i64, today: NaiveDate) -> String {
    match china(at_ms).filter(|_| at_ms > 0) {
        Some(moment) => {
            format!(
                "{} {}",
                day(lang, &moment.date_naive().to_string(), today),
                moment.format("%H:%M")
            )
        }
        None => String::new(),
    }
}

/// Returns a day as people say it: today, yesterday, otherwise the date.
pub(crate) fn day(lang: Lang, date: &str, today: NaiveDate) -> String {
    match date.parse::<NaiveDate>() {
        Ok(date) if date == today => lang.today().to_owned(),
        Ok(date) if date.succ_opt() == Some(today) => lang.yesterday().to_owned(),
        _ => date.to_owned(),
    }
}

/// Returns a moment as machines read it: `2026-11-24T08:00:00+08:00`.
pub(crate) fn exact(at_ms: i64) -> String {
    china(at_ms)
        .map(|moment| moment.to_rfc3339())
        .unwrap_or_default()
}

/// Returns a day that is counted from 1970-01-01: `2026-12-15`.
pub(crate) fn of_day(days: u32) -> String {
    let date = NaiveDate::default().checked_add_days(chrono::Days::new(days.into()));
    date.map(|date| date.to_string()).unwrap_or_default()
}
