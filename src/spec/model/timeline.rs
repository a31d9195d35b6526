//! What was in force when: for reads that may be late (protocol 8.2).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::spec::history::{REMOTES, USERS, Whom};

use super::{Model, Presence};

/// What presence may have carried of everybody, from when to when; times count from when the history began.
///
/// An act takes effect somewhere between its begin and its end, so that the value before it may have been in
/// force until it ended, and the one after it since it began.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    spans: BTreeMap<Whom, Vec<Span>>,
    sharing: BTreeSet<(Whom, Whom)>,
    /// Until when it was not settled who sees whom.
    parted: BTreeMap<(Whom, Whom), Duration>,
    /// When the last step ended that may have changed somebody's value in one of the worlds.
    changed: BTreeMap<Whom, Duration>,
}

/// How long a value may have been in force.
#[derive(Clone, Debug)]
struct Span {
    value: Presence,
    from: Duration,
    /// When the act that ended it was answered, if one has.
    until: Option<Duration>,
}

impl Timeline {
    /// The timeline of users who may have shared rooms until now, so that what they see of each other may
    /// take its time to end.
    pub fn of_the_acquainted() -> Self {
        let all = || (0..USERS).map(Whom::User).chain((0..REMOTES).map(Whom::Remote));
        let pairs = all().flat_map(|viewer| all().map(move |of| (viewer, of)));
        Self { parted: pairs.map(|pair| (pair, Duration::ZERO)).collect(), ..Self::default() }
    }

    /// Acts that began and ended then have made the homeserver one of these; what may be seen while the
    /// last act settles comes for a moment.
    pub fn follow(&mut self, worlds: &[Model], began: Duration, ended: Duration) {
        let users = (0..USERS).map(Whom::User);
        for of in users.chain((0..REMOTES).map(Whom::Remote)) {
            let now: BTreeSet<Presence> = worlds.iter().map(|world| world.carried(of)).collect();
            let spans = self.spans.entry(of).or_insert_with(|| vec![Span::first()]);
            let open = spans.iter().filter(|span| span.until.is_none()).map(|span| span.value.clone());
            // Where worlds differ, one of them may have come to what another one had.
            if now.len() > 1 || open.collect::<BTreeSet<_>>() != now {
                self.changed.insert(of, ended);
            }
            for span in spans.iter_mut().filter(|span| span.until.is_none() && !now.contains(&span.value)) {
                span.until = Some(ended);
            }
            for value in now {
                if !spans.iter().any(|span| span.until.is_none() && span.value == value) {
                    spans.push(Span { value, from: began, until: None });
                }
            }
            if let Whom::User(user) = of {
                let passing = worlds.iter().flat_map(|world| world.recently(user)).map(|value| (of, value));
                self.pass(passing.collect::<Vec<_>>(), began, ended);
            }
        }
        self.follow_sharing(worlds, ended);
    }

    fn follow_sharing(&mut self, worlds: &[Model], ended: Duration) {
        let sharing: BTreeSet<_> = worlds.iter().flat_map(|world| world.sharing.iter().copied()).collect();
        let differ = |pair: &&(Whom, Whom)| worlds.iter().any(|world| !world.sharing.contains(pair));
        let changed = sharing.symmetric_difference(&self.sharing).chain(sharing.iter().filter(differ));
        for pair in changed {
            self.parted.insert(*pair, ended);
        }
        self.sharing = sharing;
    }

    /// These values came and went meanwhile.
    pub fn pass(
        &mut self,
        passing: impl IntoIterator<Item = (Whom, Presence)>,
        began: Duration,
        ended: Duration,
    ) {
        for (of, value) in passing {
            let spans = self.spans.entry(of).or_insert_with(|| vec![Span::first()]);
            spans.push(Span { value, from: began, until: Some(ended) });
        }
    }

