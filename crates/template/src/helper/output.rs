//! What helpers answer.

use serde_json::Value;

/// Holds what an inline helper returns.
///
/// Texts, numbers, truth values and JSON convert into it, so a helper can simply return those.
#[derive(Clone, Debug, PartialEq)]
pub struct Output(OutputKind);

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum OutputKind {
    Text(String),
    Safe(String),
    Value(Value),
    Argument(usize),
}

impl Output {
    /// Makes text that is written as it is, even into the HTML part: the helper has escaped what needs it.
    ///
    /// As an argument of another helper it is plain text again.
    pub fn safe(text: impl Into<String>) -> Self {
        Self(OutputKind::Safe(text.into()))
    }

    /// Makes nothing, which is written as nothing and counts as false.
    pub fn nothing() -> Self {
        Self(OutputKind::Value(Value::Null))
    }

    /// Returns positional argument `index` (from 0) as it was given, without copying it.
    pub fn argument(index: usize) -> Self {
        Self(OutputKind::Argument(index))
    }

    pub(crate) fn into_kind(self) -> OutputKind {
        self.0
    }
}

impl From<String> for Output {
    fn from(text: String) -> Self {
        Self(OutputKind::Text(text))
    }
}

impl From<&str> for Output {
    fn from(text: &str) -> Self {
        Self(OutputKind::Text(text.to_owned()))
    }
}

macro_rules! from_json {
    ($($type:ty),*) => {
        $(impl From<$type> for Output {
            fn from(value: $type) -> Self {
                Self(OutputKind::Value(value.into()))
            }
        })*
    };
}

from_json!(bool, i32, i64, u32, u64, usize, f64, Value, Vec<Value>);

/// Says how the body of a block helper runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Block(BlockKind);

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum BlockKind {
    Skip,
    Once,
    Times(u64),
    With(Output),
    Each(Output),
}

impl Block {
    /// Passes over the body; what follows `{{else}}` runs instead.
    pub fn skip() -> Self {
        Self(BlockKind::Skip)
    }

    /// Runs the body once, in the context that the block stands in.
    pub fn once() -> Self {
        Self(BlockKind::Once)
    }

    /// Runs the body once if `condition` holds, else what follows `{{else}}`.
    pub fn when(condition: bool) -> Self {
        if condition { Self::once() } else { Self::skip() }
    }

    /// Runs the body `count` times in the context that the block stands in, with `@index`, `@first` and `@last` and with
    /// the index as block parameter. No times at all is [`Self::skip`].
    pub fn times(count: u64) -> Self {
        Self(BlockKind::Times(count))
    }

    /// Runs the body once with `context` as `this`, which is also its block parameter.
    pub fn with(context: impl Into<Output>) -> Self {
        Self(BlockKind::With(context.into()))
    }

    /// Runs the body for each item of an array or object, as `each` does. Anything else, and an empty one, is
    /// [`Self::skip`].
    pub fn each(items: impl Into<Output>) -> Self {
        Self(BlockKind::Each(items.into()))
    }

    pub(crate) fn into_kind(self) -> BlockKind {
        self.0
    }
}
