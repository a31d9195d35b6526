//! What scenarios stand on: rules that others are about, shown as prerequisites.
//!
//! A scenario blames its own requirement alone. What its check rests on it shows first, and ends where that
//! is broken: untestable, because another scenario says why. From the ground up: a hash and its spelling,
//! the status that carries it, one client's set, the union of two, and what changes the union.

use crate::actors::{Expect, Session, User};
use crate::outcome::{Judgement, Stop};
use crate::spec::capability::CapabilitySet;

use super::Cx;

/// A client whose declarations the status follows, whatever hash it makes of them; the set in force.
pub(super) async fn client(cx: &Cx, user: &User, session: &Session) -> Result<CapabilitySet, Stop> {
    let less = cx.set();
    // It only grows, so that whether a new set replaces the old one or is added to it is all the same.
    let more = cx.salted(CapabilitySet::union([&less, &cx.set()]), &[]);
    session.publish(&less).await?;
    session.publish(&more).await?;
    let (_, followed) = session.status_hash_other_than(user, &[&less]).await?;
    followed.or_stop()?;
    Ok(more)
}

/// Two clients of a user, each of which has declared anew, and the union of whose sets the status carries.
/// Its hash holds both characters that are spelled differently in other alphabets.
pub(super) async fn two_clients(cx: &Cx, user: &User) -> Result<([Session; 2], [CapabilitySet; 2]), Stop> {
    let sessions = [user.session(), user.log_in("tablet").await?];
    for session in &sessions {
        session.publish(&cx.set()).await?;
    }
    let calls = cx.set();
    let maps = cx.salted_until(CapabilitySet::default(), |set| {
        let union = CapabilitySet::union([&calls, set]).hash();
        union.as_str().contains('+') && union.as_str().contains('/') && set.hash().is_url_plain()
    });
    let [phone, tablet] = &sessions;
    phone.publish(&calls).await?;
    tablet.publish(&maps).await?;
    phone.reads_or_stop(user, &[&calls, &maps]).await?;
    Ok((sessions, [calls, maps]))
}

/// One more client of the user's comes and goes, and leaves the union as it was.
pub(super) async fn leaving(cx: &Cx, user: &User, stay: &[&CapabilitySet]) -> Result<(), Stop> {
    let guest = user.log_in("guest").await?;
    guest.publish(&cx.set_beside(stay)).await?;
    guest.log_out().await?;
    user.session().reads_or_stop(user, stay).await
}

/// A declared set that resolves although there was another before it.
pub(super) async fn resolvable(cx: &Cx, user: &User, session: &Session) -> Result<CapabilitySet, Stop> {
    session.publish(&cx.set()).await?;
    let set = cx.set();
    session.publish(&set).await?;
    session.can_resolve(user, &set).await?.or_stop()?;
    Ok(set)
}

/// A hash that nobody uploaded is refused.
pub(super) async fn refusal(cx: &Cx, session: &Session) -> Result<(), Stop> {
    session.declare_hash(&cx.unknown_hash()).await?.is_declined().or_stop()
}

/// A hash that nobody uploaded resolves to nothing.
pub(super) async fn resolving_nothing(cx: &Cx, user: &User, session: &Session) -> Result<(), Stop> {
    session.resolve(user, &cx.unknown_hash()).await?.is_rejected_with_error().or_stop()
}

/// A second client of a user: what it declares shows that what came before has been worked off.
pub(super) struct Marker<'s> {
    cx: &'s Cx,
    user: &'s User,
    session: Session,
}

impl<'s> Marker<'s> {
    /// A client whose declarations the status follows beside this set of the user's.
    pub(super) async fn beside(cx: &'s Cx, user: &'s User, set: &CapabilitySet) -> Result<Self, Stop> {
        let marker = Self { cx, user, session: user.log_in("tablet").await? };
        marker.session.publish(&cx.set()).await?;
        marker.shows(set).await?.or_stop()?;
        Ok(marker)
    }

    /// Declares anew, and judges whether the status comes to carry that and this set of the user's.
    pub(super) async fn shows(&self, set: &CapabilitySet) -> Result<Judgement, Stop> {
        let mark = self.cx.set_beside(&[set]);
        self.session.publish(&mark).await?;
        self.session.status_settles_on(self.user, &Expect::union_of(&[set, &mark])).await
    }
}
