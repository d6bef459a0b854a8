//! Calendar invitations.

use std::fmt;

use bytes::Bytes;

use crate::text::is_control;
use crate::{Attachment, ContentType, HeaderError, body};

/// Deepest nesting of components; RFC 5545 knows two.
const DEEPEST: usize = 16;

const FIELD: &str = "calendar";

/// Says what a calendar object wants of its reader: the iTIP method (RFC 5546 §1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CalendarMethod {
    /// Tells about something; no answer is wanted.
    Publish,
    /// Invites, or changes an invitation.
    Request,
    /// Answers an invitation.
    Reply,
    /// Adds instances to something that repeats.
    Add,
    /// Calls something off.
    Cancel,
    /// Asks for the latest version.
    Refresh,
    /// Proposes something else to the organizer.
    Counter,
    /// Declines such a proposal.
    DeclineCounter,
}

impl CalendarMethod {
    const ALL: [Self; 8] = [
        Self::Publish,
        Self::Request,
        Self::Reply,
        Self::Add,
        Self::Cancel,
        Self::Refresh,
        Self::Counter,
        Self::DeclineCounter,
    ];

    /// Returns the method as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "PUBLISH",
            Self::Request => "REQUEST",
            Self::Reply => "REPLY",
            Self::Add => "ADD",
            Self::Cancel => "CANCEL",
            Self::Refresh => "REFRESH",
            Self::Counter => "COUNTER",
            Self::DeclineCounter => "DECLINECOUNTER",
        }
    }
}

impl fmt::Display for CalendarMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Holds a calendar object for mail programs to offer as an invitation (RFC 5545, RFC 6047).
///
/// The method that its part announces is the one that the object itself names, as RFC 6047 §2.4 asks: programs ignore
/// invitations where the two differ. The object's grammar is not checked beyond its frame.
///
/// # Examples
///
/// ```
/// use posthaste_mime::{Calendar, CalendarMethod};
///
/// let ics = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Example//EN\nMETHOD:REQUEST\nEND:VCALENDAR\n";
/// let calendar = Calendar::new(ics)?;
/// assert_eq!(calendar.method(), CalendarMethod::Request);
/// assert!(Calendar::new("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n").is_err());
/// # Ok::<(), posthaste_mime::HeaderError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Calendar {
    method: CalendarMethod,
    /// The object, with CRLF line breaks and one behind the last line.
    object: Bytes,
}

impl Calendar {
    /// Checks and takes a calendar object. Line breaks of any kind become CRLF.
    ///
    /// # Errors
    ///
    /// [`HeaderError`] for the field `calendar` when the text does not begin with `BEGIN:VCALENDAR` and end with
    /// `END:VCALENDAR`, its components are not nested properly, it does not name exactly one method, or it holds a control
    /// character other than a tab.
    pub fn new(object: &str) -> Result<Self, HeaderError> {
        let found = object
            .char_indices()
            .find(|(_, c)| is_control(*c) && !matches!(c, '\t' | '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}'));
        if let Some((offset, character)) = found {
            return Err(HeaderError::Control {
                field: FIELD,
                character,
                offset,
            });
        }
        let mut canonical = body::canonical(object.trim_end_matches(['\r', '\n']));
        canonical.push_str("\r\n");
        let method = read(&canonical)?;
        Ok(Self {
            method,
            object: Bytes::from(canonical),
        })
    }

    /// Returns the method.
    pub fn method(&self) -> CalendarMethod {
        self.method
    }

    /// Returns the object, with CRLF line breaks.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.object).unwrap_or_default()
    }

    /// Makes an attachment of the object too, for programs that know invitations only as files: `invite.ics` is the usual
    /// name.
    ///
    /// # Errors
    ///
    /// As [`Attachment::new`].
    pub fn to_attachment(&self, file_name: &str) -> Result<Attachment, HeaderError> {
        let kind = ContentType::parse("application/ics")?;
        Attachment::new(file_name, kind, self.object.clone())
    }
}

/// Shows the method, not what it says.
impl fmt::Debug for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calendar")
            .field("method", &self.method)
            .field("len", &self.object.len())
            .finish_non_exhaustive()
    }
}

