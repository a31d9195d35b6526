//! Access tokens that exist: their users and devices are asked of the server, and nobody logs in or out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::try_join_all;
use tokio::sync::OnceCell;

use crate::wire::{Client, Request, Secret};

use super::accounts::is_entitled;
use super::answer::{self, broken, said};
use super::pool::{Pool, Seat};
use super::{Account, Cast, Lease, Login, ProvisionError, Provisioner};

/// The tokens of the target file, and whose they are once the server has said so.
#[derive(Debug)]
pub(super) struct Tokens {
    list: Vec<Secret>,
    known: OnceCell<Known>,
    /// Sessions of leased users that nobody uses yet.
    spare: Mutex<BTreeMap<String, Vec<Login>>>,
}

#[derive(Debug)]
struct Known {
    users: Vec<Vec<Login>>,
    pool: Arc<Pool>,
}

impl Tokens {
    pub(super) fn new(list: &[Secret]) -> Self {
        Self { list: list.to_vec(), known: OnceCell::new(), spare: Mutex::default() }
    }

    pub(super) async fn lease(
        &self,
        provisioner: &Provisioner,
        client: &Client,
        cast: Cast,
    ) -> Result<Lease, ProvisionError> {
        self.list.iter().for_each(|token| client.transcript().conceal(token));
        let known = self.known.get_or_try_init(|| self.ask(provisioner, client)).await?;
        let seats = known.pool.take(cast, "users with tokens", "tokens").await?;
        let mut users =
            try_join_all(seats.iter().map(|seat| self.enter(provisioner, client, known, seat))).await?;
        let entitled = users.split_off(cast.ordinary);
        Ok(Lease { ordinary: users, entitled, look_alikes: Vec::new(), seats })
    }

    /// How many users are known, of either kind.
    pub(super) fn total(&self) -> Cast {
        self.known.get().map_or_else(Cast::default, |known| known.pool.total())
    }

    /// Whether a user is known to have several tokens.
    pub(super) fn may_have_spares(&self) -> bool {
        self.known.get().is_some_and(|known| known.users.iter().any(|sessions| sessions.len() > 1))
    }

    /// A session of a leased user that nobody uses yet; on this device, where one is named.
    pub(super) fn spare(&self, user_id: &str, device_id: Option<&str>) -> Result<Login, ProvisionError> {
        let mut spare = self.lock();
        let sessions = spare.entry(user_id.to_owned()).or_default();
        let fits = |session: &Login| device_id.is_none_or(|wanted| session.device_id == wanted);
        match sessions.iter().position(fits) {
            Some(index) => Ok(sessions.remove(index)),
            None => Err(ProvisionError::NotApplicable(
                "needs a login: the target file gives ready tokens only".to_owned(),
            )),
        }
    }

    /// Every session of a user, as far as tokens for them were given.
    pub(super) fn sessions_of(&self, user_id: &str) -> &[Login] {
        let users = self.known.get().map_or(&[][..], |known| &known.users);
        users.iter().find(|sessions| sessions[0].user_id == user_id).map_or(&[], Vec::as_slice)
    }

    async fn ask(&self, provisioner: &Provisioner, client: &Client) -> Result<Known, ProvisionError> {
        let asked = self.list.iter().enumerate().map(|(index, token)| who_is(client, index + 1, token));
        let mut users: BTreeMap<String, Vec<Login>> = BTreeMap::new();
        for session in try_join_all(asked).await? {
            let sessions = users.entry(session.user_id.clone()).or_default();
            // Two tokens of one device are one session.
            if sessions.iter().all(|known| known.device_id != session.device_id) {
                sessions.push(session);
            }
        }
        let gating = provisioner.gating.as_ref();
        let pool = Pool::new(users.keys().map(|user_id| is_entitled(gating, user_id)));
        Ok(Known { users: users.into_values().collect(), pool })
    }

    /// Makes a user as good as new, who cannot be logged out: every session declares `{}`.
    async fn enter(
        &self,
        provisioner: &Provisioner,
        client: &Client,
        known: &Known,
        seat: &Seat,
    ) -> Result<Account, ProvisionError> {
        let sessions = &known.users[seat.index];
        let first = &sessions[0];
        let declared = sessions.iter().map(|session| provisioner.hygiene.declare_nothing(client, session));
        try_join_all(declared).await?;
        provisioner.hygiene.leave_rooms(client, first).await?;
        provisioner.hygiene.shows_nothing(client, first).await?;
        self.lock().insert(first.user_id.clone(), sessions[1..].to_vec());
        Ok(Account { user_id: first.user_id.clone(), first: first.clone(), password: None })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Login>>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose token it is (Matrix, `GET /account/whoami`). It is called by its number: it is never shown.
async fn who_is(client: &Client, number: usize, token: &Secret) -> Result<Login, ProvisionError> {
    let exchange = client.send(Request::new("GET", "/_matrix/client/v3/account/whoami").token(token)).await;
    let failure = format!("token no. {number} of [users] is of no use");
    let answer = answer::ok(client, &exchange, &failure)?;
    let device =
        answer.get("device_id").and_then(|device| device.as_str()).filter(|device| !device.is_empty());
    match (answer::user_id(&answer), device) {
        (Some(user_id), Some(device)) => {
            Ok(Login { user_id, device_id: device.to_owned(), token: token.clone() })
        }
        (Some(_), None) => Err(broken(format!("{failure}: it belongs to no device"), Some(&exchange))),
        (None, _) => Err(broken(format!("{failure}: {}", said(client, &exchange)), Some(&exchange))),
    }
}
