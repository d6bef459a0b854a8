//! A large attachment is read while it is sent, and never held.

use std::io::{self, Read};

use posthaste_mime::{Attachment, ContentType, Source};
use posthaste_transport::{Feature, Outbound, SendOptions, Transport};

use crate::fake::{Fake, block_on};
use crate::mail;
use crate::samples;

#[derive(Debug)]
struct Zeros(u64);

impl Source for Zeros {
    fn len(&self) -> u64 {
        self.0
    }

    fn open(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(io::repeat(0).take(self.0)))
    }
}

#[test]
fn a_streamed_attachment_stays_streamed() {
    const SIZE: u64 = 1_000_000;
    for sample in samples::all() {
        let fake = Fake::new(sample);
        let transport = fake.transport();
        if !transport.info().capabilities().supports(Feature::Attachments) {
            continue;
        }
        let octets = ContentType::parse("application/pdf").unwrap();
        let message = mail::builder()
            .to("a@example.net".parse().unwrap())
            .attach(Attachment::from_source("big.pdf", octets, Zeros(SIZE)).unwrap())
            .build()
            .unwrap();
        let _ = block_on(transport.send(&Outbound::new(message).unwrap(), &SendOptions::new())).unwrap();
        let body = fake.requests()[0].body().clone();
        assert!(body.in_memory().is_none(), "{}: it is held", sample.name);
        assert!(body.len() > SIZE, "{}", sample.name);
        let (mut total, mut largest) = (0, 0);
        for chunk in body.chunks() {
            let length = chunk.unwrap().len() as u64;
            total += length;
            largest = largest.max(length);
        }
        assert_eq!(total, body.len(), "{}: its length is announced", sample.name);
        assert!(largest <= 128 << 10, "{}: {largest} bytes at once", sample.name);
    }
}
