//! Messages for providers' APIs: the request that is made of them, and what is read from the answer.

mod case;
mod compare;
mod form;

use std::sync::{Arc, Mutex};

use posthaste_providers::{
    Adapter, AmazonSes, AwsCredentials, AwsKeys, BatchTransport, Brevo, HttpClient, HttpError, HttpFuture, HttpRequest,
    HttpResponse, MailerSend, Mailgun, Mailjet, Mailtrap, Mandrill, Postal, Postmark, Provider, Resend, Scaleway,
    SendGrid, SparkPost, UnisenderGo,
};
use posthaste_transport::{Disposition, ErrorKind, Fate, RecipientOutcome, SendError, Transport};
use serde_json::Value;

use crate::harness::{Input, Report, Set};
use case::{Case, Mail};

/// Deviations accepted on purpose.
pub const DEVIATIONS: &[(&str, &str, &str)] = &[
    (
        "providers/provider-send",
        "an id that the recording program made up itself is not asked for",
        "ids come from the provider; ours stands in Message-ID and metadata if the caller wants it",
    ),
    (
        "providers/provider-send",
        "numbers and their texts count as equal",
        "metadata are texts here",
    ),
    (
        "providers/provider-send",
        "a member that holds an empty text or null counts as absent",
        "what was not said is left out here",
    ),
    (
        "providers/provider-send",
        "times are equal if they are the same moment",
        "a schedule is a moment, and is written in UTC",
    ),
    (
        "providers/provider-send",
        "Message-ID is not handed over as a free header field",
        "every message has one here, and providers set their own",
    ),
    (
        "providers/provider-send",
        "a recipient whose status was recorded as unknown may have been accepted",
        "an answer that accepts a message accepts it for everybody whom it does not except",
    ),
    (
        "providers/provider-send",
        "a recipient whom an answer that accepts does not name may have been recorded as failed",
        "the message may be on its way, so it does not count as refused",
    ),
    (
        "providers/provider-send",
        "what was read from an answer that names none of the recipients is not compared",
        "the recording reuses one answer for several messages",
    ),
    (
        "providers/provider-send",
        "what the provider would refuse may be refused before it is asked",
        "capabilities are checked before any I/O",
    ),
];

/// The sets of this area.
pub fn sets() -> Vec<Set> {
    vec![Set {
        name: "providers/provider-send",
        run: provider_send,
    }]
}

/// A provider of the recordings: its name there, and what drives our adapter with a case.
struct Esp {
    name: &'static str,
    run: fn(&Case) -> Result<Seen, String>,
    /// Recordings that ours answers differently, by the end of the test's name, and why.
    differs: &'static [(&'static str, &'static str)],
}

