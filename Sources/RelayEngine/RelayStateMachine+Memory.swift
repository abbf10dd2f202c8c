import ImageModel

// How much may wait in memory. It changes with what all downloads together take.
extension RelayStateMachine {
    /// The window is another one. What is held beyond a smaller one stays until the client has taken it.
    mutating func setWindow(_ bytes: Int64, at now: ContinuousClock.Instant) -> [RelayAction] {
        let hasGrown = bytes > window
        window = bytes
        guard hasGrown else { return [] }
        return resumeIfRoom(at: now) + continueIfRoom(at: now)
    }

    /// The bytes taken that the client has not got yet.
    var held: Int64 { max(0, accepted - plan.delivery.lowerBound - consumed) }

    /// How many bytes may wait for their decision: with the ordinary window enough for reading never to wait for a page of the
    /// manifest, with a smaller one a chunk.
    static func unverifiedLimit(_ window: Int64, _ layout: ChunkLayout, _ policy: RelayPolicy) -> Int64 {
        max(window, window < policy.window ? layout.chunkSize : 2 * layout.chunkSize)
    }
}
