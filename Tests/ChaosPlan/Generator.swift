import LocationSelection

/// Generates downloads from random numbers.
struct Generator {
    var random: SplitMix64

    /// Sizes of images in MiB, each with how many images in a thousand have it.
    private static let sizes: [(mebibytes: Int64, share: Int)] = [
        (4, 120), (8, 350), (12, 250), (16, 170), (24, 70), (32, 30), (64, 8), (256, 2),
    ]
    /// Where a fault cannot hit an exact byte, the image is larger than all buffers on the way.
    private static let realSize: Int64 = 64 << 20

    mutating func download(_ number: Int, at target: TargetKind, _ accepts: (ClientKind, Fault) -> Bool) -> PlannedDownload {
        var (client, fault) = pair(at: target)
        while !accepts(client, fault) { (client, fault) = pair(at: target) }
        // No round numbers: the last chunk, the last slab and the tail must have odd lengths.
        let odd = Int64(target == .scripted ? 7919 : 104_729)
        let imageSize =
            odd + (target == .scripted ? pick(Self.sizes.map { ($0.mebibytes << 20, $0.share) }, or: 8 << 20) : Self.realSize)
        let range = client == .range ? self.range(of: imageSize, at: target) : 0..<imageSize
        let injections = self.injections(of: fault, in: range)
        let leavesAt = client == .abandoning ? any(in: (injections[0].offset + 1)...(range.upperBound - 1)) : nil
        return PlannedDownload(
            number: number, client: client, fault: fault, imageSize: imageSize, range: range, injections: injections,
            isLasting: fault.sign != .none && random.next() % 2 == 0, leavesAt: leavesAt)
    }

    private mutating func pair(at target: TargetKind) -> (ClientKind, Fault) {
        let faults = Fault.allCases.filter { $0.target == target }
        // An external injection waits for what its client has read, so the client must keep reading.
        let kinds = target == .scripted ? ClientKind.allCases : [.whole, .range]
        return (
            pick(kinds.map { ($0, $0.share) }, or: .whole), pick(faults.map { ($0, $0.weight) }, or: .reset)
        )
    }

    /// At least half of the image, and 8 MiB where it has them.
    private mutating func range(of size: Int64, at target: TargetKind) -> Range<Int64> {
        let shortest = target == .scripted ? min(size - 2, max(size / 2, 8 << 20)) : size - (8 << 20)
        let length = any(in: shortest...(size - 1))
        let first = any(in: 0...(size - length))
        return first..<(first + length)
    }

    private mutating func injections(of fault: Fault, in range: Range<Int64>) -> [Injection] {
        func at(_ share: ClosedRange<Double>, _ act: Injection.Act, _ generator: inout Generator) -> Injection {
            let count = Double(range.count)
            let first = max(1, Int64(count * share.lowerBound))
            let last = min(Int64(range.count) - 2, Int64(count * share.upperBound))
            return Injection(offset: range.lowerBound + generator.any(in: first...max(first, last)), act: act)
        }
        func inTurn(_ acts: Injection.Act...) -> [Injection] {
            acts.enumerated().map { index, act in
                let part = 1 / Double(acts.count)
                return at(part * Double(index)...part * Double(index + 1), act, &self)
            }
        }
        func together(_ first: Injection.Act, _ second: Injection.Act) -> [Injection] {
            let injection = at(0...1, first, &self)
            return [injection, Injection(offset: injection.offset, act: second)]
        }
        switch fault {
        case .reset: return inTurn(.reset)
        case .earlyEnd: return inTurn(.end)
        case .stall: return inTurn(.silence)
        case .corruptByte: return inTurn(.corrupt)
        case .pause: return inTurn(.pause)
        case .twoResets: return inTurn(.reset, .reset)
        case .twoStalls: return inTurn(.silence, .silence)
        case .resetThenRefusal:
            return together(.reset, .refuse(status: [403, 404, 429, 500, 502, 503][Int(random.next() % 6)]))
        case .resetThenWrongAnswer:
            let answers = Injection.WrongAnswer.allCases
            return together(.reset, .answer(answers[Int(random.next() % UInt64(answers.count))]))
        case .clockJump, .catalogLocked: return [at(0.05...0.3, .external, &self), at(0.6...0.9, .reset, &self)]
        // Early: the bytes in buffers on the way, perhaps tens of megabytes, must not reach the end of the image.
        default: return [at(0.02...0.2, .external, &self)]
        }
    }

    private mutating func any(in range: ClosedRange<Int64>) -> Int64 { Int64.random(in: range, using: &random) }

    private mutating func pick<Value>(_ values: [(Value, Int)], or otherwise: Value) -> Value {
        var left = Int(random.next() % UInt64(max(1, values.reduce(0) { $0 + $1.1 })))
        for (value, share) in values {
            if left < share { return value }
            left -= share
        }
        return otherwise
    }
}
