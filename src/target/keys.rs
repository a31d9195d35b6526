//! Every key of a target file, as data.
//!
//! The reader, its errors, `capcheck init` and `docs/target.md` all speak from this one table.

use crate::spec::binding::Operation;

/// What a value must be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A base URL with nothing after the host.
    Url,
    /// A Matrix server name.
    ServerName,
    /// Text that is not empty.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Names of operations.
    Operations,
    /// Text that is never shown.
    Secret,
    /// Several of those.
    Secrets,
    /// The name of an environment variable.
    Variable,
    /// How localparts begin.
    Prefix,
    /// Full user IDs.
    UserIds,
    /// Tables with the keys of [`ACCOUNT`].
    Accounts,
    /// A file, relative to the target file.
    File,
    /// An IP address.
    Address,
    /// A DNS name or an IP address.
    Host,
    /// A port, or a range of ports.
    Ports,
    /// `true` or `false`.
    Flag,
    /// A whole number within these bounds.
    Count {
        /// The least.
        least: usize,
        /// The greatest.
        most: usize,
    },
    /// A number of seconds within these bounds, fractions allowed.
    Seconds {
        /// The least.
        least: f64,
        /// The greatest.
        most: f64,
    },
    /// A method and a path template with these variables.
    Route(&'static [&'static str]),
    /// Dot-separated JSON keys.
    KeyPath,
    /// The status of a refusal.
    RefusalStatus,
    /// The error code of a refusal.
    RefusalCode,
}

impl Kind {
    /// What is expected, as a phrase that follows "must be".
    pub fn expected(&self) -> String {
        let known = |words: &[&str]| words.iter().map(|w| format!("{w:?}")).collect::<Vec<_>>().join(", ");
        match self {
            Self::Url => "an http or https URL such as \"http://127.0.0.1:8008\"".to_owned(),
            Self::ServerName => "a server name such as \"example.org\"".to_owned(),
            Self::Text => "a string".to_owned(),
            Self::Word([word]) => format!("{word:?}"),
            Self::Word(words) => format!("one of {}", known(words)),
            Self::Operations => format!("an array of {}", known(&Operation::ALL.map(Operation::name))),
            Self::Secret => "a string (a secret)".to_owned(),
            Self::Secrets => "an array of strings (secrets)".to_owned(),
            Self::Variable => "the name of an environment variable".to_owned(),
            Self::Prefix => "the beginning of a localpart: a-z, 0-9 and ._=/+-".to_owned(),
            Self::UserIds => "an array of user IDs such as \"@bob:example.org\"".to_owned(),
            Self::Accounts => "an array of tables with user and password".to_owned(),
            Self::File => "the path of a file".to_owned(),
            Self::Address => "an IP address such as \"127.0.0.1\"".to_owned(),
            Self::Host => "a DNS name or an IP address, without a port".to_owned(),
            Self::Ports => "a range of ports such as \"9000-9031\", or one port".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::Count { least, most } => format!("a whole number from {least} to {most}"),
            Self::Seconds { least, most } => format!("a number of seconds from {least} to {most}"),
            Self::Route([]) => "a method and a path, without variables".to_owned(),
            Self::Route(names) => {
                let names: Vec<String> = names.iter().map(|n| format!("{{{n}}}")).collect();
                format!("a method and a path that holds {}", names.join(" and "))
            }
            Self::KeyPath => "JSON keys joined by dots".to_owned(),
            Self::RefusalStatus => "a status from 400 to 499 other than 401, 405 and 429".to_owned(),
            Self::RefusalCode => {
                "a Matrix error code that means nothing else, such as \"M_NOT_FOUND\"".to_owned()
            }
        }
    }
}

/// What holds where a key is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Otherwise {
    /// This value, as TOML; writing it down changes nothing.
    Default(&'static str),
    /// No value; here is what that means, and a value to show the form.
    Absent {
        /// What its absence means.
        means: &'static str,
        /// A value, as TOML.
        example: &'static str,
    },
}

/// One key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Key {
    /// Its section; empty at the top.
    pub section: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What its value must be.
    pub kind: Kind,
    /// What holds without it.
    pub otherwise: Otherwise,
    /// What it means, in a sentence or two.
    pub meaning: &'static str,
}

impl Key {
    /// Its name with its section, as people say it: `settle_s in [limits]`.
    pub fn place(&self) -> String {
        place(self.section, self.name)
    }
}

/// A key's name with its section, as people say it.
pub(super) fn place(section: &str, name: &str) -> String {
    match section {
        "" => name.to_owned(),
        ACCOUNT => format!("{name} of an account"),
        section => format!("{name} in [{section}]"),
    }
}

