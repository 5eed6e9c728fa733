//! Violence in a family and against a child, as people say it: 被老公打了, 打老婆, 孩子被打.
//!
//! **打 is half of what a village says** (打电话, 打扫, 打工, 打针, 打牌), so the word alone is no sign:
//! somebody of a family has to stand where who beats or is beaten stands, and nothing harmless behind.

/// People of a family, and those who cannot defend themselves.
const FAMILY: &[&str] = &[
    "老公",
    "丈夫",
    "男人",
    "前夫",
    "男朋友",
    "男友",
    "老婆",
    "妻子",
    "媳妇",
    "女人",
    "前妻",
    "女朋友",
    "女友",
    "爱人",
    "对象",
    "老伴",
    "儿媳",
    "儿媳妇",
    "儿子",
    "女儿",
    "女婿",
    "孙子",
    "孙女",
    "外孙",
    "孩子",
    "小孩",
    "小孩子",
    "娃娃",
    "娃儿",
    "娃",
    "爸爸",
    "爸",
    "父亲",
    "妈妈",
    "妈",
    "母亲",
    "爹",
    "继父",
    "继母",
    "后爸",
    "后妈",
    "后爹",
    "后娘",
    "养父",
    "养母",
    "爷爷",
    "奶奶",
    "外公",
    "外婆",
    "公公",
    "婆婆",
    "公婆",
    "岳父",
    "岳母",
    "老人",
    "老汉",
    "哥哥",
    "弟弟",
    "嫂子",
    "家人",
];
/// Ways to say beating.
const BEATS: &[&str] = &[
    "殴打",
    "毒打",
    "暴打",
    "踢打",
    "打骂",
    "揍",
    "打伤",
    "打",
    "扇耳光",
];
/// What makes a beating of it that was suffered.
const SUFFERED: &[&str] = &["被", "遭", "挨"];
/// What may stand between the beating and who is beaten.
const BETWEEN: &[&str] = &[
    "",
    "了",
    "过",
    "伤",
    "伤了",
    "自己",
    "自己的",
    "自家",
    "他",
    "他的",
    "她",
    "她的",
    "我",
    "我的",
    "家里",
    "亲生",
    "两个",
    "了他",
    "了她",
    "了自己",
    "骂",
];
/// Behind 打 what makes something else of it: calls, work, needles, games, knocking things over.
const HARMLESS: &[&str] = &[
    "电话", "手机", "视频", "微信", "招呼", "扫", "工", "针", "点滴", "吊", "疫苗", "牌", "麻将",
    "球", "伞", "包", "水", "井", "药", "字", "印", "卡", "听", "理", "算", "开", "扰", "湿", "动",
    "发", "翻", "碎", "烂", "坏", "车", "的", "饭", "菜", "米", "谷", "麦", "油", "鼾", "呼噜",
    "喷嚏", "滑", "交道", "主意", "搅", "官司",
];
/// Behind who is beaten what makes a call, a gift of money or a place of it: 打儿子电话, 打老婆卡里.
const OF_THEIRS: &[&str] = &[
    "电话", "手机", "视频", "微信", "号", "主意", "疫苗", "针", "机", "卡", "账", "帐", "存折",
    "银行", "名下", "那", "这", "家", "工", "招呼",
];
/// Bones: 打断 of a talk is harmless, 打断了腿 is not.
const BONES: &[&str] = &["腿", "手", "肋", "骨", "胳", "牙", "脚"];
/// Said of two who live together, a fight is violence in a family.
const FIGHTS: &[&str] = &["夫妻打架", "夫妻互殴", "两口子打架", "两口子打起来"];
/// How many characters may stand between 被 and the beating, beside the name of who beat, and between
/// who was beaten and 被.
const REACH: usize = 4;

/// Returns where violence is told, as the first character and one past the last.
pub(super) fn places(text: &str) -> Vec<(usize, usize)> {
    // Most texts end here.
    if !["打", "揍", "耳光", "互殴"]
        .iter()
        .any(|word| text.contains(word))
    {
        return Vec::new();
    }
    let signs: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    for at in 0..signs.len() {
        let (before, rest) = signs.split_at(at);
        if let Some(length) = begins(rest, FIGHTS) {
            found.push((at, at + length));
        }
        let Some(length) = begins(rest, BEATS) else {
            continue;
        };
        let after = rest.get(length..).unwrap_or_default();
        if let Some(from) = suffered(before, after) {
            found.push((from, at + length));
        }
        if let Some(reach) = beaten(before, after) {
            found.push((at, at + length + reach));
        }
    }
    found
}

/// Returns where it begins that somebody was beaten by, or as one of, a family: 被老公…, 孩子被….
fn suffered(before: &[char], after: &[char]) -> Option<usize> {
    if is_harmless(after) {
        return None;
    }
    let clause = clause_start(before);
    let is_suffered = |at: &usize| {
        before
            .get(*at..)
            .is_some_and(|rest| begins(rest, SUFFERED).is_some())
    };
    let word = (clause..before.len())
        .rev()
        .take(REACH * 2 + 1)
        .find(is_suffered)?;
    let between = before.get(word + 1..)?;
    if names_family(between) {
        return Some(word);
    }
    let victim = before.get(clause..word)?;
    let near = victim.get(victim.len().saturating_sub(REACH + 3)..)?;
    // 庄稼被冰雹打了: who beat is named, and it is nobody.
    let by_somebody = between.is_empty() || between.iter().any(|sign| "人谁他她".contains(*sign));
    (by_somebody && names_family(near)).then_some(word)
}

