//! What a file says beside its picture or sound is taken out before it is kept.
//!
//! **Where it was taken, by which telephone and when never leaves the device**: known parts are copied,
//! every other part is left out, what follows the end too (some telephones hide a film with its own
//! location there). Only which way up a photo is stays. A PDF is kept as it is.

use wangge_model::attachment::FileKind;

const JPEG_START: [u8; 2] = [0xff, 0xd8];
const JPEG_END: [u8; 2] = [0xff, 0xd9];
const PNG_START: [u8; 8] = *b"\x89PNG\r\n\x1a\n";
const EXIF: &[u8] = b"Exif\0\0";
/// Parts of a PNG that say how it looks; texts, times and EXIF are not among them.
const PNG_KEPT: [&[u8; 4]; 16] = [
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"pHYs",
    b"sBIT", b"bKGD", b"hIST", b"acTL", b"fcTL", b"fdAT",
];
const WEBP_KEPT: [&[u8; 4]; 7] = [
    b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP",
];
const WAV_KEPT: [&[u8; 4]; 3] = [b"fmt ", b"fact", b"data"];
/// The bits of a WebP's first part that announce EXIF and XMP.
const WEBP_ANNOUNCES: u8 = 0x08 | 0x04;
/// Boxes of MPEG-4 that hold what people and telephones wrote into it.
const MP4_TOLD: [&[u8; 4]; 5] = [b"udta", b"meta", b"uuid", b"free", b"skip"];
/// Boxes of MPEG-4 that such boxes lie in.
const MP4_OUTER: [&[u8; 4]; 4] = [b"moov", b"trak", b"mdia", b"minf"];
const MP4_DEPTH_MAX: usize = 6;

/// Returns what the bytes are; none for what is not taken. A file's name says nothing here.
pub(crate) fn sniff(bytes: &[u8]) -> Option<FileKind> {
    let has = |at: usize, mark: &[u8]| bytes.get(at..).is_some_and(|rest| rest.starts_with(mark));
    let audio = || {
        [&b"M4A "[..], b"M4B ", b"mp42", b"isom", b"3gp"]
            .iter()
            .any(|mark| has(8, mark))
    };
    match () {
        () if has(0, &JPEG_START) => Some(FileKind::Jpeg),
        () if has(0, &PNG_START) => Some(FileKind::Png),
        () if has(0, b"RIFF") && has(8, b"WEBP") => Some(FileKind::Webp),
        () if has(0, b"RIFF") && has(8, b"WAVE") => Some(FileKind::Wav),
        () if has(0, b"%PDF-") => Some(FileKind::Pdf),
        () if has(0, b"#!AMR") => Some(FileKind::Amr),
        () if has(4, b"ftyp") && audio() => Some(FileKind::M4a),
        () => None,
    }
}

/// Returns the file without what it says beside its picture or sound; none if it does not read.
pub(crate) fn cleaned(kind: FileKind, bytes: &[u8]) -> Option<Vec<u8>> {
    match kind {
        FileKind::Jpeg => jpeg(bytes).map(|(kept, _)| kept),
        FileKind::Png => png(bytes),
        FileKind::Webp => riff(bytes, &WEBP_KEPT),
        FileKind::Wav => riff(bytes, &WAV_KEPT),
        FileKind::M4a => {
            let mut whole = bytes.to_vec();
            mp4(&mut whole, MP4_DEPTH_MAX)?;
            // A film is no recording: it may show people nobody asked.
            (!has_film(bytes)).then_some(whole)
        }
        FileKind::Pdf | FileKind::Amr => Some(bytes.to_vec()),
    }
}

fn has_film(bytes: &[u8]) -> bool {
    bytes.windows(8).any(|window| window == b"vmhd\0\0\0\x01")
}

/// Returns the next `count` bytes and moves past them.
fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(count)?;
    *rest = tail;
    Some(head)
}

/// Says whether a photo has no end, as where a copy was cut short.
pub(crate) fn is_cut(kind: FileKind, bytes: &[u8]) -> bool {
    kind == FileKind::Jpeg && jpeg(bytes).is_some_and(|(_, cut)| cut)
}

/// Returns the cleaned photo, and whether its end was missing.
fn jpeg(bytes: &[u8]) -> Option<(Vec<u8>, bool)> {
    let mut rest = bytes;
    take(&mut rest, JPEG_START.len())?;
    let mut kept = Vec::with_capacity(bytes.len());
    let (mut turned, mut cut) = (None, false);
    loop {
        // A marker may have any number of 0xff in front.
        let [0xff] = take(&mut rest, 1)? else {
            return None;
        };
        let mut marker = 0xff;
        while marker == 0xff {
            marker = *take(&mut rest, 1)?.first()?;
        }
        if marker == 0xd9 {
            break;
        }
        if matches!(marker, 0x01 | 0xd0..=0xd7) {
            continue;
        }
        let length = rest
            .first_chunk::<2>()
            .map(|two| u16::from_be_bytes(*two))?;
        let part = take(&mut rest, usize::from(length))?;
        let said = part.get(2..)?;
        if marker == 0xe1 && said.starts_with(EXIF) {
            turned = turned.or_else(|| orientation(said.strip_prefix(EXIF)?));
        }
        let describes_colours = marker == 0xe2 && said.starts_with(b"ICC_PROFILE\0");
        let told = matches!(marker, 0xe1..=0xed | 0xef | 0xfe) && !describes_colours;
        if !told {
            kept.extend([0xff, marker]);
            kept.extend_from_slice(part);
        }
        if marker == 0xda {
            let scan = scan_bytes(rest);
            kept.extend_from_slice(take(&mut rest, scan)?);
            if rest.is_empty() {
                // The end is missing, as where a copy was cut short; the rest can be looked at. Half of
                // a marker would run into the end that is written below.
                while kept.last() == Some(&0xff) {
                    kept.pop();
                }
                cut = true;
                break;
            }
        }
    }
    let mut out = JPEG_START.to_vec();
    if let Some(turned @ 2..=8) = turned {
        out.extend(exif_of(turned));
    }
    out.extend(kept);
    out.extend(JPEG_END);
    Some((out, cut))
}

