//! Preflight: is the target there, is it a homeserver, and what does it offer?

use std::sync::Arc;

use serde_json::{Value, json};

use crate::spec::binding::{Binding, Operation, encode};
use crate::spec::canonical::{Json, Object};
use crate::spec::capability::CapabilitySet;
use crate::spec::hash::CapabilityHash;
use crate::wire::{CONTROL, Client, Exchange, NetworkFault, Request, TlsTrust, rate_limit};

use super::absence::{self, is_unsupported, standing};
use super::config::Target;
use super::features::{Feature, Features, Standing};
use super::federation::{self, Link};
use super::patience::ask_until;
use super::provision::{Account, Cast, Login, ProvisionError, Provisioner};

/// Why nothing can be tested at all: exit code 4.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PreflightError {
    /// No connection, or no answer.
    #[error("{url} is unreachable: {reason}. Is the homeserver running, and is this its client-server URL?")]
    Unreachable {
        /// The URL that was asked.
        url: String,
        /// The network's words.
        reason: String,
    },
    /// The TLS handshake failed.
    #[error("{url}: {reason}. {hint}")]
    Tls {
        /// The URL that was asked.
        url: String,
        /// The TLS library's words.
        reason: String,
        /// What to do.
        hint: &'static str,
    },
    /// It answers, but not as a homeserver.
    #[error(
        "{url} is not a homeserver: GET /_matrix/client/versions was answered {answer}; expected 200 with a list `versions`"
    )]
    NotAHomeserver {
        /// The URL that was asked.
        url: String,
        /// What came back.
        answer: String,
    },
    /// It answers that it does not work, or not now: a 5xx, or a 429 beyond what is obeyed.
    #[error(
        "{url} cannot be tested now: GET /_matrix/client/versions was answered {answer}. Does the homeserver behind it work, and does it let you in?"
    )]
    Unavailable {
        /// The URL that was asked.
        url: String,
        /// What came back.
        answer: String,
    },
    /// No user could be made or logged in.
    #[error("no user on {url}: {reason}{hint}")]
    NoUser {
        /// The URL that was asked.
        url: String,
        /// What the server said.
        reason: String,
        /// What to do, where it is known: a sentence with the full stop before it, or nothing.
        hint: &'static str,
    },
    /// Every operation is unsupported.
    #[error(
        "{url} is a homeserver without the capability API: {operations} are all unsupported ({first}). Is what serves them installed and loaded, such as a module, and on this port? If their paths are others, set [binding] in a target file"
    )]
    NoApi {
        /// The URL that was asked.
        url: String,
        /// The operations.
        operations: String,
        /// The first operation's answer.
        first: String,
    },
}

/// What preflight found.
#[derive(Debug)]
pub struct Found {
    /// What the target offers.
    pub features: Features,
    /// The way to the harness's own homeservers, where it is open.
    pub link: Option<Link>,
}

/// Probes a target; a run uses what is found, `capcheck doctor` prints it. Whether the harness's own homeservers
/// and the target reach each other is looked at where they are to meet.
pub async fn probe(
    client: &Client,
    target: &Target,
    provisioner: &Provisioner,
    run_id: &str,
    federated: bool,
) -> Result<Found, PreflightError> {
    let mut features = Features::default();
    let versions = homeserver(client, target).await?;
    note_versions(&mut features, target, &versions);
    declared(&mut features, target, provisioner);
    let cast = Cast { ordinary: 1, ..Cast::default() };
    let lease = provisioner.lease(client, cast).await.map_err(|error| no_user(target, error))?;
    let alone = "the target file gives one access token per user, so nobody has a second session";
    let sessions = match provisioner.may_have_sessions() {
        true => Standing::Available,
        false => Standing::NotApplicable(alone.to_owned()),
    };
    features.set(Feature::Sessions, sessions);
    let account = &lease.ordinary[0];
    let found = account.user_id.split_once(':').map(|(_, name)| name.to_owned());
    if let (Some(declared), Some(found)) = (&target.server_name, &found)
        && declared != found
    {
        features
            .notes
            .push(format!("the target file says server_name = {declared:?}, its user IDs say {found:?}"));
    }
    features.server_name = found.or_else(|| target.server_name.clone());
    let probe = Probe { client, target, user: account, run_id };
    let probed = probe.everything(&mut features).await;
    let link = match probed {
        Ok(()) if federated => federation::establish(client, target, account, run_id, &mut features).await,
        Ok(()) => federation::leave_out(&mut features),
        Err(_) => None,
    };
    provisioner.release(client, lease).await;
    probed.map(|()| Found { features, link })
}

