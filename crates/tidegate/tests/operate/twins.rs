//! The look-alikes, as a person would start them beside the hub.

use crate::folder::Folder;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

/// The shop has so many. With the first seed none of so few is changed later, so that nothing has to be waited for.
pub(crate) const ORDERS: usize = 5;

/// The look-alikes of a shop and a back office.
pub(crate) struct Twins {
    _shop: Twin,
    _erp: Twin,
    pub(crate) shop_url: String,
    pub(crate) erp_url: String,
    /// On which all orders were placed.
    pub(crate) day: Date,
}

impl Twins {
    pub(crate) fn start() -> Self {
        Self::with(ORDERS, "60000", "stays open")
    }

    /// A shop in which orders keep coming while the test goes on.
    pub(crate) fn busy(orders: usize, per_minute: &str) -> Self {
        Self::with(orders, per_minute, "http://")
    }

    fn with(orders: usize, per_minute: &str, last: &str) -> Self {
        let folder = Folder::new();
        let orders = orders.to_string();
        let shop = ["twin", "shopify", "--port", "0", "--orders", &orders, "--per-minute", per_minute];
        let secrets = ["--access-token", "shpat_test", "--client-secret", "hush"];
        let erp = ["twin", "erp", "--port", "0", "--token", "erp"];
        loop {
            let day = today();
            // The last thing that each says before it stays up.
            let (shop, said) = Twin::start(&folder, &[shop.as_slice(), &secrets].concat(), last);
            // Around midnight: once more.
            if today() != day {
                continue;
            }
            let shop_url = address(&said);
            let (erp, said) = Twin::start(&folder, &erp, "control_url");
            return Self { _shop: shop, _erp: erp, shop_url, erp_url: address(&said), day };
        }
    }
}

/// One of them; it is ended with the test.
struct Twin(Child);

impl Twin {
    /// Reads until it has said that.
    fn start(folder: &Folder, args: &[&str], last: &str) -> (Self, Vec<String>) {
        let mut command = folder.command(args);
        let mut twin = Self(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
        let mut said = Vec::new();
        let mut lines = BufReader::new(twin.0.stdout.take().unwrap()).lines().map_while(Result::ok);
        while let Some(line) = lines.next() {
            let is_last = line.contains(last);
            said.push(line);
            if is_last {
                // Read on: it would end with its reader.
                std::thread::spawn(move || lines.for_each(drop));
                return (twin, said);
            }
        }
        panic!("{last:?} was never said: {said:?}");
    }
}

impl Drop for Twin {
    fn drop(&mut self) {
        // One that ended by itself is waited for all the same.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks a look-alike for something that its judge may do.
pub(crate) fn post(url: &str, path: &str, body: &Value) {
    let host = url.trim_start_matches("http://");
    let body = body.to_string();
    let head = format!("POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {}\r\n", body.len());
    exchange(host, &format!("{head}connection: close\r\n\r\n{body}"));
}

/// What a look-alike's books say.
pub(crate) fn get(url: &str, path: &str) -> Value {
    let host = url.trim_start_matches("http://");
    let answer = exchange(host, &format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"));
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

fn exchange(host: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(host).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer
}

/// The last one that was said.
fn address(said: &[String]) -> String {
    let said = said.join(" ");
    let from = said.rfind("http://").unwrap();
    let host = said[from..].split(['"', '/']).nth(2).unwrap();
    format!("http://{host}")
}

#[expect(clippy::disallowed_methods, reason = "the look-alike's orders are of today")]
fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}
