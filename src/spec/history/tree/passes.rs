//! The passes that offer smaller histories, coarse ones first.
//!
//! What they offer need not be possible: whoever asks repairs it. Candidates are counted from the end of the
//! history, so that what is taken away does not change which comes next.

use std::collections::{BTreeMap, BTreeSet};

use super::json::smaller_object;
use super::measure::simpler;
use crate::spec::canonical::Object;
use crate::spec::capability::CapabilitySet;
use crate::spec::history::parts::{Part, names, parts};
use crate::spec::history::{Act, History, Seat, Step};

/// What a pass has to offer.
pub(super) enum Offer {
    /// A history that may be smaller.
    Candidate(History),
    /// Nothing at this place, but there are others.
    Nothing,
    /// Nothing any more.
    End,
}

/// What becomes of the last step of the history, which is most often the one that fails.
pub(super) enum End {
    /// A candidate without it is none.
    Kept,
    /// The same, if it is known that it fails.
    KeptIfItFails,
    /// The pass may change it.
    Free,
}

/// One way of making histories smaller.
pub(super) struct Pass {
    /// What is offered after so many were turned down.
    pub(super) offer: fn(&History, usize) -> Offer,
    /// What becomes of the last step.
    pub(super) end: End,
}

/// All passes, in the order in which they are made.
pub(super) const PASSES: &[Pass] = &[
    Pass { offer: the_last_step_and_what_it_needs, end: End::Kept },
    Pass { offer: without_a_user, end: End::Kept },
    Pass { offer: without_a_device, end: End::Kept },
    Pass { offer: without_a_chunk::<2>, end: End::Kept },
    Pass { offer: without_a_chunk::<4>, end: End::Kept },
    Pass { offer: without_a_chunk::<8>, end: End::Kept },
    Pass { offer: without_a_chunk::<16>, end: End::Kept },
    Pass { offer: without_a_step, end: End::KeptIfItFails },
    Pass { offer: one_after_the_other, end: End::Free },
    Pass { offer: without_a_lane, end: End::Free },
    Pass { offer: without_an_act_of_a_lane, end: End::Free },
    Pass { offer: with_one_session_for_another, end: End::Free },
    Pass { offer: with_a_simpler_act, end: End::Free },
    Pass { offer: with_one_set_for_another, end: End::Free },
    Pass { offer: without_names, end: End::Free },
    Pass { offer: with_a_smaller_set, end: End::Free },
    Pass { offer: without_parameters, end: End::Free },
    Pass { offer: with_smaller_parameters, end: End::Free },
    Pass { offer: with_plain_names, end: End::Free },
];

/// The same sets and other steps.
fn with_steps(history: &History, steps: Vec<Step>) -> Offer {
    Offer::Candidate(History { sets: history.sets.clone(), steps })
}

/// Those acts alone that are kept; the last step is kept whole.
fn filtered(history: &History, mut keep: impl FnMut(&Act) -> bool) -> Offer {
    let Some((last, others)) = history.steps.split_last() else { return Offer::End };
    let mut steps = Vec::new();
    for step in others {
        match step {
            Step::One(act) => steps.extend(keep(act).then(|| step.clone())),
            Step::AtOnce(lanes) => {
                let lane = |lane: &Vec<Act>| lane.iter().filter(|act| keep(act)).cloned().collect();
                steps.push(Step::AtOnce(lanes.iter().map(lane).collect()));
            }
        }
    }
    steps.push(last.clone());
    with_steps(history, steps)
}

/// Who is there, here or elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Person {
    Here(usize),
    Elsewhere(usize),
}

fn people<'a>(acts: impl IntoIterator<Item = &'a Act>) -> BTreeSet<Person> {
    let mut people = BTreeSet::new();
    for act in acts {
        parts(&mut act.clone(), &mut |part| {
            people.extend(match part {
                Part::User(user) => Some(Person::Here(*user)),
                Part::Seat(seat) => Some(Person::Here(seat.user)),
                Part::Remote(remote) => Some(Person::Elsewhere(*remote)),
                Part::Device(..) | Part::Set(_) => None,
            });
        });
    }
    people
}

fn last_acts(history: &History) -> impl Iterator<Item = &Act> {
    let (one, lanes): (&[Act], &[Vec<Act>]) = match history.steps.last() {
        None => (&[], &[]),
        Some(Step::One(act)) => (std::slice::from_ref(act), &[]),
        Some(Step::AtOnce(lanes)) => (&[], lanes),
    };
    one.iter().chain(lanes.iter().flatten())
}

/// Without those whom the last step does not name, and without looking before it; then without the ones alone,
/// and without the other alone.
fn the_last_step_and_what_it_needs(history: &History, at: usize) -> Offer {
    let named = people(last_acts(history));
    let concerned = |act: &Act| people([act]).is_subset(&named);
    match at {
        0 => filtered(history, |act| concerned(act) && !act.is_look()),
        1 => filtered(history, concerned),
        2 => filtered(history, |act| !act.is_look()),
        _ => Offer::End,
    }
}

