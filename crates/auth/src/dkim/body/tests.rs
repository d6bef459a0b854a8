use proptest::prelude::*;

use super::*;

fn canonical(body: &[u8], canonicalization: Canonicalization, cut: usize) -> Vec<u8> {
    let mut hash = BodyHash::new(canonicalization);
    for chunk in body.chunks(cut.max(1)) {
        hash.update(chunk);
    }
    hash.finish().0.as_ref().to_vec()
}

fn check(body: &str, simple: &str, relaxed: &str) {
    for cut in 1..=body.len().max(1) {
        for (canonicalization, expected) in [(Canonicalization::Simple, simple), (Canonicalization::Relaxed, relaxed)] {
            let expected = sha256(expected);
            assert_eq!(
                canonical(body.as_bytes(), canonicalization, cut),
                expected,
                "{body:?} {cut}"
            );
        }
    }
}

#[test]
fn bodies() {
    check("", "\r\n", "");
    check("\r\n\r\n", "\r\n", "");
    check("Hello", "Hello\r\n", "Hello\r\n");
    check("Hello\r\n\r\n\r\n", "Hello\r\n", "Hello\r\n");
    // §3.4.4: a line of white space only is an empty line.
    check("Hello\r\n \t\r\n", "Hello\r\n \t\r\n", "Hello\r\n");
    check(" C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n");
    check("a  b\r\n\r\n c\r\n", "a  b\r\n\r\n c\r\n", "a b\r\n\r\n c\r\n");
    check("bare \r cr\r", "bare \r cr\r\r\n", "bare \r cr\r\r\n");
    check("bare\n lf", "bare\n lf\r\n", "bare\n lf\r\n");
    check(" ", " \r\n", "");
    check(
        "long enough lines\r\nof text\r\n and  \r\n\r\nmore\r\n",
        "long enough lines\r\nof text\r\n and  \r\n\r\nmore\r\n",
        "long enough lines\r\nof text\r\n and\r\n\r\nmore\r\n",
    );
    check(
        "caf\u{e9}\u{e9}\u{e9}\u{e9} \u{e9}\t\n\0\u{1} x",
        "caf\u{e9}\u{e9}\u{e9}\u{e9} \u{e9}\t\n\0\u{1} x\r\n",
        "caf\u{e9}\u{e9}\u{e9}\u{e9} \u{e9} \n\0\u{1} x\r\n",
    );
}

/// RFC 6376 §3.4.4, step by step, as it is written there.
fn relaxed(body: &str) -> String {
    let mut lines: Vec<String> = body
        .split("\r\n")
        .map(|line| {
            let mut out = String::new();
            for c in line.chars() {
                match c {
                    ' ' | '\t' if out.ends_with(' ') => {}
                    ' ' | '\t' => out.push(' '),
                    c => out.push(c),
                }
            }
            out.strip_suffix(' ').map(str::to_owned).unwrap_or(out)
        })
        .collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines.iter().map(|line| format!("{line}\r\n")).collect()
}

/// RFC 6376 §3.4.3.
fn simple(body: &str) -> String {
    let mut text = body;
    while let Some(before) = text.strip_suffix("\r\n") {
        text = before;
    }
    format!("{text}\r\n")
}

fn sha256(text: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, text.as_bytes()).as_ref().to_vec()
}

/// Pieces of bodies: what canonicalisation is about, and long smooth runs between.
const PIECE: &str =
    "[a-z]{1,90}|\r\n|\r\n\r\n|\r|\n| |  |\t|[a-z]{60,70} |([A-Za-z0-9+/]{76}\r\n){1,5}|é{1,9}|[a-z ]{200}";

proptest! {
    #[test]
    fn long_bodies_are_what_the_steps_of_the_rfc_make_of_them(
        pieces in proptest::collection::vec(PIECE, 0..60),
        cut in 1_usize..300,
    ) {
        let body = pieces.concat();
        let found = canonical(body.as_bytes(), Canonicalization::Relaxed, cut);
        prop_assert_eq!(found, sha256(&relaxed(&body)));
        let found = canonical(body.as_bytes(), Canonicalization::Simple, cut);
        prop_assert_eq!(found, sha256(&simple(&body)));
    }

    /// Whatever the chunks are, whichever of them are proven canonical, and wherever a clone took over.
    #[test]
    fn canonical_chunks_give_the_hash_that_a_look_gives(
        pieces in proptest::collection::vec((PIECE, any::<bool>()), 0..30),
        clone_at in 0_usize..30,
    ) {
        let body: String = pieces.iter().map(|(piece, _)| piece.as_str()).collect();
        for (canonicalization, expected) in [
            (Canonicalization::Simple, sha256(&simple(&body))),
            (Canonicalization::Relaxed, sha256(&relaxed(&body))),
        ] {
            let mut hash = BodyHash::new(canonicalization);
            for (index, (piece, prove)) in pieces.iter().enumerate() {
                if index == clone_at {
                    let other = hash.clone();
                    hash.update(b"of the one that is thrown away");
                    hash = other;
                }
                match CanonicalBytes::new(Bytes::copy_from_slice(piece.as_bytes())) {
                    Some(proven) if *prove => hash.update_canonical(&proven),
                    _ => hash.update(piece.as_bytes()),
                }
            }
            let (found, length) = hash.finish();
            prop_assert_eq!(found.as_ref(), expected.as_slice());
            if canonicalization == Canonicalization::Relaxed {
                prop_assert_eq!(length, relaxed(&body).len() as u64);
            }
        }
    }

    /// What is called canonical is, followed by anything: alone, both canonical forms leave it as it is.
    #[test]
    fn what_is_proven_is_true(pieces in proptest::collection::vec(PIECE, 0..6)) {
        let chunk = pieces.concat();
        if CanonicalBytes::new(Bytes::copy_from_slice(chunk.as_bytes())).is_some() {
            let closed = format!("{chunk}x");
            prop_assert_eq!(relaxed(&closed), format!("{closed}\r\n"));
            prop_assert_eq!(simple(&closed), format!("{closed}\r\n"));
        }
    }
}

