//! Who plays in one performance: fresh users with their sessions, viewers and rooms, and users elsewhere.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::join_all;
use tokio::sync::OnceCell;

use crate::actors::{Person, RemoteServer, RemoteUser, Room, Session, Stage, User, Viewer, World};
use crate::outcome::Stop;
use crate::spec::history::{Act, DEVICES, History, REMOTES, Seat, Whom, words};
use crate::target::config::{Cleanup, Users};
use crate::target::provision::{self, Account, Lease};
use crate::target::room;

/// A viewer that several lanes may ask; it opens when it is first asked.
pub(super) type Seen = Arc<tokio::sync::Mutex<Option<Viewer>>>;

/// The cast of one performance.
pub(super) struct Cast {
    stage: Arc<Stage>,
    /// In every name.
    nonce: String,
    remotes: [OnceCell<RemoteUser>; REMOTES],
    roster: Mutex<Roster>,
}

/// Who is there, and who was.
#[derive(Default)]
struct Roster {
    /// Held until the end.
    leases: Vec<Lease>,
    /// Accounts that nobody has signed up with yet, where they were leased at the start.
    waiting: VecDeque<Account>,
    users: BTreeMap<usize, Arc<User>>,
    live: BTreeMap<Seat, Playing>,
    /// The last that ended on each seat.
    dead: BTreeMap<Seat, Session>,
    rooms: Vec<Shared>,
}

/// A session that lives.
struct Playing {
    session: Session,
    viewer: Seen,
}

/// A room of two, and whether they are still in it.
struct Shared {
    room: Room,
    members: Vec<Whom>,
}

impl Cast {
    /// A cast of whom nobody is there yet; where users are finite all that the history needs are leased now,
    /// so that two performances cannot starve each other.
    pub(super) async fn new(stage: Arc<Stage>, nonce: &str, history: &History) -> Result<Self, Stop> {
        let mut roster = Roster::default();
        let signs_up = |act: &&Act| matches!(act, Act::SignUp { .. });
        let users = history.acts().filter(signs_up).count();
        if is_finite(&stage) && users > 0 {
            let given = stage.world().provisioner.ordinary_users().unwrap_or(users);
            let lease = lease(&stage, users.min(given)).await?;
            roster.waiting.extend(lease.ordinary.iter().cloned());
            roster.leases.push(lease);
        }
        let (nonce, roster, remotes) = (nonce.to_owned(), Mutex::new(roster), Default::default());
        Ok(Self { stage, nonce, remotes, roster })
    }

    /// Gives every user back, by a session that still lives where there is one.
    pub(super) async fn release(&self) {
        let World { provisioner, target, .. } = self.stage.world();
        let client = self.stage.client();
        // Nobody will use these again; who has no session and knew no room has nothing to be tidied up.
        let is_tidy = target.cleanup == Cleanup::Logout
            && !is_finite(&self.stage)
            && !client.transcript().sent_any(room::is_entered_by);
        let leases = self.lock().part();
        let left = leases.into_iter().filter(|(_, lives)| !is_tidy || *lives);
        join_all(left.map(|(lease, _)| provisioner.release(client, lease))).await;
    }

    /// A user comes into being, or is given.
    pub(super) async fn sign_up(&self, who: usize) -> Result<(), Stop> {
        let given = self.lock().waiting.pop_front();
        let account = match given {
            Some(account) => account,
            None => {
                let lease = lease(&self.stage, 1).await?;
                let account = lease.ordinary.first().cloned();
                self.lock().leases.push(lease);
                account.ok_or_else(|| absent("a user that was leased"))?
            }
        };
        let user = Arc::new(User::new(self.stage.clone(), account, words::user(who)));
        let first = user.session();
        let mut roster = self.lock();
        roster.users.insert(who, user);
        roster.begins(Seat { user: who, device: 0 }, first);
        Ok(())
    }

    /// A login on a device: the same device IDs for every user, as the key of a session is both (protocol 2).
    pub(super) async fn log_in(&self, seat: Seat) -> Result<(), Stop> {
        let user = self.user(seat.user)?;
        let known = self.lock().device(seat);
        let id = known.unwrap_or_else(|| format!("CAP-{}-{}", self.nonce, seat.device % DEVICES));
        let session = user.log_in_on(&id, words::device(seat.device)).await?;
        self.lock().begins(seat, session);
        Ok(())
    }

    /// That a session has ended, if it is still that one.
    pub(super) fn ended(&self, seat: Seat, session: &Session) {
        self.lock().ends(seat, session);
    }

    /// The live sessions of a user.
    pub(super) fn sessions_of(&self, user: usize) -> Vec<(Seat, Session)> {
        let roster = self.lock();
        let theirs = roster.live.iter().filter(|(seat, _)| seat.user == user);
        theirs.map(|(seat, playing)| (*seat, playing.session.clone())).collect()
    }

