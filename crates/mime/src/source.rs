//! Where bytes come from that are read when they are needed.

use std::fmt::Debug;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Buf, Bytes};

/// Gives bytes each time they are needed, so that a message need not hold them.
///
/// A message reads its sources when it is signed, when it is sent, and again when it is sent again. So a source has to give
/// the same bytes each time, exactly as many as it says. One that does not is an error while it is read, never a
/// message that is shorter or longer than announced.
///
/// Reading may block: transports do it where blocking is allowed.
///
/// # Examples
///
/// Zeros that nobody ever holds:
///
/// ```
/// use std::io::{self, Read};
/// use posthaste_mime::{Attachment, ContentType, Source};
///
/// #[derive(Debug)]
/// struct Zeros(u64);
///
/// impl Source for Zeros {
///     fn len(&self) -> u64 {
///         self.0
///     }
///
///     fn open(&self) -> io::Result<Box<dyn Read + Send>> {
///         Ok(Box::new(io::repeat(0).take(self.0)))
///     }
/// }
///
/// let image = ContentType::parse("application/octet-stream")?;
/// let attachment = Attachment::from_source("disk.img", image, Zeros(1 << 30))?;
/// assert_eq!(attachment.len(), 1 << 30);
/// # Ok::<(), posthaste_mime::HeaderError>(())
/// ```
pub trait Source: Debug + Send + Sync + 'static {
    /// Returns the number of bytes that a reader gives. Asked once, when the source is attached.
    fn len(&self) -> u64;

    /// Tells whether there are no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Begins to read from the first byte.
    ///
    /// # Errors
    ///
    /// Whatever keeps the bytes from being read.
    fn open(&self) -> io::Result<Box<dyn Read + Send>>;
}

impl<S: Source + ?Sized> Source for Arc<S> {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        (**self).open()
    }
}

/// Bytes that are in memory after all; for programs that do not care where they are.
impl Source for Bytes {
    fn len(&self) -> u64 {
        u64::try_from(Self::len(self)).unwrap_or(u64::MAX)
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(self.clone().reader()))
    }
}

/// Reads a file, each time it is needed, by its path.
///
/// The file must stay as it is until the last send: if its size changes, or if it holds other bytes than when it was first
/// read, reading it is an error.
///
/// # Examples
///
/// ```
/// use posthaste_mime::{FileSource, Source};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("report.pdf");
/// std::fs::write(&path, "%PDF-1.7")?;
/// let source = FileSource::new(&path)?;
/// assert_eq!(source.len(), 8);
///
/// std::fs::write(&path, "%PDF")?;
/// assert!(source.open().is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSource {
    path: PathBuf,
    len: u64,
}

impl FileSource {
    /// Looks at the file at `path` and notes how long it is. The file is not opened yet.
    ///
    /// # Errors
    ///
    /// The operating system's; and [`io::ErrorKind::InvalidInput`] if it is no regular file, as nobody can say how much a
    /// folder, a pipe or a device would give.
    pub fn new(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let len = regular(&std::fs::metadata(&path)?)?;
        Ok(Self { path, len })
    }

    /// Returns the path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Source for FileSource {
    fn len(&self) -> u64 {
        self.len
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        // A pipe that took the file's place would let the opening wait for a writer.
        regular(&std::fs::metadata(&self.path)?)?;
        let file = File::open(&self.path)?;
        let now = regular(&file.metadata()?)?;
        if now != self.len {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!(
                    "the file had {} bytes when it was attached, and has {now} now",
                    self.len
                ),
            ));
        }
        Ok(Box::new(file))
    }
}

/// Returns the size of a regular file.
fn regular(metadata: &std::fs::Metadata) -> io::Result<u64> {
    if metadata.is_file() {
        Ok(metadata.len())
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "only a regular file can be attached",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: &impl Source) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        source.open()?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    #[test]
    fn bytes_and_files_are_read_each_time_from_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "hello").unwrap();
        let file = FileSource::new(&path).unwrap();
        assert_eq!(file.path(), path);
        let shared: Arc<dyn Source> = Arc::new(file);
        let bytes = Bytes::from_static(b"hello");
        for _ in 0..2 {
            assert_eq!(read(&shared).unwrap(), b"hello");
            assert_eq!(read(&bytes).unwrap(), b"hello");
        }
        assert_eq!((shared.len(), Source::len(&bytes)), (5, 5));
        assert!(!shared.is_empty() && Source::is_empty(&Bytes::new()));
    }

    #[test]
    fn a_file_that_changed_its_size_or_went_away_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "hello").unwrap();
        let source = FileSource::new(&path).unwrap();
        for other in ["hell", "hello!"] {
            std::fs::write(&path, other).unwrap();
            let error = source.open().err().unwrap();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
            assert!(error.to_string().contains(&other.len().to_string()), "{error}");
        }
        std::fs::remove_file(&path).unwrap();
        assert_eq!(source.open().err().unwrap().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn what_is_no_file_cannot_be_attached() {
        let folder = tempfile::tempdir().unwrap();
        let error = FileSource::new(folder.path()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert!(FileSource::new(folder.path().join("none")).is_err());
    }
}
