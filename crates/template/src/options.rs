//! How a template is compiled and rendered.

use crate::helper::Helpers;
use crate::location::Part;

/// Decides what a variable that the data does not have means.
///
/// In all modes a missing variable in the argument of `if`, `unless`, `each`, `with`, `lookup` or of a partial is
/// simply empty: asking whether something is there is not an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// Every missing variable of the whole set is an error, named at once, with its place and the nearest name.
    ///
    /// A section `{{#name}}` or `{{^name}}` over a missing name counts as missing too, as in Handlebars' strict mode.
    /// `null` is a value and renders as nothing.
    #[default]
    Strict,
    /// The first missing (or `null`) variable is an error in the words of Amazon SES. A section over a missing name is
    /// simply false.
    Ses,
    /// Missing variables render as nothing, as plain Handlebars does.
    Lenient,
}

/// Decides where values are escaped for HTML.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Escape {
    /// In the HTML part, unless the template writes `{{{name}}}` or `{{&name}}`; never in subject and text.
    #[default]
    HtmlPart,
    /// Nowhere, as Amazon SES does. Data then can carry markup and scripts into the HTML part.
    Never,
}

/// Bounds what one template may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    pub(crate) source: usize,
    pub(crate) depth: usize,
    pub(crate) partial_depth: usize,
    pub(crate) output: usize,
    pub(crate) steps: usize,
}

impl Limits {
    /// The deepest nesting that [`Limits::depth`] accepts: the compiler recurses that far.
    pub const MAX_DEPTH: usize = 128;

    /// Bounds the source of one part or partial, in bytes (default 512 KiB; Amazon SES allows 500 KB).
    #[must_use]
    pub fn source(mut self, bytes: usize) -> Self {
        self.source = bytes;
        self
    }

    /// Bounds how deep blocks and subexpressions nest (default 64, at most [`Self::MAX_DEPTH`]).
    #[must_use]
    pub fn depth(mut self, levels: usize) -> Self {
        self.depth = levels.min(Self::MAX_DEPTH);
        self
    }

    /// Bounds how deep partials call partials (default 32).
    #[must_use]
    pub fn partial_depth(mut self, levels: usize) -> Self {
        self.partial_depth = levels;
        self
    }

    /// Bounds the output of all parts together, in bytes (default 10 MB).
    #[must_use]
    pub fn output(mut self, bytes: usize) -> Self {
        self.output = bytes;
        self
    }

    /// Bounds the instructions that one rendering of all parts executes (default 2 million).
    #[must_use]
    pub fn steps(mut self, steps: usize) -> Self {
        self.steps = steps;
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            source: 512 << 10,
            depth: 64,
            partial_depth: 32,
            output: 10_000_000,
            steps: 2_000_000,
        }
    }
}

/// Says how one source is compiled and rendered.
#[derive(Clone, Debug)]
pub struct Options {
    pub(crate) part: Part,
    pub(crate) mode: Mode,
    pub(crate) escape: Escape,
    pub(crate) limits: Limits,
    pub(crate) standalone: bool,
    pub(crate) indent_partials: bool,
    pub(crate) explicit_partial_context: bool,
    pub(crate) search_parents: bool,
    pub(crate) helpers: Helpers,
}

impl Options {
    /// Makes the default options for `part`.
    pub fn new(part: Part) -> Self {
        Self {
            part,
            mode: Mode::default(),
            escape: Escape::default(),
            limits: Limits::default(),
            standalone: true,
            indent_partials: true,
            explicit_partial_context: false,
            search_parents: false,
            helpers: Helpers::new(),
        }
    }

    /// Sets what missing variables mean.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Sets where values are escaped.
    #[must_use]
    pub fn escape(mut self, escape: Escape) -> Self {
        self.escape = escape;
        self
    }

    /// Sets what the template may cost.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the helpers that the template may call (default none, see [`Helpers`]).
    #[must_use]
    pub fn helpers(mut self, helpers: Helpers) -> Self {
        self.helpers = helpers;
        self
    }

    /// Sets whether a line that holds only a block tag, comment or partial leaves no empty line behind (default yes).
    #[must_use]
    pub fn standalone_lines(mut self, standalone: bool) -> Self {
        self.standalone = standalone;
        self
    }

    /// Sets whether a partial on a line of its own is indented like its tag, on every line (default yes).
    #[must_use]
    pub fn indent_partials(mut self, indent: bool) -> Self {
        self.indent_partials = indent;
        self
    }

    /// Sets whether a partial called without a context gets an empty one instead of the current one (default no).
    #[must_use]
    pub fn explicit_partial_context(mut self, explicit: bool) -> Self {
        self.explicit_partial_context = explicit;
        self
    }

    /// Sets whether a name that the current context lacks is looked for in the enclosing ones, as Mustache does
    /// (default no).
    #[must_use]
    pub fn search_parents(mut self, search: bool) -> Self {
        self.search_parents = search;
        self
    }
}
