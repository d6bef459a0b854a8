//! What campaigns sign verifies.

use posthaste_auth::dkim::{Canonicalization, DkimResult, Signer, SigningKey, verify};
use posthaste_campaign::{CampaignBuilder, Entry};
use posthaste_dns::Zone;
use posthaste_mime::MessageBuilder;

use crate::{campaign, constant, entry, now, pdf};

fn signer(body: Canonicalization) -> (Signer, Zone) {
    let rsa = SigningKey::generate_rsa_2048().unwrap();
    let ed25519 = SigningKey::generate_ed25519().unwrap();
    let record = rsa.dns_record();
    let (first, rest) = record.split_at(200);
    let zone = format!(
        "rsa._domainkey.example.org. TXT \"{first}\" \"{rest}\"\ned._domainkey.example.org. TXT \"{}\"\n",
        ed25519.dns_record()
    );
    let signer = Signer::builder("example.org".parse().unwrap())
        .key("rsa".parse().unwrap(), rsa)
        .key("ed".parse().unwrap(), ed25519)
        .canonicalization(Canonicalization::Relaxed, body)
        .build()
        .unwrap();
    (signer, Zone::parse(&zone).unwrap())
}

async fn check(campaign: CampaignBuilder, entry: &Entry) {
    for body in [Canonicalization::Relaxed, Canonicalization::Simple] {
        let (signer, zone) = signer(body);
        let campaign = campaign.clone().signer(signer).prepare().unwrap();
        let mail = campaign.render(entry).unwrap();
        assert!(mail.message().is_none(), "nothing may be changed any more");
        let bytes = mail.rope().to_bytes().unwrap();
        let verdicts = verify(&bytes, &zone, now()).await;
        let results: Vec<_> = verdicts.iter().map(|verdict| verdict.result()).collect();
        assert_eq!(results, [DkimResult::Pass, DkimResult::Pass], "{verdicts:?}");
    }
}

#[tokio::test]
async fn every_signature_verifies() {
    check(campaign(), &entry(1)).await;
    check(campaign(), &entry(1).attach(pdf("own.pdf", 5000))).await;
    check(campaign().message(constant().attachments_first()), &entry(1)).await;
    let own = entry(1).attach(pdf("own.pdf", 5000));
    check(campaign().message(constant().attachments_first()), &own).await;
}

#[tokio::test]
async fn attachments_of_any_length_verify() {
    for len in [0, 1, 2, 3, 56, 57, 58, 114, 10_000] {
        let plain = |message: MessageBuilder| campaign().message(message.attach(pdf("more.pdf", len)));
        check(plain(constant()), &entry(len)).await;
        check(plain(constant().attachments_first()), &entry(len)).await;
    }
}
