//! The resolver that asks the network.

use std::{error::Error, fmt, net::SocketAddr, num::NonZeroUsize, time::Duration};

use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig},
    lookup::Lookup,
    net::{DnsError, NetError, runtime::TokioRuntimeProvider},
    proto::{
        dnssec::Proof,
        op::ResponseCode,
        rr::{self, Name, RData},
    },
};

use crate::{
    Answer, Dnssec, LookupError, LookupFuture, Negative, NetworkError, Record, RecordType, Resolver, Tlsa, Txt,
    name::normalise,
};

/// Asks name servers over the network, with a cache. Clones share it.
///
/// Lookups need a tokio runtime with I/O and time. Names are asked for as they stand: neither the search list of the
/// system nor its hosts file applies, because mail's questions are about the public DNS. Names of special use
/// (RFC 6761) are answered without asking: `localhost` is loopback, `invalid` does not exist.
///
/// # Examples
///
/// ```no_run
/// use posthaste_dns::{HickoryResolver, ResolverExt};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let resolver = HickoryResolver::from_system()?;
/// for (preference, host) in resolver.mx("example.org").await? {
///     println!("{preference} {host}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct HickoryResolver {
    inner: TokioResolver,
    deadline: Duration,
}

impl HickoryResolver {
    /// Uses the name servers that the system is configured with: `/etc/resolv.conf`, or the registry on Windows.
    ///
    /// # Errors
    ///
    /// [`SetupError`] when that configuration cannot be read.
    pub fn from_system() -> Result<Self, SetupError> {
        Self::builder().build()
    }

    /// Uses these name servers, which must resolve recursively, over UDP and, where that does not suffice, TCP.
    ///
    /// # Errors
    ///
    /// [`SetupError`] when the resolver cannot be set up.
    pub fn with_nameservers(servers: impl IntoIterator<Item = SocketAddr>) -> Result<Self, SetupError> {
        servers
            .into_iter()
            .fold(Self::builder(), HickoryBuilder::nameserver)
            .build()
    }

    /// Starts a configuration.
    pub fn builder() -> HickoryBuilder {
        HickoryBuilder::default()
    }
}

impl fmt::Debug for HickoryResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HickoryResolver")
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// Configures a [`HickoryResolver`].
#[derive(Clone, Debug)]
pub struct HickoryBuilder {
    nameservers: Vec<SocketAddr>,
    timeout: Duration,
    attempts: NonZeroUsize,
    deadline: Duration,
    cache_size: u64,
    validate: bool,
}

impl Default for HickoryBuilder {
    fn default() -> Self {
        Self {
            nameservers: Vec::new(),
            timeout: Duration::from_secs(3),
            attempts: NonZeroUsize::MIN.saturating_add(1),
            deadline: Duration::from_secs(10),
            cache_size: 8192,
            validate: false,
        }
    }
}

impl HickoryBuilder {
    /// Adds a name server. Without any, those of the system are used.
    #[must_use]
    pub fn nameserver(mut self, server: SocketAddr) -> Self {
        self.nameservers.push(server);
        self
    }

    /// Sets how long to wait for a server before asking again: 3 seconds unless told.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how often to ask: twice unless told.
    #[must_use]
    pub fn attempts(mut self, attempts: NonZeroUsize) -> Self {
        self.attempts = attempts;
        self
    }

    /// Sets how long a lookup may take in all, retries, aliases and validation included: 10 seconds unless told.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets how many answers to keep: 8192 unless told.
    #[must_use]
    pub fn cache_size(mut self, answers: u64) -> Self {
        self.cache_size = answers;
        self
    }

    /// Makes the resolver validate DNSSEC itself, from the root's trust anchor. Unless told it does not, and every
    /// answer is [`Dnssec::Indeterminate`].
    #[must_use]
    pub fn validate(mut self, validate: bool) -> Self {
        self.validate = validate;
        self
    }

    /// Makes the resolver. Asks nothing yet.
    ///
    /// # Errors
    ///
    /// [`SetupError`] when the system's configuration is needed and cannot be read, or TLS cannot be set up.
    pub fn build(self) -> Result<HickoryResolver, SetupError> {
        let provider = TokioRuntimeProvider::default();
        let mut builder = if self.nameservers.is_empty() {
            TokioResolver::builder(provider).map_err(SetupError)?
        } else {
            let servers = self.nameservers.iter().map(|server| {
                let at_port = |mut connection: ConnectionConfig| {
                    connection.port = server.port();
                    connection
                };
                let connections = vec![at_port(ConnectionConfig::udp()), at_port(ConnectionConfig::tcp())];
                NameServerConfig::new(server.ip(), true, connections)
            });
            TokioResolver::builder_with_config(ResolverConfig::from_name_servers(servers.collect()), provider)
        };
        let options = builder.options_mut();
        options.timeout = self.timeout;
        options.attempts = self.attempts.get().saturating_sub(1);
        options.cache_size = self.cache_size;
        options.use_hosts_file = ResolveHosts::Never;
        options.validate = self.validate;
        options.preserve_intermediates = true;
        Ok(HickoryResolver {
            inner: builder.build().map_err(SetupError)?,
            deadline: self.deadline,
        })
    }
}

