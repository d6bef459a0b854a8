//! Our client into mail servers as they run in the world, Postfix and Exim: what they put into a mailbox is what was sent.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use posthaste_address::{Envelope, Notify, Recipient};
use posthaste_mime::Rope;
use posthaste_smtp::{SmtpConfig, SmtpTransport, Tls};
use posthaste_transport::{Outbound, Outcome, SendOptions, Transport};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::Case;
use crate::programs::{Program, Running};
use crate::receiver::{UNKNOWN, certificate};

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "postfix_delivers_every_octet_that_our_client_gives_it_by_bdat_over_starttls",
        needs: &[Program::Postfix],
        run: || postfix_delivers(true),
    },
    Case {
        name: "postfix_delivers_every_octet_that_our_client_gives_it_by_data_over_starttls",
        needs: &[Program::Postfix],
        run: || postfix_delivers(false),
    },
    Case {
        name: "postfix_delivers_fifty_messages_that_go_one_behind_the_other",
        needs: &[Program::Postfix],
        run: postfix_delivers_many,
    },
    Case {
        name: "exim_delivers_every_octet_that_our_client_gives_it_by_bdat",
        needs: &[Program::Exim, Program::NssWrapper],
        run: || exim_delivers(true),
    },
    Case {
        name: "exim_delivers_every_octet_that_our_client_gives_it_by_data",
        needs: &[Program::Exim, Program::NssWrapper],
        run: || exim_delivers(false),
    },
];

/// Users of every Debian system that own no file: a mail server wants to be somebody, and others to deliver as.
const OWNER: &str = "news";
const OWNER_ID: u32 = 9;
const GROUP: &str = "uucp";

/// Dots at the starts of lines, 8-bit text, lines as long as they may be, and a number that tells messages apart.
pub(crate) fn difficult(number: usize) -> String {
    let long = "x".repeat(996);
    format!(
        "From: ada@example.org\r\nTo: bob@example.net\r\nSubject: number {number}\r\n\
         Date: Mon, 23 Nov 2026 12:00:00 +0000\r\nMessage-ID: <{number}@example.org>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
         .one\r\n..two\r\n.\r\n\r\nGr\u{fc}\u{df}e, Zo\u{eb}\r\n{long}\r\n.{long}\r\n.\r\nend\r\n"
    )
}

fn envelope(recipients: &[&str]) -> Envelope {
    let recipients = recipients
        .iter()
        .map(|recipient| Recipient::from(recipient.parse::<posthaste_address::EmailAddress>().unwrap()))
        .map(|recipient| recipient.with_notify(Notify::Never));
    Envelope::new(Some("ada@example.org".parse().unwrap()), recipients).unwrap()
}

async fn send(transport: &SmtpTransport, number: usize, recipients: &[&str]) -> Outcome {
    let rope = Rope::from(Bytes::from(difficult(number)));
    let mail = Outbound::raw(envelope(recipients), rope);
    transport.send(&mail, &SendOptions::new()).await.unwrap()
}

/// Waits until as many messages are in a maildir, and returns them.
fn delivered(maildir: &Path, count: usize) -> Vec<String> {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let files: Vec<PathBuf> = maildir
            .join("new")
            .read_dir()
            .map(|files| files.map(|file| file.unwrap().path()).collect())
            .unwrap_or_default();
        if files.len() >= count {
            return files
                .into_iter()
                .map(|file| String::from_utf8(fs::read(file).unwrap()).unwrap())
                .collect();
        }
        assert!(Instant::now() < until, "{} of {count} messages came", files.len());
        std::thread::yield_now();
    }
}

/// What is stored is what was sent behind the fields that a server adds, with the line ends of this system.
fn assert_stored(stored: &str, number: usize) {
    assert!(
        stored.ends_with(&difficult(number).replace("\r\n", "\n")),
        "message {number} is not the end of\n{stored}"
    );
}

/// A mail server in a folder of its own.
struct Relay {
    folder: TempDir,
    authority: String,
    running: Running,
}

impl Relay {
    fn config(&self) -> SmtpConfig {
        SmtpTransport::builder("127.0.0.1").port(self.running.address.port())
    }

    fn mailbox(&self, name: &str) -> PathBuf {
        self.folder.path().join("mail").join(name)
    }
}

fn folder_for_others() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    folder
}

fn owned_folder(path: &Path) {
    fs::create_dir_all(path).unwrap();
    chown(path, Some(OWNER_ID), None).unwrap();
}

