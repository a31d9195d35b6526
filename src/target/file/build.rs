//! From the sheet of values to the target: what belongs together, and what contradicts.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::spec::binding::{Binding, Operation};
use crate::target::config::{AccountConfig, Cleanup, Entitled, Gating, Limits, Target, Users};
use crate::target::keys::{ACCOUNT, place};
use crate::target::provision::ORDINARY;
use crate::wire::{Secret, TlsTrust};

use super::document::Sheet;
use super::value::Wrong;

/// The keys of `[users]` that each way reads.
const READ_BY: [(&str, &[&str]); 4] = [
    ("register", &["registration_token", "registration_token_env"]),
    ("shared-secret", &["shared_secret", "shared_secret_env"]),
    ("accounts", &["accounts"]),
    ("tokens", &["tokens", "tokens_env"]),
];

/// Builds the target; `None` where what is required is missing, and every mistake into `wrong`.
pub(super) fn target(
    sheet: &Sheet,
    dir: &Path,
    env: &dyn Fn(&str) -> Option<String>,
    wrong: &mut Vec<Wrong>,
) -> Option<Target> {
    let mut builder = Builder { sheet, dir, env, wrong };
    // All parts are built before any is asked for, so that one run shows every mistake.
    let url = sheet.url("", "url");
    let users = builder.users();
    let gating = builder.gating();
    let tls = builder.trust("tls", "ca", "verify");
    let federation = builder.federation();
    if url.is_none() && builder.wrong.iter().all(|w| !w.message.starts_with("url")) {
        builder
            .wrong(0..0, "url is missing: the base URL of the homeserver, such as \"http://127.0.0.1:8008\"");
    }
    Some(Target {
        url: url?.clone(),
        server_name: sheet.text("", "server_name").cloned(),
        users: users?,
        gating,
        tls,
        limits: limits(sheet),
        binding: binding(sheet),
        unsupported: sheet.operations("", "unsupported").cloned().unwrap_or_default(),
        room_version: sheet.text("", "room_version").cloned(),
        cleanup: match sheet.text("", "cleanup").map(String::as_str) {
            Some("deactivate") => Cleanup::Deactivate,
            Some("none") => Cleanup::None,
            _ => Cleanup::Logout,
        },
        federation,
    })
}

pub(super) struct Builder<'a> {
    pub(super) sheet: &'a Sheet,
    /// Where relative paths start.
    pub(super) dir: &'a Path,
    env: &'a dyn Fn(&str) -> Option<String>,
    wrong: &'a mut Vec<Wrong>,
}

