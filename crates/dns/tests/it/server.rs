//! A real name server on loopback: plain, over TLS, over HTTPS, and signed.

use std::{future::Future, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use hickory_server::{
    Server,
    dnssec::NxProofKind,
    net::runtime::{Time, TokioRuntimeProvider},
    proto::{
        dnssec::{
            DnssecSigner, SigningKey,
            crypto::Ed25519SigningKey,
            rdata::{DNSKEY, DNSSECRData},
        },
        op::Message,
        rr::{LowerName, Name, RData, Record, RecordType},
        serialize::txt::Parser,
    },
    server::{Request, RequestHandler, ResponseHandler, ResponseInfo},
    store::in_memory::InMemoryZoneHandler,
    zone_handler::{AxfrPolicy, Catalog, ZoneType},
};
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tokio::net::{TcpListener, UdpSocket};

const TIMEOUT: Duration = Duration::from_secs(5);

/// Makes a zone from its text; with a key it is signed.
pub(crate) fn zone(
    origin: &str,
    text: &str,
    proof: NxProofKind,
    key: Option<DnssecSigner>,
) -> InMemoryZoneHandler<TokioRuntimeProvider> {
    let origin: Name = origin.parse().unwrap();
    let (_, records) = Parser::new(text.to_owned(), None, Some(origin.clone()))
        .parse()
        .unwrap();
    let proof = key.is_some().then_some(proof);
    let mut zone = InMemoryZoneHandler::new(origin, records, ZoneType::Primary, AxfrPolicy::Deny, proof).unwrap();
    if let Some(key) = key {
        zone.add_zone_signing_key_mut(key).unwrap();
        zone.secure_zone_mut().unwrap();
    }
    zone
}

/// Makes a key for a zone, and writes it as a trust anchor.
pub(crate) fn signer(origin: &str) -> (DnssecSigner, String) {
    let key = Ed25519SigningKey::from_pkcs8(&Ed25519SigningKey::generate_pkcs8().unwrap()).unwrap();
    let record = DNSKEY::from_key(&key.to_public_key().unwrap());
    let anchor = format!("{origin} 3600 IN DNSKEY {record}\n");
    let signer = DnssecSigner::new(
        record,
        Box::new(key),
        origin.parse().unwrap(),
        Duration::from_secs(3600),
    );
    (signer, anchor)
}

/// Answers from several zones, as a resolver would that has asked their servers: for a DS record, the zone above.
pub(crate) struct Zones {
    all: Catalog,
    above: Catalog,
    below: Vec<LowerName>,
}

impl Zones {
    pub(crate) fn new(
        origin: &str,
        top: InMemoryZoneHandler<TokioRuntimeProvider>,
        below: Vec<(&str, InMemoryZoneHandler<TokioRuntimeProvider>)>,
    ) -> Self {
        let (origin, top): (LowerName, Arc<InMemoryZoneHandler<_>>) = (origin.parse().unwrap(), Arc::new(top));
        let mut zones = Self {
            all: Catalog::new(),
            above: Catalog::new(),
            below: Vec::new(),
        };
        zones.all.upsert(origin.clone(), vec![top.clone()]);
        zones.above.upsert(origin, vec![top]);
        for (origin, zone) in below {
            let origin: LowerName = origin.parse().unwrap();
            zones.all.upsert(origin.clone(), vec![Arc::new(zone)]);
            zones.below.push(origin);
        }
        zones
    }
}

impl RequestHandler for Zones {
    fn handle_request<'s, 'r, 'f, R, T>(
        &'s self,
        request: &'r Request,
        response: R,
    ) -> Pin<Box<dyn Future<Output = ResponseInfo> + Send + 'f>>
    where
        R: ResponseHandler + 'f,
        T: Time + 'f,
        's: 'f,
        'r: 'f,
    {
        let above = request
            .request_info()
            .is_ok_and(|info| info.query.query_type() == RecordType::DS && self.below.contains(info.query.name()));
        let catalog = if above { &self.above } else { &self.all };
        catalog.handle_request::<R, T>(request, response)
    }
}

/// A running server; it stops when dropped.
pub(crate) struct Running {
    pub(crate) plain: SocketAddr,
    pub(crate) tls: SocketAddr,
    pub(crate) https: SocketAddr,
    /// The certificate authority, in PEM.
    pub(crate) root: String,
    _server: Server<Zones>,
}

/// Serves zones on three ports, with a certificate for `name`.
pub(crate) async fn start(zones: Zones, name: &str) -> Running {
    let certified = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let config = |protocol: &[u8]| {
        let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
        let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .unwrap();
        config.alpn_protocols = vec![protocol.to_vec()];
        Arc::new(config)
    };
    let mut server = Server::new(zones);
    let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let plain = udp.local_addr().unwrap();
    let tcp = TcpListener::bind(plain).await.unwrap();
    server.register_socket(udp);
    server.register_listener(tcp, TIMEOUT, 32);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tls = listener.local_addr().unwrap();
    server
        .register_tls_listener_with_tls_config(listener, TIMEOUT, config(b"dot"))
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let https = listener.local_addr().unwrap();
    server
        .register_https_listener_with_tls_config(
            listener,
            TIMEOUT,
            config(b"h2"),
            Some(name.to_owned()),
            "/dns-query".to_owned(),
        )
        .unwrap();
    Running {
        plain,
        tls,
        https,
        root: certified.cert.pem(),
        _server: server,
    }
}

/// Stands before a server and takes out the NSEC3 records that it sends beside what is there, unless a wildcard stood in.
pub(crate) async fn tidied(server: SocketAddr) -> SocketAddr {
    let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut octets = [0; 4096];
        while let Ok((count, client)) = socket.recv_from(&mut octets).await {
            let (request, socket) = (octets[..count].to_vec(), socket.clone());
            tokio::spawn(async move {
                let upstream = UdpSocket::bind("127.0.0.1:0").await.unwrap();
                upstream.send_to(&request, server).await.unwrap();
                let mut octets = [0; 4096];
                let count = upstream.recv(&mut octets).await.unwrap();
                let response = tidy(Message::from_vec(&octets[..count]).unwrap());
                socket.send_to(&response.to_vec().unwrap(), client).await.unwrap();
            });
        }
    });
    address
}

fn tidy(mut response: Message) -> Message {
    let signature = |record: &Record| match &record.data {
        RData::DNSSEC(DNSSECRData::RRSIG(signature)) => Some(signature.input().clone()),
        _ => None,
    };
    let stands_in = |record: &Record| signature(record).is_some_and(|by| by.num_labels < record.name.num_labels());
    if !response.answers.is_empty() && !response.answers.iter().any(stands_in) {
        let denies = |record: &Record| {
            record.record_type() == RecordType::NSEC3
                || signature(record).is_some_and(|by| by.type_covered == RecordType::NSEC3)
        };
        response.authorities.retain(|record| !denies(record));
    }
    response
}
