//! Why a source brought nothing, as its own run and whoever asked for it are told.

use kernel::fault::Fault;
use price_store::PriceStoreError;

#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// Never two at a time.
    #[error(
        "prices of {0} are being brought right now: wait until they are, tidegate prices sources shows it"
    )]
    UnderWay(String),
    /// The source did not say it, or not as it should.
    #[error("{0}")]
    Source(Fault),
    /// Nothing is loaded while what is known of the source cannot be kept.
    #[error("what is known of the source cannot be kept: {0}")]
    Kept(std::io::Error),
    /// The load, for a reason that is not in its rows.
    #[error(transparent)]
    Store(#[from] PriceStoreError),
    /// The terms of its lists do not go beside what people wrote.
    #[error("the prices count, and the terms of their lists do not: {0}")]
    Terms(String),
    #[error("the load broke off, see the log; it is asked for again from the same point")]
    BrokeOff,
}

impl From<Fault> for PullError {
    fn from(fault: Fault) -> Self {
        Self::Source(fault)
    }
}

impl PullError {
    /// The page that says what to do.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::UnderWay(_) => "TG-7216",
            Self::Source(fault) => &fault.code,
            Self::Terms(_) => "TG-7208",
            Self::Kept(_) | Self::Store(_) | Self::BrokeOff => "TG-7210",
        }
    }
}
