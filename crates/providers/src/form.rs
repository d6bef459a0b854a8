//! Forms: `application/x-www-form-urlencoded` and `multipart/form-data` (RFC 7578).

use bytes::Bytes;
use posthaste_mime::Rope;

use crate::{HttpRequest, Method};

/// A form under construction. It is written urlencoded if it holds no file, else as parts; files are shared or streamed,
/// never copied.
#[derive(Clone, Debug, Default)]
pub struct Form {
    fields: Vec<(String, Field)>,
}

#[derive(Clone, Debug)]
enum Field {
    Text(String),
    File {
        name: String,
        content_type: String,
        content: Rope,
    },
}

impl Form {
    /// Makes an empty form.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field; a name may stand several times.
    #[must_use]
    pub fn text(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.fields.push((name.into(), Field::Text(value.into())));
        self
    }

    /// Adds a file.
    #[must_use]
    pub fn file(
        mut self,
        name: impl Into<String>,
        file_name: impl Into<String>,
        content_type: impl Into<String>,
        content: Rope,
    ) -> Self {
        let file = Field::File {
            name: file_name.into(),
            content_type: content_type.into(),
            content,
        };
        self.fields.push((name.into(), file));
        self
    }

    /// Goes through the fields that are text, in order.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().filter_map(|(name, field)| match field {
            Field::Text(value) => Some((name.as_str(), value.as_str())),
            Field::File { .. } => None,
        })
    }

    /// Makes a `POST` of it. `boundary_id` keeps the parts apart: letters and digits that nobody can have guessed who
    /// wrote what is in the form, such as [`Submission::boundary`](crate::Submission::boundary).
    #[must_use]
    pub fn post(&self, url: impl Into<String>, boundary_id: &str) -> HttpRequest {
        let request = HttpRequest::new(Method::Post, url).with_header("Accept", "application/json");
        let has_files = self.fields.iter().any(|(_, field)| matches!(field, Field::File { .. }));
        if !has_files {
            let mut body = url::form_urlencoded::Serializer::new(String::new());
            body.extend_pairs(self.texts());
            return request
                .with_header("Content-Type", "application/x-www-form-urlencoded")
                .with_body(Rope::from(body.finish().into_bytes()));
        }
        let id: String = boundary_id
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(48)
            .collect();
        let boundary = format!("posthaste-{id}-form");
        let mut body = Rope::new();
        for (name, field) in &self.fields {
            let mut head = format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"",
                quoted(name)
            );
            match field {
                Field::Text(value) => {
                    head.push_str("\r\n\r\n");
                    head.push_str(value);
                    body.push(Bytes::from(head));
                }
                Field::File {
                    name,
                    content_type,
                    content,
                } => {
                    head.push_str(&format!(
                        "; filename=\"{}\"\r\nContent-Type: {content_type}\r\n\r\n",
                        quoted(name)
                    ));
                    body.push(Bytes::from(head));
                    body.append(content);
                }
            }
            body.push(Bytes::from_static(b"\r\n"));
        }
        body.push(Bytes::from(format!("--{boundary}--\r\n")));
        request
            .with_header("Content-Type", format!("multipart/form-data; boundary={boundary}"))
            .with_body(body)
    }
}

/// Quotes a name as browsers do (WHATWG HTML §4.10.21.8): nothing can end the parameter or the line.
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(request: &HttpRequest) -> String {
        String::from_utf8(request.body().to_bytes().unwrap().to_vec()).unwrap()
    }

    #[test]
    fn without_files_it_is_urlencoded() {
        let request = Form::new()
            .text("to", "a b@example.net")
            .text("to", "\u{e4}&=")
            .post("https://x/", "id");
        assert_eq!(body(&request), "to=a+b%40example.net&to=%C3%A4%26%3D");
    }

    #[test]
    fn with_files_it_is_parts_that_no_name_breaks_out_of() {
        let request = Form::new()
            .text("a\"\r\nb", "1")
            .file("attachment", "x\"y.txt", "text/plain", Rope::from(b"data".to_vec()))
            .post("https://x/", "i.d");
        assert_eq!(
            request.header("content-type"),
            Some("multipart/form-data; boundary=posthaste-id-form")
        );
        assert_eq!(
            body(&request),
            "--posthaste-id-form\r\nContent-Disposition: form-data; name=\"a%22%0D%0Ab\"\r\n\r\n1\r\n\
             --posthaste-id-form\r\nContent-Disposition: form-data; name=\"attachment\"; filename=\"x%22y.txt\"\r\n\
             Content-Type: text/plain\r\n\r\ndata\r\n--posthaste-id-form--\r\n"
        );
    }
}
