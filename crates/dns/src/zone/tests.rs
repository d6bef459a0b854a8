use super::*;
use crate::Txt;

fn zone() -> Zone {
    Zone::parse(
        "$ORIGIN example.org.\n\
         $TTL 1h30m\n\
         @ IN SOA ns hostmaster 1 2h 15m 2w 1d\n\
         \x20 NS ns\n\
         \x20 MX 10 mail ; the first\n\
         \x20 60 MX 20 mail.example.net.\n\
         @ TXT \"v=spf1 \" \"-all\"\n\
         mail A 192.0.2.1\n\
         \x20 AAAA 2001:db8::1\n\
         www CNAME mail\n\
         loop1 CNAME loop2\n\
         loop2 CNAME loop1\n\
         dangling CNAME nowhere\n\
         *.wild TXT any\n\
         a.b.wild A 192.0.2.2\n\
         _25._tcp.mail IN 300 TLSA 3 1 1 ( 00ff\n  10 )\n\
         null MX 0 .\n\
         _submissions._tcp SRV 0 5 465 mail\n\
         _submission._tcp SRV 0 0 0 .\n",
    )
    .unwrap()
}

/// What the zone says of there being nothing in it.
fn none() -> Negative {
    Negative::default().with_ttl(Duration::from_secs(5400))
}

fn check(name: &str, kind: RecordType, expected: Result<&[Record], LookupError>) {
    let found = zone().answer(name, kind).map(Answer::into_records);
    assert_eq!(found, expected.map(<[Record]>::to_vec), "{name} {kind}");
}

#[test]
fn records_are_found_in_any_case_with_and_without_the_dot() {
    check(
        "example.org",
        RecordType::Txt,
        Ok(&[Record::Txt(Txt::from_segments(["v=spf1 ", "-all"]))]),
    );
    check(
        "EXAMPLE.org.",
        RecordType::Ns,
        Ok(&[Record::Ns("ns.example.org".into())]),
    );
    check(
        "example.org",
        RecordType::Mx,
        Ok(&[Record::mx(10, "mail.example.org"), Record::mx(20, "mail.example.net")]),
    );
    check("null.example.org", RecordType::Mx, Ok(&[Record::mx(0, ".")]));
    check(
        "_25._tcp.mail.example.org",
        RecordType::Tlsa,
        Ok(&[Record::Tlsa(crate::Tlsa::new(3, 1, 1, [0, 255, 16]))]),
    );
    check(
        "_submissions._tcp.example.org",
        RecordType::Srv,
        Ok(&[Record::Srv(crate::Srv::new(0, 5, 465, "mail.example.org"))]),
    );
    check(
        "_submission._tcp.example.org",
        RecordType::Srv,
        Ok(&[Record::Srv(crate::Srv::new(0, 0, 0, "."))]),
    );
}

#[test]
fn no_such_name_is_not_no_such_record() {
    check("mail.example.org", RecordType::Txt, Err(LookupError::NoData(none())));
    check("nope.example.org", RecordType::Txt, Err(LookupError::NxDomain(none())));
    check("x.mail.example.org", RecordType::A, Err(LookupError::NxDomain(none())));
    // Empty, but something is below it.
    check("_tcp.mail.example.org", RecordType::A, Err(LookupError::NoData(none())));
    check("org", RecordType::A, Err(LookupError::NoData(Negative::default())));
    check("net", RecordType::A, Err(LookupError::NxDomain(Negative::default())));
    check("a..org", RecordType::A, Err(LookupError::InvalidName));
}

#[test]
fn aliases_are_followed_to_a_bound() {
    check(
        "www.example.org",
        RecordType::A,
        Ok(&[Record::A([192, 0, 2, 1].into())]),
    );
    check(
        "www.example.org",
        RecordType::Cname,
        Ok(&[Record::Cname("mail.example.org".into())]),
    );
    check("www.example.org", RecordType::Mx, Err(LookupError::NoData(none())));
    check(
        "dangling.example.org",
        RecordType::A,
        Err(LookupError::NxDomain(none())),
    );
    check("loop1.example.org", RecordType::A, Err(LookupError::ServFail));
    let answer = zone().answer("www.example.org", RecordType::A).unwrap();
    assert_eq!(answer.canonical_name(), Some("mail.example.org"));
    assert_eq!(
        zone()
            .answer("mail.example.org", RecordType::A)
            .unwrap()
            .canonical_name(),
        None
    );
}

