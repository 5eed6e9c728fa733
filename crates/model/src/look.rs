//! What a text must not hold: looked for before it is saved, because history keeps everything.
//!
//! **An identity number and a bank card are never saved**, however they are spaced or written. A
//! telephone number and a word this tool has no business with are pointed out once; whoever typed
//! them decides. Where something stands is kept, never what it says.

mod violence;

use crate::id_number::IdNumber;
use crate::{tables, text};

/// Words of religion, petitions, drugs, prison and illness of the mind, which no note needs; a closed
/// list, and no plain word of a village's day.
const WORDS: [&str; 27] = [
    "上访",
    "信访",
    "缠访",
    "闹访",
    "越级访",
    "信教",
    "宗教",
    "邪教",
    "教徒",
    "法轮",
    "吸毒",
    "涉毒",
    "戒毒",
    "精神病",
    "疯子",
    "刑满",
    "刑释",
    "服刑",
    "坐牢",
    "前科",
    "社区矫正",
    "矫正对象",
    "政治面貌",
    "重点人员",
    "维稳",
    "稳控",
    "艾滋",
];
/// Words of a complaint about somebody who works for the public: it is taken elsewhere.
const COMPLAINTS: [&str; 9] = [
    "网格员态度",
    "网格员打",
    "网格员骂",
    "干部打",
    "干部骂",
    "贪污",
    "受贿",
    "索要好处",
    "吃拿卡要",
];
/// Words of a crime: the police are called, nothing is written here.
const CRIMES: [&str; 6] = ["贩毒", "杀人", "强奸", "拐卖", "绑架", "持刀"];
/// Words of what is kept from whom it is about.
const RESTRICTED: [&str; 6] = ["家暴", "家庭暴力", "虐待", "虐童", "性侵", "猥亵"];
/// Words after which even a few digits are a part of an identity number.
const ID_WORDS: [&str; 4] = ["身份证", "身份号", "公民身份", "证件号"];
/// How far behind such a word a part of a number is looked for, in characters.
const ID_WORD_REACH: usize = 10;
/// The fewest digits that are a part.
const ID_PART_DIGITS_MIN: usize = 4;
/// How many signs may stand between two digits of one number.
const GAP_CHARS_MAX: usize = 2;
/// Fewest and most digits of a bank card.
const CARD_DIGITS: std::ops::RangeInclusive<usize> = 16..=19;
/// Birth years of people who live, for a number whose check digit does not fit.
const LIVING: std::ops::RangeInclusive<u32> = 1900..=2035;

/// What kind of thing was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// An identity number, also one with a slip in it, also of fifteen digits.
    IdNumber,
    /// A part of one, after a word that says so.
    IdPart,
    /// A bank card's number.
    BankCard,
    /// A telephone number: it has a field of its own.
    Phone,
    /// A word this tool must not hold.
    Word,
    /// A complaint about somebody who works for the public.
    Complaint,
    /// A crime.
    Crime,
    /// Family violence, harm to a child: it is recorded as restricted.
    Restricted,
}

/// Where something was found, in characters of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// The first character.
    pub from: usize,
    /// One past the last.
    pub to: usize,
    /// What it is.
    pub sign: Sign,
}

/// A digit of the text, and where it stands.
#[derive(Clone, Copy)]
struct Digit {
    sign: char,
    at: usize,
}

impl Sign {
    /// Returns the stable name.
    pub fn code(self) -> &'static str {
        match self {
            Sign::IdNumber => "id_number",
            Sign::IdPart => "id_part",
            Sign::BankCard => "bank_card",
            Sign::Phone => "phone",
            Sign::Word => "word",
            Sign::Complaint => "complaint",
            Sign::Crime => "crime",
            Sign::Restricted => "restricted",
        }
    }

    /// Says whether it is never saved, whatever the person says.
    pub fn is_never_saved(self) -> bool {
        matches!(self, Sign::IdNumber | Sign::IdPart | Sign::BankCard)
    }
}

