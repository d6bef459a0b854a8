//! Commands of a client (RFC 5321 §4.1.1 and the extensions that add to them).

use std::fmt;

use posthaste_address::{EmailAddress, EnvelopeId, Notify, OriginalRecipient, ReturnContent};
use zeroize::Zeroizing;

use super::parameter;
use super::path;

/// One command line, parsed.
///
/// # Examples
///
/// ```
/// use posthaste_smtp::protocol::Command;
///
/// let Command::Mail(mail) = Command::parse(b"mail from:<ada@example.org> SIZE=1000")? else {
///     return Err("not MAIL".into());
/// };
/// assert_eq!(mail.size, Some(1000));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// `EHLO name`.
    Ehlo(String),
    /// `HELO name`.
    Helo(String),
    /// `LHLO name`: EHLO in LMTP (RFC 2033).
    Lhlo(String),
    /// `MAIL FROM:<path> parameters`.
    Mail(Mail),
    /// `RCPT TO:<path> parameters`.
    Rcpt(Rcpt),
    /// `DATA`.
    Data,
    /// `BDAT length [LAST]` (RFC 3030).
    Bdat {
        /// How many octets follow the command line.
        length: u64,
        /// Whether they end the message.
        last: bool,
    },
    /// `RSET`.
    Rset,
    /// `NOOP`, with or without an argument.
    Noop,
    /// `QUIT`.
    Quit,
    /// `HELP`, with or without an argument.
    Help,
    /// `VRFY`, its argument not looked at.
    Vrfy,
    /// `EXPN`, its argument not looked at.
    Expn,
    /// `STARTTLS` (RFC 3207).
    StartTls,
    /// `AUTH mechanism [initial-response]` (RFC 4954).
    Auth {
        /// Name of the SASL mechanism, in upper case.
        mechanism: String,
        /// The initial response, still in base64.
        initial: Option<AuthInitial>,
    },
}

/// The path and parameters of MAIL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mail {
    /// The reverse-path; `None` is the null path `<>`.
    pub path: Option<EmailAddress>,
    /// `SIZE`: the message's size as the client says it (RFC 1870).
    pub size: Option<u64>,
    /// `BODY` (RFC 6152, RFC 3030).
    pub body: Option<Body>,
    /// `SMTPUTF8` (RFC 6531).
    pub smtputf8: bool,
    /// `RET` (RFC 3461).
    pub return_content: Option<ReturnContent>,
    /// `ENVID` (RFC 3461).
    pub envelope_id: Option<EnvelopeId>,
    /// `REQUIRETLS` (RFC 8689).
    pub require_tls: bool,
    /// `AUTH`: who submitted the message first, decoded; empty for `<>` (RFC 4954 §5).
    pub auth: Option<String>,
}

/// The path and parameters of RCPT.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rcpt {
    /// The forward-path.
    pub path: ForwardPath,
    /// `NOTIFY` (RFC 3461).
    pub notify: Option<Notify>,
    /// `ORCPT` (RFC 3461).
    pub original_recipient: Option<OriginalRecipient>,
    /// Whether the path was written with non-ASCII characters, which needs SMTPUTF8 in MAIL.
    pub non_ascii: bool,
}

/// To whom a message goes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForwardPath {
    /// `<Postmaster>` without a domain: the server's own postmaster (RFC 5321 §4.5.1).
    Postmaster,
    /// Any other recipient. A source route before it was dropped (RFC 5321 §3.6.1).
    Address(EmailAddress),
}

/// Values of `BODY`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Body {
    /// Only octets below 128.
    SevenBit,
    /// Any octets, in lines.
    EightBitMime,
    /// Any octets at all; needs BDAT.
    BinaryMime,
}

/// An initial response to AUTH. `Debug` does not show it; memory is wiped when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthInitial(Zeroizing<String>);

