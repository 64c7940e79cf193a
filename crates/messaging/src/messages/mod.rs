//! Messages: their statements, beside the rows that these give.

mod change;
mod post;
mod read;

pub use change::{delete, edit};
pub use post::{NewMessage, Posted, post};
pub use read::{Beside, Newest, find, list_seq, newest, page};
