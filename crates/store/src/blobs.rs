//! Attachments on this device: which blob each is, and which blobs no relay has yet.
//!
//! The bytes are files beside the database; here is only what a document says of them, and what waits
//! to be carried up. **What was attached here waits until a relay says that it is durable there**, even
//! if its document has gone from this device; only what was taken back waits for nothing.

use rusqlite::{Connection, Row, params};
use wangge_crdt::Fields;
use wangge_model::attachment::{self, Attachment};
use wangge_wire::{BlobHash, DocId, Incarnation};

use crate::error::StoreError;
use crate::open::Store;
use crate::record::Writer;

/// An attachment and the document it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentRow {
    /// The document.
    pub doc: DocId,
    /// What the document says.
    pub attachment: Attachment,
}

/// A blob that goes up, or comes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Blob {
    /// Its name.
    pub hash: BlobHash,
    /// A document that names it.
    pub doc: DocId,
    /// How large it is; 0 where nothing says so.
    pub bytes: u64,
    /// Whether it is a small picture.
    pub thumb: bool,
}

const PENDING: &str = "FROM blob_up u WHERE u.incarnation <> ?1
    AND NOT EXISTS (SELECT 1 FROM attachment a WHERE a.doc = u.doc AND a.void = 1
                    AND (a.hash = u.hash OR a.thumb = u.hash)
                    AND NOT EXISTS (SELECT 1 FROM attachment b WHERE b.doc = u.doc AND b.void = 0
                                    AND (b.hash = u.hash OR b.thumb = u.hash)))";

impl Writer<'_> {
    /// Notes in this transaction that a blob is to be carried up.
    pub fn carry(&self, blob: &Blob) -> Result<(), StoreError> {
        let sql = "INSERT INTO blob_up (hash, doc, bytes, thumb) VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT (hash, doc) DO NOTHING";
        let bytes = i64::try_from(blob.bytes).unwrap_or(i64::MAX);
        self.conn.prepare_cached(sql)?.execute(params![
            blob.hash.as_bytes(),
            blob.doc.as_bytes(),
            bytes,
            blob.thumb
        ])?;
        Ok(())
    }
}

impl Store {
    /// Returns the attachments of a document, those taken back left out, in the order of their ids.
    pub fn attachments(&self, doc: &DocId) -> Result<Vec<AttachmentRow>, StoreError> {
        let sql = "SELECT doc, content FROM attachment WHERE doc = ?1 AND void = 0 ORDER BY id";
        self.attachment_rows(sql, [doc.as_bytes()])
    }

    /// Returns the attachments whose id begins so.
    pub fn attachments_with_prefix(&self, id: &str) -> Result<Vec<AttachmentRow>, StoreError> {
        let sql = "SELECT doc, content FROM attachment WHERE substr(id, 1, length(?1)) = ?1
                   AND void = 0 ORDER BY id LIMIT 21";
        self.attachment_rows(sql, [id])
    }