impl AuthInitial {
    /// Returns the response in base64, as it came.
    pub fn as_base64(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AuthInitial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Why a line is no command that can be obeyed, and which reply says so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The line is empty.
    #[error("empty line")]
    Empty,
    /// The line holds control characters or is not UTF-8.
    #[error("line is not text")]
    NotText,
    /// The verb is not known.
    #[error("command not recognised")]
    Unknown,
    /// The line is the start of an HTTP request: another protocol is being pointed at this port.
    #[error("this is not an HTTP server")]
    Http,
    /// An argument is missing or too much, or has the wrong form.
    #[error("syntax: {expected}")]
    Syntax {
        /// The form that was expected.
        expected: &'static str,
    },
    /// The path is no address.
    #[error("path is not valid: {reason}")]
    Path {
        /// What is wrong.
        reason: String,
    },
    /// The address needs `SMTPUTF8` and the command does not say it.
    #[error("address needs SMTPUTF8")]
    NeedsSmtpUtf8,
    /// A parameter that is not known, or not in this command.
    #[error("parameter not recognised")]
    UnknownParameter,
    /// A parameter that has a value that it cannot have, or that it must not or must have.
    #[error("parameter {name} is not valid")]
    BadParameter {
        /// Name of the parameter.
        name: &'static str,
    },
    /// A parameter is given twice.
    #[error("parameter given twice")]
    DuplicateParameter,
}

/// What is missing of a BDAT (RFC 3030 §2) that names a length and is none all the same.
const BDAT_REST: &str = "LAST or nothing after BDAT length";

impl CommandError {
    /// Whether it is of a BDAT that names a length, so that its octets follow.
    pub(crate) fn is_of_bdat(&self) -> bool {
        matches!(self, Self::Syntax { expected: BDAT_REST })
    }

    /// Returns the reply code that tells a client of the error.
    pub fn code(&self) -> u16 {
        match self {
            Self::Empty | Self::NotText | Self::Unknown | Self::Http => 500,
            Self::Syntax { .. } | Self::BadParameter { .. } | Self::DuplicateParameter => 501,
            Self::Path { .. } | Self::NeedsSmtpUtf8 => 553,
            Self::UnknownParameter => 555,
        }
    }

    /// Returns subject and detail of the enhanced status code (RFC 3463, RFC 6531 §3.5).
    pub fn enhanced(&self) -> (u16, u16) {
        match self {
            Self::Empty | Self::NotText => (5, 2),
            Self::Unknown | Self::Http => (5, 1),
            Self::Syntax { .. } | Self::BadParameter { .. } | Self::DuplicateParameter | Self::UnknownParameter => {
                (5, 4)
            }
            Self::Path { .. } => (1, 3),
            Self::NeedsSmtpUtf8 => (6, 7),
        }
    }
}

impl Command {
    /// Parses `line`, which is without its CR LF.
    ///
    /// # Errors
    ///
    /// [`CommandError`], with the reply code that fits.
    pub fn parse(line: &[u8]) -> Result<Self, CommandError> {
        let line = std::str::from_utf8(line).map_err(|_| CommandError::NotText)?;
        if line.is_empty() {
            return Err(CommandError::Empty);
        }
        if line.chars().any(char::is_control) {
            return Err(CommandError::NotText);
        }
        let line = line.trim_end_matches(' ');
        let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
        let argument = argument.trim_start_matches(' ');
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => client_name(argument).map(Self::Ehlo),
            "HELO" => client_name(argument).map(Self::Helo),
            "LHLO" => client_name(argument).map(Self::Lhlo),
            "MAIL" => mail(argument).map(Self::Mail),
            "RCPT" => rcpt(argument).map(Self::Rcpt),
            "DATA" => alone(argument, Self::Data, "DATA has no argument"),
            "BDAT" => bdat(argument),
            "RSET" => alone(argument, Self::Rset, "RSET has no argument"),
            "NOOP" => Ok(Self::Noop),
            "QUIT" => alone(argument, Self::Quit, "QUIT has no argument"),
            "HELP" => Ok(Self::Help),
            "VRFY" => Ok(Self::Vrfy),
            "EXPN" => Ok(Self::Expn),
            "STARTTLS" => alone(argument, Self::StartTls, "STARTTLS has no argument"),
            "AUTH" => auth(argument),
            "GET" | "POST" | "PUT" | "HEAD" | "DELETE" | "PATCH" | "OPTIONS" | "CONNECT" | "TRACE" | "PRI"
            | "HOST:" => Err(CommandError::Http),
            _ => Err(CommandError::Unknown),
        }
    }
}

fn alone(argument: &str, command: Command, expected: &'static str) -> Result<Command, CommandError> {
    if argument.is_empty() {
        Ok(command)
    } else {
        Err(CommandError::Syntax { expected })
    }
}

/// Clients announce themselves with much that is no domain; what is certain is that it is one short printable word.
fn client_name(argument: &str) -> Result<String, CommandError> {
    let word = argument.is_ascii()
        && !argument.is_empty()
        && argument.len() <= 255
        && !argument.contains([' ', '<', '>', '(', ')', '"']);
    if word {
        Ok(argument.to_owned())
    } else {
        Err(CommandError::Syntax {
            expected: "EHLO domain",
        })
    }
}

