import Access
import FoundationEssentials
package import HTTPServing
import ImageCatalog
import ImageModel

/// What `GET /v2/images` is asked for.
package struct ImageListRequest {
    /// For the catalog.
    let query: ImageQuery
    /// As it came, for the links to this page and the next.
    let items: QueryItems

    /// How many images a page has if nothing else is asked for, as in Glance.
    static let ordinaryLimit = 25
    /// The most images of a page.
    static let largestLimit = 1000

    /// Reads the query of a URL.
    /// - Throws: `APIError` 400 naming the parameter that is wrong.
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

    /// Reads the parameter `limit`.
    package static func limit(_ text: String?) throws(APIError) -> Int {
        guard let text else { return ordinaryLimit }
        guard let limit = Int(text), limit >= 0 else { throw .badRequest("limit must be a whole number from 0.") }
        return min(limit, largestLimit)
    }

    /// What a project must have made of a shared image to find it in its list: it has accepted it, if nothing else is asked.
    private static func sharing(_ text: String?) throws(APIError) -> Member.Status? {
        guard let text else { return .accepted }
        if text == "all" { return nil }
        guard let status = Member.Status(rawValue: text) else {
            throw .badRequest("member_status must be one of pending, accepted, rejected and all.")
        }
        return status
    }

    /// The link to this list from its beginning.
    var first: String { Self.link(items.without("marker")) }

    /// The link to what comes behind an image.
    func next(behind last: ImageID) -> String {
        Self.link(QueryItems(items.without("marker").items + [("marker", last.description)]))
    }

    private static func link(_ items: QueryItems) -> String {
        items.items.isEmpty ? "/v2/images" : "/v2/images?\(items.text)"
    }
}

/// The two ways in which Glance's clients say how to sort.
enum ImageSorting {
    /// Reads `sort=name:asc,size` or `sort_key=name&sort_dir=asc&sort_key=size&sort_dir=desc`.
    /// - Throws: `APIError` 400.
    static func order(of items: QueryItems) throws(APIError) -> [ImageOrder] {
        let (keys, directions) = (items.all("sort_key"), items.all("sort_dir"))
        guard let text = items["sort"] else { return try classic(keys, directions) }
        guard keys.isEmpty, directions.isEmpty else {
            throw .badRequest("sort can't be combined with sort_key and sort_dir: use one of both ways.")
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
            throw .badRequest("\(text.excerpt(32)) is no sort key; there are \(known).")
        }
        return key
    }

    private static func direction(_ text: some StringProtocol) throws(APIError) -> ImageOrder.Direction {
        guard let direction = ImageOrder.Direction(rawValue: String(text.filter { $0 != " " })) else {
            throw .badRequest("\(text.excerpt(32)) is no direction to sort in; there are asc and desc.")
        }
        return direction
    }
}