    fn attachment_rows(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
    ) -> Result<Vec<AttachmentRow>, StoreError> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map(values, |row| {
            Ok((DocId(row.get(0)?), row.get::<_, String>(1)?))
        })?;
        let mut found = Vec::new();
        for row in rows {
            let (doc, content) = row?;
            let damaged = |_| wangge_wire::Malformed::Shape { what: "attachment" };
            let attachment = serde_json::from_str(&content).map_err(damaged)?;
            found.push(AttachmentRow { doc, attachment });
        }
        Ok(found)
    }

    /// Returns what waits to be carried to a relay with this log: small pictures first, then in the
    /// order in which they were attached.
    pub fn pending_blobs(&self, log: Option<&Incarnation>) -> Result<Vec<Blob>, StoreError> {
        let sql =
            format!("SELECT u.hash, u.doc, u.bytes, u.thumb {PENDING} ORDER BY u.thumb DESC, u.id");
        let mut statement = self.conn.prepare_cached(&sql)?;
        let rows = statement.query_map([log_bytes(log)], blob)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns how many attachments were made here.
    pub fn blobs_made(&self) -> Result<usize, StoreError> {
        let sql = "SELECT count(*) FROM blob_up WHERE thumb = 0";
        let made: i64 = self.conn.query_row(sql, [], |row| row.get(0))?;
        Ok(usize::try_from(made).unwrap_or_default())
    }

    /// Returns whether this blob of this document waits to be carried up.
    pub fn is_blob_pending(
        &self,
        hash: &BlobHash,
        doc: &DocId,
        log: Option<&Incarnation>,
    ) -> Result<bool, StoreError> {
        let sql = format!("SELECT count(*) > 0 {PENDING} AND u.hash = ?2 AND u.doc = ?3");
        let values = params![log_bytes(log), hash.as_bytes(), doc.as_bytes()];
        Ok(self
            .conn
            .prepare_cached(&sql)?
            .query_row(values, |row| row.get(0))?)
    }

    /// Notes that a relay's log has a blob, durably.
    pub fn blob_arrived(&self, blob: &Blob, log: &Incarnation) -> Result<(), StoreError> {
        let sql = "UPDATE blob_up SET incarnation = ?3 WHERE hash = ?1 AND doc = ?2";
        let values = params![blob.hash.as_bytes(), blob.doc.as_bytes(), log.as_bytes()];
        self.conn.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    /// Notes that the relay lost a blob that it had; returns whether it was carried there from here.
    pub fn blob_lost(&self, hash: &BlobHash) -> Result<bool, StoreError> {
        let sql = "UPDATE blob_up SET incarnation = x'' WHERE hash = ?1";
        let mut statement = self.conn.prepare_cached(sql)?;
        Ok(statement.execute([hash.as_bytes()])? > 0)
    }

    /// Returns the blobs of removed documents that nothing here names and no relay waits for: their
    /// files may go.
    pub fn blobs_to_drop(&self, log: Option<&Incarnation>) -> Result<Vec<BlobHash>, StoreError> {
        let sql = format!(
            "SELECT g.hash FROM blob_gone g
             WHERE NOT EXISTS (SELECT 1 FROM attachment a WHERE a.hash = g.hash)
               AND NOT EXISTS (SELECT 1 FROM attachment a WHERE a.thumb <> x'' AND a.thumb = g.hash)
               AND NOT EXISTS (SELECT 1 {PENDING} AND u.hash = g.hash)"
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let rows = statement.query_map([log_bytes(log)], |row| row.get(0).map(BlobHash))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Notes that the file of a blob of a removed document has gone.
    pub fn blob_dropped(&self, hash: &BlobHash) -> Result<(), StoreError> {
        self.conn
            .prepare_cached("DELETE FROM blob_gone WHERE hash = ?1")?
            .execute([hash.as_bytes()])?;
        Ok(())
    }

    /// Returns the small pictures that documents here name, the newest first.
    pub fn thumbs(&self) -> Result<Vec<Blob>, StoreError> {
        let sql = "SELECT thumb, doc, 0, 1 FROM attachment WHERE thumb <> x'' AND void = 0
                   ORDER BY doc DESC, id";
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map([], blob)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Makes the rows of a document's attachments anew.
pub(crate) fn rows(conn: &Connection, doc: &DocId, fields: &Fields) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM attachment WHERE doc = ?1")?
        .execute([doc.as_bytes()])?;
    let sql = "INSERT INTO attachment (doc, id, visit, hash, thumb, bytes, void, content)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let mut insert = conn.prepare_cached(sql)?;
    for one in attachment::read(fields) {
        let content = serde_json::to_string(&one)
            .map_err(|_| wangge_wire::Malformed::Shape { what: "attachment" })?;
        insert.execute(params![
            doc.as_bytes(),
            one.id,
            one.visit,
            one.hash.as_bytes(),
            one.thumb.as_ref().map_or(&[][..], BlobHash::as_bytes),
            i64::try_from(one.bytes).unwrap_or(i64::MAX),
            one.void,
            content,
        ])?;
    }
    Ok(())
}

/// Forgets the attachments of a document that is removed. What waits to be carried waits on; what was
/// taken back never left and never will.
pub(crate) fn forget(conn: &Connection, doc: &DocId) -> Result<(), StoreError> {
    for sql in [
        "INSERT OR IGNORE INTO blob_gone (hash) SELECT hash FROM attachment WHERE doc = ?1",
        "INSERT OR IGNORE INTO blob_gone (hash)
         SELECT thumb FROM attachment WHERE doc = ?1 AND thumb <> x''",
        "DELETE FROM blob_up WHERE doc = ?1 AND NOT EXISTS
         (SELECT 1 FROM attachment a WHERE a.doc = ?1 AND a.void = 0
          AND (a.hash = blob_up.hash OR a.thumb = blob_up.hash))",
        "DELETE FROM attachment WHERE doc = ?1",
    ] {
        conn.prepare_cached(sql)?.execute([doc.as_bytes()])?;
    }
    Ok(())
}

fn blob(row: &Row<'_>) -> rusqlite::Result<Blob> {
    Ok(Blob {
        hash: BlobHash(row.get(0)?),
        doc: DocId(row.get(1)?),
        bytes: row.get::<_, i64>(2)?.unsigned_abs(),
        thumb: row.get(3)?,
    })
}

fn log_bytes(log: Option<&Incarnation>) -> &[u8] {
    // Without a relay nothing has arrived: a name of no log fits no row.
    log.map_or(b"none", |log| log.as_bytes())
}
