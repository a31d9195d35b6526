//! Plans a run, runs it, and says what came of it.

pub mod event;
pub mod result;
