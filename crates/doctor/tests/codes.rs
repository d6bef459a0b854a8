//! Every code of the table is found somewhere.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::{collections::BTreeSet, fs, path::PathBuf};

use posthaste_dns::{LookupError, Zone};
use posthaste_doctor::{Code, Context, Diagnosis, Doctor, FetchError, Pages, preflight_raw};
use posthaste_mime::RawMessage;

const HEAD: &str =
    "From: a@example.org\nDate: Mon, 23 Nov 2026 12:00:00 +0000\nMessage-ID: <1@example.org>\nSubject: Hi\n";
const POLICY: &str = "https://mta-sts.example.org/.well-known/mta-sts.txt";

/// Looks at example.org in a zone.
fn doctor(zone: &Zone) -> Doctor<'_> {
    Doctor::new(zone)
}

async fn check(doctor: &Doctor<'_>) -> Diagnosis {
    doctor.check(&"example.org".parse().unwrap()).await
}

/// Says what is found in a zone of these lines.
async fn in_zone(lines: &str) -> Diagnosis {
    let zone = Zone::parse(&format!("$ORIGIN example.org.\n$TTL 3600\n{lines}\n")).unwrap();
    check(&doctor(&zone).selectors(["s1".parse().unwrap()])).await
}

fn of_message(header: &str, body: &str, context: &Context) -> Diagnosis {
    let text = format!("{header}\n{body}").replace('\n', "\r\n");
    preflight_raw(&RawMessage::parse(text.into_bytes()).unwrap(), context)
}

#[track_caller]
fn assert_has(diagnosis: &Diagnosis, codes: &[Code]) {
    for code in codes {
        assert!(diagnosis.has(*code), "no {code} in\n{diagnosis}");
    }
}

#[track_caller]
fn assert_has_not(diagnosis: &Diagnosis, codes: &[Code]) {
    for code in codes {
        assert!(!diagnosis.has(*code), "{code} in\n{diagnosis}");
    }
}

const RSA: &str =
    "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCqG7+/4svcPpTN77QyogTJbs+m3Q9fKdiQe07yCvclCo";
const ED25519: &str = "v=DKIM1; k=ed25519; p=6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=";

#[tokio::test]
async fn two_spf_records_are_an_error_and_a_long_one_a_warning() {
    let several = in_zone("@ TXT \"v=spf1 mx -all\"\n@ TXT \"v=spf1 a -all\"").await;
    assert_has(&several, &[Code::SpfSeveral]);
    assert_has_not(&several, &[Code::SpfOk]);
    let addresses: Vec<String> = (0..40).map(|n| format!("ip4:192.0.2.{}", 100 + n)).collect();
    let parts: Vec<String> = addresses
        .chunks(8)
        .map(|some| format!("\" {}\"", some.join(" ")))
        .collect();
    let long = |parts: &[String]| format!("@ TXT \"v=spf1\" {} \" -all\"", parts.join(" "));
    assert_has(&in_zone(&long(&parts)).await, &[Code::SpfLong]);
    assert_has_not(&in_zone(&long(parts.get(..2).unwrap())).await, &[Code::SpfLong]);
    let weak = in_zone("@ TXT \"v=spf1 mx\"").await;
    assert_has(&weak, &[Code::SpfNoAll]);
    assert_has(&in_zone("@ TXT \"v=spf1 mx ?all\"").await, &[Code::SpfNeutralAll]);
    assert_has(&in_zone("@ MX 0 .").await, &[Code::SpfMissing, Code::MxNull]);
}

#[tokio::test]
async fn keys_that_few_can_use() {
    let only = in_zone(&format!("s1._domainkey TXT \"{ED25519}\"")).await;
    assert_has(&only, &[Code::DkimEd25519Only, Code::DkimOk]);
    let other = in_zone(&format!("s1._domainkey TXT \"{}; s=tlsrpt\"", ED25519)).await;
    assert_has(&other, &[Code::DkimNotForMail]);
    assert_has_not(&other, &[Code::DkimOk]);
    let torn = in_zone(&format!("s1._domainkey TXT \"{RSA}\"")).await;
    assert_has(&torn, &[Code::DkimBroken]);
}

#[tokio::test]
async fn selectors_that_are_not_named_are_guessed() {
    let text = format!("example.org. MX 10 mail.example.org.\ns1._domainkey.example.org. TXT \"{ED25519}\"");
    let zone = Zone::parse(&text).unwrap();
    let guessed = check(&doctor(&zone)).await;
    assert_has(&guessed, &[Code::DkimGuessed, Code::DkimOk]);
    assert_has_not(&guessed, &[Code::DkimMissing, Code::DkimNotFound]);
    let named = check(&doctor(&zone).selectors(["s1".parse().unwrap()])).await;
    assert_has_not(&named, &[Code::DkimGuessed]);
}