#[test]
fn wildcards_answer_for_names_that_do_not_exist() {
    let any = Ok(&[Record::txt("any")][..]);
    check("x.wild.example.org", RecordType::Txt, any.clone());
    check("y.x.wild.example.org", RecordType::Txt, any);
    check("x.wild.example.org", RecordType::A, Err(LookupError::NoData(none())));
    // b.wild exists, if empty, so the wildcard speaks neither for it nor for what is below it (RFC 4592 §2.2.1).
    check("b.wild.example.org", RecordType::Txt, Err(LookupError::NoData(none())));
    check(
        "c.b.wild.example.org",
        RecordType::Txt,
        Err(LookupError::NxDomain(none())),
    );
}

#[test]
fn the_shortest_time_to_live_counts() {
    let ttl = |name: &str, kind| zone().answer(name, kind).unwrap().ttl().as_secs();
    assert_eq!(ttl("example.org", RecordType::Mx), 60);
    assert_eq!(ttl("example.org", RecordType::Ns), 5400);
    assert_eq!(ttl("_25._tcp.mail.example.org", RecordType::Tlsa), 300);
}

#[test]
fn failures_strike_one_type_or_all() {
    let mut zone = zone();
    zone.fail("mail.example.org", RecordType::A, LookupError::Timeout)
        .unwrap();
    zone.fail("new.example.org", None, LookupError::ServFail).unwrap();
    zone.fail("*.wild.example.org", RecordType::Mx, LookupError::Bogus)
        .unwrap();
    let error = |name: &str, kind| zone.answer(name, kind).unwrap_err();
    assert_eq!(error("mail.example.org", RecordType::A), LookupError::Timeout);
    assert_eq!(error("www.example.org", RecordType::A), LookupError::Timeout);
    assert!(zone.answer("mail.example.org", RecordType::Aaaa).is_ok());
    assert_eq!(error("new.example.org", RecordType::Mx), LookupError::ServFail);
    assert_eq!(error("x.wild.example.org", RecordType::Mx), LookupError::Bogus);
}

#[test]
fn questions_are_counted() {
    let zone = zone();
    assert_eq!(zone.queries(), 0);
    zone.answer("www.example.org", RecordType::A).unwrap();
    zone.answer("nope.example.org", RecordType::A).unwrap_err();
    assert_eq!(zone.queries(), 2);
    assert_eq!(zone.clone().queries(), 0);
    assert_eq!(zone.clone(), zone);
}

#[test]
fn dnssec_status_is_what_the_zone_claims() {
    assert_eq!(
        zone().answer("example.org", RecordType::Ns).unwrap().dnssec(),
        Dnssec::Indeterminate
    );
    let secure = zone().with_dnssec(Dnssec::Secure);
    assert_eq!(
        secure.answer("example.org", RecordType::Ns).unwrap().dnssec(),
        Dnssec::Secure
    );
}

#[track_caller]
fn check_error(text: &str, kind: ZoneErrorKind, line: usize, column: usize) {
    let error = Zone::parse(text).unwrap_err();
    assert_eq!(
        (error.kind(), error.line(), error.column()),
        (kind, Some(line), Some(column)),
        "{error}"
    );
}

#[test]
fn mistakes_have_a_kind_and_a_place() {
    check_error("a A 192.0.2.1\nb A 192.0.2.256", ZoneErrorKind::Value, 2, 5);
    check_error("a MX mail", ZoneErrorKind::Value, 1, 6);
    check_error("a MX 10", ZoneErrorKind::Missing, 1, 8);
    check_error("a A 192.0.2.1 192.0.2.2", ZoneErrorKind::Surplus, 1, 15);
    check_error(" A 192.0.2.1", ZoneErrorKind::Owner, 1, 2);
    check_error("a CAA 0 issue \"x\"", ZoneErrorKind::Type, 1, 3);
    check_error("a SPF \"v=spf1 -all\"", ZoneErrorKind::Type, 1, 3);
    check_error("a CH TXT x", ZoneErrorKind::Class, 1, 3);
    check_error("\n$INCLUDE other", ZoneErrorKind::Directive, 2, 1);
    check_error("a TXT \"open\nb A 192.0.2.1", ZoneErrorKind::Quote, 1, 7);
    check_error("a TXT ( x", ZoneErrorKind::Parenthesis, 1, 7);
    check_error("a TXT ( x ( y ) )", ZoneErrorKind::Parenthesis, 1, 11);
    check_error("a TXT x )", ZoneErrorKind::Parenthesis, 1, 9);
    check_error("a TXT \\256", ZoneErrorKind::Escape, 1, 7);
    check_error("a TXT \"\\", ZoneErrorKind::Escape, 1, 8);
    check_error("a..b TXT x", ZoneErrorKind::Name, 1, 1);
    check_error("a\\.b TXT x", ZoneErrorKind::Name, 1, 1);
    check_error("a TLSA 3 1 1 abc", ZoneErrorKind::Value, 1, 14);
    check_error("$TTL 1y\n", ZoneErrorKind::Value, 1, 6);
    check_error("@ A 192.0.2.1", ZoneErrorKind::Name, 1, 3);
    check_error(&format!("a TXT {}", "x".repeat(256)), ZoneErrorKind::Length, 1, 7);
    assert_eq!(
        Zone::parse("a A x").unwrap_err().to_string(),
        "line 1, column 5: not a valid value: `x`"
    );
}

