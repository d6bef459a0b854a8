//! A file of rows to try it with.

use std::io::{self, BufWriter, Write};

use serde_json::json;
use tempfile::TempPath;

const NAMES: [&str; 5] = ["Ada", "Jürgen", "Zoë", "Dmitri", "Margaret"];

/// Writes `rows` rows as NDJSON. Of every 5000 one has a bad address, one lacks a variable, and one repeats another. The file goes when
/// its path is dropped.
pub(crate) fn write(rows: u64) -> io::Result<TempPath> {
    let file = tempfile::Builder::new().suffix(".ndjson").tempfile()?;
    let mut out = BufWriter::new(file);
    for (number, name) in (0..rows).zip(NAMES.into_iter().cycle()) {
        let orders: Vec<_> = (0..number % 7)
            .map(|order| json!({"title": format!("Tea & biscuits no. {order}"), "amount": format!("{order}.50")}))
            .collect();
        let email = match number % 5000 {
            1111 => format!("customer.{number}@@example.net"),
            2222 => format!("customer.{}@example.net", number - 1),
            _ => format!("customer.{number}@example.net"),
        };
        let mut row = json!({
            "email": email,
            "display_name": name,
            "name": name,
            "points": number,
            "gold": number % 3 == 0,
            "orders": orders,
        });
        if let (3333, Some(row)) = (number % 5000, row.as_object_mut()) {
            row.remove("points");
        }
        writeln!(out, "{row}")?;
    }
    Ok(out.into_inner()?.into_temp_path())
}
