//! What is written is read again, and what strangers write is refused or noted.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use posthaste_mime::RawMessage;
use posthaste_report::feedback::{self, AuthFailure, DeliveryResult, FeedbackType, IdentityAlignment};
use posthaste_report::{DeviationKind, Limits, ReadError, WriteError, dmarc, tls};
use proptest::prelude::*;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn failure_report() -> feedback::Report {
    let mut report = feedback::Report::new(FeedbackType::AuthFailure, "Example/1.0");
    report.original_envelope_id = Some("abc".into());
    report.original_mail_from = Some("ada@example.org".into());
    report.original_rcpt_to = vec!["bob@example.net".into(), "eve@example.net".into()];
    report.arrival_date = Some(at(1_800_000_000));
    report.reporting_mta = Some("mx.example.net".into());
    report.source_ip = Some("2001:db8::1".parse().unwrap());
    report.source_port = Some(4567);
    report.incidents = Some(2);
    report.authentication_results = vec!["mx.example.net; dmarc=fail header.from=example.org".into()];
    report.reported_domains = vec!["example.org".into()];
    report.reported_uris = vec!["https://example.org/x".into()];
    report.auth_failure = Some(AuthFailure::Dmarc);
    report.delivery_result = Some(DeliveryResult::Reject);
    report.identity_alignment = Some(IdentityAlignment::None);
    report.dkim_domain = Some("example.org".into());
    report.dkim_canonicalized_body = Some("QUJD".repeat(400));
    report.spf_dns = vec!["txt : example.org : \"v=spf1 -all\"".into()];
    report.other_fields = vec![("X-Note".into(), "seen twice".into())];
    report.header = Some("From: ada@example.org\r\nSubject: Hello\r\n".into());
    report
}

fn mailed(report: &feedback::Report) -> RawMessage {
    let mail = report
        .to_mail()
        .unwrap()
        .from("a@mx.example.net".parse().unwrap())
        .to("b@example.org".parse().unwrap())
        .subject("FW: Hello")
        .build()
        .unwrap();
    RawMessage::parse(mail.to_bytes().unwrap()).unwrap()
}

#[test]
fn a_failure_report_is_read_as_it_was_written() {
    let report = failure_report();
    let read = feedback::Report::from_mail(&mailed(&report), &Limits::new()).unwrap();
    assert!(read.deviations().is_empty(), "{:?}", read.deviations());
    assert_eq!(read, report);
}

#[test]
fn a_failure_report_says_what_is_missing_or_wrong() {
    let mut report = failure_report();
    report.auth_failure = None;
    assert!(matches!(
        report.to_mail(),
        Err(WriteError::Missing {
            place: "Auth-Failure",
            ..
        })
    ));
    let mut report = failure_report();
    report.original_rcpt_to.push("nobody".into());
    assert!(matches!(
        report.to_mail(),
        Err(WriteError::Value {
            place: "Original-Rcpt-To",
            ..
        })
    ));
    let mut report = failure_report();
    report.dkim_domain = Some("a\r\nX: y".into());
    assert!(matches!(report.to_mail(), Err(WriteError::Header(_))));

    let read = |fields: &str| feedback::Report::read(fields.as_bytes(), &Limits::new()).unwrap();
    let report = read("Feedback-Type: abuse\r\nfeedback-type: fraud\r\nVersion: x\r\nSource-IP: 1.2.3\r\nOdd: 1\r\n");
    let noted: Vec<_> = report
        .deviations()
        .iter()
        .map(|noted| (noted.place, noted.kind.clone()))
        .collect();
    assert!(noted.contains(&("Feedback-Type", DeviationKind::Repeated)), "{noted:?}");
    assert!(
        noted.contains(&("Version", DeviationKind::Invalid("x".into()))),
        "{noted:?}"
    );
    assert!(
        noted.contains(&("Source-IP", DeviationKind::Invalid("1.2.3".into()))),
        "{noted:?}"
    );
    assert!(noted.contains(&("User-Agent", DeviationKind::Missing)), "{noted:?}");
    assert_eq!(report.kind, Some(FeedbackType::Abuse));
    assert_eq!(report.other_fields, [("Odd".to_owned(), "1".to_owned())]);
}

