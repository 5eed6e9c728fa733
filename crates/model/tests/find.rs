//! What workers type and whom it must find, through the rows a store keeps and the probes it runs.

use std::collections::BTreeMap;
use std::ops::Bound;

use ::pinyin::ToPinyin;
use proptest::prelude::*;
use wangge_model::door::Door;
use wangge_model::find::{self, Closeness, Kind, Match, Probe, Query, Rank, Row, SearchKeys};
use wangge_model::pinyin;

/// A stand-in for a store's table: rows of households in the order of a B-tree over (kind, key).
#[derive(Default)]
struct Rows(BTreeMap<(Kind, String, usize), u16>);

impl Rows {
    fn of_names(names: &[&str]) -> Rows {
        let mut rows = Rows::default();
        for (household, name) in names.iter().enumerate() {
            let mut keys = SearchKeys::new();
            keys.add_person(name);
            rows.keep(household, &keys);
        }
        rows
    }

    fn keep(&mut self, household: usize, keys: &SearchKeys) {
        for row in keys.rows() {
            self.0.insert((row.kind, row.key, household), row.place);
        }
    }

    /// Runs the probes as a store does: a range where the probe has a beginning, a scan otherwise.
    fn find(&self, typed: &str) -> Vec<(usize, Rank)> {
        let query = Query::parse(typed);
        let mut best: BTreeMap<usize, Rank> = BTreeMap::new();
        for (probe, position) in query.probes().iter().zip(0..) {
            for (household, place) in self.hits(probe) {
                let rank = probe.rank(position, place);
                let kept = best.entry(household).or_insert(rank);
                *kept = rank.min(*kept);
            }
        }
        let mut found: Vec<(usize, Rank)> = best.into_iter().collect();
        found.sort_by_key(|(household, rank)| (*rank, *household));
        found
    }

    fn hits(&self, probe: &Probe) -> Vec<(usize, u16)> {
        let start = (probe.kind, probe.key.clone(), 0);
        let end = match probe.how {
            Match::Exact => (probe.kind, probe.key.clone(), usize::MAX),
            Match::Prefix => (probe.kind, probe.prefix_end(), 0),
            Match::Contains => {
                let rows = self.0.iter();
                let hits = rows.filter(|(row, _)| probe.matches(row.0, &row.1));
                return hits.map(|(row, place)| (row.2, *place)).collect();
            }
        };
        self.0
            .range((Bound::Included(start), Bound::Included(end)))
            .map(|(row, place)| (row.2, *place))
            .collect()
    }
}

fn closeness(typed: &str, name: &str) -> Option<Closeness> {
    Rows::of_names(&[name])
        .find(typed)
        .first()
        .map(|(_, rank)| rank.closeness)
}

#[test]
fn what_workers_type_finds_the_name_exactly() {
    let pairs = [
        ("zxh", "曾小红"),
        ("zengxiaohong", "曾小红"),
        ("sxh", "单小红"),
        ("shxh", "单小红"),
        ("shanxiaohong", "单小红"),
        ("qdh", "仇大海"),
        ("qiudahai", "仇大海"),
        ("lfs", "刘福生"),
        ("xiezhen", "解珍"),
        ("xz", "解珍"),
        ("zhagl", "查桂兰"),
        ("rzq", "任志强"),
        ("rzhq", "任志强"),
        ("gejun", "盖军"),
        ("qxl", "覃秀兰"),
        ("txl", "覃秀兰"),
        ("qinxiulan", "覃秀兰"),
        ("tanxiulan", "覃秀兰"),
        ("piaochengji", "朴成基"),
        ("oudm", "区大明"),
        ("yuezhenguo", "乐振国"),
        ("zhaidegui", "翟德贵"),
        ("didegui", "翟德贵"),
        ("miaoying", "缪英"),
        ("ycg", "尉迟恭"),
        ("yuchigong", "尉迟恭"),
        ("linghuchong", "令狐冲"),
        ("lhc", "令狐冲"),
        ("oyxh", "欧阳小红"),
        ("ouyangxh", "欧阳小红"),
        ("moqiming", "万俟明"),
        ("shgwe", "上官婉儿"),
        ("zhugeliang", "诸葛亮"),
        ("zhgl", "诸葛亮"),
        ("zgl", "诸葛亮"),
        ("zsf", "张淑芬"),
        ("zhangsf", "张淑芬"),
        ("张sf", "张淑芬"),
        ("张淑f", "张淑芬"),
        ("张淑芬", "张淑芬"),
        ("张 淑芬", "张淑芬"),
        ("ＺＳＦ", "张淑芬"),
        ("ｚｈａｎｇ　ｓｆ", "张淑芬"),
        ("Zhang Shu'fen", "张淑芬"),
        ("lvying", "吕英"),
        ("lüying", "吕英"),
        ("wangyan", "王䶮"),
        ("wy", "王䶮"),
        ("王䶮", "王䶮"),
        ("chenji", "陈𠮷"),
        ("陈𠮷", "陈𠮷"),
        ("陈j", "陈𠮷"),
        ("lijie", "李㛃"),
        ("ayiguli", "阿依·古丽"),
        ("阿依古丽", "阿依·古丽"),
        ("阿依•古丽", "阿依·古丽"),
    ];
    for (typed, name) in pairs {
        assert_eq!(
            closeness(typed, name),
            Some(Closeness::Exact),
            "{typed} → {name}"
        );
    }
}

