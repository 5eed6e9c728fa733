//! Which row is the header, and what each column means: by vocabulary, never by place.
//!
//! The rule it keeps: **a header that is not understood is left behind**, so that a column this tool
//! has no business with (民族, 宗教, 收入 …) can never slip in under another name.

use std::collections::BTreeMap;

use wangge_model::care::Care;
use wangge_model::text;

use super::grid::{Cell, Sheet};
use super::reading::{Layout, Meaning};

/// Rows with any cell that are looked at for a header.
const ROWS_SEARCHED: usize = 60;
/// Meanings a row must name to be a header, a name among them.
const MEANINGS_MIN: usize = 2;

/// The header of a sheet: where it is and what it says.
#[derive(Debug, Clone)]
pub(super) struct Header {
    /// The last header row; data begins below.
    pub(super) row: u32,
    pub(super) layout: Layout,
    /// Understood columns: meaning to column. One column a meaning.
    columns: BTreeMap<Meaning, u32>,
    /// The header texts of all columns that have one, as written.
    texts: BTreeMap<u32, String>,
    /// What a repetition of the header would show in each column, compact.
    labels: Vec<BTreeMap<u32, String>>,
}

/// Words for each meaning, the one to prefer first where a sheet has two such columns.
const VOCABULARY: [(Meaning, &str); 19] = [
    (
        Meaning::Number,
        "户编号 户号 家庭编号 户序号 户籍编号 户籍号 户口编号 农户编号 家庭户号 户主编号 户口簿编号",
    ),
    (Meaning::Serial, "序号 编号 顺序号 No no NO NO. No. no."),
    (
        Meaning::Group,
        "村民小组 组别 组 小组 所属组 所在组 所属小组 所在小组 所属村民小组 村组 社别 社 组号 组名",
    ),
    (
        Meaning::Address,
        "门牌号 门牌 门牌号码 房号 住址 家庭住址 现住址 现居住地址 居住地址 现居住地 常住地址 详细地址 家庭地址 \
         地址 住所 户籍地址 户籍所在地 户籍地",
    ),
    (
        Meaning::Name,
        "姓名 成员姓名 家庭成员姓名 人员姓名 村民姓名 居民姓名 名字 家庭成员基本信息姓名",
    ),
    (Meaning::HeadName, "户主姓名 户主 户主名字 户主名 家长姓名"),
    (
        Meaning::Relation,
        "与户主关系 与户主的关系 和户主关系 同户主关系 与户主之关系 户主关系 与家庭户主关系 关系 家庭关系 成员关系 称谓 \
         与户主",
    ),
    (Meaning::Sex, "性别"),
    (
        Meaning::Birth,
        "出生年月 出生日期 出生年月日 生日 出生时间 出生",
    ),
    (
        Meaning::IdNumber,
        "公民身份号码 身份证号码 身份证号 身份证 居民身份证号码 居民身份证号 公民身份证号码 公民身份证号 身份号码 \
         证件号码 证件号 成员身份证号码 成员身份证号 家庭成员身份证号码 家庭成员身份证号",
    ),
    (
        Meaning::HeadIdNumber,
        "户主身份证号码 户主身份证号 户主身份证 户主公民身份号码 户主证件号码 户主身份号码",
    ),
    (
        Meaning::Phone,
        "联系电话 手机 手机号码 手机号 电话 电话号码 联系方式 移动电话 本人电话 本人联系电话 联系号码 家庭电话 联系手机",
    ),
    (
        Meaning::HeadPhone,
        "户主联系电话 户主电话 户主手机 户主手机号 户主手机号码 户主联系方式 户主电话号码",
    ),
    (
        Meaning::Care,
        "类别 帮扶类型 帮扶类别 关爱类型 关爱类别 关爱对象 重点关爱对象 关爱对象类型 关爱对象类别 人员类别 对象类别 \
         人群类别 困难类型 困难类别 救助类型 救助类别 帮扶对象类型 关爱标签",
    ),
    (Meaning::Remark, "备注 说明 备注说明 其他说明 情况说明"),
    (
        Meaning::Residence,
        "是否常住 常住 常住情况 居住情况 居住状态 是否在家 在家情况 常住状态 居住状况 是否居住",
    ),
    (
        Meaning::Away,
        "外出务工 外出 是否外出 是否外出务工 务工 务工情况 外出情况 外出务工情况 是否务工 外出人员",
    ),
    (
        Meaning::Members,
        "家庭成员 成员 家庭成员信息 家庭成员情况 成员信息 成员情况 共同生活成员 家庭成员名单 家庭成员基本情况 其他成员 \
         家庭其他成员 其他家庭成员",
    ),
    (
        Meaning::Size,
        "家庭人口 家庭人口数 人口 人口数 人数 家庭人数 户人口 户籍人口 户籍人数 户内人数 总人口 家庭总人口",
    ),
];

