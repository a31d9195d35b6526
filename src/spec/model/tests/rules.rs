//! When acts can be done, and by which requirements they are answered.

use super::*;
use crate::spec::history::{Availability, Spoil};

/// The rules for an act: requirement, whether it settles, and what it admits.
fn rules(model: &Model, act: &Act) -> Vec<(&'static str, bool, Admits)> {
    let rules = model.demand(act).rules.into_iter();
    rules.map(|rule| (rule.requirement, rule.settles, rule.admits)).collect()
}

/// The requirements of the rules for an act.
fn why(model: &Model, act: &Act) -> Vec<&'static str> {
    rules(model, act).into_iter().map(|(requirement, ..)| requirement).collect()
}

fn status(of: usize) -> Act {
    Act::ReadStatus { by: bob(0), of: Whom::User(of) }
}

fn resolve(of: usize, what: Which) -> Act {
    Act::Resolve { by: bob(0), of: Whom::User(of), what }
}

#[test]
fn acts_take_sessions_that_live_and_what_the_target_offers() {
    let mut model = Model::new(sets());
    let whole = Terrain::WHOLE;
    let can = |model: &Model, act: Act, terrain: &Terrain| model.can(&act, terrain);
    assert!(!can(&model, Act::SignUp { user: 1 }, &whole) && can(&model, Act::SignUp { user: 0 }, &whole));
    assert!(!can(&model, Act::LogIn { user: 0, device: 1 }, &whole));
    accepted(&mut model, [Act::SignUp { user: 0 }]);
    assert!(!can(&model, Act::SignUp { user: 0 }, &whole));
    let [log_in, declare] = [Act::LogIn { user: 0, device: 1 }, Act::Declare { by: alice(1), set: 0 }];
    assert!(can(&model, log_in.clone(), &whole) && !can(&model, declare.clone(), &whole));
    assert!(!can(&model, log_in.clone(), &Terrain { login: false, ..whole }));
    assert!(!can(&model, log_in.clone(), &Terrain { devices: 1, ..whole }));
    let dead = Act::UseDeadToken { by: alice(1) };
    assert!(!can(&model, dead.clone(), &whole));
    accepted(&mut model, [log_in.clone(), log_in.clone()]);
    // A login in its place ends a session, too, but its token is a should.
    assert!(can(&model, declare.clone(), &whole) && !can(&model, dead.clone(), &whole));
    accepted(&mut model, [Act::LogOut { by: alice(1) }]);
    assert!(can(&model, dead.clone(), &whole) && !can(&model, declare, &whole));
    assert!(!can(&model, dead.clone(), &Terrain { server: false, ..whole }));
    accepted(&mut model, [log_in]);
    assert!(!can(&model, dead, &whole));
}

#[test]
fn acts_take_sets_that_occur_and_can_be_spoiled() {
    let mut model = Model::new(sets());
    accepted(&mut model, [Act::SignUp { user: 0 }]);
    let by = alice(0);
    let can = |act: Act| model.can(&act, &Terrain::WHOLE);
    assert!(!can(Act::Upload { by, set: 6 }) && can(Act::Upload { by, set: 5 }));
    let bare = Terrain { parameters: false, ..Terrain::WHOLE };
    assert!(!model.can(&Act::Upload { by, set: 5 }, &bare));
    assert!(
        !can(Act::UploadUnder { by, claim: 0, body: 0 }) && can(Act::UploadUnder { by, claim: 0, body: 1 })
    );
    for (set, how, can_be) in [
        (0, Spoil::CutOff(1), true),
        (0, Spoil::CutOff(0), false),
        (3, Spoil::BareKey, false),
        (3, Spoil::Null, false),
        (0, Spoil::Null, true),
    ] {
        assert_eq!(can(Act::UploadSpoiled { by, set, how }), can_be, "{set} {how:?}");
    }
    assert!(!can(Act::Resolve { by, of: Whom::User(0), what: Which::Superseded }));
    assert!(!can(Act::RemoteDeclare { remote: 0, set: Some(0) }));
}

