//! A failure as a shell script: curl, jq and openssl, and an assertion for every answer.
//!
//! A script has four parts: what it is, the helpers of `prelude.sh`, the operations as the target binds them,
//! and the history, act by act. What is demanded of each answer the [model](crate::spec::model) says while
//! the history is written down, on the supposition that every answer so far was right.

mod acts;
mod shell;
mod words;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::spec::binding::{Binding, Operation, Route};
use crate::spec::capability::CapabilitySet;
use crate::spec::hash::CapabilityHash;
use crate::spec::history::{Act, History, Step, Whom, words as spoken};
use crate::spec::requirement;

use super::failure::Failure;
use acts::Writer;
use shell::{NONCE, path, quoted};

/// The functions that every script begins with.
const PRELUDE: &str = include_str!("prelude.sh");

/// More sets than this are not combined: all their unions have to be known by name.
const MOST_SETS: usize = 10;

/// The script, for a target that binds its operations so; `None` where a shell cannot do what the history
/// does: acts at once, or other homeservers.
pub fn script(failure: &Failure, binding: &Binding) -> Option<String> {
    let acts = sequence(&failure.history)?;
    let names = Names::of(&failure.history)?;
    let mut writer = Writer::new(failure, &names);
    for (step, act) in acts.iter().enumerate() {
        writer.act(step, act, step + 1 == acts.len())?;
    }
    let history = writer.finish();
    let parts =
        [head(failure), PRELUDE.to_owned(), operations(binding), names.assigned_in(&history), history, end()];
    Some(parts.join("\n"))
}

/// The acts, where each is over before the next begins and no other homeserver takes part.
fn sequence(history: &History) -> Option<Vec<&Act>> {
    fn one(step: &Step) -> Option<&Act> {
        match step {
            Step::One(act) if !is_remote(act) => Some(act),
            _ => None,
        }
    }
    history.steps.iter().map(one).collect()
}

fn is_remote(act: &Act) -> bool {
    match act {
        Act::RemoteShare { .. }
        | Act::RemoteDeclare { .. }
        | Act::RemoteRead { .. }
        | Act::RemoteResolve { .. }
        | Act::RemoteAskServer { .. } => true,
        Act::Leave { with: whom, .. }
        | Act::ReadStatus { of: whom, .. }
        | Act::Sync { of: whom, .. }
        | Act::Resolve { of: whom, .. } => matches!(whom, Whom::Remote(_)),
        _ => false,
    }
}

/// What the script is about, for whoever opens it.
fn head(failure: &Failure) -> String {
    let url = failure.url.as_deref().unwrap_or("http://127.0.0.1:8008").trim_end_matches('/');
    let rule = requirement::find(&failure.requirement);
    let level = rule.map(|rule| format!(" ({})", rule.level)).unwrap_or_default();
    let text = rule.map_or("", |rule| rule.text.as_str());
    let mut head = format!(
        "#!/bin/sh\n# {}{level}\n{}#\n{}{}#\n",
        failure.requirement,
        comment(text),
        comment(&format!("expected: {}", failure.expected)),
        comment(&format!("found:    {}", failure.actual)),
    );
    let Failure { property, seed, case, suite_version, .. } = failure;
    head += &comment(&format!("Found by capcheck {suite_version}, {property}, seed {seed}, case {case}."));
    head += "#\n# Usage: sh FILE [URL]\n# Exit code: 0 the homeserver answers as the draft wants, 1 it does not, 2 it cannot be told.\n";
    let settle = failure.settle_s.ceil();
    let _ = write!(head, "\nurl=${{1:-{}}}\nurl=${{url%/}}\n", quoted(url));
    let _ = writeln!(head, "settle={settle} # seconds within which effects have to be visible");
    head
}

/// A text as comment lines; what a target said cannot end them.
fn comment(text: &str) -> String {
    let text = crate::report::plain(text);
    crate::report::wrap(&text, 100).iter().map(|row| format!("# {row}\n")).collect()
}