/// The sections, in the order of the file.
pub const SECTIONS: [&str; 6] = ["users", "gating", "tls", "limits", "federation", "binding"];

/// The pseudo-section of the tables in `accounts`.
pub const ACCOUNT: &str = "users.accounts";

/// A literal, so that the meaning of `ports` can hold it.
macro_rules! peers_needed {
    () => {
        14
    };
}

/// How many homeservers of the harness a full run starts, each on a port of its own.
pub const PEERS_NEEDED: usize = peers_needed!();

/// The four ways for users to come into being.
pub const WAYS: &[&str] = &["register", "shared-secret", "accounts", "tokens"];

/// The row of a key.
pub fn find(section: &str, name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.section == section && key.name == name)
}

/// The candidate that a misspelt word most likely means, if any comes near.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase().replace('-', "_");
    let distance =
        |candidate: &str| strsim::damerau_levenshtein(&word, &candidate.to_lowercase().replace('-', "_"));
    let (steps, candidate) =
        candidates.into_iter().map(|c| (distance(c), c)).min_by_key(|(steps, _)| *steps)?;
    (steps <= 1.max(word.chars().count().max(candidate.chars().count()) / 3)).then_some(candidate)
}

/// A millisecond: no deadline is shorter.
const INSTANT: f64 = 0.001;

const fn key(
    section: &'static str,
    name: &'static str,
    kind: Kind,
    otherwise: Otherwise,
    meaning: &'static str,
) -> Key {
    Key { section, name, kind, otherwise, meaning }
}

const fn without(means: &'static str, example: &'static str) -> Otherwise {
    Otherwise::Absent { means, example }
}

const fn seconds(least: f64, most: f64) -> Kind {
    Kind::Seconds { least, most }
}

use Otherwise::Default as By;

