import CurlTransfer
import Synchronization

/// Sends signs of life to the service manager while every transfer loop responds.
struct Watchdog: Sendable {
    private final class Answers: Sendable {
        let count = Atomic(0)
    }

    let notifier: ServiceNotifier
    let loops: [TransferLoop]

    /// Runs until the task is cancelled; returns at once if no signs of life are expected.
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
