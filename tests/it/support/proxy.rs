//! A fault proxy: a wire between anything and anything (app to PostgreSQL, browser to app, app to provider) that does
//! what a test says. It listens on 127.0.0.1 and leads to a TCP address or a Unix socket. It knows no protocol.

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream, UnixStream},
    sync::watch,
    task::JoinHandle,
    time::Instant,
};

/// What is held back of one direction of one connection before the sender is made to wait.
const HELD: usize = 8 << 20;

/// Where a proxy leads.
#[derive(Clone, Debug)]
pub enum Upstream {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl Upstream {
    /// The socket of a PostgreSQL in its folder.
    pub fn postgres(dir: impl Into<PathBuf>) -> Self {
        Self::Unix(dir.into().join(".s.PGSQL.5432"))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From whoever connected to the upstream.
    Up,
    /// From the upstream back.
    Down,
}

/// What one direction does.
#[derive(Clone, Copy, Debug, Default)]
struct Flow {
    frozen: bool,
    delay: Duration,
    /// The connection is cut after so many more bytes, counted from when this rule (by its number) came.
    cut_after: Option<(u64, usize)>,
    /// Connections up to this number have this direction closed.
    closed_up_to: u64,
}

#[derive(Clone, Debug)]
struct Rules {
    upstream: Upstream,
    refuse: bool,
    flows: [Flow; 2],
    /// Connections up to this number are cut.
    cut_up_to: u64,
    /// Connections up to this number carry nothing any more, and never end.
    stranded_up_to: u64,
}

#[derive(Default)]
struct Counts {
    /// Connections so far; the newest one's number.
    made: AtomicU64,
    open: AtomicUsize,
    cut: AtomicUsize,
    bytes: [AtomicU64; 2],
}

/// A wire with faults. It ends, with its connections, when it is dropped.
pub struct Proxy {
    pub address: SocketAddr,
    rules: watch::Sender<Rules>,
    counts: Arc<Counts>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub async fn start(upstream: Upstream) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (rules, seen) = watch::channel(Rules {
            upstream,
            refuse: false,
            flows: Default::default(),
            cut_up_to: 0,
            stranded_up_to: 0,
        });
        let counts = Arc::new(Counts::default());
        let task = tokio::spawn(listen(listener, address, seen, counts.clone()));
        Self { address, rules, counts, task }
    }

    /// `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn set(&self, change: impl FnOnce(&mut Rules)) {
        self.rules.send_modify(change);
    }

    /// Everything passes again; what was held back arrives. What was cut or closed stays so.
    pub fn pass(&self) {
        self.set(|rules| {
            rules.refuse = false;
            for flow in &mut rules.flows {
                *flow = Flow { closed_up_to: flow.closed_up_to, ..Flow::default() };
            }
        });
    }

    /// Cuts every open connection (on TCP with a reset). New ones pass.
    pub fn cut(&self) {
        let made = self.counts.made.load(Relaxed);
        self.set(|rules| rules.cut_up_to = made);
    }

    /// Closes one direction of every open connection: its receiver sees the end, what its sender still sends is lost.
    /// The other direction goes on.
    pub fn half_close(&self, direction: Direction) {
        let made = self.counts.made.load(Relaxed);
        self.set(|rules| rules.flows[direction as usize].closed_up_to = made);
    }

    /// Takes bytes of this direction and forwards nothing, also of new connections, until [`Proxy::pass`].
    pub fn freeze(&self, direction: Direction) {
        self.set(|rules| rules.flows[direction as usize].frozen = true);
    }

    /// Both directions.
    pub fn freeze_all(&self) {
        self.set(|rules| rules.flows.iter_mut().for_each(|flow| flow.frozen = true));
    }

    /// What is open now carries nothing any more and never ends, as when a firewall forgot it. New connections pass.
    pub fn strand(&self) {
        let made = self.counts.made.load(Relaxed);
        self.set(|rules| rules.stranded_up_to = made);
    }

    /// New connections are refused, as if nobody listened, until [`Proxy::pass`]. Open ones go on.
    pub fn refuse(&self) {
        self.set(|rules| rules.refuse = true);
    }

    /// Both directions arrive so much later.
    pub fn delay(&self, by: Duration) {
        self.set(|rules| rules.flows.iter_mut().for_each(|flow| flow.delay = by));
    }

    /// Every connection, open or new, is cut after so many more bytes of this direction, until [`Proxy::pass`].
    pub fn cut_after(&self, direction: Direction, bytes: usize) {
        self.set(|rules| {
            let flow = &mut rules.flows[direction as usize];
            flow.cut_after = Some((flow.cut_after.map_or(0, |(number, _)| number) + 1, bytes));
        });
    }

    /// New connections lead elsewhere.
    pub fn lead_to(&self, upstream: Upstream) {
        self.set(|rules| rules.upstream = upstream);
    }

    /// Connections that are open.
    pub fn open(&self) -> usize {
        self.counts.open.load(Relaxed)
    }

    /// Connections that came so far.
    pub fn made(&self) -> u64 {
        self.counts.made.load(Relaxed)
    }

    /// Connections that broke or were cut so far, instead of ending in order.
    pub fn broken(&self) -> usize {
        self.counts.cut.load(Relaxed)
    }

