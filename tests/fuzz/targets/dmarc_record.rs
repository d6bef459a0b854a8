//! DMARC records: what is read is printed and read again as the same, and a zone full of them is evaluated in bounded work.
#![no_main]

use std::{future::Future, pin::pin, task};

use libfuzzer_sys::fuzz_target;
use posthaste_auth::dmarc::{self, Input, Method, Record};
use posthaste_dns::Zone;

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    if let Ok(record) = text.parse::<Record>() {
        let printed = record.to_string();
        assert_eq!(printed.parse::<Record>().as_ref(), Ok(&record), "{printed}");
        assert!(!printed.contains(['\r', '\n']), "{printed:?}");
        assert!(record.aggregate_reports().len() <= 64 && record.failure_reports().len() <= 64);
    }
    // Each line stands one label further up; the last ones beside each other.
    const NAMES: [&str; 4] = [
        "_dmarc.a.b.example.test",
        "_dmarc.b.example.test",
        "_dmarc.example.test",
        "_dmarc.test",
    ];
    let mut zone = Zone::new();
    for (index, line) in input.split(|octet| *octet == b'\n').take(8).enumerate() {
        let name = NAMES.get(index).copied().unwrap_or("_dmarc.example.test");
        assert!(zone.insert(name, posthaste_dns::Record::txt(line)).is_ok());
    }
    let domain = |name: &str| name.parse().ok();
    let (Some(from), Some(spf), Some(dkim)) = (
        domain("a.b.example.test"),
        domain("example.test"),
        domain("c.b.example.test"),
    ) else {
        unreachable!("domains")
    };
    for method in [Method::TreeWalk, Method::PublicSuffixList] {
        let asked = zone.queries();
        let input = Input::new(Clone::clone(&from)).method(method);
        let input = input.spf_pass(Clone::clone(&spf)).dkim_pass(Clone::clone(&dkim));
        let mut context = task::Context::from_waker(task::Waker::noop());
        let task::Poll::Ready(report) = pin!(dmarc::evaluate(&input, &zone)).poll(&mut context) else {
            unreachable!("a zone answers at once")
        };
        assert!(zone.queries() - asked <= 12);
        assert_eq!(report.record().is_some(), report.policy().is_some());
    }
});
