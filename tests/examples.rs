//! The examples, run as a newcomer runs them.

#![allow(clippy::expect_used, reason = "a test that starts programs")]

use std::process::{Command, Output};

fn example(name: &str, arguments: &[&str], url: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
        .args(["run", "--quiet", "--example", name, "--"])
        .args(arguments);
    command.env_remove("POSTHASTE_URL");
    if let Some(url) = url {
        command.env("POSTHASTE_URL", url);
    }
    command.output().expect("cargo runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const MAIL: [&str; 8] = [
    "--from",
    "Ada <ada@example.org>",
    "--to",
    "bob@example.net",
    "--subject",
    "Hello",
    "--text",
    "First line",
];

#[test]
fn quickstart_has_the_outcomes_that_its_rows_expect() {
    let output = example("quickstart", &[], None);
    let printed = text(&output.stdout);
    assert!(output.status.success(), "{printed}\n{}", text(&output.stderr));
    for expected in [
        "dkim=pass",
        "spf=pass",
        "dmarc=pass",
        "messages per second",
        "refused by policy",
    ] {
        assert!(printed.contains(expected), "no `{expected}` in:\n{printed}");
    }
}

#[test]
fn large_attachment_sends_all_of_it_and_says_how_much_memory_that_took() {
    let output = example("large_attachment", &["--gigabytes", "0.01"], None);
    let printed = text(&output.stdout);
    assert!(output.status.success(), "{printed}\n{}", text(&output.stderr));
    assert!(printed.contains("10737418 bytes"), "{printed}");
    assert!(printed.contains("peak memory"), "{printed}");
}

#[test]
fn bulk_counts_what_is_wrong_and_says_where_the_time_went() {
    let output = example("bulk", &["--rows", "4000", "--keys", "ed25519", "--attach", "1"], None);
    let printed = text(&output.stdout);
    assert!(output.status.success(), "{printed}\n{}", text(&output.stderr));
    for expected in [
        "row 1111: the entry cannot be read: customer.1111@@example.net",
        "row 3333: the template cannot be rendered: not in the data: `points`",
        "3997 messages of ",
        " KB, 2 failed, 1 duplicates, 0 passed over",
        "messages per second",
        "render  |",
        "sign    |",
    ] {
        assert!(printed.contains(expected), "no `{expected}` in:\n{printed}");
    }
}

#[test]
fn bulk_reads_csv_and_goes_on_where_it_was_stopped() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let file = folder.path().join("rows.csv");
    let rows = "email,name,points\nbob@example.net,Bob,7\ncarol@example.net,Carol,8\nbob@example.net,Bob,7\ndave@example.net,Dave,9\n";
    std::fs::write(&file, rows).expect("writable");
    let file = file.to_str().expect("UTF-8");
    let output = example("bulk", &[file, "--keys", "none", "--start-at", "2"], None);
    let printed = text(&output.stdout);
    assert!(output.status.success(), "{printed}\n{}", text(&output.stderr));
    assert!(printed.contains("1 messages of"), "{printed}");
    assert!(printed.contains("0 failed, 1 duplicates, 2 passed over"), "{printed}");
}

#[test]
fn send_writes_into_a_folder() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let attached = folder.path().join("notes.bin");
    std::fs::write(&attached, "remember").expect("written");
    let mut arguments = MAIL.to_vec();
    arguments.extend(["--attach", attached.to_str().expect("a path in UTF-8")]);
    let output = example("send", &arguments, Some(&format!("file://{}", folder.path().display())));
    assert!(output.status.success(), "{}", text(&output.stderr));
    let files: Vec<_> = walkdir::WalkDir::new(folder.path().join("new"))
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .collect();
    assert_eq!(files.len(), 1, "one message, one file");
    let written = std::fs::read(files.first().expect("it").path()).expect("readable");
    assert!(text(&written).contains("Subject: Hello\r\n"));
    assert!(text(&written).contains("notes.bin") && text(&written).contains("cmVtZW1iZXI="));
}

