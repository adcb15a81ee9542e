//! What no contract asks: settings, answers by table, each cause of a refusal.
