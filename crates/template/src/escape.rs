//! HTML escaping, character for character as handlebars.js does it.

/// The replacement of each byte, empty for those that stay.
const REPLACEMENTS: [&str; 128] = {
    let mut table = [""; 128];
    table[b'&' as usize] = "&amp;";
    table[b'<' as usize] = "&lt;";
    table[b'>' as usize] = "&gt;";
    table[b'"' as usize] = "&quot;";
    table[b'\'' as usize] = "&#x27;";
    table[b'`' as usize] = "&#x60;";
    table[b'=' as usize] = "&#x3D;";
    table
};

fn replacement(byte: u8) -> &'static str {
    REPLACEMENTS.get(usize::from(byte)).copied().unwrap_or_default()
}

/// Appends `text` to `out` with ``& < > " ' ` =`` replaced.
pub(crate) fn escape_into(out: &mut String, text: &str) {
    let mut from = 0;
    for (index, byte) in text.bytes().enumerate() {
        let replacement = replacement(byte);
        if !replacement.is_empty() {
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
