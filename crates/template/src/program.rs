//! One source, compiled for itself.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::analysis::Analysis;
use crate::arena::Arena;
use crate::code::Code;
use crate::error::{CompileError, RenderError};
use crate::location::Part;
use crate::options::Options;
use crate::render::{Input, Partials, Shared, render};
use crate::subject::one_line;
use crate::variable::Variable;

/// Holds one compiled source, to be rendered any number of times.
///
/// [`Template`](crate::Template) puts a subject, a text and an HTML body together; this is for a single string.
///
/// # Examples
///
/// ```
/// use posthaste_template::{Options, Part, Program};
/// use serde_json::json;
///
/// let program = Program::compile("{{#each items}}{{this}};{{/each}}", &Options::new(Part::Text))?;
/// assert_eq!(program.render(&json!({"items": [1, 2.5, "x"]}))?, "1;2.5;x;");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Program {
    code: Arc<Code>,
    partials: Arc<Partials>,
    options: Options,
}

impl Program {
    /// Compiles `source`.
    ///
    /// # Errors
    ///
    /// [`CompileError`] says what is wrong with the source, and where.
    pub fn compile(source: &str, options: &Options) -> Result<Self, CompileError> {
        Self::compile_with_partials(source, [], options)
    }

    /// Compiles `source` and the partials that it may call by name.
    ///
    /// # Errors
    ///
    /// [`CompileError`] says what is wrong with the source or a partial, and where.
    pub fn compile_with_partials<'p>(
        source: &str,
        partials: impl IntoIterator<Item = (&'p str, &'p str)>,
        options: &Options,
    ) -> Result<Self, CompileError> {
        let partials = partials
            .into_iter()
            .map(|(name, source)| Ok((name.into(), Code::compile(source, Some(name), options)?)))
            .collect::<Result<Partials, CompileError>>()?;
        Self::with_shared_partials(source, Arc::new(partials), options)
    }

    pub(crate) fn with_shared_partials(
        source: &str,
        partials: Arc<Partials>,
        options: &Options,
    ) -> Result<Self, CompileError> {
        Ok(Self {
            code: Arc::new(Code::compile(source, None, options)?),
            partials,
            options: options.clone(),
        })
    }

    /// Renders with `data`. A subject comes out as one line without control characters.
    ///
    /// # Errors
    ///
    /// [`RenderError::Missing`] or [`RenderError::MissingAttribute`] when the data lacks a variable (see
    /// [`Mode`](crate::Mode)), [`RenderError::PartialNotFound`], or [`RenderError::LimitExceeded`].
    pub fn render(&self, data: &Value) -> Result<String, RenderError> {
        self.render_alone(&Input::new(data))
    }

    /// Renders with `data` laid over `defaults`: a top-level name that `data` lacks is looked up in `defaults`.
    ///
    /// Neither is copied. A name in `data` wins even if its value is `null`. `this` and `@root` are the merged object,
    /// whose names come in the order of `defaults`, then of `data`. If one of the two is no object, `data` stands alone,
    /// except that `null` for `data` means no data at all.
    ///
    /// # Errors
    ///
    /// As [`Self::render`].
    ///
    /// # Examples
    ///
    /// ```
    /// use posthaste_template::{Options, Part, Program};
    /// use serde_json::json;
    ///
    /// let program = Program::compile("{{greeting}} {{name}}", &Options::new(Part::Text))?;
    /// let defaults = json!({"greeting": "Hello", "name": "customer"});
    /// assert_eq!(program.render_over(&defaults, &json!({"name": "Ada"}))?, "Hello Ada");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn render_over(&self, defaults: &Value, data: &Value) -> Result<String, RenderError> {
        self.render_alone(&Input {
            defaults: Some(defaults),
            ..Input::new(data)
        })
    }

    /// Renders with `data`, and with `variables` that the source reads as `{{@name}}`.
    ///
    /// # Errors
    ///
    /// As [`Self::render`].
    pub fn render_with(&self, data: &Value, variables: &Map<String, Value>) -> Result<String, RenderError> {
        self.render_alone(&Input {
            variables: Some(variables),
            ..Input::new(data)
        })
    }

    fn render_alone(&self, input: &Input<'_>) -> Result<String, RenderError> {
        let arena = Arena::default();
        let mut shared = Shared::new(self.options.limits, &arena);
        let out = self.render_shared(input, &mut shared)?;
        shared.finish()?;
        Ok(out)
    }

    pub(crate) fn render_shared<'a>(
        &'a self,
        input: &Input<'a>,
        shared: &mut Shared<'a>,
    ) -> Result<String, RenderError> {
        let out = render(&self.code, &self.partials, &self.options, input, shared)?;
        Ok(if matches!(self.options.part, Part::Subject | Part::Header) {
            one_line(out)
        } else {
            out
        })
    }

    pub(crate) fn options_mut(&mut self) -> &mut Options {
        &mut self.options
    }

    /// Returns the source.
    pub fn source(&self) -> &str {
        &self.code.source
    }

    /// Returns the fixed texts between the tags of the source, in order, as they come out where they come out.
    ///
    /// Who treats what was rendered further can prepare them once: encode them, say.
    ///
    /// # Examples
    ///
    /// ```
    /// use posthaste_template::{Options, Part, Program};
    ///
    /// let program = Program::compile("<p>Dear {{name}},</p>", &Options::new(Part::Html))?;
    /// assert_eq!(program.constant_texts().collect::<Vec<_>>(), ["<p>Dear ", ",</p>"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn constant_texts(&self) -> impl Iterator<Item = &str> {
        self.code.constant_texts()
    }

    /// Lists what the source and the partials that it calls read from the data, in order (see
    /// [`Template::variables`](crate::Template::variables)).
    pub fn variables(&self) -> Vec<Variable> {
        Analysis::new([self]).variables([self])
    }

    /// Describes the data that the source can be rendered with as a JSON Schema (see
    /// [`Template::schema`](crate::Template::schema)).
    pub fn schema(&self) -> Value {
        Analysis::new([self]).schema(None)
    }

    pub(crate) fn contents(&self) -> (&Code, &Partials, &Options) {
        (&self.code, &self.partials, &self.options)
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program")
            .field("part", &self.options.part)
            .field("source_bytes", &self.code.source.len())
            .finish_non_exhaustive()
    }
}
