//! One run of the program.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::pin::pin;
use std::process::Stdio;
use std::time::Duration;

use posthaste_mime::Rope;
use posthaste_transport::{ContentReader, Disposition, ErrorKind, SendError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, Command};

use super::exit::Ended;
use super::lines::UnixLines;
use crate::protocol::ContentError;

/// Most bytes that are kept of what the program says. It may say more.
const MAX_SAID: usize = 4096;

/// How long what the program has said is waited for after its end.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A program that runs, and all that it starts. It is killed when this is dropped before its end.
pub(super) struct Run {
    child: Child,
    input: Option<ChildStdin>,
    errors: Option<ChildStderr>,
    had_all: bool,
}

impl Run {
    pub(super) fn start(program: &Path, arguments: Vec<OsString>) -> Result<Self, SendError> {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(|error| {
            let kind = match error.kind() {
                io::ErrorKind::NotFound
                | io::ErrorKind::PermissionDenied
                | io::ErrorKind::InvalidInput
                | io::ErrorKind::ArgumentListTooLong => ErrorKind::Invalid,
                _ => ErrorKind::Unavailable,
            };
            SendError::new(kind, Disposition::NotAccepted)
                .with_detail("starting the program")
                .with_source(error)
        })?;
        Ok(Self {
            input: child.stdin.take(),
            errors: child.stderr.take(),
            child,
            had_all: false,
        })
    }

    /// Whether the program was given the whole message.
    pub(super) fn had_all(&self) -> bool {
        self.had_all
    }

    /// Ends the program with what it started, and waits until it is gone.
    pub(super) async fn kill(mut self) {
        self.kill_group();
        let _ = self.child.wait().await;
    }

    fn kill_group(&mut self) {
        // There is an id until its end was waited for: until then no other process can have it.
        #[cfg(unix)]
        if let Some(id) = self.child.id()
            && let Some(group) = i32::try_from(id).ok().and_then(rustix::process::Pid::from_raw)
        {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.child.start_kill();
    }

    /// Gives the program the message and waits for its end.
    ///
    /// # Errors
    ///
    /// If the message cannot be read or sent, or the program not be waited for. It has to be dropped then.
    pub(super) async fn feed(&mut self, rope: &Rope) -> Result<Ended, SendError> {
        let mut said = Vec::new();
        let errors = self.errors.take();
        let status = {
            let mut listening = pin!(listen(errors, &mut said));
            let mut writing = pin!(write(&mut self.input, rope, &mut self.had_all));
            let (mut written, mut heard) = (false, false);
            let status = loop {
                tokio::select! {
                    status = self.child.wait() => break status.map_err(|error| {
                        SendError::new(ErrorKind::Unknown, Disposition::Ambiguous)
                            .with_detail("waiting for the program")
                            .with_source(error)
                    })?,
                    result = &mut writing, if !written => {
                        result?;
                        written = true;
                    }
                    () = &mut listening, if !heard => heard = true,
                }
            };
            if !heard && !status.success() {
                // What it started in the background may hold its standard error open.
                let _ = tokio::time::timeout(LAST_WORDS, listening).await;
            }
            status
        };
        Ok(Ended {
            status: status.code(),
            had_all: self.had_all,
            said,
        })
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // Before its input ends, or it, or what it started, would take what it has for a message.
        self.kill_group();
    }
}

pub(super) fn unreadable(error: io::Error) -> SendError {
    SendError::new(ErrorKind::Unreadable, Disposition::NotAccepted)
        .with_detail("reading the message")
        .with_source(error)
}

/// What is in the message cannot be sent.
pub(super) fn unfit(error: ContentError) -> SendError {
    SendError::new(ErrorKind::Invalid, Disposition::NotAccepted)
        .with_detail("reading the message")
        .with_source(error)
}

/// Writes the message and ends the input behind it. A program that does not read on has ended or will, without the end of the
/// message.
async fn write(input: &mut Option<ChildStdin>, rope: &Rope, had_all: &mut bool) -> Result<(), SendError> {
    let Some(pipe) = input else { return Ok(()) };
    let mut lines = UnixLines::new();
    let mut reader = ContentReader::new(rope);
    while let Some(chunk) = reader.next().await {
        let turned = lines.turn(&chunk.map_err(unreadable)?).map_err(unfit)?;
        if pipe.write_all(&turned).await.is_err() {
            return Ok(());
        }
    }
    let rest = lines.finish().map_err(unfit)?;
    if pipe.write_all(rest).await.is_err() || pipe.flush().await.is_err() {
        return Ok(());
    }
    // From here on it may be taken, whatever follows.
    *had_all = true;
    *input = None;
    Ok(())
}

/// Reads to the end, and keeps the beginning.
async fn listen(errors: Option<ChildStderr>, said: &mut Vec<u8>) {
    let Some(mut errors) = errors else { return };
    let mut piece = [0; 512];
    while let Ok(count @ 1..) = errors.read(&mut piece).await {
        let room = MAX_SAID.saturating_sub(said.len());
        said.extend(piece.iter().take(count.min(room)));
    }
}
