use super::*;
use crate::Deviations;

fn unpack(octets: &[u8], limits: &Limits) -> Result<(Vec<u8>, Deviations), ReadError> {
    let mut notes = Notes::new(limits);
    let opened = open(octets, limits, &mut notes)?.into_owned();
    Ok((opened, notes.finish()))
}

#[track_caller]
fn check(octets: &[u8], expected: &[u8]) {
    let (opened, deviations) = unpack(octets, &Limits::new()).unwrap();
    assert_eq!(opened, expected);
    assert!(deviations.is_empty(), "{deviations:?}");
}

#[track_caller]
fn refused(octets: &[u8], expected: &ReadError) {
    assert_eq!(unpack(octets, &Limits::new()).as_ref(), Err(expected));
}

fn corrupt(what: &'static str) -> ReadError {
    ReadError::Corrupt { what }
}

/// One member of an archive, with everything a writer could say of it.
struct Member {
    name: &'static [u8],
    flags: u16,
    method: u16,
    crc: u32,
    packed: u32,
    unpacked: u32,
    data: Vec<u8>,
    extra: Vec<u8>,
}

impl Member {
    fn deflated(octets: &[u8]) -> Self {
        let gz = compress(octets);
        let data = gz[10..gz.len() - 8].to_vec();
        let mut crc = flate2::Crc::new();
        crc.update(octets);
        Self {
            name: b"a!b!1!2.xml",
            flags: 0,
            method: 8,
            crc: crc.sum(),
            packed: u32::try_from(data.len()).unwrap(),
            unpacked: u32::try_from(octets.len()).unwrap(),
            data,
            extra: Vec::new(),
        }
    }

    fn local(&self) -> Vec<u8> {
        let mut out = b"PK\x03\x04\x14\0".to_vec();
        out.extend(self.flags.to_le_bytes());
        out.extend(self.method.to_le_bytes());
        out.extend([0; 4]);
        out.extend(self.crc.to_le_bytes());
        out.extend(self.packed.to_le_bytes());
        out.extend(self.unpacked.to_le_bytes());
        out.extend(u16::try_from(self.name.len()).unwrap().to_le_bytes());
        out.extend(u16::try_from(self.extra.len()).unwrap().to_le_bytes());
        out.extend(self.name);
        out.extend(&self.extra);
        out.extend(&self.data);
        out
    }

    fn entry(&self, offset: u32) -> Vec<u8> {
        let mut out = b"PK\x01\x02\x14\0\x14\0".to_vec();
        out.extend(self.flags.to_le_bytes());
        out.extend(self.method.to_le_bytes());
        out.extend([0; 4]);
        out.extend(self.crc.to_le_bytes());
        out.extend(self.packed.to_le_bytes());
        out.extend(self.unpacked.to_le_bytes());
        out.extend(u16::try_from(self.name.len()).unwrap().to_le_bytes());
        out.extend([0; 12]);
        out.extend(offset.to_le_bytes());
        out.extend(self.name);
        out
    }
}

fn archive(members: &[Member]) -> Vec<u8> {
    let (mut file, mut entries) = (Vec::new(), Vec::new());
    for member in members {
        entries.extend(member.entry(u32::try_from(file.len()).unwrap()));
        file.extend(member.local());
    }
    let directory = u32::try_from(file.len()).unwrap();
    file.extend(&entries);
    file.extend(b"PK\x05\x06\0\0\0\0");
    let count = u16::try_from(members.len()).unwrap().to_le_bytes();
    file.extend([count, count].concat());
    file.extend(u32::try_from(entries.len()).unwrap().to_le_bytes());
    file.extend(directory.to_le_bytes());
    file.extend([0, 0]);
    file
}

const REPORT: &[u8] = b"<feedback></feedback>";

#[test]
fn one_member_is_opened() {
    check(REPORT, REPORT);
    check(b"", b"");
    check(&compress(REPORT), REPORT);
    check(&compress(b""), b"");
    check(&archive(&[Member::deflated(REPORT)]), REPORT);
    let stored = Member {
        method: 0,
        packed: 21,
        data: REPORT.to_vec(),
        ..Member::deflated(REPORT)
    };
    check(&archive(&[stored]), REPORT);
    let long: Vec<u8> = (0..300_000_u32).flat_map(|n| n.to_string().into_bytes()).collect();
    check(&compress(&long), &long);
    check(&archive(&[Member::deflated(&long)]), &long);
}

