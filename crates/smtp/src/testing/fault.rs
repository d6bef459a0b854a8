//! What goes wrong on purpose.

use posthaste_address::EmailAddress;

use crate::server::Verdict;

/// Names a step of a session at which a [`TestServer`](super::TestServer) can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// The connection, before the greeting.
    Connect,
    /// EHLO or HELO.
    Ehlo,
    /// The check of a login. The client gets the server's own words for "not now" or "no"; hanging up is a stall.
    Login,
    /// MAIL.
    Mail,
    /// RCPT.
    Rcpt,
    /// The end of the message.
    Data,
}

/// Something that a [`TestServer`](super::TestServer) shall do wrong: always, or a number of times.
///
/// # Examples
///
/// ```
/// use posthaste_smtp::server::Verdict;
/// use posthaste_smtp::testing::{Fault, Stage};
///
/// let greylisting = Fault::reply(Stage::Rcpt, Verdict::defer(450, (7, 1), "greylisted")).times(1);
/// let mailbox_full = Fault::reply(Stage::Rcpt, Verdict::refuse(552, (2, 2), "mailbox full")).to("bob@example.net".parse()?);
/// let lost = Fault::lose_reply().times(1);
/// # Ok::<(), posthaste_address::AddressError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Fault {
    pub(super) stage: Stage,
    pub(super) action: Action,
    /// How often it still happens; `None` is always.
    left: Option<u32>,
    recipient: Option<EmailAddress>,
}

#[derive(Clone, Debug)]
pub(super) enum Action {
    Reply(Verdict),
    HangUp,
    LoseReply,
    Stall,
}

impl Fault {
    fn new(stage: Stage, action: Action) -> Self {
        Self {
            stage,
            action,
            left: None,
            recipient: None,
        }
    }

    /// Gives this reply at `stage`. A reply that accepts is no fault, and lets nothing behind it happen.
    pub fn reply(stage: Stage, verdict: Verdict) -> Self {
        Self::new(stage, Action::Reply(verdict))
    }

    /// Closes the connection at `stage` without a reply. At [`Stage::Data`] the message is not kept: nobody has it, and the
    /// client cannot know.
    pub fn hang_up(stage: Stage) -> Self {
        Self::new(stage, Action::HangUp)
    }

    /// Keeps the message and closes the connection without a reply: somebody has it, and the client cannot know.
    pub fn lose_reply() -> Self {
        Self::new(Stage::Data, Action::LoseReply)
    }

    /// Never answers at `stage`.
    pub fn stall(stage: Stage) -> Self {
        Self::new(stage, Action::Stall)
    }

    /// Lets it happen `times` times; without this it happens always.
    pub fn times(mut self, times: u32) -> Self {
        self.left = Some(times);
        self
    }

    /// Lets it happen for this recipient only: at [`Stage::Rcpt`] when it is named, at [`Stage::Data`] when it is one of the
    /// message's.
    pub fn to(mut self, recipient: EmailAddress) -> Self {
        self.recipient = Some(recipient);
        self
    }

    /// Counts it as happened, if it is to happen now.
    pub(super) fn happens(&mut self, stage: Stage, recipients: &[&EmailAddress]) -> bool {
        let is_meant = self.recipient.as_ref().is_none_or(|one| recipients.contains(&one));
        if self.stage != stage || !is_meant {
            return false;
        }
        match &mut self.left {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }
}
