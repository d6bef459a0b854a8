//! Subject, text and HTML together.

use posthaste_template::{Escape, Mode, Part, RenderError, SesJsonError, Template};
use serde_json::json;

#[test]
fn each_part_escapes_in_its_own_way() {
    let builder = || {
        Template::builder()
            .subject("{{x}}")
            .text("{{x}}")
            .html("{{x}} {{> p}}")
            .partial("p", "{{x}}")
    };
    let data = json!({"x": "Tom & Jerry"});
    let rendered = builder().build().unwrap().render(&data).unwrap();
    assert_eq!(rendered.subject, "Tom & Jerry");
    assert_eq!(rendered.text.as_deref(), Some("Tom & Jerry"));
    assert_eq!(rendered.html.as_deref(), Some("Tom &amp; Jerry Tom &amp; Jerry"));
    let rendered = builder().escape(Escape::Never).build().unwrap().render(&data).unwrap();
    assert_eq!(rendered.html.as_deref(), Some("Tom & Jerry Tom & Jerry"));
    assert!(!format!("{rendered:?}").contains("Jerry"));
}

#[test]
fn subjects_stay_on_one_line() {
    let template = Template::builder()
        .subject("Hello {{x}}\nthere")
        .text("{{x}}")
        .build()
        .unwrap();
    let rendered = template
        .render(&json!({"x": "a\r\nBcc: v@evil.example\0\u{2028}b\u{85}"}))
        .unwrap();
    assert_eq!(rendered.subject, "Hello a Bcc: v@evil.example b there");
    assert_eq!(
        rendered.text.as_deref(),
        Some("a\r\nBcc: v@evil.example\0\u{2028}b\u{85}")
    );
}

#[test]
fn ses_placeholders_stay() {
    let source = "{{x}} {{ses:openTracker}} {{ amazonSESUnsubscribeUrl }} {{{amazonSESUnsubscribeUrl}}}";
    let template = Template::builder().subject("").html(source).build().unwrap();
    let data = json!({"x": 1, "amazonSESUnsubscribeUrl": "no"});
    let expected = "1 {{ses:openTracker}} {{amazonSESUnsubscribeUrl}} {{amazonSESUnsubscribeUrl}}";
    assert_eq!(template.render(&data).unwrap().html.as_deref(), Some(expected));
    assert_eq!(
        template.with_mode(Mode::Ses).render(&data).unwrap().html.as_deref(),
        Some(expected)
    );
}

#[test]
fn inline_partials_do_not_cross_parts() {
    let template = Template::builder()
        .subject("s")
        .text("{{#*inline \"p\"}}x{{/inline}}{{> p}}")
        .html("{{> p}}");
    let error = template.build().unwrap().render(&json!({})).unwrap_err();
    assert!(matches!(error, RenderError::PartialNotFound { .. }));
    assert_eq!(error.part(), Some(Part::Html));
}

#[test]
fn all_parts_are_searched_for_missing_variables() {
    let json = r#"{"Template": {"TemplateName": "t", "SubjectPart": "{{a}}", "TextPart": "{{b}}", "HtmlPart": "{{a}}\n{{c}}"}}"#;
    let template = Template::from_ses_json(json).unwrap();
    let error = template.render(&json!({"b": 1})).unwrap_err();
    let found: Vec<_> = error
        .missing()
        .iter()
        .map(|m| (m.name.as_str(), m.location.part, m.location.line))
        .collect();
    assert_eq!(
        found,
        [("a", Part::Subject, 1), ("a", Part::Html, 1), ("c", Part::Html, 2)]
    );
    let error = template.with_mode(Mode::Ses).render(&json!({"b": 1})).unwrap_err();
    assert_eq!(error.to_string(), "Attribute 'a' is not present in the rendering data.");
}

#[test]
fn syntax_errors_in_json_are_told_with_part_and_place() {
    let json = r#"{"TemplateContent": {"Subject": "s", "Html": "a\n{{#if x}}"}}"#;
    let error = Template::from_ses_json(json).unwrap_err();
    let SesJsonError::Compile(compile) = error else {
        panic!("{error}")
    };
    assert_eq!(
        compile.to_string(),
        "html, line 2, column 1: block `if` is never closed"
    );
}

#[test]
fn templates_can_be_shared_between_threads() {
    let template = Template::builder().subject("{{x}}").text("{{x}}").build().unwrap();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|x| {
                let template = &template;
                scope.spawn(move || template.render(&json!({"x": x})).unwrap().subject)
            })
            .collect();
        let subjects: Vec<String> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert_eq!(subjects, ["0", "1", "2", "3"]);
    });
}