#[test]
fn a_name_that_is_none_cannot_be_inserted() {
    let mut zone = Zone::new();
    assert_eq!(
        zone.insert("", Record::txt("x")).unwrap_err().kind(),
        ZoneErrorKind::Name
    );
    assert_eq!(
        zone.insert("a", Record::Ptr("b..c".into())).unwrap_err().to_string(),
        "not a domain name: `b..c`"
    );
}

#[test]
fn escapes_and_quotes_are_undone() {
    let zone = Zone::parse("a TXT \"say \\\"hi\\\" \\\\ \\200\" ; no\nb\\059c TXT \\;plain").unwrap();
    let text = |name: &str| {
        zone.answer(name, RecordType::Txt)
            .unwrap()
            .txt()
            .next()
            .unwrap()
            .as_bytes()
            .to_vec()
    };
    assert_eq!(text("a"), b"say \"hi\" \\ \xc8");
    assert_eq!(text("b;c"), b";plain");
}

#[test]
fn what_is_printed_reads_back() {
    let zone = zone();
    assert_eq!(Zone::parse(&zone.to_string()).unwrap(), zone);
    assert!(
        zone.to_string()
            .contains("_25._tcp.mail.example.org. 300 IN TLSA 3 1 1 00ff10\n"),
        "{zone}"
    );
}

#[test]
fn every_failure_has_a_word() {
    let zone = Zone::parse(
        "$ORIGIN example.org.\n\
         a A 192.0.2.1\n\
         $FAIL a A NXDOMAIN\n\
         $FAIL a AAAA nodata\n\
         $FAIL a MX servfail\n\
         $FAIL a TXT refused\n\
         $FAIL a TLSA timeout\n\
         $FAIL a NS truncated\n\
         $FAIL a SOA bogus\n\
         $FAIL *.b servfail\n\
         $FAIL @ timeout\n",
    )
    .unwrap();
    let error = |name: &str, kind| zone.answer(name, kind).unwrap_err();
    assert!(error("a.example.org", RecordType::A).is_nx_domain());
    assert!(error("a.example.org", RecordType::Aaaa).is_no_data());
    assert_eq!(error("a.example.org", RecordType::Mx), LookupError::ServFail);
    assert_eq!(error("a.example.org", RecordType::Txt), LookupError::Refused);
    assert_eq!(error("a.example.org", RecordType::Tlsa), LookupError::Timeout);
    assert_eq!(error("a.example.org", RecordType::Ns), LookupError::Truncated);
    assert_eq!(error("a.example.org", RecordType::Soa), LookupError::Bogus);
    assert_eq!(error("x.b.example.org", RecordType::A), LookupError::ServFail);
    assert_eq!(error("example.org", RecordType::Mx), LookupError::Timeout);
    assert_eq!(Zone::parse(&zone.to_string()).unwrap(), zone);
}

