import FoundationEssentials
import Glibc

// Keys whose values are the names of files, or of environment variables.
extension Section {
    /// The name of a file, which must be there and readable; nil when the key is missing or the file can't be read.
    package func file(_ key: String) -> String? { contents(key)?.path }

    /// The text of a file that holds a secret and nothing else, without the line's end; nil when the key is missing or the file
    /// can't be read.
    package func secret(inFile key: String) -> Secret? {
        guard let (path, data) = contents(key) else { return nil }
        warnOfReaders(key, path)
        guard data.count <= 65_536, let text = String(validating: data, as: UTF8.self) else {
            reject(key, "\(path) holds no secret: it must be one line of text")
            return nil
        }
        var secret = text[...]
        while secret.last?.isNewline == true { secret.removeLast() }
        guard !secret.isEmpty, !secret.contains(where: \.isNewline) else {
            reject(key, "\(path) holds no secret: it must be one line of text")
            return nil
        }
        return Secret(String(secret))
    }

    /// A secret in the file that `NAME_file` names, or in the environment variable that `NAME_env` names; nil when neither is there,
    /// or when it can't be read.
    package func secret(_ name: String) -> Secret? {
        let inFile = secret(inFile: "\(name)_file")
        let inEnvironment = secret(inEnvironment: "\(name)_env")
        if string("\(name)_file") != nil, string("\(name)_env") != nil {
            reject("\(name)_env", "stands beside \(name)_file; keep one of them")
        }
        return inFile ?? inEnvironment
    }

    /// Whether one of the keys of `secret(_:)` is there, so that a secret is meant.
    package func namesSecret(_ name: String) -> Bool { string("\(name)_file") != nil || string("\(name)_env") != nil }

    /// The name of a file in PEM form (RFC 7468) that holds something of that label.
    /// - Parameters:
    ///   - label: the end of what its dashes enclose, e.g. `CERTIFICATE`.
    ///   - what: the same for a person.
    package func file(_ key: String, pem label: String, _ what: String) -> String? {
        guard let (path, data) = contents(key) else { return nil }
        guard String(decoding: data, as: UTF8.self).contains("\(label)-----") else {
            reject(key, "\(path) holds no \(what) in PEM form")
            return nil
        }
        if label == "PRIVATE KEY" { warnOfReaders(key, path) }
        return path
    }

    /// A secret that every user of the machine can read is none.
    private func warnOfReaders(_ key: String, _ path: String) {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & 0o006 != 0 else { return }
        warn(key, "every user of this machine can \(status.st_mode & 0o002 != 0 ? "change" : "read") \(path): chmod o= \(path)")
    }

    /// A secret in an environment variable that the key names; nil when the key is missing or the variable is not set.
    package func secret(inEnvironment key: String) -> Secret? {
        guard let name = string(key) else { return nil }
        guard let text = ProcessInfo.processInfo.environment[name], !text.isEmpty else {
            // Whoever writes the secret itself here must not find it in the message.
            reject(key, "names no environment variable that is set; write the variable's name, and set it where Baton starts")
            return nil
        }
        log.inputs.append(Data(text.utf8))
        guard !text.contains(where: \.isNewline) else {
            reject(key, "names a variable that holds no secret: it must be one line of text")
            return nil
        }
        return Secret(text)
    }

    /// Notes it when a secret is configured in neither way although another key wants it.
    package func requireSecret(_ name: String, beside key: String) {
        if !namesSecret(name) { reject(key, "needs \(name)_file or \(name)_env beside it") }
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
