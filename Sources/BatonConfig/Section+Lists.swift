package import NetworkAddress
import Yams

// Keys whose values are lists.
extension Section {
    /// IP networks, e.g. `[10.0.0.0/8, fd00::/8]`; empty if the key is missing.
    package func networks(_ key: String) -> [IPNetwork] {
        list(key, example: "[10.0.0.0/8, fd00::/8]").compactMap { text in
            do throws(InvalidNetwork) {
                return try IPNetwork(text)
            } catch {
                reject(key, "\"\(text.prefix(64))\" \(error)")
                return nil
            }
        }
    }

    /// Origins of web pages, e.g. `["https://console.example"]`; empty if the key is missing.
    /// - Parameter allowsAll: whether `*` may stand for all origins.
    func origins(_ key: String, allowsAll: Bool) -> [String] {
        list(key, example: "[\"https://console.example\"]").compactMap { text in
            if text == "*" {
                guard !allowsAll else { return text }
                reject(key, "\"*\" lets every web page in, which auth.mode none does not allow: name the origins")
                return nil
            }
            let host = ["https://", "http://"].first { text.hasPrefix($0) }.map { text.dropFirst($0.count) }
            guard let host, !host.isEmpty, !host.contains(where: { "/?#@*, ".contains($0) }) else {
                reject(
                    key,
                    "\"\(text.prefix(64))\" is no origin; write a scheme and a host, maybe with a port: https://console.example"
                )
                return nil
            }
            return text
        }
    }

    /// The public URL of a server, without a trailing slash; nil if the key is missing or invalid.
    func publicURL(_ key: String) -> String? {
        guard let text = string(key) else { return nil }
        let rest = ["https://", "http://"].first { text.hasPrefix($0) }.map { text.dropFirst($0.count) }
        guard let rest, let first = rest.first, first != "/", !rest.contains(where: { "?#@\\\"<> ".contains($0) }) else {
            reject(key, "\"\(text.prefix(64))\" is no URL of a server; write for example https://images.example")
            return nil
        }
        return text.hasSuffix("/") ? String(text.dropLast()) : text
    }

    /// The scalar items of a sequence, in flow or block style.
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
