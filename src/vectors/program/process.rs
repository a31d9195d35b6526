//! A program under test as a process: what it is told, what it says, and that nothing of it stays.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

/// The longest line that a program may answer with, in bytes; a longer one is garbage.
pub(super) const LONGEST_LINE: usize = 1 << 20;
/// How much of the end of standard error is kept, in bytes.
const KEPT_OF_STDERR: usize = 4096;
/// How many of its lines are told.
const TOLD_OF_STDERR: usize = 8;
/// How long a killed process, and what it left in its pipes, are waited for.
const AFTER_KILL: Duration = Duration::from_secs(2);

/// A process, its pipes, and the group of whatever it starts. All of them end when it is dropped.
#[derive(Debug)]
pub(super) struct Process {
    group: Group,
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    stderr: Tail,
}

/// What came of a question within its time.
#[derive(Debug)]
pub(super) enum Heard {
    /// A line, without its line feed.
    Line(Vec<u8>),
    /// More than [`LONGEST_LINE`] bytes without a line feed.
    TooLong,
    /// It ended, or closed its output, without a word.
    Ended,
    /// Nothing whole.
    Nothing {
        /// The bytes that came without a line feed.
        begun: usize,
        /// Whether it had closed its input.
        deaf: bool,
    },
}

impl Process {
    /// Starts a program with its arguments.
    pub(super) fn start(command: &[OsString]) -> io::Result<Self> {
        let (program, arguments) =
            command.split_first().ok_or_else(|| io::Error::other("there is no program"))?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.kill_on_drop(true).spawn()?;
        let group = Group::of(&child);
        let lost = || io::Error::other("a pipe to it is missing");
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().ok_or_else(lost)?);
        let stderr = Tail::of(child.stderr.take().ok_or_else(lost)?);
        Ok(Self { group, child, stdin, stdout, stderr })
    }

    /// Sends a line, its line feed included, and awaits one until the deadline; `last` closes its input behind it.
    pub(super) async fn ask(&mut self, question: &[u8], last: bool, deadline: Instant) -> Heard {
        let Self { group, child, stdin, stdout, .. } = self;
        let (mut line, mut deaf) = (Vec::new(), stdin.is_none());
        let exchange = async {
            let tell = tell(stdin, question, last);
            let read = read_line(stdout, &mut line);
            tokio::pin!(tell, read);
            let (mut told, mut gone) = (false, false);
            // Whatever it does first: a program that never reads its input can still answer or end.
            loop {
                tokio::select! {
                    biased;
                    read = &mut read => break read,
                    written = &mut tell, if !told => (told, deaf) = (true, written.is_err()),
                    _ = child.wait(), if !gone => {
                        gone = true;
                        // Whoever it leaves behind would keep the pipe open.
                        group.kill();
                    }
                }
            }
        };
        match timeout_at(deadline, exchange).await {
            Ok(Read::Whole) => Heard::Line(line),
            Ok(Read::TooLong) => Heard::TooLong,
            Ok(Read::End) => Heard::Ended,
            Err(_) => Heard::Nothing { begun: line.len(), deaf },
        }
    }

    /// Closes its pipes and lets it end by itself until the deadline; none where it had to be killed.
    pub(super) async fn end(mut self, deadline: Instant) -> Option<ExitStatus> {
        self.stdin = None;
        let Self { mut group, mut child, stdout, .. } = self;
        drop(stdout);
        let status = timeout_at(deadline, child.wait()).await;
        group.kill();
        if status.is_err() {
            let _ = timeout(AFTER_KILL, child.wait()).await;
        }
        status.ok()?.ok()
    }

    /// Ends it at once, or after it had until the deadline to end by itself: how it ended, if by itself, and the
    /// last lines of its standard error.
    pub(super) async fn post_mortem(mut self, deadline: Instant) -> (Option<ExitStatus>, String) {
        let status = timeout_at(deadline, self.child.wait()).await.ok().and_then(Result::ok);
        self.group.kill();
        let _ = timeout(AFTER_KILL, self.child.wait()).await;
        (status, self.stderr.lines().await)
    }
}

async fn tell(stdin: &mut Option<ChildStdin>, question: &[u8], last: bool) -> io::Result<()> {
    let Some(pipe) = stdin else { return Err(io::ErrorKind::BrokenPipe.into()) };
    let written = pipe.write_all(question).await;
    if last || written.is_err() {
        *stdin = None;
    }
    written
}

/// What reading a line came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    /// There is a line; the end of the stream ends one, too.
    Whole,
    /// It is longer than a line may be.
    TooLong,
    /// There is no other.
    End,
}

async fn read_line(from: &mut (impl AsyncBufRead + Unpin), line: &mut Vec<u8>) -> Read {
    loop {
        // A pipe that cannot be read has ended.
        let chunk = from.fill_buf().await.unwrap_or_default();
        if chunk.is_empty() {
            return if line.is_empty() { Read::End } else { Read::Whole };
        }
        let feed = memchr::memchr(b'\n', chunk);
        line.extend_from_slice(&chunk[..feed.unwrap_or(chunk.len())]);
        let used = feed.map_or(chunk.len(), |at| at + 1);
        from.consume(used);
        match feed {
            _ if line.len() > LONGEST_LINE => return Read::TooLong,
            Some(_) => return Read::Whole,
            None => {}
        }
    }
}

/// The process group of a program: it and whatever it started. Killed when dropped.
#[derive(Debug)]
struct Group {
    /// None once it is killed: the number may be another's then.
    #[cfg(unix)]
    leader: Option<rustix::process::Pid>,
}

#[cfg(unix)]
impl Group {
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self { leader: id.and_then(rustix::process::Pid::from_raw) }
    }

    fn kill(&mut self) {
        if let Some(leader) = self.leader.take() {
            // There may be nobody left.
            let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
        }
    }
}

/// Elsewhere the program alone is killed, by its handle.
#[cfg(not(unix))]
impl Group {
    fn of(_: &Child) -> Self {
        Self {}
    }

    fn kill(&mut self) {}
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The end of what a program writes to standard error, read as it is written so that the program never waits.
#[derive(Debug)]
struct Tail {
    kept: Arc<Mutex<VecDeque<u8>>>,
    reader: JoinHandle<()>,
}

impl Tail {
    fn of(mut pipe: ChildStderr) -> Self {
        let kept = Arc::new(Mutex::new(VecDeque::new()));
        let keep = Arc::clone(&kept);
        let reader = tokio::spawn(async move {
            let mut chunk = vec![0; KEPT_OF_STDERR];
            while let Ok(read @ 1..) = pipe.read(&mut chunk).await {
                let mut kept = keep.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend(&chunk[..read]);
                let excess = kept.len().saturating_sub(KEPT_OF_STDERR);
                kept.drain(..excess);
            }
        });
        Self { kept, reader }
    }

    /// The last lines, when the program has ended.
    async fn lines(&mut self) -> String {
        let _ = timeout(AFTER_KILL, &mut self.reader).await;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(kept.make_contiguous()).into_owned();
        let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
        lines[lines.len().saturating_sub(TOLD_OF_STDERR)..].join("\n")
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        self.reader.abort();
    }
}
