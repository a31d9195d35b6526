//! Acts that overlap.

use crate::outcome::Stop;
use crate::spec::history::Act;

use super::story::Story;

impl Story<'_> {
    pub(super) async fn at_once(&mut self, _lanes: &[Vec<Act>], _step: usize) -> Result<(), Stop> {
        Ok(())
    }
}
