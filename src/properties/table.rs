//! The table of properties.

use crate::spec::binding::Operation;
use crate::spec::history::draw::Shape;
use crate::target::features::Feature;

use super::Property;

const DECLARE: Feature = Feature::Operation(Operation::Declare);
const UPLOAD: Feature = Feature::Operation(Operation::Upload);
const RESOLVE: Feature = Feature::Operation(Operation::Resolve);
const FED_RESOLVE: Feature = Feature::Operation(Operation::FedResolve);
const PRESENCE: Feature = Feature::Presence;
const LOGIN: Feature = Feature::Login;
const SESSIONS: Feature = Feature::Sessions;
const FEDERATION: Feature = Feature::Federation;

/// Every requirement that an answer to a history may break. Which of them depends on what a mistake looks like,
/// so that every property may come upon any; those between homeservers follow for the one that has others.
macro_rules! answers_may_break {
    ($($abroad:literal),* $(,)?) => {
        &[
            "upload.accept-after-upload",
            "upload.idempotent",
            "upload.no-pinning",
            "upload.known-hash",
            "upload.known-after-logout",
            "upload.known-from-others",
            "upload.refuse-unknown",
            "upload.refusal-recognisable",
            "upload.mismatch-refused",
            "upload.mismatch-not-stored",
            "upload.bad-input",
            "auth.dead-token",
            "presence.status",
            "presence.sync",
            "presence.strangers",
            "presence.own-sessions",
            "presence.change",
            "presence.new-sharer",
            "presence.last-leaves",
            "hash.shape",
            "hash.sha256-canonical-json",
            "hash.unpadded-base64",
            "hash.code-point-order",
            "hash.no-normalisation",
            "union.single",
            "union.of-all",
            "union.idempotent",
            "union.redeclare-replaces",
            "union.leave",
            "union.relogin",
            "union.per-user",
            "union.empty-set",
            "union.undeclared",
            "upload.publishes-nothing",
            "upload.refusal-keeps-previous",
            "presence.not-writable",
            "presence.survives-status",
            "resolve.hash-and-user",
            "resolve.verifies",
            "resolve.unknown",
            "resolve.superseded",
            "resolve.strangers",
            "union.resolvable",
            "server.hash",
            "server.set",
            $($abroad),*
        ]
    };
}

/// Every property, in the order of the suite. A run performs few histories of each, because its scenarios show
/// the same things one by one; `capcheck explore` performs as many as there is time for.
pub(crate) static ALL: [Property; 6] = [
    Property {
        id: "properties::histories",
        summary: "Whatever users and their sessions do, one act after the other, every answer is one that the protocol allows",
        draws: "acts one after the other: sessions come and go, sets change, others look and resolve",
        covers: answers_may_break!(),
        needs: &[DECLARE, UPLOAD, LOGIN],
        shape: Shape::Sequence,
        cases: 5,
        longest: 40,
    },
    Property {
        id: "properties::races",
        summary: "Of acts that overlap every answer is explained by some order of them, and by the end by one",
        draws: "acts of several sessions at once, and looks at what they came to",
        covers: answers_may_break!(),
        needs: &[DECLARE, UPLOAD, LOGIN, SESSIONS],
        shape: Shape::Races,
        cases: 4,
        longest: 30,
    },
    Property {
        id: "properties::union_laws",
        summary: "The union is commutative, associative, idempotent and monotone, and {} changes nothing in it",
        draws: "the same sets from several sessions, in every order and grouping",
        covers: answers_may_break!(),
        needs: &[DECLARE, UPLOAD, LOGIN, SESSIONS, PRESENCE],
        shape: Shape::Algebra,
        cases: 4,
        longest: 40,
    },
    Property {
        id: "properties::round_trip",
        summary: "Any legal set that is uploaded and declared is what its hash resolves to",
        draws: "sets with any legal names and parameters, uploaded, declared and resolved",
        covers: answers_may_break!(),
        needs: &[DECLARE, UPLOAD, RESOLVE, LOGIN],
        shape: Shape::RoundTrip,
        cases: 4,
        longest: 20,
    },
    Property {
        id: "properties::spoiled_uploads",
        summary: "No upload of spoiled bytes, or under a wrong hash, breaks the server or changes what it knows",
        draws: "uploads with bytes spoiled or under another hash, between looks at what is in force",
        covers: answers_may_break!(),
        needs: &[DECLARE, UPLOAD, LOGIN],
        shape: Shape::Spoiled,
        cases: 4,
        longest: 30,
    },
    Property {
        id: "properties::federation",
        summary: "Whatever users of several homeservers do, each homeserver is told and tells what the protocol says",
        draws: "users of other homeservers share rooms, announce sets, look and resolve",
        covers: answers_may_break!(
            "federation.hash",
            "federation.set",
            "federation.presence-out",
            "federation.presence-in",
            "federation.resolve",
            "federation.resolve-private",
            "federation.lookup",
            "federation.lookup-verified",
            "federation.lookup-failure",
            "federation.lookup-private"
        ),
        needs: &[DECLARE, UPLOAD, LOGIN, PRESENCE, FEDERATION, FED_RESOLVE],
        shape: Shape::Federation,
        cases: 3,
        longest: 30,
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::spec::requirement;

    /// The requirements that the sources name from which a history is judged.
    fn named() -> BTreeSet<String> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut texts = Vec::new();
        for part in ["spec/model", "properties/perform"] {
            read(&source.join(part), &mut texts);
        }
        let known: BTreeSet<&str> = requirement::all().iter().map(|rule| rule.id.as_str()).collect();
        let words = texts.iter().flat_map(|text| text.split('"'));
        words.filter(|word| known.contains(word)).map(str::to_owned).collect()
    }

    fn read(folder: &Path, texts: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_test = path.file_stem().is_some_and(|name| name == "tests");
            match path.is_dir() {
                _ if is_test => {}
                true => read(&path, texts),
                false => texts.push(std::fs::read_to_string(&path).unwrap()),
            }
        }
    }

    #[test]
    fn what_judges_a_history_names_nothing_but_what_is_covered() {
        let abroad = |id: &str| id.starts_with("federation.");
        let named = named();
        assert!(named.len() > 30, "{named:?}");
        for property in &ALL {
            let covers: BTreeSet<&str> = property.covers.iter().copied().collect();
            let federates = property.needs.contains(&FEDERATION);
            let missing: Vec<&String> = named
                .iter()
                .filter(|id| !covers.contains(id.as_str()) && (federates || !abroad(id)))
                .collect();
            assert!(missing.is_empty(), "{} does not cover {missing:?}", property.id);
        }
    }
}
