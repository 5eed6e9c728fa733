//! Every limit, in one place, with its unit in its name.
//!
//! A limit is checked at the first byte from outside that could break it; each that a reader checks has a
//! test at the limit and one past it. Past a limit is an answer with a reason, never a crash. A GOAL is
//! what a sender aims at, and no reader checks it.

/// Bytes of one change.
pub const CHANGE_BYTES_MAX: usize = 64 * 1024;
/// Operations in one change: run lengths are summed before they are expanded.
pub const CHANGE_OPS_MAX: u64 = 10_000;
/// Dependencies of one change.
pub const CHANGE_DEPS_MAX: usize = 256;
/// Actors named in one change, its author included.
pub const CHANGE_ACTORS_MAX: usize = 64;
/// Columns of one change.
pub const CHANGE_COLUMNS_MAX: usize = 64;
/// Bytes of one saved document.
pub const DOCUMENT_BYTES_MAX: usize = 1024 * 1024;

/// Changes and places in one batch.
pub const BATCH_ITEMS_MAX: usize = 10;
/// Bytes of one batch frame once inflated: ten changes of the largest size, and their names.
pub const FRAME_INFLATED_BYTES_MAX: usize = BATCH_ITEMS_MAX * CHANGE_BYTES_MAX + 64 * 1024;
/// Bytes of batch frames that are packed together (one batch always goes): what comes whole of a request
/// that is cut comes in such groups.
pub const GROUP_BYTES_GOAL: usize = 64 * 1024;
/// Bytes of a group of batch frames once inflated: one of the largest size, and its length.
pub const GROUP_INFLATED_BYTES_MAX: usize = FRAME_INFLATED_BYTES_MAX + 4;
/// Bytes of batch frames a device puts into one request, not packed (one batch always fits).
pub const REQUEST_BATCH_BYTES_GOAL: usize = 256 * 1024;
/// Bytes of a request that a relay reads at all.
pub const REQUEST_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of all batches of a request once inflated; a relay keeps them until they are stored.
pub const REQUEST_INFLATED_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Batches in one request.
pub const REQUEST_BATCHES_MAX: usize = 1_024;
/// Bytes of the head frame of a request.
pub const HEAD_BYTES_MAX: usize = 4 * 1024;

/// Bytes of a question of a repair.
pub const REPAIR_ASK_BYTES_MAX: usize = 64 * 1024;
/// Symbols of one answer of a repair; what differs more is read from the beginning.
pub const REPAIR_SYMBOLS_MAX: usize = 128 * 1024;
/// Fingerprints in one question of a repair: what an asker puts into it. A relay checks the bytes.
pub const REPAIR_WANTED_MAX: usize = 4_096;

/// Bytes of a request by which a relay hands orders up.
pub const RISE_BYTES_MAX: usize = 64 * 1024;
/// Names of changes without a number above, in one end.
pub const ABOVE_NAMES_MAX: usize = 1_024;

/// Bytes of the reason a desk gives for a decision.
pub const SETTLE_REASON_BYTES_MAX: usize = 600;
/// Earlier decisions that one may name as known to it.
pub const SETTLE_OVER_MAX: usize = 16;
/// Rows of one answer about an inbox.
pub const INBOX_ROWS_MAX: usize = 256;
/// Bytes of bodies that a relay aims at for one answer about an inbox.
pub const INBOX_BYTES_GOAL: usize = 512 * 1024;

/// Bytes of packed entries a relay aims at for one page.
pub const PAGE_BYTES_GOAL: usize = 16 * 1024;
/// Bytes of one page once inflated: a re-placed document brings its history along.
pub const PAGE_INFLATED_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes of an answer that is one value: a card, an enrolment, an order, where orders stand.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Bytes of an answer of a repair.
pub const REPAIR_ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes of one answer frame that a device reads.
pub const ANSWER_FRAME_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Audiences of one place.
pub const PLACE_AUDIENCES_MAX: usize = 32;
/// Containers a shape may make in its genesis.
pub const SHAPE_CONTAINERS_MAX: usize = 16;
/// Bytes of a container's name.
pub const SHAPE_NAME_BYTES_MAX: usize = 32;
/// Areas in one grant.
pub const GRANT_AREAS_MAX: usize = 64;
/// The greatest device number: four digits of a ticket's number.
pub const DEVICE_NUMBER_MAX: u32 = 9_999;
/// Ranges of device numbers of one relay below.
pub const NUMBER_RANGES_MAX: usize = 64;
/// Bytes of a person's or a device's name.
pub const NAME_BYTES_MAX: usize = 120;
/// Lives of a device that one revocation, or one purge order, names: those that wrote last.
pub const LIVES_MAX: usize = 64;
/// Days from today that a lease may be given for.
pub const LEASE_DAYS_MAX: u32 = 60;
/// Devices in one answer about devices.
pub const DEVICE_ROWS_MAX: usize = 256;
/// Batches that one answer about a lost device names, of each sort.
pub const INCIDENT_BATCHES_MAX: usize = 1_024;
/// Bytes of the answer to a revoked device: what became of all batches of a request.
pub const PURGE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Days of one cover; a longer one is a change of the grant.
pub const COVER_DAYS_MAX: u32 = 366;
/// Bytes of a cover's note.
pub const COVER_NOTE_BYTES_MAX: usize = 600;
/// Bytes of a unit's telephone number.
pub const UNIT_PHONE_BYTES_MAX: usize = 40;

/// Bytes of one attachment.
pub const BLOB_BYTES_MAX: u64 = 20 * 1024 * 1024;
/// Bytes of an attachment in one request: what a cut line can cost on the way up.
pub const BLOB_PIECE_BYTES_MAX: usize = 128 * 1024;
/// Bytes of an attachment in one answer; what came before a cut is kept.
pub const BLOB_ANSWER_BYTES_MAX: usize = 256 * 1024;
/// Attachments of one device that a relay holds unfinished; the oldest makes room.
pub const BLOB_PARTS_MAX: usize = 16;
/// Attachments that one end of an answer asks for again: what a thin line can bear of them.
pub const LOST_BLOBS_MAX: usize = 64;

/// Bytes a relay aims at for one frame of a pack, inflated; the last of a pack may be smaller.
pub const PACK_FRAME_BYTES_GOAL: usize = 512 * 1024;
/// Bytes of one frame of a pack once inflated: one large document and what stands beside it.
pub const PACK_FRAME_INFLATED_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of all saved documents of one frame of a pack, once they are joined again from its columns.
pub const PACK_FRAME_UNFOLDED_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Documents in one frame of a pack.
pub const PACK_FRAME_DOCUMENTS_MAX: usize = 16 * 1024;
/// Bytes of a manifest.
pub const MANIFEST_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes of a question for frames of packs.
pub const FRAMES_ASK_BYTES_MAX: usize = 64 * 1024;
/// Operations of a saved document: rows of any of its columns, run lengths summed before they are expanded.
pub const DOCUMENT_OPS_MAX: u64 = 200_000;
/// Documents below which a device that begins to read is sent pages: a pack would save nothing.
pub const PACKS_DOCUMENTS_MIN: u64 = 64;
