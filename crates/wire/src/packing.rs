//! Bytes out and in: CBOR, and zstd with the shared dictionary.
//!
//! **Inflating is bounded before it starts**: a frame must say its size, and the size must be within
//! the limit of what it is read as.

use std::sync::LazyLock;

use minicbor::{Decode, Encode};
use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

use crate::Malformed;

/// The dictionary both ends hold, trained on made-up changes of this product's own documents
/// (`scripts/train-dictionary`). Its id is inside it and inside each frame packed with it.
pub const DICTIONARY: &[u8] = include_bytes!("dictionary-0.zdict");

/// Compression level: frames are small, and a byte on a village's line is dearer than a millisecond.
const LEVEL: i32 = 19;

/// Returns `value` as CBOR.
pub fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    // Writing into a vector cannot fail, and no type of this crate refuses to be encoded.
    minicbor::to_vec(value).unwrap_or_default()
}

/// Returns the value in `bytes`, which must be all of it.
pub fn decode<'b, T: Decode<'b, ()>>(bytes: &'b [u8], what: &'static str) -> Result<T, Malformed> {
    let mut decoder = minicbor::Decoder::new(bytes);
    let value = decoder.decode().map_err(|_| Malformed::shape(what))?;
    if decoder.position() == bytes.len() {
        Ok(value)
    } else {
        Err(Malformed::shape(what))
    }
}

/// The dictionary made ready: that costs more than packing a frame, so it is done once.
static ENCODER: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(DICTIONARY, LEVEL));
static DECODER: LazyLock<DecoderDictionary<'static>> =
    LazyLock::new(|| DecoderDictionary::copy(DICTIONARY));

/// Packs with the shared dictionary.
pub struct Packer {
    compressor: Compressor<'static>,
}

impl Packer {
    /// Returns a packer with the dictionary loaded.
    pub fn new() -> Result<Self, Malformed> {
        let compressor = Compressor::with_prepared_dictionary(&ENCODER);
        Ok(Self {
            compressor: compressor.map_err(|_| Malformed::shape("dictionary"))?,
        })
    }

    /// Returns a packer that is quick and takes little care: for what nobody waits to be small.
    pub fn quick() -> Result<Self, Malformed> {
        let compressor = Compressor::with_dictionary(1, DICTIONARY);
        Ok(Self {
            compressor: compressor.map_err(|_| Malformed::shape("dictionary"))?,
        })
    }

    /// Returns `bytes` as one zstd frame that says its size.
    pub fn pack(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Malformed> {
        self.compressor
            .compress(bytes)
            .map_err(|_| Malformed::shape("packing"))
    }
}

/// Returns how many bytes a frame says it holds; none if it says nothing.
pub(crate) fn said_size(frame: &[u8]) -> Option<usize> {
    let size = zstd::zstd_safe::get_frame_content_size(frame).ok()??;
    Some(usize::try_from(size).unwrap_or(usize::MAX))
}

/// Unpacks frames of the shared dictionary.
pub struct Unpacker {
    decompressor: Decompressor<'static>,
}

impl Unpacker {
    /// Returns an unpacker with the dictionary loaded.
    pub fn new() -> Result<Self, Malformed> {
        let decompressor = Decompressor::with_prepared_dictionary(&DECODER);
        Ok(Self {
            decompressor: decompressor.map_err(|_| Malformed::shape("dictionary"))?,
        })
    }

    /// Returns what `frame` holds, if it says a size of at most `limit` bytes and keeps it.
    pub fn unpack(&mut self, frame: &[u8], limit: usize) -> Result<Vec<u8>, Malformed> {
        if let Some(id) = zstd::zstd_safe::get_dict_id_from_frame(frame)
            && Some(id) != zstd::zstd_safe::get_dict_id_from_dict(DICTIONARY)
        {
            return Err(Malformed::UnknownDictionary { id: id.get() });
        }
        let size = said_size(frame).ok_or(Malformed::shape("packed frame"))?;
        if size > limit {
            return Err(Malformed::TooLarge {
                what: "an inflated frame",
                limit,
            });
        }
        self.decompressor
            .decompress(frame, size)
            .map_err(|_| Malformed::shape("packed frame"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_of_the_limit_is_inflated_and_one_byte_more_is_not() {
        let mut packer = Packer::new().unwrap();
        let mut unpacker = Unpacker::new().unwrap();
        let frame = packer.pack(&[7; 1000]).unwrap();
        assert_eq!(unpacker.unpack(&frame, 1000), Ok(vec![7; 1000]));
        assert!(matches!(
            unpacker.unpack(&frame, 999),
            Err(Malformed::TooLarge { .. })
        ));
    }

    #[test]
    fn truncated_and_foreign_frames_are_named_for_what_they_are() {
        let frame = Packer::new()
            .unwrap()
            .pack(b"walk to the next door")
            .unwrap();
        let mut unpacker = Unpacker::new().unwrap();
        for cut in 0..frame.len() {
            assert!(
                unpacker.unpack(&frame[..cut], 1000).is_err(),
                "cut at {cut}"
            );
        }
        assert!(unpacker.unpack(b"<html>login</html>", 1000).is_err());
    }
}
