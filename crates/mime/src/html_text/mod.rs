//! Text made of HTML.

mod element;
mod entity;
mod tokens;
mod writer;

use element::{Element, Hidden};
use tokens::{Tag, Token, Tokens};
use writer::Writer;

/// Writes what a reader of `html` sees as plain text: the text alternative of an HTML body.
///
/// - Paragraphs, headings, quotations (`> `), lists (`* ` and `1. `), rules and preformatted text keep their shape; `h1`
///   and `h2` are underlined. Running text is wrapped at column 72; words are never cut.
/// - A link is its text with the address behind it, `text <https://example.org/>`, unless the text is the address. Links to
///   places in the page and to scripts are text alone. Pictures are their `alt`.
/// - The cells of a row stand side by side, with ` | ` between them.
/// - Scripts, styles, comments, and what is hidden by `hidden`, `display:none`, `visibility:hidden` or a height of zero
///   (preheaders) are left out, as are the invisible characters that preheaders are filled up with.
///
/// HTML that is not well-formed is read much as browsers do. The work grows with the length of `html` and nothing else, and
/// the text is at most some thirty times as long as the HTML, whatever it is.
///
/// # Examples
///
/// ```
/// use posthaste_mime::text_from_html;
///
/// let html = "<h1>Hello</h1><p>Your <b>order</b> is <a href='https://example.org/o/1'>on its way</a>.</p><ul><li>1 book</ul>";
/// assert_eq!(
///     text_from_html(html),
///     "Hello\n=====\n\nYour order is on its way <https://example.org/o/1>.\n\n* 1 book\n"
/// );
/// ```
pub fn text_from_html(html: &str) -> String {
    let mut converter = Converter::default();
    for token in Tokens::new(html) {
        converter.take(token);
    }
    converter.close_link();
    converter.writer.finish()
}

#[derive(Debug, Default)]
struct Converter {
    writer: Writer,
    /// The number of the next item of each list; bullets have none.
    lists: Vec<Option<i64>>,
    link: Option<Link>,
    hidden: Option<Hidden>,
    /// How deep the preformatted text is.
    preformatted: usize,
    /// The preformatted text has just begun.
    fresh: bool,
    /// The mark that underlines the heading.
    heading: Option<char>,
}

/// A link whose text is being read.
#[derive(Debug)]
struct Link {
    address: String,
    /// Its text, as far as it can still be the address.
    shown: String,
}

impl Converter {
    fn take(&mut self, token: Token<'_>) {
        if let Some(hidden) = &mut self.hidden {
            match hidden.take(token) {
                element::Seen::Nothing => return,
                element::Seen::End => {
                    self.hidden = None;
                    return;
                }
                element::Seen::Token => self.hidden = None,
            }
        }
        match token {
            Token::Text(text) => self.text(text),
            Token::Open(tag) => self.open(tag),
            Token::Close(name) => self.close(Element::of(name)),
        }
    }

    fn text(&mut self, text: &str) {
        let Self {
            writer,
            link,
            preformatted,
            fresh,
            ..
        } = self;
        entity::characters(text, |character| {
            if let Some(link) = link.as_mut().filter(|link| link.shown.len() <= link.address.len()) {
                link.shown.push(character);
            }
            if *preformatted == 0 {
                writer.character(character);
            } else if !std::mem::take(fresh) || character != '\n' {
                writer.preformatted(character);
            }
        });
    }

    fn open(&mut self, tag: Tag<'_>) {
        let element = Element::of(tag.name);
        if element::is_hidden(element, tag) {
            self.hidden = Hidden::begin(element, tag.name);
            return;
        }
        match element {
            Element::Link => {
                self.close_link();
                self.link = tag
                    .attribute("href")
                    .and_then(|address| link_address(&address))
                    .map(|address| Link {
                        address,
                        shown: String::new(),
                    });
            }
            Element::Image => {
                if let Some(alt) = tag.attribute("alt") {
                    self.text_as_it_is(&alt);
                }
            }
            Element::LineBreak if self.preformatted > 0 => self.writer.preformatted('\n'),
            Element::LineBreak => self.writer.break_line(),
            Element::Rule => self.writer.rule(),
            Element::Paragraph => self.writer.at_least(2),
            Element::Heading(level) => {
                self.writer.at_least(2);
                self.writer.measure();
                self.heading = match level {
                    1 => Some('='),
                    2 => Some('-'),
                    _ => None,
                };
            }
            Element::Preformatted => {
                self.writer.at_least(2);
                self.preformatted += 1;
                self.fresh = true;
            }
            Element::Quotation => self.writer.begin_quotation(),
            Element::List { ordered } => {
                self.writer.begin_list();
                let start = || {
                    tag.attribute("start")
                        .and_then(|start| start.trim().parse().ok())
                        .unwrap_or(1)
                };
                self.lists.push(ordered.then(start));
            }
            Element::Item => {
                let marker = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        let marker = format!("{number}. ");
                        *number = number.saturating_add(1);
                        marker
                    }
                    _ => "* ".to_owned(),
                };
                self.writer.begin_item(marker);
            }
            Element::Table => self.writer.at_least(2),
            Element::Cell => self.writer.begin_cell(),
            Element::Row | Element::Block => self.writer.at_least(1),
            Element::Inline | Element::Void | Element::Unseen => {}
        }
    }

    fn close(&mut self, element: Element) {
        match element {
            Element::Link => self.close_link(),
            Element::Heading(_) => match self.heading.take() {
                Some(mark) => self.writer.underline(mark),
                None => self.writer.at_least(2),
            },
            Element::Preformatted => {
                if self.preformatted > 0 {
                    self.writer.end_line();
                }
                self.preformatted = self.preformatted.saturating_sub(1);
                self.writer.at_least(2);
            }
            Element::Quotation => self.writer.end_quotation(),
            Element::List { .. } => {
                if self.lists.pop().is_some() {
                    self.writer.end_list();
                }
            }
            Element::Paragraph | Element::Table => self.writer.at_least(2),
            Element::Item | Element::Row | Element::Block => self.writer.at_least(1),
            // `</br>` is what browsers make of it.
            Element::LineBreak => self.writer.break_line(),
            Element::Cell | Element::Image | Element::Rule | Element::Inline | Element::Void | Element::Unseen => {}
        }
    }

    /// Adds text whose references are resolved already.
    fn text_as_it_is(&mut self, text: &str) {
        for character in text.chars() {
            self.writer.character(character);
        }
    }

    /// Writes the address of the link, unless its text was that.
    fn close_link(&mut self) {
        let Some(link) = self.link.take() else { return };
        let shown = link.shown.trim();
        let bare = ["mailto:", "tel:", "sms:"]
            .iter()
            .find_map(|scheme| link.address.strip_prefix(scheme));
        if shown != link.address && bare != Some(shown) {
            self.writer.piece(&format!("<{}>", link.address));
        }
    }
}

/// Returns an address that is worth showing, without white space and angle brackets in it.
fn link_address(address: &str) -> Option<String> {
    const SCHEMES: [&str; 6] = ["https", "http", "mailto", "tel", "sms", "ftp"];
    let address = address.trim();
    let (scheme, rest) = address.split_once(':')?;
    if rest.is_empty() || !SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
        return None;
    }
    let mut clean = String::with_capacity(address.len());
    for character in address.chars() {
        match character {
            ' ' => clean.push_str("%20"),
            '<' => clean.push_str("%3C"),
            '>' => clean.push_str("%3E"),
            _ if character.is_control() || character.is_whitespace() => {}
            _ => clean.push(character),
        }
    }
    Some(clean)
}

#[cfg(test)]
mod tests;
