//! Our client into a whole Postfix, with TLS and, by Cyrus SASL, with a login.

use std::fs;
use std::io::Write;
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::Stdio;

use posthaste_smtp::{Mechanism, Tls};
use posthaste_transport::{Disposition, ErrorKind, Outcome, Retry};
use tokio::runtime::Runtime;

use super::{
    GROUP, OWNER, OWNER_ID, Relay, assert_stored, certify, delivered, folder_for_others, owned_folder, refused, send,
    send_now, try_send,
};
use crate::Case;
use crate::programs::{Program, Running};
use crate::receiver::{PASSWORD, UNKNOWN, USER};

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
        name: "postfix_with_cyrus_sasl_takes_from_our_client_after_each_kind_of_login",
        needs: &[Program::Postfix, Program::Saslpasswd, Program::SaslMechanisms],
        run: postfix_knows_our_client,
    },
    Case {
        name: "our_client_prefers_scram_among_what_postfix_offers",
        needs: &[Program::Postfix, Program::Saslpasswd, Program::SaslMechanisms],
        run: our_client_prefers_scram,
    },
    Case {
        name: "postfix_with_cyrus_sasl_takes_nothing_after_a_wrong_password_or_without_a_login",
        needs: &[Program::Postfix, Program::Saslpasswd, Program::SaslMechanisms],
        run: postfix_refuses_strangers,
    },
];

/// Takes mail from whoever is on this machine.
const FOR_ALL: &str = "mynetworks = 127.0.0.0/8\n";

/// Starts a whole Postfix, which delivers to bob and zoë at example.net and knows nobody else.
///
/// `more` makes the rest of its settings and of its folder.
fn postfix(more: impl FnOnce(&Path) -> String) -> Relay {
    let folder = folder_for_others();
    let at = |name: &str| folder.path().join(name);
    let master = Program::Postfix.path().unwrap();
    let programs = master.parent().unwrap().display().to_string();
    let libraries = master.ancestors().nth(2).unwrap().display().to_string();
    let authority = certify(folder.path());
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
         virtual_mailbox_domains = example.net\nvirtual_mailbox_base = {root}/mail\n\
         virtual_mailbox_maps = inline:{{bob@example.net=bob/, zo\u{eb}@example.net=zoe/}}\n\
         virtual_uid_maps = static:{OWNER_ID}\nvirtual_gid_maps = static:{OWNER_ID}\nvirtual_minimum_uid = 1\n\
         alias_maps =\nlocal_recipient_maps =\nmaillog_file = {root}/data/log\nmaillog_file_prefixes = {root}\n\
         import_environment = MAIL_CONFIG LD_LIBRARY_PATH LANG=C POSTLOG_SERVICE\n\
         smtpd_tls_security_level = encrypt\nsmtpd_tls_cert_file = {root}/chain.pem\nsmtpd_tls_key_file = {root}/key.pem\n"
    );
    fs::write(at("etc/main.cf"), settings + &more(folder.path())).unwrap();
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

/// Settings by which it takes mail only after a login, and the file of its only user.
fn logins(folder: &Path) -> String {
    let users = folder.join("sasldb2");
    let mut command = Program::Saslpasswd.command();
    command
        .args(["-p", "-c", "-u", "example.org", "-f"])
        .arg(&users)
        .arg(USER);
    let mut running = command.stdin(Stdio::piped()).spawn().unwrap();
    running.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
    assert!(running.wait().unwrap().success());
    chown(&users, Some(OWNER_ID), None).unwrap();
    let mechanisms = MECHANISMS.map(Mechanism::as_str).join(" ");
    // Debian's looks below its own settings in any case.
    let place = folder.join("etc/sasl");
    fs::create_dir(&place).unwrap();
    let settings = format!(
        "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {}\nmech_list: {mechanisms}\n",
        users.display()
    );
    fs::write(place.join("smtpd.conf"), settings).unwrap();
    format!(
        "mynetworks =\nsmtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = cyrus\nsmtpd_sasl_path = smtpd\n\
         cyrus_sasl_config_path = {}\nsmtpd_sasl_local_domain = example.org\nsmtpd_tls_auth_only = yes\n\
         smtpd_recipient_restrictions = permit_sasl_authenticated, reject\n",
        place.display()
    )
}