/// Starts a whole Postfix, which delivers to bob and zoë at example.net and knows nobody else.
fn postfix() -> Relay {
    let folder = folder_for_others();
    let at = |name: &str| folder.path().join(name);
    let master = Program::Postfix.path().unwrap();
    let programs = master.parent().unwrap().display().to_string();
    let libraries = master.ancestors().nth(2).unwrap().display().to_string();
    let (authority, chain, key) = certificate();
    fs::write(at("chain.pem"), chain).unwrap();
    fs::write(at("key.pem"), key).unwrap();
    for part in [
        "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop", "private",
        "public", "saved", "trace",
    ] {
        owned_folder(&at("queue").join(part));
    }
    fs::create_dir(at("queue/pid")).unwrap();
    owned_folder(&at("data"));
    owned_folder(&at("mail"));
    fs::create_dir(at("etc")).unwrap();
    let root = folder.path().display();
    let settings = format!(
        "compatibility_level = 3.6\nqueue_directory = {root}/queue\ndata_directory = {root}/data\n\
         daemon_directory = {programs}\ncommand_directory = {programs}\nshlib_directory = {libraries}\n\
         meta_directory = {root}/etc\nmail_owner = {OWNER}\nsetgid_group = {GROUP}\ndefault_privs = nobody\n\
         myhostname = mx.example.net\nmydestination =\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n\
         mynetworks = 127.0.0.0/8\nvirtual_mailbox_domains = example.net\nvirtual_mailbox_base = {root}/mail\n\
         virtual_mailbox_maps = inline:{{bob@example.net=bob/, zo\u{eb}@example.net=zoe/}}\n\
         virtual_uid_maps = static:{OWNER_ID}\nvirtual_gid_maps = static:{OWNER_ID}\nvirtual_minimum_uid = 1\n\
         alias_maps =\nlocal_recipient_maps =\nmaillog_file = {root}/data/log\nmaillog_file_prefixes = {root}\n\
         import_environment = MAIL_CONFIG LD_LIBRARY_PATH LANG=C POSTLOG_SERVICE\n\
         smtpd_tls_security_level = encrypt\nsmtpd_tls_cert_file = {root}/chain.pem\nsmtpd_tls_key_file = {root}/key.pem\n"
    );
    fs::write(at("etc/main.cf"), settings).unwrap();
    let running = Running::start(|address| {
        let services = format!(
            "{address} inet n - n - - smtpd\ncleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\n\
             rewrite unix - - n - - trivial-rewrite\nbounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\n\
             trace unix - - n - 0 bounce\nproxymap unix - - n - - proxymap\nvirtual unix - n n - - virtual\n\
             error unix - - n - - error\nretry unix - - n - - error\nanvil unix - - n - 1 anvil\n\
             tlsmgr unix - - n 1000? 1 tlsmgr\npostlog unix-dgram n - n - 1 postlogd\n"
        );
        fs::write(at("etc/master.cf"), services).unwrap();
        let mut command = Program::Postfix.command();
        command.env("LD_LIBRARY_PATH", &libraries).env("MAIL_CONFIG", at("etc"));
        command.arg("-c").arg(at("etc")).arg("-d");
        command
    });
    Relay {
        folder,
        authority,
        running,
    }
}

fn postfix_delivers(chunking: bool) {
    let relay = postfix();
    let config = relay.config().tls(Tls::Required).chunking(chunking);
    let transport = config.add_root_pem(&relay.authority).unwrap().build().unwrap();
    let outcome = Runtime::new().unwrap().block_on(send(
        &transport,
        1,
        &["bob@example.net", UNKNOWN, "zo\u{eb}@example.net"],
    ));
    assert_eq!(outcome.accepted().count(), 2);
    let refused: Vec<_> = outcome
        .refused()
        .map(|(address, refusal)| (address.to_string(), refusal.is_permanent()))
        .collect();
    assert_eq!(refused, [(UNKNOWN.to_owned(), true)]);
    assert!(outcome.provider_id().is_some(), "Postfix names its queue entry");
    for mailbox in ["bob", "zoe"] {
        let stored = delivered(&relay.mailbox(mailbox), 1);
        assert_eq!(stored.len(), 1);
        assert_stored(&stored[0], 1);
        assert!(stored[0].contains("SMTPS"), "{}", stored[0]);
    }
}

