import GRDB

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
