//! The reports of `capcheck vectors test`: a page for people, JSON, JUnit.

#[cfg(test)]
mod fixture;
mod junit;
mod page;
#[cfg(test)]
mod tests;

use std::io;

use serde_json::Value;

use super::{Reportable, json};
use crate::vectors::program::{ProgramResult, REPORT_VERSION};

pub use page::page;

impl Reportable for ProgramResult {
    fn json(&self, out: &mut Vec<u8>) -> io::Result<()> {
        json::write(self, out)
    }

    fn junit(&self, out: &mut Vec<u8>) -> io::Result<()> {
        junit::write(self, out)
    }
}

/// The JSON Schema (draft 2020-12) of the JSON report; published as `docs/vectors-report.schema.json`.
pub fn schema() -> Value {
    json::schema_of::<ProgramResult>("capcheck report on a program tested with the vectors", REPORT_VERSION)
}
