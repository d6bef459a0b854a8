//! `Serialize` for diagnoses. Keys and words are stable.

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{Advice, Diagnosis, Finding, Severity};

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum AdviceView {
    Publish {
        name: String,
        r#type: &'static str,
        ttl: u64,
        value: String,
        zone_line: String,
    },
    Text(String),
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let advice = self.advice().map(|advice| match advice {
            Advice::Publish(record) => AdviceView::Publish {
                name: record.name().to_owned(),
                r#type: record.kind().as_str(),
                ttl: record.ttl().as_secs(),
                value: crate::finding::shown(&record.value()),
                zone_line: advice.to_string(),
            },
            Advice::Text(text) => AdviceView::Text(text.clone()),
        });
        #[derive(Serialize)]
        struct SourceView {
            name: String,
            url: Option<String>,
        }
        let sources: Vec<SourceView> = self
            .sources()
            .iter()
            .map(|source| SourceView {
                name: source.to_string(),
                url: source.url(),
            })
            .collect();
        let mut map = serializer.serialize_struct("Finding", 7)?;
        map.serialize_field("code", self.code().as_str())?;
        map.serialize_field("severity", self.severity().as_str())?;
        map.serialize_field("subject", self.subject())?;
        map.serialize_field("what", self.what())?;
        map.serialize_field("why", self.why())?;
        map.serialize_field("advice", &advice)?;
        map.serialize_field("sources", &sources)?;
        map.end()
    }
}

impl Serialize for Diagnosis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_struct("Diagnosis", 5)?;
        map.serialize_field("subject", self.subject())?;
        map.serialize_field("worst", self.worst().as_str())?;
        map.serialize_field("errors", &self.count(Severity::Error))?;
        map.serialize_field("warnings", &self.count(Severity::Warning))?;
        map.serialize_field("findings", self.findings())?;
        map.end()
    }
}
