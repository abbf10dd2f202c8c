package import ImageModel

/// The head of a good response as read by a driver: the bytes that follow, and the object they belong to.
package struct ObjectHead: Sendable, Hashable {
    /// The offset of the first byte that follows.
    package let first: Int64
    /// The announced number of bytes that follow; nil if the server did not say.
    package let count: Int64?
    /// The size of the whole object; nil if the server did not say.
    package let total: Int64?
    /// The validator that pins the object; nil if the server sent none.
    package let validator: Validator?
    /// The digest of the whole object that the server states; nil if it states none. It was recorded when the object was
    /// written and does not verify the bytes that follow.
    package let stated: Digest?
    /// Whether later ranged reads can be expected to start at their first byte.
    package let answersRanges: Bool
    /// The coding that the bytes are labelled with (gzip), taken as they are; nil if they are plain.
    package let coding: String?

    package init(
        first: Int64, count: Int64?, total: Int64?, validator: Validator?, stated: Digest? = nil,
        answersRanges: Bool = true, coding: String? = nil
    ) {
        self.first = first
        self.count = count
        self.total = total
        self.validator = validator
        self.stated = stated
        self.answersRanges = answersRanges
        self.coding = coding
    }

    /// A copy with the digest that the server states.
    package func stating(_ digest: Digest?) -> ObjectHead {
        ObjectHead(
            first: first, count: count, total: total, validator: validator, stated: digest, answersRanges: answersRanges,
            coding: coding)
    }
}
