//! What records cost, and flattening.

use std::{fmt::Write as _, net::IpAddr, time::Duration};

use posthaste_auth::spf::{Limits, Query, Result as SpfResult, check_host};
use posthaste_dns::{LookupError, Record, RecordType, Zone};
use posthaste_publish::spf::{Budget, Builder, Flattened, KeptReason, Mechanism, Problem, Term, flatten};
use proptest::prelude::*;

use crate::run;

const ZONE: &str = "
$ORIGIN example.net.
$TTL 600
spf      TXT  \"v=spf1 include:more.example.net mx:example.net/30 ~all\"
more 60  TXT  \"v=spf1 a:out.example.net -ip4:192.0.2.7 ip4:192.0.2.0/28 ?all\"
out      A    198.51.100.1
out      AAAA 2001:db8::1
@        MX   10 out
@        MX   20 out2
out2     A    198.51.100.9
macro    TXT  \"v=spf1 exists:%{i}.x.example.net ip4:203.0.113.1 -all\"
loop     TXT  \"v=spf1 include:loop2.example.net -all\"
loop2    TXT  \"v=spf1 include:loop.example.net -all\"
broken   TXT  \"v=spf1 ip4:300.0.0.1 -all\"
two      TXT  \"v=spf1 -all\"
two      TXT  \"v=spf1 ~all\"
none     TXT  \"hello\"
";

fn zone() -> Zone {
    let mut zone = Zone::parse(ZONE).unwrap();
    zone.fail("slow.example.net", None, LookupError::Timeout).unwrap();
    for number in 0..11 {
        zone.insert(
            "many.example.net",
            Record::mx(number, format!("mx{number}.example.net")),
        )
        .unwrap();
    }
    zone
}

fn budget(text: &str) -> Budget {
    let record = Builder::from_record(text).unwrap();
    run(Budget::of(&record, &"example.org".parse().unwrap(), &zone()))
}

fn flat(text: &str) -> Result<Flattened, Problem> {
    let record = Builder::from_record(text).unwrap();
    run(flatten(&record, &"example.org".parse().unwrap(), &zone()))
}

fn check_flat(text: &str, expected: &str) {
    assert_eq!(flat(text).unwrap().record().build().unwrap(), expected, "{text}");
}

#[test]
fn a_budget_counts_what_records_lead_to() {
    let budget = budget("v=spf1 ip4:192.0.2.1 include:spf.example.net a:nowhere.example.net -all");
    assert_eq!((budget.lookups(), budget.void_lookups()), (5, 1));
    assert!(budget.is_within() && !budget.is_cut());
    assert_eq!(
        budget.to_string(),
        "example.org: 5 of 10 lookups, 1 of 2 void\n\
         \x20  4  include:spf.example.net\n\
         \x20  2    include:more.example.net\n\
         \x20  1      a:out.example.net\n\
         \x20  1    mx:example.net/30\n\
         \x20  1  a:nowhere.example.net (1 void)\n"
    );
    let cost = &budget.costs()[1];
    assert_eq!((cost.domain(), cost.depth(), cost.lookups()), ("spf.example.net", 1, 2));
}

#[test]
fn what_no_check_reaches_costs_nothing() {
    assert_eq!(
        budget("v=spf1 -all include:spf.example.net redirect=spf.example.net").lookups(),
        0
    );
    assert_eq!(budget("v=spf1 redirect=spf.example.net").lookups(), 4);
}

#[test]
fn an_ipv6_client_may_find_less() {
    // out2 has no AAAA record.
    assert_eq!(budget("v=spf1 a:out2.example.net -all").void_lookups(), 1);
    assert_eq!(budget("v=spf1 a:out.example.net -all").void_lookups(), 0);
}

