//! The code tables in English: the tables themselves are Chinese, as the standards they come from.
//!
//! **A code without an English word is shown as the table names it**, never left out; a test looks for
//! such codes.

use super::Lang;

/// Relations of GB/T 4761 by code.
const RELATIONS: &[(&str, &str)] = &[
    ("01", "self"),
    ("02", "head"),
    ("10", "spouse"),
    ("11", "husband"),
    ("12", "wife"),
    ("20", "son"),
    ("21", "only son"),
    ("22", "eldest son"),
    ("23", "second son"),
    ("24", "third son"),
    ("25", "fourth son"),
    ("26", "fifth son"),
    ("27", "adopted son or stepson"),
    ("28", "son-in-law"),
    ("29", "another son"),
    ("30", "daughter"),
    ("31", "only daughter"),
    ("32", "eldest daughter"),
    ("33", "second daughter"),
    ("34", "third daughter"),
    ("35", "fourth daughter"),
    ("36", "fifth daughter"),
    ("37", "adopted daughter or stepdaughter"),
    ("38", "daughter-in-law"),
    ("39", "another daughter"),
    ("40", "grandchild"),
    ("41", "son's son"),
    ("42", "son's daughter"),
    ("43", "daughter's son"),
    ("44", "daughter's daughter"),
    ("45", "grandson's wife"),
    ("46", "granddaughter's husband"),
    ("47", "great-grandson"),
    ("48", "great-granddaughter"),
    ("49", "another grandchild"),
    ("50", "parent"),
    ("51", "father"),
    ("52", "mother"),
    ("53", "husband's father"),
    ("54", "husband's mother"),
    ("55", "wife's father"),
    ("56", "wife's mother"),
    ("57", "stepfather or adoptive father"),
    ("58", "stepmother or adoptive mother"),
    ("59", "another parent"),
    ("60", "grandparent"),
    ("61", "father's father"),
    ("62", "father's mother"),
    ("63", "mother's father"),
    ("64", "mother's mother"),
    ("65", "spouse's grandparent"),
    ("66", "great-grandfather"),
    ("67", "great-grandmother"),
    ("68", "spouse's great-grandparent"),
    ("69", "another grandparent"),
    ("70", "brother or sister"),
    ("71", "elder brother"),
    ("72", "elder brother's wife"),
    ("73", "younger brother"),
    ("74", "younger brother's wife"),
    ("75", "elder sister"),
    ("76", "elder sister's husband"),
    ("77", "younger sister"),
    ("78", "younger sister's husband"),
    ("79", "another brother or sister"),
    ("80", "other"),
    ("81", "father's elder brother"),
    ("82", "wife of father's elder brother"),
    ("83", "father's younger brother"),
    ("84", "wife of father's younger brother"),
    ("85", "mother's brother"),
    ("86", "wife of mother's brother"),
    ("87", "husband of mother's sister"),
    ("88", "mother's sister"),
    ("89", "husband of father's sister"),
    ("90", "father's sister"),
    ("91", "cousin on the father's side"),
    ("92", "cousin of another line"),
    ("93", "brother's son"),
    ("94", "brother's daughter"),
    ("95", "sister's son"),
    ("96", "sister's daughter"),
    ("97", "another relative"),
    ("99", "no relative"),
];

/// Domains of the event table by their letter.
const DOMAINS: &[(&str, &str)] = &[
    ("A", "services"),
    ("B", "disputes"),
    ("C", "hazards"),
    ("D", "public facilities"),
    ("E", "environment"),
    ("F", "care"),
    ("G", "opinions"),
    ("H", "policies"),
    ("I", "emergencies"),
    ("Z", "other"),
];