#[tokio::test]
async fn a_reverse_path_of_its_own_takes_bounces_and_counts() {
    let text = "example.org. MX 10 mail.example.org.\nmail.example.org. A 192.0.2.1\n\
        deaf.example.org. TXT \"v=spf1 mx -all\"\n\
        null.example.org. MX 0 .\n\
        good.example.org. MX 10 mail.example.org.\ngood.example.org. TXT \"v=spf1 mx -all\"\n\
        bounce.example.net. MX 10 mail.example.org.\nbounce.example.net. TXT \"v=spf1 mx -all\"\n";
    let zone = Zone::parse(text).unwrap();
    for (name, codes, absent) in [
        (
            "deaf.example.org",
            [Code::MailFromMx],
            [Code::MailFromOk, Code::MailFromUnaligned],
        ),
        (
            "null.example.org",
            [Code::MailFromMx],
            [Code::MailFromOk, Code::MailFromUnaligned],
        ),
        (
            "good.example.org",
            [Code::MailFromOk],
            [Code::MailFromMx, Code::MailFromUnaligned],
        ),
        (
            "bounce.example.net",
            [Code::MailFromUnaligned],
            [Code::MailFromOk, Code::MailFromMx],
        ),
    ] {
        let diagnosis = check(&doctor(&zone).mail_from(name.parse().unwrap())).await;
        assert_has(&diagnosis, &codes);
        assert_has_not(&diagnosis, &absent);
    }
}

#[tokio::test]
async fn a_policy_that_is_none_for_all_still_counts_as_there() {
    let text = "@ MX 10 mail\nmail A 192.0.2.1\n@ TXT \"v=spf1 mx -all\"\n";
    let none = in_zone(&format!(
        "{text}_dmarc TXT \"v=DMARC1; p=none; rua=mailto:d@example.org\""
    ))
    .await;
    assert_has(&none, &[Code::DmarcNone]);
    assert_has_not(&none, &[Code::DmarcMissing, Code::DmarcNoReports]);
    let quiet = in_zone(&format!("{text}_dmarc TXT \"v=DMARC1; p=reject; np=none\"")).await;
    assert_has(&quiet, &[Code::DmarcNoReports, Code::DmarcNonexistent]);
    let typo = in_zone(&format!(
        "{text}_dmarc TXT \"v=DMARC1; p=rejct; rua=mailto:d@example.org\""
    ))
    .await;
    assert_has(&typo, &[Code::DmarcSyntax]);
}

