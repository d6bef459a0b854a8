//! Our client into Exim, in clear text and with TLS and a login.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Stdio};

use posthaste_address::{EmailAddress, Envelope};
use posthaste_mime::Rope;
use posthaste_smtp::{Mechanism, SendmailError, SendmailTransport, Tls};
use posthaste_transport::{Disposition, ErrorKind, Outbound, SendOptions, Transport as _};
use tokio::runtime::Runtime;

use super::{
    OWNER, OWNER_ID, Relay, assert_stored, certify, delivered, difficult, folder_for_others, owned_folder, refused,
    send_now, try_send,
};
use crate::Case;
use crate::programs::{Program, Running};
use crate::receiver::{PASSWORD, UNKNOWN, USER};

pub(crate) const CASES: &[Case] = &[
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
    Case {
        name: "exim_takes_from_our_client_over_starttls_after_a_login_by_plain",
        needs: &[Program::Exim, Program::NssWrapper],
        run: || exim_knows_our_client(Tls::Required, Mechanism::Plain),
    },
    Case {
        name: "exim_takes_from_our_client_over_implicit_tls_after_a_login_by_login",
        needs: &[Program::Exim, Program::NssWrapper],
        run: || exim_knows_our_client(Tls::Implicit, Mechanism::Login),
    },
    Case {
        name: "exim_refuses_our_client_with_a_wrong_password_and_without_tls",
        needs: &[Program::Exim, Program::NssWrapper],
        run: exim_refuses_strangers,
    },
    Case {
        name: "exim_delivers_every_octet_that_our_sendmail_transport_pipes_to_it",
        needs: &[Program::Exim, Program::NssWrapper],
        run: exim_is_piped_to,
    },
];

/// Whom mail is taken from.
#[derive(Clone, Copy, PartialEq)]
enum Takes {
    Anyone,
    /// Who came over TLS and logged in. With `Tls::Implicit`, TLS begins with the first octet.
    User(Tls),
}

/// Starts Exim, which delivers to bob and zoe at any domain. Debian's wants a user of its own: a library tells it
/// of one, and the machine stays without.
fn exim(takes: Takes) -> Relay {
    let folder = folder_for_others();
    chown(folder.path(), Some(OWNER_ID), None).unwrap();
    let at = |name: &str| folder.path().join(name);
    let authority = certify(folder.path());
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
    let (advertise, condition) = match takes {
        Takes::Anyone => ("", ""),
        Takes::User(_) => ("*", " deny !authenticated = *\n  message = log in first\n"),
    };
    let settings = format!(
        "exim_path = {program}\ndeliver_drop_privilege\nexim_user = {OWNER}\nexim_group = {OWNER}\nnever_users =\nspool_directory = {root}/spool\n\
         log_file_path = {root}/spool/log.%s\npid_file_path = {root}/spool/pid\nprimary_hostname = exim.example.net\n\
         local_interfaces = 127.0.0.1\nkeep_environment = LD_PRELOAD : NSS_WRAPPER_PASSWD : NSS_WRAPPER_GROUP\n\
         tls_advertise_hosts = {advertise}\ntls_certificate = {root}/chain.pem\ntls_privatekey = {root}/key.pem\n\
         chunking_advertise_hosts = *\ndsn_advertise_hosts = *\nsmtputf8_advertise_hosts = *\n\
         acl_smtp_rcpt = check\nbegin acl\ncheck:\n{condition} deny local_parts = nobody\n  message = no such mailbox\n accept\n\
         begin routers\nall:\n driver = accept\n local_parts = bob : zoe\n transport = file\nbegin transports\nfile:\n driver = appendfile\n \
         directory = {root}/mail/$local_part_data\n maildir_format\n create_directory\n user = {OWNER}\n group = {OWNER}\n\
         begin authenticators\n{}{}",
        authenticator("PLAIN", ":", 2),
        authenticator("LOGIN", "<| Username: | Password:", 1),
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
        if takes == Takes::User(Tls::Implicit) {
            command.arg("-tls-on-connect");
        }
        command.stderr(Stdio::null());
        command
    });
    Relay {
        folder,
        authority,
        running,
    }
}

/// A way to log in that is offered over TLS, where the name is the `name`th of what the client says and the password the next.
fn authenticator(mechanism: &str, prompts: &str, name: usize) -> String {
    format!(
        "{mechanism}:\n driver = plaintext\n public_name = {mechanism}\n server_prompts = {prompts}\n server_set_id = $auth{name}\n \
         server_advertise_condition = ${{if def:tls_in_cipher}}\n \
         server_condition = ${{if and{{{{eq{{$auth{name}}}{{{USER}}}}}{{eq{{$auth{}}}{{{PASSWORD}}}}}}}}}\n",
        name + 1
    )
}

