//! A publisher's host and the host that it sends people to, on two ports of this machine.
//!
//! Bytes are written by hand, because the faults are ones that no library for servers makes.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::fault::Fault;
use super::scene::{COMMIT, Files, sha256};

/// Bytes written at once.
const CHUNK_BYTES: usize = 64 << 10;

/// A request as it arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Whether the publisher's own host was asked.
    pub(crate) is_origin: bool,
    pub(crate) path: String,
    pub(crate) range: Option<u64>,
    pub(crate) if_range: Option<String>,
    pub(crate) authorization: Option<String>,
    pub(crate) accept_encoding: Option<String>,
}

/// Both hosts, until it is dropped.
pub(crate) struct Server {
    /// The publisher's host.
    pub(crate) origin: String,
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

struct Shared {
    files: Files,
    hashes: BTreeMap<String, String>,
    origin: SocketAddr,
    elsewhere: SocketAddr,
    faults: Mutex<VecDeque<Fault>>,
    /// Faults that were handed to the other host, by number.
    handed: Mutex<Vec<Fault>>,
    seen: Mutex<Vec<Seen>>,
    sent_bytes: AtomicU64,
    /// Bytes a second of a body; 0 is as fast as it goes.
    rate: AtomicU64,
    /// Whether hashes are told.
    tells: bool,
}

impl Server {
    pub(crate) async fn start(files: Files) -> Self {
        Self::listen(files, true).await
    }

    /// A host that tells neither hashes nor commits.
    pub(crate) async fn start_silent(files: Files) -> Self {
        Self::listen(files, false).await
    }

    async fn listen(files: Files, tells: bool) -> Self {
        let near = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let far = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = near.local_addr().unwrap();
        let hashes = files.iter().map(|(name, bytes)| (name.clone(), sha256(bytes))).collect();
        let shared = Arc::new(Shared {
            files,
            hashes,
            origin,
            elsewhere: far.local_addr().unwrap(),
            faults: Mutex::default(),
            handed: Mutex::default(),
            seen: Mutex::default(),
            sent_bytes: AtomicU64::new(0),
            rate: AtomicU64::new(0),
            tells,
        });
        let tasks = [(near, true), (far, false)]
            .map(|(listener, is_origin)| tokio::spawn(serve(listener, Arc::clone(&shared), is_origin)));
        Self { origin: format!("http://{origin}"), shared, tasks: tasks.into() }
    }

    /// The next answers are these, one for each request to the publisher's host.
    pub(crate) fn schedule(&self, faults: impl IntoIterator<Item = Fault>) {
        self.shared.faults.lock().unwrap().extend(faults);
    }

    /// How many of them are still to come.
    pub(crate) fn n_faults_left(&self) -> usize {
        self.shared.faults.lock().unwrap().len()
    }

    pub(crate) fn limit_rate(&self, bytes_per_sec: u64) {
        self.shared.rate.store(bytes_per_sec, Ordering::SeqCst);
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// Bytes of bodies that were handed to the system, read or not.
    pub(crate) fn sent_bytes(&self) -> u64 {
        self.shared.sent_bytes.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>, is_origin: bool) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        // A client that goes away is no concern of a server.
        tokio::spawn(async move { drop(answer(stream, &shared, is_origin).await) });
    }
}

async fn answer(mut stream: TcpStream, shared: &Shared, is_origin: bool) -> io::Result<()> {
    let seen = read_request(&mut stream, is_origin).await?;
    shared.seen.lock().unwrap().push(seen.clone());
    if is_origin { redirect(stream, shared, &seen).await } else { send(stream, shared, &seen).await }
}

async fn read_request(stream: &mut TcpStream, is_origin: bool) -> io::Result<Seen> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.lines();
    let path = lines.next().unwrap_or_default().split(' ').nth(1).unwrap_or_default().to_owned();
    let mut seen = Seen { is_origin, path, ..Seen::default() };
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        match name.to_ascii_lowercase().as_str() {
            "range" => seen.range = value.strip_prefix("bytes=").and_then(|it| it.strip_suffix('-')?.parse().ok()),
            "if-range" => seen.if_range = Some(value.to_owned()),
            "authorization" => seen.authorization = Some(value.to_owned()),
            "accept-encoding" => seen.accept_encoding = Some(value.to_owned()),
            _ => {}
        }
    }
    Ok(seen)
}

