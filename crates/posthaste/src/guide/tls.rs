//! How connections to mail servers are protected, and how to know.
//!
//! To a server of your own, or that of your provider, say `smtps:` or leave [`Tls::Required`](crate::smtp::Tls::Required), which is
//! the default: there is TLS with a certificate of that server, or nothing is sent. URLs and the environment have keys for the
//! rest, see [`SmtpConfig`](crate::smtp::SmtpConfig):
//!
//! ```
//! use posthaste::smtp::SmtpTransport;
//!
//! let transport = SmtpTransport::from_url("smtps://ada:secret@mail.example.org?minimum_tls=1.3")?;
//! // A server with an authority of its own, which wants to see a certificate; the files are read at once.
//! let missing = SmtpTransport::from_url(
//!     "smtp://mail.example.org?roots=/etc/ssl/ours.pem&platform_roots=false&client_certificate=/etc/ssl/client.pem",
//! );
//! # assert!(missing.is_err());
//! # Ok::<(), posthaste::smtp::ConfigError>(())
//! ```
//!
//! # What was negotiated
//!
//! Each outcome says over what connection it came, that in an error too. Clear text shows as such:
//!
//! ```
//! use posthaste::smtp::testing::TestServer;
//! use posthaste::smtp::SmtpTransport;
//! use posthaste::transport::Security;
//! use posthaste::{Mailer, Message};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = TestServer::start().await?;
//! let mailer = Mailer::builder(SmtpTransport::from_url(&server.url())?).build();
//! # let message = Message::builder()
//! #     .from("ada@example.org".parse()?)
//! #     .to("bob@example.net".parse()?)
//! #     .text("Hello")
//! #     .build()?;
//! let outcome = mailer.send(message).await?;
//! match outcome.security() {
//!     Some(Security::Tls(tls)) => println!("{} {} {}", tls.version(), tls.cipher_suite(), tls.authentication()),
//!     Some(Security::ClearText) => println!("anyone on the way could read it"),
//!     _ => println!("the transport does not say"),
//! }
//! # assert_eq!(outcome.security(), Some(&Security::ClearText));
//! # Ok(())
//! # }
//! ```
//!
//! # To the servers of strangers
//!
//! Mail to another domain's own servers goes over [`Tls::Opportunistic`](crate::smtp::Tls::Opportunistic), for many have a certificate
//! that proves nothing, and an attacker who stands in between can take STARTTLS away. Domains that want better say so in DNS: by
//! TLSA records (DANE, RFC 7672) or by an MTA-STS policy (RFC 8461). A [`TlsPolicy`](crate::smtp::TlsPolicy) holds connections to it:
//!
//! ```
//! use posthaste::dns::{Dnssec, LookupError, RecordType, Resolver, Zone};
//! use posthaste::publish::mta_sts;
//! use posthaste::smtp::{Dane, MtaSts, SmtpConfig, Tls, TlsPolicy, TlsPolicyFuture, TlsaAnswer, TlsaRecord};
//!
//! #[derive(Debug)]
//! struct OfDomain<R> {
//!     domain: String,
//!     resolver: R,
//!     mta_sts: Option<MtaSts>,
//! }
//!
//! impl<R: Resolver> OfDomain<R> {
//!     /// The TLSA records, if DNSSEC vouches for them.
//!     async fn tlsa(&self, host: &str, port: u16) -> TlsaAnswer {
//!         // Records for an address that anybody can forge are of no use, and looking for them can only fail.
//!         match self.resolver.lookup(host, RecordType::A).await {
//!             Ok(address) if address.dnssec() == Dnssec::Secure => {}
//!             Ok(_) | Err(LookupError::NoData(_)) => return TlsaAnswer::Insecure, // look at AAAA likewise
//!             Err(_) => return TlsaAnswer::Failed,
//!         }
//!         match self.resolver.lookup(&format!("_{port}._tcp.{host}"), RecordType::Tlsa).await {
//!             Ok(answer) if answer.dnssec() == Dnssec::Secure => TlsaAnswer::Secure(
//!                 answer.tlsa().map(|tlsa| TlsaRecord::new(tlsa.usage, tlsa.selector, tlsa.matching, tlsa.data.clone())).collect(),
//!             ),
//!             Ok(_) | Err(LookupError::NxDomain(_) | LookupError::NoData(_)) => TlsaAnswer::Insecure,
//!             Err(_) => TlsaAnswer::Failed,
//!         }
//!     }
//! }
//!
//! impl<R: Resolver + std::fmt::Debug + 'static> TlsPolicy for OfDomain<R> {
//!     fn requirement<'a>(&'a self, host: &'a str, port: u16) -> TlsPolicyFuture<'a> {
//!         Box::pin(async move {
//!             let dane = Dane::from_answer(self.tlsa(host, port).await)?.with_name(&self.domain);
//!             match (dane, &self.mta_sts) {
//!                 // Where DANE authenticates, MTA-STS has no say (RFC 8461 §2).
//!                 (dane @ Dane::Authenticate(_), _) => Ok(dane.requirement()),
//!                 (dane, Some(mta_sts)) => Ok(dane.requirement().or_stronger(mta_sts.requirement_of(host)?)),
//!                 (dane, None) => Ok(dane.requirement()),
//!             }
//!         })
//!     }
//! }
//!
//! // From https://mta-sts.example.net/.well-known/mta-sts.txt, kept for max_age.
//! let policy = mta_sts::Policy::parse(b"version: STSv1\r\nmode: enforce\r\nmx: mx1.example.net\r\nmax_age: 604800\r\n")?;
//! let enforced = policy.mode() == mta_sts::Mode::Enforce;
//! let resolver = Zone::parse("mx1.example.net. A 198.51.100.7")?; // or a HickoryResolver that validates
//! let transport = SmtpConfig::new("mx1.example.net")
//!     .port(25)
//!     .tls(Tls::Opportunistic)
//!     .tls_policy(OfDomain {
//!         domain: "example.net".to_owned(),
//!         resolver,
//!         mta_sts: enforced.then(|| MtaSts::enforce(move |host| policy.allows(host))),
//!     })
//!     .build()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A server that does not do what is asked of it gets nothing: the send's error says that nobody accepted the message and that it
//! may be sent again later, and its source is [`SmtpError::Certificate`](crate::smtp::SmtpError::Certificate) or
//! [`SmtpError::Policy`](crate::smtp::SmtpError::Policy) with the reason.
