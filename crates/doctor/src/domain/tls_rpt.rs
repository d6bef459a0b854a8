//! TLS-RPT (RFC 8460).

use posthaste_address::Domain;
use posthaste_dns::{Record as Data, RecordType, Resolver};
use posthaste_publish::tls_rpt::{Record, record_name};

use crate::lookup::{look, starts_with, texts};
use crate::{Code, Finding};

pub(super) async fn check(resolver: &dyn Resolver, domain: &Domain, parked: bool) -> Vec<Finding> {
    let name = record_name(domain.as_str());
    let mut all = match look(resolver, &name, RecordType::Txt).await {
        Ok(answer) => texts(&answer),
        Err(finding) => return vec![finding],
    };
    all.retain(|text| starts_with(text, "v=TLSRPT"));
    let advised = Data::txt(format!("v=TLSRPTv1; rua=mailto:tls@{domain}"));
    if all.is_empty() {
        return match parked {
            true => Vec::new(),
            false => vec![Finding::new(Code::TlsRptMissing, &name, "no TLS-RPT record").publish(&name, advised)],
        };
    }
    vec![match Record::select(&all) {
        Ok(record) => Finding::new(Code::TlsRptOk, &name, record.to_string()),
        Err(error) => {
            let shown = all.into_iter().next().unwrap_or_default();
            Finding::new(Code::TlsRptRecord, &name, format!("{error}: {shown}")).publish(&name, advised)
        }
    }]
}
