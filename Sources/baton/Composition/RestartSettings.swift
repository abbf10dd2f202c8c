import BatonConfig

extension BatonConfiguration {
    /// The changed keys that take effect only after a restart.
    func settingsForNextStart(insteadOf running: BatonConfiguration) -> [String] {
        var keys: [String] = []
        func compare<Value: Equatable>(_ key: String, _ value: (BatonConfiguration) -> Value) {
            if value(self) != value(running) { keys.append(key) }
        }
        compare("server.listen", \.server.listen)
        compare("server.socket_mode", \.server.socketMode)
        compare("server.file_mode", \.server.fileMode)
        compare("server.certificate_file") { $0.server.certificate == nil }
        compare("catalog", \.catalog)
        compare("activation", \.activation)
        compare("relay.slab", \.relay.slab)
        compare("relay.memory", \.relay.memory)
        compare("relay.memory_timeout", \.relay.memoryTimeout)
        compare("relay.downloads_per_caller", \.relay.downloadsPerCaller)
        compare("maintenance", \.maintenance)
        compare("manifests", \.manifests)
        compare("transfer", \.transfer)
        compare("direct", \.direct)
        compare("log.format", \.log.format)
        return keys
    }
}
