//! Bytes on the network: sends one request at a time and keeps what really came back.

pub mod authority;
pub mod client;
mod curl;
pub mod exchange;
mod outage;
pub mod peer;
pub mod rate_limit;
mod raw;
pub mod signing;
mod tally;
mod tls;
pub mod transcript;

pub use client::{Client, ClientConfig, ClientError};
pub use exchange::{Answered, Exchange, NetworkFault, Received, Recorded, Request, Response, Secret};
pub use outage::{CONTROL, Outage, Outages};
pub use tally::{Counters, Endpoint, Place, Spent};
pub use tls::TlsTrust;
pub use transcript::Transcript;
