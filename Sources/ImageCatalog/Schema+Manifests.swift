import GRDB

extension Schema {
    /// Manifests in pages that are loaded on demand; 32 bytes for each MiB of an image.
    static func registerManifests(in migrator: inout DatabaseMigrator) {
        migrator.registerMigration("5: manifests") { db in
            // The algorithm and the chunk size are part of each manifest, since another version of Baton may use others.
            try db.execute(
                sql: """
                    CREATE TABLE manifest (
                        number INTEGER PRIMARY KEY AUTOINCREMENT,
                        image TEXT NOT NULL, disk_format TEXT NOT NULL, container_format TEXT NOT NULL,
                        identity TEXT NOT NULL, size INTEGER NOT NULL, chunk_size INTEGER NOT NULL, algorithm TEXT NOT NULL,
                        made_at INTEGER NOT NULL,
                        UNIQUE (image, disk_format, container_format),
                        FOREIGN KEY (image, disk_format, container_format)
                            REFERENCES representation (image, disk_format, container_format) ON DELETE CASCADE
                    ) STRICT;
                    CREATE TABLE manifest_page (
                        manifest INTEGER NOT NULL REFERENCES manifest (number) ON DELETE CASCADE, page INTEGER NOT NULL,
                        digests BLOB NOT NULL, seal BLOB NOT NULL,
                        PRIMARY KEY (manifest, page)
                    ) STRICT;
                    ALTER TABLE read_progress ADD COLUMN chunk_size INTEGER;
                    ALTER TABLE read_progress ADD COLUMN chunk_algorithm TEXT;
                    ALTER TABLE read_progress ADD COLUMN chunk_state BLOB;
                    CREATE TABLE read_progress_page (
                        location TEXT NOT NULL REFERENCES read_progress (location) ON DELETE CASCADE, page INTEGER NOT NULL,
                        digests BLOB NOT NULL,
                        PRIMARY KEY (location, page)
                    ) STRICT;
                    """)
        }
    }
}
