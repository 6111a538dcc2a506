//! A split block Bloom filter, as the Apache Parquet format specifies it: 256 bits a block, one bit in each of its eight
//! words for a key. A lookup reads one block.

use super::identity::Identity;

/// Bits for each key. About one in 2,500 keys that are not there is found by mistake.
const KEY_BITS: usize = 20;
/// The odd numbers that pick the bit of each word.
const SALTS: [u32; 8] =
    [0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31];

type Block = [u32; 8];
/// The bits of a block.
const BLOCK_BITS: usize = 256;

/// A set of keys that may say yes for a key that it does not have, and never no for one that it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter(Box<[Block]>);

impl Filter {
    /// An empty filter with room for `keys`.
    pub fn with_room(keys: usize) -> Self {
        let blocks = keys.saturating_mul(KEY_BITS).div_ceil(BLOCK_BITS).max(1);
        Self(vec![[0; 8]; blocks].into())
    }

    /// Reads the bytes of `to_bytes`. Other bytes become a filter that always says yes.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let (blocks, rest) = bytes.as_chunks::<{ size_of::<Block>() }>();
        if blocks.is_empty() || !rest.is_empty() {
            return Self(Box::new([[u32::MAX; 8]]));
        }
        let word = |bytes: &[u8; 4]| u32::from_le_bytes(*bytes);
        let block = |bytes: &[u8; 32]| {
            let mut block = [0; 8];
            block.iter_mut().zip(bytes.as_chunks().0).for_each(|(to, bytes)| *to = word(bytes));
            block
        };
        Self(blocks.iter().map(block).collect())
    }

    /// The words one after the other, each with its lowest byte first.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flatten().flat_map(|word| word.to_le_bytes()).collect()
    }

    /// Adds a key.
    pub fn add(&mut self, key: Identity) {
        let probe = Probe::of(key);
        let place = probe.place(self.blocks());
        if let Some(block) = self.0.get_mut(place) {
            block.iter_mut().zip(probe.bits).for_each(|(word, bit)| *word |= bit);
        }
    }

    /// Whether it may have the key of a probe.
    pub fn may_have(&self, probe: &Probe) -> bool {
        // Without a branch for each word, the processor asks many filters at a time.
        let missing =
            |block: &Block| block.iter().zip(probe.bits).fold(0, |all, (word, bit)| all | (!word & bit));
        self.0.get(probe.place(self.blocks())).is_none_or(|block| missing(block) == 0)
    }

    /// The number of its blocks.
    pub fn blocks(&self) -> usize {
        self.0.len()
    }

    /// The 64 bits of a quarter of a block.
    pub fn line(&self, block: usize, quarter: usize) -> u64 {
        let words = self.0.get(block).and_then(|block| block.as_chunks().0.get(quarter));
        words.map_or(u64::MAX, |[low, high]| u64::from(*low) | u64::from(*high) << 32)
    }
}

/// A key, as filters of any size are asked for it.
pub struct Probe {
    /// The upper half of its hash, which names the block.
    high: u64,
    /// Its bit in each word.
    bits: Block,
}

impl Probe {
    /// The probe of a key.
    pub fn of(key: Identity) -> Self {
        let hash = key.hash();
        let low = u32::try_from(hash & u64::from(u32::MAX)).unwrap_or(0);
        Self { high: hash >> 32, bits: SALTS.map(|salt| 1 << (low.wrapping_mul(salt) >> 27)) }
    }

    /// Its block in a filter of so many.
    pub fn place(&self, blocks: usize) -> usize {
        let blocks = u64::try_from(blocks).unwrap_or(0);
        usize::try_from((self.high * blocks) >> 32).unwrap_or(0)
    }

    /// The numbers of its bits in a block.
    pub fn slots(&self) -> impl Iterator<Item = usize> {
        let bits = self.bits.map(|bit| usize::try_from(bit.trailing_zeros()).unwrap_or(0));
        (0..).step_by(32).zip(bits).map(|(word, bit): (usize, usize)| word.saturating_add(bit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u32) -> Identity {
        Identity::of("tagorun", &number.to_be_bytes())
    }

    fn probe(number: u32) -> Probe {
        Probe::of(key(number))
    }

    fn filled(keys: u32) -> Filter {
        let mut filter = Filter::with_room(usize::try_from(keys).unwrap());
        (0..keys).for_each(|number| filter.add(key(number)));
        filter
    }

    #[test]
    fn it_has_what_was_added_and_hardly_anything_else() {
        let filter = filled(10_000);
        assert!((0..10_000).all(|number| filter.may_have(&probe(number))));
        let by_mistake = (10_000..110_000).filter(|number| filter.may_have(&probe(*number))).count();
        assert!(by_mistake < 100, "{by_mistake} of 100,000");
    }

    #[test]
    fn its_bytes_make_it_again() {
        let filter = filled(100);
        assert_eq!(Filter::from_bytes(&filter.to_bytes()), filter);
        assert_eq!(filter.to_bytes().len(), 256, "2,000 bits in whole blocks");
    }

    #[test]
    fn bytes_that_are_no_filter_say_yes_to_everything() {
        for bytes in [&[][..], &[0; 31], &[0; 33]] {
            let filter = Filter::from_bytes(bytes);
            assert!((0..100).all(|number| filter.may_have(&probe(number))));
        }
    }
}
