//! The properties on the built-in homeserver: what they check, and what becomes of what they find.

#![expect(clippy::unwrap_used, reason = "in a test a panic is a failure")]

use std::collections::BTreeSet;
use std::time::Duration;

use capcheck::built_in;
use capcheck::engine::Prepared;
use capcheck::properties::search::{Budget, search};
use capcheck::properties::{self};
use capcheck::reference;

/// Everything is drawn that a homeserver with everything can perform, and nothing fails.
#[tokio::test(flavor = "multi_thread")]
async fn what_histories_check_is_what_their_property_covers() {
    let (mut target, server) = built_in::start(reference::Options::default()).await.unwrap();
    target.limits.settle = Duration::from_secs(2);
    let prepared = Prepared::new(target, None, 0, "props").await.unwrap();
    for property in properties::all() {
        let budget = Budget { cases: 60, time: Duration::from_secs(600) };
        let began = std::time::Instant::now();
        let searched = search(&prepared.theatre(BTreeSet::new()), property, 1, budget, 4, &mut |_| ()).await;
        eprintln!(
            "{} {} cases {} acts in {:?}; stop {:?}\n  checked {:?}",
            property.id,
            searched.cases,
            searched.acts,
            began.elapsed(),
            searched.stop,
            searched.checked
        );
        if let Some((failure, _)) = &searched.failure {
            eprintln!(
                "  FAILED {} expected {} actual {}; confirmed {:?}, shrunk in {}",
                failure.requirement, failure.expected, failure.actual, failure.confirmed, failure.shrunk_in
            );
            for step in &failure.history.steps {
                eprintln!("    {step}");
            }
        }
    }
    prepared.end().await;
    server.stop().await;
}
