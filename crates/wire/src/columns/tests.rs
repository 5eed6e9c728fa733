//! Frames of packs that go through columns and come out, and those that must not.

use super::parts::Parts;
use super::*;
use crate::chunk::{push_sleb, push_uleb};
use crate::entry::DocKind;
use crate::id::{ChangeHash, DocId};
use crate::limits::{DOCUMENT_BYTES_MAX, PACK_FRAME_UNFOLDED_BYTES_MAX};
use crate::pack::{Beside, PackedDoc, PackedPlace};
use proptest::prelude::*;

/// Keys as the library writes them: a run, literals, nulls.
fn keys() -> Vec<u8> {
    let mut column = Vec::new();
    let string = |column: &mut Vec<u8>, text: &str| {
        push_uleb(column, text.len() as u64);
        column.extend_from_slice(text.as_bytes());
    };
    push_sleb(&mut column, 2);
    string(&mut column, "a7d67d3f/on");
    push_sleb(&mut column, -3);
    for text in ["a7d67d3f/for", "a7d67d3f/note", ""] {
        string(&mut column, text);
    }
    push_sleb(&mut column, 0);
    push_uleb(&mut column, 300);
    column
}

fn saved(doc: DocId, heads: &[u8], actors: &[&[u8]]) -> Vec<u8> {
    let keys = keys();
    let values = [b"before".as_slice(), doc.as_bytes(), b"behind"].concat();
    Parts {
        actors: actors.to_vec(),
        heads,
        changes: vec![(1, &[3, 1]), (35, &[])],
        operations: vec![(KEYS, &keys), (VALUES, &values), (128, &[7; 20])],
        suffix: &[0],
    }
    .join()
}

fn document(n: u8, owner: Option<DocId>, saved: Vec<u8>) -> PackedDoc {
    let doc = DocId([n; 16]);
    PackedDoc {
        doc,
        kind: DocKind(n),
        schema: 1,
        owner,
        place: owner.is_none().then(|| PackedPlace {
            position: 9,
            bytes: [b"place ".as_slice(), doc.as_bytes(), b"511724"].concat(),
        }),
        position: 400 + u64::from(n),
        saved,
        beside: vec![Beside {
            kind: 1,
            position: 6,
            bytes: vec![8; usize::from(n)],
        }],
    }
}

fn frame(heads: u8) -> PackFrame {
    let heads = [heads; 2 * HEAD_BYTES];
    let actors: [&[u8]; 2] = [&[1; 8], &[2; 8]];
    let of = |n: u8| saved(DocId([n; 16]), &heads, &actors);
    PackFrame {
        documents: vec![
            document(1, None, of(1)),
            document(2, Some(DocId([1; 16])), of(2)),
            document(3, Some(DocId([9; 16])), Vec::new()),
            document(4, None, b"no chunk at all".to_vec()),
        ],
        writers: vec![(ActorId([1; 8]), DeviceId([3; 16]))],
    }
}

#[test]
fn a_frame_comes_out_as_it_went_in_but_for_its_heads() {
    let read = decode(&encode(&frame(7))).unwrap();
    assert_eq!(read, frame(0));
    let heads = [ChangeHash([7; 32]); 2];
    let own = &frame(7).documents[0].saved;
    assert_eq!(
        with_heads(&read.documents[0].saved, &heads).as_ref(),
        Ok(own)
    );
    assert!(with_heads(own, &heads[..1]).is_err());
}

#[test]
fn what_is_alike_costs_once() {
    let mut packer = packing::Packer::new().unwrap();
    let mut weigh = |count: u8| {
        let documents = (1..=count).map(|n| {
            let doc = DocId([n; 16]);
            document(n, None, saved(doc, &[n; HEAD_BYTES], &[&[1; 8]]))
        });
        let frame = PackFrame {
            documents: documents.collect(),
            writers: Vec::new(),
        };
        packer.pack(&encode(&frame)).unwrap().len()
    };
    let (few, many) = (weigh(10), weigh(110));
    // Its id and its head are 48 bytes of each.
    assert!(many < few + 100 * 12, "{few} and {many}");
}

#[test]
fn what_cannot_be_joined_again_travels_whole() {
    let long: &[u8] = &[1; ACTOR_BYTES_MAX + 1];
    let many = vec![&[1_u8; 8][..]; COUNT_MAX + 1];
    for actors in [vec![long], many] {
        let whole = saved(DocId([1; 16]), &[7; HEAD_BYTES], &actors);
        let frame = PackFrame {
            documents: vec![document(1, None, whole)],
            writers: Vec::new(),
        };
        assert_eq!(decode(&encode(&frame)), Ok(frame));
    }
}

#[test]
fn what_is_cut_or_claims_more_than_is_there_is_refused() {
    let bytes = encode(&frame(7));
    for cut in 0..bytes.len() {
        assert!(decode(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    let mut form: FrameForm = packing::decode(&bytes, "a frame").unwrap();
    form.documents += 1;
    assert!(decode(&packing::encode(&form)).is_err());
    form.documents -= 2;
    assert!(decode(&packing::encode(&form)).is_err(), "bytes are left");
}

#[test]
fn a_document_that_unfolds_past_its_limit_is_refused_and_so_is_a_column_said_twice() {
    let with = |parts: &Parts<'_>| {
        encode(&PackFrame {
            documents: vec![document(1, None, parts.join())],
            writers: Vec::new(),
        })
    };
    let long = vec![9; DOCUMENT_BYTES_MAX];
    let parts = |operations: Vec<(u64, &'static [u8])>| Parts {
        actors: Vec::new(),
        heads: &[],
        changes: Vec::new(),
        operations,
        suffix: &[],
    };
    let mut fits = parts(Vec::new());
    fits.operations = vec![(128, &long)];
    assert!(decode(&with(&fits)).is_ok());
    fits.operations = vec![(128, &long), (129, &[1])];
    assert!(matches!(
        decode(&with(&fits)),
        Err(Malformed::TooLarge { .. })
    ));

    // The encoder would have it travel whole; somebody else may not.
    let bytes = with(&parts(vec![(128, &[1]), (129, &[1])]));
    let mut form: FrameForm = packing::decode(&bytes, "a frame").unwrap();
    for column in &mut form.columns {
        if column.name == name::SPECS {
            column.bytes = [128_u64, 128].iter().fold(Vec::new(), |mut out, spec| {
                push_uleb(&mut out, *spec);
                out
            });
        }
    }
    assert!(decode(&packing::encode(&form)).is_err());
}

#[test]
fn documents_past_the_limit_are_not_unfolded() {
    let heads = vec![0; COUNT_MAX * HEAD_BYTES];
    let one = saved(DocId([1; 16]), &heads, &[&[1; 8]]);
    let fit = PACK_FRAME_UNFOLDED_BYTES_MAX / one.len();
    let of = |count: usize| {
        encode(&PackFrame {
            documents: vec![document(1, None, one.clone()); count],
            writers: Vec::new(),
        })
    };
    assert!(decode(&of(fit)).is_ok());
    assert!(matches!(
        decode(&of(fit + 1)),
        Err(Malformed::TooLarge { .. })
    ));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(
        at in 0..400_usize,
        new in any::<[u8; 3]>(),
        noise in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut bytes = encode(&frame(7));
        for (byte, new) in bytes.iter_mut().skip(at).zip(new) {
            *byte = new;
        }
        let _ = decode(&bytes);
        let _ = decode(&noise);
        let _ = with_heads(&noise, &[]);
    }
}
