//! How rows make households: layouts, merged cells, decoration, several sheets.

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet};
use wangge_agent::roster::{Layout, Meaning, Roster};

use super::{bytes, csv, doors, id, refused};

/// Saves a workbook of these sheets and reads it.
fn xlsx(sheets: Vec<Worksheet>) -> Roster {
    let mut book = Workbook::new();
    for sheet in sheets {
        book.push_worksheet(sheet);
    }
    bytes("名册.xlsx", &book.save_to_buffer().unwrap()).unwrap()
}

/// A sheet of text, row by row; empty text is no cell.
fn sheet(name: &str, rows: &[&[&str]]) -> Worksheet {
    let mut sheet = Worksheet::new();
    sheet.set_name(name).unwrap();
    for (row, cells) in (0..).zip(rows) {
        for (column, text) in (0..).zip(*cells).filter(|(_, text)| !text.is_empty()) {
            sheet.write_string(row, column, *text).unwrap();
        }
    }
    sheet
}

fn merge(sheet: &mut Worksheet, from: (u32, u16), to: (u32, u16), text: &str) {
    sheet
        .merge_range(from.0, from.1, to.0, to.1, text, &Format::new())
        .unwrap();
}

#[test]
fn columns_may_stand_in_any_order_under_any_usual_name() {
    let roster = csv("联系方式,关系,身份证号,村民姓名,门牌,所属小组,户号\n\
         138 1234 5678,本人,511799196709039075,孔正清,18号,第三组,7\n\
         ,老伴,511799197101259584,谢朝英,,,\n");
    assert_eq!(
        doors(&roster),
        [(Some("7"), Some(3), "18", vec!["孔正清", "谢朝英"])]
    );
    let household = &roster.households[0];
    assert_eq!(household.phone.as_deref(), Some("13812345678"));
    assert_eq!(household.members[0].relation.as_deref(), Some("02"));
    assert_eq!(household.members[1].relation.as_deref(), Some("10"));
    assert_eq!(refused(&roster), []);
}

#[test]
fn a_number_on_every_row_makes_one_household_a_number() {
    let roster = csv("户编号,姓名,与户主关系,门牌号\n\
         1,张三,户主,3组12号\n1,李四,配偶,3组12号\n2,王五,户主,3-13\n2,赵六,子,3-13\n");
    assert_eq!(
        doors(&roster),
        [
            (Some("1"), Some(3), "12", vec!["张三", "李四"]),
            (Some("2"), Some(3), "13", vec!["王五", "赵六"]),
        ]
    );
}

#[test]
fn a_running_number_of_rows_is_no_household_number() {
    let roster = csv(
        "序号,姓名,与户主关系\n1,张三,户主\n2,李四,配偶\n3,张小三,子\n4,王五,户主\n5,赵六,妻\n",
    );
    assert_eq!(
        doors(&roster),
        [
            (None, None, "", vec!["张三", "李四", "张小三"]),
            (None, None, "", vec!["王五", "赵六"]),
        ]
    );
    assert_eq!(roster.sheets[0].columns[0].meaning, Meaning::Serial);
}

#[test]
fn a_running_number_of_households_is_their_number() {
    let roster = csv("序号,姓名,与户主关系\n1,张三,户主\n,李四,配偶\n2,王五,户主\n,赵六,妻\n");
    assert_eq!(
        doors(&roster),
        [
            (Some("1"), None, "", vec!["张三", "李四"]),
            (Some("2"), None, "", vec!["王五", "赵六"]),
        ]
    );
}

#[test]
fn a_head_listed_below_another_member_still_comes_first() {
    let roster = csv("户编号,姓名,与户主关系\n1,李四,配偶\n,张三,户主\n,张小三,子\n2,王五,户主\n");
    assert_eq!(
        doors(&roster),
        [
            (Some("1"), None, "", vec!["张三", "李四", "张小三"]),
            (Some("2"), None, "", vec!["王五"]),
        ]
    );
}

