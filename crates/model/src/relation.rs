//! Words for a member's relation to the head, turned into GB/T 4761 codes.
//!
//! Rosters write `媳妇` for a daughter-in-law and `孙女` beside a boy. **A relation never overrules a
//! sex**: a person's sex comes from the id number or its own column.

use crate::{tables, text};

/// The code of the head of a household (户主).
pub const HEAD: &str = "02";

/// A word that stands for no relation of the table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown family relation")]
pub struct UnknownRelation {
    /// The word, tidied.
    pub word: String,
}

/// Words in use beside the standard's own names; each line is a code and its words.
const SYNONYMS: [(&str, &str); 66] = [
    ("01", "本人 自己"),
    ("02", "户主 家长 户主本人"),
    ("10", "配偶 爱人 老伴 伴侣 夫妻"),
    ("11", "夫 丈夫 老公"),
    ("12", "妻 妻子 老婆"),
    ("20", "子 儿子 儿 男孩 幺儿 小儿子"),
    ("21", "独生子 独子"),
    ("22", "长子 大儿子 大儿"),
    ("23", "次子 二子 二儿子 二儿"),
    ("24", "三子 三儿子"),
    ("25", "四子 四儿子"),
    ("26", "五子 五儿子"),
    ("27", "养子 继子 养子或继子"),
    ("28", "女婿 婿 上门女婿 入赘女婿"),
    ("30", "女 女儿 闺女 幺女 小女儿"),
    ("31", "独生女 独女"),
    ("32", "长女 大女儿 大女"),
    ("33", "次女 二女 二女儿"),
    ("34", "三女 三女儿"),
    ("35", "四女 四女儿"),
    ("36", "五女 五女儿"),
    ("37", "养女 继女 养女或继女"),
    ("38", "儿媳 媳妇 儿媳妇 媳 长媳 次媳 大儿媳 二儿媳"),
    (
        "40",
        "孙子女 孙辈 孙 孙子孙女 孙子或孙女 外孙子女 孙子女或外孙子女",
    ),
    ("41", "孙子 孙儿 长孙"),
    ("42", "孙女 孙女儿 长孙女"),
    ("43", "外孙子 外孙"),
    ("44", "外孙女 外孙女儿"),
    ("45", "孙媳 孙媳妇 外孙媳妇 外孙媳"),
    ("46", "孙女婿 外孙女婿 孙婿"),
    ("47", "曾孙子 曾孙 重孙 重孙子 曾外孙 曾外孙子 曾孙子女"),
    ("48", "曾孙女 重孙女 曾外孙女"),
    ("50", "父母 父母亲 双亲"),
    ("51", "父亲 父 爸爸 爸"),
    ("52", "母亲 母 妈妈 妈"),
    ("53", "公公 家公"),
    ("54", "婆婆 家婆"),
    ("55", "岳父 丈人"),
    ("56", "岳母 丈母娘"),
    ("57", "继父 养父 继父或养父"),
    ("58", "继母 养母 继母或养母"),
    ("60", "祖父母 外祖父母 祖辈"),
    ("61", "祖父 爷爷"),
    ("62", "祖母 奶奶"),
    ("63", "外祖父 外公 姥爷"),
    ("64", "外祖母 外婆 姥姥"),
    ("66", "曾祖父 太爷爷"),
    ("67", "曾祖母 太奶奶"),
    ("70", "兄弟姐妹 兄弟 姐妹 兄弟姊妹"),
    ("71", "兄 哥哥 哥 兄长 胞兄"),
    ("72", "嫂 嫂子 嫂嫂"),
    ("73", "弟 弟弟 胞弟"),
    ("74", "弟媳 弟妹 弟媳妇"),
    ("75", "姐姐 姐 胞姐"),
    ("77", "妹妹 妹 胞妹"),
    ("81", "伯父 伯伯 大伯 伯"),
    ("83", "叔父 叔叔 叔"),
    ("84", "婶母 婶婶 婶"),
    ("85", "舅父 舅舅 舅"),
    ("86", "舅母 舅妈"),
    ("90", "姑母 姑姑 姑妈"),
    ("91", "堂兄弟 堂姐妹 堂兄 堂弟 堂姐 堂妹"),
    ("92", "表兄弟 表姐妹 表兄 表弟 表姐 表妹 表哥"),
    ("93", "侄子 侄儿 侄"),
    ("97", "其他亲属 亲属 亲戚"),
    ("99", "非亲属 其他非亲属 无亲属关系 保姆"),
];