    /// Bytes that were forwarded.
    pub fn bytes(&self, direction: Direction) -> u64 {
        self.counts.bytes[direction as usize].load(Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
        self.set(|rules| rules.cut_up_to = u64::MAX);
    }
}

async fn listen(
    mut listener: TcpListener,
    address: SocketAddr,
    mut rules: watch::Receiver<Rules>,
    counts: Arc<Counts>,
) {
    loop {
        if rules.borrow_and_update().refuse {
            drop(listener);
            // a bound socket that does not listen refuses, and keeps the port ours
            let reserved = bind(address).await;
            if rules.wait_for(|rules| !rules.refuse).await.is_err() {
                return;
            }
            listener = reserved.listen(1024).expect("the port is ours");
        }
        tokio::select! {
            changed = rules.changed() => if changed.is_err() { return },
            Ok((client, _)) = listener.accept() => {
                let number = counts.made.fetch_add(1, Relaxed) + 1;
                tokio::spawn(connection(client, number, rules.clone(), counts.clone()));
            }
        }
    }
}

/// The port that was ours a moment ago.
async fn bind(address: SocketAddr) -> TcpSocket {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_reuseaddr(true).expect("an option of every socket");
        match socket.bind(address) {
            Ok(()) => return socket,
            Err(error) => assert!(Instant::now() < deadline, "{address} cannot be had again: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn connection(mut client: TcpStream, number: u64, rules: watch::Receiver<Rules>, counts: Arc<Counts>) {
    counts.open.fetch_add(1, Relaxed);
    let _ = client.set_nodelay(true);
    let upstream = rules.borrow().upstream.clone();
    let result = match upstream {
        Upstream::Tcp(address) => match TcpStream::connect(address).await {
            Ok(mut server) => {
                let _ = server.set_nodelay(true);
                let result = both(client.split(), server.split(), number, &rules, &counts).await;
                if result.is_err() {
                    let _ = server.set_zero_linger();
                }
                result
            }
            Err(error) => Err(error),
        },
        Upstream::Unix(path) => match UnixStream::connect(path).await {
            Ok(mut server) => both(client.split(), server.split(), number, &rules, &counts).await,
            Err(error) => Err(error),
        },
    };
    if result.is_err() {
        counts.cut.fetch_add(1, Relaxed);
        let _ = client.set_zero_linger(); // closing it is a reset then
    }
    drop(client);
    counts.open.fetch_sub(1, Relaxed);
}

/// Carries both directions until both have ended. An error: the connection was cut, by us or by one of its ends.
async fn both<A: AsyncRead + Unpin, B: AsyncWrite + Unpin, C: AsyncRead + Unpin, D: AsyncWrite + Unpin>(
    (from_client, to_client): (A, B),
    (from_server, to_server): (C, D),
    number: u64,
    rules: &watch::Receiver<Rules>,
    counts: &Counts,
) -> io::Result<()> {
    let mut cut = rules.clone();
    let up = carry(from_client, to_server, Direction::Up, number, rules.clone(), counts);
    let down = carry(from_server, to_client, Direction::Down, number, rules.clone(), counts);
    tokio::select! {
        result = async { tokio::try_join!(up, down) } => result.map(drop),
        _ = cut.wait_for(|rules| number <= rules.cut_up_to) => Err(io::ErrorKind::ConnectionAborted.into()),
    }
}

async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    direction: Direction,
    number: u64,
    mut rules: watch::Receiver<Rules>,
    counts: &Counts,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 << 10];
    let mut held: VecDeque<(Instant, Vec<u8>)> = VecDeque::new();
    let mut waiting = 0;
    let (mut ended, mut closed) = (false, false);
    let mut budget: Option<(u64, usize)> = None;
    loop {
        let flow = {
            let rules = rules.borrow_and_update();
            let flow = rules.flows[direction as usize];
            Flow { frozen: flow.frozen || number <= rules.stranded_up_to, ..flow }
        };
        if !closed && number <= flow.closed_up_to {
            closed = true;
            to.shutdown().await?;
        }
        if closed {
            (held, waiting) = (VecDeque::new(), 0);
        }
        if budget.map(|(rule, _)| rule) != flow.cut_after.map(|(rule, _)| rule) {
            budget = flow.cut_after;
        }
        if ended && held.is_empty() && !flow.frozen {
            return if closed { Ok(()) } else { to.shutdown().await };
        }
        let due = held.front().map(|(came, _)| *came + flow.delay).filter(|_| !flow.frozen);
        tokio::select! {
            changed = rules.changed() => if changed.is_err() { return Err(io::ErrorKind::ConnectionAborted.into()) },
            () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                let (_, mut bytes) = held.pop_front().expect("something is due");
                waiting -= bytes.len();
                let cut = budget.as_mut().is_some_and(|(_, left)| {
                    bytes.truncate(*left);
                    *left -= bytes.len();
                    *left == 0
                });
                to.write_all(&bytes).await?;
                counts.bytes[direction as usize].fetch_add(bytes.len() as u64, Relaxed);
                if cut {
                    to.flush().await?;
                    return Err(io::ErrorKind::ConnectionAborted.into());
                }
            }
            read = from.read(&mut buffer), if !ended && waiting < HELD => match read? {
                0 => ended = true,
                n => {
                    waiting += n;
                    held.push_back((Instant::now(), buffer[..n].to_vec()));
                }
            },
        }
    }
}
