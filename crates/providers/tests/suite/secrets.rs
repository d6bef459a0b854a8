//! Keys are in the request and nowhere else; addresses are in no log.

use std::error::Error;
use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex};

use posthaste_providers::{HttpResponse, connect};
use posthaste_transport::{SendError, SendOptions, Transport};

use crate::fake::{Act, Fake, block_on};
use crate::mail;
use crate::samples;

fn whole(error: &SendError) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source: Option<&(dyn Error + 'static)> = error.source();
    while let Some(inner) = source {
        write!(text, " {inner} {inner:?}").unwrap();
        source = inner.source();
    }
    text
}

#[test]
fn no_key_is_shown() {
    for sample in samples::all() {
        let acts = [
            Act::Refuse,
            Act::Reset,
            Act::Answer(HttpResponse::new(401, "{\"message\":\"no\"}")),
            Act::Answer(HttpResponse::new(500, "<html>")),
        ];
        for act in acts {
            let fake = Fake::new(sample).first(act);
            let transport = fake.transport();
            let error = block_on(transport.send(&mail::plain(), &SendOptions::new())).unwrap_err();
            let shown = format!("{transport:?} {} {}", transport.info(), whole(&error));
            assert!(!shown.contains("hidden"), "{}: {shown}", sample.name);
        }
        // The fake keeps the requests, whose `Debug` is looked at too.
        let fake = Fake::new(sample);
        let _ = block_on(fake.transport().send(&mail::plain(), &SendOptions::new()));
        assert!(!format!("{fake:?}").contains("hidden"), "{}", sample.name);
    }
}

#[test]
fn a_url_with_a_key_is_never_repeated() {
    for sample in samples::all() {
        for wrong in ["&nonsense=hidden", "&timeout=hidden"] {
            let separator = if sample.url.contains('?') { "" } else { "?" };
            let url = format!("{}{separator}{wrong}", sample.url);
            let error = connect(&url, Fake::new(sample)).map(|_| ()).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hidden"), "{error:?}");
        }
    }
}

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn logs_hold_neither_keys_nor_addresses() {
    for sample in samples::all() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let fake = Fake::new(sample).first(Act::Answer(HttpResponse::new(400, "{\"message\":\"a@example.net\"}")));
            let transport = fake.transport();
            let _ = block_on(transport.send(&mail::plain(), &SendOptions::new()));
            let _ = block_on(transport.send(&mail::plain(), &SendOptions::new()));
        });
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert!(text.contains(sample.name), "{}: nothing was logged", sample.name);
        for secret in ["hidden", "example.net", "app@example.com", "Hello", "First line"] {
            assert!(!text.contains(secret), "{}: {secret} in {text}", sample.name);
        }
    }
}
