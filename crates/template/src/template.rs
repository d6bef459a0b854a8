//! A subject with its bodies.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::analysis::Analysis;
use crate::arena::Arena;
use crate::code::Code;
use crate::error::{CompileError, RenderError};
use crate::helper::{Arguments, HelperError, Helpers, Output};
use crate::location::Part;
use crate::options::{Escape, Limits, Mode, Options};
use crate::program::Program;
use crate::render::{Input, Partials, Shared};
use crate::ses_json::{SesJsonError, read};
use crate::variable::Variable;

/// Holds a compiled set of subject, text and HTML, to be rendered any number of times.
///
/// # Examples
///
/// ```
/// use posthaste_template::Template;
/// use serde_json::json;
///
/// let template = Template::builder()
///     .subject("Your order {{order.number}}")
///     .text("Dear {{name}},\n{{#each items}}\n- {{this}}\n{{/each}}\n")
///     .html("<p>Dear {{name}},</p>")
///     .build()?;
/// let data = json!({"name": "O'Brien", "order": {"number": 7}, "items": ["tea", "milk"]});
///
/// let mail = template.render(&data)?;
/// assert_eq!(mail.subject, "Your order 7");
/// assert_eq!(mail.text.as_deref(), Some("Dear O'Brien,\n- tea\n- milk\n"));
/// assert_eq!(mail.html.as_deref(), Some("<p>Dear O&#x27;Brien,</p>"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Template {
    name: Option<String>,
    subject: Program,
    text: Option<Program>,
    html: Option<Program>,
    limits: Limits,
}

impl Template {
    /// Starts a template.
    pub fn builder() -> TemplateBuilder {
        TemplateBuilder::default()
    }