#[tokio::test]
async fn records_of_mta_sts_bimi_and_dane_that_are_wrong() {
    for record in ["v=STSv1; id=", "v=STSv1", "v=STSv1; id=a b", "v=STSv2; id=1"] {
        let diagnosis = in_zone(&format!("@ MX 10 mail\n_mta-sts TXT \"{record}\"")).await;
        assert_has(&diagnosis, &[Code::StsRecord]);
        assert_has_not(&diagnosis, &[Code::StsOk, Code::StsMissing, Code::StsNotFetched]);
    }
    let twice = in_zone("@ MX 10 mail\n_mta-sts TXT \"v=STSv1; id=1\"\n_mta-sts TXT \"v=STSv1; id=2\"").await;
    assert_has(&twice, &[Code::StsRecord]);
    for record in [
        "v=BIMI1; l=http://example.org/l.svg",
        "v=BIMI1; l=nonsense",
        "v=BIMI2; l=https://example.org/l.svg",
    ] {
        let diagnosis = in_zone(&format!("@ MX 10 mail\ndefault._bimi TXT \"{record}\"")).await;
        assert_has(&diagnosis, &[Code::BimiRecord]);
        assert_has_not(&diagnosis, &[Code::BimiOk]);
    }
    let partial = in_zone(
        "$DNSSEC @ secure\n@ MX 10 mx1\n@ MX 20 mx2\nmx1 A 192.0.2.1\nmx2 A 192.0.2.2\n\
         _25._tcp.mx1 TLSA 3 1 1 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    )
    .await;
    assert_has(&partial, &[Code::DanePartial, Code::DaneOk]);
}

#[test]
fn strict_alignment_takes_the_same_domain() {
    let context = |record: &str| {
        Context::new()
            .mail_from("bounce@mail.example.org".parse().unwrap())
            .signed_by("news.example.org".parse().unwrap())
            .dmarc(&record.parse().unwrap())
    };
    let look = |record: &str| of_message(HEAD, "Hi\n", &context(record));
    assert_has(&look("v=DMARC1; p=reject"), &[Code::AlignOk]);
    assert_has(&look("v=DMARC1; p=reject; adkim=r; aspf=r"), &[Code::AlignOk]);
    let dkim = look("v=DMARC1; p=reject; adkim=s");
    assert_has(&dkim, &[Code::AlignDkim]);
    assert_has_not(&dkim, &[Code::AlignOk, Code::AlignNone]);
    let spf = look("v=DMARC1; p=reject; aspf=s");
    assert_has(&spf, &[Code::AlignSpf]);
    assert_has_not(&spf, &[Code::AlignOk, Code::AlignNone]);
    assert_has(&look("v=DMARC1; p=reject; adkim=s; aspf=s"), &[Code::AlignNone]);
    let exact = context("v=DMARC1; p=reject; adkim=s; aspf=s")
        .mail_from("bounce@example.org".parse().unwrap())
        .signed_by("example.org".parse().unwrap());
    assert_has(&of_message(HEAD, "Hi\n", &exact), &[Code::AlignOk]);
}

#[test]
fn mailbox_providers_send_for_themselves() {
    let header = HEAD.replace("a@example.org", "a@gmail.com");
    let own = Context::new()
        .mail_from("b@example.org".parse().unwrap())
        .signed_by("example.org".parse().unwrap());
    assert_has(
        &of_message(&header, "Hi\n", &own),
        &[Code::FromMailbox, Code::AlignNone],
    );
    let theirs = own.signed_by("gmail.com".parse().unwrap());
    assert_has_not(&of_message(&header, "Hi\n", &theirs), &[Code::FromMailbox]);
}

#[test]
fn fields_that_do_not_belong_into_a_message() {
    let header = format!("Return-Path: <a@example.org>\nBcc: c@example.net\n{HEAD}");
    assert_has(
        &of_message(&header, "Hi\n", &Context::new()),
        &[Code::HeaderReturnPath, Code::HeaderBcc],
    );
    assert_has_not(
        &of_message(HEAD, "Hi\n", &Context::new()),
        &[Code::HeaderReturnPath, Code::HeaderBcc],
    );
}

/// What the ten zones beside this file lead to, with what else can be said of them.
async fn zones() -> Vec<Diagnosis> {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "zones"].iter().collect();
    let mut all = Vec::new();
    let selectors = [
        "s1", "s2", "aaaa", "weak", "short", "trial", "gone", "twice", "sha1", "other", "torn", "alias", "none", "huge",
    ];
    let addresses = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "10.0.0.1"];
    let right = "version: STSv1\nmode: enforce\nmx: *.example.org\nmax_age: 1209600\n";
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "zone") {
            continue;
        }
        let zone = Zone::parse(&fs::read_to_string(&path).unwrap()).unwrap();
        for domain in [
            "example.org",
            "sub.example.org",
            "news.example.org",
            "twice.example.org",
        ] {
            let url = POLICY.replace("example.org", domain);
            let pages = |text: &str| Pages::new().page(url.clone(), text);
            let named = || {
                doctor(&zone)
                    .selectors(selectors.iter().map(|selector| selector.parse().unwrap()))
                    .sending_ips(addresses.iter().map(|address| address.parse().unwrap()))
                    .mail_from("bounce.example.org".parse().unwrap())
            };
            for pages in [
                pages(right),
                pages("version: STSv1\nmode: testing\nmx: a.example.org\nmax_age: 60\n"),
                pages("version: STSv1\nmode: enforce\nmx: a.example.org\nmax_age: 604800\n"),
                pages("version: STSv1\nmode: none\nmax_age: 604800\n"),
                pages("nonsense"),
                Pages::new().failure(url.clone(), FetchError::Timeout),
            ] {
                all.push(named().https(&pages).check(&domain.parse().unwrap()).await);
            }
            all.push(doctor(&zone).check(&domain.parse().unwrap()).await);
        }
    }
    all
}

