//! What goes wrong on the way: whether the mail may have been accepted is always said, and rightly.

use std::time::Duration;

use posthaste_transport::{Disposition, ErrorKind, SendOptions, Transport};

use crate::fake::{Act, Fake, block_on};
use crate::mail;
use crate::samples;

#[test]
fn only_what_may_have_been_written_is_ambiguous() {
    use Disposition::{Ambiguous, NotAccepted};
    let cases = [
        (Act::Refuse, ErrorKind::Unavailable, NotAccepted),
        (Act::Reset, ErrorKind::Unavailable, Ambiguous),
        (Act::HangConnecting, ErrorKind::Timeout, NotAccepted),
        (Act::HangWaiting, ErrorKind::Timeout, Ambiguous),
        (Act::Unreadable, ErrorKind::Unreadable, NotAccepted),
    ];
    for sample in samples::all() {
        for (act, kind, disposition) in &cases {
            let fake = Fake::new(sample).first(act.clone());
            let transport = fake.transport();
            let options = SendOptions::new().with_deadline(Duration::from_secs(5));
            let error = block_on(transport.send(&mail::plain(), &options)).unwrap_err();
            let what = format!("{} {act:?}: {error}", sample.name);
            assert_eq!((error.kind(), error.disposition()), (*kind, *disposition), "{what}");
            assert_eq!(error.transport(), sample.name);
            // The next send is not harmed.
            assert!(
                block_on(transport.send(&mail::plain(), &SendOptions::new())).is_ok(),
                "{what}"
            );
        }
    }
}

#[test]
fn without_a_deadline_a_request_still_ends() {
    for sample in samples::all() {
        let fake = Fake::new(sample).first(Act::HangWaiting);
        let error = block_on(fake.transport().send(&mail::plain(), &SendOptions::new())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{}", sample.name);
    }
}

#[test]
fn a_dropped_future_harms_nothing() {
    for sample in samples::all() {
        let fake = Fake::new(sample).first(Act::HangWaiting);
        let transport = fake.transport();
        block_on(async {
            let (mail, options) = (mail::plain(), SendOptions::new());
            let sending = transport.send(&mail, &options);
            assert!(
                tokio::time::timeout(Duration::from_millis(1), sending).await.is_err(),
                "{}",
                sample.name
            );
            assert!(transport.send(&mail, &options).await.is_ok(), "{}", sample.name);
        });
    }
}