/// Looks at the frame of an object and returns its method.
fn read(object: &str) -> Result<CalendarMethod, HeaderError> {
    let mut open: Vec<String> = Vec::new();
    let mut method = None;
    let mut ended = false;
    for line in unfolded(object) {
        if ended {
            return Err(syntax("one object that ends with END:VCALENDAR"));
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        if open.is_empty() && !(name.eq_ignore_ascii_case("BEGIN") && value.eq_ignore_ascii_case("VCALENDAR")) {
            return Err(syntax("text that begins with BEGIN:VCALENDAR"));
        }
        if name.eq_ignore_ascii_case("BEGIN") {
            if open.len() == DEEPEST {
                return Err(syntax("made of components that are nested less deeply"));
            }
            open.push(value.to_ascii_uppercase());
        } else if name.eq_ignore_ascii_case("END") {
            if open
                .pop()
                .is_none_or(|component| !component.eq_ignore_ascii_case(value))
            {
                return Err(syntax("made of components that end where they must"));
            }
            ended = open.is_empty();
        } else if open.len() == 1
            && name
                .split(';')
                .next()
                .is_some_and(|name| name.eq_ignore_ascii_case("METHOD"))
        {
            let known = CalendarMethod::ALL
                .into_iter()
                .find(|known| known.as_str().eq_ignore_ascii_case(value));
            let Some(known) = known else {
                return Err(syntax("given a METHOD of RFC 5546"));
            };
            if method.replace(known).is_some() {
                return Err(syntax("given one METHOD only"));
            }
        }
    }
    if !ended {
        return Err(syntax("text that ends with END:VCALENDAR"));
    }
    method.ok_or_else(|| syntax("given a METHOD, as invitations must be"))
}

fn syntax(expected: &'static str) -> HeaderError {
    HeaderError::Syntax { field: FIELD, expected }
}

/// Puts folded lines together (RFC 5545 §3.1).
fn unfolded(object: &str) -> impl Iterator<Item = String> {
    let mut lines = object.split_terminator("\r\n").peekable();
    std::iter::from_fn(move || {
        let mut line = lines.next()?.to_owned();
        while let Some(more) = lines.next_if(|next| next.starts_with([' ', '\t'])) {
            line.push_str(more.get(1..).unwrap_or_default());
        }
        Some(line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(inside: &str) -> Result<Calendar, HeaderError> {
        Calendar::new(&format!("BEGIN:VCALENDAR\r\n{inside}END:VCALENDAR\r\n"))
    }

    #[test]
    fn the_method_is_the_objects_own() {
        for method in CalendarMethod::ALL {
            let calendar = calendar(&format!("method:{}\n", method.as_str().to_lowercase())).unwrap();
            assert_eq!(calendar.method(), method);
        }
        assert_eq!(
            calendar("MET\r\n HOD:RE\r\n\tPLY\r\n").unwrap().method(),
            CalendarMethod::Reply
        );
        assert_eq!(
            calendar("METHOD;X-A=b:CANCEL\r\nBEGIN:VEVENT\r\nMETHOD:x\r\nEND:VEVENT\r\n")
                .unwrap()
                .method(),
            CalendarMethod::Cancel
        );
    }

    #[test]
    fn line_breaks_become_crlf() {
        let calendar = Calendar::new("BEGIN:VCALENDAR\nMETHOD:ADD\rEND:VCALENDAR").unwrap();
        assert_eq!(calendar.as_str(), "BEGIN:VCALENDAR\r\nMETHOD:ADD\r\nEND:VCALENDAR\r\n");
        assert_eq!(
            calendar.to_attachment("invite.ics").unwrap().data().unwrap(),
            calendar.as_str()
        );
        assert!(!format!("{calendar:?}").contains("VCALENDAR"));
    }

    #[test]
    fn what_is_no_invitation_is_refused() {
        let deep = format!("METHOD:ADD\n{}", "BEGIN:X\n".repeat(1000));
        for inside in [
            "",
            "METHOD:\n",
            "METHOD:JUMP\n",
            "METHOD:ADD\nMETHOD:ADD\n",
            "METHOD:ADD\nBEGIN:VEVENT\n",
            "METHOD:ADD\nBEGIN:VEVENT\nEND:VTODO\n",
            "METHOD:ADD\nEND:VCALENDAR\nX:y\n",
            "METHOD:ADD\nX:\0\n",
            "METHOD:ADD\nX:\u{7f}\n",
            &deep,
        ] {
            assert_eq!(calendar(inside).unwrap_err().field(), "calendar", "{inside:?}");
        }
        for object in [
            "",
            "\n",
            "METHOD:ADD",
            " BEGIN:VCALENDAR\nMETHOD:ADD\nEND:VCALENDAR",
            "BEGIN:VCALENDAR\nMETHOD:ADD\n",
        ] {
            assert!(Calendar::new(object).is_err(), "{object:?}");
        }
    }
}
