//! Why a household member is visited regularly (关爱探访): the tags, their words and intervals.
//!
//! The list is closed on purpose: **a word that is not on it is handed back, never stored**. This is
//! a tool for service; other lists of people have no place in it.

use std::fmt;
use std::str::FromStr;

use chrono::{Days, Months, NaiveDate};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text;

/// A reason to look after somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Care {
    /// 独居老人: an old person who lives alone.
    LivingAloneElder,
    /// 空巢老人: old people whose children live elsewhere.
    EmptyNestElder,
    /// 留守老人: old people whose children work away.
    LeftBehindElder,
    /// 失能: unable to look after oneself.
    Incapacitated,
    /// 重度残疾: gravely disabled (grades one and two).
    SevereDisability,
    /// 残疾人: disabled.
    Disability,
    /// 计划生育特殊家庭: parents who lost their only child, or whose only child is disabled.
    BereavedParents,
    /// 留守儿童: a child whose parents work away.
    LeftBehindChild,
    /// 困境儿童: a child in hardship.
    ChildInHardship,
    /// 事实无人抚养儿童: a child whom, in fact, nobody raises.
    UncaredChild,
    /// 重病: gravely ill.
    GraveIllness,
    /// 低保: on the subsistence allowance.
    SubsistenceAllowance,
    /// 特困人员: without means, work or family, supported by the state.
    ExtremeHardship,
    /// 监测对象: watched so that it does not fall back into poverty.
    PovertyWatch,
    /// 孕产妇: pregnant, or a mother in childbed.
    Maternity,
    /// 临时居家不便: for a time not able to go out.
    Housebound,
}

/// How often somebody with a tag is looked in on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// Every week.
    Weekly,
    /// Every month.
    Monthly,
    /// Every quarter.
    Quarterly,
    /// Not by the calendar: only when a visit asked to come back.
    Off,
}

/// What a typed list of care words says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CareWords {
    /// The tags understood, in order of their first mention, each once.
    pub tags: Vec<Care>,
    /// The words that name no tag, as typed.
    pub refused: Vec<String>,
}

/// The text is no care code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown care code")]
pub struct UnknownCare;

/// Code, Chinese name, further words in use.
const TABLE: [(Care, &str, &str, &str); 16] = [
    (
        Care::LivingAloneElder,
        "living_alone_elder",
        "独居老人",
        "独居 独居老年人 孤寡老人",
    ),
    (
        Care::EmptyNestElder,
        "empty_nest_elder",
        "空巢老人",
        "空巢 空巢老年人 空巢家庭",
    ),
    (
        Care::LeftBehindElder,
        "left_behind_elder",
        "留守老人",
        "留守老年人",
    ),
    (
        Care::Incapacitated,
        "incapacitated",
        "失能",
        "失能老人 失能老年人 失能人员 完全失能 生活不能自理",
    ),
    (
        Care::SevereDisability,
        "severe_disability",
        "重度残疾",
        "重残 重度残疾人 一级残疾 二级残疾 残疾一级 残疾二级",
    ),
    (
        Care::Disability,
        "disability",
        "残疾人",
        "残疾 三级残疾 四级残疾 残疾三级 残疾四级",
    ),
    (
        Care::BereavedParents,
        "bereaved_parents",
        "计划生育特殊家庭",
        "计生特殊家庭 计划生育特殊困难家庭 失独 失独家庭 失独老人",
    ),
    (
        Care::LeftBehindChild,
        "left_behind_child",
        "留守儿童",
        "农村留守儿童",
    ),
    (
        Care::ChildInHardship,
        "child_in_hardship",
        "困境儿童",
        "困难儿童",
    ),
    (
        Care::UncaredChild,
        "uncared_child",
        "事实无人抚养儿童",
        "事实无人抚养",
    ),
    (
        Care::GraveIllness,
        "grave_illness",
        "重病",
        "大病 重大疾病 重病患者 大病患者 重病人员",
    ),
    (
        Care::SubsistenceAllowance,
        "subsistence_allowance",
        "低保",
        "低保户 低保对象 低保人员 农村低保 城市低保 最低生活保障",
    ),
    (
        Care::ExtremeHardship,
        "extreme_hardship",
        "特困人员",
        "特困 特困户 特困供养 特困供养人员 特困对象 五保 五保户",
    ),
    (
        Care::PovertyWatch,
        "poverty_watch",
        "监测对象",
        "监测户 防返贫监测对象 防止返贫监测对象 防返贫监测户",
    ),
    (Care::Maternity, "maternity", "孕产妇", "孕妇 产妇"),
    (Care::Housebound, "housebound", "临时居家不便", "居家不便"),
];

