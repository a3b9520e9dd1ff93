//! What the doctor has found of one subject.

/// How far something works here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It works.
    Yes,
    /// With limits, which the finding names.
    Partly,
    /// It does not.
    No,
}

/// What there is to know of one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The subject.
    pub name: &'static str,
    /// How far it works.
    pub verdict: Verdict,
    /// Why.
    pub says: Vec<u8>,
    /// What to do about it; empty if it works.
    pub advice: Vec<u8>,
}
