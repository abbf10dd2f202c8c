extension BatonProcess {
    /// Settings for scenarios with real stores, which may be slow on a busy machine: these scenarios test failures, not stalls.
    static let timeout =
        "relay: { connect_timeout: 10s, stall_timeout: 30s, give_up_after: 60s, revisits: 1000, backoff_limit: 200ms }"
}
