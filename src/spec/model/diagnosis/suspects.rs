//! Known mistakes with the union and with presence, and what each would show.

use crate::spec::capability::CapabilitySet;
use crate::spec::history::words;
use crate::spec::model::trail::{DeviceTrail, End, Ghost, Last};
use crate::spec::model::{Answer, Presence, presence};

use super::slips::mistaken;
use super::{Case, Guess, Way};

/// A mistake, as what it would show.
type Suspect = fn(&Case<'_>) -> Vec<Guess>;

/// How many ended sessions are suspected together, the latest first.
const GHOSTS: usize = 5;

/// The suspects where the union may be wrong: shoulds first, then what is particular before what is general.
const OF_UNION: &[Suspect] = &[
    mistaken,
    undeclared,
    lost_by_status,
    forged_last,
    replaced_by_login,
    revived_by_login,
    ended,
    redeclared,
    shared_names,
    elsewhere,
    withdrawn_elsewhere,
    parts,
    forged,
    stale,
];

/// The suspects where it was told wrongly.
const OF_TELLING: &[Suspect] = &[
    lost_by_status,
    forged_last,
    stale,
    forged,
    replaced_by_login,
    revived_by_login,
    ended,
    redeclared,
    mistaken,
    shared_names,
    elsewhere,
    withdrawn_elsewhere,
    parts,
];

pub(super) fn of(way: Way) -> &'static [Suspect] {
    if way == Way::Sync { OF_TELLING } else { OF_UNION }
}

fn guess(requirement: &'static str, value: Presence, words: String) -> Guess {
    Guess { requirement, value, words }
}

/// What is known of the sessions that live.
fn devices<'c>(case: &'c Case<'_>) -> impl Iterator<Item = (usize, &'c DeviceTrail)> {
    case.trail.devices.iter().enumerate()
}

/// Protocol 9.1: a session that has declared nothing should add nothing, and take nothing away.
fn undeclared(case: &Case<'_>) -> Vec<Guess> {
    let held_back = |device: usize| {
        let words = format!("as if {}, which has declared nothing, held the union back", case.seat(device));
        guess("union.undeclared", Presence::Nothing, words)
    };
    case.undeclared().next().map(held_back).into_iter().collect()
}

/// Protocol 10.4: setting presence does not lose the hash.
fn lost_by_status(case: &Case<'_>) -> Vec<Guess> {
    let lost = || {
        let words = format!("as if {} had lost the hash by setting presence", words::user(case.user));
        guess("presence.survives-status", Presence::Nothing, words)
    };
    (case.trail.last == Last::Status).then(lost).into_iter().collect()
}

fn forged_last(case: &Case<'_>) -> Vec<Guess> {
    if case.trail.last == Last::Status { forged(case) } else { Vec::new() }
}

/// Protocol 10.4: a client cannot set the hash.
fn forged(case: &Case<'_>) -> Vec<Guess> {
    let owner = words::user(case.user);
    let blame = |set: &usize| {
        let words = format!("as if {owner}'s client could write the hash of {}", words::set(*set));
        guess("presence.not-writable", case.union([*set]), words)
    };
    case.trail.forged.iter().map(blame).collect()
}

/// Protocol 9.1: a new login on the same device starts undeclared.
fn replaced_by_login(case: &Case<'_>) -> Vec<Guess> {
    ghosts(case, |ghost| ghost.end == End::LoggedInAgain, "union.relogin")
}

/// The same on a device whose session had ended before.
fn revived_by_login(case: &Case<'_>) -> Vec<Guess> {
    let began = |ghost: &Ghost| case.trail.last == Last::Began && case.model.is_live(case.seat(ghost.device));
    ghosts(case, began, "union.relogin")
}

/// Protocol 9.2: when a session ends its set is withdrawn, and with the last one the hash.
fn ended(case: &Case<'_>) -> Vec<Guess> {
    let is_last = case.declared.is_empty();
    ghosts(case, |_| true, if is_last { "presence.last-leaves" } else { "union.leave" })
}

