//! What commands say when they are done, and what they ask.

use super::{Lang, messages, words};
use crate::exit::Exit;

words! {
    enroll_next {
        zh: "有了登记码以后：wangge 登记 登记码 --relay 地址",
        en: "When you have a code: wangge enroll CODE --relay URL"
    }
    not_enrolled_yet { zh: "未登记", en: "not enrolled" }
    all_safe { zh: "本机所记全部已到中继", en: "Everything made here is at the relay" }
    nothing_unsent { zh: "没有未送的内容", en: "Nothing to send" }
    outbox_empty { zh: "发件箱是空的：没有未送的内容。", en: "The outbox is empty: nothing waits to be sent." }
    inbox_empty { zh: "收件箱是空的。", en: "The inbox is empty." }
    all_arrived { zh: "全部已到中继，有回执。", en: "All of it is at the relay, with receipts." }
    not_all_arrived { zh: "还有没有回执的。", en: "Some of it has no receipt yet. " }
    no_households { zh: "没有住户。", en: "No households." }
    no_visits { zh: "没有走访。", en: "No visits." }
    restricted { zh: "限制知悉", en: "restricted" }
    no_reports { zh: "没有上报。", en: "No reports." }
    no_tickets { zh: "没有工单。", en: "No tickets." }
    no_conflicts { zh: "没有冲突。", en: "No conflicts." }
    no_devices { zh: "还没有设备。", en: "No devices yet." }
    household_changed { zh: "✓ 已改好，已保存到本机。", en: "✓ Changed and saved on this device." }
    said_already { zh: "原来就是这样，没有改动。", en: "It said so already; nothing was changed." }
    no_grid_here { zh: "您现在没有负责的网格，导入不了。移交以后由接手的人导入；要重新负责，请找工作台。什么也没有导入。", en: "You have no grid now, so there is nowhere to import to. After a hand-over its new worker imports; ask a desk for a grid of your own. Nothing was imported." }
    grid_needed { zh: "您负责的网格不止一个，请说明导入到哪个：--grid 代码。", en: "You have several grids; say which one it goes to: --grid CODE." }
    visit_loop {
        zh: "输入首字母、姓名或门牌，回车；再选 1 安好  2 无人  3 记一笔。空行跳过，q 结束。",
        en: "Type initials, a name or a door, Enter; then 1 fine  2 nobody  3 a note. Enter alone skips, q ends."
    }
    prompt_household { zh: "走访> ", en: "visit> " }
    prompt_note { zh: "记一笔> ", en: "note> " }
    relay_name { zh: "中继", en: "relay" }
}

