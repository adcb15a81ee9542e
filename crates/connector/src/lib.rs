//! What a connector is: capabilities, outbound HTTP stack, the contract every connector passes.
