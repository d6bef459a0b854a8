//! What the server has been told to say.

use std::collections::HashMap;

use crate::Answer;

/// What the server has been told to say. Replies are whole, without the last line end.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) answer: Answer,
    pub(super) greeting: String,
    pub(super) capabilities: Vec<String>,
    pub(super) replies: HashMap<String, String>,
    pub(super) recipients: HashMap<String, String>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            answer: Answer::Accept,
            greeting: "220 fake.example ESMTP".to_owned(),
            capabilities: [
                "PIPELINING",
                "8BITMIME",
                "SMTPUTF8",
                "ENHANCEDSTATUSCODES",
                "DSN",
                "SIZE 104857600",
            ]
            .map(str::to_owned)
            .to_vec(),
            replies: HashMap::new(),
            recipients: HashMap::new(),
        }
    }
}

impl Script {
    /// Returns what is said to a command, if that was told.
    pub(super) fn reply(&self, verb: &str) -> Option<String> {
        self.replies.get(verb).cloned()
    }

    /// Returns what is said to one recipient.
    pub(super) fn recipient(&self, address: &str) -> String {
        if let Some(reply) = self.recipients.get(address) {
            return reply.clone();
        }
        let local_part = address.rsplit_once('@').map_or(address, |(local_part, _)| local_part);
        match self.answer {
            Answer::RefuseAll { permanent } => Self::no_such_user(permanent),
            Answer::RefuseOne {
                local_part: refused,
                permanent,
            } if refused == local_part => Self::no_such_user(permanent),
            Answer::RefuseOneAndHangUp { local_part: refused } if refused == local_part => Self::no_such_user(true),
            _ => "250 2.1.5 recipient ok".to_owned(),
        }
    }

    fn no_such_user(permanent: bool) -> String {
        if permanent {
            "550 5.1.1 no such user"
        } else {
            "450 4.2.1 mailbox busy"
        }
        .to_owned()
    }

    /// Returns what is said to a whole message; `None` is to close the connection.
    pub(super) fn end_of_data(&self) -> End {
        match self.answer {
            Answer::RefuseMessage { permanent: true } => End::Refuse("554 5.6.0 message refused".to_owned()),
            Answer::RefuseMessage { permanent: false } => End::Refuse("451 4.3.0 try again later".to_owned()),
            Answer::HangAfterMessage => End::Hang,
            Answer::HangUpAfterMessage | Answer::RefuseOneAndHangUp { .. } => End::HangUp,
            Answer::GarbageAfterMessage => End::Take(GARBAGE.to_owned()),
            _ => match self.reply(".") {
                Some(reply) if reply.starts_with('2') => End::Take(reply),
                Some(reply) => End::Refuse(reply),
                None => End::Take("250 2.0.0 taken as fake-1".to_owned()),
            },
        }
    }
}

/// What is said to a whole message.
#[derive(Debug)]
pub(super) enum End {
    /// Keep it and say this.
    Take(String),
    /// Do not keep it and say this.
    Refuse(String),
    /// Keep it and say nothing.
    Hang,
    /// Keep it and close the connection.
    HangUp,
}

/// Bytes that are no reply. They begin like one, for a reader that looks at the first digit only.
pub(super) const GARBAGE: &str = "2\u{1b}[2J HTTP/1.1 200 OK";
