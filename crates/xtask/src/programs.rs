//! The real programs that `tests/interop` talks to: found, or installed where that is allowed.

use std::path::{Path, PathBuf};

use crate::command::Command;

/// A program that tests need, where its path goes, and the Debian package that has it.
#[derive(Debug)]
struct Wanted {
    name: &'static str,
    variable: &'static str,
    package: &'static str,
    find: fn(&Path) -> Option<PathBuf>,
}

/// All of them. The variables are read by `tests/interop` and by `crates/testservers`.
const WANTED: [Wanted; 23] = [
    Wanted {
        name: "python3",
        variable: "POSTHASTE_INTEROP_PYTHON",
        package: "python3",
        find: |_| python_that_can("import smtplib, email"),
    },
    Wanted {
        name: "dkimpy",
        variable: "POSTHASTE_INTEROP_DKIMPY",
        package: "python3-dkim",
        // The second module is what dkimpy verifies Ed25519 with.
        find: |_| python_that_can("import dkim, nacl.signing"),
    },
    Wanted {
        name: "dkimpy with authres",
        variable: "POSTHASTE_INTEROP_DKIMPY_ARC",
        package: "python3-authres",
        // What dkimpy reads Authentication-Results with before it seals.
        find: |_| python_that_can("import dkim, nacl.signing, authres"),
    },
    Wanted {
        name: "Mail::DKIM",
        variable: "POSTHASTE_INTEROP_MAIL_DKIM",
        package: "libmail-dkim-perl",
        find: |_| perl_that_can("use Mail::DKIM::Verifier"),
    },
    Wanted {
        name: "opendkim",
        variable: "POSTHASTE_INTEROP_OPENDKIM",
        package: OPENDKIM,
        find: |unpacked| sbin(unpacked, "opendkim"),
    },
    Wanted {
        name: "aiosmtpd",
        variable: "POSTHASTE_INTEROP_AIOSMTPD",
        package: "python3-aiosmtpd",
        find: |_| python_that_can("import aiosmtpd.smtp"),
    },
    Wanted {
        name: "aiosmtplib",
        variable: "POSTHASTE_INTEROP_AIOSMTPLIB",
        package: "python3-aiosmtplib",
        find: |_| python_that_can("import aiosmtplib"),
    },
    Wanted {
        name: "swaks",
        variable: "POSTHASTE_INTEROP_SWAKS",
        package: "swaks",
        find: |_| in_path("swaks"),
    },
    Wanted {
        name: "smtp-sink",
        variable: "POSTHASTE_INTEROP_SMTP_SINK",
        package: POSTFIX,
        find: |unpacked| sbin(unpacked, "smtp-sink"),
    },
    Wanted {
        name: "smtp-source",
        variable: "POSTHASTE_INTEROP_SMTP_SOURCE",
        package: POSTFIX,
        find: |unpacked| sbin(unpacked, "smtp-source"),
    },
    Wanted {
        name: "Postfix",
        variable: "POSTHASTE_INTEROP_POSTFIX",
        package: POSTFIX,
        find: |unpacked| file(unpacked, "usr/lib/postfix/sbin/master"),
    },
    Wanted {
        name: "saslpasswd2",
        variable: "POSTHASTE_INTEROP_SASLPASSWD",
        package: SASL,
        find: |unpacked| sbin(unpacked, "saslpasswd2"),
    },
    Wanted {
        name: "Cyrus SASL with SCRAM",
        variable: "POSTHASTE_INTEROP_SASL_MECHANISMS",
        package: "libsasl2-modules",
        find: |_| file(Path::new("/"), &library("sasl2/libscram.so")),
    },
    Wanted {
        name: "Exim",
        variable: "POSTHASTE_INTEROP_EXIM",
        package: EXIM,
        find: |unpacked| file(unpacked, "usr/sbin/exim4"),
    },
    Wanted {
        name: "Dovecot",
        variable: "POSTHASTE_INTEROP_DOVECOT",
        package: DOVECOT,
        find: |unpacked| file(unpacked, "usr/sbin/dovecot").filter(|path| can_be_in_its_place(path, unpacked)),
    },
    Wanted {
        name: "Dovecot's LMTP",
        variable: "POSTHASTE_INTEROP_DOVECOT_LMTP",
        package: DOVECOT_LMTP,
        find: |unpacked| file(unpacked, "usr/lib/dovecot/lmtp"),
    },
    Wanted {
        name: "nss_wrapper",
        variable: "POSTHASTE_INTEROP_NSS_WRAPPER",
        package: NSS_WRAPPER,
        find: |unpacked| file(unpacked, &library("libnss_wrapper.so")),
    },
    Wanted {
        name: "msmtp",
        variable: "POSTHASTE_INTEROP_MSMTP",
        package: "msmtp",
        find: |_| in_path("msmtp"),
    },
    Wanted {
        name: "Node.js",
        variable: "POSTHASTE_INTEROP_NODE",
        package: "nodejs",
        find: |_| in_path("node"),
    },
    Wanted {
        name: "Chromium",
        variable: "POSTHASTE_INTEROP_CHROMIUM",
        package: "chromium",
        find: |_| in_path("chromium"),
    },
    Wanted {
        name: "PostgreSQL",
        variable: "POSTHASTE_INTEROP_POSTGRES",
        package: POSTGRES,
        find: postgres,
    },
    Wanted {
        name: "Redis",
        variable: "POSTHASTE_INTEROP_REDIS",
        package: REDIS,
        // The package of tools has the server too, under the name of its check.
        find: |unpacked| {
            in_path("valkey-server")
                .or_else(|| in_path("redis-server"))
                .or_else(|| file(unpacked, "usr/bin/redis-check-rdb"))
        },
    },
    Wanted {
        name: "Nodemailer",
        variable: "POSTHASTE_INTEROP_NODEMAILER",
        package: NODEMAILER,
        find: |unpacked| file(unpacked, "usr/share/nodejs/nodemailer"),
    },
];

