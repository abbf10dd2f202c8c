import CurlTransfer
import FoundationEssentials
import Glibc

// Keys whose values name files or environment variables.
extension Section {
    /// The path of a file that must exist and be readable; nil if the key is missing or the file can't be read.
    package func file(_ key: String) -> String? { contents(key)?.path }

    /// The text of a file that holds only a secret, without the trailing newline; nil if the key is missing or the file can't
    /// be read.
    package func secret(inFile key: String) -> Secret? {
        guard let (path, data) = contents(key) else { return nil }
        warnOfReaders(key, path)
        guard data.count <= 65_536, let text = String(validating: data, as: UTF8.self) else {
            reject(key, "\(path) does not contain a secret: it must be one line of text")
            return nil
        }
        var secret = text[...]
        while secret.last?.isNewline == true { secret.removeLast() }
        guard !secret.isEmpty, !secret.contains(where: \.isNewline) else {
            reject(key, "\(path) does not contain a secret: it must be one line of text")
            return nil
        }
        return Secret(String(secret))
    }

    /// A secret in the file that `NAME_file` names, or in the environment variable that `NAME_env` names; nil if neither key is
    /// present or the secret can't be read.
    package func secret(_ name: String) -> Secret? {
        let inFile = secret(inFile: "\(name)_file")
        let inEnvironment = secret(inEnvironment: "\(name)_env")
        if string("\(name)_file") != nil, string("\(name)_env") != nil {
            reject("\(name)_env", "can't be combined with \(name)_file; keep one of them")
        }
        return inFile ?? inEnvironment
    }

    /// Whether one of the keys of `secret(_:)` is present.
    package func hasSecret(_ name: String) -> Bool { string("\(name)_file") != nil || string("\(name)_env") != nil }

    /// The path of a PEM file (RFC 7468) that contains an object with the given label.
    /// - Parameters:
    ///   - label: the end of the text between the dashes, e.g. `CERTIFICATE`.
    ///   - what: the object's name in error messages.
    package func file(_ key: String, pem label: String, _ what: String) -> String? {
        guard let (path, data) = contents(key) else { return nil }
        guard String(decoding: data, as: UTF8.self).contains("\(label)-----") else {
            reject(key, "\(path) holds no \(what) in PEM form")
            return nil
        }
        if label == "PRIVATE KEY" { warnOfReaders(key, path) }
        return path
    }

    /// Warns of a secret that every user of the machine can read or change.
    private func warnOfReaders(_ key: String, _ path: String) {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & 0o006 != 0 else { return }
        warn(key, "every user of this machine can \(status.st_mode & 0o002 != 0 ? "change" : "read") \(path): chmod o= \(path)")
    }

    /// The secret in the environment variable that the key names; nil if the key is missing or the variable is not set.
    package func secret(inEnvironment key: String) -> Secret? {
        guard let name = string(key) else { return nil }
        guard let text = ProcessInfo.processInfo.environment[name], !text.isEmpty else {
            // The value may be the secret itself, written by mistake, so the message does not repeat it.
            reject(
                key, "names no environment variable that is set; write the variable's name, and set it in Baton's environment")
            return nil
        }
        log.inputs.append(Data(text.utf8))
        guard !text.contains(where: \.isNewline) else {
            reject(key, "names a variable whose value is not one line of text")
            return nil
        }
        return Secret(text)
    }

    /// Records a problem if another key requires a secret and neither key of it is present.
    package func requireSecret(_ name: String, beside key: String) {
        if !hasSecret(name) { reject(key, "needs \(name)_file or \(name)_env") }
    }

    private func contents(_ key: String) -> (path: String, data: Data)? {
        guard let path = string(key) else { return nil }
        do throws(UnreadableFile) {
            let data = try UnreadableFile.contents(of: path)
            log.inputs.append(data)
            return (path, data)
        } catch {
            reject(key, "\(path) can't be read: \(error)")
            return nil
        }
    }
}

/// A password or similar secret. Printing, debugging and reflection do not reveal it.
package struct Secret: Sendable, Equatable, Undisclosed {
    /// The secret itself.
    package let value: String

    package init(_ value: String) { self.value = value }
}
