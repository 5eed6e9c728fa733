//! What a worker types to mean a name: initials, the full spelling, and how Sichuan ears mix sounds.
//!
//! **Both sides fold the same way**: what is indexed and what is typed pass through one [`fold`], so
//! a name is always found by its own spelling. A character nobody can spell stays as it is.

mod given;
mod surnames;

use std::borrow::Cow;
use std::collections::BTreeSet;

use ::pinyin::{Pinyin, ToPinyinMulti};

use crate::text;

/// Readings kept of a character that has more; the data lists the commonest first.
const READINGS_MAX: usize = 3;
/// Combinations of readings kept of a name.
const COMBINATIONS_MAX: usize = 12;
/// Characters of a name that are spelled; longer names of people are not known.
const SPELLED_MAX: usize = 24;

/// The spellings of one name, each list sorted and without doubles, letters in lower case, ü as `v`.
///
/// It has no `Debug`, because it says who lives somewhere.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct NameKeys {
    /// First letters (`sxh`), and with zh, ch, sh as two letters (`shxh`).
    pub initials: Vec<String>,
    /// Whole spellings without spaces or tones (`shanxiaohong`).
    pub full: Vec<String>,
    /// Folded initials and folded whole spellings; see [`fold`].
    pub fuzzy: Vec<String>,
    /// A beginning in full, then initials: `张sf`, `张淑f`, `zhangsf`.
    pub mixed: Vec<String>,
    /// The given name from each of its characters on, in its commonest reading: `shufen`, `fen`; and
    /// `sf` where it has several.
    pub given: Vec<String>,
}

/// Returns the keys of a person's name: the surname as surnames are read, then all readings.
///
/// Readings that no name has (红 gong) are left out. At most 3 readings a character and 12 combinations a name are kept.
pub fn keys(name: &str) -> NameKeys {
    NameKeys::of(&spell(name, true))
}

/// Says whether two characters are a surname of two: 欧阳.
pub fn is_compound_surname(first: char, second: char) -> bool {
    surnames::compound(first, second).is_some()
}

/// Returns the keys of a 小名, which has no surname: 乐乐 is `lele`, never `yuele`.
pub fn nickname_keys(nickname: &str) -> NameKeys {
    NameKeys::of(&spell(nickname, false))
}

/// Returns a full spelling with the sounds made equal that Sichuan speech does not tell apart.
///
/// zh ch sh become z c s; n before a vowel becomes l; h becomes f; ing and eng become in and en; ü
/// (`v`) becomes u, as it is often typed. A g before a vowel belongs to the next syllable (`qingang`
/// is qin-gang). Folding twice changes nothing; anything but small letters stays as it is.
pub fn fold(full: &str) -> String {
    let mut out = String::with_capacity(full.len());
    let mut previous = ' ';
    let mut rest = full.chars();
    while let Some(c) = rest.next() {
        let mut ahead = rest.clone();
        let (next, after_next) = (ahead.next(), ahead.next());
        match c {
            'z' | 'c' | 's' if next == Some('h') => {
                out.push(c);
                rest.next();
            }
            'n' if matches!(previous, 'i' | 'e')
                && next == Some('g')
                && !after_next.is_some_and(is_vowel) =>
            {
                out.push('n');
                rest.next();
            }
            'n' if next.is_some_and(is_vowel) => out.push('l'),
            'h' => out.push('f'),
            'v' => out.push('u'),
            other => out.push(other),
        }
        previous = c;
    }
    out
}

/// Returns typed initials folded, in each way they can be meant: `shx` is 孙海霞 or 石霞.
pub fn fold_initials(typed: &str) -> Vec<String> {
    let every_letter: String = typed.chars().map(fold_initial).collect();
    let mut two_as_one = String::with_capacity(typed.len());
    let mut previous = ' ';
    for c in typed.chars() {
        if !(c == 'h' && matches!(previous, 'z' | 'c' | 's')) {
            two_as_one.push(fold_initial(c));
        }
        previous = c;
    }
    if two_as_one == every_letter {
        vec![every_letter]
    } else {
        vec![two_as_one, every_letter]
    }
}

