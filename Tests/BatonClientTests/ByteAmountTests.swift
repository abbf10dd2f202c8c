import BatonClient
import Testing

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
