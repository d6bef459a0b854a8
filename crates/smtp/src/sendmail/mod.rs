//! The sendmail program of this machine as a transport.

mod exit;
mod lines;
mod process;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use posthaste_mime::Rope;
use posthaste_transport::{
    Capabilities, ContentReader, Disposition, ErrorKind, Fate, Outbound, Outcome, Refusal, SendError, SendFuture,
    SendOptions, Timer, TokioTimer, Transport, TransportInfo, plan, within,
};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use url::Url;

pub use exit::SendmailError;

use crate::config::{ConfigError, duration, percent_decode};

/// Where the program is on nearly every Unix.
const PROGRAM: &str = "/usr/sbin/sendmail";

/// Runs longer than this are ended, unless another limit is set.
const TIMEOUT: Duration = Duration::from_secs(300);

/// Runs that go on at once, unless another number is set.
const PROCESSES: usize = 8;

/// Most recipients of one message: as arguments they have to fit into what systems give to a program.
const MAX_RECIPIENTS: u32 = 1000;

const INFO: TransportInfo = TransportInfo::new("sendmail", Capabilities::wire().with_max_recipients(MAX_RECIPIENTS));

/// Hands messages to the sendmail program of this machine: Postfix, Exim, OpenSMTPD, msmtp and others have one.
///
/// Each message is a run of the program with the envelope on its command line, `-i -f SENDER -- RECIPIENT…`, and the message
/// on its standard input, with the line ends of Unix. No shell comes between, and no address can be taken for an option. The
/// program takes the message or not, for all recipients alike; what becomes of each is learnt from bounces.
///
/// | exit status (`sysexits.h`) | kind | accepted |
/// | --- | --- | --- |
/// | 0 | | by the program, which queues it |
/// | 65 `DATAERR` | [`Rejected`](ErrorKind::Rejected) | no |
/// | 67 `NOUSER`, 68 `NOHOST` | [`Rejected`](ErrorKind::Rejected) | no; of several recipients perhaps for some |
/// | 64 `USAGE`, 66 `NOINPUT`, 72 `OSFILE`, 78 `CONFIG` | [`Invalid`](ErrorKind::Invalid) | no |
/// | 77 `NOPERM` | [`Unauthorized`](ErrorKind::Unauthorized) | no |
/// | 69 `UNAVAILABLE`, 71 `OSERR`, 73 `CANTCREAT` | [`Unavailable`](ErrorKind::Unavailable) | no |
/// | 70 `SOFTWARE`, 74 `IOERR`, 76 `PROTOCOL` | [`Unavailable`](ErrorKind::Unavailable) | perhaps, as for a signal |
/// | 75 `TEMPFAIL` | [`Unavailable`](ErrorKind::Unavailable) | perhaps, see [`tempfail_refuses`](Self::tempfail_refuses) |
/// | another, or a signal | [`Unknown`](ErrorKind::Unknown) | perhaps, if the program had the whole message |
///
/// A send that is dropped, or whose deadline comes, kills the program with all that it started, and before its input ends: so
/// that no half of a message is ever taken for a whole. A bare CR or LF, a NUL or a line of more than 998 octets never leaves.
///
/// # Examples
///
/// ```
/// use posthaste_smtp::SendmailTransport;
///
/// let transport = SendmailTransport::new().program("/usr/lib/sendmail");
/// let the_same = SendmailTransport::from_url("sendmail:///usr/lib/sendmail")?;
/// # Ok::<(), posthaste_smtp::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct SendmailTransport {
    program: PathBuf,
    arguments: Vec<OsString>,
    timeout: Duration,
    tempfail_refuses: bool,
    running: Arc<Semaphore>,
    timer: Arc<dyn Timer>,
}

impl Default for SendmailTransport {
    fn default() -> Self {
        Self::new()
    }
}

impl SendmailTransport {
    /// Runs `/usr/sbin/sendmail`, eight times at once at most, each for five minutes at most.
    pub fn new() -> Self {
        Self {
            program: PathBuf::from(PROGRAM),
            arguments: Vec::new(),
            timeout: TIMEOUT,
            tempfail_refuses: false,
            running: Arc::new(Semaphore::new(PROCESSES)),
            timer: Arc::new(TokioTimer::new()),
        }
    }

