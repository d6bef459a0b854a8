//! The client and the server against each other and against peers that behave badly.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests say plainly what they expect"
)]

mod auth;
mod authority;
mod certificates;
mod client;
mod content;
mod dane;
mod extensions;
mod faults;
mod logins;
mod overlap;
mod peer;
mod policies;
mod pool;
mod postbox;
mod presets;
mod protection;
mod reach;
mod sasl;
#[cfg(unix)]
mod sendmail;
mod server;
mod sink;
#[cfg(feature = "dns")]
mod srv;
mod streamed;
mod talker;
mod testing;
mod tls;
