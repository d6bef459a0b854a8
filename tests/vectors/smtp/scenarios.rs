//! Sessions told step by step. Scripts are prose, so each known one has its own code; a server script that is made of
//! nothing but commands, and whose expectation names reply codes, is played as it stands.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use posthaste_smtp::Tls;
use posthaste_smtp::server::Limits;
use posthaste_transport::Disposition;
use serde_json::Value;

use super::block_on;
use super::client::{Fake, send};
use super::desk::Desk;
use super::dialog::Dialog;
use crate::harness::{Input, Report};

type Outcome = Result<(), String>;

/// Runs the set.
pub fn run(input: &Input, report: &mut Report) {
    let vectors = input.json("smtp/smtp-scenarios.json");
    for case in vectors["cases"].as_array().into_iter().flatten() {
        let id = case["id"].as_str().unwrap_or_default();
        let outcome = match id {
            "cli-starttls-response-injection" => block_on(client_starttls_injection()),
            "cli-strip-454" => block_on(client_strip()),
            "cli-implicit-tls" => block_on(client_implicit_tls()),
            "cli-quit-hang" => block_on(client_quit_hang()),
            "srv-state-reset-after-tls" => block_on(server_state_after_tls()),
            "srv-auth-twice" => block_on(server_auth_twice()),
            "srv-auth-in-transaction" => block_on(server_auth_in_transaction()),
            "srv-auth-cancel" => block_on(server_auth_cancel()),
            "srv-auth-bad-b64" => block_on(server_auth_bad_base64()),
            "srv-auth-authzid" => block_on(server_auth_authzid()),
            "srv-auth-nul-count" => block_on(server_auth_nul_count()),
            "srv-auth-bruteforce" => block_on(server_auth_bruteforce()),
            "srv-auth-sender-bind" => block_on(server_auth_sender_bind()),
            "srv-relay-noauth" => block_on(server_relay()),
            "srv-tls-old" => block_on(server_old_tls()),
            "srv-bdat-after-fail" => block_on(server_bdat_after_fail()),
            "srv-noop-flood" => block_on(server_noop_flood()),
            "srv-size-exceed" => block_on(server_size()),
            "srv-received-loop" => block_on(server_loop()),
            _ => match block_on(play(case)) {
                Ok(Some(outcome)) => outcome,
                Ok(None) => {
                    report.unsupported(id, "its script is told in words");
                    continue;
                }
                Err(why) => Err(why),
            },
        };
        report.check(id, outcome);
    }
}

