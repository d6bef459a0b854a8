use std::collections::BTreeMap;
use std::sync::Mutex;

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

use super::*;
use crate::testing::mail;
use crate::{Disposition, ErrorKind, MemoryTransport, Scripted, TransportExt};

/// Keeps the sum of all that is recorded under a name and its labels.
#[derive(Clone, Debug, Default)]
struct Figures(Arc<Mutex<BTreeMap<String, f64>>>);

#[derive(Debug)]
struct Figure {
    key: String,
    all: Figures,
}

impl Figure {
    fn add(&self, value: f64) {
        *self.all.0.lock().unwrap().entry(self.key.clone()).or_default() += value;
    }
}

impl CounterFn for Figure {
    fn increment(&self, value: u64) {
        self.add(value as f64);
    }

    fn absolute(&self, value: u64) {
        self.add(value as f64);
    }
}

impl GaugeFn for Figure {
    fn increment(&self, value: f64) {
        self.add(value);
    }

    fn decrement(&self, value: f64) {
        self.add(-value);
    }

    fn set(&self, value: f64) {
        self.add(value);
    }
}

impl HistogramFn for Figure {
    fn record(&self, _: f64) {
        self.add(1.0);
    }
}

impl Figures {
    fn of(&self, key: &Key) -> Arc<Figure> {
        let labels: Vec<String> = key
            .labels()
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        Arc::new(Figure {
            key: format!("{}{{{}}}", key.name(), labels.join(",")),
            all: self.clone(),
        })
    }
}

impl Recorder for Figures {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.of(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.of(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.of(key))
    }
}

#[test]
fn sends_are_counted_by_what_became_of_them() {
    let figures = Figures::default();
    metrics::with_local_recorder(&figures, || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        let memory = MemoryTransport::new();
        let transport = memory.clone().layer(Measure::new());
        let mail = mail(&["bob@example.net", "zoe@example.net"]);
        runtime.block_on(async {
            assert!(transport.send(&mail, &SendOptions::new()).await.is_ok());
            memory.answer(Scripted::LoseAnswer);
            assert!(transport.send(&mail, &SendOptions::new()).await.is_err());
            memory.answer(Scripted::Fail(SendError::new(
                ErrorKind::Throttled,
                Disposition::NotAccepted,
            )));
            assert!(transport.send(&mail, &SendOptions::new()).await.is_err());
        });
    });
    let figures = figures.0.lock().unwrap();
    let of = |key: &str| figures.get(key).copied();
    assert_eq!(of("posthaste.send.active{transport=memory}"), Some(0.0));
    assert_eq!(of("posthaste.send.duration{transport=memory,outcome=ok}"), Some(1.0));
    assert_eq!(
        of("posthaste.send.duration{transport=memory,outcome=not_accepted,error.type=throttled}"),
        Some(1.0)
    );
    assert_eq!(
        of("posthaste.send.recipients{transport=memory,fate=accepted}"),
        Some(2.0)
    );
    assert_eq!(
        of("posthaste.send.recipients{transport=memory,fate=unknown}"),
        Some(2.0)
    );
    assert_eq!(
        of("posthaste.send.recipients{transport=memory,fate=refused}"),
        Some(2.0)
    );
    assert!(!figures.keys().any(|key| key.contains("example")), "{figures:?}");
}
