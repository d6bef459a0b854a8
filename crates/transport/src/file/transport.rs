//! The transport, and the order in which it writes.

use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::SystemTime;

use bytes::Bytes;
use posthaste_address::Envelope;
use posthaste_mime::{Chunks, Clock, IdSource, Rope};
use tokio::runtime::Handle;

use super::disk::{Disk, RealDisk};
use super::name::Names;
use crate::clock::SystemClock;
use crate::timer::within;
use crate::{
    Capabilities, Disposition, ErrorKind, Feature, Outbound, Outcome, SendError, SendFuture, SendOptions, Timer,
    TokioTimer, Transport, TransportInfo, plan,
};

/// Writes each message as one file into a Maildir. Clones share it.
///
/// A message is written into `tmp/`, made durable, moved into `new/`, and the folder is made durable: only then is the
/// send `Ok`. A reader never sees half a message. The bytes are the message's own, so a Bcc recipient is not in them; the
/// envelope goes into a file of the same name in `envelope/`, as the SMTP commands that it would be.
///
/// If the last step fails, when the message stands in `new/` but might not survive a power cut, the send is
/// [`Ambiguous`](Disposition::Ambiguous). If any step before it fails, it is [`NotAccepted`](Disposition::NotAccepted), and what
/// was written is removed. Streamed attachments are read while they are written, and never held; one that fails ends the
/// send in the same way, as [`Unreadable`](ErrorKind::Unreadable).
///
/// It needs a tokio runtime, whose blocking threads do the writing; without one, a send is an error. A send that is dropped or passes its deadline is
/// called off if the message is not in `new/` yet.
///
/// # Examples
///
/// ```
/// use posthaste_mime::Message;
/// use posthaste_transport::{FileTransport, TransportExt};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let folder = tempfile::tempdir()?;
/// let message = Message::builder()
///     .from("ada@example.org".parse()?)
///     .to("bob@example.net".parse()?)
///     .subject("Hello")
///     .text("First line")
///     .build()?;
/// let outcome = FileTransport::new(folder.path())?.send_message(message).await?;
/// let name = outcome.provider_id().unwrap_or_default();
/// assert!(folder.path().join("new").join(name).is_file());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct FileTransport {
    folder: Arc<PathBuf>,
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    timer: Arc<dyn Timer>,
    names: Arc<Names>,
}

const INFO: TransportInfo = TransportInfo::new("file", Capabilities::wire().with(Feature::SmtpUtf8));

impl FileTransport {
    /// Writes into the Maildir at `folder`, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// The operating system's, if the folders cannot be made.
    pub fn new(folder: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = folder.into();
        make_folders(&folder, &RealDisk)?;
        Ok(Self {
            folder: Arc::new(folder),
            disk: Arc::new(RealDisk),
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds),
            timer: Arc::new(TokioTimer::new()),
            names: Arc::default(),
        })
    }

    /// Replaces the clock that file names begin with.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Replaces the randomness that is in file names.
    #[must_use]
    pub fn with_ids(mut self, ids: Arc<dyn IdSource>) -> Self {
        self.ids = ids;
        self
    }

    /// Replaces the timer that deadlines are kept by.
    #[must_use]
    pub fn with_timer(mut self, timer: Arc<dyn Timer>) -> Self {
        self.timer = timer;
        self
    }

    /// Returns the Maildir's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    async fn write(&self, mail: &Outbound, options: &SendOptions) -> Result<Outcome, SendError> {
        plan(mail, options, &INFO)?;
        let name = self.names.next(self.clock.now(), self.ids.next_id());
        let progress = Arc::new(Progress::default());
        let job = Job {
            tmp: self.folder.join("tmp").join(&name),
            new: self.folder.join("new").join(&name),
            envelope: self.folder.join("envelope").join(&name),
            disk: Arc::clone(&self.disk),
            progress: Arc::clone(&progress),
        };
        let (content, sidecar) = (mail.rope(), Rope::from(sidecar(mail.envelope()).into_bytes()));
        let runtime = Handle::try_current()
            .map_err(|error| fault(Disposition::NotAccepted, "looking for a tokio runtime").with_source(error))?;
        let guard = CallOff(&progress);
        let writing = runtime.spawn_blocking(move || job.run(&content, &sidecar));
        match within(&*self.timer, options.deadline(), writing).await {
            Some(Ok(result)) => result.map(|()| Outcome::accept_all(mail).with_provider_id(name)),
            // The job was dropped with its runtime, or panicked, which it has no reason to.
            Some(Err(error)) => Err(fault(guard.call_off(), "writing").with_source(error)),
            None => Err(SendError::new(ErrorKind::Timeout, guard.call_off()).with_transport(INFO.name().to_owned())),
        }
    }
}

impl Transport for FileTransport {
    fn info(&self) -> TransportInfo {
        INFO
    }

    fn send<'a>(&'a self, mail: &'a Outbound, options: &'a SendOptions) -> SendFuture<'a> {
        Box::pin(self.write(mail, options))
    }
}

/// Makes the Maildir, and every folder above it that is missing, so that they survive a power cut as the messages do.
fn make_folders(folder: &Path, disk: &dyn Disk) -> io::Result<()> {
    let missing = folder.ancestors().take_while(|part| !part.is_dir());
    // The parent of a relative path of one name is empty: it means the working directory.
    let above = missing
        .filter_map(Path::parent)
        .map(|part| match part.as_os_str().is_empty() {
            true => Path::new("."),
            false => part,
        });
    let changed: Vec<&Path> = std::iter::once(folder).chain(above).collect();
    for part in ["tmp", "new", "cur", "envelope"] {
        std::fs::create_dir_all(folder.join(part))?;
    }
    changed.into_iter().try_for_each(|part| disk.sync_folder(part))
}

