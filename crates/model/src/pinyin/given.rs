//! Which characters of given names are read in one way only, whatever old books read them as.
//!
//! Pinyin data lists every reading ever recorded (红 gong, 英 yang, 强 jiang). In a village where one
//! name in ten ends in 红 those would make `wxg` an exact hit for 王小红. **Only characters are listed
//! that no living person's name reads otherwise**: 乐 (le, yue), 朝 (chao, zhao), 长 (chang, zhang),
//! 盛 (sheng, cheng), 行, 曾, 茜 and their like are not here and keep all their readings.

/// Says whether the commonest reading is the only one to keep.
pub(super) fn has_one_reading(c: char) -> bool {
    ONE_READING.contains(c)
}

const ONE_READING: &str = "\
    英明红平强立才胜家波俊有月方彬淑会大洁达祖培景喜南信容怀青超其治甫均浩思熙可倩娜洋鑫焱炎瑗震敦圣增声夏夕奇\
    契奥姣婕嫚宁客封将尚巨年广彦御感房承抗拓招捷支斯施无昂昆映暖暨服期术机杜杭枝果桃桐梧棋榜橙母比池汪沙\
    活涌涓淳温港游溪激王由登白百皓石研示童精约育脉至致舒芒芦芩芮苑若苹莉萌董蒲蓝蕊言许读赫越路陆陶馥魁鼎齐\
    古和丁包邓吴朱施戚潘俞汤倪姚狄臧舒屈祝阮霍莫邢裴甄焦甘戎叶印扶冉庄柴艾居匡冷游竺亢墨";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_names_read_in_two_ways_are_not_listed() {
        for c in "乐朝长盛行曾茜都重单解还传杉莎虹".chars() {
            assert!(!has_one_reading(c), "{c}");
        }
        assert!(has_one_reading('红'));
        assert!(!ONE_READING.contains(' '));
    }
}