    /// What may have been in force of somebody at any time since then.
    pub fn allowed(&self, of: Whom, since: Duration) -> BTreeSet<Presence> {
        let Some(spans) = self.spans.get(&of) else { return BTreeSet::from([Presence::Nothing]) };
        let lasted = |span: &&Span| span.until.is_none_or(|until| until >= since);
        spans.iter().filter(lasted).map(|span| span.value.clone()).collect()
    }

    /// The same if the homeserver is this one of the worlds: what only others carry now ended when the last
    /// step did that changed it.
    pub fn allowed_in(&self, world: &Model, of: Whom, since: Duration) -> BTreeSet<Presence> {
        let carried = world.carried(of);
        let Some(spans) = self.spans.get(&of) else { return BTreeSet::from([Presence::Nothing, carried]) };
        let changed = self.changed(of);
        let until =
            |span: &Span| if span.value == carried { span.until } else { span.until.or(Some(changed)) };
        let lasted = |span: &&Span| until(span).is_none_or(|until| until >= since);
        spans.iter().filter(lasted).map(|span| span.value.clone()).collect()
    }

    /// When the last step ended that may have changed somebody's value.
    pub fn changed(&self, of: Whom) -> Duration {
        self.changed.get(&of).copied().unwrap_or_default()
    }

    /// Only these of the worlds are left: what none of them carries ended with the last change.
    pub fn narrow(&mut self, worlds: &[Model]) {
        for (of, spans) in &mut self.spans {
            let changed = self.changed.get(of).copied().unwrap_or_default();
            let is_carried = |span: &Span| worlds.iter().any(|world| world.carried(*of) == span.value);
            for span in spans.iter_mut().filter(|span| span.until.is_none() && !is_carried(span)) {
                span.until = Some(changed);
            }
        }
    }

    /// What was in force of somebody at some time since then, and is no longer.
    pub fn lately(&self, of: Whom, since: Duration) -> BTreeSet<Presence> {
        let spans = self.spans.get(&of).into_iter().flatten();
        let ended = spans.filter(|span| span.until.is_some_and(|until| until >= since));
        ended.map(|span| span.value.clone()).collect()
    }

    /// Since when somebody's value has been what it is: from then on it may be seen, and `settle_s` later it must.
    pub fn since(&self, of: Whom) -> Duration {
        let spans = self.spans.get(&of).into_iter().flatten();
        spans.filter(|span| span.until.is_none()).map(|span| span.from).max().unwrap_or_default()
    }

    /// Whether two have begun or ceased to share a room since then.
    pub fn is_unsettled(&self, viewer: Whom, of: Whom, since: Duration) -> bool {
        self.parted.get(&(viewer, of)).is_some_and(|changed| *changed >= since)
    }
}

