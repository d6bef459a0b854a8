//! What every list must do, as sentences. Each case gets a list that is empty.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use posthaste_address::EmailAddress;
use posthaste_suppression::{
    Cursor, Entry, Filter, Lookup, Reason, Reasons, Scope, SuppressionList, SuppressionListExt,
};

pub(crate) type List = Arc<dyn SuppressionList>;

/// Hands the names of all cases to a macro: `$macro! { $list: name name ... }`.
macro_rules! each {
    ($macro:ident $list:path) => {
        $macro! { $list:
            what_was_put_is_found_again
            an_empty_list_answers_for_every_address
            answers_come_in_the_order_of_the_addresses
            addresses_are_compared_without_regard_to_case
            u_labels_and_a_labels_are_one
            an_entry_that_expired_counts_for_nothing
            scopes_do_not_imply_each_other
            only_the_reasons_asked_about_count
            the_weightiest_reason_is_told
            a_second_put_takes_the_place_of_the_first
            reasons_do_not_overwrite_each_other
            the_last_of_two_in_one_call_stays
            nothing_is_put_asked_and_removed_at_once
            removing_takes_one_scope_and_the_reasons_named
            a_list_is_read_in_pages
            a_filter_lets_through_what_it_says
            a_cursor_goes_on_though_its_entry_is_gone
            what_expired_is_forgotten_when_told
            odd_text_comes_back_as_it_went_in
            many_addresses_are_found_in_one_call
            a_batch_of_thousands_is_put_and_removed
            many_write_at_once
        }
    };
}

pub(crate) use each;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
}

fn address(text: &str) -> EmailAddress {
    text.parse().unwrap()
}

fn scope(name: &str) -> Scope {
    Scope::named(name).unwrap()
}

fn bounce(text: &str) -> Entry {
    Entry::new(address(text), Reason::Bounce, at(0))
}

/// What stands against an address for all mail, or in the scope named.
async fn found(list: &List, text: &str, name: Option<&str>) -> Option<Reason> {
    let scopes: Vec<Scope> = name.into_iter().map(scope).collect();
    let entry = list.find_one(&address(text), &scopes, at(100)).await.unwrap();
    entry.map(|entry| entry.reason())
}

async fn all(list: &List, filter: Filter) -> Vec<String> {
    let page = list.list(&filter).await.unwrap();
    page.entries
        .iter()
        .map(|entry| format!("{} {}{}", entry.address(), entry.scope().as_str(), entry.reason()))
        .collect()
}

pub(crate) async fn what_was_put_is_found_again(list: List) {
    let entry = Entry::new(
        address("Bob@example.net"),
        Reason::Complaint,
        at(1) + Duration::from_micros(7),
    )
    .with_scope(scope("news"))
    .with_expiry(at(200))
    .with_source("ses")
    .with_detail("abuse, \"so they say\"");
    list.put(std::slice::from_ref(&entry)).await.unwrap();
    let again = list
        .find_one(&address("Bob@example.net"), &[scope("news")], at(2))
        .await
        .unwrap();
    assert_eq!(again, Some(entry));
}

pub(crate) async fn an_empty_list_answers_for_every_address(list: List) {
    let (one, two) = (address("a@example.org"), address("b@example.org"));
    let addresses = [&one, &two, &one];
    assert_eq!(
        list.find(&Lookup::new(&addresses, at(0))).await.unwrap(),
        [None, None, None]
    );
    assert_eq!(list.list(&Filter::default()).await.unwrap().entries, []);
}

pub(crate) async fn answers_come_in_the_order_of_the_addresses(list: List) {
    list.put(&[bounce("c@example.org"), bounce("a@example.org")])
        .await
        .unwrap();
    let own = ["a@example.org", "b@example.org", "c@example.org", "A@example.org"].map(address);
    let addresses: Vec<&EmailAddress> = own.iter().collect();
    let found = list.find(&Lookup::new(&addresses, at(0))).await.unwrap();
    let local: Vec<Option<&str>> = found
        .iter()
        .map(|entry| entry.as_ref().map(|entry| entry.address().local_part()))
        .collect();
    assert_eq!(local, [Some("a"), None, Some("c"), Some("a")]);
}

pub(crate) async fn addresses_are_compared_without_regard_to_case(list: List) {
    list.put(&[bounce("Bob@Example.NET"), bounce("JÜRGEN@example.org")])
        .await
        .unwrap();
    assert_eq!(found(&list, "bOB@eXAMPLE.net", None).await, Some(Reason::Bounce));
    assert_eq!(found(&list, "jürgen@EXAMPLE.org", None).await, Some(Reason::Bounce));
    assert_eq!(found(&list, "bob+x@example.net", None).await, None);
}

