import CCurl
import CLinux
import Glibc
import Synchronization

// The loop's thread: waits for events, runs libcurl, calls the sinks.
extension TransferLoop {
    func run() {
        thread.store(pthread_self(), ordering: .relaxed)
        let capacity = 64
        let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: capacity)
        defer { events.deallocate() }
        while !isStopped {
            let count = epoll_wait(epoll, events, Int32(capacity), waitMilliseconds())
            time = .now
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

    /// Ends batches, pauses or resumes transfers, and reports those that ended, until nothing is left: a sink may resume or
    /// start transfers, which may deliver bytes at once.
    private func settle() {
        repeat {
            while !touched.isEmpty {
                let batch = touched
                touched.removeAll(keepingCapacity: true)
                for transfer in batch {
                    transfer.isTouched = false
                    guard transfers[transfer.id] === transfer else { continue }
                    if transfer.begin() { transfer.sink.transferBegan(transfer.id) }
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
            let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            if let next = transfer.next {
                follow(transfer, to: next)
                continue
            }
            let error = transfer.error(behind: baton_curl_message_result(message))
            if transfer.isTouched {
                transfer.isTouched = false
                transfer.sink.transferSettled(transfer.id)
                guard transfers[transfer.id] === transfer else { continue }
            }
            remove(transfer, isWhole: error == nil)
            transfer.sink.transfer(transfer.id, endedWith: error)
        }
    }

    private func tick() {
        guard !tickers.isEmpty, nextTick <= now else { return }
        nextTick = now + Self.tickInterval
        if nextTrim <= now {
            nextTrim = now + Self.trimInterval
            slabs.trimUnused()
        }
        slabMemory.store(slabs.heldBytes, ordering: .relaxed)
        for ticker in Array(tickers.values) { ticker.tick(now) }
        settle()
    }

    func setMultiOptions() {
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
                    // Only records the deadline: a call into libcurl from here would re-enter it.
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
            baton_epoll_set(epoll, EPOLL_CTL_DEL, socket, 0)  // fails harmlessly if the socket is already closed
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
