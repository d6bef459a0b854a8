//! Finds the parts of a message in one pass over its lines.
//!
//! **Invariant:** nothing here recurses. Each octet is looked at once, and once more for each multipart around it if its
//! line could be a delimiter; the depth is limited.

use std::ops::Range;

use bytes::Bytes;

use super::error::{RawDefect, RawError};
use super::header::{Header, Scan, Step};
use super::lines::{next_after, next_line, without_break};
use super::options::RawOptions;
use super::part::{Kind, Place, RawPart};

/// Lists the parts of the message with this header, parents before what is in them, and says how many octets were
/// looked at.
pub(super) fn parts(header: &Header, options: RawOptions) -> Result<(Vec<RawPart>, u64), RawError> {
    let mut walk = Walk {
        options,
        parts: Vec::new(),
        work: 0,
    };
    let mut root = Source::new(header.source().clone(), header.body(), true);
    let from = Parent {
        part: None,
        digest: false,
    };
    walk.add(&mut root, header.clone(), from)?;
    let mut sources = vec![root];
    while let Some(mut source) = sources.pop() {
        if let Some(inner) = walk.read(&mut source)? {
            sources.push(source);
            sources.push(inner);
        }
    }
    Ok((walk.parts, walk.work))
}

struct Walk {
    options: RawOptions,
    parts: Vec<RawPart>,
    work: u64,
}

/// Bytes that are being read: those of the message, or what an encoded message in it stands for.
struct Source {
    bytes: Bytes,
    position: usize,
    as_received: bool,
    state: State,
    /// What the line at `position` is in, outermost first.
    open: Vec<Open>,
    /// How many of `open` wait for a delimiter.
    waiting: usize,
}

enum State {
    /// A header begins here.
    Begin(Parent),
    Header(Box<Scan>, Parent),
    /// Nothing but a delimiter matters.
    Text,
}

#[derive(Clone, Copy, Debug)]
struct Parent {
    part: Option<usize>,
    /// Whether the default type is a message.
    digest: bool,
}

/// A part whose end has not been found.
struct Open {
    part: usize,
    is_encoded_message: bool,
    multipart: Option<Multipart>,
}

struct Multipart {
    boundary: Vec<u8>,
    digest: bool,
    has_parts: bool,
    /// Where the preamble ends, and where the delimiter behind it begins.
    preamble: Option<(usize, usize)>,
    /// Known once the closing delimiter was found.
    epilogue: Option<usize>,
}

impl Multipart {
    fn is_waiting(&self) -> bool {
        self.epilogue.is_none()
    }
}

/// A line that delimits the parts of one of the open multiparts.
struct Delimiter {
    open: usize,
    closes: bool,
}

impl Source {
    fn new(bytes: Bytes, position: usize, as_received: bool) -> Self {
        Self {
            bytes,
            position,
            as_received,
            state: State::Text,
            open: Vec::new(),
            waiting: 0,
        }
    }

    fn line(&self) -> Range<usize> {
        self.position..next_line(&self.bytes, self.position)
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.position..).unwrap_or_default()
    }

    fn get(&self, range: Range<usize>) -> &[u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    fn cut(&self, start: usize, end: usize) -> Bytes {
        if start < end && end <= self.bytes.len() {
            self.bytes.slice(start..end)
        } else {
            Bytes::new()
        }
    }

    /// Where what stands before the delimiter at `line` ends: the line break belongs to the delimiter.
    fn content_end(&self, line: usize) -> usize {
        without_break(self.get(0..line)).len()
    }
}

impl Walk {
    /// Reads `source` to its end, or to an encoded message, which is to be read first.
    fn read(&mut self, source: &mut Source) -> Result<Option<Source>, RawError> {
        loop {
            if let State::Begin(parent) = source.state {
                self.begin(source, parent)?;
            }
            if source.position >= source.bytes.len() {
                return self.end(source);
            }
            if matches!(source.state, State::Text) {
                self.skip_text(source);
                if source.position >= source.bytes.len() {
                    return self.end(source);
                }
            }
            let line = source.line();
            if let Some(delimiter) = self.delimiter(source, line.clone()) {
                if let Some(inner) = self.cross(source, &delimiter, line)? {
                    return Ok(Some(inner));
                }
            } else if let State::Header(scan, _) = &mut source.state {
                self.work += line.len() as u64;
                match scan.line(&source.bytes, line.clone())? {
                    Step::Header => source.position = line.end,
                    Step::Empty => {
                        source.position = line.end;
                        self.end_header(source, Some(line))?;
                    }
                    Step::Body => self.end_header(source, None)?,
                }
            } else {
                self.work += line.len() as u64;
                source.position = line.end;
            }
        }
    }

