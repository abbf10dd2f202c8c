import CLinux
import Glibc
import Synchronization

/// Jobs that other threads enqueue for a loop, and the descriptor that wakes it.
final class Mailbox: Sendable {
    typealias Job = @Sendable () -> Void

    /// An eventfd, readable while there may be jobs.
    let descriptor: Int32
    private let jobs = Mutex<[Job]>([])

    init() {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        precondition(descriptor >= 0, "no eventfd for a transfer loop: errno \(errno)")
    }

    deinit { close(descriptor) }

    /// Enqueues a job. Wakes the loop only if the mailbox was empty; otherwise the loop is awake or already woken.
    func put(_ job: @escaping Job) {
        let wasEmpty = jobs.withLock { jobs in
            jobs.append(job)
            return jobs.count == 1
        }
        guard wasEmpty else { return }
        var one: UInt64 = 1
        _ = write(descriptor, &one, MemoryLayout<UInt64>.size)
    }

    /// Resets the eventfd. Called before `empty`, so that a job enqueued in between wakes the loop again.
    func acknowledge() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, MemoryLayout<UInt64>.size)
    }

    /// Removes and returns all jobs.
    func empty() -> [Job] {
        jobs.withLock { jobs in
            guard !jobs.isEmpty else { return [] }
            defer { jobs = [] }
            return jobs
        }
    }
}

/// Runs `body` on a new, detached thread of its own.
func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
    final class Start {
        let name: String
        let body: @Sendable () -> Void
        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
    var thread = pthread_t()
    let start = Unmanaged.passRetained(Start(name: name, body: body))
    let result = pthread_create(
        &thread, nil,
        { context in
            guard let context else { return nil }
            let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
            baton_name_thread(start.name)
            start.body()
            return nil
        }, start.toOpaque())
    precondition(result == 0, "no thread for \(name): error \(result)")
    pthread_detach(thread)
}
