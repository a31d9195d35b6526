//! Faults: whether the suite blames what a fault breaks, and nothing else without a reason.
