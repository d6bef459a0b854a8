//! XML as reports have it: elements, attributes, text; no document type, no entities but the five, bounded depth.

mod text;
mod writer;

use std::borrow::Cow;

use quick_xml::Reader as Events;
use quick_xml::events::{BytesStart, Event};

pub(crate) use text::{Collected, legal};
pub(crate) use writer::Writer;

use crate::deviation::{DeviationKind, Notes};
use crate::element::Element;
use crate::error::cut;
use crate::word::Word;
use crate::{Limits, ReadError};

/// How many namespace declarations are in force at once; more are passed over.
const SCOPES: usize = 16;
/// How many attributes of one element are looked at.
const ATTRIBUTES: usize = 64;

/// A start tag.
#[derive(Debug)]
pub(crate) struct Tag<'a> {
    start: BytesStart<'a>,
    /// Whether it is of another namespace than the root.
    pub(crate) foreign: bool,
}

impl Tag<'_> {
    /// Returns the name without its prefix.
    pub(crate) fn local(&self) -> &str {
        split_name(self.start.name().into_inner()).1
    }
}

/// Splits a name at its prefix.
fn split_name(name: &str) -> (Option<&str>, &str) {
    match name.split_once(':') {
        Some((prefix, local)) => (Some(prefix), local),
        None => (None, name),
    }
}

/// A namespace declaration that is in force.
struct Scope {
    depth: usize,
    prefix: Option<String>,
    uri: Option<String>,
}