    fn begin(&self, source: &mut Source, parent: Parent) -> Result<(), RawError> {
        if self.parts.len() >= self.options.max_parts {
            return Err(RawError::TooManyParts {
                limit: self.options.max_parts,
            });
        }
        if self.depth_in(parent) > self.options.max_depth {
            return Err(RawError::TooDeep {
                limit: self.options.max_depth,
            });
        }
        let scan = Scan::new(source.position, self.parts.len(), self.options);
        source.state = State::Header(Box::new(scan), parent);
        Ok(())
    }

    fn depth_in(&self, parent: Parent) -> usize {
        parent
            .part
            .and_then(|part| self.parts.get(part))
            .map_or(0, |part| part.depth() + 1)
    }

    /// Ends the header that is being read; the body begins at the position.
    fn end_header(&mut self, source: &mut Source, empty_line: Option<Range<usize>>) -> Result<(), RawError> {
        match std::mem::replace(&mut source.state, State::Text) {
            State::Header(scan, parent) => {
                let header = scan.finish(source.bytes.clone(), empty_line, source.position);
                self.add(source, header, parent)
            }
            _ => Ok(()),
        }
    }

    /// Ends the header that is being read where nothing more of its part can follow, and that of the message in it.
    fn end_headers(&mut self, source: &mut Source) -> Result<(), RawError> {
        while matches!(source.state, State::Header(..)) {
            self.end_header(source, None)?;
            if let State::Begin(parent) = source.state {
                self.begin(source, parent)?;
            }
        }
        Ok(())
    }

    /// Adds the part with this header.
    fn add(&mut self, source: &mut Source, header: Header, parent: Parent) -> Result<(), RawError> {
        let place = Place {
            parent: parent.part,
            depth: self.depth_in(parent),
            as_received: source.as_received,
            body: source.position,
        };
        let default = if parent.digest { "message/rfc822" } else { "text/plain" };
        let part = RawPart::new(header, place, default);
        let index = self.parts.len();
        let mut open = Open {
            part: index,
            is_encoded_message: false,
            multipart: None,
        };
        source.state = State::Text;
        match part.kind() {
            Kind::Multipart { boundary, digest } => {
                source.waiting += 1;
                open.multipart = Some(Multipart {
                    boundary,
                    digest,
                    has_parts: false,
                    preamble: None,
                    epilogue: None,
                });
            }
            Kind::Message => {
                source.state = State::Begin(Parent {
                    part: Some(index),
                    digest: false,
                });
            }
            Kind::EncodedMessage => open.is_encoded_message = true,
            Kind::Leaf => {}
        }
        if index >= self.options.max_parts {
            return Err(RawError::TooManyParts {
                limit: self.options.max_parts,
            });
        }
        self.parts.push(part);
        source.open.push(open);
        Ok(())
    }

    /// Goes to the next line that could be a delimiter.
    fn skip_text(&mut self, source: &mut Source) {
        let start = source.position;
        if source.waiting == 0 {
            source.position = source.bytes.len();
            return;
        }
        while source.position < source.bytes.len() && !source.rest().starts_with(b"--") {
            // Encoded bodies hold no dash: looking for one goes over many lines at once. Where this line begins with one,
            // it is behind us.
            let next = next_after(&source.bytes, source.position + 1, b'-').saturating_sub(1);
            source.position = match source.bytes.get(next.saturating_sub(1)..=next) {
                Some(b"\n-") if next > source.position => next,
                _ => next_line(&source.bytes, next.max(source.position)),
            };
        }
        self.work += (source.position - start) as u64;
    }

