//! The fake server, spoken to by hand.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use posthaste_conformance::{Answer, FakeSmtp};

/// Says everything at once, and returns everything that is said back until the server closes.
fn talk(peer: &FakeSmtp, input: &[u8]) -> String {
    let mut stream = TcpStream::connect(peer.address()).unwrap();
    // The server may have hung up already, as it was told to.
    let _ = stream.write_all(input);
    let _ = stream.shutdown(Shutdown::Write);
    let mut output = Vec::new();
    let _ = stream.read_to_end(&mut output);
    String::from_utf8_lossy(&output).into_owned()
}

const LETTER: &[u8] =
    b"EHLO me\r\nMAIL FROM:<ada@example.org> BODY=8BITMIME\r\nRCPT TO:<bob@example.net> NOTIFY=NEVER\r\n\
    DATA\r\nSubject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n";

#[test]
fn a_letter_is_kept_with_its_exact_bytes() {
    let peer = FakeSmtp::start().unwrap();
    let said = talk(&peer, LETTER);
    assert!(
        said.ends_with("250 2.0.0 taken as fake-1\r\n221 2.0.0 bye\r\n"),
        "{said}"
    );
    let taken = peer.transactions();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].mail_from(), "ada@example.org");
    assert_eq!(taken[0].mail_parameters(), "BODY=8BITMIME");
    assert_eq!(taken[0].recipient_parameters(), ["NOTIFY=NEVER"]);
    assert_eq!(taken[0].wire(), &b"Subject: x\r\n\r\n..dot\r\n.\r\n"[..]);
    assert_eq!(taken[0].message(), &b"Subject: x\r\n\r\n.dot\r\n"[..]);
    assert_eq!(peer.connections(), 1);
}

#[test]
fn only_crlf_dot_crlf_ends_a_letter() {
    let peer = FakeSmtp::start().unwrap();
    let start = b"EHLO me\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n".to_vec();
    let body = b"x\n.\ny\r.\rz\n.\r\n\r\n..\nend\r\n";
    let said = talk(&peer, &[&start[..], body, b".\r\nQUIT\r\n"].concat());
    assert!(said.contains("221"), "{said}");
    assert_eq!(peer.transactions()[0].wire(), &[&body[..], b".\r\n"].concat()[..]);
    assert_eq!(
        peer.transactions()[0].message(),
        &b"x\n.\ny\r.\rz\n.\r\n\r\n.\nend\r\n"[..]
    );
}

#[test]
fn an_empty_letter_is_a_letter() {
    let peer = FakeSmtp::start().unwrap();
    talk(&peer, b"MAIL FROM:<>\r\nRCPT TO:<c@d>\r\nDATA\r\n.\r\nQUIT\r\n");
    assert_eq!(peer.transactions()[0].message(), &b""[..]);
    assert_eq!(peer.received()[0].mail_from(), None);
}

#[test]
fn a_script_says_what_it_was_told() {
    let peer = FakeSmtp::start().unwrap();
    peer.greet("220-two lines\r\n220 of greeting");
    peer.list(["SIZE 10", "AUTH PLAIN LOGIN"]);
    peer.refuse("bob@example.net", "452 4.2.2 mailbox full");
    peer.reply_to("noop", "421 4.3.2 going down");
    let said = talk(
        &peer,
        b"EHLO me\r\nAUTH PLAIN AGEAYg==\r\nMAIL FROM:<a@b>\r\nRCPT TO:<bob@example.net>\r\nNOOP\r\nRSET\r\n",
    );
    assert_eq!(
        said,
        "220-two lines\r\n220 of greeting\r\n250-fake.example\r\n250-SIZE 10\r\n250 AUTH PLAIN LOGIN\r\n235 2.7.0 welcome\r\n\
         250 2.1.0 sender ok\r\n452 4.2.2 mailbox full\r\n421 4.3.2 going down\r\n"
    );
    assert_eq!(peer.commands().last().map(String::as_str), Some("NOOP"));
}

#[test]
fn auth_asks_for_what_is_not_there_yet() {
    let peer = FakeSmtp::start().unwrap();
    let said = talk(
        &peer,
        b"AUTH LOGIN\r\nYQ==\r\nYg==\r\nAUTH PLAIN\r\n*\r\nAUTH NTLM\r\nQUIT\r\n",
    );
    assert_eq!(
        said,
        "220 fake.example ESMTP\r\n334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n235 2.7.0 welcome\r\n334 \r\n501 5.7.0 given up\r\n\
         504 5.5.4 no such mechanism\r\n221 2.0.0 bye\r\n"
    );
}

#[test]
fn each_answer_does_what_it_says() {
    let peer = FakeSmtp::start().unwrap();
    let check = |answer: Answer, says: &str, keeps: usize| {
        let before = peer.transactions().len();
        peer.answer(answer);
        let said = talk(&peer, LETTER);
        assert!(said.contains(says), "{answer:?} says {said}");
        assert_eq!(peer.transactions().len() - before, keeps, "{answer:?}");
        said
    };
    check(Answer::Accept, "250 2.0.0 taken", 1);
    check(
        Answer::RefuseOne {
            local_part: "bob",
            permanent: true,
        },
        "550 5.1.1",
        0,
    );
    check(
        Answer::RefuseOne {
            local_part: "zoe",
            permanent: true,
        },
        "250 2.0.0 taken",
        1,
    );
    check(Answer::RefuseAll { permanent: false }, "450 4.2.1", 0);
    check(Answer::RefuseMessage { permanent: true }, "554 5.6.0", 0);
    check(Answer::RefuseMessage { permanent: false }, "451 4.3.0", 0);
    check(Answer::Throttle { retry_after: None }, "454 4.7.0", 0);
    assert_eq!(check(Answer::HangUpAtOnce, "", 0), "");
    assert_eq!(check(Answer::Hang, "", 0), "");
    assert!(check(Answer::HangUpInMessage, "354", 0).ends_with("354 go on\r\n"));
    assert!(check(Answer::HangUpAfterMessage, "354", 1).ends_with("354 go on\r\n"));
    assert!(check(Answer::HangAfterMessage, "354", 1).ends_with("354 go on\r\n"));
    check(Answer::GarbageAfterMessage, "HTTP/1.1", 1);
    assert!(check(Answer::Garbage, "HTTP/1.1", 0).starts_with("2\u{1b}"));
}