const ESPS: &[Esp] = &[
    Esp {
        name: "Amazon SES",
        run: |case| {
            let keys = AwsKeys::new("test-key", "test-secret").unwrap();
            let adapter = AmazonSes::new("us-east-1", AwsCredentials::keys(keys)).unwrap();
            drive(adapter.with_tag_name("Campaign"), case)
        },
        differs: &[
            (
                "test_tags",
                "tags are SES's own message tags, which recipients do not see",
            ),
            (
                "test_template_default_email_tag",
                "tags are SES's own message tags, which recipients do not see",
            ),
            ("test_config_set_setting", "a configuration set belongs to a send"),
            ("test_spoofed_to", "To is written of the message's own recipients"),
        ],
    },
    Esp {
        name: "SendGrid",
        run: |case| drive(SendGrid::new("test_api_key").unwrap(), case),
        differs: &[
            (
                "test_explicit_dynamic_template",
                "whether a template is dynamic is told by its id, as SendGrid's own ids do",
            ),
            (
                "test_legacy_merge_field_format_setting",
                "keys of substitutions stand as they do in the text",
            ),
            (
                "test_merge_metadata_with_legacy_template",
                "keys of substitutions stand as they do in the text",
            ),
        ],
    },
    Esp {
        name: "Mailgun",
        run: |case| drive(Mailgun::new("test_api_key").unwrap(), case),
        differs: &[
            ("test_magnificent_api", "the address of the API is set on the adapter"),
            ("test_encode_sender_domain", "what is no domain cannot be set as one"),
            (
                "test_sender_domain",
                "of an envelope sender Mailgun takes the domain alone, which is set on the adapter",
            ),
        ],
    },
    Esp {
        name: "Postmark",
        run: |case| drive(Postmark::new("test_server_token").unwrap(), case),
        differs: &[
            (
                "test_message_server_token",
                "a key belongs to an adapter, not to a message",
            ),
            (
                "test_multiple_from_emails",
                "Postmark does not say that From may hold several",
            ),
        ],
    },
    Esp {
        name: "Resend",
        run: |case| drive(Resend::new("test_api_key").unwrap(), case),
        differs: &[],
    },
    Esp {
        name: "Brevo",
        run: |case| drive(Brevo::new("test_api_key").unwrap(), case),
        differs: &[],
    },
    Esp {
        name: "Mailjet",
        run: |case| drive(Mailjet::new("API KEY HERE", "SECRET KEY HERE").unwrap(), case),
        differs: &[(
            "test_reply_to",
            "a second address for answers is not left out in silence",
        )],
    },
    Esp {
        name: "MailerSend",
        run: |case| {
            let adapter = MailerSend::new(case.bearer().unwrap_or("test_api_token")).unwrap();
            drive(adapter.with_endpoint(case.endpoint("/email", "/bulk-email")), case)
        },
        differs: &[
            (
                "test_merge_data_expose_to_list",
                "a batch shows nobody another's address",
            ),
            ("test_bulk_send_response", "one message is not sent as a bulk of one"),
        ],
    },
    Esp {
        name: "Mailtrap",
        run: |case| {
            let sandbox = case.request()["url"]
                .as_str()
                .is_some_and(|url| url.contains("//sandbox."));
            let token = if sandbox { "test-token" } else { "test_api_token" };
            let adapter = Mailtrap::new(token).unwrap();
            drive(if sandbox { adapter.in_sandbox(12345) } else { adapter }, case)
        },
        differs: &[(
            "test_multiple_tags_ignore_unsupported_features",
            "a second tag is not left out in silence",
        )],
    },
    Esp {
        name: "Scaleway",
        run: |case| drive(Scaleway::new("test_secret_key", "test_project_id").unwrap(), case),
        differs: &[],
    },
    Esp {
        name: "Unisender Go",
        run: |case| {
            let endpoint = "https://go1.unisender.ru/ru/transactional/api/v1";
            drive(UnisenderGo::new("test_api_key", endpoint).unwrap(), case)
        },
        differs: &[(
            "test_rejected_recipient_status",
            "somebody who is named twice is written to once",
        )],
    },
    Esp {
        name: "SparkPost",
        run: |case| drive(SparkPost::new("test_api_key").unwrap(), case),
        differs: &[],
    },
    Esp {
        name: "Mandrill",
        run: |case| drive(Mandrill::new("test_api_key").unwrap(), case),
        differs: &[(
            "test_esp_extra_recipient_metadata",
            "members that go over a request go as they are",
        )],
    },
    Esp {
        name: "Postal",
        run: |case| {
            drive(
                Postal::new("https://postal.example.com", "test_server_token").unwrap(),
                case,
            )
        },
        differs: &[(
            "test_reply_to",
            "Postal takes one address to reply to; that there are more is said and not hidden",
        )],
    },
];

/// What was sent, and what came of it.
struct Seen {
    request: Option<HttpRequest>,
    recipients: Vec<RecipientOutcome>,
    id: Option<String>,
    error: Option<SendError>,
}

/// Keeps the request and gives the recorded answer.
#[derive(Debug)]
struct Recorded {
    request: Arc<Mutex<Option<HttpRequest>>>,
    response: HttpResponse,
}

impl HttpClient for Recorded {
    fn execute(&self, request: HttpRequest) -> HttpFuture<'_> {
        request.progress().begin();
        Box::pin(async move {
            match self.request.lock() {
                Ok(mut kept) if kept.is_none() => *kept = Some(request),
                _ => return Err(HttpError::new("a second request")),
            }
            Ok(self.response.clone())
        })
    }
}

/// Sends the case's mail by `adapter`.
fn drive<A: Adapter>(adapter: A, case: &Case) -> Result<Seen, String> {
    let request = Arc::new(Mutex::new(None));
    let client = Recorded {
        request: Arc::clone(&request),
        response: case.response(),
    };
    let provider = Provider::with_client(adapter, client).with_extra(case.extra());
    let options = case.options()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(|error| error.to_string())?;
    let (recipients, id, error) = match case.mail()? {
        Mail::One(mail) => match runtime.block_on(provider.send(&mail, &options)) {
            Ok(outcome) => (
                outcome.recipients().to_vec(),
                outcome.provider_id().map(str::to_owned),
                None,
            ),
            Err(error) => {
                let outcome = error.outcome().cloned();
                let recipients = outcome.as_ref().map(|outcome| outcome.recipients().to_vec());
                let id = outcome.and_then(|outcome| outcome.provider_id().map(str::to_owned));
                (recipients.unwrap_or_default(), id, Some(error))
            }
        },
        Mail::Many(batch) => match runtime.block_on(provider.send_batch(&batch, &options)) {
            Ok(mut outcome) => (outcome.recipients().to_vec(), None, outcome.take_failure()),
            Err(error) => (Vec::new(), None, Some(error)),
        },
    };
    let request = request.lock().map_err(|error| error.to_string())?.take();
    Ok(Seen {
        request,
        recipients,
        id,
        error,
    })
}

