//! Text bodies that are written otherwise than as they are.

use std::borrow::Cow;

use crate::content::View;
use crate::{BuildProblem, Charset, body};

/// How the bodies that people read are written, where that is not as they are in UTF-8.
#[derive(Debug, Default)]
pub(crate) struct Readable {
    pub(crate) text: Option<Written>,
    pub(crate) html: Option<Written>,
}

/// A body as it is written.
pub(crate) struct Written {
    /// The media type with its parameters.
    type_line: String,
    body: Body,
}

/// Its text, or the octets that stand for it.
pub(crate) enum Body {
    Utf8(String),
    Octets(Vec<u8>),
}

impl Readable {
    /// Writes what is asked for; says what cannot be written.
    pub(crate) fn of(content: View<'_>, problems: &mut Vec<BuildProblem>) -> Self {
        let charset = |of| content.one(of).copied().unwrap_or_default();
        let flowed = content.one(|content| content.flowed.as_ref()).copied();
        let mut readable = Self::default();
        if let Some(text) = content.one(|content| content.text.as_deref()) {
            let text_charset = charset(|content| content.text_charset.as_ref());
            let (text, parameters) = match flowed {
                Some(flowed) if flowed.deletes_spaces() => {
                    (Cow::Owned(flowed.encode(text)), "; format=flowed; delsp=yes")
                }
                Some(flowed) => (Cow::Owned(flowed.encode(text)), "; format=flowed"),
                None => (Cow::Borrowed(text), ""),
            };
            if flowed.is_some() || text_charset != Charset::UTF_8 {
                readable.text = Written::new("text", "text/plain", text, text_charset, parameters, problems);
            }
        }
        if let Some(html) = content.one(|content| content.html.as_deref()) {
            let html_charset = charset(|content| content.html_charset.as_ref());
            if html_charset != Charset::UTF_8 {
                readable.html = Written::new("html", "text/html", Cow::Borrowed(html), html_charset, "", problems);
            }
        }
        let subject_charset = charset(|content| content.subject_charset.as_ref());
        if let Some(subject) = content.one(|content| content.subject.as_deref())
            && let Err((character, offset)) = subject_charset.encode(subject)
            && !subject.is_ascii()
        {
            problems.push(BuildProblem::NotInCharset {
                field: "Subject",
                character,
                offset,
                charset: subject_charset,
            });
        }
        readable
    }
}

impl Written {
    fn new(
        field: &'static str,
        essence: &str,
        text: Cow<'_, str>,
        charset: Charset,
        parameters: &str,
        problems: &mut Vec<BuildProblem>,
    ) -> Option<Self> {
        let type_line = format!("{essence}; charset={}{parameters}", charset.name());
        if charset == Charset::UTF_8 {
            return Some(Self {
                type_line,
                body: Body::Utf8(text.into_owned()),
            });
        }
        let canonical = body::canonical(&text);
        match charset.encode(&canonical) {
            // What is ASCII in the charset too is written as such.
            Ok(octets) if octets == canonical.as_bytes() => Some(Self {
                type_line,
                body: Body::Utf8(canonical),
            }),
            Ok(octets) => Some(Self {
                type_line,
                body: Body::Octets(octets),
            }),
            Err((character, offset)) => {
                problems.push(BuildProblem::NotInCharset {
                    field,
                    character,
                    offset,
                    charset,
                });
                None
            }
        }
    }

    pub(crate) fn type_line(&self) -> &str {
        &self.type_line
    }

    pub(crate) fn body(&self) -> &Body {
        &self.body
    }

    fn len(&self) -> usize {
        match &self.body {
            Body::Utf8(text) => text.len(),
            Body::Octets(octets) => octets.len(),
        }
    }
}

/// Shows the type, not what it says.
impl std::fmt::Debug for Written {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Written")
            .field("type", &self.type_line)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
