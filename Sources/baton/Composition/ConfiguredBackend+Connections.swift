import BackendKit
import BatonConfig

// The connection limit, which all drivers with network connections have.
extension ConfiguredBackend {
    /// A backend's connection limit before the backend is started.
    struct Connections: Sendable {
        let limit: Int
        let timeout: Duration

        /// Creates the limit that all loops of the process share.
        func start() -> ConnectionLimit { ConnectionLimit(limit: limit, timeout: timeout) }
    }

    /// Extends a driver's reader by `max_connections` and `queue_timeout`.
    static func withConnections(
        _ read: @escaping ConfigurationFile<ConfiguredBackend>.ReadBackend
    ) -> ConfigurationFile<ConfiguredBackend>.ReadBackend {
        { section, configuration in
            let connections = connections(section.settings, configuration)
            var backend = read(section, configuration)
            backend?.connections = connections
            return backend
        }
    }

    /// - Returns: nil for no limit.
    private static func connections(_ settings: Section, _ configuration: BatonConfiguration) -> Connections? {
        let limit = settings.integer("max_connections", in: 1...100_000)
        let timeout = settings.duration(
            "queue_timeout", default: configuration.relay.connectTimeout, in: .milliseconds(10) ... .seconds(3600))
        if limit == nil, settings.string("queue_timeout") != nil {
            settings.reject("queue_timeout", "needs max_connections beside it: without a limit nobody waits")
        }
        return limit.map { Connections(limit: $0, timeout: timeout) }
    }
}
