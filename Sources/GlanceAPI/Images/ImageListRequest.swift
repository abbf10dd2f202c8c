import Access
import FoundationEssentials
package import HTTPServing
import ImageCatalog
import ImageModel

/// The parameters of `GET /v2/images`.
package struct ImageListRequest {
    /// The query for the catalog.
    let query: ImageQuery
    /// The parameters as sent, for the links to this page and the next.
    let items: QueryItems

    /// The default number of images on a page, as in Glance.
    static let ordinaryLimit = 25
    /// The maximum number of images on a page.
    static let largestLimit = 1000

    /// Parses the query of a URL.
    /// - Throws: `APIError` 400 that names the invalid parameter.
    init(_ text: String?, by caller: Caller) throws(APIError) {
        items = QueryItems(text)
        var query = ImageQuery()
        query.limit = try Self.limit(items["limit"])
        query.marker = try items["marker"].map { text throws(APIError) in
            guard let marker = ImageID(text) else { throw .badRequest("marker must be an image's id.") }
            return marker
        }
        query.order = try ImageSorting.order(of: items)
        if !caller.isAdmin {
            query.scope = .project(caller.project, sharing: try Self.sharing(items["member_status"]))
        } else {
            _ = try Self.sharing(items["member_status"])
        }
        query.filters = try ImageFiltering(items, caller).filters
        self.query = query
    }

    /// Parses the parameter `limit`.
    /// - Throws: `APIError` 400 for anything but a whole number from 0.
    package static func limit(_ text: String?) throws(APIError) -> Int {
        guard let text else { return ordinaryLimit }
        guard let limit = Int(text), limit >= 0 else { throw .badRequest("limit must be a whole number from 0.") }
        return min(limit, largestLimit)
    }

    /// The membership status of the shared images in a project's list; accepted by default, nil for any.
    private static func sharing(_ text: String?) throws(APIError) -> Member.Status? {
        guard let text else { return .accepted }
        if text == "all" { return nil }
        guard let status = Member.Status(rawValue: text) else {
            throw .badRequest("member_status must be one of pending, accepted, rejected and all.")
        }
        return status
    }

    /// The link to the first page.
    var first: String { Self.link(items.without("marker")) }

    /// The link to the page after an image.
    func next(behind last: ImageID) -> String {
        Self.link(QueryItems(items.without("marker").items + [("marker", last.description)]))
    }

    private static func link(_ items: QueryItems) -> String {
        items.items.isEmpty ? "/v2/images" : "/v2/images?\(items.text)"
    }
}

/// Parses the two notations of Glance's clients for sorting.
enum ImageSorting {
    /// Parses `sort=name:asc,size` or `sort_key=name&sort_dir=asc&sort_key=size&sort_dir=desc`.
    /// - Throws: `APIError` 400.
    static func order(of items: QueryItems) throws(APIError) -> [ImageOrder] {
        let (keys, directions) = (items.all("sort_key"), items.all("sort_dir"))
        guard let text = items["sort"] else { return try classic(keys, directions) }
        guard keys.isEmpty, directions.isEmpty else {
            throw .badRequest("sort can't be combined with sort_key and sort_dir: use either.")
        }
        var order: [ImageOrder] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let halves = part.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            order.append(ImageOrder(try key(halves[0]), try direction(halves.count > 1 ? halves[1] : "desc")))
        }
        return order
    }

    private static func classic(_ keys: [String], _ directions: [String]) throws(APIError) -> [ImageOrder] {
        guard directions.count < 2 || directions.count == keys.count else {
            throw .badRequest("There are \(directions.count) sort_dir for \(keys.count) sort_key: give one, or one for each.")
        }
        var order: [ImageOrder] = []
        for (index, text) in (keys.isEmpty ? ["created_at"] : keys).enumerated() {
            let direction = directions.isEmpty ? "desc" : directions[directions.count == 1 ? 0 : index]
            order.append(ImageOrder(try key(text), try Self.direction(direction)))
        }
        return order
    }

    private static func key(_ text: some StringProtocol) throws(APIError) -> ImageOrder.Key {
        guard let key = ImageOrder.Key(rawValue: String(text.filter { $0 != " " })) else {
            let known = ImageOrder.Key.allCases.map(\.rawValue).joined(separator: ", ")
            throw .badRequest("\(text.excerpt(32)) is not a sort key; the keys are \(known).")
        }
        return key
    }

    private static func direction(_ text: some StringProtocol) throws(APIError) -> ImageOrder.Direction {
        guard let direction = ImageOrder.Direction(rawValue: String(text.filter { $0 != " " })) else {
            throw .badRequest("\(text.excerpt(32)) is not a sort direction: use asc or desc.")
        }
        return direction
    }
}
