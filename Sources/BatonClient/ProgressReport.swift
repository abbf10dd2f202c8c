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
        let note = isChecking ? "reading the file that is there" : nil
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
