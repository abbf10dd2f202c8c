import BatonClient
import Testing

/// The progress that a waiting user sees.
@Suite struct ProgressReportTests {
    private let start = ContinuousClock.now

    private func fetching(_ mebibytes: Int64) -> Download.Event {
        .fetching(Download.Progress(done: mebibytes << 20, total: 100 << 20))
    }

    @Test("Without a terminal one line is written every few seconds")
    func linesComeEveryFewSeconds() {
        var report = ProgressReport(isTerminal: false, startedAt: start)
        var lines: [String] = []
        for tenth in 0..<300 {
            let now = start + .milliseconds(100 * tenth)
            if let text = report.text(for: fetching(Int64(tenth / 10)), width: 0, at: now) { lines.append(text) }
        }
        #expect((4...6).contains(lines.count), "\(lines)")
        for line in lines {
            #expect(line.hasSuffix("\n") && !line.contains("\r") && !line.contains("\u{1B}") && line.contains("/s"), "\(line)")
        }
    }

    @Test("A retry is shown at once, with its number and without the earlier rate", arguments: [true, false])
    func aRetryIsTold(isTerminal: Bool) {
        var report = ProgressReport(isTerminal: isTerminal, startedAt: start)
        for second in 0..<6 { _ = report.text(for: fetching(Int64(second)), width: 200, at: start + .seconds(second)) }
        let retrying = Download.Event.retrying(attempt: 2, of: 5, reason: "The connection broke.\u{1B}[2J")
        let text = report.text(for: retrying, width: 200, at: start + .seconds(6)) ?? ""
        #expect(text.contains("retrying, 2 of 5") && text.contains("The connection broke.") && !text.contains("/s"), "\(text)")
        #expect(!text.contains("\u{1B}[2J"), "a server's text reaches the terminal unescaped")
        let next = report.text(for: fetching(5), width: 200, at: start + .seconds(12)) ?? ""
        #expect(!next.contains("/s"), "\(next)")
    }

    @Test("The rate disappears when no data comes")
    func silenceIsSaid() {
        var report = ProgressReport(isTerminal: true, startedAt: start)
        for second in 0..<6 { _ = report.text(for: fetching(Int64(second) * 2), width: 200, at: start + .seconds(second)) }
        let moving = report.text(for: fetching(12), width: 200, at: start + .seconds(6)) ?? ""
        #expect(moving.contains("2.0 MiB/s"))
        let silent = report.text(for: fetching(12), width: 200, at: start + .seconds(20)) ?? ""
        #expect(silent.contains("no data for 14 s") && !silent.contains("/s"), "\(silent)")
        _ = report.text(for: fetching(17), width: 200, at: start + .seconds(21))
        let again = report.text(for: fetching(22), width: 200, at: start + .seconds(22)) ?? ""
        #expect(again.contains("5.0 MiB/s"), "\(again)")
    }

    @Test("The progress line says when an existing file is being read")
    func checkingIsSaid() {
        var report = ProgressReport(isTerminal: true, startedAt: start)
        let text = report.text(for: .checking(.init(done: 1, total: 3)), width: 200, at: start) ?? ""
        #expect(text.contains("reading the existing file"))
        let (first, second) = (report.end(), report.end())
        #expect(first == "\n" && second == nil)
    }
}