fn mail(argument: &str) -> Result<Mail, CommandError> {
    const EXPECTED: &str = "MAIL FROM:<address>";
    let (inner, parameters) = path::split(argument, "FROM:", EXPECTED)?;
    let mut mail = Mail {
        path: path::reverse(inner)?,
        ..Mail::default()
    };
    for parameter in parameter::each(parameters) {
        parameter?.apply_to_mail(&mut mail)?;
    }
    if !mail.smtputf8 && !inner.is_ascii() {
        return Err(CommandError::NeedsSmtpUtf8);
    }
    Ok(mail)
}

fn rcpt(argument: &str) -> Result<Rcpt, CommandError> {
    const EXPECTED: &str = "RCPT TO:<address>";
    let (inner, parameters) = path::split(argument, "TO:", EXPECTED)?;
    let mut rcpt = Rcpt {
        path: path::forward(inner)?,
        notify: None,
        original_recipient: None,
        non_ascii: !inner.is_ascii(),
    };
    for parameter in parameter::each(parameters) {
        parameter?.apply_to_rcpt(&mut rcpt)?;
    }
    Ok(rcpt)
}

fn bdat(argument: &str) -> Result<Command, CommandError> {
    let mut words = argument.split_ascii_whitespace();
    let length = words.next().and_then(parameter::number).ok_or(CommandError::Syntax {
        expected: "BDAT length [LAST]",
    })?;
    let error = CommandError::Syntax { expected: BDAT_REST };
    let last = match words.next() {
        None => false,
        Some(word) if word.eq_ignore_ascii_case("LAST") => true,
        Some(_) => return Err(error),
    };
    if words.next().is_some() {
        return Err(error);
    }
    Ok(Command::Bdat { length, last })
}

