//! Questions and responses, as hickory has them and as this crate has them.

use std::{io, time::Duration};

use hickory_resolver::{
    lookup::Lookup,
    net::{DnsError, NetError},
    proto::{
        dnssec::Proof,
        op::ResponseCode,
        rr::{self, Name, RData},
    },
};

use crate::{
    Answer, Dnssec, LookupError, Negative, NetworkError, Record, RecordType, Srv, Tlsa, Txt,
    name::{MAX_ALIASES, normalise},
};

/// Makes an absolute name of the labels as they stand, without reading escapes into them.
pub(super) fn absolute(name: &str) -> Result<Name, LookupError> {
    let name = normalise(name)?;
    Name::from_labels(name.split('.').map(str::as_bytes)).map_err(|_| LookupError::InvalidName)
}

pub(super) fn to_hickory(kind: RecordType) -> rr::RecordType {
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
        RecordType::Srv => rr::RecordType::SRV,
    }
}

/// Picks out of a response what answers the question: the aliases from the name that was asked for, in order, and the
/// records of the type at the last of them. Whatever else a server added is left out.
pub(super) fn read_answer(lookup: &Lookup, name: &Name, kind: RecordType) -> Result<Answer, LookupError> {
    let answers = lookup.answers();
    let mut current = name;
    let mut ttl = u32::MAX;
    let mut proofs = Vec::new();
    if kind != RecordType::Cname {
        let next = |current: &Name| {
            answers.iter().find_map(|record| match &record.data {
                RData::CNAME(target) if record.name == *current => Some((&target.0, record)),
                _ => None,
            })
        };
        let mut steps = 0;
        while let Some((target, record)) = next(current) {
            // A chain without an end is a failure, not "there is none".
            if steps == MAX_ALIASES {
                return Err(LookupError::ServFail);
            }
            steps += 1;
            current = target;
            ttl = ttl.min(record.ttl);
            proofs.push(record.proof);
        }
    }
    let mut records = Vec::new();
    for record in answers.iter().filter(|record| record.name == *current) {
        if let Some(data) = read_data(&record.data).filter(|data| data.kind() == kind) {
            ttl = ttl.min(record.ttl);
            proofs.push(record.proof);
            records.push(data);
        }
    }
    if records.is_empty() {
        return Err(read_nothing(lookup.message().response_code, lookup.authorities()));
    }
    let dnssec = read_proof(proofs.into_iter())?;
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
        RData::SRV(place) => Record::Srv(Srv::new(
            place.priority,
            place.weight,
            place.port,
            write_name(&place.target),
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

pub(super) fn read_error(error: NetError) -> LookupError {
    match error {
        NetError::Timeout => LookupError::Timeout,
        NetError::Io(error) if error.kind() == io::ErrorKind::TimedOut => LookupError::Timeout,
        NetError::Truncated => LookupError::Truncated,
        NetError::Dns(DnsError::DnssecBogus) => LookupError::Bogus,
        NetError::Dns(DnsError::NoRecordsFound(none)) => {
            let soa = none.soa.map(|soa| soa.into_record_of_rdata());
            let authorities = none.authorities.as_deref().or(soa.as_slice().into());
            read_nothing(none.response_code, authorities.unwrap_or_default())
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
    let denies = |record: &rr::Record| matches!(record.record_type(), rr::RecordType::NSEC | rr::RecordType::NSEC3);
    let dnssec = match read_proof(authorities.iter().map(|record| record.proof)) {
        // Signed records alone prove nothing: it takes one that says what there is not.
        Ok(Dnssec::Secure) if !authorities.iter().any(denies) => Dnssec::Indeterminate,
        Ok(dnssec) => dnssec,
        Err(error) => return error,
    };
    let negative = Negative::default().with_ttl(ttl).with_dnssec(dnssec);
    match code {
        ResponseCode::NXDomain => LookupError::NxDomain(negative),
        ResponseCode::NoError => LookupError::NoData(negative),
        other => read_code(other),
    }
}

/// Tells how far records can be trusted together: as far as the least of them.
fn read_proof(proofs: impl Iterator<Item = Proof> + Clone) -> Result<Dnssec, LookupError> {
    if proofs.clone().any(|proof| proof == Proof::Bogus) {
        return Err(LookupError::Bogus);
    }
    Ok(match proofs.min().unwrap_or_default() {
        Proof::Secure => Dnssec::Secure,
        Proof::Insecure => Dnssec::Insecure,
        Proof::Bogus | Proof::Indeterminate => Dnssec::Indeterminate,
    })
}

fn read_code(code: ResponseCode) -> LookupError {
    match code {
        ResponseCode::Refused => LookupError::Refused,
        _ => LookupError::ServFail,
    }
}

#[cfg(test)]
mod tests {
    use hickory_resolver::proto::{
        dnssec::rdata::{DNSSECRData, NSEC},
        op::Query,
    };

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
    fn one_bogus_record_spoils_the_rest() {
        let check = |proofs: &[Proof], expected| assert_eq!(read_proof(proofs.iter().copied()), expected, "{proofs:?}");
        check(&[], Ok(Dnssec::Indeterminate));
        check(&[Proof::Secure, Proof::Secure], Ok(Dnssec::Secure));
        check(&[Proof::Secure, Proof::Insecure], Ok(Dnssec::Insecure));
        check(&[Proof::Insecure, Proof::Indeterminate], Ok(Dnssec::Indeterminate));
        check(
            &[Proof::Secure, Proof::Bogus, Proof::Indeterminate],
            Err(LookupError::Bogus),
        );
    }

    fn record(name: &str, proof: Proof, data: RData) -> rr::Record {
        let mut record = rr::Record::from_rdata(absolute(name).unwrap(), 60, data);
        record.proof = proof;
        record
    }

    fn a() -> RData {
        RData::A(rr::rdata::A::new(192, 0, 2, 1))
    }

    fn lookup(asked: &str, answers: Vec<rr::Record>) -> Lookup {
        let query = Query::query(absolute(asked).unwrap(), rr::RecordType::A);
        Lookup::new_with_max_ttl(query, answers)
    }

    #[test]
    fn an_alias_is_trusted_no_further_than_the_way_it_leads() {
        let alias = RData::CNAME(rr::rdata::CNAME(absolute("end.test").unwrap()));
        for (way, end, expected) in [
            (Proof::Secure, Proof::Secure, Ok(Dnssec::Secure)),
            (Proof::Insecure, Proof::Secure, Ok(Dnssec::Insecure)),
            (Proof::Secure, Proof::Insecure, Ok(Dnssec::Insecure)),
            (Proof::Secure, Proof::Bogus, Err(LookupError::Bogus)),
        ] {
            let answers = vec![record("alias.test", way, alias.clone()), record("end.test", end, a())];
            let found = read_answer(
                &lookup("alias.test", answers),
                &absolute("alias.test").unwrap(),
                RecordType::A,
            );
            assert_eq!(found.map(|answer| answer.dnssec()), expected, "{way} {end}");
        }
    }

    #[test]
    fn aliases_without_an_end_are_a_failure() {
        let alias = |from: &str, to: &str| {
            let target = rr::rdata::CNAME(absolute(to).unwrap());
            record(from, Proof::Indeterminate, RData::CNAME(target))
        };
        let numbered = |number| format!("n{number}.test");
        let chain = |length: usize| (0..length).map(|n| alias(&numbered(n), &numbered(n + 1)));
        let read = |answers: Vec<rr::Record>| {
            let lookup = lookup("n0.test", answers);
            read_answer(&lookup, &absolute("n0.test").unwrap(), RecordType::A)
        };
        assert_eq!(
            read(vec![alias("n0.test", "n1.test"), alias("n1.test", "n0.test")]),
            Err(LookupError::ServFail)
        );
        assert_eq!(read(chain(4000).collect()), Err(LookupError::ServFail));
        let end = record(&numbered(MAX_ALIASES), Proof::Indeterminate, a());
        assert!(read(chain(MAX_ALIASES).chain([end]).collect()).is_ok());
    }

    #[test]
    fn records_of_other_names_are_no_answer() {
        let lookup = lookup("asked.test", vec![record("other.test", Proof::Secure, a())]);
        let error = read_answer(&lookup, &absolute("asked.test").unwrap(), RecordType::A).unwrap_err();
        assert!(error.is_no_data());
    }

    #[test]
    fn that_there_is_none_takes_a_record_that_says_so() {
        let name = || absolute("test").unwrap();
        let soa = RData::SOA(rr::rdata::SOA::new(name(), name(), 1, 2, 3, 4, 30));
        let nsec = RData::DNSSEC(DNSSECRData::NSEC(NSEC::new(name(), [])));
        let check = |records: &[rr::Record], dnssec| {
            let negative = Negative::default()
                .with_ttl(Duration::from_secs(30))
                .with_dnssec(dnssec);
            assert_eq!(
                read_nothing(ResponseCode::NXDomain, records),
                LookupError::NxDomain(negative)
            );
            assert_eq!(
                read_nothing(ResponseCode::NoError, records),
                LookupError::NoData(negative)
            );
        };
        let soa = |proof| record("test", proof, soa.clone());
        check(&[soa(Proof::Indeterminate)], Dnssec::Indeterminate);
        check(&[soa(Proof::Insecure)], Dnssec::Insecure);
        check(&[soa(Proof::Secure)], Dnssec::Indeterminate);
        check(
            &[soa(Proof::Secure), record("test", Proof::Secure, nsec.clone())],
            Dnssec::Secure,
        );
        check(
            &[soa(Proof::Insecure), record("test", Proof::Secure, nsec)],
            Dnssec::Insecure,
        );
        assert_eq!(
            read_nothing(ResponseCode::NoError, &[]),
            LookupError::NoData(Negative::default())
        );
        assert_eq!(
            read_nothing(ResponseCode::NoError, &[soa(Proof::Bogus)]),
            LookupError::Bogus
        );
        assert_eq!(read_nothing(ResponseCode::ServFail, &[]), LookupError::ServFail);
    }

    #[test]
    fn a_time_out_of_the_system_is_one() {
        let error = NetError::from(io::Error::from(io::ErrorKind::TimedOut));
        assert_eq!(read_error(error), LookupError::Timeout);
    }
}