impl NameKeys {
    fn of(spelled: &[Spelled]) -> NameKeys {
        let surname_chars = spelled.iter().filter(|one| one.surname).count();
        let mut initials = BTreeSet::new();
        let mut full = BTreeSet::new();
        let mut fuzzy = BTreeSet::new();
        let mut mixed = BTreeSet::new();
        let mut given = BTreeSet::new();
        for readings in combinations(spelled) {
            let whole = readings.concat();
            // The last n or ng of a character may meet a vowel: 郑安 is typed `zhengan`, `zen`, `zenan`.
            let by_character: String = readings.iter().map(|one| fold(one)).collect();
            fuzzy.insert(fold(&whole));
            fuzzy.insert(fold(&by_character));
            fuzzy.insert(by_character);
            fuzzy.insert(
                readings
                    .iter()
                    .filter_map(|one| folded_initial(one))
                    .collect(),
            );
            if given.is_empty() && (1..spelled.len()).contains(&surname_chars) {
                let alone: Vec<&str> = readings.iter().skip(surname_chars).copied().collect();
                given.extend(
                    (0..alone.len()).map(|from| alone.iter().skip(from).copied().collect()),
                );
                if alone.len() > 1 {
                    given.extend(initials_of(&alone));
                }
            }
            full.insert(whole);
            initials.extend(initials_of(&readings));
            initials.insert(initials_with_long_surname(&readings, surname_chars));
            for known in 1..spelled.len() {
                let written: String = spelled
                    .iter()
                    .take(known)
                    .map(|one| one.written.as_str())
                    .collect();
                mixed.extend(after(&written, readings.iter().skip(known)));
            }
            if (1..spelled.len()).contains(&surname_chars) {
                let surname: String = readings.iter().take(surname_chars).copied().collect();
                mixed.extend(after(&surname, readings.iter().skip(surname_chars)));
            }
        }
        NameKeys {
            initials: listed(initials),
            full: listed(full),
            fuzzy: listed(fuzzy),
            mixed: listed(mixed),
            given: listed(given),
        }
    }
}

/// One character of a name, or one word of Latin letters, with the ways to spell it.
struct Spelled {
    written: String,
    readings: Vec<Cow<'static, str>>,
    surname: bool,
}

impl Spelled {
    fn listed(written: char, readings: surnames::Readings) -> Spelled {
        Spelled {
            written: written.into(),
            readings: readings.iter().map(|one| Cow::Borrowed(*one)).collect(),
            surname: true,
        }
    }

    /// A surname that is not in our table has its commonest reading alone.
    fn lone_surname(written: char) -> Spelled {
        if let Some(readings) = surnames::single(written) {
            return Spelled::listed(written, readings);
        }
        let mut spelled = Spelled::any(written);
        if spelled.readings.first().is_some_and(|one| one.is_ascii()) {
            spelled.readings.truncate(1);
        }
        spelled.surname = true;
        spelled
    }

    /// A character without pinyin is also spelled as nothing: nobody can type it.
    fn any(written: char) -> Spelled {
        let mut readings = readings_of(written);
        if readings.is_empty() {
            readings = vec![Cow::Owned(written.into()), Cow::Borrowed("")];
        }
        Spelled {
            written: written.into(),
            readings,
            surname: false,
        }
    }

    fn latin(word: String) -> Spelled {
        Spelled {
            written: word.clone(),
            readings: vec![Cow::Owned(word)],
            surname: false,
        }
    }
}

/// Spells a name character by character; Latin words stay whole and signs (`·`) fall out.
fn spell(name: &str, with_surname: bool) -> Vec<Spelled> {
    let name = text::person_name(name).to_lowercase();
    let mut rest = name.chars().take(SPELLED_MAX).peekable();
    let mut spelled = Vec::new();
    if with_surname && let Some(first) = rest.next_if(|c| text::is_han(*c)) {
        let pair = rest
            .peek()
            .and_then(|second| surnames::compound(first, *second));
        match (pair, pair.and_then(|_| rest.next())) {
            (Some([one, two]), Some(second)) => {
                spelled.extend([Spelled::listed(first, one), Spelled::listed(second, two)]);
            }
            _ => spelled.push(Spelled::lone_surname(first)),
        }
    }
    while let Some(c) = rest.next() {
        if c.is_ascii_alphanumeric() {
            let mut word = String::from(c);
            while let Some(more) = rest.next_if(char::is_ascii_alphanumeric) {
                word.push(more);
            }
            spelled.push(Spelled::latin(word));
        } else if !(c.is_ascii() || matches!(c, '·')) {
            spelled.push(Spelled::any(c));
        }
    }
    spelled
}

/// Toneless readings of a character, commonest first: the crate repeats those that differ in tone.
fn readings_of(c: char) -> Vec<Cow<'static, str>> {
    if let Some(reading) = rare_reading(c) {
        return vec![Cow::Borrowed(reading)];
    }
    let mut readings: Vec<Cow<'static, str>> = Vec::new();
    for reading in c.to_pinyin_multi().into_iter().flatten().map(Pinyin::plain) {
        let reading = if reading.is_ascii() {
            Cow::Borrowed(reading)
        } else {
            Cow::Owned(reading.replace('ü', "v").replace('ê', "e"))
        };
        if !readings.contains(&reading) {
            readings.push(reading);
        }
        if readings.len() == READINGS_MAX || given::has_one_reading(c) {
            break;
        }
    }
    readings
}