/// Returns what stands in a text, by place; what overlaps is one, the worse of the two.
pub fn look(text: &str) -> Vec<Found> {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    for run in runs(&chars) {
        numbers(&run, &mut found);
    }
    parts(text, &chars, &mut found);
    let lists: [(Sign, &[&str]); 4] = [
        (Sign::Crime, &CRIMES),
        (Sign::Word, &WORDS),
        (Sign::Complaint, &COMPLAINTS),
        (Sign::Restricted, &RESTRICTED),
    ];
    for (sign, words) in lists {
        words
            .iter()
            .for_each(|word| word_places(text, word, sign, &mut found));
    }
    found.extend(violence::places(text).into_iter().map(|(from, to)| Found {
        from,
        to,
        sign: Sign::Restricted,
    }));
    without_overlaps(found)
}

/// Returns what must never be saved of a text.
pub fn never_saved(text: &str) -> Vec<Found> {
    let mut found = look(text);
    found.retain(|found| found.sign.is_never_saved());
    found
}

/// Returns the text with what was found made stars, to show where it stood and to type it again.
///
/// Words stay readable: whoever typed them must see which.
pub fn masked(text: &str, found: &[Found]) -> String {
    let hidden = |at: usize| {
        found.iter().any(|found| {
            let number = found.sign.is_never_saved() || found.sign == Sign::Phone;
            number && (found.from..found.to).contains(&at)
        })
    };
    text.chars()
        .enumerate()
        .map(|(at, c)| if hidden(at) { '*' } else { c })
        .collect()
}

/// Returns the text without the clauses in which something was found.
pub fn without(text: &str, found: &[Found]) -> String {
    let mut kept: Vec<String> = Vec::new();
    let mut at = 0;
    for clause in text.split_inclusive(['，', ',', '；', ';', '。', '、', '\n']) {
        let end = at + clause.chars().count();
        if !found.iter().any(|found| found.from < end && at < found.to) {
            kept.push(clause.to_owned());
        }
        at = end;
    }
    let kept = kept.concat();
    kept.trim_end_matches(['，', ',', '；', ';', '、', '\n', ' '])
        .to_owned()
}

/// Returns the digits that belong together: what stands between two of them is at most a gap.
fn runs(chars: &[char]) -> Vec<Vec<Digit>> {
    let mut runs: Vec<Vec<Digit>> = Vec::new();
    let mut last: Option<usize> = None;
    for (at, c) in chars.iter().enumerate() {
        let Some(sign) = digit(*c) else {
            if is_letter(*c) {
                last = None;
            }
            continue;
        };
        let joins = last.is_some_and(|last| at - last <= GAP_CHARS_MAX + 1);
        match runs.last_mut().filter(|_| joins) {
            Some(run) => run.push(Digit { sign, at }),
            None => runs.push(vec![Digit { sign, at }]),
        }
        last = Some(at);
    }
    runs
}

/// Returns the digit a character stands for; `X` too, which ends an identity number.
fn digit(c: char) -> Option<char> {
    const HAN: [char; 11] = [
        '〇', '一', '二', '三', '四', '五', '六', '七', '八', '九', '零',
    ];
    if let Some(value) = HAN.iter().position(|han| *han == c) {
        return char::from_digit(u32::try_from(value % 10).ok()?, 10);
    }
    let folded = text::half_width(c.encode_utf8(&mut [0; 4]));
    folded
        .chars()
        .next()
        .map(|c| c.to_ascii_uppercase())
        .filter(|c| c.is_ascii_digit() || *c == 'X')
}

/// Says whether a character ends a number; signs, gaps and invisible characters do not.
fn is_letter(c: char) -> bool {
    c.is_alphanumeric()
}

