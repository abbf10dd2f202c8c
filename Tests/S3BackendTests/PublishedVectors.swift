import FoundationEssentials
import Testing

@testable import S3Backend

/// The examples that AWS publishes for Signature Version 4.
@Suite struct PublishedVectors {
    static let suite = RequestSigner(
        credentials: S3Credentials(accessKey: "AKIDEXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        region: "us-east-1", service: "service")
    static let documentation = S3Credentials(
        accessKey: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    /// 2015-08-30T12:36:00Z.
    static let suiteTime = SigningTime(Date(timeIntervalSince1970: 1_440_938_160))
    /// 2013-05-24T00:00:00Z.
    static let documentationDate = Date(timeIntervalSince1970: 1_369_353_600)

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var method = "GET"
        var path = "/"
        var query: [(name: String, value: String)] = []
        var headers: [(name: String, value: String)] = []
        let signedHeaders: String
        let signature: String
    }

    static let cases = [
        Case(
            testDescription: "get-vanilla", signedHeaders: "host;x-amz-date",
            signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        Case(
            testDescription: "post-vanilla", method: "POST", signedHeaders: "host;x-amz-date",
            signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        Case(
            testDescription: "get-vanilla-query-order-key-case", query: [("Param2", "value2"), ("Param1", "value1")],
            signedHeaders: "host;x-amz-date", signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
        Case(
            testDescription: "get-vanilla-utf8-query", query: [("\u{1234}", "bar")], signedHeaders: "host;x-amz-date",
            signature: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"),
        Case(
            testDescription: "get-unreserved",
            path: "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", signedHeaders: "host;x-amz-date",
            signature: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"),
        Case(
            testDescription: "get-utf8", path: "/%E1%88%B4", signedHeaders: "host;x-amz-date",
            signature: "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
        Case(
            testDescription: "get-space", path: "/example%20space/", signedHeaders: "host;x-amz-date",
            signature: "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"),
        Case(
            testDescription: "get-header-value-trim", headers: [("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")],
            signedHeaders: "host;my-header1;my-header2;x-amz-date",
            signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"),
    ]

    @Test("A request of AWS's test suite has the suite's signature", arguments: cases)
    func aRequestOfTheSuiteHasItsSignature(sample: Case) {
        let request = CanonicalRequest(
            method: sample.method, path: sample.path, query: sample.query,
            headers: sample.headers + [("Host", "example.amazonaws.com"), ("X-Amz-Date", "20150830T123600Z")], payload: .empty)
        #expect(
            Self.suite.authorization(of: request, at: Self.suiteTime)
                == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                + "SignedHeaders=\(sample.signedHeaders), Signature=\(sample.signature)")
    }

    @Test("The intermediate texts of get-vanilla equal those of the suite")
    func theStepsOfGetVanillaEqualThoseOfTheSuite() {
        let request = CanonicalRequest(
            method: "GET", path: "/", headers: [("Host", "example.amazonaws.com"), ("X-Amz-Date", "20150830T123600Z")],
            payload: .empty)
        #expect(
            request.text == """
                GET
                /

                host:example.amazonaws.com
                x-amz-date:20150830T123600Z

                host;x-amz-date
                e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
                """)
        #expect(
            Self.suite.stringToSign(for: request, at: Self.suiteTime) == """
                AWS4-HMAC-SHA256
                20150830T123600Z
                20150830/us-east-1/service/aws4_request
                bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63
                """)
    }

    @Test("The documentation's ranged GET has the documented signature")
    func theDocumentedRangedGetHasItsSignature() {
        let signer = RequestSigner(credentials: Self.documentation, region: "us-east-1")
        let headers = signer.headers(
            method: "GET", path: "/test.txt", host: "examplebucket.s3.amazonaws.com", headers: [("Range", "bytes=0-9")],
            at: Self.documentationDate)
        #expect(
            headers.last?.value
                == "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
                + "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
                + "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
    }

    @Test("The documentation's presigned URL has the documented signature")
    func theDocumentedPresignedURLHasItsSignature() {
        let signer = RequestSigner(credentials: Self.documentation, region: "us-east-1")
        let query = signer.presignedQuery(
            method: "GET", path: "/test.txt", host: "examplebucket.s3.amazonaws.com", parameters: [], lifetime: 86_400,
            at: Self.documentationDate)
        #expect(
            query == "X-Amz-Algorithm=AWS4-HMAC-SHA256"
                + "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
                + "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
                + "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")
    }
}
