//! The way between the target and the harness's own homeservers: preflight goes it once, in both
//! directions, and says what stands in it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use url::Url;

use crate::spec::binding::Operation;
use crate::spec::hash::CapabilityHash;
use crate::wire::peer::{Asked, Peer, Peers, PeersConfig};
use crate::wire::signing::ServerKeys;
use crate::wire::{Client, Exchange, NetworkFault, Request};

use super::absence::{self, is_unsupported, standing};
use super::config::{Federation, Target};
use super::features::{Feature, Features, Standing};
use super::keys::PEERS_NEEDED;
use super::pair::create_room;
use super::provision::Account;

/// How much longer than the target's own deadline a silent peer holds an answer back.
const HOLD_BEYOND: Duration = Duration::from_secs(15);

/// How long a target that never asked for keys is given to show why.
const GOODBYE: Duration = Duration::from_millis(500);

/// How many requests, and how many incidents, are told of.
const NOTED: usize = 5;

/// A way that preflight found open, in both directions.
#[derive(Clone, Debug)]
pub struct Link {
    /// The harness's own homeservers.
    pub peers: Arc<Peers>,
    /// Speaks to the target's federation port.
    pub client: Client,
    /// The target's server name: the destination of signed requests.
    pub destination: String,
}

/// Goes the way between target and harness and records how it stands; the link, where it is open.
pub(super) async fn establish(
    client: &Client,
    target: &Target,
    user: &Account,
    run_id: &str,
    features: &mut Features,
) -> Option<Link> {
    let Some(federation) = &target.federation else {
        let reason = "the target file has no [federation]: it says how the target and the harness's homeservers reach each other (docs/federation.md)";
        set_all(features, &Standing::NotApplicable(reason.to_owned()));
        return None;
    };
    let opened = match &features.server_name {
        Some(name) => open(client, target, federation, name, run_id).await,
        None => Err("the target's server name is unknown: set server_name".to_owned()),
    };
    let walked = match opened {
        Ok(link) => link.walk(client, target, user, run_id, features).await.map(|()| link),
        Err(reason) => Err(reason),
    };
    match walked {
        Ok(link) => {
            features.notes.extend(too_few_ports(federation));
            features.set(Feature::Federation, Standing::Available);
            Some(link)
        }
        Err(reason) => {
            set_all(features, &Standing::Broken(reason));
            None
        }
    }
}

/// The way that nobody needs is not gone.
pub(super) fn leave_out(features: &mut Features) -> Option<Link> {
    let reason = "nothing that is selected needs the harness's homeservers";
    set_all(features, &Standing::NotApplicable(reason.to_owned()));
    None
}

/// Said aloud where a full run will use up the ports.
fn too_few_ports(federation: &Federation) -> Option<String> {
    let ports = federation.ports.as_ref()?.len();
    (ports < PEERS_NEEDED).then(|| {
        format!("ports in [federation] are {ports}, and a full run needs {PEERS_NEEDED}: what comes last will be untestable")
    })
}

/// The operations between homeservers.
const OPERATIONS: [Operation; 3] = [Operation::FedServerHash, Operation::FedServerSet, Operation::FedResolve];

fn set_all(features: &mut Features, standing: &Standing) {
    features.set(Feature::Federation, standing.clone());
    for operation in OPERATIONS {
        features.set(Feature::Operation(operation), standing.clone());
    }
}

/// From the harness to the target: its federation port, and the keys that it signs with.
async fn open(
    client: &Client,
    target: &Target,
    federation: &Federation,
    name: &str,
    run_id: &str,
) -> Result<Link, String> {
    let url = match &federation.url {
        Some(url) => url.clone(),
        None => federation_url(name)
            .ok_or_else(|| format!("{name:?} is no host and port: set url in [federation]"))?,
    };
    let client = client.toward(url.clone(), federation.tls.clone()).map_err(|error| error.to_string())?;
    let version = client.send(Request::new("GET", "/_matrix/federation/v1/version")).await;
    reached(&version, &url)?;
    let answer = client.send(Request::new("GET", "/_matrix/key/v2/server")).await;
    let body = reached(&answer, &url)?;
    let keys = ServerKeys::read(&body, name)
        .map_err(|fault| format!("the keys of the target (GET /_matrix/key/v2/server): {fault}"))?;
    let peers = Peers::new(PeersConfig {
        listen: federation.listen,
        advertise: federation.advertise.clone(),
        ports: federation.ports.clone(),
        identity: federation.identity.clone(),
        run_id: run_id.to_owned(),
        binding: target.binding.clone(),
        hold: target.limits.remote_timeout + HOLD_BEYOND,
    })
    .map_err(|error| error.to_string())?;
    peers.introduce(keys);
    Ok(Link { peers: Arc::new(peers), client, destination: name.to_owned() })
}

