//! Messages whose attachments are read while they are sent.

use std::error::Error as _;
use std::io::{self, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use bytes::Bytes;
use posthaste_mime::{Attachment, ContentType, FileSource, Message, Rope, Source};
use posthaste_smtp::{SmtpError, Timeouts, Tls};
use posthaste_transport::{Disposition, ErrorKind, Outbound, Retry, SendOptions, Transport};

use crate::peer::Do::{Ignore, Read as Lines, ReadMessage, Say, Stall};
use crate::peer::{Do, Peer};
use crate::postbox::{Postbox, Running, certificate, soon};
use crate::sink::{Sink, Wrong};

/// Makes a message that streams `source`.
fn mail(source: impl Source) -> Outbound {
    let kind = ContentType::parse("application/octet-stream").unwrap();
    let message = Message::builder()
        .from("ada@example.org".parse().unwrap())
        .to("bob@example.net".parse().unwrap())
        .subject("Hello")
        .text(".dots\r\n..and more")
        .attach(Attachment::from_source("large.bin", kind, source).unwrap());
    Outbound::new(message.build().unwrap()).unwrap()
}

/// A source that does as a function says, and counts its readers.
struct Made {
    len: u64,
    make: Box<dyn Fn() -> Box<dyn Read + Send> + Send + Sync>,
    readers: Arc<AtomicUsize>,
}

impl Made {
    fn new<R: Read + Send + 'static>(len: u64, make: impl Fn() -> R + Send + Sync + 'static) -> Self {
        Self {
            len,
            make: Box::new(move || Box::new(make())),
            readers: Arc::default(),
        }
    }
}

impl std::fmt::Debug for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Made").finish_non_exhaustive()
    }
}

impl Source for Made {
    fn len(&self) -> u64 {
        self.len
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        self.readers.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(Counted((self.make)(), Arc::clone(&self.readers))))
    }
}

struct Counted(Box<dyn Read + Send>, Arc<AtomicUsize>);

impl Read for Counted {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Gives bytes up to `at`, then fails.
fn failing(at: u64) -> impl Read + Send + 'static {
    struct Fails;
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    io::repeat(b'x').take(at).chain(Fails)
}

const HELLO: [Do; 3] = [Say("220 hi\r\n"), Lines(1), Say("250-hi\r\n250 SIZE\r\n")];
const MAIL: [Do; 4] = [Lines(1), Say("250 ok\r\n"), Lines(1), Say("250 ok\r\n")];
const DATA: [Do; 2] = [Lines(1), Say("354 go\r\n")];
const TAKE: [Do; 2] = [ReadMessage, Say("250 ok\r\n")];

#[tokio::test]
async fn the_size_that_is_announced_is_that_of_the_message() {
    let postbox = Postbox::default();
    let server = Running::start(postbox.server()).await;
    let client = server.client().build().unwrap();
    let sizes = [0, 1, 57, 58, 47_880, 47_881, 1_000_000];
    for len in sizes {
        let mail = mail(Made::new(len, move || io::repeat(7).take(len)));
        assert!(
            soon(client.send(&mail, &SendOptions::new()))
                .await
                .unwrap()
                .is_complete()
        );
        let received = postbox.messages().pop().unwrap();
        assert_eq!(received.content(), &mail.rope().to_bytes().unwrap(), "{len}");
    }
    assert_eq!(postbox.messages().len(), sizes.len());
    server.stop().await;

    let peer = Peer::start(vec![[&HELLO[..], &MAIL, &DATA, &TAKE].concat()]).await;
    let mail = mail(Made::new(100_000, || io::repeat(7).take(100_000)));
    let client = peer.client().build().unwrap();
    assert!(soon(client.send(&mail, &SendOptions::new())).await.is_ok());
    let (length, announced) = (mail.rope().len(), peer.lines()[1].clone());
    assert_eq!(announced, format!("MAIL FROM:<ada@example.org> SIZE={length}"));
}