/// The publisher's host: knows what the file is, and sends people elsewhere for its bytes.
async fn redirect(mut stream: TcpStream, shared: &Shared, seen: &Seen) -> io::Result<()> {
    let name = seen.path.split('?').next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
    if seen.path.starts_with("/loop") {
        let head =
            format!("HTTP/1.1 302 Found\r\nLocation: http://{}/loop\r\nContent-Length: 0\r\n\r\n", shared.origin);
        return stream.write_all(head.as_bytes()).await;
    }
    let Some(bytes) = shared.files.get(name) else {
        return stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await;
    };
    let fault = shared.faults.lock().unwrap().pop_front().unwrap_or(Fault::Behaves);
    match &fault {
        Fault::Silent => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            return Ok(());
        }
        Fault::Garbage => return stream.write_all(b"\x00\x01\x02 what is this\r\n\r\n").await,
        Fault::RedirectLoop => {
            let head =
                format!("HTTP/1.1 302 Found\r\nLocation: http://{}/loop\r\nContent-Length: 0\r\n\r\n", shared.origin);
            return stream.write_all(head.as_bytes()).await;
        }
        Fault::Login => return stream.write_all(LOGIN).await,
        Fault::Busy { status, retry_after } => {
            let after = retry_after.map(|secs| format!("Retry-After: {secs}\r\n")).unwrap_or_default();
            let head = format!("HTTP/1.1 {status} Busy\r\n{after}Content-Length: 4\r\n\r\nbusy");
            return stream.write_all(head.as_bytes()).await;
        }
        _ => {}
    }
    let number = {
        let mut handed = shared.handed.lock().unwrap();
        handed.push(fault);
        handed.len() - 1
    };
    let facts = if shared.tells {
        format!(
            "X-Linked-Etag: \"{}\"\r\nX-Linked-Size: {}\r\nX-Repo-Commit: {COMMIT}\r\n",
            shared.hashes[name],
            bytes.len()
        )
    } else {
        String::new()
    };
    let head = format!(
        "HTTP/1.1 302 Found\r\nLocation: http://{}/bytes/{name}?signature=canary-signature&fault={number}\r\n\
         {facts}Content-Length: 0\r\nConnection: close\r\n\r\n",
        shared.elsewhere
    );
    stream.write_all(head.as_bytes()).await
}

const LOGIN: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 26\r\n\r\n<html>please log in</html>";

