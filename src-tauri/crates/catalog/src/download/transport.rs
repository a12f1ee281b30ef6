//! Asking a server for bytes, and following where it sends us.
//!
//! Redirects are followed here and not by the library, for three reasons: the
//! facts about a file (its hash, its length, its commit) are in the headers of
//! the first answer and are believed from that host only; the token goes to
//! that host only; and every hop has to be https.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::StatusCode;
use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, DATE, ETAG,
    HeaderMap, HeaderName, HeaderValue, IF_RANGE, LOCATION, RANGE, RETRY_AFTER,
};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use url::{Host, Url};

use super::DownloadOptions;
use super::fault::Fault;
use crate::manifest::is_sha256;
use crate::{Error, Result, Token};

/// Where models are published.
const PUBLISHER: &str = "https://huggingface.co";

const MAX_HOPS: usize = 8;

/// Facts that the publisher's host states in its own headers.
const LINKED_ETAG: HeaderName = HeaderName::from_static("x-linked-etag");
const LINKED_SIZE: HeaderName = HeaderName::from_static("x-linked-size");
const COMMIT: HeaderName = HeaderName::from_static("x-repo-commit");

/// HTTP client for one host.
#[derive(Debug)]
pub(crate) struct Transport {
    client: Client,
    origin: Url,
    token: Option<Token>,
    stall: Duration,
}

/// What the publisher's host says of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Linked {
    pub(crate) sha256: Option<String>,
    pub(crate) bytes: Option<u64>,
    pub(crate) commit: Option<String>,
}

/// An answer that carries bytes of the file.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) response: Response,
    pub(super) linked: Linked,
    pub(super) kind: AnswerKind,
    /// A strong validator of the bytes.
    pub(super) etag: Option<String>,
    /// Bytes of this body, where told.
    pub(super) body_bytes: Option<u64>,
}

/// Which bytes an answer carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AnswerKind {
    /// The file from its beginning.
    Whole,
    /// The file from here on, and its length where told.
    From { start: u64, total: Option<u64> },
    /// No bytes lie behind what was asked for.
    Beyond,
}

/// Which bytes are asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask<'a> {
    pub(super) url: &'a Url,
    pub(super) start: u64,
    pub(super) etag: Option<&'a str>,
}

/// The host that a token is kept for: the mirror's, or the publisher's.
///
/// # Errors
/// [`Error::Address`] when the mirror's address is not one of https.
pub fn host_of(mirror: Option<&str>) -> Result<String> {
    Ok(origin(mirror)?.host_str().unwrap_or_default().to_owned())
}