fn provider_send(input: &Input, report: &mut Report) {
    let file = input.json("providers/provider-send.json");
    for (index, value) in file["cases"].as_array().into_iter().flatten().enumerate() {
        let case = Case::new(value);
        let id = format!("{index} {} {}", case.esp(), case.name());
        let Some(esp) = ESPS.iter().find(|esp| esp.name == case.esp()) else {
            report.unsupported(id, "no adapter for this provider");
            continue;
        };
        if let Some(why) = case.cannot_be_answered() {
            report.unsupported(id, why);
            continue;
        }
        if let Some((_, why)) = esp.differs.iter().find(|(name, _)| *name == case.name()) {
            report.unsupported(id, *why);
            continue;
        }
        report.check(&id, check(esp, &case));
    }
}

fn check(esp: &Esp, case: &Case) -> Result<(), String> {
    let seen = (esp.run)(case)?;
    let is_refused_early = |error: &SendError| {
        matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::Invalid)
            && error.disposition() == Disposition::NotAccepted
    };
    if case.fails() && seen.request.is_none() && seen.error.as_ref().is_some_and(is_refused_early) {
        return Ok(());
    }
    let Some(request) = &seen.request else {
        let why = seen.error.map(|error| error.to_string()).unwrap_or_default();
        return Err(format!("nothing was sent: {why}"));
    };
    compare::request(request, case.request())?;
    if case.fails() {
        return match seen.error {
            Some(_) => Ok(()),
            None => Err("the answer was taken for a success".to_owned()),
        };
    }
    let Some(expected) = case.parsed_status() else {
        return Ok(());
    };
    if expected.is_empty() {
        return Ok(());
    }
    let all_refused = expected
        .values()
        .all(|said| matches!(said["status"].as_str(), Some("rejected" | "failed" | "invalid")));
    if seen.recipients.is_empty() {
        let error = seen.error.as_ref();
        if all_refused && error.is_some_and(|error| error.disposition() == Disposition::NotAccepted) {
            return Ok(());
        }
        let why = seen.error.map(|error| error.to_string()).unwrap_or_default();
        return Err(format!("no outcome: {why}"));
    }
    let is_recorded = |outcome: &RecipientOutcome| {
        let forms = [outcome.address().to_string(), outcome.address().to_unicode()];
        expected
            .keys()
            .any(|key| forms.iter().any(|form| key.eq_ignore_ascii_case(form)))
    };
    if !seen.recipients.iter().any(is_recorded) {
        // The recorded answer was one to somebody else.
        return Ok(());
    }
    for outcome in &seen.recipients {
        let address = outcome.address().to_string();
        let unicode = outcome.address().to_unicode();
        let Some(said) = expected
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(&address) || key.eq_ignore_ascii_case(&unicode))
            .map(|(_, said)| said)
        else {
            return Err(format!("an outcome for {address}, of whom nothing is recorded"));
        };
        // Of whom an answer that accepts says nothing, the recording says that they failed.
        let is_named = case.answer_names(&address);
        if said["status"] == "failed" && !is_named && outcome.fate().refusal().is_none() {
            continue;
        }
        status(outcome, &said["status"])?;
        let made_up = |id: &str| id.starts_with("mocked-uuid");
        if let Some(id) = said["message_id"].as_str().filter(|id| !made_up(id)) {
            let own = outcome.provider_id().or(seen.id.as_deref());
            if own != Some(id) {
                return Err(format!("the id of {address} is {own:?}, not {id:?}"));
            }
        }
    }
    Ok(())
}

fn status(outcome: &RecipientOutcome, expected: &Value) -> Result<(), String> {
    let agrees = match (expected.as_str(), outcome.fate()) {
        (Some("queued" | "sent"), fate) => fate.is_accepted(),
        (Some("rejected" | "failed" | "invalid"), Fate::Refused(_)) => true,
        (Some("unknown"), Fate::Unknown | Fate::Accepted) => true,
        _ => false,
    };
    if agrees {
        Ok(())
    } else {
        Err(format!("{}: {} and not {expected}", outcome.address(), outcome.fate()))
    }
}
