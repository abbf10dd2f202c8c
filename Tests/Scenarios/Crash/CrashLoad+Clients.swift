import FaultyOrigin
import Foundation
import LocationSelection
import Synchronization

// Clients, and the reader of progress.
extension CrashLoad {
    func download(_ number: Int) {
        var random = SplitMix64(seed: seed &+ 100 &+ UInt64(number))
        // Two clients race for the first whole download of an image without a manifest; the third downloads ranges from the start.
        if number < 2, let image = fresh.withLock({ $0.first }), !download(image, nil) { return }
        while !crash.isPulled {
            let images = fleet.images + fresh.withLock { $0 }
            let image = images.randomElement(using: &random) ?? fleet.images[0]
            let size = image.facts.size
            var range: ClosedRange<Int64>?
            if Bool.random(using: &random) {
                let first = Int64.random(in: 0..<size, using: &random)
                range = first...Int64.random(in: first..<size, using: &random)
            }
            guard download(image, range) else { return }
        }
    }

    /// - Returns: whether to continue.
    func download(_ image: CrashFleet.PlacedImage, _ range: ClosedRange<Int64>?) -> Bool {
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
        if isWhole, range == nil, image.id == paged.id { crash.delivered() }
        let isCut = !isWhole
        outcome.withLock { outcome in
            outcome.downloads += isCut ? 0 : 1
            outcome.cutDownloads += isCut ? 1 : 0
            outcome.bytes += response.count
        }
        return !isCut
    }

    /// Polls the progress of full reads of the image whose manifest has two pages.
    func watchReads() {
        while !crash.isPulled {
            guard let list = exchange("GET", "/baton/v1/images/\(paged.id)/locations") else { return }
            for case let id as String in (list.json["locations"] as? [[String: Any]] ?? []).map({ $0["id"] }) {
                guard let response = exchange("GET", "/baton/v1/locations/\(id)") else { return }
                if response.json["read_position"] as? Int64 ?? 0 > CrashFleet.secondPage { crash.readHalf() }
            }
        }
    }
}