pub(crate) async fn u_labels_and_a_labels_are_one(list: List) {
    list.put(&[bounce("bob@BÜCHER.example")]).await.unwrap();
    assert_eq!(
        found(&list, "bob@xn--bcher-kva.example", None).await,
        Some(Reason::Bounce)
    );
}

pub(crate) async fn an_entry_that_expired_counts_for_nothing(list: List) {
    list.put(&[bounce("bob@example.net").with_expiry(at(100))])
        .await
        .unwrap();
    let bob = address("bob@example.net");
    assert!(list.find_one(&bob, &[], at(99)).await.unwrap().is_some());
    assert!(list.find_one(&bob, &[], at(100)).await.unwrap().is_none());
}

pub(crate) async fn scopes_do_not_imply_each_other(list: List) {
    list.put(&[
        bounce("all@example.net"),
        bounce("one@example.net").with_scope(scope("one")),
        bounce("two@example.net").with_scope(scope("two")),
    ])
    .await
    .unwrap();
    assert_eq!(found(&list, "all@example.net", Some("one")).await, Some(Reason::Bounce));
    assert_eq!(found(&list, "one@example.net", Some("one")).await, Some(Reason::Bounce));
    assert_eq!(found(&list, "two@example.net", Some("one")).await, None);
    assert_eq!(found(&list, "one@example.net", None).await, None);
    assert_eq!(found(&list, "one@example.net", Some("ONE")).await, None);
    let everybody = ["all@example.net", "one@example.net", "two@example.net"].map(address);
    let addresses: Vec<&EmailAddress> = everybody.iter().collect();
    let lookup = Lookup::new(&addresses, at(0)).in_scopes([scope("two"), scope("one")]);
    let count = |found: Vec<Option<Entry>>| found.iter().flatten().count();
    assert_eq!(count(list.find(&lookup).await.unwrap()), 3);
    assert_eq!(count(list.find(&lookup.without_global()).await.unwrap()), 2);
    let nowhere = Lookup::new(&addresses, at(0)).without_global();
    assert_eq!(list.find(&nowhere).await.unwrap(), [None, None, None]);
}

pub(crate) async fn only_the_reasons_asked_about_count(list: List) {
    list.put(&[bounce("bob@example.net")]).await.unwrap();
    let bob = address("bob@example.net");
    let addresses = [&bob];
    for (reasons, finds) in [
        (Reasons::all(), true),
        (Reasons::from(Reason::Bounce), true),
        (Reasons::all().without(Reason::Bounce), false),
        (Reasons::none(), false),
    ] {
        let lookup = Lookup::new(&addresses, at(0)).for_reasons(reasons);
        assert_eq!(list.find(&lookup).await.unwrap()[0].is_some(), finds, "{reasons:?}");
    }
}

pub(crate) async fn the_weightiest_reason_is_told(list: List) {
    let entry = |reason| Entry::new(address("bob@example.net"), reason, at(0));
    list.put(&Reason::ALL.map(entry)).await.unwrap();
    let bob = address("bob@example.net");
    for reason in [
        Reason::Complaint,
        Reason::Unsubscribe,
        Reason::Manual,
        Reason::Bounce,
        Reason::Invalid,
    ] {
        assert_eq!(found(&list, "bob@example.net", None).await, Some(reason));
        let bobs = [bob.clone()];
        assert_eq!(list.remove(&bobs, &Scope::global(), reason.into()).await.unwrap(), 1);
    }
    list.put(&[
        bounce("bob@example.net"),
        bounce("bob@example.net").with_scope(scope("a")),
    ])
    .await
    .unwrap();
    let told = list.find_one(&bob, &[scope("a")], at(0)).await.unwrap().unwrap();
    assert!(told.scope().is_global());
}

pub(crate) async fn a_second_put_takes_the_place_of_the_first(list: List) {
    list.put(&[bounce("bob@example.net").with_detail("first").with_expiry(at(200))])
        .await
        .unwrap();
    list.put(&[bounce("BOB@example.net").with_detail("second")])
        .await
        .unwrap();
    let bob = list
        .find_one(&address("bob@example.net"), &[], at(0))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (bob.detail(), bob.expiry(), bob.address().local_part()),
        ("second", None, "BOB")
    );
    assert_eq!(all(&list, Filter::default()).await.len(), 1);
}

pub(crate) async fn reasons_do_not_overwrite_each_other(list: List) {
    let complaint = Entry::new(address("bob@example.net"), Reason::Complaint, at(0));
    list.put(&[complaint]).await.unwrap();
    list.put(&[bounce("bob@example.net").with_expiry(at(50))])
        .await
        .unwrap();
    assert_eq!(found(&list, "bob@example.net", None).await, Some(Reason::Complaint));
    assert_eq!(all(&list, Filter::default()).await.len(), 2);
}

