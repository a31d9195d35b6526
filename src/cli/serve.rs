//! `capcheck serve`: the built-in homeserver, on its own.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use ruma_common::ServerName;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::interrupt::Interrupt;
use super::output::fail;
use super::runtime;
use crate::engine::exit::{FAULT, USAGE};
use crate::proof::freedom::Combination;
use crate::reference::{
    self, Fault, FederationOptions, Grant, Named as _, Options, Running, ServerLimits, TlsIdentity,
    UnknownName, Variant,
};
use crate::spec::binding::Binding;
use crate::target::template::binding_section;
use crate::wire::authority::Authority;

/// Within which another homeserver must answer: short, since whoever tries a suite on it waits for every
/// homeserver that does not.
const REMOTE_TIMEOUT: Duration = Duration::from_secs(5);

/// Runs the built-in homeserver until it is interrupted
#[derive(Debug, clap::Args)]
pub(super) struct ServeArgs {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8008")]
    listen: SocketAddr,
    /// The domain of its users [default: localhost:PORT, with federation its port]
    #[arg(long, value_name = "NAME")]
    server_name: Option<String>,
    /// Federate, and listen there for other homeservers, over TLS; port 0 takes a free one
    #[arg(long, value_name = "ADDR")]
    federation_listen: Option<SocketAddr>,
    /// The authority that its certificate comes from; `capcheck federation-ca DIR` makes one
    #[arg(long, value_name = "DIR", requires = "federation_listen")]
    federation_ca: Option<PathBuf>,
    /// A PEM file with authorities of other homeservers; repeatable [default: that of --federation-ca]
    #[arg(long, value_name = "FILE", requires = "federation_listen")]
    trust_ca: Vec<PathBuf>,
    /// A capability for users whose localpart matches a glob; repeatable
    /// [default: m.cap.content_repo.v1=granted-*]
    #[arg(long, value_name = "CAP=GLOB")]
    grant: Vec<Grant>,
    /// How users sign up: dummy, token:TOKEN, terms, shared-secret:SECRET or closed
    #[arg(
        long,
        value_name = "HOW",
        default_value = "dummy",
        env = "CAPCHECK_REGISTRATION",
        hide_env_values = true
    )]
    registration: String,
    /// A user that exists from the start; repeatable
    #[arg(long, value_name = "USER:PASSWORD")]
    account: Vec<String>,
    /// Have no presence
    #[arg(long)]
    no_presence: bool,
    /// The longest capability set that is taken, in bytes
    #[arg(long, value_name = "BYTES")]
    max_set_bytes: Option<usize>,
    /// Deviate from the protocol, to try a client or a suite on; repeatable
    #[arg(long, value_name = "ID")]
    fault: Vec<Fault>,
    /// List the faults, and what each breaks
    #[arg(long)]
    list_faults: bool,
    /// Take a freedom that the protocol leaves to homeservers, or `random` ones; repeatable
    #[arg(long, value_name = "ID|random", value_parser = freedom)]
    variant: Vec<Freedom>,
    /// Which random freedoms: a combination of `capcheck prove`
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// List the variants, and what lets each
    #[arg(long, conflicts_with = "list_faults")]
    list_variants: bool,
}

/// What `--variant` takes.
#[derive(Clone, Copy, Debug)]
enum Freedom {
    This(Variant),
    Random,
}

fn freedom(id: &str) -> Result<Freedom, UnknownName> {
    match id {
        "random" => Ok(Freedom::Random),
        id => id.parse().map(Freedom::This),
    }
}

impl ServeArgs {
    /// The freedoms that it takes, and the shoulds that it lets go with random ones.
    fn combination(&self) -> Combination {
        let mut taken = Combination::default();
        for freedom in &self.variant {
            match freedom {
                Freedom::This(variant) => taken.variants.insert(*variant),
                Freedom::Random => taken = taken.and(&Combination::random(self.seed)),
            }
        }
        taken
    }

    /// The options, or one line about what is wrong.
    fn options(self) -> Result<Options, String> {
        let defaults = Options::default();
        let limits = defaults.limits;
        let federation = self.federation()?;
        let taken = self.combination();
        let options = Options {
            federation,
            server_name: self.server_name,
            grants: if self.grant.is_empty() { defaults.grants } else { self.grant },
            registration: parsed("--registration", &self.registration)?,
            accounts: self.account.iter().map(|text| parsed("--account", text)).collect::<Result<_, _>>()?,
            limits: ServerLimits {
                max_set_bytes: self.max_set_bytes.unwrap_or(limits.max_set_bytes),
                ..limits
            },
            faults: self.fault.into_iter().chain(taken.lapses.iter()).collect(),
            presence_enabled: !self.no_presence,
            ..Options::default()
        };
        Ok(options.taking(taken.variants))
    }

    /// No federation; then a fault that only other homeservers meet would do nothing, silently.
    fn alone(&self) -> Result<Option<FederationOptions>, String> {
        if let Some(fault) = self.fault.iter().find(|fault| fault.is_between_servers()) {
            return Err(format!(
                "--fault {fault} breaks {} and nothing else, so without --federation-listen it does nothing",
                fault.breaks().join(", ")
            ));
        }
        let between_servers = self.variant.iter().find_map(|freedom| match freedom {
            Freedom::This(variant) if variant.is_between_servers() => Some(variant),
            _ => None,
        });
        match between_servers {
            Some(variant) => Err(format!(
                "--variant {variant} is for other homeservers to see, so without --federation-listen it does \
                 nothing"
            )),
            None => Ok(None),
        }
    }

