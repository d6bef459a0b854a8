//! What a domain publishes for its mail: written, looked at before it goes live, and looked at again afterwards.
//!
//! Say what the domain does, and publish what comes out. The text is for a zone file; `to_table` is for a DNS console, `to_json`
//! for a program.
//!
//! ```
//! use posthaste::auth::dmarc;
//! use posthaste::dkim::SigningKey;
//! use posthaste::dns::Zone;
//! use posthaste::doctor::{Doctor, Severity};
//! use posthaste::publish::{Setup, spf, tls_rpt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let key = SigningKey::generate_rsa_2048()?;
//! let publication = Setup::new("example.org".parse()?)
//!     .mx(10, "mx1.example.org".parse()?)
//!     .spf(spf::Builder::new().mx().all(spf::Qualifier::SoftFail))
//!     .dkim("r2026".parse()?, &key)
//!     .dmarc(
//!         dmarc::Record::builder(dmarc::Policy::Reject)
//!             .aggregate_reports_to(dmarc::ReportAddress::new("dmarc@example.org")?)
//!             .build(),
//!     )
//!     .tls_rpt(tls_rpt::Record::new(["mailto:tls@example.org".parse()?]))
//!     .build()?;
//! print!("{}", publication.to_zone_file());
//!
//! // Before it goes live: a resolver that answers as if it were published, in front of what is published now.
//! let today = Zone::parse("mx1.example.org. A 198.51.100.7\nexample.org. A 198.51.100.7")?; // or a HickoryResolver
//! let preview = publication.preview(&today);
//! let diagnosis = Doctor::new(&preview).selectors(["r2026".parse()?]).check(&"example.org".parse()?).await;
//! assert!(diagnosis.worst() < Severity::Error, "{diagnosis}");
//! # Ok(())
//! # }
//! ```
//!
//! Afterwards the same [`Doctor`](crate::doctor::Doctor) looks at the real DNS: `cargo run --example doctor -- example.org` is the
//! program. Its codes stay, so that a monitor can watch for them.
//!
//! A new domain does well to begin with `p=none` and an address for reports, and to move on when the reports name no sender of
//! its own that fails. `posthaste::report` (feature `report`) reads them.
