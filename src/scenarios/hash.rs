//! The hash: what it is computed over and how it is spelled (draft S3).
//!
//! A server can echo a claimed hash without understanding it. What it computes itself is the hash
//! of a union, so each of these has a second session that makes the union another set.

use serde_json::json;

use crate::actors::{Expect, Session, User, Viewer};
use crate::check;
use crate::outcome::{Judgement, Stop};
use crate::spec::canonical::{Json, Object};
use crate::spec::capability::CapabilitySet;
use crate::spec::hash::CapabilityHash;
use crate::vectors::{self, Upload};

use super::*;

scenarios! { hash:
    has_the_shape_of_an_object {
        says: "A hash is an object with a string `sha256`, and other keys beside it do no harm",
        covers: ["hash.shape"],
        needs: [SERVER_HASH, DECLARE, UPLOAD],
        cast: users(1),
    }
    is_spelled_in_unpadded_base64 {
        says: "Every hash that the server spells has 43 characters of the standard Base64 alphabet",
        covers: ["hash.unpadded-base64"],
        needs: [SERVER_HASH, DECLARE, UPLOAD, SESSIONS, PRESENCE],
        cast: users(2),
    }
    of_a_union_is_taken_over_canonical_json {
        says: "The hash that the server computes of a union is that of its Canonical JSON",
        covers: ["hash.sha256-canonical-json"],
        needs: [DECLARE, UPLOAD, SESSIONS, PRESENCE],
        cast: users(1),
    }
    of_parameters_is_taken_over_canonical_json {
        says: "Parameters are hashed canonically at every depth",
        covers: ["hash.sha256-canonical-json"],
        needs: [DECLARE, UPLOAD, SESSIONS, PRESENCE, PARAMETERS],
        cast: users(1),
    }
    agrees_with_the_golden_vectors {
        says: "Every golden set is accepted under its golden hash, in the golden spelling",
        covers: ["hash.sha256-canonical-json", "hash.order-free"],
        needs: [DECLARE, UPLOAD],
        cast: users(1),
    }
    agrees_with_the_golden_parameters {
        says: "Every golden set with parameters is accepted under its golden hash",
        covers: ["hash.sha256-canonical-json", "hash.order-free"],
        needs: [DECLARE, UPLOAD, PARAMETERS],
        cast: users(1),
    }
    agrees_with_the_golden_opaque_names {
        says: "Every golden set with unusual names is accepted under its golden hash",
        covers: ["hash.sha256-canonical-json", "hash.order-free"],
        needs: [DECLARE, UPLOAD, OPAQUE_NAMES],
        cast: users(1),
    }
    sorts_keys_by_code_point {
        says: "Keys sort by code point: U+FB33 before U+1F602, although its UTF-16 unit is greater",
        covers: ["hash.code-point-order"],
        needs: [DECLARE, UPLOAD, SESSIONS, PRESENCE, PARAMETERS],
        cast: users(1),
    }
    does_not_normalise {
        says: "The composed and the decomposed spelling of a letter are different keys and different sets",
        covers: ["hash.no-normalisation"],
        needs: [DECLARE, UPLOAD, SESSIONS, PRESENCE, PARAMETERS],
        cast: users(1),
    }
    does_not_depend_on_spelling {
        says: "Key order, white space and escapes of the uploaded bytes do not matter",
        covers: ["hash.order-free"],
        needs: [DECLARE, UPLOAD, RESOLVE],
        cast: users(1),
    }
    does_not_depend_on_the_spelling_of_parameters {
        says: "Nor do they inside parameters",
        covers: ["hash.order-free"],
        needs: [DECLARE, UPLOAD, RESOLVE, PARAMETERS],
        cast: users(1),
    }
    is_the_same_for_everybody {
        says: "The same set has the same hash, whoever declares it and how often it is asked for",
        covers: ["hash.stable"],
        needs: [SERVER_HASH, DECLARE, UPLOAD, SESSIONS, PRESENCE],
        cast: users(2),
    }
}

/// How many drawn sets a property of the hash is shown on.
const DRAWS: usize = 4;

