//! Our client into Dovecot over LMTP, which says of each recipient what became of the message.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use bytes::Bytes;
use posthaste_address::{EmailAddress, Envelope, Recipient};
use posthaste_mime::Rope;
use posthaste_smtp::Tls;
use posthaste_transport::{Outbound, SendOptions, Transport};
use tokio::runtime::Runtime;

use super::{
    GROUP, OWNER, OWNER_ID, Relay, assert_stored, delivered, difficult, folder_for_others, owned_folder, refused,
};
use crate::Case;
use crate::programs::{Program, Running};
use crate::receiver::UNKNOWN;

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "dovecot_stores_every_octet_that_our_client_gives_it_over_lmtp_by_bdat",
        needs: &[Program::Dovecot, Program::DovecotLmtp],
        run: || dovecot_stores(true),
    },
    Case {
        name: "dovecot_stores_every_octet_that_our_client_gives_it_over_lmtp_by_data",
        needs: &[Program::Dovecot, Program::DovecotLmtp],
        run: || dovecot_stores(false),
    },
];

/// Has a mailbox that cannot be written, which Dovecot only sees when it has the message.
const STUCK: &str = "carol@example.net";

/// Starts Dovecot, which stores what comes for bob, zoe and carol at example.net, hers where it may not write.
fn dovecot() -> Relay {
    let folder = folder_for_others();
    let at = |name: &str| folder.path().join(name);
    for name in ["base", "state", "locked"] {
        fs::create_dir(at(name)).unwrap();
    }
    owned_folder(&at("mail"));
    let root = folder.path().display();
    let users: String = [("bob", "mail"), ("zoe", "mail"), ("carol", "locked")]
        .map(|(name, place)| format!("{name}@example.net::{OWNER_ID}:{OWNER_ID}::{root}/{place}/{name}::\n"))
        .concat();
    fs::write(at("users"), users).unwrap();
    let running = Running::start(|address| {
        let settings = format!(
            "base_dir = {root}/base\nstate_dir = {root}/state\nlog_path = {root}/log\nprotocols = lmtp\nssl = no\n\
             default_internal_user = {OWNER}\ndefault_internal_group = {GROUP}\ndefault_login_user = {GROUP}\n\
             first_valid_uid = 1\nfirst_valid_gid = 1\npostmaster_address = postmaster@example.net\n\
             mail_location = maildir:~\npassdb {{\n driver = passwd-file\n args = {root}/users\n}}\n\
             userdb {{\n driver = passwd-file\n args = {root}/users\n}}\n\
             service lmtp {{\n inet_listener lmtp {{\n address = {}\n port = {}\n }}\n}}\n",
            address.ip(),
            address.port()
        );
        fs::write(at("settings"), settings).unwrap();
        let mut command = in_its_place(&Program::Dovecot.path().unwrap());
        command.stdin(Stdio::null()).arg("-F").arg("-c").arg(at("settings"));
        command
    });
    Relay {
        folder,
        authority: None,
        running,
    }
}

/// A command for a program that looks for the rest of itself below `/usr`: if it is unpacked elsewhere, it sees a `/usr` that
/// has both, and nobody else does.
fn in_its_place(program: &Path) -> Command {
    let usr = program.ancestors().nth(2).unwrap();
    if usr == Path::new("/usr") {
        return Command::new(program);
    }
    let mut command = Command::new("unshare");
    let mount = "mount -t overlay overlay -o \"lowerdir=$0:/usr\" /usr && exec \"$@\"";
    command.args(["--mount", "sh", "-c", mount]).arg(usr);
    command.arg(Path::new("/usr").join(program.strip_prefix(usr).unwrap()));
    command
}

fn dovecot_stores(chunking: bool) {
    let relay = dovecot();
    let config = relay.config().tls(Tls::None).lmtp(true).chunking(chunking);
    let transport = config.build().unwrap();
    let runtime = Runtime::new().unwrap();
    for number in 1..=2 {
        let recipients = ["bob@example.net", UNKNOWN, STUCK, "zoe@example.net"];
        let recipients = recipients.map(|recipient| Recipient::from(recipient.parse::<EmailAddress>().unwrap()));
        // It takes no orders about reports (RFC 3461).
        let envelope = Envelope::new(Some("ada@example.org".parse().unwrap()), recipients).unwrap();
        let mail = Outbound::raw(envelope, Rope::from(Bytes::from(difficult(number))));
        let options = SendOptions::new();
        let outcome = runtime.block_on(transport.send(&mail, &options)).unwrap();
        let accepted: Vec<_> = outcome.accepted().map(ToString::to_string).collect();
        assert_eq!(accepted, ["bob@example.net", "zoe@example.net"]);
        assert_eq!(
            refused(&outcome),
            [(UNKNOWN.to_owned(), true), (STUCK.to_owned(), false)]
        );
    }
    for mailbox in ["bob", "zoe"] {
        let stored = delivered(&relay.mailbox(mailbox), 2);
        assert_eq!(stored.len(), 2);
        for number in 1..=2 {
            let subject = format!("\nSubject: number {number}\n");
            let stored = stored.iter().find(|stored| stored.contains(&subject)).unwrap();
            assert_stored(stored, number);
        }
    }
}
