//! A recorded message, in this project's own types.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use posthaste_address::{AddressList, Mailbox};
use posthaste_mime::{
    Attachment, ContentType, HeaderName, HeaderValue, ListUnsubscribe, Message, MessageBuilder, MessageId,
};
use posthaste_providers::{Batch, HttpResponse, Personal};
use posthaste_transport::{Outbound, SendOptions};
use serde_json::{Map, Value};

/// One recording.
pub struct Case<'v> {
    value: &'v Value,
}

/// What is sent.
pub enum Mail {
    /// One message to everybody.
    One(Outbound),
    /// A template, or data of each recipient's own.
    Many(Batch),
}

impl<'v> Case<'v> {
    /// Looks at a recording.
    pub fn new(value: &'v Value) -> Self {
        Self { value }
    }

    /// The provider.
    pub fn esp(&self) -> &'v str {
        self.value["esp"].as_str().unwrap_or_default()
    }

    /// The name of the test that was recorded.
    pub fn name(&self) -> &'v str {
        let test = self.value["test"].as_str().unwrap_or_default();
        test.rsplit('.').next().unwrap_or_default()
    }

    /// The recorded request.
    pub fn request(&self) -> &'v Value {
        &self.value["request"]
    }

    /// Whether the recording program refused the answer.
    pub fn fails(&self) -> bool {
        self.value["parse_error"].is_string()
            || self.value["response_error"].is_string()
            || self.value["response_status"]
                .as_u64()
                .is_some_and(|status| status / 100 != 2)
                && self.parsed_status().is_none()
    }

    /// What was read from the answer, by recipient.
    pub fn parsed_status(&self) -> Option<&'v Map<String, Value>> {
        self.value["parsed_status"].as_object()
    }

    /// The recorded answer.
    pub fn response(&self) -> HttpResponse {
        let status = self.value["response_status"]
            .as_u64()
            .and_then(|status| u16::try_from(status).ok())
            .unwrap_or(200);
        let body = match &self.value["response"] {
            Value::String(text) => text.clone(),
            Value::Null if self.value["response_error"].is_string() => {
                return HttpResponse::new(400, r#"{"message":"refused"}"#);
            }
            Value::Null => String::new(),
            object => object.to_string(),
        };
        let response = HttpResponse::new(status, body);
        // MailerSend's id stands in a header field, which the recording does not hold; what was read from it it holds.
        let id = self
            .parsed_status()
            .filter(|_| self.esp() == "MailerSend")
            .and_then(|said| said.values().find_map(|said| said["message_id"].as_str()));
        match id.filter(|id| !id.starts_with("bulk:")) {
            Some(id) => response.with_header("X-Message-Id", id),
            None => response,
        }
    }

    /// Whether the recorded answer holds this address.
    pub fn answer_names(&self, address: &str) -> bool {
        self.value["response"].to_string().contains(address)
    }

    /// The token that the recorded request shows.
    pub fn bearer(&self) -> Option<&'v str> {
        self.request()["headers"]["Authorization"]
            .as_str()?
            .strip_prefix("Bearer ")
    }

    /// The recorded URL without its last part.
    pub fn endpoint(&self, one: &str, many: &str) -> &'v str {
        let url = self.request()["url"].as_str().unwrap_or_default();
        url.strip_suffix(many).or_else(|| url.strip_suffix(one)).unwrap_or(url)
    }

    /// Members that go over the request as they are.
    pub fn extra(&self) -> Map<String, Value> {
        self.input("esp_extra").as_object().cloned().unwrap_or_default()
    }

    /// Why the recording cannot be answered, if it cannot.
    pub fn cannot_be_answered(&self) -> Option<&'static str> {
        let attachments = self.input("attachments").as_array();
        if attachments.is_some_and(|all| all.iter().any(|one| one["mime_part"] == true)) {
            return Some("the recording does not hold what was attached");
        }
        let individual = |key: &&str| self.input(key).is_object();
        if self.name().contains("merge_data") && !["merge_data", "merge_global_data"].iter().any(individual) {
            return Some("the recording does not hold the data that it names");
        }
        let headers = self.input("extra_headers");
        let leaves = headers["List-Unsubscribe"].as_str().unwrap_or_default();
        if headers["List-Unsubscribe-Post"].is_string() && !leaves.contains("https:") {
            return Some("leaving by one click needs an HTTPS URI (RFC 8058 §3.1)");
        }
        let others = |one: &Value| !matches!(one[1].as_str(), Some("text/html" | "text/x-amp-html"));
        let alternatives = self.input("alternatives").as_array();
        if alternatives.is_some_and(|all| all.iter().any(others)) {
            return Some("an alternative that is neither HTML nor AMP");
        }
        let unclosed = |text: &str| text.contains('<') && !text.contains('>');
        if ["to", "cc", "bcc", "reply_to"]
            .into_iter()
            .any(|key| self.texts(key).any(unclosed))
        {
            return Some("an address whose angle bracket is not closed");
        }
        if !self.input("from_email").is_string() {
            return Some("a message without an author is none (RFC 5322 §3.6)");
        }
        None
    }

    fn input(&self, key: &str) -> &'v Value {
        &self.value["input"][key]
    }

    fn texts(&self, key: &str) -> impl Iterator<Item = &'v str> {
        self.input(key)
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
    }

    fn mailboxes(&self, key: &str) -> Result<Vec<Mailbox>, String> {
        self.texts(key).map(mailbox).collect()
    }

    /// How it is sent.
    pub fn options(&self) -> Result<SendOptions, String> {
        let wrong = |error: posthaste_transport::OptionError| error.to_string();
        let mut options = SendOptions::new();
        for tag in self.texts("tags") {
            options = options.with_tag(tag).map_err(wrong)?;
        }
        for (key, value) in self.input("metadata").as_object().into_iter().flatten() {
            options = options.with_metadata(key, text(value)).map_err(wrong)?;
        }
        if let Some(track) = self.input("track_opens").as_bool() {
            options = options.with_track_opens(track);
        }
        if let Some(track) = self.input("track_clicks").as_bool() {
            options = options.with_track_clicks(track);
        }
        if let Some(time) = time(self.input("send_at"))? {
            options = options.with_schedule(time);
        }
        Ok(options)
    }

    /// What is sent.
    pub fn mail(&self) -> Result<Mail, String> {
        let is_batch = |url: &str| url.ends_with("/batch");
        let individual = ["merge_data", "merge_metadata", "merge_headers"]
            .iter()
            .any(|key| self.input(key).is_object())
            || self.request()["url"].as_str().is_some_and(is_batch);
        let template = self.input("template_id");
        let to = self.mailboxes("to")?;
        if !individual && template.is_null() && !self.input("merge_global_data").is_object() {
            let message = self.message(&to)?;
            let mut mail = Outbound::new(message).map_err(|error| error.to_string())?;
            if let Some(sender) = self.input("envelope_sender").as_str() {
                let sender = sender.parse::<Mailbox>().map_err(|error| error.to_string())?;
                let recipients = mail.envelope().recipients().to_vec();
                let envelope = posthaste_address::Envelope::new(Some(sender.address().clone()), recipients)
                    .map_err(|error| error.to_string())?;
                mail = mail.readdressed(envelope);
            }
            return Ok(Mail::One(mail));
        }
        let mut batch = Batch::new(self.message(if individual { &[] } else { &to })?);
        if !template.is_null() {
            batch = batch.with_template(text(template));
        }
        for (key, value) in self.input("merge_global_data").as_object().into_iter().flatten() {
            batch = batch.with_data(key, value.clone());
        }
        if individual {
            let everybody = to.into_iter().map(|mailbox| self.personal(mailbox));
            batch = batch.to_each(everybody.collect::<Result<Vec<_>, _>>()?);
        }
        Ok(Mail::Many(batch))
    }

    fn personal(&self, mailbox: Mailbox) -> Result<Personal, String> {
        let address = mailbox.address().to_string();
        let mut personal = Personal::new(mailbox);
        let of = |key: &str| self.input(key)[&address].as_object().into_iter().flatten();
        for (key, value) in of("merge_data") {
            personal = personal.with_data(key, value.clone());
        }
        for (key, value) in of("merge_metadata") {
            personal = personal
                .with_metadata(key, text(value))
                .map_err(|error| error.to_string())?;
        }
        for (name, value) in of("merge_headers") {
            personal = personal.with_header(header_name(name)?, header_value(value)?);
        }
        Ok(personal)
    }

    fn message(&self, to: &[Mailbox]) -> Result<Message, String> {
        let mut builder = Message::builder();
        let authors: AddressList = self
            .input("from_email")
            .as_str()
            .unwrap_or_default()
            .parse()
            .map_err(|error: posthaste_address::AddressError| error.to_string())?;
        for (index, author) in authors.mailboxes().enumerate() {
            builder = builder.from(author.clone());
            if index == 1 {
                // RFC 5322 §3.6.2 asks for a sender then.
                builder = builder.sender(authors.mailboxes().next().cloned().ok_or("no author")?);
            }
        }
        builder = builder
            .to_all(to.iter().cloned())
            .cc_all(self.mailboxes("cc")?)
            .bcc_all(self.mailboxes("bcc")?);
        for address in self.mailboxes("reply_to")? {
            builder = builder.reply_to(address);
        }
        if let Some(subject) = self.input("subject").as_str().filter(|text| !text.is_empty()) {
            builder = builder.subject(subject);
        }
        if let Some(body) = self.input("body").as_str().filter(|text| !text.is_empty()) {
            builder = match self.input("content_subtype").as_str() {
                Some("html") => builder.html(body),
                _ => builder.text(body),
            };
        }
        for alternative in self.input("alternatives").as_array().into_iter().flatten() {
            let body = alternative[0].as_str().unwrap_or_default();
            builder = match alternative[1].as_str() {
                Some("text/html") => builder.html(body),
                _ => builder.amp(body),
            };
        }
        builder = self.headers(builder)?;
        for attachment in self.input("attachments").as_array().into_iter().flatten() {
            let content_type = attachment["mime"].as_str().unwrap_or("application/octet-stream");
            let mut content_type = ContentType::parse(content_type).map_err(|error| error.to_string())?;
            // The recording program notes how it wrote text.
            if content_type.essence().starts_with("text/") && content_type.parameter("charset").is_none() {
                content_type = content_type
                    .with_parameter("charset", "utf-8")
                    .map_err(|error| error.to_string())?;
            }
            let attached = Attachment::new(
                attachment["name"].as_str().unwrap_or("attachment"),
                content_type,
                attachment["content"].as_str().unwrap_or_default().as_bytes().to_vec(),
            );
            builder = builder.attach(attached.map_err(|error| error.to_string())?);
        }
        builder.build().map_err(|error| error.to_string())
    }

    fn headers(&self, mut builder: MessageBuilder) -> Result<MessageBuilder, String> {
        let headers = self.input("extra_headers").as_object();
        for (name, value) in headers.into_iter().flatten() {
            let value_text = text(value);
            builder = match name.to_ascii_lowercase().as_str() {
                "reply-to" => value_text
                    .parse::<AddressList>()
                    .map_err(|error| error.to_string())?
                    .mailboxes()
                    .fold(builder, |builder, address| builder.reply_to(address.clone())),
                "message-id" => builder.message_id(MessageId::parse(&value_text).map_err(|error| error.to_string())?),
                "list-unsubscribe" => {
                    let uris: Vec<&str> = value_text
                        .split(',')
                        .map(|uri| uri.trim().trim_start_matches('<').trim_end_matches('>'))
                        .collect();
                    let how = ListUnsubscribe::new(uris).map_err(|error| error.to_string())?;
                    builder.list_unsubscribe(match headers.and_then(|all| all.get("List-Unsubscribe-Post")) {
                        Some(_) => how.one_click().map_err(|error| error.to_string())?,
                        None => how,
                    })
                }
                "list-unsubscribe-post" => continue,
                // Who is in the envelope gets it; a header that lies about it is left out here.
                "to" => continue,
                _ => builder.header(header_name(name)?, header_value(value)?),
            };
        }
        Ok(builder)
    }
}

