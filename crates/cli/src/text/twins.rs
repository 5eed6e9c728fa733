//! Families registered twice, in words.

use super::help::Help;
use super::{Topic, messages, words};

const WHICH: &str = "哪一户：编号、首字母、姓名、门牌、电话尾号";

pub(super) const TOPIC: Topic = Topic {
    help: &[
        Help {
            path: "household duplicates",
            about: "列出可能重复登记的住户，由您来定",
            args: &[("area", "只看这个区域下的住户")],
        },
        Help {
            path: "household merge",
            about: "把重复登记的几户合成一户；各户所记都保留，可以撤回",
            args: &[
                ("households", "哪几户，写编号或能查到它的字"),
                ("dry_run", "只看哪些地方不一样，不写入"),
            ],
        },
        Help {
            path: "household unmerge",
            about: "撤回合并，让一户重新单独成户",
            args: &[(
                "household",
                "要分出来的那一户的编号；只合并了两户时写哪一户都行",
            )],
        },
        Help {
            path: "household distinct",
            about: "说明两户不是同一家，以后不再提示",
            args: &[("one", "一户"), ("other", "另一户")],
        },
        Help {
            path: "household move",
            about: "把一户调到另一个网格（由工作台操作）",
            args: &[
                ("household", WHICH),
                ("to", "调到哪个网格，15 位代码"),
                ("dry_run", "只看会怎样，不写入"),
            ],
        },
    ],
    aliases: &[
        ("household duplicates", "查重"),
        ("household merge", "合并"),
        ("household unmerge", "撤回合并"),
        ("household distinct", "不是一家"),
        ("household move", "调网格"),
    ],
    codes: &[
        ("duplicate", "id_number", "证件相同", "same id number"),
        ("duplicate", "phone", "电话相同", "same telephone"),
        ("duplicate", "same_name", "同门牌同名", "same name and door"),
        (
            "duplicate",
            "name_without_door",
            "同村同名，有一户没有门牌",
            "same name in the village, one without a door",
        ),
        (
            "duplicate",
            "similar_name",
            "同门牌、姓名相近",
            "similar name, same door",
        ),
        ("duplicate", "door", "门牌相同", "same door"),
    ],
    fields: &[
        ("households", "住户", "households"),
        ("alias_of", "与哪一户是同一家", "same family as"),
    ],
    takes: &[("households", "两户不同的住户")],
    refusals: &[],
};

words! {
    no_duplicates { zh: "没有发现可能重复的住户。", en: "No households look registered twice." }
    col_one { zh: "一户", en: "one" }
    col_other { zh: "另一户", en: "other" }
    merge_of_one { zh: "写的是同一户，没有什么要合并，没有改动。", en: "That is one and the same household; nothing was changed." }
    merged_already { zh: "这几户早已合成一户，没有改动。", en: "They are one household already; nothing was changed." }
    told_apart { zh: "✓ 已记下：不是同一家，不再提示。", en: "✓ Saved: they are two families and will not be offered again." }
    needs_desk {
        zh: "这一步要由工作台（网格站、乡镇）来做，什么也没有改动。请联系站上。",
        en: "This is for a desk (station or township) to do. Nothing was changed; ask your station."
    }
}

messages! {
    /// What may be typed after a list of pairs.
    duplicates_next(one: &str, other: &str) {
        zh: "是同一家：wangge 住户 合并 {one} {other} --dry-run\n不是：wangge 住户 不是一家 {one} {other}",
        en: "One family: wangge household merge {one} {other} --dry-run\nTwo: wangge household distinct {one} {other}"
    }
    /// What a merge would do.
    would_merge(count: usize, id: &str) {
        zh: "试运行，没有写入：{count} 户将并入 {id}",
        en: "Dry run, nothing written: {count} would be merged into {id}"
    }
    /// What a merge did.
    merged(count: usize, id: &str) {
        zh: "✓ {count} 户已并入 {id}；撤回：wangge 住户 撤回合并 {id}",
        en: "✓ {count} merged into {id}; take it back: wangge household unmerge {id}"
    }
    /// What taking a merge back did.
    unmerged(id: &str, from: &str) {
        zh: "✓ {id} 重新单独成户。合并期间的走访留在 {from}。",
        en: "✓ {id} stands for itself again. Visits recorded meanwhile stay with {from}."
    }
    /// Whom a household stands for.
    stands_for(ids: &str) { zh: "已合并：{ids}", en: "Merged with {ids}" }
    /// What an alias says.
    also_says(field: &str, value: &str) {
        zh: "  另记{field}：{value}",
        en: "  also recorded, {field}: {value}"
    }
    /// A household lives there already.
    lives_there(area: &str) { zh: "这一户本来就在 {area}，没有改动。", en: "It lives in {area} already; nothing was changed." }
    /// What a move would do.
    would_move(from: &str, to: &str) {
        zh: "试运行，没有写入：将从 {from} 调到 {to}",
        en: "Dry run, nothing written: it would move from {from} to {to}"
    }
    /// What a move did.
    moved_to(from: &str, to: &str) {
        zh: "✓ 已从 {from} 调到 {to}；走访和工单跟着住户走。\n下一步：wangge 同步",
        en: "✓ Moved from {from} to {to}; visits and tickets go along.\nNext: wangge sync"
    }
}