/// How far a job is. Whoever moves it out of `WRITING` first decides.
#[derive(Debug, Default)]
struct Progress(AtomicU8);

impl Progress {
    const WRITING: u8 = 0;
    const MOVING: u8 = 1;
    const CALLED_OFF: u8 = 2;

    /// Moves on; says no if the other side was first.
    fn advance(&self, to: u8) -> bool {
        self.0
            .compare_exchange(Self::WRITING, to, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    fn is_called_off(&self) -> bool {
        self.0.load(Ordering::Acquire) == Self::CALLED_OFF
    }
}

/// Calls a job off when it is dropped, if that is still possible.
struct CallOff<'a>(&'a Progress);

impl CallOff<'_> {
    /// Calls the job off, and says what is certain then.
    fn call_off(&self) -> Disposition {
        let called_off = self.0.advance(Progress::CALLED_OFF) || self.0.is_called_off();
        if called_off {
            Disposition::NotAccepted
        } else {
            Disposition::Ambiguous
        }
    }
}

impl Drop for CallOff<'_> {
    fn drop(&mut self) {
        self.call_off();
    }
}

/// One message's way to the disk.
struct Job {
    tmp: PathBuf,
    new: PathBuf,
    envelope: PathBuf,
    disk: Arc<dyn Disk>,
    progress: Arc<Progress>,
}

impl Job {
    fn run(&self, content: &Rope, sidecar: &Rope) -> Result<(), SendError> {
        let before = |detail| move |error: io::Error| fault(Disposition::NotAccepted, detail).with_source(error);
        let mut reading = Reading {
            chunks: content.chunks(),
            progress: &self.progress,
            failed: false,
        };
        let written = self.disk.write_new(&self.tmp, &mut reading);
        let prepared = written
            .map_err(|error| match reading.failed {
                true => SendError::new(ErrorKind::Unreadable, Disposition::NotAccepted)
                    .with_transport(INFO.name().to_owned())
                    .with_source(error),
                false => before("writing the message")(error),
            })
            .and_then(|()| {
                self.disk
                    .write_new(&self.envelope, &mut sidecar.chunks())
                    .map_err(before("writing the envelope"))
            })
            .and_then(|()| {
                self.sync_parent(&self.envelope)
                    .map_err(before("syncing the envelope folder"))
            })
            .and_then(|()| {
                let go_on = self.progress.advance(Progress::MOVING);
                go_on
                    .then_some(())
                    .ok_or_else(|| fault(Disposition::NotAccepted, "being called off"))
            });
        if let Err(error) = prepared {
            self.clean_up();
            return Err(error);
        }
        if let Err(error) = self.disk.rename(&self.tmp, &self.new) {
            // Some file systems report a failure of what they did: only a look says.
            let certain = matches!(self.disk.exists(&self.new), Ok(false));
            if certain {
                self.clean_up();
            }
            let disposition = if certain {
                Disposition::NotAccepted
            } else {
                Disposition::Ambiguous
            };
            return Err(fault(disposition, "moving the message into place").with_source(error));
        }
        self.sync_parent(&self.new)
            .map_err(|error| fault(Disposition::Ambiguous, "syncing the folder of new messages").with_source(error))
    }

    fn sync_parent(&self, path: &Path) -> io::Result<()> {
        path.parent().map_or(Ok(()), |parent| self.disk.sync_folder(parent))
    }

    /// Removes what was written. What cannot be removed is a stray file in `tmp/`, which Maildir readers ignore.
    fn clean_up(&self) {
        let _ = self.disk.remove(&self.tmp);
        let _ = self.disk.remove(&self.envelope);
    }
}

/// The chunks of a message on their way to the disk, as long as anybody waits for it.
struct Reading<'a> {
    chunks: Chunks,
    progress: &'a Progress,
    /// Whether it was the message that failed, and not the disk.
    failed: bool,
}

impl Iterator for Reading<'_> {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.progress.is_called_off() {
            return Some(Err(io::Error::other("the send was called off")));
        }
        let chunk = self.chunks.next();
        self.failed = matches!(chunk, Some(Err(_)));
        chunk
    }
}

fn fault(disposition: Disposition, detail: &'static str) -> SendError {
    SendError::new(ErrorKind::Unavailable, disposition)
        .with_transport("file")
        .with_detail(detail)
}

/// Writes the envelope as SMTP commands (RFC 5321 §4.1.1.2, §4.1.1.3).
fn sidecar(envelope: &Envelope) -> String {
    let mut text = String::from("MAIL FROM:<");
    // Writing to a String does not fail. Addresses hold no line ends.
    if let Some(address) = envelope.mail_from() {
        let _ = write!(text, "{address}");
    }
    text.push_str(">\r\n");
    for recipient in envelope.recipients() {
        let _ = write!(text, "RCPT TO:<{}>\r\n", recipient.address());
    }
    text
}

/// Asks the operating system for randomness.
#[derive(Debug)]
struct SystemIds;

impl IdSource for SystemIds {
    fn next_id(&self) -> [u8; 16] {
        let mut id = [0; 16];
        if getrandom::fill(&mut id).is_err() {
            // Names stay unique by time, process and count; `create_new` refuses a name that is taken.
            let nanos = SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default()
                .as_nanos();
            id = nanos.to_be_bytes();
        }
        id
    }
}

#[cfg(test)]
mod tests;