const POSTFIX: &str = "postfix";

const OPENDKIM: &str = "opendkim";

const EXIM: &str = "exim4-daemon-light";

const SASL: &str = "sasl2-bin";

const DOVECOT: &str = "dovecot-core";

const DOVECOT_LMTP: &str = "dovecot-lmtpd";

const NSS_WRAPPER: &str = "libnss-wrapper";

/// Debian's name for the newest version that it has; that one's package is what is unpacked.
const POSTGRES: &str = "postgresql";

const REDIS: &str = "redis-tools";

const NODEMAILER: &str = "node-nodemailer";

/// Of these only small tools, a test mode or a run in a folder of their own is wanted, so they are unpacked into a folder of our own and not installed: no
/// service is set up, no configuration is asked for, and another mail server on the machine stays.
const UNPACKED: [&str; 10] = [
    POSTFIX,
    OPENDKIM,
    SASL,
    EXIM,
    DOVECOT,
    DOVECOT_LMTP,
    NSS_WRAPPER,
    POSTGRES,
    REDIS,
    NODEMAILER,
];

/// Adds what is missing and leaves what is there as it is.
const INSTALL: [&str; 4] = ["install", "--yes", "--no-install-recommends", "--no-upgrade"];

/// What is there and what is not.
#[derive(Debug)]
pub(crate) struct Programs {
    found: Vec<(&'static Wanted, PathBuf)>,
    missing: Vec<&'static Wanted>,
}

impl Programs {
    /// Looks for all programs and installs those that are missing if this is root on a Debian system.
    ///
    /// `unpacked` is the folder for what is unpacked and not installed.
    pub(crate) fn find_or_install(unpacked: &Path) -> Self {
        let programs = Self::find(unpacked);
        if programs.missing.is_empty() {
            return programs;
        }
        let names: Vec<&str> = programs.missing.iter().map(|wanted| wanted.name).collect();
        println!("not found: {}", names.join(", "));
        if std::env::var_os("POSTHASTE_NO_INSTALL").is_some() || in_path("apt-get").is_none() || !is_root() {
            return programs;
        }
        install(&programs.missing, unpacked);
        Self::find(unpacked)
    }

    /// The variables that tell the tests where the programs are.
    pub(crate) fn environment(&self) -> impl Iterator<Item = (&'static str, String)> + '_ {
        self.found
            .iter()
            .map(|(wanted, path)| (wanted.variable, path.display().to_string()))
    }

    /// A line for each program that is missing.
    pub(crate) fn left_out(&self) -> impl Iterator<Item = String> + '_ {
        self.missing.iter().map(|wanted| {
            format!(
                "tests with {} (install the Debian package {})",
                wanted.name, wanted.package
            )
        })
    }

