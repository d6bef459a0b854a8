//! Our own server on a port of its own, which keeps what it accepts.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use posthaste_address::Recipient;
use posthaste_smtp::server::{
    Credentials, Handler, HandlerFuture, Identity, Incoming, Login, Server, ServerBuilder, Session, Verdict,
};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The only user, and the only recipient that does not exist.
pub(crate) const USER: &str = "ada";
pub(crate) const PASSWORD: &str = "correct horse battery staple";
pub(crate) const UNKNOWN: &str = "nobody@example.net";

pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    /// The certificate authority of the server's certificate, in PEM.
    pub(crate) authority: String,
    accepted: Arc<Mutex<Vec<Incoming>>>,
    runtime: Runtime,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Receiver {
    pub(crate) fn start(settings: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        let runtime = Runtime::new().unwrap();
        let (authority, chain, key) = certificate();
        let accepted = Arc::new(Mutex::new(Vec::new()));
        let builder = Server::builder(Postbox(Arc::clone(&accepted)))
            .hostname("mx.example.net")
            .tls(chain, key);
        let server = runtime.block_on(settings(builder).bind("127.0.0.1:0")).unwrap();
        let address = server.local_addr();
        let (stop, stopped) = oneshot::channel();
        let serving = runtime.spawn(server.serve_until(async {
            // The sender is dropped only if the case failed, and then it ends as well.
            let _ = stopped.await;
        }));
        Self {
            address,
            authority,
            accepted,
            runtime,
            stop,
            serving,
        }
    }

    /// Stops the server and returns what it accepted.
    pub(crate) fn stop(self) -> Vec<Incoming> {
        self.stop.send(()).unwrap();
        self.runtime.block_on(self.serving).unwrap();
        std::mem::take(&mut *self.accepted.lock().unwrap())
    }
}

struct Postbox(Arc<Mutex<Vec<Incoming>>>);

impl Handler for Postbox {
    fn authenticate<'a>(&'a self, _: &'a Session, credentials: &'a Credentials) -> HandlerFuture<'a, Login> {
        let right = credentials.username() == USER && credentials.password().matches(PASSWORD);
        let login = if right {
            Login::Accepted(Identity::new(USER))
        } else {
            Login::Refused
        };
        Box::pin(std::future::ready(login))
    }

    fn rcpt<'a>(&'a self, _: &'a Session, recipient: &'a Recipient) -> HandlerFuture<'a, Verdict> {
        let verdict = match recipient.address().to_string().as_str() {
            UNKNOWN => Verdict::refuse(550, (1, 1), "no such mailbox"),
            _ => Verdict::accept(),
        };
        Box::pin(std::future::ready(verdict))
    }

    fn data<'a>(&'a self, _: &'a Session, incoming: Incoming) -> HandlerFuture<'a, Verdict> {
        self.0.lock().unwrap().push(incoming);
        Box::pin(std::future::ready(Verdict::accept_with("queued as 1")))
    }
}

/// An authority, a certificate of it for this machine, and the key of that.
pub(crate) fn certificate() -> (String, String, String) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority
        .distinguished_name
        .push(DnType::CommonName, "posthaste interop");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority_key = KeyPair::generate().unwrap();
    let authority_pem = authority.self_signed(&authority_key).unwrap().pem();

    let mut server = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    server.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate().unwrap();
    let chain = server
        .signed_by(&key, &Issuer::new(authority, authority_key))
        .unwrap()
        .pem();
    (authority_pem, chain, key.serialize_pem())
}
