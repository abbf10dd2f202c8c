import FaultyOrigin

extension CrashFleet {
    /// The origins, which are started before the server.
    struct Origins {
        let isRotten = Flag()
        let isHeld = Flag()
        /// The contents of the images that exist from the start.
        let sound: [CrashContent]
        let rotting: FaultyOrigin
        /// Content whose manifest has two pages: 1024 chunks of the smallest size are 64 MiB.
        let paged: CrashContent

        var all: [String: FaultyOrigin] {
            [
                "large": sound[0].origin, "middle": sound[1].origin, "small": sound[2].origin, "rotting": rotting,
                "paged": paged.origin,
            ]
        }

        init() throws {
            sound = try [(40 << 20) + 17, 6_000_011, 700_001].enumerated().map { number, size in
                CrashContent(try FaultyOrigin(PatternedContent(size: Int64(size), seed: 900 + UInt64(number))))
            }
            let (isRotten, isHeld) = (isRotten, isHeld)
            rotting = try FaultyOrigin(sound[1].origin.content) { _ in isRotten.isSet ? .corrupt(at: 3_000_000) : .sound }
            paged = CrashContent(
                try FaultyOrigin(PatternedContent(size: (76 << 20) + 17, seed: 910)) { request in
                    let isStopped = isHeld.isSet && CrashFleet.isHeld(request.path) && !request.isProbe
                    return isStopped ? .stall(after: max(0, CrashFleet.holdsAt - (request.range?.first ?? 0))) : .sound
                })
        }

        func stop() { for origin in all.values { origin.stop() } }
    }

    /// Where a read stalls: far enough behind the first page for one of its saved positions, 8 MiB apart, to be in the second.
    static let holdsAt: Int64 = 75 << 20
    /// The offset at which the second page of a manifest begins.
    static let secondPage: Int64 = 64 << 20
}
