//! Tag lists: `a=b; c=d` (RFC 6376 §3.2).

/// Why text is not a tag list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TagError {
    /// Something that is not `name=value`.
    #[error("not a tag list at byte {0}")]
    Syntax(usize),
    /// A tag that stands there twice.
    #[error("tag `{0}` stands there twice")]
    Duplicate(String),
    /// More tags than anybody has a use for.
    #[error("more than {MOST} tags")]
    TooMany,
}

/// How many tags a list may have: RFC 6376 knows fifteen.
const MOST: usize = 64;

/// A tag list, in its order.
#[derive(Clone, Debug)]
pub(crate) struct Tags<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Tags<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, TagError> {
        // As many as signatures have.
        let mut tags: Vec<(&str, &str)> = Vec::with_capacity(12);
        let mut offset = 0;
        let mut specs = text.split(';').peekable();
        while let Some(spec) = specs.next() {
            let trimmed = spec.trim_matches(is_space);
            if trimmed.is_empty() && specs.peek().is_none() && !tags.is_empty() {
                break;
            }
            let (name, value) = trimmed.split_once('=').ok_or(TagError::Syntax(offset))?;
            let name = name.trim_end_matches(is_space);
            let name_is_valid = name.starts_with(|c: char| c.is_ascii_alphabetic())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            let value = value.trim_start_matches(is_space);
            // Beyond ASCII since RFC 8616 §2.
            let value_is_valid = value
                .bytes()
                .all(|byte| matches!(byte, b'!'..=b'~' | b' ' | b'\t' | b'\r' | b'\n' | 0x80..));
            if !name_is_valid || !value_is_valid {
                return Err(TagError::Syntax(offset));
            }
            if tags.iter().any(|(known, _)| *known == name) {
                return Err(TagError::Duplicate(name.to_owned()));
            }
            if tags.len() >= MOST {
                return Err(TagError::TooMany);
            }
            tags.push((name, value));
            offset += spec.len() + 1;
        }
        Ok(Self(tags))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    /// The name of the first tag.
    pub(crate) fn first(&self) -> Option<&'a str> {
        self.0.first().map(|(name, _)| *name)
    }
}

/// Folding white space.
pub(crate) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// A value without any white space: base64 may be folded anywhere.
pub(crate) fn squeeze(value: &str) -> String {
    let mut squeezed = String::with_capacity(value.len());
    for run in value.split(is_space) {
        squeezed.push_str(run);
    }
    squeezed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        let tags = Tags::parse("v=1; a = rsa-sha256;\r\n\tb=ab c =; x=").unwrap();
        assert_eq!(tags.get("a"), Some("rsa-sha256"));
        assert_eq!(tags.get("b"), Some("ab c ="));
        assert_eq!(tags.get("x"), Some(""));
        assert_eq!(tags.first(), Some("v"));
        assert!(Tags::parse("v=1;").is_ok());
        let many: Vec<String> = (0..100_000).map(|number| format!("t{number}=")).collect();
        assert_eq!(Tags::parse(&many.join(";")).unwrap_err(), TagError::TooMany);
        assert_eq!(
            Tags::parse("v=1; v=1").unwrap_err(),
            TagError::Duplicate("v".to_owned())
        );
        for wrong in ["", ";", "v", "v=1;;a=2", "1=2", "v=1; \u{e4}=2", "v=\0"] {
            assert!(Tags::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
