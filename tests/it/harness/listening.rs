//! `tagohook listen` in the background, with what it printed.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use super::until;

/// A command that runs until it is stopped.
pub struct Listening {
    child: Child,
    out: Arc<Mutex<Vec<String>>>,
    err: Arc<Mutex<Vec<String>>>,
}

impl Listening {
    /// Starts it, and waits until it forwards.
    pub fn start(command: Command) -> Self {
        let listening = Self::spawn(command);
        until("forwarding", || listening.err().contains("forwarding to"));
        listening
    }

    /// Starts it.
    pub fn spawn(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = read(child.stdout.take().unwrap());
        let err = read(child.stderr.take().unwrap());
        Self { child, out, err }
    }

    /// The lines on standard output.
    pub fn lines(&self) -> Vec<String> {
        self.out.lock().unwrap().clone()
    }

    /// Standard error.
    pub fn err(&self) -> String {
        self.err.lock().unwrap().join("\n")
    }

    /// Waits until it has printed this many lines.
    pub fn wait_for(&self, count: usize) -> Vec<String> {
        until(&format!("{count} lines of {:?} and {}", self.lines(), self.err()), || {
            self.lines().len() >= count
        });
        self.lines()
    }

    /// Sends a signal, as `kill -NAME` does.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([format!("-{name}"), id]).status().unwrap().success());
    }

    /// Waits for its end; the exit code.
    pub fn wait(mut self) -> Option<i32> {
        let mut code = None;
        until("the end of the command", || match self.child.try_wait().unwrap() {
            Some(status) => {
                code = status.code();
                true
            }
            None => false,
        });
        code
    }

    /// Ends it with Ctrl-C; the exit code.
    pub fn stop(self) -> Option<i32> {
        self.signal("INT");
        self.wait()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(from: impl Read + Send + 'static) -> Arc<Mutex<Vec<String>>> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&lines);
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            kept.lock().unwrap().push(line);
        }
    });
    lines
}
