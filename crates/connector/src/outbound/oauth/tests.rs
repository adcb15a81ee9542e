//! Tokens against real sockets: asked for once, kept, renewed, refused, and shown to nobody.

use super::*;
use crate::contract::{CuttingProxy, RefusingPort, Trouble};
use crate::outbound::Access;
use kernel::envelope::TraceId;
use kernel::id::ShopId;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Mutex as Standing;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const SECRET: &str = "s3cret of acme+co";
const LONG: Duration = Duration::from_secs(10);

fn call(second: i64) -> CallContext {
    CallContext {
        shop: ShopId::new("acme").unwrap(),
        time_out: LONG,
        trace: TraceId([1; 16]),
        span: 2,
        now: Timestamp::from_second(1_795_000_000 + second).unwrap(),
    }
}

/// A server that answers what it is given, in turn, the last one for ever; and remembers what it was asked.
#[derive(Debug, Clone)]
struct Server {
    at: SocketAddr,
    asked: Arc<Standing<Vec<String>>>,
    answers: Arc<Standing<VecDeque<String>>>,
}

impl Server {
    async fn answering<const N: usize>(answers: [&str; N]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            at: listener.local_addr().unwrap(),
            asked: Arc::default(),
            answers: Arc::new(Standing::new(answers.map(str::to_owned).into())),
        };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serving.clone();
                tokio::spawn(async move { serving.serve(stream).await.ok() });
            }
        });
        server
    }

    async fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut bytes = vec![0; 64 * 1024];
        let length = stream.read(&mut bytes).await?;
        self.asked.lock().unwrap().push(String::from_utf8_lossy(&bytes[..length]).into_owned());
        // Who comes at the same time has arrived by then.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        let answer = {
            let mut answers = self.answers.lock().unwrap();
            if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0].clone() }
        };
        let (status, body) = answer.split_once(' ').unwrap();
        let head =
            format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        stream.write_all(format!("{head}{body}").as_bytes()).await
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn credentials(token_url: &str) -> ClientCredentials {
    ClientCredentials {
        token_url: token_url.to_owned(),
        client_id: "tide:gate".to_owned(),
        client_secret: SecretString::from(SECRET.to_owned()),
        scope: Some("sales:write".to_owned()),
        audience: Some("https://erp.example".to_owned()),
        client_auth: ClientAuth::Basic,
        carrier: Carrier::Bearer,
    }
}

fn outbound(system: SocketAddr, credentials: ClientCredentials) -> Outbound {
    let mut config = OutboundConfig::new(format!("http://{system}"));
    config.auth = Auth::OAuth2(Box::new(credentials));
    Outbound::new(&config).unwrap()
}

async fn both(system: &Server, door: &Server) -> Outbound {
    outbound(system.at, credentials(&format!("http://{}/token", door.at)))
}

fn write() -> Request {
    Request::write(Method::POST, "/sales").json_bytes(b"{}".as_slice())
}

fn carried(head: &str) -> Option<String> {
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("authorization: "))?;
    Some(line.split_once(' ')?.1.to_owned())
}

