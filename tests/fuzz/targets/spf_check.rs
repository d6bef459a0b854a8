//! Whole SPF checks. The first line of the input is the sender, the second the greeting, and each further one a record:
//! the first at `a.test`, the next at `b.test` and so on. Whatever they say, the work has a bound.
#![no_main]

use std::{future::Future, pin::pin, task};

use libfuzzer_sys::fuzz_target;
use posthaste_auth::spf::{self, Limits, Query};
use posthaste_dns::{Record, Zone};

fuzz_target!(|input: &[u8]| {
    let mut lines = input.split(|octet| *octet == b'\n');
    let mut text = || String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let (sender, helo) = (text(), text());
    let Ok(mut zone) = Zone::parse("1.2.0.192.in-addr.arpa. PTR a.test\na.test. A 192.0.2.1\nb.test. MX 1 a.test")
    else {
        unreachable!("a zone")
    };
    for (name, record) in ('a'..='z').zip(lines) {
        let inserted = zone.insert(&format!("{name}.test"), Record::txt(record));
        assert!(inserted.is_ok());
    }
    let query = Query::new([192, 0, 2, 1].into(), &helo, &sender);
    let mut context = task::Context::from_waker(task::Waker::noop());
    let task::Poll::Ready(report) = pin!(spf::check_host(&query, &zone, &Limits::default())).poll(&mut context) else {
        unreachable!("a zone answers at once")
    };
    assert!(report.lookups() <= 10 && report.void_lookups() <= 3 && zone.queries() <= 150);
    assert!(
        report
            .explanation()
            .is_none_or(|text| text.bytes().all(|octet| matches!(octet, b' '..=b'~')))
    );
    let field = report.received_spf("mx.test");
    assert_eq!(field.matches(['\r', '\n']).count(), 8, "{field}");
});
