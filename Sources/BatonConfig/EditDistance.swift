extension String {
    /// The Levenshtein distance: the number of letters to insert, delete or replace.
    package func distance(to other: String) -> Int {
        let target = Array(other)
        var previous = Array(0...target.count)
        for (row, letter) in enumerated() {
            var current = [row + 1]
            for (column, candidate) in target.enumerated() {
                current.append(
                    Swift.min(previous[column] + (letter == candidate ? 0 : 1), previous[column + 1] + 1, current[column] + 1))
            }
            previous = current
        }
        return previous[target.count]
    }
}