#[test]
fn what_cannot_be_counted_is_said() {
    let problem = |text: &str| {
        let budget = budget(text);
        let found = budget.costs().iter().find_map(|cost| cost.problem().cloned());
        (budget.lookups(), found)
    };
    let domain = |name: &str| name.to_owned();
    assert_eq!(
        problem("v=spf1 include:%{d}.x.example.net ptr exists:%{i}.x.example").1,
        None
    );
    assert_eq!(problem("v=spf1 include:loop.example.net"), (3, Some(Problem::Lookups)));
    let none = Problem::NoRecord {
        domain: domain("none.example.net"),
    };
    assert_eq!(problem("v=spf1 include:none.example.net"), (1, Some(none)));
    let two = Problem::SeveralRecords {
        domain: domain("two.example.net"),
    };
    assert_eq!(problem("v=spf1 include:two.example.net"), (1, Some(two)));
    assert!(matches!(
        problem("v=spf1 redirect=broken.example.net").1,
        Some(Problem::Record { .. })
    ));
    assert!(matches!(
        problem("v=spf1 mx:many.example.net").1,
        Some(Problem::Exchangers { .. })
    ));
    assert!(matches!(
        problem("v=spf1 a:slow.example.net").1,
        Some(Problem::Lookup { .. })
    ));
}

#[test]
fn counting_ends() {
    // Each record includes all others: 12! ways.
    let mut zone = Zone::new();
    for number in 0..12 {
        let includes: String = (0..12).map(|other| format!(" include:d{other}.example")).collect();
        zone.insert(
            &format!("d{number}.example"),
            Record::txt(format!("v=spf1{includes} -all")),
        )
        .unwrap();
    }
    let record = Builder::new().include("d0.example");
    let domain = "example.org".parse().unwrap();
    let budget = run(Budget::of(&record, &domain, &zone));
    assert!(budget.is_cut() && !budget.is_within());
    assert!(zone.queries() <= 200, "{}", zone.queries());
    assert_eq!(run(flatten(&record, &domain, &zone)), Err(Problem::Lookups));
    assert!(zone.queries() <= 400, "{}", zone.queries());
}

#[test]
fn names_become_networks() {
    check_flat("v=spf1 ip4:192.0.2.1 ~all", "v=spf1 ip4:192.0.2.1 ~all");
    check_flat(
        "v=spf1 ip4:192.0.2.1/24 ip4:192.0.2.7 ?all",
        "v=spf1 ip4:192.0.2.0/24 ?all",
    );
    check_flat(
        "v=spf1 a:out.example.net/24//64",
        "v=spf1 ip4:198.51.100.0/24 ip6:2001:db8::/64",
    );
    check_flat(
        "v=spf1 mx:example.net -all",
        "v=spf1 ip4:198.51.100.1 ip4:198.51.100.9 ip6:2001:db8::1 -all",
    );
    check_flat("v=spf1 a:nowhere.example.net mx -all", "v=spf1 -all");
    check_flat("v=spf1 x=y exp=w.example.org -all", "v=spf1 -all exp=w.example.org x=y");
}

#[test]
fn an_include_stands_for_what_it_passes() {
    // 192.0.2.7 is refused in there, and is not in the copy.
    check_flat(
        "v=spf1 include:more.example.net -all",
        "v=spf1 ip4:192.0.2.0/30 ip4:192.0.2.4/31 ip4:192.0.2.6 ip4:192.0.2.8/29 ip4:198.51.100.1 ip6:2001:db8::1 -all",
    );
    check_flat(
        "v=spf1 -include:more.example.net +all",
        "v=spf1 -ip4:192.0.2.0/30 -ip4:192.0.2.4/31 -ip4:192.0.2.6 -ip4:192.0.2.8/29 -ip4:198.51.100.1 -ip6:2001:db8::1 all",
    );
    check_flat(
        "v=spf1 ~ip4:192.0.2.0/24 a:out.example.net redirect=more.example.net",
        "v=spf1 ~ip4:192.0.2.0/24 ip4:198.51.100.1 ip6:2001:db8::1 ?all",
    );
}

#[test]
fn what_cannot_be_replaced_is_kept() {
    let text = "v=spf1 exists:%{i}.x.example ptr a:%{d}.example mx:%{d}.example include:macro.example.net \
                include:%{d}.example a:out2.example.net redirect=macro.example.net";
    let flat = flat(text).unwrap();
    assert_eq!(
        flat.record().build().unwrap(),
        text.replace("a:out2.example.net", "ip4:198.51.100.9")
    );
    let reasons: Vec<KeptReason> = flat.kept().iter().map(|kept| kept.reason()).collect();
    assert_eq!(
        reasons,
        [
            KeptReason::Exists,
            KeptReason::Ptr,
            KeptReason::Macros,
            KeptReason::Macros,
            KeptReason::Contains,
            KeptReason::Macros,
            KeptReason::Contains
        ]
    );
    assert_eq!(flat.kept()[1].to_string(), "`ptr` is kept: it is a `ptr`");
    assert!(matches!(flat.kept()[6].term(), Term::Redirect(target) if target == "macro.example.net"));
}

