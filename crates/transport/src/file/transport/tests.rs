use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::testing::{Generated, mail, streaming};
use crate::{OnUnsupported, Retry};

/// A disk whose nth operation fails, and which notes what was done.
#[derive(Debug, Default)]
struct Faulty {
    fails_at: usize,
    count: AtomicUsize,
    done: Mutex<Vec<&'static str>>,
    synced: Mutex<Vec<PathBuf>>,
    /// Whether an operation that fails has done its work all the same.
    works_anyway: bool,
}

impl Faulty {
    fn step(&self, name: &'static str, work: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let step = self.count.fetch_add(1, Ordering::SeqCst);
        self.done.lock().unwrap().push(name);
        if step == self.fails_at {
            if self.works_anyway {
                work()?;
            }
            return Err(io::Error::other("disk fault"));
        }
        work()
    }
}

impl Disk for Faulty {
    fn write_new(&self, path: &Path, content: &mut dyn Iterator<Item = io::Result<Bytes>>) -> io::Result<()> {
        self.step("write", || RealDisk.write_new(path, content))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step("rename", || RealDisk.rename(from, to))
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.synced.lock().unwrap().push(path.to_owned());
        self.step("sync", || RealDisk.sync_folder(path))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        RealDisk.exists(path)
    }
}

fn on(disk: impl Disk, folder: &Path) -> FileTransport {
    FileTransport {
        disk: Arc::new(disk),
        ..FileTransport::new(folder).unwrap()
    }
}

fn files(folder: &Path, part: &str) -> Vec<String> {
    fs::read_dir(folder.join(part))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[tokio::test]
async fn a_message_is_durable_before_it_is_moved_and_the_folder_after() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(Faulty {
        fails_at: usize::MAX,
        ..Faulty::default()
    });
    let transport = FileTransport {
        disk: disk.clone(),
        ..FileTransport::new(folder.path()).unwrap()
    };
    assert!(
        transport
            .send(&mail(&["bob@example.net"]), &SendOptions::default())
            .await
            .is_ok()
    );
    assert_eq!(*disk.done.lock().unwrap(), ["write", "write", "sync", "rename", "sync"]);
}

#[test]
fn folders_that_are_made_on_the_way_are_durable_too() {
    let disk = Faulty {
        fails_at: usize::MAX,
        ..Faulty::default()
    };
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("var").join("out");
    make_folders(&folder, &disk).unwrap();
    assert_eq!(
        *disk.synced.lock().unwrap(),
        [folder.as_path(), &root.path().join("var"), root.path()]
    );
    disk.synced.lock().unwrap().clear();
    make_folders(&folder, &disk).unwrap();
    assert_eq!(*disk.synced.lock().unwrap(), [folder]);
}

#[tokio::test]
async fn a_fault_before_the_move_accepts_nothing_and_leaves_nothing() {
    for fails_at in 0..4 {
        let folder = tempfile::tempdir().unwrap();
        let transport = on(
            Faulty {
                fails_at,
                ..Faulty::default()
            },
            folder.path(),
        );
        let error = transport
            .send(&mail(&["bob@example.net"]), &SendOptions::default())
            .await
            .unwrap_err();
        assert_eq!(
            (error.disposition(), error.retry()),
            (Disposition::NotAccepted, Retry::Safe),
            "step {fails_at}"
        );
        for part in ["tmp", "new", "envelope"] {
            assert!(
                files(folder.path(), part).is_empty(),
                "step {fails_at} left something in {part}"
            );
        }
    }
}

#[tokio::test]
async fn a_fault_of_the_last_sync_is_ambiguous() {
    let folder = tempfile::tempdir().unwrap();
    let transport = on(
        Faulty {
            fails_at: 4,
            ..Faulty::default()
        },
        folder.path(),
    );
    let error = transport
        .send(&mail(&["bob@example.net"]), &SendOptions::default())
        .await
        .unwrap_err();
    assert_eq!(
        (error.disposition(), error.retry()),
        (Disposition::Ambiguous, Retry::MayDuplicate)
    );
    assert_eq!(
        error.to_string(),
        "file: unavailable while syncing the folder of new messages, and it is unknown whether the message was accepted"
    );
    assert_eq!(files(folder.path(), "new").len(), 1);
}

#[tokio::test]
async fn a_move_that_worked_and_says_it_failed_is_ambiguous() {
    let folder = tempfile::tempdir().unwrap();
    let transport = on(
        Faulty {
            fails_at: 3,
            works_anyway: true,
            ..Faulty::default()
        },
        folder.path(),
    );
    let error = transport
        .send(&mail(&["bob@example.net"]), &SendOptions::default())
        .await
        .unwrap_err();
    assert_eq!(error.disposition(), Disposition::Ambiguous);
    assert_eq!(files(folder.path(), "new").len(), 1);
}

#[tokio::test]
async fn a_file_that_is_there_is_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("taken"), "first").unwrap();
    let error = RealDisk
        .write_new(&folder.path().join("taken"), &mut std::iter::empty())
        .unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
}

