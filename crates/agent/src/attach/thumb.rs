//! The small picture of a photo: it travels first, so that a colleague sees what there is.
//!
//! **It is made of the cleaned photo, is at most 16 KiB, and a photo that cannot be read has none.**

use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder as _, ImageError, ImageFormat, ImageReader, Limits};
use wangge_model::attachment::{FileKind, THUMB_BYTES_MAX};

/// The longer side in pixels, and the quality: tried one after the other until it is small enough.
const TRIES: [(u32, u8); 6] = [
    (320, 70),
    (320, 40),
    (240, 50),
    (160, 50),
    (100, 50),
    (60, 30),
];
/// Pixels of a side that are read at all.
const SOURCE_SIDE_MAX: u32 = 20_000;
/// Memory that reading a photo may take, bytes.
const MEMORY_MAX: u64 = 256 * 1024 * 1024;

/// Returns the small picture as a JPEG, and whether the photo reads; no small picture of papers,
/// recordings and what does not read. A photo that is too large to be read here counts as one that does.
pub(crate) fn thumb(kind: FileKind, bytes: &[u8]) -> (Option<Vec<u8>>, bool) {
    let format = match kind {
        FileKind::Jpeg => ImageFormat::Jpeg,
        FileKind::Png => ImageFormat::Png,
        _ => return (None, true),
    };
    match picture(format, bytes) {
        Ok(picture) => (small(&picture), true),
        Err(ImageError::Limits(_)) => (None, true),
        Err(_) => (None, false),
    }
}

fn picture(format: ImageFormat, bytes: &[u8]) -> Result<DynamicImage, ImageError> {
    let mut reader = ImageReader::with_format(std::io::Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(SOURCE_SIDE_MAX);
    limits.max_image_height = Some(SOURCE_SIDE_MAX);
    limits.max_alloc = Some(MEMORY_MAX);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let turned = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(turned);
    Ok(picture)
}

fn small(picture: &DynamicImage) -> Option<Vec<u8>> {
    TRIES.into_iter().find_map(|(side, quality)| {
        // A small one is not blown up.
        let side = side.min(picture.width().max(picture.height()));
        let scaled = DynamicImage::ImageRgb8(picture.thumbnail(side, side).to_rgb8());
        let mut small = Vec::new();
        let encoder = JpegEncoder::new_with_quality(&mut small, quality);
        scaled.write_with_encoder(encoder).ok()?;
        (small.len() <= THUMB_BYTES_MAX).then_some(small)
    })
}
