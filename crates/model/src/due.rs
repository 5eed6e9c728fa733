//! Who is due: households to look in on, and why.
//!
//! A person with a care tag is due an interval after the last time somebody of the household was met;
//! a follow-up is due on its date until somebody is met again. **Only days decide**, the days people
//! stated: the list is the same whatever order visits arrived in and whatever a clock said.

use chrono::{Datelike, NaiveDate};
use serde::Serialize;
use wangge_crdt::Fields;

use crate::care::{Care, Interval};
use crate::household::{Household, Residence};
use crate::settings::Settings;
use crate::visit::Met;

const CARE: &str = "care";

/// A member of a household who is looked in on, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cared {
    /// The member.
    pub member: String,
    /// As spoken.
    pub name: String,
    /// `1967-09` or `1967`.
    pub birth: Option<String>,
    /// Why.
    pub tag: Care,
    /// The first day; none where it is not known.
    pub since: Option<NaiveDate>,
    /// The day it ended or will end.
    pub until: Option<NaiveDate>,
    /// What was agreed with them; none for the usual interval.
    pub every: Option<Interval>,
}

/// What the visits of a household say, up to a day.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// The last day somebody was met.
    pub counted_on: Option<NaiveDate>,
    /// Visits that said when to come back: their day, and the day to come.
    pub asked: Vec<(NaiveDate, NaiveDate)>,
}

/// Why a household is due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reason {
    /// A visit said to come back on this day.
    FollowUp {
        /// The day to come.
        due_on: NaiveDate,
        /// The day of the visit that said so.
        asked_on: NaiveDate,
    },
    /// A care tag and its interval.
    Care {
        /// An interval after the household was last met; the day asked about if it never was and
        /// nobody knows since when the tag is there.
        due_on: NaiveDate,
        /// The tag.
        tag: Care,
        /// How often.
        every: Interval,
        /// The member.
        member: String,
        /// Their name.
        name: String,
    },
    /// The quarterly round of all households.
    Round {
        /// A quarter after the household was last met.
        due_on: NaiveDate,
    },
}

impl Met {
    /// Returns whether the household was met: a call counts, a closed door and a refusal do not.
    pub fn counts(self) -> bool {
        matches!(self, Met::Person | Met::Family)
    }
}

impl Reason {
    /// Returns the day it is due.
    pub fn due_on(&self) -> NaiveDate {
        match self {
            Reason::FollowUp { due_on, .. }
            | Reason::Care { due_on, .. }
            | Reason::Round { due_on } => *due_on,
        }
    }
}

impl Cared {
    /// Returns whether the tag holds on a day.
    pub fn holds_on(&self, day: NaiveDate) -> bool {
        self.since.is_none_or(|since| since <= day) && self.until.is_none_or(|until| until > day)
    }

    /// Returns the age in years on a day; none where the birth is not known.
    pub fn age_on(&self, day: NaiveDate) -> Option<u16> {
        let (year, month) = self.birth.as_deref().map(|birth| {
            let (year, month) = birth.split_once('-').unwrap_or((birth, "12"));
            (year.parse::<i32>().ok(), month.parse::<u32>().ok())
        })?;
        // Where only the year is known the birthday has not been: nobody is made older than they are.
        let before = i32::from(day.month() < month?);
        u16::try_from(day.year() - year? - before).ok()
    }
}

impl Seen {
    /// Adds a visit; what is said to have happened after `day` says nothing yet.
    pub fn take(&mut self, day: NaiveDate, on: NaiveDate, met: Met, next: Option<NaiveDate>) {
        if on > day {
            return;
        }
        if met.counts() {
            self.counted_on = self.counted_on.max(Some(on));
        }
        self.asked.extend(next.map(|next| (on, next)));
    }

    /// Returns the follow-up that is still owed: the day of the visit, and the day to come.
    ///
    /// The latest visit that asked for one decides, unless somebody was met on a later day; of two on
    /// one day the earlier date.
    pub fn follow_up(&self) -> Option<(NaiveDate, NaiveDate)> {
        let owed = self
            .asked
            .iter()
            .filter(|(on, _)| self.counted_on.is_none_or(|counted| *on >= counted));
        owed.max_by_key(|(on, next)| (*on, std::cmp::Reverse(*next)))
            .copied()
    }
}

