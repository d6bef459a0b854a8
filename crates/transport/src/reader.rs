//! A message's bytes, read where reading may block.

use std::fmt;
use std::io;

use bytes::Bytes;
use posthaste_mime::{Chunks, Rope};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// Gives the chunks of a message without blocking the runtime. For transports.
///
/// What is in memory is given at once. What has to be read, such as a streamed attachment, is read by tokio's blocking
/// threads, one piece at a time and one ahead: so two pieces of at most 64 KiB are in memory, however large the message is,
/// and no thread waits for a slow peer. Dropping it ends the reading after the piece that is being read.
///
/// # Examples
///
/// ```
/// use posthaste_mime::Rope;
/// use posthaste_transport::ContentReader;
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let mut reader = ContentReader::new(&Rope::from(b"Subject: hello\r\n\r\n".to_vec()));
/// let mut length = 0;
/// while let Some(chunk) = reader.next().await {
///     // An error: what came before is not the message, and must never be taken for it.
///     length += chunk?.len();
/// }
/// assert_eq!(length, 18);
/// # Ok::<(), std::io::Error>(())
/// # })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct ContentReader {
    /// Elsewhere while a piece is read, and gone after an error.
    chunks: Option<Chunks>,
    ahead: Option<JoinHandle<(Chunks, Option<io::Result<Bytes>>)>>,
}

impl ContentReader {
    /// Stands before the first chunk of `rope`. Nothing is opened yet.
    #[must_use]
    pub fn new(rope: &Rope) -> Self {
        Self {
            chunks: Some(rope.chunks()),
            ahead: None,
        }
    }

    /// Opens what has to be read of `rope`, and reads none of it, where that may block: for an early error, before a peer
    /// is talked to.
    ///
    /// # Errors
    ///
    /// As [`Rope::probe`]; also if there is something to open and no tokio runtime.
    pub async fn probe(rope: &Rope) -> io::Result<()> {
        if rope.in_memory().is_some() {
            return Ok(());
        }
        let rope = rope.clone();
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        let probed = runtime.spawn_blocking(move || rope.probe()).await;
        probed.unwrap_or_else(|error| Err(io::Error::other(error)))
    }

    /// Returns the next chunk; `None` after the last one, and after an error. A call that is dropped loses nothing.
    ///
    /// # Errors
    ///
    /// What went wrong while reading; also if there is something to read and no tokio runtime.
    pub async fn next(&mut self) -> Option<io::Result<Bytes>> {
        if self.ahead.is_none() {
            let chunks = self.chunks.as_mut()?;
            if let Some(chunk) = chunks.next_in_memory() {
                return Some(Ok(chunk));
            }
            if let Err(error) = self.read_ahead() {
                return Some(Err(error));
            }
        }
        let read = self.ahead.as_mut()?.await;
        self.ahead = None;
        match read {
            Ok((chunks, Some(Ok(chunk)))) => {
                self.chunks = Some(chunks);
                // It was possible a moment ago. If it no longer is, the next call says so.
                let _ = self.read_ahead();
                Some(Ok(chunk))
            }
            Ok((_, failed)) => failed,
            // The source panicked, or the runtime ends.
            Err(error) => Some(Err(io::Error::other(error))),
        }
    }

    /// Begins to read the next piece, if there is one to read.
    fn read_ahead(&mut self) -> io::Result<()> {
        let Some(mut chunks) = self.chunks.take_if(|chunks| chunks.must_read()) else {
            return Ok(());
        };
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        self.ahead = Some(runtime.spawn_blocking(move || {
            let chunk = chunks.next();
            (chunks, chunk)
        }));
        Ok(())
    }
}

impl Drop for ContentReader {
    fn drop(&mut self) {
        if let Some(ahead) = &self.ahead {
            // Ends it if it has not begun.
            ahead.abort();
        }
    }
}