impl Transport {
    pub(crate) fn new(options: &DownloadOptions) -> Result<Self> {
        let origin = origin(options.mirror.as_deref())?;
        // A second installation is refused and changes nothing.
        drop(rustls::crypto::ring::default_provider().install_default());
        let mut builder = Client::builder()
            .user_agent(concat!("bagel-studio/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .referer(false)
            .connect_timeout(options.timeouts.stall)
            .pool_max_idle_per_host(1);
        if is_loopback(&origin) {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| Error::Network {
            host: origin.host_str().unwrap_or_default().to_owned(),
            reason: describe(error),
        })?;
        Ok(Self { client, origin, token: options.token.clone(), stall: options.timeouts.stall })
    }

    pub(crate) fn host(&self) -> &str {
        self.origin.host_str().unwrap_or_default()
    }

    pub(super) fn stall(&self) -> Duration {
        self.stall
    }

    /// The address of a published file; its parts were checked when the catalog was read.
    pub(super) fn url(&self, repository: &str, revision: &str, path: &str) -> Result<Url> {
        let mut url = self.origin.clone();
        let whole = format!("{}/{repository}/resolve/{revision}/{path}", url.path().trim_end_matches('/'));
        url.set_path(&whole);
        Ok(url)
    }

    /// Asks, and follows.
    pub(super) async fn ask(&self, ask: Ask<'_>) -> std::result::Result<Answer, Fault> {
        let mut url = ask.url.clone();
        let mut linked = Linked::default();
        for n_hops in 0..MAX_HOPS {
            let response = self.send(&url, &ask).await?;
            let is_origin = same_origin(&url, &self.origin);
            if is_origin {
                linked.read(response.headers());
            }
            let status = response.status();
            if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
                url = self.follow(&url, response.headers())?;
                continue;
            }
            // An address that was handed out may have expired; the next try gets a new one.
            return self.judge(response, linked, n_hops == 0);
        }
        Err(Fault::again(format!("too many redirects ({MAX_HOPS})")))
    }

    async fn send(&self, url: &Url, ask: &Ask<'_>) -> std::result::Result<Response, Fault> {
        let mut request = self.client.get(url.clone()).header(ACCEPT_ENCODING, "identity");
        if ask.start > 0 {
            request = request.header(RANGE, format!("bytes={}-", ask.start));
            if let Some(etag) = ask.etag {
                request = request.header(IF_RANGE, etag);
            }
        }
        if let Some(token) = &self.token
            && same_origin(url, &self.origin)
            && let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {}", token.reveal()))
        {
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        match tokio::time::timeout(self.stall, request.send()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(Fault::again(describe(error))),
            Err(_) => Err(Fault::again("the server does not answer")),
        }
    }

    fn follow(&self, from: &Url, headers: &HeaderMap) -> std::result::Result<Url, Fault> {
        let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
        let Some(next) = location.and_then(|location| from.join(location).ok()) else {
            return Err(Fault::again("the redirect has no valid address"));
        };
        let is_fine = next.scheme() == "https" || (is_loopback(&self.origin) && is_loopback(&next));
        if !is_fine {
            let host = next.host_str().unwrap_or_default();
            return Err(Fault::again(format!("it redirects to {host} without encryption, which is not allowed")));
        }
        Ok(next)
    }

    fn judge(&self, response: Response, linked: Linked, is_first: bool) -> std::result::Result<Answer, Fault> {
        let status = response.status();
        let headers = response.headers();
        let kind = match status.as_u16() {
            200 => AnswerKind::Whole,
            206 => {
                content_range(headers).ok_or_else(|| Fault::again("the answer does not say which bytes it carries"))?
            }
            416 => AnswerKind::Beyond,
            401 | 403 if is_first => {
                return Err(Fault::Final(Error::Refused {
                    repository: self.host().to_owned(),
                    status: status.as_u16(),
                }));
            }
            404 | 410 if is_first => return Err(Fault::Absent),
            408 | 425 | 429 | 500..=599 => {
                let reason = format!("the server is busy (status {})", status.as_u16());
                return Err(Fault::Again { reason, wait: retry_after(headers) });
            }
            other => return Err(Fault::again(format!("the server refused with status {other}"))),
        };
        if kind != AnswerKind::Beyond {
            check_body(headers)?;
        }
        let etag = text(headers, &ETAG).filter(|etag| !etag.starts_with("W/")).map(str::to_owned);
        let body_bytes = text(headers, &CONTENT_LENGTH).and_then(|length| length.parse().ok());
        Ok(Answer { response, linked, kind, etag, body_bytes })
    }
}

impl Linked {
    fn read(&mut self, headers: &HeaderMap) {
        let etag = text(headers, &LINKED_ETAG).map(|etag| etag.trim_matches('"').to_owned());
        self.sha256 = etag.filter(|etag| is_sha256(etag)).or(self.sha256.take());
        self.bytes = text(headers, &LINKED_SIZE).and_then(|size| size.parse().ok()).or(self.bytes);
        let is_commit = |it: &&str| it.len() == 40 && it.bytes().all(|byte| byte.is_ascii_hexdigit());
        self.commit = text(headers, &COMMIT).filter(is_commit).map(str::to_owned).or(self.commit.take());
    }
}

/// Refuses a compressed body and a web page, such as the login page of a public network.
fn check_body(headers: &HeaderMap) -> std::result::Result<(), Fault> {
    if let Some(encoding) = text(headers, &CONTENT_ENCODING)
        && !encoding.eq_ignore_ascii_case("identity")
    {
        return Err(Fault::again("the server compresses a file that must arrive unchanged"));
    }
    if text(headers, &CONTENT_TYPE).is_some_and(|it| it.trim().to_ascii_lowercase().starts_with("text/html")) {
        return Err(Fault::again("a web page arrived instead of the file; this network may need a login in a browser"));
    }
    Ok(())
}

/// `bytes 5-9/10` or `bytes 5-9/*`.
fn content_range(headers: &HeaderMap) -> Option<AnswerKind> {
    let (range, total) = text(headers, &CONTENT_RANGE)?.trim().strip_prefix("bytes ")?.split_once('/')?;
    let start = range.split_once('-')?.0.trim().parse().ok()?;
    let total = if total.trim() == "*" { None } else { Some(total.trim().parse().ok()?) };
    Some(AnswerKind::From { start, total })
}

/// The seconds that a server asks for, or those until the moment that it names.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let asked = text(headers, &RETRY_AFTER)?.trim();
    if let Ok(secs) = asked.parse() {
        return Some(Duration::from_secs(secs));
    }
    // By the server's own clock where it tells it: this machine's may be wrong.
    let ours = || SystemTime::now().duration_since(UNIX_EPOCH).ok().map(|it| it.as_secs());
    let now = text(headers, &DATE).and_then(|now| parse_date(now.trim())).or_else(ours)?;
    Some(Duration::from_secs(parse_date(asked)?.saturating_sub(now)))
}

/// Seconds since 1970 of a date in any of the three forms of HTTP, such as `Sun, 06 Nov 1994 08:49:37 GMT`.
fn parse_date(text: &str) -> Option<u64> {
    let moment = httpdate::parse_http_date(text).ok()?;
    moment.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn origin(mirror: Option<&str>) -> Result<Url> {
    let address = mirror.map(str::trim).filter(|it| !it.is_empty()).unwrap_or(PUBLISHER);
    let wrong = |address: &str, reason: &str| Error::Address { address: address.to_owned(), reason: reason.to_owned() };
    let url = Url::parse(address)
        .ok()
        .ok_or_else(|| wrong("the mirror", "not a valid address; write https:// and a host"))?;
    let host = url.host_str().unwrap_or_default().to_owned();
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong(&host, "the address must not contain a user name, a password or a query"));
    }
    if url.scheme() != "https" && !is_loopback(&url) {
        return Err(wrong(&host, "only https is supported; write https:// before the host"));
    }
    Ok(url)
}

