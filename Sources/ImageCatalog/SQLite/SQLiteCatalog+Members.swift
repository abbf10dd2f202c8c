package import FoundationEssentials
import GRDB
package import ImageModel

extension SQLiteCatalog {
    package func members(of image: ImageID) async throws -> [Member] {
        try await read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM member WHERE image = ? ORDER BY rowid", arguments: [image.description])
                .map(Member.init)
        }
    }

    package func add(_ member: Member) async throws {
        try await write { db in
            guard try Self.image(member.image, db) != nil else { throw CatalogError.unknownImage(member.image) }
            guard try Self.member(member.project, of: member.image, db) == nil else {
                throw CatalogError.memberExists(member.image, project: member.project)
            }
            try db.execute(
                sql: "INSERT INTO member (image, project, status, created_at, updated_at) VALUES (?, ?, ?, ?, ?)",
                arguments: [
                    member.image.description, member.project, member.status.rawValue, member.createdAt.milliseconds,
                    member.updatedAt.milliseconds,
                ])
        }
    }

    package func setStatus(
        _ status: Member.Status, of project: String, in image: ImageID, at time: Date
    ) async throws -> Member {
        try await write { db in
            try db.execute(
                sql: "UPDATE member SET status = ?, updated_at = ? WHERE image = ? AND project = ?",
                arguments: [status.rawValue, time.milliseconds, image.description, project])
            guard let member = try Self.member(project, of: image, db) else {
                throw CatalogError.unknownMember(image, project: project)
            }
            return member
        }
    }

    package func removeMember(_ project: String, of image: ImageID) async throws {
        try await write { db in
            guard try Self.member(project, of: image, db) != nil else {
                throw CatalogError.unknownMember(image, project: project)
            }
            try db.execute(
                sql: "DELETE FROM member WHERE image = ? AND project = ?", arguments: [image.description, project])
        }
    }

    private static func member(_ project: String, of image: ImageID, _ db: Database) throws -> Member? {
        try Row.fetchOne(
            db, sql: "SELECT * FROM member WHERE image = ? AND project = ?", arguments: [image.description, project]
        ).map(Member.init)
    }
}

extension Member {
    fileprivate init(_ row: Row) throws {
        self.init(
            image: try row.required("image") { ImageID($0) }, project: row["project"],
            status: try row.required("status") { Member.Status(rawValue: $0) },
            createdAt: Date(milliseconds: row["created_at"]), updatedAt: Date(milliseconds: row["updated_at"]))
    }
}
