//! The remote homeserver is gone, fails or lies: the client is told in time, and nothing is kept (draft C9).

use bytes::Bytes;
use serde_json::json;

use crate::actors::{RemoteServer, RemoteUser, Session};
use crate::check;
use crate::outcome::Stop;
use crate::spec::capability::CapabilitySet;
use crate::spec::hash::CapabilityHash;
use crate::wire::peer::Answer;

use super::*;

scenarios! { federation:
    survives_a_homeserver_that_is_gone {
        says: "Nobody is there any more: the client is told so, and in time",
        covers: ["federation.lookup-failure", "federation.lookup-failure-status"],
        needs: [FEDERATION, RESOLVE, FED_RESOLVE],
        cast: users(1),
    }
    survives_a_homeserver_that_is_silent {
        says: "The remote homeserver takes the question and says nothing",
        covers: ["federation.lookup-failure", "federation.lookup-failure-status"],
        needs: [FEDERATION, RESOLVE, FED_RESOLVE],
        cast: users(1),
    }
    survives_a_homeserver_that_knows_nothing {
        says: "The remote homeserver does not know the set, and later does",
        covers: ["federation.lookup-failure", "federation.lookup-failure-status"],
        needs: [FEDERATION, RESOLVE, FED_RESOLVE],
        cast: users(1),
    }
    survives_a_homeserver_that_breaks_down {
        says: "The remote homeserver answers with an error of its own",
        covers: ["federation.lookup-failure", "federation.lookup-failure-status"],
        needs: [FEDERATION, RESOLVE, FED_RESOLVE],
        cast: users(1),
    }
    survives_a_homeserver_that_sends_a_web_page {
        says: "What comes is no JSON, as from a proxy in front",
        covers: ["federation.lookup-failure", "federation.lookup-failure-status"],
        needs: [FEDERATION, RESOLVE, FED_RESOLVE],
        cast: users(1),
    }
    survives_a_homeserver_that_never_ends {
        says: "What comes does not end",
        covers: ["federation.lookup-failure", "federation.lookup-failure-status"],
        needs: [FEDERATION, RESOLVE, FED_RESOLVE],
        cast: users(1),
    }
    survives_a_homeserver_that_trickles {
        says: "What comes does not end, and is too little to be too long",
        covers: ["federation.lookup-failure", "federation.lookup-failure-status"],
        needs: [FEDERATION, RESOLVE, FED_RESOLVE],
        cast: users(1),
    }
    survives_a_homeserver_that_breaks_off {
        says: "What comes ends in the middle",
        covers: ["federation.lookup-failure", "federation.lookup-failure-status"],
        needs: [FEDERATION, RESOLVE, FED_RESOLVE],
        cast: users(1),
    }
    follows_no_redirect {
        says: "What comes points elsewhere, where the right answer lies, and nobody goes there",
        covers: ["federation.lookup-failure", "federation.lookup-failure-status"],
        needs: [FEDERATION, RESOLVE, FED_RESOLVE],
        cast: users(1),
    }
    believes_no_lie {
        says: "What does not hash to the question is not served, and the honest answer that comes later is",
        covers: ["federation.lookup-verified", "federation.lookup-failure", "federation.lookup-failure-status"],
        needs: [FEDERATION, RESOLVE, FED_RESOLVE],
        cast: users(1),
    }
}

/// A homeserver that is about to fail, and a client whose lookups there have worked so far.
struct Acquaintance {
    beta: RemoteServer,
    zoe: RemoteUser,
    phone: Session,
}

impl Acquaintance {
    /// With a homeserver that nobody has met, because a target may shun it afterwards.
    async fn made(cx: &Cx) -> Result<Self, Stop> {
        let (alice, beta) = (cx.user()?, cx.fresh_homeserver().await?);
        let (phone, zoe, set) = (alice.session(), cx.remote_user(&beta)?, cx.set());
        cx.room_with(&phone, &[&zoe]).await?;
        zoe.can_answer(&set);
        phone.can_look_up(&zoe, &set).await?.or_stop()?;
        Ok(Self { beta, zoe, phone })
    }

    /// The client is told that the lookup failed.
    async fn failure_is_told(&self, cx: &Cx, hash: &CapabilityHash, is_404: bool) -> Ran {
        let reply = self.phone.look_up(&self.zoe, hash).await?;
        if check!(cx, "federation.lookup-failure", reply.tells_of_a_failure(patience(cx))) {
            check!(cx, "federation.lookup-failure-status", reply.blames_the_other_homeserver(is_404));
        }
        Ok(())
    }
}

/// Within which a failure is to be told.
fn patience(cx: &Cx) -> std::time::Duration {
    cx.limits().remote_timeout + cx.limits().settle
}

/// The remote homeserver answers the question for a set so.
async fn fails_with(cx: &Cx, answer: Answer) -> Ran {
    let (known, set) = (Acquaintance::made(cx).await?, cx.set());
    known.zoe.answers(&set.hash(), answer);
    known.failure_is_told(cx, &set.hash(), false).await
}

async fn survives_a_homeserver_that_is_gone(cx: &Cx) -> Ran {
    let (known, set) = (Acquaintance::made(cx).await?, cx.set());
    known.zoe.can_answer(&set);
    known.beta.peer().go_down().await;
    known.failure_is_told(cx, &set.hash(), false).await
}

