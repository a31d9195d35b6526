//! The server's conduct, requirement by requirement, over HTTP without a network: the honest
//! server does all of it, and every fault breaks all that it names.
//!
//! This is not the suite, which must not know this server: it keeps the table of faults
//! true by itself, so that a fault that survives the suite is the suite's gap.

mod across;
mod between_servers;
mod declaring;
mod freedoms;
mod histories;
mod lookups;
mod neighbours;
mod offers;
mod requests;
mod site;
mod telling;

use std::collections::BTreeSet;

use self::across::{presence_in, presence_out, presence_spoof};
use self::declaring::{declarations, departures, large_unions, sizes, unions, uploads};
use self::lookups::{failed_lookups, lookups};
use self::offers::{auth, hashes, offers};
use self::site::Site;
use self::telling::{presence, resolutions};
use super::{Fault, FaultSet, Named as _};

/// What was found wrong in some areas, as requirement and check.
async fn conduct(faults: FaultSet, areas: &BTreeSet<&str>) -> Vec<(&'static str, String)> {
    let site = Site::new(faults);
    // A user who exists before all others: some faults take whoever was first.
    site.user("granted-first");
    for area in areas {
        match *area {
            "hash" => hashes(&site).await,
            "auth" => auth(&site).await,
            "server" | "gating" => offers(&site, area).await,
            "upload" => {
                declarations(&site).await;
                uploads(&site).await;
            }
            "sizes" => sizes(&site).await,
            "union" => unions(&site).await,
            "large unions" => large_unions(&site).await,
            "presence" => {
                departures(&site, "presence").await;
                presence(&site).await;
            }
            "resolve" => resolutions(&site).await,
            "federation.presence-out" => presence_out(&site).await,
            "federation.presence-in" => presence_in(&site).await,
            "federation.presence-spoof" => presence_spoof(&site).await,
            "federation" => {
                requests::offers(&site).await;
                requests::header_forms(&site).await;
                requests::resolutions(&site).await;
            }
            "signatures" => requests::signatures(&site).await,
            "lookups" => lookups(&site).await,
            "failed lookups" => failed_lookups(&site).await,
            other => panic!("no checks for {other}"),
        }
    }
    let found = site.found.take();
    found
        .into_iter()
        .filter(|(_, _, holds)| !holds)
        .map(|(requirement, what, _)| (requirement, what))
        .collect()
}

/// The checks among which a requirement's are; those that move much have areas of their own.
fn area(requirement: &str) -> &str {
    match requirement {
        "union.resolvable-large" => "large unions",
        "upload.malformed-hash" | "resolve.malformed-hash" => "server",
        "federation.signed" | "federation.signed-401" => "signatures",
        "federation.lookup-failure" | "federation.lookup-failure-status" => "failed lookups",
        "federation.lookup" | "federation.lookup-verified" => "lookups",
        "federation.lookup-cached" | "federation.lookup-private" => "lookups",
        "upload.size-accepted" | "upload.too-large" | "upload.too-large-harmless" => "sizes",
        _ if requirement.starts_with("federation.presence-") => requirement,
        _ => requirement.split('.').next().unwrap_or_default(),
    }
}

#[tokio::test]
async fn the_honest_server_does_all_that_it_must() {
    let areas = Fault::all().flat_map(Fault::breaks).map(|requirement| area(requirement)).collect();
    assert_eq!(conduct(FaultSet::NONE, &areas).await, []);
}

#[test]
fn every_fault_breaks_all_that_it_names() {
    let faults: Vec<Fault> = Fault::all().collect();
    // Lookups that fail are waited for: more workers than processors have something to do.
    let workers = 4 * std::thread::available_parallelism().map_or(1, usize::from);
    let survived: Vec<String> = std::thread::scope(|scope| {
        let shares: Vec<_> = (0..workers)
            .map(|worker| faults.iter().skip(worker).step_by(workers).copied())
            .map(|share| scope.spawn(move || share.filter_map(survival).collect::<Vec<_>>()))
            .collect();
        shares.into_iter().flat_map(|share| share.join().unwrap()).collect()
    });
    assert_eq!(survived, Vec::<String>::new());
}

/// What a fault names and does not break.
fn survival(fault: Fault) -> Option<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let areas = fault.breaks().iter().map(|requirement| area(requirement)).collect();
    let broken = runtime.block_on(conduct([fault].into_iter().collect(), &areas));
    let broken: BTreeSet<&str> = broken.iter().map(|(requirement, _)| *requirement).collect();
    let missing: Vec<_> = fault.breaks().iter().filter(|id| !broken.contains(*id)).collect();
    (!missing.is_empty()).then(|| format!("{fault} does not break {missing:?}"))
}