    /// How it federates, if it does.
    fn federation(&self) -> Result<Option<FederationOptions>, String> {
        let Some(listen) = self.federation_listen else { return self.alone() };
        let Some(directory) = &self.federation_ca else {
            return Err("--federation-listen needs --federation-ca DIR, where the certificate comes from: \
                        `capcheck federation-ca DIR` makes one"
                .to_owned());
        };
        let wrong = |error: &dyn Display| format!("--federation-ca {}: {error}", directory.display());
        let [certificate, key] = Authority::FILES.map(|name| directory.join(name));
        let authority = Authority::read(&certificate, &key).map_err(|error| wrong(&error))?;
        let names = names(self.server_name.as_deref(), listen);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let (chain, key) = authority.issue(&names).map_err(|error| wrong(&error))?;
        let trust = match self.trust_ca.as_slice() {
            [] => vec![authority.certificate().map_err(|error| wrong(&error))?],
            files => files.iter().map(|file| authorities(file)).collect::<Result<Vec<_>, _>>()?.concat(),
        };
        let certificate = Arc::new(TlsIdentity { chain, key });
        Ok(Some(FederationOptions { listen, certificate, trust, timeout: REMOTE_TIMEOUT }))
    }
}

/// Whom its certificate is for: the host of its server name, localhost, and where it listens.
fn names(server_name: Option<&str>, listen: SocketAddr) -> Vec<String> {
    let host = server_name.and_then(|name| <&ServerName>::try_from(name).ok()).map(ServerName::host);
    let host = host.map(|host| host.trim_matches(['[', ']']).to_owned());
    let address = (!listen.ip().is_unspecified()).then(|| listen.ip().to_string());
    let mut names: Vec<String> = host.into_iter().chain(address).chain(["localhost".to_owned()]).collect();
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// The authorities in a PEM file.
fn authorities(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let wrong = |reason: &dyn Display| format!("--trust-ca {}: {reason}", file.display());
    let certificates = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match certificates {
        Ok(found) if found.is_empty() => Err(wrong(&"it holds no PEM certificate")),
        Ok(found) => Ok(found),
        Err(error) => Err(wrong(&error)),
    }
}

/// Reads a value that holds a secret: clap would repeat it in its error.
fn parsed<T: FromStr<Err: Display>>(option: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|error| format!("{option}: {error}"))
}

/// Serves until SIGINT or SIGTERM; exit code 0, or 2 if the address cannot be listened on.
pub(super) fn run(args: ServeArgs) -> ExitCode {
    if args.list_faults {
        return list(
            Fault::all().map(|it| format!("{it}: {} [breaks {}]", it.summary(), it.breaks().join(", "))),
        );
    }
    if args.list_variants {
        return list(Variant::all().map(|it| format!("{it}: {} [{}]", it.summary(), it.freedom())));
    }
    runtime::block_on(serve(args))
}

async fn serve(args: ServeArgs) -> Result<ExitCode, ExitCode> {
    let interrupted = Interrupt::new();
    let interrupted =
        interrupted.map_err(|error| fail(FAULT, format_args!("cannot wait for signals: {error}")))?;
    let listen = args.listen;
    let options = args.options().map_err(|error| fail(USAGE, error))?;
    let declared = declarations(&options);
    let server = reference::start(listen, options).await.map_err(|error| fail(USAGE, error))?;
    announce(&server, &declared);
    interrupted.wait().await;
    server.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// One line each; a reader that stops early is content.
fn list(lines: impl Iterator<Item = String>) -> ExitCode {
    let mut out = std::io::stdout().lock();
    for line in lines {
        if writeln!(out, "{line}").is_err() {
            break;
        }
    }
    ExitCode::SUCCESS
}

/// What a target file has to say about a homeserver with these options, where the defaults do not hold.
fn declarations(options: &Options) -> String {
    let limits = [
        ("connected_timeout_s", options.limits.connected_timeout()),
        ("negative_cache_s", Some(options.limits.failed_lookup_for).filter(|for_| !for_.is_zero())),
    ];
    let limits = limits.into_iter().filter_map(|(key, limit)| Some((key, limit?.as_secs_f64())));
    let limits: String = limits.map(|(key, limit)| format!("{key} = {limit}\n")).collect();
    let is_bound_elsewhere = options.binding != Binding::default();
    let binding = match is_bound_elsewhere {
        true => binding_section(&options.binding),
        false => String::new(),
    };
    match limits.as_str() {
        "" if !is_bound_elsewhere => String::new(),
        "" => format!("its target file needs\n\n{binding}"),
        _ => format!("its target file needs\n\n[limits]\n{limits}\n{binding}"),
    }
}

/// One line on standard output, which scripts wait for; nobody may be reading it.
fn announce(server: &Running, declared: &str) {
    let federation = server.federation_url().map(|url| format!(" federation {url}")).unwrap_or_default();
    let mut out = std::io::stdout().lock();
    let line = writeln!(out, "listening on {} as {}{federation}", server.url(), server.server_name());
    let line = line.and_then(|()| out.write_all(declared.as_bytes()));
    drop(line.and_then(|()| out.flush()));
}
