//! Tests of taking out what a file tells: GPS, texts, what hides behind the end.

use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, RgbImage};

use super::*;
use crate::attach::thumb::thumb;

/// Returns a picture of this format with many colours.
fn picture(format: ImageFormat, width: u32, height: u32) -> Vec<u8> {
    let noise = |x: u32, y: u32| {
        let mixed = x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503);
        image::Rgb([(mixed >> 3) as u8, (mixed >> 11) as u8, (x ^ y) as u8])
    };
    let image = DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, noise));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Returns EXIF that says the photo lies on its side, and where it was taken.
fn exif(little: bool) -> Vec<u8> {
    let two = |n: u16| {
        if little {
            n.to_le_bytes()
        } else {
            n.to_be_bytes()
        }
    };
    let four = |n: u32| {
        if little {
            n.to_le_bytes()
        } else {
            n.to_be_bytes()
        }
    };
    let mut tiff = if little {
        b"II".to_vec()
    } else {
        b"MM".to_vec()
    };
    tiff.extend(two(42));
    tiff.extend(four(8));
    tiff.extend(two(2));
    for (tag, form, count, value) in [(0x0112u16, 3u16, 1u32, 6u16), (0x8825, 4, 1, 38)] {
        tiff.extend([two(tag), two(form)].concat());
        tiff.extend(four(count));
        tiff.extend([two(value), two(0)].concat());
    }
    tiff.extend(four(0));
    tiff.extend(b"GPS 30.736N 107.204E");
    [EXIF, &tiff].concat()
}

/// Returns a JPEG with a part behind its beginning.
fn with_part(jpeg: &[u8], marker: u8, said: &[u8]) -> Vec<u8> {
    let length = u16::try_from(said.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, marker], &length, said, &jpeg[2..]].concat()
}