/// Returns how far behind the word it says that somebody of a family is beaten: 打老婆, 老公打她.
fn beaten(before: &[char], after: &[char]) -> Option<usize> {
    let mut gaps: Vec<usize> = BETWEEN
        .iter()
        .filter(|between| starts(after, between))
        .map(|between| between.chars().count())
        .collect();
    gaps.sort_unstable();
    let whom = gaps.into_iter().find_map(|gap| {
        let rest = after.get(gap..)?;
        let length = begins(rest, FAMILY)?;
        let behind = rest.get(length..).unwrap_or_default();
        // 打爸妈电话: whom it says goes on.
        let more = begins(behind, FAMILY).unwrap_or_default();
        let behind = behind.get(more..).unwrap_or_default();
        (!is_theirs(behind)).then_some(gap + length)
    });
    if whom.is_some() {
        return whom;
    }
    // 老公又打她: who beats is of the family, and whom is said by a word for a person.
    let near = before.len().saturating_sub(REACH);
    let who = before.get(clause_start(before).max(near)..)?;
    let gap = begins(after, &["了", "过"]).unwrap_or_default();
    let rest = after.get(gap..)?;
    let length = begins(rest, &["她", "他", "我", "人"])?;
    let behind = rest.get(length..).unwrap_or_default();
    (names_family(who) && !is_theirs(behind)).then_some(gap + length)
}

fn is_harmless(after: &[char]) -> bool {
    if starts(after, "断") {
        let near: String = after.iter().skip(1).take(3).collect();
        return !BONES.iter().any(|bone| near.contains(bone));
    }
    let gap = begins(after, &["了个", "了一个", "个", "了", "过"]).unwrap_or_default();
    let rest = after.get(gap..).unwrap_or_default();
    begins(after, HARMLESS).is_some() || begins(rest, HARMLESS).is_some()
}

fn is_theirs(behind: &[char]) -> bool {
    let gap = begins(behind, &["的"]).unwrap_or_default();
    let rest = behind.get(gap..).unwrap_or_default();
    begins(rest, OF_THEIRS).is_some()
}

/// Returns where the clause begins that these characters end.
fn clause_start(before: &[char]) -> usize {
    let is_end = |sign: &char| "，,。；;！!？?、：:\n ".contains(*sign);
    before.iter().rposition(is_end).map_or(0, |at| at + 1)
}

fn names_family(signs: &[char]) -> bool {
    let text: String = signs.iter().collect();
    FAMILY.iter().any(|word| text.contains(word))
}

/// Returns the length of the longest of these words the text begins with.
fn begins(text: &[char], words: &[&str]) -> Option<usize> {
    let fits = words.iter().filter(|word| starts(text, word));
    fits.map(|word| word.chars().count()).max()
}

fn starts(text: &[char], word: &str) -> bool {
    let mut signs = text.iter();
    word.chars().all(|sign| signs.next() == Some(&sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn violence_in_a_family_is_found_however_it_is_said() {
        for text in [
            "邻居被老公打了",
            "老公打老婆",
            "孩子被打",
            "打孩子",
            "听到打孩子",
            "隔壁男人喝了酒打老婆",
            "说儿子打了他妈",
            "老人被儿子打伤",
            "被丈夫毒打",
            "娃儿经常挨打",
            "老公又打她",
            "小孩被继父揍",
            "被他儿子打断了腿",
            "夫妻打架，孩子哭",
            "婆婆打骂儿媳",
            "昨晚被男朋友扇耳光",
            "父亲把孩子殴打了，孩子被殴打",
            "孩子被人打了",
        ] {
            assert!(!places(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn what_a_village_says_with_the_same_word_is_no_violence() {
        for text in [
            "老公打电话来",
            "打老婆电话没人接",
            "打儿子电话",
            "打爸妈电话",
            "被老公打电话叫走",
            "儿子在外打工",
            "打工供孩子上学",
            "女儿打扫卫生",
            "孩子打针",
            "带孩子打疫苗",
            "孩子被打针吓哭",
            "老人打牌",
            "老人在家打麻将",
            "被雨打湿",
            "老人被雨打了",
            "孩子的书包被打湿",
            "被风雨打坏了窗",
            "孩子被雷声打断了午睡",
            "碗被孩子打翻",
            "儿子打伞接老人",
            "钱打儿子卡上",
            "打他电话不接，老公在外",
            "跟儿子打招呼",
            "老伴打呼噜",
            "爷爷打米去了",
            "老人打水",
            "打孩子的疫苗",
            "打老人机",
            "妻子打听低保",
            "儿子打的来的",
            "庄稼被冰雹打了",
            "路灯被打碎",
        ] {
            assert!(places(text).is_empty(), "{text}: {:?}", places(text));
        }
    }
}
