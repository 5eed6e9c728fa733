//! Attachments, in words.

use super::help::Help;
use super::{Topic, messages, words};

pub(super) const TOPIC: Topic = Topic {
    help: &[
        Help {
            path: "attach",
            about: "给走访、上报或工单加附件：照片、录音、PDF",
            args: &[
                ("file", "文件；不写就列出已有的附件"),
                ("to", "哪次走访、哪条上报或哪张工单"),
                ("name", "叫什么；文件自己的名字不保存"),
                ("on", "哪天拍的，如 2026-11-23；不写就是今天"),
            ],
        },
        Help {
            path: "fetch",
            about: "把不在本机的附件取来看",
            args: &[
                ("name", "附件编号；写走访、上报或工单就取它的全部附件"),
                ("out", "另存为这个文件；已有的文件不会覆盖；一次一个附件"),
            ],
        },
    ],
    aliases: &[("attach", "附件"), ("fetch", "取件")],
    codes: &[
        ("record", "attachment", "附件", "attachment"),
        ("file_type", "jpeg", "照片", "photo"),
        ("file_type", "png", "图片", "picture"),
        ("file_type", "webp", "图片", "picture"),
        ("file_type", "pdf", "PDF", "PDF"),
        ("file_type", "m4a", "录音", "recording"),
        ("file_type", "amr", "录音", "recording"),
        ("file_type", "wav", "录音", "recording"),
    ],
    fields: &[
        ("attach_to", "附件的去处", "what it is attached to"),
        ("attach_type", "附件", "the attachment"),
        ("attach_size", "附件大小", "the attachment's size"),
        ("attach_broken", "附件", "the attachment"),
        ("attachments", "附件（个）", "attachments"),
    ],
    takes: &[
        ("attach_to", "应为一次走访、一条上报或一张工单"),
        (
            "attach_type",
            "只收照片（JPEG、PNG、WebP）、PDF 和录音（M4A、AMR、WAV），看内容不看文件名",
        ),
        ("attach_size", "最大 20 MB"),
        ("attach_broken", "文件不完整，打不开；原文件没有动"),
    ],
    refusals: &[],
};

messages! {
    /// A file was attached.
    attached(kind: &str, size: &str, id: &str) { zh: "✓ 已加附件：{kind} {size}，编号 {id}。文字先同步，附件在后。", en: "✓ Attached: {kind} {size}, id {id}. Text syncs first, attachments after." }
    /// A file was attached before.
    attached_before(kind: &str, on: &str, id: &str) { zh: "这个{kind}在 {on} 已经附过，编号 {id}；没有改动。", en: "This was attached before ({kind}, {on}, id {id}); nothing was changed." }
    /// Some attachments are not at the relay, or not this person's.
    attachments_not_there(count: usize) { zh: "还有 {count} 个附件没有到中继，过后再取；记录都在，没有丢。", en: "{count} have not reached the relay yet; try again later. The records are here and nothing is lost." }
    /// An attachment was copied.
    attachment_saved(path: &str) { zh: "✓ 已另存为 {path}", en: "✓ Saved as {path}" }
    /// What a sync carried.
    attachments_carried(sent: usize, received: usize) { zh: "附件：传出 {sent} 个，收到缩略图 {received} 个", en: "attachments: {sent} sent, {received} small pictures received" }
    /// Attachments wait for a line.
    attachments_wait(count: usize) { zh: "还有 {count} 个附件在本机，没有传到中继；下次同步接着传，没有丢。", en: "{count} attachments are on this device and not at the relay; the next sync goes on with them. Nothing is lost." }
}

words! {
    attached_damaged {
        zh: "! 这张图片不完整，后面读不出来；能读的留下了，位置等信息已去掉。手机或相机里还有完好的，请再附一次。",
        en: "! This picture is damaged: it does not read to its end. What there is of it was kept, without where it was taken; if there is a whole copy, attach that too."
    }
    attached_cleaned {
        zh: "里面的位置等信息已去掉。",
        en: "Where it was taken, and the like, is removed from it."
    }
    attached_as_it_is {
        zh: "PDF 照原样保存，里面写的作者、时间等没有去掉。",
        en: "A PDF is kept as it is, with whatever author or time it says inside."
    }
    no_attachments { zh: "没有附件。", en: "No attachments." }
    attachment_waits { zh: "待传", en: "not at the relay yet" }
    attachment_elsewhere { zh: "不在本机", en: "not on this device" }
    attachment_not_saved {
        zh: "有几个附件，没有另存：请写明附件编号。",
        en: "There are several; none was copied. Name one by its id."
    }
}