/// Every key, in the order of `capcheck init`.
#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    key("", "url", Kind::Url, without("required", r#""http://127.0.0.1:8008""#),
        "The client-server base URL of the homeserver under test."),
    key("", "server_name", Kind::ServerName, without("read off the user IDs that the server gives", r#""localhost:8448""#),
        "Its server name, the part of user IDs after the colon."),
    key("", "unsupported", Kind::Operations, By("[]"),
        "Operations that the server does not have: their requirements are not applicable instead of untestable."),
    key("", "room_version", Kind::Text, without("the server's default", r#""10""#),
        "The version of the rooms that scenarios create."),
    key("", "dialect", Kind::Word(&["union"]), By(r#""union""#),
        "What presence carries: the hash of the union of the connected clients' sets (draft of 2014-12)."),
    key("", "cleanup", Kind::Word(&["logout", "deactivate", "none"]), By(r#""logout""#),
        "What happens to users afterwards. logout: out of all rooms, and logged out everywhere. deactivate: the accounts that the suite registered are deactivated, others logged out. none: nothing."),

    key("users", "how", Kind::Word(WAYS), By(r#""register""#),
        "How users come into being: registered by POST /register, registered by Synapse's shared-secret endpoint, accounts that exist, or access tokens that exist."),
    key("users", "registration_token", Kind::Secret, without("servers that ask for one cannot be registered at", r#""swordfish""#),
        "For m.login.registration_token, with how = \"register\"."),
    key("users", "registration_token_env", Kind::Variable, without("", r#""CAPCHECK_REGISTRATION_TOKEN""#),
        "The environment variable that holds it."),
    key("users", "shared_secret", Kind::Secret, without("required by how = \"shared-secret\"", r#""swordfish""#),
        "Synapse's registration_shared_secret, with how = \"shared-secret\"."),
    key("users", "shared_secret_env", Kind::Variable, without("", r#""CAPCHECK_SHARED_SECRET""#),
        "The environment variable that holds it."),
    key("users", "accounts", Kind::Accounts, without("required by how = \"accounts\"", r#"[{ user = "alice", password_env = "ALICE_PASSWORD" }, { user = "bob", password_env = "BOB_PASSWORD" }]"#),
        "Accounts that exist, with how = \"accounts\". Each is leased to one scenario at a time, logged out everywhere and out of all rooms first: give the suite its own."),
    key("users", "tokens", Kind::Secrets, without("required by how = \"tokens\"", r#"["syt_YWxpY2U", "syt_Ym9i"]"#),
        "Access tokens that exist, with how = \"tokens\". Tokens of one user are sessions of that user; what needs login or logout is not applicable."),
    key("users", "tokens_env", Kind::Variable, without("", r#""CAPCHECK_TOKENS""#),
        "The environment variable that holds them, separated by commas or line breaks."),
    key(ACCOUNT, "user", Kind::Text, without("required", r#""alice""#),
        "Full user ID or localpart."),
    key(ACCOUNT, "password", Kind::Secret, without("required, or password_env", r#""swordfish""#),
        "Its password."),
    key(ACCOUNT, "password_env", Kind::Variable, without("", r#""ALICE_PASSWORD""#),
        "The environment variable that holds it."),

    key("gating", "capability", Kind::Text, without("gating is not applicable", r#""m.cap.content_repo.v1""#),
        "A capability that the server's set names for entitled users and for nobody else (draft S2)."),
    key("gating", "entitled_prefix", Kind::Prefix, without("required by capability, unless entitled is given", r#""granted-""#),
        "Users whose localpart begins so are entitled; not \"cap-\", with which ordinary users begin."),
    key("gating", "entitled", Kind::UserIds, without("", r#"["@bob:localhost:8448"]"#),
        "The entitled users by name; with how = \"accounts\" or \"tokens\"."),

    key("tls", "ca", Kind::File, without("the operating system's authorities alone", r#""ca.pem""#),
        "A PEM file with certificate authorities to trust too, relative to this file."),
    key("tls", "verify", Kind::Flag, By("true"),
        "Whether certificates are verified at all; a run says loudly that they are not."),

    key("limits", "in_flight", Kind::Count { least: 1, most: 1024 }, By("32"),
        "Requests under way at once, long polls aside."),
    key("limits", "request_timeout_s", seconds(INSTANT, 600.0), By("10"),
        "Deadline for connection, first byte and body, each."),
    key("limits", "scenario_timeout_s", seconds(INSTANT, 3600.0), By("60"),
        "Deadline for a scenario, time spent obeying 429 and waiting for lookups at other homeservers aside."),
    key("limits", "settle_s", seconds(INSTANT, 600.0), By("5"),
        "Within which the effects of an accepted request are visible to everybody."),
    key("limits", "max_set_bytes", Kind::Count { least: 2, most: 1 << 30 }, without("only the harmlessness of large uploads is tested", "65536"),
        "The longest body that the server takes for an uploaded set: beyond it 413 is expected."),
    key("limits", "max_answer_bytes", Kind::Count { least: 1024, most: 1 << 30 }, By("4194304"),
        "The longest answer body that is read; one set may be spelled in six times its shortest bytes."),
    key("limits", "rate_limit_cap_s", seconds(0.0, 3600.0), By("60"),
        "The longest time spent obeying 429 for one request; beyond it, untestable."),
    key("limits", "connected_timeout_s", seconds(INSTANT, 86400.0), without("only logout and deletion end a connection", "300"),
        "After which the server takes an idle session for disconnected; the suite keeps its sessions active."),
    key("limits", "remote_timeout_s", seconds(INSTANT, 600.0), By("30"),
        "Within which a client's lookup at a remote homeserver is answered, failed ones too."),
    key("limits", "negative_cache_s", seconds(0.0, 86400.0), By("0"),
        "How long the server may remember that a remote lookup failed; 0: not at all."),

    key("federation", "url", Kind::Url, without("https://SERVER_NAME, port 8448 if the name has none", r#""https://127.0.0.1:8448""#),
        "The base URL of the target's federation port, as the harness reaches it."),
    key("federation", "target_ca", Kind::File, without("the operating system's authorities alone", r#""federation-ca/ca.pem""#),
        "A PEM file with the certificate authorities that vouch for that port too, relative to this file."),
    key("federation", "target_verify", Kind::Flag, without("it is verified", "false"),
        "Whether that port's certificate is verified at all; a run says loudly that it is not."),
    key("federation", "listen", Kind::Address, without("127.0.0.1, which this machine alone can reach", r#""0.0.0.0""#),
        "The address at which the harness's own homeservers listen; 0.0.0.0 is every address."),
    key("federation", "advertise", Kind::Host, without("localhost when listening on loopback, else the address in listen", r#""host.docker.internal""#),
        "The host in their server names: how the target reaches them."),
    key("federation", "ports", Kind::Ports, without("any that are free", r#""9000-9031""#),
        concat!("Their ports, one a homeserver; a full run starts ", peers_needed!(), ". For targets to whom ports are published or forwarded.")),
    key("federation", "ca_cert", Kind::File, without("required, unless cert is given", r#""federation-ca/ca.pem""#),
        "The authority that issues their certificates, which the target trusts: ca.pem of capcheck federation-ca, relative to this file."),
    key("federation", "ca_key", Kind::File, without("required by ca_cert", r#""federation-ca/ca.key""#),
        "Its private key: ca.key of capcheck federation-ca."),
    key("federation", "cert", Kind::File, without("", r#""harness.pem""#),
        "Instead of an authority: a certificate of your own for the advertised host, PEM, leaf first, relative to this file."),
    key("federation", "key", Kind::File, without("required by cert", r#""harness.key""#),
        "Its private key, PEM."),

    key("binding", "server_hash", Kind::Route(Operation::ServerHash.variables()), By(r#""GET /_matrix/client/unstable/org.matrix.capability_sets/server/users/{user_id}""#),
        "User ID to the hash of the server's capabilities (draft S2, S3)."),
    key("binding", "server_set", Kind::Route(Operation::ServerSet.variables()), By(r#""GET /_matrix/client/unstable/org.matrix.capability_sets/server/sets/{hash}""#),
        "Hash to the server's capabilities (draft S4, S5)."),
    key("binding", "declare", Kind::Route(Operation::Declare.variables()), By(r#""PUT /_matrix/client/unstable/org.matrix.capability_sets/session""#),
        "A session declares its set by hash (draft C2, C6, C8)."),
    key("binding", "upload", Kind::Route(Operation::Upload.variables()), By(r#""PUT /_matrix/client/unstable/org.matrix.capability_sets/sets/{hash}""#),
        "A client uploads the set behind a hash (draft C7)."),
    key("binding", "resolve", Kind::Route(Operation::Resolve.variables()), By(r#""GET /_matrix/client/unstable/org.matrix.capability_sets/users/{user_id}/sets/{hash}""#),
        "Hash and user ID to the set (draft C9 to C11)."),
    key("binding", "fed_server_hash", Kind::Route(Operation::FedServerHash.variables()), By(r#""GET /_matrix/federation/unstable/org.matrix.capability_sets/server/users/{user_id}""#),
        "server_hash over federation (draft F2)."),
    key("binding", "fed_server_set", Kind::Route(Operation::FedServerSet.variables()), By(r#""GET /_matrix/federation/unstable/org.matrix.capability_sets/server/sets/{hash}""#),
        "server_set over federation (draft F2)."),
    key("binding", "fed_resolve", Kind::Route(Operation::FedResolve.variables()), By(r#""GET /_matrix/federation/unstable/org.matrix.capability_sets/users/{user_id}/sets/{hash}""#),
        "resolve over federation (draft F2)."),
    key("binding", "presence_event", Kind::Text, By(r#""m.presence""#),
        "The type of the event that carries the hash (draft C4, C5)."),
    key("binding", "presence_field", Kind::Text, By(r#""org.matrix.capability_sets""#),
        "The field of its content that holds {\"sha256\": H}."),
    key("binding", "presence_sync_path", Kind::KeyPath, By(r#""presence.events""#),
        "Where the events lie in an answer of /sync."),
    key("binding", "presence_status", Kind::Route(&["user_id"]), By(r#""GET /_matrix/client/v3/presence/{user_id}/status""#),
        "The request that reads a user's presence."),
    key("binding", "presence_edu", Kind::Text, By(r#""m.presence""#),
        "The type of the EDU that carries the hash over federation."),
    key("binding", "refusal_status", Kind::RefusalStatus, By("404"),
        "The status with which the declaring of an unknown hash is refused (draft C6)."),
    key("binding", "refusal_errcode", Kind::RefusalCode, By(r#""M_NOT_FOUND""#),
        "The error code of that refusal."),
    key("binding", "unstable_feature", Kind::Text, By(r#""org.matrix.capability_sets""#),
        "The name under unstable_features in /_matrix/client/versions."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_sections_known() {
        for (i, key) in KEYS.iter().enumerate() {
            assert!(
                KEYS[..i].iter().all(|k| (k.section, k.name) != (key.section, key.name)),
                "{}",
                key.place()
            );
            assert!(
                key.section.is_empty() || key.section == ACCOUNT || SECTIONS.contains(&key.section),
                "{}",
                key.place()
            );
        }
    }

    #[test]
    fn nearest_finds_slips_and_leaves_strangers_alone() {
        let words = ["register", "shared-secret", "accounts", "tokens"];
        for (slip, meant) in [
            ("registr", Some("register")),
            ("shared_secret", Some("shared-secret")),
            ("Tokens", Some("tokens")),
            ("acounts", Some("accounts")),
            ("ldap", None),
            ("", None),
        ] {
            assert_eq!(nearest(slip, words), meant, "{slip}");
        }
    }
}