/// Where a homeserver of this name listens for others; neither well-known files nor SRV records are looked up.
fn federation_url(name: &str) -> Option<Url> {
    let mut url = Url::parse(&format!("https://{name}")).ok()?;
    // A port that is the scheme's own is not told apart from none at all.
    if url.port().is_none() && !name.ends_with(":443") {
        url.set_port(Some(8448)).ok()?;
    }
    (url.path() == "/" && url.host_str().is_some()).then_some(url)
}

/// The body of an answer from the target's federation port, or what keeps the harness from it.
fn reached(exchange: &Exchange, url: &Url) -> Result<Vec<u8>, String> {
    let said = exchange.describe();
    let asked = &exchange.request.path;
    match &exchange.result {
        Ok(response) if response.status == 200 && is_object(&response.body) => Ok(response.body.to_vec()),
        Ok(_) => Err(format!(
            "GET {asked} at {url} was answered {said}: is this the target's federation port? ([federation] url)"
        )),
        Err(NetworkFault::Tls(_)) => Err(distrusted(url, &said)),
        Err(_) => {
            // What speaks the other of the two says nothing, or hangs up.
            let speaks =
                if url.scheme() == "https" { "TLS, as https:// says" } else { "plain HTTP, as http:// says" };
            Err(format!(
                "the harness does not reach the target's federation port {url}: {said}. Does it listen there, and speak {speaks}? ([federation] url)"
            ))
        }
    }
}

/// What a TLS library says of a certificate, what that means, and what to do about it.
const DISTRUST: [(&str, &str); 5] = [
    (
        "InvalidContentType",
        "No TLS is spoken there: is it the client port, or one for http://? ([federation] url)",
    ),
    (
        "CaUsedAsEndEntity",
        "Its certificate is an authority's own: it needs one of its own, with basicConstraints CA:FALSE, that an authority issued (docs/federation.md shows how), or target_verify = false in [federation]",
    ),
    ("expired", "Its certificate has to be renewed, or the clock of this machine is wrong"),
    ("not valid yet", "Its certificate is not valid yet, or the clock of this machine is wrong"),
    ("not valid for", "Its certificate is for other names: url in [federation] has to use one of them"),
];

/// Why the target's federation port is not trusted.
fn distrusted(url: &Url, said: &str) -> String {
    let known = DISTRUST.iter().find(|(words, _)| said.contains(words));
    let advice = known.map_or("Name its authority in [federation] target_ca", |(_, advice)| advice);
    format!("the harness does not trust the target's federation port {url}: {said}. {advice}")
}

fn is_object(body: &[u8]) -> bool {
    serde_json::from_slice::<Value>(body).is_ok_and(|value| value.is_object())
}

impl Link {
    /// What the target asked of the harness's homeservers, or tried to, that no scenario speaks of.
    pub fn observations(&self) -> Vec<String> {
        let unexpected = self.peers.unexpected();
        let asked = unexpected.iter().take(NOTED).map(|(request, times)| {
            format!("the target asked the harness's homeservers for {request} ({times} times), which they do not serve")
        });
        let incidents = self.peers.incidents();
        let mut tried = BTreeMap::<&str, (&str, usize)>::new();
        for incident in &incidents {
            tried.entry(&incident.what).or_insert((&incident.peer, 0)).1 += 1;
        }
        let tried = tried.into_iter().take(NOTED).map(|(what, (first, times))| match times {
            1 => format!("at the harness's homeserver {first}: {what}"),
            _ => format!("at the harness's homeservers: {what} ({times} times, first at {first})"),
        });
        asked.chain(tried).collect()
    }

    /// From the target to the harness, and into a room.
    async fn walk(
        &self,
        client: &Client,
        target: &Target,
        user: &Account,
        run_id: &str,
        features: &mut Features,
    ) -> Result<(), String> {
        let peer = self.peers.honest(0).await.map_err(|error| error.to_string())?;
        let anywhere = self.send(&peer, "GET", &absence::in_the_federation_api(run_id)).await;
        // Who answers once need not fetch keys: that it takes signatures unseen is for a scenario to say.
        let mut answers = false;
        for operation in OPERATIONS {
            let exchange = self.ask(&peer, target, operation).await;
            let mut nowhere = vec![anywhere.clone()];
            if absence::is_bare(&exchange) {
                let path = absence::below(&exchange, run_id);
                nowhere.push(self.send(&peer, &exchange.request.method, &path).await);
            }
            // Nor need who knows no such path look at the signature.
            answers |= exchange.status() == Some(200) || is_unsupported(&exchange, &nowhere);
            if !answers {
                self.target_reaches(&peer, target, &exchange).await?;
            }
            features.set(Feature::Operation(operation), standing(target, operation, &exchange, &nowhere));
        }
        self.shares_a_room(client, target, user, &peer).await
    }

