import Access
import BackendKit
import HTTPServing
import HTTPTypes
import ImageCatalog
import ImageModel

/// Applies a patch's operations on locations, by Glance's rules.
struct LocationOperations {
    /// The examined new locations of the patch, by URL.
    var examined: [String: NewLocation] = [:]

    /// The locations that a patch names, with their claims. Some may be in the image's list already.
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

    /// Applies one operation.
    func apply(_ operation: ImagePatch.Operation, to edit: inout ImageEdit) throws(APIError) {
        switch (operation.target, operation.kind) {
        case (.property, _): return
        case (.location(let index), .remove): try remove(at: index, from: &edit)
        case (.location(let index), _): try add(try LocationEntry(operation.value), at: index, to: &edit)
        case (.locations, _): try replace(by: try Self.list(operation.value), in: &edit)
        }
    }

    private func add(_ entry: LocationEntry, at text: String, to edit: inout ImageEdit) throws(APIError) {
        try requireStatus([.active, .queued], "added", edit)
        guard let index = text == "-" ? edit.entries.count : Int(text), index >= 0 else {
            throw .badRequest("The path of an added location must be /locations/- or /locations/ and a number from 0.")
        }
        let digests = try entry.validation.digests(for: edit.image, known: edit.digests)
        edit.entries.insert(
            try new(entry, digests, in: edit), at: min(index, edit.entries.count))
    }

    private func remove(at text: String, from edit: inout ImageEdit) throws(APIError) {
        try requireStatus([.active], "removed", edit)
        guard edit.entries.count != 1 else {
            throw APIError(.forbidden, "The last location of an image can't be removed: delete the image instead.")
        }
        guard let index = text == "-" ? edit.entries.count - 1 : Int(text), edit.entries.indices.contains(index) else {
            throw .badRequest("There is no location at that index; the list has \(edit.entries.count).")
        }
        edit.entries.remove(at: index)
    }

    /// A list that is not empty may only be reordered, or have its metadata changed. Any other replacement could exchange the
    /// bytes of an image that is in use.
    private func replace(by entries: [LocationEntry], in edit: inout ImageEdit) throws(APIError) {
        guard !entries.isEmpty else { throw APIError(.forbidden, "An image's locations can't be replaced by an empty list.") }
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
    /// The known digests, including those of locations that the same patch added.
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

    /// The same location with the metadata of another entry.
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
