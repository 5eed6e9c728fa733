//! Typed text in the form everything else compares: half width, single spaces, names without gaps.
//!
//! Folding is for codes, numbers and words that are looked up. **Notes are never folded**: what a
//! person wrote stays as they wrote it.

/// The dots that stand for `·` in transcribed names.
const NAME_DOTS: [char; 4] = ['•', '・', '‧', '∙'];

/// Returns the text with full-width digits, letters, signs and spaces made half width.
///
/// Dashes of every kind become `-`, because a door is typed with whichever one the keyboard offers.
pub fn half_width(text: &str) -> String {
    text.chars().map(half_width_char).collect()
}

/// Returns the half-width text without invisible characters, trimmed, with single spaces.
pub fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !is_invisible(*c)) {
        let c = half_width_char(c);
        let c = if c.is_control() { ' ' } else { c };
        if c.is_whitespace() {
            if !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
            }
        } else {
            out.push(c);
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// Returns a note as it was typed: its characters, wide ones too, without control and invisible signs
/// and without white space at the ends of its lines.
pub fn note(text: &str) -> String {
    let clean: String = text
        .replace("\r\n", "\n")
        .chars()
        .filter(|c| !is_invisible(*c))
        .map(|c| if c == '\t' { ' ' } else { c })
        .filter(|c| *c == '\n' || !c.is_control())
        .collect();
    let lines: Vec<&str> = clean.lines().map(str::trim_end).collect();
    lines.join("\n").trim().to_owned()
}

/// Returns a [`note`] in one line: a subject, what was lent.
pub fn line(text: &str) -> String {
    let note = note(text);
    let lines = note.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}

/// Returns the tidied text without any white space, for codes and words that never hold one.
pub fn compact(text: &str) -> String {
    tidy(text).replace(' ', "")
}

/// Returns a person's name: tidied, and without the spaces that sheets put inside Han names.
///
/// Spaces between Latin words stay. The dot inside a transcribed name becomes `·` (U+00B7), which
/// keyboards and fonts write in five ways.
pub fn person_name(text: &str) -> String {
    let dotted = tidy(text).replace(NAME_DOTS, "·");
    let mut out = String::with_capacity(dotted.len());
    let mut chars = dotted.chars().peekable();
    let mut previous = None;
    while let Some(c) = chars.next() {
        let gap_in_han = c == ' '
            && previous.is_some_and(is_name_han)
            && chars.peek().copied().is_some_and(is_name_han);
        if !gap_in_han {
            out.push(c);
            previous = Some(c);
        }
    }
    out
}

/// Says whether the character is a Chinese character, rare ones (𠮷 㛃 䶮) and `〇` included.
pub fn is_han(c: char) -> bool {
    matches!(c,
        '\u{3007}'
        | '\u{3400}'..='\u{4DBF}'
        | '\u{4E00}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{323AF}')
}

/// Returns the number written in digits (`12`, `１２`, `12.0`) or Chinese numerals (`十二`) up to 999.
///
/// A spreadsheet keeps whole numbers as `12.0`. Digits strung together without a unit (`一二`) are
/// no number here: `三四组` means two groups.
pub fn numeral(text: &str) -> Option<u16> {
    let typed = compact(text);
    let whole = without_decimal_zeros(&typed);
    if !whole.is_empty() && whole.chars().all(|c| c.is_ascii_digit()) {
        return whole.parse().ok();
    }
    chinese_numeral(whole)
}

/// Returns `12` for `12.0`: how a spreadsheet hands over a whole number.
pub fn without_decimal_zeros(text: &str) -> &str {
    match text.split_once('.') {
        Some((whole, zeros))
            if !whole.is_empty()
                && whole.chars().all(|c| c.is_ascii_digit())
                && !zeros.is_empty()
                && zeros.chars().all(|c| c == '0') =>
        {
            whole
        }
        _ => text,
    }
}

/// Says whether the whole text is a word for "there is none": `无`, `没有`, `-`, `/`.
pub fn means_none(text: &str) -> bool {
    matches!(
        compact(text).as_str(),
        "" | "无"
            | "没有"
            | "暂无"
            | "無"
            | "-"
            | "--"
            | "---"
            | "/"
            | "\\"
            | "—"
            | "――"
            | "无此项"
    )
}

fn half_width_char(c: char) -> char {
    match c {
        '\u{3000}' | '\u{00A0}' => ' ',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FE63}' => '-',
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c).saturating_sub(0xFEE0)).unwrap_or(c),
        other => other,
    }
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}' | '\u{FEFF}')
}

fn is_name_han(c: char) -> bool {
    is_han(c) || c == '·'
}

