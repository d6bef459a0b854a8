//! Counts what compiling costs, so that tests can say that it grows no faster than the source.

#[cfg(test)]
thread_local! {
    static BYTES: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Counts `bytes` that were looked at; nothing but tests keeps the count.
#[inline]
pub(crate) fn count(bytes: usize) {
    #[cfg(test)]
    BYTES.with(|total| total.set(total.get() + bytes));
    #[cfg(not(test))]
    let _ = bytes;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, Options, Part, Program};

    /// Compiles `source`, whether it is right or wrong, and returns how many bytes that looked at.
    fn cost(source: &str) -> usize {
        BYTES.with(|total| total.set(0));
        let limits = Limits::default().depth(Limits::MAX_DEPTH).source(usize::MAX);
        let _ = Program::compile(source, &Options::new(Part::Html).limits(limits));
        BYTES.with(std::cell::Cell::get)
    }

    fn nested(open: &str, close: &str, depth: usize, length: usize) -> String {
        let one = format!("{}x{}", open.repeat(depth), close.repeat(depth));
        one.repeat((length / one.len()).max(1))
    }

    /// Sources of about `length` bytes of every shape that could make a compiler look twice.
    fn shapes(length: usize) -> Vec<String> {
        let fill = |piece: &str| piece.repeat(length / piece.len());
        let within = |before: &str, piece: &str, after: &str| format!("{before}{}{after}", fill(piece));
        let mut shapes: Vec<String> = [
            "x",
            " ",
            "\n",
            "{{",
            "{ ",
            "}}",
            "{{a}}",
            "{{{a}}}",
            "{{~a~}} ",
            "{{ a }}",
            "{{!x}}",
            "{{!-- - -- --}}",
            "{{#if a}}x{{/if}}",
            "{{#if a}}\n{{/if}}\n",
            "{{#a as |",
            "{{> p}}",
            "{{#*inline \"p\"}}{{/inline}}",
            "\\{{a}}",
            "\\\\{{a}}",
            "{{{{a}}}}x{{{{/a}}}}",
            "{{#a}}{{else      }}{{/a}}",
            "{{^}}",
            "{{#",
            "{{ä}}ö",
            "{{lookup (lookup a b) c}}",
            "\r\n{{#if a}}\r\n",
            "{{a.b.c}}        {{#if b}}       {{/if}}",
        ]
        .map(fill)
        .into();
        for (before, piece, after) in [
            ("{{!-- ", "- -- ", "--}}"),
            ("{{!-- ", "--", ""),
            ("{{! ", "} ", ""),
            ("{{#if a}}", "{{else if a}}", "{{/if}}"),
            ("{{", "a.", "a}}"),
            ("{{", "[a]/", "a}}"),
            ("{{", "../", "a}}"),
            ("{{a", ".0", "}}"),
            ("{{#if ", "a ", "}}"),
            ("{{> p ", "a=1 ", "}}"),
            ("{{> p ", "a='\\' ", "}}"),
            ("{{> p ", "a=\"b\" ", "}}"),
            ("{{lookup a \"", "\\\"", "\"}}"),
            ("{{[", "\\]", "]}}"),
            ("{{", "[", ""),
            ("{{", "\"\\", ""),
            ("{{{{a}}}}", "{{{{b}}}}", ""),
            ("{{{{a}}}}", "{{{{/", ""),
            ("{{", " ", "a}}"),
            ("{{", "a", "}}"),
            ("{{", "1", "}}"),
            ("{{#a ", "as ", ""),
            ("{{#if a}}", " ", "{{/if}}"),
            ("{{", ".", "}}"),
        ] {
            shapes.push(within(before, piece, after));
        }
        for (open, close) in [
            ("{{#if a}}", "{{/if}}"),
            ("{{#if a}}\n", "\n{{/if}}"),
            ("{{#if a}} ", " {{/if}}"),
            ("{{#*inline \"p\"}}", "{{/inline}}"),
            ("{{#> p}}", "{{/p}}"),
            ("{{#each a as |b c|}}", "{{/each}}"),
            ("{{^a}}", "{{/a}}"),
        ] {
            for depth in [10, 127, 1000] {
                shapes.push(nested(open, close, depth, length));
            }
        }
        shapes
    }

    #[test]
    fn compiling_looks_at_each_byte_a_few_times() {
        const LENGTH: usize = 50_000;
        for (half, whole) in shapes(LENGTH).iter().zip(shapes(2 * LENGTH)) {
            let (small, large) = (cost(half), cost(&whole));
            let start: String = whole.chars().take(40).collect();
            assert!(
                large <= 12 * whole.len(),
                "{large} bytes looked at of {}: {start}",
                whole.len()
            );
            assert!(
                large <= small * 5 / 2 + 1000,
                "{small} bytes, twice the source {large}: {start}"
            );
        }
    }
}
