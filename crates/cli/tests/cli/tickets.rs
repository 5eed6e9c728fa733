//! Every step of a ticket as people type it, and its plainest mistake.

use serde_json::Value;

use crate::world::{GRID, Relay, TOWNSHIP, World};

/// A worker and a township desk that share a relay.
struct Pair {
    world: World,
    _relay: Relay,
}

impl Pair {
    fn new() -> Self {
        let world = World::new();
        let relay = world.relay();
        world.enroll(&relay, "李梅", "worker", &[GRID]);
        world.enroll(&relay, "周文", "township", &[TOWNSHIP]);
        world
            .at(
                "李梅",
                &[
                    "household",
                    "add",
                    "张建国",
                    "--door",
                    "3-12",
                    "--phone",
                    "13812345678",
                ],
            )
            .ok();
        Self {
            world,
            _relay: relay,
        }
    }

    /// Opens a ticket at the worker's and brings it to the desk.
    fn open(&self, subject: &str) -> String {
        let out = self
            .world
            .at("李梅", &["ticket", "open", "zjg", subject, "--json"])
            .ok();
        self.sync();
        out.json()["code"].as_str().unwrap().to_owned()
    }

    fn sync(&self) {
        for home in ["李梅", "周文", "李梅"] {
            self.world.at(home, &["sync"]).ok();
        }
    }

    /// Takes a step of the desk and returns the ticket.
    #[track_caller]
    fn desk(&self, args: &[&str]) -> Value {
        self.step("周文", args)
    }

    /// Takes a step of the worker and returns the ticket.
    #[track_caller]
    fn worker(&self, args: &[&str]) -> Value {
        self.step("李梅", args)
    }

    #[track_caller]
    fn step(&self, home: &str, args: &[&str]) -> Value {
        let args = [&["工单"], args, &["--json"]].concat();
        self.world.at(home, &args).ok().json()
    }

    /// Takes a step that is refused, and returns why in both languages.
    #[track_caller]
    fn refused(&self, home: &str, args: &[&str]) -> (String, String) {
        let [zh, en] = ["zh", "en"].map(|lang| {
            let args = [&["--lang", lang, "ticket"], args].concat();
            self.world.at(home, &args).ends(4).stderr
        });
        (zh, en)
    }
}

#[test]
fn the_chinese_words_of_the_flow_take_a_ticket_to_the_archive() {
    let pair = Pair::new();
    let code = &pair.open("修路灯");
    assert_eq!(pair.desk(&["受理", code])["status"], "accepted");
    let given = pair.desk(&[
        "交办", code, "--to", "李梅", "--copy", TOWNSHIP, "--due", "12-31",
    ]);
    assert_eq!(given["handler"]["name"], "李梅");
    assert_eq!(given["copies"][0]["name"], TOWNSHIP);
    pair.sync();
    pair.worker(&["签收", code]);
    let waiting = pair.worker(&["挂起", code, "等配件", "--until", "@明天"]);
    assert_eq!(waiting["status"], "in_progress");
    assert!(waiting["suspended_until"].is_string());
    pair.worker(&["恢复", code]);
    let asked = pair.worker(&["延期", code, "配件没到"]);
    assert_eq!(asked["extension"]["answer"], "asked");
    pair.sync();
    assert_eq!(
        pair.desk(&["同意延期", code])["extension"]["answer"],
        "granted"
    );
    pair.sync();
    let interim = [
        "办结",
        code,
        "先换了灯泡",
        "--kind",
        "阶段",
        "--review-on",
        "12-31",
    ];
    assert_eq!(pair.worker(&interim)["done_kind"], "interim");
    pair.worker(&["答复", code, "先用着", "--how", "当面", "--to", "张建国"]);
    pair.sync();
    pair.desk(&["核查", code]);
    let content = pair.desk(&["回访", code, "挺好", "--grade", "很满意"]);
    assert_eq!(content["followed_up"]["grade"], 5);
    pair.desk(&["结案", code]);
    assert_eq!(pair.desk(&["归档", code])["status"], "archived");
    for (lang, words) in [
        (
            "zh",
            ["已归档", "抄告", "挂起", "申请延期", "阶段性办结", "很满意"],
        ),
        (
            "en",
            [
                "archived",
                "told",
                "suspended",
                "asked for more time",
                "interim",
                "very content",
            ],
        ),
    ] {
        let args = ["--lang", lang, "ticket", "show", code];
        let shown = pair.world.at("周文", &args).ok().stdout;
        for word in words {
            assert!(shown.contains(word), "{word} in\n{shown}");
        }
    }
}

