//! Reads `template.json`, `recipients.csv` and the two files that go with every mail.

use std::error::Error;
use std::path::Path;

use posthaste::template::Rendered;
use posthaste::{Attachment, ContentId, ContentType, Mailbox, Template};
use serde_json::{Value, json};

use crate::summary::Fate;

/// What every mail has in common.
pub(crate) struct Welcome {
    template: Template,
    pub(crate) logo: Attachment,
    pub(crate) first_steps: Attachment,
}

impl Welcome {
    pub(crate) fn load(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let template = Template::from_ses_json(&std::fs::read_to_string(folder.join("template.json"))?)?;
        let logo = Attachment::inline(
            ContentId::new("logo@posthaste.example")?,
            ContentType::parse("image/png")?,
            std::fs::read(folder.join("logo.png"))?,
        );
        let first_steps = Attachment::new(
            "First steps.pdf",
            ContentType::parse("application/pdf")?,
            std::fs::read(folder.join("first-steps.pdf"))?,
        )?;
        Ok(Self {
            template,
            logo,
            first_steps,
        })
    }

    pub(crate) fn render(&self, row: &Row) -> Result<Rendered, Fate> {
        self.template.render(&row.data()).map_err(|error| Fate::Bad {
            what: "missing variable",
            why: error.to_string(),
        })
    }
}

/// One row of `recipients.csv`.
pub(crate) struct Row {
    /// Where it begins in the file, counted from 1.
    pub(crate) line: u64,
    pub(crate) email: String,
    name: String,
    plan: String,
    projects: String,
    sender: String,
    /// What should become of it.
    pub(crate) expect: String,
}

/// Reads every row; a row that isn't even CSV is an error of the file, not of the row.
pub(crate) fn rows(path: &Path) -> Result<Vec<Row>, Box<dyn Error>> {
    let mut reader = csv::Reader::from_path(path)?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record?;
        let cell = |index| record.get(index).unwrap_or_default().to_owned();
        rows.push(Row {
            line: record.position().map_or(0, csv::Position::line),
            email: cell(0),
            name: cell(1),
            plan: cell(2),
            projects: cell(3),
            sender: cell(4),
            expect: cell(5),
        });
    }
    Ok(rows)
}

impl Row {
    /// The recipient, if name and address are ones that a mail can carry.
    pub(crate) fn mailbox(&self) -> Result<Mailbox, Fate> {
        let address = self.email.parse().map_err(|error| Fate::Bad {
            what: "invalid address",
            why: format!("{}: {error}", self.email),
        })?;
        Mailbox::with_name(self.name.as_str(), address).map_err(|error| Fate::Bad {
            what: "invalid name",
            why: error.to_string(),
        })
    }

    /// The `sender` cell, or who all other mails are from.
    pub(crate) fn sender(&self) -> Result<Mailbox, Fate> {
        let sender = if self.sender.is_empty() {
            "posthaste <team@posthaste.example>"
        } else {
            self.sender.as_str()
        };
        sender.parse().map_err(|error| Fate::Bad {
            what: "invalid sender",
            why: format!("{sender}: {error}"),
        })
    }

    /// The template's data. An empty `plan` cell is a variable that is missing.
    fn data(&self) -> Value {
        let projects: Vec<Value> = self
            .projects
            .split('|')
            .filter(|name| !name.is_empty())
            .map(|name| json!({"name": name, "slug": slug(name)}))
            .collect();
        let plan = (!self.plan.is_empty()).then(|| {
            let title = if self.plan == "pro" { "Professional" } else { "Free" };
            json!({"title": title, "pro": self.plan == "pro", "support": "help@posthaste.example"})
        });
        let mut data = json!({
            "name": self.name,
            "projects": projects,
            "links": {"app": "https://app.posthaste.example", "upgrade": "https://posthaste.example/upgrade"},
        });
        if let (Some(data), Some(plan)) = (data.as_object_mut(), plan) {
            data.insert("plan".to_owned(), plan);
        }
        data
    }
}

/// Letters and digits of a name, in lower case, with a dash for everything else.
fn slug(name: &str) -> String {
    name.to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join("-")
}
