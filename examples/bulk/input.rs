//! Rows of a file, as entries of a campaign.

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use posthaste::campaign::Entry;
use posthaste::{EmailAddress, Mailbox};
use serde_json::{Map, Value};

type Row = Result<Entry, Box<dyn Error + Send + Sync>>;

/// Counts the rows, for the progress bar.
pub(crate) fn count(file: &Path) -> Result<u64, Box<dyn Error>> {
    let mut rows = 0;
    for line in BufReader::new(File::open(file)?).split(b'\n') {
        rows += u64::from(!line?.trim_ascii().is_empty());
    }
    Ok(rows - u64::from(is_csv(file)).min(rows))
}

fn is_csv(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "csv")
}

/// Reads rows one by one. What is wrong with one is its own error.
pub(crate) fn entries(file: &Path) -> Result<Box<dyn Iterator<Item = Row> + Send>, Box<dyn Error>> {
    let reader = BufReader::new(File::open(file)?);
    if is_csv(file) {
        let rows = csv::Reader::from_reader(reader).into_deserialize::<Map<String, Value>>();
        return Ok(Box::new(rows.map(|row| entry(row?))));
    }
    let lines = reader
        .lines()
        .filter(|line| line.as_ref().map_or(true, |line| !line.trim().is_empty()));
    Ok(Box::new(lines.map(|line| entry(serde_json::from_str(&line?)?))))
}

fn entry(row: Map<String, Value>) -> Row {
    let email = row.get("email").and_then(Value::as_str).ok_or("no `email`")?;
    let address: EmailAddress = email.parse().map_err(|error| format!("{email}: {error}"))?;
    let mailbox = match row.get("display_name").and_then(Value::as_str) {
        Some(name) => Mailbox::with_name(name, address)?,
        None => Mailbox::new(address),
    };
    Ok(Entry::new(mailbox).data(Value::Object(row)))
}
