//! Several nodes of one store, and senders that post to them as a sender with retries does.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{Connection, Database, Server, Setup, Sink, login, signed_request, until};

/// A store key that all nodes of a store share: 32 bytes in hexadecimal digits.
const STORE_KEY: &str = "6f1d2c3b4a59687786950a1b2c3d4e5f60718293a4b5c6d7e8f9a0b1c2d3e4f5";

/// The nodes.
pub struct Nodes {
    pub servers: Vec<Server>,
    receivers: Arc<Mutex<Vec<SocketAddr>>>,
}

impl Nodes {
    /// So many nodes of the store at `url`, with `config` in addition.
    pub fn start(count: usize, url: &str, config: &str) -> Self {
        let servers: Vec<Server> = (0..count)
            .map(|at| {
                let setup =
                    Setup::new(&format!("{config}\n[store]\nurl = \"{url}\"\nnode = \"node-{at}\"\n"));
                setup.file("store-key", STORE_KEY);
                setup.start()
            })
            .collect();
        let receivers = Arc::new(Mutex::new(servers.iter().map(|server| server.receiver).collect()));
        Self { servers, receivers }
    }

    /// Kills a node at once and starts it again.
    pub fn kill_and_restart(&mut self, at: usize) {
        let server = self.servers.remove(at).kill_and_restart();
        self.receivers.lock().unwrap()[at] = server.receiver;
        self.servers.insert(at, server);
    }

    /// Takes 20 events, kills the standby once it has them, and takes as many more as `lost` says. All of them are sent on to
    /// `sink`, and every node has seen them.
    pub fn leave_behind(&self, primary: &Database, standby: &mut Database, sink: &Sink, lost: usize) {
        let send = |id: String| {
            until("it is stored", || self.servers[0].post_signed(login(&id).as_bytes()).status == 200);
        };
        (0..20).for_each(|at| send(format!("kept-{at}")));
        until("they are sent", || sink.seen().len() == 20);
        let position = "SELECT pg_current_wal_lsn() <= (SELECT min(replay_lsn) FROM pg_stat_replication)";
        until("the standby has them", || primary.sql(position) == "t");
        standby.kill();
        (0..lost).for_each(|at| send(format!("lost-{at}")));
        until("all nodes have seen them", || {
            self.servers.iter().all(|node| node.all_deliveries("").len() == 20 + lost)
        });
        until("they are sent", || sink.seen().len() == 20 + lost);
    }

    /// Senders on so many threads: each sends one id after the other to one node after the other, and repeats an id until
    /// an answer is 200.
    pub fn load(&self, threads: usize, prefix: &str) -> Load {
        let (stop, next) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let senders = (0..threads)
            .map(|thread| {
                let (stop, next) = (Arc::clone(&stop), Arc::clone(&next));
                let (receivers, prefix) = (Arc::clone(&self.receivers), prefix.to_owned());
                std::thread::spawn(move || {
                    let mut sender =
                        Sender { at: thread, receivers, connection: None, answers: Answers::default() };
                    while !stop.load(Ordering::Relaxed) {
                        sender.deliver(&format!("{prefix}-{}", next.fetch_add(1, Ordering::Relaxed)));
                    }
                    sender.answers
                })
            })
            .collect();
        Load { stop, senders }
    }
}

/// Senders at work.
pub struct Load {
    stop: Arc<AtomicBool>,
    senders: Vec<JoinHandle<Answers>>,
}

impl Load {
    /// Lets each sender finish its id; what they were answered.
    pub fn end(self) -> Answers {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Answers::default();
        for sender in self.senders {
            let answers = sender.join().unwrap();
            all.acknowledged.extend(answers.acknowledged);
            all.repeats += answers.repeats;
            for (id, count) in answers.processed {
                *all.processed.entry(id).or_default() += count;
            }
        }
        all
    }
}

/// What senders were answered.
#[derive(Default)]
pub struct Answers {
    /// The ids with a 200.
    pub acknowledged: HashSet<String>,
    /// How often an id was answered with `processed`.
    pub processed: HashMap<String, usize>,
    /// Requests without a 200.
    pub repeats: usize,
}

struct Sender {
    at: usize,
    receivers: Arc<Mutex<Vec<SocketAddr>>>,
    connection: Option<(SocketAddr, Connection)>,
    answers: Answers,
}

impl Sender {
    fn deliver(&mut self, id: &str) {
        for _ in 0..2_000 {
            let word = self.attempt(id);
            match word.as_deref() {
                Some("processed") => *self.answers.processed.entry(id.to_owned()).or_default() += 1,
                Some("already_processed") => {}
                _ => {
                    self.answers.repeats += 1;
                    self.at += 1;
                    std::thread::sleep(Duration::from_millis(50));
                    continue;
                }
            }
            self.answers.acknowledged.insert(id.to_owned());
            return;
        }
        panic!("{id} is never acknowledged");
    }

    /// The word of a 200.
    fn attempt(&mut self, id: &str) -> Option<String> {
        let receivers = self.receivers.lock().unwrap();
        let address = receivers[self.at % receivers.len()];
        drop(receivers);
        let known = self.connection.take().filter(|(to, _)| *to == address);
        let mut connection = match known {
            Some((_, connection)) => connection,
            None => Connection::try_open(address)?,
        };
        if !connection.write(signed_request(id).as_bytes()) {
            return None;
        }
        let answer = connection.answer()?;
        self.connection = Some((address, connection));
        assert!([200, 503].contains(&answer.status), "{}", answer.status);
        assert!(answer.status == 200 || answer.header("retry-after").is_some(), "503 without Retry-After");
        (answer.status == 200).then(|| answer.word())
    }
}