/// The operations as functions, and where the hash rides.
fn operations(binding: &Binding) -> String {
    let mut out = "# --- the operations of the capability API, as this homeserver binds them\n\n".to_owned();
    let presence = &binding.presence;
    for (name, value) in [
        ("presence_field", presence.field.as_str()),
        ("presence_event", &presence.event),
        ("presence_sync_path", &presence.sync_path),
        ("empty_hash", CapabilitySet::default().hash().as_str()),
    ] {
        let _ = writeln!(out, "{name}={}", quoted(value));
    }
    let mut function = |name: &str, about: &str, route: &Route, arguments: &[(&str, &str)], body: &str| {
        let (method, path) = (quoted(&route.method), path(route, arguments));
        let _ = write!(out, "\n{name}() {{ # {about}\n    as \"$1\" {method} {path}{body}\n}}\n");
    };
    let of = |operation| binding.route(operation);
    let (user, hash) = (("user_id", "2"), ("hash", "2"));
    function("declare_hash", "TOKEN HASH", of(Operation::Declare), &[], r#" "{\"sha256\":\"$2\"}""#);
    function("upload", "TOKEN HASH BODY", of(Operation::Upload), &[hash], r#" "$3""#);
    function("resolve", "TOKEN USER HASH", of(Operation::Resolve), &[user, ("hash", "3")], "");
    function("server_hash", "TOKEN USER", of(Operation::ServerHash), &[user], "");
    function("server_set", "TOKEN HASH", of(Operation::ServerSet), &[hash], "");
    function("read_status", "TOKEN USER", &presence.status, &[user], "");
    out
}

fn end() -> String {
    "echo 'every answer was as the draft wants it'\n".to_owned()
}

/// What the sets of a history and their unions are called in the script.
#[derive(Debug)]
pub(super) struct Names {
    /// The sets, dressed with [`NONCE`].
    sets: Vec<CapabilitySet>,
    by_hash: BTreeMap<CapabilityHash, (String, CapabilitySet)>,
}

impl Names {
    /// `None` where there are too many.
    fn of(history: &History) -> Option<Self> {
        let sets = history.dressed(NONCE);
        if sets.len() > MOST_SETS {
            return None;
        }
        let mut by_hash = BTreeMap::new();
        // Sets before unions, and small unions before large ones: what is the same has its shortest name.
        let mut some: Vec<usize> = (0..1usize << sets.len()).collect();
        some.sort_by_key(|mask| mask.count_ones());
        for mask in some {
            let members = || (0..sets.len()).filter(|set| mask >> set & 1 == 1);
            let union = CapabilitySet::union(members().filter_map(|set| sets.get(set)));
            let name = match union.is_empty() {
                true => "nothing".to_owned(),
                false => members().map(spoken::set).collect(),
            };
            by_hash.entry(union.hash()).or_insert((name, union));
        }
        Some(Self { sets, by_hash })
    }

    /// The sets as the model is to meet them.
    pub(super) fn sets(&self) -> &[CapabilitySet] {
        &self.sets
    }

    /// What a set of the history, or a union of some, is called.
    pub(super) fn name(&self, hash: &CapabilityHash) -> Option<&str> {
        self.by_hash.get(hash).map(|(name, _)| name.as_str())
    }

    /// The sets that the history speaks of, with their hashes.
    fn assigned_in(&self, history: &str) -> String {
        let mut out = "# --- the sets: their Canonical JSON, and the hash of it\n".to_owned();
        let mut named: Vec<&(String, CapabilitySet)> = self.by_hash.values().collect();
        named.sort_by_key(|(name, _)| (name.len(), name.as_str()));
        for (name, set) in named {
            if !speaks_of(history, name) {
                continue;
            }
            if name.len() > 1 && !set.is_empty() {
                let members: Vec<String> = name.chars().map(String::from).collect();
                let _ = writeln!(out, "\n# the union of {}", members.join(", "));
            } else {
                out.push('\n');
            }
            let _ = writeln!(out, "{name}={}\n{name}_hash=$(hash_of \"${name}\")", shell::set(set));
        }
        out
    }
}

/// Whether a variable of this name, or its hash, stands in a script.
fn speaks_of(script: &str, name: &str) -> bool {
    script.contains(&format!("\"${name}\"")) || script.contains(&format!("\"${name}_hash\""))
}

#[cfg(test)]
mod tests;
