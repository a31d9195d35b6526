//! What `capcheck prove` does, on a few faults: one for each requirement between homeservers. All of them are
//! for `capcheck prove` itself, which `.ci/run` runs.

use std::collections::BTreeSet;

use capcheck::proof::run::{self, Scope};
use capcheck::reference::{Fault, Named as _};

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_of_each_requirement_between_homeservers_is_killed_as_named() {
    let mut broken = BTreeSet::new();
    let between_servers = Fault::all().filter(|fault| fault.is_between_servers());
    let faults: Vec<Fault> = between_servers.filter(|fault| broken.insert(fault.breaks()[0])).collect();
    let (tried, seed) = (faults.len(), 1);
    let scope = Scope { faults, seed, jobs: 4, ..Scope::default() };
    let proof = run::prove(scope, |_| {}, std::future::pending()).await.unwrap();
    assert_eq!(proof.faults.len(), tried);
    assert_eq!(proof.findings(), []);
}

/// Whoever stops waiting has what was tried so far, and the trials end with them.
#[tokio::test]
async fn a_proof_that_is_interrupted_keeps_what_it_has() {
    let scope = Scope { faults: vec![Fault::HashPadded, Fault::HashHex], jobs: 1, ..Scope::default() };
    let (first, ended) = tokio::sync::oneshot::channel();
    let mut first = Some(first);
    let tell = |_: &run::Done| {
        if let Some(first) = first.take() {
            let _ = first.send(());
        }
    };
    let proof = run::prove(scope, tell, async { drop(ended.await) }).await.unwrap();
    assert!(proof.interrupted);
    assert_eq!(proof.faults.len(), 1);
}