fn tells(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

#[test]
fn a_photo_keeps_its_picture_and_which_way_up_it_is_and_loses_where_it_was_taken() {
    for little in [false, true] {
        let plain = picture(ImageFormat::Jpeg, 60, 40);
        let mut photo = with_part(&plain, 0xe1, &exif(little));
        photo = with_part(&photo, 0xe1, b"http://ns.adobe.com/xap/1.0/\0GPSLatitude");
        photo = with_part(&photo, 0xfe, b"GPS in a comment");
        photo = with_part(&photo, 0xed, b"Photoshop 3.0\0GPS");
        photo.extend(b"ftypmp42 a film with its own GPS");
        assert_eq!(sniff(&photo), Some(FileKind::Jpeg));
        let clean = cleaned(FileKind::Jpeg, &photo).unwrap();
        assert!(tells(&photo, "GPS") && !tells(&clean, "GPS"));
        assert!(!tells(&clean, "ftyp"), "what hides behind the end is gone");
        let before = image::load_from_memory(&plain).unwrap();
        assert_eq!(image::load_from_memory(&clean).unwrap(), before);
        let mut decoder = ImageReader::new(std::io::Cursor::new(&clean));
        decoder.set_format(ImageFormat::Jpeg);
        let turned = decoder.into_decoder().unwrap().orientation().unwrap();
        assert_eq!(turned.to_exif(), 6);
        let again = cleaned(FileKind::Jpeg, &clean).unwrap();
        assert_eq!(again, clean, "cleaning again changes nothing");
    }
}

#[test]
fn a_small_picture_stands_upright_and_is_small() {
    let photo = with_part(&picture(ImageFormat::Jpeg, 900, 600), 0xe1, &exif(true));
    let clean = cleaned(FileKind::Jpeg, &photo).unwrap();
    let small = thumb(FileKind::Jpeg, &clean).0.unwrap();
    assert!(small.len() <= wangge_model::attachment::THUMB_BYTES_MAX);
    let small = image::load_from_memory(&small).unwrap();
    assert!(small.height() > small.width() && small.height() <= 320);
    let tiny = picture(ImageFormat::Png, 30, 20);
    let small = image::load_from_memory(&thumb(FileKind::Png, &tiny).0.unwrap()).unwrap();
    assert_eq!(
        (small.width(), small.height()),
        (30, 20),
        "a small one is not blown up"
    );
    assert_eq!(thumb(FileKind::Pdf, b"%PDF-1.7"), (None, true));
    let empty = thumb(FileKind::Jpeg, &[0xff, 0xd8, 0xff, 0xd9]);
    assert_eq!(empty, (None, false), "it does not read");
}

#[test]
fn a_png_loses_its_texts_and_its_exif() {
    let plain = picture(ImageFormat::Png, 20, 10);
    let mut told = plain[..33].to_vec();
    for (name, said) in [(b"eXIf", exif(false)), (b"tEXt", b"Comment\0GPS".to_vec())] {
        told.extend(u32::try_from(said.len()).unwrap().to_be_bytes());
        told.extend_from_slice(name);
        told.extend(said);
        told.extend([0; 4]);
    }
    told.extend_from_slice(&plain[33..]);
    told.extend(b"GPS behind the end");
    let clean = cleaned(FileKind::Png, &told).unwrap();
    assert!(!tells(&clean, "GPS"));
    let before = image::load_from_memory(&plain).unwrap();
    assert_eq!(image::load_from_memory(&clean).unwrap(), before);
}

fn part(name: &[u8; 4], said: &[u8]) -> Vec<u8> {
    let length = u32::try_from(said.len()).unwrap().to_le_bytes();
    let pad = vec![0; said.len() % 2];
    [name, length.as_slice(), said, &pad].concat()
}

fn boxed(name: &[u8; 4], said: &[u8]) -> Vec<u8> {
    let length = u32::try_from(said.len() + 8).unwrap().to_be_bytes();
    [length.as_slice(), name, said].concat()
}

#[test]
fn recordings_and_webp_lose_what_they_tell_and_keep_their_length_right() {
    let parts = [
        part(b"VP8X", &[0x0c, 0, 0, 0, 1, 0, 0, 1, 0, 0]),
        part(b"VP8 ", b"the picture"),
        part(b"EXIF", b"GPS"),
        part(b"XMP ", b"GPS!"),
    ];
    let webp = [b"RIFF\0\0\0\0WEBP".to_vec(), parts.concat()].concat();
    assert_eq!(sniff(&webp), Some(FileKind::Webp));
    let clean = cleaned(FileKind::Webp, &webp).unwrap();
    assert!(!tells(&clean, "GPS") && tells(&clean, "the picture"));
    assert_eq!(clean[20], 0, "nothing is announced that is not there");
    let length = u32::from_le_bytes(clean[4..8].try_into().unwrap());
    assert_eq!(length as usize + 8, clean.len());

    let place = boxed(b"udta", &boxed(b"\xa9xyz", b"+30.736+107.204/"));
    let sound = boxed(b"mdat", b"the sound");
    let moov = boxed(b"moov", &[boxed(b"mvhd", b"GPS no"), place].concat());
    let m4a = [boxed(b"ftyp", b"M4A \0\0\0\0"), moov, sound].concat();
    assert_eq!(sniff(&m4a), Some(FileKind::M4a));
    let clean = cleaned(FileKind::M4a, &m4a).unwrap();
    assert!(!tells(&clean, "107.204") && tells(&clean, "the sound"));
    assert_eq!(clean.len(), m4a.len(), "positions inside stay right");
}

#[test]
fn other_files_are_not_taken_whatever_they_are_called_and_broken_ones_are_none() {
    for bytes in [
        &b"MZ\x90\0"[..],
        b"PK\x03\x04",
        b"\x7fELF",
        b"hello",
        b"",
        b"\xff",
    ] {
        assert_eq!(sniff(bytes), None);
    }
    let whole = [
        (
            FileKind::Jpeg,
            with_part(&picture(ImageFormat::Jpeg, 30, 20), 0xe1, &exif(true)),
        ),
        (FileKind::Png, picture(ImageFormat::Png, 30, 20)),
        (
            FileKind::M4a,
            boxed(b"moov", &boxed(b"trak", &boxed(b"udta", b"x"))),
        ),
        (
            FileKind::Wav,
            [b"RIFF\0\0\0\0WAVE".to_vec(), part(b"data", b"x")].concat(),
        ),
    ];
    for (kind, whole) in whole {
        for end in 0..whole.len() {
            // Whatever is cut off: an answer, never a crash, and never a place.
            let clean = cleaned(kind, &whole[..end]).unwrap_or_default();
            assert!(!tells(&clean, "107.204"), "{kind:?} cut at {end}");
        }
    }
}

#[test]
fn any_bytes_are_answered_and_what_is_kept_stays_as_it_is_when_cleaned_again() {
    let seeds = [
        with_part(&picture(ImageFormat::Jpeg, 30, 20), 0xe1, &exif(true)),
        picture(ImageFormat::Png, 30, 20),
        boxed(b"ftyp", b"M4A ")
            .into_iter()
            .chain(boxed(b"moov", &boxed(b"udta", b"x")))
            .collect(),
        [b"RIFF\0\0\0\0WAVE".to_vec(), part(b"data", b"xyz")].concat(),
        [b"RIFF\0\0\0\0WEBP".to_vec(), part(b"VP8X", &[12; 10])].concat(),
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 16).unwrap_or(0)
    };
    for round in 0..20_000 {
        let mut bytes = seeds[round % seeds.len()].clone();
        for _ in 0..=random() % 4 {
            let at = random() % bytes.len();
            match random() % 3 {
                0 => bytes[at] = random() as u8,
                1 => bytes.truncate(at + 1),
                _ => bytes.insert(at, [0, 0xff, 0x7f, 0x80][random() % 4]),
            }
        }
        let Some(kind) = sniff(&bytes) else { continue };
        let Some(clean) = cleaned(kind, &bytes) else {
            continue;
        };
        let again = cleaned(kind, &clean);
        assert!(again.as_ref() == Some(&clean), "{kind:?} in round {round}");
    }
}
