//! How many messages were written and how many users are active.

mod exact;
mod live;