#[test]
fn a_mail_without_fields_is_no_feedback_report() {
    let mail = RawMessage::parse("Subject: x\r\n\r\nFeedback-Type: abuse\r\n").unwrap();
    assert_eq!(
        feedback::Report::from_mail(&mail, &Limits::new()),
        Err(ReadError::NoReport)
    );
    // Nor is one inside of a message that was forwarded.
    let inner = mailed(&failure_report()).to_bytes();
    let mut outer =
        b"Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: message/rfc822\r\n\r\n".to_vec();
    outer.extend_from_slice(&inner);
    outer.extend_from_slice(b"\r\n--o--\r\n");
    let mail = RawMessage::parse(outer).unwrap();
    assert_eq!(
        feedback::Report::from_mail(&mail, &Limits::new()),
        Err(ReadError::NoReport)
    );
}

#[test]
fn fields_have_limits() {
    let many = "X: y\r\n".repeat(11);
    let limits = Limits::new().max_records(10);
    let refused = feedback::Report::read(many.as_bytes(), &limits).unwrap_err();
    assert_eq!(
        refused,
        ReadError::TooMany {
            what: "fields",
            limit: 10
        }
    );
    let limits = Limits::new().max_input(5);
    assert_eq!(
        feedback::Report::read(b"X: yyyyy", &limits),
        Err(ReadError::InputTooLarge { limit: 5 })
    );
    let long = format!("User-Agent: {}\r\n", "a".repeat(5000));
    let report = feedback::Report::read(long.as_bytes(), &Limits::new()).unwrap();
    assert!(
        report
            .deviations()
            .iter()
            .any(|noted| noted.kind == DeviationKind::TooLong)
    );
}

#[test]
fn what_has_no_field_of_a_feedback_report_is_none() {
    let limits = Limits::new();
    for text in [
        "",
        "\r\n\r\n",
        "{}",
        "<feedback/>",
        "Subject: x\r\n",
        "Source-IP: 192.0.2.1\r\n",
    ] {
        let refused = feedback::Report::read(text.as_bytes(), &limits).unwrap_err();
        assert!(matches!(refused, ReadError::Unrecognised { .. }), "{text}: {refused}");
    }
    // In a mail, the media type says what it is.
    let mail = RawMessage::parse("Content-Type: message/feedback-report\r\n\r\nSource-IP: 192.0.2.1\r\n").unwrap();
    let report = feedback::Report::from_mail(&mail, &limits).unwrap();
    assert_eq!(
        (report.source_ip, report.deviations().total()),
        ("192.0.2.1".parse().ok(), 3)
    );
}

#[test]
fn the_second_feedback_report_of_a_mail_is_noted() {
    let part = "--o\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: x\r\nVersion: 1\r\n\r\n";
    let mail = format!("Content-Type: multipart/report; boundary=o\r\n\r\n{part}{part}--o--\r\n");
    let report = feedback::Report::from_mail(&RawMessage::parse(mail).unwrap(), &Limits::new()).unwrap();
    let noted: Vec<_> = report.deviations().iter().map(|noted| noted.kind.clone()).collect();
    assert_eq!(noted, [DeviationKind::Another]);
}

#[test]
fn numbers_and_lists_of_feedback_reports_are_read_strictly() {
    let fields = "Feedback-Type: abuse\nUser-Agent: x\nVersion: +1\nIncidents: -1\nSource-Port: 65536\n\
        Identity-Alignment: SPF , dkim\nDKIM-ADSP-DNS:\n";
    let report = feedback::Report::read(fields.as_bytes(), &Limits::new()).unwrap();
    assert_eq!(
        (report.version, report.incidents, report.source_port),
        (None, None, None)
    );
    assert_eq!(report.identity_alignment, Some(IdentityAlignment::Both));
    let noted: Vec<_> = report.deviations().iter().map(ToString::to_string).collect();
    let wanted = [
        "Version cannot be `+1`",
        "Incidents cannot be `-1`",
        "Source-Port cannot be `65536`",
        "DKIM-ADSP-DNS is empty",
        "Version is missing",
    ];
    assert_eq!(noted, wanted);
}