fn without_a_user(history: &History, at: usize) -> Offer {
    let person = people(history.acts()).into_iter().rev().nth(at);
    person.map_or(Offer::End, |person| filtered(history, |act| !people([act]).contains(&person)))
}

/// Whether an act has to do with a session; a signing-up has to do with all of its user's.
fn is_about(act: &Act, seat: Seat) -> bool {
    names(act, |part| match part {
        Part::Seat(named) => *named == seat,
        Part::Device(user, device) => seat == Seat { user, device: *device },
        Part::User(_) | Part::Set(_) | Part::Remote(_) => false,
    })
}

fn without_a_device(history: &History, at: usize) -> Offer {
    let opened: BTreeSet<Seat> = history.acts().filter_map(Act::opens).collect();
    let seat = opened.into_iter().rev().nth(at);
    seat.map_or(Offer::End, |seat| filtered(history, |act| !is_about(act, seat)))
}

/// With one session doing what a later one does, of the same user or of an earlier one, and nobody making that.
fn with_one_session_for_another(history: &History, at: usize) -> Offer {
    let opened: Vec<Seat> =
        history.acts().filter_map(Act::opens).collect::<BTreeSet<_>>().into_iter().collect();
    let pairs = (0..opened.len()).rev().flat_map(|later| (0..later).map(move |one| (one, later)));
    let Some((one, later)) = pairs.into_iter().nth(at) else { return Offer::End };
    let (one, later) = (opened[one], opened[later]);
    let mut changed = history.clone();
    for act in changed.steps.iter_mut().flat_map(Step::acts_mut) {
        parts(act, &mut |part| match part {
            Part::Seat(seat) if *seat == later => *seat = one,
            Part::User(user) if one.user != later.user && *user == later.user => *user = one.user,
            _ => {}
        });
    }
    let makes = |step: &Step| matches!(step, Step::One(act) if act.opens() == Some(later));
    changed.steps.retain(|step| !makes(step));
    Offer::Candidate(changed)
}

/// Without so many steps in a row, the last one excepted.
fn without_a_chunk<const PARTS: usize>(history: &History, at: usize) -> Offer {
    let Some((last, others)) = history.steps.split_last() else { return Offer::End };
    let size = others.len().div_ceil(PARTS);
    let end = others.len().saturating_sub(at * size);
    if size < 2 || end == 0 {
        return Offer::End;
    }
    let kept = [&others[..end.saturating_sub(size)], &others[end..], std::slice::from_ref(last)];
    with_steps(history, kept.concat())
}

fn without_a_step(history: &History, at: usize) -> Offer {
    let Some(gone) = history.steps.len().checked_sub(at + 1) else { return Offer::End };
    let mut steps = history.steps.clone();
    steps.remove(gone);
    with_steps(history, steps)
}

/// The steps of acts at once, with their places, from the end.
fn races(history: &History) -> impl Iterator<Item = (usize, &Vec<Vec<Act>>)> {
    history.steps.iter().enumerate().rev().filter_map(|(place, step)| match step {
        Step::AtOnce(lanes) => Some((place, lanes)),
        Step::One(_) => None,
    })
}

fn with_step(history: &History, place: usize, instead: impl IntoIterator<Item = Step>) -> Offer {
    let mut steps = history.steps.clone();
    steps.splice(place..=place, instead);
    with_steps(history, steps)
}

/// A step of acts at once as a sequence, lane by lane, forwards or backwards.
fn one_after_the_other(history: &History, at: usize) -> Offer {
    let Some((place, lanes)) = races(history).nth(at / 2) else { return Offer::End };
    let mut lanes = lanes.clone();
    if at % 2 == 1 {
        lanes.reverse();
    }
    with_step(history, place, lanes.into_iter().flatten().map(Step::One))
}

fn without_a_lane(history: &History, at: usize) -> Offer {
    let places =
        races(history).flat_map(|(place, lanes)| (0..lanes.len()).rev().map(move |n| (place, lanes, n)));
    let Some((place, lanes, gone)) = places.into_iter().nth(at) else { return Offer::End };
    let mut lanes = lanes.clone();
    lanes.remove(gone);
    with_step(history, place, [Step::AtOnce(lanes)])
}

fn without_an_act_of_a_lane(history: &History, at: usize) -> Offer {
    let places = races(history).flat_map(|(place, lanes)| {
        let acts = move |n: usize| (0..lanes[n].len()).rev().map(move |act| (place, lanes, n, act));
        (0..lanes.len()).rev().flat_map(acts)
    });
    let Some((place, lanes, lane, gone)) = places.into_iter().nth(at) else { return Offer::End };
    let mut lanes = lanes.clone();
    lanes[lane].remove(gone);
    with_step(history, place, [Step::AtOnce(lanes)])
}