impl Span {
    /// Nobody has declared anything before the history begins.
    fn first() -> Self {
        Self { value: Presence::Nothing, from: Duration::ZERO, until: None }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{alice, answered, sharers};
    use super::*;
    use crate::spec::history::Act;
    use crate::spec::model::Answer;

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_value_is_allowed_from_the_begin_of_its_act_until_the_next_one_has_settled() {
        let (mut model, mut timeline) = (sharers(), Timeline::default());
        let of = Whom::User(0);
        timeline.follow(&[model.clone()], at(0), at(1));
        answered(&mut model, Act::Upload { by: alice(0), set: 0 }, &Answer::Accepted);
        answered(&mut model, Act::Declare { by: alice(0), set: 0 }, &Answer::Accepted);
        timeline.follow(&[model.clone()], at(10), at(20));
        let a = model.in_force(0);
        assert_eq!(timeline.since(of), at(10));
        assert_eq!(timeline.allowed(of, at(20)), BTreeSet::from([Presence::Nothing, a.clone()]));
        assert_eq!(timeline.lately(of, at(20)), BTreeSet::from([Presence::Nothing]));
        assert_eq!(timeline.allowed(of, at(21)), BTreeSet::from([a.clone()]));
        answered(&mut model, Act::LogOut { by: alice(0) }, &Answer::Accepted);
        timeline.follow(&[model.clone()], at(30), at(40));
        assert_eq!(timeline.allowed(of, at(40)), BTreeSet::from([Presence::Nothing, a]));
        assert_eq!(timeline.allowed(of, at(41)), BTreeSet::from([Presence::Nothing]));
    }

    #[test]
    fn who_logs_out_everywhere_may_log_out_one_session_after_the_other() {
        let (mut model, mut timeline) = (sharers(), Timeline::default());
        answered(&mut model, Act::LogIn { user: 0, device: 1 }, &Answer::Accepted);
        for (device, set) in [(0, 0), (1, 1)] {
            answered(&mut model, Act::Upload { by: alice(device), set }, &Answer::Accepted);
            answered(&mut model, Act::Declare { by: alice(device), set }, &Answer::Accepted);
        }
        timeline.follow(&[model.clone()], at(0), at(5));
        answered(&mut model, Act::LogOutEverywhere { by: alice(0) }, &Answer::Accepted);
        timeline.follow(&[model.clone()], at(10), at(20));
        // Both, either, and none; the first of all is long gone.
        assert_eq!(timeline.allowed(Whom::User(0), at(6)).len(), 4);
        assert_eq!(timeline.allowed(Whom::User(0), at(21)).len(), 1);
    }

    #[test]
    fn where_worlds_differ_each_has_its_own_value_once_it_has_settled() {
        let (mut before, mut timeline) = (sharers(), Timeline::default());
        let of = Whom::User(0);
        timeline.follow(&[before.clone()], at(0), at(1));
        for set in [0, 1] {
            answered(&mut before, Act::Upload { by: alice(0), set }, &Answer::Accepted);
        }
        let declared = |set: usize| {
            let mut world = before.clone();
            answered(&mut world, Act::Declare { by: alice(0), set }, &Answer::Accepted);
            world
        };
        let worlds = [declared(0), declared(1)];
        let [a, b] = [&worlds[0], &worlds[1]].map(|world| world.in_force(0));
        timeline.follow(&worlds, at(10), at(20));
        let both = BTreeSet::from([a.clone(), b.clone()]);
        assert!(timeline.allowed_in(&worlds[0], of, at(20)).is_superset(&both));
        assert_eq!(timeline.allowed_in(&worlds[0], of, at(21)), BTreeSet::from([a]));
        assert_eq!(timeline.allowed_in(&worlds[1], of, at(21)), BTreeSet::from([b.clone()]));
        timeline.narrow(&worlds[1..]);
        assert_eq!(timeline.allowed(of, at(21)), BTreeSet::from([b]));
        assert!(timeline.allowed(of, at(20)).is_superset(&both));
    }

    #[test]
    fn who_may_have_met_before_the_history_may_be_seen_at_its_beginning() {
        let (one, other) = (Whom::User(0), Whom::User(1));
        assert!(!Timeline::default().is_unsettled(one, other, at(0)));
        let mut timeline = Timeline::of_the_acquainted();
        timeline.follow(&[Model::new(Vec::new())], at(3), at(4));
        assert!(timeline.is_unsettled(one, other, at(0)) && !timeline.is_unsettled(one, other, at(1)));
    }

    #[test]
    fn who_parts_may_be_seen_for_a_while() {
        let (mut model, mut timeline) = (sharers(), Timeline::default());
        let (one, other) = (Whom::User(0), Whom::User(1));
        timeline.follow(&[model.clone()], at(0), at(1));
        assert!(timeline.is_unsettled(one, other, at(0)) && !timeline.is_unsettled(one, other, at(2)));
        answered(&mut model, Act::Leave { by: alice(0), with: other }, &Answer::Accepted);
        timeline.follow(&[model.clone()], at(5), at(9));
        assert!(timeline.is_unsettled(other, one, at(9)) && !timeline.is_unsettled(other, one, at(10)));
    }
}
