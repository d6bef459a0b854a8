//! A name server on loopback that serves a zone: just enough of RFC 1035 to talk to a resolver.

use std::{net::SocketAddr, sync::Arc};

use posthaste_dns::{LookupError, Negative, Record, RecordType, Zone};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, UdpSocket},
    task::JoinSet,
};

/// The most that goes over UDP, to have something left for TCP.
const MAX_UDP: usize = 512;

/// A running name server; it stops when dropped.
pub(crate) struct Responder {
    pub(crate) address: SocketAddr,
    pub(crate) zone: Arc<Zone>,
    tasks: JoinSet<()>,
}

impl Responder {
    /// Serves `zone`; a question that the zone times out on is never answered.
    pub(crate) async fn start(zone: Zone) -> Self {
        let (mut responder, tcp) = Self::over_both(zone).await;
        let served = Arc::clone(&responder.zone);
        responder.tasks.spawn(async move {
            while let Ok((mut stream, _)) = tcp.accept().await {
                while let Ok(length) = stream.read_u16().await {
                    let mut query = vec![0; length.into()];
                    stream.read_exact(&mut query).await.unwrap();
                    if let Some(response) = respond(&served, &query) {
                        stream.write_u16(response.len().try_into().unwrap()).await.unwrap();
                        stream.write_all(&response).await.unwrap();
                    }
                }
            }
        });
        responder
    }

    /// Serves `zone` over UDP, on a port that is free for TCP as well: somebody else may have it there.
    async fn over_both(zone: Zone) -> (Self, TcpListener) {
        for _ in 0..100 {
            let responder = Self::start_without_tcp(zone.clone()).await;
            if let Ok(tcp) = TcpListener::bind(responder.address).await {
                return (responder, tcp);
            }
        }
        panic!("no port is free for both UDP and TCP");
    }

    /// Serves `zone` over UDP only, so that what does not fit cannot be had.
    pub(crate) async fn start_without_tcp(zone: Zone) -> Self {
        let zone = Arc::new(zone);
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = udp.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        let served = Arc::clone(&zone);
        tasks.spawn(async move {
            let mut buffer = [0; 4096];
            while let Ok((length, peer)) = udp.recv_from(&mut buffer).await {
                if let Some(mut response) = respond(&served, &buffer[..length]) {
                    if response.len() > MAX_UDP {
                        response.truncate(12);
                        response.extend(question(&buffer[..length]));
                        response[2] |= 0x02;
                        response[6..12].fill(0);
                    }
                    udp.send_to(&response, peer).await.unwrap();
                }
            }
        });
        Self { address, zone, tasks }
    }
}

/// The octets of the first question in a query.
fn question(query: &[u8]) -> &[u8] {
    let mut end = 12;
    while query[end] != 0 {
        end += 1 + usize::from(query[end]);
    }
    &query[12..end + 5]
}

fn respond(zone: &Zone, query: &[u8]) -> Option<Vec<u8>> {
    let question = question(query);
    let (name, fixed) = question.split_at(question.len() - 4);
    let mut labels = Vec::new();
    let mut rest = name;
    while rest[0] != 0 {
        let (label, tail) = rest[1..].split_at(rest[0].into());
        labels.push(String::from_utf8(label.to_vec()).unwrap());
        rest = tail;
    }
    let code = u16::from_be_bytes([fixed[0], fixed[1]]);
    let kind = RecordType::ALL.iter().copied().find(|kind| type_code(*kind) == code);
    let result = kind.map_or(Err(LookupError::NoData(Negative::default())), |kind| {
        zone.answer(&labels.join("."), kind)
    });

    let mut response = query[..2].to_vec();
    let status = match &result {
        Ok(_) | Err(LookupError::NoData(_)) => 0,
        Err(LookupError::ServFail) => 2,
        Err(LookupError::NxDomain(_)) => 3,
        Err(LookupError::Refused) => 5,
        Err(_) => return None,
    };
    response.extend([0x81, 0x80 | status]);
    let mut answers: Vec<(Vec<u8>, &Record)> = Vec::new();
    let alias;
    if let Ok(answer) = &result {
        let mut owner = name.to_vec();
        if let Some(canonical) = answer.canonical_name() {
            alias = Record::Cname(canonical.to_owned());
            answers.push((owner, &alias));
            owner = wire_name(canonical);
        }
        answers.extend(answer.records().iter().map(|record| (owner.clone(), record)));
    }
    response.extend([0, 1]);
    response.extend(u16::try_from(answers.len()).unwrap().to_be_bytes());
    response.extend([0; 4]);
    response.extend(question);
    for (owner, record) in answers {
        response.extend(owner);
        response.extend(type_code(record.kind()).to_be_bytes());
        response.extend([0, 1, 0, 0, 0, 60]);
        let data = wire_data(record);
        response.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        response.extend(data);
    }
    Some(response)
}

fn type_code(kind: RecordType) -> u16 {
    match kind {
        RecordType::A => 1,
        RecordType::Ns => 2,
        RecordType::Cname => 5,
        RecordType::Soa => 6,
        RecordType::Ptr => 12,
        RecordType::Mx => 15,
        RecordType::Txt => 16,
        RecordType::Aaaa => 28,
        RecordType::Srv => 33,
        RecordType::Tlsa => 52,
        other => panic!("{other} has no code here"),
    }
}

fn wire_name(name: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        wire.push(label.len().try_into().unwrap());
        wire.extend(label.bytes());
    }
    wire.push(0);
    wire
}

fn wire_data(record: &Record) -> Vec<u8> {
    match record {
        Record::A(address) => address.octets().to_vec(),
        Record::Aaaa(address) => address.octets().to_vec(),
        Record::Mx { preference, exchange } => [&preference.to_be_bytes()[..], &wire_name(exchange)].concat(),
        Record::Srv(place) => [
            &place.priority.to_be_bytes()[..],
            &place.weight.to_be_bytes(),
            &place.port.to_be_bytes(),
            &wire_name(&place.target),
        ]
        .concat(),
        Record::Txt(text) => text
            .segments()
            .flat_map(|segment| [&[u8::try_from(segment.len()).unwrap()], segment].concat())
            .collect(),
        Record::Ptr(name) | Record::Cname(name) | Record::Ns(name) => wire_name(name),
        Record::Tlsa(tlsa) => [&[tlsa.usage, tlsa.selector, tlsa.matching][..], &tlsa.data].concat(),
        other => panic!("{other:?} is not served here"),
    }
}
