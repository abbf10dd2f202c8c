public import NetworkAddress
internal import Yams

// Keys whose values are lists.
extension Section {
    /// Networks of IP, e.g. `[10.0.0.0/8, fd00::/8]`; none when the key is missing.
    public func networks(_ key: String) -> [IPNetwork] {
        list(key, example: "[10.0.0.0/8, fd00::/8]").compactMap { text in
            do throws(InvalidNetwork) {
                return try IPNetwork(text)
            } catch {
                reject(key, "\"\(text.prefix(64))\" \(error)")
                return nil
            }
        }
    }

    /// Single values in brackets or on lines that begin with a dash.
    private func list(_ key: String, example: String) -> [String] {
        guard let node = take(key) else { return [] }
        let texts = node.sequence.map { Array($0).map(\.scalar?.string) } ?? [nil]
        guard !texts.contains(nil) else {
            reject(key, "here a list of single values is expected; write for example \(example)")
            return []
        }
        return texts.compactMap { $0 }
    }
}
