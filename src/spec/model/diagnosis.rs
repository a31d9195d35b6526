//! What a wrong hash in presence says about the mistake: the requirement that explains it, in words.
