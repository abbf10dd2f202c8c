import BackendKit
import CurlTransfer
import Testing

@testable import S3Backend

@Suite struct S3ErrorDocumentTests {
    private func document(_ text: String) -> S3ErrorDocument? { S3ErrorDocument(Array(text.utf8)) }

    @Test("The first of several codes counts")
    func ofSeveralCodes() {
        let found = document(
            "<Error><Code>NoSuchKey</Code><Code>SlowDown</Code><Message>a</Message><Message>b</Message></Error>")
        #expect(found?.summary == "NoSuchKey: a")
    }

    @Test("The code and the message are read")
    func theCodeAndTheMessageAreRead() {
        let found = document(
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <Error><Code>NoSuchKey</Code><Message>The &quot;key&quot; is &#110;ot here &amp; never was.</Message><Key>a</Key></Error>
            """)
        #expect(found?.code == "NoSuchKey")
        #expect(found?.message == "The \"key\" is not here & never was.")
        #expect(found?.summary == "NoSuchKey: The \"key\" is not here & never was.")
    }

    @Test("The request that some servers echo is not read")
    func theRequestThatSomeServersEchoIsNotRead() throws {
        let found = try #require(
            document(
                """
                <Error><Code>SignatureDoesNotMatch</Code><StringToSign>AWS4-HMAC-SHA256 echo</StringToSign>
                <CanonicalRequest>GET\n/echo</CanonicalRequest><Message>The signatures differ.</Message></Error>
                """))
        #expect(found.summary == "SignatureDoesNotMatch: The signatures differ.")
        #expect(!"\(found)".contains("echo"))
    }

    @Test("A region is read if the store names one")
    func aRegionIsReadIfTheStoreNamesOne() {
        let found = document("<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>")
        #expect(found?.region == "eu-west-1")
        #expect(found?.summary == "AuthorizationHeaderMalformed")
    }

    @Test("A message is kept short and on one line")
    func aMessageIsKeptShortAndOnOneLine() {
        let found = document(
            "<Error><Code>A</Code><Message>one\r\n\u{1B}[31mtwo &#10; three \(String(repeating: "x", count: 500))</Message></Error>"
        )
        #expect(found?.message?.hasPrefix("one [31mtwo three xxx") == true)
        #expect(found?.message?.count == 200)
    }

    @Test(
        "A body that is not an error document is ignored",
        arguments: [
            "", "<", "no XML", "<html><Code>A</Code></html>", "<Error>", "<Error></Error>", "<Error><Code></Code></Error>",
            "<Error><Code>A", "<Error><Code>two words</Code></Error>", "<!DOCTYPE x><Error><Code>A</Code></Error>",
            "<Error><Detail><Code>A</Code></Detail></Error>", "<Error><![CDATA[x]]><Code>A</Code></Error>",
        ])
    func aBodyThatIsNoErrorDocumentIsIgnored(_ text: String) {
        #expect(document(text) == nil)
    }

    private func explained(_ status: Int, _ body: String) throws -> AttemptFailure {
        let driver = try S3DriverTests.driver()
        let head = ResponseHead(status: status, fields: [])
        let byHead = try #require(S3DriverTests.inspect(status).failure)
        var refusal = OriginRefusal(byHead, head: head, limit: driver.refusalLimit)
        refusal.take(Array(body.utf8))
        return driver.explain(refusal)
    }

    @Test(
        "The error code distinguishes refusals with the same status",
        arguments: [
            (404, "NoSuchKey", .missing, .location), (404, "NoSuchBucket", .missing, .backend),
            (403, "InvalidObjectState", .unreadable, .location), (403, "RequestTimeTooSkewed", .denied, .credentials),
            (403, "AccessDenied", .denied, .credentials), (503, "SlowDown", .throttled, .throttled),
            (503, "ServiceUnavailable", .serverError, .backend), (400, "ExpiredToken", .denied, .credentials),
        ] as [(Int, String, AttemptFailure.Reason, FailureClass)])
    func theCodeDistinguishesRefusalsWithOneStatus(
        status: Int, code: String, reason: AttemptFailure.Reason, suspected: FailureClass
    ) throws {
        let failure = try explained(status, "<Error><Code>\(code)</Code><Message>Because.</Message></Error>")
        #expect(failure.reason == reason)
        #expect(failure.failureClass == suspected)
        #expect(failure.detail.contains("\(code): Because."))
    }

    @Test("A refusal without an error document is classified by its status")
    func aRefusalWithoutADocumentIsClassifiedByStatus() throws {
        #expect(try explained(404, "<html>gone</html>") == S3DriverTests.inspect(404).failure)
        #expect(try explained(404, "") == S3DriverTests.inspect(404).failure)
    }

    @Test("No more of a refusal's body than the limit is kept")
    func noMoreOfABodyThanTheLimitIsKept() throws {
        var refusal = OriginRefusal(try explained(404, ""), head: ResponseHead(status: 404, fields: []), limit: 5)
        refusal.take([1, 2, 3])
        #expect(!refusal.isFull)
        refusal.take([UInt8](repeating: 7, count: 9))
        #expect(refusal.isFull)
        #expect(refusal.body == [1, 2, 3, 7, 7])
    }
}