    /// Reads the JSON that Amazon SES takes to create a template, and compiles it.
    ///
    /// Both forms are understood: that of API v2, `{"TemplateName", "TemplateContent": {"Subject", "Text", "Html"}}`,
    /// and that of v1, `{"Template": {"TemplateName", "SubjectPart", "TextPart", "HtmlPart"}}`. The name may be left out;
    /// `Tags` are allowed and not kept. Anything else is refused by name, so that a misspelt `HTML` does not become a
    /// mail without one. The template is [`Mode::Strict`] and escapes HTML; [`Self::with_mode`] and
    /// [`Self::with_escape`] turn on what SES does.
    ///
    /// # Errors
    ///
    /// [`SesJsonError`] says which field is missing, unknown or of the wrong type, or where a part does not compile.
    ///
    /// # Examples
    ///
    /// ```
    /// use posthaste_template::Template;
    ///
    /// let json = r#"{"TemplateName": "hi", "TemplateContent": {"Subject": "Hi {{name}}", "Text": "Hello"}}"#;
    /// let template = Template::from_ses_json(json)?;
    /// assert_eq!(template.name(), Some("hi"));
    ///
    /// let error = Template::from_ses_json(&json.replace("Text", "Body")).unwrap_err();
    /// assert_eq!(error.to_string(), "unknown field `TemplateContent.Body`");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_ses_json(json: &str) -> Result<Self, SesJsonError> {
        let source = read(json)?;
        let mut builder = Self::builder().subject(source.subject);
        builder.name = source.name;
        builder.text = source.text;
        builder.html = source.html;
        builder.build().map_err(SesJsonError::Compile)
    }

    /// Sets what missing variables mean.
    #[must_use]
    pub fn with_mode(mut self, mode: Mode) -> Self {
        self.each_part(|options| options.mode = mode);
        self
    }

    /// Sets where values are escaped.
    #[must_use]
    pub fn with_escape(mut self, escape: Escape) -> Self {
        self.each_part(|options| options.escape = escape);
        self
    }

    /// Sets what one rendering may cost. What bounds compiling has done its work by now.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self.each_part(|options| options.limits = limits);
        self
    }

    fn each_part(&mut self, change: impl Fn(&mut Options)) {
        for part in [Some(&mut self.subject), self.text.as_mut(), self.html.as_mut()]
            .into_iter()
            .flatten()
        {
            change(part.options_mut());
        }
    }

    /// Returns the name, if it was given one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Returns the compiled subject.
    pub fn subject(&self) -> &Program {
        &self.subject
    }

    /// Returns the compiled text body.
    pub fn text(&self) -> Option<&Program> {
        self.text.as_ref()
    }

    /// Returns the compiled HTML body.
    pub fn html(&self) -> Option<&Program> {
        self.html.as_ref()
    }

    fn programs(&self) -> impl Iterator<Item = &Program> {
        [Some(&self.subject), self.text.as_ref(), self.html.as_ref()]
            .into_iter()
            .flatten()
    }

    /// Lists what the parts, and the partials that they call, read from the data, without rendering anything.
    ///
    /// Names are followed through loops, contexts, block parameters and `../`: the paths start at the top of the data. Each
    /// path is listed once for each way of using it, in each source. What only the data can tell is left out: what a
    /// dynamic `lookup` finds, which partial a dynamic name calls, in which context a block helper runs its body (it is
    /// taken for the one around it).
    ///
    /// # Examples
    ///
    /// ```
    /// use posthaste_template::Template;
    ///
    /// let template = Template::builder()
    ///     .subject("Hello {{name}}")
    ///     .text("{{#each order.items}}{{title}} for {{../name}}\n{{/each}}{{#if coupon}}{{coupon.code}}{{/if}}")
    ///     .build()?;
    /// let used: Vec<String> = template
    ///     .variables()
    ///     .iter()
    ///     .map(|variable| format!("{}: {} at {}", variable.path, variable.usage, variable.location))
    ///     .collect();
    /// assert_eq!(
    ///     used,
    ///     [
    ///         "name: printed at subject, line 1, column 9",
    ///         "order.items: looped at text, line 1, column 9",
    ///         "order.items[].title: printed at text, line 1, column 24",
    ///         "name: printed at text, line 1, column 38",
    ///         "coupon: tested at text, line 2, column 16",
    ///         "coupon.code: printed at text, line 2, column 26",
    ///     ]
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn variables(&self) -> Vec<Variable> {
        Analysis::new(self.programs()).variables(self.programs())
    }

    /// Describes the data that this template can be rendered with as a JSON Schema (draft 2020-12), as far as its use
    /// tells.
    ///
    /// What is printed is text, a number or a truth value, what is looped over an array, what has names below it an
    /// object. Whatever [`Mode::Strict`] would miss is `required`, so data that fits the schema renders without missing
    /// variables, within the bounds that [`Self::variables`] names. What is printed behind `{{#if x}}` goes with `x`
    /// (`dependentRequired`). The schema asks for enough, not for the least: some data that it refuses would render. Data of
    /// a shape that recurses, as a partial that calls itself has it, is described by reference; there, what an `{{#if}}`
    /// says of one level is taken to hold for all. A value that is used as a list here and as an object there, or that is
    /// its own context by way of `@root`, is beyond what a schema says.
    ///
    /// # Examples
    ///
    /// ```
    /// use posthaste_template::Template;
    /// use serde_json::json;
    ///
    /// let template = Template::builder()
    ///     .name("shipped")
    ///     .subject("Order {{order.id}}")
    ///     .text("{{#each order.items}}{{title}}{{/each}}{{#if coupon}}{{coupon}}{{/if}}")
    ///     .build()?;
    /// assert_eq!(
    ///     template.schema(),
    ///     json!({
    ///         "$schema": "https://json-schema.org/draft/2020-12/schema",
    ///         "title": "shipped",
    ///         "type": "object",
    ///         "properties": {
    ///             "coupon": {"type": ["string", "number", "boolean", "null"]},
    ///             "order": {
    ///                 "type": "object",
    ///                 "properties": {
    ///                     "id": {"type": ["string", "number", "boolean"]},
    ///                     "items": {
    ///                         "type": ["array", "null"],
    ///                         "items": {
    ///                             "type": "object",
    ///                             "properties": {"title": {"type": ["string", "number", "boolean"]}},
    ///                             "required": ["title"],
    ///                         },
    ///                     },
    ///                 },
    ///                 "required": ["id"],
    ///             },
    ///         },
    ///         "required": ["order"],
    ///     })
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn schema(&self) -> Value {
        Analysis::new(self.programs()).schema(self.name())
    }

    /// Renders all parts with `data`.
    ///
    /// The subject comes out as one line without control characters. The placeholders `{{ses:openTracker}}` and
    /// `{{amazonSESUnsubscribeUrl}}` stay as they are.
    ///
    /// # Errors
    ///
    /// [`RenderError::Missing`] names every variable of the set that the data lacks, [`RenderError::MissingAttribute`]
    /// the first one in [`Mode::Ses`]; [`RenderError::PartialNotFound`]; [`RenderError::LimitExceeded`] when the set
    /// as a whole costs too much.
    pub fn render(&self, data: &Value) -> Result<Rendered, RenderError> {
        self.render_input(&Input::new(data))
    }

    /// Renders all parts with `data` laid over `defaults`: a top-level name that `data` lacks is looked up in
    /// `defaults` (see [`Program::render_over`]).
    ///
    /// So one set of defaults serves any number of recipients without being copied for each: what Amazon SES calls
    /// default template data.
    ///
    /// # Errors
    ///
    /// As [`Self::render`].
    ///
    /// # Examples
    ///
    /// ```
    /// use posthaste_template::Template;
    /// use serde_json::json;
    ///
    /// let template = Template::builder().subject("{{shop}}: hello {{name}}").text("{{name}}").build()?;
    /// let defaults = json!({"shop": "Teas", "name": "customer"});
    /// assert_eq!(template.render_over(&defaults, &json!({"name": "Ada"}))?.subject, "Teas: hello Ada");
    /// assert_eq!(template.render_over(&defaults, &json!({}))?.subject, "Teas: hello customer");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn render_over(&self, defaults: &Value, data: &Value) -> Result<Rendered, RenderError> {
        self.render_input(&Input {
            defaults: Some(defaults),
            ..Input::new(data)
        })
    }

    fn render_input(&self, input: &Input<'_>) -> Result<Rendered, RenderError> {
        let arena = Arena::default();
        let mut shared = Shared::new(self.limits, &arena);
        let subject = self.subject.render_shared(input, &mut shared)?;
        let text = match &self.text {
            Some(text) => Some(text.render_shared(input, &mut shared)?),
            None => None,
        };
        let html = match &self.html {
            Some(html) => Some(html.render_shared(input, &mut shared)?),
            None => None,
        };
        shared.finish()?;
        Ok(Rendered { subject, text, html })
    }
}