#[test]
fn a_head_whose_relation_cannot_be_read_keeps_the_next_head_out() {
    let roster = csv("户编号,姓名,与户主关系\n1,张三,主\n,李四,配偶\n\n,王五,户主\n,赵六,妻\n");
    assert_eq!(
        doors(&roster)
            .iter()
            .map(|door| door.3.clone())
            .collect::<Vec<_>>(),
        [vec!["张三", "李四"], vec!["王五", "赵六"],]
    );
}

#[test]
fn two_heads_under_one_merged_number_are_two_households_at_one_door() {
    let mut list = sheet(
        "名册",
        &[
            &["户编号", "组别", "门牌号", "姓名", "与户主关系"],
            &["", "", "", "张三", "户主"],
            &["", "", "", "李四", "配偶"],
            &["", "", "", "张小三", "户主"],
            &["8", "四组", "9号", "王五", "户主"],
            &["", "", "", "赵六", "户主"],
        ],
    );
    merge(&mut list, (1, 0), (3, 0), "7");
    merge(&mut list, (1, 1), (3, 1), "三组");
    merge(&mut list, (1, 2), (3, 2), "12号");
    assert_eq!(
        doors(&xlsx(vec![list])),
        [
            (Some("7"), Some(3), "12", vec!["张三", "李四"]),
            (Some("7"), Some(3), "12", vec!["张小三"]),
            (Some("8"), Some(4), "9", vec!["王五"]),
            (None, None, "", vec!["赵六"]),
        ]
    );
}

#[test]
fn a_head_without_a_door_gets_nobody_elses() {
    let roster = csv("户编号,组别,门牌号,姓名,与户主关系\n\
         7,三组,12号,张三,户主\n,,,李四,配偶\n,,,赵六,户主\n,,,赵小六,子\n8,四组,9号,王五,户主\n");
    assert_eq!(
        doors(&roster),
        [
            (Some("7"), Some(3), "12", vec!["张三", "李四"]),
            (None, None, "", vec!["赵六", "赵小六"]),
            (Some("8"), Some(4), "9", vec!["王五"]),
        ]
    );
}

#[test]
fn decoration_is_nobody() {
    let roster = csv(
        "乌木镇某村花名册（2025年）,,,\n填表单位：村民委员会,,,填表日期：2025.3.1\n\n\
         户编号,姓名,与户主关系,电话\n1,张三,户主,13812345678\n\n,李四,配偶,\n小计,2人,,\n\
         乌木镇某村花名册（2025年）,,,\n户编号,姓名,与户主关系,电话\n,张小三,子,\n2,王五,户主,无\n3,,,\n4,,,\n\
         合 计,4人,,\n填表人：某某,,审核：某某,\n备注：以上情况属实,,,\n",
    );
    assert_eq!(
        doors(&roster),
        [
            (Some("1"), None, "", vec!["张三", "李四", "张小三"]),
            (Some("2"), None, "", vec!["王五"]),
        ]
    );
    assert_eq!(refused(&roster), []);
    assert_eq!(
        (roster.sheets[0].header_row, roster.sheets[0].year),
        (Some(4), Some(2025))
    );
    assert_eq!(roster.households[1].row, 12);
}

#[test]
fn a_row_with_only_a_name_is_a_member_of_the_household_above() {
    let roster = csv("户编号,姓名,与户主关系,身份证号\n1,张三,户主,\n,李四,,\n2,王五,户主,\n");
    assert_eq!(
        doors(&roster)[0],
        (Some("1"), None, "", vec!["张三", "李四"])
    );
    assert_eq!(roster.households[0].members[1].relation, None);
    assert_eq!(refused(&roster), []);
}

#[test]
fn a_group_is_taken_from_its_title_its_sheet_or_its_one_mention() {
    let titles = csv("姓名,与户主关系,门牌号\n第一组,,\n张三,户主,1号\n二社,,\n李四,户主,2号\n");
    assert_eq!(doors(&titles)[0].1, Some(1));
    assert_eq!(doors(&titles)[1].1, Some(2));

    let rows: [&[&str]; 2] = [&["姓名", "与户主关系", "门牌号"], &["张三", "户主", "1号"]];
    let sheets = xlsx(vec![
        sheet("三组", &rows),
        sheet("第4组", &rows),
        sheet("Sheet3", &rows),
    ]);
    assert_eq!(
        doors(&sheets).iter().map(|door| door.1).collect::<Vec<_>>(),
        [Some(3), Some(4), None]
    );

    let once = csv(
        "组别,户编号,姓名,与户主关系\n一组,1,张三,户主\n,2,李四,户主\n,3,王五,户主\n二组,4,赵六,户主\n,5,孙七,户主\n",
    );
    let groups: Vec<_> = doors(&once).iter().map(|door| door.1).collect();
    assert_eq!(groups, [Some(1), Some(1), Some(1), Some(2), Some(2)]);
}