#[test]
fn a_declare_is_answered_by_who_uploaded_the_set() {
    let mut model = sharers();
    let declare = |by, set| Act::Declare { by, set };
    let refusals = ["upload.refuse-unknown", "upload.refuse-unknown", "upload.refusal-recognisable"];
    assert_eq!(why(&model, &declare(alice(0), 0)), refusals);
    accepted(&mut model, [Act::Upload { by: bob(0), set: 0 }]);
    assert_eq!(why(&model, &declare(alice(0), 0)), ["upload.known-from-others"]);
    let no = Answer::Rejected(400, Some("M_INVALID_PARAM".to_owned()));
    answered(&mut model, Act::UploadUnder { by: bob(0), claim: 1, body: 4 }, &no);
    assert!(why(&model, &declare(alice(0), 1)).contains(&"upload.mismatch-not-stored"));
    answered(&mut model, Act::UploadSpoiled { by: bob(0), set: 2, how: Spoil::Brace }, &no);
    assert_eq!(why(&model, &declare(alice(0), 2)), refusals);
    // What may be known, and `{}`, is free, and what was answered is followed.
    for set in [3, 4] {
        assert_eq!(rules(&model, &declare(alice(0), set))[0].2, Admits::AnyAnswer);
    }
    answered(&mut model, declare(alice(0), 3), &Answer::Refused);
    assert_eq!(model.in_force(0), Presence::Nothing);
    answered(&mut model, declare(alice(0), 3), &Answer::Accepted);
    assert_eq!(model.in_force(0), Presence::Union(CapabilitySet::default().hash()));
}

#[test]
fn an_upload_is_taken_whatever_went_before() {
    let mut model = sharers();
    let upload = |set| Act::Upload { by: alice(0), set };
    let no = Answer::Rejected(400, None);
    assert_eq!(why(&model, &upload(0)), ["upload.accept-after-upload"]);
    assert_eq!(why(&model, &upload(3)), ["union.empty-set"]);
    answered(&mut model, Act::UploadUnder { by: bob(0), claim: 0, body: 1 }, &no);
    answered(&mut model, resolve(0, Which::Set(2)), &no);
    assert_eq!(why(&model, &upload(0)), ["upload.no-pinning"]);
    assert_eq!(why(&model, &upload(2)), ["upload.no-pinning"]);
    accepted(&mut model, [upload(0)]);
    assert_eq!(why(&model, &upload(0)), ["upload.idempotent"]);
}

#[test]
fn who_shares_a_room_sees_and_nobody_else() {
    let mut model = sharers();
    accepted(&mut model, has(alice(0), 0));
    let a = model.in_force(0);
    assert_eq!(rules(&model, &status(0)), [("presence.status", true, Admits::Carries(a.clone()))]);
    let sync = Act::Sync { by: bob(0), of: Whom::User(0) };
    assert_eq!(rules(&model, &sync), [("presence.sync", true, Admits::Carries(a))]);
    accepted(&mut model, [Act::Leave { by: bob(0), with: Whom::User(0) }]);
    assert_eq!(rules(&model, &status(0)), [("presence.strangers", true, Admits::Hidden)]);
    // What was shown need not be taken back; who never met is shown nothing.
    assert_eq!(rules(&model, &sync)[0].2, Admits::AnyAnswer);
    accepted(&mut model, [Act::SignUp { user: 2 }]);
    let carol = Act::Sync { by: Seat { user: 2, device: 0 }, of: Whom::User(0) };
    assert_eq!(rules(&model, &carol), [("presence.strangers", false, Admits::Hidden)]);
}

#[test]
fn who_comes_back_when_there_is_nothing_to_tell_need_not_be_told() {
    let mut model = sharers();
    let (with, share) = (Whom::User(0), Act::Share { host: bob(0), guest: alice(1) });
    let sync = Act::Sync { by: bob(0), of: with };
    accepted(&mut model, has(alice(0), 0));
    accepted(&mut model, [Act::LogIn { user: 0, device: 1 }, Act::Leave { by: bob(0), with }]);
    accepted(&mut model, [Act::LogOut { by: alice(0) }, share]);
    assert_eq!(rules(&model, &sync)[0].2, Admits::AnyAnswer);
    assert_eq!(rules(&model, &status(0))[0].2, Admits::Carries(Presence::Nothing));
    accepted(&mut model, has(alice(1), 1));
    accepted(&mut model, [Act::LogIn { user: 0, device: 1 }]);
    assert_eq!(rules(&model, &sync)[0].2, Admits::Carries(Presence::Nothing));
}

#[test]
fn a_union_resolves_for_those_who_see_it() {
    let mut model = sharers();
    accepted(&mut model, has(alice(0), 0));
    assert_eq!(why(&model, &resolve(0, Which::InForce)), ["resolve.verifies", "resolve.hash-and-user"]);
    accepted(&mut model, [Act::LogIn { user: 0, device: 1 }]);
    accepted(&mut model, has(alice(1), 1));
    assert_eq!(why(&model, &resolve(0, Which::InForce)), ["resolve.verifies", "union.resolvable"]);
    let superseded = rules(&model, &resolve(0, Which::Superseded));
    assert_eq!(superseded[1], ("resolve.superseded", true, Admits::Serves(sets()[0].clone())));
    assert_eq!(why(&model, &resolve(0, Which::Set(1))), ["resolve.verifies"]);
    assert_eq!(why(&model, &resolve(0, Which::Set(2))), ["resolve.unknown"]);
    assert_eq!(why(&model, &resolve(0, Which::Unknown)), ["resolve.unknown"]);
    accepted(&mut model, [Act::Leave { by: alice(1), with: Whom::User(1) }]);
    assert_eq!(why(&model, &resolve(0, Which::InForce)), ["resolve.verifies", "resolve.strangers"]);
}

