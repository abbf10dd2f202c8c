internal import FaultyOrigin
internal import Foundation
internal import ImageModel
internal import LocationSelection
internal import Synchronization

/// What goes on at a server while it is killed: operators change locations, clients download, somebody asks how far reads are. Each of
/// them is one thread that asks one thing after the other, and ends with the server.
final class CrashLoad: Sendable {
    /// What clients saw that can't be, and how much they got.
    struct Outcome: Sendable {
        var refused = 0
        var downloads = 0
        var cutDownloads = 0
        var bytes: Int64 = 0
        var flaws: [Contradiction] = []
    }

    let fleet: CrashFleet
    let port: Int
    let crash: CrashSwitch
    /// Shared by all rounds.
    let journal: Mutex<CrashJournal>
    let outcome = Mutex(Outcome())
    /// Begins every mark of this round.
    private let round: Int
    private let seed: UInt64

    init(_ fleet: CrashFleet, round: Int, seed: UInt64, port: Int, crash: CrashSwitch, journal: CrashJournal) {
        (self.fleet, self.round, self.seed, self.port, self.crash) = (fleet, round, seed, port, crash)
        self.journal = Mutex(journal)
    }

    /// Loads the server until it is killed.
    func run() async throws {
        let watch = try WriteWatch(fleet.catalog)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await onOwnThread { watch.tell(self.crash) } }
            for number in 0..<4 { group.addTask { try await onOwnThread { self.operate(number) } } }
            for number in 0..<3 { group.addTask { try await onOwnThread { self.download(number) } } }
            group.addTask { try await onOwnThread { self.watchReads() } }
            try await group.waitForAll()
        }
    }

    /// One request; nil if no whole answer came, which only a crash may bring about.
    func exchange(_ method: String, _ path: String, body: String? = nil) -> TestClient.Response? {
        do {
            let client = try TestClient(port: port)
            try client.send(method, path, body: body)
            var response = client.receiveHead()
            client.receiveBody(&response)
            if response.status != 0, response.isComplete { return response }
        } catch {}
        if !crash.isPulled { note("\(method) \(path) had no answer, and the server was not killed") }
        return nil
    }

    func note(_ text: String) {
        outcome.withLock { $0.flaws.append(Contradiction(kind: .wrong, about: "round \(round)", text: text)) }
    }

    // MARK: Operators

    /// An operator has locations of their own, so that what is asked of one location has an order.
    private func operate(_ number: Int) {
        var random = SplitMix64(seed: seed &+ UInt64(number))
        var count = 0
        while !crash.isPulled {
            count += 1
            let mark = "\(round).\(number).\(count)"
            let own = journal.withLock { journal in
                journal.books.values.filter { $0.id != nil && !$0.isOver && fleet.owner(of: $0.url, among: 4) == number }
                    .sorted { $0.url < $1.url }
            }
            guard let book = own.randomElement(using: &random), Int.random(in: 0..<16, using: &random) > 0 else {
                guard register(mark, owner: number, &random) else { return }
                continue
            }
            let isGoing = Int.random(in: 0..<10, using: &random) == 0 ? look(at: book) : change(book, mark, &random)
            guard isGoing else { return }
        }
    }

    private func register(_ mark: String, owner: Int, _ random: inout SplitMix64) -> Bool {
        let (url, image) = fleet.newPlace(mark, owner: owner, using: &random)
        let book = LocationBook(url: url, content: image.facts, words: .init(weight: 3, metadata: ["mark": mark]))
        journal.withLock { $0.asksToRegister(book) }
        // Half of them say nothing of their content, and are read in full first.
        let isDeclared = Bool.random(using: &random)
        let response = exchange(
            "POST", "/baton/v1/images/\(image.id)/locations", body: fleet.registration(of: book, isDeclared: isDeclared))
        guard let response else { return false }
        guard response.status == 201, let id = response.json["id"] as? String else {
            note("a registration was refused: \(response.text)")
            return false
        }
        journal.withLock { $0.registered(url, as: id, told: response.json["status"] as? String) }
        crash.answered()
        return true
    }

    private func look(at book: LocationBook) -> Bool {
        guard let response = exchange("GET", "/baton/v1/locations/\(book.id ?? "")/history") else { return false }
        let lines = (response.json["history"] as? [[String: String]] ?? []).map { line in
            CatalogAccount.Line(
                event: line["event"] ?? "", from: line["from"] ?? "", to: line["to"] ?? "", actor: line["actor"] ?? "",
                reason: line["reason"] ?? "")
        }
        journal.withLock { $0.saw(lines, of: book.url) }
        return true
    }

    private func change(_ book: LocationBook, _ mark: String, _ random: inout SplitMix64) -> Bool {
        let path = "/baton/v1/locations/\(book.id ?? "")"
        let response: TestClient.Response?
        switch fleet.operation(on: book, using: &random) {
        case "edit":
            let words = LocationBook.Words(weight: .random(in: 0...1000, using: &random), metadata: ["mark": mark])
            journal.withLock { $0.asks(.init(mark: mark, event: "edited", words: words), of: book.url) }
            response = exchange(
                "PATCH", path, body: #"{"weight": \#(words.weight), "metadata": {"mark": "\#(mark)"}, "reason": "\#(mark)"}"#)
        case let operation:
            journal.withLock { $0.asks(.init(mark: mark, event: operation), of: book.url) }
            response = exchange("POST", "\(path)/\(operation)", body: #"{"reason": "\#(mark)"}"#)
        }
        guard let response else { return false }
        switch response.status {
        case 200, 202:
            journal.withLock { $0.answered(book.url, told: response.json["status"] as? String) }
            crash.answered()
        case 409:
            journal.withLock { $0.refused(book.url) }
            outcome.withLock { $0.refused += 1 }
        default:
            note("\(path) was answered with \(response.status): \(response.text)")
            return false
        }
        return true
    }

    // MARK: Clients

    private func download(_ number: Int) {
        var random = SplitMix64(seed: seed &+ 100 &+ UInt64(number))
        while !crash.isPulled {
            let image = fleet.images.randomElement(using: &random) ?? fleet.images[0]
            let size = image.facts.size
            var range: ClosedRange<Int64>?
            if Bool.random(using: &random) {
                let first = Int64.random(in: 0..<size, using: &random)
                range = first...Int64.random(in: first..<size, using: &random)
            }
            guard download(image, range) else { return }
        }
    }

    /// - Returns: whether to go on.
    private func download(_ image: CrashFleet.PlacedImage, _ range: ClosedRange<Int64>?) -> Bool {
        var response = TestClient.Response()
        do {
            let client = try TestClient(port: port)
            let headers = range.map { ["Range": "bytes=\($0.lowerBound)-\($0.upperBound)"] } ?? [:]
            try client.send("GET", "/v2/images/\(image.id)/file", headers: headers)
            response = client.receiveHead()
            let offset = response.status == 206 ? range?.lowerBound ?? 0 : 0
            repeat {
                let before = response.count
                client.receiveBody(&response, upTo: before + 65_536, expected: (image.content, offset))
                crash.downloaded(Int(response.count - before))
                if response.count == before { break }
            } while !response.isComplete && response.firstWrongByte == nil
        } catch {}
        if let wrong = response.firstWrongByte { note("a download of \(image.id) had a wrong byte at \(wrong)") }
        let isWhole = response.isComplete && (response.status == 200 || response.status == 206)
        if !isWhole, !crash.isPulled {
            note(
                "a download of \(image.id) ended with \(response.status) after \(response.count) bytes: \(response.text.prefix(200))"
            )
        }
        let isCut = !isWhole
        outcome.withLock { outcome in
            outcome.downloads += isCut ? 0 : 1
            outcome.cutDownloads += isCut ? 1 : 0
            outcome.bytes += response.count
        }
        return !isCut
    }

    // MARK: Reads

    /// Asks how far full reads of the largest image are.
    private func watchReads() {
        let image = fleet.images[0].id
        while !crash.isPulled {
            guard let list = exchange("GET", "/baton/v1/images/\(image)/locations") else { return }
            for case let id as String in (list.json["locations"] as? [[String: Any]] ?? []).map({ $0["id"] }) {
                guard let response = exchange("GET", "/baton/v1/locations/\(id)") else { return }
                if response.json["read_position"] as? Int64 != nil { crash.readHalf() }
            }
        }
    }
}
