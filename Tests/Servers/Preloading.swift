import Foundation

/// Libraries that are preloaded between Baton and the system, to make its clock jump and its disk fail.
package enum Preloading {
    /// Whether preloading works: it does not with a sanitizer. faketime's library allocates memory while it initialises, and a sanitizer's
    /// allocator reads the time: each waits for the other for ever.
    package static let isPossible: Bool = {
        let environment = ProcessInfo.processInfo.environment
        return environment["TSAN_OPTIONS"] == nil && environment["ASAN_OPTIONS"] == nil
    }()
}
