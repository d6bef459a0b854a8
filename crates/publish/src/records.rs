//! The records of a setup.

use std::{net::IpAddr, time::Duration};

use posthaste_address::Domain;
use posthaste_auth::spf;
use posthaste_dns::Record;

use crate::{
    MailFrom, Publication, Setup, SetupError, ZoneRecord, ZoneRecordError, check, setup::PolicyHost, spf::Flattened,
};

impl Setup {
    /// Makes the records.
    ///
    /// # Errors
    ///
    /// [`SetupError`]. What would work but is not wise is in [`Publication::warnings`].
    pub fn build(mut self) -> Result<Publication, SetupError> {
        if self.domain.is_literal() {
            return Err(SetupError::Literal { domain: self.domain });
        }
        if !self.replaces_spf {
            self.spf = self.spf.take().map(|ours| self.merged(ours));
        }
        let mut records = self.receiving()?;
        records.extend(self.sending()?);
        records.extend(self.reporting()?);
        let elsewhere = self.elsewhere()?;
        let warnings = check::check(&self, &records);
        let mut unique: Vec<ZoneRecord> = Vec::with_capacity(records.len());
        for record in records {
            if !unique.contains(&record) {
                unique.push(record);
            }
        }
        Ok(Publication {
            domain: self.domain,
            records: unique,
            elsewhere,
            policy: self.mta_sts.map(|(_, policy)| policy),
            warnings,
        })
    }

    /// The record that is there with ours in it. One that is wrong, or not alone, is replaced.
    fn merged(&self, ours: spf::Builder) -> spf::Builder {
        let mut there = self.existing_spf();
        match (there.next(), there.next()) {
            (Some(text), None) => match spf::Builder::from_record(&text) {
                Ok(published) => published.merge(&ours),
                Err(_) => ours,
            },
            _ => ours,
        }
    }

    /// The SPF records that are there.
    pub(crate) fn existing_spf(&self) -> impl Iterator<Item = String> {
        self.existing
            .iter()
            .filter(|record| record.name() == self.domain.as_str())
            .filter_map(|record| match record.data() {
                Record::Txt(text) if spf::Record::is_spf(text.as_bytes()) => Some(text.to_text().into_owned()),
                _ => None,
            })
    }

    fn at_domain(&self, data: Record) -> Result<ZoneRecord, ZoneRecordError> {
        ZoneRecord::new(self.domain.as_str(), self.ttl, data)
    }

    fn below(&self, labels: &str, data: Record) -> Result<ZoneRecord, ZoneRecordError> {
        ZoneRecord::new(&format!("{labels}.{}", self.domain), self.ttl, data)
    }

    fn receiving(&self) -> Result<Vec<ZoneRecord>, SetupError> {
        if self.null_mx && !self.mx.is_empty() {
            return Err(SetupError::NullMx);
        }
        let mut records = Vec::new();
        if self.null_mx {
            records.push(self.at_domain(Record::mx(0, "."))?);
        }
        for (preference, host) in &self.mx {
            records.push(self.at_domain(Record::mx(*preference, host.as_str()))?);
        }
        Ok(records)
    }

    fn sending(&self) -> Result<Vec<ZoneRecord>, SetupError> {
        let mut records = Vec::new();
        if let Some(spf) = &self.spf {
            let ttl = match &self.flattened {
                Some(flattened) => self.ttl.min(flattened.ttl()),
                None => self.ttl,
            };
            records.push(spf_record(self.domain.as_str(), spf, ttl)?);
            for (name, part) in self.flattened.iter().flat_map(Flattened::parts) {
                records.push(spf_record(name, part, ttl)?);
            }
        }
        for key in &self.keys {
            records.push(key.record(&self.domain, self.ttl)?);
        }
        for hosted in &self.hosted {
            records.extend(hosted.aliases(&self.domain, self.ttl)?);
        }
        if let Some(MailFrom { name, exchange, spf }) = &self.mail_from {
            if name == &self.domain || !name.is_subdomain_of(&self.domain) {
                return Err(SetupError::MailFrom { name: name.clone() });
            }
            records.push(ZoneRecord::new(
                name.as_str(),
                self.ttl,
                Record::mx(10, exchange.as_str()),
            )?);
            records.push(spf_record(name.as_str(), spf, self.ttl)?);
        }
        if let Some(dmarc) = &self.dmarc {
            records.push(self.below("_dmarc", Record::txt(dmarc.to_string()))?);
        }
        for (selector, record) in &self.bimi {
            records.push(self.below(&format!("{selector}._bimi"), Record::txt(record.to_string()))?);
        }
        Ok(records)
    }

    fn reporting(&self) -> Result<Vec<ZoneRecord>, SetupError> {
        let mut records = Vec::new();
        if let Some((record, _)) = &self.mta_sts {
            records.push(self.below("_mta-sts", Record::txt(record.to_string()))?);
        }
        for host in &self.policy_hosts {
            let data = match host {
                PolicyHost::Alias(host) => Record::Cname(host.as_str().to_owned()),
                PolicyHost::Address(IpAddr::V4(address)) => Record::A(*address),
                PolicyHost::Address(IpAddr::V6(address)) => Record::Aaaa(*address),
            };
            records.push(self.below("mta-sts", data)?);
        }
        if let Some(record) = &self.tls_rpt {
            records.push(self.below("_smtp._tls", Record::txt(record.to_string()))?);
        }
        Ok(records)
    }

    /// What others must publish: operators their keys, and those who get this domain's DMARC reports that they want them
    /// (RFC 9990 §4).
    fn elsewhere(&self) -> Result<Vec<ZoneRecord>, SetupError> {
        let mut records = Vec::new();
        for hosted in &self.hosted {
            records.extend(hosted.hosted(self.ttl)?);
        }
        let reports = self.dmarc.iter().flat_map(|record| {
            record
                .aggregate_reports()
                .iter()
                .chain(record.failure_reports())
                .filter_map(|address| address.domain().parse::<Domain>().ok())
        });
        let organisation = |domain: &Domain| domain.registrable().unwrap_or_else(|| domain.clone());
        for other in reports.filter(|other| organisation(other) != organisation(&self.domain)) {
            let name = format!("{}._report._dmarc.{other}", self.domain);
            let record = ZoneRecord::new(&name, self.ttl, Record::txt("v=DMARC1"))?;
            if !records.contains(&record) {
                records.push(record);
            }
        }
        Ok(records)
    }
}

fn spf_record(name: &str, record: &spf::Builder, ttl: Duration) -> Result<ZoneRecord, SetupError> {
    let text = record.build().map_err(|error| SetupError::Spf {
        name: name.to_owned(),
        error,
    })?;
    Ok(ZoneRecord::new(name, ttl, Record::txt(text))?)
}
