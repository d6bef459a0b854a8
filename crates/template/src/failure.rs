//! A rendering that failed, as Amazon SES reports it.

use serde_json::{Value, json};

use crate::error::RenderError;
use crate::location::Part;
use crate::template::Template;

/// Holds what SES's event of type *Rendering Failure* says, and the part that failed.
///
/// # Examples
///
/// ```
/// use posthaste_template::{Mode, Part, Template};
/// use serde_json::json;
///
/// let template = Template::builder().name("welcome").subject("Hi {{name}}").mode(Mode::Ses).build()?;
/// let error = template.render(&json!({})).unwrap_err();
///
/// let failure = template.failure(&error);
/// assert_eq!(failure.part, Some(Part::Subject));
/// assert_eq!(
///     failure.to_json(),
///     json!({
///         "templateName": "welcome",
///         "errorMessage": "Attribute 'name' is not present in the rendering data.",
///     })
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RenderingFailure {
    /// The template's name, if it has one.
    pub template_name: Option<String>,
    /// SES's sentence for a missing variable, else what the error says: one line either way.
    pub error_message: String,
    /// The part that could not be rendered. SES doesn't say.
    pub part: Option<Part>,
}

impl RenderingFailure {
    /// Makes the `failure` object of the event. A template without a name gets an empty one, for SES's always have one.
    pub fn to_json(&self) -> Value {
        json!({
            "templateName": self.template_name.as_deref().unwrap_or_default(),
            "errorMessage": self.error_message,
        })
    }
}

impl Template {
    /// Says about `error`, which rendering this template returned, what SES's event says.
    pub fn failure(&self, error: &RenderError) -> RenderingFailure {
        RenderingFailure {
            template_name: self.name().map(str::to_owned),
            error_message: error.ses_message(),
            part: error.part(),
        }
    }
}
