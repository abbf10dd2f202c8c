extension StringProtocol {
    /// What stands between the slashes, empty parts too. Slashes are looked for among the bytes, as everybody else does: of a slash and a
    /// mark behind it Swift makes one `Character` that is no slash.
    package var pathSegments: [String] {
        utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    }
}

extension String {
    /// Where the last slash stands, by the same rule.
    package var lastSlash: Index? { utf8.lastIndex(of: UInt8(ascii: "/")) }
}