pub(crate) async fn the_last_of_two_in_one_call_stays(list: List) {
    let entry = |detail| bounce("bob@example.net").with_detail(detail);
    list.put(&[entry("first"), bounce("ada@example.org"), entry("second")])
        .await
        .unwrap();
    let bob = list
        .find_one(&address("bob@example.net"), &[], at(0))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(bob.detail(), "second");
    assert_eq!(all(&list, Filter::default()).await.len(), 2);
}

pub(crate) async fn nothing_is_put_asked_and_removed_at_once(list: List) {
    list.put(&[]).await.unwrap();
    assert_eq!(list.find(&Lookup::new(&[], at(0))).await.unwrap(), []);
    assert_eq!(list.remove(&[], &Scope::global(), Reasons::all()).await.unwrap(), 0);
    list.put(&[bounce("bob@example.net")]).await.unwrap();
    let bob = [address("bob@example.net")];
    assert_eq!(list.remove(&bob, &Scope::global(), Reasons::none()).await.unwrap(), 0);
}

pub(crate) async fn removing_takes_one_scope_and_the_reasons_named(list: List) {
    let complaint = Entry::new(address("bob@example.net"), Reason::Complaint, at(0));
    list.put(&[
        complaint,
        bounce("bob@example.net"),
        bounce("bob@example.net").with_scope(scope("news")),
        bounce("zoe@example.net"),
    ])
    .await
    .unwrap();
    let gone = ["BOB@example.net", "nobody@example.net"].map(address);
    assert_eq!(
        list.remove(&gone, &Scope::global(), Reason::Bounce.into())
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        all(&list, Filter::default()).await,
        [
            "bob@example.net complaint",
            "bob@example.net newsbounce",
            "zoe@example.net bounce"
        ]
    );
    assert_eq!(list.remove(&gone, &Scope::global(), Reasons::all()).await.unwrap(), 1);
    assert_eq!(list.remove(&gone, &scope("news"), Reasons::all()).await.unwrap(), 1);
    assert_eq!(all(&list, Filter::default()).await, ["zoe@example.net bounce"]);
}

pub(crate) async fn a_list_is_read_in_pages(list: List) {
    let entries: Vec<Entry> = (0..25).map(|n| bounce(&format!("user{n:02}@example.net"))).collect();
    list.put(&entries).await.unwrap();
    // `Z` sorts before letters in lower case, and `-` before `.`: the order is that of octets.
    list.put(&[
        bounce("user-1@example.net"),
        bounce("user.1@example.net"),
        bounce("Zoe@example.net"),
    ])
    .await
    .unwrap();
    let mut seen = Vec::new();
    let mut pages = 0;
    let mut filter = Filter::default().with_limit(7);
    loop {
        let page = list.list(&filter).await.unwrap();
        pages += 1;
        seen.extend(page.entries.iter().map(|entry| entry.address().to_string()));
        let Some(next) = page.next else { break };
        assert_eq!(page.entries.len(), 7);
        // As a caller gets it back from a URL.
        filter = filter.after(next.to_string().parse().unwrap());
    }
    assert_eq!(
        (seen.len(), pages),
        (28, 4),
        "four full pages, and no empty one behind them"
    );
    assert_eq!(
        seen[..3],
        ["user-1@example.net", "user.1@example.net", "user00@example.net"]
    );
    assert_eq!(seen[27], "Zoe@example.net");
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 28);
}

pub(crate) async fn a_filter_lets_through_what_it_says(list: List) {
    let entry = |text, reason, seconds| Entry::new(address(text), reason, at(seconds));
    list.put(&[
        entry("a@example.net", Reason::Bounce, 10),
        entry("b@example.net", Reason::Complaint, 20).with_expiry(at(30)),
        entry("c@example.net", Reason::Manual, 30).with_scope(scope("x")),
    ])
    .await
    .unwrap();
    let check = async |filter: Filter, expected: &[&str]| {
        assert_eq!(all(&list, filter.clone()).await, expected, "{filter:?}");
    };
    let (a, b, c) = (
        "a@example.net bounce",
        "b@example.net complaint",
        "c@example.net xmanual",
    );
    check(Filter::default(), &[a, b, c]).await;
    check(Filter::default().in_scope(scope("x")), &[c]).await;
    check(Filter::default().in_scope(Scope::global()), &[a, b]).await;
    check(Filter::default().for_reasons([Reason::Bounce, Reason::Manual]), &[a, c]).await;
    check(Filter::default().for_reasons(Reasons::none()), &[]).await;
    check(Filter::default().created_from(at(20)), &[b, c]).await;
    check(Filter::default().created_before(at(20)), &[a]).await;
    check(Filter::default().created_from(at(15)).created_before(at(25)), &[b]).await;
    check(Filter::default().active_at(at(29)), &[a, b, c]).await;
    check(Filter::default().active_at(at(30)), &[a, c]).await;
    check(Filter::default().with_limit(0), &[a]).await;
}

