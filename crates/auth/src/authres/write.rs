//! Words, and the lines they stand in.

/// How long a line is at most, in octets, where there is a space to fold at.
const LINE: usize = 76;

/// A header field being written.
#[derive(Debug)]
pub(crate) struct Writer {
    out: String,
    /// How long the last line is.
    column: usize,
}

impl Writer {
    /// Begins with the field's name and its colon.
    pub(crate) fn new(name: &str) -> Self {
        Self {
            out: name.to_owned(),
            column: name.len(),
        }
    }

    /// Adds text that belongs to the word before it.
    pub(super) fn text(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.len();
    }

    /// Begins a line with a word.
    pub(super) fn line(&mut self, word: &str) {
        self.fold('\t');
        self.text(word);
    }

    /// Adds a word behind a space, or on the next line; long ones are folded at their own spaces.
    pub(super) fn word(&mut self, word: &str) {
        for (index, piece) in word.split(' ').enumerate() {
            if self.column + 1 + piece.len() <= LINE || piece.is_empty() {
                self.text(" ");
            } else {
                // A fold within quotes must leave the space that it stands for; between words, a tab looks better.
                self.fold(if index == 0 { '\t' } else { ' ' });
            }
            self.text(piece);
        }
    }

    fn fold(&mut self, space: char) {
        self.out.push_str("\r\n");
        self.out.push(space);
        self.column = 1;
    }

    /// Ends the field.
    pub(crate) fn finish(mut self) -> String {
        self.out.push_str("\r\n");
        self.out
    }
}

fn is_token(c: char) -> bool {
    matches!(c, '!'..='~') && !"()<>@,;:\\\"/[]?=".contains(c)
}

/// A value as it is, or in quotes where it is more than a token or an address (RFC 8601 §2.2, `pvalue`).
pub(super) fn value(value: &str) -> String {
    let is_plain = match value.split_once('@') {
        Some((local, domain)) => local.chars().all(is_token) && !domain.is_empty() && domain.chars().all(is_token),
        None => !value.is_empty() && value.chars().all(is_token),
    };
    if is_plain { value.to_owned() } else { quoted(value) }
}

/// Text in quotes.
pub(super) fn quoted(text: &str) -> String {
    enclosed(text, '"', '"', &['"', '\\'])
}

/// Text in parentheses.
pub(super) fn comment(text: &str) -> String {
    enclosed(text, '(', ')', &['(', ')', '\\'])
}

fn enclosed(text: &str, open: char, close: char, escaped: &[char]) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(open);
    for c in text.chars() {
        if escaped.contains(&c) {
            out.push('\\');
        }
        out.push(c);
    }
    out.push(close);
    out
}
