//! The workload's shape made here, for whoever has no folder of it: the same fields, counts and lengths.
//!
//! **Its sentences are the testkit's own and its seeds no others'**, so that no dictionary was trained
//! on what is measured.

use serde_json::{Value, json};

use crate::working_days::{Dice, matter, note, phone};

const NAMES: &[&str] = &[
    "王建国",
    "李桂英",
    "张秀兰",
    "刘军",
    "陈小红",
    "杨平",
    "曾玉芳",
    "周明华",
];
const JOBS: &[&str] = &[
    "务农",
    "打零工",
    "在校",
    "退休",
    "在外地",
    "开小店",
    "没有工作",
];
const HEALTH: &[&str] = &[
    "还好",
    "血压高",
    "糖尿病",
    "腿脚不便",
    "眼睛不好",
    "刚做过手术",
];
const NEEDS: &[&str] = &["低保", "助残", "修房", "看病", "上学", "就业", "调解"];
const VISITS: &[&str] = &["日常看望", "查安全", "讲政策", "看病人", "劝和", "排查险情"];
const RELATIONS: [&str; 4] = ["户主", "配偶", "子", "女"];

/// Returns one of the households at the start, with its 5 to 20 visits.
pub(super) fn household(number: usize, seed: u64) -> Value {
    let dice = &mut Dice::new(seed.wrapping_mul(1_000_003).wrapping_add(number as u64));
    let by = format!("w{:03}", 1 + dice.below(40));
    let members: Vec<Value> = RELATIONS
        .iter()
        .map(|relation| {
            json!({"name": dice.pick(NAMES), "relation": relation, "sex": dice.pick(&["男", "女"]),
                   "idcard": number_of(dice), "phone": phone(dice), "job": dice.pick(JOBS),
                   "health": dice.pick(HEALTH), "note": if dice.below(5) < 2 { note(dice) } else { String::new() }})
        })
        .collect();
    let needs: Vec<Value> = (0..=dice.below(3))
        .map(|_| {
            json!({"kind": dice.pick(NEEDS), "status": dice.pick(&["待办", "办理中", "已办结"]),
                   "detail": matter(dice), "since": time(dice, 100)})
        })
        .collect();
    let count = 5 + dice.below(16);
    let visits: Vec<Value> = (0..count)
        .map(|turn| visit(dice, turn * 300 / count, &by))
        .collect();
    json!({"id": id(number), "doc": {
        "type": "household",
        "address": {"community": "东村", "street": "河边路", "detail": format!("{}号", 1 + dice.below(300)),
                    "building": format!("{}栋", 1 + dice.below(60)), "unit": "1单元", "room": format!("{}", 101 + dice.below(900))},
        "head": {"phone": phone(dice)}, "housing": dice.pick(&["自有", "租赁", "借住"]),
        "members": members, "needs": needs, "visits": visits}})
}

/// Returns a day; `device` is one of many with households of its own, else they are drawn.
pub(super) fn day(day: usize, households: usize, seed: u64, device: Option<usize>) -> Vec<Value> {
    let own = device.map_or(0, |device| device + 1);
    let mixed = seed.wrapping_mul(7_919).wrapping_add(day as u64 * 104_729);
    let dice = &mut Dice::new(mixed.wrapping_add(own as u64 * 15_485_863));
    let by = format!("w{own:04}");
    let picks: Vec<usize> = match device {
        Some(device) => (0..60).map(|turn| device * 60 + turn).collect(),
        // A step that shares no factor with the count meets no household twice.
        None => (0..60)
            .map(|turn| (turn * 47 + day * 7) % households.max(60))
            .collect(),
    };
    let mut lines = Vec::new();
    for number in &picks {
        lines.push(json!({"op": "edit", "id": id(*number), "ops": [
            ["append", ["visits"], visit(dice, 320 + day, &by)],
            ["set", ["needs", 0, "status"], dice.pick(&["办理中", "已办结", "要上面协调"])],
            ["set", ["members", dice.below(4), "health"], format!("{}（{}月再看）", dice.pick(HEALTH), 1 + dice.below(12))],
            ["set", ["updated"], time(dice, 320 + day)]]}));
    }
    for turn in 0..20 {
        lines.push(json!({"op": "create", "id": format!("rp-{own}-{day}-{turn}"), "doc": {
            "type": "report", "by": by, "at": time(dice, 320 + day), "kind": dice.pick(NEEDS),
            "title": matter(dice), "body": format!("{}{}", note(dice), note(dice)), "place": format!("河边路{}号", 1 + dice.below(300)),
            "level": 1 + dice.below(4), "gps": {"lat": 30.512_345, "lng": 114.312_345}, "status": "已上报"}}));
    }
    for (turn, number) in picks.iter().take(10).enumerate() {
        lines.push(
            json!({"op": "create", "id": format!("tk-{own}-{day}-{turn}"), "doc": {
            "type": "ticket", "by": by, "household": id(*number), "at": time(dice, 320 + day),
            "need": dice.pick(NEEDS), "title": matter(dice), "body": note(dice), "assignee": "w007",
            "due": time(dice, 327 + day), "status": "待派单", "steps": [{"note": "新建"}]}}),
        );
    }
    lines
}

/// Returns what two devices do to the same 60 households.
pub(super) fn conflict(seed: u64) -> (Vec<Value>, Vec<Value>) {
    let dice = &mut Dice::new(seed.wrapping_mul(31_337));
    let mut both = (Vec::new(), Vec::new());
    for number in 100..160 {
        both.0.push(json!({"op": "edit", "id": id(number), "ops": [
            ["set", ["head", "phone"], phone(dice)],
            ["set", ["members", 0, "health"], dice.pick(HEALTH)],
            ["append", ["visits"], visit(dice, 330, "wA")]]}));
        both.1.push(json!({"op": "edit", "id": id(number), "ops": [
            ["set", ["address", "detail"], format!("乙{}号", 1 + dice.below(300))],
            ["set", ["members", 2, "job"], dice.pick(JOBS)],
            ["append", ["visits"], visit(dice, 330, "wB")]]}));
    }
    both
}

fn visit(dice: &mut Dice, day: usize, by: &str) -> Value {
    json!({"id": format!("v{}{}", dice.below(1 << 20), dice.below(1 << 20)), "at": time(dice, day), "by": by,
           "kind": dice.pick(VISITS), "result": dice.pick(&["正常", "要再去", "已办", "未见人"]),
           "note": format!("{}{}", note(dice), note(dice))})
}

fn id(number: usize) -> String {
    format!("hh-{number:06}")
}

fn number_of(dice: &mut Dice) -> String {
    let (year, month) = (1940 + dice.below(80), 1 + dice.below(12));
    format!("511724{year}{month:02}{:06}", dice.below(1_000_000))
}

fn time(dice: &mut Dice, day: usize) -> String {
    let (month, day) = (1 + day / 28 % 12, 1 + day % 28);
    let (hour, minute) = (dice.below(11), dice.below(60));
    format!("2025-{month:02}-{day:02}T{hour:02}:{minute:02}:00.000Z")
}