#[test]
fn other_homeservers_are_told_and_tell() {
    let mut model = sharers();
    let zoe = Whom::Remote(0);
    accepted(&mut model, has(alice(0), 0));
    let told = Act::RemoteRead { remote: 0, of: 0 };
    let asked = Act::RemoteResolve { remote: 0, of: 0, what: Which::InForce };
    assert_eq!(rules(&model, &told)[0].2, Admits::AnyAnswer);
    assert_eq!(why(&model, &asked), ["resolve.verifies", "federation.resolve-private"]);
    accepted(&mut model, [Act::RemoteShare { host: alice(0), remote: 0 }]);
    assert_eq!(rules(&model, &told)[0].2, Admits::Carries(model.in_force(0)));
    assert_eq!(why(&model, &asked), ["resolve.verifies", "federation.resolve"]);
    accepted(&mut model, [Act::RemoteDeclare { remote: 0, set: Some(2) }]);
    let heard = Act::ReadStatus { by: alice(0), of: zoe };
    let announced = Presence::Union(sets()[2].hash());
    assert_eq!(rules(&model, &heard), [("federation.presence-in", true, Admits::Carries(announced))]);
    let look_up = |by| Act::Resolve { by, of: zoe, what: Which::InForce };
    assert_eq!(why(&model, &look_up(alice(0))), ["federation.lookup-verified", "federation.lookup"]);
    assert_eq!(why(&model, &look_up(bob(0))), ["federation.lookup-verified", "federation.lookup-private"]);
    // A homeserver that shares no room with zoe's any more may forget what it heard, until it hears again.
    accepted(&mut model, [Act::Leave { by: alice(0), with: zoe }]);
    accepted(&mut model, [Act::RemoteShare { host: alice(0), remote: 0 }]);
    assert_eq!(rules(&model, &heard)[0].2, Admits::AnyAnswer);
    accepted(&mut model, [Act::RemoteDeclare { remote: 0, set: None }]);
    assert_eq!(rules(&model, &heard)[0].2, Admits::Carries(Presence::Nothing));
}

#[test]
fn what_the_server_offers_may_be_another_hash_each_time() {
    let mut model = sharers();
    let ask = Act::AskServer { by: alice(0) };
    let hash = sets()[0].hash();
    assert_eq!(why(&model, &ask), ["server.hash"]);
    answered(&mut model, ask.clone(), &Answer::Hash(hash.to_string()));
    assert_eq!(rules(&model, &ask), [("server.hash", false, Admits::AHash)]);
}

#[test]
fn setting_presence_changes_nothing_of_the_hash() {
    let mut model = sharers();
    accepted(&mut model, has(alice(0), 0));
    let before = model.clone();
    for forged in [None, Some(1)] {
        let act = Act::SetStatus { by: alice(0), presence: Availability::Offline, forged };
        answered(&mut model, act, &Answer::Accepted);
        assert_eq!(model, before);
    }
}

#[test]
fn every_requirement_that_is_demanded_is_in_the_table() {
    let mut model = sharers();
    accepted(&mut model, [Act::RemoteShare { host: alice(0), remote: 0 }]);
    accepted(&mut model, has(alice(0), 0));
    let acts = [
        Act::UploadUnder { by: alice(0), claim: 0, body: 1 },
        Act::UploadSpoiled { by: alice(0), set: 0, how: Spoil::Null },
        Act::SetStatus { by: alice(0), presence: Availability::Online, forged: Some(0) },
        Act::SetStatus { by: alice(0), presence: Availability::Online, forged: None },
        Act::Sync { by: alice(0), of: Whom::User(0) },
        Act::UseDeadToken { by: alice(1) },
        Act::AskServer { by: alice(0) },
        Act::RemoteAskServer { remote: 0 },
        resolve(0, Which::Unknown),
        status(0),
    ];
    for requirement in acts.iter().flat_map(|act| why(&model, act)) {
        assert!(crate::spec::requirement::find(requirement).is_some(), "{requirement}");
    }
}
