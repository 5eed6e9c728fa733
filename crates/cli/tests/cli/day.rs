//! The day on paper and what is typed in the evening; rounds.

use crate::world::World;

#[test]
fn the_evenings_entry_records_each_row_and_names_what_it_did_not_understand() {
    let world = World::new();
    world.home_with_households("d");
    let sheet = world
        .at("d", &["今天", "打印", "zjg", "3-13", "--json"])
        .ok()
        .json();
    assert_eq!(sheet["rows"].as_array().unwrap().len(), 2);
    let typed = "1 好 / 2 血压150/90 @周五 +代办 / 9 无人 / 没有号";
    let entered = world.at("d", &["今天", typed, "--json"]).ends(3).json();
    let recorded = entered["recorded"].as_array().unwrap();
    assert_eq!(recorded.len(), 2);
    assert_eq!(recorded[0]["no_change"], true);
    assert_eq!(recorded[1]["note"], "血压150/90");
    assert!(recorded[1]["ticket"]["code"].is_string());
    assert_eq!(entered["refused"].as_array().unwrap().len(), 2);
    let again = world.at("d", &["今天", "1", "好"]).ends(1);
    assert!(again.stdout.contains("已经录过"), "{}", again.stdout);
}

#[test]
fn the_evenings_entry_can_be_piped_in() {
    let world = World::new();
    world.home_with_households("d");
    world.at("d", &["today", "print", "zjg", "3-13"]).ok();
    let piped = world.at_with("d", &["today", "enter", "--json"], "1 fine\n2 nobody\n");
    assert_eq!(piped.ok().json()["recorded"].as_array().unwrap().len(), 2);
}

#[test]
fn a_sheet_masks_names_and_doors_and_numbers_its_rows() {
    let world = World::new();
    world.home_with_households("d");
    for lang in ["zh", "en"] {
        let paper = world
            .at("d", &["today", "print", "zjg", "--lang", lang])
            .ok()
            .stdout;
        assert!(paper.contains("张**") && paper.contains("  1  "), "{paper}");
        assert!(
            !paper.contains("张建国") && !paper.contains("3-12"),
            "{paper}"
        );
    }
}

#[test]
fn an_entry_without_a_sheet_records_nothing_and_says_how_to_print_one() {
    let world = World::new();
    world.home_with_households("d");
    let out = world.at("d", &["今天", "1", "好"]).ends(1);
    assert!(
        out.stderr.contains("今日表") && out.stderr.contains("打印"),
        "{}",
        out.stderr
    );
    let visits = world.at("d", &["visit", "list", "--json"]).ok().json();
    assert_eq!(visits.as_array().unwrap().len(), 0);
}

#[test]
fn a_round_is_opened_marked_and_closed() {
    let world = World::new();
    world.home("d");
    world.at("d", &["巡查", "记下", "路灯不亮"]).ends(1);
    world.at("d", &["巡查", "开始"]).ok();
    let marked = world
        .at(
            "d",
            &[
                "巡查",
                "记下",
                "路灯不亮",
                "--place",
                "村口",
                "--report",
                "--category",
                "路灯",
                "--json",
            ],
        )
        .ok()
        .json();
    assert!(marked["report"].is_string());
    let closed = world.at("d", &["round", "close", "--json"]).ok().json();
    assert_eq!(closed["ended"], true);
    let list = world.at("d", &["巡查", "列表"]).ok().stdout;
    assert!(list.contains("1 处"), "{list}");
    let reports = world.at("d", &["report", "list", "--json"]).ok().json();
    assert_eq!(reports[0]["source"], "巡查");
}

#[test]
fn a_paper_form_typed_later_names_its_day_its_source_and_who_went() {
    let world = World::new();
    world.home_with_households("d");
    let typed = [
        "走访",
        "zjg",
        "好",
        "--on",
        "昨天",
        "--source",
        "纸质补录",
        "--ref",
        "17",
        "--by",
        "李梅",
    ];
    let visit = world.at("d", &typed).ok().stdout;
    assert!(
        visit.contains("纸质补录") && visit.contains("李梅走访"),
        "{visit}"
    );
}

#[test]
fn rows_written_close_together_are_parted_and_what_may_be_two_rows_is_not_recorded() {
    let world = World::new();
    world.home_with_households("d");
    world.at("d", &["today", "print", "zjg", "3-13"]).ok();
    let unclear = world
        .at("d", &["今天", "1 好 2 无人", "--json"])
        .ends(1)
        .json();
    assert_eq!(unclear["recorded"].as_array().unwrap().len(), 0);
    let close = world
        .at("d", &["今天", "1好/2血压150/90 @周五", "--json"])
        .ok()
        .json();
    let recorded = close["recorded"].as_array().unwrap();
    assert_eq!(recorded.len(), 2);
    assert_eq!(recorded[1]["note"], "血压150/90");
}
