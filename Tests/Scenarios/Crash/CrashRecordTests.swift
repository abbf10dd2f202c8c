import ImageModel
import Integrity
import Testing

/// The checks of the crash scenarios, on synthetic records.
@Suite struct CrashRecordTests {
    private typealias Line = CatalogAccount.Line

    private static let content = LocationBook.Content(image: "i", size: 10, digests: ["sha256": "aa", "md5": "bb"]) { _ in
        chunks
    }

    /// The digests of three chunks.
    private static let chunks =
        [UInt8](repeating: 1, count: 32) + [UInt8](repeating: 2, count: 32) + [UInt8](repeating: 3, count: 32)

    /// A location that was registered, probed, disabled and edited.
    private static let account = CatalogAccount(
        images: ["i"],
        contents: [.init(image: "i", size: 10, identity: "sha256:aa", isOnIntegrityHold: false, hasDigestConflict: false)],
        manifests: [
            .init(
                image: "i", identity: "sha256:aa", size: 10, chunkSize: 4, algorithm: "sha256",
                pages: [.init(number: 0, digests: chunks, seal: ManifestPage(sealing: chunks, number: 0).seal)])
        ],
        entries: [
            .init(
                id: "1", image: "i", url: "u", status: "disabled", before: ["active"], weight: 7, metadata: ["k": "v"],
                size: 10,
                digests: ["sha256": "aa"], progress: 8,
                chunks: .init(chunkSize: 4, algorithm: "sha256", pages: [.init(number: 0, digests: Array(chunks.prefix(64)))]),
                history: [
                    Line(event: "registered", from: "pending", to: "pending", actor: "admin", reason: "registered"),
                    Line(event: "probed", from: "pending", to: "active", actor: "baton", reason: "a probe"),
                    Line(event: "disable", from: "active", to: "disabled", actor: "admin", reason: "m1"),
                    Line(event: "edited", from: "disabled", to: "disabled", actor: "admin", reason: "m2"),
                ])
        ])

    private static let disable = LocationBook.Change(mark: "m1", event: "disable")
    private static let edit = LocationBook.Change(mark: "m2", event: "edited", words: .init(weight: 7, metadata: ["k": "v"]))

    private static var withImage: CrashRecord {
        var recorder = CrashRecord()
        recorder.asksToCreate("i")
        recorder.created("i")
        return recorder
    }

    /// - Parameter isEditAnswered: whether the edit, which was done in either case, was answered.
    private static func recorder(isEditAnswered: Bool = true) -> CrashRecord {
        var recorder = withImage
        recorder.asksToRegister(LocationBook(url: "u", content: content, words: .init(weight: 0, metadata: [:])))
        recorder.registered("u", as: "1", told: "active")
        recorder.asks(disable, of: "u")
        recorder.answered("u", told: "disabled")
        recorder.saw(Array(account.entries[0].history.prefix(3)), of: "u")
        recorder.saw(account.manifests)
        recorder.asks(edit, of: "u")
        if isEditAnswered { recorder.answered("u", told: "disabled") }
        return recorder
    }

    private func kinds(_ recorder: CrashRecord, _ account: CatalogAccount) -> Set<Contradiction.Kind> {
        Set(recorder.contradictions(with: account).map(\.kind))
    }

    @Test("A catalog with every answered change has no contradiction")
    func aCatalogWithEveryAnsweredChangeHasNoContradiction() {
        #expect(Self.recorder().contradictions(with: Self.account) == [])
        #expect(Self.recorder().acknowledged == 4)
    }

    @Test("An unanswered change may be done or not, but not in part")
    func anUnansweredChangeIsDoneCompletelyOrNot() {
        let recorder = Self.recorder(isEditAnswered: false)
        #expect(recorder.contradictions(with: Self.account) == [])
        var absent = Self.account
        absent.entries[0].history.removeLast()
        (absent.entries[0].weight, absent.entries[0].metadata) = (0, [:])
        #expect(recorder.contradictions(with: absent) == [])
        var withoutLine = Self.account
        withoutLine.entries[0].history.removeLast()
        #expect(!recorder.contradictions(with: withoutLine).isEmpty)
        var withoutWords = Self.account
        withoutWords.entries[0].weight = 0
        #expect(!recorder.contradictions(with: withoutWords).isEmpty)
    }

    @Test("A manifest that was never seen may be missing")
    func aManifestThatWasNeverSeenMayBeMissing() {
        var recorder = Self.withImage
        recorder.asksToRegister(LocationBook(url: "u", content: Self.content, words: .init(weight: 0, metadata: [:])))
        var account = Self.account
        account.manifests = []
        (account.entries[0].weight, account.entries[0].metadata) = (0, [:])
        (account.entries[0].status, account.entries[0].before) = ("active", [])
        account.entries[0].history.removeLast(2)
        #expect(recorder.contradictions(with: account) == [])
        recorder.saw(Self.account.manifests)
        #expect(kinds(recorder, account) == [.lost])
    }

