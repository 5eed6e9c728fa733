//! The whole flow of a ticket, in words.

use super::Topic;

pub(super) const TOPIC: Topic = Topic {
    help: &[],
    aliases: &[],
    codes: &[],
    fields: &[],
    takes: &[],
    refusals: &[],
};