async fn has_the_shape_of_an_object(cx: &Cx) -> Ran {
    let phone = cx.user()?.session();
    let hash = phone.server_hash().await?.answered_or_stop("server_hash")?;
    hash.tells_a_hash().or_stop()?;
    check!(cx, "hash.shape", hash.has_hash_shape());
    let set = cx.set();
    phone.publish(&set).await?;
    phone.declare(&set).await?.or_stop("declaring again")?;
    let with_more = json!({ "org.capcheck.note": { "a": [1, "b"] }, "sha256": set.hash().as_str() });
    check!(cx, "hash.shape", phone.declare_body(with_more.to_string()).await?.is_accepted());
    Ok(())
}

async fn is_spelled_in_unpadded_base64(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    let (phone, viewer) = (alice.session(), bob.session());
    let hash = phone.server_hash().await?;
    hash.has_hash_shape().or_stop()?;
    check!(cx, "hash.unpadded-base64", hash.spells_hash_right());
    let tablet = alice.log_in("tablet").await?;
    let calls = cx.set();
    // The union's hash holds both characters that the URL-safe alphabet spells differently.
    let maps = cx.salted_until(CapabilitySet::default(), |set| {
        let union = CapabilitySet::union([&calls, set]).hash();
        union.as_str().contains('+') && union.as_str().contains('/') && set.hash().is_url_plain()
    });
    cx.room(&phone, &[&viewer]).await?;
    phone.publish(&calls).await?;
    tablet.publish(&maps).await?;
    check!(cx, "hash.unpadded-base64", phone.status_hash_is_spelled_right(&alice, &calls).await?);
    let mut viewer = Viewer::open(&viewer).await?;
    check!(cx, "hash.unpadded-base64", viewer.is_shown_well_spelled_hashes_of(&alice, &calls).await?);
    Ok(())
}

/// Two clients of a user whose plain sets are united right, so that what comes of another set is its own.
struct Clients {
    alice: User,
    tablet: Session,
    other: CapabilitySet,
}

impl Clients {
    async fn of(cx: &Cx) -> Result<Self, Stop> {
        let alice = cx.user()?;
        let ([_, tablet], [other, _]) = ground::two_clients(cx, &alice).await?;
        Ok(Self { alice, tablet, other })
    }

    /// Declares a set beside the other client's and judges the union that the server computes.
    async fn hash_right(&self, set: &CapabilitySet) -> Result<Judgement, Stop> {
        let uploaded = self.tablet.upload(set).await?;
        if !uploaded.accepted() {
            return Ok(uploaded.is_accepted().when("under the hash of its Canonical JSON"));
        }
        self.tablet.declare(set).await?.or_stop("the declaration of an uploaded set")?;
        self.tablet.status_settles_on(&self.alice, &Expect::union_of(&[&self.other, set])).await
    }
}

/// A set with these parameters of a capability.
fn set_with(cx: &Cx, parameters: Object) -> CapabilitySet {
    let mut set = cx.set();
    set.insert(cx.name(), parameters);
    cx.salted(set, &[])
}

/// Shows on one set after another that the union with another session's is hashed right.
async fn unions_are_hashed_right(
    cx: &Cx,
    clients: &Clients,
    sets: impl IntoIterator<Item = CapabilitySet>,
) -> Ran {
    for set in sets {
        if !check!(cx, "hash.sha256-canonical-json", clients.hash_right(&set).await?) {
            break;
        }
    }
    Ok(())
}

async fn of_a_union_is_taken_over_canonical_json(cx: &Cx) -> Ran {
    let clients = Clients::of(cx).await?;
    // Names that dictionaries and file managers sort in another order.
    let name = cx.name();
    let awkward = ["", "-1", ".1", "_1", "0", "10", "2", "b-a", "ba"].map(|end| format!("{name}{end}"));
    let mut sets = vec![cx.salted(CapabilitySet::of(awkward), &[])];
    sets.extend((0..DRAWS).map(|_| cx.set()));
    unions_are_hashed_right(cx, &clients, sets).await
}

