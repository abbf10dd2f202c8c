import FoundationEssentials
import HTTPTypes
package import Hummingbird
package import ImageModel
package import NIOCore

/// One page of a list, written item by item: it ends where an answer gets too large, whatever the count that was asked for.
package struct JSONPage: Sendable {
    /// The most bytes of the items of one answer; a single item may be larger.
    package static let largestSize = 16 << 20

    /// How many items are on it.
    private(set) var count = 0
    private let limit: Int
    private var text = ByteBuffer()

    /// An empty page.
    package init(limit: Int = largestSize) { self.limit = limit }

    /// Adds an item.
    /// - Returns: whether there was room for it.
    package mutating func add(_ item: JSONValue) throws -> Bool {
        let written = try item.written()
        guard count == 0 || text.readableBytes + written.count < limit else { return false }
        if count > 0 { text.writeString(",") }
        text.writeBytes(written)
        count += 1
        return true
    }

    /// Adds items as long as there is room. What does not take a moment is done on threads of its own.
    /// - Returns: the last one that is on the page, if others are left.
    package mutating func fill<Item: Sendable>(
        with items: some Collection<Item>, for context: APIContext, _ document: @escaping @Sendable (Item) -> JSONValue
    ) async throws -> Item? {
        try await fill(with: items, for: context.share, on: .shared, document)
    }

    /// The same for a caller and a pool.
    mutating func fill<Item: Sendable>(
        with items: some Collection<Item>, for caller: String, on pool: ComputePool,
        _ document: @escaping @Sendable (Item) -> JSONValue
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
        let result = try await pool.write(for: caller) { [self, rest, last] in
            var page = self
            return (last: try page.fill(with: rest, behind: last, document), page: page)
        }
        self = result.page
        return result.last
    }

    private mutating func fill<Item>(
        with items: ArraySlice<Item>, behind before: Item?, _ document: (Item) -> JSONValue
    ) throws -> Item? {
        var last = before
        for item in items {
            guard try add(document(item)) else { return last }
            last = item
        }
        return nil
    }

    /// The page as an answer.
    /// - Parameters:
    ///   - name: the list's name among the members.
    ///   - members: what else the answer says.
    package func response(_ name: String, _ members: [String: JSONValue] = [:]) throws -> Response {
        let body = try written(name, members)
        return Response(
            status: .ok, headers: [.contentType: "application/json", .contentLength: String(body.readableBytes)],
            body: .init(byteBuffer: body))
    }

    /// The page's text.
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
