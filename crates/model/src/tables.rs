//! The code tables everyone shares: relations, event categories, duties, working days, divisions.
//!
//! They are files in `fixtures/`, part of the program, read once. **A line that does not parse is a
//! failing test, never a panic**: at run time it is left out.
//!
//! Sources: GB/T 4761-2008 (family relations), the province's service categories (events, duties),
//! the State Council's yearly holiday notices (working days), the National Bureau of Statistics'
//! 2023 edition of division codes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use chrono::{Datelike, NaiveDate, Weekday};

const RELATIONS: &str = include_str!("../../../fixtures/relations.csv");
const EVENTS: &str = include_str!("../../../fixtures/events.csv");
const DUTIES: &str = include_str!("../../../fixtures/duties.csv");
const DAYS: &str = include_str!("../../../fixtures/workdays-cn.csv");
const DIVISIONS: &str = include_str!("../../../fixtures/divisions-511724.csv");

/// A family relation of GB/T 4761-2008.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relation {
    /// Two digits.
    pub code: &'static str,
    /// The standard's Chinese name.
    pub name: &'static str,
    /// Whether a form offers it in its short list; all others are understood when typed.
    pub offered: bool,
}

/// A category of what people report: a domain and a subtype.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// A letter for the domain and two digits, 99 is "other".
    pub code: &'static str,
    /// The domain's Chinese name.
    pub domain: &'static str,
    /// The subtype's Chinese name.
    pub subtype: &'static str,
}

/// One of the eight duties of a grid worker: what a visit was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duty {
    /// A stable English word.
    pub code: &'static str,
    /// The Chinese name.
    pub name: &'static str,
}

/// What makes a day differ from its weekday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayKind {
    /// A day off that would be a working day.
    Holiday,
    /// A Saturday or Sunday that is worked (调休).
    Workday,
}

/// A day that is not what its weekday says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpecialDay {
    /// The date, in China.
    pub date: NaiveDate,
    /// Whether it is off or worked.
    pub kind: DayKind,
    /// The festival's Chinese name, or `调休上班`.
    pub name: &'static str,
}

/// Which step of the area tree a division is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DivisionLevel {
    /// A county (县), six digits.
    County,
    /// A township, town or street office (乡镇街道), nine digits.
    Township,
    /// A village or community (村、社区), twelve digits.
    Village,
}

/// A division with a published code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Division {
    /// Six, nine or twelve digits.
    pub code: &'static str,
    /// The published Chinese name.
    pub name: &'static str,
    /// Its step of the tree.
    pub level: DivisionLevel,
    /// The code one step up; a county's is its prefecture, which is not in the table.
    pub parent: &'static str,
}

impl Division {
    /// Returns the name people say: `大同社区` for `大同社区居民委员会`, `新家村` for `新家村民委员会`.
    pub fn short_name(&self) -> &'static str {
        if let Some(short) = self.name.strip_suffix("居民委员会") {
            return short;
        }
        match self.name.strip_suffix("民委员会") {
            Some(short) if short.ends_with('村') => short,
            _ => self.name,
        }
    }
}

static RELATION_ROWS: LazyLock<Vec<Relation>> = LazyLock::new(|| {
    rows::<3>(RELATIONS)
        .filter_map(|[code, name, offered]| {
            let offered = match offered {
                "1" => true,
                "0" => false,
                _ => return None,
            };
            Some(Relation {
                code,
                name,
                offered,
            })
        })
        .collect()
});
static EVENT_ROWS: LazyLock<Vec<Event>> = LazyLock::new(|| {
    rows::<3>(EVENTS)
        .map(|[code, domain, subtype]| Event {
            code,
            domain,
            subtype,
        })
        .collect()
});
static DUTY_ROWS: LazyLock<Vec<Duty>> = LazyLock::new(|| {
    rows::<2>(DUTIES)
        .map(|[code, name]| Duty { code, name })
        .collect()
});
static DAY_ROWS: LazyLock<BTreeMap<NaiveDate, SpecialDay>> = LazyLock::new(|| {
    rows::<3>(DAYS)
        .filter_map(|[date, kind, name]| {
            let date = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok()?;
            let kind = match kind {
                "holiday" => DayKind::Holiday,
                "workday" => DayKind::Workday,
                _ => return None,
            };
            Some((date, SpecialDay { date, kind, name }))
        })
        .collect()
});
static KNOWN_YEARS: LazyLock<BTreeSet<i32>> =
    LazyLock::new(|| DAY_ROWS.keys().map(Datelike::year).collect());
static DIVISION_ROWS: LazyLock<BTreeMap<&'static str, Division>> = LazyLock::new(|| {
    rows::<4>(DIVISIONS)
        .filter_map(|[code, name, level, parent]| {
            let level = match level {
                "county" => DivisionLevel::County,
                "township" => DivisionLevel::Township,
                "village" => DivisionLevel::Village,
                _ => return None,
            };
            Some((
                code,
                Division {
                    code,
                    name,
                    level,
                    parent,
                },
            ))
        })
        .collect()
});

/// Returns all family relations in the standard's order.
pub fn relations() -> &'static [Relation] {
    &RELATION_ROWS
}

/// Returns the relation with this code.
pub fn relation(code: &str) -> Option<&'static Relation> {
    relations().iter().find(|row| row.code == code)
}

/// Returns the relation with exactly this name; synonyms are `crate::relation`'s.
pub fn relation_named(name: &str) -> Option<&'static Relation> {
    relations().iter().find(|row| row.name == name)
}

/// Returns all event categories in the table's order.
pub fn events() -> &'static [Event] {
    &EVENT_ROWS
}

