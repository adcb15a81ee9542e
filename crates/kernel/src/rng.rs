//! Chance as a port. Owns a small seeded generator for simulation and jitter; never used for keys or secrets.

/// Where chance comes from.
pub trait Rng: Send {
    fn next_u64(&mut self) -> u64;

    /// Evenly below `bound`; 0 for bound 0.
    fn below(&mut self, bound: u64) -> u64 {
        // The bias of a multiply-shift is below 2^-32 for the bounds in use.
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// True with `per_mille` in a thousand.
    fn chance(&mut self, per_mille: u32) -> bool {
        self.below(1000) < u64::from(per_mille)
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): one multiplication a number, any seed is good.
#[derive(Debug, Clone)]
pub struct Seeded(u64);

impl Seeded {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }
}

impl Rng for Seeded {
    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers_and_bounds_hold() {
        let (mut a, mut b) = (Seeded::new(7), Seeded::new(7));
        for _ in 0..1000 {
            let x = a.below(10);
            assert!(x < 10);
            assert_eq!(x, b.below(10));
        }
        assert_eq!(Seeded::new(1).below(0), 0);
    }
}