pub(crate) async fn a_cursor_goes_on_though_its_entry_is_gone(list: List) {
    let texts = ["a@example.net", "b@example.net", "c@example.net"];
    list.put(&texts.map(bounce)).await.unwrap();
    let page = list.list(&Filter::default().with_limit(2)).await.unwrap();
    let bobs = [address("b@example.net")];
    list.remove(&bobs, &Scope::global(), Reasons::all()).await.unwrap();
    let rest = Filter::default().after(page.next.unwrap());
    assert_eq!(all(&list, rest).await, ["c@example.net bounce"]);
    let made = Cursor::new("a@example.net".parse().unwrap(), Scope::global(), Reason::Unsubscribe);
    assert_eq!(
        all(&list, Filter::default().after(made)).await,
        ["c@example.net bounce"]
    );
}

pub(crate) async fn what_expired_is_forgotten_when_told(list: List) {
    list.put(&[
        bounce("a@example.net").with_expiry(at(10)),
        bounce("b@example.net").with_expiry(at(11)),
        bounce("c@example.net"),
    ])
    .await
    .unwrap();
    assert_eq!(list.remove_expired(at(9)).await.unwrap(), 0);
    assert_eq!(list.remove_expired(at(10)).await.unwrap(), 1);
    assert_eq!(
        all(&list, Filter::default()).await,
        ["b@example.net bounce", "c@example.net bounce"]
    );
}

pub(crate) async fn odd_text_comes_back_as_it_went_in(list: List) {
    let literal = posthaste_address::ParseOptions::default().domain_literals(true);
    let entries = [
        Entry::new(
            EmailAddress::parse_with("root@[192.0.2.1]", &literal).unwrap(),
            Reason::Manual,
            SystemTime::UNIX_EPOCH,
        ),
        bounce(r#""a'; drop table x; --\"\\ %_"@example.net"#)
            .with_scope(scope("it's \"odd\", 100%_ü😀{}\\"))
            .with_source("\u{0}'\"\\")
            .with_detail("=1+1,\t\u{7f}x\u{2028}"),
    ];
    list.put(&entries).await.unwrap();
    let mut back = list.list(&Filter::default()).await.unwrap().entries;
    back.sort_by_key(Entry::created);
    assert_eq!(back, entries);
    for entry in &entries {
        let again = list
            .find_one(entry.address(), std::slice::from_ref(entry.scope()), at(0))
            .await
            .unwrap();
        assert_eq!(again.as_ref(), Some(entry));
    }
}

pub(crate) async fn many_addresses_are_found_in_one_call(list: List) {
    let even: Vec<Entry> = (0..1000)
        .step_by(2)
        .map(|n| bounce(&format!("u{n}@example.net")))
        .collect();
    list.put(&even).await.unwrap();
    let own: Vec<EmailAddress> = (0..1000).map(|n| address(&format!("U{n}@example.net"))).collect();
    let addresses: Vec<&EmailAddress> = own.iter().collect();
    let found = list.find(&Lookup::new(&addresses, at(0))).await.unwrap();
    assert_eq!(found.len(), 1000);
    for (n, entry) in found.iter().enumerate() {
        assert_eq!(entry.is_some(), n % 2 == 0, "{n}");
    }
}

pub(crate) async fn a_batch_of_thousands_is_put_and_removed(list: List) {
    let own: Vec<EmailAddress> = (0..5000).map(|n| address(&format!("u{n}@example.net"))).collect();
    let entries: Vec<Entry> = own
        .iter()
        .map(|own| Entry::new(own.clone(), Reason::Manual, at(0)))
        .collect();
    list.put(&entries).await.unwrap();
    let page = list
        .list(&Filter::default().with_limit(Filter::MAX_LIMIT))
        .await
        .unwrap();
    assert_eq!((page.entries.len(), page.next), (5000, None));
    assert_eq!(
        list.remove(&own, &Scope::global(), Reason::Manual.into())
            .await
            .unwrap(),
        5000
    );
}

pub(crate) async fn many_write_at_once(list: List) {
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let list = Arc::clone(&list);
            tokio::spawn(async move {
                for n in 0..10 {
                    // Opposite orders of the same addresses: what locks row by row must not wait for itself.
                    let mut entries = ["a@example.net", "b@example.net"].map(bounce);
                    if (task + n) % 2 == 0 {
                        entries.reverse();
                    }
                    list.put(&entries).await.unwrap();
                    let own = [bounce(&format!("u{task}-{n}@example.net"))];
                    list.put(&own).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(all(&list, Filter::default()).await.len(), 82);
}
