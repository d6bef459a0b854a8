//! Any provider that a small file describes.

mod description;
mod error;
mod shape;
mod word;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use posthaste_transport::{Disposition, ErrorKind, SendError};
use serde_json::Value;
use zeroize::Zeroizing;

pub use description::Description;
pub use error::DescriptionError;

use crate::receipt::text;
use crate::{
    Adapter, Copy, Fault, Form, HttpRequest, HttpResponse, Json, Profile, Receipt, Secret, SecretError, Settings,
    SettingsError, Submission, attachments,
};
use description::{Auth, Body, FormField};
use shape::Shape;
use word::{Item, View};

/// A provider that this crate has no adapter for, spoken to as a [`Description`] says.
///
/// URL: `generic://KEY@default?file=PATH`, the path that of a description; `generic://default?file=PATH` if it takes no key.
///
/// What the description names nowhere, the provider cannot do: mail that needs it is refused before anything is sent. Each
/// recipient of a batch has a request of their own.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "client")]
/// # fn provider() -> Result<(), Box<dyn std::error::Error>> {
/// use posthaste_providers::{Description, Generic, Provider};
///
/// let description = Description::read("mailpace.toml")?;
/// let provider = Provider::new(Generic::new(description, Some("token".to_owned()))?)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Generic {
    description: Description,
    key: Option<Secret>,
}

impl Generic {
    /// Takes a description, and the key that it has a place for.
    ///
    /// # Errors
    ///
    /// [`SecretError`] if the key cannot stand in a header field, or is not there and has a place: an empty one counts as none.
    pub fn new(description: Description, key: Option<String>) -> Result<Self, SecretError> {
        let key = match (key, &description.auth) {
            (None, Auth::None) => None,
            (key, _) => Some(Secret::new(key.unwrap_or_default())?),
        };
        Ok(Self { description, key })
    }

    pub(crate) fn from_settings(settings: &mut Settings) -> Result<Self, SettingsError> {
        let path = settings.take("file").ok_or(SettingsError::Missing("file"))?;
        let description = Description::read(path)?;
        match (&description.auth, settings.user()) {
            (Auth::None, Some(_)) => Err(SettingsError::Value {
                key: "the key".to_owned(),
                expected: "what the description has a place for",
            }),
            (Auth::None, None) => Ok(Self::new(description, None)?),
            (_, None) => Err(SettingsError::Missing("key")),
            (_, key) => Ok(Self::new(description, key)?),
        }
    }

    fn form(&self, fields: &[(String, FormField)], view: View<'_>) -> HttpRequest {
        let submission = view.submission;
        let mut form = Form::new();
        for (name, field) in fields {
            form = match field {
                FormField::Shape(shape) => written(form, name, shape, view),
                FormField::Raw => form.file(name, "message.eml", "message/rfc822", submission.bytes()),
                FormField::Files(source) => source.files(view).fold(form, |form, file| {
                    let content_type = file.content_type().to_string();
                    form.file(name, attachments::name(file), content_type, file.to_rope())
                }),
            };
        }
        for (name, value) in submission.extra() {
            form = form.text(name, text(value).unwrap_or_else(|| value.to_string()));
        }
        form.post(&self.description.url, submission.boundary())
    }
}

/// Adds a field: a list as several of the same name, an object as JSON.
fn written(form: Form, name: &str, shape: &Shape, view: View<'_>) -> Form {
    let one = |form: Form, json: &Json| match shape::plain(json) {
        Some(text) => form.text(name, text),
        None => match json.to_rope().to_bytes() {
            Ok(bytes) => form.text(name, String::from_utf8_lossy(&bytes)),
            Err(_) => form,
        },
    };
    match shape.write(view) {
        None => form,
        Some(Json::Array(items)) => items.iter().fold(form, one),
        Some(Json::Base64(rope)) => form.file(name, name, "text/plain", rope),
        Some(json) => one(form, &json),
    }
}