fn numbers(run: &[Digit], found: &mut Vec<Found>) {
    let place = |digits: &[Digit], sign| -> Option<Found> {
        let (first, last) = (digits.first()?, digits.last()?);
        Some(Found {
            from: first.at,
            to: last.at + 1,
            sign,
        })
    };
    for window in run.windows(18) {
        if IdNumber::parse(&signs(window)).is_ok() {
            found.extend(place(window, Sign::IdNumber));
        }
    }
    let signs = signs(run);
    let solid = run.windows(2).all(|two| match two {
        [one, next] => next.at == one.at + 1,
        _ => true,
    });
    if is_like_an_id(&signs, solid) {
        found.extend(place(run, Sign::IdNumber));
    } else if is_card(&signs) && (solid || is_in_fours(run)) {
        found.extend(place(run, Sign::BankCard));
    } else if is_phone(&signs) {
        found.extend(place(run, Sign::Phone));
    }
}

fn signs(digits: &[Digit]) -> String {
    digits.iter().map(|digit| digit.sign).collect()
}

/// An identity number with a slip, or one of fifteen digits: its date is one, its check digit is not.
fn is_like_an_id(signs: &str, solid: bool) -> bool {
    let number = |from: usize, to: usize| signs.get(from..to).and_then(|d| d.parse::<u32>().ok());
    let is_date = |month: Option<u32>, day: Option<u32>| {
        month.is_some_and(|month| (1..=12).contains(&month))
            && day.is_some_and(|day| (1..=31).contains(&day))
    };
    let province = number(0, 2).is_some_and(|code| (11..=82).contains(&code));
    let is_area = begins_with_an_area(signs);
    match signs.len() {
        18 => {
            let lives = number(6, 10).is_some_and(|year| LIVING.contains(&year));
            province && !is_area && lives && is_date(number(10, 12), number(12, 14))
        }
        15 => province && solid && !is_area && is_date(number(8, 10), number(10, 12)),
        _ => false,
    }
}

/// A grid's code has fifteen digits too, and a household's number may begin with one.
fn begins_with_an_area(signs: &str) -> bool {
    let village = signs.get(0..12);
    village.is_some_and(|code| tables::division(code).is_some())
}

fn is_card(signs: &str) -> bool {
    let begins = signs.starts_with(['3', '4', '5', '6', '9']);
    CARD_DIGITS.contains(&signs.len()) && begins && !begins_with_an_area(signs) && luhn(signs)
}

/// `6222 0212 3456 7890`: four and four, as cards are printed.
fn is_in_fours(run: &[Digit]) -> bool {
    run.iter()
        .zip(run.iter().skip(1))
        .enumerate()
        .all(|(n, (one, next))| {
            let breaks = next.at != one.at + 1;
            breaks == ((n + 1) % 4 == 0)
        })
}

fn luhn(signs: &str) -> bool {
    let mut sum = 0;
    for (place, c) in signs.chars().rev().enumerate() {
        let Some(digit) = c.to_digit(10) else {
            return false;
        };
        let doubled = digit * 2;
        sum += match place % 2 {
            0 => digit,
            _ if doubled > 9 => doubled - 9,
            _ => doubled,
        };
    }
    sum % 10 == 0
}

fn is_phone(signs: &str) -> bool {
    let is_number = matches!(signs.len(), 11..=13) && !signs.ends_with('X');
    is_number && matches!(crate::phone::Phone::parse(signs), Ok(Some(_)))
}

/// `身份证后四位 9075`: the last digits and a birth month give a number away.
fn parts(text: &str, chars: &[char], found: &mut Vec<Found>) {
    for word in ID_WORDS {
        for (byte, _) in text.match_indices(word) {
            let start = text.get(..byte).map_or(0, |before| before.chars().count());
            let from = start + word.chars().count();
            let near = |run: &&Vec<Digit>| {
                let first = run.first().map_or(0, |digit| digit.at);
                (from..from + ID_WORD_REACH).contains(&first)
            };
            for run in runs(chars).iter().filter(near) {
                let long = run.len() >= ID_PART_DIGITS_MIN;
                if let (true, Some(first), Some(last)) = (long, run.first(), run.last()) {
                    found.push(Found {
                        from: first.at,
                        to: last.at + 1,
                        sign: Sign::IdPart,
                    });
                }
            }
        }
    }
}

