//! Decides what each text loses to `~` and to tags that stand alone on their line.

use crate::ast::{Body, Cut, Node, Strip, Text};
use crate::lex::is_space;
use crate::work::count;

/// Marks the cuts in `body` and everything below it.
///
/// `root` says that the body is the whole source: its ends count as line ends.
pub(crate) fn control(source: &str, body: &mut Body<'_>, root: bool, standalone: bool) {
    for index in 0..body.nodes.len() {
        let before = standalone && line_ends_before(source, body, index, root);
        let after = standalone && line_ends_after(source, body, index, root);
        let Some(node) = body.nodes.get_mut(index) else {
            continue;
        };
        let mut indent = false;
        let (strip, cut_before, cut_after) = match node {
            Node::Text(_) => continue,
            Node::Mustache(mustache) => (mustache.strip, false, false),
            Node::Comment(strip) => (*strip, before && after, before && after),
            Node::Partial(partial) => match &mut partial.block {
                None => {
                    indent = before && after && !partial.strip.open;
                    (partial.strip, before && after, before && after)
                }
                Some((inner, close)) => inside(
                    source,
                    &mut [inner],
                    &[partial.strip, *close],
                    before,
                    after,
                    standalone,
                ),
            },
            Node::Inline(inline) => inside(
                source,
                &mut [&mut inline.body],
                &[inline.open, inline.close],
                before,
                after,
                standalone,
            ),
            Node::Block(block) => {
                let mut strips: Vec<Strip> = block.arms.iter().map(|arm| arm.strip).collect();
                strips.extend(block.otherwise.as_ref().map(|(strip, _)| *strip));
                strips.push(block.close);
                let mut bodies: Vec<&mut Body<'_>> = block.arms.iter_mut().map(|arm| &mut arm.body).collect();
                bodies.extend(block.otherwise.as_mut().map(|(_, body)| body));
                inside(source, &mut bodies, &strips, before, after, standalone)
            }
        };
        let mut white = None;
        if let Some(text) = index.checked_sub(1).and_then(|previous| text_at(body, previous)) {
            if indent {
                white = indentation(source, text);
            }
            text.right = text.right.max(cut(strip.open, cut_before));
        }
        if let Some(text) = text_at(body, index + 1) {
            text.left = text.left.max(cut(strip.close, cut_after));
        }
        if let Some(Node::Partial(partial)) = body.nodes.get_mut(index) {
            partial.indent = white;
        }
    }
}