/// What is seen if sets of ended sessions still count: one of them, some, or all.
fn ghosts(case: &Case<'_>, which: impl Fn(&Ghost) -> bool, requirement: &'static str) -> Vec<Guess> {
    let ghosts = case.trail.ghosts.iter().rev().filter(|ghost| which(ghost));
    let ghosts: Vec<&Ghost> = ghosts.take(GHOSTS).collect();
    let blame = |some: Vec<&&Ghost>| {
        let words: Vec<String> = some.iter().map(|ghost| lives(case, ghost)).collect();
        let value = case.union(case.live().chain(some.iter().map(|ghost| ghost.set)));
        guess(requirement, value, format!("as if {}", words.join(" and ")))
    };
    subsets(&ghosts).map(blame).collect()
}

/// Some of these, but not none: few before many.
pub(super) fn subsets<T>(of: &[T]) -> impl Iterator<Item = Vec<&T>> {
    let mut masks: Vec<u32> = (1..1 << of.len()).collect();
    masks.sort_by_key(|mask| mask.count_ones());
    let some = |mask: u32| of.iter().enumerate().filter(move |(nth, _)| mask >> nth & 1 == 1);
    masks.into_iter().map(move |mask| some(mask).map(|(_, one)| one).collect())
}

fn lives(case: &Case<'_>, ghost: &Ghost) -> String {
    let seat = case.seat(ghost.device);
    match ghost.end {
        End::LoggedOut | End::LoggedOutEverywhere => format!("{seat} had not logged out"),
        End::Deleted => format!("{seat} had not been deleted"),
        End::LoggedInAgain => format!("the session that {seat} had before its new login still lived"),
    }
}

/// Protocol 9.2: a session's new set replaces its old one, be it `{}`.
fn redeclared(case: &Case<'_>) -> Vec<Guess> {
    let each = |(device, trail): (usize, &DeviceTrail)| -> Vec<Guess> {
        let now = case.declared.iter().find(|(other, _)| *other == device).map(|(_, set)| *set);
        let is_empty = now.is_some_and(|set| case.is_empty(set));
        let requirement = if is_empty { "union.empty-set" } else { "union.redeclare-replaces" };
        let words = |old| format!("as if {} still had {}", case.seat(device), words::set(old));
        let values = |old: usize| [(case.instead(device, Some(old)), old), (case.with(old), old)];
        let old = trail.replaced.iter().rev().copied().flat_map(values);
        let all = || case.union(case.live().chain(trail.replaced.iter().copied()));
        let all = trail.replaced.last().map(|last| (all(), *last));
        old.chain(all).map(|(value, old)| guess(requirement, value, words(old))).collect()
    };
    devices(case).flat_map(each).collect()
}

/// Protocol 9.2: a name that several sessions have stays when one of them leaves.
fn shared_names(case: &Case<'_>) -> Vec<Guess> {
    let union = CapabilitySet::union(case.live().filter_map(|set| case.set(set)));
    let gone = case.trail.ghosts.iter().map(|ghost| (ghost.device, ghost.set));
    let old = devices(case).flat_map(|(device, trail)| trail.replaced.iter().map(move |set| (device, *set)));
    let blame = |(device, set): (usize, usize)| {
        let taken = case.set(set)?;
        let left = union.names().filter(|name| !taken.contains(name));
        let left: CapabilitySet =
            left.filter_map(|name| Some((name.to_owned(), union.get(name)?.clone()))).collect();
        let words =
            format!("as if {} had taken names along that another session still has", case.seat(device));
        Some(guess("union.idempotent", Presence::Union(left.hash()), words))
    };
    gone.chain(old).filter_map(blame).collect()
}

