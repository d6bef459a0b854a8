use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(html: &str, expected: &str) {
    assert_eq!(text_from_html(html), expected);
}

#[test]
fn running_text_is_collapsed_and_wrapped() {
    check("", "");
    check(" \n a  <b>b</b>c\t\r\n d ", "a bc d\n");
    check("10&nbsp;km&#8203;&shy;", "10 km\n");
    let text = text_from_html(&"word ".repeat(40));
    assert!(text.lines().all(|line| line.len() <= 72), "{text}");
    assert_eq!(text.lines().count(), 3);
    let long = format!("https://example.org/{}", "x".repeat(200));
    check(&format!("see {long} now"), &format!("see\n{long}\nnow\n"));
}

#[test]
fn blocks_stand_on_their_own() {
    check("<p>a<p>b</p><div>c</div>d<br>e<br><br>f", "a\n\nb\n\nc\nd\ne\n\nf\n");
    check("a<br><br><br><br><br><br>b", "a\n\n\nb\n");
    check("a<hr><hr>b", &format!("a\n\n{}\n\nb\n", "-".repeat(24)));
    check("<h1>Ü b</h1>c<h2>d</h2><h3>e</h3>", "Ü b\n===\n\nc\n\nd\n-\n\ne\n");
    check("<h1></h1>a", "a\n");
    check("<pre>\n a\n\n  b\t\n</pre>c", " a\n\n  b\n\nc\n");
    check("a<pre>b  c<br>d</pre>", "a\n\nb  c\nd\n");
}

#[test]
fn quotations_and_lists_nest() {
    check(
        "a<blockquote><p>b<p>c<blockquote>d</blockquote></blockquote>e",
        "a\n\n> b\n>\n> c\n>\n> > d\n\ne\n",
    );
    check(
        "<ul><li>a<li><p>b</p><p>c</p></li><li>d<ol start=9><li>e<li>f</ol></ul>g",
        "* a\n* b\n\n  c\n\n* d\n  9. e\n  10. f\n\ng\n",
    );
    let item = text_from_html(&format!("<ol><li>{}</ol>", "word ".repeat(20)));
    assert!(item.starts_with("1. word") && item.contains("\n   word"), "{item}");
    check("<li>a</ul><li></li><li>b", "* a\n* b\n");
    check(
        "<ol start=9223372036854775807><li>a<li>b</ol>",
        "9223372036854775807. a\n9223372036854775807. b\n",
    );
}

#[test]
fn links_show_where_they_lead() {
    check(
        "<a href='https://a.example/?b&amp;c'>x</a>, y",
        "x <https://a.example/?b&c>, y\n",
    );
    check(
        "<a href=https://a.example/>https://a.example/</a>",
        "https://a.example/\n",
    );
    check("<a href=mailto:a@b.example>a@b.example</a>", "a@b.example\n");
    check(
        "<a href=#top>x</a> <a href='javascript:x()'>y</a> <a href=''>z</a>",
        "x y z\n",
    );
    check(
        "<a href='https://a.example/<b> c'><img src=x alt='The  logo'></a>",
        "The logo <https://a.example/%3Cb%3E%20c>\n",
    );
    check(
        "<a href=http://a.example>x<a href=http://b.example>y",
        "x <http://a.example>y <http://b.example>\n",
    );
}

#[test]
fn cells_stand_side_by_side() {
    check(
        "<table><tr><th>a<th>b<tr><td>c</td><td></td><td>d</td></tr></table>e",
        "a | b\nc | d\n\ne\n",
    );
    check(
        "<table><tr><td><table><tr><td>a</table><td><p>b</p></table>",
        "a\n\nb\n",
    );
}

