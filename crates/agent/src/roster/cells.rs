//! One cell's text as a value of the model, or as a refusal the importer can find and mend.
//!
//! **Refusing one value never drops another**: each function here returns what it could read and
//! notes what it could not.

use wangge_model::care;
use wangge_model::care::Care;
use wangge_model::id_number::IdNumber;
use wangge_model::phone::Phone;
use wangge_model::{door, relation, text};

use super::grid::Cell;
use super::looked;
use super::reading::{Reason, Residence};
use super::refusals::{At, Refusals};

/// Reads an identity number; words for none are none.
pub(super) fn id_number(at: At<'_>, refusals: &mut Refusals<'_>) -> Option<IdNumber> {
    if is_absent(at, refusals) {
        return None;
    }
    if at.cell.is_rounded() {
        refusals.at(at, Reason::IdRounded);
        return None;
    }
    match IdNumber::parse(&at.cell.tidy()) {
        Ok(number) => Some(number),
        Err(error) => {
            refusals.at(at, error.into());
            None
        }
    }
}

/// Reads a phone; of several in one cell the first good one is kept.
pub(super) fn phone(at: At<'_>, refusals: &mut Refusals<'_>) -> Option<String> {
    if is_absent(at, refusals) {
        return None;
    }
    let typed = at.cell.tidy();
    if let Ok(phone) = Phone::parse(&typed) {
        return phone.map(|phone| phone.as_str().to_owned());
    }
    let parts: Vec<&str> = typed
        .split(['/', '、', ',', ';', ' ', '\\'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    let mut kept = None;
    if parts.len() > 1 {
        for part in parts {
            match Phone::parse(part) {
                Ok(Some(phone)) if kept.is_none() => kept = Some(phone.as_str().to_owned()),
                Ok(Some(_)) => refusals.add(at.row, at.column, part, Reason::PhoneSecond),
                Ok(None) => {}
                Err(_) => refusals.add(at.row, at.column, part, Reason::Phone),
            }
        }
    } else {
        refusals.at(at, Reason::Phone);
    }
    kept
}

/// Reads a relation as its GB/T 4761 code, 本人 as the head.
pub(super) fn relation(at: At<'_>, refusals: &mut Refusals<'_>) -> Option<String> {
    if is_absent(at, refusals) {
        return None;
    }
    match relation::code_of(&at.cell.tidy()) {
        Ok(code) if relation::is_head(code) => Some(relation::HEAD.to_owned()),
        Ok(code) => Some(code.to_owned()),
        Err(_) => {
            refusals.at(at, Reason::Relation);
            None
        }
    }
}

/// Reads a sex as its GB/T 2261.1 code.
pub(super) fn sex(at: At<'_>, refusals: &mut Refusals<'_>) -> Option<u8> {
    if is_absent(at, refusals) {
        return None;
    }
    let code = match text::compact(&at.cell.tidy()).as_str() {
        "男" | "男性" | "1" | "M" | "m" => 1,
        "女" | "女性" | "2" | "F" | "f" => 2,
        "未知" | "0" => 0,
        _ => {
            refusals.at(at, Reason::Sex);
            return None;
        }
    };
    Some(code)
}

/// Reads a birth year and month.
pub(super) fn birth(at: At<'_>, refusals: &mut Refusals<'_>) -> Option<(u16, u8)> {
    if is_absent(at, refusals) {
        return None;
    }
    let read = match at.cell {
        Cell::Date { year, month, .. } => plausible(*year, *month),
        // 1967.1 as a number may have been typed 1967.10: the spreadsheet drops the zero.
        Cell::Number(number) if number.to_string().ends_with(".1") => None,
        _ => typed_birth(&at.cell.tidy()),
    };
    if read.is_none() {
        refusals.at(at, Reason::Birth);
    }
    read
}

/// Reads how a household lives here.
pub(super) fn residence(at: At<'_>, refusals: &mut Refusals<'_>) -> Option<Residence> {
    if is_absent(at, refusals) {
        return None;
    }
    let read = residence_word(&at.cell.tidy());
    if read.is_none() {
        refusals.at(at, Reason::Residence);
    }
    read
}

/// Returns what a word says of a household's living here.
pub(super) fn residence_word(word: &str) -> Option<Residence> {
    Some(match text::compact(word).as_str() {
        "是" | "常住" | "常住户" | "在家" | "常年在家" | "居住" | "在住" | "自住" | "长期居住"
        | "Y" | "y" | "√" | "1" | "TRUE" => Residence::Resident,
        "否" | "外出" | "整户外出" | "全家外出" | "举家外出" | "长期外出" | "常年外出"
        | "不常住" | "非常住" | "不在家" | "外出务工" | "全家外出务工" | "N" | "n" | "×" | "0"
        | "FALSE" => Residence::Away,
        "空房" | "空置" | "空户" | "无人居住" | "房屋空置" | "闲置" | "空置房" => {
            Residence::Vacant
        }
        "迁出" | "已迁出" | "整户迁出" | "全家迁出" | "搬走" | "已搬走" | "搬迁" | "搬出" => {
            Residence::MovedOut
        }
        _ => return None,
    })
}

/// Reads a list of care words.
pub(super) fn care_words(at: At<'_>, refusals: &mut Refusals<'_>) -> Vec<Care> {
    if is_absent(at, refusals) {
        return Vec::new();
    }
    // The typed text, for line breaks part words as commas do.
    let words = care::parse(&at.cell.shown());
    for word in &words.refused {
        refusals.add(at.row, at.column, word, Reason::Care);
    }
    words.tags
}

/// Reads a cell of a column that stands for one tag: yes, no, or care words.
pub(super) fn care_flag(at: At<'_>, tag: Care, refusals: &mut Refusals<'_>) -> Vec<Care> {
    match yes_or_no(&at.cell.tidy()) {
        Some(true) => vec![tag],
        Some(false) => Vec::new(),
        None => care_words(at, refusals),
    }
}

/// Reads a group; an unreadable one is refused.
pub(super) fn group(at: At<'_>, refusals: &mut Refusals<'_>) -> Option<u16> {
    if is_absent(at, refusals) {
        return None;
    }
    let typed = at.cell.tidy();
    let read = door::group(&typed).or_else(|| door::group_in_address(&typed));
    if read.is_none() {
        refusals.at(at, Reason::Group);
    }
    read
}

/// Reads an address as text; a door turned into a date is refused rather than guessed back.
pub(super) fn address(at: At<'_>, refusals: &mut Refusals<'_>) -> Option<String> {
    if is_absent(at, refusals) {
        return None;
    }
    if matches!(at.cell, Cell::Date { .. }) {
        refusals.at(at, Reason::AddressDate);
        return None;
    }
    Some(at.cell.tidy())
}

/// Reads a name and the remark some put in brackets behind it: `张三（已故）`.
pub(super) fn name(at: At<'_>, refusals: &mut Refusals<'_>) -> (String, String) {
    if is_absent(at, refusals) {
        return (String::new(), String::new());
    }
    let typed = at.cell.tidy();
    if typed.chars().filter(char::is_ascii_digit).count() >= 4 {
        refusals.at(at, Reason::Name);
        return (String::new(), String::new());
    }
    match typed.split_once('(') {
        Some((name, remark)) if !name.trim().is_empty() => {
            let remark = remark.trim_end_matches(')').trim();
            (text::person_name(name), remark.to_owned())
        }
        _ => (text::person_name(&typed), String::new()),
    }
}

/// A remark as typed, taken apart into what the model has a field for and what stays a note.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Remark {
    pub(super) away: bool,
    pub(super) note: String,
}

/// Reads a remark: `外出务工` becomes a field, other words stay as they were typed.
pub(super) fn remark(at: At<'_>, refusals: &mut Refusals<'_>) -> Remark {
    if is_absent(at, refusals) {
        return Remark::default();
    }
    let typed = at.cell.shown();
    let away = typed.split(is_clause_end).any(says_away);
    let is_only_away = |clause: &str| is_away_word(&text::compact(clause));
    let mut kept = Vec::new();
    if typed.split(is_clause_end).any(is_only_away) {
        kept.extend(
            typed
                .split(is_clause_end)
                .filter(|clause| !is_only_away(clause))
                .map(str::trim),
        );
        kept.retain(|clause| !clause.is_empty());
    } else {
        kept.push(typed.trim());
    }
    Remark {
        away,
        note: looked::remark(kept.join("；"), at, refusals),
    }
}

/// Reads a column about working away: yes, no, or where.
pub(super) fn away(at: At<'_>, refusals: &mut Refusals<'_>) -> Remark {
    if is_absent(at, refusals) {
        return Remark::default();
    }
    let word = text::compact(&at.cell.tidy());
    if matches!(
        word.as_str(),
        "在家" | "未外出" | "未" | "返乡" | "已返乡" | "在本地" | "本地"
    ) {
        return Remark::default();
    }
    match yes_or_no(&word) {
        Some(away) => Remark {
            away,
            note: String::new(),
        },
        None if is_away_word(&word) => Remark {
            away: true,
            note: String::new(),
        },
        None => Remark {
            away: true,
            note: looked::remark(at.cell.shown(), at, refusals),
        },
    }
}

/// Returns yes, no, or neither.
fn yes_or_no(word: &str) -> Option<bool> {
    match text::compact(word).as_str() {
        "是" | "有" | "√" | "✓" | "✔" | "Y" | "y" | "Yes" | "yes" | "YES" | "1" | "TRUE" | "对" => {
            Some(true)
        }
        "否" | "无" | "没有" | "×" | "✗" | "✘" | "N" | "n" | "No" | "no" | "NO" | "0" | "FALSE"
        | "-" | "/" | "不是" | "非" => Some(false),
        _ => None,
    }
}

/// Words for none are no value, a failed formula is a refused one.
fn is_absent(at: At<'_>, refusals: &mut Refusals<'_>) -> bool {
    if matches!(at.cell, Cell::Failed(_)) {
        refusals.at(at, Reason::CellError);
        return true;
    }
    text::means_none(&at.cell.tidy())
}

fn is_clause_end(c: char) -> bool {
    matches!(
        c,
        ',' | '，' | '、' | ';' | '；' | '。' | '\n' | '\r' | '/' | ' '
    )
}

fn is_away_word(clause: &str) -> bool {
    matches!(
        clause,
        "外出务工"
            | "外出打工"
            | "在外务工"
            | "在外打工"
            | "外出"
            | "务工"
            | "打工"
            | "外地务工"
            | "外出务工人员"
            | "常年外出务工"
            | "长期外出务工"
            | "常年在外务工"
            | "在外"
            | "常年外出"
            | "长期外出"
    )
}

fn says_away(clause: &str) -> bool {
    let clause = text::compact(clause);
    let denied = ["未", "不", "曾", "返", "回", "原", "前", "无"]
        .iter()
        .any(|word| clause.contains(word));
    is_away_word(&clause) || (!denied && (clause.contains("务工") || clause.contains("打工")))
}

fn plausible(year: u16, month: u8) -> Option<(u16, u8)> {
    ((1850..=2099).contains(&year) && (1..=12).contains(&month)).then_some((year, month))
}

/// `1967-09-03`, `1967.9`, `1967年9月3日`, `196709`, `19670903`.
fn typed_birth(typed: &str) -> Option<(u16, u8)> {
    let typed = text::without_decimal_zeros(typed);
    let mut parts = typed
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty());
    let first = parts.next()?;
    if first.len() == 4 {
        return plausible(first.parse().ok()?, parts.next()?.parse().ok()?);
    }
    let whole = matches!(first.len(), 6 | 8) && parts.next().is_none();
    let (year, month) = (first.get(..4)?, first.get(4..6)?);
    whole.then_some(())?;
    plausible(year.parse().ok()?, month.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T>(
        cell: Cell,
        reader: impl Fn(At<'_>, &mut Refusals<'_>) -> T,
    ) -> (T, Vec<(String, Reason)>) {
        let mut refusals = Refusals::of("s");
        let value = reader(
            At {
                row: 0,
                column: 0,
                cell: &cell,
            },
            &mut refusals,
        );
        (
            value,
            refusals
                .into_list()
                .into_iter()
                .map(|r| (r.value, r.reason))
                .collect(),
        )
    }

    fn typed(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    #[test]
    fn a_refused_identity_number_shows_three_and_two_characters() {
        for (cell, shown, reason) in [
            (
                typed("511799196709039076"),
                "511*************76",
                Reason::IdChecksum,
            ),
            (
                typed("51179919670903 907"),
                "511************07",
                Reason::IdLength,
            ),
            (
                typed("511799670903907"),
                "511**********07",
                Reason::IdFifteenDigits,
            ),
            (
                typed("511799196713039075"),
                "511*************75",
                Reason::IdDate,
            ),
            (
                Cell::Number(511_799_196_709_039_075.0),
                "511*************04",
                Reason::IdRounded,
            ),
        ] {
            let (number, refused) = read(cell, id_number);
            assert_eq!((number, refused), (None, vec![(shown.to_owned(), reason)]));
        }
    }

    #[test]
    fn a_number_hidden_in_another_cell_is_masked_too() {
        let (_, refused) = read(typed("表叔公511799196709039075"), relation);
        assert_eq!(
            refused,
            [("表叔公511*************75".to_owned(), Reason::Relation)]
        );
        let (_, refused) = read(typed("1398047937"), phone);
        assert_eq!(refused, [("1398047937".to_owned(), Reason::Phone)]);
    }

    #[test]
    fn of_two_phones_the_second_is_said() {
        let (kept, refused) = read(typed("13980479377/13980479378"), phone);
        assert_eq!(kept.as_deref(), Some("13980479377"));
        assert_eq!(refused, [("13980479378".to_owned(), Reason::PhoneSecond)]);
        let (kept, refused) = read(typed("1398047937、13980479378"), phone);
        assert_eq!(kept.as_deref(), Some("13980479378"));
        assert_eq!(refused, [("1398047937".to_owned(), Reason::Phone)]);
    }

    #[test]
    fn births_are_read_however_they_were_written() {
        for cell in [
            typed("1967-09-03"),
            typed("1967.9"),
            typed("1967年9月"),
            typed("196709"),
            typed("19670903"),
            typed("1967/9/3"),
            Cell::Number(1967.09),
            Cell::Number(196_709.0),
            Cell::Date {
                year: 1967,
                month: 9,
                day: 3,
            },
        ] {
            assert_eq!(
                read(cell.clone(), birth),
                (Some((1967, 9)), vec![]),
                "{cell:?}"
            );
        }
        for cell in [
            typed("1967"),
            typed("九月"),
            typed("1967-13"),
            Cell::Number(1967.1),
            Cell::Number(1967.0),
        ] {
            assert_eq!(read(cell.clone(), birth).0, None, "{cell:?}");
        }
        assert_eq!(read(typed("1967.1"), birth).0, Some((1967, 1)));
        assert_eq!(read(Cell::Number(1967.01), birth).0, Some((1967, 1)));
    }

    #[test]
    fn working_away_is_a_field_and_the_rest_of_a_remark_a_note() {
        let remark_of = |text| read(typed(text), remark).0;
        let expected = |away, note: &str| Remark {
            away,
            note: note.to_owned(),
        };
        assert_eq!(remark_of("外出务工"), expected(true, ""));
        assert_eq!(remark_of("外出务工，春节回家"), expected(true, "春节回家"));
        assert_eq!(remark_of("在广东务工"), expected(true, "在广东务工"));
        assert_eq!(remark_of("未外出务工"), expected(false, "未外出务工"));
        assert_eq!(
            remark_of("家有恶犬，敲门要大声"),
            expected(false, "家有恶犬，敲门要大声")
        );
        assert_eq!(remark_of("无"), expected(false, ""));
        let away_of = |text| read(typed(text), away).0;
        assert_eq!(away_of("是"), expected(true, ""));
        assert_eq!(away_of("否"), expected(false, ""));
        assert_eq!(away_of("在家"), expected(false, ""));
        assert_eq!(away_of("广东东莞"), expected(true, "广东东莞"));
    }

    #[test]
    fn names_lose_gaps_and_brackets() {
        let name_of = |text| read(typed(text), name).0;
        assert_eq!(name_of("冯 子轩"), ("冯子轩".to_owned(), String::new()));
        assert_eq!(
            name_of("张三（已故）"),
            ("张三".to_owned(), "已故".to_owned())
        );
        assert_eq!(read(typed("511799196709039075"), name).1.len(), 1);
    }

    #[test]
    fn a_failed_formula_is_refused_in_every_column() {
        let failed = || Cell::Failed("#N/A".to_owned());
        assert_eq!(
            read(failed(), phone).1,
            [("#N/A".to_owned(), Reason::CellError)]
        );
        assert_eq!(
            read(failed(), name).1,
            [("#N/A".to_owned(), Reason::CellError)]
        );
    }
}
