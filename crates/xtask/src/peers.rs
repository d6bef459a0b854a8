//! The Python programs that `tests/compare` asks: found, or installed into a folder of their own.

use std::path::{Path, PathBuf};

use crate::command::Command;

/// What PyPI calls them, and what they need to do all that they can; the versions that docs/comparison.md was measured with.
pub(crate) const PACKAGES: [&str; 6] = [
    "pyspf==2.0.14",
    "dkimpy==1.1.8",
    "authheaders==0.16.3",
    "authres==1.2.0",
    "dnspython==2.9.2",
    "pynacl==1.6.2",
];

/// Says whether a Python has them.
const IMPORT: &str = "import spf, dkim, authheaders, authres, dns.resolver, nacl.signing";

/// A Python that has them all: that in `folder`, which is made by `python3 -m venv` and pip unless `POSTHASTE_NO_INSTALL` is set.
pub(crate) fn find_or_install(folder: &Path) -> Option<PathBuf> {
    let python = folder.join("bin/python");
    if has_them(&python) {
        return Some(python);
    }
    if std::env::var_os("POSTHASTE_NO_INSTALL").is_some() {
        let installed = PathBuf::from("python3");
        return has_them(&installed).then_some(installed);
    }
    let own = folder.display().to_string();
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    let is_installed = Command::new("python3", ["-m", "venv", &own]).run()
        && Command::new(python.display().to_string(), pip.into_iter().chain(PACKAGES)).run();
    (is_installed && has_them(&python)).then_some(python)
}

fn has_them(python: &Path) -> bool {
    Command::new(python.display().to_string(), ["-c", IMPORT])
        .answer()
        .is_some()
}
