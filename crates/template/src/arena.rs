//! Keeps what helpers return for as long as one rendering takes.

use std::cell::OnceCell;

use serde_json::Value;

/// A chain of values, to which more can be added while those in it are in use.
#[derive(Default)]
pub(crate) struct Arena {
    first: End,
}

/// Where the next value goes.
pub(crate) type End = OnceCell<Box<Link>>;

pub(crate) struct Link {
    value: Value,
    next: End,
}

impl Arena {
    pub(crate) fn end(&self) -> &End {
        &self.first
    }
}

/// Adds `value` at `end`, which moves on.
pub(crate) fn keep<'a>(end: &mut &'a End, value: Value) -> &'a Value {
    let next = End::new();
    let link = end.get_or_init(|| Box::new(Link { value, next }));
    *end = &link.next;
    &link.value
}

impl Drop for Arena {
    fn drop(&mut self) {
        // One after the other: a long chain would recurse as deep as it is long.
        let mut next = self.first.take();
        while let Some(mut link) = next {
            next = link.next.take();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_while_others_come() {
        let arena = Arena::default();
        let mut end = arena.end();
        let first = keep(&mut end, Value::from("first"));
        for number in 0..200_000 {
            assert_eq!(keep(&mut end, Value::from(number)), number);
        }
        assert_eq!(first, "first");
    }
}
