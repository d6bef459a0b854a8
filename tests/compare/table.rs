//! Markdown: how many, and which.

use crate::case::{Answer, Case};

type Answers<'a> = &'a [Option<Answer>];

pub fn print(cases: &[Case], ours: Answers<'_>, mail_auth: Answers<'_>, python: Option<Answers<'_>>) {
    if python.is_none() {
        println!("pyspf, dkimpy and authheaders are left out: `cargo xtask compare` finds or installs them.\n");
    }
    let mut columns: Vec<(&str, Answers<'_>)> = vec![("posthaste-auth", ours), ("mail-auth", mail_auth)];
    columns.extend(python.map(|python| ("pyspf, dkimpy, authheaders", python)));
    let heads: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    println!("| set | cases | {} |", heads.join(" | "));
    println!("| --- | ---: |{}", " ---: |".repeat(heads.len()));
    for set in sets(cases) {
        let indices: Vec<usize> = (0..cases.len()).filter(|&index| cases[index].set == set).collect();
        let counts: Vec<String> = columns
            .iter()
            .map(|(_, answers)| count(cases, &indices, answers))
            .collect();
        println!("| `{set}` | {} | {} |", indices.len(), counts.join(" | "));
    }
    for set in sets(cases) {
        println!("\n## {set}\n\n| case | expected | {} |", heads.join(" | "));
        println!("| --- | --- |{}", " --- |".repeat(heads.len()));
        let mut same = 0;
        for (index, case) in cases.iter().enumerate().filter(|(_, case)| case.set == set) {
            let all_right = columns
                .iter()
                .all(|(_, answers)| answers[index].as_ref().is_none_or(|answer| case.accepts(answer)));
            if all_right {
                same += 1;
                continue;
            }
            let cells: Vec<String> = columns
                .iter()
                .map(|(_, answers)| cell(case, answers[index].as_ref()))
                .collect();
            println!("| {} | {} | {} |", case.id, expected(case), cells.join(" | "));
        }
        println!("\nIn the other {same} cases every answer is one that the vectors accept.");
    }
}

/// The sets, in the order of their first cases.
fn sets(cases: &[Case]) -> Vec<&'static str> {
    let mut sets: Vec<&str> = cases.iter().map(|case| case.set).collect();
    sets.dedup();
    sets
}

fn count(cases: &[Case], indices: &[usize], answers: Answers<'_>) -> String {
    let answered: Vec<bool> = indices
        .iter()
        .filter_map(|&index| Some(cases[index].accepts(answers[index].as_ref()?)))
        .collect();
    if answered.is_empty() {
        return "—".to_owned();
    }
    let right = answered.iter().filter(|&&is_right| is_right).count();
    format!("{right} of {}", answered.len())
}

fn cell(case: &Case, answer: Option<&Answer>) -> String {
    let Some(answer) = answer else {
        return "—".to_owned();
    };
    let mut text = answer.words.join(", ");
    if text.is_empty() {
        "none".clone_into(&mut text);
    }
    if case.expected.disposition.is_some() {
        text += &answer
            .disposition
            .as_ref()
            .map_or_else(String::new, |word| format!(", {word}"));
    }
    if case.expected.explanation.is_some() {
        text += &answer
            .explanation
            .as_ref()
            .map_or_else(String::new, |words| format!(" “{}”", printable(words)));
    }
    if case.accepts(answer) {
        text
    } else {
        format!("**{text}**")
    }
}

fn expected(case: &Case) -> String {
    let words: Vec<String> = case.expected.words.iter().map(|allowed| allowed.join(" or ")).collect();
    let mut text = words.join(", ");
    if let Some(disposition) = &case.expected.disposition {
        text += &format!(", {disposition}");
    }
    if let Some(Some(explanation)) = &case.expected.explanation {
        text += &format!(" “{}”", printable(explanation));
    }
    text
}

fn printable(text: &str) -> String {
    text.replace('|', "\\|").replace(['\r', '\n'], " ")
}
