import Access
import BackendKit
import HTTPServing
import HTTPTypes
import ImageCatalog
import ImageModel

/// The operations of a patch on an image's locations, as Glance has them.
struct LocationOperations {
    /// What the locations that a patch brings were found to be, by their URLs.
    var examined: [String: NewLocation] = [:]

    /// The locations that a patch brings, and what is claimed of them. The list may hold some already.
    static func entries(of patch: ImagePatch) throws(APIError) -> [LocationEntry] {
        var entries: [LocationEntry] = []
        for operation in patch.operations where operation.kind != .remove {
            switch operation.target {
            case .property: continue
            case .location: entries.append(try LocationEntry(operation.value))
            case .locations: entries += try list(operation.value)
            }
        }
        return entries
    }

    private static func list(_ value: JSONValue) throws(APIError) -> [LocationEntry] {
        guard case .array(let items) = value else { throw .badRequest("locations must be a list.") }
        var entries: [LocationEntry] = []
        for item in items { entries.append(try LocationEntry(item)) }
        return entries
    }

    /// Carries out one operation.
    func apply(_ operation: ImagePatch.Operation, to edit: inout ImageEdit) throws(APIError) {
        switch (operation.target, operation.kind) {
        case (.property, _): return
        case (.location(let place), .remove): try remove(at: place, from: &edit)
        case (.location(let place), _): try add(try LocationEntry(operation.value), at: place, to: &edit)
        case (.locations, _): try replace(by: try Self.list(operation.value), in: &edit)
        }
    }

    private func add(_ entry: LocationEntry, at place: String, to edit: inout ImageEdit) throws(APIError) {
        try requireStatus([.active, .queued], "added", edit)
        guard let index = place == "-" ? edit.entries.count : Int(place), index >= 0 else {
            throw .badRequest("A location is added at /locations/- or at /locations/ and a number from 0.")
        }
        let digests = try entry.validation.digests(for: edit.image, known: edit.digests)
        edit.entries.insert(
            try new(entry, digests, in: edit), at: min(index, edit.entries.count))
    }

    private func remove(at place: String, from edit: inout ImageEdit) throws(APIError) {
        try requireStatus([.active], "removed", edit)
        guard edit.entries.count != 1 else {
            throw APIError(.forbidden, "The last location of an image can't be removed: delete the image instead.")
        }
        guard let index = place == "-" ? edit.entries.count - 1 : Int(place), edit.entries.indices.contains(index) else {
            throw .badRequest("There is no location at that place of the list; it has \(edit.entries.count).")
        }
        edit.entries.remove(at: index)
    }

    /// The list may be put into another order, and metadata be changed; or an empty list be filled. Anything else would let
    /// somebody exchange an image's bytes under its users.
    private func replace(by entries: [LocationEntry], in edit: inout ImageEdit) throws(APIError) {
        guard !entries.isEmpty else { throw APIError(.forbidden, "An image's locations can't be taken away all at once.") }
        try requireStatus([.active, .queued], "replaced", edit)
        let claimed = try ValidationData(merging: entries.map(\.validation))
        let digests = try claimed.digests(for: edit.image, known: edit.digests)
        guard !edit.entries.isEmpty else {
            var filled = edit
            for entry in entries { filled.entries.append(try new(entry, digests, in: filled)) }
            edit = filled
            return
        }
        guard Set(entries.map(\.url)) == Set(edit.entries.map(\.url)), entries.count == edit.entries.count else {
            throw .badRequest(
                "Invalid location: a list that is not empty can be replaced only by the same URLs in another order; "
                    + "add the new ones, then remove the old.")
        }
        var replaced: [ImageEdit.Entry] = []
        for entry in entries {
            guard let present = edit.entries.first(where: { $0.url == entry.url }) else { continue }
            replaced.append(present.with(entry))
        }
        edit.entries = replaced
    }

    private func new(
        _ entry: LocationEntry, _ digests: DigestSet, in edit: ImageEdit
    ) throws(APIError) -> ImageEdit.Entry {
        guard !edit.entries.contains(where: { $0.url == entry.url }), let found = examined[entry.url] else {
            throw .badRequest("Invalid location: the image has this URL already.")
        }
        return .new(ImageEdit.NewEntry(found, metadata: entry.writtenMetadata))
    }

    private func requireStatus(_ possible: [Image.Status], _ deed: String, _ edit: ImageEdit) throws(APIError) {
        guard possible.contains(edit.image.status) else {
            throw .conflict("Locations can't be \(deed) while the image is \(edit.image.status.rawValue).")
        }
    }
}

extension ImageEdit {
    /// What is known of the digests, what was added before in the same patch included.
    fileprivate var digests: DigestSet {
        let present = entries.compactMap { entry in
            if case .kept(let listed, _) = entry { listed.location } else { nil }
        }
        var known = DigestSet(of: representation, locations: present)
        for case .new(let new) in entries {
            for digest in new.location.digests.all where known[digest.algorithm] == nil { known[digest.algorithm] = digest }
        }
        return known
    }
}

extension ImageEdit.Entry {
    fileprivate var url: String {
        switch self {
        case .kept(let listed, _): listed.location.url
        case .new(let new): new.location.url
        }
    }

    /// The same location with another's metadata.
    fileprivate func with(_ entry: LocationEntry) -> ImageEdit.Entry {
        switch self {
        case .kept(var listed, _):
            listed.metadata = entry.writtenMetadata
            return .kept(listed, words: entry.words)
        case .new(let new):
            return .new(ImageEdit.NewEntry(id: new.id, new.location, metadata: entry.writtenMetadata))
        }
    }
}