#[tokio::test]
async fn a_message_that_cannot_be_read_to_its_end_never_ends() {
    type Case = (&'static str, fn() -> Made);
    let cases: [Case; 5] = [
        ("fails half-way", || Made::new(300_000, || failing(200_000))),
        ("fails at once", || Made::new(300_000, || failing(0))),
        ("ends early", || Made::new(300_000, || io::repeat(b'x').take(299_999))),
        ("goes on", || Made::new(300_000, || io::repeat(b'x').take(300_001))),
        ("is empty", || Made::new(300_000, io::empty)),
    ];
    for (name, source) in cases {
        let steps = [&HELLO[..], &MAIL, &DATA, &[ReadMessage]].concat();
        let whole = [&HELLO[..], &MAIL, &DATA, &TAKE].concat();
        let peer = Peer::start(vec![steps, whole]).await;
        let client = peer.client().build().unwrap();
        let error = soon(client.send(&mail(source()), &SendOptions::new()))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.disposition(), error.retry()),
            (ErrorKind::Unreadable, Disposition::NotAccepted, Retry::Never),
            "{name}"
        );
        assert_eq!(
            error.to_string(),
            "smtp: the message could not be read while reading the message",
            "{name}"
        );
        assert!(matches!(
            error.source().unwrap().downcast_ref(),
            Some(SmtpError::Source(_))
        ));
        assert_eq!(peer.lines().iter().filter(|line| *line == ".").count(), 0, "{name}");
        // The next message goes over a connection of its own.
        let next = mail(Bytes::from_static(b"whole"));
        assert!(soon(client.send(&next, &SendOptions::new())).await.is_ok());
        assert_eq!(
            (peer.count("EHLO"), peer.count("RSET"), peer.count("QUIT")),
            (2, 0, 0),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_file_that_is_gone_costs_no_connection() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.bin");
    std::fs::write(&path, "large").unwrap();
    let mail = mail(FileSource::new(&path).unwrap());
    std::fs::remove_file(&path).unwrap();
    let peer = Peer::start(vec![[&HELLO[..], &MAIL, &DATA, &[ReadMessage]].concat()]).await;
    let client = peer.client().build().unwrap();
    let error = soon(client.send(&mail, &SendOptions::new())).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.disposition()),
        (ErrorKind::Unreadable, Disposition::NotAccepted)
    );
    assert_eq!(peer.count("EHLO"), 0);
    std::fs::write(&path, "large").unwrap();
    let peer = Peer::start(vec![[&HELLO[..], &MAIL, &DATA, &TAKE].concat()]).await;
    let client = peer.client().build().unwrap();
    assert!(soon(client.send(&mail, &SendOptions::new())).await.is_ok());
}

#[tokio::test]
async fn other_bytes_than_were_read_before_never_end_the_message() {
    let opened = AtomicUsize::new(0);
    let source = Made::new(300_000, move || {
        let byte = opened.fetch_add(1, Ordering::SeqCst);
        io::repeat(u8::try_from(byte).unwrap()).take(300_000)
    });
    let mail = mail(source);
    // As for a signature.
    assert!(mail.rope().chunks().all(|chunk| chunk.is_ok()));
    let peer = Peer::start(vec![[&HELLO[..], &MAIL, &DATA, &[ReadMessage]].concat()]).await;
    let client = peer.client().build().unwrap();
    let error = soon(client.send(&mail, &SendOptions::new())).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.disposition()),
        (ErrorKind::Unreadable, Disposition::NotAccepted)
    );
    assert!(!peer.lines().contains(&".".to_owned()));
}

#[tokio::test]
async fn through_tls_it_arrives_whole_or_not_at_all() {
    let (chain, key) = certificate();
    let postbox = Postbox::default();
    let server = Running::start(postbox.server().tls(chain.clone(), key).require_tls(true)).await;
    let client = server.client().tls(Tls::Required).add_root_pem(&chain).unwrap();
    let client = client.build().unwrap();
    let whole = mail(Made::new(1_000_000, || io::repeat(7).take(1_000_000)));
    let half = mail(Made::new(1_000_000, || failing(500_000)));
    for round in 1..=2 {
        assert!(soon(client.send(&whole, &SendOptions::new())).await.is_ok());
        let error = soon(client.send(&half, &SendOptions::new())).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.disposition()),
            (ErrorKind::Unreadable, Disposition::NotAccepted)
        );
        assert_eq!(postbox.messages().len(), round);
    }
    let bytes = whole.rope().to_bytes().unwrap();
    assert!(postbox.messages().iter().all(|message| message.content() == &bytes));
    client.close().await;
    server.stop().await;
}