/// Protocol 9.2: nobody else's sessions count.
fn elsewhere(case: &Case<'_>) -> Vec<Guess> {
    let others = (0..case.model.users.len()).filter(|other| *other != case.user);
    let each = |other: usize| -> Vec<Guess> {
        let declared: Vec<usize> = case.model.declared(other).map(|(_, set)| set).collect();
        let Some(trail) = case.model.trail.of(other) else { return Vec::new() };
        let once = trail.ghosts.iter().map(|ghost| ghost.set);
        let mut values: Vec<Presence> =
            declared.iter().copied().chain(once).map(|set| case.with(set)).collect();
        if !declared.is_empty() {
            values.push(case.union(case.live().chain(declared.iter().copied())));
            values.push(case.union(declared));
        }
        let words = format!("as if {} were a client of {}", words::user(other), words::user(case.user));
        values.into_iter().map(|value| guess("union.per-user", value, words.clone())).collect()
    };
    others.flat_map(each).collect()
}

/// Protocol 9.2: not even one with the same device ID, when that ends.
fn withdrawn_elsewhere(case: &Case<'_>) -> Vec<Guess> {
    let others = (0..case.model.users.len()).filter(|other| *other != case.user);
    let ended = others.filter_map(|other| {
        let trail = case.model.trail.of(other)?;
        let ghost = trail.ghosts.last().filter(|_| trail.last.is_end() && !case.trail.last.is_end())?;
        let value = case.instead(ghost.device, None);
        let is_here = case.declared.iter().any(|(device, _)| *device == ghost.device);
        let words = format!(
            "as if {} had ended with {}'s session on the device of the same name",
            case.seat(ghost.device),
            words::user(other)
        );
        is_here.then(|| guess("union.per-user", value, words))
    });
    ended.collect()
}

/// Protocol 9.2: every session counts, also when another one ends; and `{}` is a set.
fn parts(case: &Case<'_>) -> Vec<Guess> {
    let all = 1u32 << case.declared.len();
    let mut masks: Vec<u32> = (0..all.saturating_sub(1)).collect();
    masks.sort_by_key(|mask| std::cmp::Reverse(mask.count_ones()));
    masks.into_iter().filter_map(|mask| part(case, mask)).collect()
}

/// What is seen if those sessions alone count whose bits are set.
fn part(case: &Case<'_>, mask: u32) -> Option<Guess> {
    let (counted, missed): (Vec<_>, Vec<_>) =
        case.declared.iter().enumerate().partition(|(nth, _)| mask >> nth & 1 == 1);
    let sets = || counted.iter().map(|(_, (_, set))| *set);
    let requirement = if sets().all(|set| case.is_empty(set)) && case.live().any(|set| case.is_empty(set)) {
        "union.empty-set"
    } else {
        match case.trail.last {
            Last::Ended => "union.leave",
            Last::Began if !case.trail.ghosts.is_empty() => "union.relogin",
            _ if counted.is_empty() => return None,
            _ => "union.of-all",
        }
    };
    let seats: Vec<String> = missed.iter().map(|(_, (device, _))| case.seat(*device).to_string()).collect();
    Some(guess(requirement, case.union(sets()), format!("as if {} did not count", seats.join(" and "))))
}

/// Protocol 10.2 and 10.3: what was in force before is told no longer.
fn stale(case: &Case<'_>) -> Vec<Guess> {
    let requirement = match case.way {
        _ if case.in_force == Presence::Nothing => "presence.last-leaves",
        Way::Sync => "presence.change",
        _ => "presence.status",
    };
    let owner = words::user(case.user);
    // That there was none before the first is no news that could be stale.
    let past = case.trail.past.iter().skip(1).rev();
    let told = past.filter(|old| old.is_some() || *case.answer == Answer::NoHash);
    told.map(|old| {
        let words = match old {
            Some(_) => format!("as if nothing had changed since: {owner} had this hash before"),
            None => format!("as if nothing had changed since: {owner} had no hash before"),
        };
        guess(requirement, presence(old.as_ref()), words)
    })
    .collect()
}