/// Exim is a sendmail program too.
fn exim_is_piped_to() {
    let relay = exim(Takes::Anyone);
    let at = |name: &str| relay.folder.path().join(name).display().to_string();
    let words = [
        format!("LD_PRELOAD={}", at("users.so")),
        format!("NSS_WRAPPER_PASSWD={}", at("passwd")),
        format!("NSS_WRAPPER_GROUP={}", at("group")),
        at("exim"),
        "-C".to_owned(),
        at("settings"),
        // It delivers before it ends.
        "-odf".to_owned(),
    ];
    let transport = SendmailTransport::new().program("/usr/bin/env");
    let transport = words.into_iter().fold(transport, SendmailTransport::argument);
    let recipients = ["bob@example.net", "zoe@example.net"].map(|recipient| recipient.parse::<EmailAddress>().unwrap());
    let envelope = Envelope::new(Some("-oQ/tmp@example.org".parse().unwrap()), recipients).unwrap();
    let mail = Outbound::raw(envelope, Rope::from(difficult(1).into_bytes()));
    let options = SendOptions::new();
    let sent = Runtime::new().unwrap().block_on(transport.send(&mail, &options));
    assert!(sent.unwrap().is_complete());
    for mailbox in ["bob", "zoe"] {
        let stored = delivered(&relay.mailbox(mailbox), 1);
        assert_eq!(stored.len(), 1);
        assert_stored(&stored[0], 1);
    }
    // Without settings it says so, and takes nothing.
    let transport = transport.argument("-C").argument("/nonexistent/settings");
    let error = Runtime::new()
        .unwrap()
        .block_on(transport.send(&mail, &options))
        .unwrap_err();
    let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<SendmailError>());
    assert!(cause.is_some_and(|cause| !cause.said().is_empty()), "{error:?}");
    assert_eq!(delivered(&relay.mailbox("bob"), 1).len(), 1);
}

fn exim_delivers(chunking: bool) {
    let relay = exim(Takes::Anyone);
    let transport = relay.config().tls(Tls::None).chunking(chunking).build().unwrap();
    let outcome = send_now(&transport, 1, &["bob@example.net", UNKNOWN, "zoe@example.net"]);
    assert_eq!(outcome.accepted().count(), 2);
    assert_eq!(refused(&outcome), [(UNKNOWN.to_owned(), true)]);
    for mailbox in ["bob", "zoe"] {
        let stored = delivered(&relay.mailbox(mailbox), 1);
        assert_eq!(stored.len(), 1);
        assert_stored(&stored[0], 1);
    }
}

fn exim_knows_our_client(tls: Tls, mechanism: Mechanism) {
    let relay = exim(Takes::User(tls));
    let config = relay.config().tls(tls).credentials(USER, PASSWORD).connections(1);
    let transport = config.mechanisms([mechanism]).build().unwrap();
    for number in 0..3 {
        let outcome = send_now(&transport, number, &["bob@example.net", UNKNOWN]);
        assert_eq!(outcome.accepted().count(), 1);
        assert_eq!(refused(&outcome), [(UNKNOWN.to_owned(), true)]);
    }
    let stored = delivered(&relay.mailbox("bob"), 3);
    assert_eq!(stored.len(), 3);
    for number in 0..3 {
        let subject = format!("\nSubject: number {number}\n");
        let stored = stored.iter().find(|stored| stored.contains(&subject)).unwrap();
        assert_stored(stored, number);
        assert!(stored.contains("with esmtpsa"), "{stored}");
    }
}

fn exim_refuses_strangers() {
    let relay = exim(Takes::User(Tls::Required));
    let runtime = Runtime::new().unwrap();
    let config = relay.config().tls(Tls::Required).credentials(USER, "not that one");
    let wrong = config.build().unwrap();
    let error = runtime.block_on(try_send(&wrong, 1, &["bob@example.net"])).unwrap_err();
    assert_eq!(
        (error.kind(), error.disposition()),
        (ErrorKind::Unauthorized, Disposition::NotAccepted)
    );
    let stranger = relay.config().tls(Tls::None).build().unwrap();
    let error = runtime
        .block_on(try_send(&stranger, 1, &["bob@example.net"]))
        .unwrap_err();
    assert_eq!(error.disposition(), Disposition::NotAccepted);
    assert!(error.reply().unwrap().to_string().contains("log in first"), "{error:?}");
    assert!(!relay.mailbox("bob").exists());
}
