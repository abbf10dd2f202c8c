import HTTPServing
import ImageCatalog
import ImageModel

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
