//! Acts: what each of them asks of the target, and what the answer comes to.

use std::time::Duration;

use serde_json::json;

use crate::actors::{Room, Viewer};
use crate::outcome::Stop;
use crate::spec::capability::CapabilitySet;
use crate::spec::hash::CapabilityHash;
use crate::spec::history::{Act, Seat, Whom};
use crate::spec::model::Answer;

use super::came::Came;
use super::cast::{Cast, absent};

/// A set of the history as the target meets it.
pub(super) struct Dressed {
    pub(super) hash: CapabilityHash,
    pub(super) bytes: Vec<u8>,
    pub(super) set: CapabilitySet,
}

impl Dressed {
    pub(super) fn new(set: CapabilitySet) -> Self {
        let bytes = set.canonical_bytes();
        Self { hash: CapabilityHash::of(&bytes), bytes, set }
    }
}

/// What an act is about, beside what it says itself.
#[derive(Clone, Copy)]
pub(super) struct About<'a> {
    /// The sets of the history.
    pub(super) sets: &'a [Dressed],
    /// The hash that is resolved, where one is.
    pub(super) hash: Option<&'a CapabilityHash>,
    /// How long something may be waited for that is to come by itself.
    pub(super) patience: Duration,
}

impl About<'_> {
    fn set(&self, which: usize) -> Result<&Dressed, Stop> {
        self.sets.get(which).ok_or_else(|| absent("a set"))
    }

    fn hash(&self) -> Result<&CapabilityHash, Stop> {
        self.hash.ok_or_else(|| absent("a hash"))
    }

    /// The hashes that an act puts into a path.
    fn in_a_path(&self, act: &Act) -> Option<&CapabilityHash> {
        match act {
            Act::Upload { set, .. }
            | Act::UploadSpoiled { set, .. }
            | Act::UploadUnder { claim: set, .. } => self.sets.get(*set).map(|set| &set.hash),
            Act::Resolve { .. } | Act::RemoteResolve { .. } => self.hash,
            _ => None,
        }
    }
}

impl Cast {
    /// Whether an act can be done on this target: its hash survives a path.
    pub(super) fn fits(&self, act: &Act, about: About<'_>) -> bool {
        about.in_a_path(act).is_none_or(|hash| self.stage().fits_a_path(hash.as_str()))
    }

    /// Does it. That a token is dead is an answer; what else keeps an act from being done ends the performance.
    pub(super) async fn perform(&self, act: &Act, about: About<'_>) -> Result<Came, Stop> {
        match self.attempt(act, about).await {
            Err(Stop::Untestable { exchange: Some(exchange), .. })
                if exchange.errcode().as_deref() == Some("M_UNKNOWN_TOKEN") =>
            {
                Ok(Came::dead(&exchange))
            }
            came => came,
        }
    }

    async fn attempt(&self, act: &Act, about: About<'_>) -> Result<Came, Stop> {
        match act {
            Act::SignUp { .. }
            | Act::LogIn { .. }
            | Act::LogOut { .. }
            | Act::LogOutEverywhere { .. }
            | Act::DeleteDevice { .. } => self.begin_or_end(act).await,
            Act::Share { .. } | Act::Leave { .. } | Act::RemoteShare { .. } => self.come_or_go(act).await,
            Act::Declare { .. }
            | Act::Upload { .. }
            | Act::UploadUnder { .. }
            | Act::UploadSpoiled { .. }
            | Act::SetStatus { .. }
            | Act::RemoteDeclare { .. } => self.say(act, about).await,
            Act::ReadStatus { .. } | Act::Sync { .. } | Act::RemoteRead { .. } => self.look(act, about).await,
            Act::Resolve { .. }
            | Act::RemoteResolve { .. }
            | Act::UseDeadToken { .. }
            | Act::AskServer { .. }
            | Act::RemoteAskServer { .. } => self.ask(act, about).await,
        }
    }

    /// Sessions begin and end.
    async fn begin_or_end(&self, act: &Act) -> Result<Came, Stop> {
        match act {
            Act::SignUp { user } => self.sign_up(*user).await?,
            Act::LogIn { user, device } => self.log_in(Seat { user: *user, device: *device }).await?,
            Act::LogOut { by } => {
                let session = self.session(*by)?;
                session.log_out().await?;
                self.ended(*by, &session);
            }
            Act::LogOutEverywhere { by } => {
                let (session, all) = (self.session(*by)?, self.sessions_of(by.user));
                session.log_out_everywhere().await?;
                all.iter().for_each(|(seat, session)| self.ended(*seat, session));
            }
            Act::DeleteDevice { by, device } => {
                let seat = Seat { device: *device, ..*by };
                let (session, victim) = (self.session(*by)?, self.session(seat)?);
                session.delete_device(&*self.user(by.user)?, &victim).await?;
                self.ended(seat, &victim);
            }
            _ => return Err(unlike(act)),
        }
        Ok(Came::bare(Answer::Accepted))
    }

    /// Users come to share rooms, and leave them.
    async fn come_or_go(&self, act: &Act) -> Result<Came, Stop> {
        match act {
            Act::Share { host, guest } => {
                let room = Room::shared_by(&self.session(*host)?, &[&self.session(*guest)?]).await?;
                self.shares(room, [Whom::User(host.user), Whom::User(guest.user)]);
            }
            Act::RemoteShare { host, remote } => {
                let room = Room::open(&self.session(*host)?).await?;
                self.remote(*remote).await?.join(&room).await?;
                self.shares(room, [Whom::User(host.user), Whom::Remote(*remote)]);
            }
            Act::Leave { by, with } => {
                let (session, who) = (self.session(*by)?, Whom::User(by.user));
                for room in self.rooms_of(who, *with) {
                    room.leave(&session).await?;
                    self.has_left(who, &room);
                }
            }
            _ => return Err(unlike(act)),
        }
        Ok(Came::bare(Answer::Accepted))
    }

