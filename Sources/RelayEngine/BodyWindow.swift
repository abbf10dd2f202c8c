/// What is to be done with an answer's body, byte by byte: drop so many, take so many, and no more.
package struct BodyWindow: Sendable, Equatable {
    /// Bytes still to be dropped: those before the wanted ones, of a server that does not know ranges.
    package private(set) var skip: Int64
    /// Bytes still to be taken.
    package private(set) var take: Int64

    /// An bodyWindow at its start.
    package init(skip: Int64, take: Int64) {
        self.skip = skip
        self.take = take
    }

    /// Splits the next `count` bytes of the body: drop the first, keep the following, forget the rest.
    package mutating func split(_ count: Int) -> (drop: Int, keep: Int) {
        let drop = Int(min(Int64(count), skip))
        skip -= Int64(drop)
        let keep = Int(min(Int64(count - drop), take))
        take -= Int64(keep)
        return (drop, keep)
    }
}