#[test]
fn a_door_with_a_dash_is_read_beside_its_group() {
    let beside = csv("姓名,与户主关系,组别,门牌号\n张三,户主,3,12-1\n李四,户主,3,3-12\n");
    let alone = csv("姓名,与户主关系,门牌号\n张三,户主,3-12\n");
    assert_eq!(doors(&beside)[0], (None, Some(3), "12-1", vec!["张三"]));
    assert_eq!(doors(&beside)[1], (None, Some(3), "12", vec!["李四"]));
    assert_eq!(doors(&alone)[0], (None, Some(3), "12", vec!["张三"]));
    assert_eq!(refused(&beside), []);
}

#[test]
fn one_row_a_household_needs_no_members() {
    let roster = csv("编号,户主姓名,户主身份证号,户主电话,家庭住址,人口\n\
         1,张三,511799196709039075,13812345678,5组8号,1\n2,李四,,无,六组9号,3人\n");
    assert_eq!(roster.sheets[0].layout, Some(Layout::HouseholdRows));
    assert_eq!(
        doors(&roster),
        [
            (Some("1"), Some(5), "8", vec!["张三"]),
            (Some("2"), Some(6), "9", vec!["李四"]),
        ]
    );
    assert!(roster.households[0].members[0].id_number.is_some());
    assert_eq!(roster.sheets[0].size_differs, [3]);
}

#[test]
fn a_list_of_names_without_relations_is_one_household_a_row() {
    let roster = csv(
        "姓名,身份证号码,住址,联系电话\n张三,511799196709039075,5组8号,13812345678\n李四,,5组9号,\n",
    );
    assert_eq!(roster.sheets[0].layout, Some(Layout::HouseholdRows));
    assert_eq!(roster.households.len(), 2);
}

#[test]
fn a_head_named_in_a_column_of_its_own_heads_the_rows_of_members() {
    let roster = csv("户主姓名,户主电话,姓名,与户主关系,身份证号\n\
         张三,13812345678,张三,户主,511799196709039075\n张三,13812345678,李四,配偶,\n\
         王五,,赵六,妻,\n,,王小五,子,\n");
    assert_eq!(
        doors(&roster),
        [
            (None, None, "", vec!["张三", "李四"]),
            (None, None, "", vec!["王五", "赵六", "王小五"]),
        ]
    );
    assert_eq!(roster.households[0].phone.as_deref(), Some("13812345678"));
    assert_eq!(
        roster.households[1].members[0].relation.as_deref(),
        Some("02")
    );
}

#[test]
fn a_header_of_two_rows_is_read_as_one() {
    let mut list = sheet(
        "台账",
        &[
            &["", "", "", "", "", "", "备注"],
            &[
                "",
                "姓名",
                "身份证号码",
                "姓名",
                "与户主关系",
                "身份证号码",
                "",
            ],
            &[
                "1",
                "张三",
                "511799196709039075",
                "谢朝英",
                "配偶",
                "511799197101259584",
                "",
            ],
            &["", "", "", "张小三", "子", "", "外出务工"],
            &["2", "王五", "", "", "", "", ""],
        ],
    );
    merge(&mut list, (0, 0), (1, 0), "户号");
    merge(&mut list, (0, 1), (0, 2), "户主基本情况");
    merge(&mut list, (0, 3), (0, 5), "家庭成员情况");
    let roster = xlsx(vec![list]);
    assert_eq!(
        doors(&roster),
        [
            (Some("1"), None, "", vec!["张三", "谢朝英", "张小三"]),
            (Some("2"), None, "", vec!["王五"]),
        ]
    );
    let people = &roster.households[0].members;
    assert!(people[0].id_number.is_some() && people[1].id_number.is_some());
    assert_eq!(
        people.iter().map(|member| member.away).collect::<Vec<_>>(),
        [false, false, true]
    );
    assert_eq!(roster.sheets[0].header_row, Some(2));
}