/// Zones for what the ten do not have.
async fn more_zones() -> Vec<Diagnosis> {
    let mut all = Vec::new();
    for lines in [
        "@ TXT \"v=spf1 mx -all\"\n@ TXT \"v=spf1 a -all\"".to_owned(),
        "@ TXT \"v=spf1 mx\"".to_owned(),
        "@ TXT \"v=spf1 mix -all\"".to_owned(),
        "@ TXT \"v=spf1 mx ?all\"\n_mta-sts TXT \"v=STSv1\"".to_owned(),
        format!("@ TXT \"v=spf1\" {} \" -all\"", "\" ip4:192.0.2.128/25\" ".repeat(30)),
        format!("s1._domainkey TXT \"{ED25519}\""),
        format!("s1._domainkey TXT \"{ED25519}; s=other\""),
        "_dmarc TXT \"v=DMARC1; p=none; np=none\"\ndefault._bimi TXT \"v=BIMI1; l=x\"".to_owned(),
        "_dmarc TXT \"v=DMARC1; p=reject; np=none\"\n@ A 192.0.2.1".to_owned(),
        "_dmarc TXT \"v=DMARC1; p=rejct\"\n@ MX 0 .".to_owned(),
        "$DNSSEC @ insecure\n@ MX 10 mx1\nmx1 A 192.0.2.1".to_owned(),
        "$DNSSEC @ secure\n@ MX 10 mx1\n@ MX 20 mx2\nmx1 A 192.0.2.1\n_25._tcp.mx1 TLSA 3 1 1 00".to_owned(),
    ] {
        all.push(in_zone(&lines).await);
    }
    let mut zone = Zone::parse("co.uk. TXT \"v=spf1 -all\"\nbounce.example.net. TXT \"v=spf1 -all\"\n").unwrap();
    all.push(doctor(&zone).check(&"co.uk".parse().unwrap()).await);
    all.push(doctor(&zone).check(&"nowhere.example".parse().unwrap()).await);
    zone.fail("example.org", None, LookupError::ServFail).unwrap();
    all.push(check(&doctor(&zone)).await);
    let zone = Zone::parse("example.org. TXT \"v=spf1 -all\"\nbounce.example.net. TXT \"v=spf1 -all\"\n").unwrap();
    let sender = doctor(&zone).sending_ips(["192.0.2.1".parse().unwrap()]);
    all.push(check(&sender).await);
    all.push(check(&sender.mail_from("bounce.example.net".parse().unwrap())).await);
    all
}

fn messages() -> Vec<Diagnosis> {
    let plain = Context::new();
    let aligned = Context::new()
        .mail_from("b@example.org".parse().unwrap())
        .signed_by("example.org".parse().unwrap());
    let foreign = Context::new()
        .mail_from("b@example.org".parse().unwrap())
        .signed_by("example.net".parse().unwrap());
    let dkim_only = Context::new().signed_by("example.org".parse().unwrap());
    let bulk = aligned.clone().bulk(true);
    let html = |link: &str| {
        (
            format!("{HEAD}Content-Type: text/html\n"),
            format!("<a href=\"{link}\">www.example.org</a>\n"),
        )
    };
    let leave = "List-Unsubscribe: <https://example.org/u>\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\n";
    let mut all = vec![
        of_message("X-Nothing: 1\nno field\n", "", &plain),
        of_message(
            "From: a@example.org, b@example.org\nReply-To: b@example.net\n",
            "Hi\n",
            &plain,
        ),
        of_message(
            "From: a@localhost\nReply-To: b@example.net\nSubject: \u{e4}\nSubject: b\n",
            "Hi\n",
            &plain,
        ),
        of_message("From: a@gmail.com\nReply-To: b@example.net\n", "Hi\n", &plain),
        of_message(
            &format!("Return-Path: <a@example.org>\nBcc: b@example.net\n{HEAD}"),
            "Hi\n",
            &aligned,
        ),
        of_message(HEAD, "Hi\n", &foreign),
        of_message(HEAD, "Hi\n", &dkim_only),
        of_message(HEAD, "Hi\n", &bulk),
        of_message(
            &format!("{HEAD}List-Unsubscribe: <mailto:u@example.org>\n"),
            "Hi\n",
            &bulk,
        ),
        of_message(&format!("{HEAD}{leave}"), "Hi\n", &bulk),
        of_message(&format!("{HEAD}{leave}"), "Hi\n", &bulk.clone().signed_fields(["From"])),
        of_message(HEAD, "Hi\n", &aligned.clone().size_limit(10)),
        of_message(
            HEAD,
            &"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n".repeat(600_000),
            &aligned,
        ),
        of_message(
            &format!(
                "{HEAD}Content-Type: application/octet-stream; name=\"run.exe\"\n\
                 Content-Disposition: attachment; filename=\"run.exe\"\n"
            ),
            "MZ\n",
            &aligned,
        ),
    ];
    for link in [
        "http://example.org/",
        "https://192.0.2.1/",
        "https://bit.ly/x",
        "https://ex\u{430}mple.org/",
        "https://example.org@example.net/",
    ] {
        let (header, body) = html(link);
        all.push(of_message(&header, &body, &aligned));
    }
    all
}

#[tokio::test]
async fn every_code_is_found_somewhere() {
    let mut all = zones().await;
    all.extend(more_zones().await);
    all.extend(messages());
    let found: BTreeSet<&str> = all
        .iter()
        .flat_map(Diagnosis::findings)
        .map(|finding| finding.code().as_str())
        .collect();
    let never: Vec<&str> = Code::ALL
        .iter()
        .map(|code| code.as_str())
        .filter(|code| !found.contains(code))
        .collect();
    assert!(never.is_empty(), "no zone or message here leads to {never:?}");
}