messages! {
    /// A home was made.
    home_made(name: &str, areas: &str, home: &str) {
        zh: "✓ {name} 的本机数据已建好：{areas}\n  {home}",
        en: "✓ A home for {name} is ready: {areas}\n  {home}"
    }
    /// A device was enrolled.
    enrolled(name: &str, role: &str, areas: &str, relay: &str, number: u32) {
        zh: "✓ 已登记到「{relay}」：{name} · {role} · {areas} · 设备 {number}",
        en: "✓ Enrolled with \"{relay}\": {name} · {role} · {areas} · device {number}"
    }
    /// The number of a device.
    device_number(number: u32) { zh: "设备 {number}", en: "device {number}" }
    /// How much is here.
    counts(households: u64, visits: u64, reports: u64, tickets: u64) {
        zh: "本机有 {households} 户 · {visits} 次走访 · {reports} 条上报 · {tickets} 张工单",
        en: "Here: households {households} · visits {visits} · reports {reports} · tickets {tickets}"
    }
    /// What has no receipt.
    unsent(count: u64, parts: &str) { zh: "未送达 {count} 条：{parts}", en: "Unsent: {count} ({parts})" }
    /// Of these in a state.
    of_these(state: &str, count: usize) { zh: "；其中{state} {count}", en: "; of these {state} {count}" }
    /// The last sync.
    last_sync(when: &str, relay: &str, url: &str) {
        zh: "上次同步 {when} · {relay} {url}",
        en: "Last sync {when} · {relay} {url}"
    }
    /// Conflicts wait.
    conflicts_wait(count: u64) {
        zh: "有 {count} 处冲突需要您看一下",
        en: "Conflicts that need you: {count}"
    }
    /// Areas that were not complete.
    incomplete(areas: &str) { zh: "还没有取全：{areas}", en: "Not complete yet: {areas}" }
    /// Changes that wait.
    held(waiting: u64, held: u64) {
        zh: "等前面内容的 {waiting} 条，本机未放行的 {held} 条（这台设备检验没过，不显示；内容都在，没有丢）",
        en: "Waiting for earlier changes: {waiting}; held on this device: {held} (its own check refused them and they are not shown; all are kept)"
    }
    /// What a sync did.
    synced(sent: usize, received: usize, receipts: usize) {
        zh: "✓ 送出 {sent} 条 · 收到 {received} 条 · 回执 {receipts} 份（一批一份）",
        en: "✓ Sent {sent} entries · received {received} · receipts {receipts}, one a batch"
    }
    /// What a sync cost.
    sync_cost(trips: u32, up: u64, down: u64, ms: u64) {
        zh: "  往返 {trips} 次 · 上行 {up} 字节 · 下行 {down} 字节 · {ms} 毫秒",
        en: "  round trips {trips} · {up} bytes up · {down} bytes down · {ms} ms"
    }
    /// An area is proven equal.
    area_equal(area: &str, changes: u64) {
        zh: "  ✓ {area}：与中继一致（{changes} 处更改）",
        en: "  ✓ {area}: the same as the relay (changes: {changes})"
    }
    /// An area differs.
    area_differs(area: &str) {
        zh: "  ! {area}：与中继还不一致，请再同步一次",
        en: "  ! {area}: not the same as the relay yet; sync again"
    }
    /// Items in the relay's inbox.
    in_inbox(count: u32) {
        zh: "  ! 有 {count} 条在中继的收件箱里，等工作台处理",
        en: "  ! {count} in the relay's inbox, for a desk to decide"
    }
    /// A household was added.
    household_added(id: &str) { zh: "✓ 已保存到本机 · {id}", en: "✓ Saved on this device · {id}" }
    /// A household is there already.
    household_known(id: &str) {
        zh: "这一户已经有了，已按所填更新 · {id}",
        en: "This household is there already and was brought up to date · {id}"
    }
    /// Rows of a list.
    rows_of(first: usize, last: usize, total: usize) {
        zh: "第 {first}–{last} 户，共 {total} 户；看别的用 --page 或 --offset",
        en: "{first} to {last} of {total} households; --page or --offset shows others"
    }
    /// No households on this page of the list.
    none_of(total: usize) {
        zh: "这一页没有住户，一共有 {total} 户。",
        en: "No households on this page; there are {total} in all."
    }
    /// The first ones found, of nobody knows how many.
    rows_and_more(count: usize) {
        zh: "这里列出前 {count} 户，还有别的；看更多用 --limit，或把要找的说细一些",
        en: "The first {count} households; there are more: use --limit, or say more of what you look for"
    }
    /// How many households.
    rows(count: usize) { zh: "共 {count} 户", en: "households: {count}" }
    /// A field in conflict.
    conflict_in(field: &str, number: i64) {
        zh: "! {field}有两个值：wangge 冲突 查看 {number}",
        en: "! {field} has two values: wangge conflict show {number}"
    }
    /// When to come back.
    follow_up(day: &str) { zh: "{day} 回访", en: "come back {day}" }
    /// A ticket was opened.
    ticket_opened(code: &str, subject: &str) {
        zh: "✓ 工单 {code} 已提交：{subject}",
        en: "✓ Ticket {code} submitted: {subject}"
    }
    /// Asks what was found at a household.
    prompt_answer(door: &str, head: &str) {
        zh: "  {door} {head}：1 安好  2 无人  3 记一笔> ",
        en: "  {door} {head}: 1 fine  2 nobody  3 note> "
    }
    /// What became of the lines of a bulk write.
    bulk_done(recorded: usize, unchanged: usize, refused: usize) {
        zh: "✓ 记下 {recorded} 条 · 原样 {unchanged} 条 · 没有收 {refused} 条",
        en: "✓ Recorded {recorded} · unchanged {unchanged} · refused {refused}"
    }
    /// A line that was refused.
    bulk_line(line: usize, why: &str) { zh: "  第 {line} 行：{why}", en: "  line {line}: {why}" }
    /// A sheet that was skipped.
    sheet_skipped(sheet: &str) {
        zh: "工作表「{sheet}」没有表头，跳过",
        en: "Sheet \"{sheet}\" has no header row and was skipped"
    }
    /// How a sheet was understood.
    sheet_read(sheet: &str, row: i64, layout: &str, households: i64, people: i64) {
        zh: "工作表「{sheet}」：第 {row} 行是表头，{layout}，{households} 户 {people} 人",
        en: "Sheet \"{sheet}\": header in row {row}, {layout}, {households} households, {people} people"
    }
    /// Columns left behind.
    left_behind(columns: &str) {
        zh: "不登记的列（只数格数，没有导入）：{columns}",
        en: "Columns left behind (cells counted, not imported): {columns}"
    }
    /// Values refused.
    refused_values(count: usize) {
        zh: "有 {count} 个值没有收（同一户的其他内容已收）：",
        en: "Values not taken: {count} (the rest of each household was):"
    }
    /// A household too large.
    too_large_row(row: u32) { zh: "第 {row} 行的一户太大，没有收", en: "The household in row {row} is too large and was not taken" }
    /// A household that a file has twice.
    repeated_row(sheet: &str, row: u32, first_sheet: &str, first_row: u32) {
        zh: "{sheet} 第 {row} 行与 {first_sheet} 第 {first_row} 行完全相同，只算一户",
        en: "{sheet}, row {row}, says the same as {first_sheet}, row {first_row}: it counts as one household"
    }
    /// What an import would do.
    would_import(area: &str, added: usize, updated: usize, unchanged: usize, people: usize) {
        zh: "试运行，没有写入：{area} 将新增 {added} 户、更新 {updated} 户、不变 {unchanged} 户，共 {people} 人",
        en: "Dry run, nothing written: {area} would gain {added} households, {updated} updated, {unchanged} unchanged, {people} people"
    }
    /// What an import did.
    imported(area: &str, added: usize, updated: usize, unchanged: usize, people: usize) {
        zh: "✓ {area}：新增 {added} 户、更新 {updated} 户、不变 {unchanged} 户，共 {people} 人",
        en: "✓ {area}: {added} households added, {updated} updated, {unchanged} unchanged, {people} people"
    }
    /// An event that is not applied.
    parked(why: &str) { zh: "未采用（{why}）", en: "not applied ({why})" }
    /// A contested pair.
    contested_pair(code: &str, ids: &str) {
        zh: "! 有争议，请裁定（为准的写在前）：wangge 工单 裁定 {code} {ids}",
        en: "! Contested, settle it (the one that stands first): wangge ticket settle {code} {ids}"
    }
    /// A conflict was settled.
    settled(title: &str, field: &str, value: &str) {
        zh: "✓ {title} 的{field}已定为 {value}",
        en: "✓ {title}: {field} is {value}"
    }
    /// An invitation was made.
    invited(name: &str, until: &str, next: &str) {
        zh: "登记码给 {name}，只能用一次，{until} 前有效：\n{next}",
        en: "The code is for {name}, for one device, until {until}:\n{next}"
    }
    /// The relay listens.
    listening(address: &str) { zh: "中继在 {address} 上服务", en: "The relay listens on {address}" }
    /// A word is no address.
    no_address(word: &str) {
        zh: "「{word}」不是地址和端口，写法如 127.0.0.1:8720。",
        en: "\"{word}\" is no address and port; write 127.0.0.1:8720."
    }
}

