//! Each silence and each refusal ends in the right kind of fault, in time: the checks that look at faults alone.

use super::converge::{At, Walk};
use super::{Bench, Check, FullPort, Kept, RefusingPort, Trouble, Witness};
use crate::port::{CallContext, Connector, Step};
use futures_util::FutureExt;
use kernel::fault::{Fault, FaultKind};
use kernel::key::CallKey;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

pub(super) const CHECKS: &[Check] = &[
    ("nothing was sent: Transient", |bench| nothing_sent(bench).boxed()),
    ("silence ends at the time-out", |bench| hang(bench).boxed()),
    ("a broken or senseless answer: Ambiguous after a write, Transient after a read", |b| broken(b).boxed()),
    ("an answer of 100 MB is not read to its end", |bench| huge(bench).boxed()),
    ("throttled: at the time that the target said", |bench| throttled(bench).boxed()),
    ("refusals: 401, 403, 4xx", |bench| refused(bench).boxed()),
    ("a redirect to another host is not followed", |bench| redirected(bench).boxed()),
];

/// The three calls of a connector that go over a network.
struct Calls {
    connector: Arc<dyn Connector>,
    step: Step,
    key: CallKey,
    /// Whether `observe` makes a call at all: one that has nothing to ask by cannot fail.
    asks: bool,
}

/// What `observe`, `apply` and `health` must end in.
type Kinds = [FaultKind; 3];

const LOST: Kinds = [FaultKind::Transient, FaultKind::Ambiguous, FaultKind::Transient];

/// The step is planned while the target is well; the calls then go to `at`.
async fn calls(bench: &Bench<'_>, at: std::net::SocketAddr) -> Result<Calls, String> {
    bench.proxy.set(Trouble::Pass);
    let seen = bench.proxy.seen().len();
    let mut walk = Walk::new(bench, bench.wanted(0));
    match walk.stand().await? {
        At::Done(_) => Err("done before the first step".to_owned()),
        At::Before { step, key, .. } => {
            let asks = bench.proxy.seen().len() > seen;
            Ok(Calls { connector: bench.fixture.connector(at), step, key, asks })
        }
    }
}

impl Calls {
    async fn end_in(
        &self,
        bench: &Bench<'_>,
        call: &CallContext,
        kinds: Kinds,
    ) -> Result<Vec<Fault>, String> {
        let wanted = bench.wanted(0);
        let observe = self.connector.observe(call, &wanted).map(|seen| seen.err());
        let apply = self.connector.apply(call, &self.key, &self.step).map(|applied| applied.err());
        let health = self.connector.health(call).map(|well| well.err());
        let health = health.boxed();
        let mut faults = Vec::new();
        for (name, work, kind) in [
            ("observe", observe.boxed(), kinds[0]),
            ("apply", apply.boxed(), kinds[1]),
            ("health", health, kinds[2]),
        ] {
            let asked = match name {
                "observe" => self.asks,
                "health" => self.connector.descriptor().health,
                _ => true,
            };
            if !asked {
                continue;
            }
            match timeout(call.time_out + bench.fixture.grace(), work).await {
                Err(_) => return Err(format!("{name} does not end at its time-out of {:?}", call.time_out)),
                Ok(None) => return Err(format!("{name} was taken for answered, not for {kind}")),
                Ok(Some(fault)) if fault.kind != kind => return Err(format!("{name}: {fault}, not {kind}")),
                Ok(Some(fault)) => faults.push(fault),
            }
        }
        bench.count_is(&wanted, 0, "afterwards").await?;
        Ok(faults)
    }
}

/// Each of the three calls under one trouble.
async fn under(
    bench: &Bench<'_>,
    trouble: Trouble,
    call: &CallContext,
    kinds: Kinds,
) -> Result<Vec<Fault>, String> {
    let calls = calls(bench, bench.proxy.address()).await?;
    bench.proxy.set(trouble.clone());
    let ended = calls.end_in(bench, call, kinds).await.map_err(|why| format!("{trouble}: {why}"));
    bench.proxy.set(Trouble::Pass);
    ended
}