#[test]
fn a_beginning_finds_the_name() {
    for (typed, name) in [
        ("z", "曾小红"),
        ("zx", "曾小红"),
        ("zengx", "曾小红"),
        ("sh", "单小红"),
        ("shanx", "单小红"),
        ("张", "张淑芬"),
        ("张s", "张淑芬"),
        ("张shuf", "张淑芬"),
        ("覃xiu", "覃秀兰"),
        ("欧阳", "欧阳小红"),
        ("𠮷", "𠮷田小红"),
    ] {
        assert_eq!(
            closeness(typed, name),
            Some(Closeness::Prefix),
            "{typed} → {name}"
        );
    }
}

#[test]
fn what_sounds_alike_in_sichuan_finds_the_name() {
    for (typed, name) in [
        ("lfs", "牛福生"),
        ("liufusheng", "牛福生"),
        ("niuhusen", "刘福生"),
        ("zangsufen", "张淑芬"),
        ("zhengxiaohong", "曾小红"),
        ("cenyin", "陈英"),
        ("fuhaiyan", "胡海燕"),
        ("hf", "胡海"),
        ("luying", "吕英"),
        ("qinggang", "秦刚"),
        ("zenan", "郑安"),
        ("zengan", "郑安"),
        ("shxh", "孙小红"),
        ("zongfuasan", "钟华山"),
    ] {
        assert_eq!(
            closeness(typed, name),
            Some(Closeness::Fuzzy),
            "{typed} → {name}"
        );
    }
}

#[test]
fn a_part_of_the_written_name_finds_it_last() {
    assert_eq!(closeness("小红", "曾小红"), Some(Closeness::Contains));
    assert_eq!(closeness("㛃", "李㛃"), Some(Closeness::Contains));
    for (typed, name) in [
        ("xh", "曾小红"),
        ("xiaohong", "曾小红"),
        ("hong", "曾小红"),
        ("wei", "张伟"),
        ("gong", "尉迟恭"),
    ] {
        let found = closeness(typed, name);
        assert_eq!(found, Some(Closeness::Contains), "{typed} → {name}");
    }
}

#[test]
fn surnames_with_a_reading_of_their_own_are_found_by_it_and_not_by_the_common_one() {
    for (surname, own, common) in [
        ("单", "shan", "dan"),
        ("解", "xie", "jie"),
        ("曾", "zeng", "ceng"),
        ("仇", "qiu", "chou"),
        ("查", "zha", "cha"),
        ("盖", "ge", "jie"),
        ("区", "ou", "qv"),
        ("任", "ren", "lin"),
        ("华", "hua", "he"),
        ("朴", "piao", "pu"),
        ("尉", "wei", "lei"),
        ("乐", "yue", "lao"),
        ("翟", "zhai", "di4"),
        ("缪", "miao", "mou"),
        ("种", "chong", "zhong"),
    ] {
        let name = format!("{surname}家明");
        let exact = Some(Closeness::Exact);
        assert_eq!(closeness(&format!("{own}jiaming"), &name), exact, "{name}");
        let initial = own.chars().next().unwrap();
        assert_eq!(closeness(&format!("{initial}jm"), &name), exact, "{name}");
        assert_ne!(
            closeness(&format!("{common}jiaming"), &name),
            exact,
            "{name}"
        );
    }
}

#[test]
fn a_households_number_finds_it_after_its_door() {
    let mut rows = Rows::default();
    for (household, (door, number)) in [("3-8", "12"), ("3-12", "8"), ("3-9", "A-012")]
        .into_iter()
        .enumerate()
    {
        let mut keys = SearchKeys::new();
        keys.add_door(&Door::parse(door, ""));
        keys.add_number(number);
        rows.keep(household, &keys);
    }
    let found = |typed: &str| -> Vec<usize> { rows.find(typed).iter().map(|one| one.0).collect() };
    assert_eq!(found("12"), [1, 0]);
    assert_eq!(found("A-012"), [2]);
    assert_eq!(Query::parse("三组").group(), Some(3));
    assert_eq!(Query::parse("3组12号").group(), None);
}