fn with_a_simpler_act(history: &History, at: usize) -> Offer {
    let mut changed = history.clone();
    let Some(place) = history.len().checked_sub(at + 1) else { return Offer::End };
    let Some(act) = changed.steps.iter_mut().flat_map(Step::acts_mut).nth(place) else { return Offer::End };
    let Some(simple) = simpler(act) else { return Offer::Nothing };
    *act = simple;
    Offer::Candidate(changed)
}

/// With one set in place of a later one.
fn with_one_set_for_another(history: &History, at: usize) -> Offer {
    let count = history.sets.len();
    let pairs = (0..count).rev().flat_map(|later| (0..later).map(move |one| (one, later)));
    let Some((one, later)) = pairs.into_iter().nth(at) else { return Offer::End };
    let mut changed = history.clone();
    changed.sets[later] = changed.sets[one].clone();
    Offer::Candidate(changed)
}

/// All names, and their parameters.
fn all_names(history: &History) -> BTreeMap<&str, &Object> {
    history.sets.iter().flat_map(|set| set.names().filter_map(|name| Some((name, set.get(name)?)))).collect()
}

/// Every set anew, name by name.
fn with_names(history: &History, mut change: impl FnMut(&str, &Object) -> Option<(String, Object)>) -> Offer {
    let mut set = |set: &CapabilitySet| {
        set.names().filter_map(|name| change(name, set.get(name)?)).collect::<CapabilitySet>()
    };
    Offer::Candidate(History {
        sets: history.sets.iter().map(&mut set).collect(),
        steps: history.steps.clone(),
    })
}

/// Without half of the names, or without one, wherever they occur.
fn without_names(history: &History, at: usize) -> Offer {
    let all: Vec<&str> = all_names(history).into_keys().collect();
    let (front, back) = all.split_at(all.len() / 2);
    let gone = match at {
        0 => back,
        1 => front,
        _ => match all.len().checked_sub(at - 1) {
            Some(place) => &all[place..=place],
            None => return Offer::End,
        },
    };
    with_names(history, |name, parameters| {
        (!gone.contains(&name)).then(|| (name.to_owned(), parameters.clone()))
    })
}

/// With a set that has a name less.
fn with_a_smaller_set(history: &History, at: usize) -> Offer {
    let places = history.sets.iter().enumerate().flat_map(|(i, set)| set.names().map(move |name| (i, name)));
    let places: Vec<(usize, &str)> = places.collect();
    let Some((i, gone)) = places.len().checked_sub(at + 1).map(|place| places[place]) else {
        return Offer::End;
    };
    let mut changed = history.clone();
    let set = &history.sets[i];
    let kept = set.names().filter(|name| *name != gone);
    changed.sets[i] = kept.filter_map(|name| Some((name.to_owned(), set.get(name)?.clone()))).collect();
    Offer::Candidate(changed)
}

/// Without any parameters, or without those of one name.
fn without_parameters(history: &History, at: usize) -> Offer {
    let all: Vec<&str> = all_names(history).into_keys().collect();
    let bare = match at.checked_sub(1) {
        None => &all[..],
        Some(place) if place < all.len() => &all[place..=place],
        Some(_) => return Offer::End,
    };
    with_names(history, |name, parameters| {
        let kept = if bare.contains(&name) { Object::new() } else { parameters.clone() };
        Some((name.to_owned(), kept))
    })
}

/// With less in the parameters of a name.
fn with_smaller_parameters(history: &History, at: usize) -> Offer {
    let mut left = at;
    for (name, parameters) in all_names(history) {
        let all = smaller_object(parameters);
        if let Some(less) = all.get(left) {
            return with_names(history, |other, same| {
                Some((other.to_owned(), if other == name { less.clone() } else { same.clone() }))
            });
        }
        left -= all.len();
    }
    Offer::End
}

/// With letters for all names, or for one.
fn with_plain_names(history: &History, at: usize) -> Offer {
    let all: Vec<&str> = all_names(history).into_keys().collect();
    let free = ('a'..='z').map(String::from).filter(|letter| !all.contains(&letter.as_str()));
    let plain: BTreeMap<&str, String> = match at.checked_sub(1) {
        None => all.iter().copied().zip(('a'..='z').map(String::from)).collect(),
        Some(place) if place < all.len() => all[place..=place].iter().copied().zip(free).collect(),
        Some(_) => return Offer::End,
    };
    if at == 0 && plain.len() < all.len() {
        return Offer::Nothing;
    }
    with_names(history, |name, parameters| {
        let name = plain.get(name).cloned().unwrap_or_else(|| name.to_owned());
        Some((name, parameters.clone()))
    })
}