#[test]
fn half_a_record_is_not_copied() {
    assert!(matches!(
        flat("v=spf1 a:slow.example.net -all"),
        Err(Problem::Lookup { .. })
    ));
    assert!(matches!(
        flat("v=spf1 include:slow.example.net"),
        Err(Problem::Lookup { .. })
    ));
    assert!(matches!(
        flat("v=spf1 include:none.example.net"),
        Err(Problem::NoRecord { .. })
    ));
    assert!(matches!(
        flat("v=spf1 redirect=gone.example.net"),
        Err(Problem::NoRecord { .. })
    ));
    assert!(matches!(
        flat("v=spf1 include:broken.example.net"),
        Err(Problem::Record { .. })
    ));
    assert!(matches!(
        flat("v=spf1 mx:many.example.net"),
        Err(Problem::Exchangers { .. })
    ));
    assert_eq!(flat("v=spf1 include:loop.example.net"), Err(Problem::Lookups));
}

#[test]
fn a_copy_is_good_for_the_shortest_time_to_live() {
    assert_eq!(flat("v=spf1 ip4:192.0.2.1").unwrap().ttl(), Duration::MAX);
    assert_eq!(
        flat("v=spf1 a:out.example.net").unwrap().ttl(),
        Duration::from_secs(600)
    );
    assert_eq!(
        flat("v=spf1 include:spf.example.net").unwrap().ttl(),
        Duration::from_secs(60)
    );
}

#[test]
fn an_include_of_too_many_networks_is_kept() {
    let mut zone = Zone::new();
    let mut text = "v=spf1".to_owned();
    for number in 0..1100_u32 {
        write!(text, " ip4:10.{}.{}.1", number / 200, number % 200).unwrap();
    }
    zone.insert("huge.example", Record::txt(text)).unwrap();
    let record = Builder::new().include("huge.example");
    let flat = run(flatten(&record, &"example.org".parse().unwrap(), &zone)).unwrap();
    assert_eq!(flat.record(), &record);
    assert_eq!(flat.kept()[0].reason(), KeptReason::Networks);
}

#[test]
fn long_records_are_cut() {
    let mut record = Builder::new().a_of("out.example.net");
    for number in 0..60 {
        record = record.ip4([10, 0, number * 2, 1].into(), 32);
    }
    let record = record.pass(Mechanism::Ptr(None));
    let flat = run(flatten(&record, &"example.org".parse().unwrap(), &zone())).unwrap();
    assert_eq!(
        flat.record().build().unwrap(),
        "v=spf1 include:_spf1.example.org include:_spf2.example.org include:_spf3.example.org ptr"
    );
    assert_eq!(flat.parts()[0].0, "_spf1.example.org");
    for (name, part) in flat.parts() {
        let text = part.build().unwrap();
        assert!(text.len() <= Flattened::MAX_OCTETS, "{name}: {}", text.len());
        assert!(text.ends_with(" -all"), "{text}");
    }
}

/// What a generated record has in it.
#[derive(Clone, Debug)]
enum Part {
    Ip4(u8, u8),
    Ip6(u8, u8),
    A(u8, u8),
    Mx(u8),
    Include(usize),
    Exists(bool),
    Many(u8),
    All,
}

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![
        3 => (0_u8..64, 26_u8..=32).prop_map(|(last, prefix)| Part::Ip4(last, prefix)),
        2 => (0_u8..64, 122_u8..=128).prop_map(|(last, prefix)| Part::Ip6(last, prefix)),
        3 => (0_u8..6, 28_u8..=32).prop_map(|(host, prefix)| Part::A(host, prefix)),
        2 => (0_u8..3).prop_map(Part::Mx),
        4 => (1_usize..4).prop_map(Part::Include),
        1 => any::<bool>().prop_map(Part::Exists),
        1 => (20_u8..60).prop_map(Part::Many),
        1 => Just(Part::All),
    ]
}

type Plan = (Vec<(usize, Part)>, Option<usize>);