#[tokio::test]
async fn what_must_not_go_out_is_found_on_the_way() {
    let built = mail(Bytes::from_static(b"whole"));
    let mut rope = built.rope();
    rope.append(&Rope::from(Bytes::from_static(b"bare\nline feed\r\n")));
    let peer = Peer::start(vec![[&HELLO[..], &MAIL, &DATA, &[ReadMessage]].concat()]).await;
    let client = peer.client().build().unwrap();
    let smuggling = Outbound::raw(built.envelope().clone(), rope);
    let error = soon(client.send(&smuggling, &SendOptions::new())).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.disposition(), error.retry()),
        (ErrorKind::Invalid, Disposition::NotAccepted, Retry::Never)
    );
    assert!(!peer.lines().iter().any(|line| line == "." || line.contains("bare")));
}

/// Waits for its turn before each read.
struct Turns(Arc<Mutex<mpsc::Receiver<()>>>);

impl Read for Turns {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        // An error means that the test is over.
        self.0.lock().unwrap().recv().map_err(io::Error::other)?;
        out.fill(b'x');
        Ok(out.len())
    }
}

/// Makes a source that never ends and waits before each read, and what lets it read.
fn waiting() -> (Made, mpsc::Sender<()>) {
    let (turn, turns) = mpsc::channel();
    let turns = Arc::new(Mutex::new(turns));
    (Made::new(1 << 40, move || Turns(Arc::clone(&turns))), turn)
}

#[tokio::test]
async fn a_slow_disk_does_not_hold_up_the_runtime() {
    let (turn, turns) = mpsc::channel();
    let turns = Arc::new(Mutex::new(turns));
    let source = Made::new(100_000, move || Turns(Arc::clone(&turns)).take(100_000));
    let peer = Peer::start(vec![[&HELLO[..], &MAIL, &DATA, &TAKE].concat()]).await;
    let client = peer.client().build().unwrap();
    // On the one thread that there is: it only gets its turn while the source waits if the source waits elsewhere.
    tokio::spawn(async move {
        while turn.send(()).is_ok() {
            tokio::task::yield_now().await;
        }
    });
    assert!(soon(client.send(&mail(source), &SendOptions::new())).await.is_ok());
}

#[tokio::test]
async fn a_disk_that_hangs_runs_into_the_deadline() {
    for options in [
        SendOptions::new(),
        SendOptions::new().with_deadline(Duration::from_millis(500)),
    ] {
        let (source, turn) = waiting();
        turn.send(()).unwrap();
        let block = match options.deadline() {
            Some(_) => Duration::from_secs(60),
            None => Duration::from_millis(500),
        };
        let peer = Peer::start(vec![[&HELLO[..], &MAIL, &DATA, &[ReadMessage]].concat()]).await;
        let client = peer.client().timeouts(Timeouts::all(block)).build().unwrap();
        let error = soon(client.send(&mail(source), &options)).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.disposition(), error.retry()),
            (ErrorKind::Timeout, Disposition::NotAccepted, Retry::Safe)
        );
        assert_eq!(error.to_string(), "smtp: timed out while reading the message");
    }
}

#[test]
fn a_send_that_is_dropped_closes_the_file() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let source = Made::new(1 << 40, || io::repeat(b'x'));
    let readers = Arc::clone(&source.readers);
    let mail = mail(source);
    runtime.block_on(async {
        let peer = Peer::start(vec![[&HELLO[..], &MAIL, &DATA, &[Stall]].concat()]).await;
        let client = peer.client().build().unwrap();
        let dropped = tokio::time::timeout(Duration::from_millis(300), client.send(&mail, &SendOptions::new())).await;
        assert!(dropped.is_err());
    });
    // Waits for the threads that read.
    drop(runtime);
    assert_eq!(readers.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_server_that_refuses_half_way_is_heard() {
    let steps = [
        &HELLO[..],
        &MAIL,
        &DATA,
        &[Lines(2000), Say("552 5.3.4 too much\r\n"), Lines(2000)],
    ]
    .concat();
    let peer = Peer::start(vec![steps]).await;
    let client = peer.client().build().unwrap();
    let source = Made::new(900_000_000, || io::repeat(b'x').take(900_000_000));
    let error = soon(client.send(&mail(source), &SendOptions::new())).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::NotAccepted);
    assert!(
        matches!(error.kind(), ErrorKind::Rejected | ErrorKind::Unavailable),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_takes_no_more_is_no_ambiguity() {
    let peer = Peer::start(vec![[&HELLO[..], &MAIL, &DATA, &[Stall]].concat()]).await;
    let client = peer
        .client()
        .timeouts(Timeouts::all(Duration::from_millis(500)))
        .build()
        .unwrap();
    let source = Made::new(900_000_000, || io::repeat(b'x').take(900_000_000));
    let error = soon(client.send(&mail(source), &SendOptions::new())).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.disposition(), error.retry()),
        (ErrorKind::Timeout, Disposition::NotAccepted, Retry::Safe)
    );
    assert_eq!(error.to_string(), "smtp: timed out while sending the message");
    let peer = Peer::start(vec![[&HELLO[..], &MAIL, &DATA, &[ReadMessage, Ignore]].concat()]).await;
    let client = peer
        .client()
        .timeouts(Timeouts::all(Duration::from_millis(500)))
        .build()
        .unwrap();
    let whole = mail(Bytes::from_static(b"whole"));
    let error = soon(client.send(&whole, &SendOptions::new())).await.unwrap_err();
    assert_eq!(error.disposition(), Disposition::Ambiguous);
}

