//! Keys of the index, which are hashes already.

use std::hash::{Hash, Hasher};

/// The keys are already hashes.
#[derive(Default)]
pub(super) struct KeyHasher(u64);

/// A key with the alignment of `u32`, so that an entry of the index has 12 bytes and not 16.
#[derive(PartialEq, Eq)]
pub(super) struct PackedKey([u32; 2]);

impl PackedKey {
    #[expect(clippy::cast_possible_truncation, reason = "the two halves are kept")]
    pub(super) fn new(key: u64) -> Self {
        PackedKey([(key >> 32) as u32, key as u32])
    }
}

impl Hash for PackedKey {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(u64::from(self.0[0]) << 32 | u64::from(self.0[1]));
    }
}

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}