    /// Tells which multipart the line delimits, if any.
    ///
    /// A line that is a delimiter and nothing else but white space wins over one on which more follows (RFC 2046 §5.1.1
    /// lets readers take those too), so that one boundary may begin with another; of equals the innermost wins.
    fn delimiter(&mut self, source: &Source, line: Range<usize>) -> Option<Delimiter> {
        if source.waiting == 0 {
            return None;
        }
        let text = without_break(source.get(line)).strip_prefix(b"--")?;
        let blanks = text.iter().rev().take_while(|byte| is_padding(**byte)).count();
        let mut with_tail = None;
        for (index, open) in source.open.iter().enumerate().rev() {
            let Some(multipart) = open.multipart.as_ref().filter(|multipart| multipart.is_waiting()) else {
                continue;
            };
            self.work += 1 + multipart.boundary.len().min(text.len()) as u64;
            let Some(rest) = text.strip_prefix(multipart.boundary.as_slice()) else {
                continue;
            };
            let (rest, closes) = match rest.strip_prefix(b"--") {
                Some(rest) => (rest, true),
                None => (rest, false),
            };
            let delimiter = Delimiter { open: index, closes };
            if rest.len() <= blanks {
                return Some(delimiter);
            }
            if rest.first().is_some_and(|byte| is_padding(*byte)) {
                with_tail.get_or_insert(delimiter);
            }
        }
        with_tail
    }

    /// Goes over a delimiter: ends what it ends, and begins the next part.
    fn cross(
        &mut self,
        source: &mut Source,
        delimiter: &Delimiter,
        line: Range<usize>,
    ) -> Result<Option<Source>, RawError> {
        self.end_headers(source)?;
        let end = source.content_end(line.start);
        let mut inner = None;
        while source.open.len() > delimiter.open + 1
            && let Some(open) = source.open.pop()
        {
            inner = self.close(source, &open, end, line.start).or(inner);
        }
        source.position = line.end;
        source.state = State::Text;
        let Some(open) = source.open.last_mut() else {
            return Ok(inner);
        };
        if let Some(multipart) = &mut open.multipart {
            multipart.preamble.get_or_insert((end, line.start));
            if delimiter.closes {
                multipart.epilogue = Some(line.end);
                source.waiting = source.waiting.saturating_sub(1);
            } else {
                multipart.has_parts = true;
                source.state = State::Begin(Parent {
                    part: Some(open.part),
                    digest: multipart.digest,
                });
            }
        }
        Ok(inner)
    }

    /// Ends everything at the end of `source`.
    fn end(&mut self, source: &mut Source) -> Result<Option<Source>, RawError> {
        let end = source.bytes.len();
        source.position = end;
        self.end_headers(source)?;
        let mut inner = None;
        while let Some(open) = source.open.pop() {
            inner = self.close(source, &open, end, end).or(inner);
        }
        source.waiting = 0;
        Ok(inner)
    }

    /// Ends a part at `end`; `next` is where what follows its line break begins. Returns what it stands for if that is a
    /// message that had to be decoded.
    fn close(&mut self, source: &mut Source, open: &Open, end: usize, next: usize) -> Option<Source> {
        let part = self.parts.get_mut(open.part)?;
        let start = part.body_start();
        let end = end.max(start);
        let (mut preamble, mut epilogue) = (None, None);
        if let Some(multipart) = &open.multipart {
            let (preamble_end, first) = multipart.preamble.unwrap_or((end, next));
            preamble = (start < first).then(|| source.cut(start, preamble_end));
            if !multipart.has_parts {
                part.note(RawDefect::NoParts);
            }
            match multipart.epilogue {
                Some(from) => epilogue = (from < next).then(|| source.cut(from, end)),
                None => {
                    part.note(RawDefect::Unclosed);
                    source.waiting = source.waiting.saturating_sub(1);
                }
            }
        }
        part.end(source.cut(start, end), preamble, epilogue);
        if !open.is_encoded_message {
            return None;
        }
        let decoded = part.decoded().into_owned();
        self.work += decoded.len() as u64;
        let mut inner = Source::new(Bytes::from(decoded), 0, false);
        inner.state = State::Begin(Parent {
            part: Some(open.part),
            digest: false,
        });
        Some(inner)
    }
}

/// White space that may follow a delimiter; some writers leave a CR too many.
fn is_padding(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}

#[cfg(test)]
mod tests;
