//! Elements of extensions.

/// Holds an element that an extension of DMARC reports defines (RFC 9990 §3.1.1.5, §5), with all that is in it.
///
/// Of mixed content the text is joined. Attributes with a prefix are left out, as are comments.
///
/// # Examples
///
/// ```
/// use posthaste_report::dmarc::Element;
///
/// let element = Element::new("https://example.org/ns/arc", "arc").with_text("pass");
/// assert_eq!(element.name(), "arc");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Element {
    pub(crate) name: String,
    pub(crate) namespace: Option<String>,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) text: String,
    pub(crate) children: Vec<Self>,
}

impl Element {
    /// Makes an element of a namespace, which RFC 9990 asks of every one.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            namespace: Some(namespace.into()),
            ..Self::default()
        }
    }

    /// Sets the text.
    #[must_use]
    pub fn with_text(mut self, text: impl Into<String>) -> Self {
        self.text = text.into();
        self
    }

    /// Adds an attribute.
    #[must_use]
    pub fn with_attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.push((name.into(), value.into()));
        self
    }

    /// Adds an element inside.
    #[must_use]
    pub fn with_child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    /// Returns the name without a prefix.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the namespace.
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// Returns an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter();
        attributes.find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Returns the attributes in their order.
    pub fn attributes(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.attributes.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Returns the text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the elements inside.
    pub fn children(&self) -> &[Self] {
        &self.children
    }

    /// Finds the first element, of this one and all inside, that cannot be written: its name or that of an attribute is
    /// none, an attribute stands there twice, or it is deeper than `depth`. Its namespace is checked by the caller.
    pub(crate) fn unwritable(&self, depth: usize) -> Option<&str> {
        let mut waiting = vec![(self, depth)];
        while let Some((element, depth)) = waiting.pop() {
            let names = element.attributes.iter().map(|(name, _)| name);
            let repeated = || {
                let mut names: Vec<&String> = names.clone().collect();
                names.sort_unstable();
                names.array_windows().any(|[one, other]| one == other)
            };
            let bad_attribute = names.clone().any(|name| !is_name(name) || name == "xmlns");
            if depth == 0 || !is_name(&element.name) || bad_attribute || repeated() {
                return Some(&element.name);
            }
            waiting.extend(element.children.iter().map(|child| (child, depth - 1)));
        }
        None
    }
}

/// Tells whether text is a name of an element or attribute without a prefix: the ASCII part of XML 1.0 §2.3.
fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}
