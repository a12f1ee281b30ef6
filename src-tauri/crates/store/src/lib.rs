//! Pictures, pieces and their history: nothing acknowledged is ever lost.

#![warn(missing_docs)]
