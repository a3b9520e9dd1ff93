//! What a user could see go wrong: effects on a real kernel, never which function was called.
//!
//! Everything runs on the shipped artefact, `target/ctrbox` (or the file `CTRBOX` names), in a
//! sandbox of namespaces that dies with all it held: see [`sandbox`]. Cases as data: [`case`].

pub mod case;
pub mod document;
pub mod emulation;
pub mod fault;
pub mod judge;
pub mod needs;
pub mod originals;
pub mod sandbox;
pub mod scratch;
pub mod status;
pub mod version;
