//! Replies, read by the parser; those that end a transaction also by the client.

use posthaste_smtp::protocol::{Extensions, ReplyError, ReplyParser, WireReply};
use posthaste_transport::{Disposition, Retry};
use serde_json::Value;

use super::block_on;
use super::client::{Fake, send};
use crate::harness::{Input, Report};

/// The most memory that reading one reply may take, whatever the server sends.
const BOUND: usize = 1 << 20;

/// Runs the set.
pub fn run(input: &Input, report: &mut Report) {
    let vectors = input.json("smtp/smtp-replies.json");
    for case in vectors["cases"].as_array().into_iter().flatten() {
        let id = case["id"].as_str().unwrap_or_default();
        let Some(bytes) = Source::new(&case["bytes"]) else {
            report.unsupported(id, "bytes in a form that is not described");
            continue;
        };
        report.check(id, check(&bytes, &case["expect"]));
    }
}

/// Bytes, or a piece that comes again and again.
struct Source {
    piece: Vec<u8>,
    times: u64,
}

impl Source {
    fn new(bytes: &Value) -> Option<Self> {
        if let Some(text) = bytes.as_str() {
            return Some(Self {
                piece: text.as_bytes().to_vec(),
                times: 1,
            });
        }
        if let Some(hex) = bytes["hex"].as_str() {
            let piece = (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16));
            return Some(Self {
                piece: piece.collect::<Result<_, _>>().ok()?,
                times: 1,
            });
        }
        let piece = bytes["repeat"].as_str()?.as_bytes().to_vec();
        Some(Self {
            piece,
            times: bytes["times"].as_u64()?,
        })
    }
}

fn check(source: &Source, expect: &Value) -> Result<(), String> {
    let text = String::from_utf8_lossy(&source.piece).into_owned();
    if text.starts_with("354") {
        return block_on(check_transaction(&text, expect));
    }
    let (result, fed) = read(source);
    if expect["bounded"] == true {
        return if fed <= BOUND {
            Ok(())
        } else {
            Err(format!("took {fed} bytes of one reply"))
        };
    }
    let reply = match (result, &expect["error"]) {
        (Err(_), Value::Bool(true)) => return Ok(()),
        (Ok(None), Value::String(eof)) if eof == "eof" => return Ok(()),
        (Err(_), _) if !expect["code_or_error"].is_null() => return Ok(()),
        (Ok(Some(reply)), Value::Null | Value::Bool(false)) => reply,
        (other, _) => return Err(format!("{other:?}")),
    };
    check_reply(&reply, expect)?;
    check_nothing_lost(&reply, &source.piece)
}

/// Feeds the parser as a connection would, in pieces, and says how many bytes it took.
fn read(source: &Source) -> (Result<Option<WireReply>, ReplyError>, usize) {
    let mut parser = ReplyParser::new();
    let mut fed = 0;
    for _ in 0..source.times {
        for piece in source.piece.chunks(7) {
            fed += piece.len();
            match parser.advance(piece) {
                Ok((_, None)) => {}
                other => return (other.map(|(_, reply)| reply), fed),
            }
        }
    }
    (Ok(None), fed)
}

fn check_reply(reply: &WireReply, expect: &Value) -> Result<(), String> {
    let code = expect["code"].as_u64().or(expect["code_or_error"].as_u64());
    if code.is_some_and(|code| code != u64::from(reply.code())) {
        return Err(format!("code {}", reply.code()));
    }
    if let Some(lines) = expect["lines"].as_array()
        && !reply
            .lines()
            .eq(lines.iter().map(|line| line.as_str().unwrap_or_default()))
    {
        return Err(format!("lines {:?}", reply.lines().collect::<Vec<_>>()));
    }
    let enhanced = reply.enhanced().map(|status| status.to_string());
    if expect
        .get("enhanced")
        .is_some_and(|expected| expected.as_str() != enhanced.as_deref())
    {
        return Err(format!("enhanced code {enhanced:?}"));
    }
    if expect["temp"]
        .as_bool()
        .is_some_and(|temp| temp != reply.is_transient())
    {
        return Err("wrong permanence".to_owned());
    }
    if expect["close"]
        .as_bool()
        .is_some_and(|close| close != reply.is_closing())
    {
        return Err("wrong about the end of the session".to_owned());
    }
    let extensions = Extensions::from_reply(reply);
    for keyword in expect["caps"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        if !extensions.has(keyword) {
            return Err(format!("{keyword} is not seen"));
        }
    }
    if reply.lines().any(|line| line.eq_ignore_ascii_case("SIZE 0")) && extensions.size_limit().is_some() {
        return Err("SIZE 0 is taken for a limit".to_owned());
    }
    Ok(())
}

/// Every byte of every line of the reply must be there: nothing is cut at a NUL or an odd character.
fn check_nothing_lost(reply: &WireReply, bytes: &[u8]) -> Result<(), String> {
    let lines = bytes
        .split(|&byte| byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let texts = lines
        .map(|line| line.get(4..).unwrap_or_default())
        .take(reply.raw_lines().len());
    if texts.eq(reply.raw_lines()) {
        Ok(())
    } else {
        Err("bytes are lost".to_owned())
    }
}

/// Lets the client send a message to a server that answers DATA and the final dot so.
async fn check_transaction(text: &str, expect: &Value) -> Result<(), String> {
    let end = text.split_once("\r\n").map_or("", |(_, end)| end);
    let cut = end.contains("<EOF");
    // What is no reply says no more about the message than silence does.
    let lost = cut || ReplyParser::new().advance(end.as_bytes()).is_err();
    let fake = Fake {
        answers: vec![("END", end.as_bytes().to_vec())],
        hang_up_at: cut.then_some("END"),
        ..Fake::default()
    };
    let error = match send(&fake.client(|config| config)?, b"text\r\n").await {
        Ok(_) if end.starts_with('2') => return Ok(()),
        Ok(_) => return Err("reported delivered".to_owned()),
        Err(error) => error,
    };
    if fake.seen().contents.len() != 1 {
        return Err(format!("sent {} times", fake.seen().contents.len()));
    }
    let (retry, disposition) = match lost {
        true => (Retry::MayDuplicate, Disposition::Ambiguous),
        false if expect["temp"] == true => (Retry::Safe, Disposition::NotAccepted),
        false => (Retry::Never, Disposition::NotAccepted),
    };
    if (error.retry(), error.disposition()) == (retry, disposition) {
        Ok(())
    } else {
        Err(format!("reported as {:?}, {:?}", error.retry(), error.disposition()))
    }
}
