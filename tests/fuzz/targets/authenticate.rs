//! The whole of authentication. The first line of the input is the sender, the second the greeting; then comes a zone file up to an
//! empty line, and the message. Whatever they say, there is a report in bounded work, and fields that stay fields.
#![no_main]

use std::{future::Future, pin::pin, sync::Arc, task, time::Duration, time::SystemTime};

use libfuzzer_sys::fuzz_target;
use posthaste_auth::dmarc::DmarcResult;
use posthaste_auth::{Authenticator, Connection};
use posthaste_dns::Zone;

fuzz_target!(|input: &[u8]| {
    let mut lines = input.splitn(3, |octet| *octet == b'\n');
    let mut text = || String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let (sender, helo) = (text(), text());
    let rest = lines.next().unwrap_or_default();
    let end = rest.windows(2).position(|pair| pair == b"\n\n").unwrap_or(rest.len());
    let (zone, message) = rest.split_at(end);
    let message = message.strip_prefix(b"\n\n").unwrap_or(message);
    let zone = Arc::new(Zone::parse(&String::from_utf8_lossy(zone)).unwrap_or_default());

    let connection = Connection::new([192, 0, 2, 1].into(), helo, sender.parse().ok());
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let authenticator = Authenticator::new(Arc::<Zone>::clone(&zone));
    let mut context = task::Context::from_waker(task::Waker::noop());
    let task::Poll::Ready(report) = pin!(authenticator.authenticate(&connection, message, now)).poll(&mut context)
    else {
        unreachable!("a zone answers at once")
    };
    // 120 for each SPF identity, ten signatures, two keys for each of fifty ARC sets, eleven for the client's name, and DMARC's walks.
    assert!(zone.queries() <= 2 * 121 + 10 + 100 + 11 + 22 * 9, "{}", zone.queries());
    assert!(report.dmarc().result() != DmarcResult::Pass || report.author_error().is_none());

    let field = report.authentication_results("mx.example.net");
    assert!(field.starts_with("Authentication-Results: mx.example.net"), "{field}");
    assert!(field.ends_with("\r\n"), "{field}");
    for line in field.trim_end().split("\r\n").skip(1) {
        assert!(line.starts_with([' ', '\t']) && !line.trim().is_empty(), "{field:?}");
    }
    assert!(!field.replace("\r\n", "").contains(['\r', '\n', '\0']), "{field:?}");
});
