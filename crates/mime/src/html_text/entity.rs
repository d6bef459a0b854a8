//! Character references.

use std::borrow::Cow;

/// Longest reference that is looked for, without its ampersand.
const LIMIT: usize = 12;

/// The names of U+00A0 to U+00FF, in order.
const LATIN_1: [&str; 96] = [
    "nbsp", "iexcl", "cent", "pound", "curren", "yen", "brvbar", "sect", "uml", "copy", "ordf", "laquo", "not", "shy",
    "reg", "macr", "deg", "plusmn", "sup2", "sup3", "acute", "micro", "para", "middot", "cedil", "sup1", "ordm",
    "raquo", "frac14", "frac12", "frac34", "iquest", "Agrave", "Aacute", "Acirc", "Atilde", "Auml", "Aring", "AElig",
    "Ccedil", "Egrave", "Eacute", "Ecirc", "Euml", "Igrave", "Iacute", "Icirc", "Iuml", "ETH", "Ntilde", "Ograve",
    "Oacute", "Ocirc", "Otilde", "Ouml", "times", "Oslash", "Ugrave", "Uacute", "Ucirc", "Uuml", "Yacute", "THORN",
    "szlig", "agrave", "aacute", "acirc", "atilde", "auml", "aring", "aelig", "ccedil", "egrave", "eacute", "ecirc",
    "euml", "igrave", "iacute", "icirc", "iuml", "eth", "ntilde", "ograve", "oacute", "ocirc", "otilde", "ouml",
    "divide", "oslash", "ugrave", "uacute", "ucirc", "uuml", "yacute", "thorn", "yuml",
];

/// Other names that mail uses.
const OTHERS: [(&str, char); 86] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("OElig", 'Œ'),
    ("oelig", 'œ'),
    ("Scaron", 'Š'),
    ("scaron", 'š'),
    ("Yuml", 'Ÿ'),
    ("fnof", 'ƒ'),
    ("circ", 'ˆ'),
    ("tilde", '˜'),
    ("ensp", ' '),
    ("emsp", ' '),
    ("thinsp", ' '),
    ("hairsp", ' '),
    ("numsp", ' '),
    ("zwnj", '\u{200c}'),
    ("zwj", '\u{200d}'),
    ("lrm", '\u{200e}'),
    ("rlm", '\u{200f}'),
    ("ndash", '–'),
    ("mdash", '—'),
    ("horbar", '―'),
    ("hyphen", '‐'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("sbquo", '‚'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("bdquo", '„'),
    ("dagger", '†'),
    ("Dagger", '‡'),
    ("bull", '•'),
    ("hellip", '…'),
    ("permil", '‰'),
    ("prime", '′'),
    ("Prime", '″'),
    ("lsaquo", '‹'),
    ("rsaquo", '›'),
    ("euro", '€'),
    ("trade", '™'),
    ("numero", '№'),
    ("larr", '←'),
    ("uarr", '↑'),
    ("rarr", '→'),
    ("darr", '↓'),
    ("harr", '↔'),
    ("rArr", '⇒'),
    ("minus", '−'),
    ("infin", '∞'),
    ("asymp", '≈'),
    ("ne", '≠'),
    ("le", '≤'),
    ("ge", '≥'),
    ("sum", '∑'),
    ("radic", '√'),
    ("starf", '★'),
    ("star", '☆'),
    ("phone", '☎'),
    ("spades", '♠'),
    ("clubs", '♣'),
    ("hearts", '♥'),
    ("diams", '♦'),
    ("check", '✓'),
    ("cross", '✗'),
    ("alpha", 'α'),
    ("beta", 'β'),
    ("gamma", 'γ'),
    ("delta", 'δ'),
    ("epsilon", 'ε'),
    ("lambda", 'λ'),
    ("mu", 'μ'),
    ("pi", 'π'),
    ("sigma", 'σ'),
    ("omega", 'ω'),
    ("Delta", 'Δ'),
    ("Sigma", 'Σ'),
    ("Omega", 'Ω'),
    ("commat", '@'),
    ("num", '#'),
    ("colon", ':'),
    ("lbrace", '{'),
    ("rbrace", '}'),
    ("vert", '|'),
];

/// Names that count without their semicolon too, outside attributes.
const WITHOUT_SEMICOLON: [&str; 7] = ["amp", "lt", "gt", "quot", "nbsp", "copy", "reg"];

/// What the numbers 128 to 159 mean: characters of windows-1252.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Gives the characters of `text` to `take`, references resolved; what is none is text.
pub(super) fn characters(text: &str, mut take: impl FnMut(char)) {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, reference) = rest.split_at_checked(at).unwrap_or((rest, ""));
        before.chars().for_each(&mut take);
        let (character, length) = read(reference, true).unwrap_or(('&', 1));
        take(character);
        rest = reference.get(length..).unwrap_or_default();
    }
    rest.chars().for_each(take);
}

