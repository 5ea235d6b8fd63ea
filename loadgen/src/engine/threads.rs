//! The threads of the workers, apart from those of everything else.
//!
//! What else the program does while a window is open, such as to read the counters of a database or to draw, can then not
//! keep a worker from sending what is due, or from noticing that an answer has come.

use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// Before everything that is not the operating system's own.
#[cfg(target_os = "linux")]
const NICENESS: i32 = -15;

/// A runtime of Tokio, with a thread for each processor. What runs on it ends with this value.
#[derive(Debug)]
pub(super) struct Threads(Option<Runtime>);

impl Threads {
    pub(super) fn start() -> std::io::Result<Self> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder
            .enable_all()
            .thread_name("worker")
            .on_thread_start(request_precedence)
            .build()
            .map(Some)
            .map(Self)
    }

    fn runtime(&self) -> &Runtime {
        self.0.as_ref().expect("it is there until this value is dropped")
    }

    pub(super) fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.runtime().spawn(task)
    }

    /// Makes something that these threads will watch.
    pub(super) fn within<T>(&self, make: impl FnOnce() -> T) -> T {
        let _entered = self.runtime().enter();
        make()
    }
}

impl Drop for Threads {
    /// To wait for the end of the tasks is not for a destructor, which may run on a thread of another runtime.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// The workers sleep nearly always, and what they do when they wake up can't wait for the time slice of another. Who
/// may not ask for this (that takes root or `CAP_SYS_NICE`) has a client that is late more often while something else
/// runs.
#[cfg(target_os = "linux")]
fn request_precedence() {
    // On Linux a priority is that of a thread, and this is ours. Programs that are started later, such as the server, are
    // started by other threads and inherit nothing of it.
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "the workers have no precedence; they may be late while something else runs");
    }
}

#[cfg(not(target_os = "linux"))]
fn request_precedence() {}
