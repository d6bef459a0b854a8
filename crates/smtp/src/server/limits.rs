//! What one client may use.

use std::time::Duration;

/// How much a client may use of the server before it is refused or hung up on.
///
/// # Examples
///
/// ```
/// use posthaste_smtp::server::Limits;
///
/// let limits = Limits::default().message_size(10 * 1024 * 1024).recipients(50);
/// ```
#[derive(Clone, Debug)]
pub struct Limits {
    pub(super) message_size: usize,
    pub(super) text_line: usize,
    pub(super) command_line: usize,
    pub(super) recipients: usize,
    pub(super) messages: Option<u32>,
    pub(super) hops: usize,
    pub(super) idle_commands: u32,
    pub(super) errors: u32,
    pub(super) tarpit_after: u32,
    pub(super) tarpit: Duration,
    pub(super) failed_logins: u32,
    pub(super) connections: usize,
    pub(super) connections_per_ip: usize,
    pub(super) memory: usize,
    pub(super) greet_pause: Duration,
    pub(super) handshake: Duration,
    pub(super) idle: Duration,
    pub(super) content: Duration,
    pub(super) session: Duration,
    pub(super) handler: Duration,
    pub(super) grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_size: 32 * 1024 * 1024,
            text_line: 1000,
            command_line: 2048,
            recipients: 100,
            messages: None,
            hops: 100,
            idle_commands: 100,
            errors: 20,
            tarpit_after: 10,
            tarpit: Duration::from_secs(1),
            failed_logins: 3,
            connections: 1000,
            connections_per_ip: 100,
            memory: 512 * 1024 * 1024,
            greet_pause: Duration::ZERO,
            handshake: Duration::from_secs(30),
            idle: Duration::from_secs(300),
            content: Duration::from_secs(180),
            session: Duration::from_secs(3600),
            handler: Duration::from_secs(300),
            grace: Duration::from_secs(30),
        }
    }
}

impl Limits {
    /// Sets the largest message, in octets. It is announced (RFC 1870). Default 32 MiB.
    pub fn message_size(mut self, octets: usize) -> Self {
        self.message_size = octets;
        self
    }

    /// Sets the longest line of a message, CR LF included. Default 1000 (RFC 5321 §4.5.3.1.6).
    pub fn text_line(mut self, octets: usize) -> Self {
        self.text_line = octets;
        self
    }

    /// Sets the longest command line, CR LF included; at least 512 is used. Default 2048, which leaves room for the
    /// parameters of every extension.
    pub fn command_line(mut self, octets: usize) -> Self {
        self.command_line = octets.max(512);
        self
    }

    /// Sets the most recipients of one message. They are announced (RFC 9422). Default 100.
    pub fn recipients(mut self, count: usize) -> Self {
        self.recipients = count;
        self
    }

    /// Sets the most messages of one connection. They are announced (RFC 9422). Default is no limit.
    pub fn messages(mut self, count: u32) -> Self {
        self.messages = Some(count);
        self
    }

    /// Sets how many `Received` fields make a loop. Default 100 (RFC 5321 §6.3).
    pub fn hops(mut self, count: usize) -> Self {
        self.hops = count;
        self
    }

    /// Sets how many commands a client may give that bring no message forward, counted from the last message it
    /// delivered. Default 100.
    pub fn idle_commands(mut self, count: u32) -> Self {
        self.idle_commands = count;
        self
    }

    /// Sets how many commands of a session may fail. Default 20.
    pub fn errors(mut self, count: u32) -> Self {
        self.errors = count;
        self
    }

    /// Sets how many commands of a session may fail before each refusal is delayed, and by how much: by `delay` the first time,
    /// twice that the second time, three times the third, up to 30 seconds. Default 10 and 1 second.
    pub fn tarpit(mut self, after: u32, delay: Duration) -> Self {
        self.tarpit_after = after;
        self.tarpit = delay;
        self
    }

    /// Sets how many logins of a session may fail. Default 3.
    pub fn failed_logins(mut self, count: u32) -> Self {
        self.failed_logins = count;
        self
    }

    /// Sets how many connections are served at once. Default 1000.
    pub fn connections(mut self, count: usize) -> Self {
        self.connections = count;
        self
    }

    /// Sets how many connections from one IPv4 address, or one /64 of IPv6, are served at once. Default 100.
    pub fn connections_per_ip(mut self, count: usize) -> Self {
        self.connections_per_ip = count;
        self
    }

    /// Sets how many octets of whole messages are held in memory at once, all connections together; who comes when they are
    /// used up is told to try again. A handler that reads messages piece by piece needs none of it. Default 512 MiB.
    pub fn memory(mut self, octets: usize) -> Self {
        self.memory = octets;
        self
    }

    /// Sets how long the server keeps silent before it greets. A client that talks in that time does not speak SMTP and is
    /// turned away. Default is no time; a few seconds keep many spammers off an MX.
    pub fn greet_pause(mut self, time: Duration) -> Self {
        self.greet_pause = time;
        self
    }

    /// Sets how long a TLS handshake may take. Default 30 seconds.
    pub fn handshake(mut self, time: Duration) -> Self {
        self.handshake = time;
        self
    }

    /// Sets how long the server waits for the next octets of a message. Default 3 minutes (RFC 5321 §4.5.3.2.5).
    pub fn content(mut self, time: Duration) -> Self {
        self.content = time;
        self
    }

    /// Sets how long the server waits for a client to say something or to take a reply. Default 5 minutes
    /// (RFC 5321 §4.5.3.2.7).
    pub fn idle(mut self, time: Duration) -> Self {
        self.idle = time;
        self
    }

    /// Sets how long a whole session may last. Default 1 hour.
    pub fn session(mut self, time: Duration) -> Self {
        self.session = time;
        self
    }

    /// Sets how long the handler may take for one decision before the client is told to try again; while it reads a message,
    /// how long it may read nothing. Default 5 minutes.
    pub fn handler(mut self, time: Duration) -> Self {
        self.handler = time;
        self
    }

    /// Sets how long transactions that were begun may go on after the server was told to stop. Default 30 seconds.
    pub fn grace(mut self, time: Duration) -> Self {
        self.grace = time;
        self
    }
}
