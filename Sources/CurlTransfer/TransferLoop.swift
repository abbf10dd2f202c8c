import CCurl
import CLinux
import Glibc
import NIOCore
import Synchronization

/// A thread that runs transfers: epoll reports ready sockets, libcurl's multi handle speaks the protocol, sinks receive the
/// bytes. All work of a stream happens on its loop, so that no byte needs a lock.
///
/// `@unchecked Sendable`: all mutable state is touched on the loop's own thread only (checked by `preconditionOnLoop`); other
/// threads reach it through `enqueue`, whose mailbox is `Sendable` by itself.
package final class TransferLoop: @unchecked Sendable {
    /// The interval of calls to `Ticking` objects while there are any.
    package static let tickInterval: Duration = .milliseconds(25)

    /// How long an unused slab is kept.
    static let trimInterval: Duration = .seconds(5)

    let mailbox = Mailbox()
    let epoll: Int32
    let multi: UnsafeMutableRawPointer
    /// The thread; 0 until it runs.
    let thread = Atomic<pthread_t>(0)
    var isStopped = false
    private var nextID: UInt64 = 0
    var transfers: [TransferID: Transfer] = [:]
    private var reads: [TransferID: FileRead] = [:]
    private var idleHandles: [EasyHandle] = []
    var tickers: [ObjectIdentifier: any Ticking] = [:]
    var nextTick: ContinuousClock.Instant
    /// The time of the next trim of unused slabs.
    var nextTrim: ContinuousClock.Instant
    /// The time at which libcurl wants to be called without a ready socket; nil for never.
    var curlDeadline: ContinuousClock.Instant?
    var touched: [Transfer] = []

    /// The time at which the loop last woke up.
    package var now: ContinuousClock.Instant {
        preconditionOnLoop()
        return time
    }

    var time: ContinuousClock.Instant
    /// The slabs of this loop's streams; for use on the loop's thread only.
    package var slabs: SlabPool
    let slabMemory = Atomic(0)

    /// The memory of this loop's slabs in bytes, as of its last tick. May be read on any thread.
    package var slabBytes: Int { slabMemory.load(ordering: .relaxed) }

    /// Starts a loop on a new thread, which runs until `stop()`.
    /// - Parameters:
    ///   - slabSize: the size of a slab in bytes.
    ///   - isBackground: whether the thread yields the processor to others.
    package init(name: String = "transfer", slabSize: Int = 512 << 10, isBackground: Bool = false) {
        _ = CurlGlobal.ready
        guard let multi = curl_multi_init() else { preconditionFailure("libcurl has no memory for a multi handle") }
        self.multi = multi
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        precondition(epoll >= 0, "no epoll descriptor for a transfer loop: errno \(errno)")
        time = .now
        nextTick = .now
        nextTrim = .now
        slabs = SlabPool(slabSize: slabSize, keep: 256)
        baton_epoll_set(epoll, EPOLL_CTL_ADD, mailbox.descriptor, EPOLLIN.rawValue)
        setMultiOptions()
        startThread(name) {
            if isBackground { baton_step_back() }
            self.run()
        }
    }

    deinit {
        idleHandles = []
        curl_multi_cleanup(multi)
        close(epoll)
    }

    /// Runs a job on the loop's thread, after the jobs enqueued before.
    package func enqueue(_ job: @escaping @Sendable () -> Void) { mailbox.put(job) }

    /// Ends the thread after the jobs enqueued before. Running transfers end without another call to their sinks.
    package func stop() {
        enqueue {
            self.isStopped = true
            for transfer in Array(self.transfers.values) { self.remove(transfer) }
            self.reads = [:]
            self.tickers = [:]
        }
    }

    // MARK: Transfers (on the loop's thread only)

    /// Starts a transfer. A failure to start is reported to the sink like any other, after this call has returned.
    package func start(_ request: TransferRequest, sink: any TransferSink) -> TransferID {
        preconditionOnLoop()
        nextID += 1
        let id = TransferID(number: nextID)
        switch request.source {
        case .file(let source):
            let count = request.range.map { Int(clamping: $0.upperBound - $0.lowerBound + 1) } ?? 0
            let slabCount = (count + slabs.slabSize - 1) / slabs.slabSize
            let read = FileRead(
                id: id, request: request, source: source, loop: self, slabs: (0..<slabCount).map { _ in slabs.take() })
            reads[id] = read
            source.workers.submit(read, sink: sink)
        case .url(let url):
            do throws(TransferError) {
                let transfer = Transfer(id: id, handle: try idleHandle(), request: request, loop: self, sink: sink)
                try begin(transfer, url)
                transfers[id] = transfer
                transfer.touch()  // reports the start to the sink after this call has returned
            } catch {
                enqueue { sink.transfer(id, endedWith: error) }
            }
        }
        return id
    }

    private func idleHandle() throws(TransferError) -> EasyHandle {
        if let idle = idleHandles.popLast() { idle } else { try EasyHandle() }
    }

    private func begin(_ transfer: Transfer, _ url: String) throws(TransferError) {
        try transfer.handle.prepare(transfer.request, url: url)
        try transfer.attachCallbacks()
        curl_multi_add_handle(multi, transfer.handle.pointer)
    }

    /// Follows a redirect. For the sink it is the same transfer.
    func follow(_ transfer: Transfer, to request: TransferRequest) {
        curl_multi_remove_handle(multi, transfer.handle.pointer)
        do throws(TransferError) {
            guard case .url(let url) = request.source else {
                throw TransferError(.protocolViolation, message: "a redirect does not lead to a valid URL")
            }
            transfer.go(to: request, with: try idleHandle())
            try begin(transfer, url)
        } catch {
            forget(transfer)
            transfer.sink.transfer(transfer.id, endedWith: error)
        }
    }

    /// Ends a transfer at once; its sink is not called again. Unknown transfers are ignored.
    package func cancel(_ id: TransferID) {
        preconditionOnLoop()
        if let read = reads.removeValue(forKey: id) {
            read.cancel()
            read.source.workers.withdraw(read)
        }
        if let transfer = transfers[id] { remove(transfer) }
    }

    /// Pauses a transfer. Bytes that libcurl has already received are still delivered. May be called from within a sink's
    /// `bytes`. Reads of files are bounded and do not pause.
    package func pause(_ id: TransferID) {
        preconditionOnLoop()
        transfers[id]?.pause()
    }

    /// Resumes a transfer.
    package func resume(_ id: TransferID) {
        preconditionOnLoop()
        transfers[id]?.resume()
    }

    /// Calls `ticking` every `tickInterval` until it is removed.
    package func add(_ ticking: any Ticking) {
        preconditionOnLoop()
        if tickers.isEmpty { nextTick = now + Self.tickInterval }
        tickers[ObjectIdentifier(ticking)] = ticking
    }

    package func remove(_ ticking: any Ticking) {
        preconditionOnLoop()
        tickers[ObjectIdentifier(ticking)] = nil
        guard tickers.isEmpty else { return }
        slabs.trim()
        slabMemory.store(0, ordering: .relaxed)
    }

    /// Delivers a worker's result; see `FileRead`.
    func deliver(_ id: TransferID, to sink: any TransferSink, _ outcome: FileRead.Outcome) {
        guard reads.removeValue(forKey: id) != nil else { return }
        switch outcome {
        case .failure(let error):
            sink.transfer(id, endedWith: error)
        case .success(let content):
            guard sink.transfer(id, head: ResponseHead(file: content.facts)) else {
                return sink.transfer(id, endedWith: TransferError(.rejected, message: "the file is not the expected one"))
            }
            for slab in content.slabs { sink.transfer(id, slab: slab) }
            sink.transferSettled(id)
            sink.transfer(id, endedWith: nil)
        }
    }

    /// Reports that a worker started a read.
    func began(_ id: TransferID, _ sink: any TransferSink) {
        if reads[id] != nil { sink.transferBegan(id) }
    }

    /// Removes a transfer from the loop.
    /// - Parameter isWhole: whether the transfer succeeded. Only then is its handle reused: a handle that ended in a name
    ///   look-up keeps its receive buffer, and libcurl 7.88 then refuses to change the buffer's options.
    func remove(_ transfer: Transfer, isWhole: Bool = false) {
        guard transfers[transfer.id] != nil else { return }
        forget(transfer)
        curl_multi_remove_handle(multi, transfer.handle.pointer)
        if isWhole, idleHandles.count < 64 { idleHandles.append(transfer.handle) }
    }

    private func forget(_ transfer: Transfer) {
        transfers[transfer.id] = nil
        touched.removeAll { $0 === transfer }
    }

    /// Stops the program if the caller is not on the loop's thread, in release builds too: the loop and the objects that live
    /// on it are `Sendable` only because every access comes from that thread.
    package func preconditionOnLoop() {
        precondition(thread.load(ordering: .relaxed) == pthread_self(), "only the loop's own thread may do this")
    }
}
