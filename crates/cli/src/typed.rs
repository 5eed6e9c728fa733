//! What a person typed in a hurry: full-width signs, `@` days, `+` tickets, words that mean much.
//!
//! **A note is never folded**: only codes, numbers and days are made half width.

use chrono::{Datelike as _, Days, NaiveDate, Weekday};

use crate::text::typed as words;

/// What the words after a household say of a visit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct VisitWords {
    /// Who was met, as the façade takes it.
    pub(crate) met: Option<&'static str>,
    /// How the household was reached, as the façade takes it.
    pub(crate) mode: Option<&'static str>,
    /// Nothing changed.
    pub(crate) no_change: bool,
    /// When to come back.
    pub(crate) follow_up_on: Option<NaiveDate>,
    /// The kind of ticket to open in the same go, as the façade takes it.
    pub(crate) ticket: Option<&'static str>,
    /// All that is left.
    pub(crate) note: String,
}

/// A signed word that means nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BadWord {
    /// After `@`: no day.
    Day(String),
    /// After `+`: no kind of ticket.
    Ticket(String),
    /// Two words that cannot both be so: how somebody was reached, who was met, when to come back.
    Both(String, String),
}

/// Reads how long something is to last: `4h`, `90m`, also in Chinese; minutes.
pub(crate) fn minutes(typed: &str) -> Option<u64> {
    let typed = half_width(typed.trim()).to_lowercase();
    let number_end = typed.find(|sign: char| !sign.is_ascii_digit())?;
    let (number, unit) = typed.split_at_checked(number_end)?;
    let minutes = words::MINUTES
        .iter()
        .find(|(known, _)| *known == unit.trim())?;
    number.parse::<u64>().ok()?.checked_mul(minutes.1)
}

/// Reads the words after a household; what a sign announces must be understood.
pub(crate) fn visit_words(typed: &[String], today: NaiveDate) -> Result<VisitWords, BadWord> {
    let mut said = VisitWords::default();
    let mut note: Vec<&str> = Vec::new();
    let mut first = FirstWords::default();
    for word in typed.iter().flat_map(|word| signed_parts(word)) {
        let folded = half_width(word);
        let lower = folded.to_lowercase();
        if let Some(day) = folded.strip_prefix('@') {
            let day = day_of(day, today).ok_or_else(|| BadWord::Day(word.to_owned()))?;
            once(&mut said.follow_up_on, day, &mut first.day, word)?;
        } else if let Some(kind) = lower.strip_prefix('+') {
            let known = words::TICKETS.iter().find(|(known, _)| *known == kind);
            let (_, kind) = known.ok_or_else(|| BadWord::Ticket(word.to_owned()))?;
            once(&mut said.ticket, *kind, &mut first.ticket, word)?;
        } else if words::FINE.contains(&lower.as_str()) {
            said.no_change = true;
        } else if let Some((_, met)) = words::MET.iter().find(|(known, _)| *known == lower) {
            once(&mut said.met, *met, &mut first.met, word)?;
        } else if let Some((_, mode)) = words::MODE.iter().find(|(known, _)| *known == lower) {
            once(&mut said.mode, *mode, &mut first.mode, word)?;
        } else {
            note.push(word);
        }
    }
    said.note = note.join(" ");
    Ok(said)
}

/// The words that said something first, to name them where another word says otherwise.
#[derive(Default)]
struct FirstWords<'a> {
    day: &'a str,
    ticket: &'a str,
    met: &'a str,
    mode: &'a str,
}

/// Takes what a word says; another word that says otherwise is refused, neither is the right one.
fn once<'a, T: PartialEq>(
    said: &mut Option<T>,
    value: T,
    first: &mut &'a str,
    word: &'a str,
) -> Result<(), BadWord> {
    if said.as_ref().is_some_and(|known| *known != value) {
        return Err(BadWord::Both((*first).to_owned(), word.to_owned()));
    }
    *said = Some(value);
    *first = word;
    Ok(())
}

/// Returns whether a word alone says how a visit went: fine, nobody, declined.
pub(crate) fn is_result(word: &str) -> bool {
    let word = half_width(word).to_lowercase();
    words::FINE.contains(&word.as_str()) || words::MET.iter().any(|(known, _)| *known == word)
}

/// Returns a word's parts: one argument in quotes may hold `@` and `+` words of its own.
fn signed_parts(word: &str) -> Vec<&str> {
    let has_sign = |part: &&str| half_width(part).starts_with(['@', '+']);
    if word.split_whitespace().any(|part| has_sign(&part)) {
        word.split_whitespace().collect()
    } else {
        vec![word]
    }
}

/// Returns the day a person means: `11-30`, `2026-11-30`, a weekday to come, tomorrow.
///
/// A month and day without a year is the next one to come; a weekday is the next of its name, never
/// today.
pub(crate) fn day_of(typed: &str, today: NaiveDate) -> Option<NaiveDate> {
    let text = half_width(typed.trim()).to_lowercase();
    if let Some((_, days)) = words::DAYS.iter().find(|(word, _)| *word == text) {
        return today.checked_add_days(Days::new(*days));
    }
    if let Some(day) = weekday(&text, today) {
        return Some(day);
    }
    match date_numbers(&text)?.as_slice() {
        [year, month, day] => NaiveDate::from_ymd_opt(i32::try_from(*year).ok()?, *month, *day),
        [month, day] => (0..=8)
            .filter_map(|years| NaiveDate::from_ymd_opt(today.year() + years, *month, *day))
            .find(|date| *date >= today),
        _ => None,
    }
}