/// Says why a resolver could not be set up.
#[derive(Debug)]
pub struct SetupError(NetError);

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the resolver could not be set up")
    }
}

impl Error for SetupError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

impl Resolver for HickoryResolver {
    fn lookup<'a>(&'a self, name: &'a str, kind: RecordType) -> LookupFuture<'a> {
        Box::pin(async move {
            let name = absolute(name)?;
            if tokio::runtime::Handle::try_current().is_err() {
                return Err(LookupError::Network(NetworkError::new("no tokio runtime")));
            }
            let lookup = self.inner.lookup(name.clone(), to_hickory(kind));
            match tokio::time::timeout(self.deadline, lookup).await {
                Ok(Ok(lookup)) => read_answer(&lookup, &name, kind),
                Ok(Err(error)) => Err(read_error(error)),
                Err(_elapsed) => Err(LookupError::Timeout),
            }
        })
    }
}

/// Makes an absolute name of the labels as they stand, without reading escapes into them.
fn absolute(name: &str) -> Result<Name, LookupError> {
    let name = normalise(name)?;
    Name::from_labels(name.split('.').map(str::as_bytes)).map_err(|_| LookupError::InvalidName)
}

fn to_hickory(kind: RecordType) -> rr::RecordType {
    match kind {
        RecordType::A => rr::RecordType::A,
        RecordType::Aaaa => rr::RecordType::AAAA,
        RecordType::Mx => rr::RecordType::MX,
        RecordType::Txt => rr::RecordType::TXT,
        RecordType::Ptr => rr::RecordType::PTR,
        RecordType::Cname => rr::RecordType::CNAME,
        RecordType::Tlsa => rr::RecordType::TLSA,
        RecordType::Ns => rr::RecordType::NS,
        RecordType::Soa => rr::RecordType::SOA,
    }
}

/// Picks out of a response what answers the question: the aliases from the name that was asked for, in order, and the
/// records of the type at the last of them. Whatever else a server added is left out.
fn read_answer(lookup: &Lookup, name: &Name, kind: RecordType) -> Result<Answer, LookupError> {
    let answers = lookup.answers();
    let mut current = name;
    let mut ttl = u32::MAX;
    let mut proof = Proof::Secure;
    if kind != RecordType::Cname {
        // Each alias takes at most one step, so the length of the answer bounds the chain.
        for _ in answers {
            let step = answers.iter().find_map(|record| match &record.data {
                RData::CNAME(target) if record.name == *current => Some((&target.0, record)),
                _ => None,
            });
            let Some((target, record)) = step else { break };
            current = target;
            ttl = ttl.min(record.ttl);
            proof = proof.min(record.proof);
        }
    }
    let mut records = Vec::new();
    for record in answers.iter().filter(|record| record.name == *current) {
        if let Some(data) = read_data(&record.data).filter(|data| data.kind() == kind) {
            ttl = ttl.min(record.ttl);
            proof = proof.min(record.proof);
            records.push(data);
        }
    }
    if records.is_empty() {
        return Err(read_nothing(lookup.message().response_code, lookup.authorities()));
    }
    let dnssec = match proof {
        Proof::Secure => Dnssec::Secure,
        Proof::Insecure => Dnssec::Insecure,
        Proof::Bogus => return Err(LookupError::Bogus),
        Proof::Indeterminate => Dnssec::Indeterminate,
    };
    let answer = Answer::new(records, Duration::from_secs(ttl.into())).with_dnssec(dnssec);
    Ok(if current == name {
        answer
    } else {
        answer.with_canonical_name(write_name(current))
    })
}

fn read_data(data: &RData) -> Option<Record> {
    Some(match data {
        RData::A(address) => Record::A(address.0),
        RData::AAAA(address) => Record::Aaaa(address.0),
        RData::MX(mx) => Record::Mx {
            preference: mx.preference,
            exchange: write_name(&mx.exchange),
        },
        RData::TXT(text) => Record::Txt(Txt::from_segments(text.txt_data.iter())),
        RData::PTR(name) => Record::Ptr(write_name(&name.0)),
        RData::CNAME(name) => Record::Cname(write_name(&name.0)),
        RData::NS(name) => Record::Ns(write_name(&name.0)),
        RData::TLSA(tlsa) => Record::Tlsa(Tlsa::new(
            u8::from(tlsa.cert_usage),
            u8::from(tlsa.selector),
            u8::from(tlsa.matching),
            tlsa.cert_data.clone(),
        )),
        RData::SOA(soa) => Record::Soa {
            primary: write_name(&soa.mname),
            mailbox: write_name(&soa.rname),
            serial: soa.serial,
            refresh: soa.refresh.cast_unsigned(),
            retry: soa.retry.cast_unsigned(),
            expire: soa.expire.cast_unsigned(),
            minimum: soa.minimum,
        },
        _ => return None,
    })
}

