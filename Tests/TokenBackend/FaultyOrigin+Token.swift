package import FaultyOrigin

extension FaultyOrigin {
    /// An origin that answers 401 to requests without the door's current token.
    package convenience init(
        _ content: PatternedContent, behind door: TokenDoor,
        behaviour: @escaping @Sendable (OriginRequest) -> Behaviour = { _ in .sound }
    ) throws {
        try self.init(content) { door.admits($0["x-auth-token"]) ? behaviour($0) : .status(401) }
    }
}
