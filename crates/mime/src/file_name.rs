//! File names of attachments, as they are sent and as they may be stored.

use crate::HeaderError;
use crate::text::{is_control, refuse_controls, refuse_longer};

/// Longest name that is sent, in octets.
const SENT_LIMIT: usize = 1024;
/// Longest name that file systems take, in octets.
const STORED_LIMIT: usize = 255;
/// Stands in for a name of which nothing is left.
const UNNAMED: &str = "unnamed";

/// Names an attachment.
///
/// Any text without control characters is sent, and readers get it back exactly (RFC 2231). What arrives from others
/// must not be used as a path as it is: [`FileName::safe_basename`] makes it harmless.
///
/// # Examples
///
/// ```
/// use posthaste_mime::FileName;
///
/// assert_eq!(FileName::new("rapport été.pdf")?.as_str(), "rapport été.pdf");
/// assert_eq!(FileName::safe_basename("../../etc/passwd"), "passwd");
/// # Ok::<(), posthaste_mime::HeaderError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FileName(String);

impl FileName {
    /// Checks and takes a name to send.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] for the field `attachment filename` when it is empty, longer than 1024 octets or holds a
    /// control character or a Unicode line break.
    pub fn new(name: impl Into<String>) -> Result<Self, HeaderError> {
        const FIELD: &str = "attachment filename";
        let name = name.into();
        if name.is_empty() {
            return Err(HeaderError::Empty { field: FIELD });
        }
        refuse_controls(FIELD, &name, false)?;
        refuse_longer(FIELD, &name, SENT_LIMIT)?;
        Ok(Self(name))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Makes a received name safe to create a file with, in a folder of your choice.
    ///
    /// Only the part behind the last `/` or `\` is kept. Control characters, bidirectional overrides and invisible
    /// characters are removed, colons become `_` (drives, streams), spaces around the name and dots behind it go, the
    /// device names of Windows get a `_` in front, and at most 255 octets remain, with the extension. What is left of
    /// nothing is `unnamed`.
    pub fn safe_basename(received: &str) -> String {
        let base = received.rsplit(['/', '\\']).next().unwrap_or_default();
        let visible: String = base
            .chars()
            .filter(|c| !is_control(*c) && !is_deceptive(*c))
            .map(|c| if c == ':' { '_' } else { c })
            .collect();
        let name = visible.trim().trim_end_matches(['.', ' ']);
        let name = shortened(name);
        if name.trim_matches(['.', ' ']).is_empty() {
            return UNNAMED.to_owned();
        }
        if is_device(&name) { format!("_{name}") } else { name }
    }
}

impl std::fmt::Display for FileName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Tells whether `c` makes a name look like another: bidirectional controls, invisible spaces, tag characters.
fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
        | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Tells whether Windows takes `name`, whatever its extension, for a device.
fn is_device(name: &str) -> bool {
    let stem = name
        .split('.')
        .next()
        .unwrap_or_default()
        .trim_end()
        .to_ascii_uppercase();
    match stem.as_str() {
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" => true,
        _ => ["COM", "LPT"].iter().any(|port| {
            stem.strip_prefix(port)
                .is_some_and(|n| matches!(n, "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9"))
        }),
    }
}

/// Cuts the stem so that at most 254 octets remain: one is kept for the mark before a device name.
fn shortened(name: &str) -> String {
    let limit = STORED_LIMIT - 1;
    if name.len() <= limit {
        return name.to_owned();
    }
    let extension = name
        .rfind('.')
        .and_then(|dot| name.get(dot..))
        .filter(|extension| extension.len() <= 32);
    let extension = extension.unwrap_or_default();
    let mut end = limit - extension.len();
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{extension}", name.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(received: &str, expected: &str) {
        assert_eq!(FileName::safe_basename(received), expected);
    }

    #[test]
    fn paths_lose_their_folders() {
        check("../../etc/passwd", "passwd");
        check("..\\..\\boot.ini", "boot.ini");
        check("C:\\x\\y.exe", "y.exe");
        check("C:autorun.inf", "C_autorun.inf");
        check("a/", "unnamed");
    }

    #[test]
    fn nothing_becomes_unnamed() {
        for name in ["", ".", "..", "...", " ", " . ", "\0", "/", "\u{202e}"] {
            check(name, "unnamed");
        }
    }

    #[test]
    fn deceptive_characters_go() {
        check("photo\u{202e}gpj.exe", "photogpj.exe");
        check("x\r\nBcc: a@b.txt", "xBcc_ a@b.txt");
        check(" lead and trail ", "lead and trail");
        check("evil.exe. . ", "evil.exe");
    }

    #[test]
    fn devices_are_marked() {
        check("CON", "_CON");
        check("nul.txt", "_nul.txt");
        check("com1.tar.gz", "_com1.tar.gz");
        check("console", "console");
    }

    #[test]
    fn long_names_keep_their_extension() {
        let name = FileName::safe_basename(&format!("{}.pdf", "é".repeat(300)));
        assert!(name.len() <= 255 && name.ends_with("é.pdf"), "{name}");
    }
}
