//! What single values become, and that a bad one costs nothing but itself.

use wangge_agent::roster::{Reason, Residence};
use wangge_model::care::Care;

use super::{csv, doors, id, refused};

#[test]
fn columns_that_are_not_modelled_are_counted_and_left_behind() {
    let roster = csv("姓名,民族,与户主关系,宗教信仰,年收入（元）,备注,\n\
         张三,汉族,户主,无,12000,家有恶犬,秘密\n李四,土家族,配偶,佛教,,,\n合计,,,,12000,,\n");
    let left: Vec<_> = roster.sheets[0]
        .left_behind
        .iter()
        .map(|column| (column.column.as_str(), column.header.as_str(), column.cells))
        .collect();
    assert_eq!(
        left,
        [
            ("B", "民族", 2),
            ("D", "宗教信仰", 2),
            ("E", "年收入(元)", 1),
            ("G", "", 1)
        ]
    );
    let households = serde_json::to_string(&roster.households).unwrap();
    for value in ["汉", "土家", "佛", "12000", "秘密"] {
        assert!(!households.contains(value), "{value} must not come along");
    }
    assert_eq!(roster.households[0].members[0].note, "家有恶犬");
}

#[test]
fn a_bad_identity_number_is_listed_and_its_person_kept() {
    let good = id("20120709", 911);
    let wrong_check = format!(
        "{}{}",
        &good[..17],
        if good.ends_with('1') { '2' } else { '1' }
    );
    let rows = [
        ("张一", wrong_check.as_str(), Reason::IdChecksum),
        ("张二", "51179919670903907", Reason::IdLength),
        ("张三", "511799196713039075", Reason::IdDate),
        ("张四", "511799196709039000", Reason::IdRounded),
        ("张五", "5.11799E+17", Reason::IdRounded),
        ("张六", "511799670903907", Reason::IdFifteenDigits),
        ("张七", "51179919670903907a", Reason::IdCharacters),
    ];
    let mut table = "姓名,与户主关系,身份证号,性别,出生年月,联系电话\n".to_owned();
    for (name, number, _) in rows {
        table.push_str(&format!("{name},户主,{number},男,1967.9,13812345678\n"));
    }
    let roster = csv(&table);
    let reasons: Vec<_> = roster
        .refused
        .iter()
        .map(|refused| refused.reason)
        .collect();
    assert_eq!(reasons, rows.map(|(.., reason)| reason));
    assert_eq!(roster.refused[2].cell, "C4");
    assert_eq!(roster.refused[2].value, "511*************75");
    for household in &roster.households {
        let member = &household.members[0];
        assert_eq!(
            (member.sex, member.birth, member.id_number.is_some()),
            (Some(1), Some((1967, 9)), false)
        );
        assert_eq!(household.phone.as_deref(), Some("13812345678"));
    }
    let written = serde_json::to_string(&roster.refused[0]).unwrap();
    assert!(
        written.contains("\"reason\":\"id_checksum\"") && written.contains("\"sheet\":\"名册\"")
    );
}

#[test]
fn the_identity_number_is_believed_before_other_columns() {
    let boy = id("20120709", 911);
    let roster = csv(&format!(
        "姓名,与户主关系,身份证号,性别,出生日期\n张三,户主,511799196709039075,男,1967-09-03\n\
         张小三,孙女,{boy},女,2012-08-09\n张小四,孙女,,女,2015年3月\n"
    ));
    let people: Vec<_> = roster.households[0]
        .members
        .iter()
        .map(|m| (m.sex, m.birth))
        .collect();
    assert_eq!(
        people,
        [
            (Some(1), Some((1967, 9))),
            (Some(1), Some((2012, 7))),
            (Some(2), Some((2015, 3)))
        ]
    );
    assert_eq!(
        roster.households[0].members[1].relation.as_deref(),
        Some("42"),
        "a boy may stand as 孙女"
    );
    assert_eq!(
        refused(&roster),
        [
            ("D3", "女", Reason::SexDiffers),
            ("E3", "2012-08-09", Reason::BirthDiffers)
        ]
    );
}

#[test]
fn wrong_phones_relations_and_words_cost_only_themselves() {
    let roster = csv(
        "户编号,组别,门牌号,姓名,与户主关系,联系电话,类别,是否常住\n\
         1,李家湾,12号,张三,户主,1381234567,重点人员、低保,也许\n,,,李四,表叔公,１３８１２３４５６７８,,\n",
    );
    assert_eq!(
        doors(&roster),
        [(Some("1"), None, "12", vec!["张三", "李四"])]
    );
    let people = &roster.households[0].members;
    assert_eq!(
        (people[0].phone.as_deref(), people[1].phone.as_deref()),
        (None, Some("13812345678"))
    );
    assert_eq!(people[1].relation, None);
    assert_eq!(people[0].care, [Care::SubsistenceAllowance]);
    let mut reasons = refused(&roster);
    reasons.sort_unstable();
    assert_eq!(
        reasons,
        [
            ("B2", "李家湾", Reason::Group),
            ("E3", "表叔公", Reason::Relation),
            ("F2", "1381234567", Reason::Phone),
            ("G2", "重点人员", Reason::Care),
            ("H2", "也许", Reason::Residence),
        ]
    );
}

#[test]
fn somebody_without_a_name_is_kept_and_said() {
    let roster = csv("姓名,与户主关系,身份证号\n张三,户主,\n,孙子,511799196709039075\n");
    assert_eq!(doors(&roster)[0].3, ["张三", ""]);
    assert_eq!(roster.households[0].members[1].birth, Some((1967, 9)));
    assert_eq!(refused(&roster), [("A3", "", Reason::NameMissing)]);
}

