//! How a set of vectors is described and how its cases report.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

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
        serde_json::from_str(&replace_lone_surrogates(&text)).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    /// Lists the files directly below `relative` whose names end with one of `endings`, sorted.
    pub fn files(&self, relative: &str, endings: &[&str]) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.path(relative)) else {
            return Vec::new();
        };
        let mut found: Vec<PathBuf> = entries
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .filter(|path| path.is_file())
            .filter(|path| {
                let name = path
                    .file_name()
                    .map(|n| n.to_string_lossy().into_owned())
                    .unwrap_or_default();
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

/// Reads `2026-05-01T12:00:00Z`.
pub fn time(text: &str) -> Option<SystemTime> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    // Days since 1970 by counting from March, so that leap days come last in their year.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(((days * 24 + hour) * 60 + minute) * 60 + second))
}

/// Replaces `\uD800`-like escapes without their partner by `\uFFFD`: JSON can write what no Rust string can hold.
fn replace_lone_surrogates(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let length = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => 0,
            (Some(_), _) => 6,
            (None, _) => 2,
        };
        match escape.split_at_checked(length) {
            Some((_, after)) if length == 0 => {
                out.push_str("\\ufffd");
                rest = after.get(6..).unwrap_or_default();
            }
            Some((kept, after)) => {
                out.push_str(kept);
                rest = after;
            }
            None => {
                out.push_str(escape);
                rest = "";
            }
        }
    }
    out + rest
}

/// The UTF-16 unit of a `\uXXXX` escape at the start of `text`.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}
