//! HTML escaping, character for character as handlebars.js does it.

fn replacement(byte: u8) -> Option<&'static str> {
    match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'"' => Some("&quot;"),
        b'\'' => Some("&#x27;"),
        b'`' => Some("&#x60;"),
        b'=' => Some("&#x3D;"),
        _ => None,
    }
}

/// Appends `text` to `out` with ``& < > " ' ` =`` replaced.
pub(crate) fn escape_into(out: &mut String, text: &str) {
    let mut from = 0;
    for (index, byte) in text.bytes().enumerate() {
        if let Some(replacement) = replacement(byte) {
            out.push_str(text.get(from..index).unwrap_or_default());
            out.push_str(replacement);
            from = index + 1;
        }
    }
    out.push_str(text.get(from..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_handlebars_escapes() {
        let mut out = String::new();
        escape_into(&mut out, "ä<b>&\"'`=/ö");
        assert_eq!(out, "ä&lt;b&gt;&amp;&quot;&#x27;&#x60;&#x3D;/ö");
    }
}
