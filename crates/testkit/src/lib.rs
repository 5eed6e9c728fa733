//! A district for tests: devices, desks, relays, bad links, and the rules of the house.

pub mod attack;
pub mod blob_line;
pub mod bombs;
pub mod crash;
pub mod desk_line;
pub mod device;
pub mod district;
pub mod hostile;
pub mod in_between;
pub mod inbox_line;
pub mod load;
pub mod memory;
pub mod pack_line;
pub mod scribe;
pub mod sealed;
pub mod siege;
pub mod sim;
pub mod slow_line;
pub mod tidy;
pub mod town;
pub mod tree;
pub mod wire_client;
pub mod wire_tap;
pub mod work;
pub mod working_days;
pub mod workload;
