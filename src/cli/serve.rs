//! `capcheck serve`: the built-in homeserver, on its own.

use std::fmt::Display;
use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::str::FromStr;

use super::interrupt::Interrupt;
use super::output::fail;
use crate::engine::exit::{FAULT, USAGE};
use crate::reference::{self, Fault, Grant, Options, Running, ServerLimits};

/// Runs the built-in homeserver until it is interrupted
#[derive(Debug, clap::Args)]
pub(super) struct ServeArgs {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8008")]
    listen: SocketAddr,
    /// The domain of its users [default: localhost:PORT]
    #[arg(long, value_name = "NAME")]
    server_name: Option<String>,
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
}

impl ServeArgs {
    /// The options, or one line about what is wrong.
    fn options(self) -> Result<Options, String> {
        let defaults = Options::default();
        let limits = defaults.limits;
        Ok(Options {
            server_name: self.server_name,
            grants: if self.grant.is_empty() { defaults.grants } else { self.grant },
            registration: parsed("--registration", &self.registration)?,
            accounts: self.account.iter().map(|text| parsed("--account", text)).collect::<Result<_, _>>()?,
            limits: ServerLimits {
                max_set_bytes: self.max_set_bytes.unwrap_or(limits.max_set_bytes),
                ..limits
            },
            faults: self.fault.into_iter().collect(),
            presence_enabled: !self.no_presence,
            ..Options::default()
        })
    }
}

/// Reads a value that holds a secret: clap would repeat it in its error.
fn parsed<T: FromStr<Err: Display>>(option: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|error| format!("{option}: {error}"))
}

/// Serves until SIGINT or SIGTERM; exit code 0, or 2 if the address cannot be listened on.
pub(super) fn run(args: ServeArgs) -> ExitCode {
    if args.list_faults {
        return list_faults();
    }
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(serve(args)),
        Err(error) => fail(FAULT, format_args!("cannot start: {error}")),
    }
}

async fn serve(args: ServeArgs) -> ExitCode {
    let interrupted = match Interrupt::new() {
        Ok(interrupted) => interrupted,
        Err(error) => return fail(FAULT, format_args!("cannot wait for signals: {error}")),
    };
    let listen = args.listen;
    let options = match args.options() {
        Ok(options) => options,
        Err(error) => return fail(USAGE, error),
    };
    match reference::start(listen, options).await {
        Ok(server) => {
            announce(&server);
            interrupted.wait().await;
            server.stop().await;
            ExitCode::SUCCESS
        }
        Err(error) => fail(USAGE, error),
    }
}

/// One line a fault; a reader that stops early is content.
fn list_faults() -> ExitCode {
    let mut out = std::io::stdout().lock();
    for fault in Fault::all() {
        let (id, summary) = (fault.id(), fault.summary());
        if writeln!(out, "{id}: {summary} [breaks {}]", fault.breaks().join(", ")).is_err() {
            break;
        }
    }
    ExitCode::SUCCESS
}

/// One line on standard output, which scripts wait for; nobody may be reading it.
fn announce(server: &Running) {
    let mut out = std::io::stdout().lock();
    let line = writeln!(out, "listening on {} as {}", server.url(), server.server_name());
    drop(line.and_then(|()| out.flush()));
}
