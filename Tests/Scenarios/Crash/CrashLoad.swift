import Foundation
import LocationSelection
import Synchronization

/// The load on a server while it is killed: operators change locations and make images, clients download, and one thread polls the
/// progress of reads. Each is a thread that sends one request after the other and ends with the server.
final class CrashLoad: Sendable {
    /// The contradictions that clients saw, and how much they received.
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
    let recorder: Mutex<CrashRecord>
    let outcome = Mutex(Outcome())
    /// The prefix of every mark of this round.
    let round: Int
    let seed: UInt64
    /// The image of this round whose manifest has two pages.
    let paged: CrashFleet.PlacedImage
    /// The fresh images that can be downloaded.
    let fresh: Mutex<[CrashFleet.PlacedImage]>

    /// - Parameter paged: an image without a manifest, and whether it can be downloaded.
    init(
        _ fleet: CrashFleet, round: Int, seed: UInt64, port: Int, crash: CrashSwitch, recorder: CrashRecord,
        paged: (image: CrashFleet.PlacedImage, serves: Bool)
    ) {
        self.paged = paged.image
        fresh = Mutex(paged.serves ? [paged.image] : [])
        (self.fleet, self.round, self.seed, self.port, self.crash) = (fleet, round, seed, port, crash)
        self.recorder = Mutex(recorder)
    }

    /// Loads the server until it is killed; it is also killed when the test's time limit is over.
    func run() async throws {
        let watch = try WriteWatch(fleet.catalog)
        try await withTaskCancellationHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await onOwnThread { watch.tell(self.crash) } }
                for number in 0..<4 { group.addTask { try await onOwnThread { self.operate(number) } } }
                for number in 0..<3 { group.addTask { try await onOwnThread { self.download(number) } } }
                group.addTask { try await onOwnThread { self.makeImages() } }
                group.addTask { try await onOwnThread { self.watchReads() } }
                try await group.waitForAll()
            }
        } onCancel: {
            crash.pull()
        }
    }

    /// Sends one request; nil without a complete response, which only a crash may cause.
    func exchange(_ method: String, _ path: String, body: String? = nil) -> TestClient.Response? {
        do {
            let client = try TestClient(port: port)
            try client.send(method, path, body: body)
            var response = client.receiveHead()
            client.receiveBody(&response)
            if response.status != 0, response.isComplete { return response }
        } catch {}
        if !crash.isPulled { note("\(method) \(path) got no response, and the server was not killed") }
        return nil
    }

    func note(_ text: String) {
        outcome.withLock { $0.flaws.append(Contradiction(kind: .wrong, about: "round \(round)", text: text)) }
    }
}

// The maker of images.
extension CrashLoad {
    /// Makes a few images without a manifest; each is downloaded or read in full before the next one.
    func makeImages() {
        var random = SplitMix64(seed: seed &+ 200)
        for number in 1...CrashFleet.freshShare {
            let image = fleet.freshImage(using: &random)
            // Half of them declare nothing about their content: then Baton's own read makes the manifest.
            let book = fleet.freshBook(
                "\(round).i.\(number)", of: image, owner: number % 4, isDeclared: .random(using: &random))
            guard create(image), let told = register(book) else { return }
            guard told == "active" else { continue }
            fresh.withLock { $0.append(image) }
            guard download(image, nil) else { return }
        }
    }

    private func create(_ image: CrashFleet.PlacedImage) -> Bool {
        recorder.withLock { $0.asksToCreate(image.id) }
        guard let response = exchange("POST", "/v2/images", body: fleet.creation(of: image)) else { return false }
        guard response.status == 201 else {
            note("the creation of an image was answered with \(response.status): \(response.text)")
            return false
        }
        recorder.withLock { $0.created(image.id) }
        crash.answered()
        return true
    }
}