async fn of_parameters_is_taken_over_canonical_json(cx: &Cx) -> Ran {
    let clients = Clients::of(cx).await?;
    // Nested on purpose: a server that sorts the top level alone gets the drawn ones right too often.
    let nested = Object::from([
        (
            "z".to_owned(),
            Json::Object(Object::from([
                ("b".to_owned(), Json::Integer(2)),
                ("a".to_owned(), Json::Integer(-1)),
            ])),
        ),
        (
            "a".to_owned(),
            Json::Array(vec![
                Json::String("\u{1}\u{7f}\u{2028}/\"\\".to_owned()),
                Json::Null,
                Json::Bool(true),
            ]),
        ),
    ]);
    let mut sets = vec![set_with(cx, nested)];
    sets.extend((0..DRAWS).map(|_| cx.set_with_parameters()));
    unions_are_hashed_right(cx, &clients, sets).await
}

async fn agrees_with_the_golden_vectors(cx: &Cx) -> Ran {
    golden(cx, |vector| !vector.parameters && !vector.opaque_names).await
}

async fn agrees_with_the_golden_parameters(cx: &Cx) -> Ran {
    golden(cx, |vector| vector.parameters && !vector.opaque_names).await
}

async fn agrees_with_the_golden_opaque_names(cx: &Cx) -> Ran {
    golden(cx, |vector| vector.opaque_names && !vector.parameters).await
}

async fn golden(cx: &Cx, wanted: fn(&Upload) -> bool) -> Ran {
    let phone = cx.user()?.session();
    let fitting = |vector: &&Upload| wanted(vector) && cx.fits_a_path(&vector.hash);
    for vector in vectors::uploads().iter().filter(fitting) {
        let moment = format!("for vector {}", vector.id);
        let taken = phone.upload_as(&vector.hash, vector.set.canonical_bytes()).await?;
        if !taken.accepted() {
            its_path_is_read(cx, &phone, &vector.hash).await?;
        }
        if !check!(cx, "hash.sha256-canonical-json", taken.is_accepted().when(&moment)) {
            continue;
        }
        phone.declare_hash(&vector.hash).await?.or_stop("the declaration of an uploaded set")?;
        let spelled = phone.upload_as(&vector.hash, vector.input.clone()).await?;
        if !spelled.accepted() {
            // Where the same bytes are not taken again, either, it is not for their spelling.
            let again = phone.upload_as(&vector.hash, vector.set.canonical_bytes()).await?;
            again.or_stop("uploading a set again")?;
        }
        check!(cx, "hash.order-free", spelled.is_accepted().when(&moment));
        check!(cx, "hash.sha256-canonical-json", spelled.is_accepted().when(&moment));
    }
    Ok(())
}

/// A plain set whose hash holds what this one holds and paths are known to spoil is taken.
async fn its_path_is_read(cx: &Cx, phone: &Session, hash: &CapabilityHash) -> Ran {
    let spoilt = ["+", "/", "//"].into_iter().filter(|part| hash.as_str().contains(part));
    let holds_them = |set: &CapabilitySet| spoilt.clone().all(|part| set.hash().as_str().contains(part));
    if spoilt.clone().next().is_some() {
        let plain = cx.salted_until(CapabilitySet::default(), holds_them);
        phone.upload(&plain).await?.or_stop("the upload of a plain set with such a hash")?;
    }
    Ok(())
}

async fn sorts_keys_by_code_point(cx: &Cx) -> Ran {
    let clients = Clients::of(cx).await?;
    let with = |keys: &[&str]| {
        let parameters = keys.iter().map(|key| ((*key).to_owned(), Json::Integer(1)));
        set_with(cx, parameters.collect())
    };
    // Within a plane both orders are the same.
    for keys in [["\u{e000}", "\u{fb33}", "\u{ffff}"].as_slice(), &["\u{1f602}", "\u{10ffff}"]] {
        clients.hash_right(&with(keys)).await?.or_stop()?;
    }
    let keys = ["\u{fb33}", "\u{1f602}", "\u{e000}", "\u{10ffff}", "\u{ffff}"];
    check!(cx, "hash.code-point-order", clients.hash_right(&with(&keys)).await?);
    Ok(())
}