/// Returns the day a person means of what happened: a date without a year is the last one that was,
/// a weekday the last of its name.
pub(crate) fn past_day_of(typed: &str, today: NaiveDate) -> Option<NaiveDate> {
    let text = half_width(typed.trim()).to_lowercase();
    if let Some((_, days)) = words::PAST_DAYS.iter().find(|(word, _)| *word == text) {
        return today.checked_sub_days(Days::new(*days));
    }
    if let Some(day) = weekday(&text, today) {
        return day.checked_sub_days(Days::new(7));
    }
    match date_numbers(&text).as_deref() {
        Some([month, day]) => (0..=8)
            .filter_map(|years| NaiveDate::from_ymd_opt(today.year() - years, *month, *day))
            .find(|date| *date <= today),
        _ => day_of(typed, today),
    }
}

/// Returns the numbers of a date, whichever signs part them.
fn date_numbers(text: &str) -> Option<Vec<u32>> {
    let separated: String = text
        .chars()
        .filter(|sign| !words::DAY_MARKS.contains(sign))
        .map(|sign| {
            if "/.".contains(sign) || words::DATE_MARKS.contains(&sign) {
                '-'
            } else {
                sign
            }
        })
        .collect();
    separated.split('-').map(|part| part.parse().ok()).collect()
}

fn weekday(text: &str, today: NaiveDate) -> Option<NaiveDate> {
    let (rest, weeks) = match words::NEXT_WEEK
        .iter()
        .find_map(|word| text.strip_prefix(word))
    {
        Some(rest) => (rest, 1),
        None => (text, 0),
    };
    let name = words::WEEK
        .iter()
        .find_map(|word| rest.strip_prefix(word))
        .unwrap_or(rest);
    let (_, wanted) = words::WEEKDAYS.iter().find(|(word, _)| *word == name)?;
    if weeks == 1 {
        let monday = today.checked_sub_days(Days::new(from_monday(today.weekday())))?;
        return monday.checked_add_days(Days::new(7 + from_monday(*wanted)));
    }
    let ahead = (7 + from_monday(*wanted) - from_monday(today.weekday())) % 7;
    today.checked_add_days(Days::new(if ahead == 0 { 7 } else { ahead }))
}

fn from_monday(day: Weekday) -> u64 {
    u64::from(day.num_days_from_monday())
}

/// Returns the text with full-width signs made half width and every dash a `-`.
pub(crate) fn half_width(text: &str) -> String {
    text.chars()
        .map(|sign| match sign {
            '\u{ff01}'..='\u{ff5e}' => {
                char::from_u32(u32::from(sign).wrapping_sub(0xfee0)).unwrap_or(sign)
            }
            '\u{3000}' => ' ',
            '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
            other => other,
        })
        .collect()
}

/// A clap reader of codes, numbers and days.
pub(crate) fn folded(text: &str) -> Result<String, std::convert::Infallible> {
    Ok(half_width(text.trim()))
}

/// A clap reader of counts, in full-width digits too.
pub(crate) fn count(text: &str) -> Result<usize, std::num::ParseIntError> {
    half_width(text.trim()).parse()
}

/// A clap reader of the number of a page: the first is 1, as people count.
pub(crate) fn page(text: &str) -> Result<usize, std::num::ParseIntError> {
    let page: std::num::NonZeroUsize = half_width(text.trim()).parse()?;
    Ok(page.get())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Monday.
    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 23).unwrap()
    }

    fn said(words: &[&str]) -> VisitWords {
        visit_words(
            &words
                .iter()
                .map(|word| (*word).to_owned())
                .collect::<Vec<_>>(),
            today(),
        )
        .unwrap()
    }

    fn date(month: u32, day: u32) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(2026, month, day)
    }

    #[test]
    fn the_thirty_second_forms_read() {
        assert!(said(&["好"]).no_change);
        assert_eq!(said(&["无人"]).met, Some("nobody"));
        let visit = said(&["血压高", "@周五", "+代办"]);
        assert_eq!(visit.note, "血压高");
        assert_eq!(visit.follow_up_on, date(11, 27));
        assert_eq!(visit.ticket, Some("errand"));
        assert_eq!(said(&["血压高　１５０"]).note, "血压高　１５０");
        assert_eq!(
            said(&["电话", "家属", "ok"]),
            VisitWords {
                met: Some("family"),
                mode: Some("phone"),
                no_change: true,
                ..VisitWords::default()
            }
        );
    }

    #[test]
    fn days_to_come_are_understood_and_nonsense_is_not() {
        for (typed, day) in [
            ("11-30", date(11, 30)),
            ("１１－３０", date(11, 30)),
            ("11月30日", date(11, 30)),
            ("2026-12-01", date(12, 1)),
            ("明天", date(11, 24)),
            ("tomorrow", date(11, 24)),
            ("周一", date(11, 30)),
            ("星期天", date(11, 29)),
            ("fri", date(11, 27)),
            ("下周三", date(12, 2)),
            ("1-5", NaiveDate::from_ymd_opt(2027, 1, 5)),
            ("13-40", None),
            ("someday", None),
            ("", None),
        ] {
            assert_eq!(day_of(typed, today()), day, "{typed}");
        }
        assert_eq!(
            visit_words(&["@昨年".to_owned()], today()),
            Err(BadWord::Day("@昨年".to_owned()))
        );
        let odd = "+胡说".to_owned();
        assert_eq!(
            visit_words(std::slice::from_ref(&odd), today()),
            Err(BadWord::Ticket(odd))
        );
    }

    #[test]
    fn signs_in_one_quoted_argument_count_too() {
        let visit = said(&["血压高 @周五 +代办"]);
        assert_eq!(
            (visit.note.as_str(), visit.follow_up_on),
            ("血压高", date(11, 27))
        );
    }
}
