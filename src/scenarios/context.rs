//! What a scenario is given: its users, fresh sets, and the ledger that its checks go to.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::actors::{Met, RemoteServer, RemoteUser, Room, Session, Stage, User, Window};
use crate::outcome::{Judgement, Ledger, Stop};
use crate::properties::perform::Theatre;
use crate::properties::{self, Property};
use crate::spec::binding::Refusal;
use crate::spec::canonical::Object;
use crate::spec::capability::CapabilitySet;
use crate::spec::draw::Draw;
use crate::spec::hash::CapabilityHash;
use crate::target::config::{Gating, Limits};
use crate::target::provision::{Account, Lease};
use crate::wire::peer::{Peer, PeerError};

/// What users are called, in the order in which a scenario meets them.
const NAMES: [&str; 6] = ["alice", "bob", "carol", "dan", "erin", "frank"];

/// What entitled users are called.
const ENTITLED: [&str; 3] = ["grace", "heidi", "ivan"];

/// What users are called that only look entitled.
const LOOK_ALIKES: [&str; 1] = ["mallory"];

/// What users of the harness's homeservers are called.
const REMOTE: [&str; 5] = ["zoe", "yves", "xena", "walt", "vera"];

/// What users of the second homeserver are called.
const ELSEWHERE: [&str; 2] = ["nina", "oscar"];

/// Words for capability names.
const WORDS: [&str; 12] = [
    "voip",
    "e2ee",
    "push",
    "threads",
    "polls",
    "widgets",
    "location",
    "stickers",
    "voice",
    "video",
    "markdown",
    "reactions",
];

/// The context of one scenario.
#[derive(Debug)]
pub struct Cx {
    stage: Arc<Stage>,
    ledger: Arc<Ledger>,
    /// Which scenario this is, in every name it makes.
    tag: String,
    draw: Mutex<Draw>,
    names: AtomicUsize,
    /// How many homeservers of the harness it has met.
    servers: AtomicUsize,
    met: Arc<Met>,
    /// What a request of the target to a homeserver of the harness names where it concerns this scenario:
    /// what the scenario makes there, or one of its users.
    concerns: Vec<String>,
    waiting: Mutex<Waiting>,
    property: Option<&'static Property>,
    lapsed: BTreeSet<&'static str>,
}

#[derive(Debug)]
struct Waiting {
    ordinary: VecDeque<User>,
    entitled: VecDeque<User>,
    look_alikes: VecDeque<User>,
    elsewhere: VecDeque<User>,
    remote: VecDeque<&'static str>,
}

impl Cx {
    /// A context with the users of a lease, and with those of a lease at the second homeserver, on a
    /// stage of their own; what it finds, and whom it meets, survives it.
    pub(crate) fn new(
        stage: Arc<Stage>,
        (ledger, met): (Arc<Ledger>, Arc<Met>),
        id: &str,
        tag: String,
        lease: &Lease,
        elsewhere: Option<&(Arc<Stage>, Lease)>,
    ) -> Self {
        let there = elsewhere.iter().flat_map(|(stage, lease)| {
            let user = |(account, name): (&Account, _)| User::new(stage.clone(), account.clone(), name);
            lease.ordinary.iter().zip(ELSEWHERE).map(user)
        });
        let user =
            |(account, name): (&_, &&'static str)| User::new(stage.clone(), Clone::clone(account), name);
        let waiting = Waiting {
            ordinary: lease.ordinary.iter().zip(&NAMES).map(user).collect(),
            entitled: lease.entitled.iter().zip(&ENTITLED).map(user).collect(),
            look_alikes: lease.look_alikes.iter().zip(&LOOK_ALIKES).map(user).collect(),
            elsewhere: there.collect(),
            remote: REMOTE.into(),
        };
        let draw = Draw::new(stage.world().seed, id);
        let accounts = lease.ordinary.iter().chain(&lease.entitled).chain(&lease.look_alikes);
        let users = accounts.map(|account| account.user_id.clone());
        let concerns = users.chain([format!("{}-{tag}-", stage.world().run_id)]).collect();
        Self {
            stage,
            ledger,
            tag,
            draw: Mutex::new(draw),
            names: AtomicUsize::new(0),
            servers: AtomicUsize::new(0),
            met,
            concerns,
            waiting: Mutex::new(waiting),
            property: properties::find(id),
            lapsed: BTreeSet::new(),
        }
    }

    /// The same where these requirements are not demanded of generated histories.
    pub(crate) fn lapsing(self, lapsed: BTreeSet<&'static str>) -> Self {
        Self { lapsed, ..self }
    }

    /// The property that this is.
    pub(super) fn property(&self) -> Result<&'static Property, Stop> {
        let reason = || "the scenario is no property".to_owned();
        self.property.ok_or_else(|| Stop::HarnessFault { reason: reason() })
    }