/// `[X百][零][Y十][Z]`, with the leading one of `十二` left out and banker's numerals accepted.
fn chinese_numeral(text: &str) -> Option<u16> {
    let (mut total, mut digit, mut last_unit) = (0_u16, None, 1000_u16);
    let mut seen = false;
    for c in text.chars() {
        if matches!(c, '零' | '〇') {
            if digit.is_some() {
                return None;
            }
            seen = true;
        } else if let Some(value) = chinese_digit(c) {
            if digit.is_some() || last_unit == 1 {
                return None;
            }
            digit = Some(value);
            seen = true;
        } else {
            let unit = chinese_unit(c)?;
            if unit >= last_unit {
                return None;
            }
            let factor = match digit.take() {
                Some(value) => value,
                None if unit == 10 => 1,
                None => return None,
            };
            total = total.checked_add(factor.checked_mul(unit)?)?;
            last_unit = unit;
            seen = true;
        }
    }
    if !seen {
        return None;
    }
    total.checked_add(digit.unwrap_or(0))
}

fn chinese_digit(c: char) -> Option<u16> {
    Some(match c {
        '一' | '壹' => 1,
        '二' | '两' | '贰' => 2,
        '三' | '叁' => 3,
        '四' | '肆' => 4,
        '五' | '伍' => 5,
        '六' | '陆' => 6,
        '七' | '柒' => 7,
        '八' | '捌' => 8,
        '九' | '玖' => 9,
        _ => return None,
    })
}

fn chinese_unit(c: char) -> Option<u16> {
    match c {
        '十' | '拾' => Some(10),
        '百' | '佰' => Some(100),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_width_digits_letters_and_signs_become_half_width() {
        assert_eq!(
            half_width("１３８ＡＢｃ（），：；－／　。"),
            "138ABc(),:;-/ 。"
        );
        assert_eq!(half_width("３—１２"), "3-12");
    }

    #[test]
    fn tidying_trims_and_keeps_single_spaces() {
        assert_eq!(tidy("  大竹县 \u{3000}\t 乌木镇\n"), "大竹县 乌木镇");
        assert_eq!(tidy("\u{FEFF}姓名\u{200B}"), "姓名");
        assert_eq!(tidy("   "), "");
        assert_eq!(compact(" 户 主　"), "户主");
    }

    #[test]
    fn a_note_keeps_its_characters() {
        let typed = "血压高，头晕；已劝就医。（全角）ＡＢＣ１２３";
        assert_eq!(note(typed), typed);
        assert_eq!(note("　 两  格 \t\r\n第二行 \u{7}\n\n"), "两  格\n第二行");
        assert_eq!(line("修路灯 \n\n 三盏"), "修路灯 三盏");
        assert_eq!(note(" \n\t　"), "");
    }

    #[test]
    fn a_han_name_loses_its_gaps_and_a_latin_name_keeps_them() {
        assert_eq!(person_name("冯 子轩"), "冯子轩");
        assert_eq!(person_name("王　 刚"), "王刚");
        assert_eq!(person_name("𠮷 㛃"), "𠮷㛃");
        assert_eq!(person_name("John  Smith"), "John Smith");
        assert_eq!(
            person_name("阿依 ・ 买买提"),
            "阿依 · 买买提".replace(' ', "")
        );
    }

    #[test]
    fn rare_characters_are_han() {
        for c in ['张', '𠮷', '㛃', '䶮', '〇'] {
            assert!(is_han(c), "{c}");
        }
        for c in ['a', '1', '·', '、', '（'] {
            assert!(!is_han(c), "{c}");
        }
    }

    #[test]
    fn numerals_are_read_up_to_999() {
        let pairs = [
            ("一", 1),
            ("十", 10),
            ("十二", 12),
            ("二十", 20),
            ("二十三", 23),
            ("九十九", 99),
            ("一百零五", 105),
            ("一百二十三", 123),
            ("两", 2),
            ("拾贰", 12),
            ("12", 12),
            ("１２", 12),
            ("12.0", 12),
            ("1.00", 1),
            ("007", 7),
            ("〇", 0),
        ];
        for (typed, number) in pairs {
            assert_eq!(numeral(typed), Some(number), "{typed}");
        }
    }

    #[test]
    fn what_is_no_numeral_is_none() {
        for typed in [
            "",
            "一二",
            "三四",
            "十十",
            "百",
            "1.5",
            "二十三号",
            "a",
            ".0",
            "十一二",
            "99999",
        ] {
            assert_eq!(numeral(typed), None, "{typed}");
        }
    }

    #[test]
    fn words_for_none_are_none() {
        for typed in ["无", " 没有 ", "-", "－", "/", "", "——"] {
            assert!(means_none(typed), "{typed}");
        }
        assert!(!means_none("无人在家"));
    }
}
