//! Helpers: what templates can call that the language doesn't have.

mod argument;
mod error;
mod output;
mod standard;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

pub use argument::{Argument, Arguments};
pub use error::HelperError;
pub(crate) use error::HelperErrorKind;
pub use output::{Block, Output};
pub(crate) use output::{BlockKind, OutputKind};

use crate::error::CompileErrorKind;

/// Names that a helper cannot take.
pub(crate) const BUILT_IN: [&str; 6] = ["if", "unless", "each", "with", "lookup", "log"];

pub(crate) type InlineFunction = dyn Fn(&Arguments<'_>) -> Result<Output, HelperError> + Send + Sync;
pub(crate) type BlockFunction = dyn Fn(&Arguments<'_>) -> Result<Block, HelperError> + Send + Sync;

/// One helper, as the compiler puts it into code.
#[derive(Clone)]
pub(crate) enum Helper {
    Inline {
        function: Arc<InlineFunction>,
        /// Whether it does without arguments that are missing from the data.
        tolerant: bool,
    },
    Block(Arc<BlockFunction>),
}

impl fmt::Debug for Helper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inline { .. } => "Inline",
            Self::Block(_) => "Block",
        })
    }
}

/// Holds helpers written in Rust, by the names under which templates call them.
///
/// An inline helper turns arguments into a value: `{{upper name}}`, `{{#if (eq plan "pro")}}`, `{{#each (split tags)}}`.
/// What it writes is escaped like any value unless it says that it is [safe](Output::safe). A block helper decides
/// whether its body runs, how often and with which context: `{{#repeat 3}}…{{else}}…{{/repeat}}`; it never renders
/// anything itself.
///
/// Each call counts against [`Limits::steps`](crate::Limits::steps), as do the bytes of its arguments and results; what
/// it returns counts against [`Limits::output`](crate::Limits::output). A helper hides variables of the same name
/// (`{{this.upper}}` still is the variable); the built-in helpers cannot be replaced. Cloning is cheap.
///
/// # Examples
///
/// ```
/// use posthaste_template::{Block, HelperError, Helpers, Output, Template};
/// use serde_json::json;
///
/// let helpers = Helpers::standard()
///     .inline("euros", |arguments| {
///         let cents = arguments.get(0).as_i64().ok_or("the amount must be a whole number of cents")?;
///         Ok(format!("€ {}.{:02}", cents / 100, cents % 100))
///     })
///     .inline("link", |arguments| {
///         let address = arguments.text(0)?;
///         if !address.starts_with("https://") {
///             return Err(HelperError::new("only https links"));
///         }
///         Ok(Output::safe(format!("<a href=\"{}\">here</a>", address.replace('"', "%22"))))
///     })
///     .block("repeat", |arguments| Ok(Block::times(arguments.get(0).as_u64().unwrap_or(0))));
///
/// let template = Template::builder()
///     .subject("{{upper name}}: {{euros total}}")
///     .html("{{link url}} {{#repeat stars}}*{{/repeat}}{{#if (gt stars 3)}} {{lower \"THANKS\"}}{{/if}}")
///     .helpers(helpers)
///     .build()?;
///
/// let data = json!({"name": "Ada", "total": 1205, "url": "https://example.org/?a=1", "stars": 4});
/// let mail = template.render(&data)?;
/// assert_eq!(mail.subject, "ADA: € 12.05");
/// assert_eq!(mail.html.as_deref(), Some("<a href=\"https://example.org/?a=1\">here</a> **** thanks"));
///
/// let error = template.render(&json!({"name": "Ada", "total": 1205, "url": "http://x", "stars": 4})).unwrap_err();
/// assert_eq!(error.to_string(), "html, line 1, column 3: `link`: only https links");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Helpers {
    by_name: Arc<BTreeMap<Box<str>, Helper>>,
}

impl Helpers {
    /// Makes an empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the set of common helpers.
    ///
    /// | call | value |
    /// | --- | --- |
    /// | `eq a b`, `ne a b` | whether two scalars are equal: text to text, number to number; nothing equals `null` |
    /// | `lt a b`, `lte a b`, `gt a b`, `gte a b` | compares two numbers, or two texts by their code points |
    /// | `and a b …`, `or a b …` | the first argument that is false (true) as `if` sees it, or else the last |
    /// | `not a` | whether `if` takes `a` for false |
    /// | `default a b …` | the first argument that is there and is neither `null` nor `""`, or else the last |
    /// | `upper a`, `lower a`, `trim a` | the text in capitals or small letters, or without white space at its ends |
    /// | `join list ", " last=" and "` | the items with the separator (`, ` by default) between them |
    /// | `number a decimals=2 point="," group="."` | the number rounded to so many decimals (0 to 20), its thousands grouped |
    ///
    /// A wrong number of arguments, a name that is none of those above, or an argument of the wrong type is an error.
    pub fn standard() -> Self {
        standard::helpers()
    }

    /// Adds an inline helper; a helper of the same name is replaced.
    ///
    /// `helper` returns anything that is an [`Output`]: text, a number, a truth value, JSON. If it needs an argument that
    /// the data lacks, [`Arguments::text`] and [`HelperError::missing`] say so: the variable is then missing just as if
    /// it had been printed (see [`Mode`](crate::Mode)).
    #[must_use]
    pub fn inline<F, R>(self, name: impl Into<String>, helper: F) -> Self
    where
        F: Fn(&Arguments<'_>) -> Result<R, HelperError> + Send + Sync + 'static,
        R: Into<Output>,
    {
        let function = Arc::new(move |arguments: &Arguments<'_>| helper(arguments).map(Into::into));
        let tolerant = false;
        self.with(name.into(), Helper::Inline { function, tolerant })
    }

    /// As [`Self::inline`], for a helper that does without any argument: none then is required by the
    /// [schema](crate::Template::schema).
    #[must_use]
    pub fn inline_tolerant<F, R>(self, name: impl Into<String>, helper: F) -> Self
    where
        F: Fn(&Arguments<'_>) -> Result<R, HelperError> + Send + Sync + 'static,
        R: Into<Output>,
    {
        let function = Arc::new(move |arguments: &Arguments<'_>| helper(arguments).map(Into::into));
        let tolerant = true;
        self.with(name.into(), Helper::Inline { function, tolerant })
    }

    /// Adds a block helper; a helper of the same name is replaced.
    #[must_use]
    pub fn block<F>(self, name: impl Into<String>, helper: F) -> Self
    where
        F: Fn(&Arguments<'_>) -> Result<Block, HelperError> + Send + Sync + 'static,
    {
        self.with(name.into(), Helper::Block(Arc::new(helper)))
    }

    /// Adds all of `others`, which replace helpers of the same name.
    #[must_use]
    pub fn and(mut self, others: &Self) -> Self {
        let others = others.by_name.iter();
        Arc::make_mut(&mut self.by_name).extend(others.map(|(name, helper)| (name.clone(), helper.clone())));
        self
    }

    fn with(mut self, name: String, helper: Helper) -> Self {
        Arc::make_mut(&mut self.by_name).insert(name.into(), helper);
        self
    }

    /// Lists the names in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(|name| &**name)
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Helper> {
        self.by_name.get(name)
    }

    /// Fails if a name is one that no template could call.
    pub(crate) fn check(&self) -> Result<(), CompileErrorKind> {
        match self.names().find(|name| BUILT_IN.contains(name)) {
            None => Ok(()),
            Some(name) => Err(CompileErrorKind::BuiltIn { name: name.to_owned() }),
        }
    }
}

impl fmt::Debug for Helpers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}
