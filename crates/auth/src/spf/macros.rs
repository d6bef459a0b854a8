//! Text with macros in it (RFC 7208 §7.1).

use super::RecordErrorKind;

/// Characters at which a macro's value may be cut (§7.1).
const DELIMITERS: &str = ".-+,/_=";

/// A text with macros, its syntax checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MacroString {
    pub(super) pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Literal(String),
    /// `%%`, `%_` or `%-`, and what it stands for.
    Escape(&'static str),
    Macro(Macro),
}

/// `%{` letter, transformers, delimiters `}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Macro {
    pub(super) letter: Letter,
    /// Written in upper case: what comes out is escaped as in URLs (§7.3).
    pub(super) escaped: bool,
    /// How many parts to keep, counted from the right.
    pub(super) keep: Option<usize>,
    pub(super) reversed: bool,
    /// Where to cut; a dot when it says nothing.
    pub(super) delimiters: String,
}

/// §7.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Letter {
    Sender,
    LocalPart,
    SenderDomain,
    Domain,
    Ip,
    Validated,
    Version,
    Helo,
    ReadableIp,
    Receiver,
    Time,
}

/// Which letters a text may use.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Letters {
    /// In the record: not `c`, `r` and `t`.
    Domain,
    /// In explanations, and in modifiers that nobody knows: all.
    Explanation,
}

impl MacroString {
    /// Reads a text of printable ASCII.
    pub(super) fn parse(text: &str, letters: Letters) -> Result<Self, RecordErrorKind> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((literal, tail)) = rest.split_once('%') {
            if !literal.is_empty() {
                pieces.push(Piece::Literal(literal.to_owned()));
            }
            let (piece, after) = expansion(tail, letters)?;
            pieces.push(piece);
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
        Ok(Self { pieces })
    }

    /// Gives the text behind the last macro; `None` when a macro ends it.
    pub(super) fn final_literal(&self) -> Option<&str> {
        match self.pieces.last() {
            Some(Piece::Literal(text)) => Some(text),
            Some(Piece::Escape(_) | Piece::Macro(_)) => None,
            None => Some(""),
        }
    }

    /// Tells whether expansion needs the validated name, which costs lookups.
    pub(super) fn needs_validated_name(&self) -> bool {
        self.pieces.iter().any(|piece| {
            matches!(
                piece,
                Piece::Macro(Macro {
                    letter: Letter::Validated,
                    ..
                })
            )
        })
    }
}

/// Reads what stands behind a `%`: macro-expand.
fn expansion(tail: &str, letters: Letters) -> Result<(Piece, &str), RecordErrorKind> {
    for (sign, stands_for) in [('%', "%"), ('_', " "), ('-', "%20")] {
        if let Some(after) = tail.strip_prefix(sign) {
            return Ok((Piece::Escape(stands_for), after));
        }
    }
    let inside = tail.strip_prefix('{').ok_or(RecordErrorKind::Macro)?;
    let (body, after) = inside.split_once('}').ok_or(RecordErrorKind::Macro)?;
    Ok((Piece::Macro(macro_body(body, letters)?), after))
}

fn macro_body(body: &str, letters: Letters) -> Result<Macro, RecordErrorKind> {
    let mut rest = body.chars();
    let first = rest.next().ok_or(RecordErrorKind::Macro)?;
    let letter = letter(first, letters)?;
    let rest = rest.as_str();
    let after_digits = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let keep = match rest.strip_suffix(after_digits).unwrap_or_default() {
        "" => None,
        digits => Some(parts_to_keep(digits)?),
    };
    let delimiters = after_digits.strip_prefix(['r', 'R']);
    let reversed = delimiters.is_some();
    let delimiters = delimiters.unwrap_or(after_digits);
    if !delimiters.chars().all(|c| DELIMITERS.contains(c)) {
        return Err(RecordErrorKind::Macro);
    }
    Ok(Macro {
        letter,
        escaped: first.is_ascii_uppercase(),
        keep,
        reversed,
        delimiters: delimiters.to_owned(),
    })
}

/// §7.1: the number of parts is not zero. No value has as many parts as would overflow.
fn parts_to_keep(digits: &str) -> Result<usize, RecordErrorKind> {
    match digits.parse().unwrap_or(usize::MAX) {
        0 => Err(RecordErrorKind::Macro),
        parts => Ok(parts),
    }
}

fn letter(c: char, letters: Letters) -> Result<Letter, RecordErrorKind> {
    let letter = match c.to_ascii_lowercase() {
        's' => Letter::Sender,
        'l' => Letter::LocalPart,
        'o' => Letter::SenderDomain,
        'd' => Letter::Domain,
        'i' => Letter::Ip,
        'p' => Letter::Validated,
        'v' => Letter::Version,
        'h' => Letter::Helo,
        'c' => Letter::ReadableIp,
        'r' => Letter::Receiver,
        't' => Letter::Time,
        _ => return Err(RecordErrorKind::Macro),
    };
    // §7.2: c, r and t are for explanations only.
    match letter {
        Letter::ReadableIp | Letter::Receiver | Letter::Time if letters == Letters::Domain => {
            Err(RecordErrorKind::ExplanationMacro)
        }
        _ => Ok(letter),
    }
}