#[test]
fn debug_shows_nothing_of_the_message() {
    let mut report = failure_report();
    report.message = Some("Subject: secret\r\n\r\nsecret\r\n".into());
    report.dkim_canonicalized_body = Some("c2VjcmV0".into());
    let text = format!("{report:?}");
    for hidden in ["secret", "c2VjcmV0", "bob@example.net", "ada@example.org"] {
        assert!(!text.contains(hidden), "{text}");
    }
}

fn tls_report() -> tls::Report {
    let mut report = tls::Report::default();
    report.organization_name = Some("Example".into());
    report.contact_info = Some("tls@example.net".into());
    report.report_id = Some("7".into());
    (report.begin, report.end) = (Some(at(1_800_000_000)), Some(at(1_800_086_399)));
    let mut result = tls::PolicyResult::new(tls::Policy::new(tls::PolicyType::Sts, "example.org"), 40, 2);
    result.policy.strings = vec!["version: STSv1".into(), "mode: enforce".into()];
    result.policy.mx_hosts = vec!["*.example.org".into()];
    let mut failure = tls::Failure::new(tls::ResultType::CertificateExpired, 2);
    failure.receiving_mx_hostname = Some("mx1.example.org".into());
    failure.receiving_ip = Some("192.0.2.1".parse().unwrap());
    result.failures = vec![failure];
    report.policies = vec![result];
    report
}

#[test]
fn a_tls_report_is_read_as_it_was_written() {
    let report = tls_report();
    let limits = Limits::new();
    assert_eq!(
        tls::Report::read(report.to_json().unwrap().as_bytes(), &limits).unwrap(),
        report
    );
    assert_eq!(tls::Report::read(&report.to_gzip().unwrap(), &limits).unwrap(), report);
    let mail = report
        .to_mail(&"example.org".parse().unwrap(), &"mail.example.net".parse().unwrap())
        .unwrap()
        .from("tls@mail.example.net".parse().unwrap())
        .to("reports@example.org".parse().unwrap())
        .build()
        .unwrap();
    let mail = RawMessage::parse(mail.to_bytes().unwrap()).unwrap();
    assert_eq!(mail.field("TLS-Report-Domain").unwrap().decoded(), "example.org");
    assert_eq!(tls::Report::from_mail(&mail, &limits).unwrap(), report);
}

#[test]
fn a_tls_report_is_bounded_and_noted() {
    let limits = Limits::new().max_records(3);
    let many = format!("{{\"policies\": [{}{{}}]}}", "{},".repeat(5));
    let refused = tls::Report::read(many.as_bytes(), &limits).unwrap_err();
    assert_eq!(
        refused,
        ReadError::TooMany {
            what: "records",
            limit: 3
        }
    );
    let deep = format!("{{\"a\": {}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    // What nobody knows is passed over, however deep it is.
    let report = tls::Report::read(deep.as_bytes(), &Limits::new()).unwrap();
    assert!(
        report
            .deviations()
            .iter()
            .any(|noted| noted.kind == DeviationKind::Unknown("a".into()))
    );
    assert_eq!(
        tls::Report::read(b"[]", &Limits::new()).unwrap_err().to_string(),
        "neither a JSON object, gzip nor zip"
    );
    let odd =
        br#"{"organization-name": 7, "policies": {"policy": {"policy-type": "x"}, "summary": 1}, "report-id": null}"#;
    let report = tls::Report::read(odd, &Limits::new()).unwrap();
    assert_eq!(report.organization_name.as_deref(), Some("7"));
    assert_eq!(report.policies.len(), 1);
    assert!(report.deviations().total() >= 5, "{:?}", report.deviations());
    let reversed = tls_report()
        .to_json()
        .unwrap()
        .replace("2027-01-15T08:00:00Z", "2028-01-15T08:00:00Z");
    let report = tls::Report::read(reversed.as_bytes(), &Limits::new()).unwrap();
    assert!(
        report.deviations().iter().any(|noted| noted.place == "date-range"),
        "{reversed}"
    );
    assert!(matches!(
        report.to_json(),
        Err(WriteError::Value {
            place: "date-range/end-datetime",
            ..
        })
    ));
}

#[test]
fn packed_fields_of_a_feedback_report_are_read_within_bounds() {
    let fields = "Feedback-Type: abuse\r\nUser-Agent: x\r\nVersion: 1\r\n";
    let pack = |octets: &[u8]| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut packer, octets).unwrap();
        packer.finish().unwrap()
    };
    let limits = Limits::new();
    let report = feedback::Report::read(&pack(fields.as_bytes()), &limits).unwrap();
    assert_eq!(report.kind, Some(FeedbackType::Abuse));
    let bomb = pack(&[fields.as_bytes(), &vec![b' '; 10_000_000]].concat());
    let refused = feedback::Report::read(&bomb, &limits).unwrap_err();
    assert!(matches!(refused, ReadError::Ratio { .. }), "{refused}");
    assert_eq!(
        feedback::Report::read(&pack(&pack(b"x")), &limits),
        Err(ReadError::Nested)
    );
}

