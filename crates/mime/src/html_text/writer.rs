//! Sets words in lines.

/// Where lines are broken.
const WIDTH: usize = 72;
/// Most quotation marks before a line; deeper quotations look like these.
const QUOTES_SHOWN: usize = 6;
/// Most spaces before a line; deeper lists look like these.
const INDENT_SHOWN: usize = 24;
/// Most line breaks that `<br>` adds up to: two empty lines.
const BREAKS_KEPT: usize = 3;
/// Length of the line that stands for a rule.
const RULE: usize = 24;

/// Writes words, broken into lines behind quotation marks and indents.
#[derive(Debug, Default)]
pub(super) struct Writer {
    out: String,
    /// Characters on the line.
    column: usize,
    /// Characters before the text of the line.
    margin: usize,
    /// What was written since the last white space.
    word: String,
    /// White space stands before the word.
    space: bool,
    /// Line breaks that stand before the word.
    breaks: usize,
    /// A new cell of the row begins before the word.
    cell: bool,
    /// What stands before the first line of a list item.
    marker: Option<String>,
    /// How deep the quotation is.
    quotes: usize,
    /// How many quotation marks the line has.
    marks: usize,
    /// How far each list indents.
    indents: Vec<usize>,
    /// Their sum.
    indent: usize,
    /// The last line is a rule.
    ruled: bool,
    /// The longest line since [`Writer::measure`].
    widest: usize,
}

impl Writer {
    /// Adds a character of running text.
    pub(super) fn character(&mut self, character: char) {
        if character.is_whitespace() {
            self.white_space();
        } else if !is_invisible(character) {
            self.word.push(character);
        }
    }

    /// Adds a character of preformatted text.
    pub(super) fn preformatted(&mut self, character: char) {
        match character {
            '\n' => {
                self.end_line();
                self.breaks += 1;
            }
            '\t' => self.word.push('\t'),
            '\u{a0}' => self.word.push(' '),
            _ if is_invisible(character) => {}
            _ => self.word.push(character),
        }
    }

    /// Ends a line of preformatted text.
    pub(super) fn end_line(&mut self) {
        let length = self.word.trim_end().len();
        self.word.truncate(length);
        self.end_word();
    }

    /// Ends the word.
    pub(super) fn white_space(&mut self) {
        self.end_word();
        self.space = true;
    }

    /// Adds text that stays in one piece, behind a space.
    pub(super) fn piece(&mut self, text: &str) {
        self.white_space();
        self.word.push_str(text);
    }

    /// Has the next word stand on a new line, or with `2` behind an empty one.
    pub(super) fn at_least(&mut self, breaks: usize) {
        self.end_word();
        self.space = false;
        self.cell = false;
        // A list item begins beside its marker.
        if self.marker.is_none() {
            self.breaks = self.breaks.max(breaks);
        }
    }

    /// Adds a line break.
    pub(super) fn break_line(&mut self) {
        self.at_least(0);
        if self.marker.is_none() && self.breaks < BREAKS_KEPT {
            self.breaks += 1;
        }
    }

    /// Begins a cell of a table: beside what the row has already.
    pub(super) fn begin_cell(&mut self) {
        self.end_word();
        self.cell = self.breaks == 0 && !self.out.is_empty();
    }

    /// Draws a line, unless the last one is one.
    pub(super) fn rule(&mut self) {
        self.at_least(2);
        if !self.ruled {
            self.word.extend(std::iter::repeat_n('-', RULE));
            self.end_word();
            self.ruled = true;
        }
        self.at_least(2);
    }

    pub(super) fn begin_quotation(&mut self) {
        self.at_least(2);
        self.quotes = self.quotes.saturating_add(1);
    }

    pub(super) fn end_quotation(&mut self) {
        self.at_least(2);
        self.quotes = self.quotes.saturating_sub(1);
    }

    pub(super) fn begin_list(&mut self) {
        self.at_least(if self.indents.is_empty() { 2 } else { 1 });
        self.marker = None;
        self.breaks = self.breaks.max(1);
        self.indents.push(0);
    }

    pub(super) fn end_list(&mut self) {
        self.end_word();
        self.marker = None;
        self.indent -= self.indents.pop().unwrap_or(0);
        self.at_least(if self.indents.is_empty() { 2 } else { 1 });
    }

    /// Begins an item of the list; the lines of its text begin at the same column.
    pub(super) fn begin_item(&mut self, marker: String) {
        self.end_word();
        self.marker = None;
        self.at_least(1);
        if let Some(indent) = self.indents.last_mut() {
            let width = marker.chars().count();
            self.indent = self.indent - *indent + width;
            *indent = width;
        }
        self.marker = Some(marker);
    }

    /// Forgets how long lines were.
    pub(super) fn measure(&mut self) {
        self.widest = 0;
    }

    /// Underlines what was written since [`Writer::measure`], if anything was.
    pub(super) fn underline(&mut self, character: char) {
        self.at_least(1);
        let width = std::mem::take(&mut self.widest).min(WIDTH);
        if width > 0 {
            self.breaks = 1;
            self.word.extend(std::iter::repeat_n(character, width));
            self.end_word();
        }
        self.at_least(2);
    }

    /// Returns what was written, with a line break behind it unless it is nothing.
    pub(super) fn finish(mut self) -> String {
        self.end_word();
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.out
    }

    fn end_word(&mut self) {
        let mut word = std::mem::take(&mut self.word);
        let visible = word.trim_matches(is_joiner);
        if !visible.is_empty() {
            self.word_in_line(visible);
        }
        word.clear();
        self.word = word;
    }

    fn word_in_line(&mut self, word: &str) {
        let width = word.chars().count();
        let between = match (self.cell, self.space) {
            (true, _) => " | ",
            (false, true) => " ",
            (false, false) => "",
        };
        if self.breaks > 0 || self.out.is_empty() {
            self.begin_line();
        } else if !between.is_empty() && self.column + between.len() + width > WIDTH {
            self.breaks = 1;
            self.begin_line();
        } else {
            self.out.push_str(between);
            self.column += between.len();
        }
        self.out.push_str(word);
        self.column += width;
        self.widest = self.widest.max(self.column.saturating_sub(self.margin));
        (self.space, self.cell, self.ruled) = (false, false, false);
    }

    fn begin_line(&mut self) {
        let quotes = self.quotes.min(QUOTES_SHOWN);
        if !self.out.is_empty() {
            // An empty line belongs to the outer one of two quotations.
            let marks = std::mem::replace(&mut self.marks, quotes).min(quotes);
            for later in (0..self.breaks).rev() {
                self.out.push('\n');
                if later > 0 && marks > 0 {
                    self.out.extend(std::iter::repeat_n("> ", marks - 1));
                    self.out.push('>');
                }
            }
        }
        self.marks = quotes;
        self.breaks = 0;
        self.out.extend(std::iter::repeat_n("> ", quotes));
        let marker = self.marker.take();
        let marker_width = marker.as_deref().map_or(0, |marker| marker.chars().count());
        let spaces = self.indent.saturating_sub(marker_width).min(INDENT_SHOWN);
        self.out.extend(std::iter::repeat_n(' ', spaces));
        self.out.push_str(marker.as_deref().unwrap_or_default());
        self.margin = 2 * quotes + spaces + marker_width;
        self.column = self.margin;
    }
}

/// Tells whether `character` shows nothing and joins nothing: controls, and what preheaders are filled up with.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// Tells whether `character` only means something between others.
fn is_joiner(character: char) -> bool {
    matches!(character, '\u{200c}'..='\u{200f}')
}
