//! Requests that a proper client cannot say, over hyper on a plain or TLS stream.