/// Returns the event category with this code.
pub fn event(code: &str) -> Option<&'static Event> {
    events().iter().find(|row| row.code == code)
}

/// Returns the event category with this domain and subtype.
pub fn event_named(domain: &str, subtype: &str) -> Option<&'static Event> {
    events()
        .iter()
        .find(|row| row.domain == domain && row.subtype == subtype)
}

/// Returns the duties in the table's order.
pub fn duties() -> &'static [Duty] {
    &DUTY_ROWS
}

/// Returns the duty with this code.
pub fn duty(code: &str) -> Option<&'static Duty> {
    duties().iter().find(|row| row.code == code)
}

/// Returns the duty with this Chinese name.
pub fn duty_named(name: &str) -> Option<&'static Duty> {
    duties().iter().find(|row| row.name == name)
}

/// Returns the days that are not what their weekday says, by date.
pub fn special_days() -> impl Iterator<Item = &'static SpecialDay> {
    DAY_ROWS.values()
}

/// Returns what makes this day special, where something does.
pub fn special_day(date: NaiveDate) -> Option<&'static SpecialDay> {
    DAY_ROWS.get(&date)
}

/// Says whether people work on this day: Monday to Friday, corrected by the table.
pub fn is_working_day(date: NaiveDate) -> bool {
    match special_day(date) {
        Some(day) => day.kind == DayKind::Workday,
        None => !matches!(date.weekday(), Weekday::Sat | Weekday::Sun),
    }
}

/// Says whether the holidays of this year are known; without them its days are judged by weekday alone.
pub fn has_year(year: i32) -> bool {
    KNOWN_YEARS.contains(&year)
}

/// Returns the last year whose holidays are known; later days are judged by weekday alone.
pub fn last_known_year() -> Option<i32> {
    DAY_ROWS.keys().next_back().map(Datelike::year)
}

/// Returns the divisions by code, each after the one it belongs to.
pub fn divisions() -> impl Iterator<Item = &'static Division> {
    DIVISION_ROWS.values()
}

/// Returns the division with this code.
pub fn division(code: &str) -> Option<&'static Division> {
    DIVISION_ROWS.get(code)
}

/// Returns the divisions one step below this code, by code.
pub fn division_children(parent: &str) -> impl Iterator<Item = &'static Division> {
    divisions().filter(move |row| row.parent == parent)
}

/// Returns the divisions with this published or short name; several villages may share one.
pub fn divisions_named(name: &str) -> impl Iterator<Item = &'static Division> {
    divisions().filter(move |row| row.name == name || row.short_name() == name)
}

/// The lines under the header that have exactly `N` fields; the tables quote nothing.
fn rows<const N: usize>(table: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    table.lines().skip(1).filter_map(|line| {
        let fields: Vec<&'static str> = line.trim_end_matches('\r').split(',').collect();
        <[&'static str; N]>::try_from(fields).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(table: &str) -> usize {
        table
            .lines()
            .skip(1)
            .filter(|line| !line.trim().is_empty())
            .count()
    }

    #[test]
    fn every_line_of_every_table_parses() {
        assert_eq!(relations().len(), lines(RELATIONS));
        assert_eq!(events().len(), lines(EVENTS));
        assert_eq!(duties().len(), lines(DUTIES));
        assert_eq!(special_days().count(), lines(DAYS));
        assert_eq!(divisions().count(), lines(DIVISIONS));
        assert_eq!(duties().len(), 8);
    }

    #[test]
    fn every_table_is_found_by_code_and_by_name() {
        assert_eq!(relation("38").unwrap().name, "儿媳");
        assert_eq!(relation_named("户主").unwrap().code, "02");
        assert!(relation("02").unwrap().offered && !relation("01").unwrap().offered);
        assert_eq!(event("D05").unwrap().subtype, "民用水井与供水");
        assert_eq!(event_named("公共设施", "路灯").unwrap().code, "D01");
        assert_eq!(duty("care").unwrap().name, "关爱探访");
        assert_eq!(duty_named("矛盾纠纷劝解").unwrap().code, "mediate");
        assert_eq!(
            (relation("00"), event("A00"), duty("none"), division("5117")),
            (None, None, None, None)
        );
    }

    #[test]
    fn the_county_has_31_townships_and_324_villages() {
        assert_eq!(division("511724").unwrap().level, DivisionLevel::County);
        let townships: Vec<_> = division_children("511724").collect();
        assert_eq!(townships.len(), 31);
        let villages: usize = townships
            .iter()
            .map(|row| division_children(row.code).count())
            .sum();
        assert_eq!(villages, 324);
        assert!(
            divisions()
                .filter(|row| row.code != "511724")
                .all(|row| division(row.parent).is_some())
        );
    }

    #[test]
    fn a_division_is_found_by_the_name_people_say() {
        assert_eq!(division("511724001001").unwrap().short_name(), "大同社区");
        assert_eq!(division("511724001205").unwrap().short_name(), "新家村");
        assert!(divisions_named("新家村").any(|row| row.code == "511724001205"));
        assert!(divisions_named("乌木镇").any(|row| row.code == "511724101"));
    }

    #[test]
    fn holidays_and_worked_weekends_are_what_the_notice_says() {
        let day = |m, d| NaiveDate::from_ymd_opt(2026, m, d).unwrap();
        assert!(!is_working_day(day(10, 1)), "national day");
        assert!(is_working_day(day(10, 10)), "a worked Saturday");
        assert!(!is_working_day(day(11, 22)), "a plain Sunday");
        assert!(is_working_day(day(11, 23)), "a plain Monday");
        assert_eq!(special_day(day(9, 25)).unwrap().name, "中秋节");
        assert_eq!(last_known_year(), Some(2026));
    }
}
