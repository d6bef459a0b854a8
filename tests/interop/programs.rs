//! The programs: where they are, how one is run to its end, how one is kept running for a while.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a program may take for what takes it a moment.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program that `cargo xtask test` looks for.
#[derive(Clone, Copy)]
pub(crate) enum Program {
    Python,
    Dkimpy,
    /// With the module that it seals with.
    DkimpyArc,
    MailDkim,
    OpenDkim,
    Aiosmtpd,
    Aiosmtplib,
    Swaks,
    SmtpSink,
    SmtpSource,
    /// Postfix's `master`, which starts the rest of it.
    Postfix,
    /// Writes the file of users that Cyrus SASL, which Postfix logs in with, reads.
    Saslpasswd,
    /// A plug-in of Cyrus SASL; the others are where it is.
    SaslMechanisms,
    Exim,
    Dovecot,
    DovecotLmtp,
    /// A library that tells a program of users that the machine does not have.
    NssWrapper,
    Msmtp,
    Node,
    /// The folder of the module.
    Nodemailer,
    /// A Python that has it, and Amazon's own client.
    Moto,
    Chromium,
}

impl Program {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Python => "python3",
            Self::Dkimpy => "dkimpy",
            Self::DkimpyArc => "dkimpy with authres",
            Self::MailDkim => "Mail::DKIM",
            Self::OpenDkim => "opendkim",
            Self::Aiosmtpd => "aiosmtpd",
            Self::Aiosmtplib => "aiosmtplib",
            Self::Swaks => "swaks",
            Self::SmtpSink => "smtp-sink",
            Self::SmtpSource => "smtp-source",
            Self::Postfix => "Postfix",
            Self::Saslpasswd => "saslpasswd2",
            Self::SaslMechanisms => "Cyrus SASL with SCRAM",
            Self::Exim => "Exim",
            Self::Dovecot => "Dovecot",
            Self::DovecotLmtp => "Dovecot's LMTP",
            Self::NssWrapper => "nss_wrapper",
            Self::Msmtp => "msmtp",
            Self::Node => "Node.js",
            Self::Nodemailer => "Nodemailer",
            Self::Moto => "moto",
            Self::Chromium => "Chromium",
        }
    }

    /// Where it is, if `cargo xtask test` has found it.
    pub(crate) fn path(self) -> Option<PathBuf> {
        let variable = match self {
            Self::Python => "POSTHASTE_INTEROP_PYTHON",
            Self::Dkimpy => "POSTHASTE_INTEROP_DKIMPY",
            Self::DkimpyArc => "POSTHASTE_INTEROP_DKIMPY_ARC",
            Self::MailDkim => "POSTHASTE_INTEROP_MAIL_DKIM",
            Self::OpenDkim => "POSTHASTE_INTEROP_OPENDKIM",
            Self::Aiosmtpd => "POSTHASTE_INTEROP_AIOSMTPD",
            Self::Aiosmtplib => "POSTHASTE_INTEROP_AIOSMTPLIB",
            Self::Swaks => "POSTHASTE_INTEROP_SWAKS",
            Self::SmtpSink => "POSTHASTE_INTEROP_SMTP_SINK",
            Self::SmtpSource => "POSTHASTE_INTEROP_SMTP_SOURCE",
            Self::Postfix => "POSTHASTE_INTEROP_POSTFIX",
            Self::Saslpasswd => "POSTHASTE_INTEROP_SASLPASSWD",
            Self::SaslMechanisms => "POSTHASTE_INTEROP_SASL_MECHANISMS",
            Self::Exim => "POSTHASTE_INTEROP_EXIM",
            Self::Dovecot => "POSTHASTE_INTEROP_DOVECOT",
            Self::DovecotLmtp => "POSTHASTE_INTEROP_DOVECOT_LMTP",
            Self::NssWrapper => "POSTHASTE_INTEROP_NSS_WRAPPER",
            Self::Msmtp => "POSTHASTE_INTEROP_MSMTP",
            Self::Node => "POSTHASTE_INTEROP_NODE",
            Self::Nodemailer => "POSTHASTE_INTEROP_NODEMAILER",
            Self::Moto => "POSTHASTE_INTEROP_MOTO",
            Self::Chromium => "POSTHASTE_INTEROP_CHROMIUM",
        };
        std::env::var_os(variable).map(PathBuf::from)
    }

    /// The program as a command; Postfix's tools find their libraries beside them where they are unpacked, not installed.
    pub(crate) fn command(self) -> Command {
        let path = self.path().expect("a case names the programs that it needs");
        let mut command = Command::new(&path);
        command
            .stdin(Stdio::null())
            .env("PYTHONUTF8", "1")
            .env("LC_ALL", "C.UTF-8");
        if let Some(libraries) = path
            .ancestors()
            .nth(2)
            .map(|usr| usr.join("lib/postfix"))
            .filter(|folder| folder.is_dir())
        {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        command
    }
}

/// One of the scripts in this folder, run by a Python or a Perl.
pub(crate) fn script(interpreter: Program, name: &str) -> Command {
    let mut command = interpreter.command();
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(name));
    command
}

/// Runs a command to its end and returns what it wrote; it must succeed.
pub(crate) fn output(command: &mut Command) -> Vec<u8> {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// As [`output`], read as JSON.
pub(crate) fn json(command: &mut Command) -> serde_json::Value {
    let written = output(command);
    serde_json::from_slice(&written).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&written)))
}

/// A server that runs until it is dropped.
pub(crate) struct Running {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Running {
    /// Starts what `command` makes for a port, and waits until it answers there.
    pub(crate) fn start(command: impl Fn(SocketAddr) -> Command) -> Self {
        // Another process may take the port between our letting it go and its being used: then try another one.
        for _ in 0..5 {
            let address = free_port();
            let mut child = command(address).spawn().expect("the program starts");
            let until = Instant::now() + PATIENCE;
            while child.try_wait().expect("its state can be asked").is_none() {
                if TcpStream::connect_timeout(&address, PATIENCE).is_ok() {
                    return Self { child, address };
                }
                assert!(Instant::now() < until, "it does not answer");
                std::thread::yield_now();
            }
        }
        panic!("the program ends as soon as it is started");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone after this.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address")
}