#[test]
fn invitation_is_a_message_with_a_calendar() {
    let output = example("invitation", &[], None);
    let printed = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let parsed = mail_parser::MessageParser::default()
        .parse(printed.as_bytes())
        .expect("a message");
    assert_eq!(parsed.subject(), Some("Breakfast on 4 January"));
    assert!(
        parsed
            .body_text(0)
            .expect("a text")
            .contains("<https://example.org/cafe>.")
    );
    assert!(
        printed.contains("Content-Type: text/calendar; method=REQUEST; charset=utf-8\r\n"),
        "{printed}"
    );
    assert_eq!(
        parsed.parts.len(),
        8,
        "mixed, alternative, text, related, html, logo, calendar and file"
    );
}

#[test]
fn send_says_what_is_wrong_and_keeps_the_password() {
    for url in [
        "smtp://user:sesame@127.0.0.1:1/?sesame=1",
        "nonsense://user:sesame@host",
        "sesame",
    ] {
        let output = example("send", &MAIL, Some(url));
        let printed = text(&output.stdout) + &text(&output.stderr);
        assert!(!output.status.success(), "{url}: {printed}");
        assert!(printed.contains("not sent: "), "{url}: {printed}");
        assert!(!printed.contains("user:sesame"), "{url}: {printed}");
    }
    let output = example(
        "send",
        &["--from", "no address", "--to", "b@example.net"],
        Some("memory://"),
    );
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("--from"), "{}", text(&output.stderr));
}

const VERIFY: [&str; 9] = [
    "examples/data/verify/newsletter.eml",
    "--ip",
    "192.0.2.1",
    "--helo",
    "mail.example.org",
    "--zone",
    "examples/data/verify/zone.txt",
    "--mail-from",
    "ada@example.org",
];

#[test]
fn verify_says_that_the_sample_is_authentic_and_why() {
    let output = example("verify", &[&VERIFY[..], &["--lookups"]].concat(), None);
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{printed}\n{}", text(&output.stderr));
    for expected in [
        "SPF    pass       ada@example.org: `mx` matches 192.0.2.1 (1 lookup)",
        "HELO   pass       mail.example.org: `a` matches 192.0.2.1 (1 lookup)",
        "DKIM   pass       signed by example.org, key r2026, rsa-sha256",
        "DKIM   pass       signed by example.org, key e2026, ed25519-sha256",
        "iprev  pass       192.0.2.1 is mail.example.org",
        "DMARC  pass       example.org wants reject (p= of the record at _dmarc.example.org)",
        "SPF passed for example.org: aligned, the same domain",
        "It is from example.org.",
        "dmarc    TXT   _dmarc.example.org: 1 record",
        "    dmarc=pass header.from=example.org policy.published-domain-policy=reject",
    ] {
        assert!(printed.contains(expected), "no `{expected}` in:\n{printed}");
    }
}

#[test]
fn verify_prints_json_with_stable_names() {
    let output = example("verify", &[&VERIFY[..], &["--json"]].concat(), None);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["dmarc"]["result"], "pass");
    assert_eq!(report["dmarc"]["identifiers"][0]["standing"], "same_domain");
    assert_eq!(report["dkim"][1]["algorithm"], "ed25519-sha256");
    assert_eq!(report["lookups"][0]["queries"][0]["type"], "TXT");
    assert_eq!(report["ses"]["spf_verdict"], "PASS");
}

