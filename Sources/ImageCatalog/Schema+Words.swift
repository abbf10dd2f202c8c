import GRDB

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
