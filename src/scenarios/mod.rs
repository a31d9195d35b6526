//! The scenarios, one file per area of the draft.