fn postfix_delivers_many() {
    let relay = postfix();
    let config = relay.config().tls(Tls::Required).connections(2);
    let transport = config.add_root_pem(&relay.authority).unwrap().build().unwrap();
    let recipients = ["bob@example.net"];
    let outcomes = Runtime::new().unwrap().block_on(futures_util::future::join_all(
        (0..50).map(|number| send(&transport, number, &recipients)),
    ));
    assert!(outcomes.iter().all(Outcome::is_complete));
    let stored = delivered(&relay.mailbox("bob"), 50);
    assert_eq!(stored.len(), 50);
    for number in 0..50 {
        let subject = format!("\nSubject: number {number}\n");
        let same: Vec<_> = stored.iter().filter(|stored| stored.contains(&subject)).collect();
        assert_eq!(same.len(), 1, "message {number}");
        assert_stored(same[0], number);
    }
}

/// Starts Exim, which delivers to bob and zoe at any domain. Debian's wants a user of its own: a library tells it
/// of one, and the machine stays without.
fn exim() -> Relay {
    let folder = folder_for_others();
    chown(folder.path(), Some(OWNER_ID), None).unwrap();
    let at = |name: &str| folder.path().join(name);
    owned_folder(&at("spool"));
    owned_folder(&at("mail"));
    for (name, entry) in [
        ("passwd", format!("Debian-exim:x:{OWNER_ID}:{OWNER_ID}::/:/bin/false\n")),
        ("group", format!("Debian-exim:x:{OWNER_ID}:\n")),
    ] {
        let own = fs::read_to_string(Path::new("/etc").join(name)).unwrap();
        let others: String = own
            .lines()
            .filter(|line| !line.starts_with("Debian-exim:"))
            .map(|line| format!("{line}\n"))
            .collect();
        fs::write(at(name), others + &entry).unwrap();
    }
    let root = folder.path().display();
    // A copy is not setuid, so that it hears of the library as well when it starts itself again.
    for (name, from) in [("exim", Program::Exim), ("users.so", Program::NssWrapper)] {
        fs::copy(from.path().unwrap(), at(name)).unwrap();
        fs::set_permissions(at(name), PermissionsExt::from_mode(0o755)).unwrap();
    }
    let program = at("exim").display().to_string();
    let settings = format!(
        "exim_path = {program}\ndeliver_drop_privilege\nexim_user = {OWNER}\nexim_group = {OWNER}\nnever_users =\nspool_directory = {root}/spool\n\
         log_file_path = {root}/spool/log.%s\npid_file_path = {root}/spool/pid\nprimary_hostname = exim.example.net\n\
         local_interfaces = 127.0.0.1\nkeep_environment = LD_PRELOAD : NSS_WRAPPER_PASSWD : NSS_WRAPPER_GROUP\n\
         tls_advertise_hosts =\nchunking_advertise_hosts = *\ndsn_advertise_hosts = *\nsmtputf8_advertise_hosts = *\n\
         acl_smtp_rcpt = check\nbegin acl\ncheck:\n deny local_parts = nobody\n  message = no such mailbox\n accept\n\
         begin routers\nall:\n driver = accept\n local_parts = bob : zoe\n transport = file\nbegin transports\nfile:\n driver = appendfile\n \
         directory = {root}/mail/$local_part_data\n maildir_format\n create_directory\n user = {OWNER}\n group = {OWNER}\n"
    );
    fs::write(at("settings"), settings).unwrap();
    let running = Running::start(|address| {
        let mut command = Command::new(&program);
        command
            .stdin(Stdio::null())
            .env("LD_PRELOAD", at("users.so"))
            .env("NSS_WRAPPER_PASSWD", at("passwd"))
            .env("NSS_WRAPPER_GROUP", at("group"));
        command.arg("-C").arg(at("settings")).args(["-bdf", "-odi", "-oX"]);
        command.arg(format!("{}:{}", address.ip(), address.port()));
        command.stderr(Stdio::null());
        command
    });
    Relay {
        folder,
        authority: String::new(),
        running,
    }
}

fn exim_delivers(chunking: bool) {
    let relay = exim();
    let transport = relay.config().tls(Tls::None).chunking(chunking).build().unwrap();
    let recipients = ["bob@example.net", UNKNOWN, "zoe@example.net"];
    let outcome = Runtime::new().unwrap().block_on(send(&transport, 1, &recipients));
    assert_eq!((outcome.accepted().count(), outcome.refused().count()), (2, 1));
    for mailbox in ["bob", "zoe"] {
        let stored = delivered(&relay.mailbox(mailbox), 1);
        assert_eq!(stored.len(), 1);
        assert_stored(&stored[0], 1);
    }
}
