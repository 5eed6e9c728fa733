//! Backup and restore of a relay, in words.

use super::help::Help;
use super::{Topic, messages, words};

pub(super) const TOPIC: Topic = Topic {
    help: &[
        Help {
            path: "relay backup",
            about: "把中继备份成一个文件；中继可以一直开着",
            args: &[
                ("file", "要写成的文件；不能已经存在"),
                ("keys", "钥匙写到哪个文件；不写就在备份旁边，名字加 .keys"),
            ],
        },
        Help {
            path: "relay restore",
            about: "在空文件夹里用备份恢复中继",
            args: &[
                ("file", "备份命令做的文件"),
                (
                    "keys",
                    "和它一起做的钥匙文件；不写就是备份旁边加 .keys 的那个",
                ),
            ],
        },
    ],
    aliases: &[("relay backup", "备份"), ("relay restore", "恢复")],
    codes: &[],
    fields: &[],
    takes: &[],
    refusals: &[],
};

words! {
    restored_next {
        zh: "现在运行：wangge 中继 运行 --listen 原来的地址。各设备只认原来的地址，下次同步会自己发现，把备份以后的记录补回来。",
        en: "Now: wangge relay serve --listen ADDRESS, with the address it had: devices know it under no other. They notice at their next sync and give back what came after the backup."
    }
    restored_beware {
        zh: "原来的中继不能再运行。备份以后的登记、授权和注销不在里面：上级或下级中继知道的，下次碰头会补回来，其余请重做；没用过的登记码已作废。",
        en: "The relay before must not run any more. Enrolments, grants and revocations after the backup are not in it: what a relay above or below knows comes back when they meet, do the others again. Open invitations are closed."
    }
    backup_no_room {
        zh: "目标磁盘满了，什么也没有留下，中继没有变。请腾出空间或换一个磁盘。",
        en: "No room on the disk it was to be written to. Nothing is left there, the relay is as it was. Make room or take another disk."
    }
}

messages! {
    /// A backup was made.
    backed_up(file: &str, bytes: u64) {
        zh: "已备份并核对：{file}（{bytes} 字节）",
        en: "Backed up and verified: {file} ({bytes} bytes)"
    }
    /// Where the keys of a backup are.
    backup_keys(file: &str, until: &str) {
        zh: "钥匙另在 {file}：没有它，备份谁也打不开；两样在一起，就能冒充这个中继、读到全部居民资料。请移到别处分开保管，{until} 以前销毁（此前注销的资料还在里面）。",
        en: "Its keys are in {file}: without them nobody opens the backup; who has both can pose as this relay and read all residents' data. Move them elsewhere, and destroy them by {until}: what is erased until then lives on in them."
    }
    /// No keys of a backup.
    backup_no_keys(path: &str) {
        zh: "{path} 没有钥匙文件，备份打不开，什么也没有写。请用 --keys 指定和备份一起做的钥匙文件。",
        en: "No keys are at {path}, so the backup does not open; nothing was written. Name the file that was made with it, with --keys."
    }
    /// A backup was made, and some attachments are not in it.
    backed_up_without(file: &str, bytes: u64) {
        zh: "已备份，但有附件损坏，没有备进去：{file}（{bytes} 字节）",
        en: "Backed up without what is damaged: {file} ({bytes} bytes)"
    }
    /// Attachments whose bytes are not what their names say.
    backup_damaged(count: u64) {
        zh: "{count} 个附件的文件损坏，没有放进去；有原件的设备会再送来。编号：",
        en: "{count} attachments are damaged and were left out; devices that have them bring them again. Their names:"
    }
    /// What a backup holds.
    backup_holds(entries: u64, documents: u64, attachments: u64) {
        zh: "第 {entries} 号为止的全部内容，{documents} 份档案，{attachments} 个附件",
        en: "everything up to number {entries}, {documents} documents, {attachments} attachments"
    }
    /// Attachments without a file.
    backup_lacks(count: u64) {
        zh: "{count} 个附件在中继上没有文件，不在备份里；恢复后有原件的设备会再送来。",
        en: "{count} attachments have no file at the relay and are not in it; devices that have them bring them again after a restore."
    }
    /// A relay was restored.
    restored(name: &str, folder: &str, at: &str) {
        zh: "「{name}」已恢复到 {folder}，内容是 {at} 的备份。",
        en: "{name} is restored in {folder}, as it was at {at}."
    }
    /// A file of that name is there.
    backup_exists(path: &str) {
        zh: "{path} 已经存在，没有改动。请换一个文件名。",
        en: "{path} is there already and was not changed. Choose another name."
    }
    /// A file or folder cannot be written.
    backup_unwritable(path: &str, reason: &str) {
        zh: "写不了 {path}（{reason}），什么也没有留下。请检查那个文件夹在不在、能不能写，或换一个地方。",
        en: "{path} cannot be written ({reason}); nothing is left there. See whether that folder is there and can be written, or take another place."
    }
    /// No whole backup.
    backup_not_whole(path: &str) {
        zh: "{path} 不是完整的备份，什么也没有写。请用另一个备份。",
        en: "{path} is no whole backup. Nothing was written. Take another one."
    }
    /// A device found its relay restored.
    relay_put_back(given: usize) {
        zh: "  中继恢复到了以前的状态，已和它重新核对；它没有了的 {given} 条已由本机补回去",
        en: "  The relay had been put back to an earlier state and was compared anew; {given} records it had no more were given back from here"
    }
    /// A file of a relay is gone.
    relay_gone(path: &str) {
        zh: "{path} 不见了，而这个文件夹里是一个中继；没有打开，也没有改动，不会另造一个来代替。什么也不要删。请把那个文件放回来，或者把备份恢复到另一个文件夹。各设备上的记录还在。",
        en: "{path} is missing, and this folder holds a relay. Nothing was opened and nothing changed, and no other is made in its place. Delete nothing: put that file back, or restore a backup in another folder. The devices still hold their work."
    }
    /// The folder is not empty.
    restore_not_empty(path: &str) {
        zh: "{path} 里已经有东西，没有改动。请用 --home 指定一个空文件夹。",
        en: "{path} is not empty and was not changed. Name an empty folder with --home."
    }
}
