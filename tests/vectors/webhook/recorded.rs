//! Requests of providers, as Anymail's tests have them, and what Anymail makes of them.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use posthaste_events::event::{Event, EventKind};
use posthaste_events::webhook::{
    AcceptUnsigned, Access, Brevo, Control, MailerSend, Mailgun, Mailjet, Mailtrap, Mandrill, Parsed, Postal, Postmark,
    Receiver, RecentKeys, Request, Resend, SendGrid, Ses, Sns, SparkPost, UnisenderGo, Verified, VerifyError, Window,
};
use serde_json::Value;

mod inbound;

use crate::harness::{Input, Report};

pub fn run(input: &Input, report: &mut Report) {
    let file = input.json("webhook/provider-webhooks.json");
    for case in file["cases"].as_array().unwrap() {
        let test = case["test"].as_str().unwrap();
        let id = format!("{} {}", case["id"].as_str().unwrap(), test.trim_start_matches("tests."));
        let module = test.split('.').nth(1).unwrap().trim_start_matches("test_");
        let (provider, is_inbound) = match module.strip_suffix("_inbound") {
            Some(provider) => (provider, true),
            None => (module.trim_end_matches("_webhooks"), false),
        };
        match check(provider, is_inbound, case) {
            Checked::Right => report.pass(&id),
            Checked::Wrong(why) => report.fail(id, why),
            Checked::Unanswered(why) => report.unsupported(id, why),
        }
    }
}

