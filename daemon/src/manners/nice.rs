//! The priority of threads.

#[cfg(target_os = "linux")]
use crate::limits::NICE;

/// Gives the calling thread, and the processes that it starts, a low priority, for good: a thread that is no
/// administrator's cannot take that back. The system's own order of reading and writing follows it. Only Linux has
/// priorities of threads; elsewhere nothing happens, rather than to the whole process.
pub(crate) fn lower_this_thread() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::debug!(%error, "a thread keeps its priority");
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    /// The nineteenth field behind the name, which may hold blanks.
    fn nice() -> i32 {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        let fields = stat.rsplit(')').next().unwrap();
        fields.split_whitespace().nth(16).unwrap().parse().unwrap()
    }

    #[test]
    fn only_the_thread_that_says_so_is_lowered() {
        let before = nice();
        let lowered = std::thread::spawn(|| {
            lower_this_thread();
            nice()
        });
        assert_eq!(lowered.join().unwrap(), NICE);
        assert_eq!(nice(), before);
    }
}
