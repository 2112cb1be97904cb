//! Ids and keys from a seed: the same seed and the same calls give the same ids.

const BASE64URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const ALPHANUMERIC: usize = 62;

/// A seeded generator (SplitMix64). It makes names, not secrets worth guessing: the sandbox listens on loopback only.
#[derive(Debug)]
pub(crate) struct Ids {
    state: u64,
}

impl Ids {
    pub(crate) fn new(seed: u64) -> Ids {
        Ids { state: seed }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }

    pub(crate) fn hex(&mut self, prefix: &str, digits: usize) -> String {
        self.letters(prefix, digits, b"0123456789abcdef")
    }

    /// `grp_…` and v2's `wh_…`: letters and digits only, as their documented pattern wants.
    pub(crate) fn alphanumeric(&mut self, prefix: &str, length: usize) -> String {
        self.letters(prefix, length, &BASE64URL[..ALPHANUMERIC])
    }

    /// v2's message ids: short, opaque, and free to begin with `-`.
    pub(crate) fn short(&mut self) -> String {
        self.letters("", 11, BASE64URL)
    }

    /// v4's ids: a prefix and a UUIDv7 that carries the time `at_ms`.
    pub(crate) fn uuid7(&mut self, prefix: &str, at_ms: i64) -> String {
        let high = ((at_ms as u64) << 16) | 0x7000 | (self.next() & 0x0fff);
        let low = (self.next() & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
        format!(
            "{prefix}{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff
        )
    }

    fn letters(&mut self, prefix: &str, length: usize, alphabet: &[u8]) -> String {
        let mut id = String::with_capacity(prefix.len() + length);
        id.push_str(prefix);
        for _ in 0..length {
            id.push(alphabet[self.below(alphabet.len())] as char);
        }
        id
    }
}
