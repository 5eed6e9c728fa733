//! History, undoing and lists as files, in words.

use super::Topic;

pub(super) const TOPIC: Topic = Topic {
    help: &[],
    aliases: &[],
    codes: &[],
    fields: &[],
    takes: &[],
    refusals: &[],
};
