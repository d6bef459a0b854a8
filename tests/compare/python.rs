//! pyspf, dkimpy and authheaders, behind one script.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::case::{Answer, Case};

/// Their answers, in the order of the cases; nothing where `cargo xtask compare` has not found them.
pub fn answers(cases: &[Case]) -> Option<Vec<Option<Answer>>> {
    let python = std::env::var_os("POSTHASTE_COMPARE_PYTHON")?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compare/peers.py");
    let mut child = Command::new(python)
        .arg(script)
        .env("PYTHONUTF8", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let questions: Value = cases.iter().map(Case::json).collect();
    let mut input = child.stdin.take().expect("its input");
    // It reads all before it writes.
    input.write_all(questions.to_string().as_bytes()).expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "peers.py: {}", output.status);
    let answers: Vec<Value> = serde_json::from_slice(&output.stdout).expect("a list of answers");
    assert_eq!(answers.len(), cases.len());
    Some(answers.iter().map(answer).collect())
}

fn answer(value: &Value) -> Option<Answer> {
    let words = value["words"].as_array()?;
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    Some(Answer {
        words: words.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        explanation: text("explanation"),
        disposition: text("disposition"),
    })
}
