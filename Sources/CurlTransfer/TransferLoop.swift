internal import CCurl
internal import CLinux
internal import Glibc
internal import NIOCore
internal import Synchronization

/// A thread that runs transfers: epoll tells it which sockets are ready, libcurl's multi handle does the protocol, sinks get the
/// bytes. Everything that belongs to a stream happens on its loop, so that no byte needs a lock.
///
/// `@unchecked Sendable`: all mutable state is touched on the loop's own thread only (checked by `preconditionOnLoop`); other
/// threads reach it through `enqueue`, whose mailbox is `Sendable` by itself.
public final class TransferLoop: @unchecked Sendable {
    /// How often `Ticking` parties are called while there are any.
    public static let tickInterval: Duration = .milliseconds(25)

    private let mailbox = Mailbox()
    private let epoll: Int32
    private let multi: UnsafeMutableRawPointer
    private let thread = Mutex<pthread_t?>(nil)
    private var isStopped = false
    private var nextID: UInt64 = 0
    private var transfers: [TransferID: Transfer] = [:]
    private var reads: [TransferID: FileRead] = [:]
    private var idleHandles: [EasyHandle] = []
    private var tickers: [ObjectIdentifier: any Ticking] = [:]
    private var nextTick: ContinuousClock.Instant
    /// When libcurl wants to be called without a socket being ready; nil for never.
    private var curlDeadline: ContinuousClock.Instant?
    var touched: [Transfer] = []

    /// The time at which the loop last woke up.
    public private(set) var now: ContinuousClock.Instant
    /// The slabs of this loop's streams; for use on the loop's thread only.
    public var slabs: SlabPool

    /// Starts a loop on a new thread; it ends by `stop()`.
    /// - Parameter slabSize: bytes per slab.
    public init(name: String = "transfer", slabSize: Int = 512 << 10) {
        _ = CurlGlobal.ready
        guard let multi = curl_multi_init() else { preconditionFailure("libcurl has no memory for a multi handle") }
        self.multi = multi
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        precondition(epoll >= 0, "no epoll descriptor for a transfer loop: errno \(errno)")
        now = .now
        nextTick = .now
        slabs = SlabPool(slabSize: slabSize, keep: 256)
        baton_epoll_set(epoll, EPOLL_CTL_ADD, mailbox.descriptor, EPOLLIN.rawValue)
        setMultiOptions()
        startThread(name) { self.run() }
    }

    deinit {
        idleHandles = []
        curl_multi_cleanup(multi)
        close(epoll)
    }

    /// Runs a job on the loop's thread, after those enqueued before.
    public func enqueue(_ job: @escaping @Sendable () -> Void) { mailbox.put(job) }

    /// Ends the thread after the jobs enqueued before; running transfers end without a further call to their sinks.
    public func stop() {
        enqueue {
            self.isStopped = true
            for transfer in Array(self.transfers.values) { self.remove(transfer) }
            self.reads = [:]
            self.tickers = [:]
        }
    }

    /// How many transfers run; on the loop's thread only.
    public var transferCount: Int {
        preconditionOnLoop()
        return transfers.count + reads.count
    }

    // MARK: Transfers (on the loop's thread only)

    /// Starts a transfer. If it cannot even start, the sink hears of it as of any failure, after this call returned.
    public func start(_ request: TransferRequest, sink: any TransferSink) -> TransferID {
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
                let handle = if let idle = idleHandles.popLast() { idle } else { try EasyHandle() }
                let transfer = Transfer(id: id, handle: handle, loop: self, sink: sink)
                try handle.prepare(request, url: url)
                try transfer.attachCallbacks()
                transfers[id] = transfer
                curl_multi_add_handle(multi, handle.pointer)
                transfer.touch()  // so that the sink hears of the start after this call has returned
            } catch {
                enqueue { sink.transfer(id, endedWith: error) }
            }
        }
        return id
    }

    /// Ends a transfer at once; its sink is not called again. Unknown transfers are let be.
    public func cancel(_ id: TransferID) {
        preconditionOnLoop()
        reads.removeValue(forKey: id)?.cancel()
        if let transfer = transfers[id] { remove(transfer) }
    }

    /// Stops reading from the server: what libcurl has received already still comes, nothing after it. May be called from within
    /// a sink's `bytes`. Reads of files are bounded and don't pause.
    public func pause(_ id: TransferID) {
        preconditionOnLoop()
        transfers[id]?.pause()
    }

    /// Reads on.
    public func resume(_ id: TransferID) {
        preconditionOnLoop()
        transfers[id]?.resume()
    }

    /// Calls `ticking` every `tickInterval` until it is removed.
    public func add(_ ticking: any Ticking) {
        preconditionOnLoop()
        if tickers.isEmpty { nextTick = now + Self.tickInterval }
        tickers[ObjectIdentifier(ticking)] = ticking
    }

    /// Stops calling `ticking`.
    public func remove(_ ticking: any Ticking) {
        preconditionOnLoop()
        tickers[ObjectIdentifier(ticking)] = nil
        if tickers.isEmpty { slabs.trim() }
    }

    /// Takes what a worker read; see `FileRead`.
    func deliver(_ id: TransferID, to sink: any TransferSink, _ outcome: FileRead.Outcome) {
        guard reads.removeValue(forKey: id) != nil else { return }
        switch outcome {
        case .failure(let error):
            sink.transfer(id, endedWith: error)
        case .success(let content):
            guard sink.transfer(id, head: ResponseHead(file: content.facts)) else {
                return sink.transfer(id, endedWith: TransferError(.rejected, message: "the file is not what was expected"))
            }
            for slab in content.slabs { sink.transfer(id, slab: slab) }
            sink.transferSettled(id)
            sink.transfer(id, endedWith: nil)
        }
    }

    /// Says that a worker took a read up.
    func began(_ id: TransferID, _ sink: any TransferSink) {
        if reads[id] != nil { sink.transferBegan(id) }
    }

    private func remove(_ transfer: Transfer) {
        guard transfers.removeValue(forKey: transfer.id) != nil else { return }
        curl_multi_remove_handle(multi, transfer.handle.pointer)
        touched.removeAll { $0 === transfer }
        if idleHandles.count < 64 { idleHandles.append(transfer.handle) }
    }

    func preconditionOnLoop() {
        assert(thread.withLock { $0 } == pthread_self(), "only the loop's own thread may do this")
    }
}

