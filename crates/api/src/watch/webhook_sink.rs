//! Escalations posted as JSON to one URL. Pages and tickets only. Bounded: what does not fit, or is refused three
//! times, is counted as lost; the log has it anyway.

use super::{Escalation, Sink};
use crate::timer::wait;
use kernel::fault::Severity;
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::Arc;
use std::time::Duration;
use telemetry::Metrics;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

const WAITING_MAX: usize = 1024;
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(2);
const TIME_OUT: Duration = Duration::from_secs(10);
const NAME: &str = "webhook";

#[derive(Debug, thiserror::Error)]
#[error("escalations cannot be posted: {0}")]
pub struct SinkError(#[from] reqwest::Error);

/// Queues escalations for the task that posts them.
#[derive(Debug)]
pub struct WebhookSink {
    queue: mpsc::Sender<Escalation>,
    metrics: Arc<Metrics>,
}

impl WebhookSink {
    /// Starts the task; it ends when the sink is dropped and its queue is empty.
    pub fn start(
        url: String,
        bearer: Option<SecretString>,
        metrics: Arc<Metrics>,
    ) -> Result<(Arc<Self>, JoinHandle<()>), SinkError> {
        let client = reqwest::Client::builder()
            .timeout(TIME_OUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let (queue, inbox) = mpsc::channel(WAITING_MAX);
        let poster = Poster { client, url, bearer, metrics: metrics.clone() };
        Ok((Arc::new(Self { queue, metrics }), tokio::spawn(poster.run(inbox))))
    }
}

impl Sink for WebhookSink {
    fn raise(&self, escalation: &Escalation) {
        if escalation.severity == Severity::Info {
            return;
        }
        if self.queue.try_send(escalation.clone()).is_err() {
            self.metrics.escalation_lost(NAME);
        }
    }
}

struct Poster {
    client: reqwest::Client,
    url: String,
    bearer: Option<SecretString>,
    metrics: Arc<Metrics>,
}

impl Poster {
    async fn run(self, mut inbox: mpsc::Receiver<Escalation>) {
        while let Some(escalation) = inbox.recv().await {
            if !self.deliver(&escalation).await {
                self.metrics.escalation_lost(NAME);
                tracing::warn!(notice.name = escalation.notice.as_str(), "an escalation could not be posted");
            }
        }
    }

    async fn deliver(&self, escalation: &Escalation) -> bool {
        for attempt in 1..=TRIES {
            if self.post(escalation).await {
                return true;
            }
            if attempt < TRIES {
                wait(PAUSE * attempt).await;
            }
        }
        false
    }

    async fn post(&self, escalation: &Escalation) -> bool {
        let mut request = self.client.post(&self.url).json(escalation);
        if let Some(bearer) = &self.bearer {
            request = request.bearer_auth(bearer.expose_secret());
        }
        request.send().await.is_ok_and(|answer| answer.status().is_success())
    }
}
