//! A cell that lists a household's members: `薛碧珍/配偶/5117…；龙子轩/孙子女/5117…`.
//!
//! Parts are told apart by **what they are, then by place**: digits are numbers, known words are
//! relations, the rest are names. A part that is none of these is refused, its member kept.

use wangge_model::id_number::IdNumber;
use wangge_model::phone::Phone;
use wangge_model::{relation, text};

use super::reading::{Reason, RosterMember};
use super::refusals::{At, Refusals};

/// Digits from which a run is meant as an identity number rather than a phone.
const ID_DIGITS_MIN: usize = 13;

/// Surnames of two characters, which no one bears as a whole name.
const COMPOUND_SURNAMES: [&str; 16] = [
    "欧阳", "上官", "司马", "诸葛", "尉迟", "令狐", "司徒", "皇甫", "夏侯", "慕容", "东方", "长孙",
    "宇文", "端木", "公孙", "南宫",
];

enum Part {
    Id(IdNumber),
    Phone(String),
    Sex(u8),
    Relation(&'static str),
    Word(String),
    Refused(Reason),
    Nothing,
}

/// Reads the members a cell lists, in its order.
pub(super) fn read(at: At<'_>, refusals: &mut Refusals<'_>) -> Vec<RosterMember> {
    let folded = text::half_width(&at.cell.shown());
    if text::means_none(&folded) {
        return Vec::new();
    }
    let mut members = Vec::new();
    for segment in folded.split([';', '\n', '\r', '。']) {
        let segment = text::tidy(segment);
        if segment.contains('/') {
            for entry in entries(&segment) {
                members.extend(slashed(&entry, at, refusals));
            }
        } else {
            members.extend(loose(&segment, at, refusals));
        }
    }
    members
}

/// Parts one segment into `name/relation/id` entries: by commas or spaces where each side has a slash.
fn entries(segment: &str) -> Vec<String> {
    for separator in [[',', '、'], [' ', ' ']] {
        let pieces: Vec<&str> = segment
            .split(separator)
            .map(str::trim)
            .filter(|piece| !piece.is_empty())
            .collect();
        if pieces.len() > 1 && pieces.iter().all(|piece| piece.contains('/')) {
            return pieces.into_iter().flat_map(entries).collect();
        }
    }
    vec![segment.to_owned()]
}

/// `name/relation/id`, in this order where a part could be two things.
fn slashed(entry: &str, at: At<'_>, refusals: &mut Refusals<'_>) -> Option<RosterMember> {
    let mut member = RosterMember::default();
    let mut said = false;
    for (place, part) in entry.split('/').enumerate() {
        let part = part.trim();
        match classify(part) {
            Part::Nothing => continue,
            Part::Word(word) if member.name.is_empty() && place < 2 => set_name(&mut member, &word),
            Part::Word(word) if member.relation.is_none() && place == 1 => {
                refusals.add(at.row, at.column, &word, Reason::Relation);
            }
            Part::Word(word) => refusals.add(at.row, at.column, &word, Reason::MemberPart),
            known => take(&mut member, known, part, at, refusals),
        }
        said = true;
    }
    if said && member.name.is_empty() {
        refusals.add(at.row, at.column, entry, Reason::NameMissing);
    }
    said.then_some(member)
}

/// Lists without slashes: `张三 配偶 5117…`, `张三（配偶）、李四（子）`, `配偶：张三，子：李四`, `张三、李四`.
fn loose(segment: &str, at: At<'_>, refusals: &mut Refusals<'_>) -> Vec<RosterMember> {
    let mut members = Vec::new();
    let tokens = tokens(segment);
    let relation_first = tokens
        .first()
        .is_some_and(|token| matches!(classify(token), Part::Relation(_)));
    let mut open: Option<RosterMember> = None;
    for token in &tokens {
        match classify(token) {
            Part::Nothing => {}
            Part::Word(word) => match open.as_mut() {
                Some(member) if member.name.is_empty() => set_name(member, &word),
                _ => {
                    members.extend(open.take());
                    let mut member = RosterMember::default();
                    set_name(&mut member, &word);
                    open = Some(member);
                }
            },
            Part::Relation(code) if relation_first => {
                members.extend(open.take());
                open = Some(RosterMember {
                    relation: Some(code.to_owned()),
                    ..RosterMember::default()
                });
            }
            known => take(open.get_or_insert_default(), known, token, at, refusals),
        }
    }
    members.extend(open);
    for _ in members.iter().filter(|member| member.name.is_empty()) {
        refusals.add(at.row, at.column, segment, Reason::NameMissing);
    }
    members
}

/// Words between loose separators; `冯 子轩` is one name, for nobody has a surname only.
fn tokens(segment: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let words = segment
        .split([',', '、', ' ', '(', ')', ':', '-', '|', '[', ']'])
        .map(str::trim)
        .filter(|word| !word.is_empty() && !is_numbering(word));
    for word in words {
        let goes_on = is_given_name(word) && ends_in_surname(&tokens);
        match tokens.last_mut() {
            Some(surname) if goes_on => surname.push_str(word),
            _ => tokens.push(word.to_owned()),
        }
    }
    tokens
}

fn is_given_name(word: &str) -> bool {
    let han = word.chars().filter(|c| text::is_han(*c)).count();
    (1..=3).contains(&han) && word.chars().count() == han && relation::code_of(word).is_err()
}

/// 孙 is a surname and a relation: behind a name it says who that is, elsewhere it begins one.
fn ends_in_surname(tokens: &[String]) -> bool {
    let mut backwards = tokens.iter().rev();
    let Some(last) = backwards.next() else {
        return false;
    };
    let behind_a_name = backwards
        .next()
        .is_some_and(|before| matches!(classify(before), Part::Word(_)));
    let single = last.chars().count() == 1 && last.chars().all(text::is_han);
    COMPOUND_SURNAMES.contains(&last.as_str())
        || (single && (relation::code_of(last).is_err() || (last == "孙" && !behind_a_name)))
}

/// `1` or `2.` before an entry.
fn is_numbering(word: &str) -> bool {
    word.len() <= 3 && word.chars().all(|c| c.is_ascii_digit() || c == '.')
}

fn classify(part: &str) -> Part {
    if text::means_none(part) {
        return Part::Nothing;
    }
    let part = match part.rsplit_once(':') {
        Some((label, value))
            if ["证", "电话", "手机", "关系", "姓名"]
                .iter()
                .any(|word| label.contains(word)) =>
        {
            value
        }
        _ => part,
    };
    let digits = part.chars().filter(char::is_ascii_digit).count();
    if digits >= ID_DIGITS_MIN {
        return match IdNumber::parse(part) {
            Ok(number) => Part::Id(number),
            Err(error) => Part::Refused(error.into()),
        };
    }
    if digits >= 5 {
        return match Phone::parse(part) {
            Ok(Some(phone)) => Part::Phone(phone.as_str().to_owned()),
            _ => Part::Refused(Reason::Phone),
        };
    }
    match part {
        "男" => Part::Sex(1),
        "女" => Part::Sex(2),
        // One of these labels alone, the value being in the next part.
        "姓名" | "关系" | "身份证" | "身份证号" | "电话" => Part::Nothing,
        _ => match relation::code_of(part) {
            Ok(code) => Part::Relation(code),
            Err(_) => Part::Word(part.to_owned()),
        },
    }
}

fn take(
    member: &mut RosterMember,
    part: Part,
    typed: &str,
    at: At<'_>,
    refusals: &mut Refusals<'_>,
) {
    match part {
        Part::Id(number) => {
            member.birth = Some((number.birth_year(), number.birth_month()));
            member.sex = Some(number.sex());
            member.id_number = Some(number);
        }
        Part::Phone(phone) => member.phone = Some(phone),
        Part::Sex(sex) => member.sex = member.sex.or(Some(sex)),
        Part::Relation(code) => member.relation = Some(code.to_owned()),
        Part::Refused(reason) => refusals.add(at.row, at.column, typed, reason),
        Part::Word(_) | Part::Nothing => {}
    }
}

/// Takes the numbering (`1.`, `2、`) and a remark in brackets off a name.
fn set_name(member: &mut RosterMember, word: &str) {
    let numbering = |c: char| c.is_ascii_digit() || matches!(c, '.' | '、' | ' ' | ')');
    let unnumbered = word.trim_start_matches(numbering);
    let word = if unnumbered.is_empty() {
        word
    } else {
        unnumbered
    };
    match word.split_once('(') {
        Some((name, remark)) if !name.trim().is_empty() => {
            member.name = text::person_name(name);
            member.note = remark.trim_end_matches(')').trim().to_owned();
        }
        _ => member.name = text::person_name(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::grid::Cell;

    type Found = Vec<(String, Option<String>, Option<(u16, u8)>)>;

    fn read_cell(typed: &str) -> (Found, Vec<(String, Reason)>) {
        let mut refusals = Refusals::of("s");
        let cell = Cell::Text(typed.to_owned());
        let members = read(
            At {
                row: 0,
                column: 0,
                cell: &cell,
            },
            &mut refusals,
        );
        let found = members
            .into_iter()
            .map(|m| (m.name, m.relation, m.birth))
            .collect();
        (
            found,
            refusals
                .into_list()
                .into_iter()
                .map(|r| (r.value, r.reason))
                .collect(),
        )
    }

    fn member(
        name: &str,
        relation: &str,
        birth: Option<(u16, u8)>,
    ) -> (String, Option<String>, Option<(u16, u8)>) {
        (
            name.to_owned(),
            (!relation.is_empty()).then(|| relation.to_owned()),
            birth,
        )
    }

    #[test]
    fn entries_with_slashes_are_read_whatever_parts_them() {
        let expected = vec![
            member("薛碧珍", "10", Some((1971, 10))),
            member("龙子轩", "40", Some((2012, 7))),
        ];
        for typed in [
            "薛碧珍/配偶/511799197110279245；龙子轩/孙子女/511799201207269114",
            "薛碧珍／配偶／511799197110279245; 龙 子轩/孙子女/511799201207269114",
            "薛碧珍/配偶/511799197110279245\n龙子轩/孙子女/511799201207269114\n",
            "薛碧珍/配偶/511799197110279245、龙子轩/孙子女/511799201207269114",
            "薛碧珍/配偶/511799197110279245 龙子轩/孙子女/511799201207269114",
            "薛碧珍/511799197110279245/配偶；龙子轩/男/孙子女/511799201207269114",
        ] {
            assert_eq!(read_cell(typed), (expected.clone(), vec![]), "{typed}");
        }
    }

    #[test]
    fn lists_without_slashes_are_read() {
        let two = vec![member("张三", "10", None), member("李四", "20", None)];
        for typed in [
            "张三（配偶）、李四（子）",
            "张三 配偶，李四 子",
            "配偶：张三，子：李四",
            "张三-配偶；李四-子",
        ] {
            assert_eq!(read_cell(typed), (two.clone(), vec![]), "{typed}");
        }
        assert_eq!(
            read_cell("张三、李 四、王五六").0,
            [
                member("张三", "", None),
                member("李四", "", None),
                member("王五六", "", None),
            ]
        );
        let gaps = [
            member("孙燕", "38", None),
            member("欧阳思雨", "42", None),
            member("冯大", "40", None),
        ];
        assert_eq!(
            read_cell("孙 燕（媳妇）、欧阳 思雨（孙女）、冯 大 孙").0,
            gaps
        );
        assert_eq!(
            read_cell("薛碧珍，配偶，511799197110279245").0,
            [member("薛碧珍", "10", Some((1971, 10)))]
        );
        assert_eq!(read_cell("无"), (vec![], vec![]));
        assert_eq!(read_cell("1.张三 配偶；2、李四(子)"), (two.clone(), vec![]));
        assert_eq!(read_cell("1.张三/配偶；2、李四/子"), (two, vec![]));
    }

    #[test]
    fn one_bad_part_costs_only_itself() {
        let (members, refused) = read_cell(
            "薛碧珍/表叔公/511799197110279246；/孙子女/511799201207269114；李四/子/无/汉族",
        );
        assert_eq!(
            members,
            [
                member("薛碧珍", "", None),
                member("", "40", Some((2012, 7))),
                member("李四", "20", None),
            ]
        );
        assert_eq!(
            refused,
            [
                ("表叔公".to_owned(), Reason::Relation),
                ("511*************46".to_owned(), Reason::IdChecksum),
                ("/孙子女/511*************14".to_owned(), Reason::NameMissing),
                ("汉族".to_owned(), Reason::MemberPart),
            ]
        );
    }
}
