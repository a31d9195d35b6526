//! How a history becomes smaller.

use proptest::strategy::ValueTree;

use super::History;

/// A history that can be made smaller as long as it fails.
#[derive(Clone, Debug)]
pub struct Tree {
    current: History,
}

impl Tree {
    /// Nothing after this step is needed for it to fail.
    pub fn cut_after(&mut self, _step: usize) {
        unimplemented!()
    }
}

impl ValueTree for Tree {
    type Value = History;

    fn current(&self) -> History {
        self.current.clone()
    }

    fn simplify(&mut self) -> bool {
        unimplemented!()
    }

    fn complicate(&mut self) -> bool {
        unimplemented!()
    }
}
