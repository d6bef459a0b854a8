//! The other side: a mail server that authenticates what comes in, refuses what its policy refuses, and keeps the rest.

use std::error::Error;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use posthaste::Recipient;
use posthaste::auth::dmarc::Policy;
use posthaste::auth::{Authenticator, Connection, authres};
use posthaste::dkim::SigningKey;
use posthaste::dns::Zone;
use posthaste::smtp::server::{Handler, HandlerFuture, Incoming, Server, Session, Verdict};
use rcgen::{CertificateParams, KeyPair};
use tokio::io::AsyncWriteExt;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The name that the server goes by.
const HOSTNAME: &str = "mx.example.net";

/// What was received.
pub(crate) struct Received {
    pub(crate) count: usize,
    pub(crate) folder: PathBuf,
    /// The Authentication-Results of the first message.
    pub(crate) authentication_results: Option<String>,
}

/// The server, running.
pub(crate) struct Receiver {
    port: u16,
    certificate: String,
    mailbox: Arc<Mailbox>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Receiver {
    /// Starts on a port of the system's choosing, with a certificate made on the spot, and with a DNS of its own that
    /// publishes the sender's keys.
    pub(crate) async fn start(rsa: &SigningKey, ed25519: &SigningKey) -> Result<Self, Box<dyn Error>> {
        let key = KeyPair::generate()?;
        let certificate = CertificateParams::new([HOSTNAME.to_owned(), "127.0.0.1".to_owned()])?
            .self_signed(&key)?
            .pem();
        let folder = tempfile::Builder::new()
            .prefix("posthaste-quickstart-")
            .tempdir()?
            .keep();
        let mailbox = Arc::new(Mailbox {
            authenticator: Authenticator::new(Arc::new(zone(rsa, ed25519)?)),
            folder,
            count: AtomicUsize::new(0),
            first_results: OnceLock::new(),
        });
        let server = Server::builder(Arc::clone(&mailbox))
            .hostname(HOSTNAME)
            .tls(certificate.as_str(), key.serialize_pem())
            .require_tls(true)
            .bind((Ipv4Addr::LOCALHOST, 0))
            .await?;
        let port = server.local_addr().port();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(server.serve_until(async { stopped.await.unwrap_or_default() }));
        Ok(Self {
            port,
            certificate,
            mailbox,
            stop,
            serving,
        })
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn certificate_pem(&self) -> &str {
        &self.certificate
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.mailbox.folder
    }

    /// Lets it finish what was begun, and says what it received.
    pub(crate) async fn stop(self) -> Result<Received, Box<dyn Error>> {
        // It may have stopped by itself, which waiting for it will tell.
        let _ = self.stop.send(());
        self.serving.await?;
        Ok(Received {
            count: self.mailbox.count.load(Ordering::Relaxed),
            folder: self.mailbox.folder.clone(),
            authentication_results: self.mailbox.first_results.get().cloned(),
        })
    }
}

/// What the domains of this example publish.
fn zone(rsa: &SigningKey, ed25519: &SigningKey) -> Result<Zone, Box<dyn Error>> {
    let text = format!(
        r#"
posthaste.example.                     TXT "v=spf1 ip4:127.0.0.1 -all"
out.posthaste.example.                 TXT "v=spf1 ip4:127.0.0.1 -all"
_dmarc.posthaste.example.              TXT "v=DMARC1; p=reject"
rsa._domainkey.posthaste.example.      TXT {}
ed25519._domainkey.posthaste.example.  TXT {}
; A bank that never writes from here, and wants forgeries refused.
bank.example.                          TXT "v=spf1 ip4:192.0.2.1 -all"
_dmarc.bank.example.                   TXT "v=DMARC1; p=reject"
"#,
        strings(&rsa.dns_record()),
        strings(&ed25519.dns_record()),
    );
    Ok(Zone::parse(&text)?)
}

/// A text as DNS strings of at most 255 octets.
fn strings(text: &str) -> String {
    let chunks: Vec<String> = text
        .as_bytes()
        .chunks(255)
        .map(|chunk| format!("{:?}", String::from_utf8_lossy(chunk)))
        .collect();
    chunks.join(" ")
}

struct Mailbox {
    authenticator: Authenticator,
    folder: PathBuf,
    count: AtomicUsize,
    first_results: OnceLock<String>,
}

impl Mailbox {
    /// Authenticates a message and stores it with the results on top.
    async fn take(&self, session: &Session, incoming: &Incoming) -> io::Result<Verdict> {
        let ip = session.peer_ip().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let helo = session.helo().unwrap_or_default();
        let connection = Connection::new(ip, helo, incoming.envelope().mail_from().cloned());
        let content = authres::strip(incoming.content(), HOSTNAME);
        let report = self
            .authenticator
            .authenticate(&connection, &content, SystemTime::now())
            .await;
        if report.dmarc().disposition() == Policy::Reject {
            let text = report
                .dmarc()
                .policy_domain()
                .map_or_else(String::new, ToString::to_string);
            return Ok(Verdict::refuse(
                550,
                (7, 1),
                format!("DMARC policy of {text} is to reject this"),
            ));
        }

        let results = report.authentication_results(HOSTNAME);
        let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        let mut file = tokio::fs::File::create(self.folder.join(format!("{number:04}.eml"))).await?;
        file.write_all(results.as_bytes()).await?;
        file.write_all(&content).await?;
        file.sync_all().await?;
        // Only the first message sets it.
        let _ = self.first_results.set(results);
        Ok(Verdict::accept_with(format!("queued as {number:04}")))
    }
}

impl Handler for Mailbox {
    fn rcpt<'a>(&'a self, _: &'a Session, recipient: &'a Recipient) -> HandlerFuture<'a, Verdict> {
        let is_known = recipient.address().local_part() != "gone";
        Box::pin(async move {
            if is_known {
                Verdict::accept()
            } else {
                Verdict::refuse(550, (1, 1), "no such mailbox")
            }
        })
    }

    fn data<'a>(&'a self, session: &'a Session, incoming: Incoming) -> HandlerFuture<'a, Verdict> {
        Box::pin(async move {
            match self.take(session, &incoming).await {
                Ok(verdict) => verdict,
                Err(_) => Verdict::defer(452, (3, 1), "cannot be stored now"),
            }
        })
    }
}
