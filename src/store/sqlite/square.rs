//! Squares of bits.

/// The lines of a square, and the bits of a line.
pub const SIDE: usize = 64;

/// 64 lines of 64 bits.
pub type Square = [u64; SIDE];

/// Exchanges rows and columns of 64 times 64 bits, halves first (Warren, *Hacker's Delight*, 7-3).
pub fn transpose(square: &mut Square) {
    let (mut side, mut mask) = (SIDE / 2, 0x0000_0000_ffff_ffff_u64);
    while side > 0 {
        for pair in square.chunks_exact_mut(side.saturating_mul(2)) {
            let (upper, lower) = pair.split_at_mut(side);
            for (upper, lower) in upper.iter_mut().zip(lower) {
                let changed = ((*upper >> side) ^ *lower) & mask;
                *upper ^= changed << side;
                *lower ^= changed;
            }
        }
        side /= 2;
        mask ^= mask << side;
    }
}