    @Test("An unanswered change stays as it was found after the crash")
    func anUnansweredChangeStaysAsItWasFound() {
        var absent = Self.account
        absent.entries[0].history.removeLast()
        (absent.entries[0].weight, absent.entries[0].metadata) = (0, [:])
        var done = Self.recorder(isEditAnswered: false)
        done.settle(by: Self.account)
        #expect(done.contradictions(with: Self.account) == [] && done.openDone == 1)
        #expect(kinds(done, absent) == [.lost])
        var undone = Self.recorder(isEditAnswered: false)
        undone.settle(by: absent)
        #expect(undone.contradictions(with: absent) == [] && undone.openUndone == 1)
        #expect(kinds(undone, Self.account).contains(.wrong))
    }

    @Test("An unanswered registration may exist or not")
    func anUnansweredRegistrationMayExistOrNot() {
        var recorder = Self.recorder()
        recorder.asksToRegister(LocationBook(url: "w", content: Self.content, words: .init(weight: 0, metadata: [:])))
        #expect(recorder.contradictions(with: Self.account) == [])
        var there = Self.account
        there.entries.append(Self.account.entries[0])
        there.entries[1].url = "w"
        there.entries[1].id = "2"
        there.entries[1].history = Array(there.entries[1].history.prefix(1))
        (there.entries[1].status, there.entries[1].before) = ("pending", [])
        (there.entries[1].weight, there.entries[1].metadata) = (0, [:])
        #expect(recorder.contradictions(with: there) == [])
        there.entries[1].history = []
        #expect(kinds(recorder, there) == [.wrong])
    }

    @Test("An image with an unanswered creation may exist or not, and stays as it was found")
    func anUnansweredCreationStaysAsItWasFound() {
        var recorder = Self.recorder()
        recorder.asksToCreate("j")
        var there = Self.account
        there.images.insert("j")
        #expect(recorder.contradictions(with: Self.account) == [] && recorder.contradictions(with: there) == [])
        var done = recorder
        done.settle(by: there)
        #expect(done.contradictions(with: there) == [] && kinds(done, Self.account) == [.lost] && done.openDone == 1)
        recorder.settle(by: Self.account)
        #expect(recorder.contradictions(with: Self.account) == [] && kinds(recorder, there) == [.wrong])
    }

    @Test("An image without declared content has its representation after a full read")
    func anUndeclaredImageHasItsRepresentationAfterARead() {
        var recorder = Self.withImage
        recorder.asksToRegister(
            LocationBook(url: "u", content: Self.content, isDeclared: false, words: .init(weight: 7, metadata: ["k": "v"])))
        recorder.registered("u", as: "1", told: "pending")
        var unread = Self.account
        (unread.contents, unread.manifests) = ([], [])
        unread.entries[0].history.removeLast(3)
        (unread.entries[0].status, unread.entries[0].before) = ("pending", [])
        #expect(recorder.contradictions(with: unread) == [])
        var read = unread
        read.entries[0].history.append(Self.account.entries[0].history[1])
        read.entries[0].status = "active"
        #expect(kinds(recorder, read) == [.lost])
        read.contents = Self.account.contents
        #expect(recorder.contradictions(with: read) == [])
        recorder.settle(by: read)
        unread.entries = read.entries
        unread.entries[0].history[1].to = "pending"
        #expect(kinds(recorder, unread).contains(.lost))
    }

    @Test("Every kind of damage is found", arguments: CatalogDamage.all)
    func everyKindOfDamageIsFound(_ damage: CatalogDamage) {
        var account = Self.account
        damage.apply(&account)
        #expect(kinds(Self.recorder(), account).contains(damage.kind))
    }

    @Test("The answered status is compared with the history")
    func theAnsweredStatusIsComparedWithTheHistory() {
        var recorder = Self.withImage
        recorder.asksToRegister(LocationBook(url: "u", content: Self.content, words: .init(weight: 0, metadata: [:])))
        recorder.registered("u", as: "1", told: "active")
        recorder.asks(Self.disable, of: "u")
        recorder.answered("u", told: "quarantined")
        recorder.asks(Self.edit, of: "u")
        recorder.answered("u", told: nil)
        #expect(kinds(recorder, Self.account) == [.wrong])
    }

    @Test("A refused change must not be in the catalog")
    func aRefusedChangeMustNotBeInTheCatalog() {
        var recorder = Self.recorder(isEditAnswered: false)
        recorder.refused("u")
        #expect(kinds(recorder, Self.account).contains(.wrong))
    }

    @Test("An interrupted read ends at the next start")
    func anInterruptedReadEndsAtTheNextStart() {
        var left = Self.account
        left.entries[0].history = Array(left.entries[0].history.prefix(1))
        left.entries[0].history.append(
            Line(event: "verify", from: "pending", to: "verifying", actor: "baton", reason: "it is read in full"))
        (left.entries[0].status, left.entries[0].before) = ("verifying", ["pending"])
        #expect(!left.flawsOfRecovery(from: left).isEmpty)
        var started = left
        started.entries[0].history.append(
            Line(event: "unreachable", from: "verifying", to: "pending", actor: "baton", reason: "started again"))
        (started.entries[0].status, started.entries[0].before) = ("pending", [])
        #expect(started.flawsOfRecovery(from: left).isEmpty && started.entries[0].flawsOfHistory().isEmpty)
        started.entries[0].history[2].to = "active"
        #expect(!started.flawsOfRecovery(from: left).isEmpty && !started.entries[0].flawsOfHistory().isEmpty)
    }
}
