//! Answers of every provider, to one message and to a batch: each recipient has one fate, and no error shows a key.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use posthaste_mime::Message;
use posthaste_providers::{
    Batch, BatchTransport as _, HttpClient, HttpFuture, HttpRequest, HttpResponse, Personal, connect,
};
use posthaste_transport::{Disposition, Outbound, SendError, SendOptions, Transport as _};

const URLS: &[&str] = &[
    "ses://AKIDEXAMPLE:hidden@eu-west-1",
    "sendgrid://hidden@default",
    "mailgun://hidden@mg.example.com",
    "postmark://hidden@default",
    "resend://hidden@default",
    "brevo://hidden@default",
    "mailjet://hidden:hidden@default",
    "mailersend://hidden@default",
    "mailtrap://hidden@default",
    "azure://aGlkZGVu@name.communication.azure.com",
    "scaleway://hidden@default?project=6d9d3e1f",
    "zeptomail://hidden@default",
    "unisender://hidden@go1.unisender.ru",
    "cloudflare://hidden@default?account=0123456789abcdef",
    "sparkpost://hidden@default",
    "mandrill://hidden@default",
    "postal://hidden@postal.example.com",
    "gmail://default?token=hidden",
    "graph://default?token=hidden",
];
const STATUSES: &[u16] = &[200, 201, 202, 204, 207, 400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503];

/// Answers everything the same.
#[derive(Debug)]
struct Parrot {
    status: u16,
    field: Vec<u8>,
    body: Bytes,
}

impl HttpClient for Parrot {
    fn execute(&self, request: HttpRequest) -> HttpFuture<'_> {
        request.progress().begin();
        let field = String::from_utf8_lossy(&self.field);
        let answer = HttpResponse::new(self.status, self.body.clone())
            .with_header("X-Message-Id", &*field)
            .with_header("Retry-After", &*field)
            .with_header("X-RateLimit-Remaining", &*field);
        Box::pin(async move { Ok(answer) })
    }
}

fn message() -> Message {
    let mut message = Message::builder()
        .from("app@example.com".parse().expect("an address"))
        .subject("Hello")
        .text("First line");
    for number in 0..3 {
        message = message.to(format!("r{number}@example.net").parse().expect("an address"));
    }
    message.build().expect("a message")
}

fn hold(error: &SendError) {
    assert!(!format!("{error} {error:?}").contains("hidden"));
}

fuzz_target!(|data: &[u8]| {
    let [provider, status, length, rest @ ..] = data else {
        return;
    };
    let (field, body) = rest.split_at(rest.len().min(usize::from(length % 32)));
    let parrot = Parrot {
        status: STATUSES[usize::from(*status) % STATUSES.len()],
        field: field.to_vec(),
        body: Bytes::copy_from_slice(body),
    };
    let status = parrot.status;
    let url = URLS[usize::from(*provider) % URLS.len()];
    let transport = connect(url, parrot).expect("a provider");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let options = SendOptions::new();
        match transport.send(&Outbound::new(message()).expect("a message"), &options).await {
            Ok(outcome) => {
                assert_eq!(outcome.recipients().len(), 3, "{url}");
                assert!(status < 400, "{url} took {status} for a success");
            }
            Err(error) => {
                hold(&error);
                assert!(error.outcome().is_none_or(|outcome| outcome.recipients().len() == 3), "{url}");
                // Nobody can know that of an answer that makes no sense behind a success.
                assert!(status != 500 || body.starts_with(b"{") || error.disposition() != Disposition::NotAccepted, "{url}");
            }
        }
        let each = (0..3).map(|number| Personal::new(format!("p{number}@example.net").parse().expect("an address")));
        let shared = Message::builder()
            .from("app@example.com".parse().expect("an address"))
            .subject("Hello")
            .text("First line")
            .build()
            .expect("a message");
        match transport.send_batch(&Batch::new(shared).to_each(each), &options).await {
            Ok(outcome) => {
                assert_eq!(outcome.recipients().len(), 3, "{url}");
                outcome.failures().iter().for_each(hold);
            }
            Err(error) => hold(&error),
        }
    });
});
