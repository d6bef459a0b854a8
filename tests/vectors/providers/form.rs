//! Forms, read back.

use posthaste_providers::HttpRequest;

/// A form: its fields and files in order.
#[derive(Debug, Default)]
pub struct Form {
    /// Names and texts.
    pub fields: Vec<(String, String)>,
    /// Name, file name, type and bytes.
    pub files: Vec<(String, String, String, Vec<u8>)>,
}

/// Reads the form in a request, if it holds one.
pub fn read(request: &HttpRequest) -> Option<Form> {
    let content_type = request.header("Content-Type")?;
    let body = request.body().to_bytes().ok()?;
    if content_type.starts_with("application/x-www-form-urlencoded") {
        let fields = url::form_urlencoded::parse(&body)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        return Some(Form {
            fields,
            files: Vec::new(),
        });
    }
    let boundary = content_type.strip_prefix("multipart/form-data; boundary=")?;
    let mut form = Form::default();
    let mut rest: &[u8] = &body;
    let delimiter = format!("--{boundary}");
    while let Some(at) = find(rest, delimiter.as_bytes()) {
        let part = &rest[at + delimiter.len()..];
        if part.starts_with(b"--") {
            return Some(form);
        }
        let end = find(part, format!("\r\n{delimiter}").as_bytes())?;
        let (head, content) = {
            let part = &part[2..end];
            let at = find(part, b"\r\n\r\n")?;
            (String::from_utf8_lossy(&part[..at]).into_owned(), &part[at + 4..])
        };
        let name = quoted(&head, " name=\"")?;
        match quoted(&head, "filename=\"") {
            Some(file_name) => {
                let content_type = head.split_once("Content-Type: ")?.1.to_owned();
                form.files.push((name, file_name, content_type, content.to_vec()));
            }
            None => form.fields.push((name, String::from_utf8_lossy(content).into_owned())),
        }
        rest = &part[end..];
    }
    None
}

fn quoted(head: &str, before: &str) -> Option<String> {
    Some(head.split_once(before)?.1.split_once('"')?.0.to_owned())
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}