fn mailbox(text: &str) -> Result<Mailbox, String> {
    text.parse::<Mailbox>().map_err(|error| format!("{text}: {error}"))
}

fn header_name(name: &str) -> Result<HeaderName, String> {
    HeaderName::new(name).map_err(|error| error.to_string())
}

fn header_value(value: &Value) -> Result<HeaderValue, String> {
    HeaderValue::new(text(value)).map_err(|error| error.to_string())
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Reads a time: seconds since 1970, or a date, with a time and an offset or not. Without one it is six hours east, as the
/// recording program was set.
pub fn time(value: &Value) -> Result<Option<SystemTime>, String> {
    if let Some(seconds) = value.as_u64() {
        return Ok(Some(UNIX_EPOCH + Duration::from_secs(seconds)));
    }
    let Some(text) = value.as_str() else {
        return Ok(None);
    };
    if let Ok(time) = httpdate::parse_http_date(text) {
        return Ok(Some(time));
    }
    // With a space it is as a provider writes it, in UTC; else one without an offset is local to the recording.
    let utc = text.split_once(' ').map(|(date, clock)| (date, format!("{clock}Z")));
    let (date, rest) = match &utc {
        Some((date, rest)) => (*date, rest.as_str()),
        None => text.split_once('T').unwrap_or((text, "00:00:00")),
    };
    let wrong = || format!("not a time: {text}");
    let numbers = |text: &str, separator: char| -> Option<Vec<i64>> {
        text.split(separator).map(|number| number.parse().ok()).collect()
    };
    let ([year, month, day], (clock, offset)) = (
        <[i64; 3]>::try_from(numbers(date, '-').ok_or_else(wrong)?).map_err(|_| wrong())?,
        match rest.rfind(['+', '-', 'Z']) {
            Some(at) => rest.split_at(at),
            None => (rest, "+06:00"),
        },
    );
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let [hour, minute, second] = <[i64; 3]>::try_from(numbers(clock, ':').ok_or_else(wrong)?).map_err(|_| wrong())?;
    let east = match offset.split_at(1) {
        ("Z", _) => 0,
        (sign, offset) => {
            let [hours, minutes] =
                <[i64; 2]>::try_from(numbers(offset, ':').ok_or_else(wrong)?).map_err(|_| wrong())?;
            (hours * 60 + minutes) * if sign == "-" { -1 } else { 1 }
        }
    };
    // Days from 1970 by the civil calendar, years beginning in March.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 306 + 5) / 10 + day - 1 - 719_468;
    let seconds = ((days * 24 + hour) * 60 + minute - east) * 60 + second;
    let micros = format!("{fraction:0<6}").parse::<u64>().map_err(|_| wrong())?;
    let seconds = u64::try_from(seconds).map_err(|_| wrong())?;
    Ok(Some(
        UNIX_EPOCH + Duration::from_secs(seconds) + Duration::from_micros(micros),
    ))
}