    /// Where its histories are performed: on this stage, and with names of its own.
    pub(super) fn theatre(&self) -> Theatre {
        let (world, client) = (self.stage.shared_world().clone(), self.stage.client().clone());
        Theatre { world, client, lapsed: self.lapsed.clone(), decides: true }
    }

    /// With what all names begin that it makes: of `a-z` and `0-9`.
    pub(super) fn nonce(&self) -> String {
        format!("{}{}", self.stage.world().run_id, self.tag)
    }

    /// Says of the latest finding what was done, step by step.
    pub(super) fn tell(&self, history: Vec<String>) {
        self.ledger.tell(history);
    }

    /// Keeps a judgement about a requirement; see [`check!`](crate::check).
    pub async fn check(&self, requirement: &'static str, mut judgement: Judgement) -> Result<bool, Stop> {
        if !judgement.holds {
            judgement.actual = self.stage.explained(&judgement.actual);
        }
        self.ledger.check(requirement, judgement).await
    }

    /// The next user; one more than the scenario's cast is the suite's own fault.
    pub fn user(&self) -> Result<User, Stop> {
        lock(&self.waiting).ordinary.pop_front().ok_or_else(|| overdrawn("user"))
    }

    /// The next user who is entitled to the gated capability.
    pub fn entitled(&self) -> Result<User, Stop> {
        lock(&self.waiting).entitled.pop_front().ok_or_else(|| overdrawn("entitled user"))
    }

    /// The next user who is not entitled and looks it.
    pub fn look_alike(&self) -> Result<User, Stop> {
        lock(&self.waiting).look_alikes.pop_front().ok_or_else(|| overdrawn("look-alike"))
    }

    /// The next user of the second homeserver.
    pub fn elsewhere(&self) -> Result<User, Stop> {
        lock(&self.waiting).elsewhere.pop_front().ok_or_else(|| overdrawn("user of the second homeserver"))
    }

    /// The run's honest homeserver with this number, which other scenarios use, too.
    pub async fn homeserver(&self, number: usize) -> Result<RemoteServer, Stop> {
        let server = self.remote(self.stage.link()?.peers.honest(number).await)?;
        self.met.among_others(&server, self.concerns.clone());
        Ok(server)
    }

    /// A homeserver that the target has not met, for this scenario alone.
    pub async fn fresh_homeserver(&self) -> Result<RemoteServer, Stop> {
        self.fresh(self.stage.link()?.peers.fresh().await)
    }

    /// Two homeservers that the target has not met and whose keys have the same ID.
    pub async fn fresh_homeservers_with_one_key_id(&self) -> Result<[RemoteServer; 2], Stop> {
        let key_id = format!("ed25519:{}{}", self.stage.world().run_id, self.tag);
        let peers = &self.stage.link()?.peers;
        let [one, two] = [peers.fresh_with_key_id(&key_id).await, peers.fresh_with_key_id(&key_id).await];
        Ok([self.fresh(one)?, self.fresh(two)?])
    }