/// Subtypes of the event table by code; `99` is other everywhere.
const SUBTYPES: &[(&str, &str)] = &[
    ("A01", "education"),
    ("A02", "social insurance"),
    ("A03", "work"),
    ("A04", "health care"),
    ("A05", "housing"),
    ("A06", "transport"),
    ("A07", "papers"),
    ("A08", "services to firms"),
    ("A09", "marriage, birth, adoption"),
    ("A10", "public affairs"),
    ("B01", "marriage and family"),
    ("B02", "neighbours"),
    ("B03", "environment"),
    ("B04", "building work"),
    ("B05", "property management"),
    ("B06", "labour"),
    ("B07", "land taken and houses pulled down"),
    ("B08", "houses and building plots"),
    ("B09", "the village's money and property"),
    ("B10", "forest and land"),
    ("B11", "village affairs"),
    ("B12", "traffic and safety at work"),
    ("B13", "contracts"),
    ("C01", "fire"),
    ("C02", "electricity and gas"),
    ("C03", "unsafe houses"),
    ("C04", "roads"),
    ("C05", "waters"),
    ("C06", "landslides"),
    ("C07", "food and medicine"),
    ("C08", "around schools"),
    ("D01", "street lamps"),
    ("D02", "manhole covers"),
    ("D03", "fire equipment"),
    ("D04", "power lines"),
    ("D05", "wells and water supply"),
    ("D06", "exercise equipment"),
    ("D07", "bridges"),
    ("D08", "railings"),
    ("D09", "signs"),
    ("D10", "public toilets"),
    ("D11", "rubbish bins"),
    ("D12", "trees along roads"),
    ("D13", "notice boards"),
    ("D14", "dykes"),
    ("D15", "damaged village roads"),
    ("D16", "ponds, channels and pumps"),
    ("E01", "rubbish lying about"),
    ("E02", "heaps of rubble"),
    ("E03", "dirty roads"),
    ("E04", "dirty waters"),
    ("E05", "burning"),
    ("E06", "sewage"),
    ("E07", "dead animals"),
    ("F01", "hardship"),
    ("F02", "change of health"),
    ("F03", "lack of care"),
    ("F04", "comfort"),
    ("F05", "back to school"),
    ("G01", "suggestions"),
    ("G02", "praise"),
    ("G03", "wishes about policies"),
    ("H01", "questions about policies"),
    ("H02", "public events"),
    ("I01", "fire"),
    ("I02", "flood"),
    ("I03", "landslide"),
    ("I04", "somebody hurt"),
    ("I05", "somebody missing"),
    ("I06", "no water or power"),
];

impl Lang {
    /// Returns the word of a relation's code; the code itself where the table has none.
    pub(crate) fn relation(self, code: &str) -> &str {
        let english = RELATIONS.iter().find(|(known, _)| *known == code);
        match (self, english) {
            (Lang::En, Some((_, english))) => english,
            _ => wangge_agent::tables::relation(code).map_or(code, |known| known.name),
        }
    }

    /// Returns domain and subtype of a category's code; the code itself where the table has none.
    pub(crate) fn category(self, code: &str) -> String {
        match self {
            Lang::Zh => wangge_agent::tables::event(code).map_or_else(
                || code.to_owned(),
                |known| match known.domain == known.subtype {
                    true => known.domain.to_owned(),
                    false => format!("{}/{}", known.domain, known.subtype),
                },
            ),
            Lang::En => english(code).unwrap_or_else(|| Lang::Zh.category(code)),
        }
    }

    /// Returns a door, or a line that begins with one, as people of this language say it: masked it is a
    /// village group.
    pub(crate) fn placed(self, text: &str) -> String {
        let group = text.split_once('组').filter(|(group, _)| {
            !group.is_empty() && group.bytes().all(|digit| digit.is_ascii_digit())
        });
        match (self, group) {
            (Lang::En, Some((group, rest))) => format!("group {group}{rest}"),
            _ => text.to_owned(),
        }
    }
}

fn english(code: &str) -> Option<String> {
    let letter = code.get(..1)?;
    let (_, domain) = DOMAINS.iter().find(|(known, _)| *known == letter)?;
    if code.ends_with("99") {
        return Some(match letter {
            "Z" => (*domain).to_owned(),
            _ => format!("{domain}/other"),
        });
    }
    let (_, subtype) = SUBTYPES.iter().find(|(known, _)| *known == code)?;
    Some(format!("{domain}/{subtype}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(table: &str) -> Vec<&str> {
        let lines = table.lines().skip(1);
        lines.filter_map(|line| line.split(',').next()).collect()
    }

    #[test]
    fn every_code_of_the_tables_has_an_english_word() {
        for code in codes(include_str!("../../../../fixtures/relations.csv")) {
            assert!(Lang::En.relation(code).is_ascii(), "{code}");
        }
        for code in codes(include_str!("../../../../fixtures/events.csv")) {
            assert!(Lang::En.category(code).is_ascii(), "{code}");
        }
        assert_eq!(Lang::En.category("D01"), "public facilities/street lamps");
        assert_eq!(Lang::En.category("Z99"), "other");
        assert_eq!(Lang::Zh.relation("02"), "户主");
    }

    #[test]
    fn a_village_group_is_said_in_the_readers_language() {
        assert_eq!(Lang::En.placed("3组 王**"), "group 3 王**");
        assert_eq!(Lang::Zh.placed("3组 王**"), "3组 王**");
        assert_eq!(Lang::En.placed("3-12"), "3-12");
    }
}