/// An address of this machine itself over plain http.
fn is_loopback(url: &Url) -> bool {
    let is_here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    is_here && url.scheme() == "http"
}

fn same_origin(a: &Url, b: &Url) -> bool {
    a.origin() == b.origin()
}

/// An error without the address in it, which may carry a signature.
pub(super) fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut innermost: &dyn std::error::Error = &error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mirror: Option<&str>, expected: std::result::Result<&str, &str>) {
        match (host_of(mirror), expected) {
            (Ok(host), Ok(expected)) => assert_eq!(host, expected),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (found, expected) => panic!("{mirror:?}: {found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn only_https_is_asked_except_on_this_machine() {
        check(None, Ok("huggingface.co"));
        check(Some(" "), Ok("huggingface.co"));
        check(Some("https://mirror.example/models/"), Ok("mirror.example"));
        check(Some("http://127.0.0.1:99"), Ok("127.0.0.1"));
        check(Some("http://[::1]:99"), Ok("[::1]"));
        check(Some("http://localhost"), Ok("localhost"));
        check(Some("http://mirror.example"), Err("only https"));
        check(Some("http://127.0.0.1.example"), Err("only https"));
        check(Some("http://localhost.example"), Err("only https"));
        check(Some("ftp://mirror.example"), Err("only https"));
        check(Some("file:///etc/passwd"), Err("only https"));
        check(Some("mirror.example"), Err("not a valid address"));
        check(
            Some("https://me:canary@mirror.example"),
            Err("mirror.example: the address must not contain a user name"),
        );
        check(Some("https://mirror.example?key=canary"), Err("query"));
        for secret in ["https://me:canary@mirror.example", "https://mirror.example?key=canary", "canary"] {
            assert!(!host_of(Some(secret)).unwrap_err().to_string().contains("canary"));
        }
    }

    #[test]
    fn no_way_leads_out_of_encryption() {
        let follow = |mirror: &str, location: &'static str| {
            let options = DownloadOptions { mirror: Some(mirror.to_owned()), ..DownloadOptions::default() };
            let transport = Transport::new(&options).unwrap();
            let headers = HeaderMap::from_iter([(LOCATION, HeaderValue::from_static(location))]);
            transport.follow(&transport.origin, &headers).map(String::from)
        };
        let publisher = "https://publisher.example/a";
        assert_eq!(
            follow(publisher, "https://bytes.example/b?sig=1").ok().as_deref(),
            Some("https://bytes.example/b?sig=1")
        );
        assert_eq!(follow(publisher, "/c").ok().as_deref(), Some("https://publisher.example/c"));
        for location in
            ["http://publisher.example/a", "http://127.0.0.1/a", "file:///etc/passwd", "ftp://x", "//[", "data:,x"]
        {
            assert!(follow(publisher, location).is_err(), "{location}");
        }
        assert!(follow("http://127.0.0.1:9/a", "http://localhost:8/b").is_ok());
        assert!(follow("http://127.0.0.1:9/a", "http://bytes.example/b").is_err());
    }

    #[test]
    fn a_wait_is_asked_for_in_seconds_or_until_a_moment() {
        let wait = |asked: &'static str, now: Option<&'static str>| {
            let asked = [(RETRY_AFTER, HeaderValue::from_static(asked))];
            let now = now.map(|now| (DATE, HeaderValue::from_static(now)));
            retry_after(&HeaderMap::from_iter(asked.into_iter().chain(now))).map(|wait| wait.as_secs())
        };
        assert_eq!(wait(" 40 ", None), Some(40));
        // Long ago by any clock but the server's.
        let now = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(wait("Sun, 06 Nov 1994 08:50:07 GMT", now), Some(30));
        assert_eq!(wait("Sun, 06 Nov 1994 08:40:00 GMT", now), Some(0), "a moment that is past is no wait");
        assert_eq!(wait("Sun, 06 Nov 1994 08:50:07 GMT", None), Some(0));
        assert!(wait("Fri, 31 Dec 9999 23:59:59 GMT", Some("nonsense")).is_some_and(|secs| secs > 1 << 30));
        assert_eq!((wait("soon", now), wait("-3", now), wait("", now)), (None, None, None));
    }

    #[test]
    fn ranges_are_read_to_the_letter() {
        let parse = |value: &'static str| {
            content_range(&HeaderMap::from_iter([(CONTENT_RANGE, HeaderValue::from_static(value))]))
        };
        assert_eq!(parse("bytes 5-9/10"), Some(AnswerKind::From { start: 5, total: Some(10) }));
        assert_eq!(parse("bytes 5-9/*"), Some(AnswerKind::From { start: 5, total: None }));
        for wrong in ["", "bytes", "bytes 5-9", "bytes */10", "bytes -9/10", "items 5-9/10", "bytes 5-9/x"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