#[test]
fn what_is_somebody_else_is_not_found() {
    for (typed, name) in [
        ("dxh", "单小红"),
        ("cengxh", "曾小红"),
        ("yujianguo", "王建国"),
        ("yuele", "张乐乐"),
        ("wxg", "王小红"),
        ("李", "张英"),
        ("张sf", "赵淑芬"),
        ("zxhm", "曾小红"),
        ("12", "张三"),
        ("1234", "张三"),
        ("", "张三"),
        ("%", "张三"),
        ("_", "张三"),
    ] {
        assert_eq!(closeness(typed, name), None, "{typed} → {name}");
    }
}

#[test]
fn the_sound_itself_stands_before_what_sounds_alike() {
    let rows = Rows::of_names(&["牛福生", "刘福生", "刘福生平"]);
    let found: Vec<usize> = rows
        .find("lfs")
        .into_iter()
        .map(|(household, _)| household)
        .collect();
    assert_eq!(found, [1, 2, 0]);
}

#[test]
fn the_head_stands_before_other_members() {
    let mut rows = Rows::default();
    for (household, people) in [["李英", "张淑芬"], ["张淑芬", "李英"]]
        .into_iter()
        .enumerate()
    {
        let mut keys = SearchKeys::new();
        people.iter().for_each(|name| keys.add_person(name));
        rows.keep(household, &keys);
    }
    for typed in ["zsf", "zhangshufen", "张淑芬", "张", "zangsufen", "淑"] {
        let found = rows.find(typed);
        assert_eq!(found.len(), 2, "{typed}");
        assert_eq!((found[0].0, found[0].1.place), (1, 0), "{typed}");
        assert_eq!((found[1].0, found[1].1.place), (0, 1), "{typed}");
    }
}

