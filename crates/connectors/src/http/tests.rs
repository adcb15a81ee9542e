//! What no contract asks: declarations, plans, settings.
