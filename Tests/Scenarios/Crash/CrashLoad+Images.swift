import LocationSelection
import Synchronization

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