impl Builder<'_> {
    pub(super) fn wrong(&mut self, at: Range<usize>, message: impl Into<String>) {
        self.wrong.push(Wrong { at, message: message.into() });
    }

    /// The way that `how` names, and `register` without.
    fn way(&self) -> &str {
        self.sheet.text("users", "how").map_or("register", String::as_str)
    }

    fn users(&mut self) -> Option<Users> {
        let way = self.way().to_owned();
        for (reader, names) in READ_BY.into_iter().filter(|(reader, _)| *reader != way) {
            for name in names {
                if let Some(at) = self.sheet.at("users", name) {
                    self.wrong(at, format!("{name} is only read with how = {reader:?}, and how is {way:?}"));
                }
            }
        }
        match way.as_str() {
            "shared-secret" => {
                self.required(&["shared_secret", "shared_secret_env"]);
                let secret = self.secret(self.sheet, "users", "shared_secret", "shared_secret_env")?;
                Some(Users::SharedSecret { secret })
            }
            "accounts" => Some(Users::Accounts(self.accounts())),
            "tokens" => Some(Users::Tokens(self.tokens())),
            _ => {
                let token = self.secret(self.sheet, "users", "registration_token", "registration_token_env");
                Some(Users::Register { token })
            }
        }
    }

    /// Complains at `how` if none of these keys is there.
    fn required(&mut self, names: &[&str]) {
        if names.iter().all(|name| self.sheet.at("users", name).is_none()) {
            let at = self.sheet.at("users", "how").unwrap_or(0..0);
            let way = self.way().to_owned();
            self.wrong(at, format!("how = {way:?} needs {}", names.join(" or ")));
        }
    }

    /// A secret that stands in the file, or in the environment variable that the file names.
    fn secret(&mut self, sheet: &Sheet, section: &str, name: &str, env_name: &str) -> Option<Secret> {
        let Some(at) = sheet.at(section, env_name) else {
            return sheet.text(section, name).map(Secret::new);
        };
        if sheet.at(section, name).is_some() {
            self.wrong(at, format!("{env_name} and {name} are both given: leave one out"));
            return None;
        }
        let variable = sheet.text(section, env_name)?;
        let Some(value) = (self.env)(variable) else {
            self.wrong(at, format!("{env_name}: the environment variable {variable} is not set"));
            return None;
        };
        let value = value.trim_end_matches(['\r', '\n']);
        if value.is_empty() {
            self.wrong(at, format!("{env_name}: the environment variable {variable} is empty"));
            return None;
        }
        Some(Secret::new(value))
    }

    fn accounts(&mut self) -> Vec<AccountConfig> {
        self.required(&["accounts"]);
        let Some(sheets) = self.sheet.accounts("users", "accounts") else { return Vec::new() };
        if let (true, Some(at)) = (sheets.is_empty(), self.sheet.at("users", "accounts")) {
            self.wrong(at, "accounts is empty: a scenario needs three users or so");
        }
        let mut users = BTreeSet::new();
        let mut accounts = Vec::new();
        for account in sheets {
            let sheet = account.get_ref();
            for missing in [&["user"][..], &["password", "password_env"]] {
                if missing.iter().all(|name| sheet.at(ACCOUNT, name).is_none()) {
                    self.wrong(account.span(), format!("{} is missing in an account", missing.join(" or ")));
                }
            }
            let user = sheet.text(ACCOUNT, "user");
            if let (Some(user), Some(at)) = (user, sheet.at(ACCOUNT, "user"))
                && !users.insert(user)
            {
                self.wrong(at, format!("account {user:?} is given twice: it can be leased only once"));
            }
            let password = self.secret(sheet, ACCOUNT, "password", "password_env");
            if let (Some(user), Some(password)) = (user, password) {
                accounts.push(AccountConfig { user: user.clone(), password });
            }
        }
        accounts
    }

    fn tokens(&mut self) -> Vec<Secret> {
        self.required(&["tokens", "tokens_env"]);
        let from_env = self.secret(self.sheet, "users", "tokens", "tokens_env");
        let (at, given): (Range<usize>, Vec<(Range<usize>, &str)>) =
            match (self.sheet.texts("users", "tokens"), self.sheet.at("users", "tokens_env"), &from_env) {
                (Some(listed), None, _) => (
                    self.sheet.at("users", "tokens").unwrap_or(0..0),
                    listed.iter().map(|token| (token.span(), token.get_ref().trim())).collect(),
                ),
                (None, Some(at), Some(secret)) => {
                    let parts = secret.reveal().split([',', '\n', '\r']).map(str::trim);
                    let tokens = parts.filter(|token| !token.is_empty());
                    (at.clone(), tokens.map(|token| (at.clone(), token)).collect())
                }
                _ => return Vec::new(),
            };
        if given.is_empty() {
            self.wrong(at, "there is no token in it");
        }
        let mut tokens: Vec<Secret> = Vec::new();
        for (at, token) in given {
            let token = Secret::new(token);
            if tokens.contains(&token) {
                self.wrong(at, format!("token no. {} is given twice", tokens.len() + 1));
            }
            tokens.push(token);
        }
        tokens
    }

    fn gating(&mut self) -> Option<Gating> {
        let Some(capability) = self.sheet.text("gating", "capability") else {
            for name in ["entitled_prefix", "entitled"] {
                if let Some(at) = self.sheet.at("gating", name) {
                    self.wrong(at, format!("{} needs capability beside it", place("gating", name)));
                }
            }
            return None;
        };
        let prefix = self.sheet.at("gating", "entitled_prefix");
        let entitled = match (prefix, self.sheet.at("gating", "entitled")) {
            (Some(_), Some(at)) => {
                self.wrong(at, "entitled and entitled_prefix are both given: leave one out");
                return None;
            }
            (None, None) => {
                let at = self.sheet.at("gating", "capability").unwrap_or(0..0);
                self.wrong(at, "capability in [gating] needs entitled_prefix or entitled beside it");
                return None;
            }
            (Some(at), None) => self.prefix(at)?,
            (None, Some(at)) => self.named(at)?,
        };
        Some(Gating { capability: capability.clone(), entitled })
    }

    fn prefix(&mut self, at: Range<usize>) -> Option<Entitled> {
        let prefix = self.sheet.text("gating", "entitled_prefix")?;
        let suite_names_users = ["register", "shared-secret"].contains(&self.way());
        if suite_names_users && (ORDINARY.starts_with(prefix) || prefix.starts_with(ORDINARY)) {
            let clash = format!("entitled_prefix {prefix:?} clashes with {ORDINARY:?}");
            self.wrong(at, format!("{clash}, with which ordinary users begin"));
        }
        Some(Entitled::Prefix(prefix.clone()))
    }

    fn named(&mut self, at: Range<usize>) -> Option<Entitled> {
        let named = self.sheet.texts("gating", "entitled")?;
        if !["accounts", "tokens"].contains(&self.way()) {
            let cause = format!("entitled names users that exist, and how is {:?}", self.way());
            self.wrong(at, format!("{cause}: write entitled_prefix, or how = \"accounts\" or \"tokens\""));
        }
        Some(Entitled::Named(named.iter().map(|user| user.get_ref().clone()).collect()))
    }

    /// Which certificates are trusted, by a key with a PEM file of authorities and one that turns
    /// verification off.
    pub(super) fn trust(&mut self, section: &str, ca: &str, verify: &str) -> TlsTrust {
        let verified = self.sheet.flag(section, verify).copied().unwrap_or(true);
        let Some((at, path)) = self.file(section, ca) else {
            return if verified { TlsTrust::System } else { TlsTrust::Anything };
        };
        if !verified {
            let contradiction = format!("{ca} and {verify} = false contradict");
            self.wrong(at, format!("{contradiction}: what is not verified needs no authority"));
            return TlsTrust::Anything;
        }
        if let Err(reason) = check_pem(&path) {
            self.wrong(at, format!("{ca}: cannot use {}: {reason}", path.display()));
        }
        TlsTrust::ExtraCa(path)
    }

    /// The path that a key gives, from where relative ones start.
    pub(super) fn file(&self, section: &str, name: &str) -> Option<(Range<usize>, PathBuf)> {
        Some((self.sheet.at(section, name)?, self.dir.join(self.sheet.text(section, name)?)))
    }
}