#[test]
fn what_is_hidden_is_left_out() {
    check(
        "<head><title>t</title><style>p{}</style></head><body><script>x</script>a<!-- b -->",
        "a\n",
    );
    check(
        "<div style='DISPLAY : none !important; color:red'>pre<div>header</div></div>a",
        "a\n",
    );
    check(
        "<span style='max-height:0px;overflow:hidden'>p&zwnj;&nbsp;</span>a&zwnj;&nbsp;&#847;&zwnj; &nbsp;",
        "a\n",
    );
    check("<td style='font-size:0;max-height:0'>a</td>", "a\n");
    check("<div><span hidden>x</div>a", "a\n");
    check("<p hidden>x<div>a</div>", "a\n");
    check("<tr><td hidden>x<td>a", "a\n");
    check(
        "<svg><text>x</text></svg><img hidden alt=x>a<select><option>x</select>",
        "a\n",
    );
}

#[test]
fn joiners_inside_words_stay() {
    check("&zwj;👩&zwj;💻&zwj;", "👩\u{200d}💻\n");
}

#[test]
fn hostile_input_is_quick_and_bounded() {
    let inputs = [
        "<".repeat(1_000_000),
        "<a ".repeat(60_000),
        "<a href=\"".repeat(25_000),
        "<!--".repeat(62_500),
        "</".repeat(125_000),
        "<script>".repeat(25_000),
        "<script></scrip".repeat(60_000),
        "&".repeat(250_000),
        "&#".repeat(125_000),
        "<div>".repeat(100_000),
        "<ul><li>x".repeat(25_000),
        "<blockquote>x".repeat(25_000),
        "<ol><li><p>x<h1>y</h1>".repeat(40_000),
        "<div hidden>".repeat(80_000),
        "<table><tr><td>x".repeat(60_000),
        "<h1>x".repeat(50_000),
        "<hr>x".repeat(50_000),
        "<pre>\n".repeat(37_500),
        "x".repeat(250_000),
        "<a href=https://a.example/>".repeat(30_000),
        format!("<p {}>", "a=b ".repeat(62_500)),
        format!("<ul>{}", "</ul></blockquote></pre>".repeat(40_000)),
    ];
    for html in inputs {
        let start = Instant::now();
        let text = text_from_html(&html);
        let start_of_it: String = html.chars().take(20).collect();
        assert!(text.len() <= 32 * html.len() + 64, "{start_of_it}");
        // Some hundred times what it takes.
        assert!(start.elapsed() < Duration::from_secs(20), "{start_of_it}");
    }
}

proptest! {
    #[test]
    fn any_text_is_taken(html in any::<String>()) {
        let text = text_from_html(&html);
        prop_assert!(text.len() <= 32 * html.len() + 64);
    }

    #[test]
    fn any_soup_is_taken(html in prop::collection::vec(
        prop_oneof![
            Just("<"), Just(">"), Just("/"), Just("\""), Just("="), Just("&"), Just(";"), Just(" "), Just("\n"), Just("x"), Just("é"),
            Just("<ul>"), Just("<ol>"), Just("<li>"), Just("</ul>"), Just("<pre>"), Just("</pre>"), Just("<blockquote>"),
            Just("</blockquote>"), Just("<table>"), Just("<tr>"), Just("<td>"), Just("<a href='http://x.example'>"), Just("</a>"),
            Just("<h1>"), Just("</h1>"), Just("<br>"), Just("<hr>"), Just("<p hidden>"), Just("<div hidden>"), Just("</div>"),
            Just("<!--"), Just("-->"), Just("&lt;"), Just("&#10;"), Just("&#0;"), Just("<script>"), Just("</script>"),
        ],
        0..60,
    )) {
        let html = html.concat();
        let text = text_from_html(&html);
        prop_assert!(text.len() <= 32 * html.len() + 64);
        prop_assert!(!text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')), "{:?}", text);
        prop_assert!(text.is_empty() || text.ends_with('\n'));
        prop_assert!(!text.starts_with('\n'));
    }

    #[test]
    fn the_words_of_plain_text_come_through(words in prop::collection::vec("[a-z0-9äöü]{1,14}", 0..80)) {
        let text = text_from_html(&words.join(" "));
        prop_assert_eq!(text.split_whitespace().collect::<Vec<_>>(), words);
        prop_assert!(text.lines().all(|line| line.chars().count() <= 72));
    }
}
