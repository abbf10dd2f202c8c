import Foundation
import LocationSelection
import Synchronization

// Operators.
extension CrashLoad {
    /// Each operator has its own locations, so that the requests for one location have an order.
    func operate(_ number: Int) {
        var random = SplitMix64(seed: seed &+ UInt64(number))
        var count = 0
        while !crash.isPulled {
            count += 1
            let mark = "\(round).\(number).\(count)"
            let own = recorder.withLock { recorder in
                recorder.books.values.filter { $0.id != nil && !$0.isOver && fleet.owner(of: $0.url, among: 4) == number }
                    .sorted { $0.url < $1.url }
            }
            let wantsMore = own.count < CrashFleet.share && Int.random(in: 0..<16, using: &random) == 0
            guard !wantsMore, let book = own.randomElement(using: &random) else {
                guard register(mark, owner: number, &random) else { return }
                continue
            }
            let isGoing = Int.random(in: 0..<10, using: &random) == 0 ? look(at: book) : change(book, mark, &random)
            guard isGoing else { return }
        }
    }

    private func register(_ mark: String, owner: Int, _ random: inout SplitMix64) -> Bool {
        let (url, image) = fleet.newPlace(mark, owner: owner, using: &random)
        // Half of them declare nothing about their content and are read in full first.
        let isDeclared = Bool.random(using: &random)
        let words = LocationBook.Words(weight: 3, metadata: ["mark": mark])
        return register(LocationBook(url: url, content: image.facts, isDeclared: isDeclared, words: words)) != nil
    }

    /// - Returns: the status in the answer; nil when the operator must stop.
    func register(_ book: LocationBook) -> String? {
        recorder.withLock { $0.asksToRegister(book) }
        let response = exchange(
            "POST", "/baton/v1/images/\(book.content.image)/locations", body: fleet.registration(of: book))
        guard let response else { return nil }
        guard response.status == 201, let id = response.json["id"] as? String else {
            note("a registration was refused: \(response.text)")
            return nil
        }
        let status = response.json["status"] as? String
        recorder.withLock { $0.registered(book.url, as: id, told: status) }
        crash.answered()
        return status ?? ""
    }

    private func look(at book: LocationBook) -> Bool {
        guard let response = exchange("GET", "/baton/v1/locations/\(book.id ?? "")/history") else { return false }
        let lines = (response.json["history"] as? [[String: String]] ?? []).map { line in
            CatalogAccount.Line(
                event: line["event"] ?? "", from: line["from"] ?? "", to: line["to"] ?? "", actor: line["actor"] ?? "",
                reason: line["reason"] ?? "")
        }
        recorder.withLock { $0.saw(lines, of: book.url) }
        return true
    }

    private func change(_ book: LocationBook, _ mark: String, _ random: inout SplitMix64) -> Bool {
        let path = "/baton/v1/locations/\(book.id ?? "")"
        let response: TestClient.Response?
        switch fleet.operation(on: book, using: &random) {
        case "edit":
            let words = LocationBook.Words(weight: .random(in: 0...1000, using: &random), metadata: ["mark": mark])
            recorder.withLock { $0.asks(.init(mark: mark, event: "edited", words: words), of: book.url) }
            response = exchange(
                "PATCH", path, body: #"{"weight": \#(words.weight), "metadata": {"mark": "\#(mark)"}, "reason": "\#(mark)"}"#)
        case let operation:
            recorder.withLock { $0.asks(.init(mark: mark, event: operation), of: book.url) }
            response = exchange("POST", "\(path)/\(operation)", body: #"{"reason": "\#(mark)"}"#)
        }
        guard let response else { return false }
        switch response.status {
        case 200, 202:
            recorder.withLock { $0.answered(book.url, told: response.json["status"] as? String) }
            crash.answered()
        case 409:
            recorder.withLock { $0.refused(book.url) }
            outcome.withLock { $0.refused += 1 }
        default:
            note("\(path) was answered with \(response.status): \(response.text)")
            return false
        }
        return true
    }
}
