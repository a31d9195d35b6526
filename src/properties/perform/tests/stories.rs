//! Histories that make use of every act.

use crate::spec::capability::CapabilitySet;
use crate::spec::history::{Act, Availability, History, Seat, Spoil, Step, Which, Whom};

pub(super) const PHONE: Seat = Seat { user: 0, device: 0 };
pub(super) const LAPTOP: Seat = Seat { user: 0, device: 1 };
pub(super) const BOB: Seat = Seat { user: 1, device: 0 };
pub(super) const A: usize = 0;
pub(super) const B: usize = 1;
pub(super) const EMPTY: usize = 2;
pub(super) const C: usize = 3;
/// What is claimed and never sent, and what is sent under that claim.
pub(super) const CLAIMED: usize = 4;
pub(super) const SENT: usize = 5;

pub(super) fn history(steps: Vec<Step>) -> History {
    let set = |text: &str| CapabilitySet::parse(text.as_bytes()).unwrap();
    let sets = vec![
        set(r#"{"shared":{},"voip":{}}"#),
        set(r#"{"maps":{"v":1},"shared":{}}"#),
        set("{}"),
        set(r#"{"never":{}}"#),
        set(r#"{"claimed":{}}"#),
        set(r#"{"sent":{}}"#),
    ];
    History { sets, steps }
}

pub(super) fn sequence(acts: impl IntoIterator<Item = Act>) -> History {
    history(acts.into_iter().map(Step::One).collect())
}

pub(super) const ALICE: Whom = Whom::User(0);

pub(super) fn sign_up(user: usize) -> Act {
    Act::SignUp { user }
}

pub(super) fn publish(by: Seat, set: usize) -> [Act; 2] {
    [Act::Upload { by, set }, Act::Declare { by, set }]
}

/// What bob sees of alice.
pub(super) fn bob_looks() -> [Act; 3] {
    let (by, of) = (BOB, ALICE);
    [Act::ReadStatus { by, of }, Act::Sync { by, of }, Act::Resolve { by, of, what: Which::InForce }]
}

/// Two declares of one session at once: which of them stands is the homeserver's choice.
pub(super) fn contested() -> History {
    let by = PHONE;
    let acts = [sign_up(0), sign_up(1), Act::Share { host: PHONE, guest: BOB }];
    let uploads = [A, B].map(|set| Act::Upload { by, set });
    let before = acts.into_iter().chain(uploads).map(Step::One);
    let declares = Step::AtOnce([A, B].map(|set| vec![Act::Declare { by, set }]).to_vec());
    history(before.chain([declares]).chain(bob_looks().map(Step::One)).collect())
}

/// Every act of clients, most of them before somebody looks.
pub(super) fn everything() -> History {
    let mut acts = vec![sign_up(0), sign_up(1), Act::Share { host: PHONE, guest: BOB }];
    acts.push(Act::Declare { by: PHONE, set: A });
    acts.extend(publish(PHONE, A));
    acts.extend(bob_looks());
    acts.push(Act::LogIn { user: 1, device: 1 });
    acts.extend(publish(Seat { user: 1, device: 1 }, C));
    acts.push(Act::ReadStatus { by: PHONE, of: Whom::User(1) });
    acts.push(Act::LogIn { user: 0, device: 1 });
    acts.extend(publish(LAPTOP, B));
    acts.extend(bob_looks());
    acts.push(Act::Resolve { by: BOB, of: ALICE, what: Which::Superseded });
    acts.push(Act::Resolve { by: BOB, of: ALICE, what: Which::Unknown });
    acts.push(Act::Resolve { by: PHONE, of: ALICE, what: Which::Set(A) });
    acts.push(Act::UploadUnder { by: PHONE, claim: CLAIMED, body: SENT });
    acts.push(Act::UploadSpoiled { by: PHONE, set: A, how: Spoil::Brace });
    acts.push(Act::Upload { by: PHONE, set: A });
    acts.push(Act::SetStatus { by: PHONE, presence: Availability::Unavailable, forged: Some(CLAIMED) });
    acts.push(Act::ReadStatus { by: PHONE, of: ALICE });
    acts.push(Act::SetStatus { by: PHONE, presence: Availability::Online, forged: None });
    acts.extend(bob_looks());
    acts.push(Act::AskServer { by: BOB });
    // Declared anew, and logged out.
    acts.extend([Act::Declare { by: LAPTOP, set: A }, Act::ReadStatus { by: BOB, of: ALICE }]);
    acts.extend([Act::Declare { by: LAPTOP, set: B }, Act::LogOut { by: LAPTOP }]);
    acts.push(Act::UseDeadToken { by: LAPTOP });
    acts.extend(bob_looks());
    acts.push(Act::LogIn { user: 0, device: 1 });
    acts.push(Act::Declare { by: LAPTOP, set: B });
    // The same device again, and a device deleted.
    acts.push(Act::LogIn { user: 0, device: 0 });
    acts.extend(bob_looks());
    acts.extend([Act::Declare { by: PHONE, set: A }, Act::DeleteDevice { by: PHONE, device: 1 }]);
    acts.push(Act::UseDeadToken { by: LAPTOP });
    acts.extend(bob_looks());
    acts.extend(publish(PHONE, EMPTY));
    acts.extend(bob_looks());
    acts.push(Act::Declare { by: PHONE, set: A });
    acts.push(Act::Leave { by: BOB, with: ALICE });
    acts.extend(bob_looks());
    acts.push(Act::LogOutEverywhere { by: PHONE });
    acts.push(Act::LogIn { user: 0, device: 2 });
    acts.push(Act::ReadStatus { by: Seat { user: 0, device: 2 }, of: ALICE });
    sequence(acts)
}

/// Two of a user's sessions that change, a third that comes, and others who look on.
pub(super) fn race() -> History {
    let tablet = Seat { user: 0, device: 2 };
    let mut steps: Vec<Step> = vec![sign_up(0), sign_up(1), Act::Share { host: PHONE, guest: BOB }]
        .into_iter()
        .chain(publish(PHONE, A))
        .chain([Act::LogIn { user: 0, device: 1 }])
        .map(Step::One)
        .collect();
    let looks = || vec![Act::ReadStatus { by: BOB, of: ALICE }; 3];
    steps.push(Step::AtOnce(vec![
        publish(LAPTOP, B).to_vec(),
        vec![Act::Declare { by: PHONE, set: EMPTY }, Act::Upload { by: PHONE, set: C }],
        [vec![Act::LogIn { user: 0, device: 2 }], publish(tablet, A).to_vec()].concat(),
        looks(),
        vec![Act::Sync { by: BOB, of: ALICE }, Act::AskServer { by: BOB }],
    ]));
    steps.extend([Act::Declare { by: LAPTOP, set: C }].map(Step::One));
    steps.push(Step::AtOnce(vec![
        vec![Act::LogOut { by: LAPTOP }],
        vec![Act::LogOutEverywhere { by: tablet }],
        vec![Act::Declare { by: PHONE, set: A }],
        looks(),
    ]));
    steps.extend(bob_looks().map(Step::One));
    history(steps)
}

/// Users of two other homeservers, who announce, look and resolve.
pub(super) fn across() -> History {
    let (zoe, by) = (Whom::Remote(0), PHONE);
    let mut acts = vec![sign_up(0), Act::RemoteShare { host: PHONE, remote: 0 }];
    acts.extend(publish(PHONE, A));
    acts.push(Act::RemoteRead { remote: 0, of: 0 });
    acts.push(Act::RemoteResolve { remote: 0, of: 0, what: Which::InForce });
    acts.push(Act::RemoteResolve { remote: 1, of: 0, what: Which::InForce });
    acts.push(Act::RemoteDeclare { remote: 0, set: Some(B) });
    acts.push(Act::ReadStatus { by, of: zoe });
    acts.push(Act::Sync { by, of: zoe });
    acts.push(Act::Resolve { by, of: zoe, what: Which::InForce });
    acts.push(Act::Resolve { by, of: zoe, what: Which::Unknown });
    acts.push(Act::RemoteDeclare { remote: 0, set: None });
    acts.push(Act::ReadStatus { by, of: zoe });
    acts.push(Act::Declare { by, set: C });
    acts.extend(publish(PHONE, C));
    acts.push(Act::RemoteRead { remote: 0, of: 0 });
    acts.push(Act::RemoteAskServer { remote: 0 });
    acts.push(Act::Leave { by, with: zoe });
    acts.push(Act::RemoteResolve { remote: 0, of: 0, what: Which::InForce });
    acts.push(Act::ReadStatus { by, of: zoe });
    sequence(acts)
}
