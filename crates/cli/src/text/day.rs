//! The day, its sheet, rounds and slips, in words.

use super::Topic;

pub(super) const TOPIC: Topic = Topic {
    help: &[],
    aliases: &[],
    codes: &[],
    fields: &[],
    takes: &[],
    refusals: &[],
};
