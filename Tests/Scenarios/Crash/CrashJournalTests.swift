import ImageModel
import Integrity
import Testing

/// The judgement of the crash scenarios, over made-up journals.
@Suite struct CrashJournalTests {
    private typealias Line = CatalogAccount.Line

    private static let content = LocationBook.Content(image: "i", size: 10, digests: ["sha256": "aa", "md5": "bb"]) { _ in
        chunks
    }

    /// The digests of three chunks.
    private static let chunks =
        [UInt8](repeating: 1, count: 32) + [UInt8](repeating: 2, count: 32) + [UInt8](repeating: 3, count: 32)

    /// A location that was registered, probed, disabled, and edited.
    private static let account = CatalogAccount(
        images: ["i"],
        contents: [.init(image: "i", size: 10, identity: "sha256:aa", isInDoubt: false, isDistrusted: false)],
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

    private static var withImage: CrashJournal {
        var journal = CrashJournal()
        journal.asksToCreate("i")
        journal.created("i")
        return journal
    }

    /// - Parameter isEditAnswered: whether the edit, which was done in any case, was answered.
    private static func journal(isEditAnswered: Bool = true) -> CrashJournal {
        var journal = withImage
        journal.asksToRegister(LocationBook(url: "u", content: content, words: .init(weight: 0, metadata: [:])))
        journal.registered("u", as: "1", told: "active")
        journal.asks(disable, of: "u")
        journal.answered("u", told: "disabled")
        journal.saw(Array(account.entries[0].history.prefix(3)), of: "u")
        journal.saw(account.manifests)
        journal.asks(edit, of: "u")
        if isEditAnswered { journal.answered("u", told: "disabled") }
        return journal
    }

    private func kinds(_ journal: CrashJournal, _ account: CatalogAccount) -> Set<Contradiction.Kind> {
        Set(journal.contradictions(with: account).map(\.kind))
    }

    @Test func aCatalogThatHasAllThatItToldOfContradictsNothing() {
        #expect(Self.journal().contradictions(with: Self.account) == [])
        #expect(Self.journal().acknowledged == 4)
    }

    @Test func whatWasNotAnsweredMayBeThereOrNotButWholly() {
        let journal = Self.journal(isEditAnswered: false)
        #expect(journal.contradictions(with: Self.account) == [])
        var absent = Self.account
        absent.entries[0].history.removeLast()
        (absent.entries[0].weight, absent.entries[0].metadata) = (0, [:])
        #expect(journal.contradictions(with: absent) == [])
        var withoutLine = Self.account
        withoutLine.entries[0].history.removeLast()
        #expect(!journal.contradictions(with: withoutLine).isEmpty)
        var withoutWords = Self.account
        withoutWords.entries[0].weight = 0
        #expect(!journal.contradictions(with: withoutWords).isEmpty)
    }

    @Test func aManifestThatWasNeverSeenMayBeMissing() {
        var journal = Self.withImage
        journal.asksToRegister(LocationBook(url: "u", content: Self.content, words: .init(weight: 0, metadata: [:])))
        var account = Self.account
        account.manifests = []
        (account.entries[0].weight, account.entries[0].metadata) = (0, [:])
        (account.entries[0].status, account.entries[0].before) = ("active", [])
        account.entries[0].history.removeLast(2)
        #expect(journal.contradictions(with: account) == [])
        journal.saw(Self.account.manifests)
        #expect(kinds(journal, account) == [.lost])
    }

    @Test func onceItWasSeenToBeThereOrNotThatStands() {
        var absent = Self.account
        absent.entries[0].history.removeLast()
        (absent.entries[0].weight, absent.entries[0].metadata) = (0, [:])
        var done = Self.journal(isEditAnswered: false)
        done.settle(by: Self.account)
        #expect(done.contradictions(with: Self.account) == [] && done.openDone == 1)
        #expect(kinds(done, absent) == [.lost])
        var undone = Self.journal(isEditAnswered: false)
        undone.settle(by: absent)
        #expect(undone.contradictions(with: absent) == [] && undone.openUndone == 1)
        #expect(kinds(undone, Self.account).contains(.wrong))
    }

    @Test func aRegistrationThatWasNotAnsweredMayBeThereOrNot() {
        var journal = Self.journal()
        journal.asksToRegister(LocationBook(url: "w", content: Self.content, words: .init(weight: 0, metadata: [:])))
        #expect(journal.contradictions(with: Self.account) == [])
        var there = Self.account
        there.entries.append(Self.account.entries[0])
        there.entries[1].url = "w"
        there.entries[1].id = "2"
        there.entries[1].history = Array(there.entries[1].history.prefix(1))
        (there.entries[1].status, there.entries[1].before) = ("pending", [])
        (there.entries[1].weight, there.entries[1].metadata) = (0, [:])
        #expect(journal.contradictions(with: there) == [])
        there.entries[1].history = []
        #expect(kinds(journal, there) == [.wrong])
    }

    @Test func anImageWhoseCreationWasNotAnsweredMayBeThereOrNotAndThatStands() {
        var journal = Self.journal()
        journal.asksToCreate("j")
        var there = Self.account
        there.images.insert("j")
        #expect(journal.contradictions(with: Self.account) == [] && journal.contradictions(with: there) == [])
        var done = journal
        done.settle(by: there)
        #expect(done.contradictions(with: there) == [] && kinds(done, Self.account) == [.lost] && done.openDone == 1)
        journal.settle(by: Self.account)
        #expect(journal.contradictions(with: Self.account) == [] && kinds(journal, there) == [.wrong])
    }

    @Test func anImageThatNoLocationDeclaresHasItsRepresentationOnceARead() {
        var journal = Self.withImage
        journal.asksToRegister(
            LocationBook(url: "u", content: Self.content, isDeclared: false, words: .init(weight: 7, metadata: ["k": "v"])))
        journal.registered("u", as: "1", told: "pending")
        var unread = Self.account
        (unread.contents, unread.manifests) = ([], [])
        unread.entries[0].history.removeLast(3)
        (unread.entries[0].status, unread.entries[0].before) = ("pending", [])
        #expect(journal.contradictions(with: unread) == [])
        var read = unread
        read.entries[0].history.append(Self.account.entries[0].history[1])
        read.entries[0].status = "active"
        #expect(kinds(journal, read) == [.lost])
        read.contents = Self.account.contents
        #expect(journal.contradictions(with: read) == [])
        journal.settle(by: read)
        unread.entries = read.entries
        unread.entries[0].history[1].to = "pending"
        #expect(kinds(journal, unread).contains(.lost))
    }

    @Test(arguments: CatalogDamage.all)
    func whatIsLostOrWrongIsFound(_ damage: CatalogDamage) {
        var account = Self.account
        damage.apply(&account)
        #expect(kinds(Self.journal(), account).contains(damage.kind))
    }

    @Test func whatWasToldOfAndWhatCameOfItAreHeldAgainstEachOther() {
        var journal = Self.withImage
        journal.asksToRegister(LocationBook(url: "u", content: Self.content, words: .init(weight: 0, metadata: [:])))
        journal.registered("u", as: "1", told: "active")
        journal.asks(Self.disable, of: "u")
        journal.answered("u", told: "quarantined")
        journal.asks(Self.edit, of: "u")
        journal.answered("u", told: nil)
        #expect(kinds(journal, Self.account) == [.wrong])
    }

    @Test func whatWasRefusedMustNotBeThere() {
        var journal = Self.journal(isEditAnswered: false)
        journal.refused("u")
        #expect(kinds(journal, Self.account).contains(.wrong))
    }

    @Test func aReadThatWasCutOffEndsWithTheStart() {
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
