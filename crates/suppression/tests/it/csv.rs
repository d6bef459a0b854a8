//! Files into lists and out of them.

use std::io::{BufReader, Read};
use std::time::{Duration, SystemTime};

use posthaste_suppression::{
    CsvErrorKind, CsvReader, CsvWriter, Entry, Filter, ImportError, MemorySuppressionList, Reason, Reasons, Scope,
    SuppressionList,
};
use proptest::prelude::*;

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn reader(text: &str) -> CsvReader<&[u8]> {
    CsvReader::new(text.as_bytes(), now())
}

fn entries(text: &str) -> Vec<Entry> {
    reader(text).collect::<Result<_, _>>().unwrap()
}

/// What is wrong with each record that is.
fn errors(text: &str) -> Vec<String> {
    let source = |error: posthaste_suppression::CsvError| {
        let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
        format!("{error}{}", source.unwrap_or_default())
    };
    reader(text).filter_map(Result::err).map(source).collect()
}

#[test]
fn what_ses_imports_needs_no_header() {
    let list = entries("bob@example.net,BOUNCE\r\nzoe@example.net,COMPLAINT\r\n");
    assert_eq!(list[0].reason(), Reason::Bounce);
    assert_eq!((list[1].reason(), list[1].created()), (Reason::Complaint, now()));
    let list: Vec<_> = reader("bob@example.net\nzoe@example.net\n")
        .with_reason(Reason::Unsubscribe)
        .with_scope(Scope::named("news").unwrap())
        .with_source("import")
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(
        (list[1].reason(), list[1].scope().as_str(), list[1].source()),
        (Reason::Unsubscribe, "news", "import")
    );
}

#[test]
fn columns_are_found_by_the_names_that_providers_give_them() {
    let text = "Created At,Email Address,Type,Message-Stream,Expires,Origin,Description\n\
        2026-01-31 12:00:00 UTC, Bob@example.net ,HardBounce,outbound,2026-02-28,Recipient,\"no, never\"\n\
        ,zoe@example.net,SpamComplaint\n";
    let list = entries(text);
    assert_eq!(list.len(), 2);
    let bob = &list[0];
    assert_eq!((bob.reason(), bob.scope().as_str()), (Reason::Bounce, "outbound"));
    assert_eq!((bob.source(), bob.detail()), ("Recipient", "no, never"));
    assert_eq!(
        bob.created(),
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_769_860_800)
    );
    assert_eq!(
        bob.expiry(),
        Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_236_800))
    );
    assert_eq!((list[1].reason(), list[1].created()), (Reason::Complaint, now()));
    let semicolons: Vec<_> = reader("email;reason\nbob@example.net;manual\n")
        .with_delimiter(b';')
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(semicolons[0].reason(), Reason::Manual);
}

#[test]
fn what_is_wrong_is_said_with_its_line_and_the_rest_is_read() {
    let text = "address,reason,created,expiry,scope\n\
        bob@@example.net,bounce\n\
        bob@example.net,boredom\n\
        bob@example.net,\n\
        bob@example.net,bounce,yesterday\n\
        bob@example.net,bounce,,2026-02-30\n\
        bob@example.net,bounce,,,a\u{1}b\n\
        bob@example.net,bounce,,,,,\n\
        \"a b\"@example.net,bounce\n\
        bob@example.net,bounce\n";
    assert_eq!(
        errors(text),
        [
            "line 2: address: character not allowed at byte 4",
            "line 3: not a reason: bounce, complaint, invalid, manual or unsubscribe",
            "line 4: no reason, and none was given for records without one",
            "line 5: column `created` is not a time such as 2026-01-31T12:00:00Z, of the years 1970 to 9999",
            "line 6: column `expiry` is not a time such as 2026-01-31T12:00:00Z, of the years 1970 to 9999",
            "line 7: scope: control character in the name of a scope at byte 1",
            "line 8: 7 fields, but 5 columns",
            "line 9: text behind the closing quote of field 1",
        ]
    );
    assert_eq!(reader(text).filter(Result::is_ok).count(), 1);
}

#[test]
fn a_header_that_makes_no_sense_ends_it() {
    for (text, expected) in [
        (
            "reason,created\nbob@example.net,bounce\n",
            "line 1: no column `address`",
        ),
        (
            "\n\naddress,colour\nbob@example.net,red\n",
            "line 3: unknown column `colour`",
        ),
        (
            "email,address\nbob@example.net,x\n",
            "line 1: a second column for `address`",
        ),
        (
            "address\n\"bob@example.net\n",
            "line 2: the file ends within a quoted field",
        ),
    ] {
        assert_eq!(errors(text), [expected]);
        assert_eq!(reader(text).count(), 1, "nothing behind it is read");
    }
    let mut ignoring = reader("address,colour,reason\nbob@example.net,red,bounce\n").ignore_unknown_columns();
    assert_eq!(ignoring.next().unwrap().unwrap().reason(), Reason::Bounce);
}