fn auth(argument: &str) -> Result<Command, CommandError> {
    let error = CommandError::Syntax {
        expected: "AUTH mechanism [initial-response]",
    };
    let mut words = argument.split(' ').filter(|word| !word.is_empty());
    let mechanism = words.next().ok_or(error.clone())?;
    let initial = words.next().map(|word| AuthInitial(Zeroizing::new(word.to_owned())));
    let name = mechanism.len() <= 20
        && mechanism
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if !name || words.next().is_some() {
        return Err(error);
    }
    Ok(Command::Auth {
        mechanism: mechanism.to_ascii_uppercase(),
        initial,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn path_of(line: &str) -> Option<String> {
        match Command::parse(line.as_bytes()).unwrap() {
            Command::Mail(mail) => mail.path.map(|path| path.to_string()),
            Command::Rcpt(Rcpt {
                path: ForwardPath::Address(path),
                ..
            }) => Some(path.to_string()),
            Command::Rcpt(_) => Some("postmaster".into()),
            other => panic!("{other:?}"),
        }
    }

    fn code_of(line: &str) -> u16 {
        match Command::parse(line.as_bytes()) {
            Ok(command) => panic!("{line:?} gave {command:?}"),
            Err(error) => error.code(),
        }
    }

    #[test]
    fn reads_paths() {
        for (line, path) in [
            ("mail from:<a@example.com>", "a@example.com"),
            ("MAIL FROM: <a@example.com>", "a@example.com"),
            ("MAIL FROM:<\"a>b\"@example.com>", "\"a>b\"@example.com"),
            ("MAIL FROM:<\"a\\\"> b\"@example.com>", "\"a\\\"> b\"@example.com"),
            ("MAIL FROM:<@relay.example,@r2.example:a@example.com>", "a@example.com"),
            ("MAIL FROM:<a@[192.0.2.1]>", "a@[192.0.2.1]"),
            ("RCPT TO:<b@EXAMPLE.com>", "b@example.com"),
            ("RCPT TO:<Postmaster>", "postmaster"),
            (
                "MAIL FROM:<\u{fc}ser@b\u{fc}cher.example> SMTPUTF8",
                "\u{fc}ser@xn--bcher-kva.example",
            ),
        ] {
            assert_eq!(path_of(line).as_deref(), Some(path), "{line}");
        }
        assert_eq!(path_of("MAIL FROM:<>"), None);
    }

    #[test]
    fn refuses_paths() {
        for line in [
            "MAIL FROM:<a@[999.1.1.1]>",
            "RCPT TO:<>",
            "RCPT TO:<b@example.com@evil.example>",
            "RCPT TO:<b@evil.example(comment)>",
            "RCPT TO:<b@127.0.0.1>",
            "RCPT TO:< b@example.com >",
            "RCPT TO:<b>",
            "MAIL FROM:<@:a@example.com>",
            "MAIL FROM:<@relay.example a@example.com>",
        ] {
            assert_eq!(code_of(line), 553, "{line}");
        }
        for line in [
            "MAIL FROM:<a@example.com",
            "MAIL FROM:<a@example.com>>",
            "RCPT TO:b@example.com",
            "MAIL TO:<a@b.c>",
            "MAIL",
        ] {
            assert_eq!(code_of(line), 501, "{line}");
        }
        assert_eq!(code_of("MAIL FROM:<\u{fc}ser@example.com>"), 553);
        assert_eq!(code_of("MAIL FROM:<user@b\u{fc}cher.example>"), 553);
    }

    #[test]
    fn reads_parameters() {
        let line = b"MAIL FROM:<a@example.com> size=10 BODY=8bitmime SMTPUTF8 RET=HDRS ENVID=QQ+2B1 REQUIRETLS AUTH=<>";
        let Ok(Command::Mail(mail)) = Command::parse(line) else {
            panic!()
        };
        assert_eq!(
            (mail.size, mail.body, mail.smtputf8, mail.require_tls),
            (Some(10), Some(Body::EightBitMime), true, true)
        );
        assert_eq!(mail.auth.as_deref(), Some(""));
        assert!(mail.return_content.is_some() && mail.envelope_id.is_some());
        let line = b"RCPT TO:<b@example.com> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b@example.com";
        let Ok(Command::Rcpt(rcpt)) = Command::parse(line) else {
            panic!()
        };
        assert!(rcpt.notify.is_some() && rcpt.original_recipient.is_some());
    }

    #[test]
    fn refuses_parameters() {
        for (parameters, code) in [
            ("SIZE=abc", 501),
            ("SIZE=-1", 501),
            ("SIZE=", 501),
            ("SIZE", 501),
            ("SIZE=99999999999999999999999", 501),
            ("SIZE=1 SIZE=2", 501),
            ("RET=ALL RET=HDRS", 501),
            ("RET=SOME", 501),
            ("BODY=9BIT", 501),
            ("SMTPUTF8=1", 501),
            ("ENVID=a+b", 501),
            ("FOO=BAR", 555),
            ("NOTIFY=NEVER", 555),
        ] {
            assert_eq!(
                code_of(&format!("MAIL FROM:<a@example.com> {parameters}")),
                code,
                "{parameters}"
            );
        }
        for parameters in [
            "NOTIFY=",
            "NOTIFY=NEVER,SUCCESS",
            "NOTIFY=SUCCESS,SUCCESS",
            "NOTIFY=SOMETIMES",
            "ORCPT=rfc822",
            "ORCPT=rfc822;a+b",
        ] {
            assert_eq!(
                code_of(&format!("RCPT TO:<a@example.com> {parameters}")),
                501,
                "{parameters}"
            );
        }
        assert_eq!(code_of("RCPT TO:<b@example.com>\tNOTIFY=NEVER"), 500);
        assert_eq!(code_of("RCPT TO:<b@example.com>NOTIFY=NEVER"), 501);
    }

    #[test]
    fn reads_the_rest() {
        assert_eq!(
            Command::parse(b"EHLO [192.0.2.1]"),
            Ok(Command::Ehlo("[192.0.2.1]".into()))
        );
        assert_eq!(
            Command::parse(b"BDAT 100 last"),
            Ok(Command::Bdat {
                length: 100,
                last: true
            })
        );
        assert_eq!(Command::parse(b"noop foo"), Ok(Command::Noop));
        for (line, code) in [
            ("EHLO", 501),
            ("DATA foo", 501),
            ("BDAT x", 501),
            ("STARTTLS foo", 501),
            ("AUTH", 501),
            ("GET / HTTP/1.1", 500),
            ("", 500),
            ("\0", 500),
            ("XYZZY", 500),
        ] {
            assert_eq!(code_of(line), code, "{line:?}");
        }
    }

    #[test]
    fn never_shows_an_initial_response() {
        let command = Command::parse(b"AUTH PLAIN c2VjcmV0").unwrap();
        assert!(!format!("{command:?}").contains("c2VjcmV0"));
    }

    proptest! {
        #[test]
        fn never_panics(line in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Command::parse(&line);
        }

        #[test]
        fn never_panics_on_nearly_right_lines(line in "(MAIL FROM|RCPT TO|BDAT|AUTH|EHLO):?[<@\"\\\\>a:, .é\\[\\]=;+A-Z0-9]{0,40}") {
            let _ = Command::parse(line.as_bytes());
        }
    }
}