#[test]
fn dnssec_statuses_are_of_names_and_types() {
    let zone = Zone::parse(
        "$ORIGIN example.org.\n\
         @ 600 SOA ns hostmaster 1 2 3 4 60\n\
         mail A 192.0.2.1\n\
         mail TXT x\n\
         alias CNAME mail.unsigned\n\
         back.unsigned CNAME mail\n\
         mail.unsigned A 192.0.2.2\n\
         mail.forged A 192.0.2.3\n\
         $DNSSEC @ secure\n\
         $DNSSEC unsigned insecure\n\
         $DNSSEC unsigned TXT indeterminate\n\
         $DNSSEC forged BOGUS\n\
         $DNSSEC mail TXT bogus\n\
         $DNSSEC mail TXT insecure\n",
    )
    .unwrap();
    let check = |name: &str, kind, expected: Result<Dnssec, LookupError>| {
        let found = zone.answer(&format!("{name}.example.org"), kind);
        assert_eq!(found.map(|answer| answer.dnssec()), expected, "{name} {kind}");
    };
    let none = |dnssec| {
        Negative::default()
            .with_ttl(Duration::from_secs(60))
            .with_dnssec(dnssec)
    };
    check("mail", RecordType::A, Ok(Dnssec::Secure));
    check("mail", RecordType::Txt, Ok(Dnssec::Insecure));
    check("mail.unsigned", RecordType::A, Ok(Dnssec::Insecure));
    check("alias", RecordType::A, Ok(Dnssec::Insecure));
    check("back.unsigned", RecordType::A, Ok(Dnssec::Insecure));
    check("mail.forged", RecordType::A, Err(LookupError::Bogus));
    check("nope.forged", RecordType::A, Err(LookupError::Bogus));
    check("nope", RecordType::A, Err(LookupError::NxDomain(none(Dnssec::Secure))));
    check("mail", RecordType::Mx, Err(LookupError::NoData(none(Dnssec::Secure))));
    let unsigned = none(Dnssec::Indeterminate);
    check("mail.unsigned", RecordType::Txt, Err(LookupError::NoData(unsigned)));
    assert_eq!(Zone::parse(&zone.to_string()).unwrap(), zone);
    assert_eq!(zone.clone(), zone);
    assert_eq!(
        Zone::new().set_dnssec("a..b", None, Dnssec::Secure).unwrap_err().kind(),
        ZoneErrorKind::Name
    );
}

#[test]
fn directives_of_our_own_have_mistakes_with_a_place_too() {
    check_error("$FAIL a sometimes", ZoneErrorKind::Value, 1, 9);
    check_error("$FAIL a", ZoneErrorKind::Missing, 1, 8);
    check_error("$FAIL a A", ZoneErrorKind::Missing, 1, 10);
    check_error("$FAIL a A timeout now", ZoneErrorKind::Surplus, 1, 19);
    check_error("$FAIL a..b timeout", ZoneErrorKind::Name, 1, 7);
    check_error("$FAIL . timeout", ZoneErrorKind::Name, 1, 1);
    check_error("$DNSSEC a servfail", ZoneErrorKind::Value, 1, 11);
}

#[test]
fn escaped_dots_and_backslashes_print_as_they_were_read() {
    let zone = Zone::parse(
        "a\\092046b PTR a\\092046b.example\n\
         a SOA ns a\\.b.c 1 2 3 4 5\n\
         b PTR a\\046b.\n\
         $FAIL a\\092046b MX timeout\n",
    )
    .unwrap();
    assert_eq!(Zone::parse(&zone.to_string()), Ok(zone.clone()), "{zone}");
    assert_eq!(
        zone.answer("b", RecordType::Ptr).unwrap().ptr().collect::<Vec<_>>(),
        ["a\\046b"]
    );
}

