import CurlTransfer
import Synchronization

/// Tells the service manager that the server is alive, as long as every thread that moves bytes still answers.
struct Watchdog: Sendable {
    private final class Answers: Sendable {
        let count = Atomic(0)
    }

    let notifier: ServiceNotifier
    let loops: [TransferLoop]

    /// Works until the task is cancelled; returns at once if nobody wants to hear of it.
    func run() async {
        guard let period = notifier.watchdog else { return }
        var answers: Answers?
        while !Task.isCancelled {
            if answers.map({ $0.count.load(ordering: .relaxed) == loops.count }) ?? true {
                notifier.alive()
                answers = ask()
            }
            try? await Task.sleep(for: period / 3)
        }
    }

    private func ask() -> Answers {
        let answers = Answers()
        for loop in loops { loop.enqueue { answers.count.add(1, ordering: .relaxed) } }
        return answers
    }
}
