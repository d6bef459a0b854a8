//! Fields of the injection matrix that belong to other crates: envelopes, templates, options, SMTP settings, DKIM.

use posthaste_address::{Domain, EmailAddress, Envelope, EnvelopeId, Mailbox, OriginalRecipient, Recipient};
use posthaste_auth::dkim::{Selector, Signer, SigningKey};
use posthaste_mime::{HeaderName, HeaderValue, MessageBuilder};
use posthaste_smtp::SmtpTransport;
use posthaste_template::{Options, Part, Program, Template};
use posthaste_transport::SendOptions;
use serde_json::json;

use super::{injection, wire};

/// Checks one case; `None` if the field is unknown.
pub(super) fn check(field: &str, value: &str) -> Option<Result<(), String>> {
    Some(match field {
        "return_path" | "envelope.mail_from" => mail_from(value),
        "envelope.rcpt_to" => recipient(value),
        "envelope.envid" => match EnvelopeId::new(value) {
            Ok(id) => one_word("ENVID", &id.to_xtext(), 400),
            Err(error) => named(&error, "envelope id"),
        },
        "envelope.orcpt" => match OriginalRecipient::new("rfc822", value) {
            Ok(original) => one_word("ORCPT", &original.to_xtext(), 2100),
            Err(error) => named(&error, "original recipient"),
        },
        "envelope.helo_name" => helo(value),
        "envelope.auth_user" => auth_user(value),
        "template.subject_variable" => subject(value),
        "template.display_name_variable" => display_name(value),
        "template.header_variable" => header(value),
        "tag.name" => match SendOptions::new().with_tag(value) {
            Ok(options) => same_text(options.tags().iter().map(String::as_str), value),
            Err(error) => named(&error, "tag"),
        },
        "metadata.value" => match SendOptions::new().with_metadata("key", value) {
            Ok(options) => same_text(options.metadata().map(|(_, value)| value), value),
            Err(error) => named(&error, "metadata"),
        },
        "dkim.domain" => match value.parse::<Domain>() {
            Ok(domain) => one_word("d=", domain.as_str(), 253),
            Err(error) => named(&error, ""),
        },
        "dkim.selector" => selector(value),
        _ => return None,
    })
}

/// An error that is text, and names the field by `word`.
fn named(error: &dyn std::fmt::Display, word: &str) -> Result<(), String> {
    let said = error.to_string();
    if !said.is_empty() && said.to_lowercase().contains(word) {
        Ok(())
    } else {
        Err(format!("the error names another field: {said:?}"))
    }
}

/// A parameter on a command line: printable ASCII without spaces, not too long.
fn one_word(what: &str, text: &str, limit: usize) -> Result<(), String> {
    if !text.is_empty() && text.len() <= limit && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(format!(
            "{what} is written as {:?}",
            text.chars().take(80).collect::<String>()
        ))
    }
}

/// An option keeps its text whole, and the text has no control characters.
fn same_text<'a>(mut kept: impl Iterator<Item = &'a str>, value: &str) -> Result<(), String> {
    if kept.next() != Some(value) || kept.next().is_some() {
        return Err("the option changed its text".to_owned());
    }
    if super::holds_controls(value) || value.len() > 998 {
        return Err("the option took a control character or a text too long for a header".to_owned());
    }
    Ok(())
}

/// An address that is accepted stands alone on its command line.
fn path(address: &EmailAddress, value: &str) -> Result<(), String> {
    let text = address.to_string();
    if super::holds_controls(value) || text.contains(['<', '>', '\r', '\n', '\0', '\t']) || text.len() > 254 {
        return Err(format!("accepted as {text:?}"));
    }
    Ok(())
}

fn mail_from(value: &str) -> Result<(), String> {
    let address = match value.parse::<EmailAddress>() {
        Ok(address) => address,
        Err(error) => return named(&error, ""),
    };
    path(&address, value)?;
    let recipient: EmailAddress = "r@rcpt.example".parse().unwrap();
    let envelope = Envelope::new(Some(address), [recipient]).map_err(|e| e.to_string())?;
    if envelope.recipients().len() == 1 {
        Ok(())
    } else {
        Err("the recipients changed".to_owned())
    }
}

fn recipient(value: &str) -> Result<(), String> {
    let address = match value.parse::<EmailAddress>() {
        Ok(address) => address,
        Err(error) => return named(&error, ""),
    };
    path(&address, value)?;
    let envelope = Envelope::new(None, [Recipient::from(address)]).map_err(|e| e.to_string())?;
    if envelope.recipients().len() == 1 {
        Ok(())
    } else {
        Err("the recipients changed".to_owned())
    }
}

