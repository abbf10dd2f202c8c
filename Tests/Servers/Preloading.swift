import Foundation

/// Libraries that stand between Baton and the system, which is how its clock jumps and its disk fails.
package enum Preloading {
    /// Whether it goes: a sanitizer stands there already. faketime's library asks for memory while it gets ready, a sanitizer's memory
    /// asks for the time: each waits for the other for ever.
    package static let isPossible: Bool = {
        let environment = ProcessInfo.processInfo.environment
        return environment["TSAN_OPTIONS"] == nil && environment["ASAN_OPTIONS"] == nil
    }()
}