/// Words in a care column that say only that there is nothing to note.
const NOTHING: [&str; 7] = ["否", "一般户", "普通户", "一般", "正常", "健康", "非"];

impl Care {
    /// Returns every tag, in the order forms show them.
    pub fn all() -> impl Iterator<Item = Care> {
        TABLE.iter().map(|(care, ..)| *care)
    }

    /// Returns the stable code that documents and JSON carry.
    pub fn code(self) -> &'static str {
        self.row().map_or("", |row| row.1)
    }

    /// Returns the Chinese name.
    pub fn name(self) -> &'static str {
        self.row().map_or("", |row| row.2)
    }

    /// Returns the tag a single word names: the code, the name or a word in use.
    pub fn named(word: &str) -> Option<Care> {
        let word = text::compact(word);
        let bare = word
            .split('(')
            .next()
            .filter(|bare| !bare.is_empty())
            .unwrap_or(&word);
        if bare.contains("残疾") && (word.contains("一级") || word.contains("二级")) {
            return Some(Care::SevereDisability);
        }
        TABLE
            .iter()
            .find(|(_, code, name, words)| {
                *code == bare || *name == bare || words.split(' ').any(|other| other == bare)
            })
            .map(|(care, ..)| *care)
    }

    /// Returns how often the person is looked in on where nothing else is agreed.
    ///
    /// Weekly for the gravely ill and for those over 80 who live alone (`age` in years, where known),
    /// monthly for all others: the national target is a monthly visit.
    pub fn default_interval(self, age: Option<u16>) -> Interval {
        match self {
            Care::GraveIllness => Interval::Weekly,
            Care::LivingAloneElder if age.is_some_and(|age| age > 80) => Interval::Weekly,
            _ => Interval::Monthly,
        }
    }

    /// Says whether only a child can have this tag.
    pub fn is_for_children(self) -> bool {
        matches!(
            self,
            Care::LeftBehindChild | Care::ChildInHardship | Care::UncaredChild
        )
    }

    fn row(self) -> Option<&'static (Care, &'static str, &'static str, &'static str)> {
        TABLE.iter().find(|(care, ..)| *care == self)
    }
}

/// Reads a cell such as `留守儿童、低保` or `特困 残疾人（三级）`.
///
/// Words are parted by `,` `，` `、` `;` `；` `/` `+` or white space; `无` and `一般户` say nothing.
pub fn parse(typed: &str) -> CareWords {
    let mut words = CareWords::default();
    let mut depth = 0_u8;
    let part = |c: char| matches!(c, ',' | '、' | ';' | '/' | '+' | '|') || c.is_whitespace();
    let folded = text::tidy(typed);
    let parts = folded.split(|c| {
        match c {
            '(' => depth = depth.saturating_add(1),
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && part(c)
    });
    for word in parts.map(str::trim) {
        if text::means_none(word) || NOTHING.contains(&word) {
            continue;
        }
        match Care::named(word) {
            Some(tag) if words.tags.contains(&tag) => {}
            Some(tag) => words.tags.push(tag),
            None => words.refused.push(word.to_owned()),
        }
    }
    words
}

impl Interval {
    /// Every interval, the shortest first.
    pub const ALL: [Interval; 4] = [
        Interval::Weekly,
        Interval::Monthly,
        Interval::Quarterly,
        Interval::Off,
    ];

    /// Returns the interval as documents and JSON have it.
    pub fn code(self) -> &'static str {
        match self {
            Interval::Weekly => "weekly",
            Interval::Monthly => "monthly",
            Interval::Quarterly => "quarterly",
            Interval::Off => "off",
        }
    }

    /// Returns the interval with this code or Chinese word.
    pub fn of(word: &str) -> Option<Self> {
        let han = match word {
            "每周" | "周" => Some(Interval::Weekly),
            "每月" | "月" => Some(Interval::Monthly),
            "每季" | "每季度" | "季" => Some(Interval::Quarterly),
            "不定期" | "关" => Some(Interval::Off),
            _ => None,
        };
        han.or_else(|| Self::ALL.into_iter().find(|every| every.code() == word))
    }

    /// Returns the day it is over that began on a day; none where it never is.
    pub fn after(self, day: NaiveDate) -> Option<NaiveDate> {
        match self {
            Interval::Weekly => day.checked_add_days(Days::new(7)),
            Interval::Monthly => day.checked_add_months(Months::new(1)),
            Interval::Quarterly => day.checked_add_months(Months::new(3)),
            Interval::Off => None,
        }
    }
}