#[test]
fn what_a_tls_report_must_have_is_asked_for() {
    let place = |change: fn(&mut tls::Report)| {
        let mut report = tls_report();
        change(&mut report);
        match report.to_json().unwrap_err() {
            WriteError::Missing { place, .. } | WriteError::Value { place, .. } => place,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(place(|report| report.begin = None), "date-range/start-datetime");
    assert_eq!(place(|report| report.policies.clear()), "policies");
    assert_eq!(place(|report| report.organization_name = None), "organization-name");
    assert_eq!(place(|report| report.report_id = None), "report-id");
    assert_eq!(
        place(|report| report.policies[0].policy.kind = None),
        "policy/policy-type"
    );
    let unknown = tls::ResultType::Unknown;
    let mut report = tls_report();
    report.policies[0].failures[0].result = Some(unknown("x".to_owned()));
    assert!(matches!(
        report.to_json(),
        Err(WriteError::Value {
            place: "failure-details/result-type",
            ..
        })
    ));
}

#[test]
fn counts_of_a_tls_report_do_not_wrap() {
    let huge = r#"{"policies": [
        {"summary": {"total-successful-session-count": 1e99, "total-failure-session-count": 18446744073709551615}},
        {"summary": {"total-successful-session-count": -1, "total-failure-session-count": 18446744073709551615}}]}"#;
    let report = tls::Report::read(huge.as_bytes(), &Limits::new()).unwrap();
    assert_eq!((report.totals().successful, report.totals().failed), (0, u64::MAX));
    assert_eq!(
        (report.policies[0].successful, report.policies[1].successful),
        (None, None)
    );
}

#[test]
fn a_bomb_is_refused_before_it_is_unpacked() {
    let mut report = tls_report();
    report.policies[0].failures[0].additional_information = Some("x".repeat(4000));
    report.policies = vec![report.policies[0].clone(); 5000];
    let packed = report.to_gzip().unwrap();
    let refused = tls::Report::read(&packed, &Limits::new()).unwrap_err();
    assert!(
        matches!(refused, ReadError::Ratio { .. } | ReadError::TooLarge { .. }),
        "{refused}"
    );
}

proptest! {
    #[test]
    fn texts_survive_a_failure_report(agent in "[!-~][ -~]{0,80}", id in "[!-~]{1,60}", domain in "[a-z]{1,20}\\.example", ip in any::<u32>()) {
        let mut report = failure_report();
        report.user_agent = Some(agent.split_whitespace().collect::<Vec<_>>().join(" "));
        report.original_envelope_id = Some(id);
        report.reported_domains = vec![domain];
        report.source_ip = Some(IpAddr::V4(ip.into()));
        let read = feedback::Report::from_mail(&mailed(&report), &Limits::new()).unwrap();
        prop_assert_eq!(read, report);
    }

    #[test]
    fn texts_survive_a_tls_report(name in "\\PC{1,80}", info in "\\PC{0,200}", good in any::<u64>(), bad in any::<u64>()) {
        let mut report = tls_report();
        report.organization_name = Some(name);
        report.policies[0].failures[0].additional_information = Some(info);
        report.policies[0].successful = Some(good);
        report.policies[0].failed = Some(bad);
        let read = tls::Report::read(&report.to_gzip().unwrap(), &Limits::new()).unwrap();
        prop_assert_eq!(read, report);
    }

    #[test]
    fn any_octets_are_read_or_refused(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        let limits = Limits::new();
        let _ = (tls::Report::read(&octets, &limits), feedback::Report::read(&octets, &limits), dmarc::Report::read(&octets, &limits));
    }
}
