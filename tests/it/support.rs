//! What several tests share.

use std::io;

use capcheck::engine::event::{Event, Reporter};

/// A reporter that hears nothing.
pub(crate) struct Silent;

impl Reporter for Silent {
    fn on(&mut self, _event: &Event<'_>) -> io::Result<()> {
        Ok(())
    }
}
