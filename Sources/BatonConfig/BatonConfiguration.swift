package import ImageModel

/// Everything that operators set, but for the backends, whose keys their drivers know. Each property's unit, range and default
/// is documented in config/baton.yaml, which a test holds against this type.
package struct BatonConfiguration: Sendable, Equatable {
    /// A certificate and its key, each in a file in PEM form.
    package struct CertificateFiles: Sendable, Equatable {
        /// The certificate, those that lead to its root behind it.
        package let certificate: String
        /// Its private key.
        package let key: String
    }

    /// How clients reach the server.
    package struct Server: Sendable, Equatable {
        /// Where it listens.
        package var listen = ListenAddress(host: "127.0.0.1", port: 9292)
        /// The mode of the socket file, if it listens at one.
        package var socketMode: FileMode = .shared
        /// The files of the certificate and its key that clients are shown; nil for plain HTTP.
        package var certificate: CertificateFiles?
        /// From SIGTERM until no more connections are accepted.
        package var drainDelay: Duration = .zero
        /// How long running downloads may go on after that.
        package var drainTimeout: Duration = .seconds(3600)
        /// How long a connection may go without a request.
        package var idleTimeout: Duration = .seconds(60)
        /// How long the head of a request may take.
        package var headerTimeout: Duration = .seconds(20)
        /// The most bytes of a request's head.
        package var maximumHeaderSize: ByteCount = .kibibytes(64)
        /// The permissions of the files that the server makes, at most.
        package var fileMode: FileMode = .standard
        /// The most connections of clients; nil for what the limit of open files leaves.
        package var maximumConnections: Int?
        /// The most connections of one client's address; nil for a quarter of all.
        package var maximumConnectionsPerAddress: Int?
        /// Under which URL clients reach the server; nil if it is what their requests say.
        package var publicURL: String?
        /// The origins of the web pages that may use the server from a browser; `*` for all.
        package var corsOrigins: [String] = []
    }

    /// What a new location has to pass before it serves.
    package enum Activation: String, Sendable, Equatable, CaseIterable {
        /// One ranged read checks existence, size and validator.
        case probe
        /// A full read verifies it.
        case verify
    }

    /// How locations of one tier are ordered.
    package enum Strategy: String, Sendable, Equatable, CaseIterable {
        /// As they were registered.
        case ordered
        /// By weight, the higher first.
        case weighted
        /// By what was measured, the quickest first.
        case measured
    }

    /// Which location comes first.
    package struct Selection: Sendable, Equatable {
        /// The order within a tier.
        package var strategy: Strategy = .measured
        /// How long a failed location stands at the end.
        package var penalty: Duration = .seconds(30)
        /// The failures in a row after which a backend is asked last.
        package var breakerFailures = 5
        /// For how long, the first time; each probe that fails adds as much.
        package var breakerOpening: Duration = .seconds(30)
        /// The longest it is asked last before the next probe.
        package var breakerLongestOpening: Duration = .seconds(300)
    }

    /// The limits of one download.
    package struct Relay: Sendable, Equatable {
        /// How long a connection to a backend may take.
        package var connectTimeout: Duration = .seconds(2)
        /// How long no byte may come before the next location is taken.
        package var stallTimeout: Duration = .seconds(3)
        /// What that grows to when all locations have stalled.
        package var stallTimeoutLimit: Duration = .seconds(60)
        /// How many times faster another location must be for a slow one to be left; 0 never leaves one.
        package var slowFactor = 3
        /// How long a location is watched before it is judged.
        package var slowWindow: Duration = .seconds(2)
        /// Bytes a second below which a location is as good as stalled.
        package var slowRate: ByteCount = .kibibytes(64)
        /// How long no second such move follows the first.
        package var slowDwell: Duration = .seconds(10)
        /// How long a download goes on without progress.
        package var giveUpAfter: Duration = .seconds(60)
        /// How long a client may read nothing.
        package var clientStallTimeout: Duration = .seconds(300)
        /// How long a client takes nothing before its connection to a backend may go to another download that waits.
        package var permitTimeout: Duration = .seconds(5)
        /// How many revisits of failed locations one download may make without progress.
        package var revisits = 32
        /// The progress that pays revisits back.
        package var refundAfter = ByteCount(1)
        /// The first bound of the random wait before a revisit.
        package var backoff: Duration = .milliseconds(100)
        /// The largest bound of that wait.
        package var backoffLimit: Duration = .seconds(5)
        /// How much may be read and dropped at a location that knows no ranges.
        package var discardLimit: ByteCount = .mebibytes(256)
        /// How much of the end is held back until the whole is verified.
        package var tail: ByteCount = .mebibytes(1)
        /// How much may wait in memory for one client, beside the tail.
        package var window: ByteCount = .mebibytes(4)
        /// The size of one memory buffer.
        package var slab: ByteCount = .kibibytes(512)
        /// The most memory that the bytes of all downloads may take together; nil for a quarter of what there is.
        package var memory: ByteCount?
        /// How long a download waits for its share of that memory.
        package var memoryTimeout: Duration = .seconds(10)
        /// The most downloads of one caller at a time; 0 for any number.
        package var downloadsPerCaller = 0
    }

    /// What is done with locations without anybody asking.
    package struct Maintenance: Sendable, Equatable {
        /// Between two looks at what is due.
        package var interval: Duration = .seconds(30)
        /// How many locations are read in full at a time, scrubs left out.
        package var readers = 2
        /// How many bytes a second those reads may take together; 0 for no limit.
        package var readRate = ByteCount(0)
        /// From a verification to the scrub that renews it; zero for no scrubs.
        package var scrubInterval: Duration = .seconds(14 * 86_400)
        /// How many bytes a second scrubs may take.
        package var scrubRate: ByteCount = .mebibytes(32)
        /// From a scrub that missed an object to the next look.
        package var missInterval: Duration = .seconds(3600)
        /// From a quarantine to the first read that may lift it.
        package var recheck: Duration = .seconds(3600)
        /// From an operator's word to the end of a location.
        package var deleteDelay: Duration = .seconds(86_400)
    }

    /// The digests of chunks.
    package struct Manifests: Sendable, Equatable {
        /// How large the chunks of new manifests are.
        package var chunkSize: ByteCount = .mebibytes(1)
        /// Whether the first active location of a new representation is read in full at once, for its manifest.
        package var eager = true
    }

    /// The threads that move bytes.
    package struct Transfer: Sendable, Equatable {
        /// How many loops; 0 for one per processor.
        package var loops = 0
        /// How many threads read the files of one backend.
        package var fileWorkers = 4
        /// How much of a file one read asks for.
        package var fileRange: ByteCount = .mebibytes(1)
    }

    /// How much is logged.
    package enum LogLevel: String, Sendable, Equatable, CaseIterable {
        case trace, debug, info, notice, warning, error

        /// The level that a word means, in any case; `warn` is what most programs call `warning`.
        package init?(rawValue: String) {
            let word = rawValue.lowercased()
            guard let level = Self.allCases.first(where: { "\($0)" == (word == "warn" ? "warning" : word) }) else { return nil }
            self = level
        }
    }

    /// How log lines look.
    package enum LogFormat: String, Sendable, Equatable, CaseIterable {
        /// For people.
        case text
        /// One JSON object a line.
        case json
    }

    /// How trusted clients are sent straight to locations.
    package struct Direct: Sendable, Equatable {
        /// How long a URL made for a client is good, where its backend's URLs end.
        package var lifetime: Duration = .seconds(3600)
    }

    /// What one project may have. Images without a project share one quota.
    package struct Quotas: Sendable, Equatable {
        /// The most images; 0 for any number.
        package var images = 0
        /// The most bytes of uploads; 0 for any number.
        package var bytes = ByteCount(0)
    }

    /// The log.
    package struct Log: Sendable, Equatable {
        /// Records below are dropped.
        package var level: LogLevel = .info
        /// How lines look.
        package var format: LogFormat = .text
    }

    /// How clients reach the server.
    package var server = Server()
    /// The path of the catalog's SQLite file, from the current directory if relative.
    package var catalog = "var/baton.sqlite"
    /// Who a caller is.
    package var auth = Auth()
    /// What a new location has to pass before it serves.
    package var activation: Activation = .probe
    /// Which location comes first.
    package var selection = Selection()
    /// The limits of one download.
    package var relay = Relay()
    /// What is done with locations without anybody asking.
    package var maintenance = Maintenance()
    /// The digests of chunks.
    package var manifests = Manifests()
    /// The threads that move bytes.
    package var transfer = Transfer()
    /// How trusted clients are sent straight to locations.
    package var direct = Direct()
    /// Where uploads go.
    package var uploads = Uploads()
    /// What one project may have.
    package var quotas = Quotas()
    /// The log.
    package var log = Log()

    /// The defaults.
    package init() {}

    /// The bytes of a chunk in new manifests, whoever makes them: downloads and full reads.
    package var chunkSize: Int64 { Int64(manifests.chunkSize.count) }
}
