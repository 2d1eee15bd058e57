//! The machine around the daemon: its settings file, the system's service manager, and what can be wrong
//! with all of it. Texts, files and programs of the system; nothing here talks to a daemon, and no path
//! or variable is known that was not given.

pub mod health;
pub mod service;
pub mod settings;