    async fn ask(&self, peer: &Peer, target: &Target, operation: Operation) -> Arc<Exchange> {
        let route = target.binding.route(operation);
        let user = format!("@preflight:{}", peer.name());
        let hash = CapabilityHash::of(b"{}");
        let path = route.path(&[("user_id", &user), ("hash", hash.as_str())]);
        let request = peer.request(&self.destination, &route.method, &path, None);
        self.client.send(request.operation(operation)).await
    }

    async fn send(&self, peer: &Peer, method: &str, path: &str) -> Arc<Exchange> {
        self.client.send(peer.request(&self.destination, method, path, None)).await
    }

    /// Whether the target can have asked the peer for its keys; one that has not refuses every signature.
    async fn target_reaches(&self, peer: &Peer, target: &Target, answer: &Exchange) -> Result<(), String> {
        let listen = target.federation.as_ref().map(|federation| federation.listen);
        let keys_fetched = peer.journal().arrivals().iter().any(|arrival| arrival.asked == Asked::Keys);
        if keys_fetched {
            return Ok(());
        }
        // The target may answer before the broken handshake that made it answer so is written down.
        self.peers.incidents_changed(0, GOODBYE).await;
        let incidents = self.peers.incidents();
        let said = answer.describe();
        let name = peer.name();
        if let Some(distrust) = incidents.iter().find(|incident| incident.distrust) {
            return Err(format!(
                "the target does not trust the certificate of the harness's homeserver {name} ({}): make it trust the authority of [federation] (Synapse: federation_custom_ca_list), which most homeservers read when they start. A signed request got {said}",
                distrust.what
            ));
        }
        if let Some(incident) = incidents.first() {
            return Err(format!(
                "the target comes to the harness's homeserver {name} and does not get through: {}. A signed request got {said}",
                incident.what
            ));
        }
        if answer.status() == Some(403) {
            return Err(format!(
                "the target refuses the harness's homeserver {name} without asking for its keys: does it talk to some homeservers only (Synapse: federation_domain_whitelist)? A signed request got {said}"
            ));
        }
        Err(format!(
            "the target never asks the harness's homeserver {name} for its keys (it listens at {}): does that name lead there from the target's machine ([federation] listen, advertise), are private addresses denied (Synapse: ip_range_blacklist, federation_ip_range_blacklist), or does it ask a notary instead (Synapse: trusted_key_servers: [])? A signed request got {said}",
            listen.map_or_else(String::new, |listen| listen.to_string())
        ))
    }

    /// Whether the peer can join a room of the target, by which all sharing begins.
    async fn shares_a_room(
        &self,
        client: &Client,
        target: &Target,
        user: &Account,
        peer: &Peer,
    ) -> Result<(), String> {
        let room = create_room(client, target, &user.first.token)
            .await
            .map_err(|reason| format!("no room to share with the harness's homeservers: {reason}"))?;
        let guest = format!("@preflight:{}", peer.name());
        let broken = |what: &str, fault: &dyn fmt::Display| {
            format!("the harness's homeserver {} cannot {what} a room of the target: {fault}", peer.name())
        };
        peer.join(&self.client, &self.destination, &room, &guest)
            .await
            .map_err(|fault| broken("join", &fault))?;
        peer.leave(&self.client, &self.destination, &room, &guest)
            .await
            .map_err(|fault| broken("leave", &fault))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_name_says_where_its_server_listens() {
        let url = |name: &str| federation_url(name).map(|url| url.to_string());
        assert_eq!(url("localhost:18448").as_deref(), Some("https://localhost:18448/"));
        assert_eq!(url("example.org").as_deref(), Some("https://example.org:8448/"));
        assert_eq!(url("example.org:443").as_deref(), Some("https://example.org/"));
        assert_eq!(url("[::1]:8449").as_deref(), Some("https://[::1]:8449/"));
        assert_eq!(url("a/b"), None);
        assert_eq!(url(""), None);
    }
}