#[test]
fn what_can_be_proven() {
    let proves = |chunk: &'static str| CanonicalBytes::new(Bytes::from_static(chunk.as_bytes())).is_some();
    for chunk in [
        "",
        "\r\n",
        "\r\n\r\nafter empty lines",
        "SGVsbG8=",
        "SGVsbG8=\r\n",
        "one\r\ntwo words\r\n\r\n\r\n",
        " indented by one",
        "--boundary\r\nContent-Type: text/plain;\r\n charset=utf-8\r\n\r\n",
    ] {
        let long = "TG9yZW0gaXBzdW0gZG9s\r\n".repeat(20) + chunk;
        assert!(proves(chunk), "{chunk:?}");
        assert!(CanonicalBytes::new(long.into()).is_some(), "{chunk:?}");
    }
    for chunk in [
        " ",
        "\t",
        "a\tb",
        "a  b",
        "a \r\n",
        "a ",
        "a\r",
        "a\rb\r",
        "\r\n \r\n",
        "a\r\n  b",
        "a\r\n ",
    ] {
        assert!(!proves(chunk), "{chunk:?}");
        let long = "TG9yZW0gaXBzdW0gZG9s\r\n".repeat(20) + chunk;
        assert!(CanonicalBytes::new(long.into()).is_none(), "{chunk:?}");
    }
}

#[test]
fn a_proven_chunk_that_stands_behind_half_a_line_end_or_white_space_is_looked_at() {
    for (before, chunk, after) in [
        ("a\r", "\nb", ""),
        ("a ", " b", ""),
        ("a ", "\r\nb", ""),
        ("a ", "\r\n", ""),
        ("a\r\n", "\r\n\r\n", "\r\n"),
        ("a\r\n\r\n", "b\r\n\r\n", " \r\n"),
        ("a\t", "b", " c"),
        ("a", "SGVsbG8=", "\r\n--boundary--\r\n"),
    ] {
        let body = format!("{before}{chunk}{after}");
        for (canonicalization, expected) in [
            (Canonicalization::Simple, simple(&body)),
            (Canonicalization::Relaxed, relaxed(&body)),
        ] {
            let mut hash = BodyHash::new(canonicalization);
            hash.update(before.as_bytes());
            hash.update_canonical(&CanonicalBytes::new(Bytes::copy_from_slice(chunk.as_bytes())).unwrap());
            hash.update(after.as_bytes());
            assert_eq!(
                hash.finish().0.as_ref(),
                sha256(&expected).as_slice(),
                "{body:?} {canonicalization}"
            );
        }
    }
}

#[test]
fn no_body_takes_longer_than_its_length_asks_for() {
    let begun = std::time::Instant::now();
    for unit in [
        "\n", "\r", "\r\n", " ", "\t", " \n", "\u{1}", "\n\n \n", "a\n", "a\r\n ", "\r\n\r",
    ] {
        let body = unit.repeat(2_000_000 / unit.len());
        for canonicalization in [Canonicalization::Simple, Canonicalization::Relaxed] {
            let mut hash = BodyHash::new(canonicalization);
            hash.update(body.as_bytes());
            hash.finish();
        }
        drop(CanonicalBytes::new(body.into()));
    }
    // Quadratic work would be four million million steps: hours.
    assert!(
        begun.elapsed() < std::time::Duration::from_secs(60),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn debug_shows_no_body() {
    let mut hash = BodyHash::new(Canonicalization::Relaxed);
    hash.update(b"secret");
    let proven = CanonicalBytes::new(Bytes::from_static(b"secret")).unwrap();
    let shown = format!("{hash:?} {proven:?}");
    assert_eq!(
        shown,
        "BodyHash { canonicalization: Relaxed, length: 6, .. } CanonicalBytes(6 octets)"
    );
}