/// Reads elements one after the other; the caller knows which it is in.
pub(crate) struct Reader<'a> {
    events: Events<&'a [u8]>,
    depth: usize,
    scopes: Vec<Scope>,
    root_namespace: Option<String>,
    limits: Limits,
    entries: usize,
    pub(crate) notes: Notes,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str, limits: &Limits, notes: Notes) -> Self {
        let mut events = Events::from_str(text);
        let config = events.config_mut();
        config.expand_empty_elements = true;
        config.allow_dangling_amp = true;
        Self {
            events,
            depth: 0,
            scopes: Vec::new(),
            root_namespace: None,
            limits: *limits,
            entries: 0,
            notes,
        }
    }

    /// Returns the next event that is not passed over: a start, an end, a text of any kind, the end of it all.
    fn event(&mut self) -> Result<Event<'a>, ReadError> {
        loop {
            let event = self.events.read_event().map_err(|error| ReadError::Xml {
                offset: self.events.error_position(),
                reason: cut(&error.to_string()),
            })?;
            match &event {
                Event::DocType(_) => {
                    return Err(ReadError::DocumentType {
                        offset: self.events.buffer_position(),
                    });
                }
                Event::PI(_) => self.notes.note("file", DeviationKind::Instruction),
                Event::Comment(_) | Event::Decl(_) => {}
                Event::Eof if self.depth > 0 => {
                    return Err(ReadError::Xml {
                        offset: self.events.buffer_position(),
                        reason: "elements are open where it ends".to_owned(),
                    });
                }
                Event::Start(_) => {
                    self.depth += 1;
                    if self.depth > self.limits.depth {
                        let limit = self.limits.depth;
                        return Err(ReadError::TooDeep { limit });
                    }
                    return Ok(event);
                }
                Event::End(_) => {
                    self.depth = self.depth.saturating_sub(1);
                    while self.scopes.last().is_some_and(|scope| scope.depth > self.depth) {
                        self.scopes.pop();
                    }
                    return Ok(event);
                }
                _ => return Ok(event),
            }
        }
    }

    /// Returns the root's start tag; `None` if there is no element.
    pub(crate) fn root(&mut self) -> Result<Option<Tag<'a>>, ReadError> {
        loop {
            match self.event()? {
                Event::Start(start) => {
                    self.declarations(&start);
                    let namespace = self.namespace(split_name(start.name().into_inner()).0);
                    self.root_namespace = namespace.map(str::to_owned);
                    return Ok(Some(Tag { start, foreign: false }));
                }
                Event::Eof => return Ok(None),
                _ => {}
            }
        }
    }

    /// Returns the namespace of the root.
    pub(crate) fn root_namespace(&self) -> Option<&str> {
        self.root_namespace.as_deref()
    }

    /// Returns the next child of the element that the caller is in; `None` behind its end.
    pub(crate) fn child(&mut self) -> Result<Option<Tag<'a>>, ReadError> {
        loop {
            match self.event()? {
                Event::Start(start) => {
                    self.declarations(&start);
                    let namespace = self.namespace(split_name(start.name().into_inner()).0);
                    let foreign = namespace.is_some() && namespace != self.root_namespace();
                    return Ok(Some(Tag { start, foreign }));
                }
                Event::End(_) | Event::Eof => return Ok(None),
                _ => {}
            }
        }
    }

    /// Skips the rest of the element that the caller is in.
    pub(crate) fn skip(&mut self) -> Result<(), ReadError> {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside {
            self.event()?;
        }
        Ok(())
    }

    /// Notes and skips an element that the standard does not have.
    pub(crate) fn skip_unknown(&mut self, place: &'static str, tag: &Tag<'_>) -> Result<(), ReadError> {
        self.notes.unknown(place, tag.local());
        self.skip()
    }

    /// Notes what stands behind the root.
    pub(crate) fn finish(mut self) -> Result<Notes, ReadError> {
        loop {
            match self.events.read_event() {
                Ok(Event::Eof) => return Ok(self.notes),
                Ok(Event::Comment(_)) => {}
                Ok(Event::Text(text)) if text.xml10_content().trim_ascii().is_empty() => {}
                Ok(Event::DocType(_)) => {
                    return Err(ReadError::DocumentType {
                        offset: self.events.buffer_position(),
                    });
                }
                _ => {
                    self.notes.note("file", DeviationKind::Trailing);
                    return Ok(self.notes);
                }
            }
        }
    }

    /// Counts an entry of a list.
    pub(crate) fn entry(&mut self) -> Result<(), ReadError> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(ReadError::TooMany {
                what: "entries",
                limit: self.limits.entries,
            });
        }
        Ok(())
    }

    /// Reads the text of the element that the caller is in; `None` if it is too long.
    pub(crate) fn text(&mut self, place: &'static str) -> Result<Option<Cow<'a, str>>, ReadError> {
        let mut collected = Collected::new(self.limits.text);
        loop {
            match self.event()? {
                Event::Start(start) => {
                    self.notes.unknown(place, start.name().into_inner());
                    self.skip()?;
                }
                Event::End(_) => return Ok(self.collected(place, collected)),
                event => self.collect(place, &event, &mut collected),
            }
        }
    }

    fn collect(&mut self, place: &'static str, event: &Event<'a>, collected: &mut Collected<'a>) {
        let notes = &mut self.notes;
        match event {
            Event::Text(text) => {
                let text = text.xml10_content();
                if text.starts_with('&') {
                    notes.note(place, DeviationKind::Entity);
                }
                collected.text(text);
            }
            Event::CData(data) => collected.exact(&data.xml10_content()),
            Event::GeneralRef(reference) => {
                let name = reference.clone().into_inner();
                match (predefined(&name), name.starts_with('#')) {
                    (Some(character), _) => collected.exact(character),
                    (None, true) => match reference.resolve_char_ref() {
                        Ok(Some(character)) => collected.exact(character.encode_utf8(&mut [0; 4])),
                        _ => {
                            notes.note(place, DeviationKind::Character);
                            collected.exact("\u{FFFD}");
                        }
                    },
                    (None, false) => {
                        notes.note(place, DeviationKind::Entity);
                        collected.exact("&");
                        collected.exact(&name);
                        collected.exact(";");
                    }
                }
            }
            _ => {}
        }
    }

    fn collected(&mut self, place: &'static str, collected: Collected<'a>) -> Option<Cow<'a, str>> {
        let Some(text) = collected.finish() else {
            self.notes.note(place, DeviationKind::TooLong);
            return None;
        };
        let (text, replaced) = legal(text);
        if replaced {
            self.notes.note(place, DeviationKind::Character);
        }
        Some(text)
    }

    /// Returns an attribute, unescaped; `None` if it is too long or not there.
    pub(crate) fn attribute(&mut self, place: &'static str, tag: &Tag<'_>, name: &str) -> Option<String> {
        let mut found = None;
        for attribute in tag.start.attributes().with_checks(false).take(ATTRIBUTES).flatten() {
            if split_name(attribute.key.into_inner()).1 == name {
                found = Some(attribute);
                break;
            }
        }
        self.value(place, &found?)
    }

    fn value(
        &mut self,
        place: &'static str,
        attribute: &quick_xml::events::attributes::Attribute<'_>,
    ) -> Option<String> {
        if attribute.value.len() > self.limits.text {
            self.notes.note(place, DeviationKind::TooLong);
            return None;
        }
        let value = attribute
            .normalized_value(quick_xml::XmlVersion::Implicit1_0)
            .unwrap_or_else(|_| {
                self.notes.note(place, DeviationKind::Entity);
                attribute.value.clone()
            });
        let (value, replaced) = legal(value);
        if replaced {
            self.notes.note(place, DeviationKind::Character);
        }
        Some(value.into_owned())
    }

    /// Takes down the namespaces that a start tag declares.
    fn declarations(&mut self, start: &BytesStart<'_>) {
        if start.attributes_raw().is_empty() {
            return;
        }
        for attribute in start.attributes().with_checks(false).take(ATTRIBUTES).flatten() {
            let prefix = match split_name(attribute.key.into_inner()) {
                (None, "xmlns") => None,
                (Some("xmlns"), prefix) => Some(cut(prefix)),
                _ => continue,
            };
            if self.scopes.len() < SCOPES
                && let Some(uri) = self.value("namespace", &attribute)
            {
                let uri = (!uri.is_empty()).then_some(uri);
                let depth = self.depth;
                self.scopes.push(Scope { depth, prefix, uri });
            }
        }
    }

    /// Finds the namespace that a prefix stands for.
    fn namespace(&self, prefix: Option<&str>) -> Option<&str> {
        let mut scopes = self.scopes.iter().rev();
        scopes.find(|scope| scope.prefix.as_deref() == prefix)?.uri.as_deref()
    }

    /// Reads an element of an extension with all that is in it.
    pub(crate) fn element(&mut self, place: &'static str, tag: &Tag<'_>) -> Result<Element, ReadError> {
        let mut open = vec![(self.open(place, &tag.start)?, Collected::new(self.limits.text))];
        loop {
            match self.event()? {
                Event::Start(start) => {
                    self.declarations(&start);
                    let element = self.open(place, &start)?;
                    open.push((element, Collected::new(self.limits.text)));
                }
                Event::End(_) | Event::Eof => {
                    let Some((mut element, text)) = open.pop() else {
                        return Ok(Element::default());
                    };
                    element.text = self.collected(place, text).unwrap_or_default().into_owned();
                    match open.last_mut() {
                        Some((parent, _)) => parent.children.push(element),
                        None => return Ok(element),
                    }
                }
                event => {
                    if let Some((_, text)) = open.last_mut() {
                        self.collect(place, &event, text);
                    }
                }
            }
        }
    }

    /// Begins an element of an extension.
    fn open(&mut self, place: &'static str, start: &BytesStart<'_>) -> Result<Element, ReadError> {
        self.entry()?;
        let (prefix, local) = split_name(start.name().into_inner());
        let mut element = Element {
            name: local.to_owned(),
            namespace: self.namespace(prefix).map(str::to_owned),
            ..Element::default()
        };
        if start.name().into_inner().len() > self.limits.text {
            self.notes.note(place, DeviationKind::TooLong);
            element.name = cut(local);
        }
        for attribute in start.attributes().with_checks(false).take(ATTRIBUTES).flatten() {
            let key = attribute.key.into_inner();
            if key == "xmlns" || key.contains(':') || element.attribute(key).is_some() {
                continue;
            }
            self.entry()?;
            let key = cut(key);
            if let Some(value) = self.value(place, &attribute) {
                element.attributes.push((key, value));
            }
        }
        Ok(element)
    }

    /// Reads text into its place.
    pub(crate) fn string(&mut self, place: &'static str, slot: &mut Option<String>) -> Result<(), ReadError> {
        let value = self.text(place)?.map(Cow::into_owned);
        self.notes.once(place, slot, value);
        Ok(())
    }

    /// Reads a word into its place.
    pub(crate) fn word<W: Word>(&mut self, place: &'static str, slot: &mut Option<W>) -> Result<(), ReadError> {
        let text = self.text(place)?;
        let value = text.and_then(|text| self.notes.word(place, &text));
        self.notes.once(place, slot, value);
        Ok(())
    }

    /// Reads what `parse` can read into its place; anything else is noted.
    pub(crate) fn parsed<T>(
        &mut self,
        place: &'static str,
        slot: &mut Option<T>,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<(), ReadError> {
        let Some(text) = self.text(place)? else {
            return Ok(());
        };
        let value = parse(&text);
        if value.is_none() {
            self.notes.invalid(place, &text);
        }
        self.notes.once(place, slot, value);
        Ok(())
    }
}

/// Reads a whole number: digits and nothing else.
pub(crate) fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// The five entities of XML (XML 1.0 §4.6).
fn predefined(name: &str) -> Option<&'static str> {
    match name {
        "lt" => Some("<"),
        "gt" => Some(">"),
        "amp" => Some("&"),
        "quot" => Some("\""),
        "apos" => Some("'"),
        _ => None,
    }
}