#[test]
fn the_ways_aside_have_their_commands_and_their_plain_errors() {
    let pair = Pair::new();
    let code = &pair.open("邻里纠纷");
    assert_eq!(
        pair.desk(&["退回补充", code, "写清地点"])["status"],
        "asked_back"
    );
    pair.sync();
    pair.worker(&["提交", code, "村口"]);
    pair.sync();
    let (zh, en) = pair.refused("李梅", &["accept", code]);
    assert!(zh.contains("这一步不由您的岗位做"), "{zh}");
    assert!(en.contains("not for your role"), "{en}");
    let declined = pair.desk(&["不予受理", code, "应走诉讼", "--to", "县法院"]);
    assert_eq!(declined["status"], "declined");
    assert_eq!(
        pair.desk(&["重办", code, "有新材料"])["status"],
        "submitted"
    );
    pair.desk(&["受理", code]);
    assert_eq!(pair.desk(&["撤销", code])["status"], "submitted");
    pair.desk(&["受理", code]);
    assert_eq!(
        pair.desk(&["上报", code, "要县里定"])["escalated_to"],
        "511724"
    );
    let (zh, en) = pair.refused("周文", &["grant", code]);
    assert!(
        zh.contains("什么也没有改动") && en.contains("Nothing was changed"),
        "{zh}{en}"
    );
    pair.sync();
    pair.worker(&["移交", code, "--to", "周文"]);
    let (one, other) = (&pair.open("路灯坏了"), &pair.open("村口没灯"));
    assert_eq!(
        pair.desk(&["合并", one, "--into", other])["merged_into"],
        **other
    );
    pair.desk(&["受理", other]);
    pair.desk(&["交办", other, "--to", "李梅"]);
    assert_eq!(pair.desk(&["催办", other])["reminders"], 1);
    pair.sync();
    pair.worker(&["退回", other, "不是我的网格"]);
    assert_eq!(
        pair.worker(&["撤回", other, "自己修好了"])["status"],
        "withdrawn"
    );
}

#[test]
fn watching_gets_stronger_only_and_a_word_nobody_knows_is_explained() {
    let pair = Pair::new();
    let code = &pair.open("修路灯");
    pair.desk(&["受理", code]);
    pair.desk(&["交办", code, "--to", "李梅"]);
    assert_eq!(
        pair.desk(&["督办", code, "--card", "黄牌"])["card"],
        "yellow"
    );
    let (zh, en) = pair.refused("周文", &["supervise", code]);
    assert!(
        zh.contains("只能加重") && en.contains("only ever gets stronger"),
        "{zh}{en}"
    );
    for (args, zh, en) in [
        (
            ["supervise", code, "--card", "绿牌"],
            "普通 黄牌 红牌",
            "ordinary, yellow or red",
        ),
        (
            ["follow-up", code, "--grade", "9"],
            "很满意",
            "5 very content",
        ),
        (["assign", code, "--to", "没这人"], "没这人", "没这人"),
    ] {
        for (lang, wanted) in [("zh", zh), ("en", en)] {
            let args = [&["--lang", lang, "ticket"], &args[..]].concat();
            let out = pair.world.at("周文", &args);
            assert!(matches!(out.code, 1 | 2), "{out:?}");
            assert!(out.stderr.contains(wanted), "{}", out.stderr);
        }
    }
    let out = pair.world.at(
        "李梅",
        &["ticket", "suspend", code, "等", "--until", "胡说"],
    );
    assert!(out.ends(2).stderr.contains("胡说"));
}

#[test]
fn what_is_held_of_a_residents_is_said_when_the_errand_is_done() {
    let pair = Pair::new();
    let code = &pair.open("代办社保");
    let held = pair.worker(&["代管", code, "--item", "身份证", "--amount", "１张"]);
    assert_eq!(held["custody"][0]["amount"], "1张");
    pair.desk(&["受理", code]);
    pair.desk(&["交办", code, "--to", "李梅"]);
    pair.sync();
    let done = pair
        .world
        .at("李梅", &["ticket", "done", code, "办好了"])
        .ok();
    assert!(done.stderr.contains("身份证"), "{}", done.stderr);
    let shown = pair.worker(&["查看", code]);
    assert_eq!(shown["warnings"][0], "custody_out");
    let nothing = ["ticket", "custody", code, "--returned", "--item", "手机"];
    pair.world.at("李梅", &nothing).ends(2);
    let back = pair.worker(&["代管", code, "--returned"]);
    assert_eq!(back["warnings"].as_array().unwrap().len(), 0);
    assert!(back["custody"][0]["returned"].is_string());
}

