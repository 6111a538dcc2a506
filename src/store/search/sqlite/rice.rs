//! Numbers in a Rice code (Rice and Plaunt, 1971): the high part in unary, the low bits as they are. It comes within a few per
//! cent of the entropy of gaps between places that are in a set by chance.

/// The most low bits.
const MOST_LOW_BITS: u32 = 12;
/// The most bits that are pushed at once.
const MOST_AT_ONCE: u32 = 31;

/// Writes numbers below 2^13.
pub struct RiceWriter {
    bytes: Vec<u8>,
    low_bits: u32,
    /// Bits that are not in `bytes` yet, the lowest first, and how many.
    held: u64,
    count: u32,
}

impl RiceWriter {
    /// Starts after the byte `first`, with up to 12 low bits.
    pub fn new(first: u8, low_bits: u32) -> Self {
        let mut bytes = Vec::with_capacity(512);
        bytes.push(first);
        Self { bytes, low_bits: low_bits.min(MOST_LOW_BITS), held: 0, count: 0 }
    }

    /// Appends `number`.
    pub fn push(&mut self, number: u32) {
        let mut ones = number >> self.low_bits;
        while ones >= MOST_AT_ONCE {
            self.bits((1 << MOST_AT_ONCE) - 1, MOST_AT_ONCE);
            ones = ones.wrapping_sub(MOST_AT_ONCE);
        }
        self.bits((1 << ones) - 1, ones.wrapping_add(1));
        self.bits(u64::from(number) & ((1 << self.low_bits) - 1), self.low_bits);
    }

    fn bits(&mut self, bits: u64, count: u32) {
        self.held |= bits << self.count;
        self.count = self.count.wrapping_add(count);
        if self.count >= 32 {
            let [a, b, c, d, ..] = self.held.to_le_bytes();
            self.bytes.extend([a, b, c, d]);
            self.held >>= 32;
            self.count = self.count.wrapping_sub(32);
        }
    }

    /// The bytes, the last one filled up with ones.
    pub fn end(mut self) -> Vec<u8> {
        let used = usize::try_from(self.count.div_ceil(8)).unwrap_or_default();
        let filled = self.held | u64::MAX.checked_shl(self.count).unwrap_or_default();
        self.bytes.extend(filled.to_le_bytes().iter().take(used));
        self.bytes
    }
}

/// Reads what `RiceWriter` wrote.
pub struct RiceReader<'b> {
    bytes: &'b [u8],
    low_bits: u32,
    held: u64,
    count: u32,
}

impl<'b> RiceReader<'b> {
    /// Reads the bytes after the first one; `None` if `low_bits` is more than 12.
    pub fn new(bytes: &'b [u8], low_bits: u32) -> Option<Self> {
        (low_bits <= MOST_LOW_BITS).then_some(Self { bytes, low_bits, held: 0, count: 0 })
    }

    /// The next number, or nothing after the last one; `None` if the bytes end within a number.
    #[inline]
    pub fn next(&mut self) -> Option<Option<u32>> {
        self.fill();
        let ones = self.held.trailing_ones();
        let used = ones.wrapping_add(1).wrapping_add(self.low_bits);
        if used > self.count {
            return self.next_of_many_bits();
        }
        let low = (self.held >> ones >> 1) & ((1 << self.low_bits) - 1);
        self.skip(used);
        Some(Some(ones.wrapping_shl(self.low_bits) | u32::try_from(low).ok()?))
    }

    /// As `next`, where the number may have more bits than are held.
    fn next_of_many_bits(&mut self) -> Option<Option<u32>> {
        let mut high = 0_u32;
        loop {
            self.fill();
            let ones = self.held.trailing_ones();
            high = high.checked_add(ones)?;
            if ones < self.count {
                self.skip(ones.wrapping_add(1));
                break;
            }
            self.skip(ones);
            if self.bytes.is_empty() {
                return Some(None);
            }
        }
        self.fill();
        let low = u32::try_from(self.held & ((1 << self.low_bits) - 1)).ok()?;
        self.count = self.count.checked_sub(self.low_bits)?;
        self.held >>= self.low_bits;
        Some(Some(high.checked_shl(self.low_bits)? | low))
    }

    /// Drops bits that are buffered: fewer than 64, as `fill` buffers no more.
    fn skip(&mut self, count: u32) {
        self.held = self.held.wrapping_shr(count);
        self.count = self.count.wrapping_sub(count);
    }

    /// Buffers at least 32 bits, if there are as many.
    #[inline]
    fn fill(&mut self) {
        while self.count < 32 {
            if let Some((four, rest)) = self.bytes.split_first_chunk() {
                self.held |= u64::from(u32::from_le_bytes(*four)) << self.count;
                self.count = self.count.wrapping_add(32);
                self.bytes = rest;
            } else if let Some((one, rest)) = self.bytes.split_first() {
                self.held |= u64::from(*one) << self.count;
                self.count = self.count.wrapping_add(8);
                self.bytes = rest;
            } else {
                return;
            }
        }
    }
}
