ALTER TABLE loads ADD COLUMN source text NOT NULL DEFAULT 'shop';