#[test]
fn a_slip_is_masked_and_one_who_asked_not_to_be_named_is_not_on_it() {
    let pair = Pair::new();
    let code = &pair.open("修路灯");
    pair.desk(&["受理", code]);
    pair.desk(&["交办", code, "--to", "李梅"]);
    pair.sync();
    let slip = pair.world.at("李梅", &["工单", "交办单", code]).ok().stdout;
    for word in ["承办联", "回执联", "张**", "138****5678", "3组", "李梅"] {
        assert!(slip.contains(word), "{word} in\n{slip}");
    }
    for secret in ["张建国", "13812345678", "3-12"] {
        assert!(!slip.contains(secret), "{secret} in\n{slip}");
    }
    let json = pair.worker(&["交办单", code, "--for", "resident"]);
    assert_eq!(json["complaint_line"], "12345");
    assert!(!json.to_string().contains("张建国"));
    let english = ["--lang", "en", "ticket", "slip", code, "--for", "resident"];
    assert!(
        pair.world
            .at("李梅", &english)
            .ok()
            .stdout
            .contains("promised by")
    );

    let report = pair
        .world
        .at(
            "李梅",
            &[
                "report",
                "zjg",
                "邻居噪音",
                "--identity",
                "实名保密",
                "--ticket",
                "--json",
            ],
        )
        .ok()
        .json();
    let quiet = report["tickets"][0]["code"].as_str().unwrap();
    let slip = pair
        .world
        .at("李梅", &["ticket", "slip", quiet])
        .ok()
        .stdout;
    assert!(slip.contains("实名保密"), "{slip}");
    assert!(!slip.contains('张') && !slip.contains("138"), "{slip}");
}

#[test]
fn a_report_of_life_and_limb_says_telephone_first_until_somebody_was_phoned() {
    let world = World::new();
    world.home_with_households("d");
    let urgent = ["report", "zjg", "老人摔倒", "--urgency", "P0"];
    let first = world.at("d", &urgent).ok();
    assert!(first.stderr.contains("先打电话"), "{}", first.stderr);
    let phoned = world
        .at(
            "d",
            &[
                &urgent[..],
                &["--phoned", "120", "--affected", "1", "--json"],
            ]
            .concat(),
        )
        .ok();
    assert_eq!(phoned.stderr, "");
    let json = phoned.json();
    assert_eq!(
        (&json["phoned"]["to"], &json["affected"]),
        (&"120".into(), &1.into())
    );
    let id = json["id"].as_str().unwrap();
    let said = world.at("d", &["上报", "批注", id, "已送医"]).ok().stdout;
    assert!(said.contains("已送医") && said.contains("120"), "{said}");
    world
        .at("d", &["report", "comment", "00000000", "x"])
        .ends(1);
}

#[test]
fn lists_choose_and_lines_take_the_new_fields() {
    let world = World::new();
    world.home_with_households("d");
    let lines = "{\"household\":\"zjg\",\"subject\":\"修路灯\",\"wish\":\"19:00后\"}\n\
                 {\"subject\":\"问社保\",\"handled_on_spot\":\"当场讲清\"}\n";
    let report = world
        .at_with("d", &["ticket", "open", "--from", "-", "--json"], lines)
        .ok()
        .json();
    assert_eq!(report["recorded"], 2);
    let count = |flag: &[&str]| {
        let args = [&["ticket", "list", "--json"], flag].concat();
        world.at("d", &args).ok().json().as_array().unwrap().len()
    };
    assert_eq!(count(&[]), 2);
    assert_eq!(count(&["--status", "done"]), 1);
    assert_eq!((count(&["--open"]), count(&["--owed"])), (2, 2));
    assert_eq!((count(&["--contested"]), count(&["--mine"])), (0, 1));
    let list = world.at("d", &["ticket", "list", "--json"]).ok().json();
    assert_eq!(list[0]["wish"], "19:00后");
    assert_eq!(list[0]["light"], "green");
    let reports = "{\"text\":\"涨水\",\"phoned\":{\"to\":\"镇值班室\"},\"affected\":30,\"ticket\":\"help\"}\n";
    world
        .at_with("d", &["report", "add", "--from", "-"], reports)
        .ok();
    assert_eq!(count(&[]), 3);
}
