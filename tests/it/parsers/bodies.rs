//! What holds of every input: the bodies of the fuzz targets, and of the tests that need no nightly compiler.

use std::path::Path;

use capcheck::spec::canonical::{self, Json};
use capcheck::spec::capability::CapabilitySet;
use capcheck::target::file::{TargetFileError, parse};
use capcheck::wire::signing::{HeaderFault, XMatrix};

/// What is read is written so that it is read as the same, and what is written does not change any more;
/// a mistake is where there is text, or right behind it.
pub(crate) fn strict_json(bytes: &[u8]) {
    match canonical::parse(bytes) {
        Ok(value) => {
            let written = canonical::to_bytes(&value);
            assert_eq!(canonical::parse(&written).as_ref(), Ok(&value));
            assert!(written.len() <= bytes.len(), "the canonical form is the shortest");
            let is_set = |members: &canonical::Object| members.values().all(|v| matches!(v, Json::Object(_)));
            let is_set = matches!(&value, Json::Object(members) if is_set(members));
            let set = CapabilitySet::parse(bytes);
            assert_eq!(set.is_ok(), is_set, "{set:?}");
            if let Ok(set) = set {
                assert_eq!(set.canonical_bytes(), written);
            }
        }
        Err(error) => {
            let lines = bytes.split(|byte| *byte == b'\n').count();
            assert!((1..=lines).contains(&error.line) && error.column >= 1, "{error}");
            assert!(CapabilitySet::parse(bytes).is_err());
        }
    }
}

/// What is read is written so that it is read as the same.
pub(crate) fn x_matrix(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(header) = XMatrix::parse(text) {
        match XMatrix::parse(&header.to_string()) {
            Ok(again) => assert_eq!(again, header),
            // Quotes and escapes can make it longer than headers may be.
            Err(fault) => assert!(matches!(fault, HeaderFault::TooLong(_)), "{fault}"),
        }
    }
}

/// Every mistake is told in one line and stands in the file; a comment more changes nothing.
pub(crate) fn target_file(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // Certificates are read from where the file says; a device has no end.
    if text.contains("/dev") {
        return;
    }
    let read = |text: &str| parse(text, Path::new("nowhere"), "t.toml", &|name| Some(name.to_lowercase()));
    let with_comment = read(&format!("{text} \n# the end"));
    match read(text) {
        Ok(target) => assert_eq!(with_comment.ok().map(|target| target.url), Some(target.url)),
        Err(TargetFileError::Wrong(mistakes)) => {
            let lines = text.split('\n').count();
            assert!(!mistakes.is_empty());
            for mistake in &mistakes {
                assert!((1..=lines).contains(&mistake.line) && mistake.column >= 1, "{mistake:?}");
                assert!(!mistake.message.is_empty() && !mistake.message.contains('\n'), "{mistake:?}");
            }
            assert!(with_comment.is_err());
        }
        Err(error) => panic!("the text was given: {error}"),
    }
}