/// Returns how many bytes of picture come before the next marker.
fn scan_bytes(bytes: &[u8]) -> usize {
    let ends = |pair: &[u8]| matches!(pair, [0xff, mark] if !matches!(mark, 0x00 | 0xd0..=0xd7));
    bytes.windows(2).position(ends).unwrap_or(bytes.len())
}

/// Returns which way up a photo is, as its EXIF says: 1 to 8.
fn orientation(tiff: &[u8]) -> Option<u16> {
    let little = match tiff.first_chunk::<2>()? {
        b"II" => true,
        b"MM" => false,
        _ => return None,
    };
    let two = |at: usize| -> Option<u16> {
        let bytes = *tiff.get(at..)?.first_chunk::<2>()?;
        Some(if little {
            u16::from_le_bytes(bytes)
        } else {
            u16::from_be_bytes(bytes)
        })
    };
    let first = *tiff.get(4..)?.first_chunk::<4>()?;
    let first = if little {
        u32::from_le_bytes(first)
    } else {
        u32::from_be_bytes(first)
    };
    let first = usize::try_from(first).ok()?;
    let count = usize::from(two(first)?);
    let entries = (0..count).map(|n| first.saturating_add(2 + 12 * n));
    let found = entries.into_iter().find(|at| two(*at) == Some(0x0112))?;
    two(found.checked_add(8)?).filter(|turned| (1..=8).contains(turned))
}

/// Returns an EXIF part that says which way up the photo is, and nothing else.
fn exif_of(turned: u16) -> Vec<u8> {
    let mut said = EXIF.to_vec();
    said.extend(b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01");
    said.extend(turned.to_be_bytes());
    said.extend([0; 6]);
    let length = u16::try_from(said.len() + 2).unwrap_or(u16::MAX);
    let mut part = vec![0xff, 0xe1];
    part.extend(length.to_be_bytes());
    part.extend(said);
    part
}

fn png(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rest = bytes;
    let mut kept = take(&mut rest, PNG_START.len())?.to_vec();
    loop {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let name = *after.first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let part = take(&mut rest, length.checked_add(12)?)?;
        if PNG_KEPT.contains(&&name) {
            kept.extend_from_slice(part);
        }
        if name == *b"IEND" {
            return Some(kept);
        }
    }
}

/// Returns a RIFF file with these parts only.
fn riff(bytes: &[u8], known: &[&[u8; 4]]) -> Option<Vec<u8>> {
    let mut rest = bytes;
    let form = take(&mut rest, 12)?.get(8..)?;
    let mut kept = form.to_vec();
    while let Some((name, after)) = rest.split_first_chunk::<4>() {
        let length = u32::from_le_bytes(*after.first_chunk::<4>()?);
        let length = usize::try_from(length).ok()?;
        let padded = length.checked_add(length % 2)?.checked_add(8)?;
        // A recorder that was switched off leaves a last part shorter than it says.
        let length = padded.min(rest.len());
        let part = take(&mut rest, length)?;
        if known.contains(&name) {
            let flags = kept.len() + 8;
            kept.extend_from_slice(part);
            if let (b"VP8X", Some(flags)) = (name, kept.get_mut(flags)) {
                *flags &= !WEBP_ANNOUNCES;
            }
        }
    }
    let length = u32::try_from(kept.len()).ok()?;
    let mut out = b"RIFF".to_vec();
    out.extend(length.to_le_bytes());
    out.extend(kept);
    Some(out)
}

/// Blanks what was told in an MPEG-4 file, in place: positions inside it stay right.
fn mp4(bytes: &mut [u8], depth: usize) -> Option<()> {
    let mut rest = bytes;
    while !rest.is_empty() && depth > 0 {
        let length = usize::try_from(u32::from_be_bytes(*rest.first_chunk::<4>()?)).ok()?;
        let name = *rest.get(4..)?.first_chunk::<4>()?;
        let (length, head) = match length {
            0 => (rest.len(), 8),
            1 => {
                let long = u64::from_be_bytes(*rest.get(8..)?.first_chunk::<8>()?);
                (usize::try_from(long).ok()?, 16)
            }
            length => (length, 8),
        };
        let (part, after) = rest.split_at_mut_checked(length)?;
        let inside = part.get_mut(head..)?;
        if MP4_TOLD.contains(&&name) {
            inside.fill(0);
            part.get_mut(4..8)?.copy_from_slice(b"free");
        } else if MP4_OUTER.contains(&&name) {
            mp4(inside, depth - 1)?;
        }
        rest = after;
    }
    Some(())
}

#[cfg(test)]
#[path = "clean_tests.rs"]
mod tests;