/// Writes a name in lower case without its final dot; octets that would read as something else become `\DDD`.
fn write_name(name: &Name) -> String {
    let mut text = String::with_capacity(name.len());
    for label in name.iter() {
        if !text.is_empty() {
            text.push('.');
        }
        for octet in label {
            match octet {
                b'!'..=b'~' if !matches!(octet, b'.' | b'\\') => text.push(char::from(octet.to_ascii_lowercase())),
                _ => text.push_str(&format!("\\{octet:03}")),
            }
        }
    }
    if text.is_empty() { ".".to_owned() } else { text }
}

fn read_error(error: NetError) -> LookupError {
    match error {
        NetError::Timeout => LookupError::Timeout,
        NetError::Truncated => LookupError::Truncated,
        NetError::Dns(DnsError::DnssecBogus) => LookupError::Bogus,
        NetError::Dns(DnsError::NoRecordsFound(none)) => {
            read_nothing(none.response_code, none.authorities.as_deref().unwrap_or_default())
        }
        NetError::Dns(DnsError::Nsec {
            proof: Proof::Bogus, ..
        }) => LookupError::Bogus,
        NetError::Dns(DnsError::Nsec { response, .. }) => read_nothing(response.response_code, &response.authorities),
        NetError::Dns(DnsError::ResponseCode(code)) => read_code(code),
        other => LookupError::Network(NetworkError::new(other)),
    }
}

/// Reads a response without records: its authority section says for how long that holds, and whether it is proven.
fn read_nothing(code: ResponseCode, authorities: &[rr::Record]) -> LookupError {
    let ttl = authorities.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => Some(Duration::from_secs(record.ttl.min(soa.minimum).into())),
        _ => None,
    });
    // SOA, NSEC and NSEC3, and the signatures of those.
    let proof = authorities.iter().map(|record| record.proof).min();
    let dnssec = match proof.unwrap_or_default() {
        Proof::Secure => Dnssec::Secure,
        Proof::Insecure => Dnssec::Insecure,
        Proof::Bogus => return LookupError::Bogus,
        Proof::Indeterminate => Dnssec::Indeterminate,
    };
    let negative = Negative::default().with_ttl(ttl).with_dnssec(dnssec);
    match code {
        ResponseCode::NXDomain => LookupError::NxDomain(negative),
        ResponseCode::NoError => LookupError::NoData(negative),
        other => read_code(other),
    }
}

fn read_code(code: ResponseCode) -> LookupError {
    match code {
        ResponseCode::Refused => LookupError::Refused,
        _ => LookupError::ServFail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cross_over_and_back() {
        let check = |text: &str| assert_eq!(write_name(&absolute(text).unwrap()), text.trim_end_matches('.'));
        check("example.org.");
        check("foo:bar/baz.example.org");
        check("_25._tcp.mail.example.org");
        assert_eq!(write_name(&Name::root()), ".");
    }

    #[test]
    fn a_dot_inside_a_label_is_no_separator() {
        let name = Name::from_labels([&b"a.b"[..], b"c\\", b"\xff "]).unwrap();
        assert_eq!(write_name(&name), "a\\046b.c\\092.\\255\\032");
    }

    #[test]
    fn names_that_cannot_be_asked_for_are_refused_at_once() {
        let resolver = HickoryResolver::with_nameservers([([127, 0, 0, 1], 9).into()]).unwrap();
        let mut lookup = resolver.lookup("a..b", RecordType::A);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let std::task::Poll::Ready(result) = lookup.as_mut().poll(&mut context) else {
            panic!("pending")
        };
        assert_eq!(result, Err(LookupError::InvalidName));
    }

    #[test]
    fn without_a_runtime_there_is_an_error() {
        let resolver = HickoryResolver::with_nameservers([([127, 0, 0, 1], 9).into()]).unwrap();
        let mut lookup = resolver.lookup("example.org", RecordType::A);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let std::task::Poll::Ready(result) = lookup.as_mut().poll(&mut context) else {
            panic!("pending")
        };
        assert!(matches!(result, Err(LookupError::Network(_))));
    }
}
