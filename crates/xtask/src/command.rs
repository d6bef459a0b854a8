//! One command: printed, run without a shell and without input, its exit status looked at.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};

/// A program and its arguments.
#[derive(Debug)]
pub(crate) struct Command {
    program: String,
    arguments: Vec<String>,
    folder: Option<PathBuf>,
    environment: Vec<(String, String)>,
}

impl Command {
    pub(crate) fn new<A: Into<String>>(program: impl Into<String>, arguments: impl IntoIterator<Item = A>) -> Self {
        Self {
            program: program.into(),
            arguments: arguments.into_iter().map(Into::into).collect(),
            folder: None,
            environment: Vec::new(),
        }
    }

    pub(crate) fn in_folder(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_path_buf());
        self
    }

    pub(crate) fn env(mut self, variable: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.push((variable.into(), value.into()));
        self
    }

    /// Prints and runs it with its output shown; returns whether it succeeded.
    pub(crate) fn run(self) -> bool {
        self.print();
        match self.process().status() {
            Ok(status) => status.success(),
            Err(error) => self.not_started(&error),
        }
    }

    /// Prints and runs it, showing each line of its output and handing it to `read`; returns whether it succeeded.
    pub(crate) fn run_and_read(self, mut read: impl FnMut(&str)) -> bool {
        self.print();
        let mut child = match self.process().stdout(Stdio::piped()).spawn() {
            Ok(child) => child,
            Err(error) => return self.not_started(&error),
        };
        if let Some(output) = child.stdout.take() {
            let mut lines = BufReader::new(output);
            let mut line = Vec::new();
            while matches!(lines.read_until(b'\n', &mut line), Ok(1..)) {
                let text = String::from_utf8_lossy(&line);
                print!("{text}");
                read(text.trim_end());
                line.clear();
            }
        }
        child.wait().is_ok_and(|status| status.success())
    }

    /// Runs it without a word; returns what it wrote if it succeeded.
    pub(crate) fn answer(self) -> Option<String> {
        let output = self.process().stderr(Stdio::null()).output().ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn process(&self) -> Process {
        let mut process = Process::new(&self.program);
        process
            .args(&self.arguments)
            .stdin(Stdio::null())
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = &self.folder {
            process.current_dir(folder);
        }
        process
    }

    fn print(&self) {
        let mut words: Vec<String> = self
            .environment
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        words.push(self.program.clone());
        words.extend(self.arguments.iter().cloned());
        println!("$ {}", words.join(" "));
    }

    fn not_started(&self, error: &std::io::Error) -> bool {
        println!("{} cannot be started: {error}", self.program);
        false
    }
}
