//! An index of names: positions in a list sorted by a hash of each name, for many look-ups without copying the names.

/// Hash and place of each name.
#[derive(Default)]
pub struct Index(Vec<(u32, usize)>);

impl Index {
    /// The index of these names, each at the next place.
    pub fn of<Name: AsRef<[u8]>>(names: impl IntoIterator<Item = Name>) -> Index {
        let mut index = Index::default();
        for name in names {
            index.add(name.as_ref());
        }
        index.0.sort_unstable();
        index
    }

    /// Adds the name of the next place. Not inlined: the loop is there once for each kind of names.
    #[inline(never)]
    fn add(&mut self, name: &[u8]) {
        self.0.push((hash(name), self.0.len()));
    }

    /// The places that may have this name, in order: the hash is the same.
    ///
    /// ```
    /// let index = linux::index::Index::of(["a", "b", "a"]);
    /// assert!(index.places(b"a").eq([0, 2]));
    /// ```
    pub fn places(&self, name: &[u8]) -> impl DoubleEndedIterator<Item = usize> {
        let hash = hash(name);
        let first = self.0.partition_point(|(other, _)| *other < hash);
        let same = self.0.get(first..).unwrap_or_default();
        let count = same.partition_point(|(other, _)| *other == hash);
        same.get(..count).unwrap_or_default().iter().map(|(_, place)| *place)
    }
}

/// FNV-1a, in 32 bits.
pub fn hash(text: &[u8]) -> u32 {
    text.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}
