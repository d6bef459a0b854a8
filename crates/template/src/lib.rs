//! SES-style Handlebars templates: compile once, render many, precise errors, bounded work.