    /// Reads `sendmail:`, or `sendmail:///path/of/program?key=value`.
    ///
    /// | key | value | default |
    /// | --- | --- | --- |
    /// | `argument` | what stands before `-i`; several times if there are several | none |
    /// | `timeout` | `500ms`, `30s`, `5m` or seconds | `5m` |
    /// | `processes` | how many may run at once, from 1 | `8` |
    /// | `tempfail_refuses` | `true`, `false` | `false` |
    ///
    /// # Errors
    ///
    /// [`ConfigError`] for another scheme, a host, an unknown key or a value that it cannot have.
    pub fn from_url(url: &str) -> Result<Self, ConfigError> {
        let form = ConfigError::Url("sendmail:///path/of/program");
        let Ok(url) = Url::parse(url) else {
            return Err(form);
        };
        let has_authority = url.has_host() && url.host_str().is_some_and(|host| !host.is_empty());
        if url.scheme() != "sendmail" || has_authority || url.fragment().is_some() {
            return Err(form);
        }
        let mut transport = Self::new();
        let path = percent_decode(url.path())?;
        if !matches!(path.as_str(), "" | "/") {
            transport = transport.program(path);
        }
        for (key, value) in url.query_pairs() {
            transport = match find(&key) {
                Some(key) if key != Key::Program => transport.set(key, &value)?,
                _ => {
                    let known = KEYS.iter().filter(|(_, key)| *key != Key::Program);
                    return Err(ConfigError::UnknownKey {
                        key: key.into_owned(),
                        known: known.map(|(name, _)| *name).collect::<Vec<_>>().join(", "),
                    });
                }
            };
        }
        Ok(transport)
    }

