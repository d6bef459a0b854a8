//! The pages of the preview layer in a real browser, which has every chance to run and load what a mail brings.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use posthaste_mime::{Attachment, ContentId, ContentType, Message};
use posthaste_transport::layers::Preview;
use posthaste_transport::{MemoryTransport, Outbound, SendOptions, Transport as _, TransportExt as _};
use tempfile::TempDir;

use crate::Case;
use crate::programs::{Program, output};

pub(crate) const CASES: &[Case] = &[Case {
    name: "chromium_shows_a_page_of_the_preview_and_neither_runs_nor_loads_what_the_mail_brings",
    needs: &[Program::Chromium],
    run: a_preview_is_seen,
}];

/// A server that notes what it is asked for.
struct Trap {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Trap {
    fn set() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut line = String::new();
                let _ = BufReader::new(stream).read_line(&mut line);
                noted.lock().unwrap().push(line);
            }
        });
        Self { port, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// What a hostile mail shows: a script, a form that sends itself, pictures, styles and pages from elsewhere.
    fn html(&self) -> String {
        let there = format!("http://127.0.0.1:{}", self.port);
        format!(
            "<base href=\"{there}/\"><meta http-equiv=\"refresh\" content=\"0;url={there}/refresh\">\
             <link rel=\"preconnect\" href=\"{there}\"><LINK rel=\"stylesheet\" href=\"{there}/style.css\"><style>body{{background:url({there}/back.png)}}</style>\
             <p id=\"greeting\">Hello Bob</p><img src=\"cid:red@example.org\" width=\"80\" height=\"80\">\
             <img src=\"{there}/pixel.png\" onerror=\"parent.document.title='ran'\">\
             <iframe src=\"{there}/frame\"></iframe><object data=\"{there}/object\"></object>\
             <form id=\"f\" action=\"{there}/form\" method=\"post\"><input name=\"a\"></form>\
             <script>parent.document.title='ran';document.getElementById('f').submit();fetch('{there}/fetch')</script>"
        )
    }
}

/// Opens a page, lets two seconds of its time pass, and returns what it has become.
fn browse(page: &Path, home: &Path, arguments: &[&str]) -> String {
    let mut browser: Command = Program::Chromium.command();
    browser
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--virtual-time-budget=2000",
            "--window-size=1000,1400",
            "--dump-dom",
        ])
        .args(arguments)
        .arg(format!("--user-data-dir={}", home.display()))
        .arg(format!("file://{}", page.display()));
    String::from_utf8_lossy(&output(&mut browser)).into_owned()
}

fn a_preview_is_seen() {
    let trap = Trap::set();
    let folder = TempDir::new().unwrap();
    let png = ContentType::parse("image/png").unwrap();
    let pdf = ContentType::parse("application/pdf").unwrap();
    let message = Message::builder()
        .from("Ada Lovelace <ada@example.org>".parse().unwrap())
        .to("bob@example.net".parse().unwrap())
        .subject("Grüße </title><script>document.title='ran'</script>")
        .text("The text </pre><script>document.title='ran'</script>")
        .html(trap.html())
        .inline(Attachment::inline(ContentId::new("red@example.org").unwrap(), png, RED))
        .attach(Attachment::new("Bericht <1>.pdf", pdf, &b"%PDF-1.7"[..]).unwrap())
        .build()
        .unwrap();
    let mails = folder.path().join("mails");
    let transport = MemoryTransport::new().layer(Preview::new(&mails));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mail = Outbound::new(message).unwrap();
    let sent = runtime.block_on(transport.send(&mail, &SendOptions::new()));
    assert!(sent.is_ok());

    let pages: Vec<_> = std::fs::read_dir(&mails)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| !path.ends_with("index.html"))
        .collect();
    let [page] = pages.as_slice() else { panic!("{pages:?}") };
    let picture = folder.path().join("page.png");
    let dom = browse(
        page,
        &folder.path().join("home"),
        &[&format!("--screenshot={}", picture.display())],
    );
    for part in [
        "<title>Grüße &lt;/title&gt;&lt;script&gt;",
        "<th>From (envelope)</th><td>&lt;ada@example.org&gt;</td>",
        "<th>To (envelope)</th><td>bob@example.net</td>",
        "<th>From</th><td>Ada Lovelace &lt;ada@example.org&gt;</td>",
        "The text &lt;/pre&gt;",
        "Hello Bob",
        "data:image/png;base64,iVBORw0KGgo",
        "Bericht &lt;1&gt;.pdf",
        "application/pdf, 8 octets",
    ] {
        assert!(dom.contains(part), "no {part} in {dom}");
    }
    assert!(std::fs::read(&picture).unwrap().starts_with(b"\x89PNG"));
    assert_eq!(trap.asked(), Vec::<String>::new(), "something was loaded");

    let index = browse(&mails.join("index.html"), &folder.path().join("home"), &[]);
    assert!(index.contains("Grüße") && index.contains("bob@example.net"), "{index}");

    // The same HTML by itself does all that it wants to: the trap works.
    let bare = folder.path().join("bare.html");
    std::fs::write(&bare, trap.html().replace("parent.", "")).unwrap();
    browse(&bare, &folder.path().join("home"), &[]);
    assert!(!trap.asked().is_empty());
}

/// A red picture of one dot.
const RED: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00,
    0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x02, 0x00, 0x00, 0x00, 0x90, 0x77, 0x53, 0xde, 0x00, 0x00, 0x00, 0x0c, 0x49,
    0x44, 0x41, 0x54, 0x08, 0xd7, 0x63, 0xf8, 0xcf, 0xc0, 0x00, 0x00, 0x03, 0x01, 0x01, 0x00, 0x18, 0xdd, 0x8d, 0xb0,
    0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];
