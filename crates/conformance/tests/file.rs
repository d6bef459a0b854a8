//! The suite on the file transport. A folder is a patient peer: it can only be told to accept.

#![allow(clippy::unwrap_used, reason = "a test says plainly what it expects")]

use std::fs;
use std::process::ExitCode;
use std::sync::Arc;

use posthaste_conformance::{Answer, Received, Subject};
use posthaste_transport::{FileTransport, Transport};
use tempfile::TempDir;

struct Folder {
    folder: TempDir,
    transport: Arc<FileTransport>,
}

impl Subject for Folder {
    fn transport(&self) -> Arc<dyn Transport> {
        self.transport.clone()
    }

    fn can(&self, answer: Answer) -> bool {
        answer == Answer::Accept
    }

    fn answer(&self, _: Answer) {}

    fn received(&self) -> Vec<Received> {
        let mut names: Vec<String> = fs::read_dir(self.folder.path().join("new"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        // Seconds, then microseconds and a count that grows: in the order of sending, but for the digits of the count.
        names.sort_by_key(|name| {
            let count = name.split_once('Q').unwrap().1.split_once('R').unwrap().0;
            count.parse::<u64>().unwrap()
        });
        let received = names.into_iter().map(|name| {
            let envelope = fs::read_to_string(self.folder.path().join("envelope").join(&name)).unwrap();
            let between = |line: &str| line.split_once('<').unwrap().1.strip_suffix('>').unwrap().to_owned();
            let mut lines = envelope.lines();
            let mail_from = between(lines.next().unwrap());
            let recipients: Vec<String> = lines.map(between).collect();
            let bytes = fs::read(self.folder.path().join("new").join(&name)).unwrap();
            Received::new(Some(mail_from).filter(|sender| !sender.is_empty()), recipients, bytes)
        });
        received.collect()
    }
}

fn main() -> ExitCode {
    posthaste_conformance::run(|| {
        let folder = TempDir::new().unwrap();
        let transport = Arc::new(FileTransport::new(folder.path()).unwrap());
        Box::new(Folder { folder, transport })
    })
    .exit_code()
}
