//! format=flowed.

/// Where lines are broken, quotation marks included (RFC 3676 §4.2 asks for less than 79).
const WIDTH: usize = 76;
/// Deepest quotation whose lines are broken; each line repeats the marks.
const DEEPEST: usize = 24;

/// Says how plain text flows (RFC 3676): its long lines are broken so that programs which know the format put them together
/// again and fit them to the window, and others show lines of ordinary length.
///
/// Every line of the text is a paragraph. Lines that begin with `>` are quoted, as deep as they have such marks. The line
/// `-- ` before a signature stays as it is. Spaces at the end of other lines are lost, as they are what marks a broken line.
///
/// # Examples
///
/// ```
/// use posthaste_mime::{Flowed, Message};
///
/// let message = Message::builder()
///     .from("ada@example.org".parse()?)
///     .text("A paragraph as long as you like.\n> an answer\n")
///     .flowed(Flowed::new())
///     .build()?;
/// let written = String::from_utf8(message.to_bytes()?.to_vec())?;
/// assert!(written.contains("Content-Type: text/plain; charset=utf-8; format=flowed\r\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flowed {
    delete_spaces: bool,
}

impl Flowed {
    /// Breaks lines at spaces, which stay when lines are put together.
    pub fn new() -> Self {
        Self::default()
    }

    /// Breaks lines anywhere between characters too, for languages that have no spaces: `DelSp=yes`. The space that marks a
    /// broken line is then deleted when lines are put together.
    #[must_use]
    pub fn delete_spaces(mut self) -> Self {
        self.delete_spaces = true;
        self
    }

    /// Tells whether `DelSp=yes` is announced.
    pub fn deletes_spaces(self) -> bool {
        self.delete_spaces
    }

    /// Returns `text` as it is written, with CRLF line breaks.
    pub fn encode(self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + text.len() / 16 + 16);
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find(['\r', '\n']);
            let (line, after) = end.and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, ""));
            self.paragraph(line, &mut out);
            if end.is_some() {
                out.push_str("\r\n");
            }
            rest = after
                .strip_prefix("\r\n")
                .or_else(|| after.strip_prefix(['\r', '\n']))
                .unwrap_or(after);
        }
        out
    }

    fn paragraph(self, line: &str, out: &mut String) {
        let content = line.trim_start_matches('>');
        let depth = line.len() - content.len();
        let content = if depth > 0 {
            content.strip_prefix(' ').unwrap_or(content)
        } else {
            content
        };
        if content == "-- " {
            begin(out, depth, content);
            out.push_str(content);
            return;
        }
        let mut rest = content.trim_end_matches(' ');
        let room = WIDTH.saturating_sub(depth + 1);
        loop {
            let length = if depth > DEEPEST {
                rest.len()
            } else {
                self.piece(rest, room)
            };
            let (piece, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
            begin(out, depth, piece);
            out.push_str(piece);
            if after.is_empty() {
                return;
            }
            if self.delete_spaces {
                out.push(' ');
            }
            out.push_str("\r\n");
            rest = after;
        }
    }

    /// Octets of `text` that stand on the next line: with the space at which the line is broken, if that is to stay.
    fn piece(self, text: &str, room: usize) -> usize {
        // Where the line may be broken, at a space and elsewhere.
        let (mut space, mut other) = (None, None);
        let mut characters = text.char_indices().peekable();
        let mut width = 0;
        while let Some((_, character)) = characters.next() {
            let Some(&(end, next)) = characters.peek() else { break };
            width += 1;
            if width > room && (space.is_some() || other.is_some()) {
                return space.or(other).unwrap_or(end);
            }
            // `-- ` alone would be the line before a signature.
            if end <= 3 && text.starts_with("--") {
                continue;
            }
            if character == ' ' {
                space = Some(end);
            } else if self.delete_spaces && !is_joined(character, next) {
                other = Some(end);
            }
        }
        if width < room {
            text.len()
        } else {
            space.or(other).unwrap_or(text.len())
        }
    }
}

/// Tells whether two characters are, or could be, one to a reader.
fn is_joined(first: char, second: char) -> bool {
    let joins = |c| {
        matches!(c,
            '\u{200c}' | '\u{200d}' | '\u{1f1e6}'..='\u{1f1ff}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{300}'..='\u{36f}' | '\u{3099}' | '\u{309a}' | '\u{e0020}'..='\u{e007f}')
    };
    joins(second) || matches!(first, '\u{200d}') || (first.is_ascii_graphic() && second.is_ascii_graphic())
}

