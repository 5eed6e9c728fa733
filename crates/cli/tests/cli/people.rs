//! `people` and `unit` as scripts and people meet them, with a relay that runs.

use crate::world::{GRID, OTHER_GRID, Relay, TOWNSHIP, World};

/// 李梅 and 王芳 in two grids, 周文 at the desk, who knows both.
fn town() -> (World, Relay) {
    let world = World::new();
    let relay = world.relay();
    world.enroll(&relay, "李梅", "worker", &[GRID]);
    world.enroll(&relay, "王芳", "worker", &[OTHER_GRID]);
    world.enroll(&relay, "周文", "township", &[TOWNSHIP]);
    world.at("周文", &["sync"]).ok();
    (world, relay)
}

#[test]
fn a_desk_covers_a_colleague_lists_it_and_ends_it() {
    let (world, _relay) = town();
    world
        .at("李梅", &["household", "add", "张建国", "--door", "3-12"])
        .ok();
    world.at("李梅", &["sync"]).ok();
    let cover = [
        "people",
        "cover",
        "李梅",
        "--by",
        "王芳",
        "--until",
        "2999-01-01",
        "--json",
    ];
    // A cover of centuries is a change of the grant.
    let error = world.at("周文", &cover).ends(4).error();
    assert_eq!(error["kind"], "bad_order");

    let until = today(&world);
    let cover = [
        "人员", "顶替", "李梅", "--by", "王芳", "--until", &until, "--json",
    ];
    let said = world.at("周文", &cover).ok().json();
    assert_eq!(
        (&said["absent_name"], &said["state"]),
        (&"李梅".into(), &"now".into())
    );
    world.at("王芳", &["sync"]).ok();
    let seen = world
        .at("王芳", &["household", "list", "--json"])
        .ok()
        .json();
    assert_eq!(
        seen[0]["head"], "张建国",
        "the names of a covered grid are clear"
    );
    let areas = world.at("王芳", &["area", "list", "--json"]).ok().json();
    let is_own = |code: &str| {
        let mut rows = areas.as_array().unwrap().iter();
        rows.any(|row| row["code"] == code && row["own"] == true)
    };
    assert!(is_own(GRID) && is_own(OTHER_GRID));

    let people = world.at("周文", &["people", "list", "--json"]).ok().json();
    let li = people
        .as_array()
        .unwrap()
        .iter()
        .find(|p| p["name"] == "李梅")
        .unwrap();
    assert_eq!(li["leaves"][0]["substitute_name"], "王芳");
    let shown = world.at("周文", &["人员", "列表"]).ok().stdout;
    assert!(
        shown.contains("王芳 顶替") && shown.contains("顶替 李梅 至"),
        "{shown}"
    );

    let ended = world
        .at("周文", &["people", "cover", "李梅", "--end", "--json"])
        .ok()
        .json();
    assert_eq!(ended[0]["state"], "over");
    world.at("王芳", &["sync"]).ok();
    let again = world
        .at("周文", &["人员", "请假", "李梅", "--end"])
        .ok()
        .stdout;
    assert!(again.contains("没有请假"), "{again}");
}

#[test]
fn a_unit_is_added_invited_given_a_ticket_and_closed() {
    let (world, relay) = town();
    let add = [
        "unit",
        "add",
        "水务站",
        "--area",
        TOWNSHIP,
        "--phone",
        "0818-6212345",
        "--json",
    ];
    let unit = world.at("周文", &add).ok().json();
    assert_eq!(unit["closed"], false);
    let twice = world.at("周文", &add).ends(4).error();
    assert_eq!(twice["kind"], "name_taken");
    let shown = world.at("周文", &["部门", "列表"]).ok().stdout;
    assert!(
        shown.contains("水务站") && shown.contains("纸单"),
        "{shown}"
    );

    let invite = [
        "relay",
        "invite",
        "--name",
        "刘站长",
        "--role",
        "unit",
        "--unit",
        "水务站",
        "--json",
    ];
    let invited = world.at("relay", &invite).ok().json();
    assert_eq!(
        (&invited["role"], &invited["areas"][0]),
        (&"unit".into(), &TOWNSHIP.into())
    );
    let code = invited["code"].as_str().unwrap();
    world
        .at("刘站长", &["enroll", code, "--relay", &relay.url()])
        .ok();
    world.at("刘站长", &["sync"]).ok();
    let nothing = world
        .at("刘站长", &["household", "list", "--json"])
        .ok()
        .json();
    assert_eq!(nothing, serde_json::json!([]));

    world.at("周文", &["unit", "close", "水务站"]).ok();
    world.at("relay", &invite).ends(1);
    let wrong = ["relay", "invite", "--name", "x", "--role", "unit"];
    world.at("relay", &wrong).ends(2);
}

#[test]
fn a_worker_is_refused_and_without_a_link_nothing_is_promised() {
    let (world, relay) = town();
    world.at("李梅", &["sync"]).ok();
    let leave = [
        "people",
        "leave",
        "李梅",
        "--until",
        "2026-12-31",
        "--from",
        "2026-12-01",
    ];
    world.at("李梅", &leave).ends(4);
    let said = world
        .at(
            "李梅",
            &["--lang", "en", "unit", "add", "x", "--area", TOWNSHIP],
        )
        .ends(4);
    assert!(
        said.stderr.contains("Nothing was changed"),
        "{}",
        said.stderr
    );
    let unknown = world.at(
        "周文",
        &["people", "leave", "没有这个人", "--until", "2026-12-31"],
    );
    unknown.ends(1);
    let nowhere = world
        .at("周文", &["unit", "add", "x", "--area", GRID])
        .ends(2);
    assert!(nowhere.stderr.contains("乡镇"), "{}", nowhere.stderr);
    drop(relay);
    let said = world.at("周文", &leave).ends(5);
    assert!(said.stderr.contains("要由中继办"), "{}", said.stderr);
    world.at("周文", &["people", "list", "--json"]).ok();
}

/// Today in China, as the program itself says it.
fn today(world: &World) -> String {
    let visit = world
        .at("李梅", &["走访", "3-12", "好", "--json"])
        .ok()
        .json();
    visit["happened_on"].as_str().unwrap().to_owned()
}

#[test]
fn a_leave_takes_the_words_for_days_that_other_commands_take() {
    let (world, _relay) = town();
    let leave = ["people", "leave", "李梅", "--from", "明天", "--until"];
    let said = world
        .at("周文", &[&leave[..], &["后天", "--json"]].concat())
        .ok()
        .json();
    let days: Vec<chrono::NaiveDate> = ["from", "until"]
        .map(|key| said[key].as_str().unwrap().parse().unwrap())
        .to_vec();
    assert_eq!((days[1] - days[0]).num_days(), 1, "{said}");
    assert_eq!(said["state"], "coming");
    let refused = world.at("周文", &[&leave[..], &["哪天"]].concat()).ends(2);
    assert!(refused.stderr.contains("哪天"), "{}", refused.stderr);
}
