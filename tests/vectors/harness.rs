//! How a set of vectors is described and how its cases report.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// One set: a file or a folder of cases in one format, and the code that answers them.
pub struct Set {
    /// Path of the set inside the vectors folder, without extension: `mime/filenames`.
    pub name: &'static str,
    /// Runs every case of the set.
    pub run: fn(&Input, &mut Report),
}

/// The vectors folder, as one set sees it.
pub struct Input {
    root: PathBuf,
}

impl Input {
    /// Reads vectors from below `root`.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Full path of `relative`.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Reads and parses a JSON file.
    ///
    /// # Panics
    ///
    /// When the file cannot be read or is not JSON: a vectors folder with a broken file must be noticed. The runner
    /// catches it and counts the set as failed.
    pub fn json(&self, relative: &str) -> Value {
        let path = self.path(relative);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    /// Lists the files directly below `relative` whose names end with one of `endings`, sorted.
    pub fn files(&self, relative: &str, endings: &[&str]) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.path(relative)) else { return Vec::new() };
        let mut found: Vec<PathBuf> = entries
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .filter(|path| path.is_file())
            .filter(|path| {
                let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
                endings.iter().any(|ending| name.ends_with(ending))
            })
            .collect();
        found.sort();
        found
    }
}

/// What became of the cases of one set.
#[derive(Default)]
pub struct Report {
    /// Cases that gave the expected answer.
    pub passed: usize,
    /// Ids of the cases that did not, with what went wrong.
    pub failed: Vec<(String, String)>,
    /// Ids of the cases that this build does not answer, with the reason.
    pub unsupported: Vec<(String, String)>,
}

impl Report {
    /// Counts `id` as passed.
    pub fn pass(&mut self, _id: &str) {
        self.passed += 1;
    }

    /// Counts `id` as failed, because of `why`.
    pub fn fail(&mut self, id: impl Into<String>, why: impl Into<String>) {
        self.failed.push((id.into(), why.into()));
    }

    /// Counts `id` as one that this build does not answer, because of `why`.
    pub fn unsupported(&mut self, id: impl Into<String>, why: impl Into<String>) {
        self.unsupported.push((id.into(), why.into()));
    }

    /// Counts `id` by `outcome`.
    pub fn check(&mut self, id: &str, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => self.pass(id),
            Err(why) => self.fail(id, why),
        }
    }
}