impl fmt::Display for Care {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Care {
    type Err = UnknownCare;

    fn from_str(code: &str) -> Result<Care, UnknownCare> {
        TABLE
            .iter()
            .find(|row| row.1 == code)
            .map(|row| row.0)
            .ok_or(UnknownCare)
    }
}

impl Serialize for Care {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Care {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Care, D::Error> {
        let code = String::deserialize(deserializer)?;
        code.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_with_every_separator() {
        use Care::{Disability, ExtremeHardship, LeftBehindChild, SubsistenceAllowance};
        for (typed, tags) in [
            ("留守儿童,低保", vec![LeftBehindChild, SubsistenceAllowance]),
            ("留守儿童、残疾人", vec![LeftBehindChild, Disability]),
            (
                "留守儿童；低保",
                vec![LeftBehindChild, SubsistenceAllowance],
            ),
            ("留守儿童／特困", vec![LeftBehindChild, ExtremeHardship]),
            ("低保 残疾", vec![SubsistenceAllowance, Disability]),
            ("低保，低保户", vec![SubsistenceAllowance]),
            ("特困", vec![ExtremeHardship]),
            ("残疾人（肢体、三级）", vec![Disability]),
            (
                "残疾人(一级)、低保（二类）",
                vec![Care::SevereDisability, SubsistenceAllowance],
            ),
            ("无", vec![]),
            ("一般户", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(
                parse(typed),
                CareWords {
                    tags,
                    refused: vec![]
                },
                "{typed}"
            );
        }
    }

    #[test]
    fn a_word_off_the_list_is_handed_back() {
        let words = parse("留守儿童、重点人员,党员");
        assert_eq!(words.tags, [Care::LeftBehindChild]);
        assert_eq!(words.refused, ["重点人员", "党员"]);
    }

    #[test]
    fn every_tag_is_found_by_its_code_and_by_its_name() {
        assert_eq!(Care::all().count(), 16);
        for care in Care::all() {
            assert_eq!(care.code().parse(), Ok(care));
            assert_eq!(Care::named(care.name()), Some(care));
            assert_eq!(
                serde_json::to_string(&care).unwrap(),
                format!("\"{}\"", care.code())
            );
            let back: Care = serde_json::from_str(&format!("\"{}\"", care.code())).unwrap();
            assert_eq!(back, care);
        }
        assert!("nobody".parse::<Care>().is_err());
    }

    #[test]
    fn no_word_names_two_tags() {
        let mut seen = std::collections::BTreeMap::new();
        for (care, code, name, words) in TABLE {
            for word in words.split(' ').chain([code, name]) {
                assert_eq!(seen.insert(word, care), None, "{word}");
                assert_eq!(Care::named(word), Some(care), "{word}");
            }
        }
    }

    #[test]
    fn the_oldest_alone_and_the_gravely_ill_are_seen_weekly() {
        assert_eq!(
            Care::LivingAloneElder.default_interval(Some(81)),
            Interval::Weekly
        );
        assert_eq!(
            Care::LivingAloneElder.default_interval(Some(80)),
            Interval::Monthly
        );
        assert_eq!(
            Care::LivingAloneElder.default_interval(None),
            Interval::Monthly
        );
        assert_eq!(Care::GraveIllness.default_interval(None), Interval::Weekly);
        assert_eq!(
            Care::LeftBehindChild.default_interval(Some(9)),
            Interval::Monthly
        );
        assert_eq!(
            serde_json::to_string(&Interval::Quarterly).unwrap(),
            "\"quarterly\""
        );
    }
}