impl fmt::Debug for ContentReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContentReader")
            .field("chunks", &self.chunks)
            .field("reading", &self.ahead.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::testing::{Generated, streaming};

    async fn read(reader: &mut ContentReader) -> Result<Vec<u8>, (usize, io::Error)> {
        let mut bytes = Vec::new();
        while let Some(chunk) = reader.next().await {
            match chunk {
                Ok(chunk) => bytes.extend_from_slice(&chunk),
                Err(error) => return Err((bytes.len(), error)),
            }
        }
        Ok(bytes)
    }

    #[tokio::test]
    async fn it_gives_what_the_rope_gives() {
        for len in [0, 1, 47_880, 47_881, 500_000] {
            let rope = streaming(Generated::new(len)).rope();
            let bytes = read(&mut ContentReader::new(&rope)).await.unwrap();
            assert_eq!(bytes, rope.to_bytes().unwrap(), "{len}");
        }
    }

    #[tokio::test]
    async fn what_cannot_be_opened_is_known_early() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "hello").unwrap();
        let rope = streaming(posthaste_mime::FileSource::new(&path).unwrap()).rope();
        assert!(ContentReader::probe(&rope).await.is_ok());
        std::fs::remove_file(&path).unwrap();
        let error = ContentReader::probe(&rope).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        assert!(ContentReader::probe(&Rope::new()).await.is_ok());
    }

    #[tokio::test]
    async fn an_error_ends_it() {
        let rope = streaming(Generated::new(500_000).failing_at(300_000)).rope();
        let mut reader = ContentReader::new(&rope);
        let (length, error) = read(&mut reader).await.unwrap_err();
        assert!(length > 300_000 && (length as u64) < rope.len());
        assert_eq!(error.to_string(), "the disk is gone");
        assert!(reader.next().await.is_none());
    }

    #[tokio::test]
    async fn other_bytes_the_second_time_are_an_error() {
        let rope = streaming(Generated::new(500_000).varying()).rope();
        assert!(read(&mut ContentReader::new(&rope)).await.is_ok());
        let (length, error) = read(&mut ContentReader::new(&rope)).await.unwrap_err();
        assert!((length as u64) < rope.len());
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[tokio::test]
    async fn a_panic_is_an_error() {
        let rope = streaming(Generated::new(100_000).panicking_at(50_000)).rope();
        let (_, error) = read(&mut ContentReader::new(&rope)).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Other);
    }

    #[tokio::test]
    async fn a_dropped_call_loses_nothing() {
        let rope = streaming(Generated::new(300_000)).rope();
        let mut reader = ContentReader::new(&rope);
        let mut bytes = Vec::new();
        loop {
            // Polled once and dropped, again and again.
            let polled = std::future::poll_fn(|context| {
                let next = std::pin::pin!(reader.next());
                std::task::Poll::Ready(next.poll(context))
            });
            match polled.await {
                std::task::Poll::Pending => tokio::task::yield_now().await,
                std::task::Poll::Ready(Some(chunk)) => bytes.extend_from_slice(&chunk.unwrap()),
                std::task::Poll::Ready(None) => break,
            }
        }
        assert_eq!(bytes, rope.to_bytes().unwrap());
    }

    #[test]
    fn dropping_it_drops_the_reader() {
        let source = Generated::new(1 << 40);
        let open = Arc::clone(&source.open);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let rope = streaming(source).rope();
        runtime.block_on(async {
            let mut reader = ContentReader::new(&rope);
            for _ in 0..4 {
                assert!(reader.next().await.unwrap().is_ok());
            }
            assert_eq!(open.load(Ordering::SeqCst), 1);
        });
        // Waits for the blocking threads.
        drop(runtime);
        assert_eq!(open.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn without_a_runtime_reading_is_an_error_and_no_panic() {
        let rope = streaming(Generated::new(10)).rope();
        let mut reader = ContentReader::new(&rope);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let mut next = |reader: &mut ContentReader| {
            let next = std::pin::pin!(reader.next());
            next.poll(&mut context)
        };
        assert!(matches!(next(&mut reader), std::task::Poll::Ready(Some(Ok(_)))));
        assert!(matches!(next(&mut reader), std::task::Poll::Ready(Some(Err(_)))));
        assert!(matches!(next(&mut reader), std::task::Poll::Ready(None)));
    }
}
