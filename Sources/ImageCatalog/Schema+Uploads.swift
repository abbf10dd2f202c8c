import GRDB

extension Schema {
    /// The files written by uploads, which outlive their images so that they can be deleted after them.
    static func registerUploads(in migrator: inout DatabaseMigrator) {
        migrator.registerMigration("6: uploads") { db in
            // Uploads of earlier versions are recognized by their path, the image's id, and by a location that was activated
            // with the upload.
            try db.execute(
                sql: """
                    CREATE TABLE upload (
                        backend TEXT NOT NULL, path TEXT NOT NULL, image TEXT NOT NULL, owner TEXT, size INTEGER NOT NULL,
                        state TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER,
                        PRIMARY KEY (backend, path)
                    ) STRICT;
                    CREATE INDEX upload_by_image ON upload (image);
                    CREATE INDEX upload_by_expiry ON upload (expires_at) WHERE expires_at IS NOT NULL;
                    CREATE INDEX location_by_place ON location (backend, path);
                    INSERT OR IGNORE INTO upload (backend, path, image, owner, size, state, created_at)
                    SELECT location.backend, location.path, location.image, image.owner, COALESCE(location.size, 0), 'stored',
                        location.created_at
                    FROM location JOIN image ON image.id = location.image
                    WHERE location.path = location.image AND EXISTS (
                        SELECT 1 FROM history WHERE history.location = location.id AND history.event = 'probed'
                            AND history.reason = 'given through the Images API');
                    """)
        }
    }
}