/// Characters of people's names that pinyin data leaves out or has left out.
fn rare_reading(c: char) -> Option<&'static str> {
    match c {
        '𠮷' => Some("ji"),
        '㛃' => Some("jie"),
        '䶮' => Some("yan"),
        _ => None,
    }
}

/// All ways to read the name, with fewer readings of the later characters where they are too many.
fn combinations(spelled: &[Spelled]) -> Vec<Vec<&str>> {
    let mut kept: Vec<usize> = spelled.iter().map(|one| one.readings.len()).collect();
    while kept.iter().product::<usize>() > COMBINATIONS_MAX {
        let most = kept.iter().copied().max().unwrap_or(1);
        match kept.iter_mut().rev().find(|count| **count == most) {
            Some(count) => *count = most.saturating_sub(1),
            None => break,
        }
    }
    let mut combinations = vec![Vec::with_capacity(spelled.len())];
    for (one, count) in spelled.iter().zip(kept) {
        combinations = combinations
            .into_iter()
            .flat_map(|begun: Vec<&str>| {
                one.readings.iter().take(count).map(move |reading| {
                    let mut longer = begun.clone();
                    longer.push(reading.as_ref());
                    longer
                })
            })
            .collect();
    }
    combinations
}

/// `zzg` and `zhzhg` for 赵志刚.
fn initials_of(readings: &[&str]) -> [String; 2] {
    [
        readings
            .iter()
            .filter_map(|one| one.chars().next())
            .collect(),
        readings.iter().map(|one| long_initial(one)).collect(),
    ]
}

/// `zhzg` for 赵志刚.
fn initials_with_long_surname(readings: &[&str], surname_chars: usize) -> String {
    let surname = readings
        .iter()
        .take(surname_chars)
        .map(|one| long_initial(one));
    let given = readings.iter().skip(surname_chars);
    surname
        .chain(given.map(|one| one.chars().take(1).collect()))
        .collect()
}

/// What is written out, then the initials of the rest.
fn after<'a>(written: &str, rest: impl Iterator<Item = &'a &'a str>) -> [String; 2] {
    let rest: Vec<&str> = rest.copied().collect();
    initials_of(&rest).map(|initials| format!("{written}{initials}"))
}

fn long_initial(reading: &str) -> String {
    let mut chars = reading.chars();
    let (first, second) = (chars.next(), chars.next());
    let long = matches!((first, second), (Some('z' | 'c' | 's'), Some('h')));
    first.into_iter().chain(second.filter(|_| long)).collect()
}

fn folded_initial(reading: &str) -> Option<char> {
    reading.chars().next().map(fold_initial)
}

fn fold_initial(c: char) -> char {
    match c {
        'n' => 'l',
        'h' => 'f',
        other => other,
    }
}

fn is_vowel(c: char) -> bool {
    matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'v')
}

