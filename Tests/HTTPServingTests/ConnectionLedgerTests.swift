import Testing

@testable import HTTPServing

/// Which connections are closed to make room for others.
@Suite(.timeLimit(.minutes(1))) struct ConnectionLedgerTests {
    private typealias Ledger = ConnectionLedger<Int>

    @Test("At the limit the connection that has been idle for longest is closed, and a busy one never is")
    func total() {
        let limits = Ledger.Limits(total: 3, perAddress: 10)
        var ledger = Ledger()
        for id in 1...3 { #expect(ledger.open(id, from: "\(id)", limits: limits) == .admitted) }
        ledger.becameBusy(1)
        ledger.becameBusy(2)
        ledger.becameIdle(2)
        #expect(ledger.open(4, from: "4", limits: limits) == .replaces(3, at: .total))
        #expect(ledger.open(5, from: "5", limits: limits) == .replaces(2, at: .total))
        ledger.becameBusy(4)
        ledger.becameBusy(5)
        #expect(ledger.open(6, from: "6", limits: limits) == .refused(at: .total))
        ledger.becameIdle(1)
        #expect(ledger.open(6, from: "6", limits: limits) == .replaces(1, at: .total))
        ledger.close(1)
        ledger.close(4)
        #expect(ledger.count == 2)
        #expect(ledger.open(7, from: "7", limits: limits) == .admitted)
    }

    @Test("An address displaces only its own connections; those without an address have no limit of their own")
    func perAddress() {
        let limits = Ledger.Limits(total: 100, perAddress: 2)
        var ledger = Ledger()
        #expect(ledger.open(1, from: "other", limits: limits) == .admitted)
        for id in 2...3 { #expect(ledger.open(id, from: "a", limits: limits) == .admitted) }
        #expect(ledger.open(4, from: "a", limits: limits) == .replaces(2, at: .perAddress))
        ledger.becameBusy(3)
        ledger.becameBusy(4)
        #expect(ledger.open(5, from: "a", limits: limits) == .refused(at: .perAddress))
        ledger.close(3)
        #expect(ledger.open(5, from: "a", limits: limits) == .admitted)
        for id in 10..<20 { #expect(ledger.open(id, from: nil, limits: limits) == .admitted) }
        #expect(ledger.count == 13)
    }

    @Test("After any sequence of events the ledger decides as a plain list would")
    func likeAList() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<50 {
            let limits = Ledger.Limits(
                total: .random(in: 1...12, using: &random), perAddress: .random(in: 1...6, using: &random))
            var ledger = Ledger()
            var list: [(id: Int, address: String?, isIdle: Bool)] = []  // the longest idle first
            for id in 0..<400 {
                let address: String? = [nil, "a", "b", "c"].randomElement(using: &random) ?? nil
                let same = list.indices.filter { list[$0].address == address }
                var expected = Ledger.Decision.admitted
                if address != nil, same.count >= limits.perAddress {
                    let victim = same.first { list[$0].isIdle }
                    expected = victim.map { .replaces(list[$0].id, at: .perAddress) } ?? .refused(at: .perAddress)
                } else if list.count >= limits.total {
                    expected = list.first { $0.isIdle }.map { .replaces($0.id, at: .total) } ?? .refused(at: .total)
                }
                #expect(ledger.open(id, from: address, limits: limits) == expected)
                if case .replaces(let gone, _) = expected { list.removeAll { $0.id == gone } }
                if case .refused = expected {} else { list.append((id, address, true)) }
                for _ in 0..<40 {
                    guard let index = list.indices.randomElement(using: &random) else { break }
                    var entry = list[index]
                    switch Int.random(in: 0..<20, using: &random) {
                    case 0:
                        ledger.close(entry.id)
                        list.remove(at: index)
                    case 1..<10:
                        ledger.becameBusy(entry.id)
                        list[index].isIdle = false
                    default:
                        ledger.becameIdle(entry.id)
                        entry.isIdle = true
                        list.remove(at: index)
                        list.append(entry)
                    }
                }
                #expect(ledger.count == list.count)
            }
        }
    }
}
