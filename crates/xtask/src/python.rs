//! Python programs that tests talk to: found, or installed from PyPI into a folder of their own.

use std::path::{Path, PathBuf};

use crate::command::Command;

/// Packages of PyPI, in an environment of their own.
#[derive(Debug)]
pub(crate) struct Environment {
    /// The folder, below that of all programs.
    folder: &'static str,
    pub(crate) packages: &'static [&'static str],
    /// Says whether a Python has them.
    import: &'static str,
}

/// What `tests/compare` asks, and what that needs to do all that it can; the versions that docs/comparison.md was measured with.
pub(crate) const COMPARE: Environment = Environment {
    folder: "compare",
    packages: &[
        "pyspf==2.0.14",
        "dkimpy==1.1.8",
        "authheaders==0.16.3",
        "authres==1.2.0",
        "dnspython==2.9.2",
        "pynacl==1.6.2",
    ],
    import: "import spf, dkim, authheaders, authres, dns.resolver, nacl.signing",
};

/// A server that stands in for Amazon's, and Amazon's own client for Python.
pub(crate) const MOTO: Environment = Environment {
    folder: "moto",
    packages: &["moto==5.2.5", "flask==3.1.3", "flask-cors==6.0.5"],
    import: "import moto.server, boto3, flask_cors",
};

impl Environment {
    /// A Python that has them all: that in a folder below `programs`, which is made by `python3 -m venv` and pip unless
    /// `POSTHASTE_NO_INSTALL` is set.
    pub(crate) fn find_or_install(&self, programs: &Path) -> Option<PathBuf> {
        let own = programs.join(self.folder);
        let python = own.join("bin/python");
        if self.is_in(&python) {
            return Some(python);
        }
        if std::env::var_os("POSTHASTE_NO_INSTALL").is_some() {
            let installed = PathBuf::from("python3");
            return self.is_in(&installed).then_some(installed);
        }
        let own = own.display().to_string();
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        let packages = self.packages.iter().copied();
        let is_installed = Command::new("python3", ["-m", "venv", &own]).run()
            && Command::new(python.display().to_string(), pip.into_iter().chain(packages)).run();
        (is_installed && self.is_in(&python)).then_some(python)
    }

    fn is_in(&self, python: &Path) -> bool {
        Command::new(python.display().to_string(), ["-c", self.import])
            .answer()
            .is_some()
    }
}
