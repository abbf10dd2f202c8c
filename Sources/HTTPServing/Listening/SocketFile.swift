import Glibc
import Synchronization

/// The file that a server listens at: makes room for it, gives it its mode, and removes it in the end.
final class SocketFile: Sendable {
    /// Which file it is, whatever its name names later.
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

    /// To be called before the server listens. A file that a server left behind is removed; one that somebody listens at is not, nor one
    /// that is no socket. Until `opened`, files of this process are its own user's alone, so that nobody connects too early.
    func prepare() throws(ListenError) {
        try makeRoom()
        let mask = umask(0o177)
        state.withLock { $0.mask = mask }
    }

    /// To be called once the server listens.
    func opened() throws(ListenError) {
        state.withLock { state in
            if let mask = state.mask { umask(mask) }
            state.mask = nil
        }
        guard chmod(path, mode) == 0 else { throw failure(errno) }
        let identity = identity
        state.withLock { $0.identity = identity }
    }

    /// To be called once the server no longer listens. A file that the next server has made meanwhile stays.
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
        // A server whose queue is full is there all the same.
        case 0, EAGAIN, EINPROGRESS: throw failure(EADDRINUSE)
        case let code: throw failure(code)
        }
    }

    /// What connecting comes to; 0 if somebody listens.
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