fn streets() -> Rows {
    let mut rows = Rows::default();
    for (household, (address, group, phone)) in [
        ("12号", "三组", "13812345678"),
        ("120号", "3", "0818-6212345"),
        ("12号", "8组", "无"),
        ("老街 茶馆背后", "三组", "139 0000 4567"),
        ("12号附1号", "3组", ""),
        ("李家湾3组12号", "", "1234"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut keys = SearchKeys::new();
        keys.add_door(&Door::parse(address, group));
        keys.add_phone(phone);
        rows.keep(household, &keys);
    }
    rows
}

#[test]
fn a_door_is_found_however_it_is_typed() {
    let rows = streets();
    let found = |typed: &str| -> Vec<usize> { rows.find(typed).iter().map(|one| one.0).collect() };
    for typed in [
        "3-12",
        "３－１２",
        "03-012",
        "三组12号",
        "3组12号",
        "第三组十二号",
        "三组 12 号",
    ] {
        assert_eq!(found(typed)[..3], [0, 1, 4], "{typed}");
    }
    assert_eq!(found("3组"), [0, 1, 3, 4, 5]);
    assert_eq!(found("三组"), [0, 1, 3, 4, 5]);
    assert_eq!(found("12"), [0, 2, 1, 4]);
    assert_eq!(found("12号")[..2], [0, 2]);
    assert_eq!(found("3-12附1"), [4]);
    assert_eq!(found("茶馆"), [3]);
    assert_eq!(found("李家湾"), [5]);
    assert_eq!(found("8-12"), [2]);
}

#[test]
fn a_phone_is_found_by_its_tail_and_whole() {
    let rows = streets();
    let found = |typed: &str| -> Vec<usize> { rows.find(typed).iter().map(|one| one.0).collect() };
    assert_eq!(found("5678"), [0]);
    assert_eq!(found("４５６７"), [3]);
    for typed in [
        "13812345678",
        "138 1234 5678",
        "138-1234-5678",
        "+8613812345678",
        "138123",
    ] {
        assert_eq!(found(typed), [0], "{typed}");
    }
    for typed in [
        "2345",
        "6212345",
        "08186212345",
        "0818-6212345",
        "0818 6212345",
    ] {
        assert_eq!(found(typed), [1], "{typed}");
    }
    assert_eq!(found("678"), Vec::<usize>::new());
    assert_eq!(found("1381"), Vec::<usize>::new());
}

#[test]
fn a_nickname_finds_the_person_added_last() {
    let mut keys = SearchKeys::new();
    keys.add_person("张三");
    keys.add_person("李英");
    keys.add_nickname("乐乐");
    let mut rows = Rows::default();
    rows.keep(0, &keys);
    assert_eq!(rows.find("lele")[0].1.place, 1);
    assert_eq!(rows.find("乐乐")[0].1.place, 1);
}

#[test]
fn keys_of_five_thousand_names_stay_small() {
    // A store keeps every key: what a name costs is bounded, not only how long it takes.
    let given: Vec<char> = "和那行重乐华长朝盛兴荣德贵志强淑芬秀兰建国小红"
        .chars()
        .collect();
    let (mut names, mut rows) = (0_usize, 0_usize);
    for surname in ["王", "单", "覃", "欧阳", "曾", "石", "牟", "隗", "尉迟"] {
        for one in &given {
            for two in &given {
                let mut keys = SearchKeys::new();
                keys.add_person(&format!("{surname}{one}{two}"));
                names += 1;
                rows += keys.rows().count();
            }
        }
    }
    assert!(names > 4_700, "{names}");
    assert!(rows / names < 30, "{rows} rows for {names} names");
}

fn surname() -> impl Strategy<Value = (&'static str, &'static str)> {
    prop::sample::select(vec![
        ("王", "wang"),
        ("李", "li"),
        ("张", "zhang"),
        ("陈", "chen"),
        ("牛", "niu"),
        ("黄", "huang"),
        ("石", "shi"),
        ("吕", "lv"),
        ("曾", "zeng"),
        ("单", "shan"),
        ("覃", "tan"),
        ("覃", "qin"),
        ("尉迟", "yuchi"),
        ("令狐", "linghu"),
        ("𠮷", "ji"),
    ])
}

/// Any character that the pinyin data can spell, and its commonest reading.
fn given_character() -> impl Strategy<Value = (char, String)> {
    (0x3400_u32..0x9FFF).prop_filter_map("has no pinyin", |code| {
        let c = char::from_u32(code)?;
        let reading = c.to_pinyin()?.plain().replace('ü', "v").replace('ê', "e");
        Some((c, reading))
    })
}

fn spelled_name() -> impl Strategy<Value = (String, String, String)> {
    (surname(), prop::collection::vec(given_character(), 1..4)).prop_map(|((han, read), given)| {
        let name = han.chars().chain(given.iter().map(|one| one.0)).collect();
        let full = read.to_owned() + &given.iter().map(|one| one.1.as_str()).collect::<String>();
        let first = match read {
            "yuchi" => "yc".to_owned(),
            "linghu" => "lh".to_owned(),
            other => other.chars().take(1).collect(),
        };
        let initials = first
            + &given
                .iter()
                .filter_map(|one| one.1.chars().next())
                .collect::<String>();
        (name, full, initials)
    })
}

proptest! {
    #[test]
    fn every_name_finds_itself((name, full, initials) in spelled_name()) {
        for typed in [&name, &full, &initials] {
            prop_assert_eq!(closeness(typed, &name), Some(Closeness::Exact), "{} → {}", typed, &name);
        }
    }

    #[test]
    fn every_beginning_of_a_name_finds_it((name, full, initials) in spelled_name()) {
        for typed in [&name, &full, &initials] {
            for length in 1..typed.chars().count() {
                let begun: String = typed.chars().take(length).collect();
                let found = closeness(&begun, &name);
                prop_assert!(found.is_some_and(|one| one <= Closeness::Prefix), "{} → {}", begun, &name);
            }
        }
    }

    #[test]
    fn a_name_spelled_by_ear_is_found((name, full, initials) in spelled_name()) {
        for typed in [pinyin::fold(&full), initials.replace('n', "l").replace('h', "f")] {
            prop_assert!(closeness(&typed, &name).is_some(), "{} → {}", typed, &name);
        }
    }

    #[test]
    fn folding_a_syllable_twice_changes_nothing((_, syllable) in given_character()) {
        let once = pinyin::fold(&syllable);
        prop_assert_eq!(pinyin::fold(&once), once);
    }

    #[test]
    fn whatever_is_typed_or_named_does_no_harm(name in any::<String>(), typed in any::<String>()) {
        let mut keys = SearchKeys::new();
        keys.add_person(&name);
        keys.add_nickname(&name);
        keys.add_phone(&name);
        keys.add_door(&Door::parse(&name, ""));
        let query = Query::parse(&typed);
        prop_assert!(query.probes().is_sorted_by_key(Probe::closeness));
        for row in keys.rows() {
            find::rank(&query, &row);
        }
    }

    #[test]
    fn a_row_ranks_alone_as_it_ranks_in_a_range((name, full, initials) in spelled_name()) {
        let mut keys = SearchKeys::new();
        keys.add_person(&name);
        let rows: Vec<Row> = keys.rows().collect();
        for typed in [&name, &full, &initials] {
            let query = Query::parse(typed);
            let alone = rows.iter().filter_map(|row| find::rank(&query, row)).min();
            let ranged = Rows::of_names(&[&name]).find(typed).first().map(|one| one.1);
            prop_assert_eq!(alone, ranged);
        }
    }
}
