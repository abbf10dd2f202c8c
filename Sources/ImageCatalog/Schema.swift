import GRDB

/// The tables and their migrations. A released migration is never changed; changes are new migrations.
enum Schema {
    static let migrator: DatabaseMigrator = {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1: images, representations, locations, history") { db in
            try db.execute(
                sql: """
                    CREATE TABLE image (
                        id TEXT PRIMARY KEY NOT NULL, name TEXT, status TEXT NOT NULL, visibility TEXT NOT NULL,
                        disk_format TEXT, container_format TEXT, min_disk INTEGER NOT NULL, min_ram INTEGER NOT NULL,
                        protected INTEGER NOT NULL, hidden INTEGER NOT NULL, owner TEXT, tags TEXT NOT NULL,
                        properties TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
                    ) STRICT;
                    CREATE INDEX image_by_age ON image (created_at DESC, id);
                    CREATE INDEX image_by_name ON image (name);
                    CREATE TABLE representation (
                        image TEXT NOT NULL REFERENCES image (id) ON DELETE CASCADE, disk_format TEXT NOT NULL,
                        container_format TEXT NOT NULL, size INTEGER NOT NULL, algorithm TEXT NOT NULL, digest TEXT NOT NULL,
                        in_doubt INTEGER NOT NULL DEFAULT 0, doubted_at INTEGER,
                        PRIMARY KEY (image, disk_format, container_format)
                    ) STRICT;
                    CREATE TABLE location (
                        number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
                        image TEXT NOT NULL, disk_format TEXT NOT NULL, container_format TEXT NOT NULL,
                        backend TEXT NOT NULL, path TEXT NOT NULL, url TEXT NOT NULL, status TEXT NOT NULL,
                        before TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT, sha512 TEXT, sha1 TEXT, md5 TEXT,
                        weight INTEGER NOT NULL, tier INTEGER NOT NULL, metadata TEXT NOT NULL, validator TEXT,
                        accused INTEGER NOT NULL DEFAULT 0, proven_at INTEGER, created_at INTEGER NOT NULL,
                        FOREIGN KEY (image, disk_format, container_format)
                            REFERENCES representation (image, disk_format, container_format) ON DELETE CASCADE
                    ) STRICT;
                    CREATE INDEX location_by_image ON location (image, number);
                    CREATE INDEX location_by_status ON location (status);
                    CREATE INDEX location_accused ON location (accused) WHERE accused = 1;
                    CREATE TABLE history (
                        number INTEGER PRIMARY KEY AUTOINCREMENT,
                        location TEXT NOT NULL REFERENCES location (id) ON DELETE CASCADE, time INTEGER NOT NULL,
                        event TEXT NOT NULL, status_from TEXT NOT NULL, status_to TEXT NOT NULL, actor TEXT NOT NULL,
                        reason TEXT NOT NULL
                    ) STRICT;
                    CREATE INDEX history_by_location ON history (location, number);
                    """)
        }
        registerLifecycle(in: &migrator)
        registerImages(in: &migrator)
        registerFormerImages(in: &migrator)
        registerManifests(in: &migrator)
        registerUploads(in: &migrator)
        registerWords(in: &migrator)
        return migrator
    }()
}
