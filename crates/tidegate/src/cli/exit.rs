//! Exit codes, and how a failure is told. The codes are promised in the help and in docs/cli.md.

use super::say;
use std::process::ExitCode;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub enum Failure {
    /// 1: it was tried and failed; the text says what to do.
    Failed(anyhow::Error),
    /// 2: what was asked cannot be asked so.
    Usage(String),
    /// 3: it was looked at, and something is wrong. What it is was printed already.
    Found,
    /// 4.
    NotFound(String),
    /// 5: the hub does not answer on its socket.
    Unreachable(String),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl Failure {
    fn code(&self) -> u8 {
        match self {
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::Found => 3,
            Self::NotFound(_) => 4,
            Self::Unreachable(_) => 5,
        }
    }
}

/// Says what went wrong, and ends with its code.
pub fn told(result: Result<(), Failure>) -> ExitCode {
    let Err(failure) = result else { return ExitCode::SUCCESS };
    match &failure {
        Failure::Failed(error) => say::note(format_args!("error: {error:#}")),
        Failure::Usage(text) | Failure::NotFound(text) | Failure::Unreachable(text) => {
            say::note(format_args!("error: {text}"));
        }
        Failure::Found => {}
    }
    ExitCode::from(failure.code())
}