/// Resolves the references in an attribute's value.
pub(super) fn resolve(value: &str) -> Cow<'_, str> {
    if !value.contains('&') {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('&') {
        let (before, reference) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let (character, length) = read(reference, false).unwrap_or(('&', 1));
        out.push_str(before);
        out.push(character);
        rest = reference.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Reads the reference at the start of `text`: what it stands for, and how many octets it takes.
fn read(text: &str, in_text: bool) -> Option<(char, usize)> {
    let body = text.strip_prefix('&')?;
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'#';
    let length = body.bytes().take(LIMIT + 1).take_while(is_part).count();
    let name = body.get(..length)?;
    let ended = body.as_bytes().get(length) == Some(&b';');
    let character = match name.strip_prefix('#') {
        Some(number) => Some(numbered(number)?),
        None => named(name).filter(|_| ended || (in_text && WITHOUT_SEMICOLON.contains(&name))),
    };
    character.map(|character| (character, 1 + length + usize::from(ended)))
}

fn named(name: &str) -> Option<char> {
    let others = OTHERS.iter().find(|(known, _)| *known == name).map(|(_, c)| *c);
    others.or_else(|| {
        let at = LATIN_1.iter().position(|known| *known == name)?;
        char::from_u32(0xA0 + u32::try_from(at).ok()?)
    })
}

fn numbered(digits: &str) -> Option<char> {
    let (digits, radix) = match digits.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (digits, 10),
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let number = u32::from_str_radix(digits, radix).unwrap_or(u32::MAX);
    let character = match number {
        0 => None,
        0x80..=0x9F => WINDOWS_1252.get(usize::try_from(number - 0x80).ok()?).copied(),
        _ => char::from_u32(number),
    };
    Some(character.unwrap_or(char::REPLACEMENT_CHARACTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mut out = String::new();
        characters(text, |c| out.push(c));
        assert_eq!(out, expected);
    }

    #[test]
    fn references_are_resolved() {
        check("a &lt;b&gt; &amp;amp; &quot;&apos;", "a <b> &amp; \"'");
        check("&eacute;&Eacute;&yuml;&euro;&hellip;&rarr;", "éÉÿ€…→");
        check("&#233;&#xE9;&#XE9&#128512;&#146;", "ééé😀’");
        check("&#0;&#xD800;&#99999999999;", "\u{FFFD}\u{FFFD}\u{FFFD}");
    }

    #[test]
    fn what_is_no_reference_is_text() {
        check(
            "a & b &; &nope; &# &#; &#x; &#xg; &",
            "a & b &; &nope; &# &#; &#x; &#xg; &",
        );
        check("AT&T &copy 2026 &ampx; &eacute", "AT&T © 2026 &ampx; &eacute");
        check(
            "&aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;",
            "&aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;",
        );
        assert_eq!(resolve("?a=1&copy=2&amp;b"), "?a=1&copy=2&b");
    }
}
