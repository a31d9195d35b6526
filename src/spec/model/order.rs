//! What comes of acts that overlap: whether one order of them explains what was answered.
