//! ARC with others: dkimpy and the crate mail-auth validate chains that we sealed, we validate what dkimpy seals, and go on.

use std::path::PathBuf;
use std::time::SystemTime;

use posthaste_auth::arc::{self, Chain, ChainResult, Sealer};
use posthaste_auth::authres::{AuthenticationResults, MethodResult};
use posthaste_dns::{Record, Zone};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::Case;
use crate::dkim::MailAuth;
use crate::dkim::samples::{DOMAIN, Key, multipart, records};
use crate::programs::{Program, json, output, script};

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "mail_auth_validates_what_we_seal",
        needs: &[],
        run: mail_auth_validates,
    },
    Case {
        name: "dkimpy_validates_what_we_seal",
        needs: &[Program::DkimpyArc],
        run: dkimpy_validates,
    },
    Case {
        name: "we_validate_and_continue_what_dkimpy_seals",
        needs: &[Program::DkimpyArc],
        run: dkimpy_seals,
    },
];

/// Validates and seals with the records of the samples.
struct Host {
    zone: Zone,
    runtime: Runtime,
}

impl Host {
    fn new() -> Self {
        let mut zone = Zone::new();
        for (name, text) in records() {
            zone.insert(&name, Record::txt(text)).unwrap();
        }
        Self {
            zone,
            runtime: Runtime::new().unwrap(),
        }
    }

    fn chain(&self, message: &[u8]) -> Chain {
        self.runtime
            .block_on(arc::validate(message, &self.zone, SystemTime::now()))
    }

    fn seal(&self, message: &[u8], key: Key) -> Vec<u8> {
        let chain = self.chain(message);
        let results = AuthenticationResults::new("mx.example.org")
            .with(MethodResult::new("dkim", "pass").property("header", "d", "example.org"))
            .with(chain.method_result(Some([192, 0, 2, 1].into())));
        let sealer = Sealer::builder(DOMAIN.parse().unwrap())
            .key(key.selector().parse().unwrap(), key.signing_key())
            .build()
            .unwrap();
        let set = sealer.seal(message, &results, &chain, SystemTime::now()).unwrap();
        [set.as_bytes(), message].concat()
    }

    /// Chains of each key alone and of all in turn, of one hop to four, and whether each holds: a broken one follows each.
    fn chains(&self, known: &[Key]) -> Vec<(Vec<u8>, bool)> {
        let alone = known.iter().map(|key| vec![*key]);
        let keys: Vec<Vec<Key>> = alone.chain([known.to_vec()]).collect();
        let mut chains = Vec::new();
        for keys in keys {
            let mut message = multipart();
            for key in keys.iter().cycle().take(4) {
                message = self.seal(&message, *key);
                let mut changed = message.clone();
                let at = changed.len() / 2;
                changed[at] ^= 1;
                chains.push((message.clone(), true));
                chains.push((changed, false));
            }
            // What only the seals cover.
            let text = String::from_utf8(message).unwrap();
            let forged = text.replacen("\tdkim=pass", "\tdkim=fail", 1);
            assert_ne!(text, forged);
            chains.push((forged.into_bytes(), false));
        }
        chains
    }
}

fn mail_auth_validates() {
    let mail_auth = MailAuth::new();
    let chains = Host::new().chains(&Key::ALL);
    for (message, holds) in &chains {
        assert_eq!(
            mail_auth.passes_arc(message),
            *holds,
            "{}",
            String::from_utf8_lossy(&message[..2000])
        );
    }
    println!("   mail-auth: {} chains", chains.len());
}

/// Messages and the records in files.
fn write(folder: &TempDir, messages: &[(Vec<u8>, bool)]) -> (PathBuf, Vec<PathBuf>) {
    let known = folder.path().join("records");
    std::fs::write(&known, json!(records()).to_string()).unwrap();
    let paths = messages.iter().enumerate().map(|(index, (message, _))| {
        let path = folder.path().join(format!("{index}.eml"));
        std::fs::write(&path, message).unwrap();
        path
    });
    (known, paths.collect())
}

fn dkimpy(folder: &TempDir, messages: &[(Vec<u8>, bool)]) {
    let (records, paths) = write(folder, messages);
    let found = json(script(Program::DkimpyArc, "arc_verify.py").arg(records).args(paths));
    for ((message, holds), found) in messages.iter().zip(found.as_array().unwrap()) {
        let expected = if *holds { "pass" } else { "fail" };
        assert_eq!(
            found[0],
            expected,
            "{found}: {}",
            String::from_utf8_lossy(&message[..2000])
        );
    }
    println!("   dkimpy: {} chains", messages.len());
}

/// dkimpy knows no Ed25519 in chains, though it does in DKIM.
fn dkimpy_validates() {
    let chains = Host::new().chains(&[Key::Rsa2048, Key::Rsa4096]);
    dkimpy(&tempfile::tempdir().unwrap(), &chains);
}

/// A chain of two hops of dkimpy and two of ours, in turn. Before each hop of dkimpy, its host adds what it found.
fn dkimpy_seals() {
    let host = Host::new();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("rsa"), include_str!("../../crates/auth/tests/data/rsa2048.pem")).unwrap();
    let mut message = multipart();
    for round in 0..2 {
        // dkimpy gathers the results of all fields of one server, and would find two of ARC.
        let server = format!("mx{round}.example.org");
        let results = AuthenticationResults::new(&server)
            .with(MethodResult::new("spf", "pass").property("smtp", "mailfrom", "ada@example.org"))
            .with(MethodResult::new("arc", host.chain(&message).result().as_str()));
        message = [results.to_string().as_bytes(), &message].concat();
        std::fs::write(path("message.eml"), &message).unwrap();
        let set = output(
            script(Program::DkimpyArc, "arc_sign.py")
                .args([path("message.eml"), path("rsa")])
                .args(["rsa", DOMAIN, &server]),
        );
        message = [set, message].concat();
        let chain = host.chain(&message);
        assert_eq!(chain.result(), ChainResult::Pass, "{chain:?}");
        assert_eq!((chain.sets().len(), chain.oldest_pass()), (round * 2 + 1, Some(0)));
        let sealed = chain.sets().last().unwrap().results().unwrap();
        assert_eq!((sealed.authserv_id(), sealed.results().len()), (server.as_str(), 2));

        let mut changed = message.clone();
        let at = changed.len() / 2;
        changed[at] ^= 1;
        assert_eq!(host.chain(&changed).result(), ChainResult::Fail);
        message = host.seal(&message, Key::ALL[round]);
        assert_eq!(host.chain(&message).result(), ChainResult::Pass);
    }
    dkimpy(&folder, &[(message, true)]);
}