impl Adapter for Generic {
    fn profile(&self) -> &Profile {
        &self.description.profile
    }

    fn encode(&self, submission: &Submission<'_>) -> Result<HttpRequest, SendError> {
        let description = &self.description;
        submission.refuse_data_without_template()?;
        let [to, cc, bcc] = description.limits;
        submission.limit_fields(to, cc, bcc)?;
        let nobody = Copy::default();
        let view = View {
            submission,
            copy: submission.copies().first().unwrap_or(&nobody),
            item: Item::None,
        };
        let mut request = match &description.body {
            Body::Json(shape) => {
                let mut json = shape.write(view).unwrap_or_else(Json::object);
                json.merge(submission.extra());
                HttpRequest::post_json(&description.url, &json)
            }
            Body::Form(fields) => self.form(fields, view),
        };
        request = request.with_method(description.method);
        for (name, value) in &description.headers {
            request = request.with_header(name.clone(), value);
        }
        if let (Some(name), Some(key)) = (&description.idempotency_header, submission.idempotency_key()) {
            request = request.with_header(name.clone(), key);
        }
        let key = self.key.as_ref().map_or("", Secret::expose);
        Ok(match &description.auth {
            Auth::None => request,
            Auth::Header(name, value) => {
                let value = Zeroizing::new(value.replace("{key}", key));
                request.with_secret_header(name.clone(), value.as_str())
            }
            Auth::Basic(pair) => {
                let pair = Zeroizing::new(pair.replace("{key}", key));
                request.with_secret_header("Authorization", format!("Basic {}", STANDARD.encode(pair.as_bytes())))
            }
        })
    }

    fn settles(&self, response: &HttpResponse) -> bool {
        let accepted = &self.description.answer.accepted;
        response.is_success() && (accepted.is_empty() || accepted.contains(&response.status()))
    }

    fn decode(&self, _: &Submission<'_>, response: &HttpResponse) -> Result<Receipt, Fault> {
        let answer = &self.description.answer;
        let body = response.json();
        if let Some(check) = &answer.check {
            match body.as_ref().and_then(|body| body.pointer(&check.at)) {
                Some(found) if *found == check.is => {}
                Some(_) => {
                    let mut fault = self.fault(response);
                    // It says no with a status of success.
                    fault.kind.get_or_insert(ErrorKind::Invalid);
                    fault.disposition.get_or_insert(Disposition::NotAccepted);
                    return Err(fault);
                }
                None => return Err(Fault::new()),
            }
        }
        let mut id = None;
        if let Some(pointer) = &answer.id {
            let found = body.as_ref().and_then(|body| body.pointer(pointer)).and_then(text);
            id = Some(found.ok_or_else(Fault::new)?);
        }
        if let (None, Some(name)) = (&id, &answer.id_header) {
            id = response.header(name).map(str::to_owned);
        }
        Ok(Receipt::accepted(id))
    }

    fn fault(&self, response: &HttpResponse) -> Fault {
        let answer = &self.description.answer;
        let body = response.json().unwrap_or(Value::Null);
        // A pointer to nowhere.
        let pointer = |pointer: &Option<String>| pointer.clone().unwrap_or_else(|| "/".to_owned());
        let mut fault = Fault::of_json(&body, &pointer(&answer.code), &pointer(&answer.message));
        let rule = answer.errors.iter().find(|rule| {
            rule.status.is_none_or(|status| status == response.status())
                && rule.code.as_deref().is_none_or(|code| fault.code() == Some(code))
        });
        if let Some(rule) = rule {
            fault = fault.with_kind(rule.kind.into());
            if let Some(accepted) = rule.accepted {
                fault = fault.with_disposition(accepted.into());
            }
        }
        fault
    }
}

/// Shows the name, and no key.
impl fmt::Debug for Generic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generic")
            .field("name", &self.description.profile.info().name())
            .field("url", &self.description.url)
            .finish_non_exhaustive()
    }
}