/// Treats the bodies of one block, between the tags of `strips`, and returns what the block does to its neighbours.
fn inside(
    source: &str,
    bodies: &mut [&mut Body<'_>],
    strips: &[Strip],
    before: bool,
    after: bool,
    standalone: bool,
) -> (Strip, bool, bool) {
    for body in bodies.iter_mut() {
        control(source, body, false, standalone);
    }
    let starts: Vec<bool> = bodies
        .iter()
        .map(|body| standalone && line_ends_at_start(source, body))
        .collect();
    let ends: Vec<bool> = bodies
        .iter()
        .map(|body| standalone && line_ends_at_end(source, body))
        .collect();
    let first = before && starts.first() == Some(&true);
    let last = after && ends.last() == Some(&true);
    let count = bodies.len();
    for (index, body) in bodies.iter_mut().enumerate() {
        let at = |flags: &[bool], index: usize| flags.get(index).copied().unwrap_or_default();
        let opens_line = if index == 0 {
            first
        } else {
            at(&ends, index - 1) && at(&starts, index)
        };
        let closes_line = if index + 1 == count {
            last
        } else {
            at(&ends, index) && at(&starts, index + 1)
        };
        let strips_start = strips.get(index).is_some_and(|strip| strip.close);
        let strips_end = strips.get(index + 1).is_some_and(|strip| strip.open);
        if let Some(text) = text_at(body, 0) {
            text.left = text.left.max(cut(strips_start, opens_line));
        }
        if let Some(text) = body.nodes.len().checked_sub(1).and_then(|last| text_at(body, last)) {
            text.right = text.right.max(cut(strips_end, closes_line));
        }
    }
    let open = strips.first().is_some_and(|strip| strip.open);
    let close = strips.last().is_some_and(|strip| strip.close);
    (Strip { open, close }, first, last)
}

fn cut(all: bool, line: bool) -> Cut {
    match (all, line) {
        (true, _) => Cut::All,
        (false, true) => Cut::Line,
        (false, false) => Cut::Nothing,
    }
}

fn text_at<'b>(body: &'b mut Body<'_>, index: usize) -> Option<&'b mut Text> {
    match body.nodes.get_mut(index) {
        Some(Node::Text(text)) => Some(text),
        _ => None,
    }
}

fn content<'s>(source: &'s str, node: Option<&Node<'_>>) -> Option<&'s str> {
    match node {
        Some(Node::Text(text)) => source.get(text.start..text.end),
        _ => None,
    }
}

/// Whether only white space stands between node `index` and the line end before it.
fn line_ends_before(source: &str, body: &Body<'_>, index: usize, root: bool) -> bool {
    let Some(previous) = index.checked_sub(1) else {
        return root;
    };
    content(source, body.nodes.get(previous)).is_some_and(|text| ends_line(text, root && previous == 0))
}

/// Whether only white space stands between node `index` and the line end behind it.
fn line_ends_after(source: &str, body: &Body<'_>, index: usize, root: bool) -> bool {
    if index + 1 == body.nodes.len() {
        return root;
    }
    content(source, body.nodes.get(index + 1))
        .is_some_and(|text| starts_line(text, root && index + 2 == body.nodes.len()))
}

fn line_ends_at_start(source: &str, body: &Body<'_>) -> bool {
    content(source, body.nodes.first()).is_some_and(|text| starts_line(text, false))
}

fn line_ends_at_end(source: &str, body: &Body<'_>) -> bool {
    content(source, body.nodes.last()).is_some_and(|text| ends_line(text, false))
}

/// Whether `text` begins with white space up to a line end, or is nothing else and `whole` counts.
fn starts_line(text: &str, whole: bool) -> bool {
    let rest = text.trim_start_matches(is_space);
    let white = text.get(..text.len() - rest.len()).unwrap_or_default();
    count(white.len());
    white.contains('\n') || (whole && rest.is_empty())
}

/// Whether `text` ends with a line end and white space, or is nothing else and `whole` counts.
fn ends_line(text: &str, whole: bool) -> bool {
    let rest = text.trim_end_matches(is_space);
    count(text.len() - rest.len());
    text.get(rest.len()..).unwrap_or_default().contains('\n') || (whole && rest.is_empty())
}

/// Where the blanks at the end of `text` are, if the tag before it has left them.
fn indentation(source: &str, text: &Text) -> Option<(usize, usize)> {
    let (from, end) = trimmed(
        source,
        &Text {
            right: Cut::Nothing,
            ..*text
        },
    );
    let kept = source.get(from..end)?;
    let start = from + kept.trim_end_matches([' ', '\t']).len();
    (start < end).then_some((start, end))
}

/// Applies its cuts to `text` and returns what is left of it, as a range of the source.
pub(crate) fn trimmed(source: &str, text: &Text) -> (usize, usize) {
    let whole = source.get(text.start..text.end).unwrap_or_default();
    let kept = match text.left {
        Cut::Nothing => whole,
        Cut::All => whole.trim_start_matches(is_space),
        Cut::Line => {
            let kept = whole.trim_start_matches([' ', '\t']);
            let kept = kept.strip_prefix('\r').unwrap_or(kept);
            kept.strip_prefix('\n').unwrap_or(kept)
        }
    };
    let start = text.start + whole.len() - kept.len();
    let kept = match text.right {
        Cut::Nothing => kept,
        Cut::All => kept.trim_end_matches(is_space),
        Cut::Line => kept.trim_end_matches([' ', '\t']),
    };
    (start, start + kept.len())
}
