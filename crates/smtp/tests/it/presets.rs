//! docs/smtp-presets.md is made of the presets, and of nothing else.
//!
//! `POSTHASTE_WRITE_DOCS=1 cargo test -p posthaste-smtp --test it presets` writes it anew.

use std::fmt::Write as _;

use posthaste_smtp::{Preset, PresetUser, Tls};

const HEAD: &str = "\
# SMTP services by name

`SmtpConfig::preset(\"gmail\")`, the URL `smtp+gmail://user:password@default` and the variable `SMTP_PRESET=gmail` take host, port and
kind of TLS from this table, which is made of `Preset::ALL`: a test fails where they differ. `Preset::for_domain(\"gmail.com\")` finds
the service of a mailbox. Where the host has a `{region}`, it stands behind the name, as `ses:eu-west-1`, or in the URL in place of
`default`. A port of the table brings its kind of TLS with it: `smtp+brevo://user:key@default:465`. Where a user name is given here, the key
alone will do: `smtp+sendgrid://KEY@default`.

TLS is `implicit` from the first octet or by `STARTTLS`, which is required; only what catches mail on this machine goes without.
Services that prefer tokens take few or no passwords: see `SmtpConfig::token_source`. What vendors say changes; every setting can be set anew.

| name | host | port | further ports | user name | log in by | other names | mailboxes at | notes |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
";

fn tls(tls: Tls) -> &'static str {
    match tls {
        Tls::Implicit => "implicit",
        Tls::Required => "STARTTLS",
        _ => "no TLS",
    }
}

fn list<'a>(items: impl IntoIterator<Item = &'a &'a str>) -> String {
    let items: Vec<&str> = items.into_iter().copied().collect();
    items.join(", ")
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    for preset in Preset::ALL {
        let others = preset.other_ports().iter();
        let others: Vec<String> = others.map(|(port, kind)| format!("{port} {}", tls(*kind))).collect();
        let user = match preset.username() {
            PresetUser::Fixed(user) => format!("`{user}`"),
            PresetUser::Password => "the key once more".to_owned(),
            _ => String::new(),
        };
        let login = match (preset.wants_login(), preset.prefers_tokens()) {
            (true, _) => "LOGIN",
            (_, true) => "tokens preferred",
            _ => "",
        };
        let cells = [
            format!("`{}`", preset.name()),
            preset.host().to_owned(),
            format!("{} {}", preset.port(), tls(preset.tls())),
            others.join(", "),
            user,
            login.to_owned(),
            list(preset.aliases()),
            list(preset.domains()),
            preset.note().to_owned(),
        ];
        writeln!(page, "| {} |", cells.join(" | ")).unwrap();
    }
    page
}

#[test]
fn the_page_is_what_the_presets_are() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/smtp-presets.md");
    let page = page();
    if std::env::var_os("POSTHASTE_WRITE_DOCS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).unwrap_or_default() == page,
        "docs/smtp-presets.md is not what the presets are; \
         POSTHASTE_WRITE_DOCS=1 cargo test -p posthaste-smtp --test it presets writes it"
    );
}
