//! Members, care, splits and moves of households, in words.

use super::Topic;

pub(super) const TOPIC: Topic = Topic {
    help: &[],
    aliases: &[],
    codes: &[],
    fields: &[],
    takes: &[],
    refusals: &[],
};
