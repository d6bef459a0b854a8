//! The transport that the layer makes.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use posthaste_mime::Clock;
use tokio::io::AsyncWriteExt;
use tokio::sync::Mutex;

use super::page::{self, Entry};
use crate::timer::within;
use crate::{
    ContentReader, Disposition, ErrorKind, Outbound, Outcome, SendError, SendFuture, SendOptions, Timer, TokioTimer,
    Transport, TransportInfo, plan,
};

/// The most octets of a message that a page shows.
const MAX_SHOWN: usize = 16 << 20;

/// The most pages that the index lists.
const MAX_LISTED: usize = 1000;

/// A transport whose mails can be looked at; made by [`layers::Preview`](super::Preview).
#[derive(Debug)]
pub struct Previewing<T> {
    inner: T,
    folder: PathBuf,
    clock: Arc<dyn Clock>,
    listed: Mutex<VecDeque<Entry>>,
}

impl<T> Previewing<T> {
    pub(super) fn new(inner: T, folder: PathBuf, clock: Arc<dyn Clock>) -> Self {
        Self {
            inner,
            folder,
            clock,
            listed: Mutex::new(VecDeque::new()),
        }
    }

    /// Returns the transport inside.
    pub const fn get_ref(&self) -> &T {
        &self.inner
    }

    /// Unwraps the transport inside.
    pub fn into_inner(self) -> T {
        self.inner
    }

    async fn write(&self, mail: &Outbound, options: &SendOptions) -> Result<(), (ErrorKind, io::Error)> {
        let mut reader = ContentReader::new(&mail.rope());
        let mut shown = Vec::new();
        let mut length = 0_u64;
        while let Some(chunk) = reader.next().await {
            let chunk = chunk.map_err(|error| (ErrorKind::Unreadable, error))?;
            length = length.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
            shown.extend(chunk.iter().take(MAX_SHOWN - shown.len()));
        }
        let unwritten = |error| (ErrorKind::Unavailable, error);
        let (page, mut entry) = page::page(mail, options, shown, length);
        tokio::fs::create_dir_all(&self.folder).await.map_err(unwritten)?;
        // One at a time, so that the index never loses a page.
        let mut listed = self.listed.lock().await;
        let since = self
            .clock
            .now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_millis();
        let mut number = 0_u32;
        entry.file = loop {
            let name = format!("{since}-{number}.html");
            match create(&self.folder.join(&name), page.as_bytes()).await {
                Ok(()) => break name,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number = number.saturating_add(1),
                Err(error) => return Err(unwritten(error)),
            }
        };
        listed.push_front(entry);
        listed.truncate(MAX_LISTED);
        let fresh = self.folder.join("index.html.new");
        match tokio::fs::remove_file(&fresh).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unwritten(error)),
            _ => {}
        }
        create(&fresh, page::index(listed.iter()).as_bytes())
            .await
            .map_err(unwritten)?;
        tokio::fs::rename(&fresh, self.folder.join("index.html"))
            .await
            .map_err(unwritten)
    }
}

/// Writes a file that was not there.
async fn create(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = tokio::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    options.mode(0o600);
    let mut file = options.open(path).await?;
    file.write_all(bytes).await?;
    file.flush().await
}

impl<T: Transport> Previewing<T> {
    async fn show_and_send(&self, mail: &Outbound, options: &SendOptions) -> Result<Outcome, SendError> {
        let info = self.inner.info();
        plan(mail, options, &info)?;
        let error = |kind| {
            SendError::new(kind, Disposition::NotAccepted)
                .with_transport(info.name().to_owned())
                .with_detail("writing the preview")
        };
        let timer = TokioTimer::new();
        match within(&timer, options.deadline(), self.write(mail, options)).await {
            Some(Ok(())) => {}
            Some(Err((kind, source))) => return Err(error(kind).with_source(source)),
            None => return Err(error(ErrorKind::Timeout)),
        }
        match options.deadline() {
            Some(deadline) => {
                let left = deadline.saturating_sub(timer.now());
                self.inner.send(mail, &options.clone().with_deadline(left)).await
            }
            None => self.inner.send(mail, options).await,
        }
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Transport> Transport for Previewing<T> {
    fn info(&self) -> TransportInfo {
        self.inner.info()
    }

    fn send<'a>(&'a self, mail: &'a Outbound, options: &'a SendOptions) -> SendFuture<'a> {
        Box::pin(self.show_and_send(mail, options))
    }
}