/// The text of record number `own`: it leads only to those behind it, so that there is no loop.
fn text(own: usize, (parts, redirect): &Plan) -> String {
    let behind = |step: &usize| (own + step).min(4);
    let mut text = "v=spf1".to_owned();
    for (sign, part) in parts {
        let sign = ["", "-", "~", "?"][*sign];
        match part {
            Part::Ip4(last, prefix) => write!(text, " {sign}ip4:10.0.0.{last}/{prefix}"),
            Part::Ip6(last, prefix) => write!(text, " {sign}ip6:2001:db8::{last:x}/{prefix}"),
            Part::A(host, prefix) => write!(text, " {sign}a:h{host}.example/{prefix}//{}", prefix + 96),
            Part::Mx(domain) => write!(text, " {sign}mx:m{domain}.example"),
            Part::Include(step) => write!(text, " {sign}include:d{}.example", behind(step)),
            Part::Exists(there) => write!(text, " {sign}exists:{}.example", if *there { "h0" } else { "gone" }),
            Part::Many(count) => (0..*count).try_for_each(|last| write!(text, " {sign}ip4:10.0.1.{}", last * 2)),
            Part::All => write!(text, " {sign}all"),
        }
        .unwrap();
    }
    if let Some(step) = redirect {
        write!(text, " redirect=d{}.example", behind(step)).unwrap();
    }
    text
}

fn generated(plans: &[Plan]) -> Zone {
    let mut zone = Zone::new();
    for (own, plan) in plans.iter().enumerate() {
        zone.insert(&format!("d{own}.example"), Record::txt(text(own, plan)))
            .unwrap();
    }
    zone.insert("d4.example", Record::txt("v=spf1 ip4:10.0.0.60/30 -all"))
        .unwrap();
    for host in 0..5_u8 {
        let name = format!("h{host}.example");
        zone.insert(&name, Record::A([10, 0, 0, host * 9].into())).unwrap();
        if host % 2 == 0 {
            let address = format!("2001:db8::{:x}", host * 7).parse().unwrap();
            zone.insert(&name, Record::Aaaa(address)).unwrap();
        }
        zone.insert(&format!("m{}.example", host % 2), Record::mx(host.into(), name))
            .unwrap();
    }
    zone
}

fn results(zone: &Zone) -> Vec<SpfResult> {
    let limits = Limits::default().lookups(255).void_lookups(255).names(255);
    let v4 = (0..128_u8).map(|last| IpAddr::from([10, 0, last / 64, last % 64]));
    let v6 = (0..64_u16).map(|last| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last]));
    let outside = ["192.0.2.1".parse().unwrap(), "2001:db8:1::1".parse().unwrap()];
    run(async {
        let mut results = Vec::new();
        for ip in v4.chain(v6).chain(outside) {
            let query = Query::new(ip, "mail.example", "ada@d0.example");
            results.push(check_host(&query, zone, &limits).await.result());
        }
        results
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Whatever was allowed or refused before is so after, by the same result.
    #[test]
    fn a_flattened_record_gives_the_same_results(
        plans in prop::collection::vec(
            (prop::collection::vec((0_usize..4, part()), 0..6), proptest::option::of(1_usize..4)),
            4,
        ),
    ) {
        let zone = generated(&plans);
        let before = results(&zone);
        prop_assert!(!before.contains(&SpfResult::PermError), "{}", zone);

        let domain = "d0.example".parse().unwrap();
        let record = Builder::from_record(&text(0, &plans[0])).unwrap();
        let flat = match run(flatten(&record, &domain, &zone)) {
            // Four records that each lead to each other many times.
            Err(Problem::Lookups) => return Ok(()),
            flat => flat.unwrap(),
        };
        let mut after = Zone::new();
        for (name, record) in zone.records() {
            if name != "d0.example" {
                after.insert(name, record.clone()).unwrap();
            }
        }
        after.insert("d0.example", Record::txt(flat.record().build().unwrap())).unwrap();
        for (name, part) in flat.parts() {
            after.insert(name, Record::txt(part.build().unwrap())).unwrap();
        }
        prop_assert_eq!(results(&after), before, "{}\nbecame {}", zone, after.answer("d0.example", RecordType::Txt).unwrap().txt().next().unwrap().to_text());

        if flat.kept().is_empty() {
            let asks = |term: &&Term| term.asks_dns();
            prop_assert_eq!(flat.record().terms().iter().filter(asks).count(), flat.parts().len());
        }
    }
}