/// Columns about somebody else, whatever else their header says.
const SOMEBODY_ELSE: [&str; 14] = [
    "监护",
    "紧急",
    "网格",
    "干部",
    "责任人",
    "帮扶人",
    "包保",
    "联系人",
    "组长",
    "村医",
    "医生",
    "子女",
    "配偶",
    "父母",
];

impl Header {
    /// Finds the header of a sheet: the row, or the two rows, that name the most meanings.
    pub(super) fn find(sheet: &Sheet) -> Option<Header> {
        let rows: Vec<u32> = sheet
            .rows()
            .map(|(row, _)| row)
            .take(ROWS_SEARCHED)
            .collect();
        let one_row = best_of(sheet, &rows, 1);
        let two_rows = best_of(sheet, &rows, 2);
        match (one_row, two_rows) {
            (Some(one), Some(two)) if two.columns.len() > one.columns.len() => Some(two),
            (one, two) => one.or(two),
        }
    }

    /// Returns the column of a meaning.
    pub(super) fn column(&self, meaning: Meaning) -> Option<u32> {
        self.columns.get(&meaning).copied()
    }

    /// Returns the understood columns from left to right.
    pub(super) fn columns(&self) -> Vec<(u32, Meaning)> {
        let mut columns: Vec<_> = self
            .columns
            .iter()
            .map(|(meaning, at)| (*at, *meaning))
            .collect();
        columns.sort_unstable();
        columns
    }

    /// Returns what a column means, where it was understood.
    pub(super) fn meaning(&self, column: u32) -> Option<Meaning> {
        self.columns
            .iter()
            .find(|(_, at)| **at == column)
            .map(|(meaning, _)| *meaning)
    }

    /// Returns the header of a column as written.
    pub(super) fn text(&self, column: u32) -> &str {
        self.texts.get(&column).map_or("", String::as_str)
    }

    /// Returns the columns that have a header and no meaning.
    pub(super) fn unknown_columns(&self) -> impl Iterator<Item = u32> {
        self.texts
            .keys()
            .copied()
            .filter(|column| self.meaning(*column).is_none())
    }

    /// Returns the columns of single care tags.
    pub(super) fn care_flags(&self) -> impl Iterator<Item = (u32, Care)> {
        self.columns
            .iter()
            .filter_map(|(meaning, column)| match meaning {
                Meaning::CareFlag(tag) => Some((*column, *tag)),
                _ => None,
            })
    }

    /// Says whether a row says again what the header says, as printed pages do.
    pub(super) fn is_repeated_in(&self, row: &BTreeMap<u32, Cell>) -> bool {
        self.labels.iter().any(|labels| {
            let same = row
                .iter()
                .filter(|(column, cell)| {
                    labels
                        .get(column)
                        .is_some_and(|label| *label == label_of(cell))
                })
                .count();
            same >= 2 && same * 2 >= row.len()
        })
    }

    /// Reads `depth` rows from this one as a header, if they are one.
    fn read(sheet: &Sheet, row: u32, depth: u32) -> Option<Header> {
        let last = row.checked_add(depth)?.checked_sub(1)?;
        for at in row..=last {
            if sheet.row(at)?.values().any(is_data) {
                return None;
            }
        }
        if depth == 2 && words_in(sheet.row(last)?) < MEANINGS_MIN {
            return None;
        }
        let mut found: BTreeMap<Meaning, (usize, u32)> = BTreeMap::new();
        let mut texts = BTreeMap::new();
        for column in (row..=last)
            .filter_map(|at| sheet.row(at))
            .flat_map(BTreeMap::keys)
            .copied()
        {
            let (written, meaning) = understand(sheet, row, last, column);
            if let Some((meaning, rank)) = meaning {
                let claim = found.entry(meaning).or_insert((rank, column));
                *claim = (*claim).min((rank, column));
            }
            texts.insert(column, written);
        }
        let mut columns: BTreeMap<Meaning, u32> = found
            .into_iter()
            .map(|(meaning, (_, column))| (meaning, column))
            .collect();
        let layout = arrange(sheet, last, &mut columns)?;
        let labels = (row..=last)
            .filter_map(|at| sheet.row(at))
            .map(|cells| {
                cells
                    .iter()
                    .map(|(column, cell)| (*column, label_of(cell)))
                    .collect()
            })
            .collect();
        (columns.len() >= MEANINGS_MIN).then_some(Header {
            row: last,
            layout,
            columns,
            texts,
            labels,
        })
    }
}

