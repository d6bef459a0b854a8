//! Charsets of text that was received.

/// A charset that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charset {
    Utf8,
    /// What is called US-ASCII, ISO-8859-1 or windows-1252 is read as the last of them: the others are parts of it, and
    /// the names are mixed up in practice.
    Windows1252,
    Latin9,
}

impl Charset {
    /// Finds the charset of a name, whatever its case.
    pub(super) fn of(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase();
        match name.as_str() {
            "utf-8" | "utf8" => Some(Self::Utf8),
            "us-ascii" | "ascii" | "ansi_x3.4-1968" | "iso-8859-1" | "iso8859-1" | "iso_8859-1" | "latin1"
            | "windows-1252" | "cp1252" => Some(Self::Windows1252),
            "iso-8859-15" | "iso8859-15" | "iso_8859-15" | "latin-9" | "latin9" => Some(Self::Latin9),
            _ => None,
        }
    }

    /// Reads `bytes`; U+FFFD stands for what is no text.
    pub(super) fn decode(self, bytes: &[u8]) -> String {
        match self {
            Self::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
            Self::Windows1252 => bytes.iter().map(|byte| windows_1252(*byte)).collect(),
            Self::Latin9 => bytes.iter().map(|byte| latin_9(*byte)).collect(),
        }
    }

    /// Reads `bytes` if all of them are text.
    pub(super) fn decode_exactly(self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::Utf8 => std::str::from_utf8(bytes).ok().map(str::to_owned),
            Self::Windows1252 | Self::Latin9 => Some(self.decode(bytes)),
        }
    }
}

/// Reads octets without a declared charset: UTF-8 (RFC 6532), else `fallback`.
pub(super) fn undeclared(bytes: &[u8], fallback: Option<&str>) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => fallback.and_then(Charset::of).unwrap_or(Charset::Utf8).decode(bytes),
    }
}

fn windows_1252(byte: u8) -> char {
    const HIGH_CONTROLS: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9F => HIGH_CONTROLS
            .get(usize::from(byte - 0x80))
            .copied()
            .unwrap_or(char::REPLACEMENT_CHARACTER),
        _ => char::from(byte),
    }
}

fn latin_9(byte: u8) -> char {
    match byte {
        0xA4 => '€',
        0xA6 => 'Š',
        0xA8 => 'š',
        0xB4 => 'Ž',
        0xB8 => 'ž',
        0xBC => 'Œ',
        0xBD => 'œ',
        0xBE => 'Ÿ',
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_whatever_their_case() {
        assert_eq!(Charset::of("UTF-8"), Some(Charset::Utf8));
        assert_eq!(Charset::of("Latin1"), Some(Charset::Windows1252));
        assert_eq!(Charset::of("x-unknown"), None);
    }

    #[test]
    fn octets_become_characters() {
        assert_eq!(Charset::Windows1252.decode(b"\x80\xE9"), "€é");
        assert_eq!(Charset::Latin9.decode(b"\xA4\xE9"), "€é");
        assert_eq!(Charset::Utf8.decode(b"a\xFF"), "a\u{FFFD}");
        assert_eq!(Charset::Utf8.decode_exactly(b"a\xFF"), None);
        assert_eq!(undeclared(b"\xE9", Some("iso-8859-1")), "é");
        assert_eq!(undeclared(b"\xE9", Some("utf-16")), "\u{FFFD}");
        assert_eq!(undeclared(b"\xC3\xA9", Some("iso-8859-1")), "é");
    }
}