/// Returns the GB/T 4761 code of a typed word: a code, a standard name or a word in use.
///
/// `户主之妻` and `其妻` are read like `妻`. An empty text is unknown too: whoever calls asks first.
pub fn code_of(typed: &str) -> Result<&'static str, UnknownRelation> {
    let word = text::compact(typed);
    let word = text::without_decimal_zeros(&word);
    lookup(word)
        .or_else(|| lookup(without_possessive(word)?))
        .ok_or_else(|| UnknownRelation {
            word: word.to_owned(),
        })
}

/// Says whether the code names the head: 户主, or 本人 in a sheet that asks for the relation to the head.
pub fn is_head(code: &str) -> bool {
    matches!(code, "01" | "02")
}

/// Says whether the code names a child or a child's child of the head, in-laws not counted.
pub fn is_descendant(code: &str) -> bool {
    match code.as_bytes() {
        [b'2' | b'3', second] => *second != b'8',
        [b'4', second] => !matches!(second, b'5' | b'6'),
        _ => false,
    }
}

fn lookup(word: &str) -> Option<&'static str> {
    if let Some(row) = tables::relation_named(word).or_else(|| tables::relation(word)) {
        return Some(row.code);
    }
    // The only codes with a leading zero, which a spreadsheet drops.
    match word {
        "1" => return Some("01"),
        "2" => return Some("02"),
        _ => {}
    }
    SYNONYMS
        .iter()
        .find(|(_, words)| words.split(' ').any(|synonym| synonym == word))
        .map(|(code, _)| *code)
}

fn without_possessive(word: &str) -> Option<&str> {
    let rest = word
        .strip_prefix("户主")
        .or_else(|| word.strip_prefix('其'))
        .unwrap_or(word);
    let rest = rest.strip_prefix(['之', '的']).unwrap_or(rest);
    (rest != word && !rest.is_empty()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_real_rosters_become_codes() {
        for (word, code) in [
            ("户主", "02"),
            ("配偶", "10"),
            ("老伴", "10"),
            ("爱人", "10"),
            ("妻子", "12"),
            ("丈夫", "11"),
            ("子", "20"),
            ("儿子", "20"),
            ("长子", "22"),
            ("女儿", "30"),
            ("媳妇", "38"),
            ("儿媳", "38"),
            ("女婿", "28"),
            ("孙子女", "40"),
            ("孙子", "41"),
            ("孙女", "42"),
            ("外孙", "43"),
            ("父", "51"),
            ("母", "52"),
            ("母亲", "52"),
            ("奶奶", "62"),
            ("重孙", "47"),
            ("弟弟", "73"),
            ("侄儿", "93"),
            ("非亲属", "99"),
            ("本人", "01"),
        ] {
            assert_eq!(code_of(word), Ok(code), "{word}");
        }
    }

    #[test]
    fn codes_spaces_and_possessives_are_understood() {
        for (typed, code) in [
            ("02", "02"),
            ("2", "02"),
            ("2.0", "02"),
            ("38", "38"),
            (" 儿 媳 ", "38"),
            ("户主之妻", "12"),
            ("户主的儿子", "20"),
            ("其母", "52"),
            ("之女", "30"),
            ("孙子、孙女或外孙子、外孙女", "40"),
        ] {
            assert_eq!(code_of(typed), Ok(code), "{typed}");
        }
    }

    #[test]
    fn an_unknown_word_is_said_not_guessed() {
        for typed in ["表叔公", "朋友", "", "00", "户主家", "3"] {
            assert!(code_of(typed).is_err(), "{typed}");
        }
        assert_eq!(code_of(" 表 叔公").unwrap_err().word, "表叔公");
    }

    #[test]
    fn every_name_of_the_table_is_its_own_word_and_every_synonym_has_one_code() {
        for row in tables::relations() {
            assert_eq!(code_of(row.name), Ok(row.code), "{}", row.name);
        }
        let mut seen = std::collections::BTreeMap::new();
        for (code, words) in SYNONYMS {
            assert!(tables::relation(code).is_some(), "{code}");
            for word in words.split(' ') {
                assert_eq!(seen.insert(word, code), None, "{word} stands twice");
                assert_eq!(code_of(word), Ok(code), "{word}");
            }
        }
    }

    #[test]
    fn descendants_are_children_and_their_children() {
        for code in ["20", "22", "27", "30", "37", "40", "41", "42", "44", "47"] {
            assert!(is_descendant(code), "{code}");
        }
        for code in ["02", "10", "28", "38", "45", "46", "51", "73", "93", ""] {
            assert!(!is_descendant(code), "{code}");
        }
    }
}
