//! Renders SES-style Handlebars templates: compile once, render many, precise errors, bounded work.
//!
//! This crate turns template source and [`serde_json::Value`]s into text. It does no I/O, knows nothing of mail beyond
//! the names of its parts, and is safe with templates and data from strangers: data is never read as a template, every
//! cost has a limit, and nothing that either contains can make it panic.
//!
//! ```
//! use posthaste_template::Template;
//! use serde_json::json;
//!
//! let template = Template::from_ses_json(
//!     r#"{
//!         "TemplateName": "welcome",
//!         "TemplateContent": {
//!             "Subject": "Welcome, {{name}}!",
//!             "Text": "Hello {{name}},\n{{#if pro}}thank you.{{else}}upgrade at {{link}}{{/if}}",
//!             "Html": "<p>Hello {{name}}</p>"
//!         }
//!     }"#,
//! )?;
//!
//! let mail = template.render(&json!({"name": "Ada & Co", "pro": true}))?;
//! assert_eq!(mail.subject, "Welcome, Ada & Co!");
//! assert_eq!(mail.html.as_deref(), Some("<p>Hello Ada &amp; Co</p>"));
//!
//! let error = template.render(&json!({"nmae": "Ada"})).unwrap_err();
//! assert_eq!(error.missing().len(), 4); // `name` in all three parts, and `link`
//! assert_eq!(
//!     error.missing()[0].to_string(),
//!     "`name` (subject, line 1, column 12; did you mean `nmae`?)"
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to look
//!
//! - [`Template`]: subject, text and HTML in one; [`Program`]: a single source.
//! - [`Template::render_over`]: data laid over defaults, without copying either.
//! - [`Helpers`]: what templates can call that is written in Rust; [`Helpers::standard`] has the common ones.
//! - [`Template::variables`], [`Template::schema`]: what a template reads, found out without rendering it.
//! - [`Template::failure`]: a rendering that failed as SES's event has it. [`Part::Header`]: values of header fields.
//! - [`Mode`]: what a variable means that the data lacks; [`Escape`]: where values are escaped; [`Limits`]: what a
//!   template may cost.
//! - [`CompileError`], [`RenderError`]: part, line, column and what to do.
//!
//! # Language
//!
//! Handlebars with its built-in helpers: paths (`a.b`, `a/b`, `a.[b c]`, `a.0`, `this`, `.`, `../`), `.length` of arrays
//! and strings, `@index @key @first @last @root`, `if`, `else if`, `else`, `unless`, `each`, `with`, `lookup` (also as
//! subexpression), sections `{{#x}}` and `{{^x}}`, block parameters, partials (registered, inline, dynamic, with context
//! and arguments, with blocks), raw blocks, comments, `{{{x}}}` and `{{&x}}`, `~`, `\{{`. `log` renders nothing. Helpers
//! written in Rust can be added; there are no decorators but `inline`. An unknown helper is an error when compiling.
//!
//! Subjects and header values come out on one line without control characters, whatever template, data and helpers say.
//!
//! Values become text as in JavaScript (`[1,[2]]` is `1,2`, an object is `[object Object]`, `1.0` is `1`), except that
//! integers of 64 bits keep all their digits. Larger numbers are rounded before they get here, when JSON is parsed:
//! pass order numbers as strings.
//!
//! # Differences from handlebars.js
//!
//! - Unknown helpers and wrong numbers of arguments are errors when compiling, even where nothing would be rendered.
//! - In `{{#if}}…{{else if}}…{{/if}}` every tag that stands alone on a line takes its indentation along; in
//!   handlebars.js the last ones leave it behind.
//! - `{{#if @partial-block}}` asks whether a block was passed, not whether it renders to something.
//! - [`Mode::Strict`] accepts missing names in arguments of built-in helpers at any depth; a registered helper says whether
//!   it needs its arguments.
//! - A block helper says how often and with which context its body runs; it doesn't render it. An inline helper cannot be
//!   called as a block.
//!
//! # Cost
//!
//! Compiling takes time in proportion to the source. Rendering a set allocates one string for each part and three lists for
//! all of them, whatever the size of the output, once a first rendering has shown that; helpers and `each` over merged
//! objects allocate what they make. Each instruction, each call and each 64 bytes of long names, arguments and results
//! count as steps.
//!
//! # Differences from Amazon SES
//!
//! SES escapes nothing; here the HTML part is escaped unless [`Escape::Never`] is set. SES stops at the first missing
//! variable, as [`Mode::Ses`] does; [`Mode::Strict`], the default, names them all.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod analysis;
mod arena;
mod ast;
mod code;
mod compile;
mod error;
mod escape;
mod failure;
mod helper;
mod lex;
mod location;
mod nearest;
mod options;
mod parse;
mod program;
mod render;
mod ses_json;
mod subject;
mod template;
mod value;
mod variable;
mod whitespace;
mod work;

pub use error::{CompileError, CompileErrorKind, Limit, MissingVariable, RenderError};
pub use failure::RenderingFailure;
pub use helper::{Argument, Arguments, Block, HelperError, Helpers, Output};
pub use location::{Location, Part};
pub use options::{Escape, Limits, Mode, Options};
pub use program::Program;
pub use ses_json::SesJsonError;
pub use template::{Rendered, Template, TemplateBuilder};
pub use variable::{Usage, Variable};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
