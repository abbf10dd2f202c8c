import BackendKit
import FileBackend
import ImageModel
import Testing

@testable import CurlTransfer

/// How the driver reads a file's metadata.
@Suite struct FileDriverTests {
    private let driver = FileDriver(root: "/srv", workers: FileWorkers(name: "disk", limit: 1), maximumRange: 1000)

    private func facts(
        size: Int64 = 100, inode: UInt64 = 7, modified: (Int64, Int64) = (5, 0), changed: (Int64, Int64) = (6, 0)
    ) -> FileFacts {
        FileFacts(
            size: size, inode: inode, modified: .init(seconds: modified.0, nanoseconds: modified.1),
            changed: .init(seconds: changed.0, nanoseconds: changed.1))
    }

    private func head(_ facts: FileFacts, _ range: ClosedRange<Int64>? = nil) -> Result<ObjectHead, AttemptFailure> {
        driver.inspect(
            ResponseHead(file: facts),
            of: ReadRequest(path: "x", range: range.flatMap { ByteRange(first: $0.lowerBound, last: $0.upperBound) }))
    }

    private func validator(_ facts: FileFacts) throws -> Validator? { try head(facts).get().validator }

    @Test("Each change of a file's metadata changes its validator, to the nanosecond")
    func validators() throws {
        let same = facts()
        #expect(try validator(same) == validator(facts()))
        let others = [
            facts(inode: 8), facts(modified: (6, 0)), facts(modified: (5, 1)), facts(modified: (5, 999_999_999)),
            facts(changed: (7, 0)), facts(changed: (6, 1)), facts(modified: (5, 10)), facts(modified: (51, 0)),
            facts(modified: (6, 0), changed: (5, 0)),
        ]
        #expect(try Set((others + [same]).map { try validator($0) }).count == others.count + 1)
    }

    @Test("A range ends at the end of the file, and a read without a range is the whole file")
    func ranges() throws {
        #expect(try head(facts(), 10...19).get().count == 10)
        #expect(try head(facts(), 90...199).get().count == 10)
        #expect(try head(facts(), 90...199).get().total == 100)
        #expect(try head(facts(), 100...199).get().count == 0)
        #expect(try head(facts(), 500...599).get().count == 0)
        #expect(try head(facts()).get().count == 100)
        #expect(try head(facts(size: 0)).get().count == 0)
    }

    @Test("An answer that does not come from a file is rejected")
    func notAFile() {
        let answer = driver.inspect(ResponseHead(status: 200, fields: []), of: ReadRequest(path: "x", range: nil))
        #expect(throws: AttemptFailure.self) { try answer.get() }
    }

    @Test("The driver reads bounded ranges, gives no direct URL and writes nothing")
    func capabilities() {
        #expect(
            driver.capabilities
                == Capabilities(maximumRange: 1000))
        #expect(driver.directURL(for: "x", lifetime: .seconds(60)) == nil)
        #expect(driver.credentials == nil)
    }
}
