//! What a domain publishes.

use std::fmt::Write as _;

use posthaste_address::Domain;
use posthaste_auth::spf::{Builder, Record as SpfRecord};
use posthaste_dns::{LookupFuture, Record, RecordType, Resolver, Zone};

use crate::{Warning, ZoneRecord, json, mta_sts, spf::Budget};

/// Holds the records of a domain, ready to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    pub(crate) domain: Domain,
    pub(crate) records: Vec<ZoneRecord>,
    pub(crate) elsewhere: Vec<ZoneRecord>,
    pub(crate) policy: Option<mta_sts::Policy>,
    pub(crate) warnings: Vec<Warning>,
}

impl Publication {
    /// Gives the domain.
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Gives the records for the domain's zone.
    pub fn records(&self) -> &[ZoneRecord] {
        &self.records
    }

    /// Gives the records that others must publish for these to work: an operator the keys that aliases lead to, and whoever
    /// gets the domain's DMARC reports, that they want them (RFC 9990 §4).
    pub fn elsewhere(&self) -> &[ZoneRecord] {
        &self.elsewhere
    }

    /// Gives the policy of MTA-STS. Its text is to be served as `text/plain` at [`mta_sts::policy_url`].
    pub fn mta_sts_policy(&self) -> Option<&mta_sts::Policy> {
        self.policy.as_ref()
    }

    /// Gives what is not wise about the records.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Counts what the domain's SPF record will cost those who check it; `None` if none is published here.
    pub async fn spf_budget(&self, resolver: &dyn Resolver) -> Option<Budget> {
        let text = self.records.iter().find_map(|record| match record.data() {
            Record::Txt(text) if record.name() == self.domain.as_str() && SpfRecord::is_spf(text.as_bytes()) => {
                Some(text.to_text())
            }
            _ => None,
        })?;
        let record = Builder::from_record(&text).ok()?;
        Some(Budget::of(&record, &self.domain, &self.preview(resolver)).await)
    }

    /// Gives the DNS as it will be: these records in front of what a resolver finds.
    ///
    /// # Examples
    ///
    /// ```
    /// use posthaste_dns::{ResolverExt, Zone};
    /// use posthaste_publish::Setup;
    ///
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// let now = Zone::parse("example.org. TXT \"v=spf1 +all\"\n")?;
    /// let publication = Setup::parked("example.org".parse()?).build()?;
    /// let then = publication.preview(&now);
    /// assert_eq!(then.txt("example.org").await?[0].to_text(), "v=spf1 -all");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn preview<'a>(&self, resolver: &'a dyn Resolver) -> Preview<'a> {
        let mut zone = Zone::new();
        for record in self.records.iter().chain(&self.elsewhere) {
            // The names were looked at when the record was made.
            _ = zone.insert_with_ttl(record.name(), record.data().clone(), record.ttl());
        }
        Preview { zone, resolver }
    }

    /// Writes the records as a zone file (RFC 1035 §5), which BIND and others read. What others must publish is in there as
    /// comments.
    pub fn to_zone_file(&self) -> String {
        let mut out = format!("; Records for the mail of {}\n", self.domain);
        for record in &self.records {
            _ = writeln!(out, "{record}");
        }
        if !self.elsewhere.is_empty() {
            out.push_str("; Others must publish:\n");
            for record in &self.elsewhere {
                _ = writeln!(out, "; {record}");
            }
        }
        out
    }

    /// Writes everything as JSON: `domain`, `records` and `elsewhere` (each a list of objects with `name`, `host`, `type`,
    /// `ttl` in seconds, `value`, and `priority` or `strings` where the type has them), `mta_sts_policy` (an object with
    /// `url` and `body`, or null), and `warnings` (objects with `code` and `message`).
    pub fn to_json(&self) -> String {
        json::publication(self)
    }

    /// Writes the records as a table to copy from into a DNS console: host relative to the domain, type, priority, time to
    /// live in seconds, and value. A long text is in one piece, as consoles cut it themselves.
    pub fn to_table(&self) -> String {
        let mut rows = vec![["Host", "Type", "Priority", "TTL", "Value"].map(str::to_owned)];
        for record in &self.records {
            rows.push([
                record.host(self.domain.as_str()).to_owned(),
                record.kind().to_string(),
                record
                    .priority()
                    .map(|priority| priority.to_string())
                    .unwrap_or_default(),
                record.ttl().as_secs().to_string(),
                record.value(),
            ]);
        }
        let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(String::len).max();
        let widths: Vec<usize> = (0..4).filter_map(width).collect();
        let mut out = String::new();
        for row in &rows {
            for (cell, width) in row.iter().zip(&widths) {
                _ = write!(out, "{cell:width$}  ");
            }
            out.push_str(row.last().map_or("", String::as_str));
            out.push('\n');
        }
        out
    }
}

/// Answers as the DNS will once records are published: made by [`Publication::preview`].
#[derive(Debug)]
pub struct Preview<'a> {
    zone: Zone,
    resolver: &'a dyn Resolver,
}

impl Resolver for Preview<'_> {
    fn lookup<'a>(&'a self, name: &'a str, kind: RecordType) -> LookupFuture<'a> {
        match self.zone.answer(name, kind) {
            Ok(answer) => Box::pin(std::future::ready(Ok(answer))),
            Err(_) => self.resolver.lookup(name, kind),
        }
    }
}