    /// Somebody says something to the target, which takes it or does not.
    async fn say(&self, act: &Act, about: About<'_>) -> Result<Came, Stop> {
        let reply = match act {
            Act::Declare { by, set } => {
                let reply = self.session(*by)?.declare_hash(&about.set(*set)?.hash).await?;
                let unusable = self.stage().world().features.unusable_declare.as_deref();
                return Ok(Came::declared(&reply, unusable));
            }
            Act::Upload { by, set } => {
                let set = about.set(*set)?;
                self.session(*by)?.upload_as(&set.hash, set.bytes.clone()).await?
            }
            Act::UploadUnder { by, claim, body } => {
                let (claim, body) = (about.set(*claim)?, about.set(*body)?);
                self.session(*by)?.upload_as(&claim.hash, body.bytes.clone()).await?
            }
            Act::UploadSpoiled { by, set, how } => {
                let set = about.set(*set)?;
                self.session(*by)?.upload_as(&set.hash, how.bytes(&set.set)).await?
            }
            Act::SetStatus { by, presence, forged } => {
                let mut content = json!({ "presence": presence.word() });
                if let Some(forged) = forged {
                    let field = &self.stage().binding().presence.field;
                    content[field] = json!({ "sha256": about.set(*forged)?.hash.as_str() });
                }
                self.session(*by)?.set_status(&content).await?
            }
            Act::RemoteDeclare { remote, set } => {
                let remote = self.remote(*remote).await?;
                let entry = match set {
                    Some(set) => remote.entry(&about.set(*set)?.set),
                    None => remote.entry_without(),
                };
                remote.server().send(&remote.server().transaction(&[entry])).await?
            }
            _ => return Err(unlike(act)),
        };
        Ok(Came::done(&reply))
    }

    /// Somebody looks at presence.
    async fn look(&self, act: &Act, about: About<'_>) -> Result<Came, Stop> {
        match act {
            Act::ReadStatus { by, of } => {
                let (session, person) = (self.session(*by)?, self.person(*of).await?);
                let status = session.status_of(&*person).await?;
                Ok(Came::status(&session, &status))
            }
            Act::Sync { by, of } => {
                let (session, viewer) = self.viewer(*by)?;
                let (person, mut viewer) = (self.person(*of).await?, viewer.lock().await);
                let viewer = match &mut *viewer {
                    Some(viewer) => {
                        let sync = viewer.follow(about.patience).await?;
                        if !sync.accepted() {
                            return Ok(Came::failed(&sync));
                        }
                        viewer
                    }
                    unopened => unopened.insert(Viewer::open(&session).await?),
                };
                Ok(Came::shown(viewer.last_shown(&*person)))
            }
            Act::RemoteRead { remote, of } => {
                let (remote, user) = (self.remote(*remote).await?, self.user(*of)?);
                let told = remote.server().last_told(&*user)?;
                Ok(Came::shown(told.as_ref().map(|(field, exchange)| (field, exchange))))
            }
            _ => Err(unlike(act)),
        }
    }

    /// Somebody asks for a hash or a set.
    async fn ask(&self, act: &Act, about: About<'_>) -> Result<Came, Stop> {
        match act {
            Act::Resolve { by, of, .. } => {
                let (session, person, hash) = (self.session(*by)?, self.person(*of).await?, about.hash()?);
                Ok(match of {
                    Whom::User(_) => Came::served(&session.resolve(&*person, hash).await?),
                    Whom::Remote(_) => Came::looked_up(&session.look_up(&*person, hash).await?),
                })
            }
            Act::RemoteResolve { remote, of, .. } => {
                let (remote, user) = (self.remote(*remote).await?, self.user(*of)?);
                Ok(Came::served(&remote.server().resolve(&*user, about.hash()?).await?))
            }
            Act::UseDeadToken { by } => Ok(Came::offered(&self.dead(*by)?.server_hash().await?)),
            Act::AskServer { by } => {
                let session = self.session(*by)?;
                let hash = Came::offered(&session.server_hash().await?);
                match self.to_be_asked_behind(&hash) {
                    Some(asked) => Ok(hash.behind(&asked, &session.server_set(&asked).await?)),
                    None => Ok(hash),
                }
            }
            Act::RemoteAskServer { remote } => {
                let remote = self.remote(*remote).await?;
                let hash = Came::offered(&remote.server().ask_server_hash_for(remote.id()).await?);
                match self.to_be_asked_behind(&hash) {
                    Some(asked) => Ok(hash.behind(&asked, &remote.server().ask_server_set(&asked).await?)),
                    None => Ok(hash),
                }
            }
            _ => Err(unlike(act)),
        }
    }

    /// The hash that was answered, where it is one and can go into a path.
    fn to_be_asked_behind(&self, came: &Came) -> Option<CapabilityHash> {
        let Answer::Hash(hash) = &came.answer else { return None };
        CapabilityHash::parse(hash).ok().filter(|hash| self.stage().fits_a_path(hash.as_str()))
    }
}

/// Acts are sorted by what they ask, above, and nowhere else.
fn unlike(act: &Act) -> Stop {
    Stop::HarnessFault { reason: format!("an act is done as if it were another: {act}") }
}
