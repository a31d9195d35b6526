//! The vocabulary in which scenarios are written: users, sessions, viewers and rooms.
//!
//! An actor does what it is told and hands back what came of it, as a [`Reply`] to judge or as a
//! [`Judgement`](crate::outcome::Judgement) ready for `check!`. What an actor cannot even try ends
//! the scenario with a [`Stop`](crate::outcome::Stop).

mod breakdown;
mod expect;
mod grant;
mod in_time;
mod met;
mod person;
mod remote_server;
mod remote_user;
mod reply;
mod room;
mod session;
mod settle;
mod stage;
mod status;
mod user;
mod viewer;

pub use expect::{Expect, Field};
pub(crate) use in_time::in_time;
pub use met::Met;
pub use person::Person;
pub use remote_server::{Letter, RemoteServer};
pub use remote_user::RemoteUser;
pub use reply::Reply;
pub use room::Room;
pub use session::Session;
pub use settle::Window;
pub use stage::{Stage, World};
pub use user::User;
pub use viewer::Viewer;
