//! The JSON that Amazon SES takes to create a template.

use serde_json::{Map, Value};

use crate::error::CompileError;
use crate::nearest::nearest;

/// Says why JSON is no SES template.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SesJsonError {
    /// It is not JSON.
    #[error("the template is not valid JSON")]
    Json(#[source] serde_json::Error),
    /// A field that SES does not know.
    #[error("unknown field `{path}`{hint}", path = path.escape_debug(), hint = did_you_mean(nearest.as_deref()))]
    UnknownField {
        /// Path of the field from the top.
        path: String,
        /// The field that was probably meant.
        nearest: Option<String>,
    },
    /// A field that must be there.
    #[error("field `{path}` is missing")]
    MissingField {
        /// Path of the field from the top.
        path: String,
    },
    /// A field of the wrong type.
    #[error("`{path}` is {found} where {expected} must stand")]
    WrongType {
        /// Path of the field from the top.
        path: String,
        /// What must stand there.
        expected: &'static str,
        /// What stands there.
        found: &'static str,
    },
    /// A part that does not compile.
    #[error("the template does not compile")]
    Compile(#[source] CompileError),
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest
        .map(|name| format!(", did you mean `{name}`?"))
        .unwrap_or_default()
}

/// The sources in an SES template.
pub(crate) struct Source {
    pub(crate) name: Option<String>,
    pub(crate) subject: String,
    pub(crate) text: Option<String>,
    pub(crate) html: Option<String>,
}

/// What one form of the API calls its fields.
struct Form {
    /// The object that holds the parts.
    object: &'static str,
    subject: &'static str,
    text: &'static str,
    html: &'static str,
    /// Whether the name stands beside the parts, not above them.
    name_inside: bool,
}

const NAME: &str = "TemplateName";
const TAGS: &str = "Tags";
const V1: Form = Form {
    object: "Template",
    subject: "SubjectPart",
    text: "TextPart",
    html: "HtmlPart",
    name_inside: true,
};
const V2: Form = Form {
    object: "TemplateContent",
    subject: "Subject",
    text: "Text",
    html: "Html",
    name_inside: false,
};

pub(crate) fn read(json: &str) -> Result<Source, SesJsonError> {
    let top: Value = serde_json::from_str(json).map_err(SesJsonError::Json)?;
    let top = object(&top, "the template")?;
    let form = if top.contains_key(V1.object) { V1 } else { V2 };
    let above: &[&str] = if form.name_inside {
        &[form.object]
    } else {
        &[NAME, form.object, TAGS]
    };
    known_fields(top, "", above)?;
    let Some(parts) = top.get(form.object) else {
        return Err(SesJsonError::MissingField {
            path: form.object.to_owned(),
        });
    };
    let parts = object(parts, form.object)?;
    let mut inside = vec![form.subject, form.text, form.html];
    if form.name_inside {
        inside.push(NAME);
    }
    known_fields(parts, form.object, &inside)?;
    if let Some(tags) = top.get(TAGS)
        && !tags.is_array()
    {
        return Err(SesJsonError::WrongType {
            path: TAGS.to_owned(),
            expected: "an array",
            found: kind(tags),
        });
    }
    let name = if form.name_inside {
        text(parts, form.object, NAME)?
    } else {
        text(top, "", NAME)?
    };
    let subject = text(parts, form.object, form.subject)?;
    let source = Source {
        name,
        subject: subject.ok_or_else(|| SesJsonError::MissingField {
            path: join(form.object, form.subject),
        })?,
        text: text(parts, form.object, form.text)?,
        html: text(parts, form.object, form.html)?,
    };
    if source.text.is_none() && source.html.is_none() {
        let path = format!("{}` or `{}", join(form.object, form.text), join(form.object, form.html));
        return Err(SesJsonError::MissingField { path });
    }
    Ok(source)
}

fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() {
        name.to_owned()
    } else {
        format!("{parent}.{name}")
    }
}

fn object<'v>(value: &'v Value, path: &str) -> Result<&'v Map<String, Value>, SesJsonError> {
    value.as_object().ok_or_else(|| SesJsonError::WrongType {
        path: path.to_owned(),
        expected: "an object",
        found: kind(value),
    })
}

fn text(object: &Map<String, Value>, parent: &str, name: &str) -> Result<Option<String>, SesJsonError> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(SesJsonError::WrongType {
            path: join(parent, name),
            expected: "a string",
            found: kind(other),
        }),
    }
}

fn known_fields(object: &Map<String, Value>, parent: &str, known: &[&str]) -> Result<(), SesJsonError> {
    match object.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(SesJsonError::UnknownField {
            path: join(parent, name),
            nearest: nearest(name, known.iter().copied()).map(str::to_owned),
        }),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: &str) {
        let error = match read(json) {
            Ok(_) => panic!("{json} was accepted"),
            Err(error) => error,
        };
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn both_forms_are_read() {
        let v1 = r#"{"Template": {"TemplateName": "a", "SubjectPart": "s", "TextPart": "t", "HtmlPart": "h"}}"#;
        let v2 = r#"{"TemplateName": "a", "TemplateContent": {"Subject": "s", "Text": "t", "Html": "h"}, "Tags": []}"#;
        for json in [v1, v2] {
            let source = read(json).unwrap();
            assert_eq!(source.name.as_deref(), Some("a"));
            assert_eq!(source.subject, "s");
            assert_eq!(source.text.as_deref(), Some("t"));
            assert_eq!(source.html.as_deref(), Some("h"));
        }
    }

    #[test]
    fn errors_name_the_field() {
        check("[]", "`the template` is an array where an object must stand");
        check("{}", "field `TemplateContent` is missing");
        check(
            r#"{"TemplateContent": []}"#,
            "`TemplateContent` is an array where an object must stand",
        );
        check(
            r#"{"TemplateContent": {"Text": "t"}}"#,
            "field `TemplateContent.Subject` is missing",
        );
        check(
            r#"{"TemplateContent": {"Subject": "t"}}"#,
            "field `TemplateContent.Text` or `TemplateContent.Html` is missing",
        );
        check(
            r#"{"TemplateContent": {"Subject": 1, "Text": "t"}}"#,
            "`TemplateContent.Subject` is a number where a string must stand",
        );
        check(
            r#"{"TemplateContent": {"Subject": "s", "HTML": "t"}}"#,
            "unknown field `TemplateContent.HTML`, did you mean `Html`?",
        );
        check(
            r#"{"Template": {"TemplateName": "a", "Subject": "s"}}"#,
            "unknown field `Template.Subject`",
        );
        check("{", "the template is not valid JSON");
    }
}