impl Lang {
    /// Returns who wrote something.
    pub(crate) fn this_device_or(self, here: bool, name: &str) -> String {
        let here_word = self.pick("本机", "this device");
        match (here, name) {
            (true, "") => here_word.to_owned(),
            (true, name) => format!(
                "{name}{}{here_word}{}",
                self.pick("（", " ("),
                self.pick("）", ")")
            ),
            (false, "") => self.pick("另一台设备", "another device").to_owned(),
            (false, name) => name.to_owned(),
        }
    }

    /// Returns what an ending means.
    pub(crate) fn exit_meaning(self, exit: Exit) -> &'static str {
        match exit {
            Exit::Done => self.pick(
                "完成（也包括没有要做的、列表为空）",
                "done; also: nothing to do, an empty list",
            ),
            Exit::Failed => self.pick(
                "失败（也包括没有找到、对应多个）",
                "failed; also: not found, or several found",
            ),
            Exit::Usage => self.pick(
                "命令写错，或设置不对",
                "the command line or the configuration is wrong",
            ),
            Exit::Partly => self.pick(
                "部分完成，输出说明哪些没有",
                "partly done; the output says which items were not",
            ),
            Exit::Refused => self.pick(
                "被拒绝：未登记、超出区域、岗位不符、档案锁定、数据正被使用",
                "refused: not enrolled, out of scope, wrong role, home locked or in use",
            ),
            Exit::NoLink => self.pick(
                "没有连上，或中继忙；所记都在本机",
                "no link, or the relay is busy; the work is safe on this device",
            ),
            Exit::NeedsPerson => self.pick(
                "冲突或有争议的工单要人来定",
                "a conflict or a contested ticket needs a person",
            ),
            Exit::Damaged => self.pick(
                "本机数据损坏，或由更新版本写成",
                "local data is damaged, or newer than this program",
            ),
            Exit::Found => self.pick(
                "检查发现了问题，或试运行会有改动",
                "a check found something, or a dry run would change something",
            ),
            Exit::Interrupted => self.pick("被中断", "interrupted"),
        }
    }

    /// Returns the table of exit codes.
    pub(crate) fn exit_codes(self) -> String {
        let head = self.pick(
            "退出码（以后可能增加；不认识的非零值都当作失败）：\n",
            "Exit codes (more may be added; treat any other number as a failure):\n",
        );
        let rows =
            Exit::ALL.map(|exit| format!("{:>5}  {}\n", exit.code(), self.exit_meaning(exit)));
        format!("{head}{}", rows.concat())
    }
}