#[test]
fn members_listed_over_several_rows_of_a_household_are_all_its() {
    let roster =
        csv("序号,户主,家庭成员,住址\n1,张三,李四/配偶,3组1号\n,,张小三/子,\n2,王五,无,3组2号\n");
    assert_eq!(
        doors(&roster),
        [
            (Some("1"), Some(3), "1", vec!["张三", "李四", "张小三"]),
            (Some("2"), Some(3), "2", vec!["王五"]),
        ]
    );
}

#[test]
fn numbers_kept_as_floats_are_read_and_rounded_ids_are_not() {
    let mut list = sheet(
        "名册",
        &[&[
            "户编号",
            "组别",
            "门牌号",
            "姓名",
            "与户主关系",
            "身份证号",
            "联系电话",
        ]],
    );
    for (column, number) in [
        (0, 1.0),
        (1, 3.0),
        (2, 12.0),
        (5, 511_799_196_709_039_075.0),
        (6, 13_812_345_678.0),
    ] {
        list.write_number(1, column, number).unwrap();
    }
    list.write_string(1, 3, "张三").unwrap();
    list.write_string(1, 4, "户主").unwrap();
    let roster = xlsx(vec![list]);
    assert_eq!(doors(&roster), [(Some("1"), Some(3), "12", vec!["张三"])]);
    assert_eq!(roster.households[0].phone.as_deref(), Some("13812345678"));
    let [refused] = &roster.refused[..] else {
        panic!("one value is refused")
    };
    assert_eq!(
        (refused.cell.as_str(), refused.reason),
        ("F2", super::Reason::IdRounded)
    );
    assert!(refused.value.starts_with("511***"));
}

#[test]
fn a_door_that_became_a_date_is_refused_and_a_birth_that_is_one_is_read() {
    let mut list = sheet(
        "名册",
        &[
            &["姓名", "与户主关系", "出生年月", "住址"],
            &["张三", "户主"],
        ],
    );
    let date = Format::new().set_num_format("yyyy-mm-dd");
    let on = |year, month, day| ExcelDateTime::from_ymd(year, month, day).unwrap();
    list.write_datetime_with_format(1, 2, on(1967, 9, 3), &date)
        .unwrap();
    list.write_datetime_with_format(1, 3, on(2026, 3, 12), &date)
        .unwrap();
    let roster = xlsx(vec![list]);
    assert_eq!(roster.households[0].members[0].birth, Some((1967, 9)));
    assert_eq!(
        refused(&roster),
        [("D2", "2026-03-12", super::Reason::AddressDate)]
    );
}

#[test]
fn every_sheet_is_looked_at_and_a_hidden_one_is_said_to_be() {
    let rows: [&[&str]; 2] = [&["姓名", "与户主关系"], &["张三", "户主"]];
    let mut hidden = sheet("去年", &rows);
    hidden.set_hidden(true);
    let roster = xlsx(vec![
        sheet("说明", &[&["请如实填写"]]),
        sheet("今年", &rows),
        hidden,
    ]);
    let seen: Vec<_> = roster
        .sheets
        .iter()
        .map(|s| (s.sheet.as_str(), s.hidden, s.households))
        .collect();
    assert_eq!(
        seen,
        [("说明", false, 0), ("今年", false, 1), ("去年", true, 1)]
    );
}

#[test]
fn an_identity_number_survives_in_the_cells_a_spreadsheet_exports() {
    let number = id("19800101", 121);
    let roster = csv(&format!(
        "姓名,与户主关系,身份证号\n张三,户主,\"=\"\"{number}\"\"\"\n李四,配偶,'{number}\n"
    ));
    assert!(
        roster.households[0]
            .members
            .iter()
            .all(|member| member.id_number.is_some())
    );
}
