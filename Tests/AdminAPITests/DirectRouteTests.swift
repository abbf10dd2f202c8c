import Access
import Foundation
import HTTPTypes
import ImageModel
import Testing

@testable import APIFixture
@testable import HTTPServing

/// `GET /baton/v1/images/{id}/direct`.
@Suite(.timeLimit(.minutes(5))) struct DirectRouteTests {
    private typealias Entry = DirectImages.Entry

    @Test("The list has everything to read and verify an image with and the stream as the last resort")
    func theListHasEverythingToReadAndVerifyAnImageWithAndTheStreamAsTheLastResort() async throws {
        let fixture = try DirectImages.fixture()
        let (image, ids) = try await DirectImages.image([Entry(backend: "signed"), Entry(backend: "plain")], in: fixture)
        let before = Date.now
        let answer = try await fixture.send(.get, "/baton/v1/images/\(image)/direct?disk_format=raw", as: DirectImages.trusted)
        #expect(answer.status == 200 && answer.headers[.cacheControl] == "no-store")
        #expect(answer["size"] == .integer(DirectImages.size) && answer["digest"] == .string("sha256:\(DirectImages.digest)"))
        #expect(answer["stream"] == .string("/v2/images/\(image)/file?disk_format=raw&container_format=bare"))
        let locations = try #require(answer["locations"]?.elements)
        #expect(locations.map { $0.members?["location"]?.text } == ids.map(\.description))
        #expect(locations[0].members?["url"] == "https://store/b/x0?e=600" && locations[1].members?["expires"] == .null)
        let expires = try Date(try #require(locations[0].members?["expires"]?.text), strategy: .iso8601)
        #expect(abs(expires.timeIntervalSince(before) - 600) < 60)
        #expect(locations[0].members?["digests"]?.members?["sha256"] == .string(DirectImages.digest))
    }

    @Test("The list answers as the download does where there is nothing")
    func theListAnswersAsTheDownloadDoesWhereThereIsNothing() async throws {
        let fixture = try DirectImages.fixture()
        let (image, _) = try await DirectImages.image([Entry(backend: "plain")], in: fixture)
        let empty = try await fixture.image(owner: "mine")
        let stranger = Caller(user: "s", project: "other", roles: [.trusted])
        for (path, caller, status) in [
            ("\(image)/direct?disk_format=qcow2", DirectImages.trusted, 406),
            ("\(image)/direct?disk_format=x", DirectImages.trusted, 400),
            ("\(ImageID())/direct", DirectImages.trusted, 404), ("\(image)/direct", stranger, 404),
            ("\(empty)/direct", DirectImages.trusted, 204),
        ] {
            #expect(try await fixture.send(.get, "/baton/v1/images/\(path)", as: caller).status == status, "\(path)")
        }
    }
}

extension JSONValue {
    fileprivate var elements: [JSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }
}
