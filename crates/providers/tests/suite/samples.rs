//! What the suite has to know of each provider: a URL, and answers.

use std::sync::Arc;

use posthaste_providers::{BatchTransport, HttpClient, connect};
use posthaste_transport::{Capabilities, Transport};

use crate::fake::Fake;

/// One provider.
pub(crate) struct Sample {
    /// Its name.
    pub(crate) name: &'static str,
    /// A URL that makes it; the keys hold the word `hidden`.
    pub(crate) url: &'static str,
    /// The status and body with which it accepts one message.
    pub(crate) accepts: (u16, &'static str),
    /// A header field that goes with it.
    pub(crate) header: (&'static str, &'static str),
    /// The id that is read from that.
    pub(crate) id: Option<&'static str>,
    /// Makes the body with which it accepts a call with so many messages.
    pub(crate) accepts_batch: fn(usize) -> String,
}

/// Shows the name alone: the URL holds the key that is looked for.
impl std::fmt::Debug for Sample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// The providers, in the order of the registry.
pub(crate) fn all() -> &'static [Sample] {
    SAMPLES
}

/// The transport that the sample's URL makes, which makes one call at a time.
pub(crate) fn provider(sample: &Sample, client: impl HttpClient) -> Arc<dyn BatchTransport> {
    let separator = if sample.url.contains('?') { '&' } else { '?' };
    connect(&format!("{}{separator}parallel=1", sample.url), client).unwrap()
}

/// What the provider says that it can do.
pub(crate) fn capabilities(sample: &'static Sample) -> Capabilities {
    *Fake::new(sample).transport().info().capabilities()
}

/// How many messages one call holds.
pub(crate) fn max_batch(sample: &'static Sample) -> usize {
    capabilities(sample).max_batch().unwrap_or(1) as usize
}

/// SparkPost says one thing of all.
const SPARKPOST: &str =
    r#"{"results":{"total_rejected_recipients":0,"total_accepted_recipients":1,"id":"11668787484950529"}}"#;

