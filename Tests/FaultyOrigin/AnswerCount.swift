/// How many responses an origin was sending at a time.
package struct AnswerCount: Sendable {
    /// Now.
    public private(set) var running = 0
    /// The maximum so far.
    public private(set) var most = 0

    mutating func begin() {
        running += 1
        most = max(most, running)
    }

    mutating func end() { running -= 1 }
}
