//! Requests as they stand on the wire, for a plain and for a full message.

use std::path::{Path, PathBuf};

use posthaste_providers::HttpRequest;
use posthaste_transport::{SendOptions, Transport};

use crate::fake::{Fake, block_on};
use crate::features::readable;
use crate::mail;
use crate::samples;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// What is written of a request: method, URL, fields, and the body, JSON in lines.
fn written(request: &HttpRequest) -> String {
    let body = request.body().to_bytes().unwrap();
    let body = match serde_json::from_slice::<serde_json::Value>(&body) {
        Ok(json) => serde_json::to_string_pretty(&json).unwrap(),
        Err(_) => String::from_utf8_lossy(&body).replace("\r\n", "\n"),
    };
    let fields: String = request
        .headers()
        .map(|(name, value)| format!("{name}: {value}\n"))
        .collect();
    format!("{} {}\n{fields}\n{body}\n", request.method().as_str(), request.url())
}

/// Takes out what differs from run to run: times, and what is made of them.
fn steady(text: &str) -> String {
    let mut out = String::new();
    let boundary = text.split("boundary=").nth(1).and_then(|rest| rest.lines().next());
    let text = boundary.map_or_else(|| text.to_owned(), |boundary| text.replace(boundary, "BOUNDARY"));
    for line in text.lines() {
        // A signature, and a date in words, differ in their letters too.
        let line = match line.split_once("Signature=") {
            Some((head, _)) => head,
            None if line.starts_with("x-ms-date:") => "x-ms-date:",
            None if line.ends_with(" GMT") => "(a date)",
            None => line,
        };
        let is_timely = [
            "send_at",
            "scheduled",
            "deliverytime",
            "start_time",
            "x-amz-date",
            "Authorization: AWS4",
            "deferred",
        ]
        .iter()
        .any(|word| line.contains(word));
        // A field of a form that is a time and nothing else.
        let is_time = line.len() >= 10 && line.chars().all(|c| c.is_ascii_digit() || "-:TZ".contains(c));
        if is_timely || is_time && line.starts_with(|c: char| c.is_ascii_digit()) {
            out.extend(line.chars().filter(|character| !character.is_ascii_digit()));
        } else {
            out.push_str(line);
        }
        out.push('\n');
    }
    out
}

fn compare(name: &str, request: &HttpRequest) {
    let path = folder().join(name);
    let text = steady(&written(request));
    if std::env::var_os("POSTHASTE_WRITE_GOLDEN").is_some() {
        std::fs::create_dir_all(folder()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, golden, "{name}: POSTHASTE_WRITE_GOLDEN=1 writes it anew");
}

#[test]
fn a_plain_message_has_nothing_beyond_what_it_needs() {
    for sample in samples::all() {
        let fake = Fake::new(sample);
        let _ = block_on(fake.transport().send(&mail::plain(), &SendOptions::new())).unwrap();
        let request = &fake.requests()[0];
        compare(&format!("{}-plain.http", sample.name), request);
        let text = readable(&written(request));
        for word in ["attach", "tag", "metadata", "track", "template"] {
            let body = text.split_once("\n\n").map_or("", |(_, body)| body).to_lowercase();
            assert!(!body.contains(word), "{}: {word} in {body}", sample.name);
        }
    }
}

#[test]
fn a_full_message_has_everything() {
    for sample in samples::all() {
        let fake = Fake::new(sample);
        let transport = fake.transport();
        let (mail, options) = mail::full(transport.info().capabilities());
        let _ = block_on(transport.send(&mail, &options)).unwrap_or_else(|error| panic!("{}: {error}", sample.name));
        compare(&format!("{}-full.http", sample.name), &fake.requests()[0]);
    }
}
