//! Which requirements the vectors pin: whose arithmetic would have to change for a value to change.

use std::collections::BTreeMap;

use super::carried;
use super::subject::SUBJECTS;

/// A requirement, and the cases of one file that pin it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinned {
    /// The requirement's id.
    pub requirement: String,
    /// The file's name.
    pub file: String,
    /// The cases' ids, in the order of the file.
    pub cases: Vec<String>,
}

/// Every requirement that the vectors pin, by the groups and flags that name it, and which cases do.
pub fn pinned() -> Vec<Pinned> {
    SUBJECTS.iter().flat_map(|row| pinned_by(row.subject.name())).collect()
}

fn pinned_by(subject: &str) -> Vec<Pinned> {
    let document = carried(subject);
    let mut cases: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for group in &document.groups {
        for case in &group.cases {
            let by_flags = case.flags.iter().filter_map(|flag| document.flags.get(flag));
            for id in group.requirements.iter().chain(by_flags.flat_map(|flag| &flag.requirements)) {
                let pins = cases.entry(id).or_default();
                if pins.last() != Some(&case.id) {
                    pins.push(case.id.clone());
                }
            }
        }
    }
    let pin = |(requirement, cases): (&str, Vec<String>)| Pinned {
        requirement: requirement.to_owned(),
        file: format!("{subject}.json"),
        cases,
    };
    cases.into_iter().map(pin).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::requirement;
    use crate::vectors::bad_uploads;

    #[test]
    fn every_pin_is_about_a_requirement() {
        for pinned in pinned() {
            assert!(
                requirement::find(&pinned.requirement).is_some(),
                "{} in {}",
                pinned.requirement,
                pinned.file
            );
        }
    }

    #[test]
    fn every_case_pins_something() {
        for row in SUBJECTS {
            let pinned = pinned_by(row.subject.name());
            for case in carried(row.subject.name()).cases() {
                assert!(pinned.iter().any(|pinned| pinned.cases.contains(&case.id)), "{}", case.id);
            }
        }
    }

    #[test]
    fn a_bad_upload_pins_what_its_scenario_checks() {
        let pinned = pinned();
        for upload in bad_uploads() {
            let mut of_it = pinned.iter().filter(|pinned| pinned.requirement == upload.requirement);
            assert!(of_it.any(|pinned| pinned.cases.contains(&upload.id)), "{}", upload.id);
        }
    }
}
