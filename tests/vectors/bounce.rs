//! Mail that came back: what it is, for whom, and whether the address may be used again.

use std::path::Path;

use posthaste_events::bounce::Permanence;
use posthaste_events::mail::Returned;
use serde_json::Value;

use crate::harness::{Input, Report, Set};

/// Deviations accepted on purpose.
pub const DEVIATIONS: &[(&str, &str, &str)] = &[(
    "bounce/sisimai",
    "hard or soft differs from the label, in at most 3 of 100 cases",
    "the labels are what another program makes of words; where ours reads the same words otherwise, neither is sure",
)];

/// Most labels of a hundred that may differ.
const MOST_OF_100: usize = 3;

/// The sets of this area.
pub fn sets() -> Vec<Set> {
    vec![
        Set {
            name: "bounce/bounce_email",
            run: bounce_email,
        },
        Set {
            name: "bounce/not-bounces",
            run: not_bounces,
        },
        Set {
            name: "bounce/sisimai",
            run: sisimai,
        },
    ]
}

fn read(path: &Path) -> Result<Returned, String> {
    let mail = std::fs::read(path).map_err(|error| error.to_string())?;
    Returned::read(mail).map_err(|error| error.to_string())
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Checks that a mail is a bounce or late, and no reply.
fn is_bounce(path: &Path) -> Result<(), String> {
    match read(path)? {
        Returned::Delivery(_) => Ok(()),
        other => Err(format!("taken for {other:?}")),
    }
}

fn is_no_bounce(path: &Path) -> Result<(), String> {
    match read(path)? {
        Returned::AutoReply(_) | Returned::Other => Ok(()),
        other => Err(format!("taken for {other:?}")),
    }
}

fn bounce_email(input: &Input, report: &mut Report) {
    for path in input.files("bounce/bounce_email/bounces", &[".txt"]) {
        report.check(&name(&path), is_bounce(&path));
    }
    for path in input.files("bounce/bounce_email/non_bounces", &[".txt"]) {
        report.check(&name(&path), is_no_bounce(&path));
    }
}

fn not_bounces(input: &Input, report: &mut Report) {
    for path in input.files("bounce/not-bounces", &[".eml"]) {
        report.check(&name(&path), is_no_bounce(&path));
    }
}

fn sisimai(input: &Input, report: &mut Report) {
    let labels = input.json("bounce/sisimai/expected.json");
    let mut differ = Vec::new();
    for path in input.files("bounce/sisimai", &[".eml"]) {
        let name = name(&path);
        let labelled: &[Value] = labels[&name].as_array().map_or(&[], Vec::as_slice);
        match judge(&path, labelled) {
            Ok(None) => report.pass(&name),
            Ok(Some(difference)) => differ.push((name, difference)),
            Err(why) => report.fail(&name, why),
        }
    }
    let cases = report.passed + report.failed.len() + differ.len();
    let allowed = differ.len() * 100 <= cases * MOST_OF_100;
    for (name, difference) in differ {
        if allowed {
            report.unsupported(&name, format!("deviation: {difference}"));
        } else {
            report.fail(&name, difference);
        }
    }
}

/// Compares what a mail is taken for with its labels. `Ok(Some)` is another opinion on hard or soft.
fn judge(path: &Path, labelled: &[Value]) -> Result<Option<String>, String> {
    let reason = |label: &Value| label["reason"].as_str().unwrap_or_default().to_owned();
    let returned = read(path)?;
    let first = labelled.first().map(reason);
    match (first.as_deref(), &returned) {
        (Some("feedback"), Returned::Complaint(complaint)) => {
            let kind = labelled[0]["feedback_type"].as_str().unwrap_or_default();
            return match complaint.kind() == kind {
                true => Ok(None),
                false => Err(format!("a complaint of {}, expected {kind}", complaint.kind())),
            };
        }
        (Some("vacation"), Returned::AutoReply(_)) => return Ok(None),
        (None, Returned::Other) => return Err("taken for no bounce".into()),
        (None, _) => return Ok(None),
        _ => {}
    }
    let Returned::Delivery(delivery) = returned else {
        let taken = format!("{returned:?}");
        return Err(format!(
            "taken for {}, expected {first:?}",
            taken.chars().take(60).collect::<String>()
        ));
    };
    let mut expected: Vec<bool> = labelled.iter().map(|label| label["hard_bounce"] == true).collect();
    let mut found: Vec<bool> = delivery
        .recipients()
        .iter()
        .map(|recipient| recipient.permanence() == Some(Permanence::Hard))
        .collect();
    expected.sort_unstable();
    found.sort_unstable();
    if expected.len() != found.len() {
        // Which recipients are named twice is no matter of hard or soft.
        expected.dedup();
        found.dedup();
    }
    if expected == found {
        return Ok(None);
    }
    Ok(Some("hard or soft differs from the label".into()))
}