/// Holds what a [`Template`] makes of one set of data.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rendered {
    /// The subject: one line, no control characters.
    pub subject: String,
    /// The text body, if the template has one.
    pub text: Option<String>,
    /// The HTML body, if the template has one.
    pub html: Option<String>,
}

impl std::fmt::Debug for Rendered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rendered")
            .field("subject_bytes", &self.subject.len())
            .field("text_bytes", &self.text.as_ref().map(String::len))
            .field("html_bytes", &self.html.as_ref().map(String::len))
            .finish()
    }
}

/// Collects the sources of a [`Template`].
#[derive(Clone, Default)]
pub struct TemplateBuilder {
    name: Option<String>,
    subject: String,
    text: Option<String>,
    html: Option<String>,
    partials: BTreeMap<String, String>,
    mode: Mode,
    escape: Escape,
    limits: Limits,
    helpers: Helpers,
}

impl TemplateBuilder {
    /// Names the template.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the subject's source; without it the subject is empty.
    #[must_use]
    pub fn subject(mut self, source: impl Into<String>) -> Self {
        self.subject = source.into();
        self
    }

    /// Sets the text body's source.
    #[must_use]
    pub fn text(mut self, source: impl Into<String>) -> Self {
        self.text = Some(source.into());
        self
    }

    /// Sets the HTML body's source.
    #[must_use]
    pub fn html(mut self, source: impl Into<String>) -> Self {
        self.html = Some(source.into());
        self
    }

    /// Registers a partial that every part can call as `{{> name}}`. In the HTML part its values are escaped too.
    #[must_use]
    pub fn partial(mut self, name: impl Into<String>, source: impl Into<String>) -> Self {
        self.partials.insert(name.into(), source.into());
        self
    }

    /// Sets what missing variables mean (default [`Mode::Strict`]).
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets where values are escaped (default [`Escape::HtmlPart`]).
    #[must_use]
    pub fn escape(mut self, escape: Escape) -> Self {
        self.escape = escape;
        self
    }

    /// Sets what compiling and rendering may cost.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the helpers that every part may call (default none).
    #[must_use]
    pub fn helpers(mut self, helpers: Helpers) -> Self {
        self.helpers = helpers;
        self
    }

    /// Adds one inline helper (see [`Helpers::inline`]).
    ///
    /// # Examples
    ///
    /// ```
    /// use posthaste_template::Template;
    /// use serde_json::json;
    ///
    /// let template = Template::builder()
    ///     .subject("Hello {{upper name}}")
    ///     .helper("upper", |arguments| Ok(arguments.text(0)?.to_uppercase()))
    ///     .build()?;
    /// assert_eq!(template.render(&json!({"name": "Ada"}))?.subject, "Hello ADA");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn helper<F, R>(mut self, name: impl Into<String>, helper: F) -> Self
    where
        F: Fn(&Arguments<'_>) -> Result<R, HelperError> + Send + Sync + 'static,
        R: Into<Output>,
    {
        self.helpers = self.helpers.inline(name, helper);
        self
    }

    /// Compiles everything.
    ///
    /// # Errors
    ///
    /// [`CompileError`] names the part or partial, the place in it and what is wrong there.
    pub fn build(self) -> Result<Template, CompileError> {
        let options = |part| {
            Options::new(part)
                .mode(self.mode)
                .escape(self.escape)
                .limits(self.limits)
                .helpers(self.helpers.clone())
        };
        let partials = self
            .partials
            .iter()
            .map(|(name, source)| {
                Ok((
                    name.as_str().into(),
                    Code::compile(source, Some(name), &options(Part::Text))?,
                ))
            })
            .collect::<Result<Partials, CompileError>>()?;
        let partials = Arc::new(partials);
        let compile = |part, source: &str| Program::with_shared_partials(source, Arc::clone(&partials), &options(part));
        Ok(Template {
            subject: compile(Part::Subject, &self.subject)?,
            text: self
                .text
                .as_deref()
                .map(|source| compile(Part::Text, source))
                .transpose()?,
            html: self
                .html
                .as_deref()
                .map(|source| compile(Part::Html, source))
                .transpose()?,
            limits: self.limits,
            name: self.name,
        })
    }
}

impl std::fmt::Debug for TemplateBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TemplateBuilder")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
