import CCurl
import Glibc
import Synchronization

/// The threads that read one backend's files. libcurl reads a file in one call and can't pause, so it runs here, one bounded
/// range at a time. A disk that hangs blocks only the workers of its own backend.
package final class FileWorkers: Sendable {
    private struct Queue {
        var jobs: [(read: FileRead, sink: any TransferSink)] = []
        var idle = 0
        var threads = 0
    }

    private let name: String
    private let limit: Int
    private let queue = Mutex(Queue())
    private let arrivals = Semaphore()

    /// Creates the workers of the backend `name`: at most `limit` threads, each started on demand.
    package init(name: String, limit: Int) {
        self.name = name
        self.limit = max(1, limit)
    }

    func submit(_ read: FileRead, sink: any TransferSink) {
        let needsThread = queue.withLock { queue in
            queue.jobs.append((read, sink))
            guard queue.idle < queue.jobs.count, queue.threads < limit else { return false }
            queue.threads += 1
            return true
        }
        if needsThread { startThread("file \(name)") { self.work() } }
        arrivals.signal()
    }

    /// Removes a read that no worker has started, for a reader that stopped waiting while the disk hangs.
    func withdraw(_ read: FileRead) {
        queue.withLock { queue in queue.jobs.removeAll { $0.read === read } }
    }

    private func work() {
        var handle: EasyHandle?
        while true {
            queue.withLock { $0.idle += 1 }
            arrivals.wait()
            let job = queue.withLock { queue in
                queue.idle -= 1
                return queue.jobs.isEmpty ? nil : queue.jobs.removeFirst()
            }
            guard let (read, sink) = job, !read.isCancelled else { continue }
            let loop = read.loop
            loop.enqueue { loop.began(read.id, sink) }
            let outcome = read.perform(with: &handle)
            if case .failure = outcome { handle = nil }  // as in a loop, a handle is reused only after a success
            loop.enqueue { loop.deliver(read.id, to: sink, outcome) }
        }
    }
}

/// A POSIX counting semaphore.
///
/// `@unchecked Sendable`: `sem_t` is designed to be shared; its memory is fixed from init to deinit.
private final class Semaphore: @unchecked Sendable {
    private let pointer = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(pointer, 0, 0) }

    deinit {
        sem_destroy(pointer)
        pointer.deallocate()
    }

    func signal() { sem_post(pointer) }

    func wait() { while sem_wait(pointer) != 0 {} }
}
