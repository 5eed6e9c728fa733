//! Verification and repair, in words.

use wangge_agent::status::UNDECIDED_MAX;

use super::help::Help;
use super::{Topic, messages, words};

pub(super) const TOPIC: Topic = Topic {
    help: &[Help {
        path: "verify",
        about: "核对：证明这台设备与中继完全一致，不一致的自动补齐",
        args: &[],
    }],
    aliases: &[("verify", "核对")],
    codes: &[],
    fields: &[],
    takes: &[],
    refusals: &[],
};

words! {
    no_area_to_compare {
        zh: "您现在没有负责的网格，没有可以与中继比对的内容。",
        en: "You have no grid now, so there is nothing to compare with the relay."
    }
}

messages! {
    /// An area is proven complete.
    area_proven(area: &str, households: usize, position: u64) {
        zh: "✓ {area}：{households} 户，与中继第 {position} 号为止的内容完全一致",
        en: "✓ {area}: {households} households, complete as of relay number {position}"
    }
    /// Something was repaired.
    repaired(fetched: usize, given_back: usize) {
        zh: "已补齐：从中继取回 {fetched} 条，向中继补送 {given_back} 条",
        en: "repaired: {fetched} fetched from the relay, {given_back} given back to it"
    }
    /// Changes that only this device has, and cannot give back.
    only_here(count: usize) {
        zh: "有 {count} 条在中继上已经丢失，这台设备还有；要等原来登记的人用自己的设备同步一次才能补回。请保留好这台设备，并告诉村站。",
        en: "{count} are lost at the relay and still on this device. They come back when whoever wrote them syncs; keep this device until then, and tell the station."
    }
    /// Changes are here and not shown.
    not_shown(count: u64) {
        zh: "有 {count} 条改动在这台设备上还没有放行或在等前面的内容，没有显示，也没有丢",
        en: "{count} changes are on this device and not shown: they wait for others, or are held; they are not lost"
    }
    /// Something waits for this desk.
    undecided_of(count: &str) {
        zh: "收件箱里有{count} 条等您处理（wangge 收件箱 列表）",
        en: "{count} in the inbox wait for you (wangge inbox list)"
    }
    /// Something is unsent.
    still_unsent(count: u64) {
        zh: "还有 {count} 条没有回执，都在这台设备上，没有丢",
        en: "{count} have no receipt yet; they are on this device and not lost"
    }
}

impl super::Lang {
    /// Says how much of an inbox waits for this desk; the relay counts no further than one answer holds.
    pub(crate) fn undecided(self, count: u32) -> String {
        match (count as usize >= UNDECIDED_MAX, self) {
            (false, Self::Zh) => self.undecided_of(&format!(" {count}")),
            (false, Self::En) => self.undecided_of(&count.to_string()),
            (true, Self::Zh) => self.undecided_of(&format!("至少 {count}")),
            (true, Self::En) => self.undecided_of(&format!("{count} or more")),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::text::Lang;

    #[test]
    fn a_count_that_stops_at_a_limit_is_not_called_exact() {
        assert!(Lang::Zh.undecided(255).contains("有 255 条"));
        assert!(Lang::Zh.undecided(256).contains("有至少 256 条"));
        assert!(Lang::En.undecided(256).starts_with("256 or more in"));
    }
}
