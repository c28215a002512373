//! The pages behind links in mails.

pub(crate) mod unsubscribe;