/// Whether something there speaks Matrix; the answer of `/versions`.
async fn homeserver(client: &Client, target: &Target) -> Result<Value, PreflightError> {
    let url = target.url.to_string();
    let exchange = client.send(Request::new("GET", CONTROL)).await;
    let said = exchange.describe();
    let answer = match &exchange.result {
        Ok(response) => response,
        Err(NetworkFault::Tls(_)) => {
            let hint = match said.contains("InvalidContentType") {
                true => "Something there speaks plain HTTP: try http://",
                false => "Name the certificate authority in [tls] ca, or set [tls] verify = false",
            };
            return Err(PreflightError::Tls { url, reason: said, hint });
        }
        Err(NetworkFault::NotHttp(_)) if target.url.scheme() == "http" => {
            let answer = format!("{said} (if it speaks TLS, try https://)");
            return Err(PreflightError::NotAHomeserver { url, answer });
        }
        Err(NetworkFault::NotHttp(_) | NetworkFault::TooLong { .. }) => {
            return Err(PreflightError::NotAHomeserver { url, answer: said });
        }
        Err(_) => return Err(PreflightError::Unreachable { url, reason: said }),
    };
    if answer.status == 429 {
        let answer = format!("{said}: {}", rate_limit::explain(&exchange, client.config().max_obeyed));
        return Err(PreflightError::Unavailable { url, answer });
    }
    if answer.status >= 500 {
        return Err(PreflightError::Unavailable { url, answer: said });
    }
    let versions: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if answer.status == 200 && versions["versions"].as_array().is_some_and(|list| !list.is_empty()) {
        return Ok(versions);
    }
    // Redirects are not followed; where this one leads is what the user wants to know.
    let leads = exchange.recorded.response_headers.iter().find(|(name, _)| name == "location");
    let leads = leads.map(|(_, to)| format!(" (redirects to {to})")).unwrap_or_default();
    Err(PreflightError::NotAHomeserver { url, answer: said + &leads })
}

fn note_versions(features: &mut Features, target: &Target, versions: &Value) {
    if target.tls == TlsTrust::Anything {
        features.notes.push("TLS verification is OFF: anybody could be answering ([tls] verify)".to_owned());
    }
    if target.federation.as_ref().is_some_and(|federation| federation.tls == TlsTrust::Anything) {
        let off = "TLS verification of the federation port is OFF: anybody could be answering ([federation] target_verify)";
        features.notes.push(off.to_owned());
    }
    let (binding, usual) = (&target.binding, Binding::default());
    let name = &binding.unstable_feature;
    // Where the operations lie elsewhere, clients would look for them in vain.
    let is_promised = *name != usual.unstable_feature
        || Operation::CLIENT.iter().all(|operation| binding.route(*operation) == usual.route(*operation));
    if is_promised && versions["unstable_features"][name.as_str()] != json!(true) {
        features.notes.push(format!("GET /versions does not list {name}: true under unstable_features"));
    }
}

/// What needs no request: the target file says it.
fn declared(features: &mut Features, target: &Target, provisioner: &Provisioner) {
    let or = |there: bool, reason: &str| match there {
        true => Standing::Available,
        false => Standing::NotApplicable(reason.to_owned()),
    };
    let tokens = "the target file gives ready access tokens, so nothing can log in or out";
    features.set(Feature::Login, or(provisioner.can_log_in(), tokens));
    features.set(
        Feature::Gating,
        or(target.gating.is_some(), "the target file names no gated capability ([gating])"),
    );
    let limit = "the target file names no limit for sets (limits.max_set_bytes)";
    features.set(Feature::SizeLimit, or(target.limits.max_set_bytes.is_some(), limit));
}

