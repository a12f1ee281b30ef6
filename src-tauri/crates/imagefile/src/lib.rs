//! imagefile
