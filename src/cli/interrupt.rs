//! Ctrl-C and its kin, which end a command cleanly.

use tokio::signal;

/// SIGINT, and where there are such SIGTERM and SIGHUP: the terminal was closed.
pub(super) struct Interrupt {
    #[cfg(unix)]
    signals: Vec<signal::unix::Signal>,
}

impl Interrupt {
    /// Listens from now on.
    #[cfg(unix)]
    pub(super) fn new() -> std::io::Result<Self> {
        use signal::unix::{SignalKind, signal};
        let mut kinds = vec![SignalKind::interrupt(), SignalKind::terminate()];
        // Under nohup a command is to outlive its terminal.
        if !hangup_is_ignored() {
            kinds.push(SignalKind::hangup());
        }
        Ok(Self { signals: kinds.into_iter().map(signal).collect::<Result<_, _>>()? })
    }

    /// Listens from now on.
    #[cfg(not(unix))]
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self {})
    }

    /// Resolves with the first signal.
    pub(super) async fn wait(#[cfg_attr(not(unix), expect(unused_mut))] mut self) {
        #[cfg(unix)]
        futures_util::future::select_all(self.signals.iter_mut().map(|signal| Box::pin(signal.recv()))).await;
        #[cfg(not(unix))]
        drop(signal::ctrl_c().await);
    }
}

/// Whether whoever started this process told it to ignore SIGHUP. Where the system does not say so in a file, a process
/// without a terminal is taken for one that nohup started.
#[cfg(unix)]
fn hangup_is_ignored() -> bool {
    use std::io::IsTerminal;
    const HANGUP: u64 = 1;
    let ignored = std::fs::read_to_string("/proc/self/status").ok().and_then(|status| {
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
        u64::from_str_radix(mask.trim(), 16).ok()
    });
    match ignored {
        Some(mask) => mask & (1 << (HANGUP - 1)) != 0,
        None => !std::io::stderr().is_terminal(),
    }
}