/// Another way to users is the remedy where this one was refused, and not where the server broke down, cannot
/// be reached or wants patience.
fn no_user(target: &Target, error: ProvisionError) -> PreflightError {
    let hint = match error.exchange() {
        Some(exchange) if matches!(exchange.status(), Some(401 | 403)) || exchange.is_unrecognized() => {
            ". Set [users] in a target file (`capcheck init` writes one)"
        }
        _ => "",
    };
    PreflightError::NoUser { url: target.url.to_string(), reason: error.to_string(), hint }
}

/// Probes with one user.
struct Probe<'p> {
    client: &'p Client,
    target: &'p Target,
    user: &'p Account,
    run_id: &'p str,
}

impl Probe<'_> {
    async fn everything(&self, features: &mut Features) -> Result<(), PreflightError> {
        self.operations(features).await?;
        self.presence(features).await;
        self.sets(features).await;
        Ok(())
    }

    /// Which operations are there, told apart from a path that cannot exist.
    async fn operations(&self, features: &mut Features) -> Result<(), PreflightError> {
        let anywhere = self.send(Request::new("GET", absence::in_the_client_api(self.run_id))).await;
        let plain = self.salted(|set| set.hash().is_url_plain(), Object::new(), "");
        let (mut missing, mut offered) = (Vec::new(), plain.hash());
        for operation in Operation::CLIENT {
            let hash = if operation == Operation::ServerSet { &offered } else { &plain.hash() };
            let exchange = self.ask(operation, hash, plain.canonical_bytes()).await;
            if operation == Operation::ServerHash {
                // A hash that the server gives is one that it cannot say it does not know.
                offered = told(&exchange).unwrap_or(offered);
            }
            let mut nowhere = vec![anywhere.clone()];
            if absence::is_bare(&exchange) {
                let path = absence::below(&exchange, self.run_id);
                nowhere.push(self.send(Request::new(&exchange.request.method, path)).await);
            }
            if operation == Operation::Declare {
                features.unusable_declare = self.unusable_declare().await;
            }
            features
                .set(Feature::Operation(operation), standing(self.target, operation, &exchange, &nowhere));
            if is_unsupported(&exchange, &nowhere) {
                missing.push(exchange);
            }
        }
        match missing.first() {
            Some(first) if missing.len() == Operation::CLIENT.len() => Err(PreflightError::NoApi {
                url: self.target.url.to_string(),
                operations: Operation::CLIENT.map(Operation::name).join(", "),
                first: format!(
                    "{} {} was answered {}",
                    first.recorded.method,
                    first.request.path,
                    first.describe()
                ),
            }),
            _ => Ok(()),
        }
    }

    /// The error code for a declare without a usable hash, which no refusal may share.
    async fn unusable_declare(&self) -> Option<String> {
        let route = self.target.binding.route(Operation::Declare);
        let exchange = self.send(Request::new(&route.method, route.path(&[])).body("{}")).await;
        exchange.errcode()
    }

    /// Presence is set and then observed: a server may have it switched off, or take its time.
    async fn presence(&self, features: &mut Features) {
        let path = format!("/_matrix/client/v3/presence/{}/status", encode(&self.user.user_id));
        let status = json!({ "presence": "unavailable", "status_msg": self.run_id });
        let put = self.send(Request::new("PUT", path).json(&status)).await;
        let standing = match put.status() {
            Some(200) => self.presence_is_shown().await,
            _ => Standing::Broken(format!(
                "presence cannot be set: PUT status was answered {}",
                put.describe()
            )),
        };
        features.set(Feature::Presence, standing);
    }

    async fn presence_is_shown(&self) -> Standing {
        let path = self.target.binding.presence.status.path(&[("user_id", &self.user.user_id)]);
        let ask = || self.send(Request::new("GET", path.clone()));
        let shown =
            |exchange: &Arc<Exchange>| exchange.json().is_some_and(|said| said["status_msg"] == self.run_id);
        let get =
            ask_until(self.target.limits.settle, ask, |get| get.status() != Some(200) || shown(get)).await;
        match get.status() {
            Some(200) if shown(&get) => Standing::Available,
            Some(200) => Standing::Broken(
                "presence is switched off: a status that was set is not shown (Synapse: presence.enabled)"
                    .to_owned(),
            ),
            _ => Standing::Broken(format!(
                "presence cannot be read: GET status was answered {}",
                get.describe()
            )),
        }
    }

    /// Which sets are taken, and whether hashes survive the URL.
    async fn sets(&self, features: &mut Features) {
        // What cannot be uploaded shows nothing.
        let upload = features.standing(Feature::Operation(Operation::Upload));
        if upload != Standing::Available {
            for feature in [Feature::Parameters, Feature::OpaqueNames, Feature::EveryHash] {
                features.set(feature, upload.clone());
            }
            return;
        }
        let plain = self.salted(|set| set.hash().is_url_plain(), Object::new(), "");
        let baseline = self.upload(&plain).await;
        let with = |parameters, prefix| self.salted(|set| set.hash().is_url_plain(), parameters, prefix);
        let parameters = Object::from([("max".to_owned(), Json::Integer(1))]);
        let probes = [
            (Feature::Parameters, with(parameters, ""), "capabilities with parameters"),
            (Feature::OpaqueNames, with(Object::new(), "Ünlike "), "names outside the identifier grammar"),
        ];
        for (feature, set, what) in probes {
            let exchange = self.upload(&set).await;
            let standing = match (baseline.status(), exchange.status()) {
                (_, Some(200)) => Standing::Available,
                (Some(200), Some(400)) => {
                    Standing::NotApplicable(format!("the target refuses {what}: {}", exchange.describe()))
                }
                _ => Standing::Broken(format!("the probe with {what} was answered {}", exchange.describe())),
            };
            features.set(feature, standing);
        }
        features.set(Feature::EveryHash, self.every_hash(&baseline).await);
    }

    /// Whether hashes with `+` and `/` survive the path as well as one without did.
    async fn every_hash(&self, baseline: &Exchange) -> Standing {
        let spoiled = |set: &CapabilitySet| ['+', '/'].iter().all(|c| set.hash().as_str().contains(*c));
        let exchange = self.upload(&self.salted(spoiled, Object::new(), "")).await;
        match (baseline.status(), exchange.status()) {
            (Some(200), Some(200)) => Standing::Available,
            (Some(200), _) => Standing::Broken(format!(
                "{} was answered {}, while a hash without + and / is taken: does a proxy decode the path? (nginx: proxy_pass \
                 without a path; Apache: AllowEncodedSlashes NoDecode and nocanon)",
                exchange.request.path,
                exchange.describe()
            )),
            _ => Standing::Broken(format!("no upload succeeds: {}", baseline.describe())),
        }
    }

    /// A fresh set of one capability, named until it is as wanted.
    fn salted(
        &self,
        wanted: impl Fn(&CapabilitySet) -> bool,
        parameters: Object,
        prefix: &str,
    ) -> CapabilitySet {
        let named = |salt: u32| {
            (format!("{prefix}org.capcheck.{}.preflight.{salt}", self.run_id), parameters.clone())
        };
        (0..).map(|salt| CapabilitySet::from_iter([named(salt)])).find(wanted).unwrap_or_default()
    }

    async fn upload(&self, set: &CapabilitySet) -> Arc<Exchange> {
        self.ask(Operation::Upload, &set.hash(), set.canonical_bytes()).await
    }

    async fn ask(
        &self,
        operation: Operation,
        hash: &CapabilityHash,
        body: impl Into<bytes::Bytes>,
    ) -> Arc<Exchange> {
        let route = self.target.binding.route(operation);
        let path = route.path(&[("user_id", &self.user.user_id), ("hash", hash.as_str())]);
        let request = Request::new(&route.method, path).operation(operation);
        self.send(if route.method == "GET" { request } else { request.body(body) }).await
    }

    async fn send(&self, request: Request) -> Arc<Exchange> {
        let Login { token, .. } = &self.user.first;
        self.client.send(request.token(token)).await
    }
}

/// The hash in an answer.
fn told(exchange: &Exchange) -> Option<CapabilityHash> {
    CapabilityHash::parse(exchange.json()?["sha256"].as_str()?).ok()
}

#[cfg(test)]
mod tests;