/// Returns the members of a household with a care tag who live in it, whether the tag holds or ended.
pub fn cared(household: &Household, fields: &Fields) -> Vec<Cared> {
    let mut cared: Vec<Cared> = Vec::new();
    for (entry, fields) in fields.entries(CARE) {
        let text = |key: &str| fields.get(key).and_then(|value| value.as_text());
        let day = |key: &str| text(key).and_then(|text| text.parse().ok());
        let member = entry.split_once('.').and_then(|(member, _)| {
            let mut present = household.present();
            present.find(|present| present.id == member)
        });
        if let (Some(member), Some(tag)) = (member, text("tag").and_then(|tag| tag.parse().ok())) {
            cared.push(Cared {
                member: member.id.clone(),
                name: member.name.clone(),
                birth: member.birth.clone(),
                tag,
                since: day("since"),
                until: day("until"),
                every: text("every").and_then(Interval::of),
            });
        }
    }
    cared
}

/// Returns every reason for which a household is or will be due, the earliest first.
///
/// `day` decides which tags hold and how old people are; a reason may lie after it.
pub fn reasons(
    residence: Residence,
    cared: &[Cared],
    seen: &Seen,
    settings: &Settings,
    day: NaiveDate,
) -> Vec<Reason> {
    let holding: Vec<&Cared> = cared.iter().filter(|cared| cared.holds_on(day)).collect();
    let lives_here = residence == Residence::Resident;
    let mut reasons: Vec<Reason> = Vec::new();
    if (lives_here || !holding.is_empty())
        && let Some((asked_on, due_on)) = seen.follow_up()
    {
        reasons.push(Reason::FollowUp { due_on, asked_on });
    }
    if lives_here {
        reasons.extend(holding.into_iter().filter_map(|cared| {
            let usual = || settings.interval(cared.tag, cared.age_on(day));
            let every = cared.every.unwrap_or_else(usual);
            Some(Reason::Care {
                due_on: due_after(every, cared.since.max(seen.counted_on), day)?,
                tag: cared.tag,
                every,
                member: cared.member.clone(),
                name: cared.name.clone(),
            })
        }));
    }
    if lives_here && settings.round_of_all {
        let due_on = due_after(Interval::Quarterly, seen.counted_on, day);
        reasons.extend(due_on.map(|due_on| Reason::Round { due_on }));
    }
    reasons.sort_by_key(|reason| (reason.due_on(), reason.clone()));
    reasons
}