#[tokio::test]
async fn bytes_and_envelope_stand_apart() {
    let folder = tempfile::tempdir().unwrap();
    let transport = FileTransport::new(folder.path()).unwrap();
    let mail = mail(&["bob@example.net", "zoe@b\u{fc}cher.example"]);
    let outcome = transport.send(&mail, &SendOptions::default()).await.unwrap();
    let name = outcome.provider_id().unwrap();
    assert_eq!(files(folder.path(), "new"), [name]);
    assert_eq!(
        fs::read(folder.path().join("new").join(name)).unwrap(),
        mail.rope().to_bytes().unwrap()
    );
    assert_eq!(
        fs::read_to_string(folder.path().join("envelope").join(name)).unwrap(),
        "MAIL FROM:<ada@example.org>\r\nRCPT TO:<bob@example.net>\r\nRCPT TO:<zoe@xn--bcher-kva.example>\r\n"
    );
    assert!(files(folder.path(), "tmp").is_empty());
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_read_a_message() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let transport = FileTransport::new(folder.path()).unwrap();
    let outcome = transport
        .send(&mail(&["bob@example.net"]), &SendOptions::default())
        .await
        .unwrap();
    let path = folder.path().join("new").join(outcome.provider_id().unwrap());
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_folder_that_went_away_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let transport = FileTransport::new(folder.path()).unwrap();
    fs::remove_dir_all(folder.path()).unwrap();
    let error = transport
        .send(&mail(&["bob@example.net"]), &SendOptions::default())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.disposition()),
        (ErrorKind::Unavailable, Disposition::NotAccepted)
    );
}

/// A disk that waits, before it writes, until it is let go.
#[derive(Debug)]
struct Slow(Mutex<std::sync::mpsc::Receiver<()>>);

impl Disk for Slow {
    fn write_new(&self, path: &Path, content: &mut dyn Iterator<Item = io::Result<Bytes>>) -> io::Result<()> {
        // An error means that the test is over.
        let _ = self.0.lock().unwrap().recv();
        RealDisk.write_new(path, content)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        RealDisk.sync_folder(path)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        RealDisk.exists(path)
    }
}

#[test]
fn a_deadline_that_passes_while_writing_calls_the_message_off() {
    let folder = tempfile::tempdir().unwrap();
    let (let_go, wait) = std::sync::mpsc::channel();
    let transport = on(Slow(Mutex::new(wait)), folder.path());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let options = SendOptions::default().with_deadline(Duration::from_millis(20));
    let error = runtime
        .block_on(transport.send(&mail(&["bob@example.net"]), &options))
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.disposition()),
        (ErrorKind::Timeout, Disposition::NotAccepted)
    );
    let_go.send(()).unwrap();
    let_go.send(()).unwrap();
    // Waits for the thread that writes.
    drop(runtime);
    for part in ["tmp", "new", "envelope"] {
        assert!(files(folder.path(), part).is_empty(), "something was left in {part}");
    }
}

#[tokio::test]
async fn delivery_wishes_are_an_error_unless_they_may_be_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let transport = FileTransport::new(folder.path()).unwrap();
    let mail = mail(&["bob@example.net"]);
    let wishes = mail
        .envelope()
        .clone()
        .with_return_content(posthaste_address::ReturnContent::Full);
    let mail = mail.readdressed(wishes);
    assert_eq!(
        transport.send(&mail, &SendOptions::default()).await.unwrap_err().kind(),
        ErrorKind::Unsupported
    );
    let options = SendOptions::default().with_on_unsupported(OnUnsupported::Degrade);
    assert!(transport.send(&mail, &options).await.is_ok());
}

#[tokio::test]
async fn a_streamed_attachment_is_written_as_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let transport = FileTransport::new(folder.path()).unwrap();
    let mail = streaming(Generated::new(300_000));
    let outcome = transport.send(&mail, &SendOptions::default()).await.unwrap();
    let written = fs::read(folder.path().join("new").join(outcome.provider_id().unwrap())).unwrap();
    assert_eq!(written, mail.rope().to_bytes().unwrap());
}

#[tokio::test]
async fn a_message_that_cannot_be_read_leaves_nothing_and_says_whose_fault_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let transport = FileTransport::new(folder.path()).unwrap();
    let mail = streaming(Generated::new(300_000).failing_at(200_000));
    let error = transport.send(&mail, &SendOptions::default()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.disposition(), error.retry()),
        (ErrorKind::Unreadable, Disposition::NotAccepted, Retry::Never)
    );
    assert_eq!(error.to_string(), "file: the message could not be read");
    for part in ["tmp", "new", "envelope"] {
        assert!(files(folder.path(), part).is_empty(), "something was left in {part}");
    }
}

#[test]
fn a_send_that_is_dropped_stops_reading() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    // It would never end.
    let source = Generated::new(1 << 50);
    let readers = Arc::clone(&source.open);
    let mail = streaming(source);
    let transport = on(Full(AtomicUsize::new(0)), folder.path());
    let options = SendOptions::default().with_deadline(Duration::from_millis(20));
    let error = runtime.block_on(transport.send(&mail, &options)).unwrap_err();
    assert_eq!(
        (error.kind(), error.disposition()),
        (ErrorKind::Timeout, Disposition::NotAccepted)
    );
    // Waits for the thread that writes.
    drop(runtime);
    assert_eq!(readers.load(Ordering::SeqCst), 0);
    assert!(files(folder.path(), "tmp").is_empty());
}

/// A disk that takes everything and keeps nothing.
#[derive(Debug)]
struct Full(AtomicUsize);

impl Disk for Full {
    fn write_new(&self, _: &Path, content: &mut dyn Iterator<Item = io::Result<Bytes>>) -> io::Result<()> {
        for chunk in content {
            self.0.fetch_add(chunk?.len(), Ordering::Relaxed);
        }
        Ok(())
    }

    fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn remove(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn exists(&self, _: &Path) -> io::Result<bool> {
        Ok(false)
    }
}

#[test]
fn without_a_runtime_it_is_an_error_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let transport = FileTransport::new(folder.path()).unwrap();
    let (mail, options) = (mail(&["bob@example.net"]), SendOptions::new());
    let mut send = transport.send(&mail, &options);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(Err(error)) = send.as_mut().poll(&mut context) else {
        panic!("it should have failed at once");
    };
    assert_eq!(
        (error.kind(), error.disposition()),
        (ErrorKind::Unavailable, Disposition::NotAccepted)
    );
}
