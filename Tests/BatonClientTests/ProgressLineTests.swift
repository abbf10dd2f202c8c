import BatonClient
import Testing

@Suite struct ProgressLineTests {
    private let start = ContinuousClock.now

    private func progress(_ done: Int64, of total: Int64) -> Download.Progress { Download.Progress(done: done, total: total) }

    @Test("A progress line is never wider than the terminal")
    func aProgressLineIsNeverWiderThanTheTerminal() {
        for width in 0...140 {
            var line = ProgressLine()
            for second in 0..<5 {
                let text = line.text(
                    for: progress(Int64(second) * 1_234_567_890, of: 9_876_543_210), width: width, at: start + .seconds(second))
                #expect(text.count <= width)
            }
        }
    }

    @Test("The progress line shows the rate and the time left")
    func theProgressLineShowsTheRateAndTheTimeLeft() {
        var line = ProgressLine()
        let first = line.text(for: progress(0, of: 100 << 20), width: 120, at: start)
        #expect(!first.contains("/s"), "nothing is known yet")
        _ = line.text(for: progress(10 << 20, of: 100 << 20), width: 120, at: start + .seconds(1))
        let text = line.text(for: progress(20 << 20, of: 100 << 20), width: 120, at: start + .seconds(2))
        #expect(text.contains(" 20 %"))
        #expect(text.contains("20.0 MiB of 100.0 MiB"))
        #expect(text.contains("10.0 MiB/s"))
        #expect(text.contains("8 s left"))
    }

    @Test("A complete download shows no time left")
    func aCompleteDownloadShowsNoTimeLeft() {
        var line = ProgressLine()
        _ = line.text(for: progress(0, of: 50), width: 120, at: start)
        let text = line.text(for: progress(50, of: 50), width: 120, at: start + .seconds(1))
        #expect(text.contains("100 %") && !text.contains("left"))
        var empty = ProgressLine()
        #expect(empty.text(for: progress(0, of: 0), width: 120, at: start).contains("100 %"))
    }
}
