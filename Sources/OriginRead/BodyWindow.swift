/// The part of a response's body to keep: a number of bytes to skip, then a number to take.
package struct BodyWindow: Sendable, Equatable {
    /// The number of bytes still to skip: those before the requested ones, from a server without range support.
    package private(set) var skip: Int64
    /// The number of bytes still to take.
    package private(set) var take: Int64

    package init(skip: Int64, take: Int64) {
        self.skip = skip
        self.take = take
    }

    /// Splits the next `count` bytes of the body: drop the first part, keep the second, ignore the rest.
    package mutating func split(_ count: Int) -> (drop: Int, keep: Int) {
        let drop = Int(min(Int64(count), skip))
        skip -= Int64(drop)
        let keep = Int(min(Int64(count - drop), take))
        take -= Int64(keep)
        return (drop, keep)
    }
}