#[test]
fn headers_of_gzip_are_skipped() {
    let gz = compress(REPORT);
    let mut all = vec![0x1F, 0x8B, 8, 0x1F, 0, 0, 0, 0, 0, 3];
    all.extend([3, 0, 1, 2, 3]);
    all.extend(b"../../etc/passwd\0a comment\0");
    all.extend([0, 0]);
    all.extend(&gz[10..]);
    check(&all, REPORT);
    for end in 0..all.len() {
        assert!(unpack(&all[..end], &Limits::new()).is_err() || end < 2, "{end}");
    }
    let mut method = gz.clone();
    method[2] = 7;
    refused(&method, &corrupt("gzip has no method but deflate"));
    let mut flags = gz;
    flags[3] = 0x20;
    refused(&flags, &corrupt("gzip flags are set that mean nothing"));
}

#[test]
fn gzip_that_contradicts_itself_is_refused() {
    let gz = compress(REPORT);
    let end = gz.len();
    for (at, what) in [(end - 8, "the checksum is another"), (end - 1, "the length is another")] {
        let mut broken = gz.clone();
        broken[at] ^= 1;
        refused(&broken, &corrupt(what));
    }
    let mut broken = gz;
    broken[10] = 0xFF;
    refused(&broken, &corrupt("not deflated data"));
}

#[test]
fn a_second_gzip_member_is_refused_and_padding_is_not() {
    let gz = compress(REPORT);
    refused(&[gz.clone(), gz.clone()].concat(), &ReadError::GzipMembers);
    check(&[&gz, &b"\0\0\r\n"[..]].concat(), REPORT);
    let (opened, deviations) = unpack(&[&gz, &b"junk"[..]].concat(), &Limits::new()).unwrap();
    assert_eq!(opened, REPORT);
    assert_eq!(
        deviations.iter().next().unwrap().to_string(),
        "file has something behind it"
    );
}

#[test]
fn what_is_packed_twice_is_refused() {
    let gz = compress(REPORT);
    let zip = archive(&[Member::deflated(REPORT)]);
    for nested in [
        compress(&gz),
        compress(&zip),
        archive(&[Member::deflated(&gz)]),
        archive(&[Member::deflated(&zip)]),
        compress(&archive(&[])),
    ] {
        refused(&nested, &ReadError::Nested);
    }
}

#[test]
fn bombs_stop_at_their_bound() {
    let zeros = vec![b' '; 30_000_000];
    let gz = compress(&zeros);
    assert!(gz.len() < 40_000, "{}", gz.len());
    let ratio = ReadError::Ratio { limit: 200 };
    refused(&gz, &ratio);
    refused(&compress(&zeros[..10_000_000]), &ratio);
    refused(&archive(&[Member::deflated(&zeros[..10_000_000])]), &ratio);
    // An entry that says so is believed before anything is unpacked, and one that lies is not.
    let too_large = ReadError::TooLarge { limit: 20_000_000 };
    refused(&archive(&[Member::deflated(&zeros)]), &too_large);
    let lies = Member {
        unpacked: 1000,
        ..Member::deflated(&zeros)
    };
    refused(&archive(&[lies]), &ratio);
    // With as much padding as it takes to look fair, the other bound stops it.
    let padded = [gz, vec![0; 200_000]].concat();
    refused(&padded, &too_large);
    let limits = Limits::new().max_decompressed(100);
    assert_eq!(
        unpack(&compress(&zeros[..101]), &limits),
        Err(ReadError::TooLarge { limit: 100 })
    );
    assert_eq!(unpack(&zeros[..101], &limits), Err(ReadError::TooLarge { limit: 100 }));
    assert!(unpack(&compress(&zeros[..100]), &limits).is_ok());
    let limits = Limits::new().max_input(20);
    assert_eq!(
        unpack(&zeros[..21], &limits),
        Err(ReadError::InputTooLarge { limit: 20 })
    );
    // 64 KiB are free.
    check(&compress(&zeros[..65_536]), &zeros[..65_536]);
    refused(&compress(&zeros[..65_537]), &ratio);
}

#[test]
fn archives_hold_one_member() {
    refused(&archive(&[]), &ReadError::ZipMembers { found: 0 });
    // As in 42.zip: sixteen members, each an archive.
    let sixteen: Vec<Member> = (0..16).map(|_| Member::deflated(&archive(&[]))).collect();
    refused(&archive(&sixteen), &ReadError::ZipMembers { found: 16 });
    // An end record that counts one of two.
    let mut hidden = archive(&[Member::deflated(REPORT), Member::deflated(REPORT)]);
    let end = hidden.len();
    hidden[end - 14] = 1;
    hidden[end - 12] = 1;
    refused(&hidden, &corrupt("the directory holds more than its one entry"));
}