const MECHANISMS: [Mechanism; 4] = [
    Mechanism::ScramSha256,
    Mechanism::CramMd5,
    Mechanism::Plain,
    Mechanism::Login,
];

fn postfix_delivers(chunking: bool) {
    let relay = postfix(|_| FOR_ALL.to_owned());
    let config = relay.config().tls(Tls::Required).chunking(chunking);
    let transport = config.build().unwrap();
    let outcome = send_now(&transport, 1, &["bob@example.net", UNKNOWN, "zo\u{eb}@example.net"]);
    assert_eq!(outcome.accepted().count(), 2);
    assert_eq!(refused(&outcome), [(UNKNOWN.to_owned(), true)]);
    assert!(outcome.provider_id().is_some(), "Postfix names its queue entry");
    for mailbox in ["bob", "zoe"] {
        let stored = delivered(&relay.mailbox(mailbox), 1);
        assert_eq!(stored.len(), 1);
        assert_stored(&stored[0], 1);
        assert!(stored[0].contains("SMTPS"), "{}", stored[0]);
    }
}

fn postfix_delivers_many() {
    let relay = postfix(|_| FOR_ALL.to_owned());
    let config = relay.config().tls(Tls::Required).connections(2);
    let transport = config.build().unwrap();
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

/// How a client logged in, as Postfix's log has it.
fn assert_logged(relay: &Relay, mechanism: Mechanism) {
    let log = fs::read_to_string(relay.folder.path().join("data/log")).unwrap();
    let entry = format!("sasl_method={}, sasl_username={USER}@example.org", mechanism.as_str());
    assert!(log.contains(&entry), "{entry} is not in\n{log}");
}

fn postfix_knows_our_client() {
    let relay = postfix(logins);
    for (number, mechanism) in MECHANISMS.into_iter().enumerate() {
        let config = relay.config().tls(Tls::Required).credentials(USER, PASSWORD);
        let transport = config.mechanisms([mechanism]).build().unwrap();
        let outcome = send_now(&transport, number, &["bob@example.net"]);
        assert!(outcome.is_complete());
        let stored = delivered(&relay.mailbox("bob"), number + 1);
        let subject = format!("\nSubject: number {number}\n");
        let stored = stored.iter().find(|stored| stored.contains(&subject)).unwrap();
        assert_stored(stored, number);
        assert!(stored.contains("ESMTPSA"), "{stored}");
        assert_logged(&relay, mechanism);
    }
}

fn our_client_prefers_scram() {
    let relay = postfix(logins);
    let config = relay.config().tls(Tls::Required).credentials(USER, PASSWORD);
    assert!(send_now(&config.build().unwrap(), 1, &["bob@example.net"]).is_complete());
    assert_logged(&relay, Mechanism::ScramSha256);
}

fn postfix_refuses_strangers() {
    let relay = postfix(logins);
    let runtime = Runtime::new().unwrap();
    for mechanism in MECHANISMS {
        let config = relay.config().tls(Tls::Required).credentials(USER, "not that one");
        let transport = config.mechanisms([mechanism]).build().unwrap();
        let error = runtime
            .block_on(try_send(&transport, 1, &["bob@example.net"]))
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.disposition()),
            (ErrorKind::Unauthorized, Disposition::NotAccepted),
            "{error:?}"
        );
    }
    let transport = relay.config().tls(Tls::Required).build().unwrap();
    let error = runtime
        .block_on(try_send(&transport, 1, &["bob@example.net"]))
        .unwrap_err();
    assert_eq!(
        (error.disposition(), error.retry()),
        (Disposition::NotAccepted, Retry::Never)
    );
    assert!(!relay.mailbox("bob").exists());
}
