import FaultyOrigin
import LocationSelection

// Fresh images, without load.
extension CrashRun {
    /// Registers a location.
    /// - Returns: its status.
    mutating func register(_ book: LocationBook) async throws -> String? {
        recorder.asksToRegister(book)
        let response = try await baton.send(
            "POST", "/baton/v1/images/\(book.content.image)/locations", body: fleet.registration(of: book))
        guard response.status == 201, let id = response.json["id"] as? String else { throw Unexpected(response: response) }
        let status = response.json["status"] as? String
        recorder.registered(book.url, as: id, told: status)
        return status
    }

    /// Makes an image without a manifest; its manifest will have two pages.
    /// - Parameter isHeld: whether its location declares nothing, so that Baton reads it in full, and stalls near the end.
    mutating func makePagedImage(
        in round: Int, isHeld: Bool
    ) async throws -> (image: CrashFleet.PlacedImage, serves: Bool) {
        let image = fleet.pagedImage(using: &random)
        recorder.asksToCreate(image.id)
        let response = try await baton.send("POST", "/v2/images", body: fleet.creation(of: image))
        guard response.status == 201 else { throw Unexpected(response: response) }
        recorder.created(image.id)
        let status = try await register(
            fleet.freshBook("\(round).p", of: image, owner: round % 4, isDeclared: !isHeld, isHeld: isHeld))
        return (image, status == "active")
    }

    /// Deletes the fresh locations of the previous round. Their images and manifests stay.
    mutating func retireFreshImages(in round: Int) async throws {
        for book in freshBooks {
            guard let id = book.id else { continue }
            let mark = "\(round).retire.\(id)"
            recorder.asks(.init(mark: mark, event: "delete"), of: book.url)
            let response = try await baton.send(
                "POST", "/baton/v1/locations/\(id)/delete?force=true", body: #"{"reason": "\#(mark)"}"#)
            guard response.status == 200 else { throw Unexpected(response: response) }
            recorder.answered(book.url, told: response.json["status"] as? String)
        }
    }

    /// Downloads each of the round's images, and waits until it has a manifest; the test's time limit bounds the wait.
    func downloadFreshImages() async throws -> [Contradiction] {
        var flaws: [Contradiction] = []
        for book in freshBooks {
            guard let content = fleet.content(of: book) else { continue }
            flaws += try await download(book.content.image, content)
            _ = try await baton.manifest(of: book.content.image)
        }
        return flaws
    }

    /// The locations of fresh images that have not been deleted.
    private var freshBooks: [LocationBook] {
        recorder.books.values.filter { book in
            CrashFleet.isFresh(book.url) && book.id != nil && !book.isOver && !book.changes.contains { $0.event == "delete" }
        }.sorted { $0.url < $1.url }
    }
}