async fn does_not_normalise(cx: &Cx) -> Ran {
    let clients = Clients::of(cx).await?;
    ground::refusal(cx, &clients.tablet).await?;
    let name = cx.name();
    let with = |letters: &[&str], salt: u64| {
        let parameters =
            letters.iter().map(|letter| ((*letter).to_owned(), Json::String((*letter).to_owned())));
        let mut set = CapabilitySet::of([format!("{name}.{salt}")]);
        set.insert(name.clone(), parameters.collect());
        set
    };
    // A letter that has one spelling alone, then three sets that differ in nothing but the spelling of
    // another, the salt included.
    let spellings: [&[&str]; 4] = [&["\u{e6}"], &["\u{e9}"], &["\u{e9}", "e\u{301}"], &["e\u{301}"]];
    let plain = |salt: &u64| spellings.iter().all(|letters| with(letters, *salt).hash().is_url_plain());
    let salt = (0..).find(plain).unwrap_or_default();
    let [unambiguous, composed, both, decomposed] = spellings.map(|letters| with(letters, salt));
    clients.hash_right(&unambiguous).await?.or_stop()?;
    for set in [&composed, &both] {
        if !check!(cx, "hash.no-normalisation", clients.hash_right(set).await?) {
            break;
        }
    }
    // One spelling is known; the other is another set, and so unknown.
    let declared = clients.tablet.declare(&decomposed).await?;
    check!(cx, "hash.no-normalisation", declared.is_declined().when("for the decomposed spelling"));
    let kept = clients.tablet.upload(&decomposed).await?.is_accepted().when("for the decomposed spelling");
    check!(cx, "hash.no-normalisation", kept);
    Ok(())
}

async fn does_not_depend_on_spelling(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let phone = alice.session();
    ground::resolvable(cx, &alice, &phone).await?;
    for _ in 0..DRAWS {
        spelled_freely(cx, &alice, &phone, &cx.set()).await?;
    }
    Ok(())
}

async fn does_not_depend_on_the_spelling_of_parameters(cx: &Cx) -> Ran {
    let alice = cx.user()?;
    let phone = alice.session();
    ground::resolvable(cx, &alice, &phone).await?;
    for _ in 0..DRAWS {
        spelled_freely(cx, &alice, &phone, &cx.set_with_parameters()).await?;
    }
    Ok(())
}

async fn spelled_freely(cx: &Cx, alice: &User, phone: &Session, set: &CapabilitySet) -> Ran {
    let spelling = cx.draw(|draw| draw.spelling(&set.to_json()));
    let uploaded = phone.upload_as(&set.hash(), spelling).await?;
    if !uploaded.accepted() {
        // Where no other spelling is taken, either, it is not for this one.
        phone.upload(set).await?.or_stop("the upload of its Canonical JSON")?;
    }
    if check!(cx, "hash.order-free", uploaded.is_accepted()) {
        phone.declare(set).await?.or_stop("the declaration of an uploaded set")?;
        check!(cx, "hash.order-free", phone.can_resolve(alice, set).await?);
    }
    Ok(())
}

async fn is_the_same_for_everybody(cx: &Cx) -> Ran {
    let (alice, bob) = (cx.user()?, cx.user()?);
    let (phone, laptop) = (alice.session(), bob.session());
    let first = phone.server_hash().await?;
    first.has_hash_shape().or_stop()?;
    let tablet = alice.log_in("tablet").await?;
    let again = tablet.server_hash().await?.or_stop("server_hash in another session")?;
    let same = first.sha256() == again.sha256();
    let expected =
        format!("the hash that the first session was given, {}", first.sha256().unwrap_or_default());
    check!(cx, "hash.stable", again.judge(same, &expected));
    // One user has the set as a union, the other one as a client's own.
    let [shared, other] = cx.sets();
    phone.publish(&shared).await?;
    tablet.publish(&other).await?;
    phone.reads_or_stop(&alice, &[&shared, &other]).await?;
    laptop.publish(&CapabilitySet::union([&shared, &other])).await?;
    let expect = Expect::union_of(&[&shared, &other]);
    check!(cx, "hash.stable", laptop.status_settles_on(&bob, &expect).await?);
    check!(cx, "hash.stable", phone.status_says(&alice, &expect).await?.when("when it is asked for again"));
    Ok(())
}
