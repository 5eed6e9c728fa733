//! What a household, a visit, a report and a ticket are, who may do what, and how two edits meet.

pub mod access;
pub mod attachment;
pub mod care;
pub mod clock;
pub mod door;
pub mod due;
pub mod duplicates;
pub mod find;
pub mod household;
pub mod id_number;
pub mod kind;
pub mod limits;
pub mod look;
pub mod mask;
pub mod phone;
pub mod pinyin;
pub mod relation;
pub mod report;
pub mod restricted;
pub mod round;
pub mod settings;
pub mod tables;
pub mod text;
pub mod ticket;
pub mod visit;
