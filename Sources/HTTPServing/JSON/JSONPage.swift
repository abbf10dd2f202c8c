import FoundationEssentials
import HTTPTypes
package import Hummingbird
package import ImageModel
package import NIOCore

/// One page of a list, encoded item by item. It ends at a size limit, whatever number of items was requested.
package struct JSONPage: Sendable {
    /// The most bytes of all items on a page. A single item may be larger.
    package static let largestSize = 16 << 20

    /// The number of items on the page.
    private(set) var count = 0
    private let limit: Int
    private var text = ByteBuffer()

    /// Creates an empty page.
    /// - Parameter limit: the most bytes of all items.
    package init(limit: Int = largestSize) { self.limit = limit }

    /// Appends an item.
    /// - Returns: whether the page had room for it.
    package mutating func add(_ item: some JSONItem) throws -> Bool {
        let written = try item.written()
        guard count == 0 || text.readableBytes + written.count < limit else { return false }
        if count > 0 { text.writeString(",") }
        text.writeBytes(written)
        count += 1
        return true
    }

    /// Appends items while there is room. More than a few are encoded on `ComputePool`.
    /// - Returns: the last item on the page if some did not fit; nil if all did.
    package mutating func fill<Item: Sendable>(
        with items: some Collection<Item>, for context: APIContext,
        _ document: @escaping @Sendable (Item) -> some JSONItem
    ) async throws -> Item? {
        try await fill(with: items, for: context.share, on: .shared, document)
    }

    /// Appends items while there is room, with a given share and pool.
    mutating func fill<Item: Sendable>(
        with items: some Collection<Item>, for share: String, on pool: ComputePool,
        _ document: @escaping @Sendable (Item) -> some JSONItem
    ) async throws -> Item? {
        var last: Item?
        var rest = Array(items)[...]
        while let item = rest.first {
            let value = document(item)
            guard text.readableBytes + value.textSize <= JSONValue.largestInPlace else { break }
            guard try add(value) else { return last }
            last = item
            rest.removeFirst()
        }
        guard !rest.isEmpty else { return nil }
        let result = try await pool.write(for: share) { [self, rest, last] in
            var page = self
            return (last: try page.fill(with: rest, behind: last, document), page: page)
        }
        self = result.page
        return result.last
    }

    private mutating func fill<Item>(
        with items: ArraySlice<Item>, behind before: Item?, _ document: (Item) -> some JSONItem
    ) throws -> Item? {
        var last = before
        for item in items {
            guard try add(document(item)) else { return last }
            last = item
        }
        return nil
    }

    /// The page as a response.
    /// - Parameters:
    ///   - name: the name of the list among the members.
    ///   - members: the other members of the document.
    package func response(_ name: String, _ members: [String: JSONValue] = [:]) throws -> Response {
        let body = try written(name, members)
        return Response(
            status: .ok, headers: [.contentType: "application/json", .contentLength: String(body.readableBytes)],
            body: .init(byteBuffer: body))
    }

    /// The encoded document.
    package func written(_ name: String, _ members: [String: JSONValue]) throws -> ByteBuffer {
        let others = try JSONValue.object(members).written().dropFirst()
        var body = ByteBuffer()
        body.reserveCapacity(text.readableBytes + others.count + name.utf8.count + 8)
        body.writeString("{\"\(name)\":[")
        body.writeImmutableBuffer(text)
        body.writeString(members.isEmpty ? "]" : "],")
        body.writeBytes(others)
        return body
    }
}