async fn nothing_sent(bench: &Bench<'_>) -> Kept {
    let refusing = RefusingPort::bind().map_err(|e| e.to_string())?;
    let full = FullPort::bind().await.map_err(|e| e.to_string())?;
    let refusing_at = refusing.address().map_err(|e| e.to_string())?;
    for (what, at, call) in
        [("refused", refusing_at, bench.call()), ("never connected", full.address(), bench.short_call())]
    {
        let calls = calls(bench, at).await?;
        calls
            .end_in(bench, &call, [FaultKind::Transient; 3])
            .await
            .map_err(|why| format!("{what}: {why}"))?;
    }
    Ok(())
}

async fn hang(bench: &Bench<'_>) -> Kept {
    under(bench, Trouble::Hang, &bench.short_call(), LOST).await.map(drop)
}

async fn broken(bench: &Bench<'_>) -> Kept {
    let json = "200 OK\r\ncontent-type: application/json";
    let troubles = [
        Trouble::Reset,
        Trouble::CutRequest { after_bytes: 0 },
        Trouble::Answer(b"\x00\xff\x01 this is not HTTP\r\n\r\n".to_vec()),
        Trouble::Answer(b"HTTP/1.1 20".to_vec()),
        Trouble::Answer(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"id\":".to_vec()),
        Trouble::answer(json, "{\"id\":"),
        Trouble::answer(json, "\u{0}\u{1}garbage"),
        Trouble::answer("200 OK\r\ncontent-type: text/html", "<html>please log in</html>"),
        Trouble::answer("500 Internal Server Error", "oops"),
        Trouble::answer("503 Service Unavailable\r\nretry-after: 3", "<html>later</html>"),
    ];
    for trouble in troubles {
        under(bench, trouble, &bench.call(), LOST).await?;
    }
    Ok(())
}

async fn huge(bench: &Bench<'_>) -> Kept {
    under(bench, Trouble::Huge, &bench.call(), LOST).await?;
    let lied = Trouble::Answer(b"HTTP/1.1 200 OK\r\ncontent-length: 104857600\r\n\r\n{".to_vec());
    under(bench, lied, &bench.call(), LOST).await?;
    // Three calls, each with its bound and what lies in the buffers of two sockets.
    match bench.proxy.huge_sent_bytes() {
        taken if taken < 60 * 1024 * 1024 => Ok(()),
        taken => Err(format!("{taken} bytes of an answer without end were taken")),
    }
}

async fn throttled(bench: &Bench<'_>) -> Kept {
    let trouble = Trouble::answer("429 Too Many Requests\r\nretry-after: 7", "slow down");
    let faults = under(bench, trouble, &bench.call(), [FaultKind::Throttled; 3]).await?;
    match faults.iter().find(|fault| fault.retry_after != Some(Duration::from_secs(7))) {
        Some(fault) => Err(format!("{fault:?} does not say to come back after 7 s")),
        None => Ok(()),
    }
}

async fn refused(bench: &Bench<'_>) -> Kept {
    use FaultKind::{Rejected, Unauthorized};
    let table = [
        ("401 Unauthorized", [Unauthorized; 3]),
        ("403 Forbidden", [Rejected, Rejected, Unauthorized]),
        ("400 Bad Request", [Rejected; 3]),
        ("418 I'm a teapot", [Rejected; 3]),
    ];
    for (status, kinds) in table {
        under(bench, Trouble::answer(status, "no"), &bench.call(), kinds).await?;
    }
    Ok(())
}

async fn redirected(bench: &Bench<'_>) -> Kept {
    let elsewhere = Witness::bind().map_err(|e| e.to_string())?;
    let address = elsewhere.address().map_err(|e| e.to_string())?;
    for status in
        ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Moved"]
    {
        let trouble = Trouble::answer(&format!("{status}\r\nlocation: http://{address}/"), "");
        under(bench, trouble, &bench.call(), [FaultKind::Rejected; 3]).await?;
        if elsewhere.visited() {
            return Err(format!("{status} was followed to another host"));
        }
    }
    Ok(())
}
