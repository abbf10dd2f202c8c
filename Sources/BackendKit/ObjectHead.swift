package import ImageModel

/// What a driver read out of the head of a good answer: which bytes follow, of what whole.
package struct ObjectHead: Sendable, Hashable {
    /// The offset of the first byte that follows.
    package let first: Int64
    /// How many bytes follow as announced; nil if the server did not say.
    package let count: Int64?
    /// The size of the whole object; nil if the server did not say.
    package let total: Int64?
    /// What pins the object, if the server says anything.
    package let validator: Validator?
    /// The digest of the whole object that the server states: what was written there once, no verification of what follows. Nil if it
    /// states none.
    package let stated: Digest?
    /// Whether a later read can be expected to be answered from its first byte on, wherever that lies.
    package let answersRanges: Bool
    /// The name of a coding that the bytes are said to have, gzip: they are taken as they are. Nil if they are plain.
    package let coding: String?

    /// A head with every property given.
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

    /// The same head of an object whose digest the server states.
    package func stating(_ digest: Digest?) -> ObjectHead {
        ObjectHead(
            first: first, count: count, total: total, validator: validator, stated: digest, answersRanges: answersRanges,
            coding: coding)
    }
}