const BDAT: &str = "\r\n250-PIPELINING\r\n250-CHUNKING";

#[tokio::test]
async fn by_bdat_it_goes_in_pieces_of_bounded_size() {
    for extensions in [BDAT, "\r\n250-CHUNKING"] {
        let sink = Sink::start(extensions, None).await;
        let client = sink.client().connections(1).build().unwrap();
        let (large, small) = (
            mail(Made::new(1_000_000, || io::repeat(7).take(1_000_000))),
            mail(Bytes::from_static(b"small")),
        );
        let options = SendOptions::new();
        let sends = async {
            tokio::join!(
                client.send(&large, &options),
                client.send(&small, &options),
                client.send(&large, &options),
                client.send(&small, &options)
            )
        };
        let (first, second, third, fourth) = soon(sends).await;
        for result in [first, second, third, fourth] {
            assert!(result.unwrap().is_complete());
        }
        let bytes = |mail: &Outbound| mail.rope().to_bytes().unwrap().to_vec();
        // Files are opened first, and who was quick goes first.
        let mut contents = sink.book.contents.lock().unwrap().clone();
        contents.sort_by_key(Vec::len);
        assert!(contents == [bytes(&small), bytes(&small), bytes(&large), bytes(&large)]);
        let chunks = sink.book.chunks.lock().unwrap().clone();
        assert!(
            chunks.len() > 20 && chunks.iter().all(|&size| size <= 128 * 1024),
            "{chunks:?}"
        );
        assert_eq!(sink.connections(), 1);
    }
}

#[tokio::test]
async fn a_piece_that_is_refused_ends_the_message_and_not_the_connection() {
    let sink = Sink::start(BDAT, Some(Wrong::Chunk(2))).await;
    let client = sink.client().connections(1).build().unwrap();
    let large = mail(Made::new(3_000_000, || io::repeat(7).take(3_000_000)));
    let error = soon(client.send(&large, &SendOptions::new())).await.unwrap_err();
    assert_eq!(
        (error.disposition(), error.reply().unwrap().code(), error.retry()),
        (Disposition::NotAccepted, 452, Retry::Safe)
    );
    // What was under way when the refusal came is all that was sent.
    assert!(sink.book.chunks.lock().unwrap().len() < 10);
    assert!(soon(client.send(&large, &SendOptions::new())).await.is_ok());
    assert_eq!((sink.connections(), sink.book.resets.load(Ordering::SeqCst)), (1, 1));
    assert!(*sink.book.contents.lock().unwrap() == [large.rope().to_bytes().unwrap().to_vec()]);
}

#[tokio::test]
async fn by_bdat_a_message_that_cannot_be_read_never_has_a_last_piece() {
    for at in [0, 100_000, 299_000] {
        let sink = Sink::start(BDAT, None).await;
        let client = sink.client().connections(1).build().unwrap();
        let broken = mail(Made::new(300_000, move || failing(at)));
        let whole = mail(Bytes::from_static(b"whole"));
        let options = SendOptions::new();
        let sends = async { tokio::join!(client.send(&broken, &options), client.send(&whole, &options)) };
        let (broken, next) = soon(sends).await;
        let error = broken.unwrap_err();
        assert_eq!(
            (error.kind(), error.disposition()),
            (ErrorKind::Unreadable, Disposition::NotAccepted)
        );
        // The next one goes over a connection of its own.
        assert!(next.unwrap().is_complete());
        assert!(soon(client.send(&whole, &options)).await.is_ok());
        let bytes = whole.rope().to_bytes().unwrap().to_vec();
        assert!(*sink.book.contents.lock().unwrap() == [bytes.clone(), bytes]);
        assert_eq!(sink.connections(), 2);
    }
}
