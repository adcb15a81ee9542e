//! Intake, route, deliver, retry, breaker, triage: a step function and its drivers.
