//! Reports: one file per format. They consume events and results, and never call back.
//!
//! [`Terminal`] tells people what happens; [`Sinks`] writes what `--report` asked for, in the
//! formats of [`json`] and [`junit`]. Whatever a target said is escaped before it is shown.

#[cfg(test)]
mod fixture;
pub mod json;
pub mod junit;
mod page;
mod sinks;
mod spec;
mod style;
pub mod terminal;
#[cfg(test)]
mod tests;
mod text;

pub use sinks::{ReportError, Sinks};
pub use spec::{Destination, Format, ReportSpec, SpecError};
pub use style::Style;
pub use terminal::Terminal;
