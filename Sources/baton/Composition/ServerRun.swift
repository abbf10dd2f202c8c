import BatonConfig
import Glibc
import HTTPServing
import Logging
import ServiceLifecycle
import Synchronization
import UnixSignals

/// Runs the server's services until a signal ends them. SIGTERM or SIGINT begins a drain, and a second one ends it. SIGQUIT
/// stops the server at once. SIGHUP reloads the configuration.
struct ServerRun: Sendable {
    private enum Part {
        case background, front, stopped, watchdog, drainRequests, reloads
    }

    /// How long the services may take to end after the drain.
    private static let grace: Duration = .seconds(5)

    /// Background services. They end when a drain begins, since the next server takes over their work.
    let background: [any Service]
    /// The service with the client connections; ended last.
    let front: any Service
    let drain: Drain
    let notifier: ServiceNotifier
    let watchdog: Watchdog
    /// The settings of a drain, read when it begins.
    let timing: Reloadable<BatonConfiguration.Server>
    let reload: @Sendable () async -> Void
    /// Releases the catalog, so that the next server can take over the background work.
    let handOver: @Sendable () -> Void
    let flushLog: @Sendable () -> Void
    let runningDownloads: @Sendable () -> Int
    let logger: Logger

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sigquit, .sighup)
        let background = group(background)
        let front = group([front])
        // Reloads run one at a time and apart from the signals, since a reload may wait for a file system that hangs.
        let (reloads, requestReload) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let (drainRequests, requestDrain) = AsyncStream.makeStream(of: UnixSignal.self)
        let (backgroundEnd, endBackground) = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup(of: Part.self) { parts in
            parts.addTask {
                defer { endBackground.finish() }
                try await Self.run(background)
                return .background
            }
            parts.addTask {
                try await Self.run(front)
                return .front
            }
            parts.addTask {
                await watchdog.run()
                return .watchdog
            }
            parts.addTask { await follow(signals, requestReload, requestDrain) }
            parts.addTask {
                for await _ in reloads { await reload() }
                return .reloads
            }
            parts.addTask {
                for await signal in drainRequests {
                    await drainAll(because: signal, background, backgroundEnd, front)
                    return Task.isCancelled ? .drainRequests : .stopped
                }
                return .drainRequests
            }
            defer { parts.cancelAll() }
            while let part = try await parts.next() {
                switch part {
                case .front:
                    exitIfStuck()
                    return
                case .stopped:
                    exitIfStuck()
                    parts.cancelAll()
                case .background, .watchdog, .drainRequests, .reloads: break
                }
            }
        }
    }

    /// Runs a group of services. Cancellation is not an error.
    private static func run(_ group: ServiceGroup) async throws {
        do {
            try await group.run()
        } catch is CancellationError {}
    }

    private func group(_ services: [any Service]) -> ServiceGroup {
        ServiceGroup(configuration: ServiceGroupConfiguration(services: services, logger: logger))
    }

    /// Handles signals. Returns when the server must stop without finishing a drain, or when the task is cancelled.
    private func follow(
        _ signals: UnixSignalsSequence, _ requestReload: AsyncStream<Void>.Continuation,
        _ requestDrain: AsyncStream<UnixSignal>.Continuation
    ) async -> Part {
        defer {
            requestReload.finish()
            requestDrain.finish()
        }
        var isDraining = false
        for await signal in signals {
            switch signal {
            case .sighup: if !isDraining { requestReload.yield() }
            case .sigquit:
                logger.warning("server.stopping: The server stops at once.", metadata: log(signal))
                return .stopped
            default:
                if isDraining {
                    logger.warning(
                        "server.drain_interrupted: A second signal ended the drain. The server stops at once.",
                        metadata: log(signal))
                    return .stopped
                }
                isDraining = true
                requestDrain.yield(signal)
            }
        }
        return .drainRequests
    }

    /// Stops the background work, then the listener, and waits a limited time for running downloads.
    private func drainAll(
        because signal: UnixSignal, _ background: ServiceGroup, _ backgroundEnd: AsyncStream<Void>, _ front: ServiceGroup
    ) async {
        let server = timing.current
        var metadata = log(signal)
        metadata["downloads"] = .stringConvertible(runningDownloads())
        logger.notice("server.draining: The server finishes running requests, then stops.", metadata: metadata)
        notifier.stopping("Draining.")
        drain.begin()
        await withTaskGroup(of: Void.self) { steps in
            steps.addTask {
                await background.triggerGracefulShutdown()
                for await _ in backgroundEnd {}
                if !Task.isCancelled { handOver() }
            }
            steps.addTask {
                try? await Task.sleep(for: server.drainDelay)
                await front.triggerGracefulShutdown()
            }
        }
        try? await Task.sleep(for: server.drainTimeout)
        if !Task.isCancelled {
            logger.warning(
                "server.drain_timeout: The drain took longer than server.drain_timeout. Running downloads are cut off.",
                metadata: ["downloads": .stringConvertible(runningDownloads())])
        }
    }

    private func log(_ signal: UnixSignal) -> Logger.Metadata { ["signal": "\(signal)"] }

    /// Ends the process if a service does not stop.
    private func exitIfStuck() {
        let (logger, flushLog) = (logger, flushLog)
        Task.detached {
            try? await Task.sleep(for: Self.grace)
            logger.error("server.stop_timeout: A service did not end in time. The process ends without it.")
            flushLog()
            _exit(1)
        }
    }
}
