import Foundation

/// Libraries that are preloaded between Baton and the system and make its clock jump or its disk fail.
package enum Preloading {
    /// Whether that works: it does not beside a sanitizer. faketime's library asks for memory while it starts, and a sanitizer's
    /// memory asks for the time: each waits for the other for ever.
    package static let isPossible: Bool = {
        let environment = ProcessInfo.processInfo.environment
        return environment["TSAN_OPTIONS"] == nil && environment["ASAN_OPTIONS"] == nil
    }()
}
