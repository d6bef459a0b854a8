//! One run of the program.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Stdio;

use bytes::Bytes;
use posthaste_mime::Rope;
use posthaste_transport::{ContentReader, Disposition, ErrorKind, SendError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStderr, ChildStdin, Command};

use super::exit::Ended;

/// Most bytes that are kept of what the program says. It may say more.
const MAX_SAID: usize = 4096;

/// A program that runs.
pub(super) struct Run {
    // Dropped first, and killed by that: its input must not end before, or it would take what it has for a message.
    child: Child,
    input: Option<ChildStdin>,
    errors: Option<ChildStderr>,
    had_all: bool,
}

impl Run {
    pub(super) fn start(program: &Path, arguments: Vec<OsString>) -> Result<Self, SendError> {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| {
                let kind = match error.kind() {
                    io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput => {
                        ErrorKind::Invalid
                    }
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

    /// Ends the program, and waits until it is gone.
    pub(super) async fn kill(mut self) {
        // It is gone already, or it is now.
        let _ = self.child.kill().await;
    }

    /// Gives the program the message and waits for its end.
    ///
    /// # Errors
    ///
    /// If the message cannot be read, or the program not be waited for. It is killed then.
    pub(super) async fn feed(&mut self, rope: &Rope) -> Result<Ended, SendError> {
        let mut said = Vec::new();
        let mut errors = self.errors.take();
        let (child, input, had_all) = (&mut self.child, &mut self.input, &mut self.had_all);
        let fed = async {
            match write(input, rope).await {
                Written::All => {
                    // From here on it may be taken, whatever follows.
                    *had_all = true;
                    *input = None;
                }
                // It has ended or will, without the end of the message.
                Written::Broken => {}
                Written::Unreadable(error) => {
                    let _ = child.kill().await;
                    return Err(unreadable(error));
                }
            }
            child.wait().await.map_err(|error| {
                SendError::new(ErrorKind::Unknown, Disposition::Ambiguous)
                    .with_detail("waiting for the program")
                    .with_source(error)
            })
        };
        let ended = {
            let mut fed = std::pin::pin!(fed);
            // What it started in the background may hold its standard error open: that is not waited for.
            loop {
                tokio::select! {
                    more = listen(&mut errors, &mut said), if errors.is_some() => {
                        if !more {
                            errors = None;
                        }
                    }
                    ended = &mut fed => break ended?,
                }
            }
        };
        // Its last words, as far as they are there.
        while errors.is_some() && said.len() < MAX_SAID {
            let more = tokio::select! {
                biased;
                more = listen(&mut errors, &mut said) => more,
                () = std::future::ready(()) => false,
            };
            if !more {
                break;
            }
        }
        Ok(Ended {
            status: ended.code(),
            had_all: self.had_all,
            said,
        })
    }
}

pub(super) fn unreadable(error: io::Error) -> SendError {
    SendError::new(ErrorKind::Unreadable, Disposition::NotAccepted)
        .with_detail("reading the message")
        .with_source(error)
}

enum Written {
    All,
    Broken,
    Unreadable(io::Error),
}

async fn write(input: &mut Option<ChildStdin>, rope: &Rope) -> Written {
    let Some(input) = input else {
        return Written::Broken;
    };
    let mut lines = UnixLines::default();
    let mut reader = ContentReader::new(rope);
    while let Some(chunk) = reader.next().await {
        match chunk {
            Ok(chunk) => {
                if input.write_all(&lines.translate(&chunk)).await.is_err() {
                    return Written::Broken;
                }
            }
            Err(error) => return Written::Unreadable(error),
        }
    }
    let ended = async {
        input.write_all(lines.rest()).await?;
        input.flush().await
    };
    match ended.await {
        Ok(()) => Written::All,
        Err(_) => Written::Broken,
    }
}

/// Reads on; says whether there may be more.
async fn listen(errors: &mut Option<ChildStderr>, said: &mut Vec<u8>) -> bool {
    let Some(errors) = errors else {
        return false;
    };
    let mut piece = [0; 512];
    match errors.read(&mut piece).await {
        Ok(0) | Err(_) => false,
        Ok(count) => {
            let room = MAX_SAID.saturating_sub(said.len());
            said.extend(piece.iter().take(count.min(room)));
            true
        }
    }
}

/// Turns CR LF into LF, across pieces. A CR alone stays.
#[derive(Debug, Default)]
struct UnixLines {
    /// A CR at the end of the last piece, which waits for what follows.
    held: bool,
}

impl UnixLines {
    fn translate(&mut self, chunk: &Bytes) -> Bytes {
        if !self.held && memchr::memchr(b'\r', chunk).is_none() {
            return chunk.clone();
        }
        let mut out = Vec::with_capacity(chunk.len() + 1);
        for &byte in chunk {
            if std::mem::take(&mut self.held) && byte != b'\n' {
                out.push(b'\r');
            }
            if byte == b'\r' {
                self.held = true;
            } else {
                out.push(byte);
            }
        }
        Bytes::from(out)
    }

    fn rest(&self) -> &'static [u8] {
        if self.held { b"\r" } else { b"" }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn line_ends_are_those_of_unix_wherever_pieces_end(
            text in "[\r\nab.]{0,40}",
            cuts in prop::collection::vec(0_usize..41, 0..6),
        ) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.sort_unstable();
            cuts.push(text.len());
            let (mut lines, mut out, mut from) = (UnixLines::default(), Vec::new(), 0);
            for cut in cuts {
                out.extend_from_slice(&lines.translate(&Bytes::copy_from_slice(&text.as_bytes()[from..cut])));
                from = cut;
            }
            out.extend_from_slice(lines.rest());
            prop_assert_eq!(String::from_utf8(out).unwrap(), text.replace("\r\n", "\n"));
        }
    }
}
