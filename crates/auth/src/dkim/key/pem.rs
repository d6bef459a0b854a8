//! PEM files (RFC 7468), as people have them: with other blocks, other text and old headers in them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::KeyError;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";

/// A block: what it says it is, and the text in it.
struct Block<'a> {
    label: &'a str,
    lines: Vec<&'a str>,
}

/// The DER of the one private key in the file.
pub(super) fn private_key(pem: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let blocks = blocks(pem)?;
    let mut keys = blocks.iter().filter(|block| block.is_readable());
    match (keys.next(), keys.next()) {
        (Some(key), None) => key.decode(),
        (Some(_), Some(_)) => Err(KeyError::Several),
        _ => Err(why_none(&blocks)),
    }
}

fn why_none(blocks: &[Block<'_>]) -> KeyError {
    let nearest = blocks
        .iter()
        .find(|block| block.label.ends_with("PRIVATE KEY"))
        .or(blocks.first());
    match nearest {
        None => KeyError::Pem,
        Some(block) if block.label == "ENCRYPTED PRIVATE KEY" => KeyError::Encrypted,
        Some(block) => KeyError::Label(block.label.chars().take(64).collect()),
    }
}

/// All blocks; text around them is nobody's.
fn blocks(pem: &str) -> Result<Vec<Block<'_>>, KeyError> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut is_open = false;
    for line in pem.lines() {
        let line = line.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        if let Some(label) = label(line, BEGIN) {
            if is_open {
                return Err(KeyError::Pem);
            }
            is_open = true;
            blocks.push(Block {
                label,
                lines: Vec::new(),
            });
        } else if let Some(block) = blocks.last_mut().filter(|_| is_open) {
            match label(line, END) {
                Some(label) if label == block.label => is_open = false,
                Some(_) => return Err(KeyError::Pem),
                None => block.lines.push(line),
            }
        }
    }
    if is_open { Err(KeyError::Pem) } else { Ok(blocks) }
}

fn label<'a>(line: &'a str, before: &str) -> Option<&'a str> {
    line.strip_prefix(before)?.strip_suffix("-----")
}

impl Block<'_> {
    fn is_readable(&self) -> bool {
        matches!(self.label, "PRIVATE KEY" | "RSA PRIVATE KEY")
    }

    fn decode(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        // RFC 1421 §4.4: header fields, ended by an empty line, which base64 has none of.
        let headers = if self.lines.first().is_some_and(|line| line.contains(':')) {
            self.lines
                .iter()
                .position(|line| line.is_empty())
                .ok_or(KeyError::Pem)?
        } else {
            0
        };
        let (headers, text) = self.lines.split_at_checked(headers).ok_or(KeyError::Pem)?;
        if headers.iter().any(|line| line.contains("ENCRYPTED")) {
            return Err(KeyError::Encrypted);
        }
        let mut base64 = Zeroizing::new(String::with_capacity(text.iter().map(|line| line.len()).sum()));
        for line in text {
            base64.extend(line.chars().filter(|c| !c.is_ascii_whitespace()));
        }
        STANDARD
            .decode(base64.as_bytes())
            .map(Zeroizing::new)
            .map_err(|_| KeyError::Pem)
    }
}