/// The first of the candidates that name the most meanings.
fn best_of(sheet: &Sheet, rows: &[u32], depth: u32) -> Option<Header> {
    let mut best: Option<Header> = None;
    for header in rows
        .iter()
        .filter_map(|row| Header::read(sheet, *row, depth))
    {
        if best
            .as_ref()
            .is_none_or(|best| header.columns.len() > best.columns.len())
        {
            best = Some(header);
        }
    }
    best
}

/// Decides how the rows make households, and settles which column is the name.
fn arrange(sheet: &Sheet, header_row: u32, columns: &mut BTreeMap<Meaning, u32>) -> Option<Layout> {
    let has = |columns: &BTreeMap<Meaning, u32>, meaning| columns.contains_key(&meaning);
    if has(columns, Meaning::Relation) {
        // Beside a relation a column 家庭成员 or 户主 holds the name of the row's person.
        if !has(columns, Meaning::Name) {
            let instead = [Meaning::Members, Meaning::HeadName];
            let taken = instead.into_iter().find(|meaning| has(columns, *meaning))?;
            if let Some(column) = columns.remove(&taken) {
                columns.insert(Meaning::Name, column);
            }
        }
        columns.remove(&Meaning::Members);
        return Some(Layout::PersonRows);
    }
    let (name, head) = (has(columns, Meaning::Name), has(columns, Meaning::HeadName));
    if !name && !head {
        return None;
    }
    if has(columns, Meaning::Members) {
        return Some(Layout::HouseholdRows);
    }
    let numbered_over_rows = columns
        .get(&Meaning::Number)
        .is_some_and(|column| leaves_gaps(sheet, header_row, *column));
    Some(if name && (head || numbered_over_rows) {
        Layout::PersonRows
    } else {
        Layout::HouseholdRows
    })
}

/// Says whether a number column is merged, or empty in many rows: then a number is of several people.
fn leaves_gaps(sheet: &Sheet, header_row: u32, column: u32) -> bool {
    let below = || {
        sheet
            .rows()
            .filter(|(row, cells)| *row > header_row && cells.len() > 1)
    };
    let (rows, filled) = (
        below().count(),
        below()
            .filter(|(_, cells)| cells.contains_key(&column))
            .count(),
    );
    sheet.column_is_merged(column, header_row.saturating_add(1)) || filled * 5 < rows * 4
}

/// The header of a column as written over the header rows, and what it means.
fn understand(
    sheet: &Sheet,
    first: u32,
    last: u32,
    column: u32,
) -> (String, Option<(Meaning, usize)>) {
    let top = sheet
        .cell_or_merged(first, column)
        .map(Cell::shown)
        .unwrap_or_default();
    let bottom = match last {
        last if last == first => String::new(),
        last => sheet
            .cell(last, column)
            .map(Cell::shown)
            .unwrap_or_default(),
    };
    let joined = format!("{top}{bottom}");
    let meaning = meaning_of(&joined).or_else(|| under_group(&label(&top), meaning_of(&bottom)?));
    (text::tidy(&joined), meaning)
}

/// A header under a common one: 姓名 under 户主信息 is the head's, under 家庭成员 a member's.
fn under_group(group: &str, (meaning, rank): (Meaning, usize)) -> Option<(Meaning, usize)> {
    const UNSPECIFIC: usize = 20;
    if group.starts_with("户主") {
        let meaning = match meaning {
            Meaning::Name => Meaning::HeadName,
            Meaning::IdNumber => Meaning::HeadIdNumber,
            Meaning::Phone => Meaning::HeadPhone,
            other => other,
        };
        return Some((meaning, rank));
    }
    let rank = if group.contains("成员") {
        rank
    } else {
        rank + UNSPECIFIC
    };
    Some((meaning, rank))
}

/// What a header text means, and how well it says so (smaller is better).
fn meaning_of(written: &str) -> Option<(Meaning, usize)> {
    let label = label(written);
    let base = label.split('(').next().unwrap_or_default();
    known_word(&label)
        .or_else(|| known_word(base))
        .or_else(|| care_flag(base))
        .or_else(|| loose_word(base))
}

fn known_word(word: &str) -> Option<(Meaning, usize)> {
    if word.is_empty() {
        return None;
    }
    VOCABULARY.iter().find_map(|(meaning, words)| {
        let rank = words.split_whitespace().position(|known| known == word)?;
        Some((*meaning, rank))
    })
}

