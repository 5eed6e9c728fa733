//! The batches of a request, packed in groups: what one says the next need not say again.
//!
//! A group says in front how many batches it has, so that a request is counted before anything of it is
//! inflated; **each batch in it is read, proven and answered by itself.**

use crate::limits::{GROUP_BYTES_GOAL, GROUP_INFLATED_BYTES_MAX};
use crate::packing::{self, Packer, Unpacker};
use crate::{Malformed, stream};

/// The kind of a frame of a request that is a group.
pub const GROUP_FRAME: u8 = 1;
/// Bytes before a batch frame that say how many it has.
const LENGTH_BYTES: usize = 4;

/// Returns batch frames as the frames of a request, in groups of about the goal.
pub fn frames(packer: &mut Packer, batches: &[Vec<u8>]) -> Result<Vec<u8>, Malformed> {
    let mut out = Vec::new();
    let mut rest = batches;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = |batch: &&Vec<u8>| {
            bytes += batch.len() + LENGTH_BYTES;
            bytes <= GROUP_BYTES_GOAL
        };
        // One batch always goes, however large it is.
        let count = rest.iter().take_while(fits).count().max(1);
        let (group, behind) = rest.split_at(count);
        out.extend(stream::frame(GROUP_FRAME, &pack(packer, group)?));
        rest = behind;
    }
    Ok(out)
}

/// Returns batch frames as one group.
pub fn pack(packer: &mut Packer, batches: &[Vec<u8>]) -> Result<Vec<u8>, Malformed> {
    let count = u16::try_from(batches.len()).map_err(|_| Malformed::shape("group of batches"))?;
    let packed = packer.pack(&joined(batches)?)?;
    Ok([count.to_be_bytes().as_slice(), &packed].concat())
}

/// Returns what is packed: each batch frame behind its length.
pub fn joined(batches: &[Vec<u8>]) -> Result<Vec<u8>, Malformed> {
    let mut joined = Vec::new();
    for batch in batches {
        let length = u32::try_from(batch.len()).map_err(|_| Malformed::shape("batch frame"))?;
        joined.extend_from_slice(&length.to_be_bytes());
        joined.extend_from_slice(batch);
    }
    Ok(joined)
}

/// Returns how many batches a group says it has; none if it says nothing, or none.
pub fn count(group: &[u8]) -> Option<usize> {
    let (count, _) = group.split_first_chunk::<2>()?;
    Some(usize::from(u16::from_be_bytes(*count))).filter(|count| *count > 0)
}

/// Returns how many bytes a group says it is inflated; what says more than the limit is not inflated.
pub fn inflated(group: &[u8]) -> usize {
    let packed = group.get(2..).unwrap_or_default();
    packing::said_size(packed).map_or(0, |size| size.min(GROUP_INFLATED_BYTES_MAX))
}

/// Returns the batch frames of a group: as many as it says.
pub fn unpack(unpacker: &mut Unpacker, group: &[u8]) -> Result<Vec<Vec<u8>>, Malformed> {
    let shape = || Malformed::shape("group of batches");
    let (_, packed) = group.split_first_chunk::<2>().ok_or_else(shape)?;
    let inflated = unpacker.unpack(packed, GROUP_INFLATED_BYTES_MAX)?;
    let mut rest = inflated.as_slice();
    let mut batches = Vec::new();
    let count = count(group).ok_or_else(shape)?;
    while let Some((length, behind)) = rest.split_first_chunk::<LENGTH_BYTES>()
        && batches.len() < count
    {
        let length = u32::from_be_bytes(*length) as usize;
        let (batch, behind) = behind.split_at_checked(length).ok_or_else(shape)?;
        batches.push(batch.to_vec());
        rest = behind;
    }
    let whole = rest.is_empty() && batches.len() == count;
    whole.then_some(batches).ok_or_else(shape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::FRAME_INFLATED_BYTES_MAX;
    use crate::stream::Splitter;

    fn groups(batches: &[Vec<u8>]) -> Vec<Vec<Vec<u8>>> {
        let mut splitter = Splitter::new(1 << 20);
        splitter.push(&frames(&mut Packer::new().unwrap(), batches).unwrap());
        let mut unpacker = Unpacker::new().unwrap();
        std::iter::from_fn(|| splitter.next_frame().unwrap())
            .map(|(kind, group)| {
                assert_eq!(kind, GROUP_FRAME);
                let batches = unpack(&mut unpacker, &group).unwrap();
                assert_eq!(count(&group), Some(batches.len()));
                batches
            })
            .collect()
    }

    #[test]
    fn batches_come_out_as_they_went_in_and_a_group_ends_at_the_goal() {
        assert!(groups(&[]).is_empty());
        let small: Vec<Vec<u8>> = (0..100).map(|n| vec![n; 1_000]).collect();
        let made = groups(&small);
        assert_eq!(made.concat(), small);
        assert_eq!(made.len(), 2);
        let large = [vec![1; FRAME_INFLATED_BYTES_MAX], vec![2; 10], vec![3; 10]];
        let made = groups(&large);
        assert_eq!(made.iter().map(Vec::len).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn what_is_alike_in_two_batches_costs_once() {
        let mut packer = Packer::new().unwrap();
        let noise: Vec<u8> = (0..2_000_u32).map(|n| ((n * n * 7) >> 5) as u8).collect();
        let one = pack(&mut packer, std::slice::from_ref(&noise))
            .unwrap()
            .len();
        let two = pack(&mut packer, &[noise.clone(), noise]).unwrap().len();
        assert!(two < one + 40, "{one} and {two}");
    }

    #[test]
    fn a_group_that_says_another_number_or_is_cut_is_refused() {
        let group = pack(&mut Packer::new().unwrap(), &[vec![1; 9], vec![2; 9]]).unwrap();
        let mut unpacker = Unpacker::new().unwrap();
        let mut read = |bytes: &[u8]| unpack(&mut unpacker, bytes);
        assert!(read(&group).is_ok());
        for cut in 0..group.len() {
            assert!(read(&group[..cut]).is_err(), "cut at {cut}");
        }
        let lying = |count: u8| [&[0, count], &group[2..]].concat();
        for count in [0, 1, 3] {
            assert!(read(&lying(count)).is_err(), "{count} of 2");
        }
        assert_eq!(count(&lying(0)), None);
        assert_eq!(inflated(&group), 26);
        let large = [
            &[0, 1],
            Packer::new()
                .unwrap()
                .pack(&vec![0; 1 << 22])
                .unwrap()
                .as_slice(),
        ]
        .concat();
        assert_eq!(inflated(&large), GROUP_INFLATED_BYTES_MAX);
        assert_eq!(inflated(&group[..3]), 0);
    }
}