const SAMPLES: &[Sample] = &[
    Sample {
        name: "ses",
        url: "ses://AKIDEXAMPLE:hidden@eu-west-1",
        accepts: (200, r#"{"MessageId":"0100018f-000000"}"#),
        header: ("x-amzn-RequestId", "1"),
        id: Some("0100018f-000000"),
        accepts_batch: |count| {
            let results = list(count, r#"{"Status":"SUCCESS","MessageId":"N"}"#);
            format!("{{\"BulkEmailEntryResults\":{results}}}")
        },
    },
    Sample {
        name: "sendgrid",
        url: "sendgrid://hidden@default",
        accepts: (202, ""),
        header: ("X-Message-Id", "14c5d75ce93"),
        id: Some("14c5d75ce93"),
        accepts_batch: |_| String::new(),
    },
    Sample {
        name: "mailgun",
        url: "mailgun://hidden@mg.example.com",
        accepts: (
            200,
            r#"{"id":"<20260102030405.1@mg.example.com>","message":"Queued. Thank you."}"#,
        ),
        header: ("X-Request-Id", "1"),
        id: Some("<20260102030405.1@mg.example.com>"),
        accepts_batch: |_| r#"{"id":"<20260102030405.1@mg.example.com>","message":"Queued. Thank you."}"#.to_owned(),
    },
    Sample {
        name: "postmark",
        url: "postmark://hidden@default",
        accepts: (
            200,
            r#"{"To":"a@example.net","MessageID":"b7bc2f4a","ErrorCode":0,"Message":"OK"}"#,
        ),
        header: ("X-Request-Id", "1"),
        id: Some("b7bc2f4a"),
        accepts_batch: |count| list(count, r#"{"ErrorCode":0,"Message":"OK","MessageID":"N"}"#),
    },
    Sample {
        name: "resend",
        url: "resend://hidden@default",
        accepts: (200, r#"{"id":"56761188-7520"}"#),
        header: ("X-Request-Id", "1"),
        id: Some("56761188-7520"),
        accepts_batch: |count| format!("{{\"data\":{}}}", list(count, r#"{"id":"N"}"#)),
    },
    Sample {
        name: "brevo",
        url: "brevo://hidden@default",
        accepts: (201, r#"{"messageId":"<1.2@smtp-relay.mailin.fr>"}"#),
        header: ("X-Request-Id", "1"),
        id: Some("<1.2@smtp-relay.mailin.fr>"),
        accepts_batch: |count| format!("{{\"messageIds\":{}}}", list(count, "\"N\"")),
    },
    Sample {
        name: "mailjet",
        url: "mailjet://hidden:hidden@default",
        accepts: (
            200,
            r#"{"Messages":[{"Status":"success","To":[{"Email":"a@example.net","MessageID":1152921538875407621}]}]}"#,
        ),
        header: ("X-Request-Id", "1"),
        id: Some("1152921538875407621"),
        accepts_batch: |count| {
            let item = r#"{"Status":"success","To":[{"Email":"x@example.net","MessageID":"N"}]}"#;
            format!("{{\"Messages\":{}}}", list(count, item))
        },
    },
    Sample {
        name: "mailersend",
        url: "mailersend://hidden@default",
        accepts: (202, ""),
        header: ("X-Message-Id", "5e42957d51f1d94a1070a733"),
        id: Some("5e42957d51f1d94a1070a733"),
        accepts_batch: |_| r#"{"message":"The bulk email is being processed.","bulk_email_id":"614470d1"}"#.to_owned(),
    },
    Sample {
        name: "mailtrap",
        url: "mailtrap://hidden@default",
        accepts: (200, r#"{"success":true,"message_ids":["0c7fd939-02cf"]}"#),
        header: ("X-Request-Id", "1"),
        id: Some("0c7fd939-02cf"),
        accepts_batch: |count| {
            let responses = list(count, r#"{"success":true,"message_ids":["N"]}"#);
            format!("{{\"success\":true,\"responses\":{responses},\"errors\":[]}}")
        },
    },
    Sample {
        name: "azure",
        url: "azure://aGlkZGVu@name.communication.azure.com",
        accepts: (202, r#"{"id":"op-1","status":"Running","error":null}"#),
        header: ("x-ms-request-id", "1"),
        id: Some("op-1"),
        accepts_batch: |_| String::new(),
    },
    Sample {
        name: "scaleway",
        url: "scaleway://hidden@default?project=6d9d3e1f",
        accepts: (
            200,
            r#"{"emails":[{"id":"aaaaaaaa-bbbb","mail_rcpt":"a@example.net","status":"new"}]}"#,
        ),
        header: ("X-Request-Id", "1"),
        id: Some("aaaaaaaa-bbbb"),
        accepts_batch: |_| String::new(),
    },
    Sample {
        name: "zeptomail",
        url: "zeptomail://hidden@default",
        accepts: (
            201,
            r#"{"data":[{"code":"EM_104","message":"Email request received"}],"message":"OK","request_id":"2d6f.1"}"#,
        ),
        header: ("X-Request-Id", "1"),
        id: Some("2d6f.1"),
        accepts_batch: |_| r#"{"data":[{"code":"EM_104"}],"message":"OK","request_id":"2d6f.1"}"#.to_owned(),
    },
    Sample {
        name: "unisender",
        url: "unisender://hidden@go1.unisender.ru",
        accepts: (
            200,
            r#"{"status":"success","job_id":"1ZymBc-00041N-9X","emails":["a@example.net"]}"#,
        ),
        header: ("X-Request-Id", "1"),
        id: Some("1ZymBc-00041N-9X"),
        accepts_batch: |_| r#"{"status":"success","job_id":"1ZymBc-00041N-9X","emails":[]}"#.to_owned(),
    },
    Sample {
        name: "cloudflare",
        url: "cloudflare://hidden@default?account=0123456789abcdef",
        accepts: (200, r#"{"success":true,"errors":[],"messages":[],"result":{}}"#),
        header: ("CF-Ray", "1"),
        id: None,
        accepts_batch: |_| String::new(),
    },
    Sample {
        name: "sparkpost",
        url: "sparkpost://hidden@default",
        accepts: (200, SPARKPOST),
        header: ("X-Request-Id", "1"),
        id: Some("11668787484950529"),
        accepts_batch: |_| SPARKPOST.to_owned(),
    },
    Sample {
        name: "mandrill",
        url: "mandrill://hidden@default",
        accepts: (
            200,
            r#"[{"email":"a@example.net","status":"sent","_id":"abc123","reject_reason":null},
                {"email":"b@xn--bcher-kva.example","status":"queued","_id":"abc124"},
                {"email":"c@example.net","status":"queued","_id":"abc125"},
                {"email":"d@example.net","status":"queued","_id":"abc126"},
                {"email":"to@xn--pklad-zsa96e.example","status":"queued","_id":"abc127"}]"#,
        ),
        header: ("X-Request-Id", "1"),
        id: Some("abc123"),
        accepts_batch: |count| {
            let items: Vec<String> = (0..count)
                .map(|number| format!(r#"{{"email":"p{number}x@example.net","status":"queued","_id":"{number}"}}"#))
                .collect();
            format!("[{}]", items.join(","))
        },
    },
    Sample {
        name: "postal",
        url: "postal://hidden@postal.example.com",
        accepts: (
            200,
            r#"{"status":"success","time":0.1,"flags":{},"data":{"message_id":"1@rp.example.com","messages":
                {"a@example.net":{"id":1503,"token":"ke47R2hZkSlA"}}}}"#,
        ),
        header: ("X-Request-Id", "1"),
        id: Some("1503"),
        accepts_batch: |_| String::new(),
    },
    Sample {
        name: "gmail",
        url: "gmail://default?token=hidden",
        accepts: (200, r#"{"id":"18c0","threadId":"18c0","labelIds":["SENT"]}"#),
        header: ("X-Request-Id", "1"),
        id: Some("18c0"),
        accepts_batch: |_| String::new(),
    },
    Sample {
        name: "graph",
        url: "graph://default?token=hidden",
        accepts: (202, ""),
        header: ("request-id", "1"),
        id: None,
        accepts_batch: |_| String::new(),
    },
    // Providers that a file describes: one with an adapter of its own, one without, and one that takes forms.
    Sample {
        name: "postmark-described",
        url: concat!(
            "generic://hidden@default?file=",
            env!("CARGO_MANIFEST_DIR"),
            "/descriptions/postmark.toml"
        ),
        accepts: (
            200,
            r#"{"To":"a@example.net","MessageID":"b7bc2f4a","ErrorCode":0,"Message":"OK"}"#,
        ),
        header: ("X-Request-Id", "1"),
        id: Some("b7bc2f4a"),
        accepts_batch: |_| String::new(),
    },
    Sample {
        name: "mailpace",
        url: concat!(
            "generic://hidden@default?file=",
            env!("CARGO_MANIFEST_DIR"),
            "/descriptions/mailpace.toml"
        ),
        accepts: (200, r#"{"id":1,"status":"queued"}"#),
        header: ("X-Request-Id", "1"),
        id: Some("1"),
        accepts_batch: |_| String::new(),
    },
    Sample {
        name: "smtp2go",
        url: concat!(
            "generic://hidden@default?file=",
            env!("CARGO_MANIFEST_DIR"),
            "/descriptions/smtp2go.toml"
        ),
        accepts: (
            200,
            r#"{"request_id":"aa253464","data":{"succeeded":1,"failed":0,"failures":[],"email_id":"1m4n8l-8jg3j1-7r"}}"#,
        ),
        header: ("X-Request-Id", "1"),
        id: Some("1m4n8l-8jg3j1-7r"),
        accepts_batch: |_| String::new(),
    },
    Sample {
        name: "a-form",
        url: concat!(
            "generic://hidden@default?file=",
            env!("CARGO_MANIFEST_DIR"),
            "/tests/descriptions/form.toml"
        ),
        accepts: (202, ""),
        header: ("X-Message-Id", "42"),
        id: Some("42"),
        accepts_batch: |_| String::new(),
    },
    Sample {
        name: "a-raw",
        url: concat!(
            "generic://hidden@default?file=",
            env!("CARGO_MANIFEST_DIR"),
            "/tests/descriptions/raw.toml"
        ),
        accepts: (200, r#"{"result":{"id":"r-1"}}"#),
        header: ("X-Request-Id", "1"),
        id: Some("r-1"),
        accepts_batch: |_| String::new(),
    },
];

/// An array of so many of the same, each `N` its number.
fn list(count: usize, item: &str) -> String {
    let items: Vec<String> = (0..count)
        .map(|number| item.replace("\"N\"", &format!("\"id-{number}\"")))
        .collect();
    format!("[{}]", items.join(","))
}
