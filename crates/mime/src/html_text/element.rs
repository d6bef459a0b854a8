//! What elements are to a reader.

use super::tokens::{Tag, Token};

/// An element, by what it does to the text in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    Link,
    Image,
    LineBreak,
    Rule,
    Paragraph,
    Heading(u8),
    Preformatted,
    Quotation,
    List {
        ordered: bool,
    },
    Item,
    Table,
    Row,
    Cell,
    /// Stands on lines of its own.
    Block,
    /// Has no content.
    Void,
    /// Has content that nobody reads as text.
    Unseen,
    /// Changes how its text looks, or is not known.
    Inline,
}

impl Element {
    pub(super) fn of(name: &str) -> Self {
        if name.len() > 12 {
            return Self::Inline;
        }
        match name.to_ascii_lowercase().as_str() {
            "a" => Self::Link,
            "img" => Self::Image,
            "br" => Self::LineBreak,
            "hr" => Self::Rule,
            "p" => Self::Paragraph,
            "h1" => Self::Heading(1),
            "h2" => Self::Heading(2),
            "h3" | "h4" | "h5" | "h6" => Self::Heading(3),
            "pre" | "listing" => Self::Preformatted,
            "blockquote" => Self::Quotation,
            "ol" => Self::List { ordered: true },
            "ul" | "menu" | "dir" => Self::List { ordered: false },
            "li" => Self::Item,
            "table" => Self::Table,
            "tr" => Self::Row,
            "td" | "th" => Self::Cell,
            "address" | "article" | "aside" | "body" | "caption" | "center" | "dd" | "details" | "div" | "dl"
            | "dt" | "fieldset" | "figcaption" | "figure" | "footer" | "form" | "header" | "html" | "legend"
            | "main" | "nav" | "section" | "summary" | "tbody" | "tfoot" | "thead" => Self::Block,
            "area" | "base" | "col" | "embed" | "input" | "link" | "meta" | "param" | "source" | "track" | "wbr" => {
                Self::Void
            }
            "audio" | "canvas" | "datalist" | "select" | "svg" | "template" | "video" => Self::Unseen,
            _ => Self::Inline,
        }
    }

    /// Tells whether there is never an end tag.
    fn is_void(self) -> bool {
        matches!(self, Self::Image | Self::LineBreak | Self::Rule | Self::Void)
    }

    /// Tells whether the end tag may be left out.
    fn ends_by_itself(self, name: &str) -> bool {
        const NAMES: [&str; 8] = ["dd", "dt", "option", "optgroup", "tbody", "tfoot", "thead", "colgroup"];
        matches!(self, Self::Paragraph | Self::Item | Self::Row | Self::Cell)
            || NAMES.iter().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// Tells whether the element stands on lines of its own, so that a paragraph ends before it.
    fn is_block(self) -> bool {
        !matches!(
            self,
            Self::Link | Self::Image | Self::LineBreak | Self::Void | Self::Unseen | Self::Inline
        )
    }
}

/// Tells whether an element's content is never seen.
pub(super) fn is_hidden(element: Element, tag: Tag<'_>) -> bool {
    if element == Element::Unseen || tag.attribute("hidden").is_some() {
        return true;
    }
    let Some(style) = tag.attribute("style") else {
        return false;
    };
    let (mut no_height, mut cut_off) = (false, false);
    for declaration in style.split(';') {
        let Some((property, value)) = declaration.split_once(':') else {
            continue;
        };
        let value = value.trim();
        let value = value.strip_suffix("!important").unwrap_or(value).trim();
        let is = |name: &str, wanted: &[&str]| {
            property.trim().eq_ignore_ascii_case(name) && wanted.iter().any(|w| w.eq_ignore_ascii_case(value))
        };
        if is("display", &["none"]) || is("visibility", &["hidden", "collapse"]) {
            return true;
        }
        no_height |= is("max-height", &["0", "0px", "0em", "0%"]);
        cut_off |= is("overflow", &["hidden"]);
    }
    no_height && cut_off
}

/// An element of which nothing is seen, until it ends.
#[derive(Debug)]
pub(super) struct Hidden {
    element: Element,
    name: String,
    ends_by_itself: bool,
    /// How many elements have begun in it and not ended.
    open: usize,
}

/// What a token is to what follows a hidden element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// It is hidden.
    Nothing,
    /// It ends the hidden element.
    End,
    /// It stands behind the hidden element.
    Token,
}

impl Hidden {
    /// Begins a hidden element; `None` if nothing can stand in it.
    pub(super) fn begin(element: Element, name: &str) -> Option<Self> {
        (!element.is_void()).then(|| Self {
            element,
            name: name.to_owned(),
            ends_by_itself: element.ends_by_itself(name),
            open: 0,
        })
    }

    pub(super) fn take(&mut self, token: Token<'_>) -> Seen {
        match token {
            Token::Text(_) => Seen::Nothing,
            Token::Open(tag) => {
                let element = Element::of(tag.name);
                let ends = match self.element {
                    _ if self.open > 0 => false,
                    Element::Paragraph => element.is_block(),
                    _ => self.ends_by_itself && self.name.eq_ignore_ascii_case(tag.name),
                };
                if ends {
                    return Seen::Token;
                }
                self.open += usize::from(!element.is_void() && !element.ends_by_itself(tag.name));
                Seen::Nothing
            }
            Token::Close(name) => {
                let element = Element::of(name);
                if self.open == 0 && self.name.eq_ignore_ascii_case(name) {
                    return Seen::End;
                }
                if element.is_void() || element.ends_by_itself(name) {
                    return Seen::Nothing;
                }
                match self.open.checked_sub(1) {
                    Some(open) => {
                        self.open = open;
                        Seen::Nothing
                    }
                    // What it stands in ends.
                    None => Seen::Token,
                }
            }
        }
    }
}