    fn fresh(&self, peer: Result<Arc<Peer>, PeerError>) -> Result<RemoteServer, Stop> {
        let server = self.remote(peer)?;
        self.met.alone(&server);
        Ok(server)
    }

    fn remote(&self, peer: Result<Arc<Peer>, PeerError>) -> Result<RemoteServer, Stop> {
        let number = self.servers.fetch_add(1, Relaxed);
        let tag = format!("{}-{}-{number}", self.stage.world().run_id, self.tag);
        RemoteServer::new(self.stage.clone(), peer?, tag)
    }

    /// The next user of a homeserver of the harness.
    pub fn remote_user(&self, server: &RemoteServer) -> Result<RemoteUser, Stop> {
        let name = lock(&self.waiting).remote.pop_front().ok_or_else(|| overdrawn("remote user"))?;
        Ok(server.user(name))
    }

    /// Whether the scenario says that it covers a requirement: for stories that several scenarios tell.
    pub fn covers(&self, requirement: &str) -> bool {
        self.ledger.covers(requirement)
    }

    /// The presence field in which the hash rides.
    pub fn presence_field(&self) -> &str {
        &self.stage.binding().presence.field
    }

    /// The gated capability and who may have it.
    pub fn gating(&self) -> Result<&Gating, Stop> {
        let reason = || "the target file names no gated capability ([gating])".to_owned();
        self.stage.world().target.gating.as_ref().ok_or_else(|| Stop::NotApplicable { reason: reason() })
    }

    /// A room that a session of the target made and users of the harness's homeservers have joined.
    pub async fn room_with(&self, host: &Session, guests: &[&RemoteUser]) -> Result<Room, Stop> {
        let room = Room::open(host).await?;
        for guest in guests {
            guest.join(&room).await?;
        }
        Ok(room)
    }

    /// What the target declares about its limits.
    pub fn limits(&self) -> &Limits {
        &self.stage.world().target.limits
    }

    /// The error code with which this target answers a declare without a usable hash.
    pub fn unusable_declare(&self) -> Option<&str> {
        self.stage.world().features.unusable_declare.as_deref()
    }

    /// How the binding says that an unknown hash is refused.
    pub fn refusal(&self) -> &Refusal {
        &self.stage.binding().refusal
    }

    /// The target's server name.
    pub fn server_name(&self) -> &str {
        self.stage.world().features.server_name.as_deref().unwrap_or("localhost")
    }

    /// A room that all of them have joined.
    pub async fn room(&self, host: &Session, guests: &[&Session]) -> Result<Room, Stop> {
        Room::shared_by(host, guests).await
    }

    /// Whether a hash can be put into a path on this target.
    pub fn fits_a_path(&self, hash: &CapabilityHash) -> bool {
        self.stage.fits_a_path(hash.as_str())
    }

    /// Puts every hash into paths, whatever becomes of it.
    pub fn try_every_hash(&self) {
        self.stage.try_every_hash();
    }