#[tokio::test]
async fn the_grant_is_asked_for_as_the_standard_says() {
    let system = Server::answering(["200 {}"]).await;
    let door =
        Server::answering([r#"200 {"access_token":"t-1","token_type":"Bearer","expires_in":3600}"#]).await;
    both(&system, &door).await.call(&call(0), write()).await.unwrap();
    let asked = door.asked()[0].clone();
    assert!(asked.starts_with("POST /token HTTP/1.1\r\n"), "{asked}");
    // "tide:gate" and the secret, each encoded as a form is, then as Basic is.
    let pair =
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, "tide%3Agate:s3cret+of+acme%2Bco");
    assert_eq!(carried(&asked), Some(format!("Basic {pair}")));
    assert!(asked.to_ascii_lowercase().contains("content-type: application/x-www-form-urlencoded"));
    let body = asked.split("\r\n\r\n").nth(1).unwrap();
    assert_eq!(body, "grant_type=client_credentials&scope=sales%3Awrite&audience=https%3A%2F%2Ferp.example");
    assert_eq!(carried(&system.asked()[0]).as_deref(), Some("Bearer t-1"));

    let mut in_body = credentials(&format!("http://{}/token", door.at));
    in_body.client_auth = ClientAuth::Body;
    in_body.carrier = Carrier::Header("X-Shopify-Access-Token".to_owned());
    (in_body.scope, in_body.audience) = (None, None);
    outbound(system.at, in_body).call(&call(0), write()).await.unwrap();
    let asked = door.asked()[1].clone();
    assert_eq!(carried(&asked), None);
    assert_eq!(
        asked.split("\r\n\r\n").nth(1).unwrap(),
        "grant_type=client_credentials&client_id=tide%3Agate&client_secret=s3cret+of+acme%2Bco"
    );
    assert!(system.asked()[1].to_ascii_lowercase().contains("x-shopify-access-token: t-1\r\n"));
}

#[tokio::test]
async fn a_token_is_asked_for_once_by_many_and_kept_until_shortly_before_its_end() {
    let system = Server::answering(["200 {}"]).await;
    let door = Server::answering([
        r#"200 {"access_token":"t-1","expires_in":3600}"#,
        r#"200 {"access_token":"t-2","expires_in":"20"}"#,
        r#"200 {"access_token":"t-3"}"#,
    ])
    .await;
    let outbound = both(&system, &door).await;
    let many = (0..20).map(|_| outbound.call(&CALLS[0], write()));
    for answer in futures_util::future::join_all(many).await {
        answer.unwrap();
    }
    assert_eq!(door.asked().len(), 1, "twenty wait for one token");
    // Seconds after the first, and how many tokens were asked for by then: the second lives 20 s, of which 15 are used.
    for (second, asked) in [(3539, 1), (3540, 2), (3554, 2), (3555, 3), (999_999, 3)] {
        outbound.call(&call(second), write()).await.unwrap();
        assert_eq!(door.asked().len(), asked, "after {second} s");
    }
    assert_eq!(carried(system.asked().last().unwrap()).as_deref(), Some("Bearer t-3"));
}

static CALLS: std::sync::LazyLock<[CallContext; 1]> = std::sync::LazyLock::new(|| [call(0)]);

#[tokio::test]
async fn a_401_renews_the_token_once_and_is_then_unauthorized() {
    let system = Server::answering(["200 {}", "401 no", "200 {}", "401 no t-3 of s3cret of acme+co"]).await;
    let door = Server::answering([
        r#"200 {"access_token":"t-1"}"#,
        r#"200 {"access_token":"t-2"}"#,
        r#"200 {"access_token":"t-3-longer"}"#,
    ])
    .await;
    let outbound = both(&system, &door).await;
    outbound.call(&call(0), write()).await.unwrap();
    outbound.call(&call(1), write()).await.unwrap();
    let tokens: Vec<_> = system.asked().iter().filter_map(|head| carried(head)).collect();
    assert_eq!(tokens, ["Bearer t-1", "Bearer t-1", "Bearer t-2"], "the same bytes, with a new token");
    let fault = outbound.call(&call(2), write()).await.unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Unauthorized, "http_401"));
    assert!(!fault.message.contains(SECRET), "{fault}");
    assert_eq!((system.asked().len(), door.asked().len()), (5, 3), "no third time");
}

