//! Made-up working days: what grid workers write, from a small grammar and a fixed seed.
//!
//! For the dictionary and for load, never for the figures that are compared with others: those use the
//! neutral workload in `fixtures/`, whose sentences are not these.

/// A sequence of numbers that is the same on every machine.
pub struct Dice(u64);

impl Dice {
    /// Returns dice with a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1))
    }

    /// Returns the next number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (end.max(1) as u64)).unwrap_or(0)
    }

    /// Returns one of these.
    pub fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let index = self.below(from.len());
        from.get(index).copied().unwrap_or_default()
    }

    /// Fills bytes.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = (self.below(256) & 0xff) as u8;
        }
    }
}

const WHO: &[&str] = &[
    "老人", "本人", "儿媳", "孙子", "邻居", "家属", "户主", "孩子", "老伴",
];
const STATE: &[&str] = &[
    "身体还好",
    "血压偏高",
    "腿脚不便",
    "正在服药",
    "刚出院",
    "胃口差",
    "情绪低落",
    "睡眠不好",
    "视力下降",
    "听力不好",
    "恢复不错",
    "需要陪护",
];
const DONE: &[&str] = &[
    "已提醒按时吃药",
    "已联系村医",
    "已告知家属",
    "帮忙充了电费",
    "讲了防火防骗",
    "检查了电线和灶具",
    "约好下周再去",
    "送去了慰问品",
    "登记了联系方式",
    "核对了人口",
    "代取了药",
    "帮忙交了医保",
];
const MATTER: &[&str] = &[
    "路灯不亮",
    "水管漏水",
    "屋顶漏雨",
    "垃圾没人清",
    "水沟堵了",
    "山塘渗水",
    "村道塌了一段",
    "电线垂下来",
    "邻里争地界",
    "医保没报上",
    "低保申请",
    "残疾证到期",
    "想装扶手",
    "小孩上学远",
    "公交不停站",
    "井盖坏了",
    "河堤开裂",
    "噪音太大",
];

/// Returns a note of a visit, one to three clauses.
pub fn note(dice: &mut Dice) -> String {
    let mut note = format!("{}{}", dice.pick(WHO), dice.pick(STATE));
    for _ in 0..dice.below(3) {
        note.push('，');
        note.push_str(dice.pick(DONE));
    }
    note.push('。');
    note
}

/// Returns what somebody reports.
pub fn matter(dice: &mut Dice) -> String {
    format!(
        "{}反映{}，{}",
        dice.pick(WHO),
        dice.pick(MATTER),
        dice.pick(DONE)
    )
}

/// Returns a telephone number of nobody.
pub fn phone(dice: &mut Dice) -> String {
    let tail = dice.below(100_000_000);
    format!(
        "1{}{tail:08}",
        dice.pick(&["38", "39", "51", "77", "82", "99"])
    )
}