fn check_pem(path: &Path) -> Result<(), String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&bytes) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    if roots.is_empty() {
        return Err("it holds no PEM certificate (-----BEGIN CERTIFICATE-----)".to_owned());
    }
    Ok(())
}

fn limits(sheet: &Sheet) -> Limits {
    let default = Limits::default();
    let seconds = |name| sheet.seconds("limits", name).copied();
    let count = |name| sheet.count("limits", name).copied();
    Limits {
        in_flight: count("in_flight").unwrap_or(default.in_flight),
        request_timeout: seconds("request_timeout_s").unwrap_or(default.request_timeout),
        scenario_timeout: seconds("scenario_timeout_s").unwrap_or(default.scenario_timeout),
        settle: seconds("settle_s").unwrap_or(default.settle),
        max_set_bytes: count("max_set_bytes"),
        max_body: count("max_answer_bytes").unwrap_or(default.max_body),
        rate_limit_cap: seconds("rate_limit_cap_s").unwrap_or(default.rate_limit_cap),
        connected_timeout: seconds("connected_timeout_s"),
        remote_timeout: seconds("remote_timeout_s").unwrap_or(default.remote_timeout),
        negative_cache: seconds("negative_cache_s").unwrap_or(default.negative_cache),
    }
}

fn binding(sheet: &Sheet) -> Binding {
    let mut binding = Binding::default();
    for operation in Operation::ALL {
        if let Some(route) = sheet.route("binding", operation.name()) {
            binding.set_route(operation, route.clone());
        }
    }
    if let Some(status) = sheet.route("binding", "presence_status") {
        binding.presence.status.clone_from(status);
    }
    if let Some(status) = sheet.count("binding", "refusal_status").and_then(|n| u16::try_from(*n).ok()) {
        binding.refusal.status = status;
    }
    for (name, part) in [
        ("presence_event", &mut binding.presence.event),
        ("presence_field", &mut binding.presence.field),
        ("presence_sync_path", &mut binding.presence.sync_path),
        ("presence_edu", &mut binding.presence.edu),
        ("refusal_errcode", &mut binding.refusal.errcode),
        ("unstable_feature", &mut binding.unstable_feature),
    ] {
        if let Some(text) = sheet.text("binding", name) {
            part.clone_from(text);
        }
    }
    binding
}
