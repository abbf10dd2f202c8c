import BatonClient
import Testing

/// How text from others is shown on a terminal.
@Suite struct PlainTextTests {
    @Test(
        "Every control character and every invisible character is shown as an escape",
        arguments: [
            ("a\u{1B}[2Jb", #"a\u{1B}[2Jb"#), ("a\nb\r\tc", #"a\nb\r\tc"#), ("\u{9B}31m", #"\u{9B}31m"#),
            ("\0\u{7F}", #"\u{0}\u{7F}"#),
            ("\u{202E}txt.exe", #"\u{202E}txt.exe"#), ("a\u{2066}b\u{2069}", #"a\u{2066}b\u{2069}"#),
            ("\u{200F}\u{61C}", #"\u{200F}\u{61C}"#),
            ("a\u{2028}b\u{2029}", #"a\u{2028}b\u{2029}"#), ("\u{FEFF}x\u{200B}", #"\u{FEFF}x\u{200B}"#),
            ("a\r\nb", #"a\r\nb"#),
            ("\u{E0041}", #"\u{E0041}"#),
        ])
    func unprintableIsEscaped(text: String, expected: String) {
        #expect(text.plain == expected)
        #expect(text.plain.unicodeScalars.allSatisfy { !$0.isUnprintable })
    }

    @Test("Ordinary text is shown unchanged", arguments: ["", "debian-12", "Größe 3 µm", "日本語", "👩‍🚀", "می‌خواهم", "a\\b \"c\""])
    func textStays(text: String) {
        #expect(text.plain == text && text.plainLines == text && text.plainJSON == text)
    }

    @Test("Line ends are kept in text of several lines")
    func linesAreKept() { #expect("a\u{1B}\nb".plainLines == "a\\u{1B}\nb") }

    @Test("JSON uses its own escapes")
    func jsonIsEscapedAsJSON() {
        #expect(
            "{\n\t\"a\": \"\u{202E}\u{9B}\u{E0041}\u{7F}\"}".plainJSON == "{\n\t\"a\": \"\\u202e\\u009b\\udb40\\udc41\\u007f\"}"
        )
    }
}