/// The host that has the bytes.
async fn send(mut stream: TcpStream, shared: &Shared, seen: &Seen) -> io::Result<()> {
    let (path, query) = seen.path.split_once('?').unwrap_or((&seen.path, ""));
    let name = path.rsplit('/').next().unwrap_or_default();
    let number: Option<usize> = query.split_once("fault=").and_then(|(_, number)| number.parse().ok());
    let fault = number.and_then(|it| shared.handed.lock().unwrap().get(it).cloned()).unwrap_or(Fault::Behaves);
    let Some(file) = shared.files.get(name) else { return Ok(()) };
    let mut etag = format!("\"{}\"", &shared.hashes[name][..16]);
    let mut file = file.clone();
    let n_bytes = file.len() as u64;
    match &fault {
        Fault::ChangedEtag => etag = "\"another-name\"".to_owned(),
        Fault::Replaced => {
            etag = "\"another-file\"".to_owned();
            file.iter_mut().for_each(|byte| *byte = !*byte);
        }
        Fault::Altered { at } => {
            if let Some(byte) = file.get_mut((at % n_bytes) as usize) {
                *byte ^= 1;
            }
        }
        Fault::Duplicated { at } => {
            let at = (at % n_bytes) as usize;
            let twice = file[at / 2..at].to_vec();
            file.splice(at..at, twice);
            file.truncate(n_bytes as usize);
        }
        Fault::Expired => {
            return stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 7\r\n\r\nexpired").await;
        }
        Fault::Gzip => {
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nETag: {etag}\r\nContent-Length: {n_bytes}\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await?;
            return stream.write_all(&file).await;
        }
        Fault::Nothing => {
            let head = format!("HTTP/1.1 200 OK\r\nETag: {etag}\r\nContent-Length: 0\r\n\r\n");
            return stream.write_all(head.as_bytes()).await;
        }
        Fault::NotSatisfiable => {
            let head = "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */1\r\nContent-Length: 0\r\n\r\n";
            return stream.write_all(head.as_bytes()).await;
        }
        _ => {}
    }
    let wants_part = seen.range.filter(|_| seen.if_range.as_ref().is_none_or(|it| *it == etag));
    let start = match (&fault, wants_part) {
        (Fault::Whole, _) | (_, None) => None,
        (Fault::WrongRange { shift }, Some(start)) => Some(start.saturating_sub(*shift)),
        (_, Some(start)) if start >= n_bytes => {
            let head = format!(
                "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */{n_bytes}\r\nContent-Length: 0\r\n\r\n"
            );
            return stream.write_all(head.as_bytes()).await;
        }
        (_, Some(start)) => Some(start),
    };
    let mut body = file.get(start.unwrap_or(0) as usize..).unwrap_or_default().to_vec();
    if let Fault::Extra { n } = &fault {
        body.extend((0..*n).map(|it| it as u8));
    }
    let told_total = match fault {
        Fault::WrongTotal => n_bytes + 1,
        Fault::Huge => 1 << 40,
        _ => n_bytes,
    };
    let status = match start {
        Some(start) => {
            format!("206 Partial Content\r\nContent-Range: bytes {start}-{}/{told_total}", told_total - 1)
        }
        None => "200 OK".to_owned(),
    };
    let length = match &fault {
        Fault::Short { .. } | Fault::Extra { .. } => String::new(),
        Fault::WrongTotal | Fault::Huge if start.is_none() => format!("Content-Length: {told_total}\r\n"),
        _ => format!("Content-Length: {}\r\n", body.len()),
    };
    let head = format!("HTTP/1.1 {status}\r\nETag: {etag}\r\n{length}Connection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let most = match &fault {
        Fault::Reset { after } | Fault::Stall { after } | Fault::Short { after } => *after as usize % body.len().max(1),
        Fault::Empty => 0,
        _ => body.len(),
    };
    send_body(&mut stream, shared, &body[..most]).await?;
    match &fault {
        Fault::Stall { .. } => tokio::time::sleep(Duration::from_secs(3600)).await,
        Fault::Reset { .. } => {
            // What is under way may still arrive, as it may in the world; then the line is cut.
            tokio::time::sleep(Duration::from_millis(2)).await;
            drop(socket_reset(stream));
            return Ok(());
        }
        _ => {}
    }
    stream.shutdown().await
}

async fn send_body(stream: &mut TcpStream, shared: &Shared, body: &[u8]) -> io::Result<()> {
    for chunk in body.chunks(CHUNK_BYTES) {
        stream.write_all(chunk).await?;
        shared.sent_bytes.fetch_add(chunk.len() as u64, Ordering::SeqCst);
        let rate = shared.rate.load(Ordering::SeqCst);
        if rate > 0 {
            tokio::time::sleep(Duration::from_secs_f64(chunk.len() as f64 / rate as f64)).await;
        }
    }
    Ok(())
}

/// Closes with a reset instead of an end.
fn socket_reset(stream: TcpStream) -> io::Result<()> {
    stream.set_zero_linger()?;
    drop(stream);
    Ok(())
}