    /// The session on a seat; the last one where another lane has just ended it.
    pub(super) fn session(&self, seat: Seat) -> Result<Session, Stop> {
        let roster = self.lock();
        let live = roster.live.get(&seat).map(|playing| &playing.session);
        live.or(roster.dead.get(&seat)).cloned().ok_or_else(|| absent("a session"))
    }

    /// The last session that ended on a seat.
    pub(super) fn dead(&self, seat: Seat) -> Result<Session, Stop> {
        self.lock().dead.get(&seat).cloned().ok_or_else(|| absent("a session that has ended"))
    }

    /// The session on a seat, and its viewer.
    pub(super) fn viewer(&self, seat: Seat) -> Result<(Session, Seen), Stop> {
        let session = self.session(seat)?;
        let viewer = self.lock().live.get(&seat).map(|playing| playing.viewer.clone());
        Ok((session, viewer.unwrap_or_default()))
    }

    /// A user of the target.
    pub(super) fn user(&self, who: usize) -> Result<Arc<User>, Stop> {
        self.lock().users.get(&who).cloned().ok_or_else(|| absent("a user"))
    }

    /// A user of another homeserver, which is met when it is first asked for.
    pub(super) async fn remote(&self, who: usize) -> Result<&RemoteUser, Stop> {
        let meet = || async move {
            let peer = self.stage.link()?.peers.honest(who).await?;
            let tag = format!("{}-{}", self.stage.world().run_id, self.nonce);
            let server = RemoteServer::new(self.stage.clone(), peer, tag)?;
            Ok(server.user(words::remote(who)))
        };
        self.remotes.get(who).ok_or_else(|| absent("another homeserver"))?.get_or_try_init(meet).await
    }

    /// Whoever that is.
    pub(super) async fn person(&self, whom: Whom) -> Result<Arc<dyn Person>, Stop> {
        Ok(match whom {
            Whom::User(who) => self.user(who)?,
            Whom::Remote(who) => Arc::new(self.remote(who).await?.clone()),
        })
    }

    /// That two are in a room.
    pub(super) fn shares(&self, room: Room, members: [Whom; 2]) {
        self.lock().rooms.push(Shared { room, members: members.to_vec() });
    }

    /// The rooms in which both are.
    pub(super) fn rooms_of(&self, one: Whom, other: Whom) -> Vec<Room> {
        let both = |shared: &&Shared| [one, other].iter().all(|who| shared.members.contains(who));
        self.lock().rooms.iter().filter(both).map(|shared| shared.room.clone()).collect()
    }

    /// That somebody has left a room.
    pub(super) fn has_left(&self, who: Whom, room: &Room) {
        for shared in self.lock().rooms.iter_mut().filter(|shared| shared.room.id() == room.id()) {
            shared.members.retain(|member| *member != who);
        }
    }

    /// Where they play.
    pub(super) fn stage(&self) -> &Arc<Stage> {
        &self.stage
    }

    fn lock(&self) -> MutexGuard<'_, Roster> {
        self.roster.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Roster {
    /// The leases, whose users are named with a session that lives, and whether there is any.
    fn part(&mut self) -> Vec<(Lease, bool)> {
        let Self { leases, live, .. } = self;
        let named = |mut lease: Lease| {
            let mut lives = false;
            for account in &mut lease.ordinary {
                let theirs = live.values().find(|playing| playing.session.user_id() == account.user_id);
                if let Some(login) = theirs.and_then(|playing| playing.session.login()) {
                    (account.first, lives) = (login, true);
                }
            }
            (lease, lives)
        };
        std::mem::take(leases).into_iter().map(named).collect()
    }

    fn begins(&mut self, seat: Seat, session: Session) {
        let playing = Playing { session, viewer: Seen::default() };
        if let Some(replaced) = self.live.insert(seat, playing) {
            self.dead.insert(seat, replaced.session);
        }
    }

    fn ends(&mut self, seat: Seat, session: &Session) {
        if self.live.get(&seat).is_some_and(|playing| playing.session.is(session)) {
            self.live.remove(&seat);
        }
        self.dead.insert(seat, session.clone());
    }

    /// The ID of the device on a seat, once there has been one.
    fn device(&self, seat: Seat) -> Option<String> {
        let live = self.live.get(&seat).map(|playing| &playing.session);
        live.or(self.dead.get(&seat)).map(|session| session.device_id().to_owned())
    }
}

async fn lease(stage: &Stage, ordinary: usize) -> Result<Lease, Stop> {
    let cast = provision::Cast { ordinary, ..provision::Cast::default() };
    stage.world().provisioner.lease(stage.client(), cast).await.map_err(Stop::from)
}

/// Whether users are given, and not made.
pub(super) fn is_finite(stage: &Stage) -> bool {
    matches!(stage.world().target.users, Users::Accounts(_) | Users::Tokens(_))
}

/// A history that asks for what is not there is not one that can be performed.
pub(super) fn absent(what: &str) -> Stop {
    Stop::HarnessFault { reason: format!("the history needs {what} that is not there") }
}
