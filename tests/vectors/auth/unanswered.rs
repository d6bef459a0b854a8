//! What this area does not answer yet, case by case.

use crate::harness::{Input, Report, Set};

pub fn sets() -> [Set; 3] {
    [
        Set {
            name: "reports/arf",
            run: |input, report| reports(input, report, "reports/arf"),
        },
        Set {
            name: "reports/dmarc-feedback",
            run: |input, report| reports(input, report, "reports/dmarc-feedback"),
        },
        Set {
            name: "reports/tlsrpt",
            run: |input, report| reports(input, report, "reports/tlsrpt"),
        },
    ]
}

/// A report and what is in it are one case: `001.eml` or `001.xml`, and `001.json`.
fn reports(input: &Input, report: &mut Report, folder: &str) {
    let mut ids: Vec<String> = input
        .files(folder, &[".eml", ".xml", ".json"])
        .iter()
        .map(|path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned())
        .collect();
    ids.dedup();
    for id in ids {
        report.unsupported(id, "reports are not read yet");
    }
}
