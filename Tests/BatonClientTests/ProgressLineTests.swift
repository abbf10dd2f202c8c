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

/// Numbers of bytes as users write them.
@Suite struct ByteAmountTests {
    @Test(
        "Units are powers of 1024, and powers of 1000 where they are written kB, MB or GB",
        arguments: [
            ("0", 0), ("4096", 4096), ("512B", 512), ("10M", 10 << 20), ("10m", 10 << 20), ("64MiB", 64 << 20),
            ("64mib", 64 << 20),
            ("1.5G", 3 << 29), ("500kB", 500_000), ("500KB", 500_000), ("2MB", 2_000_000), ("1GB", 1_000_000_000),
            ("3T", 3 << 40),
            ("1P", 1 << 50), ("0.5KiB", 512), ("1.000000001G", (1 << 30) + 1), ("7K", 7168),
        ] as [(String, Int64)])
    func amountsAreRead(text: String, expected: Int64) { #expect(ByteAmount(text)?.count == expected, "\(text)") }

    @Test(
        "Text that is not a number of bytes is rejected",
        arguments: [
            "", "M", "fast", "-1", "+1", "1,5G", "1.G", ".5G", "1.2.3M", "10Mbit", "10 M", "1e9", "10MiB/s", "0x10", "1.5",
            "9223372036854775808",
            "9000000P", "١M", "10Mb ", "8589934592.5G",
        ])
    func invalidInputIsRefused(text: String) { #expect(ByteAmount(text) == nil, "\(text)") }
}
