//! Reads the sets that can be compared.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use posthaste_dns::{LookupError, Record, RecordType, Txt};
use serde_json::Value;

use crate::case::{Case, Expected, Question, Records};

/// Every case of the sets below `root`; a set that is not there has none.
pub fn read(root: &Path) -> Vec<Case> {
    let mut cases = Vec::new();
    spf(root, &mut cases);
    dkim(root, &mut cases);
    signed(root, &mut cases);
    arc(root, &mut cases);
    dmarc(root, &mut cases);
    cases
}

fn json(root: &Path, file: &str) -> Value {
    let text = std::fs::read_to_string(root.join(file)).unwrap_or_else(|_| "null".to_owned());
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn map(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// One text, or the strings of one.
fn txt(value: &Value) -> Record {
    match value {
        Value::Array(strings) => Record::Txt(Txt::from_segments(strings.iter().filter_map(Value::as_str))),
        text => Record::txt(text.as_str().unwrap_or_default()),
    }
}

fn spf(root: &Path, cases: &mut Vec<Case>) {
    for scenario in list(&json(root, "spf/rfc7208.json")) {
        let records = spf_records(&scenario["zonedata"]);
        for (id, test) in map(&scenario["tests"]) {
            let allowed: Vec<&str> = match &test["result"] {
                Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
                one => one.as_str().into_iter().collect(),
            };
            cases.push(Case {
                set: "spf/rfc7208",
                id: id.clone(),
                records: records.clone(),
                question: Question::Spf {
                    ip: text(&test["host"]).parse().expect("an address"),
                    helo: text(&test["helo"]),
                    mail_from: text(&test["mailfrom"]),
                },
                expected: Expected {
                    explanation: test["explanation"]
                        .as_str()
                        .map(|words| (words != "DEFAULT").then(|| words.to_owned())),
                    ..Expected::word(&allowed)
                },
            });
        }
    }
}

fn spf_records(data: &Value) -> Records {
    let mut records = Records::default();
    for (name, entries) in map(data) {
        let pairs = || list(entries).filter_map(Value::as_object).flatten();
        // Records of the type SPF, which is no more, are served as TXT, unless the entry says what TXT there is.
        let own_text = pairs().any(|(kind, _)| kind == "TXT");
        let mut served = Vec::new();
        for (kind, value) in pairs() {
            let kind = match kind.as_str() {
                "SPF" if own_text => continue,
                "SPF" => RecordType::Txt,
                other => RecordType::from_name(other).unwrap_or_else(|| panic!("{name}: type {other}")),
            };
            let word = value.as_str().unwrap_or_default();
            if word == "NONE" {
                continue;
            }
            served.push(kind);
            if word == "TIMEOUT" {
                records.fail(name, kind, LookupError::Timeout);
                continue;
            }
            let preference = value[0].as_u64().and_then(|preference| preference.try_into().ok());
            records.add(
                name,
                match kind {
                    RecordType::Txt => txt(value),
                    RecordType::Mx => Record::mx(preference.unwrap_or(0), text(&value[1])),
                    RecordType::Ptr => Record::Ptr(word.to_owned()),
                    RecordType::Cname => Record::Cname(word.to_owned()),
                    RecordType::A => Record::A(word.parse().expect("an address")),
                    RecordType::Aaaa => Record::Aaaa(word.parse().expect("an address")),
                    other => panic!("{name}: type {other}"),
                },
            );
        }
        // What is listed is served even so; every other question times out.
        if list(entries).any(|entry| entry == "TIMEOUT") {
            for kind in RecordType::ALL.iter().filter(|kind| !served.contains(kind)) {
                records.fail(name, *kind, LookupError::Timeout);
            }
        }
    }
    records
}

fn failure(value: &Value) -> Option<LookupError> {
    match value["rcode"].as_str() {
        Some("SERVFAIL") => Some(LookupError::ServFail),
        Some("TIMEOUT") => Some(LookupError::Timeout),
        Some("REFUSED") => Some(LookupError::Refused),
        _ => None,
    }
}

fn dkim(root: &Path, cases: &mut Vec<Case>) {
    let set = json(root, "dkim/dkim-verify.json");
    let mut records = Records::default();
    for (name, value) in map(&set["dns_txt"]) {
        match value {
            Value::Object(_) => {
                list(&value["txts"]).for_each(|text| records.add(name, txt(text)));
                if let Some(error) = failure(value) {
                    records.fail(name, RecordType::Txt, error);
                }
            }
            value => records.add(name, txt(value)),
        }
    }
    for case in list(&set["cases"]) {
        let words: Vec<Vec<String>> = list(&case["expect"])
            .map(|word| text(word).split('|').map(str::to_owned).collect())
            .collect();
        let message = STANDARD.decode(text(&case["message_b64"])).expect("base64");
        let now = seconds(&text(&case["now"])).expect("a time");
        cases.push(Case {
            set: "dkim/dkim-verify",
            id: text(&case["id"]),
            records: records.clone(),
            question: Question::Dkim { message, now },
            expected: Expected {
                any: words == [["*"]],
                words,
                ..Expected::default()
            },
        });
    }
}

/// The seconds since 1970 of `2026-05-01T12:00:00Z`.
fn seconds(text: &str) -> Option<u64> {
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
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

/// The keys that RFC 8463 appendix A publishes, for every message that is signed with them.
const RFC_8463: [(&str, &str); 2] = [
    (
        "brisbane._domainkey.football.example.com",
        "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    ),
    (
        "test._domainkey.football.example.com",
        "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Q\
         vx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB",
    ),
];

/// Messages that others signed: with the records on top, or with keys in files beside them.
fn signed(root: &Path, cases: &mut Vec<Case>) {
    for path in files(&root.join("dkim/mail-auth"), ".txt") {
        let content = std::fs::read(&path).expect("a file that can be read");
        let Some(end) = content.windows(2).position(|pair| pair == b"\n\n") else {
            continue;
        };
        let lines = String::from_utf8_lossy(&content[..end]);
        let mut records = Records::default();
        for (name, record) in lines.lines().filter_map(|line| line.split_once(' ')) {
            records.add(name, Record::txt(record));
        }
        cases.push(passes("dkim/mail-auth", &path, &content[end + 2..], records));
    }
    let gmail = std::fs::read_to_string(root.join("dkim/mimekit/gmail.pub")).unwrap_or_default();
    let gmail: String = gmail.lines().filter(|line| !line.starts_with("-----")).collect();
    let mut records = Records::default();
    records.add(
        "20120113._domainkey.gmail.com",
        Record::txt(format!("k=rsa; p={gmail}")),
    );
    for (name, record) in RFC_8463 {
        records.add(name, Record::txt(record));
    }
    for path in files(&root.join("dkim/mimekit"), ".msg") {
        let content = std::fs::read(&path).expect("a file that can be read");
        cases.push(passes("dkim/mimekit", &path, &content, records.clone()));
    }
}

fn files(folder: &Path, ending: &str) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    files.sort();
    files
}

/// One signature that passes is expected; of others the key is not known.
fn passes(set: &'static str, path: &Path, message: &[u8], records: Records) -> Case {
    let message = on_the_wire(message);
    let latest = String::from_utf8_lossy(&message)
        .split(['\r', '\n', ';', ' ', '\t'])
        .filter_map(|tag| tag.strip_prefix("t=")?.parse().ok())
        .filter(|time| *time < 10_000_000_000)
        .max();
    Case {
        set,
        id: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        records,
        question: Question::Dkim {
            message,
            now: latest.unwrap_or(1_500_000_000),
        },
        expected: Expected {
            any: true,
            ..Expected::word(&["pass"])
        },
    }
}

/// A message with the line ends that it had on the wire.
fn on_the_wire(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 32);
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(line) => {
                out.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
                out.extend_from_slice(b"\r\n");
            }
            None => out.extend_from_slice(line),
        }
    }
    out
}

