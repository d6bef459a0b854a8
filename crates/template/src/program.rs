//! One source, compiled for itself.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::arena::Arena;
use crate::code::{Base, Code, Expr};
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

    /// Lists the paths that the source reads from the data, in order, as they are written.
    ///
    /// Paths inside a loop or a context are relative to it. Partials are not followed.
    pub fn variables(&self) -> Vec<Variable> {
        let paths = self.code.exprs.iter().filter_map(|expr| match expr {
            Expr::Path(path) if matches!(path.base, Base::Context(_) | Base::Root) && path.first < path.end => {
                Some(path)
            }
            _ => None,
        });
        let mut paths: Vec<_> = paths.collect();
        paths.sort_by_key(|path| path.at);
        let mut found: Vec<Variable> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for path in paths {
            let name = self.code.name(path);
            if seen.insert(name) {
                let location = self.code.location(self.options.part, path.at);
                found.push(Variable {
                    name: name.to_owned(),
                    location,
                });
            }
        }
        found
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