#[test]
fn verify_tells_forgeries_from_what_cannot_be_told_and_steers_no_terminal() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let file = folder.path().join("forged.eml");
    let forged = "From: Ada <ada@example.org>\nDKIM-Signature: v=1; d=\u{1b}[31mexample.org; a=\u{9b}2J\nSubject: \u{1b}]0;x\u{7}\n\nHi\n";
    std::fs::write(&file, forged).expect("writable");
    let file = file.to_str().expect("UTF-8");
    let flags = [
        "--ip",
        "198.51.100.9",
        "--helo",
        "\u{1b}[2Jx",
        "--zone",
        "examples/data/verify/zone.txt",
    ];
    for more in [&[][..], &["--json"]] {
        let output = example("verify", &[&[file], &flags[..], more].concat(), None);
        let printed = text(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{printed}\n{}", text(&output.stderr));
        assert!(printed.contains("reject") && printed.contains("[2Jx"), "{printed}");
        let steers = |c: char| c.is_control() && c != '\n';
        assert!(!printed.contains(steers), "{printed:?}");
    }

    let zone = folder.path().join("broken.txt");
    std::fs::write(&zone, "$FAIL _dmarc.example.org TXT servfail\n").expect("writable");
    let flags = [
        "--ip",
        "198.51.100.9",
        "--helo",
        "x",
        "--zone",
        zone.to_str().expect("UTF-8"),
    ];
    let output = example("verify", &[&[file], &flags[..]].concat(), None);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("ask again later"));
    let output = example(
        "verify",
        &["no-such-file.eml", "--ip", "192.0.2.1", "--helo", "x"],
        None,
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("no-such-file.eml"));
}

