//! Users come into being.