/// Writes the quotation marks, and the space that keeps what follows from being taken for something else (RFC 3676 §4.4).
fn begin(out: &mut String, depth: usize, content: &str) {
    out.extend(std::iter::repeat_n('>', depth));
    let quoted = depth > 0 && !content.is_empty();
    if quoted || content.starts_with([' ', '>']) || content.starts_with("From ") {
        out.push(' ');
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads paragraphs: how deep each is quoted, and its text (RFC 3676 §4).
    fn decode(text: &str, delete_spaces: bool) -> Vec<(usize, String)> {
        let mut paragraphs = Vec::new();
        let mut open: Option<(usize, String)> = None;
        for line in text.split("\r\n") {
            let content = line.trim_start_matches('>');
            let depth = line.len() - content.len();
            let content = content.strip_prefix(' ').unwrap_or(content);
            let flows = content.ends_with(' ') && content != "-- ";
            let piece = if flows && delete_spaces {
                content.strip_suffix(' ').unwrap()
            } else {
                content
            };
            match &mut open {
                Some((quoted, paragraph)) => {
                    assert_eq!(*quoted, depth, "a paragraph changes its depth");
                    paragraph.push_str(piece);
                }
                None => open = Some((depth, piece.to_owned())),
            }
            if !flows {
                paragraphs.extend(open.take());
            }
        }
        assert!(open.is_none(), "the last line flows");
        paragraphs
    }

    /// What a text says, spaces at the ends of lines apart.
    fn paragraphs(text: &str) -> Vec<(usize, String)> {
        let lines = text.replace("\r\n", "\n").replace('\r', "\n");
        lines
            .split('\n')
            .map(|line| {
                let content = line.trim_start_matches('>');
                let depth = line.len() - content.len();
                let content = if depth > 0 {
                    content.strip_prefix(' ').unwrap_or(content)
                } else {
                    content
                };
                let kept = if content == "-- " {
                    content
                } else {
                    content.trim_end_matches(' ')
                };
                (depth, kept.to_owned())
            })
            .collect()
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(Flowed::new().encode(text), expected);
    }

    #[test]
    fn short_lines_stay_as_they_are() {
        check("", "");
        check("a\nb\r\nc\rd\n", "a\r\nb\r\nc\r\nd\r\n");
        check("trailing  \n-- \nAda", "trailing\r\n-- \r\nAda");
        check("> a\n>>b\n>  c\n>", "> a\r\n>> b\r\n>  c\r\n>");
    }

    #[test]
    fn what_could_be_mistaken_is_stuffed() {
        check(" a\nFrom here\n", "  a\r\n From here\r\n");
        check("> >a", "> >a");
    }

    #[test]
    fn long_lines_are_broken_at_spaces() {
        let text = "word ".repeat(20);
        let out = Flowed::new().encode(&text);
        assert_eq!(out.lines().next().unwrap().len(), 75);
        assert!(out.lines().next().unwrap().ends_with(' '));
        let url = format!("see https://example.org/{} there", "x".repeat(100));
        assert_eq!(Flowed::new().encode(&url).lines().nth(1).unwrap().len(), 121);
    }

    #[test]
    fn lines_without_spaces_are_broken_if_spaces_are_deleted() {
        let text = "日本語".repeat(40);
        assert_eq!(Flowed::new().encode(&text), text);
        let out = Flowed::new().delete_spaces().encode(&text);
        assert_eq!(out.lines().count(), 2);
        assert_eq!(decode(&out, true), [(0, text)]);
    }

    #[test]
    fn hostile_lines_are_quick() {
        for text in [
            format!("{}{}", ">".repeat(60_000), " a".repeat(60_000)),
            " ".repeat(200_000),
            " a".repeat(100_000),
            format!("{}a", " ".repeat(200_000)),
            ">\n".repeat(60_000),
        ] {
            for flowed in [Flowed::new(), Flowed::new().delete_spaces()] {
                let out = flowed.encode(&text);
                assert!(out.len() <= 4 * text.len() + 100);
                assert_eq!(decode(&out, flowed.deletes_spaces()), paragraphs(&text));
            }
        }
    }

    proptest! {
        #[test]
        fn paragraphs_come_back(
            text in prop_oneof![
                "([>]{0,3}[ ]{0,2}([a-zé日>]{1,30}[ ]{0,3}){0,12}(\n|\r\n|\r)?){0,6}",
                "[ >a\n-]{0,200}",
                any::<String>(),
                Just("-- \n>-- \n> -- \n--\n-- ".to_owned()),
            ],
            delete in any::<bool>(),
        ) {
            let flowed = if delete { Flowed::new().delete_spaces() } else { Flowed::new() };
            let out = flowed.encode(&text);
            prop_assert_eq!(decode(&out, delete), paragraphs(&text));
        }

        #[test]
        fn lines_are_short_where_there_are_spaces(words in prop::collection::vec("[a-z]{1,20}", 1..80)) {
            let out = Flowed::new().encode(&words.join(" "));
            prop_assert!(out.split("\r\n").all(|line| line.len() <= 78));
        }
    }
}
