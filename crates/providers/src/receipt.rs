//! What a provider's answer says.

use posthaste_address::EmailAddress;
use posthaste_transport::{Disposition, ErrorKind, Fate, Refusal};
use serde_json::Value;

/// What an answer says of each copy that a request carried.
#[derive(Clone, Debug)]
pub struct Receipt {
    copies: Vec<CopyReceipt>,
}

/// What an answer says of one copy and its recipients.
#[derive(Clone, Debug)]
pub struct CopyReceipt {
    id: Option<String>,
    fate: Fate,
    exceptions: Vec<(String, Fate, Option<String>)>,
}

impl Receipt {
    /// Says the same of every copy.
    #[must_use]
    pub fn whole(copy: CopyReceipt) -> Self {
        Self { copies: vec![copy] }
    }

    /// Says that everything was accepted, under one id if there is one.
    #[must_use]
    pub fn accepted(id: Option<String>) -> Self {
        Self::whole(CopyReceipt::new(Fate::Accepted, id))
    }

    /// Says something of each copy, in the order of the request. A copy that nothing is said of is unknown.
    #[must_use]
    pub fn copies(copies: impl IntoIterator<Item = CopyReceipt>) -> Self {
        let mut copies: Vec<_> = copies.into_iter().collect();
        // One alone would be said of all.
        if copies.len() == 1 {
            copies.push(CopyReceipt::new(Fate::Unknown, None));
        }
        Self { copies }
    }

    pub(crate) fn copy(&self, index: usize) -> Option<&CopyReceipt> {
        match self.copies.as_slice() {
            [one] => Some(one),
            several => several.get(index),
        }
    }
}

impl CopyReceipt {
    /// Says what became of a copy, and its id at the provider.
    #[must_use]
    pub const fn new(fate: Fate, id: Option<String>) -> Self {
        Self {
            id,
            fate,
            exceptions: Vec::new(),
        }
    }

    /// Says that a copy was refused.
    #[must_use]
    pub const fn refused(refusal: Refusal) -> Self {
        Self::new(Fate::Refused(refusal), None)
    }

    /// Says something else of one recipient, by address in any case, with an id of its own if there is one.
    #[must_use]
    pub fn except(mut self, address: impl Into<String>, fate: Fate, id: Option<String>) -> Self {
        self.exceptions.push((address.into(), fate, id));
        self
    }

    pub(crate) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Returns what is said of `address`, and its own id.
    pub(crate) fn of(&self, address: &EmailAddress) -> (Fate, Option<&str>) {
        let written = address.to_string();
        let unicode = address.to_unicode();
        let exception = self
            .exceptions
            .iter()
            .find(|(own, ..)| own.eq_ignore_ascii_case(&written) || own.eq_ignore_ascii_case(&unicode));
        match exception {
            Some((_, fate, id)) => (fate.clone(), id.as_deref()),
            None => (self.fate.clone(), None),
        }
    }
}

/// What an answer that refuses, or that cannot be understood, says.
///
/// What an adapter leaves open is filled in from the status: see [`Fault::new`].
#[derive(Clone, Debug, Default)]
pub struct Fault {
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) kind: Option<ErrorKind>,
    pub(crate) disposition: Option<Disposition>,
}

impl Fault {
    /// Says nothing beyond the status:
    ///
    /// | status | kind | accepted |
    /// | --- | --- | --- |
    /// | 401, 403, 407 | [`Unauthorized`](ErrorKind::Unauthorized) | no |
    /// | 402, 420, 429 | [`Throttled`](ErrorKind::Throttled) | no |
    /// | 408, 425 | [`Unavailable`](ErrorKind::Unavailable) | no |
    /// | 413 | [`Rejected`](ErrorKind::Rejected) | no |
    /// | 3xx, other 4xx | [`Invalid`](ErrorKind::Invalid) | no |
    /// | 503 with `Retry-After` | [`Unavailable`](ErrorKind::Unavailable) | no |
    /// | other 5xx | [`Unavailable`](ErrorKind::Unavailable) | perhaps |
    /// | 2xx that cannot be understood | [`Unknown`](ErrorKind::Unknown) | perhaps |
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes code and words from where they stand in an answer, by JSON pointers (RFC 6901): texts, or numbers.
    pub(crate) fn of_json(body: &Value, code: &str, message: &str) -> Self {
        Self {
            code: body.pointer(code).and_then(text),
            message: body.pointer(message).and_then(text),
            ..Self::default()
        }
    }

    /// Sets the provider's code.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    pub(crate) fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Sets the provider's words.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    /// Sets the kind, whatever the status.
    #[must_use]
    pub const fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Sets what is known about acceptance, whatever the status.
    #[must_use]
    pub const fn with_disposition(mut self, disposition: Disposition) -> Self {
        self.disposition = Some(disposition);
        self
    }
}

/// What stands at a JSON pointer (RFC 6901), null if nothing does.
pub(crate) fn at<'v>(value: &'v Value, pointer: &str) -> &'v Value {
    const NULL: &Value = &Value::Null;
    value.pointer(pointer).unwrap_or(NULL)
}

/// A text that is not empty, or a number as text.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What the status of a fault says: see the table at [`Fault::new`].
pub(crate) const fn classify(status: u16, asks_to_wait: bool) -> (ErrorKind, Disposition) {
    use Disposition::{Ambiguous, NotAccepted};
    use ErrorKind::{Invalid, Rejected, Throttled, Unauthorized, Unavailable, Unknown};

    match status {
        401 | 403 | 407 => (Unauthorized, NotAccepted),
        402 | 420 | 429 => (Throttled, NotAccepted),
        408 | 425 => (Unavailable, NotAccepted),
        413 => (Rejected, NotAccepted),
        503 if asks_to_wait => (Unavailable, NotAccepted),
        300..=499 => (Invalid, NotAccepted),
        500..=599 => (Unavailable, Ambiguous),
        _ => (Unknown, Ambiguous),
    }
}
