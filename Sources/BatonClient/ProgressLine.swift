/// A download's progress on a terminal: `[=====>    ]  43 %  21.6 MiB of 50.2 MiB  5.0 MiB/s  6 s left`.
package struct ProgressLine: Sendable {
    private var rate: Double?
    private var last: (done: Int64, at: ContinuousClock.Instant)?
    private var lastGrowth: ContinuousClock.Instant?

    package init() {}

    /// Resets the rate, since the next phase has its own.
    mutating func reset() { self = ProgressLine() }

    /// The line to draw now.
    /// - Parameters:
    ///   - width: the terminal's width in columns; the line is never longer.
    ///   - note: replaces rate and time.
    package mutating func text(
        for progress: Download.Progress, width: Int, note: String? = nil, at now: ContinuousClock.Instant
    ) -> String {
        let words = words(for: progress, note: note, at: now)
        let room = min(40, width - words.count - 4)
        guard room >= 8 else { return String(words.prefix(max(0, width))) }
        let filled = progress.total > 0 ? Int(Double(room) * Double(progress.done) / Double(progress.total)) : room
        let bar = String(repeating: "=", count: max(0, filled - 1)) + (filled > 0 ? (filled < room ? ">" : "=") : "")
        return "[\(bar)\(String(repeating: " ", count: room - bar.count))] \(words)"
    }

    /// The line without the bar: ` 43 %  21.6 MiB of 50.2 MiB  5.0 MiB/s  6 s left`.
    mutating func words(
        for progress: Download.Progress, note: String? = nil, at now: ContinuousClock.Instant
    ) -> String {
        measure(progress.done, at: now)
        let percent = progress.total > 0 ? Int(Double(progress.done) / Double(progress.total) * 100) : 100
        let words = "\(percent.padded(to: 3)) %  \(Self.bytes(progress.done)) of \(Self.bytes(progress.total))"
        if let note { return words + "  " + note }
        guard progress.done < progress.total else { return words + (rate.map { "  \(Self.bytes(Int64($0)))/s" } ?? "") }
        if let lastGrowth, now - lastGrowth >= Self.silence {
            return words + "  no data for \(Self.time((now - lastGrowth) / .seconds(1)))"
        }
        guard let rate, rate > 0 else { return words }
        let left = Double(progress.total - progress.done) / rate
        return words + "  \(Self.bytes(Int64(rate)))/s  \(Self.time(left)) left"
    }

    /// The longest time without a byte before the rate is discarded.
    private static let silence: Duration = .seconds(3)

    /// Averages the rate over the last few seconds, so that it neither jumps nor lags.
    private mutating func measure(_ done: Int64, at now: ContinuousClock.Instant) {
        guard let last, done >= last.done else {
            rate = nil
            self.last = (done, now)
            lastGrowth = now
            return
        }
        if done > last.done { lastGrowth = now }
        if let lastGrowth, now - lastGrowth >= Self.silence { rate = nil }
        let seconds = (now - last.at) / .seconds(1)
        guard seconds >= 0.05 else { return }
        self.last = (done, now)
        let current = Double(done - last.done) / seconds
        // There is no rate before the first byte.
        guard current > 0 || rate != nil else { return }
        let share = min(1, seconds / 3)
        rate = rate.map { $0 + (current - $0) * share } ?? current
    }

    /// Formats a number of bytes, for example `21.6 MiB`.
    package static func bytes(_ count: Int64) -> String {
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

/// The progress output on standard error: on a terminal one line that is redrawn, else a line every few seconds. A value: the
/// time is an argument.
package struct ProgressReport: Sendable {
    /// The interval between two permanent lines.
    private static let lineInterval: Duration = .seconds(5)
    /// The interval between two redraws of one line.
    private static let drawInterval: Duration = .milliseconds(100)

    private let isTerminal: Bool
    private var line = ProgressLine()
    private var isChecking = false
    private var progress: Download.Progress?
    private var lastWritten: ContinuousClock.Instant
    private var isDrawn = false

    package init(isTerminal: Bool, startedAt now: ContinuousClock.Instant) {
        self.isTerminal = isTerminal
        lastWritten = now
    }

    /// The text to write now; nil for none.
    /// - Parameter width: the terminal's width in columns.
    package mutating func text(for event: Download.Event, width: Int, at now: ContinuousClock.Instant) -> String? {
        switch event {
        case .checking(let progress): return text(for: progress, isChecking: true, width: width, at: now)
        case .fetching(let progress): return text(for: progress, isChecking: false, width: width, at: now)
        case .retrying(let attempt, let count, let reason):
            line.reset()
            lastWritten = now
            let note = "retrying, \(attempt) of \(count)"
            guard isTerminal else { return "\(reason.plain) \(note)\n" }
            let message = "\r\(reason.plain)\u{1B}[K\n"
            guard let progress else { return message + "\(note)\n" }
            isDrawn = true
            return message + line.text(for: progress, width: width, note: note, at: now) + "\u{1B}[K"
        }
    }

    private mutating func text(
        for progress: Download.Progress, isChecking: Bool, width: Int, at now: ContinuousClock.Instant
    ) -> String? {
        let isNew = self.progress == nil || isChecking != self.isChecking
        if isNew { line.reset() }
        (self.progress, self.isChecking) = (progress, isChecking)
        let note = isChecking ? "reading the existing file" : nil
        guard isTerminal else {
            let words = line.words(for: progress, note: note, at: now)
            guard now - lastWritten >= Self.lineInterval else { return nil }
            lastWritten = now
            return words + "\n"
        }
        guard isNew || progress.done == progress.total || now - lastWritten >= Self.drawInterval else { return nil }
        lastWritten = now
        isDrawn = true
        return "\r" + line.text(for: progress, width: width, note: note, at: now) + "\u{1B}[K"
    }

    /// The text to write at the end, so that the last line stays.
    package mutating func end() -> String? {
        defer { isDrawn = false }
        return isDrawn ? "\n" : nil
    }
}