    /// The time within which effects must be visible, from now.
    pub fn settling(&self) -> Window<'_> {
        Window::open(&self.stage)
    }

    /// Draws as the seed says.
    pub fn draw<T>(&self, with: impl FnOnce(&mut Draw) -> T) -> T {
        with(&mut lock(&self.draw))
    }

    /// A capability name that no server has met; it sorts after those before it.
    ///
    /// So sets that are declared as they were drawn follow each other in their union, and a server that
    /// does not sort a union is found by the scenario about that.
    pub fn name(&self) -> String {
        let word = WORDS[self.draw(|draw| draw.below(WORDS.len()))];
        let number = self.names.fetch_add(1, Relaxed);
        format!("org.capcheck.{}.{}.n{number:04}.{word}", self.stage.world().run_id, self.tag)
    }

    /// A set that no server has met; its hash holds neither `+` nor `/`.
    pub fn set(&self) -> CapabilitySet {
        self.set_beside(&[])
    }

    /// A set with parameters that no server has met.
    pub fn set_with_parameters(&self) -> CapabilitySet {
        let drawn = self.draw(|draw| draw.set(true));
        let members =
            drawn.names().filter_map(|name| Some((self.name(), drawn.get(name)?.clone()))).collect();
        self.salted(members, &[])
    }

    /// Several disjoint sets; neither their hashes nor those of the union of any two and of all of them
    /// hold `+` or `/`.
    pub fn sets<const N: usize>(&self) -> [CapabilitySet; N] {
        let mut sets: Vec<CapabilitySet> = Vec::with_capacity(N);
        for _ in 0..N {
            let set = self.salted_until(self.some_names(), |set| {
                let plain = |union: CapabilitySet| union.hash().is_url_plain();
                set.hash().is_url_plain()
                    && sets.iter().all(|other| plain(CapabilitySet::union([other, set])))
                    && plain(CapabilitySet::union(sets.iter().chain([set])))
            });
            sets.push(set);
        }
        std::array::from_fn(|at| std::mem::take(&mut sets[at]))
    }

    /// A set whose hash, alone and in union with these, holds neither `+` nor `/`.
    pub fn set_beside(&self, others: &[&CapabilitySet]) -> CapabilitySet {
        self.salted(self.some_names(), others)
    }

    fn some_names(&self) -> CapabilitySet {
        let size = 1 + self.draw(|draw| draw.below(5));
        CapabilitySet::of((0..size).map(|_| self.name()))
    }

    /// A set whose canonical form has exactly so many bytes (at least [`Cx::SMALLEST`]).
    pub fn set_of_bytes(&self, bytes: usize) -> CapabilitySet {
        // Each member is its name and six bytes of quotes, colon, braces and comma; one comma is
        // missing and two braces stand around them all.
        const LONGEST: usize = 240;
        let names = (bytes - 1).div_ceil(LONGEST + 6);
        let (each, longer) = ((bytes - 1) / names, (bytes - 1) % names);
        let prefix = self.name();
        let name = |at: usize, salt: u64| {
            let length = each - 6 + usize::from(at < longer);
            format!("{:x<length$}", format!("{prefix}.{at}.{salt}."))
        };
        // Only the last name is salted, because the sets are large.
        let most: Vec<String> = (0..names - 1).map(|at| name(at, 0)).collect();
        (0u64..)
            .map(|salt| CapabilitySet::of(most.iter().cloned().chain([name(names - 1, salt)])))
            .find(|set| self.stage.fits_a_path(set.hash().as_str()))
            .unwrap_or_default()
    }

    /// The least that [`Cx::set_of_bytes`] can make: one name with the run's nonce in it.
    pub const SMALLEST: usize = 200;

    /// A set with these members whose hash is free of `+` and `/`.
    pub fn salted(&self, members: CapabilitySet, others: &[&CapabilitySet]) -> CapabilitySet {
        self.salted_until(members, |set| {
            let union = CapabilitySet::union(others.iter().copied().chain([set]));
            set.hash().is_url_plain() && union.hash().is_url_plain()
        })
    }

    /// A set with these members and one more, named so that the set is as wanted.
    ///
    /// The salt is counted and not drawn, so that the names of a run do not shift what the seed fixes.
    pub fn salted_until(
        &self,
        members: CapabilitySet,
        wanted: impl Fn(&CapabilitySet) -> bool,
    ) -> CapabilitySet {
        let name = self.name();
        (0u64..)
            .map(|salt| {
                let mut set = members.clone();
                set.insert(format!("{name}.{salt}"), Object::new());
                set
            })
            .find(|set| wanted(set))
            .unwrap_or(members)
    }

    /// A well-formed hash of a set that nobody has.
    pub fn unknown_hash(&self) -> CapabilityHash {
        self.set().hash()
    }
}

fn overdrawn(what: &str) -> Stop {
    Stop::HarnessFault { reason: format!("the scenario asks for one {what} more than its cast") }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