    /// Reads `SENDMAIL_PROGRAM`, and the keys of [`Self::from_url`] as `SENDMAIL_TIMEOUT` and so on, from the environment; other
    /// names are skipped, they have other owners.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Value`] for a value that its key cannot have.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_os_vars(std::env::vars_os())
    }

    /// As [`Self::from_env`], from any pairs.
    ///
    /// # Errors
    ///
    /// As [`Self::from_env`].
    pub fn from_vars(vars: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        Self::from_os_vars(vars.into_iter().map(|(name, value)| (name.into(), value.into())))
    }

    fn from_os_vars(vars: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Self, ConfigError> {
        vars.into_iter().try_fold(Self::new(), |transport, (name, value)| {
            let name = name.to_str().and_then(|name| name.strip_prefix("SENDMAIL_"));
            match name.and_then(|name| find(&name.to_ascii_lowercase())) {
                Some(key) => transport.set(key, value.to_str().ok_or_else(|| key.error("UTF-8"))?),
                None => Ok(transport),
            }
        })
    }

    fn set(self, key: Key, value: &str) -> Result<Self, ConfigError> {
        Ok(match key {
            Key::Program => self.program(value),
            Key::Argument => self.argument(value),
            Key::Timeout => self.timeout(duration(value).ok_or_else(|| key.error("a duration as 500ms, 30s or 5m"))?),
            Key::Processes => {
                let number = value.parse().ok().filter(|number| *number > 0);
                self.processes(number.ok_or_else(|| key.error("a number from 1"))?)
            }
            Key::TempfailRefuses => self.tempfail_refuses(value.parse().map_err(|_| key.error("true or false"))?),
        })
    }

    /// Sets the program.
    pub fn program(mut self, path: impl Into<PathBuf>) -> Self {
        self.program = path.into();
        self
    }

    /// Adds an argument, which stands before those that say the envelope.
    pub fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Sets how long one run may take.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how many runs may go on at once; others wait for their turn. At least one.
    pub fn processes(mut self, processes: usize) -> Self {
        self.running = Arc::new(Semaphore::new(processes.clamp(1, Semaphore::MAX_PERMITS)));
        self
    }

    /// Says what exit status 75 means. Of sendmail itself it means that the message is queued and was not delivered at once; of
    /// Postfix, that it was not taken. So it is ambiguous, unless it is said here that it is a refusal.
    pub fn tempfail_refuses(mut self, refuses: bool) -> Self {
        self.tempfail_refuses = refuses;
        self
    }

    /// Sets what tells the time that a run takes.
    pub fn timer(mut self, timer: impl Timer) -> Self {
        self.timer = Arc::new(timer);
        self
    }

    /// The command line behind the program's name.
    fn command_line(&self, mail: &Outbound) -> Vec<OsString> {
        let envelope = mail.envelope();
        let sender = envelope
            .mail_from()
            .map_or_else(|| "<>".to_owned(), ToString::to_string);
        let mut line = self.arguments.clone();
        if mail.needs_8bit() {
            line.push("-B8BITMIME".into());
        }
        // A lone dot is a line like any other; the sender is glued to its option, and the recipients stand behind the
        // options' end: so that none of them is one.
        line.push("-i".into());
        line.push(format!("-f{sender}").into());
        line.push("--".into());
        line.extend(
            envelope
                .recipients()
                .iter()
                .map(|recipient| recipient.address().to_string().into()),
        );
        line
    }

    async fn deliver(&self, mail: &Outbound, options: &SendOptions) -> Result<Outcome, SendError> {
        plan(mail, options, &INFO)?;
        // Tokio's processes need its runtime.
        Handle::try_current().map_err(|error| {
            SendError::new(ErrorKind::Unavailable, Disposition::NotAccepted)
                .with_transport("sendmail")
                .with_detail("looking for a tokio runtime")
                .with_source(error)
        })?;
        let began = self.timer.now();
        let name = |error: SendError| error.with_transport("sendmail");
        let limit = options.deadline().map_or(self.timeout, |left| left.min(self.timeout));
        let waiting = |detail| {
            SendError::new(ErrorKind::Timeout, Disposition::NotAccepted)
                .with_transport("sendmail")
                .with_detail(detail)
        };
        let rope = mail.rope();
        inspect(&rope).map_err(name)?;
        let ready = async {
            let turn = self.running.acquire().await;
            ContentReader::probe(&rope).await.map(|()| turn)
        };
        let turn = within(&*self.timer, Some(limit), ready)
            .await
            .ok_or_else(|| waiting("waiting for its turn"))?
            .map_err(|error| name(process::unreadable(error)))?;
        let left = limit.saturating_sub(self.timer.now().saturating_sub(began));
        let mut run = process::Run::start(&self.program, self.command_line(mail)).map_err(name)?;
        let ended = within(&*self.timer, Some(left), run.feed(&rope)).await;
        let ended = match ended {
            Some(ended) => ended.map_err(name)?,
            None => {
                let had_all = run.had_all();
                run.kill().await;
                let disposition = if had_all {
                    Disposition::Ambiguous
                } else {
                    Disposition::NotAccepted
                };
                return Err(SendError::new(ErrorKind::Timeout, disposition)
                    .with_transport("sendmail")
                    .with_detail("waiting for the program"));
            }
        };
        drop(turn);
        let alone = mail.envelope().recipients().len() == 1;
        match exit::error(&ended, self.tempfail_refuses, alone) {
            None => Ok(Outcome::accept_all(mail)),
            Some(error) => Err(name(with_fates(error, mail))),
        }
    }

    /// Returns the program's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.program
    }
}

#[deny(clippy::missing_trait_methods)]
impl Transport for SendmailTransport {
    fn info(&self) -> TransportInfo {
        INFO
    }

    fn send<'a>(&'a self, mail: &'a Outbound, options: &'a SendOptions) -> SendFuture<'a> {
        Box::pin(self.deliver(mail, options))
    }
}

/// What the program refuses, it refuses for every recipient.
fn with_fates(error: SendError, mail: &Outbound) -> SendError {
    let refusal = match (error.disposition(), error.kind()) {
        (Disposition::NotAccepted, ErrorKind::Rejected) => Refusal::permanent(),
        (Disposition::NotAccepted, ErrorKind::Unavailable) => Refusal::transient(),
        _ => return error,
    };
    error.with_outcome(Outcome::decide(mail, |_| Fate::Refused(refusal.clone())))
}

/// One setting that text can express.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Program,
    Argument,
    Timeout,
    Processes,
    TempfailRefuses,
}

const KEYS: [(&str, Key); 5] = [
    ("program", Key::Program),
    ("argument", Key::Argument),
    ("timeout", Key::Timeout),
    ("processes", Key::Processes),
    ("tempfail_refuses", Key::TempfailRefuses),
];

impl Key {
    fn error(self, expected: &'static str) -> ConfigError {
        let entry = KEYS.iter().find(|(_, key)| *key == self);
        ConfigError::Value {
            key: entry.map_or("key", |(name, _)| name),
            expected,
        }
    }
}