#[test]
fn lies_of_archives_are_refused() {
    let member = || Member::deflated(REPORT);
    let zip64 = ReadError::ZipFeature { what: "zip64" };
    refused(
        &archive(&[Member {
            packed: u32::MAX,
            ..member()
        }]),
        &zip64,
    );
    refused(
        &archive(&[Member {
            unpacked: u32::MAX,
            ..member()
        }]),
        &zip64,
    );
    let mut file = archive(&[member()]);
    let end = file.len();
    file[end - 6..end - 2].fill(0xFF);
    refused(&file, &zip64);
    let what = ReadError::ZipFeature { what: "encryption" };
    refused(&archive(&[Member { flags: 1, ..member() }]), &what);
    for method in [1, 9, 12, 14, 93, 99] {
        let what = ReadError::ZipFeature {
            what: "a method other than deflate",
        };
        refused(&archive(&[Member { method, ..member() }]), &what);
    }
    let packed = 1_000_000;
    refused(
        &archive(&[Member { packed, ..member() }]),
        &corrupt("the member does not fit into the archive"),
    );
    refused(
        &archive(&[Member { crc: 1, ..member() }]),
        &corrupt("the checksum is another"),
    );
    refused(
        &archive(&[Member {
            unpacked: 20,
            ..member()
        }]),
        &corrupt("the length is another"),
    );
    let mut file = archive(&[member()]);
    file[30] = b'z';
    refused(&file, &corrupt("the member's header contradicts its entry"));
    let mut file = archive(&[member()]);
    let end = file.len();
    file[end - 18] = 1;
    refused(
        &file,
        &ReadError::ZipFeature {
            what: "several volumes",
        },
    );
    let mut longer = member();
    longer.data.extend([0; 3]);
    longer.packed += 3;
    refused(
        &archive(&[longer]),
        &corrupt("the member is shorter than its entry says"),
    );
}

#[test]
fn archives_that_are_cut_are_refused() {
    let file = archive(&[Member::deflated(REPORT)]);
    for end in 4..file.len() {
        let cut = unpack(&file[..end], &Limits::new());
        assert!(matches!(cut, Err(ReadError::Corrupt { .. })), "{end}: {cut:?}");
    }
    // Sizes that stand in a field of zip64 in the local header only, as writers of streams have it.
    let streamed = Member {
        flags: 8,
        extra: vec![1, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ..Member::deflated(REPORT)
    };
    let mut file = archive(&[streamed]);
    file[18..26].fill(0xFF);
    check(&file, REPORT);
    // A comment behind the end record.
    let mut file = archive(&[Member::deflated(REPORT)]);
    let end = file.len();
    file[end - 2] = 5;
    file.extend(b"hello");
    check(&file, REPORT);
}

#[test]
fn charsets_are_known_by_mark_zeros_or_declaration() {
    let text = "<?xml version=\"1.0\" encoding=\"UTF-16\"?><é/>";
    let wide: Vec<u16> = text.encode_utf16().collect();
    let little: Vec<u8> = wide.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = wide.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    let limits = Limits::new();
    for octets in [
        text.as_bytes().to_vec(),
        [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
        [b"\xFF\xFE", &little[..]].concat(),
        [b"\xFE\xFF", &big[..]].concat(),
        little,
        big,
    ] {
        let mut notes = Notes::new(&limits);
        assert_eq!(to_utf8(&octets, &limits, &mut notes).unwrap(), text);
        assert!(notes.finish().is_empty());
    }
    let read = |octets: &[u8]| {
        let mut notes = Notes::new(&limits);
        let text = to_utf8(octets, &limits, &mut notes).map(Cow::into_owned);
        (text, notes.finish().total())
    };
    let latin = b"<?xml version='1.0' encoding = 'ISO-8859-1' ?><a>\xE9</a>";
    assert!(read(latin).0.unwrap().ends_with("<a>é</a>"));
    assert_eq!(read(b"<a>\xE9</a>"), (Ok("<a>\u{FFFD}</a>".to_owned()), 1));
    let name = "x-none\u{1b}".to_owned();
    let unknown = format!("<?xml version='1.0' encoding='{name}'?><a/>");
    assert_eq!(read(unknown.as_bytes()).0, Err(ReadError::Charset { name }));
    // UTF-8 takes three octets for what was one.
    let small = Limits::new().max_decompressed(60);
    let mut octets = b"<?xml version='1.0' encoding='windows-1252'?>".to_vec();
    octets.extend([0x80; 10]);
    let mut notes = Notes::new(&small);
    let read = to_utf8(&octets, &small, &mut notes);
    assert_eq!(read, Err(ReadError::TooLarge { limit: 60 }));
}
