//! docs/providers.md is made of the capabilities that the adapters state, and of nothing else.
//!
//! `POSTHASTE_WRITE_DOCS=1 cargo test --test provider_table` writes it anew.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::fmt::Write as _;
use std::path::Path;

use posthaste_providers::{Profile, providers};
use posthaste_transport::{Capabilities, Feature, TagCharset};

const HEAD: &str = "\
# What the providers can do

Each adapter of `posthaste-providers` states what its provider can do as data: `Profile` and `Capabilities`. `plan` compares a message
with it before any I/O, the suite picks its cases by it, and this page is made of it: a test fails where they differ. `yes` is what
the API has a field for, `account` what only the account's settings decide. What is not there is an error before anything is sent, unless
the caller chose `Degrade` or `RawMime`. Limits are vendors' own and change; the last column says when they were looked up.

";

/// What the columns are: a heading, and what stands there.
type Column = (&'static str, fn(&Capabilities) -> String);

const FEATURES: &[(&str, Feature)] = &[
    ("raw MIME", Feature::RawMime),
    ("envelope sender", Feature::EnvelopeSender),
    ("outcome per recipient", Feature::RecipientOutcomes),
    ("non-ASCII local parts", Feature::SmtpUtf8),
    ("headers", Feature::CustomHeaders),
    ("attachments", Feature::Attachments),
    ("inline", Feature::InlineParts),
    ("AMP", Feature::Amp),
    ("template", Feature::StoredTemplate),
    ("data per recipient", Feature::PersonalData),
    ("metadata per recipient", Feature::PersonalMetadata),
    ("headers per recipient", Feature::PersonalHeaders),
    ("tags", Feature::Tags),
    ("metadata", Feature::Metadata),
    ("schedule", Feature::Schedule),
    ("open tracking", Feature::TrackOpens),
    ("click tracking", Feature::TrackClicks),
    ("stream", Feature::Stream),
    ("configuration set", Feature::ConfigurationSet),
    ("idempotency key", Feature::IdempotencyKey),
];

const LIMITS: &[Column] = &[
    ("recipients a message", |own| number(own.max_recipients())),
    ("messages a call", |own| number(own.max_batch())),
    ("message size", |own| size(own.max_message_size())),
    ("reply addresses", |own| number(own.max_reply_to())),
    ("tags", |own| {
        let length = own.max_tag_length().map(|length| format!(" of {length} bytes"));
        let charset = match own.tag_charset() {
            TagCharset::Ascii => ", ASCII",
            TagCharset::Word => ", letters, digits, `_` and `-`",
            _ => "",
        };
        if !own.supports(Feature::Tags) {
            return String::new();
        }
        format!("{}{}{charset}", number(own.max_tags()), length.unwrap_or_default())
    }),
    ("metadata", |own| match own.max_metadata() {
        Some(count) => format!(
            "{}, key {}, value {}",
            number(Some(count)),
            number(own.max_metadata_key()),
            number(own.max_metadata_value())
        ),
        None => String::new(),
    }),
    ("schedule ahead", |own| {
        own.max_schedule()
            .map(|ahead| format!("{} h", ahead.as_secs() / 3600))
            .unwrap_or_default()
    }),
];

fn number(number: Option<u32>) -> String {
    match number {
        Some(u32::MAX) => "any".to_owned(),
        Some(number) => number.to_string(),
        None => String::new(),
    }
}

fn size(bytes: Option<u64>) -> String {
    match bytes {
        Some(bytes) if bytes % (1 << 20) == 0 => format!("{} MiB", bytes >> 20),
        Some(bytes) if bytes % 1_000_000 == 0 => format!("{} MB", bytes / 1_000_000),
        Some(bytes) => format!("{bytes} bytes"),
        None => String::new(),
    }
}

fn table(out: &mut String, head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    writeln!(out, "| {} |", head.join(" | ")).unwrap();
    writeln!(out, "|{}", " --- |".repeat(head.len())).unwrap();
    for row in rows {
        let cells = row.iter().map(|cell| if cell.is_empty() { "-" } else { cell.as_str() });
        writeln!(out, "| {} |", cells.collect::<Vec<_>>().join(" | ")).unwrap();
    }
}

fn page() -> String {
    let mut out = HEAD.to_owned();
    let all: Vec<&Profile> = providers().iter().map(|entry| entry.profile()).collect();
    out.push_str("## Features\n\n");
    let head: Vec<&str> = std::iter::once("feature")
        .chain(all.iter().map(|profile| profile.title()))
        .collect();
    let rows = FEATURES.iter().map(|(name, feature)| {
        let cells = all.iter().map(|profile| profile.info().capabilities()).map(|own| {
            match (own.supports(*feature), feature) {
                (true, _) => "yes".to_owned(),
                (false, Feature::TrackOpens | Feature::TrackClicks) if own.tracks_unasked() => "account".to_owned(),
                (false, _) => String::new(),
            }
        });
        std::iter::once((*name).to_owned()).chain(cells).collect()
    });
    table(&mut out, &head, rows);
    out.push_str("\n## Limits\n\n");
    let head: Vec<&str> = ["provider", "URL"]
        .into_iter()
        .chain(LIMITS.iter().map(|(name, _)| *name))
        .chain(["looked up"])
        .collect();
    let rows = all.iter().map(|profile| {
        let capabilities = profile.info().capabilities();
        [profile.title().to_owned(), format!("`{}://`", profile.info().name())]
            .into_iter()
            .chain(LIMITS.iter().map(|(_, cell)| cell(capabilities)))
            .chain([profile.looked_up().to_owned()])
            .collect()
    });
    table(&mut out, &head, rows);
    out
}

#[test]
fn the_table_is_what_the_adapters_state() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/providers.md");
    let page = page();
    if std::env::var_os("POSTHASTE_WRITE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/providers.md is not what the adapters state; POSTHASTE_WRITE_DOCS=1 cargo test --test provider_table writes it"
    );
}

#[test]
fn names_are_schemes_and_stand_once() {
    let mut names: Vec<&str> = providers().iter().map(|entry| entry.profile().info().name()).collect();
    assert!(
        names.iter().all(|name| name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())),
        "{names:?}"
    );
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
}