#[test]
fn spreadsheets_run_nothing() {
    let evil = [
        r#"=HYPERLINK("x")"#,
        "+1",
        "-1",
        "@SUM(1)",
        "  =1+1",
        "'=already",
        "''",
        "'plain",
        "\u{a0}=1",
    ];
    for text in evil {
        let entry = Entry::new("=a@example.net".parse().unwrap(), Reason::Manual, now())
            .with_detail(text)
            .with_scope(Scope::named(text.trim().to_owned()).unwrap());
        let mut writer = CsvWriter::new(Vec::new());
        writer.write(&entry).unwrap();
        let file = String::from_utf8(writer.finish().unwrap()).unwrap();
        let record = file.lines().nth(1).unwrap();
        for field in record.split(',') {
            let shown = field.trim_start_matches('"').trim_start();
            assert!(!shown.starts_with(['=', '+', '-', '@']), "{record}");
        }
        assert_eq!(entries(&file), std::slice::from_ref(&entry), "{file}");

        let mut plain = CsvWriter::new(Vec::new()).unguarded();
        plain.write(&entry).unwrap();
        let plain = String::from_utf8(plain.finish().unwrap()).unwrap();
        assert!(plain.lines().nth(1).unwrap().starts_with("=a@"));
        let back: Vec<_> = reader(&plain).unguarded().collect::<Result<_, _>>().unwrap();
        assert_eq!(back, [entry]);
    }
}

#[tokio::test]
async fn a_list_goes_out_and_comes_in() {
    let list = MemorySuppressionList::new();
    let made: Vec<Entry> = (0..2500)
        .map(|n| Entry::new(format!("u{n}@example.net").parse().unwrap(), Reason::ALL[n % 5], now()))
        .collect();
    list.put(&made).await.unwrap();
    let mut writer = CsvWriter::new(Vec::new());
    assert_eq!(writer.export(&list, Filter::default()).await.unwrap(), 2500);
    let file = writer.finish().unwrap();

    let again = MemorySuppressionList::new();
    let imported = CsvReader::new(file.as_slice(), now()).import(&again).await.unwrap();
    assert_eq!((imported.entries, imported.failed), (2500, 0));
    let all = Filter::default().with_limit(Filter::MAX_LIMIT);
    assert_eq!(list.list(&all).await.unwrap(), again.list(&all).await.unwrap());

    let mut bounces = CsvWriter::new(Vec::new());
    let only = Filter::default().for_reasons(Reasons::from(Reason::Bounce));
    assert_eq!(bounces.export(&list, only).await.unwrap(), 500);
}

#[tokio::test]
async fn wrong_records_are_counted_and_the_first_are_told() {
    let list = MemorySuppressionList::new();
    let text = format!(
        "address,reason\n{}bob@example.net,bounce\n",
        "nobody,bounce\n".repeat(150)
    );
    let imported = reader(&text).import(&list).await.unwrap();
    assert_eq!(
        (imported.entries, imported.failed, imported.errors.len()),
        (1, 150, 100)
    );
    assert!(matches!(imported.errors[0].kind(), CsvErrorKind::Address(_)));
    assert_eq!(imported.errors[99].line(), 101);
}

#[tokio::test]
async fn an_import_that_breaks_off_says_how_far_it_came() {
    /// Gives some of a file and then fails.
    struct Torn(&'static [u8]);
    impl Read for Torn {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(std::io::Error::other("torn")),
                read => Ok(read),
            }
        }
    }
    let list = MemorySuppressionList::new();
    let torn = BufReader::new(Torn(b"a@example.net,bounce\nb@example.net,bounce\nc@exam"));
    let error = CsvReader::new(torn, now()).import(&list).await.unwrap_err();
    assert!(
        matches!(&error, ImportError::File { entries: 2, source } if source.line() == 3),
        "{error:?}"
    );
    assert_eq!(list.len(), 2);

    let full = MemorySuppressionList::new().with_max_entries(1);
    let error = reader("a@example.net,bounce\nb@example.net,bounce\n")
        .import(&full)
        .await
        .unwrap_err();
    assert!(matches!(error, ImportError::List { entries: 0, .. }), "{error:?}");
}

proptest! {
    #[test]
    fn what_is_written_reads_back(
        local in "[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,10}",
        reason in 0_usize..5,
        scope in "\\PC{1,20}",
        source in "\\PC{0,20}|[=+@'\" ,;-]{0,5}",
        detail in "\\PC{0,40}|[=+@'\" ,;\t\r\n-]{0,9}",
        created in 0_u64..253_402_300_799_999_999,
        expiry in proptest::option::of(0_u64..253_402_300_799_999_999),
    ) {
        let at = |micros| SystemTime::UNIX_EPOCH + Duration::from_micros(micros);
        let address = format!("{local}@example.net").parse().unwrap();
        let mut entry = Entry::new(address, Reason::ALL[reason], at(created)).with_source(&source).with_detail(&detail);
        if let Ok(scope) = Scope::named(scope) {
            entry = entry.with_scope(scope);
        }
        if let Some(expiry) = expiry {
            entry = entry.with_expiry(at(expiry));
        }
        let mut writer = CsvWriter::new(Vec::new());
        writer.write(&entry).unwrap();
        let file = writer.finish().unwrap();
        let back = CsvReader::new(file.as_slice(), now()).next().unwrap().unwrap();
        prop_assert_eq!(back, entry);
    }

    #[test]
    fn nothing_panics_and_every_file_ends(bytes in proptest::collection::vec(
        prop_oneof![Just(b','), Just(b'"'), Just(b'\n'), Just(b'\r'), Just(b'@'), Just(b'\''), any::<u8>()], 0..200)) {
        let read = CsvReader::new(bytes.as_slice(), now()).with_reason(Reason::Manual).ignore_unknown_columns().count();
        prop_assert!(read <= bytes.len());
    }
}