fn arc(root: &Path, cases: &mut Vec<Case>) {
    for group in list(&json(root, "arc/validation.json")) {
        let mut records = Records::default();
        for (name, value) in map(&group["txt-records"]) {
            records.add(name, txt(value));
        }
        for (id, test) in map(&group["tests"]) {
            let result = text(&test["cv"]).to_ascii_lowercase();
            cases.push(Case {
                set: "arc/validation",
                id: id.clone(),
                records: records.clone(),
                question: Question::Arc {
                    message: on_the_wire(text(&test["message"]).as_bytes()),
                },
                // Without an expectation, any answer will do.
                expected: Expected::word(&[if result.is_empty() { "*" } else { &result }]),
            });
        }
    }
}

fn dmarc(root: &Path, cases: &mut Vec<Case>) {
    for case in list(&json(root, "dmarc/dmarc-eval.json")["cases"]) {
        let expect = &case["expect"];
        let mut allowed: Vec<&str> = list(&expect["result_in"]).filter_map(Value::as_str).collect();
        allowed.extend(expect["result"].as_str());
        // What is asked of the report, or of the questions, has no counterpart elsewhere.
        if allowed.is_empty() || case["from_domain"].as_str().is_none() {
            continue;
        }
        let mode = case["mode"].as_str().unwrap_or_default();
        for (tree_walk, name) in [(true, "RFC 9989"), (false, "RFC 7489")] {
            if (mode == "rfc9989" && !tree_walk) || (mode == "rfc7489" && tree_walk) {
                continue;
            }
            let results = |of: &Value| {
                list(of)
                    .map(|one| (text(&one["domain"]), text(&one["result"])))
                    .collect()
            };
            cases.push(Case {
                set: "dmarc/dmarc-eval",
                id: format!("{} ({name})", text(&case["id"])),
                records: dmarc_records(&case["zone"]),
                question: Question::Dmarc {
                    from: text(&case["from_domain"]),
                    spf: results(&case["spf"]),
                    dkim: results(&case["dkim"]),
                    tree_walk,
                },
                expected: Expected {
                    disposition: expect["disposition"].as_str().map(str::to_owned),
                    ..Expected::word(&allowed)
                },
            });
        }
    }
}

fn dmarc_records(names: &Value) -> Records {
    let mut records = Records::default();
    for (name, entry) in map(names) {
        if let Some(error) = failure(entry) {
            for kind in RecordType::ALL {
                records.fail(name, *kind, error.clone());
            }
        }
        list(&entry["TXT"]).for_each(|value| records.add(name, txt(value)));
        for address in list(&entry["A"]).map(text) {
            records.add(name, Record::A(address.parse().expect("an address")));
        }
        for address in list(&entry["AAAA"]).map(text) {
            records.add(name, Record::Aaaa(address.parse().expect("an address")));
        }
        for exchange in list(&entry["MX"]).map(text) {
            let (preference, exchange) = exchange.split_once(' ').unwrap_or(("10", &exchange));
            records.add(name, Record::mx(preference.parse().unwrap_or(10), exchange));
        }
        if let Some(target) = entry["CNAME"].as_str() {
            records.add(name, Record::Cname(target.to_owned()));
        }
    }
    records
}