fn word_places(text: &str, word: &str, sign: Sign, found: &mut Vec<Found>) {
    for (byte, _) in text.match_indices(word) {
        let from = text.get(..byte).map_or(0, |before| before.chars().count());
        found.push(Found {
            from,
            to: from + word.chars().count(),
            sign,
        });
    }
}

fn without_overlaps(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by_key(|found| (found.sign, found.from));
    let mut kept: Vec<Found> = Vec::new();
    for one in found {
        if !kept.iter().any(|k| k.from < one.to && one.from < k.to) {
            kept.push(one);
        }
    }
    kept.sort();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A made-up number of the region that no card has.
    const ID: &str = "511799196709039075";

    fn codes(text: &str) -> Vec<&'static str> {
        look(text).iter().map(|found| found.sign.code()).collect()
    }

    #[test]
    fn an_identity_number_is_found_however_it_is_written() {
        for text in [
            "511799196709039075",
            "他的号码511799196709039075，已核",
            "5117 9919 6709 0390 75",
            "511799 19670903 9075",
            "511799-19670903-9075",
            "５１１７９９１９６７０９０３９０７５",
            "51179919680822935x",
            "五一一七九九一九六七零九零三九零七五",
            "5117\u{200b}99196709039075",
            "编号0511799196709039075号",
            "511799196709039076",
            "511799670903907",
        ] {
            assert_eq!(codes(text), ["id_number"], "{text}");
            assert!(!never_saved(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_part_of_one_is_found_behind_the_word_that_says_so() {
        for text in ["身份证后四位9075", "身份证尾号 9075", "身份证号：19670903"] {
            assert_eq!(codes(text), ["id_part"], "{text}");
        }
        assert!(look("身份证已过期，3组12号，28天后取").is_empty());
    }

    #[test]
    fn a_card_and_a_phone_are_found_and_told_apart() {
        assert_eq!(codes("打到卡6222021234567890128上"), ["bank_card"]);
        assert_eq!(codes("6222 0212 3456 7890 128"), ["bank_card"]);
        assert_eq!(codes("儿子 138 1234 5678"), ["phone"]);
        assert_eq!(codes("0818-6212345"), ["phone"]);
    }

    #[test]
    fn what_a_village_writes_every_day_is_let_through() {
        for text in [
            "血压高，2026-11-23 复查，收缩压 160/95",
            "工单 0412-0127-6 已办结",
            "网格 511724103202001，户编号 511724103202001023",
            "2026-11-23 2026-12-01 2027-01-15",
            "水表 12345678 号，电表 00123456",
            "一九六七年九月修的房子",
            "下午三点去，四点回",
            "牙齿矫正",
            "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        ] {
            assert!(look(text).is_empty(), "{text}: {:?}", codes(text));
        }
    }

    #[test]
    fn words_are_pointed_out_and_complaints_and_crimes_are_their_own() {
        assert_eq!(codes("去年上访过"), ["word"]);
        assert_eq!(codes("反映网格员态度差"), ["complaint"]);
        assert_eq!(codes("有人贩毒"), ["crime"]);
        assert_eq!(codes("邻居说有家暴"), ["restricted"]);
        assert!(!Sign::Word.is_never_saved());
    }

    #[test]
    fn the_masked_text_is_the_text_to_type_again() {
        let text = "王大爷511799196709039075，信教，电话13812345678";
        let shown = masked(text, &look(text));
        assert_eq!(shown, "王大爷******************，信教，电话***********");
        assert_eq!(without(text, &look(text)), "");
        assert_eq!(
            without("腿脚不便，信教；爱下棋", &look("腿脚不便，信教；爱下棋")),
            "腿脚不便，爱下棋"
        );
    }

    #[test]
    fn what_was_found_holds_no_digit_of_it() {
        let shown = format!("{:?}", look(&format!("身份 {ID}")));
        assert!(!shown.contains("5117"), "{shown}");
    }
}
