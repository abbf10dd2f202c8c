package import ImageModel
package import RelayEngine

/// All settings except those of backends, whose keys their drivers define. Each property's unit, range and default is
/// documented in config/baton.yaml, which a test compares with this type.
package struct BatonConfiguration: Sendable, Equatable {
    /// A certificate and its private key, each in a PEM file.
    package struct CertificateFiles: Sendable, Equatable {
        /// The path of the file with the certificate, followed by its intermediate certificates.
        package let certificate: String
        /// The path of the private key.
        package let key: String
    }

    /// The settings of the server that clients connect to.
    package struct Server: Sendable, Equatable {
        /// The address that it listens at.
        package var listen = ListenAddress.standard
        /// The mode of the socket file, if it listens at one.
        package var socketMode: FileMode = .shared
        /// The server's certificate and key; nil for plain HTTP.
        package var certificate: CertificateFiles?
        /// The time from SIGTERM until no more connections are accepted.
        package var drainDelay: Duration = .zero
        /// How long running downloads may continue after the drain delay.
        package var drainTimeout: Duration = .seconds(3600)
        /// How long a connection may stay open without a request.
        package var idleTimeout: Duration = .seconds(60)
        /// The time limit for receiving the head of a request.
        package var headerTimeout: Duration = .seconds(20)
        /// The largest head of a request in bytes.
        package var maximumHeaderSize: ByteCount = .kibibytes(64)
        /// The upper bound of the permissions of files that the server creates.
        package var fileMode: FileMode = .standard
        /// The limit on client connections; nil derives it from the limit on open files.
        package var maximumConnections: Int?
        /// The limit on connections of one client address; nil for a quarter of all.
        package var maximumConnectionsPerAddress: Int?
        /// The URL at which clients reach the server; nil derives it from their requests.
        package var publicURL: String?
        /// The origins of web pages that may use the server from a browser; `*` for all.
        package var corsOrigins: [String] = []
    }

    /// The check that a new location has to pass before it serves.
    package enum Activation: String, Sendable, Equatable, CaseIterable {
        /// One ranged read checks existence, size and validator.
        case probe
        /// A full read verifies the digest.
        case verify
    }

    /// The order of locations in a tier.
    package enum Strategy: String, Sendable, Equatable, CaseIterable {
        /// In the order of registration.
        case ordered
        /// By weight, higher ones first.
        case weighted
        /// By measured throughput and latency, fastest first.
        case measured
    }

    /// The settings that determine the order of locations.
    package struct Selection: Sendable, Equatable {
        /// The order within a tier.
        package var strategy: Strategy = .measured
        /// How long a failed location is ranked behind the others.
        package var penalty: Duration = .seconds(30)
        /// The number of consecutive failures that opens a backend's breaker, which ranks the backend behind the others.
        package var breakerFailures = 5
        /// The first opening time of a breaker; each failed probe extends it by as much.
        package var breakerOpening: Duration = .seconds(30)
        /// The longest opening time before the next probe.
        package var breakerLongestOpening: Duration = .seconds(300)
    }

    /// The limits of each download, and of the memory that all downloads share.
    package struct Relay: Sendable, Equatable {
        /// The timeout for connecting to a backend.
        package var connectTimeout: Duration = .seconds(2)
        /// The limits that each download keeps; `RelayPolicy` has their defaults.
        package var policy = RelayPolicy()
        /// The size of one memory buffer.
        package var slab: ByteCount = .kibibytes(512)
        /// The limit on the memory for the bytes of all downloads; nil for a quarter of the available memory.
        package var memory: ByteCount?
        /// How long a download waits for its share of that memory.
        package var memoryTimeout: Duration = .seconds(10)
        /// The limit on concurrent downloads of one caller; 0 for no limit.
        package var downloadsPerCaller = 0
    }

    /// The settings of background maintenance of locations.
    package struct Maintenance: Sendable, Equatable {
        /// The interval between two maintenance passes.
        package var interval: Duration = .seconds(30)
        /// The number of concurrent full reads, without scrubs.
        package var readers = 2
        /// The bandwidth limit of those reads together, in bytes per second; 0 for no limit.
        package var readRate = ByteCount(0)
        /// The time from a verification to the scrub that renews it; zero disables scrubs.
        package var scrubInterval: Duration = .seconds(14 * 86_400)
        /// The bandwidth limit of scrubs in bytes per second.
        package var scrubRate: ByteCount = .mebibytes(32)
        /// The time from a scrub that missed an object to the next attempt.
        package var missInterval: Duration = .seconds(3600)
        /// The time from a quarantine to the first read that may lift it.
        package var recheck: Duration = .seconds(3600)
        /// The time from an operator's request to the deletion of a location.
        package var deleteDelay: Duration = .seconds(86_400)
    }

    /// The settings of manifests, which hold the digests of chunks.
    package struct Manifests: Sendable, Equatable {
        /// The chunk size of new manifests.
        package var chunkSize: ByteCount = .mebibytes(1)
        /// Whether the first active location of a new representation is read in full at once to build its manifest.
        package var eager = true
    }

    /// The threads that transfer bytes.
    package struct Transfer: Sendable, Equatable {
        /// The number of transfer loops; 0 for one per processor.
        package var loops = 0
        /// The number of threads that read the files of one backend.
        package var fileWorkers = 4
        /// The size of one read from a file.
        package var fileRange: ByteCount = .mebibytes(1)
    }

    /// The severity from which records are logged.
    package enum LogLevel: String, Sendable, Equatable, CaseIterable {
        case trace, debug, info, notice, warning, error

        /// Parses a level, ignoring case; `warn` is an alias of `warning`.
        package init?(rawValue: String) {
            let word = rawValue.lowercased()
            guard let level = Self.allCases.first(where: { "\($0)" == (word == "warn" ? "warning" : word) }) else { return nil }
            self = level
        }
    }

    /// The format of log lines.
    package enum LogFormat: String, Sendable, Equatable, CaseIterable {
        /// Text for people.
        case text
        /// One JSON object per line.
        case json
    }

    /// The settings of direct URLs for trusted clients.
    package struct Direct: Sendable, Equatable {
        /// The lifetime of a URL, for backends whose URLs expire.
        package var lifetime: Duration = .seconds(3600)
    }

    /// The quotas of one project. Images without a project share one quota.
    package struct Quotas: Sendable, Equatable {
        /// The limit on images; 0 for no limit.
        package var images = 0
        /// The limit on uploaded bytes; 0 for no limit.
        package var bytes = ByteCount(0)
    }

    package struct Log: Sendable, Equatable {
        /// The lowest severity that is logged.
        package var level: LogLevel = .info
        package var format: LogFormat = .text
    }

    package var server = Server()
    /// The path of the catalog's SQLite file, relative to the working directory.
    package var catalog = "var/baton.sqlite"
    package var auth = Auth()
    package var activation: Activation = .probe
    package var selection = Selection()
    package var relay = Relay()
    package var maintenance = Maintenance()
    package var manifests = Manifests()
    package var transfer = Transfer()
    package var direct = Direct()
    package var uploads = Uploads()
    package var quotas = Quotas()
    package var log = Log()

    package init() {}

    /// The former names of keys that the file uses, each with a message that gives the present name.
    package var formerKeys: [ConfigurationProblem] = []

    /// The chunk size in bytes of manifests built by downloads and full reads.
    package var chunkSize: Int64 { Int64(manifests.chunkSize.count) }
}