#[tokio::test]
async fn what_the_endpoint_says_is_about_the_system_and_never_about_an_order() {
    use FaultKind::{Throttled, Transient, Unauthorized};
    let table = [
        (
            r#"400 {"error":"invalid_client","error_description":"s3cret of acme+co is wrong"}"#,
            Unauthorized,
            classify::code::NO_TOKEN,
        ),
        (r#"401 {"error":"invalid_client"}"#, Unauthorized, classify::code::NO_TOKEN),
        (r#"400 {"error":"invalid_scope"}"#, Unauthorized, classify::code::NO_TOKEN),
        ("404 nothing here", Unauthorized, classify::code::NO_TOKEN),
        ("302 ", Unauthorized, classify::code::NO_TOKEN),
        ("429 slow down", Throttled, "http_429"),
        ("500 oops", Transient, "http_500"),
        ("503 later", Transient, "http_503"),
        ("200 <html>log in</html>", Transient, classify::code::UNREADABLE),
        ("200 {}", Transient, classify::code::UNREADABLE),
        (r#"200 {"access_token":""}"#, Transient, classify::code::UNREADABLE),
        (r#"200 {"access_token":"a\nb"}"#, Transient, classify::code::UNREADABLE),
        (r#"200 {"access_token":"t-1","token_type":"mac"}"#, Transient, classify::code::UNREADABLE),
    ];
    for (answer, kind, code) in table {
        let (system, door) = (Server::answering(["200 {}"]).await, Server::answering([answer]).await);
        let fault = both(&system, &door).await.call(&call(0), write()).await.unwrap_err();
        assert_eq!((fault.kind, fault.code.as_str()), (kind, code), "{answer}: {fault}");
        assert!(fault.message.contains("no access token"), "{fault}");
        assert!(!format!("{fault:?}").contains("s3cret"), "{fault:?}");
        assert_eq!(system.asked().len(), 0, "nothing reaches the system without a token");
    }
}

#[tokio::test]
async fn an_endpoint_that_is_away_is_transient_whatever_was_to_be_written() {
    let system = Server::answering(["200 {}"]).await;
    let refusing = RefusingPort::bind().unwrap();
    let silent = CuttingProxy::start(system.at, |_| false).await.unwrap();
    silent.set(Trouble::Hang);
    for (at, time_out) in
        [(refusing.address().unwrap(), LONG), (silent.address(), Duration::from_millis(150))]
    {
        let outbound = outbound(system.at, credentials(&format!("http://{at}/token")));
        for request in [write(), Request::read(Method::GET, "/sales"), Request::health(Method::GET, "/")] {
            let call = CallContext { time_out, ..call(0) };
            let fault = outbound.call(&call, request).await.unwrap_err();
            assert_eq!(fault.kind, FaultKind::Transient, "{fault}");
            assert!(fault.message.contains("no access token"), "{fault}");
        }
    }
    assert_eq!(system.asked().len(), 0);
}

/// Twenty that wait for an endpoint which says no are told once.
#[tokio::test]
async fn who_waited_for_a_refusal_shares_it() {
    let (system, door) =
        (Server::answering(["200 {}"]).await, Server::answering([r#"401 {"error":"invalid_client"}"#]).await);
    let outbound = both(&system, &door).await;
    let many = (0..20).map(|_| outbound.call(&CALLS[0], write()));
    for answer in futures_util::future::join_all(many).await {
        assert_eq!(answer.unwrap_err().kind, FaultKind::Unauthorized);
    }
    assert_eq!(door.asked().len(), 1);
    // Who comes later asks again: the secret may have been mended.
    outbound.call(&call(1), write()).await.unwrap_err();
    assert_eq!(door.asked().len(), 2);
}

/// After a 401 nothing was done, so a token that then cannot be had leaves nothing open; and a second request of which a
/// byte may have left does.
#[tokio::test]
async fn what_is_open_after_a_401_is_what_left_after_it() {
    let system = Server::answering(["401 no"]).await;
    let door = Server::answering([r#"200 {"access_token":"t-1"}"#, "503 later"]).await;
    let fault = both(&system, &door).await.call(&call(0), write()).await.unwrap_err();
    assert_eq!((fault.kind, fault.code.as_str()), (FaultKind::Transient, "http_503"), "{fault}");

    let proxy = CuttingProxy::start(system.at, |seen| seen.head.contains("Bearer t-1")).await.unwrap();
    proxy.set(Trouble::Hang);
    let door = Server::answering([r#"200 {"access_token":"t-1"}"#, r#"200 {"access_token":"t-2"}"#]).await;
    let outbound = outbound(proxy.address(), credentials(&format!("http://{}/token", door.at)));
    let call = CallContext { time_out: Duration::from_millis(600), ..call(0) };
    let fault = outbound.call(&call, write()).await.unwrap_err();
    assert_eq!(
        (fault.kind, fault.code.as_str()),
        (FaultKind::Ambiguous, classify::code::TIMED_OUT),
        "{fault}"
    );
}

#[test]
fn what_cannot_work_is_refused_before_a_call_and_no_secret_is_shown() {
    let check = |change: &dyn Fn(&mut ClientCredentials)| {
        let mut credentials = credentials("http://127.0.0.1:9/token");
        change(&mut credentials);
        let mut config = OutboundConfig::new("http://127.0.0.1:9");
        config.auth = Auth::OAuth2(Box::new(credentials));
        config.check()
    };
    assert_eq!(check(&|_| {}), Ok(()));
    type Change<'a> = &'a dyn Fn(&mut ClientCredentials);
    let wrong: [(Change<'_>, &str); 4] = [
        (&|to| to.token_url = "ftp://x/".into(), "token_url: "),
        (&|to| to.token_url = "http://169.254.169.254/".into(), "metadata"),
        (&|to| to.client_id = " ".into(), "client_id"),
        (&|to| to.carrier = Carrier::Header("X Token".into()), "X Token"),
    ];
    for (change, why) in wrong {
        let problem = check(change).unwrap_err();
        assert!(problem.contains(why), "{problem}");
    }
    assert!(!format!("{:?}", credentials("http://127.0.0.1:9")).contains("s3cret"));
    assert!(Access::Write.is_write());
}
