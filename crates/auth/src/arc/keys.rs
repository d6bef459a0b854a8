//! The keys that a chain needs, each looked up once.

use posthaste_address::Domain;
use posthaste_dns::{LookupError, Negative, Resolver, ResolverExt};

use crate::dkim::{Algorithm, KeyCache, Reason, Record, Selector, record_name};

/// How many records at one key's name are tried; more than one is already a mistake of its owner.
const RECORDS: usize = 4;

/// Looks keys up, and keeps them: most chains are sealed and signed with the same keys.
#[derive(Debug)]
pub(super) struct Keys<'r> {
    resolver: &'r dyn Resolver,
    cache: &'r KeyCache,
    known: Vec<(String, Result<Vec<Record>, LookupError>)>,
}

impl<'r> Keys<'r> {
    pub(super) fn new(resolver: &'r dyn Resolver, cache: &'r KeyCache) -> Self {
        Self {
            resolver,
            cache,
            known: Vec::new(),
        }
    }

    /// Verifies a signature with the key that it names.
    pub(super) async fn verify(
        &mut self,
        (selector, domain): (&Selector, &Domain),
        algorithm: Algorithm,
        signature: &[u8],
        signed: &[u8],
    ) -> Result<(), Reason> {
        let records = self.records(record_name(selector, domain)).await.map_err(Reason::Dns)?;
        let mut reason = Reason::Dns(LookupError::NoData(Negative::default()));
        for key in records {
            match check(key, algorithm, signature, signed) {
                Ok(()) => return Ok(()),
                // Another record's complaint says less than a key that does not fit.
                Err(_) if reason == Reason::Mismatch => {}
                Err(wrong) => reason = wrong,
            }
        }
        Err(reason)
    }

    async fn records(&mut self, name: String) -> Result<&[Record], LookupError> {
        let known = self.known.iter().position(|(known, _)| *known == name);
        let index = match known {
            Some(index) => index,
            None => {
                let records = self.resolver.txt(&name).await.map(|records| {
                    let records = records.iter().take(RECORDS);
                    records.map(|record| self.cache.read(&record.to_text())).collect()
                });
                self.known.push((name, records));
                self.known.len() - 1
            }
        };
        match self.known.get(index) {
            Some((_, Ok(records))) => Ok(records),
            Some((_, Err(error))) => Err(error.clone()),
            None => Ok(&[]),
        }
    }
}

fn check(key: &Record, algorithm: Algorithm, signature: &[u8], signed: &[u8]) -> Result<(), Reason> {
    let key = key.as_ref().map_err(|error| *error)?;
    if key.algorithm() != algorithm {
        return Err(Reason::KeyAlgorithm);
    }
    if !key.verifies(signed, signature) {
        return Err(Reason::Mismatch);
    }
    Ok(())
}
