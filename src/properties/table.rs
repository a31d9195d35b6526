//! The table of properties.

use crate::spec::binding::Operation;
use crate::spec::history::draw::Shape;
use crate::target::features::Feature;

use super::Property;

const DECLARE: Feature = Feature::Operation(Operation::Declare);
const UPLOAD: Feature = Feature::Operation(Operation::Upload);
const RESOLVE: Feature = Feature::Operation(Operation::Resolve);
const PRESENCE: Feature = Feature::Presence;
const LOGIN: Feature = Feature::Login;
const SESSIONS: Feature = Feature::Sessions;
const FEDERATION: Feature = Feature::Federation;

/// Every property, in the order of the suite. A run performs few histories of each, because its scenarios show
/// the same things one by one; `capcheck explore` performs as many as there is time for.
pub(super) static ALL: &[Property] = &[
    Property {
        id: "properties::histories",
        summary: "Whatever users and their sessions do, one act after the other, every answer is one that the protocol allows",
        covers: &[],
        needs: &[DECLARE, UPLOAD, LOGIN],
        shape: Shape::Sequence,
        cases: 8,
        longest: 40,
    },
    Property {
        id: "properties::races",
        summary: "Of acts that overlap every answer is explained by some order of them, and by the end by one",
        covers: &[],
        needs: &[DECLARE, UPLOAD, LOGIN, SESSIONS],
        shape: Shape::Races,
        cases: 6,
        longest: 30,
    },
    Property {
        id: "properties::union_laws",
        summary: "The union is commutative, associative, idempotent and monotone, and {} changes nothing in it",
        covers: &[],
        needs: &[DECLARE, UPLOAD, LOGIN, SESSIONS, PRESENCE],
        shape: Shape::Algebra,
        cases: 4,
        longest: 40,
    },
    Property {
        id: "properties::round_trip",
        summary: "Any legal set that is uploaded and declared is what its hash resolves to",
        covers: &[],
        needs: &[DECLARE, UPLOAD, RESOLVE, LOGIN],
        shape: Shape::RoundTrip,
        cases: 6,
        longest: 20,
    },
    Property {
        id: "properties::spoiled_uploads",
        summary: "No upload of spoiled bytes, or under a wrong hash, breaks the server or changes what it knows",
        covers: &[],
        needs: &[DECLARE, UPLOAD, LOGIN],
        shape: Shape::Spoiled,
        cases: 6,
        longest: 30,
    },
    Property {
        id: "properties::federation",
        summary: "Whatever users of several homeservers do, each homeserver is told and tells what the protocol says",
        covers: &[],
        needs: &[DECLARE, UPLOAD, LOGIN, PRESENCE, FEDERATION, Feature::Operation(Operation::FedResolve)],
        shape: Shape::Federation,
        cases: 4,
        longest: 30,
    },
];
