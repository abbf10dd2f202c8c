import Foundation
import HTTPTypes
import ImageModel
import Testing
import Waiting

@testable import HTTPServing

/// The reader of JSON against the standard, and against Foundation's.
@Suite(.timeLimit(.minutes(2))) struct JSONReaderTests {
    private func read(_ text: String, _ limits: JSONReader.Limits = JSONReader.Limits()) -> Result<
        JSONValue, JSONReader.Failure
    > {
        Array(text.utf8).withUnsafeBufferPointer { bytes in
            Result { () throws(JSONReader.Failure) in try JSONReader.value(of: bytes, limits: limits) }
        }
    }

    @Test(
        "Valid JSON is read",
        arguments: [
            ("null", .null), (" true\n", .boolean(true)), ("false", .boolean(false)), ("0", .integer(0)), ("-0", .integer(0)),
            ("-12", .integer(-12)), ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("1.0", .integer(1)), ("1e3", .integer(1000)), ("12E-1", .number(1.2)), ("0.5", .number(0.5)),
            ("-0.25e+2", .integer(-25)),
            ("9223372036854775808", .number(9_223_372_036_854_775_808)), (#""""#, ""), (#""a b""#, "a b"),
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"), (#""\u00e4\u20AC""#, "ä€"), (#""\ud83d\ude00!""#, "😀!"),
            (#""ä😀""#, "ä😀"), (#""\u0000""#, "\0"), ("[]", []), ("{}", [:]), ("[ ]", []), ("{ }", [:]),
            ("[1,[2,[]],{}]", [1, [2, []], [:]]),
            (#"{"a":1,"b":{"c":[null]}}"#, ["a": 1, "b": ["c": [nil]]]), (#" { "a" : [ 1 , 2 ] } "#, ["a": [1, 2]]),
            (#"{"a":1,"a":2}"#, ["a": 2]), (#"{"":{}}"#, ["": [:]]),
        ] as [(String, JSONValue)])
    func valid(text: String, value: JSONValue) {
        #expect(read(text) == .success(value))
    }

    @Test(
        "Text that is not JSON is rejected",
        arguments: [
            "", " ", "nul", "nulll", "True", "+1", "01", "-", "1.", ".5", "1e", "1e+", "0x1", "NaN", "Infinity", "1e400",
            "-1e999", "'a'",
            #"""#, #""a"#, #""\x""#, #""\u12""#, #""\u12G4""#, #""\ud83d""#, #""\ud83dx""#, #""\ud83d\u0041""#, #""\ude00""#,
            "\"\n\"",
            "\"\u{1}\"", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1}", "{", "}", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#,
            #"{"a":1"#,
            #"{a:1}"#, #"{1:1}"#, #"{"a":1]"#, #"{"a" 1}"#, "[]]", "[] []", "1 2", "{}x", "// a\n1", "\u{feff}1",
        ])
    func malformed(text: String) {
        #expect(read(text) == .failure(.malformed))
    }

    @Test(
        "Bytes that are not UTF-8 are rejected, wherever they stand",
        arguments: [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80]] as [[UInt8]])
    func notUTF8(bytes: [UInt8]) {
        for text in [
            [0x22] + bytes + [0x22], [0x22, 0x5C, 0x6E] + bytes + [0x22], [0x7B, 0x22] + bytes + [0x22, 0x3A, 0x31, 0x7D],
            bytes,
        ] {
            let result = text.withUnsafeBufferPointer { text in Result { try JSONReader.value(of: text) } }
            #expect(throws: (any Error).self) { try result.get() }
        }
    }

    @Test("The depth and the number of values are limited exactly")
    func limits() {
        let limits = JSONReader.Limits(depth: 3, values: 5)
        #expect(read("[[[1]]]", limits) == .success([[[1]]]))
        #expect(read(#"{"a":{"b":[]}}"#, limits) == .success(["a": ["b": []]]))
        #expect(read("[[[[1]]]]", limits) == .failure(.tooDeep))
        #expect(read("[[[[]]]]", limits) == .failure(.tooDeep))
        #expect(read(#"{"a":{"b":[{}]}}"#, limits) == .failure(.tooMany))
        #expect(read("[1,2,3,4]", limits) == .success([1, 2, 3, 4]))
        #expect(read("[1,2,3,4,5]", limits) == .failure(.tooMany))
        #expect(read(#"{"a":1,"b":2}"#, limits) == .success(["a": 1, "b": 2]))
        #expect(read(#"{"a":1,"b":2,"c":3}"#, limits) == .failure(.tooMany))
        #expect(read(String(repeating: "[", count: 1 << 20)) == .failure(.tooDeep))
        #expect(read("[" + String(repeating: "1,", count: 1 << 19)) == .failure(.tooMany))
        #expect(read("[{}" + String(repeating: ",{}", count: 1 << 18)) == .failure(.tooMany))
    }

    @Test("Generated values are read as Foundation reads them")
    func likeFoundation() throws {
        var random = SplitMix(seed: 11)
        for _ in 0..<400 {
            let value = made(&random, depth: 0)
            let text = String(decoding: try value.written(), as: UTF8.self)
            #expect(read(text) == .success(value), "\(text)")
            let reference = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed) as? NSObject
            let again =
                try JSONSerialization.jsonObject(
                    with: try #require(try? read(text).get()).written(), options: .fragmentsAllowed) as? NSObject
            #expect(reference == again)
            // A text that is cut anywhere is not JSON, except for a number.
            if text.utf8.count > 1, text.first != "-", text.first?.isNumber == false {
                let cut = String(
                    decoding: Array(text.utf8).dropLast(Int(random.next() % UInt64(text.utf8.count - 1)) + 1), as: UTF8.self)
                #expect(read(cut) == .failure(.malformed), "\(cut)")
            }
        }
    }

    private func made(_ random: inout SplitMix, depth: Int) -> JSONValue {
        switch random.next() % (depth > 4 ? 5 : 7) {
        case 0: return .null
        case 1: return .boolean(random.next() % 2 == 0)
        case 2: return .integer(Int64(bitPattern: random.next()) >> (random.next() % 63))
        case 3: return .string(text(&random))
        case 4: return .number(Double(Int64(bitPattern: random.next()) >> 40) + 0.5)
        case 5: return .array((0..<random.next() % 5).map { _ in made(&random, depth: depth + 1) })
        default:
            let names = (0..<random.next() % 5).map { "\($0)" + text(&random) }
            return .object(Dictionary(uniqueKeysWithValues: names.map { ($0, made(&random, depth: depth + 1)) }))
        }
    }

    private func text(_ random: inout SplitMix) -> String {
        let scalars: [Unicode.Scalar] = ["a", "\"", "\\", "/", "\n", "\u{1f}", "é", "€", "😀", "\u{2028}", " ", "{"]
        var text = String.UnicodeScalarView()
        for _ in 0..<random.next() % 9 { text.append(scalars[Int(random.next() % UInt64(scalars.count))]) }
        return String(text)
    }

    /// Generated numbers, the same in each run.
    private struct SplitMix {
        var state: UInt64

        init(seed: UInt64) { state = seed }

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }
}

@Suite(.timeLimit(.minutes(1))) struct ComputePoolTests {
    @Test("A pool runs and queues a limited amount of work, and refuses more until some is done")
    func bounds() async throws {
        let pool = ComputePool(threads: 1, limit: 1)
        let gate = DispatchSemaphore(value: 0)
        let (started, start) = AsyncStream.makeStream(of: Void.self)
        async let first: Void = pool.read(for: "a") {
            start.finish()
            _ = gate.wait(timeout: .now() + 100)
        }
        await ending(of: started, "the first piece of work to begin")
        let error = await #expect(throws: APIError.self) { try await pool.read(for: "b") {} }
        #expect(error?.status == .serviceUnavailable && error?.headers[.retryAfter] != nil)
        gate.signal()
        try await first
        try await pool.read(for: "b") {}
    }

    @Test("Callers take turns, so that a hundred waiting jobs of one caller delay another one by one job")
    func turns() {
        var turns = ComputeTurns<Int>(threads: 1, limit: 1000)
        for waiter in 0..<100 { _ = turns.enter(waiter, .answer, for: "many") }
        _ = turns.enter(1000, .body, for: "one")
        let next = [turns.leave(.answer, "many"), turns.leave(.answer, "many")]
        #expect(next.contains(1000))
    }

    @Test("When too many bodies wait, the latest one of the caller with the most is refused")
    func shares() {
        var turns = ComputeTurns<Int>(threads: 2, limit: 64)
        for waiter in 0..<64 { _ = turns.enter(waiter, .body, for: "many") }
        let newcomer = turns.enter(64, .body, for: "many").map(\.hasTurn)
        #expect(newcomer == [false], "the body that is refused is the newcomer's own")
        for (waiter, refused) in [(100, 63), (101, 62)] {
            let outcome = turns.enter(waiter, .body, for: "few")
            #expect(outcome.map(\.waiter) == [refused] && outcome.map(\.hasTurn) == [false])
        }
        // Running work is not stopped, and every waiter that was not refused has its turn.
        var served: Set<Int> = [0, 1]
        for _ in 0..<62 {
            guard let waiter = turns.leave(.body, "many") else { break }
            served.insert(waiter)
        }
        #expect(served == Set(0..<62).union([100, 101]))
    }

    @Test("Answers wait as long as necessary and take no room from bodies")
    func answersAreNotRefused() {
        var turns = ComputeTurns<Int>(threads: 1, limit: 1)
        let first = turns.enter(0, .answer, for: "a").map(\.hasTurn)
        #expect(first == [true])
        for waiter in 1..<100 {
            let decided = turns.enter(waiter, .answer, for: "a")
            #expect(decided.isEmpty)
        }
        let bodies = [turns.enter(100, .body, for: "a"), turns.enter(101, .body, for: "a")].map { $0.map(\.hasTurn) }
        #expect(bodies == [[], [false]])
    }
}