/// Plays a script that consists of commands, and checks that the last is answered by a code that the expectation names.
async fn play(case: &Value) -> Result<Option<Outcome>, String> {
    const VERBS: [&str; 14] = [
        "EHLO", "HELO", "MAIL", "RCPT", "DATA", "BDAT", "RSET", "NOOP", "QUIT", "VRFY", "EXPN", "HELP", "AUTH",
        "STARTTLS",
    ];
    let script: Vec<&str> = case["script"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let verb = |line: &str| line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
    let plain = script
        .iter()
        .all(|line| VERBS.contains(&verb(line).as_str()) && !line.contains("->"));
    let words = case["expect"]
        .as_str()
        .unwrap_or_default()
        .split(|c: char| !c.is_ascii_digit());
    let codes: Vec<u16> = words
        .filter(|word| word.len() == 3)
        .filter_map(|word| word.parse().ok())
        .collect();
    if case["side"] != "server" || !plain || script.is_empty() || codes.is_empty() {
        return Ok(None);
    }
    let mut dialog = greeted(&Desk::default()).await?;
    let mut last = None;
    for line in script {
        let line = match line.to_ascii_uppercase().as_str() {
            "EHLO" | "HELO" => format!("{line} client.example"),
            "MAIL FROM" | "MAIL" => "MAIL FROM:<a@example.com>".to_owned(),
            "RCPT TO" | "RCPT" => "RCPT TO:<b@example.com>".to_owned(),
            _ => line.to_owned(),
        };
        last = dialog.say(&line).await?.map(|reply| reply.code());
    }
    let right = last.is_some_and(|code| codes.contains(&code));
    Ok(Some(if right {
        Ok(())
    } else {
        Err(format!("answered {last:?}"))
    }))
}

async fn greeted(desk: &Desk) -> Result<Dialog, String> {
    let mut dialog = Dialog::start(desk.server()).await?;
    dialog.ask("EHLO client.example", &[250]).await?;
    Ok(dialog)
}

fn plain(parts: &[&str]) -> String {
    format!("AUTH PLAIN {}", STANDARD.encode(parts.join("\0")))
}

fn login() -> String {
    plain(&["", "user", "pass"])
}

fn must(condition: bool, why: &str) -> Outcome {
    if condition { Ok(()) } else { Err(why.to_owned()) }
}

async fn client_starttls_injection() -> Outcome {
    let fake = Fake {
        answers: vec![
            ("EHLO", b"250-mx\r\n250 STARTTLS\r\n".to_vec()),
            ("STARTTLS", b"220 go\r\n250-INJECTED\r\n250 AUTH PLAIN\r\n".to_vec()),
        ],
        ..Fake::default()
    };
    for tls in [Tls::Required, Tls::Opportunistic] {
        let client = fake.client(|config| config.tls(tls).credentials("user", "canary"))?;
        let error = send(&client, b"text\r\n").await.err().ok_or("the message was sent")?;
        must(
            error.disposition() == Disposition::NotAccepted,
            "not reported as not accepted",
        )?;
        must(format!("{error:?}").contains("Injected"), "the error does not say why")?;
    }
    let seen = fake.seen();
    let known = |command: &String| command.starts_with("EHLO") || command == "STARTTLS";
    must(
        seen.commands.iter().all(known),
        "the client went on after the injected reply",
    )
}

async fn client_strip() -> Outcome {
    let answers = vec![
        ("EHLO", b"250-mx\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n".to_vec()),
        ("STARTTLS", b"454 4.7.0 not now\r\n".to_vec()),
    ];
    let fake = Fake {
        answers: answers.clone(),
        ..Fake::default()
    };
    let required = fake.client(|config| config.tls(Tls::Required).credentials("user", "canary"))?;
    must(
        send(&required, b"text\r\n").await.is_err(),
        "went on without TLS that was required",
    )?;
    let opportunistic = fake.client(|config| config.tls(Tls::Opportunistic).credentials("user", "canary"))?;
    must(
        send(&opportunistic, b"text\r\n").await.is_err(),
        "went on without logging in",
    )?;
    must(
        fake.seen().commands.iter().all(|command| !command.starts_with("AUTH")),
        "logged in without TLS",
    )?;
    let open = Fake {
        answers,
        ..Fake::default()
    };
    let without = open.client(|config| config.tls(Tls::Opportunistic))?;
    must(
        send(&without, b"text\r\n").await.is_ok(),
        "opportunistic TLS did not go on in clear text",
    )
}

async fn client_implicit_tls() -> Outcome {
    let fake = Fake {
        silent_at: Some("GREETING"),
        ..Fake::default()
    };
    let client = fake.client(|config| config.tls(Tls::Implicit).idle_timeout(Duration::ZERO))?;
    let sending = tokio::time::timeout(Duration::from_millis(500), send(&client, b"text\r\n")).await;
    must(!matches!(sending, Ok(Ok(_))), "sent a message without a handshake")?;
    drop(client);
    // The fake server reads lines; a handshake has bytes that end one sooner or later, or none at all.
    must(
        matches!(fake.seen().first_byte, None | Some(0x16)),
        "said something before the handshake",
    )
}

async fn client_quit_hang() -> Outcome {
    let fake = Fake {
        silent_at: Some("QUIT"),
        ..Fake::default()
    };
    let client = fake.client(|config| config)?;
    must(
        send(&client, b"text\r\n").await.is_ok(),
        "the message was not reported delivered",
    )?;
    let closed = tokio::time::timeout(Duration::from_secs(5), client.close()).await;
    must(closed.is_ok(), "close waits for the reply to QUIT")?;
    must(
        fake.seen().commands.iter().any(|command| command == "QUIT"),
        "QUIT was not said",
    )
}

async fn server_state_after_tls() -> Outcome {
    let mut dialog = greeted(&Desk::default()).await?;
    dialog.ask("MAIL FROM:<a@x>", &[250]).await?;
    dialog.ask("STARTTLS", &[503]).await?;
    dialog.ask("RSET", &[250]).await?;
    // Commands slipped in behind STARTTLS must not be obeyed, in clear text or after the handshake.
    dialog.write(b"STARTTLS\r\nMAIL FROM:<a@x>\r\nNOOP\r\n").await;
    match dialog.reply().await? {
        Some(reply) if reply.code() >= 500 => {
            let rest = dialog.rest().await;
            must(rest.is_empty(), "a command behind STARTTLS was answered")
        }
        other => Err(format!("answered {other:?} to STARTTLS with more behind it")),
    }
}

async fn server_auth_twice() -> Outcome {
    let mut dialog = greeted(&Desk::default()).await?;
    dialog.ask(&login(), &[235]).await?;
    dialog.ask(&login(), &[503]).await.map(drop)
}

async fn server_auth_in_transaction() -> Outcome {
    let mut dialog = greeted(&Desk::default()).await?;
    dialog.ask("MAIL FROM:<a@example.com>", &[250]).await?;
    dialog.ask(&login(), &[503]).await.map(drop)
}

async fn server_auth_cancel() -> Outcome {
    let mut dialog = greeted(&Desk::default()).await?;
    for mechanism in ["AUTH PLAIN", "AUTH LOGIN"] {
        dialog.ask(mechanism, &[334]).await?;
        let reply = dialog.ask("*", &[501]).await?;
        must(
            reply.enhanced().is_some_and(|status| status.to_string() == "5.7.0"),
            "not 5.7.0",
        )?;
    }
    dialog.ask(&login(), &[235]).await.map(drop)
}

async fn server_auth_bad_base64() -> Outcome {
    let mut dialog = greeted(&Desk::default()).await?;
    let reply = dialog.ask("AUTH PLAIN !!!!", &[501]).await?;
    must(
        reply.enhanced().is_some_and(|status| status.to_string() == "5.5.2"),
        "not 5.5.2",
    )?;
    must(
        reply.lines().all(|line| !line.contains("!!!!")),
        "the response is repeated",
    )
}

async fn server_auth_authzid() -> Outcome {
    let mut dialog = greeted(&Desk::default()).await?;
    dialog.ask(&plain(&["other", "user", "pass"]), &[535]).await?;
    dialog.ask(&plain(&["user", "user", "pass"]), &[235]).await.map(drop)
}

async fn server_auth_nul_count() -> Outcome {
    let mut dialog = greeted(&Desk::default()).await?;
    dialog.ask(&plain(&["user", "pass"]), &[501, 535]).await?;
    dialog
        .ask(&plain(&["", "user", "pass", ""]), &[501, 535])
        .await
        .map(drop)
}

async fn server_auth_bruteforce() -> Outcome {
    let mut dialog = greeted(&Desk::default()).await?;
    let wrong_password = dialog.ask(&plain(&["", "user", "wrong"]), &[535]).await?;
    let wrong_name = dialog.ask(&plain(&["", "nobody", "pass"]), &[535]).await?;
    must(
        wrong_password == wrong_name,
        "the replies tell an unknown name from a wrong password",
    )?;
    for attempt in 3..=11 {
        match dialog.say(&plain(&["", "user", "wrong"])).await? {
            Some(reply) if reply.code() == 421 => return must(attempt <= 10, "too many attempts"),
            Some(reply) if reply.code() == 535 => {}
            other => return Err(format!("answered {other:?}")),
        }
    }
    Err("never hung up".to_owned())
}

async fn server_auth_sender_bind() -> Outcome {
    let desk = Desk::default();
    let mut dialog = greeted(&desk).await?;
    dialog.ask(&login(), &[235]).await?;
    dialog.ask("MAIL FROM:<ceo@tenant-b.example>", &[550, 553]).await?;
    dialog.ask("MAIL FROM:<me@tenant-a.example>", &[250]).await?;
    dialog.ask("RCPT TO:<b@example.com>", &[250]).await?;
    dialog.ask("DATA", &[354]).await?;
    dialog
        .write(b"From: ceo@tenant-b.example\r\nTo: b@example.com\r\n\r\ntext\r\n.\r\n")
        .await;
    dialog.expect(&[550, 553]).await?;
    must(desk.seen().messages.is_empty(), "the message was taken")
}

async fn server_relay() -> Outcome {
    let desk = Desk::default();
    let mut dialog = Dialog::start(desk.server().local_domains(["example.com".parse().unwrap()])).await?;
    dialog.ask("EHLO client.example", &[250]).await?;
    dialog.ask("MAIL FROM:<a@x>", &[250]).await?;
    for recipient in [
        "b@not-local.example",
        "b%not-local.example@other.example",
        "\"b@example.com\"@not-local.example",
    ] {
        let reply = dialog.ask(&format!("RCPT TO:<{recipient}>"), &[550, 554]).await?;
        must(
            reply.enhanced().is_some_and(|status| status.to_string() == "5.7.1"),
            "not 5.7.1",
        )?;
    }
    dialog
        .ask("RCPT TO:<@example.com:b@not-local.example>", &[550, 554])
        .await?;
    dialog.ask("RCPT TO:<b@example.com>", &[250]).await.map(drop)
}

async fn server_old_tls() -> Outcome {
    for version in [0x01, 0x02] {
        let mut dialog = Dialog::connect(Desk::default().server().implicit_tls(true))?;
        let mut hello = vec![0x03, version];
        hello.extend_from_slice(&[7; 32]);
        // No session, two cipher suites, no compression, no extension.
        hello.extend_from_slice(&[0, 0, 4, 0xc0, 0x13, 0x00, 0x2f, 1, 0]);
        let length = u8::try_from(hello.len()).map_err(|e| e.to_string())?;
        let mut record = vec![0x16, 0x03, version, 0, length + 4, 1, 0, 0, length];
        record.extend_from_slice(&hello);
        dialog.write(&record).await;
        let answer = dialog.rest().await;
        must(answer.first().is_none_or(|&kind| kind == 0x15), "the handshake went on")?;
    }
    Ok(())
}

async fn server_bdat_after_fail() -> Outcome {
    let desk = Desk::default();
    let mut dialog = Dialog::start(desk.server().local_domains(["example.com".parse().unwrap()])).await?;
    dialog.ask("EHLO client.example", &[250]).await?;
    dialog.ask("MAIL FROM:<a@x>", &[250]).await?;
    dialog.ask("RCPT TO:<b@not-local.example>", &[550]).await?;
    dialog.write(b"BDAT 100\r\n").await;
    dialog.write(&b"RSET\r\nQUIT\r\n".repeat(9)[..100]).await;
    dialog.expect(&[503, 554]).await?;
    dialog.ask("NOOP", &[250]).await.map(drop)
}

async fn server_noop_flood() -> Outcome {
    for command in ["NOOP", "RSET"] {
        let mut dialog = greeted(&Desk::default()).await?;
        let mut answered = 0;
        while answered < 1000 {
            match dialog.say(command).await? {
                Some(reply) if reply.code() == 250 => answered += 1,
                Some(reply) if reply.code() == 421 => break,
                other => return Err(format!("answered {other:?}")),
            }
        }
        // The 421 comes behind the last reply.
        must(answered < 1000, "never hung up")?;
        must(dialog.reply().await?.is_none(), "went on after 421")?;
    }
    Ok(())
}

async fn server_size() -> Outcome {
    let desk = Desk::default();
    let server = desk.server().limits(Limits::default().message_size(10_000));
    let mut dialog = Dialog::start(server).await?;
    dialog.ask("EHLO client.example", &[250]).await?;
    let reply = dialog.ask("MAIL FROM:<a@x> SIZE=999999999", &[552]).await?;
    must(
        reply.enhanced().is_some_and(|status| status.to_string() == "5.3.4"),
        "not 5.3.4",
    )?;
    dialog.ask("MAIL FROM:<a@x>", &[250]).await?;
    dialog.ask("RCPT TO:<b@example.com>", &[250]).await?;
    dialog.ask("DATA", &[354]).await?;
    for _ in 0..100 {
        dialog.write(&b"0123456789abcdef\r\n".repeat(100)).await;
    }
    dialog.write(b".\r\n").await;
    dialog.expect(&[552]).await?;
    must(desk.seen().messages.is_empty(), "the message was taken")?;
    dialog.ask("NOOP", &[250]).await.map(drop)
}

async fn server_loop() -> Outcome {
    let desk = Desk::default();
    let mut dialog = greeted(&desk).await?;
    dialog.ask("MAIL FROM:<a@x>", &[250]).await?;
    dialog.ask("RCPT TO:<b@example.com>", &[250]).await?;
    dialog.ask("DATA", &[354]).await?;
    dialog
        .write(&b"Received: from a by b; Mon, 23 Nov 2026 00:00:00 +0000\r\n".repeat(101))
        .await;
    dialog.write(b"From: a@x\r\n\r\ntext\r\n.\r\n").await;
    let reply = dialog.expect(&[554]).await?;
    must(
        reply.enhanced().is_some_and(|status| status.to_string() == "5.4.6"),
        "not 5.4.6",
    )?;
    must(desk.seen().messages.is_empty(), "the message was taken")
}
