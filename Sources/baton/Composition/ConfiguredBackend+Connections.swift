import BackendKit
import BatonConfig

// What every section may have whose driver opens connections.
extension ConfiguredBackend {
    /// How many connections a backend may have, before anything of it is started.
    struct Connections: Sendable {
        let limit: Int
        let timeout: Duration

        /// The limit that all of the process share.
        func start() -> ConnectionLimit { ConnectionLimit(limit: limit, timeout: timeout) }
    }

    /// A reader of a driver's section that reads `max_connections` and `queue_timeout` as well.
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

    /// - Returns: nil for any number.
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
