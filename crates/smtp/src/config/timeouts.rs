//! How long each phase of a session may take.

use std::time::Duration;

/// A phase of a client's session that has its own deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Connect,
    Tls,
    Greeting,
    Command,
    Mail,
    Rcpt,
    Data,
    Block,
    End,
}

/// How long each phase of a session may take. The defaults are those of RFC 5321 §4.5.3.2; shorten them for people who
/// wait. The whole send has a deadline of its own in the send's options.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use posthaste_smtp::Timeouts;
///
/// let timeouts = Timeouts::default().connect(Duration::from_secs(5)).end(Duration::from_secs(60));
/// let quick = Timeouts::all(Duration::from_secs(10));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    connect: Duration,
    tls: Duration,
    greeting: Duration,
    command: Duration,
    mail: Duration,
    rcpt: Duration,
    data: Duration,
    block: Duration,
    end: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        Self {
            connect: Duration::from_secs(30),
            tls: Duration::from_secs(30),
            greeting: minutes(5),
            command: minutes(5),
            mail: minutes(5),
            rcpt: minutes(5),
            data: minutes(2),
            block: minutes(3),
            end: minutes(10),
        }
    }
}

impl Timeouts {
    /// Gives every phase the same time.
    pub fn all(time: Duration) -> Self {
        Self {
            connect: time,
            tls: time,
            greeting: time,
            command: time,
            mail: time,
            rcpt: time,
            data: time,
            block: time,
            end: time,
        }
    }

    /// Sets the time to open a connection, name resolution included. Default 30 s.
    pub fn connect(mut self, time: Duration) -> Self {
        self.connect = time;
        self
    }

    /// Sets the time for a TLS handshake. Default 30 s.
    pub fn tls(mut self, time: Duration) -> Self {
        self.tls = time;
        self
    }

    /// Sets the time to the server's greeting. Default 5 min.
    pub fn greeting(mut self, time: Duration) -> Self {
        self.greeting = time;
        self
    }

    /// Sets the time to each reply to EHLO, STARTTLS, AUTH and RSET. Default 5 min.
    pub fn command(mut self, time: Duration) -> Self {
        self.command = time;
        self
    }

    /// Sets the time to the reply to MAIL. Default 5 min.
    pub fn mail(mut self, time: Duration) -> Self {
        self.mail = time;
        self
    }

    /// Sets the time to the reply to each RCPT. Default 5 min.
    pub fn rcpt(mut self, time: Duration) -> Self {
        self.rcpt = time;
        self
    }

    /// Sets the time to the reply to DATA. Default 2 min.
    pub fn data(mut self, time: Duration) -> Self {
        self.data = time;
        self
    }

    /// Sets the time for each 32 KiB of the message to be taken by the connection. Default 3 min.
    pub fn block(mut self, time: Duration) -> Self {
        self.block = time;
        self
    }

    /// Sets the time to the reply to the final dot. Default 10 min; too short a time makes doubles (RFC 5321 §4.5.3.2.6).
    pub fn end(mut self, time: Duration) -> Self {
        self.end = time;
        self
    }

    pub(crate) fn get(&self, phase: Phase) -> Duration {
        match phase {
            Phase::Connect => self.connect,
            Phase::Tls => self.tls,
            Phase::Greeting => self.greeting,
            Phase::Command => self.command,
            Phase::Mail => self.mail,
            Phase::Rcpt => self.rcpt,
            Phase::Data => self.data,
            Phase::Block => self.block,
            Phase::End => self.end,
        }
    }

    pub(super) fn set(&mut self, phase: Phase, time: Duration) {
        *match phase {
            Phase::Connect => &mut self.connect,
            Phase::Tls => &mut self.tls,
            Phase::Greeting => &mut self.greeting,
            Phase::Command => &mut self.command,
            Phase::Mail => &mut self.mail,
            Phase::Rcpt => &mut self.rcpt,
            Phase::Data => &mut self.data,
            Phase::Block => &mut self.block,
            Phase::End => &mut self.end,
        } = time;
    }
}
