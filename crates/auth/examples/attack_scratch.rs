#![allow(
    clippy::all,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs
)]
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use posthaste_dns::{LookupError, Record, RecordType, Txt, Zone};
use serde_json::{Value, json};
use std::io::Read;
use std::time::{Duration, UNIX_EPOCH};
fn zone(records: &Value) -> Zone {
    let mut z = Zone::new();
    for r in records.as_array().unwrap() {
        let name = r[0].as_str().unwrap();
        let kind = r[1].as_str().unwrap();
        let d = &r[2];
        if d.is_object() {
            let k = match kind {
                "TXT" => RecordType::Txt,
                "A" => RecordType::A,
                "AAAA" => RecordType::Aaaa,
                "MX" => RecordType::Mx,
                "PTR" => RecordType::Ptr,
                _ => continue,
            };
            let e = if d["fail"] == "timeout" {
                LookupError::Timeout
            } else {
                LookupError::ServFail
            };
            let _ = z.fail(name, k, e);
            continue;
        }
        let rec = match kind {
            "TXT" => Record::Txt(Txt::from_segments(
                d.as_array()
                    .unwrap()
                    .iter()
                    .map(|s| STANDARD.decode(s.as_str().unwrap()).unwrap()),
            )),
            "A" => Record::A(d.as_str().unwrap().parse().unwrap()),
            "AAAA" => Record::Aaaa(d.as_str().unwrap().parse().unwrap()),
            "MX" => Record::mx(d[0].as_u64().unwrap() as u16, d[1].as_str().unwrap()),
            "PTR" => Record::Ptr(d.as_str().unwrap().to_owned()),
            "CNAME" => Record::Cname(d.as_str().unwrap().to_owned()),
            _ => continue,
        };
        let _ = z.insert(name, rec);
    }
    z
}
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut s = String::new();
    std::io::stdin().read_to_string(&mut s).unwrap();
    let cases: Value = serde_json::from_str(&s).unwrap();
    let mut out = Vec::new();
    for c in cases.as_array().unwrap() {
        let z = zone(&c["records"]);
        let (kind, q) = c["question"].as_object().unwrap().iter().next().unwrap();
        out.push(match kind.as_str() {
            "spf" => {
                let q2 = posthaste_auth::spf::Query::new(q["ip"].as_str().unwrap().parse().unwrap(), q["helo"].as_str().unwrap(), q["mail_from"].as_str().unwrap());
                let r = posthaste_auth::spf::check_host(&q2, &z, &Default::default()).await;
                json!({"words":[r.result().to_string()], "explanation": r.explanation(), "why": format!("{:?}", r.problem().map(|p| p.to_string()))})
            }
            "dkim" => {
                let m = STANDARD.decode(q["message"].as_str().unwrap()).unwrap();
                let v = posthaste_auth::dkim::verify(&m, &z, UNIX_EPOCH + Duration::from_secs(q["now"].as_u64().unwrap())).await;
                json!({"words": v.iter().map(|v| v.result().to_string()).collect::<Vec<_>>(), "why": v.iter().map(|v| v.reason().map(|r| r.to_string())).collect::<Vec<_>>()})
            }
            "arc" => {
                let m = STANDARD.decode(q["message"].as_str().unwrap()).unwrap();
                let v = posthaste_auth::arc::validate(&m, &z, UNIX_EPOCH + Duration::from_secs(q["now"].as_u64().unwrap())).await;
                json!({"words":[v.result().to_string()], "why": v.reason().map(|r| r.to_string())})
            }
            "strip" => {
                let m = STANDARD.decode(q["message"].as_str().unwrap()).unwrap();
                json!({"out": STANDARD.encode(posthaste_auth::authres::strip(&m, q["id"].as_str().unwrap()))})
            }
            _ => json!(null) });
    }
    println!("{}", Value::from(out));
}