/// Returns the day an interval is over; nobody knows how long somebody was waited for who was never
/// met, so that is today and not long ago.
fn due_after(every: Interval, last: Option<NaiveDate>, day: NaiveDate) -> Option<NaiveDate> {
    match last {
        Some(last) => every.after(last),
        None => (every != Interval::Off).then_some(day),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    const TODAY: &str = "2026-11-23";

    fn elder(birth: &str) -> Cared {
        Cared {
            member: "m".into(),
            name: "曾小红".into(),
            birth: Some(birth.into()),
            tag: Care::LivingAloneElder,
            since: None,
            until: None,
            every: None,
        }
    }

    fn seen(visits: &[(&str, Met, Option<&str>)]) -> Seen {
        let mut seen = Seen::default();
        for (on, met, next) in visits {
            seen.take(day(TODAY), day(on), *met, next.map(day));
        }
        seen
    }

    fn due(residence: Residence, cared: &[Cared], seen: &Seen) -> Vec<(String, &'static str)> {
        reasons(residence, cared, seen, &Settings::default(), day(TODAY))
            .into_iter()
            .map(|reason| {
                let word = match reason {
                    Reason::FollowUp { .. } => "follow_up",
                    Reason::Care { every, .. } => every.code(),
                    Reason::Round { .. } => "round",
                };
                (reason.due_on().to_string(), word)
            })
            .collect()
    }

    fn at_home(cared: &[Cared], seen: &Seen) -> Vec<(String, &'static str)> {
        due(Residence::Resident, cared, seen)
    }

    fn one(day: &str, word: &'static str) -> Vec<(String, &'static str)> {
        vec![(day.to_owned(), word)]
    }

    #[test]
    fn the_interval_runs_from_the_last_time_somebody_was_met() {
        let met = seen(&[
            ("2026-11-02", Met::Person, None),
            ("2026-10-01", Met::Family, None),
        ]);
        assert_eq!(
            at_home(&[elder("1950-03")], &met),
            one("2026-12-02", "monthly")
        );
        assert_eq!(
            at_home(&[elder("1940-03")], &met),
            one("2026-11-09", "weekly")
        );
        assert_eq!(at_home(&[], &met), [], "without a tag nobody is sent");
    }

    #[test]
    fn a_closed_door_and_a_refusal_do_not_count() {
        let tried = seen(&[
            ("2026-10-01", Met::Person, None),
            ("2026-11-20", Met::Nobody, None),
            ("2026-11-21", Met::Declined, None),
        ]);
        assert_eq!(
            at_home(&[elder("1950")], &tried),
            one("2026-11-01", "monthly")
        );
    }

    #[test]
    fn somebody_never_met_is_due_today_or_an_interval_after_the_tag_came() {
        let never = Seen::default();
        assert_eq!(at_home(&[elder("1950")], &never), one(TODAY, "monthly"));
        let mut new = elder("1950");
        new.since = Some(day("2026-11-10"));
        assert_eq!(
            at_home(&[new.clone()], &never),
            one("2026-12-10", "monthly")
        );
        let before = seen(&[("2026-01-01", Met::Person, None)]);
        assert_eq!(
            at_home(&[new], &before),
            one("2026-12-10", "monthly"),
            "not overdue from before"
        );
    }

    #[test]
    fn a_follow_up_comes_back_on_its_date_until_somebody_is_met() {
        let asked = seen(&[("2026-11-10", Met::Family, Some("2026-11-20"))]);
        assert_eq!(at_home(&[], &asked), one("2026-11-20", "follow_up"));
        let nobody = seen(&[
            ("2026-11-10", Met::Family, Some("2026-11-20")),
            ("2026-11-20", Met::Nobody, None),
        ]);
        assert_eq!(at_home(&[], &nobody), one("2026-11-20", "follow_up"));
        let met = seen(&[
            ("2026-11-10", Met::Family, Some("2026-11-20")),
            ("2026-11-12", Met::Person, None),
        ]);
        assert_eq!(at_home(&[], &met), []);
        let again = seen(&[
            ("2026-11-10", Met::Family, Some("2026-11-20")),
            ("2026-11-20", Met::Nobody, Some("2026-11-25")),
        ]);
        assert_eq!(
            at_home(&[], &again),
            one("2026-11-25", "follow_up"),
            "the latest says when"
        );
    }

    #[test]
    fn a_household_that_is_away_is_not_due_but_a_promise_to_somebody_cared_for_is_kept() {
        let asked = seen(&[("2026-09-10", Met::Person, Some("2026-11-20"))]);
        for residence in [Residence::Away, Residence::Empty, Residence::MovedOut] {
            assert_eq!(
                due(residence, &[elder("1940")], &asked),
                one("2026-11-20", "follow_up")
            );
            assert_eq!(due(residence, &[], &asked), []);
        }
    }

    #[test]
    fn a_tag_that_ended_or_has_not_begun_asks_for_nothing() {
        let mut ended = elder("1950");
        ended.until = Some(day(TODAY));
        assert_eq!(at_home(&[ended.clone()], &Seen::default()), []);
        ended.until = Some(day("2026-11-24"));
        assert_eq!(
            at_home(&[ended], &Seen::default()).len(),
            1,
            "it ends tomorrow"
        );
        let mut coming = elder("1950");
        coming.since = Some(day("2026-11-24"));
        assert_eq!(at_home(&[coming], &Seen::default()), []);
    }

    #[test]
    fn whoever_died_or_left_is_cared_for_no_more() {
        use crate::kind;
        use wangge_crdt::{Document, Put};
        use wangge_wire::{ActorId, DocId};

        let id = DocId([1; 16]);
        let shape = kind::shape(kind::HOUSEHOLD).unwrap();
        let mut document = Document::begin(&shape, &id).unwrap();
        let mut write = |puts: &[Put]| {
            document.write(&ActorId([1; 8]), 1, puts).unwrap();
            let fields = document.fields();
            super::cared(&crate::household::read(id, &fields), &fields)
        };
        let care = |field: &str, value: &str| Put::entry(CARE, "a.low", field, value);
        let found = write(&[
            Put::entry("members", "a", "name", "曾小红"),
            care("tag", "subsistence_allowance"),
            care("since", "2026-01-01"),
            care("every", "quarterly"),
        ]);
        assert_eq!(found[0].tag, Care::SubsistenceAllowance);
        assert_eq!(found[0].since, Some(day("2026-01-01")));
        assert_eq!(found[0].every, Some(Interval::Quarterly));
        assert_eq!(write(&[Put::entry("members", "a", "left", "died")]), []);
    }

    #[test]
    fn what_was_agreed_goes_before_the_setting_and_the_age() {
        let mut agreed = elder("1940");
        agreed.every = Some(Interval::Quarterly);
        let met = seen(&[("2026-11-02", Met::Person, None)]);
        assert_eq!(
            at_home(&[agreed.clone()], &met),
            one("2027-02-02", "quarterly")
        );
        agreed.every = Some(Interval::Off);
        assert_eq!(at_home(&[agreed], &met), []);
    }

    #[test]
    fn all_households_are_visited_only_where_the_setting_says_so() {
        let met = seen(&[("2026-08-20", Met::Person, None)]);
        let mut settings = Settings::default();
        let all = |settings: &Settings, residence| {
            reasons(residence, &[], &met, settings, day(TODAY)).len()
        };
        assert_eq!(all(&settings, Residence::Resident), 0);
        settings.round_of_all = true;
        assert_eq!(all(&settings, Residence::Resident), 1);
        assert_eq!(all(&settings, Residence::Empty), 0);
    }

    #[test]
    fn a_visit_of_the_future_counts_for_nothing() {
        let ahead = seen(&[("2028-11-23", Met::Person, Some("2028-12-01"))]);
        assert_eq!(ahead, Seen::default());
    }

    #[test]
    fn an_age_is_never_more_than_it_is() {
        let age = |birth: &str| elder(birth).age_on(day(TODAY));
        assert_eq!(
            (age("1946-11"), age("1946-12"), age("1946")),
            (Some(80), Some(79), Some(79))
        );
        assert_eq!((age("x"), age("2030-01")), (None, None));
    }

    proptest! {
        #[test]
        fn the_list_is_the_same_in_whatever_order_visits_arrived(
            visits in prop::collection::vec((0u64..60, 0usize..4, prop::option::of(0u64..40)), 0..12),
            turn in any::<usize>(),
        ) {
            let visits: Vec<_> = visits.into_iter().map(|(on, met, next)| {
                let on = day("2026-10-01") + chrono::Days::new(on);
                (on, Met::ALL[met], next.map(|next| on + chrono::Days::new(next)))
            }).collect();
            let read = |order: &[(NaiveDate, Met, Option<NaiveDate>)]| {
                let mut seen = Seen::default();
                for (on, met, next) in order {
                    seen.take(day(TODAY), *on, *met, *next);
                }
                let cared = [elder("1940"), elder("1950")];
                reasons(Residence::Resident, &cared, &seen, &Settings::default(), day(TODAY))
            };
            let mut turned = visits.clone();
            turned.rotate_left(turn % visits.len().max(1));
            let mut back = turned.clone();
            back.reverse();
            prop_assert_eq!(read(&visits), read(&turned));
            prop_assert_eq!(read(&visits), read(&back));
        }
    }
}
