//! Null targets: nothing passes on what is no homeserver, or none that conforms, unless it truly holds.

use capcheck::proof::null::{self, NullTarget};
use capcheck::reference::Named as _;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_passes_that_does_not_hold() {
    let mut findings = Vec::new();
    for target in <&NullTarget>::all() {
        let attempt = null::attempt(target, 7).await.unwrap();
        findings.extend(attempt.findings.into_iter().map(|finding| format!("{}: {finding}", target.id)));
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}