/// A master file as name servers have them, with what BIND writes and reads.
const BIND: &str = "\u{feff}; example.com, served by BIND\r
$TTL 1D\r
$ORIGIN com.\r
example\t\t1H IN SOA ns1.example.com. host\\.master.example.com. (\r
\t\t\t\t2026112301 ; serial\r
\t\t\t\t3h         ; refresh\r
\t\t\t\t15m        ; retry\r
\t\t\t\t3W12h      ; expire\r
\t\t\t\t2h20M )    ; minimum\r
\t\t\tNS\tns1.example.com.\r
\t\t\tNS\tns2.example.net.\r
\t\tIN\tMX\t10 mail.example\r
\t 300 in mx 20 mail2.example.com.\r
\tIN 300 TXT ( \"v=spf1 \" ; senders\r
\t\t\"ip4:192.0.2.0/24 -all\" )\r
\t\tCAA 0 issue \"ca.example.net\"\r
$ORIGIN example.com.\r
sel._domainkey IN TXT ( \"v=DKIM1; k=rsa; \"\r
          \"p=MIGf\" \"MA0=\" ) ; ----- DKIM key\r
\r
   \t ; only a comment\r
_dmarc\tTXT\tv=DMARC1\\;\\032p=none\r
mail 60 IN A 192.0.2.25\r
     60 IN AAAA 2001:db8::25\r
_sip._tcp SRV 0 5 5060 mail\r
mail RRSIG A 13 3 60 20261201000000 (\r
\t20261123000000 1 example.com. q83vEjRWeJA= )\r
odd TYPE65534 \\# 5 ( 0D 7A3E 0001 )\r
*.wild CNAME mail\r
$ORIGIN sub\r
www A 192.0.2.80\r
$ORIGIN 2.0.192.in-addr.arpa.\r
25 PTR mail.example.com.\r
";

#[test]
fn the_master_files_of_name_servers_can_be_read() {
    assert_eq!(Zone::parse(BIND).unwrap_err().kind(), ZoneErrorKind::Type);
    let zone = Zone::parse_known(BIND).unwrap();
    assert_eq!(
        Zone::parse(&zone.to_string()).map(|read| read.records().count()),
        Ok(zone.records().count())
    );
    let answer = |name: &str, kind| zone.answer(name, kind).unwrap();
    let soa = answer("example.com", RecordType::Soa);
    assert_eq!(soa.ttl().as_secs(), 3600);
    assert_eq!(
        soa.records(),
        [Record::Soa {
            primary: "ns1.example.com".into(),
            mailbox: "host\\046master.example.com".into(),
            serial: 2_026_112_301,
            refresh: 10_800,
            retry: 900,
            expire: 1_857_600,
            minimum: 8400,
        }]
    );
    assert_eq!(answer("example.com", RecordType::Ns).ttl().as_secs(), 86_400);
    let exchanges = answer("example.com", RecordType::Mx);
    assert_eq!(
        exchanges.mx().collect::<Vec<_>>(),
        [(10, "mail.example.com"), (20, "mail2.example.com")]
    );
    let text = |name: &str| {
        answer(name, RecordType::Txt)
            .txt()
            .next()
            .unwrap()
            .to_text()
            .into_owned()
    };
    assert_eq!(text("example.com"), "v=spf1 ip4:192.0.2.0/24 -all");
    assert_eq!(text("sel._domainkey.example.com"), "v=DKIM1; k=rsa; p=MIGfMA0=");
    assert_eq!(text("_dmarc.example.com"), "v=DMARC1; p=none");
    assert_eq!(answer("mail.example.com", RecordType::Aaaa).ttl().as_secs(), 60);
    assert_eq!(
        answer("x.wild.example.com", RecordType::A).canonical_name(),
        Some("mail.example.com")
    );
    assert_eq!(answer("www.sub.example.com", RecordType::A).records().len(), 1);
    assert_eq!(
        answer("25.2.0.192.in-addr.arpa", RecordType::Ptr)
            .ptr()
            .collect::<Vec<_>>(),
        ["mail.example.com"]
    );
    // What was left out exists.
    let error = zone.answer("_sip._tcp.example.com", RecordType::A).unwrap_err();
    assert_eq!(
        error.negative().unwrap().ttl,
        Some(Duration::from_secs(3600)),
        "{error:?}"
    );
    assert!(error.is_no_data());
    assert!(zone.answer("odd.example.com", RecordType::A).unwrap_err().is_no_data());
}

#[test]
fn a_time_to_live_is_the_default_the_last_one_or_the_minimum() {
    let ttl = |text: &str| {
        let zone = Zone::parse(text).unwrap();
        zone.answer("end", RecordType::A).unwrap().ttl().as_secs()
    };
    assert_eq!(ttl("end A 192.0.2.1"), 3600);
    assert_eq!(ttl("a 60 A 192.0.2.1\nend A 192.0.2.1"), 60);
    assert_eq!(ttl("a SOA a a 1 2 3 4 90\nend A 192.0.2.1"), 90);
    assert_eq!(ttl("a SOA a a 1 2 3 4 90\nb 60 A 192.0.2.1\nend A 192.0.2.1"), 60);
    assert_eq!(ttl("$TTL 1h1m1s\nb 60 A 192.0.2.1\nend A 192.0.2.1"), 3661);
    assert_eq!(ttl("$TTL 2d\nend 1W IN A 192.0.2.1"), 604_800);
    assert_eq!(ttl("end IN 0 A 192.0.2.1"), 0);
}