// MARK: - The loop

extension TransferLoop {
    private func run() {
        thread.withLock { $0 = pthread_self() }
        let capacity = 64
        let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: capacity)
        defer { events.deallocate() }
        while !isStopped {
            let count = epoll_wait(epoll, events, Int32(capacity), waitMilliseconds())
            now = .now
            for index in 0..<max(0, Int(count)) {
                let descriptor = baton_epoll_descriptor(events + index)
                if descriptor == mailbox.descriptor {
                    mailbox.acknowledge()
                } else {
                    act(on: descriptor, selectMask(baton_epoll_events(events + index)))
                }
            }
            if let deadline = curlDeadline, deadline <= now {
                curlDeadline = nil
                act(on: CURL_SOCKET_TIMEOUT, 0)
            }
            settle()
            for job in mailbox.empty() { job() }
            settle()
            tick()
        }
    }

    private func waitMilliseconds() -> Int32 {
        var earliest = curlDeadline
        if !tickers.isEmpty { earliest = min(earliest ?? nextTick, nextTick) }
        guard let earliest else { return -1 }
        let left = earliest - .now
        guard left > .zero else { return 0 }
        return Int32(clamping: Int64((left / .milliseconds(1)).rounded(.up)))
    }

    private func act(on descriptor: Int32, _ mask: Int32) {
        var running: Int32 = 0
        curl_multi_socket_action(multi, descriptor, mask, &running)
    }

    /// Tells the sinks that a batch is over, pauses or lets go on, and reports what has ended, until nothing is left to tell: a
    /// sink may resume or start transfers, which may bring bytes at once.
    private func settle() {
        repeat {
            while !touched.isEmpty {
                let batch = touched
                touched.removeAll(keepingCapacity: true)
                for transfer in batch {
                    transfer.isTouched = false
                    guard transfers[transfer.id] === transfer else { continue }
                    if !transfer.hasBegun {
                        transfer.hasBegun = true
                        transfer.sink.transferBegan(transfer.id)
                    }
                    transfer.sink.transferSettled(transfer.id)
                    if transfers[transfer.id] === transfer { transfer.endBatch() }
                }
            }
            reportEnds()
        } while !touched.isEmpty
    }

    private func reportEnds() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE else { continue }
            var context: UnsafeMutableRawPointer?
            // The context was set by `attachCallbacks`, and the table below still holds the transfer.
            guard baton_curl_get_pointer(message.pointee.easy_handle, CURLINFO_PRIVATE, &context) == CURLE_OK,
                let context
            else { continue }
            let error = TransferError(baton_curl_message_result(message))
            let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            if transfer.isTouched {
                transfer.isTouched = false
                transfer.sink.transferSettled(transfer.id)
                guard transfers[transfer.id] === transfer else { continue }
            }
            remove(transfer)
            transfer.sink.transfer(transfer.id, endedWith: error)
        }
    }

    private func tick() {
        guard !tickers.isEmpty, nextTick <= now else { return }
        nextTick = now + Self.tickInterval
        for ticker in Array(tickers.values) { ticker.tick(now) }
        settle()
    }

    private func setMultiOptions() {
        let context = Unmanaged.passUnretained(self).toOpaque()  // the multi handle never outlives the loop, see deinit
        baton_curl_multi_set_socket_callback(
            multi,
            { _, socket, what, context, _ in
                guard let context else { return 0 }
                Unmanaged<TransferLoop>.fromOpaque(context)._withUnsafeGuaranteedRef { $0.watch(socket, what) }
                return 0
            }, context)
        baton_curl_multi_set_timer_callback(
            multi,
            { _, milliseconds, context in
                guard let context else { return 0 }
                Unmanaged<TransferLoop>.fromOpaque(context)._withUnsafeGuaranteedRef {
                    // Only remember it: calling libcurl from here would re-enter it.
                    $0.curlDeadline = milliseconds < 0 ? nil : .now + .milliseconds(milliseconds)
                }
                return 0
            }, context)
        baton_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, 64)
    }

    private func watch(_ socket: Int32, _ what: Int32) {
        let wanted: UInt32 =
            switch what {
            case CURL_POLL_IN: EPOLLIN.rawValue
            case CURL_POLL_OUT: EPOLLOUT.rawValue
            case CURL_POLL_INOUT: EPOLLIN.rawValue | EPOLLOUT.rawValue
            default: 0
            }
        guard wanted != 0 else {
            baton_epoll_set(epoll, EPOLL_CTL_DEL, socket, 0)  // fails if the socket is closed already, which is as good
            return
        }
        if baton_epoll_set(epoll, EPOLL_CTL_MOD, socket, wanted) != 0 {
            baton_epoll_set(epoll, EPOLL_CTL_ADD, socket, wanted)
        }
    }

    private func selectMask(_ events: UInt32) -> Int32 {
        var mask: Int32 = 0
        if events & EPOLLIN.rawValue != 0 { mask |= CURL_CSELECT_IN }
        if events & EPOLLOUT.rawValue != 0 { mask |= CURL_CSELECT_OUT }
        if events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 { mask |= CURL_CSELECT_ERR }
        return mask
    }
}
