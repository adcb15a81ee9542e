//! Chance that can be had again: the same seed, the same numbers (SplitMix64). Owns how something is drawn, and nothing of prices.

#[derive(Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to, and not with, `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn between(&mut self, least: i64, most: i64) -> i64 {
        let span = u64::try_from(most - least).expect("the least is not above the most") + 1;
        least + i64::try_from(self.below(span)).expect("spans of the cases are small")
    }

    /// So often in a hundred times.
    pub(crate) fn percent(&mut self, often: u64) -> bool {
        self.below(100) < often
    }

    pub(crate) fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.place(of.len())].clone()
    }

    pub(crate) fn place(&mut self, many: usize) -> usize {
        let many = u64::try_from(many).expect("lists of the cases are short");
        usize::try_from(self.below(many)).expect("lists of the cases are short")
    }

    pub(crate) fn shuffled<T: Clone>(&mut self, of: &[T]) -> Vec<T> {
        let mut all = of.to_vec();
        for place in (1..all.len()).rev() {
            all.swap(place, self.place(place + 1));
        }
        all
    }
}