/// A name for EHLO that is accepted is one word, so that the command stays one command.
fn helo(value: &str) -> Result<(), String> {
    match SmtpTransport::builder("localhost").helo(value).build() {
        Ok(_) => one_word("EHLO", value, 255),
        Err(error) => named(&error, "helo"),
    }
}

/// A user name travels as base64, so that only NUL, the separator of PLAIN, could change what is said.
fn auth_user(value: &str) -> Result<(), String> {
    match SmtpTransport::builder("localhost")
        .credentials(value, "password")
        .build()
    {
        Ok(_) if value.contains('\0') => Err("accepted with NUL".to_owned()),
        Ok(_) => Ok(()),
        Err(error) => named(&error, "credentials"),
    }
}

fn selector(value: &str) -> Result<(), String> {
    let selector = match value.parse::<Selector>() {
        Ok(selector) => selector,
        Err(error) => return named(&error, "selector"),
    };
    one_word("s=", selector.as_str(), 253)?;
    let domain: Domain = "posthaste.example".parse().unwrap();
    let key = SigningKey::generate_ed25519().map_err(|e| e.to_string())?;
    let signer = Signer::builder(domain)
        .key(selector, key)
        .build()
        .map_err(|e| e.to_string())?;
    let message = injection::base().build().map_err(|e| e.to_string())?;
    let bytes = message.to_bytes().map_err(|e| e.to_string())?;
    let field = signer.sign([&bytes[..]], message.date()).map_err(|e| e.to_string())?;
    let signed = [field.as_bytes(), &bytes].concat();
    wire::scan(&signed, false)?;
    let fields = wire::head(&field)
        .split("\r\n")
        .filter(|line| !line.is_empty() && !line.starts_with([' ', '\t']));
    if fields.count() == 1 {
        Ok(())
    } else {
        Err("more than one field was signed in".to_owned())
    }
}

/// A template's text with the value in it, and the message that is made of it.
fn rendered(
    render: fn(&str) -> Result<String, String>,
    put: fn(MessageBuilder, String) -> Result<MessageBuilder, String>,
    read: fn(&[u8]) -> Option<String>,
    word: &str,
    value: &str,
) -> Result<(), String> {
    let build = |value: &str| {
        let text = render(value)?;
        let message = put(injection::base(), text.clone())?
            .build()
            .map_err(|e| e.to_string())?;
        Ok((text, message))
    };
    let (_, expected) = build("Ada").map_err(|e: String| format!("the benign value is refused: {e}"))?;
    let (text, message) = match build(value) {
        Ok(built) => built,
        Err(error) => return named(&error, word),
    };
    injection::unchanged(&message, &expected)?;
    let found = read(&message.to_bytes().map_err(|e| e.to_string())?).unwrap_or_default();
    if found == text {
        Ok(())
    } else {
        Err(format!("read as {found:?}"))
    }
}

fn subject(value: &str) -> Result<(), String> {
    rendered(
        |value| {
            let template = Template::builder()
                .subject("Hello {{name}}!")
                .text("x")
                .build()
                .map_err(|e| e.to_string())?;
            template
                .render(&json!({"name": value}))
                .map(|rendered| rendered.subject)
                .map_err(|e| e.to_string())
        },
        |builder, text| Ok(builder.subject(text)),
        |bytes| Some(wire::field_text(bytes, "Subject")),
        "subject",
        value,
    )
}

fn program(source: &str, value: &str) -> Result<String, String> {
    let program = Program::compile(source, &Options::new(Part::Text)).map_err(|e| e.to_string())?;
    program.render(&json!({"name": value})).map_err(|e| e.to_string())
}

fn display_name(value: &str) -> Result<(), String> {
    rendered(
        |value| program("{{name}}, by the team", value),
        |builder, text| {
            let address = "someone@posthaste.example".parse().unwrap();
            Ok(builder.reply_to(Mailbox::with_name(text, address).map_err(|e| e.to_string())?))
        },
        |bytes| wire::field_mailbox(bytes, "Reply-To").map(|(name, _)| name),
        "",
        value,
    )
}

fn header(value: &str) -> Result<(), String> {
    rendered(
        |value| program("{{name}}; from a template", value),
        |builder, text| {
            let value = HeaderValue::new(text).map_err(|e| e.to_string())?;
            Ok(builder.header(HeaderName::new("X-Template").unwrap(), value))
        },
        |bytes| Some(wire::field_text(bytes, "X-Template")),
        "header value",
        value,
    )
}