/// `是否低保`, `低保户`, `残疾人`: a column for one tag.
fn care_flag(word: &str) -> Option<(Meaning, usize)> {
    let asked = word
        .strip_prefix("是否为")
        .or_else(|| word.strip_prefix("是否"))
        .unwrap_or(word);
    Care::named(asked).map(|tag| (Meaning::CareFlag(tag), 0))
}

/// Longer headers that still say one thing; everything doubtful stays unknown.
fn loose_word(word: &str) -> Option<(Meaning, usize)> {
    const LOOSE: usize = 100;
    if SOMEBODY_ELSE.iter().any(|other| word.contains(other)) {
        return None;
    }
    let ends = |tails: &[&str]| tails.iter().any(|tail| word.ends_with(tail));
    let meaning = if ends(&["身份证号码", "身份证号", "身份号码"]) {
        if word.contains("户主") {
            Meaning::HeadIdNumber
        } else {
            Meaning::IdNumber
        }
    } else if ends(&["联系电话", "电话号码", "手机号码", "手机号"]) {
        if word.contains("户主") {
            Meaning::HeadPhone
        } else {
            Meaning::Phone
        }
    } else if word.contains("户主") && word.ends_with("关系") {
        Meaning::Relation
    } else if ends(&["家庭住址", "门牌号", "居住地址"]) {
        Meaning::Address
    } else {
        return None;
    };
    Some((meaning, LOOSE))
}

fn label_of(cell: &Cell) -> String {
    label(&cell.shown())
}

fn label(written: &str) -> String {
    let label = text::compact(written);
    let label = label.trim_matches(['*', ':', '★']);
    label.replace("(必填)", "").replace("(选填)", "")
}

/// Headers hold no numbers of people: no id, phone or date.
fn is_data(cell: &Cell) -> bool {
    match cell {
        Cell::Text(_) => {
            let mut run = 0;
            cell.tidy().chars().any(|c| {
                run = if c.is_ascii_digit() { run + 1 } else { 0 };
                run >= 5
            })
        }
        Cell::Number(number) => *number >= 10_000.0,
        Cell::Date { .. } | Cell::Flag(_) => true,
        Cell::Failed(_) => false,
    }
}

/// Header words in a row that could be the lower half of a header: no digits at all.
fn words_in(row: &BTreeMap<u32, Cell>) -> usize {
    if row
        .values()
        .any(|cell| cell.tidy().chars().any(|c| c.is_ascii_digit()))
    {
        return 0;
    }
    row.values()
        .filter(|cell| meaning_of(&cell.shown()).is_some())
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(written: &str) -> Option<Meaning> {
        meaning_of(written).map(|(meaning, _)| meaning)
    }

    #[test]
    fn headers_of_real_rosters_are_understood() {
        for (written, expected) in [
            ("户编号", Meaning::Number),
            ("序 号", Meaning::Serial),
            ("村民小组", Meaning::Group),
            ("户主", Meaning::HeadName),
            ("姓　名", Meaning::Name),
            ("与户主关系", Meaning::Relation),
            ("*与户主的关系（必填）", Meaning::Relation),
            ("公民身份号码", Meaning::IdNumber),
            ("身份证\n号码", Meaning::IdNumber),
            ("户主身份证号", Meaning::HeadIdNumber),
            ("手机", Meaning::Phone),
            ("家庭成员（姓名/关系/身份证）", Meaning::Members),
            ("家庭人口（人）", Meaning::Size),
            ("是否常住", Meaning::Residence),
            ("帮扶类型", Meaning::Care),
            ("是否低保", Meaning::CareFlag(Care::SubsistenceAllowance)),
            ("残疾人", Meaning::CareFlag(Care::Disability)),
            ("备注：", Meaning::Remark),
        ] {
            assert_eq!(meaning(written), Some(expected), "{written}");
        }
    }

    #[test]
    fn what_is_not_modelled_is_not_understood() {
        for written in [
            "民族",
            "宗教",
            "宗教信仰",
            "年收入",
            "政治面貌",
            "婚姻状况",
            "文化程度",
            "职业",
            "健康状况",
            "监护人电话",
            "网格员联系电话",
            "紧急联系人手机号",
            "身份证照片",
            "银行卡号",
            "特殊人群类别",
            "信访情况",
            "年龄",
            "",
        ] {
            assert_eq!(meaning(written), None, "{written}");
        }
    }

    #[test]
    fn no_word_has_two_meanings() {
        let mut seen = BTreeMap::new();
        for (meaning, words) in VOCABULARY {
            for word in words.split_whitespace() {
                assert_eq!(seen.insert(word, meaning), None, "{word}");
            }
        }
    }
}