fn listed(keys: BTreeSet<String>) -> Vec<String> {
    keys.into_iter().filter(|key| !key.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(name: &str) -> Vec<String> {
        keys(name).full
    }

    #[test]
    fn irregular_surnames_are_read_as_surnames() {
        for (name, spelled) in [
            ("单小红", "shanxiaohong"),
            ("仇英", "qiuying"),
            ("解珍", "xiezhen"),
            ("查英", "zhaying"),
            ("曾英", "zengying"),
            ("任英", "renying"),
            ("朴英", "piaoying"),
            ("缪英", "miaoying"),
            ("繁英", "poying"),
            ("卜英", "buying"),
            ("都英", "duying"),
            ("薄英", "boying"),
            ("乜英", "nieying"),
            ("阚英", "kanying"),
            ("种英", "chongying"),
            ("折英", "sheying"),
            ("洗英", "xianying"),
            ("佴英", "naiying"),
            ("尉迟英", "yuchiying"),
            ("万俟英", "moqiying"),
            ("令狐英", "linghuying"),
            ("长孙英", "zhangsunying"),
            ("澹台英", "tantaiying"),
            ("欧阳英", "ouyangying"),
        ] {
            assert_eq!(full(name), [spelled], "{name}");
        }
    }

    #[test]
    fn doubtful_surnames_have_these_readings_and_no_others() {
        let table = "盖 gai ge|区 ou qu|乐 le yue|员 yuan yun|黑 he hei|秘 bi mi|冼 xian|尹 yin|幺 yao|\
            逄 pang|召 shao zhao|纪 ji|华 hua|过 guo|教 jiao|那 na|宁 ning|曲 qu|燕 yan|应 ying|占 zhan|\
            车 che|干 gan|哈 ha|蒙 meng|宓 fu mi|彭 peng|祭 ji zhai|晟 cheng sheng|石 shi|殷 yin|訾 zi|\
            柏 bai|冯 feng|沈 shen|盛 sheng|贾 jia|万 wan|叶 ye|费 bi fei|郗 chi xi|翟 di zhai|吕 lv|汤 tang";
        for line in table.split('|') {
            let mut words = line.split_whitespace();
            let surname = words.next().unwrap();
            assert_eq!(full(surname), words.collect::<Vec<_>>(), "{surname}");
        }
    }

    #[test]
    fn a_surname_that_families_read_in_two_ways_has_both() {
        assert_eq!(full("覃英"), ["qinying", "tanying"]);
        assert_eq!(full("翟英"), ["diying", "zhaiying"]);
        assert_eq!(full("隗英"), ["kuiying", "weiying"]);
        assert_eq!(full("牟英"), ["mouying", "muying"]);
        assert_eq!(full("谌英"), ["chenying", "shenying"]);
        assert_eq!(full("单于飞"), ["chanyufei", "shanyufei"]);
    }

    #[test]
    fn a_regular_surname_has_one_reading_and_a_given_name_all() {
        assert_eq!(full("王英"), ["wangying"]);
        assert_eq!(full("方曾"), ["fangceng", "fangzeng"]);
        assert_eq!(
            nickname_keys("乐乐").full,
            ["lele", "leyue", "yuele", "yueyue"]
        );
    }

    #[test]
    fn retroflex_initials_may_be_typed_with_two_letters() {
        assert_eq!(keys("单小红").initials, ["shxh", "sxh"]);
        assert_eq!(keys("赵志英").initials, ["zhzhy", "zhzy", "zzy"]);
    }

    #[test]
    fn a_beginning_in_full_may_be_followed_by_initials() {
        assert_eq!(
            keys("张淑芬").mixed,
            ["zhangsf", "zhangshf", "张sf", "张shf", "张淑f"]
        );
        assert!(keys("欧阳小英").mixed.contains(&"ouyangxy".to_owned()));
        assert!(keys("英").mixed.is_empty());
    }

    #[test]
    fn rare_characters_are_spelled_or_stay() {
        assert_eq!(full("𠮷㛃䶮"), ["jijieyan"]);
        // U+323AF, the last of its block, has no reading in any table.
        assert_eq!(full("王\u{323AF}英"), ["wangying", "wang\u{323AF}ying"]);
        assert_eq!(keys("\u{323AF}").initials, ["\u{323AF}"]);
    }

    #[test]
    fn latin_words_dots_and_umlauts_are_spelled() {
        assert_eq!(keys("John  Smith").initials, ["js"]);
        assert_eq!(full("Ｊohn Smith"), ["johnsmith"]);
        assert_eq!(full("阿依·古丽"), ["ayiguli"]);
        assert!(full("吕英").contains(&"lvying".to_owned()));
        assert!(keys("") == NameKeys::default());
        assert!(keys(" · ") == NameKeys::default());
    }

    #[test]
    fn no_name_has_more_than_twelve_readings() {
        let name: String = "行".repeat(200);
        let combinations = combinations(&spell(&name, true)).len();
        assert!(
            (1..=COMBINATIONS_MAX).contains(&combinations),
            "{combinations}"
        );
        assert!(full("那和那和").len() <= COMBINATIONS_MAX);
    }

    #[test]
    fn sounds_that_sichuan_does_not_tell_apart_fold_together() {
        for (one, other) in [
            ("zhangsan", "zangshan"),
            ("chenhu", "cengfu"),
            ("niulan", "liunan"),
            ("yinghong", "yinfong"),
            ("zhengfu", "zenhu"),
            ("lvying", "luyin"),
            ("qingang", "qinggang"),
        ] {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
        for (one, other) in [
            ("lan", "lang"),
            ("jin", "jian"),
            ("gan", "han"),
            ("jianan", "jialang"),
        ] {
            assert_ne!(fold(one), fold(other), "{one} {other}");
        }
        assert_eq!(fold("zhong华h"), "zong华f");
    }

    #[test]
    fn folded_initials_take_zh_as_one_letter_or_two() {
        assert_eq!(fold_initials("nfs"), ["lfs"]);
        assert_eq!(fold_initials("shx"), ["sx", "sfx"]);
    }

    #[test]
    fn tables_hold_each_surname_once() {
        // Each entry is reachable: a second entry for a character would be shadowed.
        let source = include_str!("pinyin/surnames.rs");
        let mut seen = BTreeSet::new();
        for line in source.lines().filter(|line| line.starts_with("    (")) {
            let surname = line.split(['"', '&']).next();
            assert!(seen.insert(surname), "{line}");
        }
        assert!(seen.len() > 150);
    }
}
