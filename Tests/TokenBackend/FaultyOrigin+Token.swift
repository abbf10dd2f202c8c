package import FaultyOrigin

extension FaultyOrigin {
    /// An origin that answers 401 to whoever does not show the door's token of now.
    package convenience init(
        _ content: PatternedContent, behind door: TokenDoor,
        behaviour: @escaping @Sendable (OriginRequest) -> Behaviour = { _ in .sound }
    ) throws {
        try self.init(content) { door.admits($0["x-auth-token"]) ? behaviour($0) : .status(401) }
    }
}