async fn survives_a_homeserver_that_is_silent(cx: &Cx) -> Ran {
    fails_with(cx, Answer::Silence).await
}

/// What a homeserver answers that does not know a set.
fn not_found() -> Answer {
    let error = json!({ "errcode": "M_NOT_FOUND", "error": "Unknown capability set" });
    Answer::Status(404, "application/json", error.to_string().into())
}

async fn survives_a_homeserver_that_knows_nothing(cx: &Cx) -> Ran {
    let (known, set) = (Acquaintance::made(cx).await?, cx.set());
    known.zoe.answers(&set.hash(), not_found());
    known.failure_is_told(cx, &set.hash(), true).await?;
    known.zoe.can_answer(&set);
    let found = known.phone.can_look_up(&known.zoe, &set).await?;
    check!(cx, "federation.lookup-failure", found.when("once the remote homeserver knows the set"));
    Ok(())
}

async fn survives_a_homeserver_that_breaks_down(cx: &Cx) -> Ran {
    let error = json!({ "errcode": "M_UNKNOWN", "error": "Internal server error" });
    fails_with(cx, Answer::Status(500, "application/json", error.to_string().into())).await
}

async fn survives_a_homeserver_that_sends_a_web_page(cx: &Cx) -> Ran {
    let page = "<!DOCTYPE html><title>Welcome</title><p>It works!";
    fails_with(cx, Answer::Status(200, "text/html", page.into())).await
}

async fn survives_a_homeserver_that_never_ends(cx: &Cx) -> Ran {
    fails_with(cx, Answer::Endless).await
}

async fn survives_a_homeserver_that_trickles(cx: &Cx) -> Ran {
    fails_with(cx, Answer::Trickle).await
}

async fn survives_a_homeserver_that_breaks_off(cx: &Cx) -> Ran {
    fails_with(cx, Answer::BrokenOff).await
}

async fn follows_no_redirect(cx: &Cx) -> Ran {
    let (known, set) = (Acquaintance::made(cx).await?, cx.set());
    known.zoe.answers(&set.hash(), Answer::Redirect(set.canonical_bytes().into()));
    known.failure_is_told(cx, &set.hash(), false).await?;
    check!(cx, "federation.lookup-failure", known.beta.was_not_followed(&known.zoe, &set.hash())?);
    Ok(())
}

/// What a homeserver answers instead of a set of at least two names.
type Lie = fn(&CapabilitySet) -> Vec<u8>;

/// Answers that look like the set, or like what one might take for it.
const LIES: [(&str, Lie); 6] = [
    ("another set", |_| CapabilitySet::of(["m.cap.forged.v1"]).canonical_bytes()),
    ("one name more", |set| CapabilitySet::of(set.names().chain(["m.cap.forged.v1"])).canonical_bytes()),
    ("one name less", |set| CapabilitySet::of(set.names().skip(1)).canonical_bytes()),
    ("the empty set", |_| b"{}".to_vec()),
    ("a list of its names", |set| json!(set.names().collect::<Vec<_>>()).to_string().into()),
    ("the set wrapped in an object", |set| {
        [b"{\"capabilities\":".as_slice(), &set.canonical_bytes(), b"}"].concat()
    }),
];

async fn believes_no_lie(cx: &Cx) -> Ran {
    let known = Acquaintance::made(cx).await?;
    // An honest failure is told as one.
    let unknown = cx.unknown_hash();
    known.zoe.answers(&unknown, not_found());
    known.phone.look_up(&known.zoe, &unknown).await?.tells_of_a_failure(patience(cx)).or_stop()?;
    for (what, lie) in LIES {
        let set = cx.set();
        known.zoe.answers(&set.hash(), Answer::Set(lie(&set).into()));
        let moment = format!("where the remote homeserver answers {what}");
        is_not_believed(cx, &known, &set.hash(), &moment).await?;
        known.zoe.can_answer(&set);
        let honest = known.phone.can_look_up(&known.zoe, &set).await?;
        if !check!(cx, "federation.lookup-verified", honest.when(&format!("after {what}"))) {
            // What is plainly broken is not waited for again.
            return Ok(());
        }
    }
    // No set hashes to this: it is the digest of what is sent, and not of the set's canonical form.
    let (hash, spelled) = hash_of_a_spelling(cx);
    known.zoe.answers(&hash, Answer::Set(spelled));
    is_not_believed(cx, &known, &hash, "where what is sent hashes to the question, and the set does not")
        .await
}

async fn is_not_believed(cx: &Cx, known: &Acquaintance, hash: &CapabilityHash, moment: &str) -> Ran {
    let reply = known.phone.look_up(&known.zoe, hash).await?;
    if check!(cx, "federation.lookup-verified", reply.is_no_set().when(moment))
        && check!(cx, "federation.lookup-failure", reply.tells_of_a_failure(patience(cx)).when(moment))
    {
        let status = reply.blames_the_other_homeserver(false);
        check!(cx, "federation.lookup-failure-status", status.when(moment));
    }
    Ok(())
}

/// A spelling of a set that is not canonical, and the digest of that spelling.
fn hash_of_a_spelling(cx: &Cx) -> (CapabilityHash, Bytes) {
    let set = cx.set();
    let mut spelled = set.canonical_bytes();
    loop {
        spelled.push(b' ');
        let hash = CapabilityHash::of(&spelled);
        if hash.is_url_plain() {
            return (hash, spelled.into());
        }
    }
}