    fn find(unpacked: &Path) -> Self {
        let mut programs = Self {
            found: Vec::new(),
            missing: Vec::new(),
        };
        for wanted in &WANTED {
            match (wanted.find)(unpacked) {
                Some(path) => programs.found.push((wanted, path)),
                None => programs.missing.push(wanted),
            }
        }
        programs
    }
}

/// Debian's own Python first: the packages are made for that one.
fn python_that_can(import: &str) -> Option<PathBuf> {
    [PathBuf::from("/usr/bin/python3"), PathBuf::from("python3")]
        .into_iter()
        .find(|python| {
            Command::new(python.display().to_string(), ["-c", import])
                .answer()
                .is_some()
        })
}

fn perl_that_can(run: &str) -> Option<PathBuf> {
    let perl = in_path("perl")?;
    Command::new(perl.display().to_string(), ["-e", run])
        .answer()
        .is_some()
        .then_some(perl)
}

/// A program that is unpacked, or installed where only root looks.
fn sbin(unpacked: &Path, name: &str) -> Option<PathBuf> {
    let own = unpacked.join("usr/sbin").join(name);
    let installed = Path::new("/usr/sbin").join(name);
    [own, installed]
        .into_iter()
        .find(|path| path.is_file())
        .or_else(|| in_path(name))
}

/// What is unpacked, or installed in the same place.
fn file(unpacked: &Path, path: &str) -> Option<PathBuf> {
    [unpacked, Path::new("/")]
        .into_iter()
        .map(|root| root.join(path))
        .find(|path| path.exists())
}

/// The newest PostgreSQL that is unpacked or installed.
fn postgres(unpacked: &Path) -> Option<PathBuf> {
    let versions = |root: &Path| {
        let folders = std::fs::read_dir(root.join("usr/lib/postgresql")).into_iter().flatten();
        folders
            .flatten()
            .filter_map(|folder| {
                let version: u32 = folder.file_name().to_str()?.parse().ok()?;
                let program = folder.path().join("bin/postgres");
                program.is_file().then_some((version, program))
            })
            .max()
    };
    [unpacked, Path::new("/")]
        .into_iter()
        .find_map(versions)
        .map(|(_, program)| program)
        .filter(|program| !is_root() || can_be_run_by_nobody(program))
}

/// Whether the tests can run a program that refuses to be run by root: nobody must be able to reach it.
fn can_be_run_by_nobody(program: &Path) -> bool {
    let program = program.display().to_string();
    let nobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups", "--"];
    Command::new("setpriv", nobody.into_iter().chain([program.as_str(), "--version"]))
        .answer()
        .is_some()
}

/// Where a library is, below what it is unpacked into.
fn library(name: &str) -> String {
    format!("usr/lib/{}-linux-gnu/{name}", std::env::consts::ARCH)
}

/// Whether a program that looks for the rest of itself below `/usr` can be shown one that has it.
fn can_be_in_its_place(path: &Path, unpacked: &Path) -> bool {
    let mount = "mount -t overlay overlay -o \"lowerdir=$0:/usr\" /usr";
    let usr = unpacked.join("usr").display().to_string();
    !path.starts_with(unpacked)
        || Command::new("unshare", ["--mount", "sh", "-c", mount, &usr])
            .answer()
            .is_some()
}

fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

fn is_root() -> bool {
    Command::new("id", ["-u"]).answer().is_some_and(|id| id.trim() == "0")
}

/// Installs what it can. Nothing here is needed for the other tests, so a failure is only told.
fn install(missing: &[&Wanted], unpacked: &Path) {
    if !apt_get(["update"]).run() {
        println!("the package lists cannot be fetched; nothing is installed");
        return;
    }
    let mut packages: Vec<&str> = missing.iter().map(|wanted| wanted.package).collect();
    packages.dedup();
    let (unpack, packages): (Vec<&str>, Vec<&str>) =
        packages.into_iter().partition(|package| UNPACKED.contains(package));
    if !packages.is_empty() {
        apt_get(INSTALL.into_iter().chain(packages)).run();
    }
    for package in unpack {
        if !unpack_package(package, unpacked) {
            println!("{package} cannot be unpacked");
        }
    }
}

/// Fetches a package and the libraries that it needs, and unpacks it without installing it.
fn unpack_package(package: &str, unpacked: &Path) -> bool {
    let Some(mut depends) = Command::new("apt-cache", ["depends", package]).answer() else {
        return false;
    };
    let mut package = package.to_owned();
    if package == POSTGRES {
        let version = depends
            .lines()
            .find_map(|line| line.trim().strip_prefix("Depends: postgresql-"));
        package = format!("{POSTGRES}-{}", version.unwrap_or_default());
        depends = Command::new("apt-cache", ["depends", &package])
            .answer()
            .unwrap_or_default();
    }
    let package = package.as_str();
    let libraries = depends
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Depends: "))
        .filter(|name| name.starts_with("lib"));
    if !apt_get(INSTALL.into_iter().chain(libraries)).run() {
        return false;
    }
    let fetched = unpacked.join("packages").join(package);
    if std::fs::create_dir_all(&fetched).is_err() || !apt_get(["download", package]).in_folder(&fetched).run() {
        return false;
    }
    let Ok(mut files) = std::fs::read_dir(&fetched) else {
        return false;
    };
    files.any(|file| {
        file.is_ok_and(|file| {
            let [package, into] = [file.path(), unpacked.to_path_buf()].map(|path| path.display().to_string());
            Command::new("dpkg-deb", ["--extract".to_owned(), package, into]).run()
        })
    })
}

/// `apt-get` that asks nothing and gives up soon where there is no network.
fn apt_get<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let options = [
        "-q",
        "-o",
        "Acquire::http::Timeout=20",
        "-o",
        "Acquire::Retries=1",
        "-o",
        "Dpkg::Use-Pty=0",
    ];
    Command::new("apt-get", options.into_iter().chain(arguments)).env("DEBIAN_FRONTEND", "noninteractive")
}
