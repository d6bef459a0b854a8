//! Writes each mail as a page that a browser shows.
//!
//! Right: innermost, around a transport that sends nothing, so that the page shows what would have been sent.
//!
//! ```text
//! smtp.layer(DryRun::new()).layer(Preview::new(folder)).layer(Sign::new(signer))
//! ```
//!
//! Wrong: around a retry or in production. There is a page a message then, whatever became of it, and pages hold whole messages.
//!
//! ```text
//! smtp.layer(Retry::new(policy)).layer(Preview::new(folder))
//! ```

mod page;
mod transport;

use std::path::PathBuf;
use std::sync::Arc;

use posthaste_mime::Clock;

pub use transport::Previewing;

use crate::clock::SystemClock;
use crate::{Layer, Transport};

#[cfg(test)]
mod tests;

/// Writes a page for each mail into a folder, then lets it pass.
///
/// - A page needs no other file and loads nothing: envelope, headers, sizes, text, HTML with its own pictures in a frame without scripts, the list of
///   attachments, and the source. `index.html` beside them lists the last thousand.
/// - Everything in the mail is escaped. A policy in the page (CSP) forbids scripts and all that is not in the page, so remote
///   images and trackers are not loaded; what makes browsers connect all the same is taken out.
/// - The files are their owner's alone (on Unix). They hold whole messages: clean the folder up.
/// - At most 16 MiB of a message are shown.
/// - A page that cannot be written is an error: [`Unavailable`](crate::ErrorKind::Unavailable), nothing sent.
///
/// # Examples
///
/// ```
/// use posthaste_transport::layers::{DryRun, Preview};
/// use posthaste_transport::{MemoryTransport, TransportExt};
///
/// let transport = MemoryTransport::new().layer(DryRun::new()).layer(Preview::new("target/mails"));
/// ```
#[derive(Clone, Debug)]
pub struct Preview {
    folder: PathBuf,
    clock: Arc<dyn Clock>,
}

impl Preview {
    /// Writes into `folder`, which is made when the first page is.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            clock: Arc::new(SystemClock),
        }
    }

    /// Replaces the clock that pages are named by.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }
}

impl<T: Transport> Layer<T> for Preview {
    type Transport = Previewing<T>;

    fn layer(&self, inner: T) -> Self::Transport {
        Previewing::new(inner, self.folder.clone(), Arc::clone(&self.clock))
    }
}
