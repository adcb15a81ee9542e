//! A source as somebody asks it who waits for the whole answer: a proof, a backfill. One that says "not now" is asked again after the time
//! that it says. Live work does not wait here: it has lanes to go on with.

use async_trait::async_trait;
use connector::port::{CallContext, Changes, ListPage, ListQuery, Part, Read, Source, Whole};
use kernel::fault::{Fault, FaultKind};
use kernel::subject::Subject;
use shopify::graphql::Pause;
use std::sync::Arc;
use std::time::Duration;

/// Where it does not say how long.
const SOON: Duration = Duration::from_secs(1);
/// What is not to be had within this is missing in the answer, and said to be.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Debug)]
pub struct Patient {
    inner: Arc<dyn Source>,
    pause: Arc<dyn Pause>,
}

impl Patient {
    pub fn new(inner: Arc<dyn Source>, pause: Arc<dyn Pause>) -> Self {
        Self { inner, pause }
    }

    /// Waits as long as was asked for; the fault, where that is too long by now.
    async fn after(&self, fault: Fault, waited: &mut Duration) -> Result<(), Fault> {
        let wait = fault.retry_after.unwrap_or(SOON).max(SOON);
        if fault.kind != FaultKind::Throttled || *waited + wait > PATIENCE {
            return Err(fault);
        }
        *waited += wait;
        self.pause.pause(wait).await;
        Ok(())
    }
}

#[async_trait]
impl Source for Patient {
    async fn whole(&self, call: &CallContext, domain: &str) -> Result<Box<dyn Whole>, Fault> {
        self.inner.whole(call, domain).await
    }

    async fn changes(&self, call: &CallContext, domain: &str, after: Option<&str>) -> Result<Changes, Fault> {
        self.inner.changes(call, domain, after).await
    }

    async fn read(&self, call: &CallContext, subject: &Subject) -> Result<Option<Read>, Fault> {
        let mut waited = Duration::ZERO;
        loop {
            match self.inner.read(call, subject).await {
                Err(fault) => self.after(fault, &mut waited).await?,
                read => return read,
            }
        }
    }

    async fn parts(&self, call: &CallContext, subject: &Subject) -> Result<Option<Vec<Part>>, Fault> {
        self.inner.parts(call, subject).await
    }

    async fn list(&self, call: &CallContext, domain: &str, query: &ListQuery) -> Result<ListPage, Fault> {
        let mut waited = Duration::ZERO;
        loop {
            match self.inner.list(call, domain, query).await {
                Err(fault) => self.after(fault, &mut waited).await?,
                page => return page,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use kernel::envelope::TraceId;
    use kernel::id::ShopId;
    use std::sync::Mutex;

    /// Answers "not now" so often before it answers, each time with the same wait.
    #[derive(Debug)]
    struct Busy {
        times: Mutex<u32>,
        fault: Fault,
    }

    #[async_trait]
    impl Source for Busy {
        async fn read(&self, _: &CallContext, _: &Subject) -> Result<Option<Read>, Fault> {
            let mut times = self.times.lock().unwrap();
            if *times == 0 {
                return Ok(None);
            }
            *times -= 1;
            Err(self.fault.clone())
        }

        async fn list(&self, _: &CallContext, _: &str, _: &ListQuery) -> Result<ListPage, Fault> {
            unreachable!("not asked")
        }
    }

    #[derive(Debug, Default)]
    struct Waits(Mutex<Vec<Duration>>);

    #[async_trait]
    impl Pause for Waits {
        async fn pause(&self, wait: Duration) {
            self.0.lock().unwrap().push(wait);
        }
    }

    async fn asked(times: u32, fault: Fault) -> (Result<Option<Read>, Fault>, Vec<Duration>) {
        let waits = Arc::new(Waits::default());
        let source = Patient::new(Arc::new(Busy { times: Mutex::new(times), fault }), waits.clone());
        let shop = ShopId::new("acme").unwrap();
        let (time_out, trace) = (Duration::from_secs(30), TraceId([1; 16]));
        let call = CallContext { shop: shop.clone(), time_out, trace, span: 0, now: Timestamp::UNIX_EPOCH };
        let read = source.read(&call, &Subject::new(shop, "order", "1")).await;
        let waited = waits.0.lock().unwrap().clone();
        (read, waited)
    }

    fn not_now(wait: Duration) -> Fault {
        Fault::new(FaultKind::Throttled, "THROTTLED", "the bucket is too low").retry_after(wait)
    }

    #[tokio::test]
    async fn not_now_is_asked_again_after_the_time_that_was_said() {
        let (read, waited) = asked(3, not_now(Duration::from_secs(7))).await;
        assert_eq!((read, waited), (Ok(None), vec![Duration::from_secs(7); 3]));
        let at_once = asked(1, Fault::new(FaultKind::Throttled, "THROTTLED", "no time was said")).await;
        assert_eq!(at_once.1, [SOON]);
    }

    #[tokio::test]
    async fn what_is_not_to_be_had_in_time_is_said_and_other_faults_are_not_waited_for() {
        let (read, waited) = asked(9, not_now(Duration::from_secs(50))).await;
        assert_eq!((read.unwrap_err().code.as_str(), waited.len()), ("THROTTLED", 2));
        let (read, waited) = asked(1, Fault::new(FaultKind::Transient, "http_503", "no")).await;
        assert_eq!((read.is_err(), waited.len()), (true, 0));
    }
}
