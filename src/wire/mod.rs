//! Bytes on the network: sends one request at a time and keeps what really came back.

pub mod client;
pub mod raw;
pub mod transcript;

pub use client::{Client, ClientConfig, ClientError, TlsTrust};
pub use transcript::{Exchange, NetworkFault, Recorded, Request, Response, Secret, Transcript};