/// What came of a case.
pub(super) enum Checked {
    Right,
    Wrong(String),
    Unanswered(&'static str),
}

fn check(provider: &str, is_inbound: bool, case: &Value) -> Checked {
    let config = &case["config"];
    let receiver = match receiver(provider, is_inbound, config) {
        Ok(Some(receiver)) => receiver,
        Ok(None) => return Checked::Unanswered("no provider of that name"),
        Err(why) => return Checked::Wrong(why),
    };
    let misconfigured = case["error"].as_str().unwrap_or_default();
    if misconfigured.contains("You must set ANYMAIL") {
        return Checked::Unanswered("deviation: nothing can be made without its key");
    }
    let is_refused = case["status"].as_u64().is_some_and(|status| status >= 400);
    let request = match request(case) {
        Ok(request) => request,
        Err(why) => return Checked::Wrong(why),
    };
    let read = match verify(&receiver, provider, config, request) {
        Ok(verified) => verified.parse().map_err(|error| format!("cannot be read: {error}")),
        Err(error) => Err(format!("refused: {error}")),
    };
    let parsed = match (read, is_refused) {
        (Ok(parsed), false) => parsed,
        (Err(_), true) => return Checked::Right,
        (Ok(_), true) => return Checked::Wrong("taken".into()),
        (Err(why), false) => return Checked::Wrong(why),
    };
    if misconfigured.contains("You seem to have set") {
        return Checked::Unanswered("deviation: one receiver takes events and inbound mail");
    }
    compare(&parsed, is_inbound, case)
}

/// Makes the receiver that Anymail's settings describe.
fn receiver(provider: &str, is_inbound: bool, config: &Value) -> Result<Option<Receiver>, String> {
    let setting = |name: &str| {
        let prefixed = || config[format!("ANYMAIL_{name}")].as_str();
        config[name].as_str().or_else(prefixed).map(str::to_owned)
    };
    let wrong = |error: posthaste_events::webhook::KeyError| error.to_string();
    let receiver = match provider {
        "amazon_ses" => Receiver::new(Ses::new(Sns::new(["none of these is signed"]))),
        "sendgrid" => {
            let key = setting("SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY");
            let sendgrid = key
                .map_or(Ok(SendGrid::unsigned()), |key| SendGrid::new(&key))
                .map_err(wrong)?;
            // Its times are words.
            Receiver::new(sendgrid.window(Window::UNBOUNDED))
        }
        "mailgun" => {
            let key = setting("MAILGUN_WEBHOOK_SIGNING_KEY").or_else(|| setting("MAILGUN_API_KEY"));
            let mailgun = Mailgun::new(&key.unwrap_or_else(|| "none".into())).map_err(wrong)?;
            Receiver::new(mailgun.window(Window::UNBOUNDED)).replay_guard(RecentKeys::new(10))
        }
        "postmark" => Receiver::new(Postmark::new()),
        "resend" => {
            let secret = setting(if is_inbound {
                "RESEND_INBOUND_SECRET"
            } else {
                "RESEND_SIGNING_SECRET"
            });
            let resend = secret
                .map_or(Ok(Resend::unsigned()), |secret| Resend::new(&secret))
                .map_err(wrong)?;
            Receiver::new(resend.window(Window::UNBOUNDED))
        }
        "brevo" => Receiver::new(Brevo::new()),
        "mailjet" => Receiver::new(Mailjet::new()),
        "mailtrap" => Receiver::new(Mailtrap::unsigned()),
        "sparkpost" => Receiver::new(SparkPost::new()),
        "mailersend" => {
            let name = if is_inbound {
                "MAILERSEND_INBOUND_SECRET"
            } else {
                "MAILERSEND_SIGNING_SECRET"
            };
            Receiver::new(MailerSend::new(&setting(name).unwrap_or_else(|| "none".into())).map_err(wrong)?)
        }
        "mandrill" => {
            let key = setting("MANDRILL_WEBHOOK_KEY").unwrap_or_else(|| "none".into());
            Receiver::new(Mandrill::new(&key).map_err(wrong)?)
        }
        "postal" => match setting("POSTAL_WEBHOOK_KEY") {
            Some(key) => Receiver::new(Postal::new(&key).map_err(wrong)?),
            None => return Ok(None),
        },
        "unisender_go" => {
            let key = setting("UNISENDER_GO_API_KEY").unwrap_or_else(|| "none".into());
            Receiver::new(UnisenderGo::new(&key).map_err(wrong)?)
        }
        _ => return Ok(None),
    };
    Ok(Some(logins(config).into_iter().fold(receiver, Receiver::access)))
}

/// Reads user names and passwords: `user:password`, or a list of those as Python writes it.
fn logins(config: &Value) -> Vec<Access> {
    let text = config["WEBHOOK_SECRET"].as_str().unwrap_or_default();
    let words = text
        .split(|c: char| "[]', ".contains(c))
        .filter(|word| !word.is_empty());
    words
        .filter_map(|word| word.split_once(':'))
        .map(|(user, password)| Access::basic(user, password))
        .collect()
}

fn request(case: &Value) -> Result<Request, String> {
    let body = match (&case["body"], &case["body_base64"]) {
        (Value::String(text), _) => text.clone().into_bytes(),
        (_, Value::String(text)) => STANDARD.decode(text).map_err(|error| error.to_string())?,
        _ => return Err("no body".into()),
    };
    let path = case["path"].as_str().unwrap_or_default();
    let url = if path.starts_with('/') {
        format!("http://testserver{path}")
    } else {
        path.to_owned()
    };
    let mut request = Request::new(case["method"].as_str().unwrap_or("POST"), url, body);
    if let Some(kind) = case["content_type"].as_str() {
        request = request.header("Content-Type", kind.to_owned());
    }
    for (name, value) in case["headers"].as_object().into_iter().flatten() {
        let value = match value {
            Value::String(text) => {
                // Octets as Python shows them.
                let octets = text.strip_prefix("b'").and_then(|text| text.strip_suffix('\''));
                octets.unwrap_or(text).to_owned()
            }
            // A time with a fraction: what was signed has none.
            other => other.to_string().split('.').next().unwrap_or_default().to_owned(),
        };
        request = request.header(name.as_str(), value);
    }
    Ok(request)
}

fn verify(receiver: &Receiver, provider: &str, config: &Value, request: Request) -> Result<Verified, VerifyError> {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let unsigned =
        AcceptUnsigned::because("the recording has no signature that could be checked, or Anymail only warns");
    let nothing_is_asked_for = config["WEBHOOK_SECRET"].is_null();
    match receiver.verify(request.clone(), now) {
        Err(VerifyError::Unprotected) if nothing_is_asked_for => receiver.accept_unsigned(request, unsigned),
        Err(_) if provider == "amazon_ses" => receiver.accept_unsigned(request, unsigned),
        outcome => outcome,
    }
}

fn compare(parsed: &Parsed, is_inbound: bool, case: &Value) -> Checked {
    let expected: Vec<&Value> = case["events"].as_array().unwrap().iter().collect();
    if is_inbound && !expected.is_empty() {
        let [mail] = &parsed.inbound[..] else {
            return Checked::Wrong(format!("{} mails, expected one", parsed.inbound.len()));
        };
        return inbound::compare(mail, expected[0]);
    }
    if let Some(problem) = parsed.problems.first() {
        return Checked::Wrong(format!("an event cannot be read: {}", problem.error));
    }
    if matches!(
        parsed.control,
        Some(Control::Ping | Control::Unsubscribed { .. } | Control::ConfirmSubscription { .. })
    ) {
        return right(expected.is_empty().then_some(()).ok_or_else(|| "no event".into()));
    }
    // Anymail leaves out what it has no word for, as messages of SNS without anything in them.
    let events: Vec<&Event> = parsed
        .events
        .iter()
        .filter(|event| !expected.is_empty() || event.kind != EventKind::Unknown)
        .collect();
    if events.len() != expected.len() {
        return Checked::Wrong(format!("{} events, expected {}", events.len(), expected.len()));
    }
    for (event, expected) in events.iter().zip(expected) {
        if let Err(why) = compare_event(event, expected) {
            return Checked::Wrong(why);
        }
    }
    // What makes an event another one makes its id another one.
    let mut ids: Vec<&str> = events.iter().map(|event| event.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    right(
        (ids.len() == events.len())
            .then_some(())
            .ok_or_else(|| "ids are the same".into()),
    )
}

fn right(outcome: Result<(), String>) -> Checked {
    outcome.map_or_else(Checked::Wrong, |()| Checked::Right)
}

fn compare_event(event: &Event, expected: &Value) -> Result<(), String> {
    let same = |what: &str, found: Option<&str>, expected: &Value| {
        let expected = expected.as_str().map(str::trim).filter(|text| !text.is_empty());
        let matches = found.map(str::trim) == expected;
        matches
            .then_some(())
            .ok_or_else(|| format!("{what} is {found:?}, expected {expected:?}"))
    };
    let kind = match event.kind {
        EventKind::RenderingFailed => "failed",
        kind => kind.as_str(),
    };
    same("the kind", Some(kind), &expected["event_type"])?;
    same("the recipient", event.recipient.as_deref(), &expected["recipient"])?;
    same("the URL", event.url.as_deref(), &expected["click_url"])?;
    same("the user agent", event.user_agent.as_deref(), &expected["user_agent"])?;
    same(
        "the provider's id",
        event.provider_event_id.as_deref(),
        &expected["event_id"],
    )?;
    same("the diagnostic", event.diagnostic.as_deref(), &expected["mta_response"])?;
    if !expected["description"].is_null() {
        same(
            "the description",
            event.description.as_deref(),
            &expected["description"],
        )?;
    }
    if !expected["reject_reason"].is_null() {
        same(
            "the reason",
            event.rejection.map(|reason| reason.as_str()),
            &expected["reject_reason"],
        )?;
    }
    // Anymail leaves out the fraction of some times, and cannot read others.
    if let Some(text) = expected["timestamp"].as_str() {
        let part = if text.contains('.') { 1 } else { 1_000_000 };
        let time = microseconds(text).ok_or_else(|| format!("time {text}"))?;
        let since = event
            .time
            .map(|time| time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_micros());
        if since.map(|since| since / part) != Some(time / part) {
            return Err(format!("the time is {since:?}, expected {time:?}"));
        }
    }
    let mut metadata = event.metadata.clone();
    // Anymail sends an id of its own along, and takes it for the id of the message.
    let own = metadata.remove("anymail_id");
    let ids = [
        own,
        event.provider_message_id.clone(),
        event.message_id.as_ref().map(|id| format!("<{id}>")),
    ];
    if let Some(expected) = expected["message_id"].as_str()
        && !expected.is_empty()
        && !ids.iter().flatten().any(|id| id == expected)
    {
        return Err(format!("the ids of the message are {ids:?}, expected {expected}"));
    }
    let wanted: BTreeMap<String, String> = expected["metadata"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| {
            (
                name.clone(),
                value.as_str().map_or_else(|| value.to_string(), str::to_owned),
            )
        })
        .collect();
    if metadata != wanted {
        return Err(format!("the metadata is {metadata:?}, expected {wanted:?}"));
    }
    let mut tags = Vec::new();
    words(&expected["tags"], &mut tags);
    if event.tags != tags {
        return Err(format!("the tags are {:?}, expected {tags:?}", event.tags));
    }
    Ok(())
}

/// Collects words of lists in lists, without empty ones.
fn words(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(all) => all.iter().for_each(|value| words(value, found)),
        Value::String(word) if !word.is_empty() => found.push(word.clone()),
        _ => {}
    }
}

/// Reads a time as Python writes it, to the microsecond.
pub(super) fn microseconds(text: &str) -> Option<u128> {
    let (clock, offset) = text.split_at(text.len() - 6);
    let (date, clock) = clock.split_once('T')?;
    let numbers: Vec<i64> = date
        .split('-')
        .chain(clock.split(['.', ':']))
        .filter_map(|part| part.parse().ok())
        .collect();
    let fraction = if clock.contains('.') { *numbers.get(6)? } else { 0 };
    let (year, month, day) = (numbers[0], numbers[1], numbers[2]);
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [
        31,
        if leap(year) { 29 } else { 28 },
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let years: i64 = (1970..year).map(|year| if leap(year) { 366 } else { 365 }).sum();
    let months: i64 = lengths.iter().take(usize::try_from(month - 1).ok()?).sum();
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let minutes = sign * (offset[1..3].parse::<i64>().ok()? * 60 + offset[4..].parse::<i64>().ok()?);
    let seconds = (years + months + day - 1) * 86_400 + numbers[3] * 3600 + numbers[4] * 60 + numbers[5] - minutes * 60;
    u128::try_from(seconds * 1_000_000 + fraction).ok()
}
