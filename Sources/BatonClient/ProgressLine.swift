/// How a download's progress looks on a terminal: `[=====>    ]  43 %  21.6 of 50.2 MiB  5.0 MiB/s  6 s left`.
public struct ProgressLine: Sendable {
    private var rate: Double?
    private var last: (done: Int64, at: ContinuousClock.Instant)?

    /// Nothing has come yet.
    public init() {}

    /// The line for now.
    /// - Parameter width: the terminal's, in columns; the line is never longer.
    public mutating func text(
        for progress: Download.Progress, width: Int, at now: ContinuousClock.Instant
    ) -> String {
        measure(progress.done, at: now)
        let percent = progress.total > 0 ? Int(Double(progress.done) / Double(progress.total) * 100) : 100
        var words = "\(percent.padded(to: 3)) %  \(Self.bytes(progress.done)) of \(Self.bytes(progress.total))"
        if let rate, rate > 0 {
            words += "  \(Self.bytes(Int64(rate)))/s"
            let left = Double(progress.total - progress.done) / rate
            if progress.done < progress.total { words += "  \(Self.time(left)) left" }
        }
        let room = min(40, width - words.count - 4)
        guard room >= 8 else { return String(words.prefix(max(0, width))) }
        let filled = progress.total > 0 ? Int(Double(room) * Double(progress.done) / Double(progress.total)) : room
        let bar = String(repeating: "=", count: max(0, filled - 1)) + (filled > 0 ? (filled < room ? ">" : "=") : "")
        return "[\(bar)\(String(repeating: " ", count: room - bar.count))] \(words)"
    }

    /// The rate follows the last few seconds, so that it neither jumps nor lags.
    private mutating func measure(_ done: Int64, at now: ContinuousClock.Instant) {
        guard let last, done >= last.done else {
            rate = nil
            self.last = (done, now)
            return
        }
        let seconds = (now - last.at) / .seconds(1)
        guard seconds >= 0.05 else { return }
        let current = Double(done - last.done) / seconds
        let share = min(1, seconds / 3)
        rate = rate.map { $0 + (current - $0) * share } ?? current
        self.last = (done, now)
    }

    /// `21.6 MiB`.
    public static func bytes(_ count: Int64) -> String {
        var value = Double(count)
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if value < 1000 { return unit == "B" ? "\(count) B" : "\((value * 10).rounded() / 10) \(unit)" }
            value /= 1024
        }
        return "\((value * 10).rounded() / 10) TiB"
    }

    private static func time(_ seconds: Double) -> String {
        guard seconds < 360_000 else { return "days" }
        let whole = Int(seconds.rounded(.up))
        if whole < 60 { return "\(whole) s" }
        if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
        return "\(whole / 3600) h \(whole % 3600 / 60) min"
    }
}

extension Int {
    fileprivate func padded(to width: Int) -> String {
        let digits = String(self)
        return String(repeating: " ", count: Swift.max(0, width - digits.count)) + digits
    }
}
