//! Cuts HTML into text and tags, as browsers do, whatever it is.

use std::borrow::Cow;

use super::entity;

/// A piece of HTML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Text, with its character references as they are.
    Text(&'a str),
    /// A start tag.
    Open(Tag<'a>),
    /// An end tag.
    Close(&'a str),
}

/// A start tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    pub(super) name: &'a str,
    attributes: &'a str,
}

/// Gives the pieces in order. Comments, declarations and what stands in elements like `script` are left out.
#[derive(Clone, Debug)]
pub(super) struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(html: &'a str) -> Self {
        Self { rest: html }
    }

    /// Takes `length` octets off.
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    /// Takes everything up to and with `end` off, or all there is.
    fn skip_past(&mut self, end: &str) {
        let length = self.rest.find(end).map_or(self.rest.len(), |at| at + end.len());
        self.take(length);
    }

    /// Takes the content of an element off in which tags are text.
    fn skip_raw(&mut self, name: &str) {
        let length = self.rest.match_indices("</").map(|(at, _)| at).find(|at| {
            let after = self.rest.get(at + 2..).unwrap_or_default();
            after
                .get(..name.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(name))
        });
        self.take(length.unwrap_or(self.rest.len()));
    }

    /// Takes a tag off that begins with a letter behind `opening` octets: its name and what follows. `None` if it never
    /// ends, and then all is taken.
    fn tag(&mut self, opening: usize) -> Option<(&'a str, &'a str)> {
        self.take(opening);
        let Some(end) = tag_end(self.rest) else {
            self.rest = "";
            return None;
        };
        let inside = self.take(end);
        self.take(1);
        let name_end = inside.find(is_space_or_slash).unwrap_or(inside.len());
        inside.split_at_checked(name_end)
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let Some(markup) = self.rest.strip_prefix('<') else {
                let length = self.rest.find('<').unwrap_or(self.rest.len());
                return (length > 0).then(|| Token::Text(self.take(length)));
            };
            let second = markup.as_bytes().get(1);
            match markup.as_bytes().first() {
                Some(letter) if letter.is_ascii_alphabetic() => {
                    let (name, attributes) = self.tag(1)?;
                    if is_raw(name) {
                        self.skip_raw(name);
                    }
                    return Some(Token::Open(Tag { name, attributes }));
                }
                Some(b'/') if second.is_some_and(u8::is_ascii_alphabetic) => {
                    return self.tag(2).map(|(name, _)| Token::Close(name));
                }
                Some(b'!') if markup.starts_with("!--") => {
                    self.take(2);
                    self.skip_past("-->");
                }
                Some(b'!' | b'?' | b'/') => self.skip_past(">"),
                _ => return Some(Token::Text(self.take(1))),
            }
        }
    }
}

impl<'a> Tag<'a> {
    /// Returns the value of the first attribute of that name, in lower case, with its character references resolved.
    pub(super) fn attribute(self, name: &str) -> Option<Cow<'a, str>> {
        let mut rest = self.attributes;
        loop {
            rest = rest.trim_start_matches(is_space_or_slash);
            if rest.is_empty() {
                return None;
            }
            // An attribute's name may begin with an equals sign.
            let first = rest.chars().next().map_or(0, char::len_utf8);
            let after_first = rest.get(first..)?;
            let end = after_first.find(|c| is_space_or_slash(c) || c == '=');
            let (found, after) = rest.split_at_checked(first + end.unwrap_or(after_first.len()))?;
            let (value, after) = match after.trim_start_matches(is_space).strip_prefix('=') {
                Some(value) => value_and_rest(value.trim_start_matches(is_space)),
                None => ("", after),
            };
            if found.eq_ignore_ascii_case(name) {
                return Some(entity::resolve(value));
            }
            rest = after;
        }
    }
}

fn value_and_rest(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(quoted) = text.strip_prefix(quote) {
            return quoted.split_once(quote).unwrap_or((quoted, ""));
        }
    }
    let end = text.find(is_space).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// Finds the `>` that ends a tag: one that stands in no quoted value.
fn tag_end(tag: &str) -> Option<usize> {
    let mut bytes = tag.bytes().enumerate();
    // A value may begin here.
    let mut value = false;
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'>' => return Some(at),
            b'=' => value = true,
            b'"' | b'\'' if value => {
                bytes.find(|(_, other)| *other == byte)?;
                value = false;
            }
            _ if byte.is_ascii_whitespace() => {}
            _ => value = false,
        }
    }
    None
}

/// Tells whether the content of an element is no HTML, or none that is shown.
fn is_raw(name: &str) -> bool {
    const RAW: [&str; 8] = [
        "script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes",
    ];
    RAW.iter().any(|raw| raw.eq_ignore_ascii_case(name))
}

/// Tells whether `c` is white space of HTML.
pub(super) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}')
}

fn is_space_or_slash(c: char) -> bool {
    is_space(c) || c == '/'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, expected: &str) {
        let found: Vec<String> = Tokens::new(html)
            .map(|token| match token {
                Token::Text(text) => text.to_owned(),
                Token::Open(tag) => format!("[{}]", tag.name),
                Token::Close(name) => format!("[/{name}]"),
            })
            .collect();
        assert_eq!(found.concat(), expected);
    }

    #[test]
    fn tags_and_text_are_told_apart() {
        check("a<b>c</b >d<br/>e", "a[b]c[/b]d[br]e");
        check("1 < 2 <3 <", "1 < 2 <3 <");
        check("<a title='x>y' href=\"a>b\">t", "[a]t");
        check("a<b", "a");
        check("a<b c=\"d>e</b>f", "a");
    }

    #[test]
    fn what_nobody_sees_is_left_out() {
        check("a<!-- <p> -->b<!-->c", "abc");
        check("<!DOCTYPE html><?xml x?>a</ >b<![if mso]>c", "abc");
        check("<script>if (a</b>) \"</p>\"</SCRIPT >x", "[script][/SCRIPT]x");
        check("a<!-- b", "a");
        check("<style>p", "[style]");
    }

    #[test]
    fn attributes_are_found() {
        let attribute = |html, name| match Tokens::new(html).next() {
            Some(Token::Open(tag)) => tag.attribute(name).map(Cow::into_owned),
            other => panic!("{other:?}"),
        };
        check("<a =x href=y>", "[a]");
        let html = "<a disabled Title = 'a&amp;b' href=https://a.example/?x=1&copy=2 href=z =q>";
        assert_eq!(attribute(html, "title").as_deref(), Some("a&b"));
        assert_eq!(
            attribute(html, "href").as_deref(),
            Some("https://a.example/?x=1&copy=2")
        );
        assert_eq!(attribute(html, "disabled").as_deref(), Some(""));
        assert_eq!(attribute(html, "none"), None);
        assert_eq!(attribute("<a =>", "none"), None);
    }
}