fn find(name: &str) -> Option<Key> {
    let entry = KEYS.iter().find(|(known, _)| *known == name);
    entry.map(|(_, key)| *key)
}

/// Finds what cannot be sent before a program is started: all of it, unless the message has to be read.
fn inspect(rope: &Rope) -> Result<(), SendError> {
    let Some(mut chunks) = rope.in_memory() else {
        return Ok(());
    };
    let mut lines = lines::UnixLines::new();
    let checked = chunks.try_for_each(|chunk| lines.check(chunk));
    checked.and_then(|()| lines.finish()).map(drop).map_err(process::unfit)
}

#[cfg(test)]
mod tests {
    use posthaste_address::Envelope;

    use super::*;

    fn line(sender: Option<&str>, recipients: &[&str], body: &str) -> Vec<String> {
        let envelope = Envelope::new(
            sender.map(|sender| sender.parse().unwrap()),
            recipients
                .iter()
                .map(|recipient| recipient.parse::<posthaste_address::EmailAddress>().unwrap()),
        );
        let mail = Outbound::raw(envelope.unwrap(), Rope::from(body.as_bytes().to_vec()));
        let transport = SendmailTransport::new().argument("-oem");
        let line = transport.command_line(&mail);
        line.into_iter().map(|word| word.into_string().unwrap()).collect()
    }

    #[test]
    fn no_address_is_taken_for_an_option() {
        assert_eq!(
            line(
                Some("-oQ/tmp@example.org"),
                &["-bd@example.net", "bob@example.net"],
                "A: b\r\n\r\n"
            ),
            [
                "-oem",
                "-i",
                "-f-oQ/tmp@example.org",
                "--",
                "-bd@example.net",
                "bob@example.net"
            ]
        );
        assert_eq!(
            line(None, &["bob@example.net"], "A: b\r\n\r\n\u{e4}"),
            ["-oem", "-B8BITMIME", "-i", "-f<>", "--", "bob@example.net"]
        );
    }

    #[test]
    fn urls_are_read() {
        let read = |url: &str| SendmailTransport::from_url(url);
        for url in ["sendmail:", "sendmail://", "sendmail:///"] {
            assert_eq!(read(url).unwrap().path(), Path::new("/usr/sbin/sendmail"), "{url}");
        }
        let url = "sendmail:///opt/my%20mail/sendmail?argument=-t&argument=-X%20y&timeout=90s&processes=2";
        let transport = read(url).unwrap();
        assert_eq!(transport.path(), Path::new("/opt/my mail/sendmail"));
        assert_eq!(transport.arguments, ["-t", "-X y"]);
        assert_eq!(transport.timeout, Duration::from_secs(90));
        assert_eq!(transport.running.available_permits(), 2);
        for (url, part) in [
            ("smtp:///usr/sbin/sendmail", "sendmail:///"),
            ("sendmail://host/usr/sbin/sendmail", "sendmail:///"),
            ("sendmail:?timeout=soon", "`timeout`"),
            ("sendmail:?processes=0", "`processes`"),
            ("sendmail:?tempfail_refuses=yes", "`tempfail_refuses`"),
            ("sendmail:?timeouts=1", "unknown key `timeouts`"),
        ] {
            let error = read(url).unwrap_err().to_string();
            assert!(error.contains(part), "{url}: {error}");
        }
    }

    #[test]
    fn variables_are_read_and_others_skipped() {
        let vars = [
            ("SENDMAIL_PROGRAM", "/usr/bin/msmtp"),
            ("SENDMAIL_ARGUMENT", "-v"),
            ("SENDMAIL_TEMPFAIL_REFUSES", "true"),
            ("SENDMAIL_OTHER", "x"),
            ("PATH", "/"),
        ];
        let vars = vars.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let transport = SendmailTransport::from_vars(vars).unwrap();
        assert_eq!(transport.path(), Path::new("/usr/bin/msmtp"));
        assert_eq!(transport.arguments, ["-v"]);
        assert!(transport.tempfail_refuses);
        let wrong = [("SENDMAIL_PROCESSES".to_owned(), "many".to_owned())];
        assert!(matches!(
            SendmailTransport::from_vars(wrong),
            Err(ConfigError::Value { key: "processes", .. })
        ));
        assert!(SendmailTransport::from_url("sendmail:?program=x").is_err());
    }
}
