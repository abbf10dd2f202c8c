import Foundation

/// A condition that a test waited for did not become true in time.
package struct WaitTimeout: Error, CustomStringConvertible {
    package let description: String

    package init(_ awaited: String, within bound: Duration, at place: String) {
        description = "\(place): timed out after \(bound) waiting for \(awaited)"
    }

    /// Writes it to standard error, for waits that cannot fail a test themselves.
    package func report() { FileHandle.standardError.write(Data("\(description)\n".utf8)) }
}

/// The default bound of a wait: longer than any operation on a machine under load, and well within the time limit of a test, whose
/// failure does not say what was awaited.
package let longestWait: Duration = .seconds(120)

/// The place of a wait in the source.
package func place(_ file: String, _ line: Int) -> String { "\(file):\(line)" }

/// Polls a condition until it holds.
/// - Parameter awaited: a description of the condition for the error message.
/// - Throws: `WaitTimeout`; what the condition throws; `CancellationError`.
package func eventually(
    _ awaited: @autoclosure () -> String, within bound: Duration = longestWait, isolation: isolated (any Actor)? = #isolation,
    file: String = #fileID, line: Int = #line, _ condition: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + bound
    while try await !condition() {
        guard .now < end else { throw WaitTimeout(awaited(), within: bound, at: place(file, line)) }
        try await Task.sleep(for: .milliseconds(2))
    }
}

/// Polls a condition on a thread that may block.
package func eventuallyOnThread(
    _ awaited: @autoclosure () -> String, within bound: Duration = longestWait, file: String = #fileID, line: Int = #line,
    _ condition: () throws -> Bool
) throws {
    let end = ContinuousClock.now + bound
    while try !condition() {
        guard .now < end else { throw WaitTimeout(awaited(), within: bound, at: place(file, line)) }
        usleep(2_000)
    }
}

/// Waits for a callback.
/// - Parameter start: starts the operation, which calls the argument once, from any thread.
/// - Throws: `WaitTimeout`; `CancellationError`.
package func answer<Value: Sendable>(
    _ awaited: String, within bound: Duration = longestWait, file: String = #fileID, line: Int = #line,
    _ start: (@escaping @Sendable (Value) -> Void) -> Void
) async throws -> Value {
    let (answers, answerer) = AsyncStream.makeStream(of: Value.self)
    start { value in
        answerer.yield(value)
        answerer.finish()
    }
    return try await first(of: answers, awaited, within: bound, file: file, line: line)
}

/// Waits for the first value of a stream.
/// - Throws: `WaitTimeout`; `CancellationError`, also when the stream ends without a value.
package func first<Value: Sendable>(
    of values: AsyncStream<Value>, _ awaited: String, within bound: Duration = longestWait, file: String = #fileID,
    line: Int = #line
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask {
            for await value in values { return value }
            return nil
        }
        group.addTask {
            try await Task.sleep(for: bound)
            throw WaitTimeout(awaited, within: bound, at: place(file, line))
        }
        defer { group.cancelAll() }
        guard let value = try await group.next() ?? nil else { throw CancellationError() }
        return value
    }
}

/// Waits for the end of a stream, and writes to standard error if it does not end in time. A stream also ends when its task is
/// cancelled.
package func ending(
    of stream: AsyncStream<Void>, _ awaited: String, within bound: Duration = longestWait, file: String = #fileID,
    line: Int = #line
) async {
    await withTaskGroup(of: Void.self) { group in
        group.addTask { for await _ in stream {} }
        group.addTask {
            guard (try? await Task.sleep(for: bound)) != nil else { return }
            WaitTimeout(awaited, within: bound, at: place(file, line)).report()
        }
        await group.next()
        group.cancelAll()
    }
}