#[test]
fn gaps_brackets_and_full_width_leave_names_and_doors_alone() {
    let roster = csv(
        "户　主,家庭成员（姓名／关系）,住　址\n冯 光荣（已故）,冯 子轩／孙子；黄　淑珍／老伴,８组１２号\n",
    );
    assert_eq!(
        doors(&roster),
        [(None, Some(8), "12", vec!["冯光荣", "冯子轩", "黄淑珍"])]
    );
    assert_eq!(roster.households[0].note, "已故");
}

#[test]
fn working_away_is_a_field_and_other_remarks_stay_notes() {
    let roster = csv(
        "姓名,与户主关系,备注,外出\n张三,户主,听力不好，敲门要重,否\n李四,配偶,外出务工,\n\
         张小三,子,,广东东莞\n张小四,子,无,是\n",
    );
    let people: Vec<_> = roster.households[0]
        .members
        .iter()
        .map(|m| (m.away, m.note.as_str()))
        .collect();
    assert_eq!(
        people,
        [
            (false, "听力不好，敲门要重"),
            (true, ""),
            (true, "广东东莞"),
            (true, "")
        ]
    );
}

#[test]
fn words_for_living_here_become_one_of_four() {
    for (word, residence) in [
        ("是", Residence::Resident),
        ("常住", Residence::Resident),
        ("否", Residence::Away),
        ("外出", Residence::Away),
        ("整户外出", Residence::Away),
        ("空房", Residence::Vacant),
        ("迁出", Residence::MovedOut),
    ] {
        let roster = csv(&format!("户主,住址,是否常住\n张三,3组1号,{word}\n"));
        assert_eq!(roster.households[0].residence, Some(residence), "{word}");
    }
    let by_person =
        csv("姓名,与户主关系,是否常住\n张三,户主,是\n李四,子,否\n王五,户主,否\n赵六,妻,否\n");
    let living: Vec<_> = by_person
        .households
        .iter()
        .map(|household| household.residence)
        .collect();
    assert_eq!(living, [Some(Residence::Resident), Some(Residence::Away)]);
    assert!(by_person.households[0].members[1].away && !by_person.households[1].members[1].away);
}

#[test]
fn an_empty_house_is_a_household_of_nobody() {
    let roster =
        csv("序号,户主,住址,备注,联系电话\n1,张三,3组1号,,\n2,,3组2号,空房,\n3,,3组3号,,\n");
    assert_eq!(doors(&roster)[1], (Some("2"), Some(3), "2", vec![]));
    assert_eq!(roster.households[1].residence, Some(Residence::Vacant));
    assert_eq!(
        refused(&roster),
        [("B4", "", Reason::NameMissing)],
        "but a house in use has a name"
    );
}

#[test]
fn care_words_go_to_those_they_mean() {
    let (head, child, grown) = (
        id("19600101", 111),
        id("20150101", 222),
        id("19880101", 333),
    );
    let table = |tag: &str| {
        format!(
            "2026年名册,,,\n姓名,与户主关系,身份证号,类别\n张三,户主,{head},\"{tag}\"\n李四,子,{grown},\n李五,孙女,{child},\n"
        )
    };
    let care = |tag: &str| -> Vec<Vec<Care>> {
        csv(&table(tag)).households[0]
            .members
            .iter()
            .map(|member| member.care.clone())
            .collect()
    };
    let (left, allowance) = (Care::LeftBehindChild, Care::SubsistenceAllowance);
    assert_eq!(care("留守儿童,低保"), [vec![allowance], vec![], vec![left]]);
    assert_eq!(
        care("独居老人"),
        [vec![Care::LivingAloneElder], vec![], vec![]]
    );
    assert_eq!(care("一般户"), [vec![], vec![], vec![]]);

    let childless = csv(&format!(
        "姓名,与户主关系,身份证号,类别\n张三,户主,{head},留守儿童、特困\n"
    ));
    assert_eq!(
        refused(&childless),
        [("D2", "留守儿童", Reason::CareNobody)]
    );
    assert_eq!(
        childless.households[0].members[0].care,
        [Care::ExtremeHardship]
    );
}

#[test]
fn a_column_for_one_care_word_says_yes_or_no() {
    let roster = csv(
        "姓名,与户主关系,是否低保,残疾人\n张三,户主,是,\n李四,配偶,否,√\n张小三,子,,三级残疾\n",
    );
    let care: Vec<_> = roster.households[0]
        .members
        .iter()
        .map(|member| member.care.clone())
        .collect();
    assert_eq!(
        care,
        [
            vec![Care::SubsistenceAllowance],
            vec![Care::Disability],
            vec![Care::Disability]
        ]
    );
    assert_eq!(refused(&roster), []);
}

#[test]
fn a_group_or_address_that_differs_is_said_and_the_first_kept() {
    let roster = csv(
        "户编号,组别,住址,姓名,与户主关系\n1,4,5组12号,张三,户主\n,4,13号,李四,配偶\n,3,,王五,子\n",
    );
    assert_eq!(
        doors(&roster)[0],
        (Some("1"), Some(4), "12", vec!["张三", "李四", "王五"])
    );
    assert_eq!(
        refused(&roster),
        [
            ("C2", "5组12号", Reason::GroupDiffers),
            ("C3", "13号", Reason::AddressDiffers),
            ("B4", "3", Reason::GroupDiffers),
        ]
    );
}