#[test]
fn keygen_keeps_the_keys_and_prints_what_to_publish() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let out = folder.path().to_str().expect("UTF-8");
    let flags = ["example.org", "--selector", "s1", "--key", "both", "--out", out];
    let output = example("keygen", &flags, None);
    let printed = text(&output.stdout);
    assert!(output.status.success(), "{printed}\n{}", text(&output.stderr));
    assert!(!printed.contains("PRIVATE"), "{printed}");

    let zone = posthaste_dns::Zone::parse(&printed).expect("a zone file");
    for selector in ["s1-rsa", "s1-ed25519"] {
        let path = folder.path().join(format!("{selector}.example.org.pem"));
        let key = std::fs::read_to_string(&path).expect("readable");
        let key = posthaste_auth::dkim::SigningKey::from_pem(&key).expect("a key");
        let name = format!("{selector}._domainkey.example.org");
        let answer = zone.answer(&name, posthaste_dns::RecordType::Txt).expect("published");
        assert_eq!(answer.txt().next().expect("it").to_text(), key.dns_record());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    let before = std::fs::read(folder.path().join("s1-rsa.example.org.pem")).expect("readable");
    let output = example("keygen", &flags, None);
    assert!(!output.status.success());
    assert!(
        text(&output.stderr).contains("not overwritten"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(text(&output.stdout), "");
    assert_eq!(
        std::fs::read(folder.path().join("s1-rsa.example.org.pem")).expect("readable"),
        before
    );
}

#[test]
fn keygen_prints_in_the_format_asked_for() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let out = folder.path().to_str().expect("UTF-8");
    let run = |selector: &str, more: &[&str]| {
        let flags = ["example.org", "--selector", selector, "--out", out];
        example("keygen", &[&flags, more].concat(), None)
    };
    let output = run("j", &["--key", "ed25519", "--format", "json", "--testing"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["records"][0]["host"], "j._domainkey");
    let value = json["records"][0]["value"].as_str().expect("a text");
    assert!(value.starts_with("v=DKIM1; k=ed25519; t=y; p="), "{value}");

    for (selector, key) in [("t3", "rsa-3072"), ("t4", "rsa-4096")] {
        let output = run(selector, &["--key", key, "--format", "table"]);
        let printed = text(&output.stdout);
        assert!(printed.starts_with("Host "), "{printed}");
        assert!(printed.contains(&format!("\n{selector}._domainkey  TXT ")), "{printed}");
    }
    let output = run("a b", &[]);
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("selector"), "{}", text(&output.stderr));
}

const MINIMAL: &str = "crates/doctor/tests/zones/minimal.zone";

#[test]
fn doctor_says_by_its_exit_status_whether_there_are_errors() {
    let run = |arguments: &[&str]| example("doctor", arguments, None);
    let output = run(&[
        "example.org",
        "--zone",
        MINIMAL,
        "--selector",
        "s1",
        "--ip",
        "192.0.2.1",
    ]);
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{printed}\n{}", text(&output.stderr));
    assert!(printed.starts_with("example.org: 0 errors, 0 warnings"), "{printed}");

    let zone = "crates/doctor/tests/zones/broken-spf.zone";
    let output = run(&["example.org", "--zone", zone, "--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let diagnosis: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(diagnosis["worst"], "error");
    let findings = diagnosis["findings"].as_array().expect("a list");
    let open = findings.iter().find(|finding| finding["code"] == "spf.pass_all");
    let open = open.expect("it is found");
    assert_eq!(open["advice"]["publish"]["type"], "TXT");
    assert_eq!(open["sources"][0]["name"], "RFC 7208 §5.1");

    let output = run(&["example.org", "--zone", "no-such-file"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("no-such-file"));
}

#[test]
fn read_report_tells_the_kinds_apart() {
    for (file, expected) in [
        ("aggregate.xml", "431 messages: 412 pass, 19 quarantined, 0 rejected"),
        ("failure.eml", "failed: dmarc"),
        ("tls.json", "230 sessions encrypted, 7 not"),
    ] {
        let path = format!("examples/data/reports/{file}");
        let output = example("read_report", &[&path], None);
        let printed = text(&output.stdout);
        assert!(printed.contains(expected), "{printed}\n{}", text(&output.stderr));
        assert!(!printed.contains("against the standard"), "{printed}");
        let output = example("read_report", &[&path, "--json"], None);
        let printed = text(&output.stdout);
        assert!(serde_json::from_str::<serde_json::Value>(&printed).is_ok(), "{printed}");
    }
    let output = example("read_report", &["Cargo.toml"], None);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn webhooks_takes_what_is_signed_and_keeps_whom_not_to_write_to() {
    let output = example("webhooks", &[], None);
    let printed = text(&output.stdout);
    assert!(output.status.success(), "{printed}\n{}", text(&output.stderr));
    for expected in [
        "would confirm arn:aws:sns:eu-west-1:111122223333:ses-events at https://sns.eu-west-1.amazonaws.com/",
        "SES, a bounce: 200",
        "SES, the same with another address: 403",
        "sendgrid complained carol@example.net, which came before",
        "SendGrid, other events under that signature: 403",
        "Postmark, without the password: 401",
        "bob@example.net: bounce, says ses: smtp; 550 5.1.1 <bob@example.net>: user unknown",
        "carol@example.net: complaint, says sendgrid",
        "frank@example.net: unsubscribe, says postmark",
    ] {
        assert!(printed.contains(expected), "no `{expected}` in:\n{printed}");
    }
    let (_, listed) = printed.split_once("not to be written to:").expect("a list");
    assert_eq!(listed.lines().filter(|line| !line.is_empty()).count(), 3, "{printed}");
}

#[test]
fn failover_goes_on_to_the_second_relay_and_never_sends_twice() {
    let output = example("failover", &[], None);
    let printed = text(&output.stdout);
    assert!(output.status.success(), "{printed}\n{}", text(&output.stderr));
    for expected in [
        "accepted, at attempt 2",
        "it is unknown whether the message was accepted",
        "the first relay has 1, the second 4; nothing was sent twice",
    ] {
        assert!(printed.contains(expected), "no `{expected}` in:\n{printed}");
    }
}

#[test]
fn staging_reaches_nobody_real_and_writes_pages() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().to_str().expect("a plain path");
    let output = example("staging", &[path], None);
    let printed = text(&output.stdout);
    assert!(output.status.success(), "{printed}\n{}", text(&output.stderr));
    for expected in [
        "bob@example.net: accepted",
        "really sent to: tester@example.org",
        "really sent to: ann@example.com",
        "2 messages sent",
    ] {
        assert!(printed.contains(expected), "no `{expected}` in:\n{printed}");
    }
    let index = std::fs::read_to_string(folder.path().join("index.html")).expect("an index");
    assert_eq!(index.matches("<a href=").count(), 2, "{index}");
}
