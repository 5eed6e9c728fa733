//! A family at the command line: what is typed, what comes back, what is refused.

use crate::world::World;

fn show(world: &World) -> serde_json::Value {
    world
        .at("d", &["household", "show", "zjg", "--json"])
        .ok()
        .json()
}

#[test]
fn a_family_changes_and_shows_it_in_chinese() {
    let world = World::new();
    world.home_with_households("d");
    for args in [
        &[
            "成员",
            "新增",
            "zjg",
            "--name",
            "张小芳",
            "--relation",
            "孙女",
            "--birth",
            "2016-05",
        ][..],
        &[
            "member",
            "add",
            "zjg",
            "--name",
            "张伟",
            "--relation",
            "长子",
            "--birth",
            "1980",
        ],
        &[
            "关爱",
            "设定",
            "zjg",
            "张建国",
            "独居老人",
            "重病",
            "--since",
            "2026-01-01",
            "--every",
            "每周",
        ],
        &["care", "end", "zjg", "张建国", "重病", "--on", "2026-06-01"],
        &[
            "住户",
            "电话",
            "新增",
            "zjg",
            "13900000001",
            "--whose",
            "女儿",
        ],
        &[
            "住户",
            "需求",
            "新增",
            "zjg",
            "轮椅",
            "--since",
            "2026-02-03",
        ],
        &["住户", "需求", "已解决", "zjg", "1", "--on", "2026-03-01"],
        &[
            "household",
            "consent",
            "add",
            "zjg",
            "--purpose",
            "探访",
            "--member",
            "张小芳",
            "--guardian",
            "张伟",
            "--on",
            "2026-01-01",
        ],
        &[
            "household",
            "depart",
            "zjg",
            "--members",
            "张伟",
            "--on",
            "2026-02-05",
        ],
        &[
            "成员",
            "离开",
            "zjg",
            "张建国",
            "--reason",
            "去世",
            "--on",
            "2026-07-01",
        ],
    ] {
        world.at("d", args).ok();
    }
    let household = show(&world);
    assert_eq!(household["flags"][0]["code"], "head_left");
    assert_eq!(
        household["members"][0]["care_periods"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(household["contacts"][0]["phone"], "13900000001");
    let id = household["id"].as_str().unwrap().to_owned();
    let text = world.at("d", &["household", "show", "zjg"]).ok().stdout;
    let text = world.bare("d", &text);
    insta::assert_snapshot!("family_zh", text.replace(&id, "[ID]"));
    world
        .at("d", &["household", "edit", &id, "--head", "张伟"])
        .ok();
    assert_eq!(
        world
            .at("d", &["household", "show", &id, "--json"])
            .ok()
            .json()["flags"]
            .as_array()
            .unwrap()
            .len(),
        0
    );
}

#[test]
fn a_split_and_a_move_say_where_everybody_is() {
    let world = World::new();
    world.home_with_households("d");
    world
        .at("d", &["member", "add", "zjg", "--name", "张伟"])
        .ok();
    let split = [
        "住户",
        "分户",
        "zjg",
        "--members",
        "张伟",
        "--door",
        "3-15",
        "--json",
    ];
    let split = world.at("d", &split).ok().json();
    let new = split["id"].as_str().unwrap();
    assert_eq!(split["created"], true);
    let member = split["members"][0].as_str().unwrap();
    assert_eq!(show(&world)["members"][1]["moved_to"], new);
    let moved = [
        "member", "move", new, "张伟", "--to", "wxm", "--reason", "婚嫁", "--json",
    ];
    let moved = world.at("d", &moved).ok().json();
    assert_eq!(moved["member"], member);
    let back = ["member", "return", new, "张伟", "--json"];
    assert_eq!(world.at("d", &back).ok().json()["household"], new);
}

#[test]
fn an_id_number_is_read_from_stdin_and_never_from_an_argument() {
    let world = World::new();
    world.home_with_households("d");
    let number = "11010519491231002X";
    let edit = |from: &str| ["member", "edit", "zjg", "1", "--id-number", from].map(str::to_owned);
    let typed = edit(number);
    let typed: Vec<&str> = typed.iter().map(String::as_str).collect();
    let out = world.at("d", &typed).ends(2);
    assert!(!out.stderr.contains(number), "{}", out.stderr);
    let piped = edit("-");
    let piped: Vec<&str> = piped.iter().map(String::as_str).collect();
    world.at_with("d", &piped, "110105194912310021\n").ends(2);
    world.at_with("d", &piped, &format!("{number}\n")).ok();
    let household = show(&world);
    assert_eq!(household["members"][0]["id_checked"], true);
    assert_eq!(household["members"][0]["birth"], "1949-12");
    assert!(!household.to_string().contains(number));
}

#[test]
fn what_is_not_so_is_refused_and_nothing_is_saved() {
    let world = World::new();
    world.home_with_households("d");
    let typed = |line: &str| world.at("d", &line.split(' ').collect::<Vec<_>>());
    typed("member add zjg --name 张小芳 --birth 2016-05").ok();
    let unsent = || typed("status --json").ok().json()["counts"]["unsent"].clone();
    for (line, code) in [
        ("member add zjg", 2),
        ("member edit zjg 1", 2),
        ("member leave zjg 张建国 --reason 不见了", 2),
        ("member leave zjg nobody --reason 去世", 1),
        ("member move zjg 张建国 --to zjg", 2),
        ("care set zjg 1 重点人员", 2),
        ("care set zjg 1 低保 --every 每天", 2),
        ("care end zjg 1 低保", 2),
        ("household split zjg --members 1,2", 2),
        ("household contact remove zjg 9", 1),
        ("household consent add zjg --purpose 探访 --member 2", 2),
        ("household list --care 上访", 2),
    ] {
        let before = unsent();
        let out = typed(line);
        assert_eq!(out.code, code, "{line} {}", out.stderr);
        assert_eq!(unsent(), before, "{line}");
    }
}

#[test]
fn a_page_of_a_list_follows_the_one_before() {
    let world = World::new();
    world.home("d");
    let lines: String = (1..=5)
        .map(|n| format!("{{\"door\":\"3-{n}\",\"members\":[{{\"name\":\"张建国\"}}]}}\n"))
        .collect();
    world
        .at_with("d", &["household", "add", "--from", "-"], &lines)
        .ok();
    let doors = |args: &[&str]| -> Vec<String> {
        let out = world.at("d", &[&["household", "list", "--json"], args].concat());
        let rows = out.ok().json();
        let rows = rows.as_array().unwrap();
        rows.iter()
            .map(|row| row["door"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(doors(&["--limit", "2", "--page", "1"]), ["1", "2"]);
    assert_eq!(doors(&["--limit", "2", "--page", "3"]), ["5"]);
    assert_eq!(doors(&["--page", "2"]), Vec::<String>::new());
    assert_eq!(doors(&["--group", "3", "--limit", "1"]), ["1"]);
}

#[test]
fn a_part_of_the_list_says_how_many_there_are() {
    let world = World::new();
    world.home("d");
    for door in ["1", "2", "3", "4"] {
        world
            .at("d", &["household", "add", "陈一", "--door", door])
            .ok();
    }
    let page = ["household", "list", "--limit", "2", "--page", "2"];
    let shown = world.at("d", &page).ok().stdout;
    assert!(shown.contains("第 3–4 户，共 4 户"), "{shown}");
    let all = world.at("d", &["household", "list"]).ok().stdout;
    assert!(all.contains("共 4 户") && !all.contains("--page"), "{all}");
}

#[test]
fn care_begins_on_a_day_that_has_been_and_ends_after_it_began() {
    let world = World::new();
    world.home_with_households("d");
    let set = ["care", "set", "zjg", "1", "独居老人", "--since"];
    world.at("d", &[&set[..], &["2099-01-01"]].concat()).ends(2);
    world.at("d", &[&set[..], &["2026-03-01"]].concat()).ok();
    let end = ["care", "end", "zjg", "1", "独居老人", "--on"];
    world.at("d", &[&end[..], &["2026-02-01"]].concat()).ends(2);
    world.at("d", &[&end[..], &["2026-04-01"]].concat()).ok();
}
