//! Writes XML: indented, escaped, always the same.

use std::borrow::Cow;

use super::legal;
use crate::element::Element;

/// Writes elements one after the other.
///
/// What XML cannot hold (control characters, U+FFFE, U+FFFF) is written as U+FFFD: a report is not lost for what a stranger
/// put into it. White space at the ends of a text, and line breaks anywhere, are written as character references, so that
/// readers take them for text.
#[derive(Debug)]
pub(crate) struct Writer {
    out: String,
    open: Vec<Cow<'static, str>>,
}

impl Writer {
    pub(crate) fn new() -> Self {
        Self {
            out: String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"),
            open: Vec::new(),
        }
    }

    fn indent(&mut self) {
        self.out.extend(std::iter::repeat_n("  ", self.open.len()));
    }

    fn tag(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.indent();
        self.out.push('<');
        self.out.push_str(name);
        for (name, value) in attributes {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            self.escaped(value);
            self.out.push('"');
        }
    }

    /// Begins an element.
    pub(crate) fn begin(&mut self, name: impl Into<Cow<'static, str>>, attributes: &[(&str, &str)]) {
        let name = name.into();
        self.tag(&name, attributes);
        self.out.push_str(">\n");
        self.open.push(name);
    }

    /// Ends the element that was begun last.
    pub(crate) fn end(&mut self) {
        if let Some(name) = self.open.pop() {
            self.indent();
            self.close(&name);
        }
    }

    fn close(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push_str(">\n");
    }

    /// Writes an element with text.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.text_with(name, &[], text);
    }

    /// Writes an element with attributes and text.
    pub(crate) fn text_with(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.tag(name, attributes);
        self.out.push('>');
        self.escaped(text);
        self.close(name);
    }

    /// Writes an element of an extension with all that is in it. Each names its own namespace if it is another than that of
    /// what it stands in.
    pub(crate) fn element(&mut self, element: &Element, around: Option<&str>) {
        enum Step<'a> {
            Open(&'a Element, Option<&'a str>),
            Close,
        }
        let mut steps = vec![Step::Open(element, around)];
        while let Some(step) = steps.pop() {
            let (element, around) = match step {
                Step::Open(element, around) => (element, around),
                Step::Close => {
                    self.end();
                    continue;
                }
            };
            let namespace = element.namespace.as_deref();
            let mut attributes = Vec::with_capacity(element.attributes.len() + 1);
            if namespace != around {
                attributes.push(("xmlns", namespace.unwrap_or_default()));
            }
            attributes.extend(element.attributes.iter().map(|(name, value)| (&**name, &**value)));
            if element.children.is_empty() {
                self.text_with(&element.name, &attributes, &element.text);
                continue;
            }
            self.begin(element.name.clone(), &attributes);
            if !element.text.is_empty() {
                self.indent();
                self.escaped(&element.text);
                self.out.push('\n');
            }
            steps.push(Step::Close);
            steps.extend(element.children.iter().rev().map(|child| Step::Open(child, namespace)));
        }
    }

    fn escaped(&mut self, text: &str) {
        let (text, _) = legal(Cow::Borrowed(text));
        let last = text.len().saturating_sub(1);
        for (at, character) in text.char_indices() {
            match character {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '"' => self.out.push_str("&quot;"),
                '\t' => self.out.push_str("&#9;"),
                '\n' => self.out.push_str("&#10;"),
                '\r' => self.out.push_str("&#13;"),
                ' ' if at == 0 || at == last => self.out.push_str("&#32;"),
                _ => self.out.push(character),
            }
        }
    }

    pub(crate) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.end();
        }
        self.out
    }
}
