import GRDB

extension Schema {
    /// Columns for the lifecycle of locations: computed sizes and digests, times, and reads that survive a restart.
    static func registerLifecycle(in migrator: inout DatabaseMigrator) {
        migrator.registerMigration("2: lifecycle of locations") { db in
            // SQLite can't drop NOT NULL or a reference from a column: the table is rebuilt and filled.
            try db.execute(
                sql: """
                    ALTER TABLE representation ADD COLUMN distrusted INTEGER NOT NULL DEFAULT 0;
                    CREATE TABLE location_anew (
                        number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
                        image TEXT NOT NULL REFERENCES image (id) ON DELETE CASCADE,
                        disk_format TEXT NOT NULL, container_format TEXT NOT NULL,
                        backend TEXT NOT NULL, path TEXT NOT NULL, url TEXT NOT NULL, status TEXT NOT NULL,
                        before TEXT NOT NULL, size INTEGER, sha256 TEXT, sha512 TEXT, sha1 TEXT, md5 TEXT,
                        learned TEXT NOT NULL DEFAULT '[]', identified INTEGER NOT NULL,
                        weight INTEGER NOT NULL, tier INTEGER NOT NULL, metadata TEXT NOT NULL, validator TEXT,
                        accused INTEGER NOT NULL DEFAULT 0, proven_at INTEGER, next_read_at INTEGER,
                        failed_reads INTEGER NOT NULL DEFAULT 0, misses TEXT NOT NULL DEFAULT '[]', expires_at INTEGER,
                        created_at INTEGER NOT NULL
                    ) STRICT;
                    INSERT INTO location_anew (number, id, image, disk_format, container_format, backend, path, url, status,
                        before, size, sha256, sha512, sha1, md5, identified, weight, tier, metadata, validator, accused,
                        proven_at, created_at)
                    SELECT number, id, image, disk_format, container_format, backend, path, url, status, before, size, sha256,
                        sha512, sha1, md5, 1, weight, tier, metadata, validator, accused, proven_at, created_at FROM location;
                    DROP TABLE location;
                    ALTER TABLE location_anew RENAME TO location;
                    CREATE INDEX location_by_image ON location (image, number);
                    CREATE INDEX location_by_status ON location (status, proven_at);
                    CREATE INDEX location_by_backend ON location (backend, proven_at);
                    CREATE INDEX location_accused ON location (accused) WHERE accused = 1;
                    CREATE TABLE read_progress (
                        location TEXT PRIMARY KEY NOT NULL REFERENCES location (id) ON DELETE CASCADE,
                        position INTEGER NOT NULL, size INTEGER NOT NULL, validator TEXT, digests BLOB NOT NULL,
                        saved_at INTEGER NOT NULL
                    ) STRICT;
                    """)
        }
    }
}
