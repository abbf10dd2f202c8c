import Glibc
import Synchronization

/// The socket file of a listener: prepares its path, sets its mode and removes it at the end.
final class SocketFile: Sendable {
    /// The identity of a file, independent of its name.
    private struct Identity: Equatable {
        let device: dev_t
        let inode: ino_t
    }

    private struct State {
        var identity: Identity?
        var mask: mode_t?
    }

    private let path: String
    private let mode: UInt32
    private let state = Mutex(State())

    init(path: String, mode: UInt32) {
        self.path = path
        self.mode = mode
    }

    /// Prepares the path; call it before the server listens. A stale socket file is removed; an active one and any other file
    /// are not. Until `opened()`, new files of this process admit only its own user, so that no client connects too early.
    /// - Throws: `ListenError`.
    func prepare() throws(ListenError) {
        try makeRoom()
        let mask = umask(0o177)
        state.withLock { $0.mask = mask }
    }

    /// Sets the mode of the file; call it once the server listens.
    /// - Throws: `ListenError` if the mode cannot be set.
    func opened() throws(ListenError) {
        state.withLock { state in
            if let mask = state.mask { umask(mask) }
            state.mask = nil
        }
        guard chmod(path, mode) == 0 else { throw failure(errno) }
        let identity = identity
        state.withLock { $0.identity = identity }
    }

    /// Removes the file; call it after the server has stopped listening. A file that the next server has created meanwhile
    /// stays.
    func remove() {
        let own = state.withLock { $0.identity }
        if let own, own == identity { unlink(path) }
    }

    private var identity: Identity? {
        var status = stat()
        return lstat(path, &status) == 0 ? Identity(device: status.st_dev, inode: status.st_ino) : nil
    }

    private func makeRoom() throws(ListenError) {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT { return }
            throw failure(errno)
        }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw failure(ENOTSOCK) }
        switch connectionError() {
        case ECONNREFUSED: guard unlink(path) == 0 || errno == ENOENT else { throw failure(errno) }
        // A server with a full queue exists as well.
        case 0, EAGAIN, EINPROGRESS: throw failure(EADDRINUSE)
        case let code: throw failure(code)
        }
    }

    /// The error number of a connection attempt; 0 if a server listens.
    private func connectionError() -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let socket = Glibc.socket(AF_UNIX, kind, 0)
        guard socket >= 0 else { return errno }
        defer { close(socket) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0 ? 0 : errno
            }
        }
    }

    private func failure(_ code: Int32) -> ListenError {
        ListenError(.socketFile(path: path, mode: mode), errnoCode: code)
    }
}
