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
        registerEvents(in: &migrator)
        return migrator
    }()
}

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

extension Schema {
    /// Tables and columns for Glance's clients: sorting by any key, members, tasks, the order of locations.
    static func registerImages(in migrator: inout DatabaseMigrator) {
        migrator.registerMigration("3: images for Glance's clients") { db in
            // The size of a plain download's representation, kept by triggers so that lists can be sorted by it. Unknown values
            // are the smallest: columns without nulls let a single row comparison find the start of a page.
            try db.execute(
                sql: """
                    ALTER TABLE image ADD COLUMN size INTEGER;
                    ALTER TABLE image ADD COLUMN name_key TEXT AS (COALESCE(name, '')) VIRTUAL;
                    ALTER TABLE image ADD COLUMN disk_format_key TEXT AS (COALESCE(disk_format, '')) VIRTUAL;
                    ALTER TABLE image ADD COLUMN container_format_key TEXT AS (COALESCE(container_format, '')) VIRTUAL;
                    ALTER TABLE image ADD COLUMN size_key INTEGER AS (COALESCE(size, -1)) VIRTUAL;
                    UPDATE image SET size = (\(ownSize));
                    DROP INDEX image_by_age;
                    CREATE INDEX image_by_age ON image (created_at, id);
                    CREATE INDEX image_by_change ON image (updated_at, created_at, id);
                    CREATE INDEX image_by_name_key ON image (name_key, created_at, id);
                    CREATE INDEX image_by_status ON image (status, created_at, id);
                    CREATE INDEX image_by_disk_format ON image (disk_format_key, created_at, id);
                    CREATE INDEX image_by_container_format ON image (container_format_key, created_at, id);
                    CREATE INDEX image_by_size ON image (size_key, created_at, id);
                    CREATE INDEX image_by_owner ON image (owner, created_at, id);
                    CREATE TRIGGER image_size_founded AFTER INSERT ON representation BEGIN
                        UPDATE image SET size = (\(ownSize)) WHERE id = NEW.image;
                    END;
                    CREATE TRIGGER image_size_changed AFTER UPDATE ON representation BEGIN
                        UPDATE image SET size = (\(ownSize)) WHERE id = NEW.image;
                    END;
                    CREATE TRIGGER image_size_lost AFTER DELETE ON representation BEGIN
                        UPDATE image SET size = (\(ownSize)) WHERE id = OLD.image;
                    END;
                    CREATE TRIGGER image_size_of_format AFTER UPDATE OF disk_format, container_format ON image BEGIN
                        UPDATE image SET size = (\(ownSize)) WHERE id = NEW.id;
                    END;
                    CREATE TABLE listed_location (
                        location TEXT PRIMARY KEY NOT NULL REFERENCES location (id) ON DELETE CASCADE,
                        position INTEGER NOT NULL, metadata TEXT
                    ) STRICT;
                    CREATE TABLE member (
                        image TEXT NOT NULL REFERENCES image (id) ON DELETE CASCADE, project TEXT NOT NULL,
                        status TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
                        PRIMARY KEY (image, project)
                    ) STRICT;
                    CREATE INDEX member_by_project ON member (project, status);
                    CREATE TABLE task (
                        number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
                        status TEXT NOT NULL, image TEXT, owner TEXT, user TEXT NOT NULL, request TEXT NOT NULL,
                        input TEXT NOT NULL, message TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL
                    ) STRICT;
                    CREATE INDEX task_by_image ON task (image, number);
                    """)
        }
    }

    /// The ids of deleted images: a client that remembers one must never get other bytes under it.
    static func registerFormerImages(in migrator: inout DatabaseMigrator) {
        migrator.registerMigration("4: ids of deleted images") { db in
            try db.execute(
                sql: """
                    CREATE TABLE former_image (id TEXT PRIMARY KEY NOT NULL) STRICT, WITHOUT ROWID;
                    CREATE TRIGGER image_deleted AFTER DELETE ON image BEGIN
                        INSERT OR IGNORE INTO former_image (id) VALUES (OLD.id);
                    END;
                    """)
        }
    }

    private static let ownSize = """
        SELECT size FROM representation WHERE representation.image = image.id
            AND representation.disk_format = image.disk_format
            AND representation.container_format = image.container_format
        """
}

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

extension Schema {
    /// Columns and events under the names of docs/glossary.md.
    static func registerWords(in migrator: inout DatabaseMigrator) {
        migrator.registerMigration("7: the glossary's names") { db in
            try db.execute(
                sql: """
                    ALTER TABLE representation RENAME COLUMN in_doubt TO integrity_hold;
                    ALTER TABLE representation RENAME COLUMN doubted_at TO held_since;
                    ALTER TABLE representation RENAME COLUMN distrusted TO digest_conflict;
                    ALTER TABLE location RENAME COLUMN accused TO suspect;
                    ALTER TABLE location RENAME COLUMN proven_at TO verified_at;
                    ALTER TABLE location RENAME COLUMN learned TO computed;
                    DROP INDEX location_accused;
                    CREATE INDEX location_suspect ON location (suspect) WHERE suspect = 1;
                    UPDATE history SET event = CASE event
                        WHEN 'accused' THEN 'marked_suspect' WHEN 'proven' THEN 'verified' ELSE 'digest_conflict' END
                    WHERE event IN ('accused', 'proven', 'distrusted');
                    """)
        }
    }
}

extension Schema {
    /// Events of histories in one spelling, as `LocationHistoryEvent` has them.
    static func registerEvents(in migrator: inout DatabaseMigrator) {
        migrator.registerMigration("8: one spelling of events") { db in
            try db.execute(sql: "UPDATE history SET event = 'probe_failed' WHERE event = 'probe-failed'")
        }
    }
}
