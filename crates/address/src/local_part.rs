//! What may stand in front of the `@`, and its one canonical spelling.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;

use crate::{AddressError, AddressErrorKind as Kind, ParseOptions, plain};

/// Characters that some reader takes for the end of a line, and all other controls.
pub(crate) fn is_break(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// RFC 5322 §3.2.3 `atext`, with the visible part of what RFC 6531 §3.3 adds to it.
pub(crate) fn is_atext(c: char) -> bool {
    match u8::try_from(c) {
        Ok(byte) if byte.is_ascii() => plain::is_ascii_atext(byte),
        _ => !is_break(c) && !c.is_whitespace() && !is_hidden(c),
    }
}

/// What a display name may hold outside quotes: names may contain what addresses may not, such as U+3000.
pub(crate) fn is_phrase_text(c: char) -> bool {
    is_atext(c) || (!c.is_ascii() && !is_break(c))
}

/// Characters that show nothing, turn text around, or stand for no character: an address cannot be told by them.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffd}'
        | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..
        | '\u{e0000}'..='\u{e007f}' | '\u{fdd0}'..='\u{fdef}')
        || u32::from(c) & 0xfffe == 0xfffe
}

/// Letters, digits and marks, which RFC 8264 §9.1 calls `LetterDigits`, and the joiners that some scripts need among them.
fn is_identifier(c: char) -> bool {
    use GeneralCategory as G;
    c.is_ascii()
        || matches!(c, '\u{200c}' | '\u{200d}')
        || matches!(
            CodePointMapData::<GeneralCategory>::new().get(c),
            G::LowercaseLetter
                | G::UppercaseLetter
                | G::OtherLetter
                | G::ModifierLetter
                | G::DecimalNumber
                | G::NonspacingMark
                | G::SpacingMark
        )
}

/// Refuses what is no identifier, if only identifiers are wanted; `written` is the local part as it stands in the text.
pub(crate) fn check_identifier(meant: &str, written: &str, options: ParseOptions) -> Result<(), AddressError> {
    if meant.is_ascii() || !options.wants_identifiers() {
        return Ok(());
    }
    match meant.chars().find(|c| !is_identifier(*c)) {
        Some(bad) => {
            let offset = written.find(bad).unwrap_or_default();
            Err(AddressError::new(Kind::ForbiddenCharacter, offset))
        }
        None => Ok(()),
    }
}

/// Length of the atom at the start of `text`.
pub(crate) fn atom_length(text: &str) -> usize {
    text.find(|c| !is_atext(c)).unwrap_or(text.len())
}

/// Reads `Dot-string` or `Quoted-string` (RFC 5321 §4.1.2): what it means, and where it ends.
pub(crate) fn read(text: &str) -> Result<(Cow<'_, str>, usize), AddressError> {
    if text.starts_with('"') {
        let (value, end) = read_quoted(text, Grammar::Smtp)?;
        return Ok((Cow::Owned(value), end));
    }
    let mut end = 0;
    loop {
        let rest = text.get(end..).unwrap_or_default();
        let length = atom_length(rest);
        if length == 0 {
            return Err(missing_atom(rest, end));
        }
        end += length;
        match text.get(end..).and_then(|rest| rest.strip_prefix('.')) {
            Some(_) => end += 1,
            None => return Ok((Cow::Borrowed(text.get(..end).unwrap_or_default()), end)),
        }
    }
}

/// Says why no atom begins at `rest`, `offset` bytes into the local part.
pub(crate) fn missing_atom(rest: &str, offset: usize) -> AddressError {
    match rest.chars().next() {
        None | Some('@') if offset == 0 => AddressError::new(Kind::EmptyLocalPart, 0),
        None | Some('@') => AddressError::new(Kind::MisplacedDot, offset - 1),
        Some('.') => AddressError::new(Kind::MisplacedDot, offset),
        Some(c) if is_break(c) => AddressError::new(Kind::ControlCharacter, offset),
        Some(_) => AddressError::new(Kind::ForbiddenCharacter, offset),
    }
}

/// Whose quoted strings are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grammar {
    /// RFC 6531 §3.3 lets UTF-8 stand in a quoted string, but not behind a backslash.
    Smtp,
    /// RFC 6532 §3.2 lets it stand there too.
    Header,
}

/// Reads the `Quoted-string` that `text` begins with: what it means, and where it ends.
pub(crate) fn read_quoted(text: &str, grammar: Grammar) -> Result<(String, usize), AddressError> {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((offset, c)) = chars.next() {
        match c {
            '"' => return Ok((value, offset + 1)),
            '\\' => match chars.next() {
                Some((_, escaped @ ' '..='~')) => value.push(escaped),
                Some((_, escaped)) if grammar == Grammar::Header && is_atext(escaped) => value.push(escaped),
                Some((offset, escaped)) => return Err(refused(escaped, offset)),
                None => break,
            },
            c if is_atext(c) || matches!(c, ' '..='~') => value.push(c),
            c => return Err(refused(c, offset)),
        }
    }
    Err(AddressError::new(Kind::UnclosedQuote, 0))
}

fn refused(c: char, offset: usize) -> AddressError {
    let kind = if is_break(c) {
        Kind::ControlCharacter
    } else {
        Kind::ForbiddenCharacter
    };
    AddressError::new(kind, offset)
}

/// Spells a local part in the one way that goes over the wire: NFC (RFC 6532 §3.1), in quotes only if it needs them.
pub(crate) fn canonical(value: &str) -> Cow<'_, str> {
    let value = if value.is_ascii() {
        Cow::Borrowed(value)
    } else {
        ComposingNormalizerBorrowed::new_nfc().normalize(value)
    };
    // Normalising can give ASCII (U+037E is a semicolon), so the need for quotes is judged after it.
    if value
        .split('.')
        .all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
    {
        return value;
    }
    let mut quoted = String::with_capacity(value.len() + 2);
    quoted.push('"');
    for c in value.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    Cow::Owned(quoted)
}

/// Takes a canonical local part out of its quotes.
pub(crate) fn meaning(canonical: &str) -> Cow<'_, str> {
    let Some(inside) = canonical.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Cow::Borrowed(canonical);
    };
    if !inside.contains('\\') {
        return Cow::Borrowed(inside);
    }
    let mut meant = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        meant.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    Cow::Owned(meant)
}

/// Refuses what no local part can mean, quoted or not.
pub(crate) fn check_meaning(meant: &str) -> Result<(), AddressError> {
    match meant
        .char_indices()
        .find(|(_, c)| !is_atext(*c) && !matches!(c, ' '..='~'))
    {
        Some((offset, c)) => Err(refused(c, offset)),
        None => Ok(()),
    }
}
